#pragma once

// How risky a change is: a score of named factors, each shown, and the level that decides who approves.
// Formula: 100 x (1 - product of (1 - weight x value)); a factor of 0 changes nothing, each one adds.

#include <string>
#include <vector>

#include "operations/changes/plan.h"

namespace mydr24::changes {

struct Factor {
  std::string name;
  double weight = 0;  // the most it can count for, 0 to 1
  double value = 0;   // 0 to 1
  std::string text;   // what it was made from
};

struct Risk {
  double score = 0;  // 0 to 100
  Level level = Level::low;
  std::vector<Factor> factors;
  std::string reason;  // why the level is above what the score says; else empty
};

// What is known beside the plan.
struct Surroundings {
  int finished = 0, failed = 0;              // changes of this kind at this service so far
  std::optional<double> days_since_success;  // of any change at this service; none: never
  int overlapping = 0;                       // other changes that touch the same at the same time
  double load = 0;                           // expected at the time, share of the peak
  int open_incidents = 0;
  std::string emergency_path;         // a setting of the plan that emergencies pass; empty: none
  std::optional<double> budget_left;  // of the service's error budget, 1: all of it
};

// Scores below these are low, medium, high; from the last on critical.
inline constexpr double medium_from = 30, high_from = 55, critical_from = 80;
// Less of the error budget raises the level by one.
inline constexpr double budget_low = 0.25;

Risk assess(const Plan& plan, const Surroundings& surroundings);
std::string to_json(const Risk& risk);

}  // namespace mydr24::changes
