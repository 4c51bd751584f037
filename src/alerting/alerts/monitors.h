#pragma once

// Heartbeats: what must be heard of regularly, and the alert when it is not. The time since the last beat is a durable
// timer; the monitors themselves are part of the on-call plan.
//
// Events: those of the alert (cause "heartbeat/NAME", source "heartbeat").

#include <string_view>

#include "alerting/alerts/book.h"

namespace mydr24::alerts {

class Monitors {
 public:
  // `book` must outlive it.
  explicit Monitors(const Book& book) : book_(book) {}
  // Before the store's first tick; must outlive the store.
  void attach(store::Store& store);
  // It was heard of: the time begins again, and its alert is resolved. Code::not_found.
  Result<> beat(store::Transaction& transaction, std::string_view name) const;
  // In the transaction that changes the plan: new monitors begin to be waited for, those that are gone or muted are not.
  Result<> plan_changed(store::Transaction& transaction, const oncall::Plan& plan) const;

 private:
  Result<> missed(store::Transaction& transaction, std::string_view name) const;
  const Book& book_;
};

}  // namespace mydr24::alerts
