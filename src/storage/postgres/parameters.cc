#include "storage/postgres/parameters.h"

#include <fmt/format.h>

namespace mydr24::postgres {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD

// Length of the UTF-8 sequence at the beginning of `text`; 0 when it is none. Source: RFC 3629, section 4.
std::size_t sequence_length(std::string_view text) {
  const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto tail = [&](std::size_t i) { return at(i) >= 0x80 && at(i) < 0xC0; };
  const unsigned first = at(0);
  if (first == 0) return 0;
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first < 0xE0) return tail(1) ? 2 : 0;
  if (first >= 0xE0 && first < 0xF0) {
    const bool overlong = first == 0xE0 && at(1) < 0xA0;
    const bool surrogate = first == 0xED && at(1) >= 0xA0;
    return tail(1) && tail(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first < 0xF5) {
    const bool overlong = first == 0xF0 && at(1) < 0x90;
    const bool beyond = first == 0xF4 && at(1) >= 0x90;
    return tail(1) && tail(2) && tail(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

std::uint64_t hash_of(std::string_view text) {  // FNV-1a
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

}  // namespace

bool is_plain_text(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string stored_text(std::string_view text) {
  std::string stored;
  const std::string_view whole = text;
  const std::size_t kept = whole.size() > stored_text_max ? stored_text_max - 32 : whole.size();
  while (!text.empty() && stored.size() < kept) {
    const std::size_t length = sequence_length(text);
    stored += length == 0 ? replacement : text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  if (whole.size() > stored_text_max) stored += fmt::format("\x1f{:016x}", hash_of(whole));
  return stored;
}

// Source: PostgreSQL 15, array_recv in arrayfuncs.c.
void Column::write(std::string& out) const {
  unsigned element = 0;
  switch (type_) {
    case Type::bytes_array:
      element = static_cast<unsigned>(Type::bytes);
      break;
    case Type::text_array:
      element = static_cast<unsigned>(Type::text);
      break;
    case Type::float8_array:
      element = static_cast<unsigned>(Type::float8);
      break;
    default:
      element = static_cast<unsigned>(Type::int8);
      break;
  }
  append_big_endian<std::int32_t>(out, count_ == 0 ? 0 : 1);
  append_big_endian<std::int32_t>(out, has_null_ ? 1 : 0);
  append_big_endian(out, element);
  if (count_ == 0) return;
  append_big_endian(out, count_);
  append_big_endian<std::int32_t>(out, 1);
  out += items_;
}

Parameters::Arrays Parameters::arrays() const {
  Arrays arrays;
  for (std::size_t i = 0; i < starts_.size(); ++i) {
    const std::size_t end = i + 1 < starts_.size() ? starts_[i + 1] : bytes_.size();
    arrays.values.push_back(bytes_.data() + starts_[i]);
    arrays.lengths.push_back(static_cast<int>(end - starts_[i]));
    arrays.formats.push_back(1);
  }
  return arrays;
}

}  // namespace mydr24::postgres
