#include "operations/changes/risk.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json/writer.h"

namespace mydr24::changes {
namespace {

// Beta(1, 3) before anything was seen: one failure in four.
double failure_rate(int failed, int finished) { return (failed + 1.0) / (finished + 4.0); }

double share(double part, double whole) { return std::clamp(part / whole, 0.0, 1.0); }

Level level_of_score(double score) {
  return score < medium_from     ? Level::low
         : score < high_from     ? Level::medium
         : score < critical_from ? Level::high
                                 : Level::critical;
}

void raise(Risk& risk, Level least, std::string reason) {
  if (risk.level >= least) return;
  risk.level = least;
  risk.reason = std::move(reason);
}

double downtime_value(const Impact& impact) {
  if (!impact.downtime_min || *impact.downtime_min == 0) return 0;
  return 0.25 * (static_cast<double>(downtime_level(*impact.downtime_min)) + 1);
}

double reversibility(const Plan& plan) {
  if (plan.irreversible) return 1;
  const bool calls = std::ranges::any_of(plan.steps, [](const Step& step) {
    return step.kind == Step::Kind::command || step.kind == Step::Kind::webhook;
  });
  const bool scales = std::ranges::any_of(plan.steps, [](const Step& step) { return step.kind == Step::Kind::scale; });
  if (!calls && !scales) return 0;
  // What is scaled has a way back of its own.
  return calls && plan.rollback.empty() ? 0.6 : 0.2;
}

}  // namespace

Risk assess(const Plan& plan, const Surroundings& around) {
  Risk risk;
  const auto add = [&](std::string name, double weight, double value, std::string text) {
    risk.factors.push_back({std::move(name), weight, value, std::move(text)});
  };
  const auto& impact = plan.impact;
  add("downtime", 0.4, downtime_value(impact),
      impact.downtime_min ? fmt::format("{} min", *impact.downtime_min) : "none");
  add("emergency services", 0.6, impact.emergency_services ? 1 : 0, impact.emergency_services ? "affected" : "not");
  add("patient data access", 0.4, impact.patient_data_access ? 1 : 0, impact.patient_data_access ? "affected" : "not");
  const auto reach = plan.services.size() - 1 + impact.wards.size();
  add("blast radius", 0.3, share(static_cast<double>(reach), 10),
      fmt::format("{} further services, {} wards", plan.services.size() - 1, impact.wards.size()));
  const double rate = failure_rate(around.failed, around.finished);
  add("failures so far", 0.4, rate,
      fmt::format("{} of {} failed, taken for {:.2f}", around.failed, around.finished, rate));
  add("size", 0.2, share(static_cast<double>(plan.steps.size()), 20), fmt::format("{} steps", plan.steps.size()));
  add("time since a success", 0.1, around.days_since_success ? share(*around.days_since_success, 180) : 1,
      around.days_since_success ? fmt::format("{:.0f} days", *around.days_since_success) : "never");
  // A standard change was tested when it was made one.
  const bool tested = plan.tested || plan.type == Type::standard;
  add("test evidence", 0.2, tested ? 0 : 1, tested ? "passed" : "none");
  add("reversibility", 0.5, reversibility(plan), plan.irreversible ? "irreversible" : "can be rolled back");
  add("overlap", 0.2, share(around.overlapping, 3), fmt::format("{} other changes", around.overlapping));
  add("load", 0.1, std::clamp(around.load, 0.0, 1.0), fmt::format("{:.0f} % of the peak", around.load * 100));
  add("open incidents", 0.3, share(around.open_incidents, 3), fmt::format("{}", around.open_incidents));
  double left = 1;
  for (const auto& factor : risk.factors) left *= 1 - factor.weight * factor.value;
  risk.score = 100 * (1 - left);
  risk.level = level_of_score(risk.score);
  raise(risk, level_of(impact), "by what it affects");
  if (!around.emergency_path.empty())
    raise(risk, Level::critical, fmt::format("emergencies pass {}", around.emergency_path));
  if (plan.declared) raise(risk, *plan.declared, "as its requester says");
  if (plan.irreversible) raise(risk, Level::high, "it cannot be rolled back");
  if (around.budget_left && *around.budget_left < budget_low && risk.level < Level::critical) {
    risk.level = static_cast<Level>(static_cast<int>(risk.level) + 1);
    risk.reason = fmt::format("{:.0f} % of the error budget is left", *around.budget_left * 100);
  }
  return risk;
}

std::string to_json(const Risk& risk) {
  std::string text;
  json::Writer out(text);
  out.begin_object().field("score", risk.score).field("level", to_string(risk.level)).field("reason", risk.reason);
  out.key("factors").begin_array();
  for (const auto& factor : risk.factors) {
    out.begin_object().field("name", factor.name).field("weight", factor.weight).field("value", factor.value);
    out.field("text", factor.text).end_object();
  }
  out.end_array().end_object();
  return text;
}

}  // namespace mydr24::changes
