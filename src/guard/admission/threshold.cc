#include "guard/admission/threshold.h"

namespace mydr24::admission {
namespace {

// Of what was let in: more, so that the seats never run dry, or less, so that the threads catch up.
constexpr double headroom = 1.1;
constexpr double restraint = 0.9;
constexpr std::size_t cohorts_back_at_once = 8;  // all of a class are back in 1.6 s

constexpr std::uint64_t mix(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9U;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebU;
  return value ^ (value >> 31);
}

}  // namespace

std::size_t Threshold::cohort(std::uint64_t client, std::int64_t hour) {
  return static_cast<std::size_t>(mix(client + static_cast<std::uint64_t>(hour)) % cohorts);
}

bool Threshold::admits(std::size_t rank) {
  if (rank < cohorts) return true;
  offered_[rank].fetch_add(1, std::memory_order_relaxed);
  return rank < value_.load(std::memory_order_relaxed);
}

void Threshold::tick(Overload overload, std::uint64_t let_in) {
  std::array<std::uint32_t, ranks> offered{};
  std::uint64_t total = 0;
  for (std::size_t i = cohorts; i < ranks; ++i) {
    offered[i] = offered_[i].exchange(0, std::memory_order_relaxed);
    total += offered[i];
  }
  const auto room = static_cast<double>(let_in) * (overload == Overload::io ? restraint : headroom) + 1;
  if ((overload == Overload::none && !binds()) || static_cast<double>(total) <= room) {
    value_.store(ranks, std::memory_order_relaxed);
    return;
  }
  // Up to the first rank that does not fit any more, but at least up to the first that asks for something: a single client
  // that asks too much is the gates' affair, refusing all of it would be for good.
  double fitting = 0;
  std::size_t rank = cohorts;
  while (rank < ranks && (fitting == 0 || fitting + offered[rank] <= room)) fitting += offered[rank++];
  // A few more cohorts when there is room, also where one of them is more than the headroom.
  if (overload == Overload::none) rank = std::max(rank, value() + cohorts_back_at_once);
  value_.store(std::min(rank, ranks), std::memory_order_relaxed);
}

}  // namespace mydr24::admission
