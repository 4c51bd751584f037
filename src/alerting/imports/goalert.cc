// GoAlert: users with contact methods and notification rules, rotations, schedules, overrides, escalation policies,
// services.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "alerting/imports/detail/translation.h"
#include "alerting/oncall/fields.h"

namespace mydr24::imports {
namespace {

using detail::Translation;
using std::chrono::days;
using std::chrono::minutes;

struct AddressKind {
  std::string_view type, destination;  // before and since destinations have types
  std::array<std::string_view, 2> arguments;
  notify::Kind kind;
};
constexpr AddressKind address_kinds[] = {
    {"SMS", "builtin-twilio-sms", {"phone_number", "phone-number"}, notify::Kind::sms},
    {"VOICE", "builtin-twilio-voice", {"phone_number", "phone-number"}, notify::Kind::voice},
    {"EMAIL", "builtin-smtp-email", {"email_address", "email-address"}, notify::Kind::email},
    {"WEBHOOK", "builtin-webhook", {"webhook_url", "webhook-url"}, notify::Kind::webhook},
    {"SLACK_DM", "builtin-slack-dm", {"slack_user_id", "slack-user-id"}, notify::Kind::chat},
    {"slackChannel", "builtin-slack-channel", {"slack_channel_id", "slack-channel-id"}, notify::Kind::chat},
};

// What something leads to: {"id", "type"} of targets, {"type", "args"} of destinations (once with "values").
struct Destination {
  std::string type;  // user, rotation, schedule, slackChannel ... or what it is called there
  std::string id;
};

std::string argument(json::Value destination, std::span<const std::string_view> names) {
  for (const std::string_view name : names)
    if (const json::Value value = destination["args"][name]; value.is_string()) return std::string(value.text());
  for (const json::Value pair : destination["values"])
    if (std::ranges::find(names, pair["fieldID"].text()) != names.end()) return std::string(pair["value"].text());
  return {};
}

Destination destination_of(json::Value value) {
  const std::string type = detail::text_of(value["type"]);
  constexpr std::tuple<std::string_view, std::string_view, std::array<std::string_view, 2>> known[] = {
      {"builtin-user", "user", {"user_id", "user-id"}},
      {"builtin-rotation", "rotation", {"rotation_id", "rotation-id"}},
      {"builtin-schedule", "schedule", {"schedule_id", "schedule-id"}},
      {"builtin-slack-channel", "slackChannel", {"slack_channel_id", "slack-channel-id"}},
  };
  for (const auto& [written, plain, names] : known)
    if (type == written) return {std::string(plain), argument(value, names)};
  return {type, detail::text_of(value["id"])};
}

class GoAlert {
 public:
  GoAlert(json::Value data, Instant now) : data_(data), made_(now) {}

  Result<Imported> translate() {
    for (const json::Value list : data_) {
      constexpr std::string_view known[]{"users",         "rotations",          "schedules",
                                         "userOverrides", "escalationPolicies", "services"};
      if (std::ranges::find(known, list.key()) == std::end(known))
        made_.left(path(list.key()), "there is nothing like it here");
      else
        MYDR24_TRY(check(list));
    }
    for (const json::Value user : nodes("users")) add_user(user);
    for (const json::Value rotation : nodes("rotations")) rotations_[detail::text_of(rotation["id"])] = rotation;
    for (const json::Value schedule : nodes("schedules")) add_schedule(schedule);
    for (const json::Value entry : nodes("userOverrides")) add_override(entry);
    for (const json::Value policy : nodes("escalationPolicies")) add_policy(policy);
    for (const json::Value service : nodes("services")) add_service(service);
    return made_.finish();
  }

 private:
  static std::string path(std::string_view list) { return fmt::format("data.{}", list); }
  json::Value nodes(std::string_view list) const { return data_[list]["nodes"]; }

  static Result<> check(json::Value list) {
    const std::string where = path(list.key());
    if (!list["nodes"].is_array()) return fail(Code::invalid, "a list is \"nodes\" here", where);
    if (list["pageInfo"]["hasNextPage"].is_true())
      return fail(Code::invalid, "this is one page of several: ask for all of them (first: 1000, then after)", where);
    std::size_t index = 0;
    for (const json::Value node : list["nodes"]) {
      if (detail::text_of(node["id"]).empty())
        return fail(Code::invalid, "every entry has an id", fmt::format("{}.nodes[{}]", where, index));
      ++index;
    }
    return {};
  }

  // "users \"Ann\""
  static std::string place(std::string_view list, json::Value node) {
    const std::string name = detail::text_of(node["name"]);
    return fmt::format("{} \"{}\"", list, name.empty() ? detail::text_of(node["id"]) : name);
  }

  void add_user(json::Value user) {
    const std::string id = detail::text_of(user["id"]), where = place("users", user);
    const std::string name = made_.give_name("contact", id, user["name"].text());
    std::vector<std::string> methods;
    std::map<std::string, std::size_t, std::less<>> places;
    for (const json::Value method : user["contactMethods"]) {
      const std::string at = fmt::format("{}.contactMethods \"{}\"", where, detail::text_of(method["name"]));
      if (methods.size() == oncall::methods_max) {
        made_.left(at, fmt::format("a contact has at most {} methods", oncall::methods_max));
        continue;
      }
      auto made = contact_method(method);
      if (!made) {
        made_.left(at, made.error().text);
        continue;
      }
      places[detail::text_of(method["id"])] = methods.size();
      methods.push_back(std::move(*made));
    }
    std::string text;
    json::Writer out(text);
    out.begin_object();
    const std::string slack = slack_name(user);
    if (!slack.empty()) out.key("known_as").begin_array().string(slack).end_array();
    out.key("methods").begin_array();
    for (const std::string& method : methods) out.raw(method);
    if (methods.empty()) {
      out.raw(R"({"kind":"console"})");
      made_.left(where, "no contact method that can be used here: shown on the console only");
    }
    out.end_array();
    write_rules(out, user, places, where);
    out.end_object();
    made_.add("contact", name, std::move(text));
  }

  static std::string slack_name(json::Value user) {
    for (const json::Value method : user["contactMethods"]) {
      if (method["type"].text() == "SLACK_DM" && oncall::is_name(method["value"].text()))
        return std::string(method["value"].text());
      const std::string id = argument(method["dest"], address_kinds[4].arguments);
      if (oncall::is_name(id)) return id;
    }
    return {};
  }

  static Result<std::string> contact_method(json::Value method) {
    const json::Value destination = method["dest"];
    const std::string type = detail::text_of(destination ? destination["type"] : method["type"]);
    for (const AddressKind& known : address_kinds) {
      if (type != known.type && type != known.destination) continue;
      std::string target = destination ? argument(destination, known.arguments) : detail::text_of(method["value"]);
      return detail::method_of(known.kind, std::move(target), method["disabled"].is_true());
    }
    return fail(Code::invalid, fmt::format("there is no method of type \"{}\" here", type));
  }

  void write_rules(json::Writer& out, json::Value user, const std::map<std::string, std::size_t, std::less<>>& places,
                   const std::string& where) {
    std::size_t count = 0;
    std::string text;
    json::Writer rules(text);
    rules.begin_array();
    for (const json::Value rule : user["notificationRules"]) {
      const json::Value method = rule["contactMethod"]["id"];
      const auto found = places.find(detail::text_of(method ? method : rule["contactMethodID"]));
      const std::int64_t delay = std::clamp<std::int64_t>(detail::number_of(rule["delayMinutes"], 0), 0, 9000);
      if (found == places.end() || ++count > oncall::rules_max) {
        made_.left(fmt::format("{}.notificationRules \"{}\"", where, detail::text_of(rule["id"])),
                   "its contact method is not carried over, or there are too many rules");
        continue;
      }
      rules.begin_object().field("method", found->second).field("after_s", delay * 60).end_object();
    }
    rules.end_array();
    if (count > 0) out.key("rules").raw(text);
    if (count == 0 && !places.empty())
      made_.left(where, "without notification rules nothing was sent; here every method is used at once");
  }

  // The rotation by the clocks of `zone`; nothing when it has nobody.
  std::vector<oncall::Layer> rotation_layers(const std::string& id, const zone::Zone& zone, const std::string& where) {
    const auto entry = rotations_.find(id);
    const json::Value rotation = entry == rotations_.end() ? json::Value() : entry->second;
    const std::string at = rotation ? place("rotations", rotation) : where;
    const auto begin = detail::instant_of(rotation["start"]);
    const auto own = zone::Zone::find(rotation["timeZone"].text());
    const std::vector<std::string> users = members(rotation["userIDs"], at);
    if (!begin || !own || users.empty()) {
      made_.left(at, "the rotation is missing, has nobody, or its start or time zone is unknown");
      return {};
    }
    if (!detail::clocks_ahead(*own, zone, made_.now()))
      made_.left(at, fmt::format("its hand-over is kept by the clocks of {}, not of {}", zone.name(), own->name()));
    const auto length =
        static_cast<int>(std::clamp<std::int64_t>(detail::number_of(rotation["shiftLength"], 1), 1, 9000));
    oncall::Layer counted{.members = users, .length = length, .start = floor_minutes(own->local(*begin))};
    const std::string type = detail::text_of(rotation["type"]);
    if (type == "hourly" && length % 24 != 0) return hourly(rotation, std::move(counted), *own, zone, at);
    if (type == "hourly" || type == "daily") counted.every = oncall::Every::day;
    if (type == "hourly") counted.length = length / 24;
    if (type == "monthly") counted.every = oncall::Every::month;
    if (type == "monthly" && day_of_month(counted.start) > 28)
      made_.left(at, "in months without that day it hands over on their last day, not on a day of the next month");
    if (counted.length > 1000) {
      made_.left(at, "its turns are too long");
      return {};
    }
    take_turns(rotation, counted, *own, at);
    counted.start = zone.local(own->instant(counted.start));
    counted.name = detail::text_of(rotation["name"]);
    return {counted};
  }

  std::vector<oncall::Layer> hourly(json::Value rotation, oncall::Layer counted, const zone::Zone& own,
                                    const zone::Zone& zone, const std::string& at) {
    // Counted in hours of the wall clock, as if there were no change of clocks.
    const auto end = current_turn_end(rotation, own, counted);
    const std::chrono::hours length(counted.length), round = length * static_cast<int>(counted.members.size());
    if (counted.start > end - length) counted.start -= round * ((counted.start - end + length) / round + 1);
    const auto turns = std::chrono::floor<std::chrono::hours>(end - counted.start).count() / counted.length - 1;
    turn_members(rotation, counted, turns);
    counted.start = zone.local(own.instant(counted.start));
    std::vector<std::vector<std::string>> groups;
    for (const std::string& who : counted.members) groups.push_back({who});
    auto made = detail::hourly_layers(groups, counted.length, counted.start);
    if (!made.exact)
      made_.left(at, "its hours are counted as they pass here: hand-overs move by the wall clock when clocks change");
    for (oncall::Layer& layer : made.layers) layer.name = detail::text_of(rotation["name"]);
    return std::move(made.layers);
  }

  static zone::LocalTime floor_minutes(zone::LocalTime local) { return std::chrono::floor<minutes>(local); }
  static unsigned day_of_month(zone::LocalTime local) {
    return static_cast<unsigned>(std::chrono::year_month_day(std::chrono::floor<days>(local)).day());
  }

  // When the turn ends whose person is activeUserIndex, by the wall clock.
  zone::LocalTime current_turn_end(json::Value rotation, const zone::Zone& own, const oncall::Layer& layer) {
    if (const auto next = detail::instant_of(rotation["nextHandoffTimes"].at(0)))
      return floor_minutes(own.local(*next));
    made_.left(place("rotations", rotation),
               "nextHandoffTimes is missing: whose turn it is follows from the time of the import");
    const std::chrono::hours length(layer.length);
    zone::LocalTime end = layer.start;
    const zone::LocalTime now = own.local(made_.now());
    while (end - length > now) end -= length;
    return end + length * ((std::max(now, end) - end) / length + 1);
  }

  // Begins the rotation so that the person whose turn it is has it.
  void take_turns(json::Value rotation, oncall::Layer& layer, const zone::Zone& own, const std::string& at) {
    const auto next = detail::instant_of(rotation["nextHandoffTimes"].at(0));
    if (!next) made_.left(at, "nextHandoffTimes is missing: whose turn it is follows from the time of the import");
    const Instant within = next ? *next - Microseconds(1) : made_.now();
    // The rotation ran before its start, too.
    const auto size = static_cast<int>(layer.members.size());
    const std::chrono::year_month_day date(std::chrono::floor<days>(layer.start));
    for (int rounds = 0; own.instant(layer.start) > within && rounds < 10'000; ++rounds) {
      if (layer.every == oncall::Every::month) {
        const auto month = date.year() / date.month() - std::chrono::months(size * layer.length * (rounds + 1));
        const auto last = static_cast<unsigned>((month / std::chrono::last).day());
        const auto day = std::chrono::day(std::min(static_cast<unsigned>(date.day()), last));
        layer.start = std::chrono::local_days(month / day) + (layer.start - std::chrono::floor<days>(layer.start));
      } else {
        layer.start -= days(size * layer.length * (layer.every == oncall::Every::week ? 7 : 1));
      }
    }
    const auto turn = oncall::turn_at(layer, own, within);
    turn_members(rotation, layer, turn ? turn->number : 0);
  }

  // Turn `number` is that of activeUserIndex.
  static void turn_members(json::Value rotation, oncall::Layer& layer, std::int64_t number) {
    const auto size = static_cast<std::int64_t>(layer.members.size());
    const std::int64_t active = detail::number_of(rotation["activeUserIndex"], 0);
    const std::int64_t shift = ((active - number) % size + size) % size;
    std::ranges::rotate(layer.members, layer.members.begin() + shift);
  }

  std::vector<std::string> members(json::Value ids, const std::string& where) {
    std::vector<std::string> names;
    for (const json::Value id : ids) {
      const std::string* name = made_.name_of("contact", id.text());
      if (name == nullptr)
        made_.left(where, fmt::format("user {} is not in the export", id.text()));
      else if (names.size() < oncall::members_max)
        names.push_back(*name);
    }
    return names;
  }

  std::vector<oncall::Window> rule_windows(json::Value rules, const zone::Zone& zone, const std::string& where,
                                           bool& never) {
    std::vector<oncall::Window> windows;
    never = rules.size() > 0;
    for (const json::Value rule : rules) {
      const auto from = detail::clock_of(rule["start"].text()), to = detail::clock_of(rule["end"].text());
      std::uint8_t on = 0;
      std::size_t sunday_first = 0;
      for (const json::Value day : rule["weekdayFilter"]) {
        if (day.is_true()) on = static_cast<std::uint8_t>(on | 1U << (sunday_first + 6) % 7);
        ++sunday_first;
      }
      if (!from || !to || sunday_first != 7) {
        made_.left(where, "a rule has start and end as 08:00 and seven days");
        continue;
      }
      if (on == 0) continue;
      never = false;
      if (on == 0x7f && *from == *to) return {};  // always
      windows.push_back({.days = on, .from = *from, .to = *to == minutes(0) ? std::chrono::hours(24) : *to});
    }
    if (windows.size() > oncall::windows_max) {
      made_.left(where, fmt::format("more than {} rules", oncall::windows_max));
      windows.resize(oncall::windows_max);
    }
    if (detail::touches_repeated_hour(windows, zone, made_.now()))
      made_.left(
          where,
          "a rule begins or ends within the hour that clocks repeat: duty was one piece, here it follows the clock");
    return windows;
  }

  void add_schedule(json::Value schedule) {
    const std::string id = detail::text_of(schedule["id"]), where = place("schedules", schedule);
    const auto zone = zone::Zone::find(schedule["timeZone"].text());
    if (!zone) return made_.left(where, zone.error().text);
    std::vector<oncall::Layer> layers;
    for (const json::Value assigned : schedule["targets"]) {
      const json::Value target = assigned["target"];
      const std::string at = fmt::format("{}.targets \"{}\"", where, detail::text_of(target["name"]));
      bool never = false;
      const auto windows = rule_windows(assigned["rules"], *zone, at, never);
      if (never || assigned["rules"].size() == 0) {
        made_.left(at, "its rules are never active");
        continue;
      }
      const Destination leads_to = destination_of(target);
      std::vector<oncall::Layer> made;
      if (leads_to.type == "rotation") {
        made = rotation_layers(leads_to.id, *zone, at);
      } else if (const std::string* name = made_.name_of("contact", leads_to.id); name != nullptr) {
        made = {{.members = {*name}, .start = detail::long_ago}};
      } else {
        made_.left(at, "the user is not in the export");
      }
      for (oncall::Layer& layer : made) add_layer(layers, std::move(layer), windows, at);
    }
    if (layers.empty()) return made_.left(where, "nobody would be on duty: the schedule is not carried over");
    write_schedule(id, schedule["name"].text(), *zone, layers);
    add_temporaries(schedule, id, where);
    add_notices(schedule, id, where);
  }

  // Rules narrow a rotation down. A layer of an hourly rotation has windows of its own: those count, where they can.
  void add_layer(std::vector<oncall::Layer>& layers, oncall::Layer layer, const std::vector<oncall::Window>& windows,
                 const std::string& at) {
    if (!windows.empty()) {
      if (layer.windows.empty())
        layer.windows = windows;
      else
        made_.left(at, "the rules of a rotation by hours are not carried over: who has the turn is on duty");
    }
    if (layers.size() < oncall::layers_max)
      layers.push_back(std::move(layer));
    else
      made_.left(at, fmt::format("a schedule has at most {} layers", oncall::layers_max));
  }

  const std::string& write_schedule(const std::string& id, std::string_view wanted, const zone::Zone& zone,
                                    const std::vector<oncall::Layer>& layers) {
    const std::string& name = made_.give_name("schedule", id, wanted);
    std::string text;
    json::Writer out(text);
    out.begin_object().field("zone", zone.name()).key("layers");
    detail::write_layers(out, layers);
    out.end_object();
    made_.add("schedule", name, std::move(text));
    return name;
  }

  void add_temporaries(json::Value schedule, const std::string& id, const std::string& where) {
    std::vector<oncall::Period> taken;
    for (const json::Value entry : schedule["temporarySchedules"]) {
      const auto begin = detail::instant_of(entry["start"]), end = detail::instant_of(entry["end"]);
      const std::string at = fmt::format("{}.temporarySchedules {}", where, entry["start"].text());
      if (!begin || !end || *end <= *begin ||
          std::ranges::any_of(taken, [&](const auto& other) { return other.overlaps({*begin, *end}); })) {
        made_.left(at, "it has no beginning and end, or overlaps another one");
        continue;
      }
      taken.push_back({*begin, *end});
      std::string text;
      json::Writer out(text);
      out.begin_object().field("schedule", std::string_view(*made_.name_of("schedule", id)));
      out.field("begin", entry["start"].text()).field("end", entry["end"].text()).key("shifts").begin_array();
      for (const json::Value shift : entry["shifts"]) {
        const std::string* who = made_.name_of("contact", detail::text_of(shift["userID"]));
        const auto from = detail::instant_of(shift["start"]), to = detail::instant_of(shift["end"]);
        if (who == nullptr || !from || !to || *to <= *from) {
          made_.left(at, "a shift without a known user, beginning and end");
          continue;
        }
        out.begin_object().field("who", std::string_view(*who)).field("begin", shift["start"].text());
        out.field("end", shift["end"].text()).end_object();
      }
      out.end_array().end_object();
      const std::string key = fmt::format("{} {}", id, entry["start"].text());
      made_.add("temporary", made_.give_name("temporary", key, key), std::move(text));
    }
  }

  // Who is told who is on call: when that changes, and at midnight.
  void add_notices(json::Value schedule, const std::string& id, const std::string& where) {
    struct Told {
      bool changes = false, daily = false;
    };
    std::map<std::string, Told, std::less<>> channels;
    for (const json::Value rule : schedule["onCallNotificationRules"]) {
      const Destination channel = destination_of(rule["dest"] ? rule["dest"] : rule["target"]);
      const std::string at = fmt::format("{}.onCallNotificationRules \"{}\"", where, detail::text_of(rule["id"]));
      const bool by_time = rule["time"].is_string();
      bool every_day = true;
      for (const json::Value day : rule["weekdayFilter"]) every_day = every_day && day.is_true();
      if (channel.type != "slackChannel" || !notify::check_address({.kind = notify::Kind::chat, .target = channel.id}))
        made_.left(at, fmt::format("there is no notice by \"{}\" here", channel.type));
      else if (by_time && (detail::clock_of(rule["time"].text()) != minutes(0) || !every_day))
        made_.left(at, "a notice comes at 00:00 every day, or when who is on call changes");
      else
        (by_time ? channels[channel.id].daily : channels[channel.id].changes) = true;
    }
    for (const auto& [channel, told] : channels) {
      std::string text;
      json::Writer out(text);
      out.begin_object().field("schedule", std::string_view(*made_.name_of("schedule", id)));
      out.key("channel").begin_object().field("kind", "chat").field("target", std::string_view(channel)).end_object();
      out.field("changes", told.changes).field("daily", told.daily).end_object();
      const std::string key = fmt::format("{} {}", *made_.name_of("schedule", id), channel);
      made_.add("notice", made_.give_name("notice", key, key), std::move(text));
    }
  }

  void add_override(json::Value entry) {
    const std::string id = detail::text_of(entry["id"]), where = place("userOverrides", entry);
    const std::string* schedule = made_.name_of("schedule", detail::text_of(entry["target"]["id"]));
    const auto begin = detail::instant_of(entry["start"]), end = detail::instant_of(entry["end"]);
    oncall::Override made{.id = id};
    bool known = true;
    for (const auto& [member, who] : {std::pair("addUserID", &made.add), std::pair("removeUserID", &made.remove)}) {
      const std::string user = detail::text_of(entry[member]);
      if (user.empty()) continue;
      const std::string* name = made_.name_of("contact", user);
      known = known && name != nullptr;
      if (name != nullptr) *who = *name;
    }
    if (schedule == nullptr || !begin || !end || *end <= *begin || !known || (made.add.empty() && made.remove.empty()))
      return made_.left(where, "its schedule or user is not carried over, or its times are not known");
    made.schedule = *schedule;
    made.period = {*begin, *end};
    if (const oncall::Override* other = oncall::clash(overrides_, made); other != nullptr)
      return made_.left(where, fmt::format("it overlaps override {} of the same person", other->id));
    std::string text;
    json::Writer out(text);
    out.begin_object().field("schedule", std::string_view(*schedule));
    out.field("begin", entry["start"].text()).field("end", entry["end"].text());
    if (!made.add.empty()) out.field("add", std::string_view(made.add));
    if (!made.remove.empty()) out.field("remove", std::string_view(made.remove));
    out.field("reason", "imported from GoAlert").end_object();
    made_.add("override", made_.give_name("override", id, id), std::move(text));
    overrides_.push_back(std::move(made));
  }

  // "contact:Ann"; empty when there is no such thing here.
  std::string target_of(const Destination& leads_to, const std::string& where) {
    if (leads_to.type == "user")
      if (const std::string* name = made_.name_of("contact", leads_to.id)) return "contact:" + *name;
    if (leads_to.type == "schedule")
      if (const std::string* name = made_.name_of("schedule", leads_to.id)) return "schedule:" + *name;
    if (leads_to.type == "rotation") {
      const std::string id = "rotation " + leads_to.id;
      if (const std::string* name = made_.name_of("schedule", id)) return "schedule:" + *name;
      const auto found = rotations_.find(leads_to.id);
      const auto zone =
          found == rotations_.end() ? zone::Zone::find("") : zone::Zone::find(found->second["timeZone"].text());
      if (zone)
        if (const auto layers = rotation_layers(leads_to.id, *zone, where); !layers.empty())
          return "schedule:" + write_schedule(id, found->second["name"].text(), *zone, layers);
    }
    return {};
  }

  struct Step {
    std::vector<std::string> targets;
    std::int64_t delay_s = 0;
  };

  // A step that calls nobody: those after it keep their time.
  void leave_out(const std::string& where, std::vector<Step>& steps, std::int64_t delay_s) {
    made_.left(where, "the step calls nobody and is left out");
    if (!steps.empty()) steps.back().delay_s += delay_s;
  }

  void add_policy(json::Value policy) {
    const std::string id = detail::text_of(policy["id"]), where = place("escalationPolicies", policy);
    std::vector<Step> steps;
    std::size_t index = 0;
    for (const json::Value step : policy["steps"]) {
      const std::string at = fmt::format("{}.steps[{}]", where, index++);
      Step made{.targets = {},
                .delay_s = std::clamp<std::int64_t>(detail::number_of(step["delayMinutes"], 1), 1, 9000) * 60};
      const json::Value actions = step["actions"].size() > 0 ? step["actions"] : step["targets"];
      for (const json::Value action : actions) {
        const Destination leads_to = destination_of(action);
        std::string target = target_of(leads_to, at);
        if (target.empty())
          made_.left(at, fmt::format("\"{}\" {} is not called", leads_to.type,
                                     leads_to.id.empty() ? detail::text_of(action["name"]) : leads_to.id));
        else if (made.targets.size() < oncall::targets_max)
          made.targets.push_back(std::move(target));
      }
      if (!made.targets.empty() && steps.size() < oncall::steps_max)
        steps.push_back(std::move(made));
      else
        leave_out(at, steps, made.delay_s);
    }
    if (steps.empty()) return made_.left(where, "no step calls anybody: the policy is not carried over");
    std::string text;
    json::Writer out(text);
    out.begin_object().key("steps").begin_array();
    for (const Step& step : steps) {
      out.begin_object().key("targets").begin_array();
      for (const std::string& target : step.targets) out.string(target);
      const std::int64_t most = std::chrono::seconds(oncall::delay_max).count();
      out.end_array().field("delay_s", std::min(step.delay_s, most)).end_object();
    }
    out.end_array();
    const std::int64_t repeat = detail::number_of(policy["repeat"], 0);
    out.field("repeat", std::clamp<std::int64_t>(repeat, 0, oncall::repeat_max)).end_object();
    if (repeat > oncall::repeat_max)
      made_.left(where, fmt::format("it repeats {} times, not {}", oncall::repeat_max, repeat));
    made_.add("policy", made_.give_name("policy", id, policy["name"].text()), std::move(text));
  }

  void add_service(json::Value service) {
    const std::string where = place("services", service);
    const json::Value nested = service["escalationPolicy"]["id"];
    const std::string* policy =
        made_.name_of("policy", detail::text_of(nested ? nested : service["escalationPolicyID"]));
    if (policy == nullptr)
      made_.left(where, "its escalation policy is not carried over");
    else
      made_.left(where, fmt::format("there are no services here: lead its alerts to policy \"{}\" by a route whose "
                                    "receiver has oncall_configs",
                                    *policy));
    for (const json::Value key : service["integrationKeys"])
      made_.left(fmt::format("{}.integrationKeys \"{}\"", where, detail::text_of(key["name"])),
                 fmt::format("point its sender ({}) to this server", key["type"].text()));
    if (const auto until = detail::instant_of(service["maintenanceExpiresAt"]); until && *until > made_.now())
      made_.left(where, fmt::format("it is in maintenance until {}: maintenance is of a policy here",
                                    service["maintenanceExpiresAt"].text()));
    for (const json::Value monitor : service["heartbeatMonitors"]) {
      std::string text;
      json::Writer out(text);
      const std::int64_t minutes_max = std::chrono::minutes(days(30)).count();
      const std::int64_t timeout = detail::number_of(monitor["timeoutMinutes"], 60);
      out.begin_object().field("timeout_s", std::clamp<std::int64_t>(timeout, 1, minutes_max) * 60);
      if (policy != nullptr) out.field("policy", std::string_view(*policy));
      out.end_object();
      const std::string wanted = fmt::format("{} {}", service["name"].text(), monitor["name"].text());
      const std::string& name = made_.give_name("monitor", detail::text_of(monitor["id"]), wanted);
      made_.add("monitor", name, std::move(text));
      made_.left(fmt::format("{}.heartbeatMonitors \"{}\"", where, detail::text_of(monitor["name"])),
                 fmt::format("its sender is to call /api/v1/oncall/heartbeats/{}", name));
    }
  }

  json::Value data_;
  Translation made_;
  std::map<std::string, json::Value, std::less<>> rotations_;
  std::vector<oncall::Override> overrides_;
};

}  // namespace

Result<Imported> from_goalert(std::string_view text, Instant now) {
  MYDR24_ASSIGN(const json::Document document,
                json::Document::parse_view(text, {.bytes_max = export_bytes_max, .depth_max = 32}));
  const json::Value root = document.root();
  if (root["errors"].size() > 0)
    return fail(Code::invalid, fmt::format("the query failed: {}", root["errors"].at(0)["message"].text()), "errors");
  const json::Value data = root["data"] ? root["data"] : root;
  if (!data.is_object() || data.size() == 0)
    return fail(Code::invalid, "this is no answer of GoAlert: {\"data\": {\"users\": {\"nodes\": [...]}, ...}}",
                "data");
  return GoAlert(data, now).translate();
}

}  // namespace mydr24::imports
