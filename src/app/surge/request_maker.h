#pragma once

// The requests of a load: which kind comes next, about whom, and its bytes. The same seed gives the same sequence.

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "app/load/bodies.h"
#include "app/surge/load_spec.h"
#include "base/core/clock.h"

namespace mydr24::surge {

struct Ask {
  Kind kind = Kind::read;
  std::uint32_t patient = 0;
};

class RequestMaker {
 public:
  RequestMaker(const LoadSpec& spec, const Clock& clock);

  Ask next();
  // Appends the whole request.
  void write(const Ask& ask, std::string& out);
  // The patient of an alarm.
  std::string alarm_patient(const Ask& ask) const;

 private:
  std::string patient(const Ask& ask) const;
  void append_alerts();

  const LoadSpec& spec_;
  const Clock& clock_;
  std::mt19937_64 random_;
  std::discrete_distribution<std::size_t> share_;
  std::uint32_t alarms_ = 0;
  std::uint64_t bundles_ = 0;
  std::uint64_t posted_alerts_ = 0;
  std::string headers_;
  std::string work_;  // always the same bytes
  load::Body bundle_;
  std::string body_;
};

// Resources in a Bundle of Kind::bundle: what a form or a small feed sends at once.
inline constexpr std::size_t bundle_linked = 10;

}  // namespace mydr24::surge
