#include "alerting/oncall/coverage.h"

#include <algorithm>
#include <tuple>

namespace mydr24::oncall {
namespace {

int people_needed(const Plan& plan, const Policy& policy) {
  const auto& defaults = plan.defaults().policy;
  const bool pressing = policy.name == defaults[0] || policy.name == defaults[1];
  return std::max(policy.people_min, pressing ? 2 : 1);
}

void prove_step(const Plan& plan, const Policy& policy, std::size_t index, Coverage& coverage) {
  const Step& step = policy.steps[index];
  const int needed = people_needed(plan, policy);
  std::vector<Instant> points;
  plan.change_points(step, coverage.range, points);
  points = ordered(std::move(points), coverage.range);
  ++coverage.steps;
  coverage.instants += points.size();
  Gap* open = nullptr;
  for (const Instant at : points) {
    std::vector<Called> called = plan.who_is_reachable(step, at);
    std::erase_if(called, [](const Called& who) { return !who.contact->pageable(); });
    if (static_cast<int>(called.size()) >= needed) {
      if (open != nullptr) open->period.end = at;
      open = nullptr;
      continue;
    }
    if (open != nullptr) continue;
    if (coverage.gaps.size() == gaps_max) {
      coverage.cut = true;
      return;
    }
    open = &coverage.gaps.emplace_back(Gap{policy.name, index, {at, coverage.range.end}, needed, {}});
    for (const Called& who : called) open->people.push_back(who.contact->name);
  }
}

}  // namespace

Coverage prove_coverage(const Plan& plan, const Period& range) {
  Coverage coverage{.range = range};
  coverage.range.end = std::min(range.end, range.begin + coverage_days_max);
  for (const auto& [name, policy] : plan.policies())
    for (std::size_t i = 0; i < policy.steps.size(); ++i) prove_step(plan, policy, i, coverage);
  std::ranges::sort(coverage.gaps, {}, [](const Gap& gap) { return std::tie(gap.period.begin, gap.policy, gap.step); });
  return coverage;
}

}  // namespace mydr24::oncall
