#include "app/cli/config_tenants.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "app/cli/terminal.h"
#include "app/server/tenants.h"
#include "base/zone/zone.h"

namespace mydr24::cli {
namespace {

using server::TenantSection;

struct TextKey {
  std::string_view name;
  std::string TenantSection::* member;
  std::string_view doc;
};
constexpr std::array<TextKey, 11> text_keys{{
    {"name", &TenantSection::name, "1 to 32 of a-z 0-9 -: in its tokens, log lines and metrics"},
    {"tier", &TenantSection::tier, "basic, professional, enterprise or emergency"},
    {"path", &TenantSection::path, "The folder of its store. Empty: tenants/NAME in store.path"},
    {"url", &TenantSection::url, "postgres://...: a database of its own"},
    {"base_url", &TenantSection::base_url, "Empty: its first host, with the scheme and port of server.listen"},
    {"organization", &TenantSection::organization, "As access.organization"},
    {"policy_file", &TenantSection::policy_file, "Empty: access.policy_file"},
    {"encryption_key_file", &TenantSection::encryption_key_file,
     "Empty: encryption.key_file; data keys are its own anyway"},
    {"routing", &TenantSection::routing, "Empty: alerting.routing"},
    {"site", &TenantSection::site, "Empty: console.site"},
    {"zone", &TenantSection::zone, "Empty: console.zone"},
}};
constexpr TextKey topics_key{"mqtt_topics", &TenantSection::mqtt_topics,
                             "As vitals.mqtt_topics. Empty: it does not subscribe"};

struct NumberKey {
  std::string_view name;
  std::int64_t TenantSection::* member;
  std::string_view doc;
};
constexpr std::array<NumberKey, 2> number_keys{{
    {"requests_per_s", &TenantSection::requests_per_s,
     "Emergencies and urgent ones not counted. -1: its tier's; 0: no limit"},
    {"storage_mib", &TenantSection::storage_mib,
     "Beyond it only emergencies and urgent writes. -1: its tier's; 0: no limit"},
}};

std::vector<std::string_view> known_keys() {
  std::vector<std::string_view> names{"hosts", topics_key.name};
  for (const auto& key : text_keys) names.push_back(key.name);
  for (const auto& key : number_keys) names.push_back(key.name);
  return names;
}

const TextKey* find_text(std::string_view name) {
  if (name == topics_key.name) return &topics_key;
  const auto* found = std::ranges::find(text_keys, name, &TextKey::name);
  return found == text_keys.end() ? nullptr : found;
}

void read_hosts(TenantSection& tenant, const toml::node& node,
                const std::function<void(const toml::node&, std::string)>& wrong) {
  const auto* list = node.as_array();
  if (list == nullptr) return wrong(node, R"(hosts must be a list, as ["north.example"])");
  for (const auto& each : *list) {
    if (const auto* text = each.as_string()) {
      tenant.hosts.push_back(text->get());
    } else {
      wrong(each, "a host must be a text");
    }
  }
}

}  // namespace

std::vector<TenantSection> read_tenants(const toml::node& node,
                                        const std::function<void(const toml::node&, std::string)>& wrong) {
  std::vector<TenantSection> read;
  const auto* list = node.as_array();
  if (list == nullptr || list->size() > server::tenants_max) {
    wrong(node, fmt::format("tenants must be up to {} tables: write [[tenants]] before each", server::tenants_max));
    return read;
  }
  for (const auto& item : *list) {
    const auto* table = item.as_table();
    if (table == nullptr) {
      wrong(item, "a tenant must be a table: write [[tenants]] before each");
      continue;
    }
    TenantSection tenant;
    for (const auto& [key, field] : *table) {
      const auto* text_key = find_text(key.str());
      const auto* number_key = std::ranges::find(number_keys, key.str(), &NumberKey::name);
      if (key.str() == "hosts") {
        read_hosts(tenant, field, wrong);
      } else if (text_key != nullptr) {
        if (const auto* text = field.as_string()) {
          tenant.*text_key->member = text->get();
          if (text_key->member == &TenantSection::zone && !text->get().empty())
            if (const auto zone = zone::Zone::find(text->get()); !zone) wrong(field, zone.error().text);
        } else {
          wrong(field, fmt::format("{} must be a text", key.str()));
        }
      } else if (number_key != number_keys.end()) {
        const auto* number = field.as_integer();
        if (number != nullptr && number->get() >= -1 && number->get() <= INT32_MAX) {
          tenant.*number_key->member = number->get();
        } else {
          wrong(field, fmt::format("{} must be a whole number from -1 to {}", key.str(), INT32_MAX));
        }
      } else {
        const auto near = nearest(key.str(), known_keys());
        wrong(field, fmt::format("unknown key '{}' of a tenant{}", key.str(),
                                 near.empty() ? std::string() : fmt::format("; did you mean '{}'?", near)));
      }
    }
    read.push_back(std::move(tenant));
  }
  return read;
}

std::string tenants_example() {
  std::string text =
      "# Several organizations on one server, each with its own store, people and audit trail. Without any, there is "
      "one.\n"
      "#[[tenants]]\n"
      "# Names it is reached by, lower case, without port\n"
      "#hosts = [\"north.example\"]\n";
  const TenantSection defaults;
  const auto add = [&](std::string_view name, const std::string& value, std::string_view doc) {
    text += fmt::format("# {}\n#{} = {}\n", doc, name, value);
  };
  for (const auto& key : text_keys)
    add(key.name, fmt::format("\"{}\"", key.name == "name" ? "north" : defaults.*key.member), key.doc);
  add(topics_key.name, "\"\"", topics_key.doc);
  for (const auto& key : number_keys) add(key.name, fmt::format("{}", defaults.*key.member), key.doc);
  return text;
}

}  // namespace mydr24::cli
