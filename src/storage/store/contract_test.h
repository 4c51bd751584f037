#pragma once

// What every implementation of store::Store must do, as tests over a factory. An implementation's test file includes
// this and contract_search_test.h, and says
//   INSTANTIATE_TEST_SUITE_P(Sqlite, StoreContract, testing::Values(make_place), ...);

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <thread>

#include "base/core/date_time.h"
#include "storage/store/store.h"

namespace mydr24::store {

// One empty database: opened, closed and opened again by a test; removed with the Place.
class Place {
 public:
  virtual ~Place() = default;
  virtual Result<std::unique_ptr<Store>> open(const Clock& clock) = 0;
  // A name for a backup that is not there yet, and a Store on such a backup.
  virtual std::filesystem::path backup_path() = 0;
  virtual Result<std::unique_ptr<Store>> open_backup(const std::filesystem::path& backup, const Clock& clock) = 0;
  // A database server: several processes may open it at once, and its own tools make the backups.
  virtual bool is_server() const { return false; }
};

using MakePlace = std::function<std::unique_ptr<Place>()>;

class StoreContract : public testing::TestWithParam<MakePlace> {
 protected:
  void SetUp() override {
    place_ = GetParam()();
    if (place_ == nullptr) GTEST_SKIP() << "the database server for this test is not installed";
    reopen();
  }
  void TearDown() override {
    if (store_ != nullptr) expect_sound(*store_);
  }

  void reopen() {
    store_.reset();
    auto opened = place_->open(clock_);
    ASSERT_TRUE(opened) << opened.error().text;
    store_ = std::move(*opened);
  }
  static void expect_sound(Store& store) {
    const auto findings = store.verify();
    ASSERT_TRUE(findings) << findings.error().text;
    EXPECT_TRUE(findings->empty()) << findings->front();
  }

  static std::vector<search::IndexEntry> entries_of(std::string_view text) {
    if (text.empty()) return {};
    const auto document = json::Document::parse(std::string(text));
    EXPECT_TRUE(document);
    return search::extract(document->root());
  }

  // Creates or replaces the resource that the text is; an empty text removes type/id.
  static Result<Written> put(Transaction& transaction, const Store& store, std::string_view type, std::string_view id,
                             std::string_view text) {
    MYDR24_ASSIGN(const auto before, transaction.current(type, id));
    const auto entries = entries_of(text);
    const auto entries_before = before ? entries_of(before->body) : std::vector<search::IndexEntry>();
    const auto packed = store.pack(text, 1);
    const bool is_new = !before || before->action == Action::remove;
    return transaction.put({.type = type,
                            .id = id,
                            .action = text.empty() ? Action::remove : (is_new ? Action::create : Action::update),
                            .body = text.empty() ? nullptr : &packed,
                            .entries = entries,
                            .entries_before = entries_before});
  }
  Written write(std::string_view type, std::string_view id, std::string_view text) {
    Written written;
    const auto outcome = store_->write(RequestClass::routine, [&](Transaction& transaction) -> Result<> {
      MYDR24_ASSIGN(written, put(transaction, *store_, type, id, text));
      return {};
    });
    EXPECT_TRUE(outcome) << outcome.error().text;
    return written;
  }
  void remove(std::string_view type, std::string_view id) { write(type, id, ""); }

  static std::string patient(std::string_view id, std::string_view family = "Meyer", std::string_view more = "") {
    return fmt::format(R"({{"resourceType":"Patient","id":"{}","meta":{{}},"name":[{{"family":"{}"}}]{}}})", id, family,
                       more);
  }

  template <class T>
  T ask(const std::function<Result<T>(Reader&)>& question) {
    T answer{};
    const auto outcome = store_->read([&](Reader& reader) -> Result<> {
      MYDR24_ASSIGN(answer, question(reader));
      return {};
    });
    EXPECT_TRUE(outcome) << outcome.error().text;
    return answer;
  }
  std::optional<Version> current(std::string_view type, std::string_view id) {
    return ask<std::optional<Version>>([&](Reader& reader) { return reader.current(type, id); });
  }
  std::vector<std::int64_t> history(const HistoryQuery& query) {
    std::vector<std::int64_t> sequences;
    for (const Version& version : ask<std::vector<Version>>([&](Reader& reader) { return reader.history(query); })) {
      sequences.push_back(version.sequence);
    }
    return sequences;
  }
  void note(std::string_view payload, RequestClass request_class = RequestClass::routine) {
    const auto outcome = store_->write(request_class, [&](Transaction& transaction) -> Result<> {
      MYDR24_TRY(transaction.note("test.happened", payload));
      return {};
    });
    EXPECT_TRUE(outcome) << outcome.error().text;
  }

  ManualClock clock_{from_us(1'700'000'000'000'000)};
  std::unique_ptr<Place> place_;
  std::unique_ptr<Store> store_;
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(StoreContract);

// Remembers what it was given; fails as often as it is told to.
class RecordingFollower : public Follower {
 public:
  explicit RecordingFollower(std::string name = "recorder", int failures = 0)
      : name_(std::move(name)), failures_(failures) {}
  std::string_view name() const override { return name_; }
  Result<> follow(std::span<const Event> events) override {
    const std::scoped_lock lock(mutex_);
    ++calls_;
    if (failures_ > 0) {
      --failures_;
      return fail(Code::busy, "not now");
    }
    for (const Event& event : events) payloads_.push_back(event.payload);
    return {};
  }
  std::vector<std::string> payloads() const {
    const std::scoped_lock lock(mutex_);
    return payloads_;
  }
  int calls() const {
    const std::scoped_lock lock(mutex_);
    return calls_;
  }

 private:
  std::string name_;
  mutable std::mutex mutex_;
  std::vector<std::string> payloads_;
  int failures_;
  int calls_ = 0;
};

TEST_P(StoreContract, AWrittenResourceIsReadBackAsItWas) {
  const auto text = patient("a", "Müller \\\"x\\\"");
  const Written written = write("Patient", "a", text);
  EXPECT_EQ(written.version, 1);
  EXPECT_EQ(written.at, clock_.now());
  const auto found = current("Patient", "a");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->body, text);
  EXPECT_EQ(found->version, 1);
  EXPECT_EQ(found->sequence, written.sequence);
  EXPECT_EQ(found->at, written.at);
  EXPECT_EQ(found->action, Action::create);
  EXPECT_EQ(found->meta_at, 1U);
  EXPECT_FALSE(current("Patient", "b"));
  EXPECT_FALSE(current("NoSuchType", "a"));
}

TEST_P(StoreContract, VersionsCountUpThroughDeletionAndReturn) {
  write("Patient", "a", patient("a", "One"));
  clock_.advance(std::chrono::seconds(1));
  EXPECT_EQ(write("Patient", "a", patient("a", "Two")).version, 2);
  remove("Patient", "a");
  const auto gone = current("Patient", "a");
  ASSERT_TRUE(gone);
  EXPECT_EQ(gone->action, Action::remove);
  EXPECT_EQ(gone->version, 3);
  EXPECT_TRUE(gone->body.empty());
  EXPECT_EQ(ask<std::int64_t>([](Reader& reader) { return reader.count_resources("Patient"); }), 0);
  EXPECT_EQ(write("Patient", "a", patient("a", "Four")).version, 4);
  EXPECT_EQ(ask<std::int64_t>([](Reader& reader) { return reader.count_resources(""); }), 1);
  const auto second = ask<std::optional<Version>>([](Reader& reader) { return reader.version("Patient", "a", 2); });
  ASSERT_TRUE(second);
  EXPECT_EQ(second->body, patient("a", "Two"));
  EXPECT_EQ(second->action, Action::update);
  EXPECT_FALSE(ask<std::optional<Version>>([](Reader& reader) { return reader.version("Patient", "a", 5); }));
  const auto head = ask<std::optional<Version>>([](Reader& reader) { return reader.current_head("Patient", "a"); });
  ASSERT_TRUE(head);
  EXPECT_EQ(head->version, 4);
  EXPECT_TRUE(head->body.empty());
}

TEST_P(StoreContract, RemovingWhatNeverWasIsNotFoundAndSpoilsNothing) {
  const auto outcome = store_->write(RequestClass::routine, [&](Transaction& transaction) -> Result<> {
    const auto removed = transaction.put({.type = "Patient", .id = "a", .action = Action::remove});
    EXPECT_EQ(removed.error().code, Code::not_found);
    MYDR24_TRY(put(transaction, *store_, "Patient", "b", patient("b")));
    return {};
  });
  EXPECT_TRUE(outcome);
  EXPECT_TRUE(current("Patient", "b"));
}

TEST_P(StoreContract, HistoryIsNewestFirstAndPagesWithoutGaps) {
  std::vector<Sequence> of_a;
  const Instant start = clock_.now();
  for (int i = 0; i < 5; ++i) {
    of_a.insert(of_a.begin(), write("Patient", "a", patient("a", fmt::format("V{}", i))).sequence);
    write("Observation", "o", R"({"resourceType":"Observation","id":"o","status":"final"})");
    note("in between");
    clock_.advance(std::chrono::seconds(1));
  }
  EXPECT_EQ(history({.type = "Patient", .id = "a"}), of_a);
  EXPECT_EQ(history({.type = "Patient"}), of_a);
  EXPECT_EQ(history({}).size(), 10U);
  const auto page = history({.type = "Patient", .id = "a", .count = 2});
  EXPECT_EQ(page, std::vector(of_a.begin(), of_a.begin() + 2));
  EXPECT_EQ(history({.type = "Patient", .id = "a", .before_sequence = page.back(), .count = 2}),
            std::vector(of_a.begin() + 2, of_a.begin() + 4));
  // [start + 1 s, start + 3 s): the second and the third version.
  EXPECT_EQ(
      history({.type = "Patient", .since = start + std::chrono::seconds(1), .before = start + std::chrono::seconds(3)}),
      std::vector(of_a.begin() + 2, of_a.begin() + 4));
  EXPECT_TRUE(history({.type = "Patient", .since = start + std::chrono::hours(1)}).empty());
}

TEST_P(StoreContract, AFailedWorkLeavesNothing) {
  write("Patient", "a", patient("a", "Before"));
  const auto outcome = store_->write(RequestClass::routine, [&](Transaction& transaction) -> Result<> {
    MYDR24_TRY(put(transaction, *store_, "Patient", "a", patient("a", "After")));
    MYDR24_TRY(
        put(transaction, *store_, "Encounter", "new", R"({"resourceType":"Encounter","id":"new","status":"finished",
        "class":{"system":"http://new.example/system","code":"AMB"}})"));
    MYDR24_TRY(transaction.note("test.happened", "{}"));
    MYDR24_TRY(transaction.set_state("s", "k", "v"));
    MYDR24_TRY(transaction.set_timer({.key = "t", .due = clock_.now(), .kind = "k", .payload = ""}));
    EXPECT_EQ((*transaction.current("Patient", "a"))->version, 2);  // it sees its own writes
    return fail(Code::conflict, "changed my mind");
  });
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Code::conflict);
  EXPECT_EQ(current("Patient", "a")->body, patient("a", "Before"));
  EXPECT_FALSE(current("Encounter", "new"));
  EXPECT_EQ(ask<Sequence>([](Reader& reader) { return reader.last_sequence(); }), 1);
  EXPECT_FALSE(ask<std::optional<std::string>>([](Reader& reader) { return reader.state("s", "k"); }));
  // What the undone Work had added under way can be added again.
  write("Encounter", "new", R"({"resourceType":"Encounter","id":"new","status":"finished",
      "class":{"system":"http://new.example/system","code":"AMB"}})");
}

TEST_P(StoreContract, AnExceptionInAWorkIsAnErrorAndLeavesNothing) {
  const auto outcome = store_->write(RequestClass::routine, [&](Transaction& transaction) -> Result<> {
    MYDR24_TRY(transaction.set_state("s", "k", "v"));
    throw std::runtime_error("boom");
  });
  EXPECT_EQ(outcome.error().code, Code::internal);
  EXPECT_FALSE(ask<std::optional<std::string>>([](Reader& reader) { return reader.state("s", "k"); }));
}

TEST_P(StoreContract, TimeNeverGoesBackwardsThoughTheClockDoes) {
  const auto first = write("Patient", "a", patient("a"));
  clock_.advance(-std::chrono::hours(2));
  const auto second = write("Patient", "b", patient("b"));
  EXPECT_GE(second.at, first.at);
  reopen();
  EXPECT_GE(write("Patient", "c", patient("c")).at, first.at);
}

TEST_P(StoreContract, EverythingIsThereAfterReopening) {
  write("Patient", "a", patient("a"));
  note("1");
  ASSERT_TRUE(store_->write(RequestClass::routine,
                            [](Transaction& t) { return t.set_state("s", "k", std::string("\0v", 2)); }));
  reopen();
  EXPECT_TRUE(current("Patient", "a"));
  EXPECT_EQ(ask<std::optional<std::string>>([](Reader& reader) { return reader.state("s", "k"); }),
            std::string("\0v", 2));
  EXPECT_EQ(write("Patient", "b", patient("b")).sequence, 3);
}

// Holds the writer in a Work until it is told to go on.
class Blocker {
 public:
  explicit Blocker(Store& store) {
    store.submit(
        RequestClass::background,
        [this](Transaction&) -> Result<> {
          started_.set_value();
          release_.get_future().wait();
          return {};
        },
        [](Result<>) {});
    started_.get_future().wait();
  }
  void release() { release_.set_value(); }

 private:
  std::promise<void> started_;
  std::promise<void> release_;
};

TEST_P(StoreContract, WritesRunInTheOrderOfTheirClass) {
  Blocker blocker(*store_);
  std::vector<std::string> ran;
  std::vector<std::string> told;
  for (const auto request_class : {RequestClass::background, RequestClass::routine, RequestClass::urgent,
                                   RequestClass::emergency, RequestClass::routine}) {
    const std::string name(to_string(request_class));
    store_->submit(
        request_class,
        [&ran, name](Transaction& transaction) -> Result<> {
          ran.push_back(name);
          return transaction.set_state("order", fmt::format("{}", ran.size()), name);
        },
        [&told, name](Result<> outcome) { told.push_back(outcome ? name : outcome.error().text); });
  }
  blocker.release();
  store_->settle();
  const std::vector<std::string> expected{"emergency", "urgent", "routine", "routine", "background"};
  EXPECT_EQ(ran, expected);
  EXPECT_EQ(told, expected);
}

TEST_P(StoreContract, AnEmergencyClosesItsBatch) {
  Blocker blocker(*store_);
  std::atomic<bool> emergency_told = false;
  bool told_before_routine = false;
  store_->submit(
      RequestClass::routine,
      [&](Transaction&) -> Result<> {
        told_before_routine = emergency_told;
        return {};
      },
      [](Result<>) {});
  store_->submit(
      RequestClass::emergency, [](Transaction& t) { return t.set_state("s", "k", "v"); },
      [&](Result<>) { emergency_told = true; });
  blocker.release();
  store_->settle();
  EXPECT_TRUE(told_before_routine);
}

TEST_P(StoreContract, AFullQueueIsBusyAtOnceAndOtherClassesGoOn) {
  Blocker blocker(*store_);
  int refused = 0;
  int done = 0;
  for (int i = 0; i < 100'000 && refused == 0; ++i) {
    store_->submit(
        RequestClass::background, [](Transaction&) { return Result<>(); },
        [&](Result<> outcome) {
          if (outcome) {
            ++done;
          } else {
            EXPECT_EQ(outcome.error().code, Code::busy);
            ++refused;
          }
        });
  }
  EXPECT_EQ(refused, 1);
  std::atomic<bool> emergency_done = false;
  store_->submit(
      RequestClass::emergency, [](Transaction&) { return Result<>(); },
      [&](Result<> outcome) { emergency_done = outcome.has_value(); });
  EXPECT_GT(store_->statistics().queued[static_cast<std::size_t>(RequestClass::background)], 0);
  blocker.release();
  store_->settle();
  EXPECT_TRUE(emergency_done);
  EXPECT_GT(done, 0);
}

TEST_P(StoreContract, ClosingFinishesWhatWasSubmitted) {
  int done = 0;
  for (int i = 0; i < 50; ++i) {
    store_->submit(
        RequestClass::background, [i](Transaction& t) { return t.set_state("s", fmt::format("{:03}", i), "v"); },
        [&](Result<> outcome) { done += outcome ? 1 : 0; });
  }
  reopen();
  EXPECT_EQ(done, 50);
  EXPECT_EQ(ask<std::vector<StateRow>>([](Reader& r) { return r.states("s", "", "", 100); }).size(), 50U);
}

TEST_P(StoreContract, AFollowerSeesEveryEventInOrder) {
  note("before it came");
  RecordingFollower follower;
  store_->add_follower(follower);
  std::vector<std::string> expected;
  for (int i = 0; i < 600; ++i) {  // more than one batch
    expected.push_back(std::to_string(i));
    store_->submit(
        RequestClass::routine,
        [i](Transaction& transaction) -> Result<> {
          MYDR24_TRY(transaction.note("test.happened", std::to_string(i)));
          return {};
        },
        [](Result<>) {});
  }
  store_->settle();
  EXPECT_EQ(follower.payloads(), expected);
  store_.reset();
}

TEST_P(StoreContract, AFollowersPlaceSurvivesReopening) {
  RecordingFollower first;
  store_->add_follower(first);
  note("1");
  store_->settle();
  reopen();
  note("2");  // while it is away
  RecordingFollower second;
  store_->add_follower(second);
  note("3");
  store_->settle();
  EXPECT_EQ(second.payloads(), (std::vector<std::string>{"2", "3"}));
  store_.reset();
}

// Keeps in memory what it reads when it begins.
class EverywhereFollower : public RecordingFollower {
 public:
  bool in_every_process() const override { return true; }
  Result<> begin() override {
    ++begun;
    return {};
  }
  std::atomic<int> begun = 0;
};

TEST_P(StoreContract, AFollowerInEveryProcessBeginsAtTheEndOfTheJournalEachTime) {
  EverywhereFollower first;
  note("1");
  store_->add_follower(first);
  note("2");
  store_->settle();
  EXPECT_EQ(first.payloads(), std::vector<std::string>{"2"});
  EXPECT_EQ(first.begun, 1);
  reopen();
  note("3");
  EverywhereFollower second;
  store_->add_follower(second);
  note("4");
  store_->settle();
  EXPECT_EQ(second.payloads(), std::vector<std::string>{"4"});
  const auto places =
      ask<std::vector<std::pair<std::string, Sequence>>>([](Reader& reader) { return reader.cursors(); });
  EXPECT_TRUE(places.empty()) << "it keeps no place";
  store_.reset();
}

TEST_P(StoreContract, AFailingFollowerIsGivenTheSameEventsAgainAndHoldsNobodyUp) {
  RecordingFollower failing("failing", 1);
  RecordingFollower other("other");
  store_->add_follower(failing);
  store_->add_follower(other);
  note("1");
  store_->settle();
  EXPECT_EQ(failing.payloads(), std::vector<std::string>{"1"});
  EXPECT_EQ(failing.calls(), 2);
  EXPECT_EQ(other.payloads(), std::vector<std::string>{"1"});
  store_.reset();
}

TEST_P(StoreContract, EventsAreReadAboveASequence) {
  note("1");
  write("Patient", "a", patient("a"));
  note("2");
  const auto events = ask<std::vector<Event>>([](Reader& reader) { return reader.events(1, 10); });
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].sequence, 3);
  EXPECT_EQ(events[0].kind, "test.happened");
  EXPECT_EQ(events[0].payload, "2");
}

TEST_P(StoreContract, ATimerFiresOnceWhenDueAlsoAfterReopening) {
  ASSERT_TRUE(store_->write(RequestClass::routine, [&](Transaction& transaction) {
    return transaction.set_timer(
        {.key = "t", .due = clock_.now() + std::chrono::seconds(30), .kind = "k", .payload = "p"});
  }));
  reopen();
  std::vector<std::string> fired;
  store_->on_timer("k", [&](Transaction& transaction, const Timer& timer) {
    fired.push_back(timer.key + timer.payload);
    return transaction.set_state("s", "fired", "yes");
  });
  store_->tick();
  store_->settle();
  EXPECT_TRUE(fired.empty());
  clock_.advance(std::chrono::seconds(30));
  for (int i = 0; i < 3; ++i) {
    store_->tick();
    store_->settle();
  }
  EXPECT_EQ(fired, std::vector<std::string>{"tp"});
  EXPECT_TRUE(ask<std::optional<std::string>>([](Reader& reader) { return reader.state("s", "fired"); }));
}

TEST_P(StoreContract, AFailingTimerIsUndoneAndTriedAgainASecondLaterWhileOthersGoOn) {
  int calls = 0;
  int others = 0;
  store_->on_timer("bad", [&](Transaction& transaction, const Timer&) -> Result<> {
    MYDR24_TRY(transaction.set_state("s", "half", "done"));
    return ++calls == 1 ? fail(Code::busy, "not now") : Result<>();
  });
  store_->on_timer("good", [&](Transaction& transaction, const Timer& timer) {
    ++others;
    // Setting itself again keeps it.
    return others == 1 ? transaction.set_timer(
                             {.key = timer.key, .due = transaction.now() + std::chrono::seconds(5), .kind = "good"})
                       : Result<>();
  });
  ASSERT_TRUE(store_->write(RequestClass::routine, [&](Transaction& transaction) -> Result<> {
    MYDR24_TRY(transaction.set_timer({.key = "a", .due = clock_.now(), .kind = "bad"}));
    MYDR24_TRY(transaction.set_timer({.key = "c", .due = clock_.now(), .kind = "good"}));
    MYDR24_TRY(transaction.cancel_timer("c"));
    return transaction.set_timer({.key = "b", .due = clock_.now(), .kind = "good"});
  }));
  const auto tick = [&] {
    store_->tick();
    store_->settle();
  };
  tick();
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(others, 1);
  EXPECT_FALSE(ask<std::optional<std::string>>([](Reader& reader) { return reader.state("s", "half"); }));
  tick();
  EXPECT_EQ(calls, 1);
  clock_.advance(std::chrono::seconds(1));
  tick();
  EXPECT_EQ(calls, 2);
  clock_.advance(std::chrono::seconds(4));
  tick();
  EXPECT_EQ(others, 2);
}

TEST_P(StoreContract, StateRowsComeInKeyOrderByPrefix) {
  ASSERT_TRUE(store_->write(RequestClass::routine, [](Transaction& transaction) -> Result<> {
    for (const auto* key : {"b/2", "a/1", "b/1", "b/3", "c", "b\xff"}) MYDR24_TRY(transaction.set_state("s", key, key));
    MYDR24_TRY(transaction.set_state("other", "b/9", ""));
    MYDR24_TRY(transaction.erase_state("s", "b/3"));
    MYDR24_TRY(transaction.erase_state("s", "never there"));
    return transaction.set_state("s", "b/1", "again");
  }));
  const auto keys = [&](std::string_view prefix, std::string_view after, std::uint32_t count) {
    std::string text;
    for (const auto& row : ask<std::vector<StateRow>>([&](Reader& r) { return r.states("s", prefix, after, count); })) {
      text += row.key + " ";
    }
    return text;
  };
  EXPECT_EQ(keys("", "", 10), "a/1 b/1 b/2 b\xff c ");
  EXPECT_EQ(keys("b/", "", 10), "b/1 b/2 ");
  EXPECT_EQ(keys("b/", "b/1", 10), "b/2 ");
  EXPECT_EQ(keys("b/", "a", 1), "b/1 ");
  EXPECT_EQ(keys("\xff", "", 1), "");
}

TEST_P(StoreContract, AReaderKeepsItsViewWhileOthersWrite) {
  write("Patient", "a", patient("a", "Old"));
  ask<int>([&](Reader& reader) -> Result<int> {
    MYDR24_TRY(reader.current("Patient", "a"));
    write("Patient", "a", patient("a", "New"));
    MYDR24_ASSIGN(const auto seen, reader.current("Patient", "a"));
    EXPECT_EQ(seen->body, patient("a", "Old"));
    return 0;
  });
  EXPECT_EQ(current("Patient", "a")->body, patient("a", "New"));
}

TEST_P(StoreContract, ABackupMadeWhileWritingIsConsistentAndNeverReplacesAFile) {
  if (place_->is_server()) {
    const auto made = store_->backup(place_->backup_path());
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, Code::unsupported);
    return;
  }
  std::atomic<bool> stop = false;
  write("Patient", "first", patient("first"));
  std::thread writing([&] {
    for (int i = 0; !stop; ++i) write("Patient", fmt::format("p{}", i), patient(fmt::format("p{}", i)));
  });
  const auto path = place_->backup_path();
  const auto made = store_->backup(path);
  const auto again = store_->backup(path);
  stop = true;
  writing.join();
  ASSERT_TRUE(made) << made.error().text;
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::conflict);
  auto copy = place_->open_backup(path, clock_);
  ASSERT_TRUE(copy) << copy.error().text;
  expect_sound(**copy);
  EXPECT_TRUE((*copy)->read([](Reader& reader) -> Result<> {
    MYDR24_ASSIGN(const auto found, reader.current("Patient", "first"));
    EXPECT_TRUE(found);
    return {};
  }));
}

TEST_P(StoreContract, ASecondOpenOfAFileIsRefused) {
  const auto second = place_->open(clock_);
  if (place_->is_server()) {
    ASSERT_TRUE(second) << second.error().text;
    return;
  }
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::busy);
}

TEST_P(StoreContract, ManyThreadsWriteAndReadAtOnce) {
  constexpr int threads = 4;
  constexpr int each = 50;
  std::vector<std::thread> running;
  for (int t = 0; t < threads; ++t) {
    running.emplace_back([&, t] {
      for (int i = 0; i < each; ++i) {
        const auto id = fmt::format("{}-{}", t, i);
        write("Patient", id, patient(id));
        EXPECT_TRUE(current("Patient", id));  // its own write, at once
      }
    });
  }
  for (auto& thread : running) thread.join();
  EXPECT_EQ(ask<std::int64_t>([](Reader& reader) { return reader.count_resources("Patient"); }), threads * each);
  EXPECT_EQ(ask<Sequence>([](Reader& reader) { return reader.last_sequence(); }), threads * each);
}

}  // namespace mydr24::store
