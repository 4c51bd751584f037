#include "alerting/alerts/updates.h"

#include <gtest/gtest.h>

#include <mutex>

#include "alerting/alerts/book.h"
#include "alerting/alerts/messages.h"
#include "alerting/alerts/subscribers.h"
#include "storage/store/fake_store.h"

namespace mydr24::alerts {
namespace {

using namespace std::chrono_literals;
using notify::SendStatus;

// What the chat was told, and how it answers.
struct Chat {
  std::mutex mutex;
  std::vector<notify::Message> told;
  SendStatus answer = SendStatus::delivered;

  std::size_t count() {
    const std::lock_guard lock(mutex);
    return told.size();
  }
  void set(SendStatus status) {
    const std::lock_guard lock(mutex);
    answer = status;
  }
};

class FakeChannel : public notify::Channel {
 public:
  explicit FakeChannel(Chat& chat) : chat_(chat) {}
  std::string_view medium() const override { return "chat"; }
  bool takes_updates() const override { return true; }
  Task<notify::SendOutcome> send(notify::Message message) override {
    const std::lock_guard lock(chat_.mutex);
    chat_.told.push_back(std::move(message));
    co_return notify::SendOutcome{chat_.answer, 0, "as told"};
  }

 private:
  Chat& chat_;
};

class UpdatesTest : public testing::Test {
 protected:
  UpdatesTest() { restart(); }
  ~UpdatesTest() override { updates->stop(); }

  void restart() {
    if (updates) updates->stop();
    store.forget_process();
    book.attach(store);
    updates = std::make_unique<Updates>(
        clock, directory,
        [this](asio::io_context&, const notify::Address&) -> Result<std::unique_ptr<notify::Channel>> {
          return std::make_unique<FakeChannel>(chat);
        });
    ASSERT_TRUE(updates->start(store));
    ASSERT_TRUE(updates->settle());
  }
  void write(const std::function<Result<>(store::Transaction&)>& work) {
    ASSERT_TRUE(store.write(RequestClass::emergency, work));
    store.settle();
    ASSERT_TRUE(updates->settle());
  }
  // An alert that reached the chat.
  std::string raise(Severity severity = Severity::urgent) {
    std::string id;
    write([&](store::Transaction& transaction) -> Result<> {
      Raise raise;
      raise.source = "vitals";
      raise.cause = "c";
      raise.severity = severity;
      raise.title = "Red score";
      MYDR24_ASSIGN(const auto raised, book.raise(transaction, raise));
      id = raised.id;
      MYDR24_ASSIGN(auto deliveries, Book::deliveries(transaction, id));
      for (Delivery& delivery : deliveries) {
        delivery.state = DeliveryState::delivered;
        MYDR24_TRY(transaction.set_state("alert_deliveries", delivery.id, to_json(delivery)));
        MYDR24_TRY(transaction.erase_state("alert_outbox", delivery.id));
      }
      return {};
    });
    return id;
  }
  void acknowledge(const std::string& id, std::string_view by = "Ada") {
    write([&](store::Transaction& transaction) -> Result<> {
      MYDR24_TRY(book.acknowledge(transaction, id, by));
      return {};
    });
  }
  void resolve(const std::string& id, std::string_view by = {}) {
    write([&](store::Transaction& transaction) -> Result<> {
      MYDR24_TRY(book.resolve(transaction, id, "better", by));
      return {};
    });
  }
  void put_in_force(oncall::Documents documents) {
    auto plan = oncall::Plan::make(std::move(documents), directory.plan()->revision() + 1);
    ASSERT_TRUE(plan) << plan.error().where << ": " << plan.error().text;
    directory.publish(std::make_shared<const oncall::Plan>(std::move(*plan)));
  }
  // Nobody whom a step calls has an address that is told of what becomes of an alert.
  void put_people_in_force() {
    put_in_force({{"contact/ann", R"({"methods":[{"kind":"voice","target":"+15550001","verified":true},
                                                 {"kind":"sms","target":"+15550002","verified":true}]})"},
                  {"contact/bob", R"({"methods":[{"kind":"email","target":"bob@x.org","verified":true}]})"},
                  {"contact/eve", R"({"methods":[{"kind":"voice","target":"+15550003","verified":true}]})"},
                  {"policy/default", R"({"steps":[{"targets":["contact:eve"]}]})"}});
  }
  Result<> subscribe(const std::string& id, std::string_view who) {
    const auto done = store.write(RequestClass::urgent, [&](store::Transaction& transaction) {
      return alerts::subscribe(transaction, *directory.plan(), id, who);
    });
    return done;
  }
  std::vector<std::string> texts() {
    const std::lock_guard lock(chat.mutex);
    std::vector<std::string> all;
    for (const notify::Message& message : chat.told) all.push_back(message.contact + ": " + message.title);
    return all;
  }
  std::size_t rows() {
    std::size_t count = 0;
    EXPECT_TRUE(store.read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(const auto found, reader.states("alert_updates", "", "", 100));
      count = found.size();
      return {};
    }));
    return count;
  }

  ManualClock clock{from_us(1'700'000'000'000'000)};
  store::FakeStore store{clock};
  oncall::Directory directory = *oncall::Directory::make(
      {.contacts = {{"ward", {{notify::Kind::chat, "C1", ""}}}, {"nurse", {{notify::Kind::webhook, "http://x/", ""}}}},
       .steps = {{{"ward", "nurse"}}}});
  Book book{directory};
  Chat chat;
  std::unique_ptr<Updates> updates;
};

TEST_F(UpdatesTest, AChatThatWasCalledIsToldOfTheAcknowledgementAndTheEnd) {
  const std::string id = raise();
  EXPECT_EQ(chat.count(), 0U);
  acknowledge(id);
  ASSERT_EQ(chat.count(), 1U) << "the chat, and not the webhook";
  EXPECT_EQ(chat.told[0].purpose, notify::Purpose::acknowledged);
  EXPECT_EQ(chat.told[0].by, "Ada");
  EXPECT_EQ(chat.told[0].alert_id, id);
  EXPECT_EQ(chat.told[0].patient, "");
  resolve(id);
  ASSERT_EQ(chat.count(), 2U);
  EXPECT_EQ(chat.told[1].purpose, notify::Purpose::resolved);
  EXPECT_EQ(rows(), 0U);
}

TEST_F(UpdatesTest, WhatFailedIsToldAgainLaterAndTenTimesAtMost) {
  chat.set(SendStatus::failed);
  acknowledge(raise());
  EXPECT_EQ(chat.count(), 1U);
  const auto tick = [&] {
    updates->tick();
    ASSERT_TRUE(updates->settle());
  };
  tick();
  EXPECT_EQ(chat.count(), 1U) << "not yet due";
  for (int i = 0; i < 20; ++i) {
    clock.advance(Updates::retry_after * (i + 1));
    tick();
  }
  EXPECT_EQ(chat.count(), static_cast<std::size_t>(Updates::tells_max));
  EXPECT_EQ(rows(), 0U);
}

TEST_F(UpdatesTest, ARestartLosesNone) {
  chat.set(SendStatus::failed);
  acknowledge(raise());
  EXPECT_EQ(rows(), 1U);
  chat.set(SendStatus::delivered);
  restart();
  EXPECT_EQ(chat.count(), 2U);
  EXPECT_EQ(rows(), 0U);
}

TEST_F(UpdatesTest, AServerThatFollowsNoLongerTellsNothingUntilItFollowsAgain) {
  chat.set(SendStatus::failed);
  acknowledge(raise());
  EXPECT_EQ(chat.count(), 1U);
  const auto pass = [&] {
    store.settle();
    ASSERT_TRUE(updates->settle());
    clock.advance(1min);
    updates->tick();
    ASSERT_TRUE(updates->settle());
  };
  chat.set(SendStatus::delivered);
  store.leading = false;
  pass();
  EXPECT_EQ(chat.count(), 1U);
  EXPECT_EQ(rows(), 1U) << "for the server that follows now";
  store.leading = true;
  pass();
  EXPECT_EQ(chat.count(), 2U);
  EXPECT_EQ(rows(), 0U);
}

TEST_F(UpdatesTest, NewsThatIsNoLongerTrueIsNotTold) {
  chat.set(SendStatus::failed);
  const std::string id = raise(Severity::urgent);
  acknowledge(id);
  EXPECT_EQ(chat.count(), 1U);
  raise(Severity::emergency);  // open again
  chat.set(SendStatus::delivered);
  clock.advance(1min);
  updates->tick();
  ASSERT_TRUE(updates->settle());
  EXPECT_EQ(chat.count(), 1U);
  EXPECT_EQ(rows(), 0U);
}

TEST_F(UpdatesTest, AnAddressThatIsGoneIsToldNothing) {
  const std::string id = raise();
  put_in_force({{"contact/nurse", R"({"methods":[{"kind":"webhook","target":"http://x/"}]})"}});
  acknowledge(id);
  EXPECT_EQ(chat.count(), 0U);
  EXPECT_EQ(rows(), 0U);
}

using Texts = std::vector<std::string>;

// ON-20.
TEST_F(UpdatesTest, OnlySubscribersAreToldWhatBecomesOfAnAlertAndNotOfWhatTheyDidThemselves) {
  put_people_in_force();
  const std::string id = raise(), other = raise();
  acknowledge(id, "ann");
  EXPECT_EQ(texts(), Texts{}) << "nobody has subscribed";
  clock.advance(1h);
  store.tick();  // nobody sees to it: open again
  ASSERT_TRUE(subscribe(id, "ann"));
  ASSERT_TRUE(subscribe(id, "BOB@x.org"));
  acknowledge(id, "+15550002");  // Ann
  ASSERT_EQ(texts(), Texts{"bob: Acknowledged by ann: Red score"});
  EXPECT_EQ(chat.told[0].purpose, notify::Purpose::notice);
  EXPECT_EQ(chat.told[0].patient, "");
  resolve(id, "bob");
  EXPECT_EQ(texts(), (Texts{"bob: Acknowledged by ann: Red score", "ann: Resolved by bob: Red score"}));
  EXPECT_EQ(rows(), 0U);
}

TEST_F(UpdatesTest, ASubscriptionEndsAfterSevenDaysAndWhenItIsTakenBack) {
  put_people_in_force();
  const std::string id = raise();
  ASSERT_TRUE(subscribe(id, "ann"));
  ASSERT_TRUE(subscribe(id, "bob"));
  clock.advance(24h * 6);
  ASSERT_TRUE(subscribe(id, "bob"));  // once more
  clock.advance(24h);
  raise(Severity::emergency);  // the same cause
  EXPECT_EQ(texts(), Texts{"bob: Now emergency: Red score"});
  ASSERT_TRUE(store.write(RequestClass::urgent, [&](store::Transaction& transaction) {
    return unsubscribe(transaction, *directory.plan(), id, "bob");
  }));
  resolve(id);
  EXPECT_EQ(texts().size(), 1U);
}

TEST_F(UpdatesTest, AStatusThatCouldNotBeToldInTimeIsNotToldAfterTheSubscriptionEnded) {
  put_people_in_force();
  const std::string id = raise();
  ASSERT_TRUE(subscribe(id, "ann"));
  chat.set(SendStatus::failed);
  acknowledge(id, "bob");
  EXPECT_EQ(chat.count(), 1U);
  clock.advance(24h * 7);
  chat.set(SendStatus::delivered);
  updates->tick();
  ASSERT_TRUE(updates->settle());
  EXPECT_EQ(chat.count(), 1U);
  EXPECT_EQ(rows(), 0U);
}

TEST_F(UpdatesTest, WhoCannotReadATextAndAnAlertThatIsOverCannotBeSubscribed) {
  put_people_in_force();
  const std::string id = raise();
  EXPECT_EQ(subscribe(id, "eve").error().code, Code::invalid);
  EXPECT_EQ(subscribe(id, "nobody").error().code, Code::invalid);
  EXPECT_EQ(subscribe("0", "ann").error().code, Code::not_found);
  resolve(id);
  EXPECT_EQ(subscribe(id, "ann").error().code, Code::conflict);
}

TEST_F(UpdatesTest, AMessageOfAnotherModuleIsToldOnceAndOutlivesARestart) {
  chat.set(SendStatus::failed);
  write([](store::Transaction& transaction) {
    return queue_message(transaction, {.address = {notify::Kind::webhook, "https://a.example/", "secret"},
                                       .text = "An incident was opened",
                                       .document = R"({"id":"1"})"});
  });
  EXPECT_EQ(rows(), 1U);
  chat.set(SendStatus::delivered);
  restart();
  EXPECT_EQ(rows(), 0U);
  ASSERT_EQ(chat.count(), 2U);
  EXPECT_EQ(chat.told[1].title, "An incident was opened");
  EXPECT_EQ(chat.told[1].document, R"({"id":"1"})");
  EXPECT_EQ(chat.told[1].purpose, notify::Purpose::notice);
  EXPECT_EQ(chat.told[1].delivery_id, chat.told[0].delivery_id);
  restart();
  EXPECT_EQ(chat.count(), 2U);
}

}  // namespace
}  // namespace mydr24::alerts
