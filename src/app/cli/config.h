#pragma once

// The settings of a deployment, gathered: flag > environment (MYDR24_SECTION__KEY) > file (TOML) > default.
// One table of keys serves reading, showing and documenting; each value knows where it came from.
//
// Invariant: nothing is ignored. An unknown key, a wrong type or a value out of range is an error that names
// the place, and all errors are found in one go.

#include <cstdint>
#include <expected>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "app/server/settings.h"
#include "base/core/result.h"

namespace mydr24::cli {

// One key of a section that holds a text or a number. The lists of [alerting] are read by functions of their own.
struct Key {
  using Text = std::string& (*)(server::Settings&);
  using Number = std::int64_t& (*)(server::Settings&);

  enum class Form : std::uint8_t { any, address, choice, path, zone };

  std::string_view name;  // "server.listen"
  std::variant<Text, Number> member;
  std::string_view doc;
  Form form = Form::any;
  std::string_view choices;  // of a choice: "debug info warn error"
  std::int64_t min = 0;      // of a number
  std::int64_t max = INT64_MAX;
};

std::span<const Key> keys();

// "MYDR24_SERVER__LISTEN" for "server.listen".
std::string environment_name(std::string_view key);

using NamedValues = std::vector<std::pair<std::string, std::string>>;

struct Sources {
  std::filesystem::path file;  // empty: none
  NamedValues environment;     // all of it; only names that begin with MYDR24_ and hold __ are read
  NamedValues flags;           // by key name: {"server.listen", "127.0.0.1:0"}
};

struct Config {
  server::Settings settings;
  std::filesystem::path file;  // that was read; empty: none
  std::map<std::string, std::string>
      origins;  // by key name, only those that are not the default: "flag", "env X", "F:12"
};

// Every problem, with `where` as file:line, environment variable or flag.
using Problems = std::vector<Error>;
std::expected<Config, Problems> load_config(const Sources& sources);

// The file to read: `flag` when given, else MYDR24_CONFIG, else /etc/mydr24/mydr24.toml when it is there, else none.
std::filesystem::path config_file(std::string_view flag, const NamedValues& environment);

// The environment of this process.
NamedValues process_environment();

// Services put their secret into the path of a webhook: only scheme and host are ever shown or logged.
std::string shown_url(const std::string& url);

struct ShownValue {
  std::string name;
  std::string value;  // as TOML; of addresses of webhooks only scheme and host, because their paths are secrets
  std::string origin;
};
std::vector<ShownValue> show(const Config& config, bool with_defaults);

// A file with every key, its meaning and its default, commented out.
std::string example_file();

}  // namespace mydr24::cli
