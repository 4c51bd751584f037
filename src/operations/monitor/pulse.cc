#include "operations/monitor/pulse.h"

namespace mydr24::monitor {

void Pulse::tick() {
  if (waits_.exchange(true)) return;
  const std::int64_t now = clock_.steady().count();
  if (since_ns_ == 0) since_ns_ = now;
  store_.submit(
      RequestClass::emergency, [](store::Transaction&) { return Result<>(); },
      [this](const Result<>& result) {
        if (result || result.error().code == Code::full) since_ns_ = 0;
        waits_ = false;
      });
}

std::chrono::nanoseconds Pulse::unanswered() const {
  const std::int64_t since = since_ns_;
  return since == 0 ? std::chrono::nanoseconds(0) : clock_.steady() - std::chrono::nanoseconds(since);
}

}  // namespace mydr24::monitor
