#pragma once

// What a provider says afterwards about a delivery that it had taken.

#include <string_view>

#include "base/core/result.h"
#include "storage/store/store.h"

namespace mydr24::alerts {

// It did not reach the person after all: the delivery is failed, and the alert's history says why. A delivery that is not
// known, or had failed before, is left alone.
Result<> report_undelivered(store::Transaction& transaction, std::string_view delivery_id, std::string_view why);

}  // namespace mydr24::alerts
