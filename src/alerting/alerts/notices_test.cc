#include "alerting/alerts/notices.h"

#include <gtest/gtest.h>

#include <mutex>

#include "alerting/alerts/updates.h"
#include "base/core/date_time.h"
#include "storage/store/fake_store.h"

namespace mydr24::alerts {
namespace {

using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

struct Told {
  std::mutex mutex;
  Texts texts;  // "chat C1: On call ..."
  bool fails = false;
};

class FakeChannel : public notify::Channel {
 public:
  FakeChannel(Told& told, notify::Address address) : told_(told), address_(std::move(address)) {}
  std::string_view medium() const override { return to_string(address_.kind); }
  Task<notify::SendOutcome> send(notify::Message message) override {
    const std::lock_guard lock(told_.mutex);
    if (told_.fails) co_return notify::SendOutcome{notify::SendStatus::failed, 0, "as told"};
    told_.texts.push_back(std::string(to_string(address_.kind)) + " " + address_.target + ": " + message.title);
    co_return notify::SendOutcome{notify::SendStatus::delivered, 0, ""};
  }

 private:
  Told& told_;
  const notify::Address address_;
};

// One run of the server.
struct Process {
  Process(store::FakeStore& store, const Clock& clock, const oncall::Directory& directory, Told& told)
      : book(directory),
        notices(book),
        updates(clock, directory,
                [&told](asio::io_context&, const notify::Address& address) -> Result<std::unique_ptr<notify::Channel>> {
                  return std::make_unique<FakeChannel>(told, address);
                }) {
    notices.attach(store);
    EXPECT_TRUE(updates.start(store));
    EXPECT_TRUE(updates.settle());
  }
  ~Process() { updates.stop(); }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  Book book;
  Notices notices;
  Updates updates;
};

// Ann and Bob take turns at 09:00 by the clock of Paris; two chats want to know, and a system at midnight only.
class NoticesTest : public testing::Test {
 protected:
  NoticesTest() { restart(); }

  void restart() {
    process.reset();
    store.forget_process();
    process = std::make_unique<Process>(store, clock, directory, told);
  }
  void change(std::map<std::string, std::optional<std::string>> parts) {
    oncall::PlanPointer next;
    const auto done = store.write(RequestClass::urgent, [&](store::Transaction& transaction) -> Result<> {
      MYDR24_ASSIGN(next, directory.change(transaction, {.parts = std::move(parts), .by = "ann"}));
      return process->notices.plan_changed(transaction, *next);
    });
    ASSERT_TRUE(done) << done.error().where << ": " << done.error().text;
    directory.publish(next);
    run();
  }
  void begin_at(std::string_view at) {
    clock.set(parse_date_time(at).value().low);
    const std::string methods = R"({"methods":[{"kind":"console"}]})";
    change(
        {{"contact/ann", methods},
         {"contact/bob", methods},
         {"schedule/ward", R"({"zone":"Europe/Paris","layers":[{"members":["ann","bob"],"every":"day",
                                 "start":"2026-01-01T09:00"}]})"},
         {"notice/chat", R"({"schedule":"ward","channel":{"kind":"chat","target":"C1"},"daily":false})"},
         {"notice/both", R"({"schedule":"ward","channel":{"kind":"email","target":"a@x.org"}})"},
         {"notice/night", R"({"schedule":"ward","channel":{"kind":"webhook","target":"http://x/"},"changes":false})"}});
  }
  void run() {
    store.tick();
    store.settle();
    ASSERT_TRUE(process->updates.settle());
  }
  // What was told meanwhile.
  Texts after(std::chrono::minutes time) {
    for (std::chrono::minutes passed{0}; passed < time; passed += 1min) {
      clock.advance(1min);
      run();
    }
    const std::lock_guard lock(told.mutex);
    return std::exchange(told.texts, {});
  }

  ManualClock clock{from_us(1'767'225'600'000'000)};
  store::FakeStore store{clock};
  oncall::Directory directory = *oncall::Directory::make({});
  Told told;
  std::unique_ptr<Process> process;
};

// ON-26.
TEST_F(NoticesTest, AChangeAndTheBeginningOfADayAreToldOnceToEachChannel) {
  begin_at("2026-05-10T06:30:00Z");  // 08:30 in Paris
  EXPECT_EQ(after(29min), Texts{}) << "what was so before is no news";
  EXPECT_EQ(after(2min),
            (Texts{"email a@x.org: On call for ward since 2026-05-10T09:00 (Europe/Paris): bob; before: ann",
                   "chat C1: On call for ward since 2026-05-10T09:00 (Europe/Paris): bob; before: ann"}));
  EXPECT_EQ(after(14h + 58min), Texts{});
  EXPECT_EQ(after(2min), (Texts{"email a@x.org: On call for ward on 2026-05-11: bob",
                                "webhook http://x/: On call for ward on 2026-05-11: bob"}));
}

TEST_F(NoticesTest, ARestartTellsNothingTwiceAndLosesNothing) {
  begin_at("2026-05-10T06:30:00Z");
  told.fails = true;
  EXPECT_EQ(after(31min), Texts{});
  restart();
  told.fails = false;
  clock.advance(1min);
  process->updates.tick();
  EXPECT_EQ(after(1min).size(), 2U);
  restart();
  EXPECT_EQ(after(60min), Texts{});
}

TEST_F(NoticesTest, WhileNothingRanOnlyTheLastWordIsTold) {
  begin_at("2026-05-10T06:30:00Z");
  clock.advance(24h * 3);
  EXPECT_EQ(after(1min), (Texts{"email a@x.org: On call for ward on 2026-05-13: bob; before: ann",
                                "chat C1: On call for ward since 2026-05-13T08:31 (Europe/Paris): bob; before: ann",
                                "webhook http://x/: On call for ward on 2026-05-13: bob; before: ann"}));
}

TEST_F(NoticesTest, AChangeOfThePlanIsToldAtOnceAndOneThatIsGoneTellsNothing) {
  begin_at("2026-05-10T08:00:00Z");
  change({{"notice/both", std::nullopt}, {"notice/night", std::nullopt}});
  change({{"override/o", R"({"schedule":"ward","begin":"2026-05-10T08:00:00Z","end":"2026-05-10T09:00:00Z",
                           "add":"ann","remove":"bob"})"}});
  EXPECT_EQ(after(1min), Texts{"chat C1: On call for ward since 2026-05-10T10:00 (Europe/Paris): ann; before: bob"});
  EXPECT_EQ(after(60min), Texts{"chat C1: On call for ward since 2026-05-10T11:00 (Europe/Paris): bob; before: ann"});
}

TEST_F(NoticesTest, ThoseThatCannotWorkAreRefused) {
  begin_at("2026-05-10T08:00:00Z");
  struct Row {
    std::string_view document, where;
  };
  for (const Row& row : {
           Row{R"({"schedule":"none","channel":{"kind":"chat","target":"C2"}})", "notice/n.schedule"},
           Row{R"({"schedule":"ward"})", "notice/n.channel"},
           Row{R"({"schedule":"ward","channel":{"kind":"voice","target":"+15550001"}})", "notice/n.channel.kind"},
           Row{R"({"schedule":"ward","channel":{"kind":"email","target":"nobody"}})", "notice/n.channel.target"},
           Row{R"({"schedule":"ward","channel":{"kind":"chat","target":"C2"},"changes":false,"daily":false})",
               "notice/n.changes"},
           Row{R"({"schedule":"ward","channel":{"kind":"chat","target":"C1"}})", "notice/n.channel"},
       }) {
    oncall::Documents documents = directory.plan()->documents();
    documents["notice/n"] = row.document;
    const auto plan = oncall::Plan::make(std::move(documents));
    ASSERT_FALSE(plan) << row.document;
    EXPECT_EQ(plan.error().where, row.where) << plan.error().text;
  }
}

}  // namespace
}  // namespace mydr24::alerts
