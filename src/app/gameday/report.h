#pragma once

// What a game day found, break by break, and whether it holds.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mydr24::gameday {

// What must hold of every break, in seconds from its beginning.
inline constexpr double detected_max_s = 5;
inline constexpr double called_max_s = 10;
inline constexpr double rolled_back_max_s = 60;
inline constexpr double late_max_s = 0.5;

// The first call of a person over a medium.
struct Call {
  std::string who;
  std::string medium;
  double after_s = 0;
  std::string about = {};  // the title of what they were called about, where the medium shows it
};

struct OpenedIncident {
  std::string id;
  std::string severity;
  std::string title;
  double after_s = 0;  // seen in the list
};

struct Outcome {
  std::string name;        // "database stopped"
  std::string means;       // how it was done
  std::string impossible;  // why it cannot be done on this machine; empty: it was done
  std::string finding;     // what was found first
  std::optional<double> detected_s;
  std::string severity;             // that its incident must have
  std::vector<std::string> people;  // who must be called, and of the desk nobody else
  std::vector<Call> calls;          // ordered by time
  bool from_memory = false;         // the store could not be written to: people were called all the same
  std::vector<OpenedIncident> incidents;
  std::optional<double> repaired_s;  // the break was ended
  std::optional<double> resolved_s;  // by those who were called
  bool has_rollback = false;
  std::optional<double> rolled_back_s;
  std::int64_t writes_taken = 0, writes_refused = 0;  // of the load, while it lasted
  std::vector<std::string> other;                     // what else went wrong
  double late_s = 0;  // the longest by which the game itself got the processor too late: a loaded machine

  // The first call of the last one of `people`; nothing when one was not called.
  std::optional<double> all_called_s() const;
  // What does not hold, a line each; empty: all does.
  std::vector<std::string> problems() const;
  bool holds() const { return impossible.empty() && problems().empty(); }
  // It does not hold, on a machine that was too loaded to tell.
  bool is_void() const { return impossible.empty() && late_s > late_max_s && !problems().empty(); }
};

struct Report {
  std::vector<Outcome> outcomes;
  double seconds = 0;

  bool holds() const;
};

std::string verdict(const Outcome& outcome);  // "holds", "FAILED", "void", "not done"
std::string to_table(const Report& report);
std::string to_json(const Report& report);  // "mydr24.gameday.v1"

}  // namespace mydr24::gameday
