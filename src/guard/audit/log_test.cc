#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>

#include "guard/audit/audit_fixture.h"
#include "guard/audit/detail/segment.h"
#include "guard/audit/writes.h"
#include "storage/store/fake_store.h"

namespace mydr24::audit {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::HasSubstr;

TEST_F(AuditTest, WhatWasAppendedIsFoundAtOnceNewestFirst) {
  open();
  append("p1");
  append("p2");
  const std::int64_t third = append("p1");
  const auto page = log_->search({.patient = "p1"}, 10);
  ASSERT_TRUE(page);
  ASSERT_EQ(page->entries.size(), 2U);
  EXPECT_EQ(page->entries[0].number, third);
  EXPECT_EQ(page->entries[0].entry.principal, "user/anna");
  EXPECT_EQ(page->entries[0].entry.id.size(), 36U);
  EXPECT_EQ(page->next, "");
}

TEST_F(AuditTest, AFolderHasOneWriter) {
  open();
  const auto second = Log::open(settings_, clock_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::busy);
}

TEST_F(AuditTest, SigningKeyIsItsOwnersAlone) {
  open();
  const fs::path key = settings_.folder / key_file_name;
  struct stat about{};
  ASSERT_EQ(stat(key.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600U);
  EXPECT_THAT(read(settings_.folder / public_key_file_name), HasSubstr("BEGIN PUBLIC KEY"));
  log_.reset();
  chmod(key.c_str(), 0640);
  const auto opened = Log::open(settings_, clock_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::refused);
}

TEST_F(AuditTest, NumbersAndChainGoOnAfterARestart) {
  open();
  const std::int64_t first = append();
  reopen();
  const std::int64_t second = append();
  EXPECT_EQ(second, first + 2);  // a checkpoint at the close stands between
  log_.reset();
  const Verification done = verified();
  EXPECT_EQ(told(done), "");
  EXPECT_EQ(done.entries, 2);
  EXPECT_EQ(done.last, done.last_checkpoint);
}

TEST_F(AuditTest, LagIsTheAgeOfTheOldestLineNotSynced) {
  open();
  ASSERT_TRUE(log_->sync());
  EXPECT_EQ(log_->lag(), 0ns);
  append();
  clock_.advance(3s);
  append();
  clock_.advance(1s);
  EXPECT_EQ(log_->lag(), 4s);
  ASSERT_TRUE(log_->sync());
  EXPECT_EQ(log_->lag(), 0ns);
}

TEST_F(AuditTest, ItsOwnThreadSyncsAndMakesCheckpoints) {
  settings_.sync_interval = 5ms;
  settings_.checkpoint_entries = 3;
  open();
  for (int i = 0; i < 3; ++i) append();
  for (int i = 0; i < 2000 && log_->statistics().last < 5; ++i) std::this_thread::sleep_for(5ms);
  EXPECT_GE(log_->statistics().last, 5);  // the first checkpoint, three entries, one checkpoint
  for (int i = 0; i < 2000 && log_->lag() > 0ns; ++i) std::this_thread::sleep_for(5ms);
  EXPECT_EQ(log_->lag(), 0ns);
}

TEST_F(AuditTest, AnEntryHasACheckpointAfterAMinute) {
  settings_.sync_interval = 5ms;
  open();
  append();
  clock_.advance(59s);
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(log_->statistics().last, 2);
  clock_.advance(1s);
  for (int i = 0; i < 2000 && log_->statistics().last < 3; ++i) std::this_thread::sleep_for(5ms);
  EXPECT_EQ(log_->statistics().last, 3);
  clock_.advance(1h);  // and none where nothing was appended
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(log_->statistics().last, 3);
}

TEST_F(AuditTest, SegmentsEndBySizeAndByAgeAndStayOneChain) {
  settings_.segment_bytes = 2000;
  settings_.sync_interval = 5ms;
  open();
  for (int i = 0; i < 20; ++i) append();
  EXPECT_GT(segments_in(settings_.folder)->size(), 3U);
  const std::size_t before = segments_in(settings_.folder)->size();
  clock_.advance(25h);
  for (int i = 0; i < 2000 && segments_in(settings_.folder)->size() == before; ++i) std::this_thread::sleep_for(5ms);
  EXPECT_EQ(segments_in(settings_.folder)->size(), before + 1);
  log_->settle();
  reopen();
  log_.reset();
  EXPECT_EQ(told(verified()), "");
  EXPECT_EQ(verified().entries, 20);
}

TEST_F(AuditTest, ConcurrentAppendersLoseAndMixNothing) {
  settings_.segment_bytes = 100'000;
  settings_.sync_interval = 2ms;
  open();
  constexpr int threads = 8, each = 400;
  std::mutex mutex;
  std::set<std::int64_t> numbers;
  std::vector<std::thread> running;
  for (int t = 0; t < threads; ++t) {
    running.emplace_back([&, t] {
      for (int i = 0; i < each; ++i) {
        const auto number = log_->append(entry("p" + std::to_string(t)));
        const std::lock_guard lock(mutex);
        if (number) numbers.insert(*number);
      }
    });
  }
  for (auto& one : running) one.join();
  EXPECT_EQ(numbers.size(), static_cast<std::size_t>(threads * each));
  for (int t = 0; t < threads; ++t)
    EXPECT_EQ(log_->search({.patient = "p" + std::to_string(t)}, 1000)->entries.size(), static_cast<std::size_t>(each));
  log_.reset();
  EXPECT_EQ(told(verified()), "");
  EXPECT_EQ(verified().entries, threads * each);
}

// The child says which of its appends returned; then it is killed in the middle of its work.
TEST_F(AuditTest, Kill9LosesNoEntryWhoseAppendReturned) {
  settings_.segment_bytes = 50'000;
  for (int round = 0; round < 5; ++round) {
    int pipe_ends[2];
    ASSERT_EQ(pipe(pipe_ends), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      settings_.sync_interval = 3ms;
      auto log = Log::open(settings_, clock_);
      if (!log) _exit(1);
      for (;;) {
        const auto number = (*log)->append(entry());
        if (!number || ::write(pipe_ends[1], &*number, sizeof *number) < 0) _exit(1);
      }
    }
    close(pipe_ends[1]);
    std::vector<std::int64_t> returned;
    std::int64_t number = 0;
    while (returned.size() < 300U + 137U * static_cast<unsigned>(round) &&
           ::read(pipe_ends[0], &number, sizeof number) == static_cast<ssize_t>(sizeof number))
      returned.push_back(number);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    while (::read(pipe_ends[0], &number, sizeof number) == static_cast<ssize_t>(sizeof number))
      returned.push_back(number);
    close(pipe_ends[0]);
    ASSERT_GE(returned.size(), 300U);

    open();
    std::set<std::int64_t> there;
    ASSERT_TRUE(
        for_each(Trail(settings_.folder), {}, [&](const Found& one) { return there.insert(one.number).second; }));
    for (const std::int64_t one : returned) EXPECT_TRUE(there.contains(one)) << one;
    log_.reset();
    EXPECT_EQ(told(verified()), "");
  }
}

TEST_F(AuditTest, ATornTailIsCutBackToTheLastWholeLineAndSaidSo) {
  open();
  append("whole");
  log_.reset();  // ends with a checkpoint
  const fs::path file = open_path(settings_.folder, 1);
  const std::string content = read(file);
  const std::size_t last = content.rfind('\n', content.size() - 2) + 1;
  for (std::size_t size = last + 1; size < content.size(); size += 7) {
    fs::remove(settings_.folder / checkpoints_file_name);
    write(file, content.substr(0, size));
    open();
    const auto page = log_->search({}, 10);
    ASSERT_EQ(page->entries.size(), 2U);
    EXPECT_EQ(page->entries[0].entry.interaction, "audit.repair");
    EXPECT_THAT(page->entries[0].entry.rule, HasSubstr(std::to_string(size - last) + " bytes"));
    log_.reset();
    EXPECT_EQ(told(verified()), "");
  }
  // Even when nothing of the only segment is whole.
  write(file, content.substr(0, 20));
  fs::remove(settings_.folder / checkpoints_file_name);
  open();
  EXPECT_EQ(log_->search({}, 10)->entries.size(), 1U);
  log_.reset();
  EXPECT_EQ(told(verified()), "");
}

TEST_F(AuditTest, AStartOnATrailThatWasCutOffTellsTheOperator) {
  std::vector<std::string> lines;
  settings_.log = [&](telemetry::Level level, std::string_view text) {
    if (level == telemetry::Level::error) lines.emplace_back(text);
  };
  open();
  append();
  append();
  log_.reset();
  EXPECT_TRUE(lines.empty());
  const std::string content = read(open_path(settings_.folder, 1));
  write(open_path(settings_.folder, 1), content.substr(0, content.find('\n') + 1));
  open();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_THAT(lines[0], HasSubstr("ends at line 1, but a checkpoint was made of line 4"));
}

// A file that may not grow is what a full disk looks like to the trail, and needs no file system of its own.
TEST_F(AuditTest, AFullDiskIsAnErrorOfTheAppendAndLeavesNothing) {
  open();
  append();
  signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit small = before;
  small.rlim_cur = fs::file_size(open_path(settings_.folder, 1)) + 5000;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  Result<std::int64_t> refused = 0;
  int taken = 0;
  for (; taken < 10'000 && refused; ++taken) refused = log_->append(entry());
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::full);
  EXPECT_EQ(log_->statistics().refused, 1);
  EXPECT_EQ(log_->search({}, 10'000)->entries.size(), static_cast<std::size_t>(taken));
  append("after");
  EXPECT_EQ(log_->search({}, 10'000)->entries.size(), static_cast<std::size_t>(taken) + 1);
  log_.reset();
  EXPECT_EQ(told(verified()), "");
}

TEST_F(AuditTest, WhatIsBeingAddedIsNotThereYet) {
  open();
  append();
  const fs::path path = open_path(settings_.folder, 1);
  const std::string room = read(path);
  log_.reset();
  const std::string content = read(path);
  ASSERT_GT(room.size(), content.size());
  std::string line = content.substr(content.find('\n') + 1);
  line.resize(line.find('\n') + 1);
  line.front() = '\0';
  // A process was killed while it added a line: with all of it but its first byte, or with its first half.
  for (const std::size_t bytes : {line.size(), line.size() / 2}) {
    write(path, content + line.substr(0, bytes) + std::string(5000, '\0'));
    EXPECT_EQ(told(verified()), "");
    std::vector<std::string> lines;
    settings_.log = [&](telemetry::Level, std::string_view text) { lines.emplace_back(text); };
    open();
    EXPECT_TRUE(lines.empty()) << lines[0];
    append("after");
    log_.reset();
    EXPECT_EQ(told(verified()), "");
    EXPECT_FALSE(read(path).contains('\0'));
    write(path, content);
    fs::remove(settings_.checkpoints_file.empty() ? settings_.folder / checkpoints_file_name
                                                  : settings_.checkpoints_file);
  }
}

TEST_F(AuditTest, WhenNoSegmentCanBeBegunTheOldOneGoesOn) {
  settings_.segment_bytes = 1000;
  open();
  append();
  // The next segment's name is taken by a folder.
  fs::create_directory(open_path(settings_.folder, 4));
  append();
  append();
  EXPECT_EQ(log_->statistics().refused, 0);
  fs::remove(open_path(settings_.folder, 4));
  append();
  log_.reset();
  EXPECT_EQ(told(verified()), "");
  EXPECT_EQ(verified().entries, 4);
}

TEST_F(AuditTest, MetricsCountEntriesBytesRefusalsAndLag) {
  telemetry::Metrics metrics;
  metrics_ = &metrics;
  open();
  append();
  append();
  clock_.advance(2s);
  const std::string text = metrics.expose();
  EXPECT_THAT(text, HasSubstr("mydr24_audit_entries_total 2"));
  EXPECT_THAT(text, HasSubstr("mydr24_audit_bytes_total " + std::to_string(log_->statistics().bytes)));
  EXPECT_THAT(text, HasSubstr("mydr24_audit_refused_total 0"));
  EXPECT_THAT(text, HasSubstr("mydr24_audit_lag_seconds 2"));
  log_.reset();
  EXPECT_THAT(metrics.expose(), HasSubstr("mydr24_audit_lag_seconds 0"));  // it outlives the trail
}

TEST_F(AuditTest, TheEntryOfAWriteComesWithItsCommitAndOnlyOnce) {
  store::FakeStore store(clock_);
  open();
  WriteFollower follower(*log_);
  store.add_follower(follower);
  const auto noted = [&](const std::string& patient, bool undone) {
    return store.write(RequestClass::routine, [&, undone](store::Transaction& transaction) -> Result<> {
      MYDR24_TRY(note_write(transaction, entry(patient)));
      if (undone) return fail(Code::stale, "somebody else was first");
      return {};
    });
  };
  ASSERT_TRUE(noted("p1", false));
  ASSERT_FALSE(noted("p2", true));
  ASSERT_TRUE(noted("p3", false));
  EXPECT_TRUE(log_->search({}, 10)->entries.empty());  // not before it is followed
  store.settle();
  auto page = log_->search({}, 10);
  ASSERT_EQ(page->entries.size(), 2U);
  EXPECT_EQ(page->entries[0].entry.patients, std::vector<std::string>{"p3"});
  EXPECT_GT(page->entries[0].entry.store_sequence, page->entries[1].entry.store_sequence);

  // The store gives events at least once: after a restart, and across the end of a segment, they are known.
  const auto events = store.events_of(write_event);
  ASSERT_TRUE(follower.follow(events));
  ASSERT_TRUE(log_->rotate());
  reopen();
  WriteFollower again(*log_);
  ASSERT_TRUE(again.follow(events));
  EXPECT_EQ(log_->search({}, 10)->entries.size(), 2U);
}

TEST_F(AuditTest, AnEventThatIsNoEntryIsToldOfAndHoldsNothingUp) {
  open();
  WriteFollower follower(*log_);
  const std::vector<store::Event> events{
      {.sequence = 1, .at = clock_.now(), .kind = std::string(write_event), .payload = "{"},
      {.sequence = 2, .at = clock_.now(), .kind = "alert.raised", .payload = "{}"},
      {.sequence = 3, .at = clock_.now(), .kind = std::string(write_event), .payload = to_json(entry())}};
  ASSERT_TRUE(follower.follow(events));
  const auto page = log_->search({}, 10);
  ASSERT_EQ(page->entries.size(), 2U);
  EXPECT_EQ(page->entries[1].entry.outcome, Outcome::serious_failure);
  EXPECT_THAT(page->entries[1].entry.rule, HasSubstr("cannot be read"));
}

}  // namespace
}  // namespace mydr24::audit
