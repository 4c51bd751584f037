#pragma once

// Groups on a virtual clock, for their tests.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "alerting/groups/groups.h"
#include "base/core/paced_clock.h"
#include "storage/store/fake_store.h"

namespace mydr24::groups {

using namespace std::chrono_literals;

// A notification that arrived, in words: "2.0 web firing test1 test2 | resolved test3".
struct Told {
  double at = 0;
  std::string receiver;
  std::set<std::string> firing;
  std::set<std::string> resolved;
  bool maybe_repeated = false;
};

// A machine's clock, which somebody may set.
class SettableClock : public ManualClock {
 public:
  using ManualClock::ManualClock;
  std::chrono::nanoseconds steady() const override { return ManualClock::steady() - Microseconds(set_us_.load()); }
  void step(Microseconds by) {
    advance(by);
    set_us_ += by.count();
  }

 private:
  std::atomic<std::int64_t> set_us_ = 0;
};

inline Labels named(std::string name, std::vector<routing::Label> more = {}) {
  more.emplace_back("alertname", std::move(name));
  return Labels(std::move(more));
}

inline constexpr std::string_view one_webhook = R"(
route: {receiver: web, group_by: [], group_wait: 1s, group_interval: 1s, repeat_interval: 1h}
receivers:
- name: web
  webhook_configs: [{url: 'http://127.0.0.1:1/'}]
)";

inline constexpr std::string_view to_people = R"(
route: {receiver: people, group_by: [alertname], group_wait: 1s, group_interval: 1s}
receivers: [{name: people, oncall_configs: [{}]}]
)";

// Groups on a virtual clock, with a store in memory and receivers that note what they are told. Time is told in seconds
// since the start.
class GroupsTest : public testing::Test {
 protected:
  void start(std::string_view yaml = one_webhook, milliseconds start_delay = 0ms) {
    if (!store_) {
      store_ = std::make_unique<store::FakeStore>(paced_);
      book_.attach(*store_);
    } else {
      store_->forget_process();
    }
    const auto config = routing::load_config(yaml);
    ASSERT_TRUE(config) << config.error().where << config.error().text;
    Settings settings;
    settings.start_delay = start_delay;
    settings.alerts_max = alerts_max_;
    if (!use_network_) settings.sender = [this](const Notice& notice) { return receive(notice); };
    settings.unrecorded = [this](const Alert& alert, int round) {
      unrecorded_.push_back(fmt::format("{} {}", alert.labels["alertname"], round));
    };
    groups_ = std::make_unique<Groups>(book_, clock_, settings);
    ASSERT_TRUE(groups_->start(*store_, *config));
  }
  void TearDown() override {
    if (groups_) groups_->stop();
  }

  Task<notify::SendOutcome> receive(const Notice& notice) {
    if (failing_.contains(notice.receiver)) co_return notify::SendOutcome{notify::SendStatus::failed, 500, "no"};
    Told told{seconds(), notice.receiver, {}, {}, notice.maybe_repeated};
    for (const Alert& alert : notice.alerts)
      (alert.ends_at == Instant::max() ? told.firing : told.resolved).emplace(alert.labels["alertname"]);
    told_.push_back(std::move(told));
    co_return notify::SendOutcome{notify::SendStatus::delivered, 200, ""};
  }

  template <class T>
  T run(Task<T> task) {
    asio::io_context context;
    std::optional<T> result;
    asio::co_spawn(context, std::move(task), [&](const std::exception_ptr& error, T value) {
      EXPECT_FALSE(error);
      result.emplace(std::move(value));
    });
    context.run();
    return std::move(*result);
  }

  double seconds() const { return static_cast<double>((clock_.now() - start_).count()) / 1e6; }
  // So long, in steps of a second.
  void pass(std::chrono::seconds time) {
    for (std::chrono::seconds gone{0}; gone < time; ++gone) {
      clock_.advance(1s);
      groups_->tick();
      ASSERT_TRUE(groups_->settle());
      store_->tick();
    }
  }
  // Goes on to that second in steps of 50 ms.
  void to(double second) {
    while (seconds() < second - 1e-9) {
      clock_.advance(50ms);
      groups_->tick();
      ASSERT_TRUE(groups_->settle());
      store_->tick();
    }
  }
  Instant instant(double second) const { return start_ + Microseconds(static_cast<std::int64_t>(second * 1e6)); }
  Alert alert(Labels labels, std::optional<double> start = {}, std::optional<double> end = {}) {
    return {.labels = std::move(labels),
            .starts_at = start ? instant(*start) : clock_.now(),
            .ends_at = end ? instant(*end) : clock_.now() + 5min,
            .updated_at = clock_.now(),
            .timeout = !end};
  }
  Result<> push(Alert alert) {
    std::vector<Alert> all{std::move(alert)};
    return run(groups_->take(std::move(all)));
  }
  Result<> push(std::string name) { return push(alert(named(std::move(name)))); }
  Result<std::string> silence(std::string matcher, double seconds_long, std::string approved_by = {},
                              std::string who = {}) {
    Silence made{.matchers = *routing::parse_matchers(matcher, routing::Names::utf8),
                 .starts_at = clock_.now(),
                 .ends_at = clock_.now() + Microseconds(static_cast<std::int64_t>(seconds_long * 1e6)),
                 .created_by = "me",
                 .comment = "",
                 .approved_by = std::move(approved_by)};
    auto seen = groups_->preview(made);
    EXPECT_TRUE(seen);
    return run(groups_->put_silence(std::move(made), *seen, std::move(who)));
  }
  std::vector<alerts::Alert> book(bool resolved = false) {
    std::vector<alerts::Alert> all;
    EXPECT_TRUE(store_->read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(auto page, alerts::Book::list(reader, {.resolved = resolved}));
      all = std::move(page.alerts);
      return {};
    }));
    return all;
  }
  std::size_t events(std::string_view kind) {
    std::size_t count = 0;
    EXPECT_TRUE(store_->read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(const auto all, reader.events(0, 100'000));
      for (const store::Event& event : all) count += event.kind == kind ? 1 : 0;
      return {};
    }));
    return count;
  }
  // As if the process had been killed: what is in memory is gone.
  void crash(std::string_view yaml = one_webhook) {
    groups_->stop();
    groups_.reset();
    start(yaml);
  }

  const Instant start_ = from_us(1'790'000'000'000'000);
  SettableClock clock_{start_};
  PacedClock paced_{clock_};  // the store's, as in the server
  const oncall::Directory directory_ = *oncall::Directory::make({});
  alerts::Book book_{directory_};
  std::unique_ptr<store::FakeStore> store_;
  std::unique_ptr<Groups> groups_;
  bool use_network_ = false;
  std::size_t alerts_max_ = 1000;
  std::set<std::string> failing_;
  std::vector<Told> told_;
  std::vector<std::string> unrecorded_;
};

using Names = std::set<std::string>;

}  // namespace mydr24::groups
