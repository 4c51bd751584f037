#include "storage/store/sql_text.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>

namespace mydr24::store {
namespace {

using search::Condition;
using search::Kind;
using search::Modifier;
using search::Prefix;
using search::Term;

// Above every text that begins with what stands before it.
constexpr std::string_view last_character = "\xF4\x8F\xBF\xBF";
// Values that are looked up one by one, each by recency; more are one list.
constexpr std::size_t separate_values_max = 8;
// What follows a step of an address.
constexpr std::string_view path_ends = "/|?#";
// As the schema's indexes *_wide say: other ranges of numbers are at most 1 wide, or a thousandth of their value.
constexpr std::string_view wide = "high > low + 1 AND NOT (low > 0 AND high <= low * 1.001)";
constexpr double kilometres_per_degree = 110.5;  // of latitude, where it is smallest
constexpr double pi = 3.14159265358979323846;

std::int64_t plus(std::int64_t value, std::int64_t by) { return value > search::open_end - by ? value : value + by; }

// Where a range of numbers that is not wide begins at the earliest when it ends after `end`.
double earliest_low(double end) { return end > 0 ? std::min(end - 1, end / 1.001) : end - 1; }

// How two half-open ranges compare, the asked one [from, to) being bound texts.
std::string range_clause(Prefix prefix, std::string_view from, std::string_view to) {
  switch (prefix) {
    case Prefix::eq:
      return fmt::format("low >= {0} AND low < {1} AND high <= {1}", from, to);
    case Prefix::ne:
      return fmt::format("(low < {} OR high > {})", from, to);
    case Prefix::gt:
      return fmt::format("high > {}", to);
    case Prefix::lt:
      return fmt::format("low < {}", from);
    case Prefix::ge:
      return fmt::format("(low >= {} OR high > {})", from, to);
    case Prefix::le:
      return fmt::format("low < {1} AND (low < {0} OR high <= {1})", from, to);
    case Prefix::sa:
      return fmt::format("low >= {}", to);
    case Prefix::eb:
      return fmt::format("low < {0} AND high <= {0}", from);
    case Prefix::ap:
      return fmt::format("low < {1} AND high > {0}", from, to);
  }
  return "low > high";
}

// The rows of a composite that may match.
struct CompositeKey {
  std::string text;
  bool is_prefix = false;  // a part is not an equality: rows begin with the text
  std::optional<std::string> system;
  std::optional<NumberRange> range;
  std::string unit;
};

bool is_range(Kind kind) { return kind == Kind::number || kind == Kind::quantity || kind == Kind::date; }

// Rows of a composite that may match; parts that its rows do not tell are left to search::matches.
CompositeKey composite_key(const Condition& condition, const Term& term, const search::Catalogue* catalogue,
                           Instant now) {
  CompositeKey key;
  const auto parameters = search::parameters(catalogue);
  const auto components = condition.parameter->components;
  bool first_token = true;
  bool first = true;
  for (std::size_t i = 0; i < term.parts.size() && i < components.size(); ++i) {
    const Term& part = term.parts[i];
    const Kind kind = parameters[components[i]].kind;
    if (is_range(kind)) {
      if (key.range) continue;
      if (kind == Kind::date) {
        const Term asked = as_asked(part, now);
        key.range = NumberRange{part.prefix, static_cast<double>(asked.low), static_cast<double>(asked.high)};
      } else {
        key.range = NumberRange{part.prefix, part.from, part.to};
        key.unit = part.system;
      }
      continue;
    }
    if (kind == Kind::token && std::exchange(first_token, false) && part.system_is != Term::System::any) {
      key.system = part.system_is == Term::System::named ? part.system : std::string();
    }
    if (key.is_prefix) continue;
    if (!std::exchange(first, false)) key.text += '$';
    key.is_prefix = part.any_code || kind == Kind::string;
    if (!part.any_code) key.text += part.value;
  }
  return key;
}

}  // namespace

// A tenth of the time between the date and now, as the specification recommends.
Term as_asked(const Term& term, Instant now) {
  if (term.prefix != Prefix::ap) return term;
  Term result = term;
  const std::int64_t middle = term.low + (term.high - term.low) / 2;
  const std::int64_t by = std::abs(to_us(now) - middle) / 10;
  result.low = minus(term.low, by);
  result.high = plus(term.high, by);
  return result;
}

std::string_view index_table(Kind kind) {
  switch (kind) {
    case Kind::string:
      return "string_index";
    case Kind::token:
      return "token_index";
    case Kind::reference:
    case Kind::uri:
      return "reference_index";
    case Kind::date:
      return "date_index";
    case Kind::number:
      return "number_index";
    case Kind::quantity:
      return "quantity_index";
    case Kind::composite:
      return "composite_index";
    case Kind::position:
      return "position_index";
    default:
      break;
  }
  return "record";
}

std::string_view value_column(Kind kind) {
  switch (kind) {
    case Kind::string:
      return "value";
    case Kind::token:
      return "code";
    case Kind::reference:
    case Kind::uri:
      return "target";
    case Kind::date:
    case Kind::number:
    case Kind::quantity:
      return "low";
    case Kind::id:
      return "id";
    default:
      break;
  }
  return {};
}

bool has_record_index(Kind kind) {
  return kind == Kind::string || kind == Kind::date || kind == Kind::reference || kind == Kind::uri;
}

std::string SqlText::in_list(std::string_view expression, std::vector<std::string> items) {
  const auto list = value(SqlValue(std::move(items)));
  return fmt::format(fmt::runtime(dialect_.in_list), expression, list);
}

std::string SqlText::system_number(std::string_view uri) {
  return fmt::format("(SELECT number FROM system WHERE uri = {})", value(std::string(uri)));
}

std::vector<RowClause> SqlText::string_clauses(const Condition& condition) {
  std::vector<RowClause> clauses;
  for (const Term& term : condition.any_of) {
    if (condition.modifier == Modifier::exact || condition.modifier == Modifier::is_not) {
      clauses.push_back({.where = fmt::format("value = {}", value(term.value)), .equal = true});
    } else if (condition.modifier == Modifier::contains) {
      clauses.push_back(
          {fmt::format("{}(value, {}) > 0", dialect_.position, value(term.value)), RowClause::By::parameter_only});
    } else if (condition.modifier == Modifier::text) {
      // Each word must begin one: the longest is looked for, search::matches decides.
      const auto words = search::words(term.exact.empty() ? term.value : term.exact);
      const auto longest = std::ranges::max_element(words, {}, &std::string::size);
      clauses.push_back(
          {longest == words.end() ? "1 = 1" : fmt::format("{}(value, {}) > 0", dialect_.position, value(*longest)),
           RowClause::By::parameter_only});
    } else {
      const auto from = value(term.value);
      clauses.push_back(
          {fmt::format("value >= {} AND value < {}", from, value(term.value + std::string(last_character)))});
    }
  }
  return clauses;
}

std::vector<RowClause> SqlText::token_clauses(const Condition& condition) {
  std::vector<RowClause> clauses;
  std::vector<std::string> any_system;
  std::map<std::string, std::vector<std::string>> by_system;
  for (const Term& term : condition.any_of) {
    if (term.any_code) {
      const auto system = term.system_is == Term::System::named ? system_number(term.system) : "0";
      clauses.push_back({fmt::format("system = {}", system), RowClause::By::parameter_only});
    } else if (term.system_is == Term::System::any) {
      any_system.push_back(term.value);
    } else {
      by_system[term.system_is == Term::System::none ? "" : term.system].push_back(term.value);
    }
  }
  const bool separate = condition.any_of.size() <= separate_values_max;
  const auto add = [&](std::vector<std::string> codes, const std::string& and_system) {
    if (separate) {
      for (auto& code : codes) {
        clauses.push_back({.where = fmt::format("code = {}{}", value(std::move(code)), and_system), .equal = true});
      }
    } else if (!codes.empty()) {
      clauses.push_back({in_list("code", std::move(codes)) + and_system});
    }
  };
  add(std::move(any_system), "");
  for (auto& [system, codes] : by_system) {
    add(std::move(codes), fmt::format(" AND system = {}", system.empty() ? "0" : system_number(system)));
  }
  return clauses;
}

// References and URIs.
std::vector<RowClause> SqlText::target_clauses(const Condition& condition) {
  std::vector<RowClause> clauses;
  std::vector<std::string> targets;
  for (const Term& term : condition.any_of) {
    if (condition.modifier == Modifier::contains) {
      clauses.push_back({fmt::format("{}({}, {}) > 0", dialect_.position, target_text("target"), value(term.value)),
                         RowClause::By::parameter_only});
    } else if (condition.modifier == Modifier::below) {
      targets.push_back(term.value);
      const auto begins_with = [&](const std::string& start) {
        const auto from = value(start);
        const auto range = fmt::format("{{0}} >= {} AND {{0}} < {}", from, value(start + std::string(last_character)));
        clauses.push_back(
            {among_targets(fmt::format(fmt::runtime(range), dialect_.targets_are_numbers ? "uri" : "target"))});
      };
      if (term.value.ends_with('/')) {
        begins_with(term.value);
      } else {
        for (const char c : path_ends) begins_with(term.value + c);
      }
    } else if (condition.modifier == Modifier::above) {
      // The value itself and what stands before each end of a step; a slash may be the last of it.
      targets.push_back(term.value);
      for (auto at = term.value.find_first_of(path_ends); at != std::string::npos;
           at = term.value.find_first_of(path_ends, at + 1)) {
        targets.push_back(term.value.substr(0, at));
        if (term.value[at] == '/') targets.push_back(term.value.substr(0, at + 1));
      }
    } else {
      targets.push_back(term.value);
    }
  }
  if (targets.size() <= separate_values_max) {
    for (auto& target : targets) {
      clauses.push_back({.where = target_is("target", value(std::move(target))), .equal = true});
    }
  } else {
    clauses.push_back({among_targets(in_list(dialect_.targets_are_numbers ? "uri" : "target", std::move(targets)))});
  }
  return clauses;
}

std::string SqlText::target_is(std::string_view target, std::string_view text) const {
  return fmt::format(fmt::runtime(dialect_.target_is), target, text);
}

std::string SqlText::target_text(std::string_view target) const {
  return fmt::format(fmt::runtime(dialect_.target_text), target);
}

// `condition` is on the text of targets.
std::string SqlText::among_targets(const std::string& condition) const {
  if (!dialect_.targets_are_numbers) return condition;
  return fmt::format("target IN (SELECT number FROM target WHERE {})", condition);
}

std::string SqlText::date_clause(const Term& asked) {
  const Term term = as_asked(asked, now_);
  const auto from = value(term.low);
  return range_clause(term.prefix, from, value(term.high));
}

void SqlText::date_lead_clauses(const Term& asked, std::vector<RowClause>& clauses) {
  const Term term = as_asked(asked, now_);
  // Rows that end after `end`, each in one of two: begun at most a day before it, or long.
  const auto ends_after = [&](std::int64_t end, std::string_view and_also) {
    const auto bound_end = value(end);
    clauses.push_back({fmt::format("low >= {} AND high > {}{}", value(minus(end, day_us)), bound_end, and_also)});
    clauses.push_back(
        {fmt::format("high > low + {} AND high > {}{}", day_us, bound_end, and_also), RowClause::By::wide});
  };
  switch (term.prefix) {
    case Prefix::gt:
      return ends_after(term.high, "");
    case Prefix::ne:
      clauses.push_back({fmt::format("low < {}", value(term.low))});
      return ends_after(term.high, "");
    case Prefix::ge:
      clauses.push_back({fmt::format("low >= {}", value(term.low))});
      return ends_after(term.high, "");
    case Prefix::ap:
      return ends_after(term.low, fmt::format(" AND low < {}", value(term.high)));
    default:
      clauses.push_back({date_clause(asked)});
  }
}

void SqlText::number_clauses(const NumberRange& range, std::string_view before, bool lead,
                             std::vector<RowClause>& clauses) {
  const auto from = value(range.from);
  const auto to = value(range.to);
  if (!lead) {
    clauses.push_back({fmt::format("{}{}", before, range_clause(range.prefix, from, to))});
    return;
  }
  const auto ends_after = [&](double end, std::string_view bound_end, std::string_view and_also) {
    clauses.push_back(
        {fmt::format("{}low > {} AND high > {}{}", before, value(earliest_low(end)), bound_end, and_also)});
    clauses.push_back({fmt::format("{}{} AND high > {}{}", before, wide, bound_end, and_also), RowClause::By::wide});
  };
  switch (range.prefix) {
    case Prefix::gt:
      return ends_after(range.to, to, "");
    case Prefix::ne:
      clauses.push_back({fmt::format("{}low < {}", before, from)});
      return ends_after(range.to, to, "");
    case Prefix::ge:
      clauses.push_back({fmt::format("{}low >= {}", before, from)});
      return ends_after(range.to, to, "");
    case Prefix::ap:
      return ends_after(range.from, from, fmt::format(" AND low < {}", to));
    default:
      clauses.push_back({fmt::format("{}{}", before, range_clause(range.prefix, from, to))});
  }
}

// What lies in the square around the circle; search::matches measures the distance.
std::vector<RowClause> SqlText::position_clauses(const Condition& condition) {
  std::vector<RowClause> clauses;
  for (const Term& term : condition.any_of) {
    const double up = term.distance_km / kilometres_per_degree;
    auto where = fmt::format("latitude >= {} AND latitude <= {}", value(term.from - up), value(term.from + up));
    const double highest = std::max(std::abs(term.from - up), std::abs(term.from + up));
    const double across = highest >= 89 ? 360 : up / std::cos(highest * pi / 180);
    const double west = term.to - across;
    const double east = term.to + across;
    if (west >= -180 && east <= 180) {
      where += fmt::format(" AND longitude >= {} AND longitude <= {}", value(west), value(east));
    } else if (across < 180) {
      where += fmt::format(" AND (longitude >= {} OR longitude <= {})", value(west < -180 ? west + 360 : west),
                           value(east > 180 ? east - 360 : east));
    }
    clauses.push_back({std::move(where)});
  }
  return clauses;
}

std::vector<RowClause> SqlText::composite_clauses(const Condition& condition) {
  std::vector<RowClause> clauses;
  for (const Term& term : condition.any_of) {
    const CompositeKey key = composite_key(condition, term, catalogue_, now_);
    std::string before;
    if (key.is_prefix) {
      const auto from = value(key.text);
      before = fmt::format("key >= {} AND key < {}", from, value(key.text + std::string(last_character)));
    } else {
      before = fmt::format("key = {}", value(key.text));
    }
    if (key.system) before += fmt::format(" AND system = {}", key.system->empty() ? "0" : system_number(*key.system));
    if (key.range && !key.unit.empty()) {
      before += fmt::format(" AND unit = {}", system_number(key.unit));
    } else {
      before += " AND unit = 0";
    }
    if (!key.range) {
      if (!key.is_prefix) before += " AND low = 0 AND high = 0";
      clauses.push_back({std::move(before)});
      continue;
    }
    before += " AND ";
    number_clauses(*key.range, before, false, clauses);
  }
  return clauses;
}

std::vector<RowClause> SqlText::clauses(const Condition& condition, bool lead) {
  std::vector<RowClause> clauses;
  switch (condition.parameter->kind) {
    case Kind::string:
      return string_clauses(condition);
    case Kind::token:
      return token_clauses(condition);
    case Kind::reference:
    case Kind::uri:
      return target_clauses(condition);
    case Kind::position:
      return position_clauses(condition);
    case Kind::composite:
      return composite_clauses(condition);
    case Kind::date:
      for (const Term& term : condition.any_of) {
        if (lead) {
          date_lead_clauses(term, clauses);
        } else {
          clauses.push_back({date_clause(term)});
        }
      }
      break;
    case Kind::number:
      for (const Term& term : condition.any_of) {
        number_clauses({term.prefix, term.from, term.to}, "", lead, clauses);
      }
      break;
    case Kind::quantity:
      for (const Term& term : condition.any_of) {
        // A unit as written says nothing of the canonical one: the number as written is compared.
        const auto unit = term.system.empty() ? "0" : system_number(term.system);
        number_clauses({term.prefix, term.from, term.to}, fmt::format("unit = {} AND ", unit), false, clauses);
      }
      break;
    default:
      break;
  }
  return clauses;
}

}  // namespace mydr24::store
