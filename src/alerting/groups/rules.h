#pragma once

// A feed of alerts that must always come, and the alert when it has gone silent; it goes the way of all others.

#include <chrono>
#include <optional>
#include <utility>

#include "alerting/routing/alert.h"

namespace mydr24::groups {

// A feed is there while alerts that match come at least every `every` (a Watchdog that always fires). Begins to count
// when it is made, on the steady clock: a clock that is set silences no feed.
class Feed {
 public:
  Feed(routing::Matchers matchers, routing::milliseconds every, std::chrono::nanoseconds steady)
      : matchers_(std::move(matchers)), every_(every), last_(steady) {}
  void see(const routing::Labels& labels, std::chrono::nanoseconds steady) {
    if (routing::matches(matchers_, labels)) last_ = steady;
  }
  // FeedMissing, critical, `every` after the last one.
  std::optional<routing::Alert> judge(std::chrono::nanoseconds steady, Instant now, routing::milliseconds lasts) const;

 private:
  routing::Matchers matchers_;
  routing::milliseconds every_;
  std::chrono::nanoseconds last_;  // steady
};

}  // namespace mydr24::groups
