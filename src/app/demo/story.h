#pragma once

// The script of the demo: one scene after the other, and again from the first. A patient gets worse; the rules call people;
// the incident opens itself; the patient is treated; a change is proposed, approved, fails and goes back by itself. The script
// moves a patient and plays the change manager; everything else is what the server makes of it.

#include <chrono>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "app/demo/desk.h"
#include "base/core/clock.h"

namespace mydr24::demo {

// The patients that the script moves.
struct Ward {
  std::size_t patients = 0;
  std::function<std::string(std::size_t)> id;  // "sim24-p00007"
  std::function<void(std::size_t)> worsen;     // from now on
  std::function<void(std::size_t)> treat;      // they recover from now on
};

struct StoryState {
  std::string_view scene;  // a name of the script's table
  Instant since;           // when it began
  int round = 0;           // from 1
  std::string patient;     // id; of this round
  std::string change;      // id; of this round, empty: none was proposed yet
};

class Story {
 public:
  // `pace`: how many times faster than written; above 0.
  Story(Ward ward, double pace, const Clock& clock);

  // Goes on where the script is: begins a scene when it is due, and looks whether it is over. What cannot be done now is tried
  // again at the next look, until the scene has taken too long and is left.
  void look(Desk& desk);
  const StoryState& state() const { return state_; }

 private:
  struct Scene {
    std::string_view name;
    std::chrono::milliseconds wait;         // before it, in the script's time
    Result<> (Story::*begin)(Desk&);        // done once; null: nothing
    Result<bool> (Story::*is_over)(Desk&);  // null: at once
  };
  static std::span<const Scene> script();

  Result<> worsen(Desk& desk);
  Result<bool> is_called(Desk& desk);
  Result<bool> is_answered(Desk& desk);
  Result<> treat(Desk& desk);
  Result<bool> is_well(Desk& desk);
  Result<bool> is_calm(Desk& desk);
  Result<> propose(Desk& desk);
  Result<bool> is_approved(Desk& desk);
  Result<> start(Desk& desk);
  Result<bool> is_back(Desk& desk);

  std::chrono::nanoseconds paced(std::chrono::milliseconds time) const;
  Result<bool> play(Desk& desk);
  void enter(std::size_t place);
  Result<json::Document> change(Desk& desk) const;

  const Ward ward_;
  const double pace_;
  const Clock& clock_;
  StoryState state_;
  std::size_t place_ = 0;  // in the script
  bool is_begun_ = false;  // what the scene begins with was done
  std::chrono::nanoseconds entered_{};
  std::size_t number_ = 0;  // of the patient
  std::string alert_;       // that was raised about the patient
};

}  // namespace mydr24::demo
