// What is judged, and the means by which a server is broken. The whole game is tests/gameday.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sqlite3.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "app/gameday/game.h"
#include "app/gameday/means.h"
#include "app/load/process.h"
#include "base/json/document.h"

namespace mydr24::gameday {
namespace {

using namespace std::chrono_literals;

Outcome good() {
  return {.name = "disk full",
          .finding = "monitor/DiskFull",
          .detected_s = 3.2,
          .severity = "critical",
          .people = {"cora", "carl"},
          .calls = {{"cora", "sms", 3.4}, {"cora", "pager", 3.5}, {"carl", "pager", 4.1}},
          .incidents = {{"i-1", "critical", "The disk is full", 6.5}},
          .repaired_s = 6,
          .resolved_s = 17};
}

TEST(GameDayReport, ABreakHoldsWhenItWasFoundInTimeAsOneIncidentAndTheRightPeopleWereCalled) {
  const Outcome outcome = good();
  EXPECT_TRUE(outcome.holds()) << outcome.problems().front();
  EXPECT_EQ(*outcome.all_called_s(), 4.1);
  const Report report{.outcomes = {outcome}, .seconds = 20};
  EXPECT_TRUE(report.holds());
  const auto document = json::Document::parse(to_json(report));
  ASSERT_TRUE(document);
  EXPECT_TRUE(document->root()["holds"].is_true());
  EXPECT_EQ(document->root()["breaks"].at(0)["detected_s"].text(), "3.2");
  EXPECT_EQ(document->root()["breaks"].at(0)["incidents"].at(0)["id"].text(), "i-1");
  EXPECT_TRUE(to_table(report).contains("carl by pager 4.1 s")) << to_table(report);
}

struct Wrong {
  const char* what;
  void (*change)(Outcome&);
};

TEST(GameDayReport, WhateverDoesNotHoldIsNamed) {
  const Wrong wrong[] = {
      {"it was not detected", [](Outcome& outcome) { outcome.detected_s.reset(); }},
      {"detected after 5.1 s; the bar is 5 s", [](Outcome& outcome) { outcome.detected_s = 5.1; }},
      {"0 incidents were opened", [](Outcome& outcome) { outcome.incidents.clear(); }},
      {"2 incidents were opened", [](Outcome& outcome) { outcome.incidents.push_back({"i-2", "critical", "", 7}); }},
      {"incident i-1 is high; it must be critical", [](Outcome& outcome) { outcome.incidents[0].severity = "high"; }},
      {"carl was not called", [](Outcome& outcome) { outcome.calls.pop_back(); }},
      {"hugo was called (The page is slow)",
       [](Outcome& outcome) { outcome.calls.push_back({"hugo", "pager", 5, "The page is slow"}); }},
      {"the last one was called after 11.0 s", [](Outcome& outcome) { outcome.calls[2].after_s = 11; }},
      {"it was not rolled back", [](Outcome& outcome) { outcome.has_rollback = true; }},
      {"rolled back after 61.0 s",
       [](Outcome& outcome) {
         outcome.has_rollback = true;
         outcome.rolled_back_s = 61;
       }},
      {"could not be resolved", [](Outcome& outcome) { outcome.resolved_s.reset(); }},
      {"the timeline", [](Outcome& outcome) { outcome.other.emplace_back("the timeline is not whole"); }},
  };
  for (const Wrong& each : wrong) {
    Outcome outcome = good();
    each.change(outcome);
    EXPECT_FALSE(outcome.holds()) << each.what;
    const Report report{.outcomes = {good(), outcome}};
    EXPECT_FALSE(report.holds()) << each.what;
    EXPECT_TRUE(to_table(report).contains(each.what)) << each.what << "\n" << to_table(report);
    EXPECT_EQ(verdict(outcome), "FAILED");
    outcome.late_s = 0.6;
    EXPECT_EQ(verdict(outcome), "void") << "the machine was too loaded to tell";
    EXPECT_FALSE(outcome.holds());
  }
}

TEST(GameDayReport, WhatCouldNotBeDoneDoesNotHold) {
  Outcome outcome{.name = "disk full", .impossible = "no mount namespace"};
  EXPECT_FALSE(outcome.holds());
  EXPECT_EQ(verdict(outcome), "not done");
  EXPECT_FALSE(Report{}.holds()) << "nothing was broken";
}

TEST(GameDay, ABreakThatThereIsNotIsRefusedBeforeAnythingIsStarted) {
  const auto played = play({.binary = "/nowhere", .only = {"fire"}, .said = {}}, system_clock());
  ASSERT_FALSE(played);
  EXPECT_EQ(played.error().code, Code::invalid);
}

TEST(GameDayMeans, WhoeverHoldsTheLockLetsNobodyWrite) {
  const load::TempFolder folder;
  const auto file = folder.path() / "store.db";
  sqlite3* handle = nullptr;
  ASSERT_EQ(sqlite3_open(file.c_str(), &handle), SQLITE_OK);
  const auto run = [&](const char* sql) { return sqlite3_exec(handle, sql, nullptr, nullptr, nullptr); };
  ASSERT_EQ(run("PRAGMA journal_mode = WAL; CREATE TABLE t (x)"), SQLITE_OK);
  {
    auto lock = StoreLock::take(file);
    ASSERT_TRUE(lock) << lock.error().text;
    EXPECT_EQ(run("INSERT INTO t VALUES (1)"), SQLITE_BUSY);
    EXPECT_EQ(run("SELECT * FROM t"), SQLITE_OK) << "reading goes on";
  }
  EXPECT_EQ(run("INSERT INTO t VALUES (1)"), SQLITE_OK);
  sqlite3_close(handle);
}

TEST(GameDayMeans, AStoppedThreadStandsAndTheOthersGoOn) {
  auto* const shared =
      static_cast<std::atomic<int>*>(::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  std::atomic<int>* const ticks = shared;
  std::atomic<int>* const others = shared + 1;
  const pid_t child = ::fork();
  if (child == 0) {
    std::thread ticking([&] {
      pthread_setname_np(pthread_self(), "ticking");
      for (;; ++*ticks) std::this_thread::sleep_for(1ms);
    });
    for (;; ++*others) std::this_thread::sleep_for(1ms);
  }
  const auto moves = [](const std::atomic<int>& count, std::chrono::milliseconds most) {
    const int before = count;
    for (auto i = 0ms; i < most && count == before; i += 1ms) std::this_thread::sleep_for(1ms);
    return count != before;
  };
  ASSERT_TRUE(moves(*ticks, 10s));
  EXPECT_EQ(StoppedThread::stop(child, "nobody").error().code, Code::not_found);
  {
    auto stopped = StoppedThread::stop(child, "ticking");
    if (stopped) {
      EXPECT_FALSE(moves(*ticks, 200ms));
      EXPECT_TRUE(moves(*others, 10s));
    } else {
      EXPECT_EQ(stopped.error().code, Code::refused) << "this machine does not let it";
    }
  }
  EXPECT_TRUE(moves(*ticks, 10s)) << "let go";
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::munmap(shared, 4096);
}

// In a process of its own: namespaces of this one must stay as they are.
TEST(GameDayMeans, ASmallDiskIsFullAndHasRoomAgain) {
  const load::TempFolder folder;
  const pid_t child = ::fork();
  if (child == 0) {
    const auto writes = [&] {
      const int out = ::open((folder.path() / "more").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
      const std::string page(4096, 'x');
      const bool done = out >= 0 && ::write(out, page.data(), page.size()) == static_cast<ssize_t>(page.size());
      if (out >= 0) ::close(out);
      return done;
    };
    if (!mount_small_disks({folder.path()}, 2)) ::_exit(2);
    if (!writes()) ::_exit(3);
    std::filesystem::remove(folder.path() / "more");
    auto ballast = Ballast::fill(folder.path() / "ballast");
    if (!ballast) ::_exit(4);
    if (writes()) ::_exit(5);
    ballast->remove();
    ::_exit(writes() ? 0 : 6);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 2) GTEST_SKIP() << "this machine gives no mount namespace";
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path())) << "nobody else saw it";
}

}  // namespace
}  // namespace mydr24::gameday
