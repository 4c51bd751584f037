#include "alerting/alerts/response_clocks.h"

#include <algorithm>
#include <vector>

#include "base/json/document.h"
#include "base/json/writer.h"

namespace mydr24::alerts {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::string_view to_string(ResponseClock clock) {
  constexpr std::array<std::string_view, response_clocks.size()> names{"deliver", "escalate", "acknowledge"};
  return names[static_cast<std::size_t>(clock)];
}

milliseconds limit_of(ResponseClock clock) {
  constexpr std::array<seconds, response_clocks.size()> limits{seconds(2), seconds(30), seconds(47)};
  return limits[static_cast<std::size_t>(clock)];
}

Result<> ResponseClocks::follow(std::span<const store::Event> events) {
  const std::lock_guard lock(mutex_);
  for (const store::Event& event : events)
    if (event.kind.starts_with("alert.")) take(event);
  return {};
}

// Under mutex_.
void ResponseClocks::take(const store::Event& event) {
  const auto document = json::Document::parse_view(event.payload);
  if (!document) return;
  const json::Value root = document->root();
  const std::string_view id = root["alert"].text();
  const auto known = open_.find(id);
  if (event.kind == "alert.raised" || event.kind == "alert.severity_raised") {
    if (root["severity"].text() == "emergency" && open_.size() < open_max && known == open_.end())
      open_.emplace(id, Open{.raised = event.at, .delivered = {}});
    return;
  }
  if (known == open_.end()) return;
  Open& open = known->second;
  if (event.kind == "alert.delivered") {
    if (open.delivered) return;
    open.delivered = event.at;
    note(ResponseClock::deliver, event.at, event.at - open.raised);
  } else if (event.kind == "alert.escalated") {
    if (open.delivered && !open.escalated) note(ResponseClock::escalate, event.at, event.at - *open.delivered);
    open.escalated = true;
  } else if (event.kind == "alert.acknowledged") {
    note(ResponseClock::acknowledge, event.at, event.at - open.raised);
    open_.erase(known);
  } else if (event.kind == "alert.resolved") {
    open_.erase(known);
  }
}

// Under mutex_.
void ResponseClocks::note(ResponseClock clock, Instant at, Microseconds took) {
  auto& times = times_[static_cast<std::size_t>(clock)];
  if (times.size() >= kept_max) times.pop_front();
  times.push_back({at, std::chrono::duration_cast<milliseconds>(std::max(took, Microseconds(0)))});
}

ResponseClocks::Figures ResponseClocks::figures(ResponseClock clock) const {
  std::vector<milliseconds> sorted;
  {
    const std::lock_guard lock(mutex_);
    const Instant begin = clock_.now() - window;
    for (const Time& time : times_[static_cast<std::size_t>(clock)])
      if (time.at >= begin) sorted.push_back(time.took);
  }
  Figures figures;
  if (sorted.empty()) return figures;
  std::ranges::sort(sorted);
  const auto rank = [&](std::size_t percent) { return sorted[(sorted.size() * percent + 99) / 100 - 1]; };
  figures.count = static_cast<std::int64_t>(sorted.size());
  figures.late = std::ranges::count_if(sorted, [&](milliseconds took) { return took > limit_of(clock) + slack; });
  figures.p50 = rank(50);
  figures.p99 = rank(99);
  figures.max = sorted.back();
  return figures;
}

std::string ResponseClocks::json() const {
  std::string text;
  json::Writer out(text);
  out.begin_object();
  for (const ResponseClock clock : response_clocks) {
    const Figures made = figures(clock);
    out.key(to_string(clock)).begin_object().field("limit_ms", limit_of(clock).count());
    out.field("count", made.count).field("late", made.late);
    if (made.count > 0)
      out.field("p50_ms", made.p50.count()).field("p99_ms", made.p99.count()).field("max_ms", made.max.count());
    out.end_object();
  }
  out.end_object();
  return text;
}

}  // namespace mydr24::alerts
