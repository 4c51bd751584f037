#include "app/server/tenants.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

namespace mydr24::server {
namespace {

constexpr std::size_t name_bytes_max = 32;
constexpr std::string_view tenant_mark = "{tenant}";
constexpr std::size_t host_bytes_max = 253;  // RFC 1035, 2.3.4, as text

bool is_made_of(std::string_view text, std::string_view characters, std::size_t bytes_max) {
  return !text.empty() && text.size() <= bytes_max && text.find_first_not_of(characters) == text.npos;
}

Error wrong(const TenantSection& tenant, std::string_view key, std::string text) {
  return fail(Code::invalid, std::move(text), fmt::format("tenants[{}].{}", tenant.name, key));
}

std::filesystem::path folder_of(const Settings& settings, const TenantSection& tenant) {
  if (!tenant.path.empty()) return tenant.path;
  return std::filesystem::path(settings.store.path) / "tenants" / tenant.name;
}

// The first host, as clients reach it when nothing stands before the server.
std::string base_url_of(const Settings& settings, const TenantSection& tenant) {
  if (!tenant.base_url.empty()) return tenant.base_url;
  const bool secure = !settings.server.tls_certificate_file.empty();
  const auto& listen = settings.server.listen;
  const auto port = listen.substr(std::min(listen.size(), listen.rfind(':') + 1));
  if (port == "0") return {};  // any: it is known only when clients say it
  const bool usual = port == (secure ? "443" : "80");
  return fmt::format("{}://{}{}", secure ? "https" : "http", tenant.hosts.front(), usual ? "" : ":" + port);
}

Result<> check(const Settings& settings, const TenantSection& tenant) {
  if (!is_made_of(tenant.name, "abcdefghijklmnopqrstuvwxyz0123456789-", name_bytes_max) || tenant.name.starts_with('-'))
    return wrong(tenant, "name", fmt::format("'{}' is no name: 1 to 32 of a-z 0-9 -", tenant.name));
  if (find_tier(tenant.tier) == nullptr)
    return wrong(tenant, "tier",
                 fmt::format("there is no tier '{}': basic, professional, enterprise or emergency", tenant.tier));
  if (tenant.hosts.empty()) return wrong(tenant, "hosts", "a tenant has at least one host name");
  for (const auto& host : tenant.hosts) {
    if (!is_made_of(host, "abcdefghijklmnopqrstuvwxyz0123456789-.:[]", host_bytes_max))
      return wrong(tenant, "hosts", fmt::format("'{}' is no host name: lower case, without scheme and port", host));
  }
  if (!settings.store.url.empty() && tenant.url.empty())
    return wrong(tenant, "url", "store.url is set: each tenant needs a database of its own");
  return {};
}

}  // namespace

const Tier* find_tier(std::string_view name) {
  const auto found = std::ranges::find(tiers, name, &Tier::name);
  return found == tiers.end() ? nullptr : &*found;
}

Result<> check_tenants(const Settings& settings) {
  if (settings.tenants.size() > tenants_max)
    return fail(Code::invalid,
                fmt::format("{} tenants are too many: a server has up to {}", settings.tenants.size(), tenants_max),
                "tenants");
  const auto& heartbeat = settings.monitor.heartbeat_url;
  if (!settings.tenants.empty() && !heartbeat.empty() && !heartbeat.contains(tenant_mark))
    return fail(Code::invalid,
                fmt::format("with tenants it contains {}, so that each is missed by itself", tenant_mark),
                "monitor.heartbeat_url");
  std::set<std::string> names, hosts, stores;
  for (const auto& tenant : settings.tenants) {
    MYDR24_TRY(check(settings, tenant));
    if (!names.insert(tenant.name).second) return wrong(tenant, "name", "two tenants have that name");
    for (const auto& host : tenant.hosts)
      if (!hosts.insert(host).second)
        return wrong(tenant, "hosts", fmt::format("'{}' is the host of two tenants", host));
    const auto store = tenant.url.empty() ? folder_of(settings, tenant).lexically_normal().string() : tenant.url;
    if (!stores.insert(store).second)
      return wrong(tenant, tenant.url.empty() ? "path" : "url", "two tenants have that store");
  }
  return {};
}

Result<Settings> tenant_settings(const Settings& settings, std::string_view name) {
  const auto found = std::ranges::find(settings.tenants, name, &TenantSection::name);
  if (found == settings.tenants.end()) {
    std::string names;
    for (const auto& each : settings.tenants) names += (names.empty() ? "" : ", ") + each.name;
    return fail(Code::not_found,
                names.empty() ? fmt::format("there is no tenant '{}': the settings name none", name)
                              : fmt::format("there is no tenant '{}': there are {}", name, names),
                "tenant");
  }
  const auto& tenant = *found;
  Settings made = settings;
  made.tenants.clear();
  made.tenant = tenant.name;
  made.store.path = folder_of(settings, tenant).string();
  made.store.url = tenant.url;
  made.store.read_urls.clear();
  made.server.base_url = base_url_of(settings, tenant);
  made.server.own_urls.clear();
  if (!settings.audit.folder.empty())
    made.audit.folder = (std::filesystem::path(settings.audit.folder) / tenant.name).string();
  if (!settings.notify.link_base.empty()) made.notify.link_base = made.server.base_url;
  made.access.organization = tenant.organization;
  if (!tenant.policy_file.empty()) made.access.policy_file = tenant.policy_file;
  if (!tenant.routing.empty()) made.alerting.routing = tenant.routing;
  if (!tenant.site.empty()) made.console.site = tenant.site;
  if (!tenant.zone.empty()) made.console.zone = tenant.zone;
  if (!tenant.encryption_key_file.empty()) made.encryption.key_file = tenant.encryption_key_file;
  made.vitals.mqtt_topics = tenant.mqtt_topics;
  if (tenant.mqtt_topics.empty()) made.vitals.mqtt_host.clear();
  made.vitals.mqtt_client_id += "-" + tenant.name;
  if (const auto at = made.monitor.heartbeat_url.find(tenant_mark); at != std::string::npos)
    made.monitor.heartbeat_url.replace(at, tenant_mark.size(), tenant.name);
  return made;
}

}  // namespace mydr24::server
