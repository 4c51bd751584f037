#pragma once

// What a provider says afterwards about a delivery that it had taken.

#include <string_view>

#include "alerting/oncall/plan.h"
#include "base/core/result.h"
#include "storage/store/store.h"

namespace mydr24::alerts {

// It did not reach the person after all: the delivery is failed, the alert's history says why, and the contact's next
// method is called at once. A delivery that is not known, or had failed before, is left alone.
Result<> report_undelivered(store::Transaction& transaction, const oncall::Plan& plan, std::string_view delivery_id,
                            std::string_view why);

}  // namespace mydr24::alerts
