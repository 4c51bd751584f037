#include "operations/incidents/setup.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "base/json/document.h"
#include "base/json/writer.h"

namespace mydr24::incidents {
namespace {

using Days = std::chrono::local_days;

bool is_weekend(Days day) {
  const std::chrono::weekday weekday(day);
  return weekday == std::chrono::Saturday || weekday == std::chrono::Sunday;
}

std::string date_text(Days day) {
  const std::chrono::year_month_day date(day);
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

void show(json::Writer& out, json::Value value) {
  if (value.is_object()) {
    out.begin_object();
    for (const json::Value member : value) {
      out.key(member.key());
      if (member.key() == "secret")
        out.string("***");
      else
        show(out, member);
    }
    out.end_object();
  } else if (value.is_array()) {
    out.begin_array();
    for (const json::Value item : value) show(out, item);
    out.end_array();
  } else {
    out.raw(value.raw());
  }
}

}  // namespace

std::string Setup::shown() const {
  std::string text;
  json::Writer out(text);
  if (const auto document = json::Document::parse_view(text_)) show(out, document->root());
  return text;
}

const Service* Setup::service(std::string_view name) const {
  const auto found = std::ranges::find(services_, name, &Service::name);
  return found == services_.end() ? nullptr : &*found;
}

Classification Setup::classify(const Facts& facts) const {
  Classification found{.severity = default_severity_};
  std::vector<std::pair<const Rule*, Condition::Match>> matching;
  for (const Rule& rule : rules_)
    if (auto match = rule.condition.match(facts); match.matches) matching.emplace_back(&rule, std::move(match));
  // If unsure, treat it as the higher one; of equal ones the first in the list.
  std::ranges::sort(matching, {}, [](const auto& each) { return std::pair(each.first->severity, each.first); });
  for (auto& [rule, match] : matching) {
    found.breach = found.breach || rule->breach;
    if (found.rule.empty()) {
      found.severity = rule->severity;
      found.rule = rule->name;
      found.terms = std::move(match.terms);
    } else {
      found.alternatives.push_back({rule->name, rule->severity, std::move(match.terms)});
    }
  }
  return found;
}

const AlertRule* Setup::alert_rule(std::string_view source, alerts::Severity severity) const {
  for (const AlertRule& rule : alerts_)
    if ((rule.source == "*" || rule.source == source) && rule.severity == severity) return rule.as ? &rule : nullptr;
  return nullptr;
}

Reach Setup::reach_of(std::string_view service) const {
  Reach reach;
  if (service.empty()) return reach;
  reach.services.emplace_back(service);
  std::set<std::string> seen(reach.services.begin(), reach.services.end()), wards;
  for (std::size_t i = 0; i < reach.services.size(); ++i) {
    const std::string name = reach.services[i];
    if (const Service* found = this->service(name)) wards.insert(found->wards.begin(), found->wards.end());
    for (const Service& other : services_)
      if (contains(other.depends_on, name) && seen.insert(other.name).second) reach.services.push_back(other.name);
  }
  reach.wards.assign(wards.begin(), wards.end());
  return reach;
}

const std::string& Setup::policy_of(Severity severity, std::string_view service) const {
  const Service* found = this->service(service);
  return found != nullptr && !found->policy.empty() ? found->policy : criteria(severity).policy;
}

const std::string& Setup::team_of(Severity severity, std::string_view service) const {
  const Service* found = this->service(service);
  return found != nullptr && !found->team.empty() ? found->team : criteria(severity).team;
}

Instant Setup::business_days_after(Instant from, int days) const {
  const zone::LocalTime local = zone_.local(from);
  Days day = std::chrono::floor<std::chrono::days>(local);
  const Microseconds time = local - day;
  while (days > 0) {
    day += std::chrono::days(1);
    if (!is_weekend(day) && !holidays_.contains(date_text(day))) --days;
  }
  return zone_.instant(day + time);
}

Instant Setup::review_due(Severity severity, Instant from) const {
  const Criteria& of = criteria(severity);
  if (of.review_days > 0) return from + std::chrono::days(of.review_days);
  return business_days_after(from, of.review_business_days);
}

std::vector<std::string> Setup::failed_vectors() const {
  std::vector<std::string> failed;
  for (const Rule& rule : rules_) {
    for (std::size_t i = 0; i < rule.vectors.size(); ++i) {
      const Vector& vector = rule.vectors[i];
      if (rule.condition.match(vector.facts).matches != vector.matches)
        failed.push_back(fmt::format("rule \"{}\", vector {}: \"{}\" {} match", rule.name, i + 1, vector.facts.title,
                                     vector.matches ? "does not" : "does"));
    }
  }
  for (std::size_t i = 0; i < vectors_.size(); ++i) {
    const Severity severity = classify(vectors_[i].facts).severity;
    if (severity != vectors_[i].severity)
      failed.push_back(fmt::format("vector {}: \"{}\" is {}, not {}", i + 1, vectors_[i].facts.title,
                                   to_string(severity), to_string(vectors_[i].severity)));
  }
  return failed;
}

std::vector<std::string> Setup::warnings(const oncall::Plan& plan) const {
  std::vector<std::string> found;
  const auto check = [&](std::string_view where, const std::string& team, const std::string& policy) {
    if (!team.empty() && !plan.teams().contains(team))
      found.push_back(fmt::format("{}: the on-call plan has no team \"{}\"", where, team));
    if (!policy.empty() && !plan.policies().contains(policy))
      found.push_back(
          fmt::format("{}: the on-call plan has no policy \"{}\"; the default one is called", where, policy));
  };
  for (const Criteria& each : criteria_) check(to_string(each.severity), each.team, each.policy);
  for (const Service& each : services_) check(each.name, each.team, each.policy);
  return found;
}

}  // namespace mydr24::incidents
