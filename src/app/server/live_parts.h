#pragma once

// The settings of the running server that changes may change, and what each of them is applied to.

#include <functional>
#include <string>

#include "alerting/oncall/directory.h"
#include "api/pipeline/features.h"
#include "app/server/settings.h"
#include "operations/live_settings/live_settings.h"

namespace mydr24::server {

struct LiveParts {
  const oncall::Directory& directory;
  const AlertingSection& alerting;
  std::int64_t storage_mib = 0;  // as the configuration has it
  // Must be quick. Null: the server has none of it, and the setting is not there.
  struct Apply {
    using Function = std::function<void(const std::string& value)>;
    Function close_idle_days, clear_days, storage_mib, login_free_attempts, login_wait_max_s, admission_hold;
    std::function<void(std::uint8_t feature, bool on)> feature;  // see pipeline::features()
  } on;
};

// Before registry.attach().
Result<> define_settings(live_settings::Registry& registry, const LiveParts& parts);

}  // namespace mydr24::server
