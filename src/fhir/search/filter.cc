#include "fhir/search/filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace mydr24::search {
namespace {

using FilterForm = Condition::Form;

constexpr std::size_t depth_max = 32;

constexpr auto operators = std::to_array<std::string_view>(
    {"eq", "ne", "co", "sw", "ew", "gt", "lt", "ge", "le", "ap", "sa", "eb", "pr", "po", "ss", "sb", "in", "ni", "re"});

bool is_operator(std::string_view word) { return std::ranges::find(operators, word) != operators.end(); }

bool compares(Kind kind) {
  return kind == Kind::date || kind == Kind::last_updated || kind == Kind::number || kind == Kind::quantity;
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == ':';
}

std::vector<Condition> only(Condition condition) {
  std::vector<Condition> parts;
  parts.push_back(std::move(condition));
  return parts;
}

// The parser of values reads backslashes as escapes; here they are characters.
std::string escaped(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\\' || c == ',') out += '\\';
    out += c;
  }
  return out;
}

class FilterParser {
 public:
  FilterParser(ConditionParser& conditions, std::string_view text) : conditions_(conditions), text_(text) {}

  Parsed<Condition> run(std::string_view type) {
    auto condition = any(type, 0);
    if (!condition) return condition;
    skip_space();
    if (!at_end()) return wrong("the end");
    return condition;
  }

 private:
  std::unexpected<Problem> wrong(std::string_view expected) const {
    return refuse("value", fmt::format("_filter, at character {}: expected {}.", at_ + 1, expected));
  }

  Parsed<Condition> any(std::string_view type, std::size_t depth) { return joined(type, depth, "or", FilterForm::any); }

  // `and` binds more tightly than `or`.
  Parsed<Condition> joined(std::string_view type, std::size_t depth, std::string_view word, FilterForm form) {
    if (depth > depth_max) return refuse("too-costly", fmt::format("_filter has at most {} levels.", depth_max));
    const auto next = [&] {
      return form == FilterForm::any ? joined(type, depth, "and", FilterForm::all) : term(type, depth);
    };
    std::vector<Condition> parts;
    do {
      auto part = next();
      if (!part) return part;
      parts.push_back(std::move(*part));
      if (parts.size() > tree_max) {
        return refuse("too-costly", fmt::format("_filter has at most {} conditions.", tree_max));
      }
    } while (take_word(word));
    if (parts.size() == 1) return std::move(parts.front());
    return combined(form, std::move(parts));
  }

  Parsed<Condition> term(std::string_view type, std::size_t depth) {
    if (take_word("not")) {
      auto inner = term(type, depth + 1);
      if (!inner || depth > depth_max) return inner;
      return combined(FilterForm::none, only(std::move(*inner)));
    }
    skip_space();
    if (!take('(')) return path(type, depth);
    auto inner = any(type, depth + 1);
    if (!inner) return inner;
    skip_space();
    if (!take(')')) return wrong("')'");
    return inner;
  }

  // NAME op VALUE, NAME.path, NAME[filter].path
  Parsed<Condition> path(std::string_view type, std::size_t depth) {
    if (depth > depth_max) return refuse("too-costly", fmt::format("_filter has at most {} levels.", depth_max));
    skip_space();
    const auto name = take_name();
    if (name.empty()) return wrong("a parameter");
    if (at_end() || (text_[at_] != '.' && text_[at_] != '[')) return comparison(type, name);
    // The text behind the name is read once for each type that it may lead to.
    const std::size_t begin = at_;
    std::size_t end = begin;
    auto condition = conditions_.chain(type, name, [&](std::string_view target) -> Parsed<std::vector<Condition>> {
      at_ = begin;
      std::vector<Condition> parts;
      if (take('[')) {
        auto filter = any(target, depth + 1);
        if (!filter) return std::unexpected(std::move(filter.error()));
        parts.push_back(std::move(*filter));
        skip_space();
        if (!take(']')) return wrong("']'");
      }
      if (!take('.')) return wrong("'.' and a parameter");
      auto rest = path(target, depth + 1);
      if (!rest) return std::unexpected(std::move(rest.error()));
      parts.push_back(std::move(*rest));
      end = at_;
      return parts;
    });
    at_ = end;
    return condition;
  }

  Parsed<Condition> comparison(std::string_view type, std::string_view name) {
    skip_space();
    const auto op = take_name();
    if (!is_operator(op)) return wrong(fmt::format("one of {}", fmt::join(operators, " ")));
    skip_space();
    const auto value = take_value();
    if (!value || value->empty()) return wrong("a value");
    const Parameter* parameter = conditions_.catalogue().find(type, name);
    if (parameter == nullptr) return std::unexpected(conditions_.unknown(type, name));
    return compared(type, *parameter, op, escaped(*value));
  }

  Parsed<Condition> compared(std::string_view type, const Parameter& parameter, std::string_view op,
                             const std::string& value) {
    const Kind kind = parameter.kind;
    const auto matching = [&](std::string_view modifier, std::string_view prefix = {}) {
      const auto name = fmt::format("{}{}{}", parameter.code, modifier.empty() ? "" : ":", modifier);
      return conditions_.match(type, name, fmt::format("{}{}", prefix, value));
    };
    const auto negated = [](Parsed<Condition> condition) -> Parsed<Condition> {
      if (!condition) return condition;
      return combined(FilterForm::none, only(std::move(*condition)));
    };
    if (op == "pr") return presence(parameter, value);
    if (kind == Kind::string) {
      if (op == "eq" || op == "ne") return equality(matching(""), op == "eq");
      if (op == "sw") return matching("");
      if (op == "co") return matching("contains");
      if (op == "ew") return ending(matching("contains"));
    } else if (compares(kind)) {
      if (op == "po" && (kind == Kind::date || kind == Kind::last_updated)) return overlap(parameter, matching);
      constexpr auto prefixes = std::to_array<std::string_view>({"eq", "ne", "gt", "lt", "ge", "le", "ap", "sa", "eb"});
      if (std::ranges::find(prefixes, op) != prefixes.end()) return matching("", op);
    } else if (op == "eq" || (op == "re" && kind == Kind::reference)) {
      return matching("");
    } else if (op == "ne") {
      return negated(matching(""));
    } else if (kind == Kind::token) {
      // The code asked for subsumes one of the resource: that one is below it.
      if (op == "ss") return matching("below");
      if (op == "sb") return matching("above");
      if (op == "in") return matching("in");
      if (op == "ni") return matching("not-in");
    }
    return refuse("not-supported", fmt::format("_filter: this server cannot apply '{}' to '{}'.", op, parameter.code));
  }

  // Texts are equal when they are folded to the same; the parser of values asks for their beginning.
  static Parsed<Condition> equality(Parsed<Condition> condition, bool equal) {
    if (!condition) return condition;
    condition->modifier = Modifier::is_not;
    if (!equal) return condition;
    return combined(FilterForm::none, only(std::move(*condition)));
  }

  static Parsed<Condition> ending(Parsed<Condition> condition) {
    if (condition) condition->any_of.front().at_end = true;
    return condition;
  }

  Parsed<Condition> presence(const Parameter& parameter, std::string_view value) {
    if (value != "true" && value != "false") return refuse("value", "_filter: pr takes true or false.");
    if (parameter.kind == Kind::id || parameter.kind == Kind::last_updated || parameter.kind == Kind::text) {
      return refuse("not-supported", fmt::format("_filter: this server cannot apply 'pr' to '{}'.", parameter.code));
    }
    return missing(parameter, value == "false");
  }

  // Neither wholly after nor wholly before.
  template <class Matching>
  Parsed<Condition> overlap(const Parameter& parameter, const Matching& matching) {
    auto after = matching("", "sa"), before = matching("", "eb");
    if (!after) return after;
    if (!before) return before;
    std::vector<Condition> outside;
    outside.push_back(std::move(*after));
    outside.push_back(std::move(*before));
    auto touching = combined(FilterForm::none, std::move(outside));
    if (parameter.kind == Kind::last_updated) return touching;
    std::vector<Condition> parts;
    parts.push_back(missing(parameter, false));
    parts.push_back(std::move(touching));
    return combined(FilterForm::all, std::move(parts));
  }

  bool at_end() const { return at_ >= text_.size(); }
  void skip_space() {
    while (!at_end() && text_[at_] == ' ') ++at_;
  }
  bool take(char c) {
    if (at_end() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  // A word with something else behind it.
  bool take_word(std::string_view word) {
    const std::size_t before = at_;
    skip_space();
    const auto rest = text_.substr(at_);
    const bool whole = rest.starts_with(word) && rest.size() > word.size() && !is_name_character(rest[word.size()]) &&
                       rest[word.size()] != '.' && rest[word.size()] != '[';
    if (!whole || (word != "not" && at_ == before)) {
      at_ = before;
      return false;
    }
    // "not eq 5" compares a parameter called not.
    at_ += word.size();
    return true;
  }
  std::string_view take_name() {
    const std::size_t begin = at_;
    while (!at_end() && is_name_character(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }
  // "text" with backslash escapes, or everything up to a space or a bracket that closes.
  std::optional<std::string> take_value() {
    std::string value;
    if (!take('"')) {
      while (!at_end() && text_[at_] != ' ' && text_[at_] != ')' && text_[at_] != ']') value += text_[at_++];
      return value;
    }
    while (!at_end() && text_[at_] != '"') {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      value += text_[at_++];
    }
    if (!take('"')) return std::nullopt;
    return value;
  }

  ConditionParser& conditions_;
  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

Parsed<Condition> parse_filter(ConditionParser& conditions, std::string_view type, std::string_view filter) {
  if (filter.size() > filter_bytes_max) {
    return refuse("too-costly", fmt::format("_filter has at most {} bytes.", filter_bytes_max));
  }
  return FilterParser(conditions, filter).run(type);
}

}  // namespace mydr24::search
