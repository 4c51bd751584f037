#pragma once

// Changes on a store in memory, a clock that stands still and effects that a test decides.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/core/date_time.h"
#include "operations/changes/engine.h"
#include "storage/store/fake_store.h"

namespace mydr24::changes {

struct PlanWords {
  std::string type = "normal";
  std::string description = "fewer days";
  std::string steps = R"({"kind":"set","setting":"days","value":5})";
  std::string impact = "{}";
  bool tested = false;
  std::string rollback;
  std::string service = "alerting";
  std::string window;  // {"begin", "end"}
};

inline std::string plan_text(const PlanWords& words = {}) {
  return fmt::format(
      R"({{"title":"Days","description":"{}","type":"{}","service":"{}","impact":{},{}{})"
      R"("implementation":[{}],"rollback":[{}],"checks":[{{"kind":"metric","metric":"m","at_most":1}}]}})",
      words.description, words.type, words.service, words.impact,
      words.tested ? R"("test":{"passed":true,"evidence":"run 7"},)" : "",
      words.window.empty() ? "" : fmt::format(R"("window":{},)", words.window), words.steps, words.rollback);
}

class FakeEffects : public Effects {
 public:
  Result<Answer> http(const Check& check) override { return http_ ? http_(check) : Answer{.status = 200}; }
  Result<> webhook(const Step& step, std::string_view) override {
    called(step.url);
    return webhook_ ? webhook_(step) : Result<>();
  }
  Result<std::string> command(const Command& command, std::chrono::milliseconds) override {
    called(command.name);
    return command_ ? command_(command.name) : Result<std::string>(std::string("done"));
  }
  Result<std::int64_t> read_scale(const Scale& scale, std::chrono::milliseconds) override {
    if (read_scale_) return read_scale_();
    const std::lock_guard lock(mutex_);
    return numbers_[scale.name];
  }
  Result<> set_scale(const Scale& scale, std::int64_t number, std::string_view, std::chrono::milliseconds) override {
    called(fmt::format("{} {}", scale.name, number));
    if (set_scale_) return set_scale_(number);
    const std::lock_guard lock(mutex_);
    numbers_[scale.name] = number;
    return {};
  }
  Result<std::int64_t> fhir(const std::string&) override { return 1; }
  std::optional<double> metric(const std::string& name, const std::string&) override {
    return metric_ ? metric_(name) : std::optional(0.0);
  }
  std::optional<double> burn(const std::string&) override { return 0; }
  bool stopping() const override { return stopping_; }

  std::atomic<bool> stopping_ = false;
  std::vector<std::string> called_;
  std::function<Result<Answer>(const Check&)> http_;
  std::function<Result<>(const Step&)> webhook_;
  std::function<Result<std::string>(const std::string&)> command_;
  std::function<std::optional<double>(const std::string&)> metric_;
  std::map<std::string, std::int64_t> numbers_;  // of what is scaled
  std::function<Result<std::int64_t>()> read_scale_;
  std::function<Result<>(std::int64_t)> set_scale_;

 private:
  void called(const std::string& what) {
    const std::lock_guard lock(mutex_);
    called_.push_back(what);
  }
  std::mutex mutex_;
};

class ChangesTest : public testing::Test {
 protected:
  ChangesTest() {
    store_.follow_at_once = true;
    const auto nothing = [](const std::string&) -> Result<> { return {}; };
    EXPECT_TRUE(settings_.add(
        {.name = "days", .unit = "days", .high = 90, .standard = "30", .routine = true, .apply = nothing}));
    EXPECT_TRUE(settings_.add(
        {.name = "escalate", .unit = "s", .high = 900, .standard = "30", .emergency = true, .apply = nothing}));
    settings_.attach();
    EXPECT_TRUE(settings_.load());
    book_.attach();
  }
  template <class Step>
  std::optional<Error> write(Step step) {
    const auto done = store_.write(RequestClass::routine, [&](store::Transaction& transaction) -> Result<> {
      MYDR24_TRY(step(transaction));
      return {};
    });
    return done ? std::nullopt : std::optional(done.error());
  }
  Change proposed(const std::string& plan, std::string_view by = "ann") {
    Change change;
    const auto wrong = write([&](store::Transaction& transaction) -> Result<> {
      MYDR24_ASSIGN(change, book_.propose(transaction, plan, by));
      return {};
    });
    EXPECT_FALSE(wrong) << wrong->where << " " << wrong->text;
    return change;
  }
  std::optional<Error> approve(const Change& change, std::string_view by) {
    return write(
        [&](store::Transaction& transaction) { return book_.approve(transaction, change.id, change.plan.digest, by); });
  }
  std::optional<Error> start(std::string_view id) {
    return write([&](store::Transaction& transaction) { return book_.start(transaction, id, "ann"); });
  }
  // Approved by who is needed, and started.
  Change started(const std::string& plan) {
    const auto change = proposed(plan);
    for (const auto* member : {"senior-dba", "cmo", "ciso", "cco"}) EXPECT_FALSE(approve(change, member));
    EXPECT_FALSE(start(change.id));
    return change;
  }
  Change now(std::string_view id) {
    Change change;
    EXPECT_TRUE(store_.read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(change, book_.find(reader, id));
      return {};
    }));
    return change;
  }
  // Until it is over or paused; the clock is moved to whatever it waits for.
  void run(Engine& engine, std::string_view id) {
    for (int i = 0; i < 1000; ++i) {
      const auto next = engine.advance(id);
      ASSERT_TRUE(next) << next.error().text;
      if (next->over) return;
      if (next->not_before && *next->not_before > clock_.now()) clock_.set(*next->not_before);
    }
    FAIL() << "it does not end";
  }

  // A Tuesday night.
  ManualClock clock_{parse_date_time("2026-05-12T02:00:00Z")->low};
  store::FakeStore store_{clock_};
  FakeEffects effects_;
  live_settings::Registry settings_{store_};
  Book book_{store_, standard_policy(), settings_};
};

}  // namespace mydr24::changes
