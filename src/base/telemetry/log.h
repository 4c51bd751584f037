#pragma once

// The log: one line for each thing that an operator may have to act on. JSON (ts, level, msg, then the fields) for
// collectors, readable text for a terminal. A Log is handed to who needs it; there is no global one.
//
// Invariant: names, identifiers, addresses or any other content of a patient's record are never logged,
// neither in the message nor in a field. What is needed to find the thing again is logged instead: resource
// type and logical id, sequence number, request id.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "base/core/clock.h"

namespace spdlog {
class logger;
}

namespace mydr24::telemetry {

enum class Level : std::uint8_t { debug, info, warn, error };
enum class Format : std::uint8_t { json, text };

std::string_view to_string(Level level);
// debug, info, warn, error; nothing for other words.
std::optional<Level> parse_level(std::string_view text);

// One key and its value. Views: it must not outlive the call it is made for.
struct Field {
  std::string_view key;
  std::variant<std::string_view, std::int64_t, double, bool> value;

  Field(std::string_view name, std::string_view text) : key(name), value(text) {}
  Field(std::string_view name, const char* text) : key(name), value(std::string_view(text)) {}
  Field(std::string_view name, const std::string& text) : key(name), value(std::string_view(text)) {}
  template <class T>
    requires std::is_arithmetic_v<T>
  Field(std::string_view name, T number) : key(name) {
    if constexpr (std::is_same_v<T, bool>) {
      value = number;
    } else if constexpr (std::is_floating_point_v<T>) {
      value = static_cast<double>(number);
    } else {
      value = static_cast<std::int64_t>(number);
    }
  }
};

struct LogSettings {
  Level level = Level::info;
  Format format = Format::json;
  bool colour = false;  // of text
};

// Reads the settings "level" (debug, info, warn, error) and "format" (json, text, auto). Auto: text when standard
// output is a terminal, else JSON; colours there unless NO_COLOR is set. Unknown words mean info and auto.
LogSettings log_settings(std::string_view level, std::string_view format);

// Thread-safe; lines never mix. A line that cannot be written is dropped: logging never fails the work that logs.
class Log {
 public:
  Log(const LogSettings& settings, const Clock& clock);                     // to standard output
  Log(const LogSettings& settings, const Clock& clock, std::ostream& out);  // `out` must outlive the Log
  // Lines of `all`, with that tenant's name in each. Empty: as `all`.
  Log(const Log& all, std::string tenant);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  bool enabled(Level level) const { return level >= settings_.level; }
  void write(Level level, std::string_view message, std::initializer_list<Field> fields = {}) const;

  void debug(std::string_view message, std::initializer_list<Field> fields = {}) const {
    write(Level::debug, message, fields);
  }
  void info(std::string_view message, std::initializer_list<Field> fields = {}) const {
    write(Level::info, message, fields);
  }
  void warn(std::string_view message, std::initializer_list<Field> fields = {}) const {
    write(Level::warn, message, fields);
  }
  void error(std::string_view message, std::initializer_list<Field> fields = {}) const {
    write(Level::error, message, fields);
  }

 private:
  LogSettings settings_;
  const Clock& clock_;
  std::shared_ptr<spdlog::logger> logger_;
  std::string tenant_;
};

// Lets one line through in each period, for things that may happen thousands of times a second:
//   if (const auto left_out = full_.admit(clock)) log.warn("queue full", {{"left_out", *left_out}});
// Thread-safe.
class LogLimit {
 public:
  explicit LogLimit(std::chrono::nanoseconds period) : period_(period.count()) {}

  // The number of calls that were not let through since the last one that was; nothing when this one is not either.
  std::optional<std::int64_t> admit(const Clock& clock);

 private:
  const std::int64_t period_;
  std::atomic<std::int64_t> next_{INT64_MIN};
  std::atomic<std::int64_t> left_out_{0};
};

}  // namespace mydr24::telemetry
