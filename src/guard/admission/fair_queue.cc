#include "guard/admission/fair_queue.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace mydr24::admission {
namespace {

constexpr std::int64_t usual_request = 256;
constexpr std::int64_t owed_max = 16 * usual_request;

constexpr std::uint64_t bit_of(std::uint8_t shard) { return std::uint64_t{1} << shard; }

}  // namespace

std::uint8_t FairQueue::shard_of(std::uint64_t flow, const Hand& of) const {
  // Dealt without putting back: four different queues (KEP-1040, "the dealer").
  std::array<std::uint8_t, hand> dealt{};
  std::uint8_t shortest = 0;
  for (std::size_t i = 0; i < hand; ++i) {
    auto card = static_cast<std::uint8_t>(flow % (of.size() - i));
    flow /= of.size() - i;
    auto begin = dealt.begin();
    const auto end = begin + static_cast<std::ptrdiff_t>(i);
    for (; begin != end && *begin <= card; ++begin) ++card;  // `dealt` is sorted
    std::copy_backward(begin, end, end + 1);
    *begin = card;
    if (i == 0 || lengths_[of[card]] < lengths_[shortest]) shortest = of[card];
  }
  return shortest;
}

std::uint8_t FairQueue::longest() const {
  return static_cast<std::uint8_t>(std::distance(lengths_.begin(), std::ranges::max_element(lengths_)));
}

std::chrono::nanoseconds FairQueue::oldest() const {
  auto since = std::chrono::nanoseconds::max();
  for (std::uint64_t left = occupied_; left != 0; left &= left - 1) {
    const auto& queue = queues_[static_cast<std::size_t>(std::countr_zero(left))];
    since = std::min(since, queue.front().since);
  }
  return since;
}

void FairQueue::push(std::uint8_t shard, Waiter waiter) {
  queues_[shard].push_back(std::move(waiter));
  ++lengths_[shard];
  ++size_;
  occupied_ |= bit_of(shard);
}

Waiter FairQueue::take(std::uint8_t shard, bool youngest) {
  auto& queue = queues_[shard];
  auto waiter = std::move(youngest ? queue.back() : queue.front());
  if (youngest) {
    queue.pop_back();
  } else {
    queue.pop_front();
  }
  --size_;
  if (--lengths_[shard] == 0) occupied_ &= ~bit_of(shard);
  return waiter;
}

std::optional<FairQueue::Taken> FairQueue::pop(bool newest_first) {
  if (occupied_ == 0) return std::nullopt;
  // Ends: what a queue owes is bounded, and each look lowers it.
  for (;;) {
    const std::uint64_t later = occupied_ & (~std::uint64_t{0} << turn_);
    const auto shard = static_cast<std::uint8_t>(std::countr_zero(later != 0 ? later : occupied_));
    turn_ = static_cast<std::uint8_t>((shard + 1) % shards);
    if (owed_[shard] < usual_request) return Taken{take(shard, newest_first), shard};
    owed_[shard] -= usual_request;
  }
}

std::optional<Waiter> FairQueue::evict(std::uint8_t shard, bool newest_first) {
  if (lengths_[shard] == 0) return std::nullopt;
  return take(shard, !newest_first);
}

std::vector<Waiter> FairQueue::expire(std::chrono::nanoseconds since_before, std::chrono::nanoseconds now) {
  std::vector<Waiter> expired;
  for (std::uint64_t left = occupied_; left != 0; left &= left - 1) {
    const auto shard = static_cast<std::uint8_t>(std::countr_zero(left));
    auto& queue = queues_[shard];
    for (auto waiter = queue.begin(); waiter != queue.end();) {
      if (waiter->since >= since_before && waiter->deadline > now) {
        ++waiter;
        continue;
      }
      expired.push_back(std::move(*waiter));
      waiter = queue.erase(waiter);
      --size_;
      --lengths_[shard];
    }
    if (lengths_[shard] == 0) occupied_ &= ~bit_of(shard);
  }
  return expired;
}

void FairQueue::charge(std::uint8_t shard, std::chrono::nanoseconds held, std::chrono::nanoseconds usual) {
  // One of the usual length is what a turn is for: only what is beyond is owed.
  const std::int64_t cost = held.count() * usual_request / std::max<std::int64_t>(1, usual.count());
  owed_[shard] = std::clamp<std::int64_t>(owed_[shard] + cost - usual_request, 0, owed_max);
}

}  // namespace mydr24::admission
