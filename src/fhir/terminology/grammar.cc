#include "fhir/terminology/detail/grammar.h"

#include <unicode/locid.h>
#include <unicode/ucurr.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "fhir/terminology/detail/iso_codes.h"
#include "fhir/ucum/ucum.h"

namespace mydr24::terminology::detail {
namespace {

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_alpha(char c) { return is_upper(c) || (c >= 'a' && c <= 'z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alnum(char c) { return is_alpha(c) || is_digit(c); }
char to_lower(char c) { return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c; }
char to_upper(char c) { return is_alpha(c) && !is_upper(c) ? static_cast<char>(c - 'a' + 'A') : c; }

template <class Is>
bool all(std::string_view text, Is is) {
  return std::ranges::all_of(text, is);
}

// Whether `code` is one of the pieces of `list` that begin at `from` in every `step` characters.
bool in_list(std::string_view list, std::size_t step, std::size_t from, std::string_view code) {
  for (std::size_t i = from; i < list.size(); i += step) {
    if (list.substr(i, code.size()) == code) return true;
  }
  return false;
}

std::string utf8(const icu::UnicodeString& text) {
  std::string out;
  text.toUTF8String(out);
  return out;
}

// ---- ISO 3166-1

constexpr std::size_t country_size = 8;

// The place of a country in the list by any of its three codes.
std::optional<std::size_t> country_at(std::string_view code) {
  const std::size_t from = code.size() == 2 ? 0 : !code.empty() && is_digit(code[0]) ? 5 : 2;
  if (code.size() != 2 && code.size() != 3) return std::nullopt;
  for (std::size_t i = 0; i < iso_countries.size(); i += country_size) {
    if (iso_countries.substr(i + from, code.size()) == code) return i;
  }
  return std::nullopt;
}

bool is_country(std::string_view code) { return country_at(code).has_value(); }

std::string country_name(std::string_view code) {
  const auto at = country_at(code);
  if (!at) return {};
  icu::UnicodeString name;
  const icu::Locale country("", std::string(iso_countries.substr(*at, 2)).c_str());
  return utf8(country.getDisplayCountry(icu::Locale::getEnglish(), name));
}

void each_country(const std::function<void(std::string_view)>& visit) {
  constexpr std::array<std::pair<std::size_t, std::size_t>, 3> parts{{{0, 2}, {2, 3}, {5, 3}}};
  for (const auto& [from, size] : parts) {
    for (std::size_t i = 0; i < iso_countries.size(); i += country_size) visit(iso_countries.substr(i + from, size));
  }
}

// ---- ISO 4217

bool is_currency(std::string_view code) { return code.size() == 3 && in_list(iso_currencies, 3, 0, code); }

std::string currency_name(std::string_view code) {
  const auto text = icu::UnicodeString::fromUTF8(icu::StringPiece(code.data(), static_cast<std::int32_t>(code.size())));
  UErrorCode status = U_ZERO_ERROR;
  std::int32_t length = 0;
  const char16_t* name =
      ucurr_getName(icu::UnicodeString(text).getTerminatedBuffer(), "en", UCURR_LONG_NAME, nullptr, &length, &status);
  return U_FAILURE(status) ? std::string() : utf8(icu::UnicodeString(name, length));
}

void each_currency(const std::function<void(std::string_view)>& visit) {
  for (std::size_t i = 0; i < iso_currencies.size(); i += 3) visit(iso_currencies.substr(i, 3));
}

// ---- BCP 47

// A tag cut at its hyphens, in lower case. Source: RFC 5646, section 2.1.
class LanguageTag {
 public:
  explicit LanguageTag(std::string_view tag) {
    tag_.resize(tag.size());
    std::ranges::transform(tag, tag_.begin(), to_lower);
    for (std::size_t begin = 0; begin <= tag_.size();) {
      const auto end = std::min(tag_.find('-', begin), tag_.size());
      parts_.push_back(std::string_view(tag_).substr(begin, end - begin));
      begin = end + 1;
    }
  }

  bool is_valid() {
    const auto sized = [](std::string_view part) { return !part.empty() && part.size() <= 8 && all(part, is_alnum); };
    if (!std::ranges::all_of(parts_, sized)) return false;
    if (is_irregular()) return true;
    if (parts_[0] == "x") return parts_.size() > 1;
    if (!language()) return false;
    if (at_ < parts_.size() && parts_[at_].size() == 4 && all(parts_[at_], is_alpha)) ++at_;
    if (!region()) return false;
    variants();
    return extensions();
  }

 private:
  // Tags registered before the grammar and outside of it.
  bool is_irregular() const {
    constexpr auto irregular = std::to_array<std::string_view>(
        {"en-gb-oed", "i-ami", "i-bnn", "i-default", "i-enochian", "i-hak", "i-klingon", "i-lux", "i-mingo", "i-navajo",
         "i-pwn", "i-tao", "i-tay", "i-tsu", "sgn-be-fr", "sgn-be-nl", "sgn-ch-de"});
    return std::ranges::find(irregular, tag_) != irregular.end();
  }

  // Three letters are taken as written: the registry has some 8,000 of them.
  bool language() {
    const auto first = parts_[at_++];
    if (!all(first, is_alpha)) return false;
    if (first.size() == 2 && !in_list(two_letter_languages, 2, 0, first)) return false;
    if (first.size() != 2 && first.size() != 3) return false;
    for (int i = 0; i < 3 && at_ < parts_.size() && parts_[at_].size() == 3 && all(parts_[at_], is_alpha); ++i) ++at_;
    return true;
  }

  bool region() {
    if (at_ == parts_.size()) return true;
    const auto part = parts_[at_];
    if (part.size() == 3 && all(part, is_digit)) {
      ++at_;
    } else if (part.size() == 2 && all(part, is_alpha)) {
      const std::string code{to_upper(part[0]), to_upper(part[1])};
      const bool is_private = code == "AA" || code == "ZZ" || code[0] == 'X' || (code >= "QM" && code <= "QZ");
      constexpr auto exceptional =
          std::to_array<std::string_view>({"AC", "CP", "DG", "EA", "EU", "EZ", "IC", "TA", "UN"});
      if (!is_country(code) && !is_private && std::ranges::find(exceptional, code) == exceptional.end()) return false;
      ++at_;
    }
    return true;
  }

  void variants() {
    while (at_ < parts_.size() && (parts_[at_].size() >= 5 || (parts_[at_].size() == 4 && is_digit(parts_[at_][0])))) {
      ++at_;
    }
  }

  bool extensions() {
    while (at_ < parts_.size()) {
      const bool is_private = parts_[at_] == "x";
      const std::size_t least = is_private ? 1 : 2;
      if (parts_[at_].size() != 1) return false;
      const auto first = ++at_;
      while (at_ < parts_.size() && (is_private || parts_[at_].size() >= least)) ++at_;
      if (at_ == first) return false;
    }
    return true;
  }

  std::string tag_;
  std::vector<std::string_view> parts_;
  std::size_t at_ = 0;
};

constexpr std::size_t language_bytes_max = 128;

bool is_language(std::string_view code) {
  return !code.empty() && code.size() <= language_bytes_max && LanguageTag(code).is_valid();
}

std::string language_name(std::string_view code) {
  UErrorCode status = U_ZERO_ERROR;
  const auto locale =
      icu::Locale::forLanguageTag(icu::StringPiece(code.data(), static_cast<std::int32_t>(code.size())), status);
  if (U_FAILURE(status)) return {};
  icu::UnicodeString name;
  return utf8(locale.getDisplayName(icu::Locale::getEnglish(), name));
}

// ---- BCP 13

// Source: RFC 6838, section 4.2.
bool is_restricted_name(std::string_view name) {
  constexpr std::string_view marks = "!#$&-^_.+";
  return !name.empty() && name.size() <= 127 && is_alnum(name[0]) &&
         all(name, [&](char c) { return is_alnum(c) || marks.contains(c); });
}

// Source: RFC 2045, section 5.1: attribute=value, where the value may be quoted.
bool is_parameter(std::string_view parameter) {
  const auto is_token = [](std::string_view text) {
    constexpr std::string_view specials = "()<>@,;:\\\"/[]?=";
    return !text.empty() && all(text, [&](char c) { return c > ' ' && c < 0x7f && !specials.contains(c); });
  };
  const auto equals = parameter.find('=');
  if (equals == std::string_view::npos || !is_token(parameter.substr(0, equals))) return false;
  const auto value = parameter.substr(equals + 1);
  const bool is_quoted = value.size() >= 2 && value.front() == '"' && value.back() == '"' &&
                         !value.substr(1, value.size() - 2).contains('"');
  return is_quoted || is_token(value);
}

std::string_view trim(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// R4 also means the words xml, json and ttl, where it asks for formats (CapabilityStatement.format).
bool is_media_type(std::string_view code) {
  if (code == "xml" || code == "json" || code == "ttl") return true;
  auto semicolon = std::min(code.find(';'), code.size());
  const auto name = trim(code.substr(0, semicolon));
  const auto slash = name.find('/');
  if (slash == std::string_view::npos || !is_restricted_name(name.substr(0, slash)) ||
      !is_restricted_name(name.substr(slash + 1))) {
    return false;
  }
  while (semicolon < code.size()) {
    const auto next = std::min(code.find(';', semicolon + 1), code.size());
    if (!is_parameter(trim(code.substr(semicolon + 1, next - semicolon - 1)))) return false;
    semicolon = next;
  }
  return true;
}

std::string no_name(std::string_view) { return {}; }

// ---- UCUM

bool is_unit(std::string_view code) { return ucum::check(code).has_value(); }

std::string unit_name(std::string_view code) {
  auto name = ucum::display(code);
  return name ? std::move(*name) : std::string();
}

constexpr auto grammars = std::to_array<Grammar>({
    {ucum::system_uri, "UCUM", is_unit, unit_name, nullptr},
    {"urn:ietf:bcp:47", "BCP 47", is_language, language_name, nullptr},
    {"urn:ietf:bcp:13", "BCP 13", is_media_type, no_name, nullptr},
    {"urn:iso:std:iso:3166", "ISO 3166-1", is_country, country_name, each_country},
    {"urn:iso:std:iso:4217", "ISO 4217", is_currency, currency_name, each_currency},
});

}  // namespace

const Grammar* find_grammar(std::string_view url) {
  const auto found = std::ranges::find(grammars, url, &Grammar::url);
  return found == grammars.end() ? nullptr : &*found;
}

std::string ucum_canonical(std::string_view code) {
  auto canonical = ucum::canonical(1, code);
  return canonical ? std::move(canonical->unit) : std::string();
}

}  // namespace mydr24::terminology::detail
