// What the evaluator knows, as JSON.

#include "base/core/date_time.h"
#include "operations/monitor/evaluator.h"

namespace mydr24::monitor {

void Evaluator::write_metrics(json::Writer& out, std::chrono::nanoseconds steady) const {
  out.begin_array();
  for (const Metric& metric : metrics_) {
    out.begin_object().field("name", metric.source.name).field("unit", metric.source.unit);
    out.field("group", to_string(metric.source.group)).field("help", metric.source.help);
    if (metric.value)
      out.field("value", *metric.value);
    else
      out.key("value").null();
    if (metric.known) {
      out.field("last_value", *metric.known);
      out.field("age_s", std::chrono::duration<double>(steady - metric.known_at).count());
    }
    bool firing = false;
    for (const Watched& watched : rules_)
      firing = firing || (watched.is_firing && watched.rule.metric == metric.source.name);
    out.field("state", firing ? "beyond" : metric.value ? "ok" : is_missing(metric, steady) ? "missing" : "waiting");
    out.field("absent_after_s", std::chrono::duration<double>(metric.absent_after).count()).end_object();
  }
  out.end_array();
}

void Evaluator::write_rules(json::Writer& out) const {
  out.begin_array();
  for (const Watched& watched : rules_) {
    out.begin_object().field("state", to_string(watched.state));
    if (watched.metric && metrics_[*watched.metric].value) out.field("value", *metrics_[*watched.metric].value);
    out.key("rule");
    write(out, watched.rule);
    out.end_object();
  }
  out.end_array();
}

void Evaluator::write_slo(json::Writer& out, const Watch& watch, Instant now) const {
  const Instant begin = slo::begin_of(watch.slo.window, now).value_or(now - watch.period);
  out.begin_object().field("name", watch.slo.name).field("display_name", watch.slo.display_name);
  out.field("service", watch.slo.service).field("method", slo::to_string(watch.slo.method));
  out.field("window", watch.slo.window.duration).field("since", format_instant(begin));
  out.field("emergency", watch.slo.is_emergency()).key("objectives").begin_array();
  std::vector<std::pair<double, double>> attained;
  for (const Part& part : watch.parts) {
    const slo::Budget budget = Evaluator::budget(watch, part, begin);
    attained.emplace_back(budget.attained, part.objective.weight);
    out.begin_object().field("target", part.objective.target).field("measured", part.metric.has_value());
    out.field("events", budget.count.total).field("bad", budget.count.bad()).field("attained", budget.attained);
    out.field("budget", budget.allowed).field("budget_remaining", budget.remaining).key("burn_rates").begin_array();
    for (std::size_t i = 0; i < slo::condition_count; ++i) {
      const slo::Condition& condition = watch.conditions[i];
      out.begin_object().field("limit", condition.burn).field("pages", condition.pages);
      out.field("long_window", slo::prometheus_duration(condition.long_window));
      out.field("short_window", slo::prometheus_duration(condition.short_window));
      out.field("long", part.burns[i].long_rate).field("short", part.burns[i].short_rate);
      out.field("enough_traffic", part.burns[i].has_traffic).field("fires", part.burns[i].fires).end_object();
    }
    out.end_array().end_object();
  }
  out.end_array();
  if (watch.slo.is_composite()) out.field("composite", slo::composite(attained));
  out.end_object();
}

void Evaluator::write_slos(json::Writer& out, Instant now) const {
  out.begin_array();
  for (const Watch& watch : slos_) write_slo(out, watch, now);
  out.end_array();
}

bool Evaluator::write_slo(json::Writer& out, std::string_view name, Instant now) const {
  for (const Watch& watch : slos_) {
    if (watch.slo.name != name) continue;
    write_slo(out, watch, now);
    return true;
  }
  return false;
}

void Evaluator::write_preview(json::Writer& out, const std::vector<Rule>& rules) const {
  out.begin_array();
  for (const Rule& rule : rules) {
    const auto metric = find(rule.metric);
    out.begin_object().field("name", rule.name).field("measured", metric.has_value());
    if (metric) {
      std::int64_t beyond = 0, together = 0, longest = 0, measured = 0;
      for (const auto& value : metrics_[*metric].samples.all()) {
        measured += value ? 1 : 0;
        const bool is = value && is_beyond(rule.comparison, *value, rule.limit);
        beyond += is ? 1 : 0;
        together = is ? together + 1 : 0;
        longest = std::max(longest, together);
      }
      const std::int64_t needed = std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(rule.hold).count());
      const auto& now = metrics_[*metric].value;
      out.field("seconds_measured", measured).field("seconds_beyond", beyond).field("longest_s", longest);
      out.field("would_fire", longest >= needed);
      out.field("beyond_now", now && is_beyond(rule.comparison, *now, rule.limit));
    }
    out.end_object();
  }
  out.end_array();
}

}  // namespace mydr24::monitor
