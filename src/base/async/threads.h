#pragma once

// What a thread is for: its name (as `top -H` and /proc show it) and its share of the processor.
//
// A listener of its own does not isolate emergencies as long as every thread weighs the same: what isolates them is the
// operating system's weight. Lowering a thread needs no privilege, so the routine ones are lowered and the emergency
// ones left at 0; where the process may raise threads (CAP_SYS_NICE, or LimitNICE and LimitRTPRIO of systemd) they are
// raised as well. Refusing must outrank working, or refusals fall behind and everything that was admitted is stale:
// hence I/O above its workers.
//
// Source of the order: sched(7), setpriority(2); weights of nice values in the kernel's sched_prio_to_weight.

#include <pthread.h>
#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace mydr24 {

enum class ThreadKind : std::uint8_t { emergency_io, emergency_work, guard, writer, io, work, background };
inline constexpr std::size_t thread_kind_count = 7;

// "em-io-0", "writer": at most 15 bytes.
std::string thread_name(ThreadKind kind, std::size_t number);

enum class Privilege : std::uint8_t { none, nice, realtime };
std::string_view to_string(Privilege privilege);

// What this process may do, found by trying it on a thread that ends at once.
Privilege detect_privilege();

class ThreadWeights {
 public:
  // `weighted` false: threads get their names only, all weigh the same.
  ThreadWeights(bool weighted, Privilege privilege) : weighted_(weighted), privilege_(privilege) {}
  ThreadWeights(const ThreadWeights&) = delete;
  ThreadWeights& operator=(const ThreadWeights&) = delete;

  // Names and weighs the calling thread. Never fails: a weight that is not permitted is left out.
  void begin(ThreadKind kind, std::size_t number);

  Privilege privilege() const { return privilege_; }
  bool weighted() const { return weighted_; }

  // Call it often, from a thread of kind guard: a real-time thread that had the processor for more than four fifths of
  // a quarter second is made an ordinary one, because everything else would wait for it. Gives how many were, now.
  std::size_t watch(std::chrono::nanoseconds steady_now);
  std::size_t demoted() const { return demoted_.load(std::memory_order_relaxed); }

 private:
  struct RealTime {
    pid_t thread = 0;
    clockid_t cpu_clock = 0;
    std::chrono::nanoseconds used{0};  // of the processor, at the window's begin
    std::chrono::nanoseconds since{0};
  };

  const bool weighted_;
  const Privilege privilege_;
  std::mutex mutex_;  // guards `real_time_`
  std::vector<RealTime> real_time_;
  std::atomic<std::size_t> demoted_{0};
};

// The processors this process may run on (taskset and cgroups counted), at least 1.
std::size_t usable_processors();

}  // namespace mydr24
