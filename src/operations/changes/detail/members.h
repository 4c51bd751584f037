#pragma once

// Reading members of JSON objects: what is wrong is named by its path.

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/clock.h"
#include "base/core/date_time.h"
#include "base/core/result.h"
#include "base/json/document.h"
#include "base/json/writer.h"

namespace mydr24::changes {

// An object and where it stands: "implementation[2]".
class Members {
 public:
  Members(json::Value object, std::string path) : object_(object), path_(std::move(path)) {}

  std::string path(std::string_view name) const {
    return path_.empty() ? std::string(name) : fmt::format("{}.{}", path_, name);
  }
  json::Value operator[](std::string_view name) const { return object_[name]; }

  // Code::invalid names the first member that is not among them.
  Result<> only(std::initializer_list<std::string_view> known) const {
    if (!object_.is_object()) return fail(Code::invalid, "must be an object", path_);
    for (const auto member : object_) {
      bool found = false;
      for (const auto name : known) found = found || name == member.key();
      if (!found)
        return fail(Code::invalid, fmt::format("is not understood; there are: {}", fmt::join(known, ", ")),
                    path(member.key()));
    }
    return {};
  }
  Result<std::string> text(std::string_view name, bool needed = false, std::size_t bytes_max = 10'000) const {
    const auto value = object_[name];
    if (!value) return needed ? Result<std::string>(fail(Code::invalid, "is missing", path(name))) : std::string();
    if (!value.is_string()) return fail(Code::invalid, "must be a text", path(name));
    if (needed && value.text().empty()) return fail(Code::invalid, "is empty", path(name));
    if (value.text().size() > bytes_max)
      return fail(Code::too_large, fmt::format("has at most {} bytes", bytes_max), path(name));
    return std::string(value.text());
  }
  Result<std::optional<double>> number(std::string_view name, double low, double high) const {
    const auto value = object_[name];
    if (!value) return std::optional<double>();
    double found = 0;
    const auto text = value.text();
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), found);
    if (!value.is_number() || error != std::errc() || end != text.data() + text.size() || found < low || found > high)
      return fail(Code::invalid, fmt::format("must be a number from {} to {}", low, high), path(name));
    return std::optional(found);
  }
  Result<std::int64_t> integer(std::string_view name, std::int64_t otherwise, std::int64_t low,
                               std::int64_t high) const {
    MYDR24_ASSIGN(const auto found, number(name, static_cast<double>(low), static_cast<double>(high)));
    if (!found) return otherwise;
    if (*found != std::floor(*found)) return fail(Code::invalid, "must be a whole number", path(name));
    return static_cast<std::int64_t>(*found);
  }
  Result<bool> flag(std::string_view name, bool otherwise = false) const {
    const auto value = object_[name];
    if (!value) return otherwise;
    if (!value.is_boolean()) return fail(Code::invalid, "must be true or false", path(name));
    return value.is_true();
  }
  Result<std::optional<Instant>> instant(std::string_view name) const {
    const auto value = object_[name];
    if (!value) return std::optional<Instant>();
    const auto range = parse_date_time(value.text());
    if (!value.is_string() || !range) return fail(Code::invalid, "must be a time as 2026-05-10T08:00:00Z", path(name));
    return std::optional(range->low);
  }
  Result<std::vector<std::string>> texts(std::string_view name, std::size_t count_max = 100) const {
    std::vector<std::string> found;
    const auto value = object_[name];
    if (!value) return found;
    if (!value.is_array() || value.size() > count_max)
      return fail(Code::invalid, fmt::format("must be a list of at most {} texts", count_max), path(name));
    for (const auto item : value) {
      if (!item.is_string() || item.text().empty()) return fail(Code::invalid, "must be a list of texts", path(name));
      found.emplace_back(item.text());
    }
    return found;
  }
  // Calls `read` with each object of a list.
  template <class Read>
  Result<> objects(std::string_view name, std::size_t count_max, Read read) const {
    const auto value = object_[name];
    if (!value) return {};
    if (!value.is_array() || value.size() > count_max)
      return fail(Code::invalid, fmt::format("must be a list of at most {}", count_max), path(name));
    std::size_t index = 0;
    for (const auto item : value) MYDR24_TRY(read(Members(item, fmt::format("{}[{}]", path(name), index++))));
    return {};
  }

 private:
  json::Value object_;
  std::string path_;
};

}  // namespace mydr24::changes
