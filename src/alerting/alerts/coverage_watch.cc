#include "alerting/alerts/coverage_watch.h"

#include <fmt/format.h>

#include "alerting/oncall/coverage.h"
#include "base/core/date_time.h"

namespace mydr24::alerts {
namespace {

constexpr std::string_view cause = "oncall/coverage";

}  // namespace

Result<std::size_t> watch_coverage(store::Store& store, const Book& book, Instant now) {
  const oncall::PlanPointer plan = book.directory().plan();
  if (plan->revision() == 0) return std::size_t{0};
  const oncall::Coverage found = oncall::prove_coverage(*plan, {now, now + coverage_notice});
  std::optional<Alert> raised;
  MYDR24_TRY(store.read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(raised, Book::find_unresolved(reader, cause));
    return {};
  }));
  if (found.gaps.empty() && !raised) return std::size_t{0};
  MYDR24_TRY(store.write(RequestClass::urgent, [&](store::Transaction& transaction) -> Result<> {
    if (found.gaps.empty()) {
      MYDR24_TRY(book.resolve(transaction, raised->id, "no gap is left"));
      return {};
    }
    const oncall::Gap& first = found.gaps.front();
    std::string reason = fmt::format("policy {}, step {}, from {}: {} of {} people", first.policy, first.step,
                                     format_instant(first.period.begin), first.people.size(), first.needed);
    if (raised && raised->reason == reason) return {};
    MYDR24_TRY(book.raise(transaction, {.source = "oncall",
                                        .cause = std::string(cause),
                                        .severity = Severity::urgent,
                                        .title = fmt::format("On-call has gaps in the next {} days: {}",
                                                             coverage_notice.count(), found.gaps.size()),
                                        .reason = std::move(reason)}));
    return {};
  }));
  return found.gaps.size();
}

}  // namespace mydr24::alerts
