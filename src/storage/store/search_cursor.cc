#include "storage/store/search_cursor.h"

#include <fmt/format.h>

#include <charconv>
#include <string_view>

namespace mydr24::store {
namespace {

using search::Condition;
using search::Query;
using search::Term;

constexpr std::size_t cursor_bytes_max = 16U << 10;

class Fingerprint {
 public:
  void add(std::string_view text) {
    for (const char c : text) mix(static_cast<unsigned char>(c));
    mix(0x1f);
  }
  void add(std::int64_t number) { add(std::to_string(number)); }
  void add(double number) { add(fmt::format("{}", number)); }
  std::uint64_t value() const { return hash_; }

 private:
  void mix(std::uint64_t byte) { hash_ = (hash_ ^ byte) * 0x100000001b3; }  // FNV-1a
  std::uint64_t hash_ = 0xcbf29ce484222325;
};

void add(Fingerprint& print, const Term& term) {
  print.add(static_cast<std::int64_t>(term.prefix));
  print.add(term.value);
  print.add(term.exact);
  print.add(term.system);
  print.add(term.unit_text);
  print.add(static_cast<std::int64_t>(term.system_is) * 4 + term.any_code * 2 + term.missing);
  print.add(term.low);
  print.add(term.high);
  print.add(term.from);
  print.add(term.to);
  print.add(term.distance_km);
  for (const Term& part : term.parts) add(print, part);
}

void add(Fingerprint& print, const Condition& condition) {
  print.add(static_cast<std::int64_t>(condition.form));
  print.add(condition.parameter == nullptr ? std::string_view() : condition.parameter->code);
  print.add(static_cast<std::int64_t>(condition.modifier));
  print.add(condition.target);
  for (const Term& term : condition.any_of) add(print, term);
  for (const Condition& part : condition.parts) add(print, part);
  print.add(std::string_view(")"));
}

// 32 bits: a cursor is checked against mistakes, it is no secret.
std::string fingerprint(const Query& query, std::string_view body) {
  Fingerprint print;
  print.add(query.type);
  print.add(static_cast<std::int64_t>(query.by_last_updated) * 2 + static_cast<std::int64_t>(query.order));
  print.add(static_cast<std::int64_t>(query.contained));
  for (const search::Sort& sort : query.sort) {
    print.add(sort.parameter == nullptr ? std::string_view() : sort.parameter->code);
    print.add(static_cast<std::int64_t>(sort.descending));
  }
  for (const Condition& condition : query.conditions) add(print, condition);
  print.add(body);
  return fmt::format("{:08x}", static_cast<std::uint32_t>(print.value() ^ (print.value() >> 32)));
}

std::optional<std::string> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    unsigned byte = 0;
    const auto* const end = text.data() + i + 2;
    if (std::from_chars(text.data() + i, end, byte, 16).ptr != end) return std::nullopt;
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

}  // namespace

// The place, then each key as "." and hexadecimal digits (":" when there is none), then "-" and the check.
std::string make_cursor(const Query& query, const Cursor& cursor) {
  auto text = fmt::format("{:x}", cursor.place);
  for (const auto& key : cursor.keys) {
    if (!key) {
      text += ':';
      continue;
    }
    text += '.';
    for (const char c : *key) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  }
  return fmt::format("{}-{}", text, fingerprint(query, text));
}

Result<std::optional<Cursor>> read_cursor(const Query& query) {
  if (query.cursor.empty()) return std::optional<Cursor>();
  const auto wrong = [] {
    return fail(Code::invalid, "this cursor does not belong to this search: take the link of the page before as it is",
                "_cursor");
  };
  const auto dash = query.cursor.rfind('-');
  if (dash == std::string::npos || query.cursor.size() > cursor_bytes_max) return wrong();
  const auto body = std::string_view(query.cursor).substr(0, dash);
  if (std::string_view(query.cursor).substr(dash + 1) != fingerprint(query, body)) return wrong();
  Cursor cursor;
  const char* const end = body.data() + body.size();
  const auto [rest, error] = std::from_chars(body.data(), end, cursor.place, 16);
  if (error != std::errc() || cursor.place < 0) return wrong();
  std::string_view keys(rest, static_cast<std::size_t>(end - rest));
  while (!keys.empty()) {
    const bool present = keys.front() == '.';
    keys.remove_prefix(1);
    const auto digits = keys.substr(0, keys.find_first_of(".:"));
    keys.remove_prefix(digits.size());
    auto key = from_hex(digits);
    if (!key) return wrong();
    cursor.keys.push_back(present ? std::move(key) : std::nullopt);
  }
  if (cursor.keys.size() != query.sort.size()) return wrong();
  return std::optional(std::move(cursor));
}

}  // namespace mydr24::store
