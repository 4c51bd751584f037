#pragma once

// The on-call plan: people and how they are reached, teams, schedules, policies, and what belongs to them. Immutable:
// a change makes a new one. Every part is a JSON document with a kind and a name ("policy/emergency").
//
// Invariants
// - A Plan that exists is satisfiable: every name it uses is there, no policy, step, schedule or rotation is empty, no
//   two overrides of one person overlap, and the first step of a policy waits for no number of alerts.
// - who_answers() never answers nobody: whoever is not reachable is replaced, and the last resort is the operator.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/notify/address.h"
#include "alerting/oncall/schedule.h"
#include "base/core/result.h"
#include "storage/store/store.h"

namespace mydr24::oncall {

// Hard maxima; Limits may ask for less.
inline constexpr std::size_t parts_max = 20'000;
inline constexpr std::size_t name_bytes_max = 100;
inline constexpr std::size_t methods_max = 8;
inline constexpr std::size_t known_as_max = 16;
inline constexpr std::size_t rules_max = 32;
inline constexpr std::size_t members_max = 200;
inline constexpr std::size_t layers_max = 16;
inline constexpr std::size_t windows_max = 16;
inline constexpr std::size_t steps_max = 32;
inline constexpr std::size_t targets_max = 64;
inline constexpr std::chrono::seconds delay_max = std::chrono::days(7);
inline constexpr int repeat_max = 20;
inline constexpr int alerts_counted_max = 1000;

enum class Availability : std::uint8_t { always, on_call, business_hours, extended };
std::string_view to_string(Availability availability);

// One way to reach a person.
struct Method {
  notify::Address address;
  bool verified = true;  // somebody has answered there
  bool disabled = false;
  bool usable() const { return verified && !disabled; }
};

// `after` the call of their step, this person is reached by that method. Without rules: by every method at once.
struct Rule {
  std::size_t method = 0;
  std::chrono::seconds after{0};
  bool operator==(const Rule&) const = default;
};

struct Contact {
  std::string name;
  std::string role;
  std::vector<std::string> known_as;  // what chats and other systems call them: "U02ANN", "Ann Smith"
  zone::Zone zone;                    // whose wall clock business hours are
  Availability availability = Availability::always;
  std::string backup;  // who is called in their place while they are not available; may be empty
  std::vector<Method> methods;
  std::vector<Rule> rules;  // by delay
  std::vector<Leave> leave;
  bool reachable() const;
  bool pageable() const;                      // reachable away from the console
  std::vector<Rule> effective_rules() const;  // by delay; only usable methods
};

struct Team {
  std::string name;
  std::string lead;  // may be empty
  std::vector<std::string> members;
  std::chrono::seconds escalation_timeout{0};
  std::vector<std::string> expertise;
};

enum class TargetKind : std::uint8_t { contact, schedule, team };

struct Target {
  TargetKind kind = TargetKind::contact;
  std::string name;
};

// The step is called only within this part of the week; an escalation that comes to it at another time rests until then.
struct IfTime {
  zone::Zone zone;
  Window window;
  // The beginning of the next range after `at`; nothing when `at` is within one.
  std::optional<Instant> rests_until(Instant at) const;
};

// The step is called only when more than `more_than` alerts came within the time before; until then the step before it is
// called again and again.
struct IfCount {
  enum class Of : std::uint8_t { source, cause };  // alerts of the same source; news of this very alert (of its group)
  int more_than = 1;
  std::chrono::seconds within{600};
  Of of = Of::source;
};

// Conditions are for what can wait: an emergency passes them over.
struct Step {
  std::vector<Target> targets;     // all are called at once
  std::chrono::seconds delay{30};  // unanswered this long: the next step, or the last one again
  int acks = 1;                    // so many different people must answer
  std::optional<IfTime> if_time;
  std::optional<IfCount> if_count;  // never of the first step
};

struct Policy {
  std::string name;
  std::vector<Step> steps;
  int repeat = 0;      // after the last step begin again with the first, so many times; an emergency does not
  int people_min = 1;  // the coverage proof demands so many reachable people of every step at every instant
};

// Alerts that are no emergency wait while their policy is in maintenance.
struct Maintenance {
  std::string id;
  std::string policy;  // "*": every policy
  Period period;
  std::string by;
  std::string reason;
};

// Something that must be heard of regularly.
struct Monitor {
  std::string name;
  std::chrono::seconds timeout{3600};
  std::string severity = "urgent";
  std::string policy;  // empty: the default of the severity
  std::optional<Instant> muted_until;
};

// A calendar that others subscribe to.
struct Feed {
  std::string id;
  std::string schedule;
  std::string contact;  // empty: everybody
  std::string secret;   // part of its address
  bool disabled = false;
  std::chrono::minutes reminder{5};  // 0: none
};

// Who is told who is on call, and when.
struct Notice {
  std::string name;
  std::string schedule;
  notify::Address address;  // webhook, console, email, sms or chat
  bool changes = true;      // when that changes
  bool daily = true;        // at 00:00 by the wall clock of the schedule
};

struct Sla {
  std::chrono::seconds response{900};
  std::chrono::seconds resolution{14400};
};

// By severity: emergency, urgent, advisory.
inline constexpr std::array<std::string_view, 3> severities{"emergency", "urgent", "advisory"};

struct Defaults {
  std::array<std::string, 3> policy;  // of an alert that names none
  std::array<Sla, 3> sla{Sla{std::chrono::seconds(180), std::chrono::seconds(3600)},
                         Sla{std::chrono::seconds(900), std::chrono::seconds(14400)},
                         Sla{std::chrono::seconds(3600), std::chrono::seconds(28800)}};
  std::string operator_contact;                    // the last resort; empty: the console
  std::map<std::string, int, std::less<>> limits;  // of the number of parts, by kind; -1 or not there: none
};

// A person that is to be called, and why that one.
struct Called {
  const Contact* contact = nullptr;
  std::string_view instead_of;  // not empty: the person who is not available or reachable, or `nobody`
};
// Nobody whom the policy names can be reached.
inline constexpr std::string_view nobody = "nobody";

// The documents of a plan by key, "KIND/NAME".
using Documents = std::map<std::string, std::string, std::less<>>;
// contact, team, schedule, override, temporary, policy, maintenance, monitor, feed, notice, defaults
bool is_kind(std::string_view kind);

class Plan {
 public:
  // Code::invalid, Code::conflict (overrides that overlap), Code::too_large; `where` is the part and the field,
  // "policy/emergency.steps[1].targets[0]".
  // `standing`: where what people did to their addresses is kept (confirmed, switched off, answered STOP); null: only the
  // documents count.
  static Result<Plan> make(Documents documents, std::int64_t revision = 0, store::Reader* standing = nullptr);
  Plan(Plan&&) = default;
  Plan(const Plan&) = delete;  // parts point to each other
  Plan& operator=(const Plan&) = delete;

  std::int64_t revision() const { return revision_; }
  const Documents& documents() const { return documents_; }

  const std::map<std::string, Contact, std::less<>>& contacts() const { return contacts_; }
  const std::map<std::string, Team, std::less<>>& teams() const { return teams_; }
  const std::map<std::string, Schedule, std::less<>>& schedules() const { return schedules_; }
  const std::map<std::string, Policy, std::less<>>& policies() const { return policies_; }
  const std::map<std::string, Monitor, std::less<>>& monitors() const { return monitors_; }
  const std::map<std::string, Maintenance, std::less<>>& maintenances() const { return maintenances_; }
  const std::map<std::string, Feed, std::less<>>& feeds() const { return feeds_; }
  const std::map<std::string, Notice, std::less<>>& notices() const { return notices_; }
  const std::vector<Leave>& leaves() const { return leaves_; }
  const Defaults& defaults() const { return defaults_; }
  // The longest time within which a step counts alerts; 0: none does.
  std::chrono::seconds counts_within() const { return counts_within_; }
  const Contact* contact(std::string_view name) const;  // null when there is none
  // The name of the contact who answers under `identity`: a contact's name, what a contact is known as, or the number or
  // address of one of their methods. `identity` itself when that is nobody, or more than one.
  std::string person(std::string_view identity) const;

  // That policy, or the default of the severity (0 to 2) when it is not there.
  const Policy& policy(std::string_view name, std::size_t severity) const;
  // The people of that step (of the last one when `step` is beyond it) at that time, each once and each reachable.
  std::vector<Called> who_answers(const Policy& policy, std::size_t step, Instant at) const;
  // Only those the step itself leads to, so possibly nobody: what coverage is about.
  std::vector<Called> who_is_reachable(const Step& step, Instant at) const;
  // Instants at which who_is_reachable() may change; as schedule.h has it.
  void change_points(const Step& step, const Period& range, std::vector<Instant>& points) const;
  // When the maintenance that holds alerts of this policy at that time ends.
  std::optional<Instant> held_until(std::string_view policy, Instant at) const;

 private:
  friend class PlanReader;
  Plan() = default;
  void call(std::string_view name, bool by_schedule, Instant at, std::vector<Called>& called) const;
  bool is_available(const Contact& contact, bool by_schedule, Instant at) const;
  bool is_on_any_duty(std::string_view name, Instant at) const;

  std::int64_t revision_ = 0;
  Documents documents_;
  std::map<std::string, Contact, std::less<>> contacts_;
  std::map<std::string, Team, std::less<>> teams_;
  std::map<std::string, Schedule, std::less<>> schedules_;
  std::map<std::string, Policy, std::less<>> policies_;
  std::map<std::string, Maintenance, std::less<>> maintenances_;
  std::map<std::string, Monitor, std::less<>> monitors_;
  std::map<std::string, Feed, std::less<>> feeds_;
  std::map<std::string, Notice, std::less<>> notices_;
  std::vector<Leave> leaves_;
  Defaults defaults_;
  std::chrono::seconds counts_within_{0};
  Contact console_;                                                          // the last resort of all
  std::map<std::string, std::vector<const Schedule*>, std::less<>> duties_;  // by person: where they may be on duty
};

}  // namespace mydr24::oncall
