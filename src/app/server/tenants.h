#pragma once

// Tenants as settings: service tiers, and the settings of one tenant, made from those of the server.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "app/server/settings.h"
#include "base/core/result.h"
#include "guard/admission/hand.h"

namespace mydr24::server {

// What a tenant may take of a server that it shares. Source of the four names: chapter 10, "Premium Performance Tiers"; the
// figures are ours, each tenant may have others.
struct Tier {
  std::string_view name;
  std::size_t queues;           // of Hand::shards: the weight while there is too much to do
  std::int64_t requests_per_s;  // 0: no limit
  std::int64_t storage_mib;     // 0: no limit
};
inline constexpr std::array<Tier, 4> tiers{{{"basic", 4, 200, 20 << 10},
                                            {"professional", 8, 1'000, 100 << 10},
                                            {"enterprise", 16, 0, 0},
                                            {"emergency", 32, 0, 0}}};
// Null: there is none of that name.
const Tier* find_tier(std::string_view name);

inline constexpr std::size_t tenants_max = 256;

// Of a request to the admin listener: whose it is.
inline constexpr std::string_view tenant_header = "X-MyDR24-Tenant";

// Code::invalid names the tenant and its key: a name or host that is not well-formed or belongs to two, a store of two.
Result<> check_tenants(const Settings& settings);

// Those of the tenant, with nothing in them of another. Code::not_found lists the names there are.
Result<Settings> tenant_settings(const Settings& settings, std::string_view name);

}  // namespace mydr24::server
