#include "app/cli/terminal.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <ostream>
#include <vector>

#include "base/json/writer.h"
#include "fhir/model/outcome.h"

namespace mydr24::cli {

Exit exit_of(Code code) {
  switch (code) {
    case Code::invalid:
    case Code::unprocessable:
    case Code::too_large:
    case Code::too_costly:
      return Exit::invalid;
    case Code::not_found:
    case Code::gone:
      return Exit::not_found;
    case Code::refused:
      return Exit::not_allowed;
    case Code::conflict:
    case Code::stale:
    case Code::ambiguous:
      return Exit::conflict;
    case Code::busy:
    case Code::full:
      return Exit::try_again;
    case Code::unsupported:
    case Code::internal:
      return Exit::failed;
  }
  return Exit::failed;
}

int Terminal::fail(const Error& error) const { return fail(exit_of(error.code), error); }

int Terminal::fail(Exit exit, const Error& error) const {
  if (json) {
    std::string line;
    json::Writer writer(line);
    writer.begin_object().field("type", "about:blank").field("title", to_string(error.code));
    writer.field("status", model::http_status(error.code)).field("detail", error.text);
    if (!error.where.empty()) writer.field("instance", error.where);
    writer.field("exit", static_cast<int>(exit)).end_object();
    out << line << '\n';
  } else {
    err << paint("red", "mydr24: ") << (error.where.empty() ? "" : error.where + ": ") << error.text << '\n';
  }
  out.flush();
  err.flush();
  return static_cast<int>(exit);
}

std::string Terminal::paint(std::string_view colour_name, std::string_view text, bool on_out) const {
  if (!colour || (on_out && !out_is_terminal)) return std::string(text);
  const std::string_view code = colour_name == "red"      ? "31"
                                : colour_name == "yellow" ? "33"
                                : colour_name == "green"  ? "32"
                                                          : "2";
  return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

std::string grouped(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > (number < 0 ? 1 : 0); at -= 3) {
    digits.insert(static_cast<std::size_t>(at), 1, ',');
  }
  return digits;
}

std::string clock_text(std::chrono::seconds time) {
  const std::int64_t total = std::max<std::int64_t>(time.count(), 0);
  const std::int64_t hours = total / 3600;
  const std::int64_t minutes = total / 60 % 60;
  const std::int64_t seconds = total % 60;
  return hours > 0 ? fmt::format("{}:{:02}:{:02}", hours, minutes, seconds) : fmt::format("{}:{:02}", minutes, seconds);
}

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const auto wrong = [&] {
    return fail(Code::invalid, fmt::format("'{}' is no duration: write 30s, 5m, 2h or 1h30m", text));
  };
  constexpr std::int64_t duration_max_ms = 366LL * 24 * 3'600'000;
  std::int64_t total = 0;
  std::string_view rest = text;
  if (rest.empty()) return wrong();
  while (!rest.empty()) {
    std::int64_t number = 0;
    const auto [end, problem] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (problem != std::errc{} || number < 0 || number > duration_max_ms) return wrong();
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    const std::size_t unit_size = std::min(rest.find_first_of("0123456789"), rest.size());
    const std::string_view unit = rest.substr(0, unit_size);
    rest.remove_prefix(unit_size);
    if (unit == "ms") {
      total += number;
    } else if (unit == "s" || unit.empty()) {
      total += number * 1000;
    } else if (unit == "m") {
      total += number * 60'000;
    } else if (unit == "h") {
      total += number * 3'600'000;
    } else {
      return wrong();
    }
    if (total > duration_max_ms) return wrong();
  }
  return std::chrono::milliseconds(total);
}

namespace {

// Levenshtein distance, one row at a time.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& names) {
  constexpr std::size_t word_size_max = 128;
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string_view name : names) {
    const std::size_t changes = distance(word.substr(0, word_size_max), name);
    if (changes < best_distance) {
      best_distance = changes;
      best = name;
    }
  }
  return best;
}

}  // namespace mydr24::cli
