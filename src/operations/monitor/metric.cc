#include "operations/monitor/metric.h"

#include <algorithm>

namespace mydr24::monitor {

std::string_view to_string(Group group) {
  constexpr std::array<std::string_view, 4> words{"clinical", "operational", "compliance", "patient-safety"};
  return words[static_cast<std::size_t>(group)];
}

std::int64_t Worst::slot_of(std::chrono::nanoseconds steady) const {
  const auto length = std::chrono::nanoseconds(window_) / (slots - 1);
  return steady / length;
}

void Worst::observe(double value, std::chrono::nanoseconds steady) {
  const std::int64_t number = slot_of(steady);
  const std::lock_guard lock(mutex_);
  Slot& slot = slots_[static_cast<std::size_t>(number) % slots];
  slot.worst = slot.number == number ? std::max(slot.worst, value) : value;
  slot.number = number;
}

std::optional<double> Worst::read(std::chrono::nanoseconds steady) const {
  const std::int64_t now = slot_of(steady);
  const std::lock_guard lock(mutex_);
  std::optional<double> worst;
  for (const Slot& slot : slots_)
    if (slot.number >= 0 && slot.number > now - static_cast<std::int64_t>(slots))
      worst = std::max(worst.value_or(slot.worst), slot.worst);
  return worst;
}

}  // namespace mydr24::monitor
