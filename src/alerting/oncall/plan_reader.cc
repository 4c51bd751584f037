// Plan::make: the documents are read, then everything they name is looked for.

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "alerting/notify/address_book.h"
#include "alerting/oncall/fields.h"
#include "alerting/oncall/plan.h"

namespace mydr24::oncall {
namespace {

constexpr std::array<std::string_view, 4> availabilities{"always", "on_call", "business_hours", "extended"};
constexpr std::array<std::string_view, 4> turns{"hour", "day", "week", "month"};
constexpr std::array<std::string_view, notify::kind_count> methods{"webhook", "console", "email",    "sms",
                                                                   "voice",   "chat",    "pagerduty"};
constexpr std::size_t shifts_max = 1000;
constexpr std::size_t leave_max = 100;

notify::Address read_address(Fields& from) {
  notify::Address address;
  address.kind = static_cast<notify::Kind>(from.choice("kind", methods, 1));
  address.target = from.text("target", notify::target_bytes_max);
  address.secret = from.text("secret", 2000);
  if (const auto checked = notify::check_address(address); !checked)
    from.refuse(checked.error().where, checked.error().text);
  return address;
}

Method read_method(Fields& from) {
  Method method{.address = read_address(from)};
  // Who writes down an address that machines answer at knows it; people answer for theirs.
  const bool machine = method.address.kind == notify::Kind::webhook || method.address.kind == notify::Kind::console;
  method.verified = from.flag("verified", machine);
  method.disabled = from.flag("disabled", false);
  from.finish();
  return method;
}

Window read_window(Fields& from) {
  Window window;
  window.days = from.days("days");
  window.from = from.clock("from", window.from);
  window.to = from.clock("to", window.to);
  if (window.from == std::chrono::hours(24)) from.refuse("from", "a window begins before 24:00");
  from.finish();
  return window;
}

Layer read_layer(Fields& from) {
  Layer layer;
  layer.name = from.text("name");
  layer.members = from.names("members", members_max);
  layer.every = static_cast<Every>(from.choice("every", turns, 2));
  layer.length = static_cast<int>(from.number("length", 1, 1, 1000));
  layer.start = from.local_time("start");
  for (Fields& each : from.objects("windows", windows_max)) layer.windows.push_back(read_window(each));
  if (layer.members.empty()) from.refuse("members", "a rotation needs somebody who takes turns");
  from.finish();
  return layer;
}

Target read_target(Fields& from, std::size_t index, std::string_view written) {
  constexpr std::array<std::string_view, 3> kinds{"contact:", "schedule:", "team:"};
  for (std::size_t i = 0; i < kinds.size(); ++i)
    if (written.starts_with(kinds[i]))
      return {static_cast<TargetKind>(i), std::string(written.substr(kinds[i].size()))};
  from.refuse(fmt::format("targets[{}]", index), "write contact:NAME, schedule:NAME or team:NAME");
  return {};
}

IfTime read_if_time(Fields& from) {
  IfTime condition{.zone = from.zone("zone"), .window = {}};
  Window& window = condition.window;
  window.days = from.days("days");
  window.from = from.clock("from", window.from);
  window.to = from.clock("to", window.to);
  constexpr std::chrono::hours day{24};
  if (window.from == day) from.refuse("from", "a range begins before 24:00");
  if (window.from == window.to || window.to - window.from == day) {
    window.to = window.from;
    if (window.days == 0x7f) from.refuse("", "this range is always: give it from, to or days, or leave it away");
  }
  from.finish();
  return condition;
}

IfCount read_if_count(Fields& from) {
  constexpr std::array<std::string_view, 2> kinds{"source", "cause"};
  IfCount condition;
  if (!from.has("more_than")) from.refuse("more_than", "a number of alerts is needed");
  condition.more_than = static_cast<int>(from.number("more_than", 1, 1, alerts_counted_max));
  condition.within = from.seconds("within_s", condition.within, delay_max);
  condition.of = static_cast<IfCount::Of>(from.choice("of", kinds, 0));
  if (condition.within < std::chrono::seconds(1)) from.refuse("within_s", "alerts are counted over at least 1 second");
  from.finish();
  return condition;
}

Step read_step(Fields& from) {
  Step step;
  for (const std::string& written : from.names("targets", targets_max))
    step.targets.push_back(read_target(from, step.targets.size(), written));
  step.delay = from.seconds("delay_s", step.delay, delay_max);
  step.acks = static_cast<int>(from.number("acks", 1, 1, static_cast<std::int64_t>(targets_max)));
  if (step.targets.empty()) from.refuse("targets", "the step calls nobody");
  if (step.delay < std::chrono::seconds(1)) from.refuse("delay_s", "a step lasts at least 1 second");
  if (auto condition = from.object("if_time")) step.if_time = read_if_time(*condition);
  if (auto condition = from.object("if_count")) step.if_count = read_if_count(*condition);
  from.finish();
  return step;
}

}  // namespace

bool is_kind(std::string_view kind) {
  constexpr std::array<std::string_view, 11> kinds{"contact",   "team",   "schedule",    "override",
                                                   "temporary", "policy", "maintenance", "monitor",
                                                   "feed",      "notice", "defaults"};
  return std::ranges::find(kinds, kind) != kinds.end();
}

class PlanReader {
 public:
  PlanReader(Plan& plan, store::Reader* standing) : plan_(plan), standing_(standing) {
    plan_.console_.name = "console";
    plan_.console_.methods = {{.address = {.kind = notify::Kind::console}}};
  }

  Result<> read() {
    if (plan_.documents_.size() > parts_max) return fail(Code::too_large, fmt::format("more than {} parts", parts_max));
    for (const auto& [key, text] : plan_.documents_) {
      auto document = json::Document::parse_view(text, {.bytes_max = 1U << 20, .depth_max = 16, .values_max = 100'000});
      if (!document) return fail(document.error().code, document.error().text, key);
      const std::size_t slash = key.find('/');
      const std::string kind = key.substr(0, slash), name = slash == key.npos ? "" : key.substr(slash + 1);
      if (!is_kind(kind) || !is_name(name))
        return fail(Code::invalid, "a part of the plan is KIND/NAME, as policy/emergency", key);
      Fields fields(document->root(), key, error_);
      if (error_) return std::move(*error_);
      read_part(kind, name, fields);
      fields.finish();
      if (error_) return std::move(*error_);
    }
    check();
    if (error_) return std::move(*error_);
    return standing_ == nullptr ? Result<>() : judge_methods();
  }

 private:
  void read_part(const std::string& kind, const std::string& name, Fields& from) {
    const std::string_view naming =
        kind == "override" || kind == "temporary" || kind == "maintenance" || kind == "feed" ? "id" : "name";
    const std::string written = kind == "defaults" ? name : from.name(naming, false);
    if (!written.empty() && written != name) from.refuse(naming, fmt::format("this part is called \"{}\"", name));
    if (kind == "contact") read_contact(name, from);
    if (kind == "team") read_team(name, from);
    if (kind == "schedule") read_schedule(name, from);
    if (kind == "override") read_override(name, from);
    if (kind == "temporary") read_temporary(name, from);
    if (kind == "policy") read_policy(name, from);
    if (kind == "maintenance") read_maintenance(name, from);
    if (kind == "monitor") read_monitor(name, from);
    if (kind == "feed") read_feed(name, from);
    if (kind == "notice") read_notice(name, from);
    if (kind == "defaults") read_defaults(from);
  }

  void read_contact(const std::string& name, Fields& from) {
    Contact& contact = plan_.contacts_[name];
    contact.name = name;
    contact.role = from.text("role");
    contact.known_as = from.names("known_as", known_as_max);
    contact.zone = from.zone("zone");
    contact.availability = static_cast<Availability>(from.choice("availability", availabilities, 0));
    contact.backup = from.name("backup", false);
    for (Fields& each : from.objects("methods", methods_max)) contact.methods.push_back(read_method(each));
    for (Fields& each : from.objects("rules", rules_max)) {
      Rule rule;
      rule.method = static_cast<std::size_t>(each.number("method", 0, 0, methods_max - 1));
      rule.after = each.seconds("after_s", rule.after, delay_max);
      if (rule.method >= contact.methods.size()) each.refuse("method", "there is no such method");
      each.finish();
      contact.rules.push_back(rule);
    }
    std::ranges::sort(contact.rules, {}, [](const Rule& rule) { return std::tie(rule.after, rule.method); });
    for (Fields& each : from.objects("leave", leave_max)) {
      contact.leave.push_back({name, each.period(), each.name("deputy", false)});
      each.finish();
      plan_.leaves_.push_back(contact.leave.back());
    }
    if (contact.methods.empty())
      from.refuse("methods", fmt::format("\"{}\" has no method and could never be reached", name));
  }

  void read_team(const std::string& name, Fields& from) {
    Team& team = plan_.teams_[name];
    team.name = name;
    team.lead = from.name("lead", false);
    team.members = from.names("members", members_max);
    team.escalation_timeout = from.seconds("escalation_timeout_s", team.escalation_timeout, delay_max);
    team.expertise = from.names("expertise", members_max);
    if (team.members.empty()) from.refuse("members", "a team needs somebody");
  }

  void read_schedule(const std::string& name, Fields& from) {
    Schedule& schedule = plan_.schedules_[name];
    schedule.name = name;
    schedule.zone = from.zone("zone");
    for (Fields& each : from.objects("layers", layers_max)) schedule.layers.push_back(read_layer(each));
    if (schedule.layers.empty()) from.refuse("layers", "the schedule has nobody on duty");
  }

  void read_override(const std::string& id, Fields& from) {
    Override entry{.id = id, .schedule = from.name("schedule"), .period = from.period()};
    entry.add = from.name("add", false);
    entry.remove = from.name("remove", false);
    entry.by = from.text("by");
    entry.reason = from.text("reason");
    if (entry.add.empty() && entry.remove.empty()) from.refuse("add", "an override adds, removes or does both");
    if (!entry.add.empty() && entry.add == entry.remove) from.refuse("add", "nobody stands in for themselves");
    overrides_.push_back(std::move(entry));
  }

  void read_temporary(const std::string& id, Fields& from) {
    Temporary temporary{.id = id, .schedule = from.name("schedule"), .period = from.period()};
    for (Fields& each : from.objects("shifts", shifts_max)) {
      temporary.shifts.push_back({each.name("who"), each.period()});
      each.finish();
    }
    temporaries_.push_back(std::move(temporary));
  }

  void read_policy(const std::string& name, Fields& from) {
    Policy& policy = plan_.policies_[name];
    policy.name = name;
    for (Fields& each : from.objects("steps", steps_max)) {
      Step& step = policy.steps.emplace_back(read_step(each));
      if (!step.if_count) continue;
      if (policy.steps.size() == 1)
        each.refuse("if_count", "the first step waits for no number of alerts: nobody would be called until then");
      plan_.counts_within_ = std::max(plan_.counts_within_, step.if_count->within);
    }
    policy.repeat = static_cast<int>(from.number("repeat", 0, 0, repeat_max));
    policy.people_min = static_cast<int>(from.number("people_min", 1, 1, 50));
    if (policy.steps.empty()) from.refuse("steps", "the policy has no step and would call nobody");
  }

  void read_maintenance(const std::string& id, Fields& from) {
    Maintenance maintenance{.id = id, .policy = from.text("policy"), .period = from.period()};
    maintenance.by = from.text("by");
    maintenance.reason = from.text("reason");
    plan_.maintenances_[id] = std::move(maintenance);
  }

  void read_monitor(const std::string& name, Fields& from) {
    Monitor& monitor = plan_.monitors_[name];
    monitor.name = name;
    monitor.timeout = from.seconds("timeout_s", monitor.timeout, std::chrono::days(30));
    monitor.severity = severities[from.choice("severity", severities, 1)];
    monitor.policy = from.name("policy", false);
    monitor.muted_until = from.instant("muted_until", false);
    if (monitor.timeout < std::chrono::seconds(1)) from.refuse("timeout_s", "at least 1 second");
  }

  void read_feed(const std::string& id, Fields& from) {
    Feed feed{.id = id, .schedule = from.name("schedule"), .contact = from.name("contact", false)};
    feed.secret = from.text("secret");
    feed.disabled = from.flag("disabled", false);
    feed.reminder = std::chrono::minutes(from.number("reminder_min", 5, 0, 24 * 60));
    if (feed.secret.size() < 16) from.refuse("secret", "at least 16 characters that nobody can guess");
    plan_.feeds_[id] = std::move(feed);
  }

  void read_notice(const std::string& name, Fields& from) {
    Notice& notice = plan_.notices_[name];
    notice.name = name;
    notice.schedule = from.name("schedule");
    notice.changes = from.flag("changes", true);
    notice.daily = from.flag("daily", true);
    if (!notice.changes && !notice.daily) from.refuse("changes", "it would tell nothing: let it tell changes or daily");
    auto channel = from.object("channel");
    if (!channel) return from.refuse("channel", "a channel is needed: {\"kind\": \"chat\", \"target\": \"C123\"}");
    notice.address = read_address(*channel);
    if (notice.address.kind == notify::Kind::voice || notice.address.kind == notify::Kind::pagerduty)
      channel->refuse("kind", "a notice is a text: webhook, console, email, sms or chat");
    channel->finish();
  }

  void read_defaults(Fields& from) {
    Defaults& defaults = plan_.defaults_;
    if (auto policies = from.object("policy")) {
      for (std::size_t i = 0; i < severities.size(); ++i) defaults.policy[i] = policies->name(severities[i], false);
      policies->finish();
    }
    if (auto slas = from.object("sla")) {
      for (std::size_t i = 0; i < severities.size(); ++i) {
        auto sla = slas->object(severities[i]);
        if (!sla) continue;
        defaults.sla[i].response = sla->seconds("response_s", defaults.sla[i].response, delay_max);
        defaults.sla[i].resolution = sla->seconds("resolution_s", defaults.sla[i].resolution, delay_max);
        sla->finish();
      }
      slas->finish();
    }
    defaults.operator_contact = from.name("operator", false);
    if (auto limits = from.object("limits"))
      for (auto& [kind, most] : limits->numbers()) {
        if (!is_kind(kind)) limits->refuse(kind, "there is no such kind of part");
        defaults.limits[kind] = static_cast<int>(most);
      }
  }

  void refuse(std::string where, std::string text, Code code = Code::invalid) {
    if (!error_) error_ = fail(code, std::move(text), std::move(where));
  }
  void need_contact(std::string_view name, std::string where) {
    if (!name.empty() && plan_.contact(name) == nullptr)
      refuse(std::move(where), fmt::format("there is no contact \"{}\"", name));
  }

  void check() {
    for (const auto& [name, contact] : plan_.contacts_) {
      need_contact(contact.backup, fmt::format("contact/{}.backup", name));
      if (contact.backup == name) refuse(fmt::format("contact/{}.backup", name), "nobody is their own backup");
      for (std::size_t i = 0; i < contact.leave.size(); ++i)
        need_contact(contact.leave[i].deputy, fmt::format("contact/{}.leave[{}].deputy", name, i));
    }
    for (const auto& [name, team] : plan_.teams_) {
      need_contact(team.lead, fmt::format("team/{}.lead", name));
      for (std::size_t i = 0; i < team.members.size(); ++i)
        need_contact(team.members[i], fmt::format("team/{}.members[{}]", name, i));
    }
    for (const auto& [name, schedule] : plan_.schedules_)
      for (std::size_t l = 0; l < schedule.layers.size(); ++l)
        for (std::size_t i = 0; i < schedule.layers[l].members.size(); ++i)
          need_contact(schedule.layers[l].members[i], fmt::format("schedule/{}.layers[{}].members[{}]", name, l, i));
    check_overrides();
    check_policies();
    find_duties();
    need_contact(plan_.defaults_.operator_contact, "defaults/main.operator");
    for (const auto& [id, feed] : plan_.feeds_) {
      if (!plan_.schedules_.contains(feed.schedule))
        refuse(fmt::format("feed/{}.schedule", id), fmt::format("there is no schedule \"{}\"", feed.schedule));
      need_contact(feed.contact, fmt::format("feed/{}.contact", id));
    }
    check_notices();
    for (const auto& [id, maintenance] : plan_.maintenances_)
      if (maintenance.policy != "*" && !plan_.policies_.contains(maintenance.policy))
        refuse(fmt::format("maintenance/{}.policy", id),
               fmt::format("there is no policy \"{}\"; \"*\" means every one", maintenance.policy));
    for (const auto& [name, monitor] : plan_.monitors_)
      if (!monitor.policy.empty() && !plan_.policies_.contains(monitor.policy))
        refuse(fmt::format("monitor/{}.policy", name), fmt::format("there is no policy \"{}\"", monitor.policy));
  }

  Schedule* need_schedule(const std::string& name, std::string_view part) {
    const auto found = plan_.schedules_.find(name);
    if (found == plan_.schedules_.end()) {
      refuse(fmt::format("{}.schedule", part), fmt::format("there is no schedule \"{}\"", name));
      return nullptr;
    }
    return &found->second;
  }

  void check_overrides() {
    for (Override& entry : overrides_) {
      const std::string part = fmt::format("override/{}", entry.id);
      need_contact(entry.add, part + ".add");
      need_contact(entry.remove, part + ".remove");
      Schedule* schedule = need_schedule(entry.schedule, part);
      if (schedule == nullptr) return;
      if (const Override* other = clash(schedule->overrides, entry))
        refuse(part, fmt::format("overlaps the override \"{}\", which names the same person", other->id),
               Code::conflict);
      schedule->overrides.push_back(std::move(entry));
    }
    for (Temporary& temporary : temporaries_) {
      const std::string part = fmt::format("temporary/{}", temporary.id);
      for (std::size_t i = 0; i < temporary.shifts.size(); ++i)
        need_contact(temporary.shifts[i].who, fmt::format("{}.shifts[{}].who", part, i));
      Schedule* schedule = need_schedule(temporary.schedule, part);
      if (schedule == nullptr) return;
      for (const Temporary& other : schedule->temporaries)
        if (other.period.overlaps(temporary.period))
          refuse(part, fmt::format("overlaps the temporary schedule \"{}\"", other.id), Code::conflict);
      schedule->temporaries.push_back(std::move(temporary));
    }
  }

  void check_notices() {
    std::map<std::pair<std::string, std::string>, std::string> told;
    for (const auto& [name, notice] : plan_.notices_) {
      if (!plan_.schedules_.contains(notice.schedule))
        refuse(fmt::format("notice/{}.schedule", name), fmt::format("there is no schedule \"{}\"", notice.schedule));
      const std::string to = fmt::format("{} {}", to_string(notice.address.kind), notice.address.target);
      const auto [other, is_new] = told.emplace(std::pair(notice.schedule, to), name);
      if (!is_new)
        refuse(fmt::format("notice/{}.channel", name),
               fmt::format("\"{}\" tells this channel of the same schedule already", other->second), Code::conflict);
    }
  }

  void check_policies() {
    for (const auto& [name, policy] : plan_.policies_)
      for (std::size_t s = 0; s < policy.steps.size(); ++s)
        for (std::size_t t = 0; t < policy.steps[s].targets.size(); ++t) {
          const Target& target = policy.steps[s].targets[t];
          const std::string where = fmt::format("policy/{}.steps[{}].targets[{}]", name, s, t);
          if (target.kind == TargetKind::contact) need_contact(target.name, where);
          if (target.kind == TargetKind::schedule && !plan_.schedules_.contains(target.name))
            refuse(where, fmt::format("there is no schedule \"{}\"", target.name));
          if (target.kind == TargetKind::team && !plan_.teams_.contains(target.name))
            refuse(where, fmt::format("there is no team \"{}\"", target.name));
        }
    if (plan_.policies_.empty()) {
      Policy& last_resort = plan_.policies_["console"];
      last_resort = {.name = "console", .steps = {{.targets = {{TargetKind::contact, "console"}}}}};
    }
    for (std::size_t i = 0; i < severities.size(); ++i) {
      std::string& name = plan_.defaults_.policy[i];
      if (name.empty()) name = plan_.policies_.contains("default") ? "default" : plan_.policies_.begin()->first;
      if (!plan_.policies_.contains(name))
        refuse(fmt::format("defaults/main.policy.{}", severities[i]), fmt::format("there is no policy \"{}\"", name));
    }
  }

  // What a document says stands, unless the person has confirmed the address or has had it switched off since.
  Result<> judge_methods() {
    for (auto& [name, contact] : plan_.contacts_)
      for (Method& method : contact.methods) {
        if (method.address.kind == notify::Kind::console) continue;
        MYDR24_ASSIGN(const notify::Standing standing, notify::AddressBook::standing(*standing_, method.address));
        method.verified = method.verified || standing.verified();
        method.disabled = method.disabled || !standing.may_send();
      }
    return {};
  }

  void find_duties() {
    for (const auto& [name, schedule] : plan_.schedules_) {
      std::set<std::string> people;
      for (const Layer& layer : schedule.layers) people.insert(layer.members.begin(), layer.members.end());
      for (const Override& entry : schedule.overrides) people.insert(entry.add);
      for (const Temporary& temporary : schedule.temporaries)
        for (const Temporary::Shift& shift : temporary.shifts) people.insert(shift.who);
      for (const Leave& leave : plan_.leaves_)
        if (people.contains(leave.who)) people.insert(leave.deputy);
      for (const std::string& who : people) plan_.duties_[who].push_back(&schedule);
    }
  }

  Plan& plan_;
  store::Reader* const standing_;
  std::optional<Error> error_;
  std::vector<Override> overrides_;
  std::vector<Temporary> temporaries_;
};

Result<Plan> Plan::make(Documents documents, std::int64_t revision, store::Reader* standing) {
  Plan plan;
  plan.documents_ = std::move(documents);
  plan.revision_ = revision;
  MYDR24_TRY(PlanReader(plan, standing).read());
  return plan;
}

}  // namespace mydr24::oncall
