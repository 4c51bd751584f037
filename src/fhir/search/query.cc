// parse_query: what the parameters of a search mean, those about the answer here, conditions in conditions.cc.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "fhir/search/conditions.h"
#include "fhir/search/filter.h"

namespace mydr24::search {
namespace {

constexpr std::size_t issues_max = 20;
constexpr std::size_t elements_max = 256;

template <class Value>
struct Word {
  std::string_view word;
  Value value;
};

template <class Value, std::size_t size>
std::optional<Value> value_of(const std::array<Word<Value>, size>& words, std::string_view text) {
  const auto found = std::ranges::find(words, text, &Word<Value>::word);
  return found == words.end() ? std::nullopt : std::optional(found->value);
}

bool has_order(Kind kind) { return kind != Kind::composite && kind != Kind::position && kind != Kind::text; }

class QueryParser {
 public:
  QueryParser(std::string_view type, const ParseOptions& options)
      : options_(options), catalogue_(Catalogue::of(options.catalogue.get())), conditions_(catalogue_, options) {
    query_.type = type;
    query_.catalogue = options.catalogue;
  }

  std::expected<Query, Refusal> run(std::span<const std::pair<std::string, std::string>> parameters) {
    if (model::find_resource(query_.type) == nullptr) {
      refuse("not-supported", "", fmt::format("'{}' is not a resource type of FHIR R4.", query_.type.substr(0, 64)));
      return std::unexpected(std::move(refusal_));
    }
    for (const auto& [name, value] : parameters) {
      if (refusal_.issues.size() >= issues_max) break;
      if (!control(name, value)) condition(name, value);
    }
    if (!refusal_.issues.empty()) return std::unexpected(std::move(refusal_));
    return std::move(query_);
  }

 private:
  void refuse(std::string_view code, std::string_view name, std::string text) {
    refusal_.issues.push_back({model::Severity::error, std::string(code), std::move(text), std::string(name)});
  }

  void understood(std::string_view name, std::string_view value) { query_.processed.emplace_back(name, value); }

  // A name that is not known: refused, or left out when the client asked for that.
  void leave_out(std::string_view name, std::string text) {
    if (!options_.lenient) return refuse("not-supported", name, std::move(text));
    if (options_.ignored == nullptr) return;
    options_.ignored->push_back({model::Severity::warning, "not-supported", std::move(text), std::string(name)});
  }

  // The parameters about the answer rather than the resources. False: it is none of these.
  bool control(std::string_view name, const std::string& value) {
    if (name == "_format" || name == "_pretty") return true;
    if (name == "_cursor") return query_.cursor = value, true;
    if (name == "_count") return count(value), true;
    if (name == "_total") return total(value), true;
    if (name == "_sort") return sort(value), true;
    if (name == "_summary") return summary(value), true;
    if (name == "_elements") return elements(value), true;
    if (name == "_contained") return contained(value), true;
    if (name == "_containedType") return contained_type(value), true;
    if (name == "_type") return type(value), true;
    const auto base = name.substr(0, name.find(':'));
    if (base == "_include" || base == "_revinclude") return include(name, value), true;
    return false;
  }

  void count(std::string_view value) {
    const bool digits = !value.empty() && std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
    if (!digits) return refuse("value", "_count", fmt::format("_count is a number from 0 to {}.", count_max));
    std::uint32_t wanted = 0;
    const auto parsed = std::from_chars(value.data(), value.data() + value.size(), wanted);
    wanted = parsed.ec == std::errc() ? std::min(wanted, count_max) : count_max;
    if (query_.summary != Summary::count) query_.count = wanted;
    understood("_count", fmt::to_string(wanted));
  }

  void total(std::string_view value) {
    constexpr auto words = std::to_array<Word<Total>>(
        {{"none", Total::none}, {"estimate", Total::estimate}, {"accurate", Total::accurate}});
    const auto asked = value_of(words, value);
    if (!asked) return refuse("value", "_total", "_total is none, estimate or accurate.");
    query_.total = *asked;
    understood("_total", value);
  }

  void summary(std::string_view value) {
    constexpr auto words = std::to_array<Word<Summary>>({{"false", Summary::no},
                                                         {"true", Summary::yes},
                                                         {"text", Summary::text},
                                                         {"data", Summary::data},
                                                         {"count", Summary::count}});
    const auto asked = value_of(words, value);
    if (!asked) return refuse("value", "_summary", "_summary is true, text, data, count or false.");
    query_.summary = *asked;
    if (*asked == Summary::count) query_.count = 0;
    if (*asked != Summary::no) understood("_summary", value);
  }

  void contained(std::string_view value) {
    constexpr auto words =
        std::to_array<Word<Contained>>({{"false", Contained::no}, {"true", Contained::yes}, {"both", Contained::both}});
    const auto asked = value_of(words, value);
    if (!asked) return refuse("value", "_contained", "_contained is true, both or false.");
    query_.contained = *asked;
    understood("_contained", value);
  }

  void contained_type(std::string_view value) {
    if (value != "container" && value != "contained") {
      return refuse("value", "_containedType", "_containedType is container or contained.");
    }
    query_.contained_alone = value == "contained";
    understood("_containedType", value);
  }

  // A search of the whole system is one search for each type: this one is asked for its own.
  void type(std::string_view value) {
    const auto types = split_unescaped(value, ',');
    if (std::ranges::find(types, query_.type) == types.end()) {
      return refuse("value", "_type", fmt::format("This search is for {}: leave _type out.", query_.type));
    }
    understood("_type", value);
  }

  void elements(std::string_view value) {
    const model::Type* resource = model::find_resource(query_.type);
    for (const auto part : split_unescaped(value, ',')) {
      auto name = part;
      if (const auto dot = part.find('.'); dot != std::string_view::npos && part.substr(0, dot) == query_.type) {
        name = part.substr(dot + 1);
      }
      const bool known = name == "resourceType" || std::ranges::any_of(resource->elements, [&](const auto& element) {
                           return element.name == name || (!element.choice.empty() && element.choice == name);
                         });
      if (!known) {
        leave_out("_elements", fmt::format("{} has no element '{}'.", query_.type, name.substr(0, 64)));
        continue;
      }
      if (query_.elements.size() == elements_max) {
        return refuse("too-costly", "_elements", fmt::format("_elements has at most {} names.", elements_max));
      }
      query_.elements.emplace_back(name);
    }
    if (!query_.elements.empty()) understood("_elements", value);
  }

  void sort(std::string_view value) {
    const auto keys = split_unescaped(value, ',');
    if (!query_.sort.empty() || query_.by_last_updated) {
      return refuse("value", "_sort", "Write one _sort with commas between its keys.");
    }
    if (keys.size() > sorts_max)
      return refuse("too-costly", "_sort", fmt::format("_sort has at most {} keys.", sorts_max));
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const bool descending = keys[i].starts_with('-');
      const auto code = keys[i].substr(descending ? 1 : 0);
      // The last key breaks ties in the order in which changes were written.
      if (code == "_lastUpdated" && i + 1 == keys.size()) {
        query_.by_last_updated = true;
        query_.order = descending ? Order::newest_first : Order::oldest_first;
        continue;
      }
      const Parameter* parameter = catalogue_.find(query_.type, code);
      if (parameter == nullptr) return leave_out("_sort", conditions_.unknown(query_.type, code).text);
      if (!has_order(parameter->kind)) {
        return refuse("not-supported", "_sort", fmt::format("'{}' has no order to sort by.", code));
      }
      query_.sort.push_back({parameter, descending});
    }
    understood("_sort", value);
  }

  void include(std::string_view name, std::string_view value) {
    const auto colon = name.find(':');
    const auto modifier = colon == std::string_view::npos ? std::string_view() : name.substr(colon + 1);
    const bool iterate = modifier == "iterate" || modifier == "recurse";
    if (colon != std::string_view::npos && !iterate) {
      return refuse("not-supported", name,
                    fmt::format("'{}' takes the modifier :iterate only.", name.substr(0, colon)));
    }
    Include include{.reverse = name.starts_with("_rev"), .iterate = iterate, .source = {}, .target = {}};
    if (const auto wrong = read_include(value, include); !wrong.empty()) return refuse("value", name, wrong);
    if (query_.includes.size() == includes_max) {
      return refuse("too-costly", name, fmt::format("A search has at most {} includes.", includes_max));
    }
    query_.includes.push_back(std::move(include));
    understood(name, value);
  }

  // "*", "TYPE:*", "TYPE:PARAMETER", "TYPE:PARAMETER:TARGET". What is wrong; empty when nothing is.
  std::string read_include(std::string_view value, Include& include) {
    if (value == "*") return {};
    const auto parts = split_unescaped(value, ':');
    if (parts.size() < 2 || parts.size() > 3) return "Write TYPE:PARAMETER, TYPE:PARAMETER:TARGET, TYPE:* or *.";
    if (model::find_resource(parts[0]) == nullptr) {
      return fmt::format("'{}' is not a resource type of FHIR R4.", parts[0].substr(0, 64));
    }
    include.source = parts[0];
    if (parts.size() == 3) {
      if (model::find_resource(parts[2]) == nullptr) {
        return fmt::format("'{}' is not a resource type of FHIR R4.", parts[2].substr(0, 64));
      }
      include.target = parts[2];
    }
    if (parts[1] == "*") return {};
    const Parameter* parameter = catalogue_.find(parts[0], parts[1]);
    if (parameter == nullptr) return conditions_.unknown(parts[0], parts[1]).text;
    if (parameter->kind != Kind::reference) return fmt::format("'{}' of {} is no reference.", parts[1], parts[0]);
    const auto allowed = parameter->targets;
    const auto leads_to = [&](std::string_view target) {
      return allowed.empty() || std::ranges::find(allowed, target) != allowed.end();
    };
    if (!include.target.empty() && !leads_to(include.target)) {
      return fmt::format("'{}' of {} does not refer to {}.", parts[1], parts[0], include.target);
    }
    include.parameter = parameter;
    return {};
  }

  void condition(std::string_view name, std::string_view value) {
    auto condition = parsed(name, value);
    if (!condition) {
      Problem& problem = condition.error();
      if (problem.unknown) return leave_out(name, std::move(problem.text));
      return refuse(problem.code, name, std::move(problem.text));
    }
    if (query_.conditions.size() == conditions_max) {
      return refuse("too-costly", name, fmt::format("A search has at most {} conditions.", conditions_max));
    }
    query_.conditions.push_back(std::move(*condition));
    understood(name, value);
  }

  Parsed<Condition> parsed(std::string_view name, std::string_view value) {
    if (name == "_filter") return parse_filter(conditions_, query_.type, value);
    if (name == "_list") return conditions_.list(query_.type, value);
    return conditions_.parse(query_.type, name, value);
  }

  const ParseOptions& options_;
  const Catalogue& catalogue_;
  ConditionParser conditions_;
  Query query_;
  Refusal refusal_;
};

}  // namespace

std::expected<Query, Refusal> parse_query(std::string_view type,
                                          std::span<const std::pair<std::string, std::string>> parameters,
                                          const ParseOptions& options) {
  return QueryParser(type, options).run(parameters);
}

std::expected<Query, Refusal> parse_query(std::string_view type,
                                          std::span<const std::pair<std::string, std::string>> parameters, bool lenient,
                                          std::vector<model::Issue>* ignored) {
  ParseOptions options;
  options.lenient = lenient;
  options.ignored = ignored;
  return parse_query(type, parameters, options);
}

}  // namespace mydr24::search
