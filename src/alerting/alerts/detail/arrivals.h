#pragma once

// How many alerts came lately: what steps that wait for a number of them (oncall::IfCount) ask. Kept only while the plan
// has such a step, and only as long as the longest of them looks back. Private to alerting/alerts.

#include "alerting/alerts/alert.h"
#include "alerting/oncall/plan.h"
#include "storage/store/store.h"

namespace mydr24::alerts::arrivals {

// The alert was raised, or there is news of it.
Result<> note(store::Transaction& transaction, const oncall::Plan& plan, const Alert& alert);

Result<bool> holds(store::Transaction& transaction, const oncall::IfCount& condition, const Alert& alert);

}  // namespace mydr24::alerts::arrivals
