#include "alerting/groups/state.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

namespace mydr24::groups {
namespace {

constexpr Instant before_all{};
constexpr std::chrono::seconds full_wait{1};
constexpr std::chrono::hours silence_kept{5 * 24};  // after it expired, as Alertmanager's retention

std::string hash_of(std::string_view text) {
  return routing::to_text(routing::fingerprint(Labels({{"", std::string(text)}})));
}

}  // namespace

void State::reload(routing::ConfigPtr config, Instant now) {
  due_.clear();
  groups_.clear();
  config_ = std::move(config);
  inhibitor_ = routing::Inhibitor(config_);
  for (auto& [fingerprint, known] : alerts_) {
    known.groups.clear();
    if (!known.over) inhibitor_.fires(fingerprint, known.alert.labels);
    enter(known, now, true);
  }
  for (const auto& [id, group] : groups_) group->old = false;
}

void State::put(Alert alert, Instant now, bool after_restart) {
  const Fingerprint fingerprint = routing::fingerprint(alert.labels);
  auto [at, is_new] = alerts_.try_emplace(fingerprint);
  Known& known = at->second;
  if (!known.over) ends_.erase({known.alert.ends_at, fingerprint});
  const bool began = known.alert.is_resolved(now);  // true of a new one: its end is the epoch
  known.alert = std::move(alert);
  const bool ended = known.alert.is_resolved(now);
  // That it ended is told once: end() tells of one that was not known to be over.
  known.over = ended && (known.over || (is_new && after_restart));
  if (!known.over) ends_.emplace(known.alert.ends_at, fingerprint);
  if (ended)
    inhibitor_.ends(fingerprint, known.alert.labels);
  else
    inhibitor_.fires(fingerprint, known.alert.labels);
  enter(known, now, after_restart);
  // One that fires again before its end was told is a member already, and does not wait for the interval either.
  if (began && !ended && !after_restart && routing::is_emergency(known.alert.labels))
    for (Group* group : known.groups) set_due(*group, before_all);
}

void State::enter(Known& known, Instant now, bool after_restart) {
  const Fingerprint fingerprint = routing::fingerprint(known.alert.labels);
  for (const routing::Route* route : routing::match(config_->root, known.alert.labels)) {
    Group& group =
        group_for(*route, routing::group_labels(*route, known.alert.labels), known.alert, now, after_restart);
    if (group.members.insert(fingerprint).second) {
      known.groups.push_back(&group);
      // A new emergency does not wait for the others.
      if (routing::is_emergency(known.alert.labels) && !known.alert.is_resolved(now)) set_due(group, before_all);
    }
    // One that has waited long enough elsewhere does not wait again.
    if (!group.looked_at && known.alert.starts_at + route->group_wait < now && group.due > now)
      set_due(group, std::max(now, hold_until_));
  }
}

Group& State::group_for(const routing::Route& route, const Labels& labels, const Alert& alert, Instant now,
                        bool after_restart) {
  std::string key = routing::group_key(route, labels);
  std::string id = fmt::format("{}\x1f{}", key, route.number);
  auto& group = groups_[id];
  if (group) return *group;
  group = std::make_unique<Group>();
  group->id = std::move(id);
  // The log knows receivers, not routes: the number of the route is no part of it.
  group->hash = hash_of(key);
  group->key = std::move(key);
  group->route = &route;
  group->receiver = config_->receiver(route.receiver);
  group->labels = labels;
  group->old = after_restart;
  for (std::size_t i = 0; i < group->receiver->integrations.size(); ++i)
    group->ways.push_back(fmt::format("{}/{}/{}", group->hash, i, route.receiver));
  group->due = std::max(now + route.group_wait, hold_until_);
  // After a restart it has waited since its alert began.
  if (after_restart)
    group->due = std::max({std::min(group->due, alert.starts_at + route.group_wait), now, hold_until_});
  due_.emplace(group->due, group.get());
  return *group;
}

void State::set_due(Group& group, Instant due) {
  due_.erase({group.due, &group});
  group.due = due;
  due_.emplace(due, &group);
}

std::vector<Fingerprint> State::end(Instant now) {
  std::vector<Fingerprint> ended;
  while (!ends_.empty() && ends_.begin()->first <= now) {
    const Fingerprint fingerprint = ends_.begin()->second;
    ends_.erase(ends_.begin());
    Known& known = alerts_.at(fingerprint);
    known.over = true;
    inhibitor_.ends(fingerprint, known.alert.labels);
    ended.push_back(fingerprint);
    if (known.groups.empty()) alerts_.erase(fingerprint);
  }
  return ended;
}

void State::put(Silence silence) {
  std::string id = silence.id;
  silences_[std::move(id)] = std::move(silence);
}

bool State::silences(const Silence& silence, const Labels& labels, Instant now) {
  if (routing::is_emergency(labels) || !silence.is_silent(now) || !routing::matches(silence.matchers, labels))
    return false;
  if (!silence.approved_by.empty()) return true;
  const auto budget = routing::silence_budget(labels);
  return silence.windows.empty() ? now < silence.starts_at + budget : routing::longest(silence.windows) <= budget;
}

Status State::status(const Labels& labels, Instant now) const {
  Status status;
  if (routing::is_emergency(labels)) return status;
  for (const auto& [id, silence] : silences_)
    if (silences(silence, labels, now)) status.silenced_by.push_back(id);
  if (const auto by = inhibitor_.inhibited_by(labels)) status.inhibited_by.push_back(routing::to_text(*by));
  return status;
}

// What is to be told of the group: without what is held back.
State::Sets State::sets_of(const Group& group, Instant now) const {
  Sets sets;
  const bool muted = routing::is_muted(*config_, *group.route, now);
  for (const Fingerprint fingerprint : group.members) {
    const Alert& alert = alerts_.at(fingerprint).alert;
    const Labels& labels = alert.labels;
    const bool held_back =
        !routing::is_emergency(labels) &&
        (muted || inhibitor_.inhibited_by(labels) ||
         std::ranges::any_of(silences_, [&](const auto& entry) { return silences(entry.second, labels, now); }));
    // The Book calls people until it is told of the end: that is not held back from it.
    const auto owed = [&] {
      for (std::size_t i = 0; i < group.ways.size(); ++i) {
        const routing::LogEntry* entry = logged(group.ways[i]);
        if (group.receiver->integrations[i].service == routing::Service::oncall && entry != nullptr &&
            entry->firing.contains(fingerprint))
          return true;
      }
      return false;
    };
    if (held_back && !(alert.is_resolved(now) && owed())) continue;
    auto& set = alert.is_resolved(now) ? sets.resolved : sets.firing;
    set.insert(set.end(), fingerprint);
  }
  return sets;
}

const routing::LogEntry* State::logged(const std::string& way) const {
  const auto found = log_.find(way);
  return found == log_.end() ? nullptr : &found->second;
}

std::vector<Notice> State::look(Instant now, std::size_t most, const HasRoom& has_room) {
  std::vector<Notice> notices;
  for (std::size_t looked = 0; looked < most && !due_.empty() && due_.begin()->first <= now; ++looked) {
    Group& group = *due_.begin()->second;
    const bool all = look_at(group, now, has_room, notices);
    group.looked_at = true;
    set_due(group, now + (all ? group.route->group_interval : milliseconds(full_wait)));
    drop_over(group, now);
  }
  return notices;
}

// False when a way had no room.
bool State::look_at(Group& group, Instant now, const HasRoom& has_room, std::vector<Notice>& notices) {
  const Sets sets = sets_of(group, now);
  if (sets.firing.empty() && sets.resolved.empty()) return true;
  bool all = true;
  for (std::size_t i = 0; i < group.ways.size(); ++i) {
    if (const auto busy = busy_.find(group.ways[i]); busy != busy_.end()) {
      busy->second = true;
      continue;
    }
    std::optional<Notice> notice = notice_for(group, i, sets, now);
    if (!notice) continue;
    if (notice->severity != routing::Severity::emergency && !has_room(*group.receiver, i)) {
      all = false;
      continue;
    }
    busy_.emplace(group.ways[i], false);
    notices.push_back(std::move(*notice));
  }
  return all;
}

std::optional<Notice> State::notice_for(const Group& group, std::size_t way, const Sets& sets, Instant now) const {
  const routing::Integration& integration = group.receiver->integrations[way];
  const routing::Why why = routing::notify_when(logged(group.ways[way]), sets.firing, sets.resolved,
                                                integration.send_resolved, now, group.route->repeat_interval);
  if (why == routing::Why::nothing) return std::nullopt;
  Notice notice{.config = config_,
                .group_id = group.id,
                .group_key = group.key,
                .group_hash = group.hash,
                .log_key = group.ways[way],
                .receiver = group.receiver->name,
                .way = way,
                .integration = &integration,
                .group_labels = group.labels,
                .entry = {now, sets.firing, sets.resolved, episode_of(group, way, sets)},
                .why = why,
                .interval = group.route->group_interval,
                .repeat_interval = group.route->repeat_interval,
                .maybe_repeated = group.old};
  // What is left out is the least urgent: whoever reads the message must not miss what still fires.
  std::array<std::vector<const Alert*>, 4> in_order;
  const auto add = [&](Fingerprint fingerprint, bool firing) {
    const Alert& alert = alerts_.at(fingerprint).alert;
    const routing::Severity severity = routing::severity_of(alert.labels);
    notice.severity = std::min(notice.severity, severity);
    if (firing && severity != routing::Severity::emergency)
      notice.fires = std::min(notice.fires.value_or(severity), severity);
    in_order[firing ? static_cast<std::size_t>(severity) : in_order.size() - 1].push_back(&alert);
  };
  for (const Fingerprint fingerprint : sets.firing) add(fingerprint, true);
  if (integration.send_resolved)
    for (const Fingerprint fingerprint : sets.resolved) add(fingerprint, false);
  for (std::size_t i = 0; i < in_order.size(); ++i) {
    const std::size_t told = std::min(in_order[i].size(), alerts_told_max - notice.alerts.size());
    notice.left_out += in_order[i].size() - told;
    for (const Alert* alert : std::span(in_order[i]).first(told)) {
      notice.alerts.push_back(*alert);
      // What has not ended at this time is told as firing, however long the telling takes.
      if (i + 1 < in_order.size()) notice.alerts.back().ends_at = Instant::max();
    }
  }
  return notice;
}

// Goes on while anything is told as firing; a new one is named after the end of the one before, or after its first alert.
Instant State::episode_of(const Group& group, std::size_t way, const Sets& sets) const {
  if (const routing::LogEntry* last = logged(group.ways[way])) return last->firing.empty() ? last->at : last->episode;
  Instant first = Instant::max();
  for (const Fingerprint fingerprint : sets.firing) first = std::min(first, alerts_.at(fingerprint).alert.starts_at);
  return first;
}

// Members that are over leave once nobody is to be told any more.
void State::drop_over(Group& group, Instant now) {
  if (!group.looked_at) return;
  if (std::ranges::any_of(group.ways, [&](const std::string& way) { return busy_.contains(way); })) return;
  const Sets sets = sets_of(group, now);
  for (std::size_t i = 0; i < group.ways.size(); ++i) {
    const routing::Why why =
        routing::notify_when(logged(group.ways[i]), sets.firing, sets.resolved,
                             group.receiver->integrations[i].send_resolved, now, group.route->repeat_interval);
    if (why != routing::Why::nothing && why != routing::Why::repeat && !(sets.firing.empty() && sets.resolved.empty()))
      return;
  }
  std::erase_if(group.members, [&](Fingerprint fingerprint) {
    const auto at = alerts_.find(fingerprint);
    if (!at->second.alert.is_resolved(now)) return false;
    std::erase(at->second.groups, &group);
    if (at->second.over && at->second.groups.empty()) alerts_.erase(at);
    return true;
  });
  if (!group.members.empty()) return;
  due_.erase({group.due, &group});
  groups_.erase(std::string(group.id));
}

std::optional<Instant> State::next() const {
  if (due_.empty() && ends_.empty()) return std::nullopt;
  if (due_.empty()) return ends_.begin()->first;
  return ends_.empty() ? due_.begin()->first : std::min(due_.begin()->first, ends_.begin()->first);
}

void State::told(const Notice& notice, bool success, Instant now) {
  if (success) log_[notice.log_key] = notice.entry;
  const auto busy = busy_.extract(notice.log_key);
  const auto found = groups_.find(notice.group_id);
  if (found == groups_.end()) return;
  Group& group = *found->second;
  if (success) group.old = false;
  if (!busy.empty() && busy.mapped()) set_due(group, now);
  drop_over(group, now);
}

const Known* State::find(Fingerprint fingerprint) const {
  const auto found = alerts_.find(fingerprint);
  return found == alerts_.end() ? nullptr : &found->second;
}

std::vector<std::string> State::forget(Instant now) {
  std::erase_if(silences_, [now](const auto& entry) { return entry.second.ends_at + silence_kept < now; });
  std::set<std::string_view> used;
  for (const auto& [id, group] : groups_) used.insert(group->ways.begin(), group->ways.end());
  // An entry outlives its group: the alert may come again within the repeat interval.
  std::vector<std::string> forgotten;
  for (const auto& [key, entry] : log_)
    if (!used.contains(key) && entry.at + std::chrono::days(10) < now) forgotten.push_back(key);
  for (const std::string& key : forgotten) log_.erase(key);
  return forgotten;
}

std::unordered_map<Fingerprint, Instant> State::shift(Microseconds by) {
  hold_until_ += by;
  std::set<std::pair<Instant, Group*>> due;
  for (const auto& [key, group] : groups_) {
    group->due += by;
    due.emplace(group->due, group.get());
  }
  due_ = std::move(due);
  ends_.clear();
  std::unordered_map<Fingerprint, Instant> before;
  for (auto& [fingerprint, known] : alerts_) {
    before.emplace(fingerprint, known.alert.updated_at);
    routing::shift(known.alert, by);
    if (!known.over) ends_.emplace(known.alert.ends_at, fingerprint);
  }
  for (auto& [key, entry] : log_) entry.at += by;
  return before;
}

}  // namespace mydr24::groups
