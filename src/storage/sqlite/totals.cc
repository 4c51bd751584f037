#include "storage/sqlite/totals.h"

#include <algorithm>

namespace mydr24::sqlite {

std::optional<Totals::Kept> Totals::get(std::uint64_t key) {
  const std::scoped_lock lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end()) return std::nullopt;
  found->second.asked = ++asked_;
  if (!found->second.counted) return std::nullopt;
  return Kept{.total = found->second.total, .as_of = std::max(found->second.seen, applied_)};
}

bool Totals::start(std::uint64_t key, store::Sequence seen) {
  const std::scoped_lock lock(mutex_);
  // Changes between the view and now are lost to this key.
  if (seen < applied_ || entries_.contains(key)) return false;
  make_room();
  entries_.emplace(key, Entry{.total = 0, .counted = false, .seen = seen, .asked = ++asked_});
  return true;
}

void Totals::finish(std::uint64_t key, std::int64_t counted) {
  const std::scoped_lock lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end() || found->second.counted) return;
  if (counted < 0) {
    entries_.erase(found);  // it could not be counted
    return;
  }
  found->second.total += counted;
  found->second.counted = true;
}

void Totals::apply(std::span<const Change> changes, store::Sequence last) {
  const std::scoped_lock lock(mutex_);
  applied_ = last;
  if (entries_.empty()) return;
  for (const Change& change : changes) {
    const auto found = entries_.find(change.key);
    if (found != entries_.end() && found->second.seen < last) found->second.total += change.by;
  }
}

void Totals::make_room() {
  if (entries_.size() < kept_max) return;
  const auto oldest = std::ranges::min_element(entries_, {}, [](const auto& entry) { return entry.second.asked; });
  entries_.erase(oldest);
}

}  // namespace mydr24::sqlite
