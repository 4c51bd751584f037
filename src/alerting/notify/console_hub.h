#pragma once

// The console's live feed inside the process: a bounded ring of entries with growing sequence numbers. The
// server-sent-events endpoint replays from a number.
//
// Invariants
// - Sequence numbers only grow, also over a restart: the first is the wall clock's microseconds at the start.
// - A reader that fell behind the ring is told so (Page::missed): it must read the alerts again instead of trusting the
//   feed.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/notify/channel.h"
#include "base/core/clock.h"

namespace mydr24::notify {

class ConsoleHub {
 public:
  struct Limits {
    std::size_t entries_max = 4096;
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

 private:
  const Limits limits_;
  mutable std::mutex mutex_;
  std::deque<Entry> entries_;
  std::set<std::string, std::less<>> keys_;
  std::int64_t last_;
  std::int64_t first_known_;  // entries above this number are in the ring
};

// A call, as consoles are shown it; once for each attempt, whoever says so first: the channel below, or the journal when
// another server made it.
void publish_call(ConsoleHub& hub, const Message& message);

// The channel of contacts who sit at the console. "Delivered" means: it is in the feed, where every open
// console shows it and one opened later replays it; the escalation goes on until a person acknowledges.
// Inside the building the patient reference and the reason go along. `hub` must outlive the channel.
std::unique_ptr<Channel> make_console_channel(ConsoleHub& hub);

}  // namespace mydr24::notify
