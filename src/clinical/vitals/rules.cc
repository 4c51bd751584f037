#include "clinical/vitals/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/json/document.h"
#include "base/json/writer.h"

namespace mydr24::vitals {
namespace {

constexpr std::string_view format_name = "mydr24.vitals-rules.v1";
constexpr std::size_t id_bytes_max = 40;
constexpr std::size_t title_bytes_max = 80;
constexpr std::uint32_t seconds_max = 600;
constexpr std::uint32_t samples_max = 16;

struct Named {
  std::string_view name;
  SignalRange range;
};
// In the order of Signal. The ranges of signs are those of plausible().
constexpr std::array<Named, signal_count> signals{{{"respiration", {0, 80}},
                                                   {"spo2", {30, 100}},
                                                   {"systolic", {30, 300}},
                                                   {"pulse", {0, 300}},
                                                   {"temperature", {20, 45}},
                                                   {"consciousness", {0, 4}},
                                                   {"coma_score", {3, 15}},
                                                   {"news2", {0, 20}},
                                                   {"news2_band", {0, 3}},
                                                   {"qsofa", {0, 3}},
                                                   {"sirs", {0, 4}}}};

constexpr std::array<std::string_view, 12> members{"id",       "title", "signal",  "at_least",   "at_most", "clear",
                                                   "severity", "class", "persist", "population", "policy",  "note"};

class Parser {
 public:
  explicit Parser(std::string_view source) : source_(source) {}

  Result<RuleSet> parse(json::Value root) {
    if (!root.is_object()) return wrong(root, "a rule set is a JSON object");
    if (root["format"].text() != format_name)
      return wrong(root["format"].exists() ? root["format"] : root, fmt::format("format is \"{}\"", format_name));
    RuleSet set;
    for (const json::Value member : root) {
      if (member.key() == "name") {
        set.name = member.text();
      } else if (member.key() != "format" && member.key() != "rules" && member.key() != "note") {
        return wrong(member,
                     fmt::format("there is no member {}; a set has format, name, note and rules", member.key()));
      }
    }
    const json::Value rules = root["rules"];
    if (!rules.is_array() || rules.size() == 0 || rules.size() > rules_max)
      return wrong(rules.exists() ? rules : root, fmt::format("rules is a list of 1 to {} rules", rules_max));
    for (const json::Value value : rules) {
      MYDR24_ASSIGN(Rule rule, parse_rule(value));
      if (set.find(rule.id) != nullptr) return wrong(value, fmt::format("there is another rule \"{}\"", rule.id));
      set.rules.push_back(std::move(rule));
    }
    if (std::ranges::none_of(set.rules, [](const Rule& r) { return r.severity == alerts::Severity::emergency; }))
      return wrong(rules, "no rule is of severity emergency: such a set would call nobody to a dying patient");
    return set;
  }

 private:
  Error wrong(json::Value at, std::string text) const {
    const auto before = source_.substr(0, at.exists() ? at.offset() : 0);
    const auto line = std::ranges::count(before, '\n') + 1;
    return fail(Code::invalid, fmt::format("line {}: {}", line, text), fmt::format("line {}", line));
  }

  Result<double> number(json::Value value) const {
    double parsed = 0;
    const std::string_view text = value.text();
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), parsed);
    if (!value.is_number() || error != std::errc() || end != text.data() + text.size())
      return wrong(value, fmt::format("{} is a number", value.key()));
    return parsed;
  }

  Result<std::uint32_t> count(json::Value value, std::uint32_t max) const {
    MYDR24_ASSIGN(const double parsed, number(value));
    if (parsed < 1 || parsed > max || parsed != static_cast<std::uint32_t>(parsed))
      return wrong(value, fmt::format("{} is a whole number from 1 to {}", value.key(), max));
    return static_cast<std::uint32_t>(parsed);
  }

  Result<Rule> parse_rule(json::Value value) const {
    if (!value.is_object()) return wrong(value, "a rule is a JSON object");
    for (const json::Value member : value)
      if (std::ranges::find(members, member.key()) == members.end())
        return wrong(member,
                     fmt::format("a rule has no member {}; there are {}", member.key(), fmt::join(members, ", ")));
    Rule rule;
    MYDR24_TRY(parse_identity(value, rule));
    MYDR24_TRY(parse_condition(value, rule));
    MYDR24_TRY(parse_class(value, rule));
    return rule;
  }

  Result<> parse_identity(json::Value value, Rule& rule) const {
    rule.id = value["id"].text();
    const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
    if (rule.id.empty() || rule.id.size() > id_bytes_max || !std::ranges::all_of(rule.id, allowed))
      return wrong(value["id"].exists() ? value["id"] : value,
                   fmt::format("id is 1 to {} characters of a-z, 0-9 and -", id_bytes_max));
    rule.title = value["title"].text();
    if (rule.title.size() > title_bytes_max)
      return wrong(value["title"], fmt::format("title is at most {} bytes", title_bytes_max));
    rule.policy = value["policy"].text();
    const std::string_view severity = value["severity"].text();
    for (const auto each : {alerts::Severity::emergency, alerts::Severity::urgent, alerts::Severity::advisory}) {
      if (alerts::to_string(each) != severity) continue;
      rule.severity = each;
      return {};
    }
    return wrong(value["severity"].exists() ? value["severity"] : value, "severity is emergency, urgent or advisory");
  }

  Result<> parse_condition(json::Value value, Rule& rule) const {
    const auto signal = signal_of(value["signal"].text());
    if (!signal) {
      std::vector<std::string_view> names;
      for (const Named& each : signals) names.push_back(each.name);
      return wrong(value["signal"].exists() ? value["signal"] : value,
                   fmt::format("signal is one of {}", fmt::join(names, ", ")));
    }
    rule.signal = *signal;
    if (rule.title.empty()) rule.title = fmt::format("Vital signs: {}", to_string(*signal));
    const json::Value low = value["at_most"];
    const json::Value high = value["at_least"];
    if (low.exists() == high.exists()) return wrong(value, "a rule has either at_least or at_most");
    rule.upward = high.exists();
    const json::Value threshold = rule.upward ? high : low;
    MYDR24_ASSIGN(rule.threshold, number(threshold));
    const SignalRange range = range_of(rule.signal);
    if (rule.threshold < range.low || rule.threshold > range.high)
      return wrong(threshold, fmt::format("{} is from {} to {}", to_string(rule.signal), range.low, range.high));
    rule.clear = rule.threshold;
    if (const json::Value clear = value["clear"]) {
      MYDR24_ASSIGN(rule.clear, number(clear));
      if (rule.upward ? rule.clear > rule.threshold : rule.clear < rule.threshold)
        return wrong(clear, "clear is on the healthy side of the threshold");
      if (rule.clear < range.low || rule.clear > range.high)
        return wrong(clear, fmt::format("{} is from {} to {}", to_string(rule.signal), range.low, range.high));
      // Where nothing is below or above it, the alert could never end.
      if (rule.upward ? rule.clear == range.low : rule.clear == range.high)
        return wrong(clear, "with this clear the alert would never end");
    }
    return {};
  }

  Result<> parse_class(json::Value value, Rule& rule) const {
    const std::string_view population = value["population"].exists() ? value["population"].text() : "adult";
    if (population != "adult" && population != "all") return wrong(value["population"], "population is adult or all");
    rule.adults_only = population == "adult";
    const std::string_view name = value["class"].text();
    const json::Value persist = value["persist"];
    if (name == "life-threat") {
      rule.rule_class = RuleClass::life_threat;
      if (persist.exists()) return wrong(persist, "a life-threat calls at once: it has no persist");
      return {};
    }
    if (name != "sustained")
      return wrong(value["class"].exists() ? value["class"] : value, "class is life-threat or sustained");
    rule.rule_class = RuleClass::sustained;
    if (persist.size() == 1 && persist["seconds"].exists()) {
      MYDR24_ASSIGN(rule.seconds, count(persist["seconds"], seconds_max));
      return {};
    }
    if (persist.size() != 2 || !persist["samples"].exists() || !persist["of"].exists())
      return wrong(persist.exists() ? persist : value,
                   R"(a sustained rule has persist: {"seconds": n} or {"samples": n, "of": m})");
    MYDR24_ASSIGN(rule.of, count(persist["of"], samples_max));
    MYDR24_ASSIGN(rule.samples, count(persist["samples"], rule.of));
    return {};
  }

  std::string_view source_;
};

}  // namespace

std::string_view to_string(Signal signal) { return signals[static_cast<std::size_t>(signal)].name; }

std::optional<Signal> signal_of(std::string_view name) {
  for (std::size_t i = 0; i < signals.size(); ++i)
    if (signals[i].name == name) return static_cast<Signal>(i);
  return std::nullopt;
}

SignalRange range_of(Signal signal) { return signals[static_cast<std::size_t>(signal)].range; }

std::string_view to_string(RuleClass rule_class) {
  return rule_class == RuleClass::life_threat ? "life-threat" : "sustained";
}

bool Rule::holds(double value) const {
  if (exclusive) return upward ? value > threshold : value < threshold;
  return upward ? value >= threshold : value <= threshold;
}

bool Rule::is_clear(double value) const {
  if (holds(value)) return false;
  if (exclusive) return true;
  return upward ? value < clear : value > clear;
}

const Rule* RuleSet::find(std::string_view id) const {
  const auto found = std::ranges::find(rules, id, &Rule::id);
  return found == rules.end() ? nullptr : &*found;
}

Result<RuleSet> parse_rules(std::string_view text) {
  if (text.size() > rules_bytes_max)
    return fail(Code::too_large, fmt::format("a rule set has at most {} bytes", rules_bytes_max));
  MYDR24_ASSIGN(const json::Document document, json::Document::parse_view(text));
  return Parser(text).parse(document.root());
}

const RuleSet& default_rules() {
  static const RuleSet set = *parse_rules(default_rules_text());
  return set;
}

std::string to_json(const Rule& rule) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object()
      .field("id", rule.id)
      .field("title", rule.title)
      .field("signal", to_string(rule.signal))
      .field(rule.upward ? "at_least" : "at_most", rule.threshold)
      .field("clear", rule.clear)
      .field("severity", alerts::to_string(rule.severity))
      .field("class", to_string(rule.rule_class));
  if (rule.of > 0)
    writer.key("persist").begin_object().field("samples", rule.samples).field("of", rule.of).end_object();
  else if (rule.seconds > 0)
    writer.key("persist").begin_object().field("seconds", rule.seconds).end_object();
  writer.field("population", rule.adults_only ? "adult" : "all").field("policy", rule.policy).end_object();
  return out;
}

}  // namespace mydr24::vitals
