#include "app/cli/config.h"

#include <fmt/format.h>
#include <unistd.h>

#include <toml++/toml.h>
#include <algorithm>
#include <charconv>
#include <set>

#include "app/cli/config_tenants.h"
#include "app/cli/terminal.h"
#include "app/server/notify.h"
#include "app/server/tenants.h"
#include "base/net/client.h"
#include "base/zone/zone.h"

namespace mydr24::cli {

namespace {

using server::Settings;

constexpr std::string_view tenants_key = "tenants";
constexpr std::string_view steps_key = "alerting.steps";
constexpr std::string_view contacts_key = "alerting.contacts";
constexpr std::array<std::string_view, 3> contact_keys{"name", "webhook_url", "webhook_secret_file"};
constexpr std::size_t contacts_max = 1000;
constexpr std::size_t contacts_per_step_max = 64;
constexpr std::size_t steps_max = 32;
constexpr std::uintmax_t file_bytes_max = 1U << 20;

const Key* find_key(std::string_view name) {
  const auto found = std::ranges::find(keys(), name, &Key::name);
  return found == keys().end() ? nullptr : &*found;
}

std::string suggestion(std::string_view word, const std::vector<std::string_view>& names) {
  const std::string_view near = nearest(word, names);
  return near.empty() ? std::string() : fmt::format("; did you mean '{}'?", near);
}

std::string_view kind_name(toml::node_type type) {
  switch (type) {
    case toml::node_type::string:
      return "a text";
    case toml::node_type::integer:
      return "a whole number";
    case toml::node_type::floating_point:
      return "a number with a fraction";
    case toml::node_type::boolean:
      return "true or false";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::table:
      return "a table";
    default:
      return "a date or time";
  }
}

// Fills a Config from one source after the other and collects what is wrong.
class Loader {
 public:
  void read_file(const std::filesystem::path& file);
  void read_environment(const NamedValues& environment);
  void read_flags(const NamedValues& flags);
  void check();

  Config config;
  Problems problems;

 private:
  void wrong(std::string where, std::string text) {
    problems.push_back(fail(Code::invalid, std::move(text), std::move(where)));
  }
  std::string place(const toml::node& node) const { return fmt::format("{}:{}", place_, node.source().begin.line); }

  void section(std::string_view name, const toml::table& table);
  void value(std::string_view name, const toml::node& node, const std::string& where);
  void set_text(const Key& key, std::string_view text, const std::string& where);
  void set_number(const Key& key, std::int64_t number, const std::string& where);
  void read_steps(const toml::node& node, const std::string& where);
  void read_contacts(const toml::node& node, const std::string& where);
  void plain_value(const Key& key, std::string_view text, const std::string& where);
  void note_origin(std::string_view name, const std::string& where) { config.origins[std::string(name)] = where; }
  std::string origin(std::string_view name) const {
    const auto found = config.origins.find(std::string(name));
    return found == config.origins.end() ? std::string(name) : found->second;
  }

  std::string place_;  // the file being read
};

std::vector<std::string_view> names_in(std::string_view section) {
  std::vector<std::string_view> names;
  for (const Key& key : keys()) {
    const std::size_t dot = key.name.find('.');
    if (section.empty()) {
      if (std::ranges::find(names, key.name.substr(0, dot)) == names.end()) names.push_back(key.name.substr(0, dot));
    } else if (key.name.substr(0, dot) == section) {
      names.push_back(key.name.substr(dot + 1));
    }
  }
  if (section.empty()) names.push_back(tenants_key);
  if (section == "alerting") names.insert(names.end(), {"steps", "contacts"});
  return names;
}

void Loader::read_file(const std::filesystem::path& file) {
  place_ = file.string();
  std::error_code problem;
  const std::uintmax_t bytes = std::filesystem::file_size(file, problem);
  if (problem) return wrong(place_, fmt::format("cannot be read: {}", problem.message()));
  if (bytes > file_bytes_max) return wrong(place_, "is larger than 1 MiB: this is no configuration file");
  try {
    const toml::table root = toml::parse_file(file.string());
    config.file = file;
    for (const auto& [name, node] : root) {
      const auto known = names_in("");
      if (name.str() == tenants_key) {
        config.settings.tenants =
            read_tenants(node, [this](const toml::node& at, std::string text) { wrong(place(at), std::move(text)); });
        note_origin(tenants_key, place(node));
        continue;
      }
      if (std::ranges::find(known, name.str()) == known.end()) {
        wrong(place(node), fmt::format("unknown table [{}]{}", name.str(), suggestion(name.str(), known)));
      } else if (const toml::table* table = node.as_table()) {
        section(name.str(), *table);
      } else {
        wrong(place(node), fmt::format("'{}' must be a table: write [{}]", name.str(), name.str()));
      }
    }
  } catch (const toml::parse_error& error) {
    wrong(fmt::format("{}:{}", place_, error.source().begin.line), std::string(error.description()));
  }
}

void Loader::section(std::string_view name, const toml::table& table) {
  for (const auto& [key, node] : table) {
    const std::string full = fmt::format("{}.{}", name, key.str());
    const auto known = names_in(name);
    if (std::ranges::find(known, key.str()) == known.end()) {
      wrong(place(node), fmt::format("unknown key '{}' in [{}]{}", key.str(), name, suggestion(key.str(), known)));
    } else {
      value(full, node, place(node));
    }
  }
}

void Loader::value(std::string_view name, const toml::node& node, const std::string& where) {
  if (name == steps_key) return read_steps(node, where);
  if (name == contacts_key) return read_contacts(node, where);
  const Key& key = *find_key(name);
  if (std::holds_alternative<Key::Text>(key.member)) {
    if (const auto* text = node.as_string()) return set_text(key, text->get(), where);
    return wrong(where, fmt::format("{} must be a text, not {}", name, kind_name(node.type())));
  }
  if (const auto* number = node.as_integer()) return set_number(key, number->get(), where);
  wrong(where, fmt::format("{} must be a whole number, not {}", name, kind_name(node.type())));
}

bool is_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos || colon == 0) return false;
  const std::string_view digits = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return problem == std::errc{} && end == digits.data() + digits.size() && !digits.empty();
}

void Loader::set_text(const Key& key, std::string_view text, const std::string& where) {
  if (key.form == Key::Form::address && !is_address(text)) {
    return wrong(where, fmt::format("{} = '{}' must be address:port, as 127.0.0.1:8024 or [::1]:8024", key.name, text));
  }
  if (key.form == Key::Form::choice) {
    const auto options = fmt::format(" {} ", key.choices);
    if (text.empty() || text.find(' ') != text.npos || options.find(fmt::format(" {} ", text)) == options.npos) {
      return wrong(where, fmt::format("{} = '{}' must be one of: {}", key.name, text, key.choices));
    }
  }
  if (key.form == Key::Form::zone && !text.empty()) {
    if (const auto zone = zone::Zone::find(text); !zone)
      return wrong(where, fmt::format("{}: {}", key.name, zone.error().text));
  }
  if (key.name == "store.path" && text.empty()) return wrong(where, "store.path must name a folder");
  std::get<Key::Text>(key.member)(config.settings) = text;
  note_origin(key.name, where);
}

void Loader::set_number(const Key& key, std::int64_t number, const std::string& where) {
  if (number < key.min || number > key.max) {
    return wrong(where, fmt::format("{} = {} must be from {} to {}", key.name, number, key.min, key.max));
  }
  std::get<Key::Number>(key.member)(config.settings) = number;
  note_origin(key.name, where);
}

void Loader::read_steps(const toml::node& node, const std::string& where) {
  const auto refuse = [&](const std::string& at) {
    wrong(at, R"(alerting.steps must be a list of lists of contact names, as [["nurse"], ["doctor", "charge nurse"]])");
  };
  const toml::array* steps = node.as_array();
  if (steps == nullptr || steps->size() > steps_max) return refuse(where);
  std::vector<std::vector<std::string>> read;
  for (const toml::node& step : *steps) {
    const toml::array* names = step.as_array();
    if (names == nullptr || names->empty() || names->size() > contacts_per_step_max) return refuse(where);
    auto& list = read.emplace_back();
    for (const toml::node& name : *names) {
      if (!name.is_string()) return refuse(where);
      list.push_back(name.as_string()->get());
    }
  }
  config.settings.alerting.steps = std::move(read);
  note_origin(steps_key, where);
}

void Loader::read_contacts(const toml::node& node, const std::string& where) {
  const toml::array* contacts = node.as_array();
  if (contacts == nullptr || contacts->size() > contacts_max) {
    return wrong(where, "alerting.contacts must be tables: write [[alerting.contacts]] before each");
  }
  std::vector<server::ContactSection> read;
  for (const toml::node& item : *contacts) {
    const toml::table* table = item.as_table();
    const std::string at = place_.empty() ? where : place(item);
    if (table == nullptr) return wrong(at, "a contact must be a table: write [[alerting.contacts]] before each");
    server::ContactSection contact;
    for (const auto& [key, field] : *table) {
      const std::vector<std::string_view> known(contact_keys.begin(), contact_keys.end());
      const std::string field_at = place_.empty() ? where : place(field);
      if (std::ranges::find(known, key.str()) == known.end()) {
        wrong(field_at, fmt::format("unknown key '{}' of a contact{}", key.str(), suggestion(key.str(), known)));
      } else if (!field.is_string()) {
        wrong(field_at, fmt::format("{} must be a text, not {}", key.str(), kind_name(field.type())));
      } else {
        (key.str() == "name"          ? contact.name
         : key.str() == "webhook_url" ? contact.webhook_url
                                      : contact.webhook_secret_file) = field.as_string()->get();
      }
    }
    if (contact.name.empty()) wrong(at, "a contact must have a name");
    read.push_back(std::move(contact));
  }
  config.settings.alerting.contacts = std::move(read);
  note_origin(contacts_key, where);
}

void Loader::plain_value(const Key& key, std::string_view text, const std::string& where) {
  if (std::holds_alternative<Key::Text>(key.member)) return set_text(key, text, where);
  std::int64_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc{} || end != text.data() + text.size()) {
    return wrong(where, fmt::format("{} must be a whole number, not '{}'", key.name, text));
  }
  set_number(key, number, where);
}

void Loader::read_environment(const NamedValues& environment) {
  place_.clear();
  std::map<std::string, std::string_view, std::less<>> names;
  for (const Key& key : keys()) names.emplace(environment_name(key.name), key.name);
  for (const std::string_view list : {steps_key, contacts_key}) names.emplace(environment_name(list), list);

  for (const auto& [name, text] : environment) {
    if (!name.starts_with("MYDR24_") || name.find("__") == name.npos) continue;
    const std::string where = "env " + name;
    const auto found = names.find(name);
    if (found == names.end()) {
      std::vector<std::string_view> known;
      for (const auto& [variable, key] : names) known.push_back(variable);
      wrong(where, "unknown setting" + suggestion(name, known));
    } else if (const Key* key = find_key(found->second)) {
      plain_value(*key, text, where);
    } else {
      try {
        const toml::table wrapped = toml::parse("list = " + text);
        value(found->second, *wrapped.get("list"), where);
      } catch (const toml::parse_error& error) {
        wrong(where, fmt::format("must be a list as in TOML: {}", error.description()));
      }
    }
  }
}

void Loader::read_flags(const NamedValues& flags) {
  for (const auto& [name, text] : flags) {
    const Key* key = find_key(name);
    if (key != nullptr) plain_value(*key, text, "flag");
  }
}

void Loader::check() {
  const Settings& settings = config.settings;
  if (settings.server.tls_certificate_file.empty() != settings.server.tls_key_file.empty()) {
    wrong(origin(settings.server.tls_key_file.empty() ? "server.tls_certificate_file" : "server.tls_key_file"),
          "tls_certificate_file and tls_key_file belong together: give both or none");
  }
  if (!settings.server.tls_client_ca_file.empty() && settings.server.tls_certificate_file.empty())
    wrong(origin("server.tls_client_ca_file"),
          "tls_client_ca_file needs HTTPS: give tls_certificate_file and tls_key_file");
  if (const auto notify = server::check_notify(settings.notify); !notify)
    wrong(origin(notify.error().where), fmt::format("{}: {}", notify.error().where, notify.error().text));
  if (const auto tenants = server::check_tenants(settings); !tenants)
    wrong(origin(tenants_key), fmt::format("{}: {}", tenants.error().where, tenants.error().text));
  if (const auto reach = server::call_reach(settings.server, settings.access); !reach)
    wrong(origin(reach.error().where), fmt::format("{}: {}", reach.error().where, reach.error().text));
  std::set<std::string_view> names;
  for (const server::ContactSection& contact : settings.alerting.contacts) {
    if (!names.insert(contact.name).second && !contact.name.empty()) {
      wrong(origin(contacts_key), fmt::format("two contacts are named '{}'", contact.name));
    }
    if (!contact.webhook_url.empty()) {
      const auto url = net::parse_url(contact.webhook_url);
      if (!url) {
        std::string why = url.error().text;
        const std::size_t quoted = why.find(contact.webhook_url);
        if (quoted != why.npos) why.replace(quoted, contact.webhook_url.size(), shown_url(contact.webhook_url));
        wrong(origin(contacts_key), fmt::format("webhook_url of '{}': {}", contact.name, why));
      }
    }
  }
  for (const auto& step : settings.alerting.steps) {
    for (const std::string& name : step) {
      if (!names.contains(name)) {
        wrong(origin(steps_key),
              fmt::format("no contact is named '{}'{}", name, suggestion(name, {names.begin(), names.end()})));
      }
    }
  }
}

}  // namespace

std::expected<Config, Problems> load_config(const Sources& sources) {
  Loader loader;
  if (!sources.file.empty()) loader.read_file(sources.file);
  loader.read_environment(sources.environment);
  loader.read_flags(sources.flags);
  if (loader.problems.empty()) loader.check();
  if (!loader.problems.empty()) return std::unexpected(std::move(loader.problems));
  return std::move(loader.config);
}

std::filesystem::path config_file(std::string_view flag, const NamedValues& environment) {
  if (!flag.empty()) return flag;
  for (const auto& [name, value] : environment) {
    if (name == "MYDR24_CONFIG" && !value.empty()) return value;
  }
  const std::filesystem::path packaged = "/etc/mydr24/mydr24.toml";
  std::error_code ignored;
  return std::filesystem::exists(packaged, ignored) ? packaged : std::filesystem::path();
}

NamedValues process_environment() {
  NamedValues all;
  for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != text.npos) all.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return all;
}

}  // namespace mydr24::cli
