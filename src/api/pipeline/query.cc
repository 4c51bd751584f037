#include "api/pipeline/query.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/core/date_time.h"
#include "base/net/uri.h"

namespace mydr24::pipeline {

Result<Query> Query::parse(std::string_view text, std::initializer_list<std::string_view> known) {
  const auto parameters = net::parse_query(text);
  if (!parameters) return fail(Code::invalid, "the query string is malformed");
  Query query;
  for (const auto& [name, value] : *parameters) {
    if (std::ranges::find(known, name) == known.end())
      return fail(Code::invalid, fmt::format("{} is not understood; there are: {}", name, fmt::join(known, ", ")),
                  name);
    query.values_[name] = value;
  }
  return query;
}

const std::string& Query::text(std::string_view name) const {
  static const std::string none;
  const auto found = values_.find(name);
  return found == values_.end() ? none : found->second;
}

Result<Instant> Query::instant(std::string_view name, Instant otherwise) const {
  const std::string& written = text(name);
  if (written.empty()) return otherwise;
  const auto range = parse_date_time(written);
  if (!range) return fail(Code::invalid, "write a time as 2026-05-10T08:00:00Z", std::string(name));
  return range->low;
}

Result<std::int64_t> Query::number(std::string_view name, std::int64_t otherwise, std::int64_t least,
                                   std::int64_t most) const {
  const std::string& written = text(name);
  if (written.empty()) return otherwise;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(written.data(), written.data() + written.size(), number);
  if (error != std::errc() || end != written.data() + written.size() || number < least || number > most)
    return fail(Code::invalid, fmt::format("a number from {} to {}", least, most), std::string(name));
  return number;
}

}  // namespace mydr24::pipeline
