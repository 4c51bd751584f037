#include "alerting/oncall/plan.h"

#include <algorithm>

namespace mydr24::oncall {
namespace {

// Source: the operations desk's availability schedules; business hours are those of working days.
constexpr Window business_hours{0x1f, std::chrono::hours(8), std::chrono::hours(18)};
constexpr Window extended_hours{0x7f, std::chrono::hours(6), std::chrono::hours(22)};

std::span<const Window> windows_of(Availability availability) {
  if (availability == Availability::business_hours) return {&business_hours, 1};
  if (availability == Availability::extended) return {&extended_hours, 1};
  return {};
}

void call_once(std::vector<Called>& called, Called who) {
  if (std::ranges::find(called, who.contact, &Called::contact) == called.end()) called.push_back(who);
}

// ASCII: mail addresses and ids of chats are written either way.
bool equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

}  // namespace

std::string_view to_string(Availability availability) {
  constexpr std::array<std::string_view, 4> names{"always", "on_call", "business_hours", "extended"};
  return names[static_cast<std::size_t>(availability)];
}

std::optional<Instant> IfTime::rests_until(Instant at) const {
  return contains(window, zone.local(at)) ? std::nullopt : next_begin(window, zone, at);
}

bool Contact::reachable() const { return std::ranges::any_of(methods, &Method::usable); }

bool Contact::pageable() const {
  return std::ranges::any_of(
      methods, [](const Method& method) { return method.usable() && method.address.kind != notify::Kind::console; });
}

std::vector<Rule> Contact::effective_rules() const {
  std::vector<Rule> all = rules;
  if (all.empty())
    for (std::size_t i = 0; i < methods.size(); ++i) all.push_back({i, std::chrono::seconds(0)});
  std::erase_if(all, [this](const Rule& rule) { return !methods[rule.method].usable(); });
  // Rules that only name methods out of use: whoever is reachable is reached.
  if (all.empty())
    for (std::size_t i = 0; i < methods.size(); ++i)
      if (methods[i].usable()) all.push_back({i, std::chrono::seconds(0)});
  return all;
}

const Contact* Plan::contact(std::string_view name) const {
  const auto found = contacts_.find(name);
  if (found != contacts_.end()) return &found->second;
  return name == console_.name ? &console_ : nullptr;
}

std::string Plan::person(std::string_view identity) const {
  if (identity.empty() || contact(identity) != nullptr) return std::string(identity);
  const auto is_it = [&](std::string_view text) { return equal_ignoring_case(text, identity); };
  const Contact* found = nullptr;
  for (const auto& [name, contact] : contacts_) {
    const bool is_theirs = is_it(name) || std::ranges::any_of(contact.known_as, is_it) ||
                           std::ranges::any_of(contact.methods, is_it, [](const Method& method) {
                             return std::string_view(method.address.target);
                           });
    if (!is_theirs) continue;
    if (found != nullptr) return std::string(identity);
    found = &contact;
  }
  return found == nullptr ? std::string(identity) : found->name;
}

const Policy& Plan::policy(std::string_view name, std::size_t severity) const {
  const auto found = policies_.find(name);
  if (found != policies_.end()) return found->second;
  return policies_.find(defaults_.policy[std::min<std::size_t>(severity, severities.size() - 1)])->second;
}

bool Plan::is_on_any_duty(std::string_view name, Instant at) const {
  const auto found = duties_.find(name);
  return found != duties_.end() && std::ranges::any_of(found->second, [&](const Schedule* schedule) {
           const auto people = on_duty(*schedule, leaves_, at);
           return std::ranges::find(people, name) != people.end();
         });
}

// Somebody whom a schedule names has agreed to be called; for the others their own hours count.
bool Plan::is_available(const Contact& contact, bool by_schedule, Instant at) const {
  if (!contact.reachable()) return false;
  if (std::ranges::any_of(contact.leave, [&](const Leave& leave) { return leave.period.contains(at); })) return false;
  if (by_schedule) return true;
  if (contact.availability == Availability::on_call) return is_on_any_duty(contact.name, at);
  const auto windows = windows_of(contact.availability);
  const auto local = contact.zone.local(at);
  return windows.empty() || std::ranges::any_of(windows, [&](const Window& window) { return contains(window, local); });
}

void Plan::call(std::string_view name, bool by_schedule, Instant at, std::vector<Called>& called) const {
  const Contact* wanted = contact(name);
  if (wanted == nullptr) return;
  if (is_available(*wanted, by_schedule, at)) return call_once(called, {wanted, {}});
  const auto leave = std::ranges::find_if(wanted->leave, [&](const Leave& each) { return each.period.contains(at); });
  for (const std::string_view stand_in :
       {leave == wanted->leave.end() ? std::string_view() : std::string_view(leave->deputy),
        std::string_view(wanted->backup)}) {
    const Contact* other = contact(stand_in);
    // A backup answers in place of somebody else: their own hours do not count, only that they are there.
    if (other != nullptr && is_available(*other, true, at)) return call_once(called, {other, wanted->name});
  }
}

std::vector<Called> Plan::who_is_reachable(const Step& step, Instant at) const {
  std::vector<Called> called;
  for (const Target& target : step.targets) {
    if (target.kind == TargetKind::contact) call(target.name, false, at, called);
    if (target.kind == TargetKind::team)
      for (const std::string& member : teams_.find(target.name)->second.members) call(member, false, at, called);
    if (target.kind == TargetKind::schedule)
      // Without leave: call() replaces whoever is away, by the deputy or else the backup.
      for (const std::string_view who : on_duty(schedules_.find(target.name)->second, {}, at))
        call(who, true, at, called);
  }
  return called;
}

std::vector<Called> Plan::who_answers(const Policy& policy, std::size_t step, Instant at) const {
  const std::size_t first = std::min(step, policy.steps.size() - 1);
  // The people of the step; else of the next one that has any, then of those before it.
  for (std::size_t i = first; i < policy.steps.size(); ++i)
    if (auto called = who_is_reachable(policy.steps[i], at); !called.empty()) return called;
  for (std::size_t i = first; i-- > 0;)
    if (auto called = who_is_reachable(policy.steps[i], at); !called.empty()) return called;
  const Contact* last = contact(defaults_.operator_contact);
  return {{last != nullptr && last->reachable() ? last : &console_, nobody}};
}

void Plan::change_points(const Step& step, const Period& range, std::vector<Instant>& points) const {
  const auto person = [&](std::string_view name) {
    const Contact* found = contact(name);
    if (found == nullptr) return;
    oncall::change_points(windows_of(found->availability), found->zone, range, points);
    const auto duties = duties_.find(name);
    if (found->availability != Availability::on_call || duties == duties_.end()) return;
    for (const Schedule* schedule : duties->second) oncall::change_points(*schedule, {}, range, points);
  };
  for (const Target& target : step.targets) {
    if (target.kind == TargetKind::contact) person(target.name);
    if (target.kind == TargetKind::team)
      for (const std::string& member : teams_.find(target.name)->second.members) person(member);
    if (target.kind == TargetKind::schedule)
      oncall::change_points(schedules_.find(target.name)->second, {}, range, points);
  }
  for (const Leave& leave : leaves_)
    for (const Instant edge : {leave.period.begin, leave.period.end})
      if (range.begin < edge && edge < range.end) points.push_back(edge);
}

std::optional<Instant> Plan::held_until(std::string_view policy, Instant at) const {
  std::optional<Instant> until;
  for (const auto& [id, maintenance] : maintenances_)
    if ((maintenance.policy == "*" || maintenance.policy == policy) && maintenance.period.contains(at))
      until = std::max(until.value_or(at), maintenance.period.end);
  return until;
}

}  // namespace mydr24::oncall
