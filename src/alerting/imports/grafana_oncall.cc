// Grafana OnCall: users with personal rules, teams, escalation chains, integrations and routes.

#include <fmt/format.h>

#include <algorithm>

#include "alerting/imports/detail/grafana.h"
#include "alerting/oncall/fields.h"

namespace mydr24::imports {
namespace detail {

std::string place(std::string_view list, json::Value entry) {
  std::string name = text_of(entry["name"]);
  if (name.empty()) name = text_of(entry["username"]);
  return fmt::format("{} \"{}\"", list, name.empty() ? text_of(entry["id"]) : name);
}

std::vector<std::string> people_of(Translation& made, json::Value ids, const std::string& where) {
  std::vector<std::string> names;
  for (const json::Value id : ids) {
    const std::string* name = made.name_of("contact", id.text());
    if (name == nullptr)
      made.left(where, fmt::format("user {} is not in the export", id.text()));
    else if (std::ranges::find(names, *name) == names.end() && names.size() < oncall::members_max)
      names.push_back(*name);
  }
  return names;
}

}  // namespace detail

namespace {

using detail::Collections;
using detail::Translation;

// What a personal rule of this type uses; nothing for those whose addresses the API keeps to itself.
std::optional<notify::Kind> channel_of(std::string_view type) {
  if (type == "notify_by_email") return notify::Kind::email;
  if (type == "notify_by_slack") return notify::Kind::chat;
  return std::nullopt;
}

json::Value slack_user(json::Value user) {
  const json::Value slack = user["slack"];
  return (slack.is_array() ? slack.at(0) : slack)["user_id"];
}

// By position, then as they are written.
std::pair<std::int64_t, std::size_t> place_in_order(json::Value entry) {
  return {detail::number_of(entry["position"], 0), entry.offset()};
}

struct Step {
  std::vector<std::string> targets;
  std::int64_t delay_s = 0;
  std::string condition;  // members of the step
};

class GrafanaOnCall {
 public:
  GrafanaOnCall(Collections from, Instant now) : from_(std::move(from)), made_(now) {}

  Imported translate() {
    for (const json::Value user : list("users")) add_user(user);
    for (const json::Value team : list("teams")) add_team(team);
    detail::translate_schedules(made_, from_);
    for (const json::Value chain : list("escalation_chains")) add_policy(chain);
    for (const json::Value integration : list("integrations")) name_integration(integration);
    for (const json::Value route : list("routes")) name_route(route);
    for (const json::Value hook : list("outgoing_webhooks"))
      made_.left(detail::place("outgoing_webhooks", hook), "a chain calls people; receivers of routes call webhooks");
    for (const json::Value group : list("user_groups"))
      made_.left(detail::place("user_groups", group), "the API does not say who is in it: make it a team");
    return made_.finish();
  }

 private:
  const detail::Entries& list(std::string_view name) const {
    static const detail::Entries none;
    const auto found = from_.find(name);
    return found == from_.end() ? none : found->second;
  }

  // The rules of one user, of one importance, in their order.
  std::vector<json::Value> rules_of(const std::string& user, bool important) const {
    std::vector<json::Value> rules;
    for (const json::Value rule : list("personal_notification_rules"))
      if (detail::text_of(rule["user_id"]) == user && rule["important"].is_true() == important) rules.push_back(rule);
    std::ranges::sort(rules, {}, place_in_order);
    return rules;
  }

  void add_user(json::Value user) {
    const std::string id = detail::text_of(user["id"]), where = detail::place("users", user);
    const std::string name = made_.give_name("contact", id, user["username"].text());
    std::string text, methods;
    json::Writer out(text), written(methods);
    out.begin_object();
    const std::string slack = detail::text_of(slack_user(user));
    if (oncall::is_name(slack)) out.key("known_as").begin_array().string(slack).end_array();
    if (const auto zone = zone::Zone::find(user["timezone"].text()); zone) out.field("zone", zone->name());
    std::map<notify::Kind, std::size_t> places;
    written.begin_array();
    for (const auto& [kind, target] :
         {std::pair(notify::Kind::email, detail::text_of(user["email"])), std::pair(notify::Kind::chat, slack)}) {
      if (target.empty()) continue;
      auto method = detail::method_of(kind, target, false);
      if (!method) {
        made_.left(where, method.error().text);
        continue;
      }
      places[kind] = places.size();
      written.raw(*method);
    }
    if (places.empty()) {
      written.raw(R"({"kind":"console"})");
      made_.left(where, "no address that can be used here: shown on the console only");
    }
    written.end_array();
    if (user["is_phone_number_verified"].is_true())
      made_.left(where, "the API does not give telephone numbers away: add sms and voice yourself");
    out.key("methods").raw(methods);
    write_rules(out, id, places, where);
    out.end_object();
    made_.add("contact", name, std::move(text));
  }

  void write_rules(json::Writer& out, const std::string& user, const std::map<notify::Kind, std::size_t>& places,
                   const std::string& where) {
    std::string text;
    json::Writer rules(text);
    std::int64_t after = 0;
    std::size_t count = 0;
    rules.begin_array();
    for (const json::Value rule : rules_of(user, false)) {
      const std::string_view type = rule["type"].text();
      if (type == "wait") {
        after += std::max<std::int64_t>(0, detail::number_of(rule["duration"], 0));
        continue;
      }
      const auto kind = channel_of(type);
      const auto found = kind ? places.find(*kind) : places.end();
      if (found == places.end() || count == oncall::rules_max ||
          after > std::chrono::seconds(oncall::delay_max).count()) {
        made_.left(where, fmt::format("its rule {} after {} s has no address here", type, after));
        continue;
      }
      ++count;
      rules.begin_object().field("method", found->second).field("after_s", after).end_object();
    }
    rules.end_array();
    if (count > 0) out.key("rules").raw(text);
    if (!rules_of(user, true).empty())
      made_.left(where,
                 "its important rules: here an emergency uses two kinds of channel at once, and the rules are one");
  }

  void add_team(json::Value team) {
    const std::string id = detail::text_of(team["id"]);
    std::string text;
    json::Writer out(text);
    out.begin_object().key("members").begin_array();
    std::size_t members = 0;
    for (const json::Value user : list("users"))
      for (const json::Value of : user["teams"]) {
        const std::string* name = made_.name_of("contact", detail::text_of(user["id"]));
        if (of.text() != id || name == nullptr || ++members > oncall::members_max) continue;
        out.string(*name);
      }
    out.end_array().end_object();
    if (members == 0)
      return made_.left(detail::place("teams", team), "no user of the export is in it: the team is not carried over");
    made_.add("team", made_.give_name("team", id, team["name"].text()), std::move(text));
  }

  // Whom a policy of a chain calls, as targets; nothing and a remark when there is nobody.
  std::vector<std::string> targets_of(json::Value policy, const std::string& where) {
    const std::string_view type = policy["type"].text();
    std::vector<std::string> targets;
    if (type == "notify_persons" || type == "notify_person_next_each_time" || type == "notify_one_person") {
      const bool in_turns = type == "notify_person_next_each_time";
      const json::Value people = policy[in_turns ? "persons_to_notify_next_each_time" : "persons_to_notify"];
      for (const std::string& name : detail::people_of(made_, people, where)) targets.push_back("contact:" + name);
      if (in_turns && targets.size() > 1)
        made_.left(where, "they were called in turns, one each time; here all at once");
    } else if (type == "notify_on_call_from_schedule") {
      const std::string* name = made_.name_of("schedule", detail::text_of(policy["notify_on_call_from_schedule"]));
      if (name != nullptr) targets.push_back("schedule:" + *name);
    } else if (type == "notify_team_members") {
      const std::string* name = made_.name_of("team", detail::text_of(policy["team_to_notify"]));
      if (name != nullptr) targets.push_back("team:" + *name);
    }
    if (targets.empty()) made_.left(where, fmt::format("\"{}\" calls nobody here", type));
    if (targets.size() > oncall::targets_max) targets.resize(oncall::targets_max);
    return targets;
  }

  // Members of a step: when it is called.
  std::string condition_of(json::Value policy, bool first, const std::string& where) {
    if (policy["type"].text() == "notify_if_time_from_to") {
      const auto from = detail::clock_of(policy["notify_if_time_from"].text());
      const auto to = detail::clock_of(policy["notify_if_time_to"].text());
      if (from && to && *from != *to)
        return fmt::format(R"("if_time":{{"from":"{}","to":"{}"}})", policy["notify_if_time_from"].text().substr(0, 5),
                           policy["notify_if_time_to"].text().substr(0, 5));
      made_.left(where, "its range is not known");
      return {};
    }
    const std::int64_t count = detail::number_of(policy["num_alerts_in_window"], 0);
    const std::int64_t within = detail::number_of(policy["num_minutes_in_window"], 0);
    if (first || count < 1 || count > oncall::alerts_counted_max || within < 1 || within > 7 * 24 * 60) {
      made_.left(where, "a number of alerts is waited for after the first step only, from 1 to 1000 in at most 7 days");
      return {};
    }
    return fmt::format(R"("if_count":{{"more_than":{},"within_s":{},"of":"cause"}})", count, within * 60);
  }

  void add_policy(json::Value chain) {
    const std::string id = detail::text_of(chain["id"]), where = detail::place("escalation_chains", chain);
    std::vector<json::Value> policies;
    for (const json::Value policy : list("escalation_policies"))
      if (detail::text_of(policy["escalation_chain_id"]) == id) policies.push_back(policy);
    std::ranges::sort(policies, {}, place_in_order);
    std::vector<Step> steps;
    std::string condition;
    bool waited = true, repeats = false;
    for (const json::Value policy : policies) {
      const std::string at = fmt::format("{}.{}", where, detail::text_of(policy["position"]));
      const std::string_view type = policy["type"].text();
      if (repeats) {
        made_.left(at, "it comes after the chain repeats: here the repeating is last");
        repeats = false;
      }
      if (type == "wait") {
        const std::int64_t seconds = std::max<std::int64_t>(0, detail::number_of(policy["duration"], 0));
        if (steps.empty())
          made_.left(at, fmt::format("the first people are called at once, not after {} s", seconds));
        else
          steps.back().delay_s += seconds;
        waited = true;
      } else if (type == "notify_if_time_from_to" || type == "notify_if_num_alerts_in_window") {
        std::string made = condition_of(policy, steps.empty(), at);
        if (!made.empty() && condition.contains(made.substr(0, 10)))
          made_.left(at, "a second condition of this kind before the same people");
        else if (!made.empty())
          condition += (condition.empty() ? "" : ",") + made;
        waited = true;
      } else if (type == "repeat_escalation") {
        repeats = repeats_ = true;
      } else {
        add_targets(targets_of(policy, at), steps, condition, waited, at);
      }
    }
    if (!condition.empty()) made_.left(where, "the condition at its end holds nothing back");
    write_policy(chain, steps, where);
  }

  // Who is notified without a wait in between is called at once.
  void add_targets(std::vector<std::string> targets, std::vector<Step>& steps, std::string& condition, bool& waited,
                   const std::string& where) {
    if (targets.empty()) return;
    if (waited || steps.empty()) {
      if (steps.size() == oncall::steps_max)
        return made_.left(where, fmt::format("more than {} steps", oncall::steps_max));
      steps.push_back({.condition = std::exchange(condition, {})});
      waited = false;
    }
    Step& step = steps.back();
    for (std::string& target : targets)
      if (std::ranges::find(step.targets, target) == step.targets.end() && step.targets.size() < oncall::targets_max)
        step.targets.push_back(std::move(target));
  }

  void write_policy(json::Value chain, const std::vector<Step>& steps, const std::string& where) {
    constexpr std::int64_t last_delay_s = 300;  // where the chain ends and ours calls the last step again
    constexpr int repeats_max = 5;              // source: MAX_TIMES_REPEAT of its escalation policies
    const bool repeats = std::exchange(repeats_, false);
    if (steps.empty()) return made_.left(where, "it calls nobody: the chain is not carried over");
    std::string text;
    json::Writer out(text);
    out.begin_object().key("steps").begin_array();
    for (const Step& step : steps) {
      std::string members;
      json::Writer targets(members);
      targets.begin_array();
      for (const std::string& target : step.targets) targets.string(target);
      targets.end_array();
      const std::int64_t most = std::chrono::seconds(oncall::delay_max).count();
      out.raw(fmt::format(R"({{"targets":{},"delay_s":{}{}{}}})", members,
                          step.delay_s == 0 ? last_delay_s : std::min(step.delay_s, most),
                          step.condition.empty() ? "" : ",", step.condition));
    }
    out.end_array();
    if (repeats) out.field("repeat", repeats_max);
    out.end_object();
    made_.add("policy", made_.give_name("policy", detail::text_of(chain["id"]), chain["name"].text()), std::move(text));
  }

  std::string policy_name(json::Value chain) const {
    const std::string* name = made_.name_of("policy", detail::text_of(chain));
    return name == nullptr ? "none that was carried over" : fmt::format("\"{}\"", *name);
  }

  void name_integration(json::Value integration) {
    made_.left(
        detail::place("integrations", integration),
        fmt::format("point its sender ({}) to this server; what no route takes went to policy {}",
                    integration["type"].text(), policy_name(integration["default_route"]["escalation_chain_id"])));
  }

  void name_route(json::Value route) {
    if (route["is_the_last_route"].is_true()) return;  // named with its integration
    made_.left(
        fmt::format("routes \"{}\"", detail::text_of(route["id"])),
        fmt::format("it reads the whole message ({}): lead alerts to policy {} by a route with matchers on labels",
                    route["routing_regex"].text(), policy_name(route["escalation_chain_id"])));
  }

  Collections from_;
  Translation made_;
  bool repeats_ = false;
};

constexpr std::string_view collections[] = {"users",
                                            "teams",
                                            "user_groups",
                                            "schedules",
                                            "on_call_shifts",
                                            "shift_swaps",
                                            "escalation_chains",
                                            "escalation_policies",
                                            "integrations",
                                            "routes",
                                            "personal_notification_rules",
                                            "outgoing_webhooks"};

Result<> add_entry(json::Value entry, std::string_view list, const std::string& where, Collections& into) {
  if (detail::text_of(entry["id"]).empty()) return fail(Code::invalid, "every entry has an id", where);
  into[std::string(list)].push_back(entry);
  return {};
}

// Lists of the API's answers.
Result<Collections> read_answers(json::Value root, std::vector<Left>& left) {
  Collections made;
  for (const json::Value list : root) {
    const std::string name(list.key());
    if (std::ranges::find(collections, name) == std::end(collections)) {
      left.push_back({name, "there is nothing like it here"});
      continue;
    }
    const json::Value entries = list.is_array() ? list : list["results"];
    if (!entries.is_array()) return fail(Code::invalid, "this must be a list, or an answer with results", name);
    if (list["next"].is_string()) return fail(Code::invalid, "this is one page of several: ask for all of them", name);
    std::size_t index = 0;
    for (const json::Value entry : entries)
      MYDR24_TRY(add_entry(entry, name, fmt::format("{}[{}]", name, index++), made));
  }
  return made;
}

// Resources of Terraform, in modules.
Result<> read_module(json::Value module, int depth, Collections& made, std::vector<Left>& left) {
  constexpr std::pair<std::string_view, std::string_view> types[]{
      {"grafana_oncall_user", "users"},
      {"grafana_oncall_team", "teams"},
      {"grafana_oncall_user_group", "user_groups"},
      {"grafana_oncall_schedule", "schedules"},
      {"grafana_oncall_on_call_shift", "on_call_shifts"},
      {"grafana_oncall_escalation_chain", "escalation_chains"},
      {"grafana_oncall_escalation", "escalation_policies"},
      {"grafana_oncall_integration", "integrations"},
      {"grafana_oncall_route", "routes"},
      {"grafana_oncall_user_notification_rule", "personal_notification_rules"},
      {"grafana_oncall_outgoing_webhook", "outgoing_webhooks"}};
  if (depth > 16) return fail(Code::invalid, "modules are nested too deep", "values.root_module");
  for (const json::Value resource : module["resources"]) {
    const std::string_view type = resource["type"].text();
    const auto known = std::ranges::find(types, type, &std::pair<std::string_view, std::string_view>::first);
    const std::string where = detail::text_of(resource["address"]);
    if (known != std::end(types))
      MYDR24_TRY(add_entry(resource["values"], known->second, where, made));
    else if (type.starts_with("grafana_oncall_"))
      left.push_back({where, "there is nothing like it here"});
  }
  for (const json::Value child : module["child_modules"]) MYDR24_TRY(read_module(child, depth + 1, made, left));
  return {};
}

}  // namespace

Result<Imported> from_grafana_oncall(std::string_view text, Instant now) {
  MYDR24_ASSIGN(const json::Document document,
                json::Document::parse_view(text, {.bytes_max = export_bytes_max, .depth_max = 48}));
  const json::Value root = document.root();
  std::vector<Left> left;
  Collections from;
  if (root["values"]["root_module"]) {
    MYDR24_TRY(read_module(root["values"]["root_module"], 0, from, left));
  } else {
    MYDR24_ASSIGN(from, read_answers(root, left));
  }
  if (from.empty())
    return fail(Code::invalid, "nothing of Grafana OnCall is in it: {\"users\": [...], \"schedules\": [...], ...}");
  Imported made = GrafanaOnCall(std::move(from), now).translate();
  made.left.insert(made.left.begin(), left.begin(), left.end());
  return made;
}

}  // namespace mydr24::imports
