#pragma once

// The book of incidents: opened, answered, mitigated, resolved, reviewed and closed. Everything happens inside a store
// transaction: the incident, its timeline, its clocks (durable timers), the alert by which its people are called, and the
// messages about it are there together or not at all.
//
// Invariants
// - At most one incident that is not over has a given cause; a second one with that cause joins it.
// - An incident that nobody has answered has an open alert, which calls people until somebody does.
// - The highest severity wins, unless a person lowers it and says why.
// - Only emergencies are told outside; the clock of an emergency is never paused.
// - A review with an action that lacks its owner or its date is not closed, and its incident is not either.
// - A timeline only grows, and shows when it was altered (timeline.h).
//
// Events: "incident." and the kind of each entry of a timeline (opened, joined, acknowledged, severity, escalated,
// clock, paused, resumed, mitigated, resolved, closed, merged, note, role, task, review ...).
// Source: the operations plan; PagerDuty Incident Response (roles, the higher severity when unsure, review within 3 days and 5
// business days); Google SRE book, ch. 15 (reviews).

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/alerts/book.h"
#include "operations/incidents/incident.h"
#include "operations/incidents/rows.h"
#include "operations/incidents/setups.h"
#include "operations/incidents/timeline.h"
#include "storage/store/store.h"

namespace mydr24::incidents {

struct Opening {
  std::string cause;  // empty: one of its own
  std::string title;
  std::string text;
  std::string status;
  std::string service;
  std::string source = "person";
  std::optional<Severity> severity;  // at least; nothing: the rules decide
  bool breach = false;               // of personal data
  std::vector<std::string> links;
  std::string by;
};

struct Opened {
  std::string id;
  bool joined = false;
};

struct Page {
  std::vector<std::string> summaries;  // JSON
  std::string next;                    // empty: no more
};

// What is known of those whom an incident touches, and how.
struct Impact {
  Reach reach;
  std::int64_t alert_patients = 0;  // of its alerts
  struct Ward {
    std::string ward;
    std::int64_t patients = 0;  // with an encounter in progress there
  };
  std::vector<Ward> wards;
  std::int64_t patients = 0;  // about: of the alerts, and of the wards
};
std::string to_json(const Impact& impact);

class Book {
 public:
  // All must outlive it.
  Book(const alerts::Book& alerts, Setups& setups) : alerts_(alerts), setups_(setups) {}
  // Before the store's first tick; it must outlive the store.
  void attach(store::Store& store);
  Setups& setups() const { return setups_; }

  // Code::invalid: no title, too long. The service may be one that the map does not know.
  Result<Opened> open(store::Transaction& transaction, const Opening& opening) const;
  // An alert belongs to it: with its title and patient, as far as there is room; each is counted.
  Result<> link_alerts(store::Transaction& transaction, Incident& incident,
                       const std::vector<const alerts::Alert*>& found) const;

  // Each: Code::not_found; Code::conflict where its state does not allow it; Code::invalid names the member.
  Result<Incident> acknowledge(store::Transaction& transaction, std::string_view id, std::string_view by,
                               std::string_view note) const;
  Result<Incident> mitigate(store::Transaction& transaction, std::string_view id, std::string_view by,
                            std::string_view note) const;
  Result<Incident> resolve(store::Transaction& transaction, std::string_view id, std::string_view by,
                           std::string_view how) const;
  Result<Incident> close(store::Transaction& transaction, std::string_view id, std::string_view by) const;
  // A lower one needs a reason. Either is a test vector of the rules from now on.
  Result<Incident> set_severity(store::Transaction& transaction, std::string_view id, Severity severity,
                                std::string_view by, std::string_view reason) const;
  // The resolution's clock stands still; never of an emergency, nor before somebody has answered.
  Result<Incident> pause(store::Transaction& transaction, std::string_view id, std::string_view by,
                         std::string_view reason) const;
  Result<Incident> resume(store::Transaction& transaction, std::string_view id, std::string_view by) const;
  Result<Incident> note(store::Transaction& transaction, std::string_view id, std::string_view by,
                        std::string_view text) const;
  // `person` empty: nobody has it any more.
  Result<Incident> set_role(store::Transaction& transaction, std::string_view id, std::string_view role,
                            std::string_view person, std::string_view by) const;
  Result<Incident> add_task(store::Transaction& transaction, std::string_view id, std::string_view text,
                            std::string_view owner, std::string_view by) const;
  Result<Incident> tick_task(store::Transaction& transaction, std::string_view id, std::size_t task,
                             std::string_view by) const;
  Result<Incident> add_link(store::Transaction& transaction, std::string_view id, std::string_view link,
                            std::string_view by) const;
  // On the status page, for everybody.
  Result<Incident> publish(store::Transaction& transaction, std::string_view id, std::string_view text,
                           std::string_view by) const;
  // `id` is the same as `into`: it is closed, and both keep their timelines. The higher severity is that of `into`.
  Result<Incident> merge(store::Transaction& transaction, std::string_view id, std::string_view into,
                         std::string_view by) const;

  // What is given of it is set.
  struct ReviewEdit {
    std::optional<std::string> owner, summary, impact, root_cause;
  };
  Result<Incident> edit_review(store::Transaction& transaction, std::string_view id, const ReviewEdit& edit,
                               std::string_view by) const;
  // `place`: which action; nothing: a new one.
  struct ActionEdit {
    std::optional<std::size_t> place;
    std::optional<std::string> text, owner;
    std::optional<Instant> due;
    bool done = false;
  };
  Result<Incident> edit_action(store::Transaction& transaction, std::string_view id, const ActionEdit& edit,
                               std::string_view by) const;
  Result<Incident> close_review(store::Transaction& transaction, std::string_view id, std::string_view by) const;

  // An entry that no person makes: left out when there is no room but what is kept for people.
  Result<> tell_of(store::Transaction& transaction, Incident& incident, const timeline::Line& line) const;
  // To a higher one; the caller keeps it.
  Result<> raise_severity(store::Transaction& transaction, Incident& incident, Severity severity) const;
  // The page was acknowledged elsewhere (SMS, chat, desk).
  Result<> page_acknowledged(store::Transaction& transaction, Incident& incident, std::string_view by,
                             Instant at) const;
  // Those who have to answer; also once more, when the call was closed and nobody had answered.
  Result<> call_people(store::Transaction& transaction, Incident& incident) const;
  // The incident calls people about that alert from now on; the alert itself does no more.
  Result<> take_over_calls(store::Transaction& transaction, const Incident& incident, std::string_view alert) const;
  // From one list key to the other.
  static Result<> keep(store::Transaction& transaction, std::string_view place_before, const Incident& incident) {
    return rows::save(transaction, place_before, incident);
  }

  static Result<Incident> find(store::Reader& reader, std::string_view id);  // Code::not_found
  static Result<std::optional<std::string>> find_unresolved(store::Reader& reader, std::string_view cause);
  // Not over: most severe first, then newest. Over: the last resolved first. At most 500 above `after`.
  static Result<Page> list(store::Reader& reader, bool over, std::string_view after, std::uint32_t count);
  // Ids of emergencies that are not over, at most `count`.
  static Result<std::vector<std::string>> open_emergencies(store::Reader& reader, std::uint32_t count = 100);

  // How many people have an encounter in progress at a Location; nothing: nobody knows. Before the first use.
  using CountPatients = std::function<Result<std::int64_t>(store::Reader&, std::string_view location)>;
  void count_patients_with(CountPatients count) { count_patients_ = std::move(count); }
  Result<Impact> impact(store::Reader& reader, const Incident& incident) const;

 private:
  template <class Change>
  Result<Incident> change(store::Transaction& transaction, std::string_view id, Change change) const;
  Result<Incident> make(store::Transaction& transaction, const Opening& opening, Classification classified) const;
  Result<Opened> join(store::Transaction& transaction, const Opening& opening, std::string_view id) const;
  Result<> tell_outside(store::Transaction& transaction, Incident& incident) const;
  Result<> tell(store::Transaction& transaction, const Incident& incident, std::string_view what) const;
  Result<> add_privacy_officer(store::Transaction& transaction, Incident& incident) const;
  Result<> end(store::Transaction& transaction, Incident& incident, std::string_view why, std::string_view by) const;
  Result<> answer(store::Transaction& transaction, Incident& incident, std::string_view by, Instant at) const;
  Result<> open_review(store::Transaction& transaction, Incident& incident) const;

  // clocks.cc
  Result<> start_clocks(store::Transaction& transaction, const Incident& incident) const;
  Result<> arm(store::Transaction& transaction, const Incident& incident, ClockKind kind) const;
  Result<> disarm(store::Transaction& transaction, const Incident& incident, ClockKind kind) const;
  Result<> look_at_page(store::Transaction& transaction, Incident& incident) const;
  Result<> clock_due(store::Transaction& transaction, std::string_view payload) const;
  Result<> escalate(store::Transaction& transaction, std::string_view id) const;
  Result<> review_due(store::Transaction& transaction, std::string_view id) const;
  Result<> action_due(store::Transaction& transaction, std::string_view payload) const;
  Result<> call_about(store::Transaction& transaction, const Incident& incident, std::string cause,
                      std::string title) const;
  Result<> end_call(store::Transaction& transaction, std::string_view cause) const;

  const alerts::Book& alerts_;
  Setups& setups_;
  CountPatients count_patients_;
};

// In `text` as a person wrote it: 1 to `bytes_max` bytes. Code::invalid, Code::too_large.
Result<> check_text(std::string_view text, std::string_view where, std::size_t bytes_max = text_bytes_max);

}  // namespace mydr24::incidents
