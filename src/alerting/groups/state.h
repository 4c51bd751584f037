#pragma once

// What is known about label alerts now: the alerts, the groups they stand in, the silences, what was told to whom. All
// in memory, one thread, no I/O: Groups keeps it in step with the store.
//
// Invariants
// - Every alert that is known stands in one group of every route it matches until it is over and that was told.
// - A group that has members has a time at which it is looked at next.
// - An emergency is never held back: not by group_wait, a silence, an inhibition, a mute interval or a limit.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "alerting/routing/config.h"
#include "alerting/routing/inhibit.h"
#include "alerting/routing/notify_when.h"
#include "alerting/routing/silence.h"

namespace mydr24::groups {

using routing::Alert;
using routing::Fingerprint;
using routing::Labels;
using routing::milliseconds;
using routing::Silence;

struct Group;

struct Known {
  Alert alert;
  bool over = false;           // ended, and that was seen
  std::vector<Group*> groups;  // in the order of the routes
};

struct Group {
  std::string id;    // of this process: key and route
  std::string key;   // Alertmanager's text
  std::string hash;  // of the key, 16 hexadecimal digits
  const routing::Route* route = nullptr;
  const routing::Receiver* receiver = nullptr;
  Labels labels;
  std::set<Fingerprint> members;
  std::vector<std::string> ways;  // of the receiver's integrations: their places in the log
  Instant due;
  bool looked_at = false;
  bool old = false;  // made from what an earlier process knew: its first notification may be a repetition
};

// What one way is to be told.
struct Notice {
  std::shared_ptr<const routing::Config> config;  // keeps the receiver
  std::string group_id;
  std::string group_key;
  std::string group_hash;
  std::string log_key;
  std::string receiver;
  std::size_t way = 0;
  const routing::Integration* integration = nullptr;
  Labels group_labels;
  // To be sent: the most severe that fire first, resolved ones (where they are wanted) last. At most alerts_told_max.
  std::vector<Alert> alerts;
  std::size_t left_out = 0;
  routing::LogEntry entry;  // what is then written down, of all
  routing::Why why = routing::Why::nothing;
  milliseconds interval{0};
  milliseconds repeat_interval{0};
  routing::Severity severity = routing::Severity::advisory;  // of the worst
  // Of the worst that fires and is no emergency, those that are left out included.
  std::optional<routing::Severity> fires;
  bool maybe_repeated = false;

  bool is_firing() const { return !entry.firing.empty(); }
};

// In one notification; a receiver may ask for fewer.
inline constexpr std::size_t alerts_told_max = 5'000;

struct Status {
  std::vector<std::string> silenced_by;
  std::vector<std::string> inhibited_by;
  bool suppressed() const { return !silenced_by.empty() || !inhibited_by.empty(); }
};

class State {
 public:
  explicit State(routing::ConfigPtr config) : config_(std::move(config)), inhibitor_(config_) {}

  const routing::ConfigPtr& config() const { return config_; }
  // The new configuration, with groups made anew from the alerts that are known. Log and silences stay.
  void reload(routing::ConfigPtr config, Instant now);

  // No group is looked at before this time.
  void hold_until(Instant at) { hold_until_ = at; }

  // A new alert, or the newest word about a known one. `after_restart`: it was read from the store.
  void put(Alert alert, Instant now, bool after_restart = false);
  // Alerts that have ended since the last call, each once.
  std::vector<Fingerprint> end(Instant now);

  void put(Silence silence);
  void put(std::string log_key, routing::LogEntry entry) { log_[std::move(log_key)] = std::move(entry); }

  // Of the groups that are due: what is to be told. At most `most` groups a call, emergencies first. `has_room` says
  // whether a way may take one more; where not, the group is looked at again a second later.
  using HasRoom = std::function<bool(const routing::Receiver&, std::size_t way)>;
  std::vector<Notice> look(Instant now, std::size_t most, const HasRoom& has_room);
  // When look() has something to do next; nothing when there is no group.
  std::optional<Instant> next() const;
  // The notice was told (or, false, given up).
  void told(const Notice& notice, bool success, Instant now);

  Status status(const Labels& labels, Instant now) const;
  const Known* find(Fingerprint fingerprint) const;
  const std::map<Fingerprint, Known>& alerts() const { return alerts_; }
  const std::map<std::string, Silence, std::less<>>& silences() const { return silences_; }
  const std::map<std::string, std::unique_ptr<Group>, std::less<>>& groups() const { return groups_; }

  // Silences and log entries that are of no use any more; the keys of those log entries.
  std::vector<std::string> forget(Instant now);
  // The machine's clock was set: what waits goes on waiting as long as it would have, and what has ended has ended. The
  // times at which the alerts that are known were told of last, as they were before.
  std::unordered_map<Fingerprint, Instant> shift(Microseconds by);

  // Does the silence hold this alert back now? Not an emergency, and not for longer than its severity's budget unless a
  // second person approved.
  static bool silences(const Silence& silence, const Labels& labels, Instant now);

 private:
  Group& group_for(const routing::Route& route, const Labels& labels, const Alert& alert, Instant now,
                   bool after_restart);
  void enter(Known& known, Instant now, bool after_restart);
  void set_due(Group& group, Instant due);
  bool look_at(Group& group, Instant now, const HasRoom& has_room, std::vector<Notice>& notices);
  void drop_over(Group& group, Instant now);
  struct Sets {
    std::set<Fingerprint> firing;
    std::set<Fingerprint> resolved;
  };
  Sets sets_of(const Group& group, Instant now) const;
  const routing::LogEntry* logged(const std::string& way) const;
  Instant episode_of(const Group& group, std::size_t way, const Sets& sets) const;
  std::optional<Notice> notice_for(const Group& group, std::size_t way, const Sets& sets, Instant now) const;

  routing::ConfigPtr config_;
  routing::Inhibitor inhibitor_;
  std::map<Fingerprint, Known> alerts_;
  std::set<std::pair<Instant, Fingerprint>> ends_;                     // of those that are not over
  std::map<std::string, std::unique_ptr<Group>, std::less<>> groups_;  // by id
  std::set<std::pair<Instant, Group*>> due_;
  std::map<std::string, Silence, std::less<>> silences_;
  std::unordered_map<std::string, routing::LogEntry> log_;
  std::unordered_map<std::string, bool> busy_;  // places in the log whose notice is on its way; true: look again after
  Instant hold_until_;
};

}  // namespace mydr24::groups
