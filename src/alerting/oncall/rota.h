#pragma once

// Who answers: contacts, the ways to reach them, and the steps of the escalation policy. Built once from the
// settings and not changed after; schedules (who is on duty when) come on top of the same question.
//
// Invariant: every step names at least one contact, every contact has at least one channel: nobody is called
// into the void.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/notify/address.h"
#include "base/core/result.h"

namespace mydr24::oncall {

struct Contact {
  std::string name;
  std::vector<notify::Address> channels;
};

struct Step {
  std::vector<std::string> contacts;  // names; all are called at once
};

struct Settings {
  std::vector<Contact> contacts;
  std::vector<Step> steps;
};

inline constexpr std::size_t contacts_max = 1000;
inline constexpr std::size_t channels_per_contact_max = 8;
inline constexpr std::size_t steps_max = 32;
inline constexpr std::size_t contacts_per_step_max = 64;

class Rota {
 public:
  // Code::invalid; `where` is the setting, as "oncall.steps[1].contacts[0]". Settings without contacts and
  // steps mean: one step that calls the console, so that a fresh installation shows its alerts somewhere.
  static Result<Rota> make(Settings settings);

  std::size_t steps() const { return settings_.steps.size(); }
  // The contacts of that step; of the last one when `step` is beyond it. Valid as long as the Rota is.
  std::vector<const Contact*> who_answers(std::size_t step) const;
  const Contact* find(std::string_view name) const;  // nullptr when there is none
  const std::vector<Contact>& contacts() const { return settings_.contacts; }

 private:
  explicit Rota(Settings settings) : settings_(std::move(settings)) {}
  Settings settings_;
};

}  // namespace mydr24::oncall
