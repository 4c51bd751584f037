#pragma once

// Ctrl-C and SIGTERM as something a command can wait for. The first asks it to end well; the second ends the
// process at once.
//
// Invariant: made before any other thread of the process, because every thread must have the two signals blocked.

#include <signal.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace mydr24::cli {

class Interrupts {
 public:
  Interrupts();
  ~Interrupts();  // gives the signals back as they were
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  bool asked() const { return asked_.load(std::memory_order_relaxed); }
  void wait();
  // True when asked to end before the time was over.
  bool wait_for(std::chrono::milliseconds time);

 private:
  void listen();

  sigset_t signals_{};
  sigset_t before_{};
  int signal_fd_ = -1;
  int stop_fd_ = -1;
  std::atomic<bool> asked_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::thread listener_;
};

}  // namespace mydr24::cli
