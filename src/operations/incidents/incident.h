#pragma once

// An incident and its JSON.
//
// open: people are being called. acknowledged: somebody has taken it. mitigated: those who were affected can work again.
// resolved: the cause is gone. closed: its review is done, nothing of it is left to do.

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/clock.h"
#include "base/core/result.h"
#include "operations/incidents/setup.h"
#include "operations/incidents/severity.h"

namespace mydr24::incidents {

enum class State : std::uint8_t { open, acknowledged, mitigated, resolved, closed };
std::string_view to_string(State state);

enum class ClockKind : std::uint8_t { response, resolution };
inline constexpr std::array clock_kinds{ClockKind::response, ClockKind::resolution};
std::string_view to_string(ClockKind kind);
inline constexpr std::array clock_percents{50, 80, 100};  // of its time: warnings, and the breach

inline constexpr std::size_t title_bytes_max = 500;
inline constexpr std::size_t text_bytes_max = 10'000;
inline constexpr std::size_t alerts_linked_max = 200;  // further ones are counted
inline constexpr std::size_t tasks_max = 500;
inline constexpr std::size_t links_max = 100;
inline constexpr std::size_t duplicates_max = 100;
inline constexpr std::size_t publications_max = 200;
inline constexpr std::size_t actions_max = 100;
inline constexpr std::array<std::string_view, 5> role_names{"commander", "communications", "scribe",
                                                            "clinical-coordinator", "privacy-officer"};

// Runs from `start` until it is stopped; a pause moves the end of the resolution's.
struct Countdown {
  Instant start;
  std::chrono::seconds time{0};
  std::optional<Instant> stopped;
  int told = 0;  // the percent that was told of last
  bool is_breached() const { return told >= 100; }
};

struct ToDo {
  std::string text;
  std::string runbook;  // that it is a step of; empty: of none
  std::string owner;
  std::string done_by;  // empty: it is to be done
  std::optional<Instant> done_at;
};

// A change that keeps it from happening again.
struct Action {
  std::string text;
  std::string owner;           // empty: nobody yet
  std::optional<Instant> due;  // nothing: no date yet
  std::string done_by;
  std::optional<Instant> done_at;
  bool overdue = false;  // its date has passed, and people were told
};

struct Review {
  Instant opened;
  Instant due;
  std::string owner;
  std::string summary, impact, root_cause;
  std::vector<Action> actions;
  bool overdue = false;
  std::string closed_by;
  std::optional<Instant> closed;
};

// What the status page says of it.
struct Publication {
  Instant at;
  std::string text;
};

// Another incident that is the same one, and its timeline's last hash when that was found.
struct Duplicate {
  std::string id;
  std::string head;
};

struct Incident {
  std::string id;       // UUID version 7
  std::string cause;    // at most one that is not resolved has it
  std::string title;    // without patient identity: it leaves the building
  std::string text;     // stays inside
  std::string status;   // "down"; as it was said
  std::string service;  // of the service map; may be empty
  std::string source;   // person, alerts, or the module that asked for it
  Severity severity = Severity::high;
  Classification classified;  // as it was opened
  std::string severity_by;    // empty: by the rules or whoever opened it; else the person who changed it
  State state = State::open;
  Instant opened_at;
  std::string opened_by;
  std::optional<Instant> acknowledged_at, mitigated_at, resolved_at, closed_at;
  std::string acknowledged_by, mitigated_by, resolved_by, closed_by;
  std::string resolution;  // what ended it
  std::array<Countdown, 2> clocks;
  std::optional<Instant> paused_at;
  std::string paused_reason;
  Microseconds paused{0};  // before
  bool escalated = false;
  std::string team, policy;
  std::string page;  // the alert by which its people are called
  bool breach = false;
  bool told_outside = false;
  std::int64_t alert_count = 0;
  std::vector<std::string> alerts;    // the first of them
  std::vector<std::string> patients;  // "Patient/123", of its alerts, the first of them
  std::vector<std::string> links;
  std::map<std::string, std::string> roles;
  std::vector<std::string> runbooks;
  std::vector<ToDo> tasks;
  std::vector<Publication> publications;
  std::vector<Duplicate> duplicates;
  std::string merged_into;
  std::optional<Review> review;
  std::int64_t entries = 0;  // of its timeline
  std::string head;          // hash of the last one

  Countdown& clock(ClockKind kind) { return clocks[static_cast<std::size_t>(kind)]; }
  const Countdown& clock(ClockKind kind) const { return clocks[static_cast<std::size_t>(kind)]; }
  // When so many percent of the clock's time are over; while it is paused, without the pause that goes on.
  Instant due(ClockKind kind, int percent = 100) const;
  bool is_over() const { return state == State::resolved || state == State::closed; }
};

std::string to_json(const Incident& incident);
// What a list shows: how many patients and not which, no text.
std::string summary_json(const Incident& incident);
Result<Incident> incident_of(std::string_view text);

}  // namespace mydr24::incidents
