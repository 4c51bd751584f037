#include "base/async/threads.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <thread>

namespace mydr24 {
namespace {

struct Seen {
  std::string name;
  int nice = 0;
  int policy = 0;
};

Seen seen_after(ThreadWeights& weights, ThreadKind kind, std::size_t number) {
  Seen seen;
  std::thread([&] {
    weights.begin(kind, number);
    std::array<char, 16> name{};
    ::pthread_getname_np(::pthread_self(), name.data(), name.size());
    seen = {name.data(), ::getpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid))),
            ::sched_getscheduler(0) & ~SCHED_RESET_ON_FORK};
  }).join();
  return seen;
}

TEST(ThreadWeights, WithoutPrivilegeRoutineThreadsAreLoweredAndRefusingOutranksWorking) {
  if (::getpriority(PRIO_PROCESS, 0) > 10) GTEST_SKIP() << "started so low that there is no room below";
  ThreadWeights weights(true, Privilege::none);
  const auto emergency = seen_after(weights, ThreadKind::emergency_io, 0);
  const auto io = seen_after(weights, ThreadKind::io, 3);
  const auto work = seen_after(weights, ThreadKind::work, 1);
  EXPECT_EQ(emergency.name, "em-io-0");
  EXPECT_EQ(io.name, "io-3");
  EXPECT_EQ(work.name, "work-1");
  EXPECT_EQ(seen_after(weights, ThreadKind::writer, 0).name, "writer");
  EXPECT_EQ(emergency.nice, ::getpriority(PRIO_PROCESS, 0)) << "as the process was started";
  EXPECT_LT(emergency.nice, io.nice);
  EXPECT_LT(io.nice, work.nice);
  EXPECT_EQ(emergency.policy, SCHED_OTHER);
}

TEST(ThreadWeights, SwitchedOffTheyNameAndDoNotWeigh) {
  ThreadWeights weights(false, Privilege::realtime);
  const auto work = seen_after(weights, ThreadKind::work, 0);
  EXPECT_EQ(work.name, "work-0");
  EXPECT_EQ(work.nice, ::getpriority(PRIO_PROCESS, 0));
  EXPECT_EQ(seen_after(weights, ThreadKind::emergency_io, 0).policy, SCHED_OTHER);
}

TEST(ThreadWeights, WithPrivilegeTheEmergencyListenerIsRealTime) {
  const auto privilege = detect_privilege();
  if (privilege != Privilege::realtime) GTEST_SKIP() << "this process may not raise threads: " << to_string(privilege);
  ThreadWeights weights(true, privilege);
  EXPECT_EQ(seen_after(weights, ThreadKind::emergency_io, 0).policy, SCHED_FIFO);
  EXPECT_EQ(seen_after(weights, ThreadKind::emergency_work, 0).policy, SCHED_OTHER);  // unbounded work never is
}

TEST(ThreadWeights, ARealTimeThreadThatNeverRestsIsDemoted) {
  const auto privilege = detect_privilege();
  if (privilege != Privilege::realtime) GTEST_SKIP() << "this process may not raise threads: " << to_string(privilege);
  ThreadWeights weights(true, privilege);
  std::atomic<bool> stop{false};
  std::atomic<int> policy{-1};
  std::thread hog([&] {
    weights.begin(ThreadKind::emergency_io, 0);
    policy = ::sched_getscheduler(0);
    while (!stop.load()) policy = ::sched_getscheduler(0);
  });
  std::thread watcher([&] {
    weights.begin(ThreadKind::guard, 0);
    for (int i = 0; i < 40 && weights.demoted() == 0; ++i) {
      weights.watch(std::chrono::steady_clock::now().time_since_epoch());
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  });
  watcher.join();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(weights.demoted(), 1U);
  EXPECT_EQ(policy.load(), SCHED_OTHER);
  stop = true;
  hog.join();
}

}  // namespace
}  // namespace mydr24
