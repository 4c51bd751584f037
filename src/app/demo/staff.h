#pragma once

// The people of the demo: they answer what a visitor leaves unanswered, and bring to an end what they have answered. All of
// it by the interfaces that people have. What a visitor has taken is the visitor's.

#include <chrono>
#include <string_view>

#include "app/demo/desk.h"
#include "base/core/clock.h"

namespace mydr24::demo {

inline constexpr std::string_view nurse = "ward nurse (simulated)";
inline constexpr std::string_view registrar = "registrar (simulated)";
inline constexpr std::string_view coordinator = "duty coordinator (simulated)";

struct StaffSettings {
  // After the registrar, too, was called (30 s), and before the 47 s that an acknowledgement may take.
  std::chrono::milliseconds answers_after{40'000};
  std::chrono::milliseconds resolves_after{90'000};  // from the opening of an incident, and when its alerts are over
};

class Staff {
 public:
  Staff(const StaffSettings& settings, const Clock& clock) : settings_(settings), clock_(clock) {}

  // Looks around once, and does what is due now. The first error ends the look; the next one goes on.
  Result<> look(Desk& desk);

 private:
  bool is_older(std::string_view since, std::chrono::milliseconds than) const;
  Result<> answer_alerts(Desk& desk, json::Value alerts);
  Result<> work_on_incidents(Desk& desk, json::Value alerts);
  Result<> finish_reviews(Desk& desk);

  const StaffSettings settings_;
  const Clock& clock_;
};

}  // namespace mydr24::demo
