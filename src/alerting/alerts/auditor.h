#pragma once

// Checks the desk itself. From the journal alone it works out what should have happened by now: every call tried, every
// alert that nobody has answered called about again when its policy says. What is more than `late` behind is an emergency of
// its own (cause "desk/auditor"), which ends when everything is as it should be.
//
// It has its own thread in the server and its own place in the journal, and shares nothing with the dispatcher but the
// store.

#include <cstdint>
#include <map>
#include <string>

#include "alerting/alerts/book.h"
#include "base/json/document.h"

namespace mydr24::alerts {

struct AuditSettings {
  std::chrono::milliseconds late{5'000};
};

struct Difference {
  std::string alert;
  std::string what;  // "the next call", "delivery ID"
  Instant due;
};

class Auditor {
 public:
  // `book` must outlive it.
  explicit Auditor(const Book& book, AuditSettings settings = {}) : book_(book), settings_(settings) {}

  // Reads the journal on (at the first call also what alerts that are not resolved have behind them), and gives back what
  // is behind at `now`. Of one thread.
  Result<std::vector<Difference>> look(store::Store& store, Instant now);
  // The same, and raises or resolves the alert about it.
  Result<std::vector<Difference>> audit(store::Store& store, Instant now);

 private:
  struct Watched {
    std::optional<Instant> next;             // when it must have been called about again
    std::map<std::string, Instant> untried;  // by delivery: when it was called
  };
  Result<> begin(store::Reader& reader);
  Result<> take(std::string_view kind, std::string_view payload, Instant at);
  Result<> take_call(std::string_view kind, json::Value event, Watched& watched, Instant at) const;

  const Book& book_;
  const AuditSettings settings_;
  store::Sequence after_ = -1;
  std::map<std::string, Watched, std::less<>> watched_;  // alerts that are not resolved
};

inline constexpr std::string_view auditor_source = "auditor";

}  // namespace mydr24::alerts
