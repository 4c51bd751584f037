#include "alerting/alerts/dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/steady_timer.hpp>
#include <mutex>

#include "alerting/alerts/book.h"
#include "alerting/alerts/console_feed.h"
#include "storage/store/fake_store.h"

namespace mydr24::alerts {
namespace {

using namespace std::chrono_literals;
using notify::SendStatus;

// What the people on call saw, and how their channels behave. Outlives the processes of a test.
struct World {
  std::mutex mutex;
  std::vector<notify::Message> received;
  std::map<std::string, SendStatus> answer;  // by URL; delivered when not named
  std::set<std::string> hanging;             // by URL
  std::chrono::milliseconds hang_time = 60s;

  std::vector<std::string> calls() {
    const std::lock_guard lock(mutex);
    std::vector<std::string> all;
    for (const notify::Message& message : received)
      all.push_back(message.contact + " " + std::to_string(message.attempt) + (message.retry() ? " retry" : "") +
                    (message.repeat ? " repeat" : ""));
    return all;
  }
};

class FakeChannel : public notify::Channel {
 public:
  FakeChannel(World& world, std::string url, asio::io_context& context)
      : world_(world), url_(std::move(url)), context_(context) {}
  std::string_view medium() const override { return "webhook"; }

  Task<notify::SendOutcome> send(notify::Message message) override {
    bool hangs = false;
    SendStatus answer = SendStatus::delivered;
    {
      const std::lock_guard lock(world_.mutex);
      hangs = world_.hanging.contains(url_);
      if (const auto found = world_.answer.find(url_); found != world_.answer.end()) answer = found->second;
      world_.received.push_back(message);
    }
    if (hangs) {
      asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>
          timer(context_, world_.hang_time);
      co_await timer.async_wait(awaitable);
    }
    co_return notify::SendOutcome{answer, 0, answer == SendStatus::delivered ? "" : "told to fail"};
  }

 private:
  World& world_;
  const std::string url_;
  asio::io_context& context_;
};

oncall::Settings people() {
  const auto webhook = [](std::string url) { return notify::Address{notify::Kind::webhook, std::move(url), "s"}; };
  return {.contacts = {{"nurse", {webhook("http://nurse")}}, {"doctor", {webhook("http://doctor")}}},
          .steps = {{{"nurse"}}, {{"doctor"}}}};
}

// One run of the server.
struct Process {
  Process(store::FakeStore& store, const Clock& clock, World& world, const oncall::Directory& directory,
          DispatcherSettings settings = {})
      : hub(clock), feed(hub), book(directory), dispatcher(directory, clock, hub, settings, factory(world)) {
    book.attach(store);
    feed.start(store);
    const Result<> started = dispatcher.start(store);
    EXPECT_TRUE(started);
  }
  static ChannelFactory factory(World& world) {
    return [&world](asio::io_context& context,
                    const notify::Address& address) -> Result<std::unique_ptr<notify::Channel>> {
      return std::make_unique<FakeChannel>(world, address.target, context);
    };
  }
  notify::ConsoleHub hub;
  ConsoleFeed feed;
  Book book;
  Dispatcher dispatcher;
};

class DispatcherTest : public testing::Test {
 protected:
  void restart(DispatcherSettings settings = {}) {
    if (process_) process_->dispatcher.stop();
    store_.forget_process();
    process_.reset();
    process_ = std::make_unique<Process>(store_, clock_, world_, directory_, settings);
    EXPECT_TRUE(process_->dispatcher.settle());
  }
  void TearDown() override {
    if (process_) process_->dispatcher.stop();
  }

  std::string raise(const std::string& cause = "c", Severity severity = Severity::emergency) {
    std::string id;
    const Result<> written = store_.write(RequestClass::emergency, [&](store::Transaction& t) -> Result<> {
      MYDR24_ASSIGN(const Raised raised,
                    process_->book.raise(t, {"test", cause, severity, "Patient/1", "Red score", "", ""}));
      id = raised.id;
      return {};
    });
    EXPECT_TRUE(written);
    return id;
  }
  void acknowledge(const std::string& id) {
    EXPECT_TRUE(store_.write(RequestClass::emergency, [&](store::Transaction& t) -> Result<> {
      MYDR24_TRY(process_->book.acknowledge(t, id, "nurse"));
      return {};
    }));
  }
  void settle() {
    store_.settle();
    EXPECT_TRUE(process_->dispatcher.settle());
    store_.settle();
  }
  void after(Microseconds time) {
    clock_.advance(time);
    store_.tick();
    process_->dispatcher.tick();
    settle();
  }
  std::vector<Delivery> deliveries(const std::string& id) {
    std::vector<Delivery> all;
    (void)store_.read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(all, Book::deliveries(reader, id));
      return {};
    });
    return all;
  }

  using Calls = std::vector<std::string>;
  ManualClock clock_{from_us(1'700'000'000'000'000)};
  store::FakeStore store_{clock_};
  World world_;
  const oncall::Directory directory_ = *oncall::Directory::make(people());
  std::unique_ptr<Process> process_;
};

TEST_F(DispatcherTest, AnEmergencyThatCannotBeWrittenDownCallsPeopleFromMemoryStepByStep) {
  restart();
  store_.refuse_writes = 1'000'000;
  const auto call = [&](int round) {
    process_->dispatcher.call_from_memory(
        {.id = "label-1", .title = "Arrest", .raised_at = clock_.now(), .round = round});
    settle();
  };
  call(0);
  EXPECT_EQ(world_.calls(), Calls{"nurse 1"});
  EXPECT_EQ(world_.received[0].title, "Arrest");
  EXPECT_FALSE(world_.received[0].recorded) << "no link: nobody could acknowledge it";
  call(1);
  call(7);
  EXPECT_EQ(world_.calls(), (Calls{"nurse 1", "doctor 1", "doctor 1 repeat"}));
  EXPECT_TRUE(world_.received[2].repeat);
  EXPECT_EQ(process_->dispatcher.counters().from_memory, 3);
  EXPECT_EQ(process_->hub.after(0, 10).entries.size(), 3U) << "open consoles are told";
}

TEST_F(DispatcherTest, AServerThatFollowsNoLongerSendsNothingUntilItFollowsAgain) {
  restart();
  world_.answer["http://nurse"] = SendStatus::failed;
  raise();
  settle();
  EXPECT_EQ(world_.calls(), Calls{"nurse 1"});
  store_.leading = false;
  settle();
  EXPECT_EQ(process_->dispatcher.counters().waiting, 0);
  clock_.advance(1s);
  raise("d");
  after(10s);
  EXPECT_EQ(world_.calls(), Calls{"nurse 1"}) << "what the other server may have sent";
  world_.answer.clear();
  store_.leading = true;
  settle();
  EXPECT_THAT(world_.calls(), testing::UnorderedElementsAre("nurse 1", "nurse 2 retry", "nurse 3 retry"))
      << "as what another left: each with an attempt that is not known";
}

TEST_F(DispatcherTest, ARaisedAlertIsDeliveredOnce) {
  restart();
  const std::string id = raise();
  settle();
  settle();
  EXPECT_EQ(world_.calls(), Calls{"nurse 1"});
  EXPECT_EQ(world_.received[0].patient, "Patient/1");
  ASSERT_EQ(deliveries(id).size(), 1U);
  EXPECT_EQ(deliveries(id)[0].state, DeliveryState::delivered);
  EXPECT_EQ(store_.events_of("alert.delivered").size(), 1U);
  const Counters& counters = process_->dispatcher.counters();
  EXPECT_EQ(counters.raised, 1);
  EXPECT_EQ(counters.delivered, 1);
  EXPECT_EQ(counters.waiting, 0);
  EXPECT_EQ(process_->hub.after(process_->hub.last() - 2, 10).entries.size(), 2U);
}

TEST_F(DispatcherTest, WithoutAnAnswerTheDoctorIsCalledAfter30SecondsAndThenAgainAndAgain) {
  restart();
  const std::string id = raise();
  settle();
  after(29s);
  EXPECT_EQ(world_.calls(), Calls{"nurse 1"});
  after(1s);
  after(30s);
  after(30s);
  EXPECT_EQ(world_.calls(), (Calls{"nurse 1", "doctor 1", "doctor 1 repeat", "doctor 1 repeat"}));
  acknowledge(id);
  after(30s);
  after(30s);
  EXPECT_EQ(world_.calls().size(), 4U);
  EXPECT_EQ(process_->dispatcher.counters().escalated, 3);
  EXPECT_EQ(process_->dispatcher.counters().repeated, 2);
  EXPECT_EQ(process_->dispatcher.counters().acknowledged, 1);
}

TEST_F(DispatcherTest, EscalationGoesOnAfterARestart) {
  restart();
  raise();
  settle();
  restart();
  after(30s);
  EXPECT_EQ(world_.calls(), (Calls{"nurse 1", "doctor 1"}));
}

TEST_F(DispatcherTest, ADeliveryWithoutAKnownOutcomeIsAMarkedRetryAfterARestart) {
  restart();
  store_.forget_process();  // the commit is the last thing this process does
  raise();
  restart();
  settle();
  EXPECT_EQ(world_.calls(), Calls{"nurse 2 retry"});
  EXPECT_EQ(process_->dispatcher.counters().recovered, 1);
  restart();
  settle();
  EXPECT_EQ(world_.calls(), Calls{"nurse 2 retry"});
}

TEST_F(DispatcherTest, AnOutcomeThatCouldNotBeWrittenIsWrittenLaterAndNotSentAgain) {
  restart();
  raise();
  store_.refuse_writes = 1;
  settle();
  EXPECT_TRUE(store_.events_of("alert.delivered").empty());
  after(1s);
  EXPECT_EQ(store_.events_of("alert.delivered").size(), 1U);
  EXPECT_EQ(world_.calls(), Calls{"nurse 1"});
}

TEST_F(DispatcherTest, AFailingChannelIsTriedAgainWithBackOff) {
  restart();
  world_.answer["http://nurse"] = SendStatus::failed;
  const std::string id = raise();
  settle();
  EXPECT_EQ(store_.events_of("alert.delivery_failed").size(), 1U);
  after(900ms);
  EXPECT_EQ(world_.calls().size(), 1U);
  after(100ms);
  EXPECT_EQ(world_.calls(), (Calls{"nurse 1", "nurse 2 retry"}));
  after(1s);
  EXPECT_EQ(world_.calls().size(), 2U);
  after(1s);
  EXPECT_EQ(world_.calls().size(), 3U);
  world_.answer.clear();
  after(4s);
  EXPECT_EQ(world_.calls().back(), "nurse 4 retry");
  EXPECT_EQ(deliveries(id)[0].state, DeliveryState::delivered);
  EXPECT_EQ(deliveries(id)[0].attempts, 4);
  after(8s);
  EXPECT_EQ(world_.calls().size(), 4U);
}

TEST_F(DispatcherTest, AnAcknowledgementEndsTheRetries) {
  restart();
  world_.answer["http://nurse"] = SendStatus::failed;
  const std::string id = raise();
  settle();
  acknowledge(id);
  after(1s);
  EXPECT_EQ(world_.calls().size(), 1U);
  EXPECT_EQ(deliveries(id)[0].state, DeliveryState::cancelled);
  EXPECT_EQ(process_->dispatcher.counters().waiting, 0);
}

TEST_F(DispatcherTest, ARefusedDeliveryAndOneTooOftenTriedAreGivenUp) {
  restart({.attempts_max = 2});
  world_.answer["http://nurse"] = SendStatus::refused;
  const std::string first = raise("first", Severity::urgent);
  settle();
  EXPECT_EQ(deliveries(first)[0].state, DeliveryState::failed);
  world_.answer["http://nurse"] = SendStatus::failed;
  const std::string second = raise("second", Severity::urgent);
  settle();
  after(1s);
  EXPECT_EQ(deliveries(second)[0].state, DeliveryState::failed);
  EXPECT_EQ(deliveries(second)[0].attempts, 2);
  after(10s);
  EXPECT_EQ(world_.calls().size(), 3U);
  EXPECT_EQ(process_->dispatcher.counters().given_up, 2);
}

TEST_F(DispatcherTest, AHangingChannelDelaysNoOther) {
  restart({.sends_per_lane_max = 1});
  world_.hanging.insert("http://nurse");
  raise("first");
  raise("second");
  store_.settle();
  clock_.advance(30s);
  store_.tick();
  store_.settle();
  for (int i = 0; i < 500 && process_->dispatcher.counters().delivered < 2; ++i) std::this_thread::sleep_for(2ms);
  EXPECT_EQ(process_->dispatcher.counters().delivered, 2);
  const auto begin = std::chrono::steady_clock::now();
  process_->dispatcher.stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
  // The one that was cut off and the one behind it are found again, marked.
  world_.hanging.clear();
  restart();
  Calls nurse;
  for (const std::string& call : world_.calls())
    if (call.starts_with("nurse")) nurse.push_back(call);
  EXPECT_EQ(nurse, (Calls{"nurse 1", "nurse 2 retry", "nurse 2 retry"}));
}

TEST_F(DispatcherTest, AnEmergencyOvertakesInItsLane) {
  restart({.sends_per_lane_max = 1});
  world_.hanging.insert("http://nurse");
  world_.hang_time = 20ms;
  raise("a", Severity::advisory);
  raise("b", Severity::urgent);
  raise("c", Severity::emergency);
  settle();
  // The first is on its way before the others stand in the lane.
  ASSERT_EQ(world_.received.size(), 3U);
  EXPECT_EQ(world_.received[0].severity, "advisory");
  EXPECT_EQ(world_.received[1].severity, "emergency");
  EXPECT_EQ(world_.received[2].severity, "urgent");
}

// ON-05.
TEST_F(DispatcherTest, TheFirstPageOfASourceDoesNotWaitBehindTheManyOfAnother) {
  const auto raise_from = [&](const std::string& source, const std::string& cause, Severity severity) {
    EXPECT_TRUE(store_.write(RequestClass::emergency, [&](store::Transaction& t) -> Result<> {
      MYDR24_TRY(process_->book.raise(t, {source, cause, severity, "", source, "", ""}));
      return {};
    }));
  };
  restart({.sends_per_lane_max = 1});
  world_.hanging = {"http://nurse"};
  world_.hang_time = 1ms;
  for (int i = 0; i < 300; ++i) raise_from("one", "one/" + std::to_string(i), Severity::urgent);
  raise_from("two", "two", Severity::urgent);
  raise_from("one", "patient", Severity::emergency);
  store_.settle();
  EXPECT_TRUE(process_->dispatcher.settle(30s));
  const std::lock_guard lock(world_.mutex);
  ASSERT_EQ(world_.received.size(), 302U);
  const auto place = [&](auto is) { return std::ranges::find_if(world_.received, is) - world_.received.begin(); };
  const auto emergency = place([](const notify::Message& m) { return m.severity == "emergency"; });
  const auto two = place([](const notify::Message& m) { return m.title == "two"; });
  // Those that the dispatcher had taken before the whole batch was there do not count.
  EXPECT_LT(emergency, 110);
  EXPECT_LT(two, 110);
  EXPECT_LT(emergency, two);
}

TEST_F(DispatcherTest, AFullDispatcherMakesTheJournalWait) {
  restart({.waiting_max = 1});
  world_.answer["http://nurse"] = SendStatus::failed;
  raise("a");
  settle();
  raise("b");
  settle();
  EXPECT_EQ(world_.calls().size(), 1U);
  world_.answer.clear();
  after(1s);
  settle();
  EXPECT_EQ(world_.calls(), (Calls{"nurse 1", "nurse 2 retry", "nurse 1"}));
}

TEST_F(DispatcherTest, AContactThatIsNoLongerConfiguredIsGivenUp) {
  restart();
  store_.forget_process();
  const std::string id = raise();
  oncall::Settings changed = people();
  changed.contacts[0].name = "sister";
  changed.steps[0].contacts = {"sister"};
  const oncall::Directory directory = *oncall::Directory::make(changed);
  process_->dispatcher.stop();
  process_ = std::make_unique<Process>(store_, clock_, world_, directory);
  settle();
  EXPECT_EQ(deliveries(id)[0].state, DeliveryState::failed);
  process_->dispatcher.stop();
  process_.reset();
}

TEST(DispatcherStart, AChannelThatCannotBeMadeIsNamed) {
  ManualClock clock{from_us(0)};
  store::FakeStore store(clock);
  notify::ConsoleHub hub(clock);
  const oncall::Directory directory = *oncall::Directory::make(people());
  Dispatcher dispatcher(directory, clock, hub, {},
                        [](asio::io_context&, const notify::Address&) -> Result<std::unique_ptr<notify::Channel>> {
                          return fail(Code::invalid, "no such host");
                        });
  const Result<> started = dispatcher.start(store);
  ASSERT_FALSE(started);
  EXPECT_NE(started.error().text.find("doctor"), std::string::npos);  // the first in the order of names
}

}  // namespace
}  // namespace mydr24::alerts
