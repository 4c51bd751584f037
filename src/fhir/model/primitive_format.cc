#include "fhir/model/primitive_format.h"

#include <array>
#include <charconv>
#include <cstdint>

#include "base/core/date_time.h"
#include "base/core/id.h"

namespace mydr24::model {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

const char* integer_problem(std::string_view text, std::int64_t low, const char* problem) {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  const bool fits = error == std::errc() && stop == end && value >= low && value <= INT32_MAX;
  return fits ? nullptr : problem;
}

// At least one character that is not white space, and no control character but tab, line feed and carriage return.
const char* string_problem(std::string_view text) {
  if (text.size() > string_bytes_max) return "must not be longer than 1 MB";
  bool blank = true;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 && !is_space(c)) return "must not contain control characters";
    blank = blank && is_space(c);
  }
  return blank ? "must not be empty or only white space: leave it out" : nullptr;
}

const char* code_problem(std::string_view text) {
  constexpr auto problem = "must be a code: not empty, no white space but single spaces inside";
  if (text.empty() || text.front() == ' ' || text.back() == ' ') return problem;
  char before = 'x';
  for (const char c : text) {
    if (c == ' ' ? before == ' ' : static_cast<unsigned char>(c) <= 0x20) return problem;
    before = c;
  }
  return nullptr;
}

const char* uri_problem(std::string_view text) {
  constexpr auto problem = "must be a URI: not empty, without white space";
  if (text.empty()) return problem;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= 0x20) return problem;
  }
  return nullptr;
}

bool is_oid(std::string_view text) {
  if (!text.starts_with("urn:oid:")) return false;
  text.remove_prefix(8);
  if (text.size() < 3 || text[0] < '0' || text[0] > '2' || text[1] != '.') return false;
  for (std::size_t i = 1; i < text.size();) {
    std::size_t end = i + 1;  // text[i] is a dot
    while (end < text.size() && is_digit(text[end])) ++end;
    const std::size_t digits = end - i - 1;
    if (digits == 0 || (digits > 1 && text[i + 1] == '0')) return false;
    if (end < text.size() && text[end] != '.') return false;
    i = end;
  }
  return true;
}

bool is_uuid(std::string_view text) {
  if (!text.starts_with("urn:uuid:")) return false;
  text.remove_prefix(9);
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? c != '-' : !(is_digit(c) || (c >= 'a' && c <= 'f'))) return false;
  }
  return true;
}

// 0: of the alphabet; 1: white space; 2: padding; 3: none of these.
constexpr std::array<std::uint8_t, 256> base64_classes = [] {
  std::array<std::uint8_t, 256> classes{};
  classes.fill(3);
  for (int c = 0; c < 26; ++c)
    classes[static_cast<std::size_t>('a' + c)] = classes[static_cast<std::size_t>('A' + c)] = 0;
  for (int c = '0'; c <= '9'; ++c) classes[static_cast<std::size_t>(c)] = 0;
  classes['+'] = classes['/'] = 0;
  classes[' '] = classes['\t'] = classes['\n'] = classes['\r'] = 1;
  classes['='] = 2;
  return classes;
}();

bool is_base64(std::string_view text) {
  std::size_t characters = 0, padding = 0;
  for (const char c : text) {
    const auto kind = base64_classes[static_cast<unsigned char>(c)];
    if (kind == 3 || (kind == 0 && padding > 0)) return false;
    if (kind != 1) ++characters;
    if (kind == 2) ++padding;
  }
  return characters > 0 && characters % 4 == 0 && padding <= 2;
}

const char* date_problem(std::string_view text) {
  const auto range = text.size() <= 10 ? parse_date_time(text) : std::nullopt;
  return range ? nullptr : "must be a date: YYYY, YYYY-MM or YYYY-MM-DD";
}

// An offset of 14 hours is the last there is.
bool is_beyond_last_offset(std::string_view text) {
  if (text.size() < 6) return false;
  const auto offset = text.substr(text.size() - 6);
  return (offset[0] == '+' || offset[0] == '-') && offset.substr(1) > "14:00";
}

bool has_seconds_and_zone(std::string_view text, const DateRange& range) {
  return range.precision >= Precision::second && range.has_zone && !is_beyond_last_offset(text);
}

const char* date_time_problem(std::string_view text) {
  const auto range = parse_date_time(text);
  const bool good = range && (range->precision <= Precision::day || has_seconds_and_zone(text, *range));
  return good ? nullptr
              : "must be a dateTime: YYYY, YYYY-MM, YYYY-MM-DD, or YYYY-MM-DDThh:mm:ss with Z or an offset "
                "like +01:00";
}

const char* instant_problem(std::string_view text) {
  const auto range = parse_date_time(text);
  return range && has_seconds_and_zone(text, *range)
             ? nullptr
             : "must be an instant: YYYY-MM-DDThh:mm:ss with Z or an offset like +01:00";
}

const char* time_problem(std::string_view text) {
  constexpr auto problem = "must be a time: hh:mm:ss";
  if (text.size() < 8 || text[2] != ':' || text[5] != ':') return problem;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i == 2 || i == 5) continue;
    if (i == 8 ? text[i] != '.' || text.size() == 9 : !is_digit(text[i])) return problem;
  }
  return text.substr(0, 2) <= "23" && text[3] <= '5' && text.substr(6, 2) <= "60" ? nullptr : problem;
}

const char* xhtml_problem(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  const bool good = text.starts_with("<div") && text.ends_with('>') && text.size() > 5 &&
                    (is_space(text[4]) || text[4] == '>' || text[4] == '/');
  return good ? nullptr : "must be XHTML in one <div> element";
}

const char* text_problem(Primitive primitive, std::string_view text) {
  switch (primitive) {
    case Primitive::code:
      return code_problem(text);
    case Primitive::id:
      return is_fhir_id(text) ? nullptr : "must be an id: 1 to 64 of A-Z a-z 0-9 - .";
    case Primitive::uri:
    case Primitive::url:
    case Primitive::canonical:
      return uri_problem(text);
    case Primitive::oid:
      return is_oid(text) ? nullptr : "must be an OID like urn:oid:1.2.36";
    case Primitive::uuid:
      return is_uuid(text) ? nullptr
                           : "must be a UUID in lower case like urn:uuid:c757873d-ec9a-4326-a141-556f43239520";
    case Primitive::base64_binary:
      return is_base64(text) ? nullptr : "must be base64";
    case Primitive::date:
      return date_problem(text);
    case Primitive::date_time:
      return date_time_problem(text);
    case Primitive::instant:
      return instant_problem(text);
    case Primitive::time:
      return time_problem(text);
    case Primitive::xhtml:
      return xhtml_problem(text);
    default:
      return string_problem(text);
  }
}

}  // namespace

const char* primitive_problem(Primitive primitive, json::Value value) {
  const json::Kind kind = value.kind();
  switch (primitive) {
    case Primitive::boolean:
      return kind == json::Kind::boolean ? nullptr : "must be true or false, without quotes";
    case Primitive::decimal:
      return kind == json::Kind::number ? nullptr : "must be a number, without quotes";
    case Primitive::integer:
    case Primitive::unsigned_int:
    case Primitive::positive_int: {
      const bool positive = primitive == Primitive::positive_int;
      const char* problem = positive ? "must be a whole number from 1 to 2147483647, without quotes"
                            : primitive == Primitive::integer
                                ? "must be a whole number of 32 bits, without quotes"
                                : "must be a whole number from 0 to 2147483647, without quotes";
      if (kind != json::Kind::number) return problem;
      if (primitive == Primitive::unsigned_int && value.text().starts_with('-')) return problem;
      return integer_problem(value.text(), positive ? 1 : primitive == Primitive::integer ? INT32_MIN : 0, problem);
    }
    default:
      break;
  }
  return kind == json::Kind::string ? text_problem(primitive, value.text()) : "must be a string, in quotes";
}

}  // namespace mydr24::model
