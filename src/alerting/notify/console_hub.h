#pragma once

// The console's live feed inside the process: a bounded ring of entries with growing sequence numbers. The
// server-sent-events endpoint replays from a number and is woken when there is more.
//
// Invariants
// - Sequence numbers only grow, also over a restart: the first is the wall clock's microseconds at the start.
// - A reader that fell behind the ring is told so (Page::missed): it must read the alerts again instead of trusting the
//   feed.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/notify/channel.h"
#include "base/core/clock.h"
#include "base/core/result.h"

namespace mydr24::notify {

class ConsoleHub {
 public:
  struct Limits {
    std::size_t entries_max = 4096;
    std::size_t subscribers_max = 1000;
  };

  struct Entry {
    std::int64_t sequence = 0;
    std::string kind;     // "alert.call" (a delivery), "alert.raised", "alert.acknowledged", ...
    std::string payload;  // JSON
    std::string key;      // see publish(); empty: none
  };

  struct Page {
    std::vector<Entry> entries;  // oldest first
    bool missed = false;         // entries after the asked number are no longer, or not yet, known
  };

  explicit ConsoleHub(const Clock& clock) : ConsoleHub(clock, Limits{}) {}
  ConsoleHub(const Clock& clock, Limits limits);

  // All thread-safe. What has a key is published once: again while it is in the ring, it is left out.
  std::int64_t publish(std::string_view kind, std::string payload, std::string key = {});
  // At most `count` entries above `sequence`.
  Page after(std::int64_t sequence, std::size_t count) const;
  // The newest sequence number: where a reader that wants only what is new begins.
  std::int64_t last() const;

  // `wake` is called on the publisher's thread after each publish: it must be quick, not throw, and neither
  // subscribe nor unsubscribe. It is not called any more once the Subscription is gone. Code::busy: too many.
  class Subscription;
  Result<Subscription> subscribe(std::function<void()> wake);
  std::size_t subscribers() const;

 private:
  struct Wakers {
    mutable std::mutex mutex;
    std::map<std::uint64_t, std::function<void()>> by_number;
    std::uint64_t next = 1;
  };

  const Limits limits_;
  mutable std::mutex mutex_;
  std::deque<Entry> entries_;
  std::set<std::string, std::less<>> keys_;
  std::int64_t last_;
  std::int64_t first_known_;  // entries above this number are in the ring
  std::shared_ptr<Wakers> wakers_ = std::make_shared<Wakers>();
};

// Ends the subscription when destroyed. Movable; may outlive the hub.
class ConsoleHub::Subscription {
 public:
  Subscription() = default;
  Subscription(Subscription&& other) noexcept { *this = std::move(other); }
  Subscription& operator=(Subscription&& other) noexcept;
  ~Subscription() { end(); }

 private:
  friend class ConsoleHub;
  Subscription(std::weak_ptr<Wakers> wakers, std::uint64_t number) : wakers_(std::move(wakers)), number_(number) {}
  void end();
  std::weak_ptr<Wakers> wakers_;
  std::uint64_t number_ = 0;
};

// A call, as consoles are shown it; once for each attempt, whoever says so first: the channel below, or the journal when
// another server made it.
void publish_call(ConsoleHub& hub, const Message& message);

// The channel of contacts who sit at the console. "Delivered" means: it is in the feed, where every open
// console shows it and one opened later replays it; the escalation goes on until a person acknowledges.
// Inside the building the patient reference and the reason go along. `hub` must outlive the channel.
std::unique_ptr<Channel> make_console_channel(ConsoleHub& hub);

}  // namespace mydr24::notify
