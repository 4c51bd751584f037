#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/core/date_time.h"
#include "fhir/model/definitions.h"
#include "fhir/search/search.h"

namespace mydr24::search {
namespace {

// A value as the client wrote it: `\,` `\|` `\$` `\\` stand for the character itself.
// Source: FHIR R4, search, escaping.
std::string unescape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escaped = text[i] == '\\' && i + 1 < text.size() && std::string_view(",|$\\").contains(text[i + 1]);
    out += text[escaped ? ++i : i];
  }
  return out;
}

// The position of the first `separator` that no backslash stands before; npos when there is none.
std::size_t find_unescaped(std::string_view text, char separator) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\')
      ++i;
    else if (text[i] == separator)
      return i;
  }
  return std::string_view::npos;
}

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t comma = find_unescaped(text, ',');
    parts.push_back(text.substr(0, comma));
    if (comma == std::string_view::npos) return parts;
    text.remove_prefix(comma + 1);
  }
}

std::optional<Prefix> prefix_of(std::string_view text) {
  constexpr auto names = std::to_array<std::string_view>({"eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"});
  const auto found = std::ranges::find(names, text);
  if (found == names.end()) return std::nullopt;
  return static_cast<Prefix>(found - names.begin());
}

bool is_absolute(std::string_view reference) { return reference.contains("://") || reference.starts_with("urn:"); }

std::string known_parameters(std::string_view type) {
  std::vector<std::string_view> codes;
  for (const Parameter& parameter : parameters_of(type)) codes.push_back(parameter.code);
  return fmt::format("Known parameters of {}: {}, and _count, _sort, _total, _summary.", type, fmt::join(codes, ", "));
}

// A parameter's name as the client wrote it: code, and what follows the colon.
struct Name {
  std::string_view full;
  std::string_view code;
  std::string_view modifier;
  explicit Name(std::string_view text) : full(text), code(text.substr(0, text.find(':'))) {
    if (code.size() < text.size()) modifier = text.substr(code.size() + 1);
  }
};

class QueryParser {
 public:
  QueryParser(std::string_view type, bool lenient, std::vector<model::Issue>* ignored)
      : lenient_(lenient), ignored_(ignored) {
    query_.type = type;
  }

  std::expected<Query, Refusal> run(std::span<const std::pair<std::string, std::string>> parameters) {
    if (model::find_resource(query_.type) == nullptr) {
      refuse("not-supported", "", fmt::format("'{}' is not a resource type of FHIR R4.", query_.type));
      return std::unexpected(std::move(refusal_));
    }
    for (const auto& [name, value] : parameters) {
      if (refusal_.issues.size() >= issues_max) break;
      if (!control(name, value)) condition(Name(name), value);
    }
    if (!refusal_.issues.empty()) return std::unexpected(std::move(refusal_));
    return std::move(query_);
  }

 private:
  static constexpr std::size_t issues_max = 20;

  void refuse(std::string_view code, std::string_view name, std::string text) {
    refusal_.issues.push_back({model::Severity::error, std::string(code), std::move(text), std::string(name)});
  }

  void understood(std::string_view name, std::string_view value) { query_.processed.emplace_back(name, value); }

  // The parameters about the answer rather than the resources. False: it is none of these.
  bool control(std::string_view name, const std::string& value) {
    if (name == "_format" || name == "_pretty") return true;
    if (name == "_cursor") {
      query_.cursor = value;
      return true;
    }
    if (name == "_count") return count(value), true;
    if (name == "_total") return total(value), true;
    if (name == "_sort") return sort(value), true;
    if (name == "_summary") return summary(value), true;
    return false;
  }

  void count(std::string_view value) {
    const bool digits = !value.empty() && std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
    if (!digits) return refuse("value", "_count", fmt::format("_count is a number from 0 to {}.", count_max));
    std::uint32_t wanted = 0;
    const auto parsed = std::from_chars(value.data(), value.data() + value.size(), wanted);
    wanted = parsed.ec == std::errc() ? std::min(wanted, count_max) : count_max;
    if (!only_total_) query_.count = wanted;
    understood("_count", fmt::to_string(wanted));
  }

  void total(std::string_view value) {
    if (value == "none")
      query_.total = Total::none;
    else if (value == "estimate")
      query_.total = Total::estimate;
    else if (value == "accurate")
      query_.total = Total::accurate;
    else
      return refuse("value", "_total", "_total is none, estimate or accurate.");
    understood("_total", value);
  }

  void sort(std::string_view value) {
    if (value != "_lastUpdated" && value != "-_lastUpdated") {
      return refuse("not-supported", "_sort",
                    "This server sorts by _lastUpdated or -_lastUpdated only; without _sort the newest come first.");
    }
    query_.by_last_updated = true;
    query_.order = value.front() == '-' ? Order::newest_first : Order::oldest_first;
    understood("_sort", value);
  }

  void summary(std::string_view value) {
    if (value == "false") return;
    if (value != "count")
      return refuse("not-supported", "_summary", "This server knows _summary=count and _summary=false only.");
    only_total_ = true;
    query_.count = 0;
    understood("_summary", value);
  }

  void condition(const Name& name, std::string_view value) {
    const Parameter* parameter = find_parameter(query_.type, name.code);
    if (parameter == nullptr) return unknown(name);
    Condition condition{parameter, Modifier::none, {}};
    std::string_view target;  // of a reference: the type given as modifier
    if (!modifier(name, *parameter, condition.modifier, target)) return;
    for (const auto part : split(value)) {
      if (part.empty()) return refuse("value", name.full, fmt::format("'{}' has an empty value.", name.full));
      const std::size_t before = condition.any_of.size();
      if (condition.modifier == Modifier::missing) {
        missing(name, part, condition);
      } else {
        term(name, part, target, condition);
      }
      if (condition.any_of.size() == before) return;  // refused
      if (terms_ + condition.any_of.size() > terms_max) return too_many_terms(name);
    }
    terms_ += condition.any_of.size();
    if (query_.conditions.size() == conditions_max) {
      return refuse("too-costly", name.full, fmt::format("A search has at most {} conditions.", conditions_max));
    }
    query_.conditions.push_back(std::move(condition));
    understood(name.full, value);
  }

  void too_many_terms(const Name& name) {
    refuse("too-costly", name.full,
           fmt::format(
               "A search has at most {} values, and a reference without a type counts once for each type it may have: "
               "write {}=Patient/123.",
               terms_max, name.code));
  }

  void unknown(const Name& name) {
    model::Issue issue{model::Severity::error, "not-supported",
                       fmt::format("This server does not search {} by '{}'. {}", query_.type, name.full,
                                   known_parameters(query_.type)),
                       std::string(name.full)};
    if (!lenient_) return refusal_.issues.push_back(std::move(issue));
    issue.severity = model::Severity::warning;
    if (ignored_ != nullptr) ignored_->push_back(std::move(issue));
  }

  bool modifier(const Name& name, const Parameter& parameter, Modifier& modifier, std::string_view& target) {
    if (name.full.size() == name.code.size()) return true;
    const Kind kind = parameter.kind;
    const bool indexed = kind != Kind::id && kind != Kind::last_updated;
    if (name.modifier == "missing" && indexed)
      modifier = Modifier::missing;
    else if (name.modifier == "exact" && kind == Kind::string)
      modifier = Modifier::exact;
    else if (name.modifier == "contains" && kind == Kind::string)
      modifier = Modifier::contains;
    else if (name.modifier == "not" && kind == Kind::token)
      modifier = Modifier::is_not;
    else if (kind == Kind::reference && model::find_resource(name.modifier) != nullptr)
      target = name.modifier;
    else
      return refuse("not-supported", name.full, unknown_modifier(name, parameter)), false;
    return true;
  }

  static std::string unknown_modifier(const Name& name, const Parameter& parameter) {
    std::string_view known = ":missing";
    if (parameter.kind == Kind::string) known = ":exact, :contains, :missing";
    if (parameter.kind == Kind::token) known = ":not, :missing";
    if (parameter.kind == Kind::reference) known = ":missing, or a resource type (:Patient)";
    if (parameter.kind == Kind::id || parameter.kind == Kind::last_updated) known = "none";
    return fmt::format("'{}' does not take the modifier ':{}'. Modifiers of {}: {}.", name.code, name.modifier,
                       name.code, known);
  }

  void missing(const Name& name, std::string_view part, Condition& condition) {
    if (part != "true" && part != "false") {
      return refuse("value", name.full, fmt::format("{} is true or false.", name.full));
    }
    Term term;
    term.missing = part == "true";
    condition.any_of.push_back(std::move(term));
  }

  // Adds the terms of one value; none when it is refused.
  void term(const Name& name, std::string_view part, std::string_view target, Condition& condition) {
    switch (condition.parameter->kind) {
      case Kind::string:
        return string(name, part, condition);
      case Kind::token:
        return token(name, part, condition);
      case Kind::reference:
        return reference(name, unescape(part), target, condition);
      case Kind::date:
      case Kind::last_updated:
        return date(name, unescape(part), condition);
      default:
        break;
    }
    Term term;
    term.value = unescape(part);
    condition.any_of.push_back(std::move(term));
  }

  void string(const Name& name, std::string_view part, Condition& condition) {
    Term term;
    term.exact = unescape(part);
    term.value = fold(term.exact);
    if (term.value.empty()) return refuse("value", name.full, fmt::format("'{}' has an empty value.", name.full));
    condition.any_of.push_back(std::move(term));
  }

  void token(const Name& name, std::string_view part, Condition& condition) {
    Term term;
    const std::size_t bar = find_unescaped(part, '|');
    if (bar == std::string_view::npos) {
      term.value = unescape(part);
    } else {
      term.system = unescape(part.substr(0, bar));
      term.value = unescape(part.substr(bar + 1));
      term.system_is = term.system.empty() ? Term::System::none : Term::System::named;
      term.any_code = term.value.empty();
      if (term.any_code && term.system.empty()) {
        return refuse("value", name.full, fmt::format("'{}' is CODE, SYSTEM|CODE, |CODE or SYSTEM|.", name.full));
      }
    }
    condition.any_of.push_back(std::move(term));
  }

  void date(const Name& name, std::string_view part, Condition& condition) {
    Term term;
    const bool has_prefix = part.size() > 2 && part[0] >= 'a' && part[0] <= 'z';
    const auto prefix = has_prefix ? prefix_of(part.substr(0, 2)) : Prefix::eq;
    const auto range = prefix ? parse_date_time(has_prefix ? part.substr(2) : part) : std::nullopt;
    if (!range) {
      return refuse(
          "value", name.full,
          fmt::format("'{}' is not a date. Write YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with Z or an offset "
                      "(its + as %2B), with one of eq ne gt lt ge le sa eb ap before it or none.",
                      part.substr(0, 60)));
    }
    term.prefix = *prefix;
    term.low = to_us(range->low);
    term.high = to_us(range->high);
    condition.any_of.push_back(std::move(term));
  }

  static void add_target(Condition& condition, std::string value) {
    Term term;
    term.value = std::move(value);
    condition.any_of.push_back(std::move(term));
  }

  void reference(const Name& name, std::string value, std::string_view target, Condition& condition) {
    if (is_absolute(value)) return add_target(condition, std::move(value));
    const auto allowed = condition.parameter->targets;
    const auto is_allowed = [&](std::string_view type) {
      return allowed.empty() ? model::find_resource(type) != nullptr
                             : std::ranges::find(allowed, type) != allowed.end();
    };
    const std::size_t slash = value.find('/');
    const std::string_view named = slash == std::string::npos ? target : std::string_view(value).substr(0, slash);
    const bool agree = target.empty() || named == target;
    if (!named.empty() && (!is_allowed(named) || !agree)) {
      return refuse("value", name.full,
                    fmt::format("'{}' does not refer to {}. It refers to: {}.", name.code, agree ? named : value,
                                allowed.empty() ? "any resource type" : fmt::format("{}", fmt::join(allowed, ", "))));
    }
    if (slash != std::string::npos) return add_target(condition, std::move(value));
    if (!named.empty()) return add_target(condition, fmt::format("{}/{}", named, value));
    if (allowed.empty()) {
      return refuse("value", name.full,
                    fmt::format("'{0}' may refer to any type: write {0}=Patient/{1}.", name.code, value));
    }
    for (const auto type : allowed) add_target(condition, fmt::format("{}/{}", type, value));
  }

  bool lenient_;
  std::vector<model::Issue>* ignored_;
  Query query_;
  Refusal refusal_;
  std::size_t terms_ = 0;
  bool only_total_ = false;
};

}  // namespace

std::expected<Query, Refusal> parse_query(std::string_view type,
                                          std::span<const std::pair<std::string, std::string>> parameters, bool lenient,
                                          std::vector<model::Issue>* ignored) {
  return QueryParser(type, lenient, ignored).run(parameters);
}

}  // namespace mydr24::search
