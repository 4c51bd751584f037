#include "fhir/search/terms.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/core/date_time.h"
#include "fhir/search/composite.h"
#include "fhir/search/number.h"
#include "fhir/search/words.h"
#include "fhir/ucum/ucum.h"

namespace mydr24::search {
namespace {

constexpr std::string_view escapable = ",|$\\";
constexpr std::size_t shown_bytes_max = 60;
constexpr std::size_t combinations_max = 256;
constexpr double distance_km_default = 50;
constexpr double distance_km_max = 20'100;  // half way round the Earth

std::string shown(std::string_view value) { return std::string(value.substr(0, shown_bytes_max)); }

std::unexpected<Problem> wrong(const Asked& asked, std::string_view value, std::string_view right) {
  return refuse("value", fmt::format("'{}' is no value of '{}'. {}", shown(value), asked.name, right));
}

std::vector<Term> one(Term term) {
  std::vector<Term> terms;
  terms.push_back(std::move(term));
  return terms;
}

std::optional<Prefix> prefix_of(std::string_view text) {
  constexpr auto names = std::to_array<std::string_view>({"eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"});
  const auto found = std::ranges::find(names, text);
  if (found == names.end()) return std::nullopt;
  return static_cast<Prefix>(found - names.begin());
}

// Takes the two letters from before a number or date; nothing when they are no prefix.
std::optional<Prefix> take_prefix(std::string_view& value) {
  if (value.size() < 2 || value[0] < 'a' || value[0] > 'z') return Prefix::eq;
  const auto prefix = prefix_of(value.substr(0, 2));
  if (prefix) value.remove_prefix(2);
  return prefix;
}

// What a number means after its prefix; nothing when it is none.
std::optional<NumberRange> range_of(Prefix prefix, std::string_view text) {
  constexpr double about = 0.1;
  const auto written = implied(text);
  const auto value = parse_number(text);
  if (!written || !value) return std::nullopt;
  if (prefix == Prefix::eq || prefix == Prefix::ne) return written;
  if (prefix != Prefix::ap) return exactly(*value);
  const double by = std::abs(*value) * about;
  return NumberRange{std::min(written->from, *value - by), std::max(written->to, *value + by)};
}

bool is_one_number(Prefix prefix) { return prefix != Prefix::eq && prefix != Prefix::ne && prefix != Prefix::ap; }

bool is_absolute(std::string_view reference) { return reference.contains("://") || reference.starts_with("urn:"); }

std::string listed(std::span<const std::string_view> targets) {
  return targets.empty() ? std::string("any resource type") : fmt::format("{}", fmt::join(targets, ", "));
}

bool is_target(const Parameter& parameter, std::string_view type) {
  if (parameter.targets.empty()) return model::find_resource(type) != nullptr;
  return std::ranges::find(parameter.targets, type) != parameter.targets.end();
}

Term target_term(std::string value) {
  Term term;
  term.value = std::move(value);
  return term;
}

// "CODE", "|CODE", "SYSTEM|CODE", "SYSTEM|". Nothing for "|" and for no code at all.
std::optional<Term> token_of(std::string_view value) {
  Term term;
  const auto parts = split_unescaped(value, '|');
  if (parts.size() == 1) {
    term.value = unescape(value);
  } else {
    term.system = unescape(parts[0]);
    term.value = unescape(value.substr(parts[0].size() + 1));
    term.system_is = term.system.empty() ? Term::System::none : Term::System::named;
    term.any_code = term.value.empty();
  }
  if (term.value.empty() && term.system.empty()) return std::nullopt;
  return term;
}

// The term of a composite from one term of each part.
Term joined(std::vector<Term> parts, std::span<const Kind> kinds) {
  Term term;
  bool ranges = false, tokens = false, any = false;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Term& part = parts[i];
    if (is_range(kinds[i])) {
      if (std::exchange(ranges, true)) continue;
      term.prefix = part.prefix;
      term.low = part.low;
      term.high = part.high;
      term.from = kinds[i] == Kind::date ? static_cast<double>(part.low) : part.from;
      term.to = kinds[i] == Kind::date ? static_cast<double>(part.high) : part.to;
      term.unit = part.system;
      term.unit_text = part.unit_text;
      continue;
    }
    if (std::exchange(any, true)) term.value += '$';
    term.value += part.value;
    if (kinds[i] != Kind::token || std::exchange(tokens, true)) continue;
    term.system = part.system;
    term.system_is = part.system_is;
    term.any_code = part.any_code;
  }
  term.parts = std::move(parts);
  return term;
}

}  // namespace

std::string unescape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escaped = text[i] == '\\' && i + 1 < text.size() && escapable.contains(text[i + 1]);
    out += text[escaped ? ++i : i];
  }
  return out;
}

std::vector<std::string_view> split_unescaped(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == separator) {
      parts.push_back(text.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  parts.push_back(text.substr(begin));
  return parts;
}

Parsed<std::vector<Term>> TermParser::parse(const Asked& asked, std::string_view value) const {
  if (value.empty()) return refuse("value", fmt::format("'{}' has an empty value.", asked.name));
  switch (asked.modifier) {
    case Modifier::missing: {
      if (value != "true" && value != "false") return wrong(asked, value, "Write true or false.");
      Term term;
      term.missing = value == "true";
      return one(std::move(term));
    }
    case Modifier::in:
    case Modifier::not_in:
      return value_set(asked, value);
    case Modifier::of_type:
      return of_type(asked, value);
    case Modifier::identifier:
      return logical(asked, value);
    case Modifier::above:
    case Modifier::below:
      return asked.parameter->kind == Kind::token ? hierarchy(asked, value) : plain(asked, value);
    default:
      return plain(asked, value);
  }
}

Parsed<std::vector<Term>> TermParser::plain(const Asked& asked, std::string_view value) const {
  switch (asked.parameter->kind) {
    case Kind::string:
      return string(asked, value);
    case Kind::token:
      return asked.modifier == Modifier::text ? string(asked, value) : token(asked, value);
    case Kind::reference:
      return reference(asked, value);
    case Kind::date:
    case Kind::last_updated:
      return date(asked, value);
    case Kind::number:
      return number(asked, value);
    case Kind::quantity:
      return quantity(asked, value);
    case Kind::composite:
      return composite(asked, value);
    case Kind::position:
      return position(asked, value);
    case Kind::text:
      return text(asked, value);
    case Kind::id:
    case Kind::uri:
      break;
  }
  return one(target_term(unescape(value)));
}

Parsed<std::vector<Term>> TermParser::string(const Asked& asked, std::string_view value) const {
  Term term;
  term.exact = unescape(value);
  term.value = fold(term.exact);
  if (term.value.empty()) return refuse("value", fmt::format("'{}' has an empty value.", asked.name));
  return one(std::move(term));
}

Parsed<std::vector<Term>> TermParser::token(const Asked& asked, std::string_view value) const {
  auto term = token_of(value);
  if (!term) return wrong(asked, value, "Write CODE, SYSTEM|CODE, |CODE or SYSTEM|.");
  return one(std::move(*term));
}

Parsed<std::vector<Term>> TermParser::of_type(const Asked& asked, std::string_view value) const {
  const auto parts = split_unescaped(value, '|');
  if (parts.size() != 3 || parts[1].empty() || parts[2].empty()) {
    return wrong(asked, value, "Write TYPE-SYSTEM|TYPE-CODE|VALUE.");
  }
  Term term;
  term.system = unescape(parts[0]) + '|' + unescape(parts[1]);
  term.system_is = Term::System::named;
  term.value = '\x1f' + unescape(parts[2]);
  return one(std::move(term));
}

Parsed<std::vector<Term>> TermParser::value_set(const Asked& asked, std::string_view value) const {
  if (resolver_ == nullptr || !resolver_->value_set) {
    return refuse("not-supported", fmt::format("This server has no value sets for '{}'.", asked.name));
  }
  const auto codes = resolver_->value_set(unescape(value));
  if (!codes) {
    return refuse(codes.error().code == Code::not_found ? "not-found" : "value",
                  fmt::format("'{}': the value set {}: {}", asked.name, shown(value), codes.error().text));
  }
  std::vector<Term> terms;
  for (const auto& [system, code] : *codes) {
    Term term = target_term(code);
    term.system = system;
    term.system_is = system.empty() ? Term::System::any : Term::System::named;
    terms.push_back(std::move(term));
    if (system.empty() || !catalogue_.finds_plain_codes(*asked.parameter)) continue;
    terms.push_back(target_term(code));
    terms.back().system_is = Term::System::none;
  }
  return terms;
}

Parsed<std::vector<Term>> TermParser::hierarchy(const Asked& asked, std::string_view value) const {
  if (resolver_ == nullptr || !resolver_->hierarchy) {
    return refuse("not-supported", fmt::format("This server has no code systems for '{}'.", asked.name));
  }
  const auto term = token_of(value);
  if (!term || term->system.empty() || term->any_code) return wrong(asked, value, "Write SYSTEM|CODE.");
  const auto codes = resolver_->hierarchy(term->system, term->value, asked.modifier == Modifier::below);
  if (!codes) {
    return refuse(codes.error().code == Code::not_found ? "not-found" : "value",
                  fmt::format("'{}': the code {}: {}", asked.name, shown(value), codes.error().text));
  }
  std::vector<Term> terms(codes->size(), *term);
  for (std::size_t i = 0; i < terms.size(); ++i) terms[i].value = (*codes)[i];
  return terms;
}

Parsed<std::vector<Term>> TermParser::logical(const Asked& asked, std::string_view value) const {
  const auto term = token_of(value);
  if (!term || term->any_code) return wrong(asked, value, "Write VALUE, SYSTEM|VALUE or |VALUE.");
  if (term->system_is == Term::System::any) return one(target_term("\x1f\x1f" + term->value));
  return one(target_term(fmt::format("\x1f{}|{}", term->system, term->value)));
}

Parsed<std::vector<Term>> TermParser::reference(const Asked& asked, std::string_view raw) const {
  const Parameter& parameter = *asked.parameter;
  std::string value = unescape(raw);
  if (!base_url_.empty() && value.starts_with(base_url_)) {
    const auto rest = std::string_view(value).substr(base_url_.size());
    if (base_url_.ends_with('/')) {
      value = std::string(rest);
    } else if (rest.starts_with('/')) {
      value = std::string(rest.substr(1));
    }
  }
  value = std::string(catalogue_.local(value));
  if (is_absolute(value)) return one(target_term(std::move(value)));
  const std::size_t slash = value.find('/');
  const std::string_view named = slash == std::string::npos ? asked.target : std::string_view(value).substr(0, slash);
  const bool agree = asked.target.empty() || named == asked.target;
  if (!named.empty() && (!is_target(parameter, named) || !agree)) {
    return wrong(asked, value, fmt::format("It refers to {}.", agree ? listed(parameter.targets) : asked.target));
  }
  if (slash != std::string::npos) return one(target_term(std::move(value)));
  if (!named.empty()) return one(target_term(fmt::format("{}/{}", named, value)));
  if (parameter.targets.empty()) {
    return refuse("value", fmt::format("'{0}' may refer to any type: write {0}=Patient/{1}.", asked.name, value));
  }
  std::vector<Term> terms;
  for (const auto type : parameter.targets) terms.push_back(target_term(fmt::format("{}/{}", type, value)));
  return terms;
}

Parsed<std::vector<Term>> TermParser::date(const Asked& asked, std::string_view value) const {
  auto rest = value;
  const auto prefix = take_prefix(rest);
  const auto range = prefix ? parse_date_time(rest) : std::nullopt;
  if (!range) {
    return wrong(asked, value,
                 "Write a date as YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with Z or an offset (its + as %2B), "
                 "with one of eq ne gt lt ge le sa eb ap before it or none.");
  }
  Term term;
  term.prefix = *prefix;
  term.low = to_us(range->low);
  term.high = to_us(range->high);
  return one(std::move(term));
}

Parsed<std::vector<Term>> TermParser::number(const Asked& asked, std::string_view value) const {
  auto rest = value;
  const auto prefix = take_prefix(rest);
  const auto range = prefix ? range_of(*prefix, rest) : std::nullopt;
  if (!range) {
    return wrong(asked, value, "Write a number with one of eq ne gt lt ge le sa eb ap before it or none.");
  }
  Term term;
  term.prefix = *prefix;
  term.from = range->from;
  term.to = range->to;
  return one(std::move(term));
}

Parsed<std::vector<Term>> TermParser::quantity(const Asked& asked, std::string_view value) const {
  const auto parts = split_unescaped(value, '|');
  auto rest = parts[0];
  const auto prefix = take_prefix(rest);
  const auto range = prefix ? range_of(*prefix, rest) : std::nullopt;
  const bool unit_is_there = parts.size() == 1 || (parts.size() == 3 && !parts[2].empty());
  if (!range || !unit_is_there) {
    return wrong(
        asked, value,
        "Write NUMBER, NUMBER|SYSTEM|CODE or NUMBER||UNIT, with one of eq ne gt lt ge le sa eb ap before it or "
        "none.");
  }
  Term term;
  term.prefix = *prefix;
  term.from = range->from;
  term.to = range->to;
  if (parts.size() == 1) return one(std::move(term));
  const auto system = unescape(parts[1]), code = unescape(parts[2]);
  if (system.empty()) {
    term.unit_text = code;
    return one(std::move(term));
  }
  auto measure = measure_of(*range, is_one_number(*prefix), system, code);
  term.system = std::move(measure.unit);
  term.from = measure.range.from;
  term.to = measure.range.to;
  return one(std::move(term));
}

Parsed<std::vector<Term>> TermParser::composite(const Asked& asked, std::string_view value) const {
  const auto components = asked.parameter->components;
  const auto written = split_unescaped(value, '$');
  if (written.size() != components.size()) {
    return wrong(asked, value, fmt::format("Write its {} parts with $ between them.", components.size()));
  }
  std::vector<Kind> kinds;
  std::vector<std::vector<Term>> combined(1);
  for (std::size_t i = 0; i < components.size(); ++i) {
    const Parameter& part = catalogue_.parameters()[components[i]];
    kinds.push_back(part.kind);
    const auto terms =
        parse({.parameter = &part, .modifier = Modifier::none, .target = {}, .name = asked.name}, written[i]);
    if (!terms) return std::unexpected(terms.error());
    if (combined.size() * terms->size() > combinations_max) {
      return refuse("too-costly", fmt::format("'{}' stands for too many combinations: write TYPE/ID.", asked.name));
    }
    std::vector<std::vector<Term>> longer;
    for (const auto& so_far : combined) {
      for (const Term& term : *terms) longer.emplace_back(so_far).push_back(term);
    }
    combined = std::move(longer);
  }
  std::vector<Term> out;
  for (auto& parts : combined) out.push_back(joined(std::move(parts), kinds));
  return out;
}

Parsed<std::vector<Term>> TermParser::position(const Asked& asked, std::string_view value) const {
  const auto parts = split_unescaped(value, '|');
  constexpr std::string_view right = "Write LATITUDE|LONGITUDE, then |DISTANCE and |UNIT (km when it is left out).";
  if (parts.size() < 2 || parts.size() > 4) return wrong(asked, value, right);
  const auto latitude = parse_number(parts[0]), longitude = parse_number(parts[1]);
  if (!latitude || !longitude || std::abs(*latitude) > 90 || std::abs(*longitude) > 180) {
    return wrong(asked, value, right);
  }
  Term term;
  term.from = *latitude;
  term.to = *longitude;
  term.distance_km = distance_km_default;
  if (parts.size() > 2 && !parts[2].empty()) {
    const auto distance = parse_number(parts[2]);
    if (!distance || *distance < 0) return wrong(asked, value, right);
    term.distance_km = *distance;
    const auto unit = parts.size() == 4 ? unescape(parts[3]) : std::string();
    if (!unit.empty() && unit != "km") {
      const auto km = ucum::convert(*distance, unit == "mi" ? "[mi_i]" : unit, "km");
      if (!km) return wrong(asked, value, fmt::format("'{}' is no UCUM unit of length.", shown(unit)));
      term.distance_km = *km;
    }
  }
  term.distance_km = std::min(term.distance_km, distance_km_max);
  return one(std::move(term));
}

Parsed<std::vector<Term>> TermParser::text(const Asked& asked, std::string_view value) const {
  Term term;
  term.exact = unescape(value);
  Words words;
  words.add(term.exact);
  if (words.empty()) return wrong(asked, value, "Write words.");
  term.value = words.text();
  return one(std::move(term));
}

}  // namespace mydr24::search
