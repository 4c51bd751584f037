#pragma once

// The few lines of the settings file from which the first plan is made: contacts with their addresses, and steps.

#include <chrono>
#include <string>
#include <vector>

#include "alerting/notify/address.h"
#include "alerting/oncall/plan.h"

namespace mydr24::oncall {

struct SettingsContact {
  std::string name;
  std::vector<notify::Address> channels;
};

struct SettingsStep {
  std::vector<std::string> contacts;  // names; all are called at once
};

struct Settings {
  std::vector<SettingsContact> contacts;
  std::vector<SettingsStep> steps;
  std::chrono::seconds escalate_after{30};  // unanswered this long: the next step; the last one again and again
};

// The contacts and a policy "default" of these steps. Without contacts and steps: one step that calls the console, so
// that a fresh installation shows its alerts somewhere. Code::invalid; `where` is the setting, as
// "oncall.steps[1].contacts[0]".
Result<Documents> documents_of(const Settings& settings);

// Response teams, policies and times of an operations desk, for the alerts of the platform itself: its people are
// reached on the console until somebody writes down where they answer.
Documents operations_desk();

}  // namespace mydr24::oncall
