#include "base/async/threads.h"

#include <fmt/format.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <thread>

namespace mydr24 {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::nanoseconds window = 250ms;
constexpr std::chrono::nanoseconds used_max = 200ms;

struct Weight {
  int nice = 0;
  int fifo = 0;                      // above 0: SCHED_FIFO of this priority
  std::chrono::nanoseconds slice{};  // 0: the kernel's
};

struct KindOfThread {
  std::string_view name;
  bool numbered;
  std::array<Weight, 3> weights;  // by Privilege
};

// A short slice lets a woken thread go first on kernels that schedule by deadlines (EEVDF, 6.12 and later); older ones
// ignore it.
constexpr std::chrono::nanoseconds brief = 500us;

constexpr std::array<KindOfThread, thread_kind_count> kinds{{
    {"em-io", true, {{{0, 0, brief}, {-15, 0, brief}, {-15, 20, {}}}}},
    {"em-work", true, {{{0, 0, brief}, {-12, 0, brief}, {-12, 0, brief}}}},
    {"guard", false, {{{0, 0, brief}, {-15, 0, brief}, {-15, 21, {}}}}},
    {"writer", false, {{{0, 0, brief}, {-12, 0, brief}, {-12, 0, brief}}}},
    {"io", true, {{{4, 0, {}}, {0, 0, {}}, {0, 0, {}}}}},
    {"work", true, {{{19, 0, {}}, {15, 0, {}}, {15, 0, {}}}}},
    {"background", true, {{{19, 0, {}}, {19, 0, {}}, {19, 0, {}}}}},
}};

// As sched_setattr(2) has it: the C library of Debian 12 has no declaration.
struct SchedulingAttributes {
  std::uint32_t size = sizeof(SchedulingAttributes);
  std::uint32_t policy = SCHED_OTHER;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime_ns = 0;
  std::uint64_t deadline_ns = 0;
  std::uint64_t period_ns = 0;
};

// `thread` 0: the calling one.
bool apply(pid_t thread, const Weight& weight) {
  SchedulingAttributes attributes;
  attributes.nice = weight.nice;
  attributes.runtime_ns = static_cast<std::uint64_t>(weight.slice.count());
  if (weight.fifo > 0) {
    attributes.policy = SCHED_FIFO;
    attributes.priority = static_cast<std::uint32_t>(weight.fifo);
    attributes.nice = 0;
  }
  return ::syscall(SYS_sched_setattr, thread, &attributes, 0U) == 0;
}

std::chrono::nanoseconds cpu_time(clockid_t clock) {
  timespec time{};
  if (::clock_gettime(clock, &time) != 0) return std::chrono::nanoseconds(-1);  // the thread has ended
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

int started_nice() {
  static const int nice = ::getpriority(PRIO_PROCESS, static_cast<id_t>(::getpid()));
  return nice;
}

const KindOfThread& of(ThreadKind kind) { return kinds[static_cast<std::size_t>(kind)]; }

}  // namespace

std::string thread_name(ThreadKind kind, std::size_t number) {
  return of(kind).numbered ? fmt::format("{}-{}", of(kind).name, number) : std::string(of(kind).name);
}

std::string_view to_string(Privilege privilege) {
  constexpr std::array<std::string_view, 3> names{"none", "nice", "realtime"};
  return names[static_cast<std::size_t>(privilege)];
}

Privilege detect_privilege() {
  auto found = Privilege::none;
  std::thread([&found] {
    if (!apply(0, of(ThreadKind::emergency_io).weights[static_cast<std::size_t>(Privilege::nice)])) return;
    found = Privilege::nice;
    if (apply(0, of(ThreadKind::guard).weights[static_cast<std::size_t>(Privilege::realtime)]))
      found = Privilege::realtime;
  }).join();
  return found;
}

void ThreadWeights::begin(ThreadKind kind, std::size_t number) {
  ::pthread_setname_np(::pthread_self(), thread_name(kind, number).c_str());
  if (!weighted_) return;
  auto weight = of(kind).weights[static_cast<std::size_t>(privilege_)];
  // Without privilege threads can only be lowered, from where the process was started.
  if (privilege_ == Privilege::none) weight.nice = std::min(19, weight.nice + started_nice());
  if (!apply(0, weight) || weight.fifo == 0) return;
  RealTime thread;
  thread.thread = static_cast<pid_t>(::syscall(SYS_gettid));
  if (::pthread_getcpuclockid(::pthread_self(), &thread.cpu_clock) != 0) return;
  thread.used = cpu_time(thread.cpu_clock);
  const std::lock_guard lock(mutex_);
  real_time_.push_back(thread);
}

std::size_t ThreadWeights::watch(std::chrono::nanoseconds steady_now) {
  const std::lock_guard lock(mutex_);
  std::size_t now_demoted = 0;
  std::erase_if(real_time_, [&](RealTime& thread) {
    if (steady_now - thread.since < window) return false;
    const auto used = cpu_time(thread.cpu_clock);
    if (used < 0ns) return true;
    // A first look, or one that comes late, judges nothing: it begins a window.
    const bool whole_window = thread.since > 0ns && steady_now - thread.since < 2 * window;
    const bool too_much =
        whole_window && (used - thread.used) * window.count() > used_max * (steady_now - thread.since).count();
    thread.used = used;
    thread.since = steady_now;
    if (!too_much) return false;
    apply(thread.thread, of(ThreadKind::emergency_io).weights[static_cast<std::size_t>(Privilege::nice)]);
    ++now_demoted;
    return true;
  });
  demoted_.fetch_add(now_demoted, std::memory_order_relaxed);
  return now_demoted;
}

std::size_t usable_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return std::max(1U, std::thread::hardware_concurrency());
  return static_cast<std::size_t>(std::max(1, CPU_COUNT(&set)));
}

}  // namespace mydr24
