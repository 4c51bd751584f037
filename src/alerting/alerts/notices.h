#pragma once

// Notices of who is on call: when that changes, and every day at 00:00 by the wall clock of the schedule. Whom they go to
// is part of the on-call plan (oncall::Notice); a durable timer looks when there may be something to tell, and what is to
// be told is in the store until Updates has told it.
//
// Invariant: what was told last is written down with what is to be told next, so that neither a restart nor a second
// server tells a channel twice. Of a change that falls on 00:00 a channel is told once.
//
// Events: oncall.notice {"notice", "key"}.

#include <string_view>

#include "alerting/alerts/book.h"

namespace mydr24::alerts {

class Notices {
 public:
  // `book` must outlive it.
  explicit Notices(const Book& book) : book_(book) {}
  // Before the store's first tick; must outlive the store.
  void attach(store::Store& store);
  // In the transaction that changes the plan: a change of who is on call now is told; of a notice that is new only what
  // comes after.
  Result<> plan_changed(store::Transaction& transaction, const oncall::Plan& plan) const;

 private:
  const Book& book_;
};

}  // namespace mydr24::alerts
