#pragma once

// The console's live feed as the journal tells it, in every server on a store: a console sees the same whichever of them it
// is open at, and whichever of them calls people.

#include "alerting/notify/console_hub.h"
#include "storage/store/store.h"

namespace mydr24::alerts {

class ConsoleFeed : public store::Follower {
 public:
  // `hub` must outlive the store.
  explicit ConsoleFeed(notify::ConsoleHub& hub) : hub_(hub) {}

  // Before the store's first submit.
  void start(store::Store& store);

  std::string_view name() const override { return "alerts.console"; }
  bool in_every_process() const override { return true; }
  Result<> follow(std::span<const store::Event> events) override;

 private:
  notify::ConsoleHub& hub_;
  store::Store* store_ = nullptr;
};

}  // namespace mydr24::alerts
