// Prometheus rules made from objectives, and tests of them for promtool. Only Occurrences and slices as this server
// counts them: mydr24_slo_events_total is already what the budget is counted in.

#include <fmt/format.h>

#include <cmath>

#include "operations/slo/slo.h"

namespace mydr24::slo {
namespace {

std::string error_expr(std::string_view selector, seconds window) {
  const std::string range = prometheus_duration(window);
  return fmt::format(
      "1 - (sum(rate(mydr24_slo_good_total{{{0}}}[{1}])) / sum(rate(mydr24_slo_events_total{{{0}}}[{1}])))", selector,
      range);
}

std::string selector_of(const Slo& slo, std::size_t objective) {
  return fmt::format("slo=\"{}\",objective=\"{}\"", slo.name, objective);
}

std::string alert_name(const Condition& condition) {
  return "SloBurnRate" + prometheus_duration(condition.long_window);
}

Conditions conditions_of(const Slo& slo) {
  return conditions(length_of(slo.window.duration).value_or(seconds(std::chrono::days(30))));
}

std::string record_of(seconds window) { return "slo:error:ratio_rate" + prometheus_duration(window); }

void write_rules(std::string& out, const Slo& slo, std::size_t index) {
  const std::string selector = selector_of(slo, index);
  const Conditions all = conditions_of(slo);
  std::vector<seconds> windows;
  for (const Condition& each : all)
    for (const seconds window : {each.short_window, each.long_window})
      if (std::ranges::find(windows, window) == windows.end()) windows.push_back(window);
  for (const seconds window : windows)
    out += fmt::format("      - record: {}\n        expr: '{}'\n        labels: {{slo: {}, objective: \"{}\"}}\n",
                       record_of(window), error_expr(selector, window), slo.name, index);
  for (const Condition& each : all) {
    const double limit = threshold(each, slo.objectives[index].target);
    std::string expr = fmt::format("{0}{{{1}}} > {3:.12g} and {2}{{{1}}} > {3:.12g}", record_of(each.long_window),
                                   selector, record_of(each.short_window), limit);
    if (slo.min_traffic() > 0)
      expr += fmt::format(" and on() sum(increase(mydr24_slo_events_total{{{}}}[{}])) >= {}", selector,
                          prometheus_duration(each.long_window), slo.min_traffic());
    out += fmt::format("      - alert: {}\n        expr: '{}'\n        labels: {{severity: {}}}\n", alert_name(each),
                       expr, each.pages ? "page" : "ticket");
    out += fmt::format(
        "        annotations:\n          summary: 'The error budget of {} burns {:g} times too fast over {}'\n",
        slo.name, each.burn, prometheus_duration(each.long_window));
  }
}

// Whether the condition holds in an outage of everything that has lasted longer than its long window.
std::string firing(const Slo& slo, std::size_t index, const Condition& condition) {
  return fmt::format(
      "          - exp_labels: {{slo: {0}, objective: \"{1}\", severity: {2}}}\n"
      "            exp_annotations: {{summary: 'The error budget of {0} burns {3:g} times too fast over {4}'}}\n",
      slo.name, index, condition.pages ? "page" : "ticket", condition.burn, prometheus_duration(condition.long_window));
}

void write_test(std::string& out, const Slo& slo, std::size_t index, bool outage) {
  const Conditions all = conditions_of(slo);
  const Condition& fastest = all.front();
  // Half an hour more than the long window, so that every rule has been evaluated on a full one.
  const std::int64_t minutes = fastest.long_window.count() / 60 + 30;
  const double rate = std::max(60.0, std::ceil(slo.min_traffic() * 2));
  out += fmt::format(
      "  - interval: 1m\n    name: '{0} {1}'\n    input_series:\n"
      "      - series: 'mydr24_slo_events_total{{{2}}}'\n        values: '0+{3}x{4}'\n"
      "      - series: 'mydr24_slo_good_total{{{2}}}'\n        values: '0+{5}x{4}'\n    alert_rule_test:\n",
      slo.name, outage ? "during an outage" : "without an error", selector_of(slo, index), rate, minutes + 5,
      outage ? 0.0 : rate);
  for (const Condition& each : all) {
    if (outage && each.long_window != fastest.long_window) continue;
    // Where a target is so low that even an outage is slower than the burn rate, nothing fires.
    const bool fires = outage && threshold(each, slo.objectives[index].target) < 1;
    out += fmt::format("      - eval_time: {}m\n        alertname: {}\n        exp_alerts:{}\n", minutes,
                       alert_name(each), fires ? "" : " []");
    if (fires) out += firing(slo, index, each);
  }
}

}  // namespace

std::string prometheus_duration(seconds time) {
  const std::int64_t count = time.count();
  if (count % 86'400 == 0) return fmt::format("{}d", count / 86'400);
  if (count % 3'600 == 0) return fmt::format("{}h", count / 3'600);
  if (count % 60 == 0) return fmt::format("{}m", count / 60);
  return fmt::format("{}s", count);
}

std::string prometheus_rules(const std::vector<Slo>& slos) {
  std::string out = "groups:\n";
  if (slos.empty()) return "groups: []\n";
  for (const Slo& slo : slos) {
    out += fmt::format("  - name: slo-{}\n    rules:\n", slo.name);
    for (std::size_t i = 0; i < slo.objectives.size(); ++i) write_rules(out, slo, i);
  }
  return out;
}

std::string prometheus_tests(const std::vector<Slo>& slos, std::string_view rules_file) {
  std::string out = fmt::format("rule_files: ['{}']\nevaluation_interval: 1m\ntests:\n", rules_file);
  for (const Slo& slo : slos) {
    // With windows of seconds a test whose series have a point a minute says nothing.
    if (conditions_of(slo).front().short_window < std::chrono::minutes(5)) continue;
    for (std::size_t i = 0; i < slo.objectives.size(); ++i) {
      write_test(out, slo, i, true);
      write_test(out, slo, i, false);
    }
  }
  return out.ends_with("tests:\n") ? out.replace(out.size() - 7, 7, "tests: []\n") : out;
}

}  // namespace mydr24::slo
