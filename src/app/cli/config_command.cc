#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <ostream>

#include "app/cli/commands.h"
#include "app/server/tenants.h"
#include "base/json/writer.h"

namespace mydr24::cli {

Sources ConfigOptions::sources(const NamedValues& environment) const {
  Sources sources;
  sources.file = config_file(file, environment);
  sources.environment = environment;
  if (!data.empty()) sources.flags.emplace_back("store.path", data);
  if (!store.empty()) sources.flags.emplace_back("store.url", store);
  if (!encryption_key_file.empty()) sources.flags.emplace_back("encryption.key_file", encryption_key_file);
  if (!listen.empty()) sources.flags.emplace_back("server.listen", listen);
  if (!admin.empty()) sources.flags.emplace_back("server.admin", admin);
  return sources;
}

namespace {

int say_problems(const Problems& problems, const Terminal& terminal) {
  for (const Error& problem : problems) terminal.fail(Exit::invalid, problem);
  return static_cast<int>(Exit::invalid);
}

}  // namespace

std::expected<Config, int> server_settings_or_exit(const ConfigOptions& options, const Terminal& terminal) {
  auto loaded = load_config(options.sources(process_environment()));
  if (!loaded) return std::unexpected(say_problems(loaded.error(), terminal));
  return std::move(*loaded);
}

std::expected<Config, int> settings_or_exit(const ConfigOptions& options, const Terminal& terminal) {
  auto config = server_settings_or_exit(options, terminal);
  if (!config || (config->settings.tenants.empty() && options.tenant.empty())) return config;
  auto settings =
      options.tenant.empty()
          ? Result<server::Settings>(fail(Code::invalid, "this server has tenants: say whose data it is", "--tenant"))
          : server::tenant_settings(config->settings, options.tenant);
  if (!settings) return std::unexpected(terminal.fail(settings.error()));
  config->settings = std::move(*settings);
  return config;
}

int run_config_show(const ConfigOptions& options, bool effective, const Terminal& terminal) {
  const auto config = server_settings_or_exit(options, terminal);
  if (!config) return config.error();
  const auto values = show(*config, effective);
  if (terminal.json) {
    std::string text;
    json::Writer writer(text);
    writer.begin_object().field("schema", "mydr24.config.v1").field("file", config->file.string());
    writer.key("values").begin_array();
    for (const ShownValue& value : values) {
      writer.begin_object()
          .field("name", value.name)
          .field("value", value.value)
          .field("origin", value.origin)
          .end_object();
    }
    writer.end_array().end_object();
    terminal.out << text << '\n';
    return static_cast<int>(Exit::ok);
  }
  std::size_t name_width = 0;
  std::size_t value_width = 0;
  for (const ShownValue& value : values) {
    name_width = std::max(name_width, value.name.size());
    value_width = std::max(value_width, std::min<std::size_t>(value.value.size(), 40));
  }
  for (const ShownValue& value : values) {
    terminal.out << fmt::format("{:<{}}  {:<{}}  {}\n", value.name, name_width, value.value, value_width, value.origin);
  }
  if (values.empty())
    terminal.err << "Nothing is set: everything has its default. See: mydr24 config show --effective\n";
  return static_cast<int>(Exit::ok);
}

int run_config_validate(const ConfigOptions& options, const Terminal& terminal) {
  auto loaded = load_config(options.sources(process_environment()));
  Problems problems;
  if (!loaded) problems = loaded.error();
  if (loaded) {
    // Files that the settings name must be there when the server starts.
    const server::Settings& settings = loaded->settings;
    std::vector<std::pair<std::string, std::string>> files{
        {"server.tls_certificate_file", settings.server.tls_certificate_file},
        {"server.tls_key_file", settings.server.tls_key_file},
        {"server.tls_client_ca_file", settings.server.tls_client_ca_file}};
    for (const auto& contact : settings.alerting.contacts)
      files.emplace_back("alerting.contacts", contact.webhook_secret_file);
    for (const auto& [name, file] : files) {
      std::error_code ignored;
      if (!file.empty() && !std::filesystem::is_regular_file(file, ignored)) {
        problems.push_back(fail(Code::invalid, fmt::format("{} names '{}', which is no readable file", name, file),
                                loaded->origins[name]));
      }
    }
  }
  if (!problems.empty()) return say_problems(problems, terminal);
  const std::string file = loaded->file.empty() ? "no file" : loaded->file.string();
  if (terminal.json) {
    std::string text;
    json::Writer(text)
        .begin_object()
        .field("schema", "mydr24.config-validate.v1")
        .field("file", file)
        .field("valid", true)
        .end_object();
    terminal.out << text << '\n';
  } else {
    terminal.err << fmt::format("The configuration is valid ({}, {} values set).\n", file, loaded->origins.size());
  }
  return static_cast<int>(Exit::ok);
}

int run_config_example(const Terminal& terminal) {
  terminal.out << example_file();
  return static_cast<int>(Exit::ok);
}

}  // namespace mydr24::cli
