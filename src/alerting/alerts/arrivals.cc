#include "alerting/alerts/detail/arrivals.h"

#include <fmt/format.h>

#include "alerting/alerts/detail/calls.h"
#include "alerting/alerts/rows.h"
#include "base/core/id.h"

namespace mydr24::alerts::arrivals {
namespace {

// More than one that is added: what is too old goes, however fast alerts come.
constexpr std::uint32_t cleared_at_once = 4;

std::string prefix_of(oncall::IfCount::Of of, const Alert& alert) {
  return of == oncall::IfCount::Of::source ? fmt::format("source/{}/", alert.source)
                                           : fmt::format("cause/{}/", alert.cause);
}

// Above the ids made before `at`: their first 48 bits, twelve digits and a dash among them, are the time.
std::string first_id(Instant at) {
  constexpr std::size_t time_digits = 13;
  return make_uuid7(at).substr(0, time_digits);
}

}  // namespace

Result<> note(store::Transaction& transaction, const oncall::Plan& plan, const Alert& alert) {
  if (plan.counts_within() == std::chrono::seconds(0)) return {};
  const Instant now = calls::stamp(transaction);
  const std::string oldest = first_id(now - plan.counts_within());
  const std::string id = make_uuid7(now);
  for (const auto of : {oncall::IfCount::Of::source, oncall::IfCount::Of::cause}) {
    const std::string prefix = prefix_of(of, alert);
    MYDR24_ASSIGN(const auto first, transaction.states(rows::arrivals, prefix, "", cleared_at_once));
    for (const store::StateRow& row : first)
      if (row.key < prefix + oldest) MYDR24_TRY(transaction.erase_state(rows::arrivals, row.key));
    MYDR24_TRY(transaction.set_state(rows::arrivals, prefix + id, "{}"));
  }
  return {};
}

Result<bool> holds(store::Transaction& transaction, const oncall::IfCount& condition, const Alert& alert) {
  const std::string prefix = prefix_of(condition.of, alert);
  const std::string after = prefix + first_id(calls::stamp(transaction) - condition.within);
  const auto wanted = static_cast<std::uint32_t>(condition.more_than) + 1;
  MYDR24_ASSIGN(const auto found, transaction.states(rows::arrivals, prefix, after, wanted));
  return found.size() == wanted;
}

}  // namespace mydr24::alerts::arrivals
