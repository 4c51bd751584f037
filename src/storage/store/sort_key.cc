#include "storage/store/sort_key.h"

#include <bit>
#include <cstdint>

#include "base/core/clock.h"
#include "base/json/document.h"

namespace mydr24::store {
namespace {

using search::IndexEntry;
using search::Kind;
using search::Sort;

constexpr std::uint64_t sign = std::uint64_t{1} << 63;

std::string big_endian(std::uint64_t number) {
  std::string text(sizeof number, '\0');
  for (std::size_t i = text.size(); i-- > 0; number >>= 8) text[i] = static_cast<char>(number & 0xff);
  return text;
}

std::string key_of(std::int64_t number) { return big_endian(static_cast<std::uint64_t>(number) ^ sign); }

// Doubles compare as their bits do when negative ones are turned round.
std::string key_of(double number) {
  const auto bits = std::bit_cast<std::uint64_t>(number == 0 ? 0.0 : number);
  return big_endian((bits & sign) != 0 ? ~bits : bits ^ sign);
}

std::string key_of(const IndexEntry& entry) {
  switch (entry.kind) {
    case Kind::date:
      return key_of(entry.low);
    case Kind::number:
    case Kind::quantity:
    case Kind::position:
      return key_of(entry.from);
    default:
      return entry.value;
  }
}

}  // namespace

std::string sort_key_of(const Sort&, const SqlValue& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return key_of(*number);
  if (const auto* number = std::get_if<double>(&value)) return key_of(*number);
  const auto* text = std::get_if<std::string>(&value);
  return text == nullptr ? std::string() : *text;
}

Result<SqlValue> sort_value(const Sort& sort, std::string_view key) {
  const Kind kind = sort.parameter->kind;
  const bool is_real = kind == Kind::number || kind == Kind::quantity;
  if (kind != Kind::date && !is_real) return SqlValue(std::string(key));
  if (key.size() != sizeof(std::uint64_t)) return fail(Code::invalid, "this cursor is damaged", "_cursor");
  std::uint64_t bits = 0;
  for (const char c : key) bits = bits << 8 | static_cast<unsigned char>(c);
  if (!is_real) return SqlValue(static_cast<std::int64_t>(bits ^ sign));
  return SqlValue(std::bit_cast<double>((bits & sign) != 0 ? bits ^ sign : ~bits));
}

Result<SortKeys> sort_keys(const search::Query& query, const Version& version) {
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(version.body));
  SortKeys keys;
  for (const Sort& sort : query.sort) {
    auto& best = keys.emplace_back();
    const auto& parameter = *sort.parameter;
    if (parameter.kind == Kind::id) {
      best = version.id;
      continue;
    }
    if (parameter.kind == Kind::last_updated) {
      best = key_of(to_us(version.at));
      continue;
    }
    for (const IndexEntry& entry : search::extract(document.root(), parameter, query.catalogue.get())) {
      // Not what only serves :of-type and :identifier. Numbers as written are compared, whatever their units.
      if (entry.kind != parameter.kind || entry.contained || entry.value.starts_with('\x1f') ||
          (entry.kind == Kind::quantity && !entry.system.empty())) {
        continue;
      }
      auto key = key_of(entry);
      if (!best || (sort.descending ? key > *best : key < *best)) best = std::move(key);
    }
  }
  return keys;
}

}  // namespace mydr24::store
