#include "operations/changes/plan.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "base/crypto/digest.h"
#include "base/net/client.h"
#include "operations/changes/detail/members.h"

namespace mydr24::changes {
namespace {

using std::chrono::milliseconds;

constexpr std::array types{"standard", "normal", "emergency"};
constexpr std::array kinds{"configuration", "application", "database_schema", "infrastructure",
                           "security",      "compliance",  "feature",         "hotfix"};
constexpr std::array levels{"low", "medium", "high", "critical"};
constexpr std::array step_kinds{"set", "command", "webhook", "scale", "wait", "verify", "watch", "judge"};
constexpr std::array check_kinds{"http", "fhir", "metric", "burn", "setting"};
constexpr std::int64_t wait_max_s = 7 * 24 * 3600;
constexpr std::size_t checks_max = 50;

template <class Enum, std::size_t count>
Result<Enum> word(const Members& members, std::string_view name, const std::array<const char*, count>& words,
                  std::optional<Enum> otherwise = std::nullopt) {
  MYDR24_ASSIGN(const auto text, members.text(name, !otherwise));
  if (text.empty() && otherwise) return *otherwise;
  const auto found = std::ranges::find(words, text);
  if (found == words.end())
    return fail(Code::invalid, fmt::format("must be one of {}", fmt::join(words, ", ")), members.path(name));
  return static_cast<Enum>(found - words.begin());
}

Result<milliseconds> seconds(const Members& members, std::string_view name, double otherwise, double low, double high) {
  MYDR24_ASSIGN(const auto found, members.number(name, low, high));
  return milliseconds(static_cast<std::int64_t>(found.value_or(otherwise) * 1000));
}

Result<> check_url(const std::string& url, const std::string& where, bool may_be_path) {
  if (may_be_path && url.starts_with('/')) return {};
  const auto parsed = net::parse_url(url);
  if (!parsed) return fail(Code::invalid, parsed.error().text, where);
  return {};
}

Result<> read_http(const Members& members, Check& check) {
  MYDR24_ASSIGN(check.subject, members.text("url", true));
  MYDR24_TRY(check_url(check.subject, members.path("url"), true));
  MYDR24_ASSIGN(const auto method, members.text("method"));
  if (!method.empty()) check.method = method;
  constexpr std::array methods{"GET", "HEAD", "POST", "PUT"};
  if (std::ranges::find(methods, check.method) == methods.end())
    return fail(Code::invalid, fmt::format("must be one of {}", fmt::join(methods, ", ")), members.path("method"));
  MYDR24_ASSIGN(check.body, members.text("body", false, 64U << 10));
  MYDR24_ASSIGN(check.content_type, members.text("content_type"));
  MYDR24_ASSIGN(check.contains, members.text("contains"));
  MYDR24_ASSIGN(check.credential, members.text("credential", false, 100));
  const auto status = members["status"];
  if (!status) return {};
  check.status.clear();
  if (!status.is_array() || status.size() == 0 || status.size() > 20)
    return fail(Code::invalid, "must be a list of 1 to 20 numbers", members.path("status"));
  for (const auto item : status) {
    int number = 0;
    const auto text = item.text();
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number < 100 || number > 599)
      return fail(Code::invalid, "must be numbers from 100 to 599", members.path("status"));
    check.status.push_back(number);
  }
  return {};
}

bool is_harmless(std::string_view search) {
  const auto type = search.substr(0, search.find('?'));
  const bool named = !type.empty() &&
                     std::ranges::all_of(type, [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
  const auto query = type.size() < search.size() ? search.substr(type.size() + 1) : std::string_view();
  return named && !query.contains('&') && (type.size() == search.size() || query.starts_with("_lastUpdated="));
}

Result<Check> read_check(const Members& members) {
  MYDR24_TRY(
      members.only({"kind", "name", "url", "method", "body", "content_type", "status", "contains", "credential",
                    "search", "metric", "slo", "setting", "scope", "at_least", "at_most", "is", "when", "time_max_s"}));
  Check check;
  MYDR24_ASSIGN(check.kind, word<Check::Kind>(members, "kind", check_kinds));
  MYDR24_ASSIGN(check.name, members.text("name", false, 200));
  MYDR24_ASSIGN(check.at_least, members.number("at_least", -1e300, 1e300));
  MYDR24_ASSIGN(check.at_most, members.number("at_most", -1e300, 1e300));
  MYDR24_ASSIGN(check.scope, members.text("scope"));
  MYDR24_ASSIGN(check.time_max, seconds(members, "time_max_s", 10, 0.1, 300));
  MYDR24_ASSIGN(const auto when, members.text("when"));
  if (when != "" && when != "both" && when != "before" && when != "after")
    return fail(Code::invalid, "must be one of before, after, both", members.path("when"));
  check.before = when != "after";
  check.after = when != "before";
  if (check.kind == Check::Kind::http) {
    MYDR24_TRY(read_http(members, check));
  } else if (check.kind == Check::Kind::setting) {
    MYDR24_ASSIGN(check.subject, members.text("setting", true));
    MYDR24_ASSIGN(check.is, members.text("is", true));
  } else {
    const auto* member = check.kind == Check::Kind::fhir   ? "search"
                         : check.kind == Check::Kind::burn ? "slo"
                                                           : "metric";
    MYDR24_ASSIGN(check.subject, members.text(member, true));
    if (!check.at_least && !check.at_most)
      return fail(Code::invalid, "needs at_least, at_most or both", members.path("at_least"));
  }
  if (check.kind == Check::Kind::fhir && !is_harmless(check.subject))
    return fail(Code::invalid, "must be a type, alone or with _lastUpdated: a count must tell nothing of a person",
                members.path("search"));
  if (check.name.empty())
    check.name = fmt::format("{} {}", check_kinds[static_cast<std::size_t>(check.kind)], check.subject);
  return check;
}

Result<std::vector<Check>> read_checks(const Members& members, std::string_view name) {
  std::vector<Check> checks;
  MYDR24_TRY(members.objects(name, checks_max, [&](const Members& each) -> Result<> {
    MYDR24_ASSIGN(auto check, read_check(each));
    checks.push_back(std::move(check));
    return {};
  }));
  return checks;
}

Result<> read_watch(const Members& members, Step& step) {
  MYDR24_ASSIGN(step.checks, read_checks(members, "checks"));
  if (step.checks.empty()) return fail(Code::invalid, "is missing", members.path("checks"));
  if (step.kind == Step::Kind::verify) return {};
  MYDR24_ASSIGN(step.every, seconds(members, "every_s", 10, 0.1, 3600));
  const auto limit = [&](std::string_view name, int& to, std::int64_t low) -> Result<> {
    MYDR24_ASSIGN(const auto found, members.integer(name, to, low, 10'000));
    to = static_cast<int>(found);
    return {};
  };
  step.limits.count = 6;
  MYDR24_TRY(limit("count", step.limits.count, 1));
  MYDR24_TRY(limit("failure_limit", step.limits.failure_limit, 0));
  MYDR24_TRY(limit("inconclusive_limit", step.limits.inconclusive_limit, 0));
  // A watch in which every check is an error has not been passed.
  step.limits.consecutive_error_limit = std::min(step.limits.consecutive_error_limit, step.limits.count - 1);
  MYDR24_TRY(limit("consecutive_error_limit", step.limits.consecutive_error_limit, 0));
  MYDR24_TRY(limit("consecutive_successes", step.limits.consecutive_successes, 0));
  MYDR24_ASSIGN(step.limits.dry_run, members.flag("dry_run"));
  return {};
}

Result<> read_judge(const Members& members, Step& step) {
  MYDR24_ASSIGN(step.metric, members.text("metric", true));
  MYDR24_ASSIGN(step.canary, members.text("canary", true));
  MYDR24_ASSIGN(step.control, members.text("control", true));
  MYDR24_ASSIGN(const auto samples, members.integer("samples", 30, 5, 1000));
  step.samples = static_cast<int>(samples);
  MYDR24_ASSIGN(step.every, seconds(members, "every_s", 10, 0.1, 3600));
  MYDR24_ASSIGN(const auto direction, members.text("direction"));
  if (!direction.empty()) {
    const auto found = judge::parse_direction(direction);
    if (!found) return fail(Code::invalid, "must be increase, decrease or either", members.path("direction"));
    step.classifier.direction = *found;
  }
  MYDR24_ASSIGN(const auto confidence, members.number("confidence", 0.5, 0.9999));
  MYDR24_ASSIGN(const auto tolerance, members.number("tolerance", 0, 10));
  MYDR24_ASSIGN(const auto increase, members.number("allowed_increase", 0, 1e6));
  MYDR24_ASSIGN(const auto decrease, members.number("allowed_decrease", 0, 1e6));
  step.classifier.confidence = confidence.value_or(step.classifier.confidence);
  step.classifier.tolerance = tolerance.value_or(step.classifier.tolerance);
  step.classifier.allowed_increase = increase.value_or(step.classifier.allowed_increase);
  step.classifier.allowed_decrease = decrease.value_or(step.classifier.allowed_decrease);
  return {};
}

Result<> read_set(const Members& members, Step& step) {
  MYDR24_ASSIGN(step.setting, members.text("setting", true));
  MYDR24_ASSIGN(const auto scope, members.text("scope"));
  if (!scope.empty()) step.scope = scope;
  const auto value = members["value"];
  if (!value) return fail(Code::invalid, "is missing; null: the default", members.path("value"));
  if (value.is_object() || value.is_array())
    return fail(Code::invalid, "must be a text, a number, true, false or null", members.path("value"));
  if (!value.is_null()) step.value = value.text();
  return {};
}

Result<> read_act(const Members& members, Step& step) {
  if (step.kind == Step::Kind::wait) {
    MYDR24_ASSIGN(step.wait, seconds(members, "seconds", 0, 0, wait_max_s));
    return {};
  }
  if (step.kind == Step::Kind::scale) {
    MYDR24_ASSIGN(step.scaled, members.text("scale", true, 100));
    if (!members["to"]) return fail(Code::invalid, "is missing: the number", members.path("to"));
    MYDR24_ASSIGN(step.number, members.integer("to", 0, 0, scale_max));
    MYDR24_ASSIGN(step.within, seconds(members, "within_s", 120, 1, 3600));
    return {};
  }
  if (step.kind == Step::Kind::command) {
    MYDR24_ASSIGN(step.command, members.text("command", true));
    return {};
  }
  MYDR24_ASSIGN(step.url, members.text("url", true));
  MYDR24_ASSIGN(step.body, members.text("body", false, 64U << 10));
  return check_url(step.url, members.path("url"), false);
}

Result<Step> read_step(const Members& members) {
  MYDR24_TRY(members.only({"kind",
                           "name",
                           "setting",
                           "scope",
                           "value",
                           "command",
                           "url",
                           "body",
                           "scale",
                           "to",
                           "within_s",
                           "seconds",
                           "checks",
                           "every_s",
                           "count",
                           "failure_limit",
                           "inconclusive_limit",
                           "consecutive_error_limit",
                           "consecutive_successes",
                           "dry_run",
                           "metric",
                           "canary",
                           "control",
                           "samples",
                           "direction",
                           "confidence",
                           "tolerance",
                           "allowed_increase",
                           "allowed_decrease",
                           "time_max_s"}));
  Step step;
  MYDR24_ASSIGN(step.kind, word<Step::Kind>(members, "kind", step_kinds));
  MYDR24_ASSIGN(step.name, members.text("name", false, 200));
  MYDR24_ASSIGN(step.time_max, seconds(members, "time_max_s", 30, 0.1, 3600));
  switch (step.kind) {
    case Step::Kind::set:
      MYDR24_TRY(read_set(members, step));
      break;
    case Step::Kind::command:
    case Step::Kind::webhook:
    case Step::Kind::scale:
    case Step::Kind::wait:
      MYDR24_TRY(read_act(members, step));
      break;
    case Step::Kind::verify:
    case Step::Kind::watch:
      MYDR24_TRY(read_watch(members, step));
      break;
    case Step::Kind::judge:
      MYDR24_TRY(read_judge(members, step));
      break;
  }
  if (step.name.empty())
    step.name = fmt::format("{} {}", to_string(step.kind),
                            step.kind == Step::Kind::set       ? step.setting
                            : step.kind == Step::Kind::command ? step.command
                            : step.kind == Step::Kind::scale   ? step.scaled
                                                               : step.metric);
  while (step.name.ends_with(' ')) step.name.pop_back();
  return step;
}

Result<std::vector<Step>> read_steps(const Members& members, std::string_view name) {
  std::vector<Step> steps;
  MYDR24_TRY(members.objects(name, steps_max, [&](const Members& each) -> Result<> {
    MYDR24_ASSIGN(auto step, read_step(each));
    steps.push_back(std::move(step));
    return {};
  }));
  return steps;
}

Result<Impact> read_impact(json::Value root) {
  Impact impact;
  if (!root["impact"]) return impact;
  const Members members(root["impact"], "impact");
  MYDR24_TRY(
      members.only({"downtime_minutes", "emergency_services", "patient_data_access", "data_migration", "wards"}));
  if (members["downtime_minutes"]) {
    MYDR24_ASSIGN(impact.downtime_min, members.integer("downtime_minutes", 0, 0, 100'000));
  }
  MYDR24_ASSIGN(impact.emergency_services, members.flag("emergency_services"));
  MYDR24_ASSIGN(impact.patient_data_access, members.flag("patient_data_access"));
  MYDR24_ASSIGN(impact.data_migration, members.flag("data_migration"));
  MYDR24_ASSIGN(impact.wards, members.texts("wards"));
  return impact;
}

Result<> read_test(const Members& members, Plan& plan) {
  if (!members["test"]) return {};
  const Members test(members["test"], "test");
  MYDR24_TRY(test.only({"passed", "evidence"}));
  MYDR24_ASSIGN(plan.tested, test.flag("passed"));
  MYDR24_ASSIGN(plan.evidence, test.text("evidence"));
  if (plan.tested && plan.evidence.empty()) return fail(Code::invalid, "say where it can be seen", "test.evidence");
  return {};
}

Result<> read_window(const Members& members, Plan& plan) {
  if (!members["window"]) return {};
  const Members window(members["window"], "window");
  MYDR24_TRY(window.only({"begin", "end"}));
  MYDR24_ASSIGN(plan.begin, window.instant("begin"));
  MYDR24_ASSIGN(plan.end, window.instant("end"));
  if (plan.begin && plan.end && *plan.end <= *plan.begin)
    return fail(Code::invalid, "is not after its begin", "window.end");
  return {};
}

// "alerting" of "alerting.clear_days".
void add_owners(Plan& plan) {
  for (const auto* list : {&plan.steps, &plan.rollback})
    for (const auto& step : *list) {
      const auto end = step.setting.find('.');
      if (step.kind != Step::Kind::set || end == std::string::npos) continue;
      auto owner = step.setting.substr(0, end);
      if (std::ranges::find(plan.services, owner) == plan.services.end()) plan.services.push_back(std::move(owner));
    }
}

milliseconds sum_of(const std::vector<Check>& checks) {
  milliseconds sum{0};
  for (const auto& check : checks) sum += check.time_max;
  return sum;
}

}  // namespace

std::string_view to_string(Type type) { return types[static_cast<std::size_t>(type)]; }
std::string_view to_string(Kind kind) { return kinds[static_cast<std::size_t>(kind)]; }
std::string_view to_string(Level level) { return levels[static_cast<std::size_t>(level)]; }
std::string_view to_string(Step::Kind kind) { return step_kinds[static_cast<std::size_t>(kind)]; }

std::optional<Level> parse_level(std::string_view text) {
  const auto found = std::ranges::find(levels, text);
  return found == levels.end() ? std::nullopt : std::optional(static_cast<Level>(found - levels.begin()));
}

Level level_of(const Impact& impact) {
  auto level = Level::low;
  if (impact.downtime_min) level = std::max(level, downtime_level(*impact.downtime_min));
  if (impact.emergency_services) level = std::max(level, Level::critical);
  if (impact.patient_data_access) level = std::max(level, Level::high);
  return level;
}

milliseconds Step::lasts_max() const {
  switch (kind) {
    case Kind::set:
      return milliseconds(10'000);
    case Kind::command:
    case Kind::webhook:
      return time_max;
    case Kind::scale:  // there and back: read, set, and read until it is there
      return 2 * (2 * time_max + within + time_max);
    case Kind::wait:
      return wait;
    case Kind::verify:
      return sum_of(checks);
    case Kind::watch:
      return limits.count * (every + sum_of(checks));
    case Kind::judge:
      return (samples + 1) * every;
  }
  return milliseconds(0);
}

milliseconds Plan::lasts_max() const {
  auto sum = 3 * sum_of(checks) + settle;
  for (const auto* list : {&steps, &rollback})
    for (const auto& step : *list) sum += step.lasts_max();
  return sum;
}

Result<Plan> parse_plan(std::string_view text) {
  if (text.size() > plan_bytes_max)
    return fail(Code::too_large, fmt::format("a plan has at most {} bytes", plan_bytes_max));
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(text, {.bytes_max = plan_bytes_max, .depth_max = 12}));
  const Members members(document.root(), "");
  MYDR24_TRY(
      members.only({"title", "description", "type", "kind", "service", "services", "risk", "impact", "test",
                    "irreversible", "rollback_plan", "implementation", "rollback", "checks", "settle_s", "window"}));
  Plan plan;
  MYDR24_ASSIGN(plan.title, members.text("title", true, 200));
  MYDR24_ASSIGN(plan.description, members.text("description", true));
  MYDR24_ASSIGN(plan.type, word<Type>(members, "type", types, Type::normal));
  MYDR24_ASSIGN(plan.kind, word<Kind>(members, "kind", kinds, Kind::configuration));
  MYDR24_ASSIGN(plan.service, members.text("service", true, 64));
  MYDR24_ASSIGN(plan.services, members.texts("services", 50));
  if (std::ranges::find(plan.services, plan.service) == plan.services.end()) plan.services.push_back(plan.service);
  if (members["risk"]) {
    MYDR24_ASSIGN(const auto declared, word<Level>(members, "risk", levels));
    plan.declared = declared;
  }
  MYDR24_ASSIGN(plan.impact, read_impact(document.root()));
  MYDR24_TRY(read_test(members, plan));
  MYDR24_ASSIGN(plan.irreversible, members.flag("irreversible"));
  MYDR24_ASSIGN(plan.rollback_text, members.text("rollback_plan"));
  MYDR24_ASSIGN(plan.steps, read_steps(members, "implementation"));
  if (plan.steps.empty()) return fail(Code::invalid, "needs at least one step", "implementation");
  MYDR24_ASSIGN(plan.rollback, read_steps(members, "rollback"));
  add_owners(plan);
  MYDR24_ASSIGN(plan.checks, read_checks(members, "checks"));
  if (plan.checks.empty()) return fail(Code::invalid, "needs at least one check: how else is success known?", "checks");
  MYDR24_ASSIGN(plan.settle, seconds(members, "settle_s", 10, 0, 600));
  MYDR24_TRY(read_window(members, plan));
  plan.text = json::compact(document.root());
  plan.digest = crypto::sha256_hex(plan.text);
  return plan;
}

namespace {

Result<> check_set(const Step& step, const live_settings::Registry& settings, const std::string& where) {
  const auto checked = settings.check(step.setting, step.scope, step.value.value_or(""));
  if (!checked && (step.value || checked.error().code == Code::not_found || checked.error().where == "scope"))
    return fail(Code::invalid, fmt::format("{}: {}", step.setting, checked.error().text), where);
  return {};
}

// Whether it can fail at all.
bool verifies(const Step& step) {
  if (step.kind == Step::Kind::verify || step.kind == Step::Kind::judge) return true;
  const auto& limits = step.limits;
  return step.kind == Step::Kind::watch && !limits.dry_run && limits.failure_limit < limits.count &&
         limits.consecutive_error_limit < limits.count;
}

}  // namespace

Result<> check_way_back(const Plan& plan, const live_settings::Registry& settings) {
  for (std::size_t i = 0; i < plan.rollback.size(); ++i) {
    const auto& step = plan.rollback[i];
    const auto where = fmt::format("rollback[{}]", i);
    if (step.kind == Step::Kind::scale)
      return fail(Code::invalid, "what was scaled is scaled back by itself: leave it out", where);
    if (step.kind == Step::Kind::watch || step.kind == Step::Kind::judge)
      return fail(Code::invalid, "a way back sets, calls, waits and verifies, and nothing else", where);
    if (step.kind == Step::Kind::set) MYDR24_TRY(check_set(step, settings, where));
  }
  return {};
}

Result<> check_exposure(const Plan& plan, const live_settings::Registry& settings) {
  std::map<std::string, int, std::less<>> exposed;  // by setting: how far
  std::set<std::string, std::less<>> verified;      // since then
  std::string emergency;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const auto& step = plan.steps[i];
    const auto where = fmt::format("implementation[{}]", i);
    if (verifies(step))
      for (const auto& [setting, stage] : exposed) verified.insert(setting);
    if (step.kind != Step::Kind::set) continue;
    MYDR24_TRY(check_set(step, settings, where));
    const auto& definition = settings.definitions().find(step.setting)->second;
    if (!definition.emergency && !emergency.empty())
      return fail(Code::invalid, fmt::format("emergencies pass {}: it is changed last", emergency), where);
    if (definition.emergency) emergency = step.setting;
    const int stage = live_settings::exposure_of(step.scope);
    const auto before = exposed.find(step.setting);
    if (before != exposed.end() && stage < before->second)
      return fail(Code::invalid, "exposure only grows: lab, non-clinical, ward, region, tenant, all", where);
    if (before != exposed.end() && stage > before->second && !verified.contains(step.setting))
      return fail(Code::invalid, "verify, watch or judge the stage before it first", where);
    if (definition.emergency && exposed.size() > (before == exposed.end() ? 0U : 1U) &&
        verified.size() < exposed.size())
      return fail(Code::invalid, "verify what was changed before an emergency path is", where);
    exposed[step.setting] = stage;
    verified.erase(step.setting);
  }
  return {};
}

}  // namespace mydr24::changes
