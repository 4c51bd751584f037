#pragma once

// Proof that somebody answers: at every instant of a range, every step of every policy leads to enough people who can be
// paged (a usable address other than the console). Source of the demand: two for the policies of emergency and urgent
// alerts; Policy::people_min for the others, where it is more.

#include <string>
#include <vector>

#include "alerting/oncall/plan.h"

namespace mydr24::oncall {

struct Gap {
  std::string policy;
  std::size_t step = 0;
  Period period;
  int needed = 0;
  std::vector<std::string> people;  // who is there at its beginning
};

struct Coverage {
  Period range;
  std::size_t steps = 0;     // looked at
  std::size_t instants = 0;  // at which something changes: everything between two of them is the same
  std::vector<Gap> gaps;     // by beginning; neighbours of one step are one
  bool cut = false;          // there are more than gaps_max
};
inline constexpr std::size_t gaps_max = 1000;
inline constexpr std::chrono::days coverage_days_max{400};

Coverage prove_coverage(const Plan& plan, const Period& range);

}  // namespace mydr24::oncall
