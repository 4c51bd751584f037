#pragma once

// Looks at the database a few times a second: which process runs timers and followers (the one that holds an advisory
// lock for as long as its connection lives), what other processes have written, and whether the server answers at all.
// Private to storage/postgres.
//
// Invariant: term() is nothing unless the lock was held at the last look.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/core/clock.h"
#include "storage/postgres/connection.h"
#include "storage/store/store.h"

namespace mydr24::postgres {

class Watch {
 public:
  // Called on the watch's thread, with no lock held.
  struct Hooks {
    std::function<void()> news;       // there are new events, a new term, or no term any more
    std::function<void()> reachable;  // the server answers
  };

  Watch(std::string url, bool may_lead, Hooks hooks)
      : url_(std::move(url)), may_lead_(may_lead), hooks_(std::move(hooks)) {}
  ~Watch() { stop(); }

  // Looks once, then goes on by itself.
  void start();
  // Lets go of the lock, so that another process need not wait for the connection to end.
  void stop();

  // A number that grows each time this process takes over; nothing while another process has the lock.
  std::optional<std::uint64_t> term() const;
  store::Sequence last_event() const { return last_event_; }
  Instant earliest_due() const { return from_us(earliest_due_us_); }
  std::int64_t bytes_on_disk() const { return bytes_on_disk_; }

 private:
  void run();
  void look();
  Result<> ask();

  const std::string url_;
  const bool may_lead_;
  const Hooks hooks_;
  std::unique_ptr<Connection> connection_;
  std::uint64_t terms_ = 0;
  std::chrono::nanoseconds size_asked_at_{-1};

  std::atomic<std::uint64_t> term_{0};  // 0: none
  std::atomic<store::Sequence> last_event_{0};
  std::atomic<std::int64_t> earliest_due_us_{INT64_MAX};
  std::atomic<std::int64_t> bytes_on_disk_{0};

  std::mutex mutex_;
  std::condition_variable woken_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace mydr24::postgres
