#pragma once

// A place where requests take seats. A seat is the right to be worked on; who finds none waits in its class's queue, as
// long as the queue is short enough for it to be answered in time, and is refused at once when it is not.
//
//   seats     classes have shares of them and lend what they do not use; an emergency may take any
//   limit     of a queue: what leaves it within `wait_max`, by Little's law from the time a seat was held
//   overload  (CoDel): the newest go first, those who waited twice the target are refused: what is served is fresh
//   fairness  inside a class (FairQueue): who floods is refused before who does not
//
// Invariant: every Entry that was admitted is left once; every `decided` is called once, with no lock held.
// Thread-safe. Time is the caller's.

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>

#include "base/core/request_class.h"
#include "guard/admission/codel.h"
#include "guard/admission/fair_queue.h"
#include "guard/admission/verdict.h"

namespace mydr24::admission {

using Nanoseconds = std::chrono::nanoseconds;

struct GateSettings {
  std::size_t seats = 4;
  // When seats are held for longer than this, there are more of them than the machine serves at once: every 100 ms there
  // is a tenth less, down to the fewest, and a twentieth more when one is wanted and they are held for less. 0: always all.
  Nanoseconds held_max{0};
  std::size_t seats_min = 4;
  struct Share {
    double nominal = 0;  // of the seats
    double lent = 0;     // of the nominal ones, while the class does not use them
  };
  std::array<Share, request_class_count> shares{{{0, 0}, {0.4, 0.5}, {0.5, 0.5}, {0.1, 1.0}}};
  // How long a queue may be, in time.
  std::array<Nanoseconds, request_class_count> wait_max{std::chrono::milliseconds(50), std::chrono::milliseconds(20),
                                                        std::chrono::milliseconds(20), std::chrono::milliseconds(20)};
  std::array<std::size_t, request_class_count> places_min{2, 2, 2, 2};  // as many may wait whatever that comes to
  Nanoseconds burst{0};  // the same while it is not overloaded, when that is longer
  // Whoever has waited longer is refused, overload or not.
  std::array<Nanoseconds, request_class_count> age_max{std::chrono::seconds(2), std::chrono::seconds(1),
                                                       std::chrono::seconds(1), std::chrono::seconds(1)};
  Nanoseconds target{std::chrono::milliseconds(5)};
  Nanoseconds interval{std::chrono::milliseconds(100)};
  Nanoseconds held_usually{std::chrono::milliseconds(1)};  // until it has been measured
};

struct Entry {
  RequestClass request_class = RequestClass::routine;
  std::uint64_t flow = 0;
  Nanoseconds now{0};                         // steady
  Nanoseconds deadline = Nanoseconds::max();  // steady
  const Hand* hand = nullptr;                 // of its tenant; null: every queue
};

class Gate {
 public:
  explicit Gate(const GateSettings& settings);

  // A seat or a refusal at once; nothing: it would have to wait.
  std::optional<Verdict> enter(const Entry& entry);
  // The same for one who may wait: decides now or later.
  void wait(const Entry& entry, Decided decided);
  // `held`: how long the seat was taken.
  void leave(RequestClass request_class, std::uint8_t shard, Nanoseconds held, Nanoseconds now);
  // Refuses those who have waited too long. Call it every few milliseconds.
  void tick(Nanoseconds now);
  // Fewer or no seats for background work, as the brown-out ladder says.
  void close_background(bool closed);

  struct Figures {
    std::array<std::size_t, request_class_count> taken{};
    std::array<std::size_t, request_class_count> waiting{};
    std::array<std::size_t, request_class_count> limit{};
    std::array<bool, request_class_count> overloaded{};
    std::array<std::uint64_t, request_class_count> served{};  // seats given up, since the start
    std::size_t seats = 0;                                    // that there are now
  };
  Figures figures() const;
  // Seats taken, as of a moment ago; no lock.
  std::size_t taken() const { return taken_now_.load(std::memory_order_relaxed); }

 private:
  struct Lane {
    FairQueue queue;
    CoDel codel;
    std::size_t taken = 0;
    double kept = 0;      // share of the seats that nobody else may take
    Nanoseconds held{0};  // moving average
    Nanoseconds left{0};  // when the last seat was given up, or the first taken
    std::uint64_t served = 0;
  };
  using Decisions = std::vector<std::pair<Decided, Verdict>>;

  bool has_seat(RequestClass request_class) const;
  void take_seat(Lane& lane, Nanoseconds now);
  std::size_t kept(const Lane& lane) const;
  // Fewer seats when they are held for too long, more when they are too few.
  void adapt_seats(Nanoseconds now);
  std::size_t limit(RequestClass request_class) const;
  // Makes room in a full queue for one who asks less than others do; else says why not.
  Refusal make_room(RequestClass request_class, std::uint8_t shard, Nanoseconds now, Decisions& decisions);
  void serve_waiting(Nanoseconds now, Decisions& decisions);
  static void tell(Decisions& decisions);

  const GateSettings settings_;
  mutable std::mutex mutex_;
  std::vector<Lane> lanes_;
  std::size_t taken_ = 0;
  std::size_t seats_ = 0;  // that may be taken now
  bool wanted_ = false;    // somebody found no seat since the last look
  Nanoseconds next_look_{0};
  bool background_closed_ = false;
  std::atomic<std::size_t> taken_now_{0};
};

}  // namespace mydr24::admission
