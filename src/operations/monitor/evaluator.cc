#include "operations/monitor/evaluator.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/crypto/digest.h"

namespace mydr24::monitor {
namespace {

using std::chrono::nanoseconds;

// A single failure of an emergency is shown so long after it.
constexpr std::chrono::minutes failure_shown{15};
constexpr std::chrono::minutes hush{2};    // the worst of a minute outlives its cause by that minute
constexpr double absence_target = 0.9999;  // of a metric that no objective is about
constexpr std::chrono::seconds absence_period{std::chrono::days(30)};

std::string values_of(const Rule& rule, double value) {
  std::string text;
  json::Writer out(text);
  out.begin_object().field("metric", rule.metric).field("value", value).field("comparison", to_string(rule.comparison));
  out.field("limit", rule.limit).field("severity", to_string(rule.severity));
  out.field("category", to_string(rule.category)).field("impact", to_string(rule.category));
  if (!rule.service.empty()) out.field("service", rule.service);
  out.key("recommended_actions").begin_array();
  for (const std::string& action : rule.actions) out.string(action);
  out.end_array().end_object();
  return text;
}

std::string missing_values(const Rule& rule) {
  std::string text;
  json::Writer out(text);
  out.begin_object().field("metric", rule.metric).field("severity", to_string(rule.severity));
  out.field("category", to_string(rule.category));
  if (!rule.service.empty()) out.field("service", rule.service);
  out.end_object();
  return text;
}

std::string rule_cause(const Rule& rule) { return fmt::format("{}{}", cause_prefix, rule.name); }
std::string missing_cause(const Rule& rule) { return fmt::format("{}{}/missing", cause_prefix, rule.name); }
std::string slo_cause(const slo::Slo& slo, std::string_view what) {
  return fmt::format("{}slo/{}/{}", cause_prefix, slo.name, what);
}

double seconds_of(nanoseconds time) { return std::chrono::duration<double>(time).count(); }

// What one event of a budget stands for where time is counted.
double event_seconds(const slo::Slo& slo, const slo::Objective& objective) {
  if (slo.method == slo::Method::occurrences) return 1;
  return static_cast<double>(objective.slice_window.value_or(std::chrono::seconds(60)).count());
}

}  // namespace

std::string_view to_string(RuleState state) {
  constexpr std::array<std::string_view, 6> words{"ok", "pending", "firing", "missing", "unmeasured", "disabled"};
  return words[static_cast<std::size_t>(state)];
}

void Evaluator::add(Source source) {
  if (by_name_.contains(source.name)) return;
  by_name_.emplace(source.name, metrics_.size());
  metrics_.push_back({.source = std::move(source)});
}

std::optional<std::size_t> Evaluator::find(std::string_view metric) const {
  const auto found = by_name_.find(metric);
  return found == by_name_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<double> Evaluator::value(std::string_view metric) const {
  const auto found = find(metric);
  return found ? metrics_[*found].value : std::nullopt;
}

std::optional<double> Evaluator::budget_left(std::string_view service, Instant now) const {
  std::optional<double> least;
  for (const Watch& watch : slos_) {
    if (watch.slo.service != service) continue;
    const Instant begin = slo::begin_of(watch.slo.window, now).value_or(now - watch.period);
    for (const Part& part : watch.parts) {
      const double left = budget(watch, part, begin).remaining;
      least = std::min(least.value_or(left), left);
    }
  }
  return least;
}

std::optional<double> Evaluator::burn_rate(std::string_view slo) const {
  const auto found =
      std::ranges::find(slos_, slo, [](const Watch& watch) -> std::string_view { return watch.slo.name; });
  if (found == slos_.end()) return std::nullopt;
  std::optional<double> worst;
  for (const Part& part : found->parts) {
    if (!part.metric) return std::nullopt;
    worst = std::max(worst.value_or(0), part.burns.front().short_rate);
  }
  return worst;
}

Natives natives_of(const Definitions& definitions) {
  Natives natives;
  for (const slo::Slo& slo : definitions.slos) {
    auto& objectives = natives.slos.emplace_back();
    for (const slo::Objective& objective : slo.objectives) {
      const slo::Indicator& indicator = objective.indicator ? *objective.indicator : *slo.indicator;
      objectives.push_back({slo::native_metric(indicator.metric), slo::native_metric(indicator.total)});
    }
  }
  return natives;
}

namespace {

// All of it by which counts go on when an objective is changed: see use().
std::string name_of(slo::Method method, const slo::Indicator& indicator) {
  constexpr std::size_t digits = 16;
  std::string text(to_string(method));
  for (const std::string& each :
       {indicator.name, indicator.display_name, indicator.description, indicator.metric.ref, indicator.metric.type,
        indicator.metric.spec, indicator.total.ref, indicator.total.type, indicator.total.spec})
    text += fmt::format("\n{}:{}", each.size(), each);
  text += fmt::format("\n{} {}", static_cast<int>(indicator.kind), indicator.counter);
  return crypto::sha256_hex(text).substr(0, digits);
}

}  // namespace

Evaluator::Part Evaluator::make_part(const slo::Slo& slo, const slo::Objective& objective,
                                     const Natives::Names& names) const {
  const slo::Indicator& indicator = objective.indicator ? *objective.indicator : *slo.indicator;
  return {.objective = objective,
          .slicer = slo::Slicer(slo.method, objective),
          .metric = find(names.metric),
          .total = find(names.total),
          .kind = indicator.kind,
          .counted = name_of(slo.method, indicator)};
}

void Evaluator::set_absences(const Natives& natives, nanoseconds steady) {
  for (Metric& metric : metrics_) {
    if (metric.known_at.count() == 0) metric.known_at = steady;
    std::optional<std::chrono::milliseconds> least;
    for (std::size_t i = 0; i < slos_.size(); ++i)
      for (std::size_t j = 0; j < slos_[i].parts.size(); ++j) {
        if (natives.slos[i][j].metric != metric.source.name) continue;
        const auto time = slo::absent_after(slos_[i].parts[j].objective.target, slos_[i].period);
        least = std::min(least.value_or(time), time);
      }
    // What comes every minute is not missed before the minute is over.
    metric.absent_after = metric.source.every + least.value_or(slo::absent_after(absence_target, absence_period));
  }
}

void Evaluator::use(const Definitions& definitions, const Natives& natives, nanoseconds steady) {
  std::vector<Watched> rules;
  for (const Rule& rule : definitions.rules) {
    Watched next{.rule = rule, .metric = find(rule.metric)};
    const auto before = std::ranges::find(rules_, rule.name, [](const Watched& each) { return each.rule.name; });
    // A rule on another metric begins anew; one with another limit goes on.
    if (before != rules_.end() && before->rule.metric == rule.metric) {
      next.state = before->state;
      next.since = before->since;
      next.is_firing = before->is_firing;
      next.is_told = before->is_told;
      next.hushed_until = before->hushed_until;
      next.worst = before->worst;
    }
    rules.push_back(std::move(next));
  }
  rules_ = std::move(rules);
  std::vector<Watch> slos;
  for (std::size_t number = 0; number < definitions.slos.size(); ++number) {
    const slo::Slo& slo = definitions.slos[number];
    const auto before = std::ranges::find(slos_, slo.name, [](const Watch& each) { return each.slo.name; });
    const bool goes_on = before != slos_.end() && before->slo.indicator == slo.indicator &&
                         before->slo.method == slo.method && before->parts.size() == slo.objectives.size();
    Watch next{.slo = slo, .period = slo::length_of(slo.window.duration).value_or(absence_period)};
    next.conditions = slo::conditions(next.period);
    for (std::size_t i = 0; i < slo.objectives.size(); ++i) {
      Part part = make_part(slo, slo.objectives[i], natives.slos[number][i]);
      if (goes_on && before->slo.objectives[i].indicator == slo.objectives[i].indicator)
        part.counts = std::move(before->parts[i].counts);
      next.parts.push_back(std::move(part));
    }
    slos.push_back(std::move(next));
  }
  slos_ = std::move(slos);
  set_absences(natives, steady);
}

bool Evaluator::restore(std::string_view cause) {
  const auto found =
      std::ranges::find_if(rules_, [&](const Watched& watched) { return rule_cause(watched.rule) == cause; });
  if (found == rules_.end()) return false;
  found->is_firing = found->is_told = true;
  return true;
}

bool Evaluator::restore(std::string_view name, std::size_t objective, std::string_view counted, Instant hour,
                        const slo::Count& events) {
  for (Watch& watch : slos_) {
    if (watch.slo.name != name || objective >= watch.parts.size()) continue;
    Part& part = watch.parts[objective];
    if (!counted.empty() && counted != part.counted) return false;
    part.counts.restore(hour, events);
  }
  return true;
}

void Evaluator::restore_gap(Instant from, Instant to) {
  for (Watch& watch : slos_) {
    if (watch.slo.no_data() != slo::NoData::bad) continue;
    const Instant begin = std::max(from, to - watch.period);
    for (Part& part : watch.parts) {
      if (part.kind == slo::Indicator::Kind::good_total || part.kind == slo::Indicator::Kind::bad_total) continue;
      const double each = event_seconds(watch.slo, part.objective);
      Instant at = begin;
      while (at < to) {
        const Instant end = std::min<Instant>(std::chrono::floor<std::chrono::hours>(at) + std::chrono::hours(1), to);
        part.counts.restore(at, {0, std::chrono::duration<double>(end - at).count() / each});
        at = end;
      }
    }
  }
}

void Evaluator::sample(Instant now, nanoseconds steady) {
  for (Metric& metric : metrics_) {
    metric.before = metric.value;
    metric.value = metric.source.read();
    if (metric.value && !std::isfinite(*metric.value)) metric.value.reset();
    metric.samples.add(metric.value);
    if (!metric.value) continue;
    metric.known = metric.value;
    metric.known_at = steady;
    if (recorder_) recorder_(metric.source.name, {}, now, *metric.value);
  }
}

bool Evaluator::is_missing(const Metric& metric, nanoseconds steady) const {
  return !metric.value && steady - metric.known_at >= metric.absent_after;
}

void Evaluator::judge(Watched& watched, nanoseconds steady) const {
  watched.tells_missing = false;
  if (!watched.rule.is_enabled || !watched.metric) {
    watched.state = watched.rule.is_enabled ? RuleState::unmeasured : RuleState::disabled;
    watched.is_firing = false;
    return;
  }
  const Metric& metric = metrics_[*watched.metric];
  const Rule& rule = watched.rule;
  if (!metric.value && rule.tells_missing) {
    // Until it is missed for good, what was goes on; a rule that fires fires on.
    watched.tells_missing = is_missing(metric, steady);
    if (watched.tells_missing) watched.state = RuleState::missing;
    return;
  }
  const bool beyond =
      metric.value && is_beyond(rule.comparison, *metric.value, watched.is_firing ? rule.clear : rule.limit);
  if (beyond != watched.is_firing) {
    if (!watched.since) watched.since = steady;
    if (steady - *watched.since >= (beyond ? rule.hold : rule.clear_for)) {
      watched.is_firing = beyond;
      watched.since.reset();
      watched.worst = metric.value.value_or(watched.worst);
    }
  } else {
    watched.since.reset();
  }
  watched.state = watched.is_firing ? RuleState::firing : watched.since ? RuleState::pending : RuleState::ok;
}

void Evaluator::decide(Watched& watched, nanoseconds steady) const {
  if (!watched.is_firing) {
    watched.is_told = false;
    watched.hushed_until = nanoseconds(0);
    return;
  }
  if (watched.is_told) return;
  const auto explains = [&](const Watched& other) {
    return other.is_firing && std::ranges::find(watched.rule.unless, other.rule.name) != watched.rule.unless.end();
  };
  if (std::ranges::any_of(rules_, explains)) watched.hushed_until = steady + hush;
  watched.is_told = steady >= watched.hushed_until;
}

std::optional<slo::Count> Evaluator::events_of(Part& part, slo::NoData no_data) const {
  using Kind = slo::Indicator::Kind;
  if (!part.metric) return std::nullopt;
  const Metric& metric = metrics_[*part.metric];
  const std::optional<slo::Count> nothing =
      no_data == slo::NoData::bad ? std::optional(slo::Count{0, 1}) : std::nullopt;
  if (part.kind == Kind::good_total || part.kind == Kind::bad_total) {
    if (!part.total) return std::nullopt;
    const Metric& total = metrics_[*part.total];
    if (!metric.value || !total.value) return nothing;
    if (!metric.before || !total.before) return slo::Count{};
    const double all = std::max(0.0, *total.value - *total.before);
    const double counted = std::max(0.0, *metric.value - *metric.before);
    const double some = std::min(counted + part.ahead, all);
    // No longer than to the next second: a counter that is no part of the total would hide what fails later.
    part.ahead = std::min(counted + part.ahead - some, counted);
    return slo::Count{part.kind == Kind::good_total ? some : all - some, all};
  }
  if (!metric.value) return nothing;
  if (part.kind == Kind::threshold) {
    const bool good = slo::holds(*part.objective.op, *metric.value, *part.objective.value);
    return slo::Count{good ? 1.0 : 0.0, 1};
  }
  const double share = std::clamp(*metric.value, 0.0, 1.0);
  return slo::Count{part.kind == Kind::raw_success ? share : 1 - share, 1};
}

// Where time is counted, a window has as many seconds or slices as it is long: those before the server began are not
// known to be bad, and without them the first bad second of a new server would look like an outage.
slo::Count Evaluator::padded(const Watch& watch, const Part& part, slo::Count count, std::chrono::seconds length) {
  const double whole = static_cast<double>(length.count()) / event_seconds(watch.slo, part.objective);
  if (part.kind == slo::Indicator::Kind::threshold && count.total > 0 && count.total < whole) {
    count.good += whole - count.total;
    count.total = whole;
  }
  return count;
}

slo::Budget Evaluator::budget(const Watch& watch, const Part& part, Instant begin) {
  return slo::budget_of(part.objective.target, padded(watch, part, part.counts.since(begin), watch.period));
}

void Evaluator::count(Watch& watch, Instant now, nanoseconds steady) const {
  using Kind = slo::Indicator::Kind;
  for (Part& part : watch.parts) {
    const auto events = events_of(part, watch.slo.no_data());
    if (!events) continue;
    part.counts.add(now, part.slicer.take(now, *events));
    const bool are_single = part.kind == Kind::good_total || part.kind == Kind::bad_total;
    if (watch.slo.is_emergency() && are_single && events->bad() > 0) part.failed_at = steady;
    for (std::size_t i = 0; i < slo::condition_count; ++i) {
      const slo::Condition& condition = watch.conditions[i];
      const auto in = [&](std::chrono::seconds window) { return padded(watch, part, part.counts.in(window), window); };
      part.burns[i] = slo::judge(condition, part.objective.target, in(condition.long_window),
                                 in(condition.short_window), watch.slo.min_traffic());
    }
  }
}

void Evaluator::tell(const Watched& watched, std::vector<Finding>& findings) const {
  const Rule& rule = watched.rule;
  if (watched.tells_missing) {
    const Metric& metric = metrics_[*watched.metric];
    findings.push_back({.cause = missing_cause(rule),
                        .severity = rule.severity,
                        .category = rule.category,
                        .title = fmt::format("Nothing is measured of {}: {} cannot be judged", rule.metric, rule.name),
                        .reason = fmt::format("no value for {:.1f} seconds", seconds_of(metric.absent_after)),
                        .values = missing_values(rule)});
  }
  if (!watched.is_told) return;
  const double value = metrics_[*watched.metric].known.value_or(watched.worst);
  std::string actions;
  for (const std::string& action : rule.actions) actions += (actions.empty() ? "" : "; ") + action;
  findings.push_back({.cause = rule_cause(rule),
                      .severity = rule.severity,
                      .category = rule.category,
                      .title = title_of(rule, value),
                      .reason = std::move(actions),
                      .values = values_of(rule, value)});
}

void Evaluator::tell(const Watch& watch, nanoseconds steady, std::vector<Finding>& findings) {
  const auto category = watch.slo.is_emergency() ? Category::patient_safety : Category::system_performance;
  bool pages = false, tickets = false, failed = false;
  double rate = 0;
  for (const Part& part : watch.parts) {
    for (std::size_t i = 0; i < slo::condition_count; ++i) {
      if (!part.burns[i].fires) continue;
      (watch.conditions[i].pages ? pages : tickets) = true;
      rate = std::max(rate, part.burns[i].long_rate);
    }
    failed = failed || (part.failed_at && steady - *part.failed_at < failure_shown);
  }
  const auto values = [&](Severity severity) {
    std::string text;
    json::Writer out(text);
    out.begin_object().field("slo", watch.slo.name).field("burn_rate", rate).field("severity", to_string(severity));
    out.field("category", to_string(category)).field("service", watch.slo.service).end_object();
    return text;
  };
  if (failed)
    findings.push_back({slo_cause(watch.slo, "failure"), Severity::critical, category,
                        fmt::format("{}: one failed", watch.slo.name),
                        "a single failure of an emergency is looked at, whatever the share of failures is",
                        values(Severity::critical)});
  if (pages)
    findings.push_back({slo_cause(watch.slo, "page"), Severity::critical, category,
                        fmt::format("The error budget of {} is being spent too fast", watch.slo.name),
                        fmt::format("burn rate {:.1f}", rate), values(Severity::critical)});
  // Who is paged needs no ticket about the same.
  if (tickets && !pages)
    findings.push_back({slo_cause(watch.slo, "ticket"), Severity::medium, category,
                        fmt::format("The error budget of {} will not last its period", watch.slo.name),
                        fmt::format("burn rate {:.1f}", rate), values(Severity::medium)});
}

std::vector<Finding> Evaluator::evaluate(Instant now, nanoseconds steady) {
  sample(now, steady);
  std::vector<Finding> findings;
  for (Watched& watched : rules_) judge(watched, steady);
  for (Watched& watched : rules_) {
    decide(watched, steady);
    tell(watched, findings);
  }
  for (Watch& watch : slos_) {
    count(watch, now, steady);
    tell(watch, steady, findings);
  }
  return findings;
}

std::vector<Evaluator::HourCount> Evaluator::hours(Instant from, Instant to) const {
  std::vector<HourCount> found;
  for (const Watch& watch : slos_)
    for (std::size_t i = 0; i < watch.parts.size(); ++i)
      for (Instant hour = std::chrono::floor<std::chrono::hours>(from); hour <= to; hour += std::chrono::hours(1)) {
        const slo::Count count = watch.parts[i].counts.in_hour(hour);
        if (count.total > 0) found.push_back({watch.slo.name, i, watch.parts[i].counted, hour, count});
      }
  return found;
}

std::vector<ObjectiveTotals> Evaluator::totals() const {
  std::vector<ObjectiveTotals> found;
  for (const Watch& watch : slos_)
    for (std::size_t i = 0; i < watch.parts.size(); ++i)
      found.push_back({watch.slo.name, i, watch.parts[i].counts.all()});
  return found;
}

}  // namespace mydr24::monitor
