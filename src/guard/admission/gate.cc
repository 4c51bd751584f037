#include "guard/admission/gate.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace mydr24::admission {
namespace {

constexpr std::size_t index(RequestClass request_class) { return static_cast<std::size_t>(request_class); }
constexpr std::size_t queue_max = 8'192;  // whatever the limit says
constexpr int average_over = 16;          // requests
constexpr std::chrono::milliseconds look_every{100};

std::uint8_t shard_of(const FairQueue& queue, const Entry& entry) {
  return entry.hand == nullptr ? queue.shard_of(entry.flow) : queue.shard_of(entry.flow, *entry.hand);
}

}  // namespace

Gate::Gate(const GateSettings& settings) : settings_(settings), seats_(settings.seats) {
  for (std::size_t i = 0; i < request_class_count; ++i) {
    const auto& share = settings.shares[i];
    lanes_.push_back({.codel = {settings.target, settings.interval},
                      .kept = share.nominal * (1 - share.lent),
                      .held = settings.held_usually});
  }
}

std::size_t Gate::kept(const Lane& lane) const {
  return static_cast<std::size_t>(std::lround(static_cast<double>(seats_) * lane.kept));
}

bool Gate::has_seat(RequestClass request_class) const {
  if (taken_ >= seats_) return false;
  if (request_class == RequestClass::emergency) return true;
  if (request_class == RequestClass::background && background_closed_) return false;
  // What the others have of their own and do not use stays free.
  std::size_t reserved = 0;
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    const Lane& lane = lanes_[i];
    const auto own = kept(lane);
    if (i != index(request_class) && own > lane.taken) reserved += own - lane.taken;
  }
  return taken_ + reserved < seats_;
}

void Gate::take_seat(Lane& lane, Nanoseconds now) {
  if (lane.taken == 0) lane.left = now;
  ++lane.taken;
  ++taken_;
  taken_now_.store(taken_, std::memory_order_relaxed);
}

std::size_t Gate::limit(RequestClass request_class) const {
  const Lane& lane = lanes_[index(request_class)];
  const auto longest = settings_.wait_max[index(request_class)];
  // A burst that will pass is taken in whole; a queue that stands is kept short.
  const auto wait = lane.codel.overloaded() ? longest : std::max(longest, settings_.burst);
  // Little: seats / held leave a second; as many as leave within `wait` may wait.
  const auto fits = static_cast<std::size_t>(static_cast<double>(seats_) * static_cast<double>(wait.count()) /
                                             static_cast<double>(std::max<std::int64_t>(1, lane.held.count())));
  return std::clamp<std::size_t>(fits, settings_.places_min[index(request_class)], queue_max);
}

std::optional<Verdict> Gate::enter(const Entry& entry) {
  const std::lock_guard lock(mutex_);
  Lane& lane = lanes_[index(entry.request_class)];
  if (lane.queue.size() == 0 && has_seat(entry.request_class)) {
    lane.codel.drops(entry.now, Nanoseconds(0));
    take_seat(lane, entry.now);
    return Verdict{};
  }
  if (entry.request_class == RequestClass::background && background_closed_) return Verdict{Refusal::level};
  wanted_ = true;
  // Full, and this one asks no less than others: refused without another look.
  if (lane.queue.size() < limit(entry.request_class)) return std::nullopt;
  const auto shard = shard_of(lane.queue, entry);
  const auto longest = lane.queue.longest();
  if (lane.queue.length(longest) >= lane.queue.length(shard) + 2) return std::nullopt;
  // The shortest queue of its hand is longer than those in use are on average: it asks more than others do.
  const bool greedy = entry.request_class != RequestClass::emergency &&
                      lane.queue.length(shard) * lane.queue.queues_in_use() > lane.queue.size();
  return Verdict{greedy ? Refusal::share : Refusal::limit};
}

Refusal Gate::make_room(RequestClass request_class, std::uint8_t shard, Nanoseconds now, Decisions& decisions) {
  Lane& lane = lanes_[index(request_class)];
  if (lane.queue.size() < limit(request_class)) return Refusal::none;
  const auto longest = lane.queue.longest();
  if (lane.queue.length(longest) < lane.queue.length(shard) + 2) return Refusal::limit;
  auto evicted = lane.queue.evict(longest, lane.codel.overloaded());
  if (!evicted) return Refusal::limit;
  const auto reason = request_class == RequestClass::emergency ? Refusal::limit : Refusal::share;
  decisions.emplace_back(std::move(evicted->decided), Verdict{reason, longest, now - evicted->since});
  return Refusal::none;
}

void Gate::wait(const Entry& entry, Decided decided) {
  Decisions decisions;
  {
    const std::lock_guard lock(mutex_);
    Lane& lane = lanes_[index(entry.request_class)];
    const auto shard = shard_of(lane.queue, entry);
    const auto refusal = make_room(entry.request_class, shard, entry.now, decisions);
    if (refusal == Refusal::none) {
      lane.queue.push(shard, {entry.flow, entry.now, entry.deadline, std::move(decided)});
      serve_waiting(entry.now, decisions);
    } else {
      decisions.emplace_back(std::move(decided), Verdict{refusal, shard});
    }
  }
  tell(decisions);
}

void Gate::leave(RequestClass request_class, std::uint8_t shard, Nanoseconds held, Nanoseconds now) {
  Decisions decisions;
  {
    const std::lock_guard lock(mutex_);
    Lane& lane = lanes_[index(request_class)];
    --lane.taken;
    --taken_;
    ++lane.served;
    lane.held += (held - lane.held) / average_over;
    lane.left = now;
    if (shard != Verdict::no_shard) lane.queue.charge(shard, held, lane.held);
    serve_waiting(now, decisions);
    taken_now_.store(taken_, std::memory_order_relaxed);
  }
  tell(decisions);
}

void Gate::serve_waiting(Nanoseconds now, Decisions& decisions) {
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    const auto request_class = static_cast<RequestClass>(i);
    Lane& lane = lanes_[i];
    while (lane.queue.size() > 0 && has_seat(request_class)) {
      const bool never_dropped = request_class == RequestClass::emergency;
      auto taken = lane.queue.pop(!never_dropped && lane.codel.overloaded());
      const auto waited = now - taken->waiter.since;
      const bool dropped = lane.codel.drops(now, waited) && !never_dropped;
      auto refusal = dropped ? Refusal::queue : Refusal::none;
      if (now >= taken->waiter.deadline) refusal = Refusal::deadline;
      if (refusal == Refusal::none) take_seat(lane, now);
      decisions.emplace_back(std::move(taken->waiter.decided), Verdict{refusal, taken->shard, waited});
    }
  }
}

void Gate::tick(Nanoseconds now) {
  Decisions decisions;
  {
    const std::lock_guard lock(mutex_);
    adapt_seats(now);
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      Lane& lane = lanes_[i];
      // A class of which nobody comes out tells nothing by its average.
      if (lane.taken > 0) lane.held = std::max(lane.held, now - lane.left);
      if (lane.queue.size() == 0) {
        // Nobody waits: that is a wait of nothing, or an overload that is over would never be seen to be.
        if (lane.taken < seats_) lane.codel.drops(now, Nanoseconds(0));
        continue;
      }
      // Nor does one whose queue nobody leaves: its first would be told its wait, had it its turn.
      lane.codel.drops(now, now - lane.queue.oldest());
      auto age = settings_.age_max[i];
      // While it is overloaded the newest go first: those behind them will not be asked for in time.
      if (i != index(RequestClass::emergency) && lane.codel.overloaded()) age = std::min(age, 4 * settings_.target);
      for (auto& waiter : lane.queue.expire(now - age, now)) {
        const auto refusal = now >= waiter.deadline ? Refusal::deadline : Refusal::queue;
        decisions.emplace_back(std::move(waiter.decided), Verdict{refusal, Verdict::no_shard, now - waiter.since});
      }
    }
  }
  tell(decisions);
}

void Gate::adapt_seats(Nanoseconds now) {
  if (settings_.held_max.count() == 0 || now < next_look_) return;
  next_look_ = now + look_every;
  const bool wanted = std::exchange(wanted_, false);
  // Background work may hold a seat for as long as it takes.
  Nanoseconds held{0};
  for (const auto request_class : {RequestClass::urgent, RequestClass::routine})
    if (const Lane& lane = lanes_[index(request_class)]; lane.taken > 0) held = std::max(held, lane.held);
  if (held > settings_.held_max) {
    seats_ = std::max(std::min(settings_.seats_min, settings_.seats), seats_ - std::max<std::size_t>(1, seats_ / 10));
  } else if (wanted || taken_ == 0) {
    seats_ = std::min(settings_.seats, seats_ + seats_ / 20 + 1);
  }
}

void Gate::close_background(bool closed) {
  Decisions decisions;
  {
    const std::lock_guard lock(mutex_);
    background_closed_ = closed;
    if (closed) {
      for (auto& waiter : lanes_[index(RequestClass::background)].queue.expire(Nanoseconds::max(), Nanoseconds(0)))
        decisions.emplace_back(std::move(waiter.decided), Verdict{Refusal::level});
    }
  }
  tell(decisions);
}

Gate::Figures Gate::figures() const {
  const std::lock_guard lock(mutex_);
  Figures figures;
  figures.seats = seats_;
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    figures.taken[i] = lanes_[i].taken;
    figures.waiting[i] = lanes_[i].queue.size();
    figures.limit[i] = limit(static_cast<RequestClass>(i));
    figures.overloaded[i] = lanes_[i].codel.overloaded();
    figures.served[i] = lanes_[i].served;
  }
  return figures;
}

void Gate::tell(Decisions& decisions) {
  for (auto& [decided, verdict] : decisions) decided(verdict);
}

}  // namespace mydr24::admission
