#pragma once

// Findings that the store does not take: people are called from memory, a second after it was found, and every 30 seconds
// the next ones of the policy, until it is written down or over. What is only to be looked at (medium, low) waits for the
// store. Not thread-safe.

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/core/clock.h"
#include "operations/monitor/evaluator.h"

namespace mydr24::monitor {

class Unstored {
 public:
  static constexpr std::chrono::seconds first_call{1};
  static constexpr std::chrono::seconds call_again{30};
  struct Call {
    std::string id;  // the same in every round
    Finding finding;
    Instant found_at;
    int round = 0;
  };

  // What is to be called about now. `is_stored`: whether a finding's alert is written down.
  std::vector<Call> due(const std::vector<Finding>& findings, const std::function<bool(std::string_view)>& is_stored,
                        Instant now, std::chrono::nanoseconds steady);

 private:
  struct Waiting {
    std::string id;
    Instant found_at;
    std::chrono::nanoseconds next{0};
    int round = 0;
  };
  std::map<std::string, Waiting, std::less<>> waiting_;  // by cause
};

}  // namespace mydr24::monitor
