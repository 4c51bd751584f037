#include "operations/monitor/unstored.h"

#include <algorithm>

#include "base/core/id.h"

namespace mydr24::monitor {

std::vector<Unstored::Call> Unstored::due(const std::vector<Finding>& findings,
                                          const std::function<bool(std::string_view)>& is_stored, Instant now,
                                          std::chrono::nanoseconds steady) {
  std::erase_if(waiting_, [&](const auto& each) {
    return is_stored(each.first) || std::ranges::find(findings, each.first, &Finding::cause) == findings.end();
  });
  std::vector<Call> calls;
  for (const Finding& finding : findings) {
    if (finding.severity > Severity::high || is_stored(finding.cause)) continue;
    auto found = waiting_.find(finding.cause);
    if (found == waiting_.end())
      found = waiting_.emplace(finding.cause, Waiting{make_uuid7(now), now, steady + first_call}).first;
    Waiting& waiting = found->second;
    if (steady < waiting.next) continue;
    calls.push_back({waiting.id, finding, waiting.found_at, waiting.round++});
    waiting.next = steady + call_again;
  }
  return calls;
}

}  // namespace mydr24::monitor
