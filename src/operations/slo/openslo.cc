// OpenSLO v1 in YAML, in and out.

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>

#include "base/json/document.h"
#include "base/json/writer.h"
#include "operations/slo/slo.h"

namespace mydr24::slo {
namespace {

constexpr std::size_t documents_max = 500;
constexpr int depth_max = 24;
constexpr std::size_t nodes_max = 50'000;
constexpr std::array<std::string_view, 6> other_kinds{"DataSource",     "SLI",     "AlertPolicy",
                                                      "AlertCondition", "Service", "AlertNotificationTarget"};

// An element that knows where it stands.
struct At {
  YAML::Node node;
  std::string path;
  int line = 0;

  bool exists() const { return node.IsDefined() && !node.IsNull(); }
  At operator[](const std::string& name) const {
    const YAML::Node& whole = node;
    const YAML::Node found = exists() && whole.IsMap() ? whole[name] : YAML::Node(YAML::NodeType::Undefined);
    return make(found, path.empty() ? name : path + "." + name);
  }
  At item(std::size_t index) const { return make(node[index], fmt::format("{}[{}]", path, index)); }
  At make(const YAML::Node& found, std::string where) const {
    const bool marked = found.IsDefined() && found.Mark().line >= 0;
    return {found, std::move(where), marked ? found.Mark().line + 1 : line};
  }
  Error bad(std::string_view text) const {
    return fail(Code::invalid, std::string(text), fmt::format("line {}: {}", line, path.empty() ? "document" : path));
  }
  Result<std::string> text() const {
    if (!exists()) return std::string();
    if (!node.IsScalar()) return bad("a text is expected here");
    return node.Scalar();
  }
  Result<std::optional<double>> number() const {
    if (!exists()) return std::optional<double>();
    MYDR24_ASSIGN(const std::string written, text());
    double value = 0;
    const auto [end, error] = std::from_chars(written.data(), written.data() + written.size(), value);
    if (error != std::errc() || end != written.data() + written.size() || !std::isfinite(value))
      return bad("a number is expected here");
    return std::optional(value);
  }
  Result<bool> truth(bool otherwise) const {
    MYDR24_ASSIGN(const std::string written, text());
    if (written.empty()) return otherwise;
    if (written != "true" && written != "false") return bad("true or false");
    return written == "true";
  }
  Result<> map() const { return exists() && node.IsMap() ? Result<>() : bad("a mapping is expected here"); }
  Result<> list() const { return !exists() || node.IsSequence() ? Result<>() : bad("a list is expected here"); }
  std::size_t size() const { return exists() && node.IsSequence() ? node.size() : 0; }
};

void write_scalar(json::Writer& out, const YAML::Node& node) {
  const std::string& text = node.Scalar();
  const bool is_plain = node.Tag() != "!";
  if (is_plain && (text == "true" || text == "false")) {
    out.boolean(text == "true");
    return;
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_number = error == std::errc() && end == text.data() + text.size() && std::isfinite(value);
  if (is_plain && is_number)
    out.number(value);
  else
    out.string(text);
}

Result<> write_json(json::Writer& out, const At& at, int depth, std::size_t& nodes) {
  if (depth > depth_max || ++nodes > nodes_max) return at.bad("it is too deep or too large");
  if (!at.exists()) {
    out.null();
  } else if (at.node.IsScalar()) {
    write_scalar(out, at.node);
  } else if (at.node.IsSequence()) {
    out.begin_array();
    for (std::size_t i = 0; i < at.size(); ++i) MYDR24_TRY(write_json(out, at.item(i), depth + 1, nodes));
    out.end_array();
  } else {
    out.begin_object();
    for (const auto& member : at.node) {
      out.key(member.first.Scalar());
      MYDR24_TRY(write_json(out, at.make(member.second, at.path + "." + member.first.Scalar()), depth + 1, nodes));
    }
    out.end_object();
  }
  return {};
}

Result<std::string> json_of(const At& at) {
  std::string text;
  if (!at.exists()) return text;
  json::Writer out(text);
  std::size_t nodes = 0;
  MYDR24_TRY(write_json(out, at, 0, nodes));
  return text;
}

Result<MetricSource> read_source(const At& metric) {
  const At at = metric["metricSource"];
  MYDR24_TRY(at.map());
  MetricSource source;
  MYDR24_ASSIGN(source.ref, at["metricSourceRef"].text());
  MYDR24_ASSIGN(source.type, at["type"].text());
  if (source.ref.empty() && source.type.empty()) return at.bad("it has a type, or a metricSourceRef");
  MYDR24_TRY(at["spec"].map());
  MYDR24_ASSIGN(source.spec, json_of(at["spec"]));
  return source;
}

Result<> read_ratio(const At& ratio, Indicator& indicator) {
  using Kind = Indicator::Kind;
  MYDR24_TRY(ratio.map());
  MYDR24_ASSIGN(indicator.counter, ratio["counter"].truth(false));
  const At good = ratio["good"], bad = ratio["bad"], raw = ratio["raw"], total = ratio["total"];
  const int given = static_cast<int>(good.exists()) + static_cast<int>(bad.exists()) + static_cast<int>(raw.exists());
  if (given != 1) return ratio.bad("it has one of good, bad and raw");
  if (raw.exists()) {
    MYDR24_ASSIGN(const std::string type, ratio["rawType"].text());
    if (type != "success" && type != "failure") return ratio["rawType"].bad("success or failure");
    if (total.exists()) return total.bad("raw has no total");
    indicator.kind = type == "success" ? Kind::raw_success : Kind::raw_failure;
    MYDR24_ASSIGN(indicator.metric, read_source(raw));
    return {};
  }
  if (!total.exists()) return ratio.bad("good and bad are held against total, which is missing");
  indicator.kind = good.exists() ? Kind::good_total : Kind::bad_total;
  MYDR24_ASSIGN(indicator.metric, read_source(good.exists() ? good : bad));
  MYDR24_ASSIGN(indicator.total, read_source(total));
  return {};
}

Result<Indicator> read_indicator(const At& at) {
  MYDR24_TRY(at.map());
  Indicator indicator;
  MYDR24_ASSIGN(indicator.name, at["metadata"]["name"].text());
  MYDR24_ASSIGN(indicator.display_name, at["metadata"]["displayName"].text());
  if (!is_name(indicator.name)) return at["metadata"]["name"].bad("a name has at most 63 of a-z 0-9 - (RFC 1123)");
  const At spec = at["spec"];
  MYDR24_ASSIGN(indicator.description, spec["description"].text());
  const At ratio = spec["ratioMetric"], threshold = spec["thresholdMetric"];
  if (ratio.exists() == threshold.exists()) return spec.bad("it has one of ratioMetric and thresholdMetric");
  if (ratio.exists()) {
    MYDR24_TRY(read_ratio(ratio, indicator));
    return indicator;
  }
  MYDR24_ASSIGN(indicator.metric, read_source(threshold));
  return indicator;
}

using Indicators = std::map<std::string, Indicator, std::less<>>;

// Inline, or a reference to an SLI of the same text.
Result<std::optional<Indicator>> find_indicator(const At& spec, const Indicators& known) {
  if (const At at = spec["indicator"]; at.exists()) {
    MYDR24_ASSIGN(Indicator indicator, read_indicator(at));
    return std::optional(std::move(indicator));
  }
  const At at = spec["indicatorRef"];
  if (!at.exists()) return std::optional<Indicator>();
  MYDR24_ASSIGN(const std::string name, at.text());
  const auto found = known.find(name);
  if (found == known.end()) return at.bad(fmt::format("there is no SLI \"{}\" beside it", name));
  return std::optional(found->second);
}

Result<> read_slices(const At& at, Objective& objective) {
  MYDR24_ASSIGN(objective.slice_target, at["timeSliceTarget"].number());
  const At window = at["timeSliceWindow"];
  MYDR24_ASSIGN(std::string written, window.text());
  if (written.empty()) return {};
  if (written.find_first_not_of("0123456789") == std::string::npos) written += 'm';  // a number means minutes
  const auto length = length_of(written);
  if (!length) return window.bad(length.error().text);
  objective.slice_window = *length;
  return {};
}

Result<Objective> read_objective(const At& at, const Indicators& known) {
  MYDR24_TRY(at.map());
  Objective objective;
  MYDR24_ASSIGN(objective.display_name, at["displayName"].text());
  if (at["op"].exists()) {
    MYDR24_ASSIGN(const std::string op, at["op"].text());
    objective.op = parse_operator(op);
    if (!objective.op) return at["op"].bad("lte, gte, lt or gt");
  }
  MYDR24_ASSIGN(objective.value, at["value"].number());
  MYDR24_ASSIGN(const auto target, at["target"].number());
  MYDR24_ASSIGN(const auto percent, at["targetPercent"].number());
  if (target.has_value() == percent.has_value()) return at.bad("it has one of target and targetPercent");
  objective.in_percent = percent.has_value();
  objective.target = percent ? *percent / 100 : *target;
  MYDR24_TRY(read_slices(at, objective));
  MYDR24_ASSIGN(objective.indicator, find_indicator(at, known));
  MYDR24_ASSIGN(const auto weight, at["compositeWeight"].number());
  objective.weight = weight.value_or(1);
  return objective;
}

Result<Window> read_window(const At& windows) {
  MYDR24_TRY(windows.list());
  if (windows.size() != 1) return windows.bad("there is one time window");
  const At at = windows.item(0);
  MYDR24_TRY(at.map());
  Window window;
  MYDR24_ASSIGN(window.duration, at["duration"].text());
  if (const auto length = length_of(window.duration); !length) return at["duration"].bad(length.error().text);
  const At calendar = at["calendar"];
  MYDR24_ASSIGN(window.is_rolling, at["isRolling"].truth(!calendar.exists()));
  if (window.is_rolling == calendar.exists())
    return at.bad("it is rolling (isRolling: true) or it has a calendar, which says when it begins");
  MYDR24_ASSIGN(window.start, calendar["startTime"].text());
  MYDR24_ASSIGN(window.time_zone, calendar["timeZone"].text());
  return window;
}

Result<std::map<std::string, std::string>> read_texts(const At& at) {
  std::map<std::string, std::string> texts;
  if (!at.exists()) return texts;
  MYDR24_TRY(at.map());
  for (const auto& member : at.node) {
    const At each = at.make(member.second, at.path + "." + member.first.Scalar());
    // Labels may have several values.
    if (each.exists() && each.node.IsSequence()) {
      std::string joined;
      for (std::size_t i = 0; i < each.size(); ++i) {
        MYDR24_ASSIGN(const std::string text, each.item(i).text());
        joined += (joined.empty() ? "" : ",") + text;
      }
      texts[member.first.Scalar()] = joined;
      continue;
    }
    MYDR24_ASSIGN(texts[member.first.Scalar()], each.text());
  }
  if (texts.size() > 100) return at.bad("at most 100");
  return texts;
}

Result<Slo> read_slo(const At& root, const Indicators& known) {
  Slo slo;
  const At metadata = root["metadata"], spec = root["spec"];
  MYDR24_ASSIGN(slo.name, metadata["name"].text());
  MYDR24_ASSIGN(slo.display_name, metadata["displayName"].text());
  MYDR24_ASSIGN(slo.labels, read_texts(metadata["labels"]));
  MYDR24_ASSIGN(slo.annotations, read_texts(metadata["annotations"]));
  MYDR24_TRY(spec.map());
  MYDR24_ASSIGN(slo.description, spec["description"].text());
  MYDR24_ASSIGN(slo.service, spec["service"].text());
  MYDR24_ASSIGN(slo.indicator, find_indicator(spec, known));
  MYDR24_ASSIGN(slo.window, read_window(spec["timeWindow"]));
  MYDR24_ASSIGN(const std::string method, spec["budgetingMethod"].text());
  const auto parsed = parse_method(method);
  if (!parsed) return spec["budgetingMethod"].bad("Occurrences, Timeslices or RatioTimeslices");
  slo.method = *parsed;
  const At objectives = spec["objectives"];
  MYDR24_TRY(objectives.list());
  for (std::size_t i = 0; i < objectives.size(); ++i) {
    MYDR24_ASSIGN(slo.objectives.emplace_back(), read_objective(objectives.item(i), known));
  }
  const At policies = spec["alertPolicies"];
  MYDR24_TRY(policies.list());
  for (std::size_t i = 0; i < policies.size(); ++i) {
    MYDR24_ASSIGN(slo.alert_policies.emplace_back(), json_of(policies.item(i)));
  }
  if (auto checked = check(slo); !checked)
    return fail(Code::invalid, checked.error().text, fmt::format("line {}: {}", root.line, checked.error().where));
  return slo;
}

// An alias stands for a copy of what it names: a few bytes of aliases of aliases can stand for any amount.
class NoAliases : public YAML::EventHandler {
 public:
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    throw YAML::ParserException(mark, "aliases are not taken: write it out");
  }
  void OnDocumentStart(const YAML::Mark& /*mark*/) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& /*mark*/, YAML::anchor_t /*anchor*/) override {}
  void OnScalar(const YAML::Mark& /*mark*/, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                const std::string& /*value*/) override {}
  void OnSequenceStart(const YAML::Mark& /*mark*/, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                       YAML::EmitterStyle::value /*style*/) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark& /*mark*/, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                  YAML::EmitterStyle::value /*style*/) override {}
  void OnMapEnd() override {}
};

Result<std::vector<At>> load(std::string_view yaml) {
  if (yaml.size() > yaml_bytes_max)
    return fail(Code::too_large, fmt::format("at most {} bytes", yaml_bytes_max), "document");
  std::vector<At> roots;
  try {
    const std::string text(yaml);
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    NoAliases handler;
    while (parser.HandleNextDocument(handler)) {
    }
    for (const YAML::Node& node : YAML::LoadAll(text))
      if (node.IsDefined() && !node.IsNull()) roots.push_back({node, "", std::max(0, node.Mark().line) + 1});
  } catch (const YAML::Exception& problem) {
    return fail(Code::invalid, problem.msg, fmt::format("line {}", problem.mark.line + 1));
  }
  if (roots.size() > documents_max)
    return fail(Code::too_large, fmt::format("at most {} documents", documents_max), "document");
  return roots;
}

void write_texts(std::string& out, std::string_view name, const std::map<std::string, std::string>& texts,
                 std::string_view indent) {
  if (texts.empty()) return;
  out += fmt::format("{}{}:\n", indent, name);
  for (const auto& [key, text] : texts) {
    out += indent;
    out += "  ";
    json::append_quoted(out, key);
    out += ": ";
    json::append_quoted(out, text);
    out += '\n';
  }
}

void write_line(std::string& out, std::string_view indent, std::string_view name, std::string_view text) {
  if (text.empty()) return;
  out += fmt::format("{}{}: ", indent, name);
  json::append_quoted(out, text);
  out += '\n';
}

void write_source(std::string& out, const std::string& indent, std::string_view name, const MetricSource& source) {
  out += fmt::format("{}{}:\n{}  metricSource:\n", indent, name, indent);
  write_line(out, indent + "    ", "metricSourceRef", source.ref);
  write_line(out, indent + "    ", "type", source.type);
  // JSON is YAML.
  out += fmt::format("{}    spec: {}\n", indent, source.spec.empty() ? "{}" : source.spec);
}

void write_indicator(std::string& out, const std::string& indent, const Indicator& indicator) {
  using Kind = Indicator::Kind;
  out += fmt::format("{}indicator:\n{}  metadata:\n{}    name: {}\n", indent, indent, indent, indicator.name);
  write_line(out, indent + "    ", "displayName", indicator.display_name);
  out += indent + "  spec:\n";
  write_line(out, indent + "    ", "description", indicator.description);
  if (indicator.kind == Kind::threshold) {
    write_source(out, indent + "    ", "thresholdMetric", indicator.metric);
    return;
  }
  out += fmt::format("{}    ratioMetric:\n{}      counter: {}\n", indent, indent, indicator.counter);
  const std::string inner = indent + "      ";
  if (indicator.kind == Kind::raw_success || indicator.kind == Kind::raw_failure) {
    out += fmt::format("{}rawType: {}\n", inner, indicator.kind == Kind::raw_success ? "success" : "failure");
    write_source(out, inner, "raw", indicator.metric);
    return;
  }
  write_source(out, inner, indicator.kind == Kind::good_total ? "good" : "bad", indicator.metric);
  write_source(out, inner, "total", indicator.total);
}

// Whole minutes as OpenSLO writes them, else seconds.
std::string slice_text(seconds window) {
  return window.count() % 60 == 0 ? fmt::format("{}m", window.count() / 60) : fmt::format("{}s", window.count());
}

// What reads back as the same share, in the fewest digits.
double percent_of(double target) { return std::round(target * 1e11) / 1e9; }

void write_objective(std::string& out, const Objective& objective) {
  const std::string indent(6, ' ');
  out += "    - ";
  out += objective.in_percent ? fmt::format("targetPercent: {}\n", percent_of(objective.target))
                              : fmt::format("target: {}\n", objective.target);
  write_line(out, indent, "displayName", objective.display_name);
  if (objective.op) out += fmt::format("{}op: {}\n", indent, to_string(*objective.op));
  if (objective.value) out += fmt::format("{}value: {}\n", indent, *objective.value);
  if (objective.slice_target) out += fmt::format("{}timeSliceTarget: {}\n", indent, *objective.slice_target);
  if (objective.slice_window)
    out += fmt::format("{}timeSliceWindow: {}\n", indent, slice_text(*objective.slice_window));
  if (objective.weight != 1) out += fmt::format("{}compositeWeight: {}\n", indent, objective.weight);
  if (objective.indicator) write_indicator(out, indent, *objective.indicator);
}

}  // namespace

Result<Documents> parse_openslo(std::string_view yaml) {
  MYDR24_ASSIGN(const std::vector<At> roots, load(yaml));
  Documents found;
  Indicators indicators;
  std::vector<const At*> slos;
  for (const At& root : roots) {
    MYDR24_TRY(root.map());
    MYDR24_ASSIGN(const std::string version, root["apiVersion"].text());
    if (version != "openslo/v1") return root["apiVersion"].bad("apiVersion is openslo/v1");
    MYDR24_ASSIGN(const std::string kind, root["kind"].text());
    MYDR24_ASSIGN(const std::string name, root["metadata"]["name"].text());
    if (!is_name(name)) return root["metadata"]["name"].bad("a name has at most 63 of a-z 0-9 - (RFC 1123)");
    if (kind == "SLO") {
      slos.push_back(&root);
      continue;
    }
    if (std::ranges::find(other_kinds, kind) == other_kinds.end())
      return root["kind"].bad(fmt::format("\"{}\" is no kind of OpenSLO v1", kind));
    if (kind == "SLI") {
      MYDR24_ASSIGN(indicators[name], read_indicator(root));
    } else {
      found.others.push_back(fmt::format("{}/{}", kind, name));
    }
  }
  for (const At* root : slos) {
    MYDR24_ASSIGN(Slo slo, read_slo(*root, indicators));
    if (std::ranges::find(found.slos, slo.name, &Slo::name) != found.slos.end())
      return (*root)["metadata"]["name"].bad("there are two SLOs with this name");
    found.slos.push_back(std::move(slo));
  }
  return found;
}

std::string to_openslo(const Slo& slo) {
  std::string out = fmt::format("apiVersion: openslo/v1\nkind: SLO\nmetadata:\n  name: {}\n", slo.name);
  write_line(out, "  ", "displayName", slo.display_name);
  write_texts(out, "labels", slo.labels, "  ");
  write_texts(out, "annotations", slo.annotations, "  ");
  out += "spec:\n";
  write_line(out, "  ", "description", slo.description);
  write_line(out, "  ", "service", slo.service);
  if (slo.indicator) write_indicator(out, "  ", *slo.indicator);
  out += fmt::format("  timeWindow:\n    - duration: {}\n", slo.window.duration);
  if (slo.window.is_rolling) {
    out += "      isRolling: true\n";
  } else {
    out += "      isRolling: false\n      calendar:\n";
    write_line(out, "        ", "startTime", slo.window.start);
    write_line(out, "        ", "timeZone", slo.window.time_zone);
  }
  out += fmt::format("  budgetingMethod: {}\n  objectives:\n", to_string(slo.method));
  for (const Objective& objective : slo.objectives) write_objective(out, objective);
  if (slo.alert_policies.empty()) return out;
  out += "  alertPolicies:\n";
  for (const std::string& policy : slo.alert_policies) out += fmt::format("    - {}\n", policy);
  return out;
}

std::string to_openslo(const std::vector<Slo>& slos) {
  std::string out;
  for (const Slo& slo : slos) {
    if (!out.empty()) out += "---\n";
    out += to_openslo(slo);
  }
  return out;
}

}  // namespace mydr24::slo
