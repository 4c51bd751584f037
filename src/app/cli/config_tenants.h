#pragma once

// The list [[tenants]] of a configuration file.

#include <toml++/toml.h>

#include <functional>
#include <string>
#include <vector>

#include "app/server/settings.h"

namespace mydr24::cli {

// `wrong`: told of each place that is wrong, and why.
std::vector<server::TenantSection> read_tenants(const toml::node& node,
                                                const std::function<void(const toml::node&, std::string)>& wrong);

// As lines of TOML, commented out.
std::string tenants_example();

}  // namespace mydr24::cli
