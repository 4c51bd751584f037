#include "alerting/alerts/unwritten.h"

#include <gtest/gtest.h>

#include "storage/store/fake_store.h"

namespace mydr24::alerts {
namespace {

using namespace std::chrono_literals;
using Calls = std::vector<std::string>;

class UnwrittenTest : public testing::Test {
 protected:
  // A write that would raise this, as the records do when the store does not take it.
  void refused(std::string cause, Severity severity = Severity::emergency) {
    const Unwritten::Work work = [this, cause, severity](store::Transaction& transaction) -> Result<> {
      MYDR24_TRY(book.raise(transaction, {.source = "vitals", .cause = cause, .severity = severity, .title = cause}));
      return {};
    };
    EXPECT_EQ(store.write(RequestClass::urgent, work).error().code, Code::full);
    unwritten.rehearse(work);
  }
  Calls after(std::chrono::seconds time) {
    for (std::chrono::seconds passed{0}; passed < time; passed += 1s) {
      clock.advance(1s);
      unwritten.tick();
    }
    return std::exchange(calls, {});
  }
  std::optional<Alert> alert(std::string_view cause) {
    std::optional<Alert> found;
    EXPECT_TRUE(store.read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(found, Book::find_unresolved(reader, cause));
      return {};
    }));
    return found;
  }

  ManualClock clock{from_us(1'700'000'000'000'000)};
  store::FakeStore store{clock};
  Book book{*oncall::Directory::make({})};
  Calls calls;
  Unwritten unwritten{book, store, clock, [this](const Unrecorded& emergency) {
                        calls.push_back(emergency.title + " " + std::to_string(emergency.round));
                      }};
};

TEST_F(UnwrittenTest, PeopleAreCalledAtOnceAndAgainUntilTheAlertIsWrittenDown) {
  store.full = true;
  refused("a");
  EXPECT_EQ(after(0s), Calls{"a 0"});
  EXPECT_EQ(unwritten.count(), 1);
  refused("a");  // its sender tries again
  EXPECT_EQ(after(29s), Calls{});
  EXPECT_EQ(after(31s), (Calls{"a 1", "a 2"}));
  EXPECT_FALSE(alert("a"));
  store.full = false;
  EXPECT_EQ(after(60s), Calls{});
  EXPECT_EQ(unwritten.count(), 0);
  ASSERT_TRUE(alert("a"));
  EXPECT_EQ(alert("a")->severity, Severity::emergency);
  EXPECT_NE(alert("a")->reason.find("could not be stored"), std::string::npos);
}

TEST_F(UnwrittenTest, OnlyEmergenciesThatWouldCallAreCalledAbout) {
  ASSERT_TRUE(store.write(RequestClass::urgent, [&](store::Transaction& transaction) -> Result<> {
    MYDR24_TRY(book.raise(transaction, {.source = "vitals", .cause = "open", .severity = Severity::emergency}));
    MYDR24_TRY(book.raise(transaction, {.source = "vitals", .cause = "worse", .severity = Severity::urgent}));
    return {};
  }));
  store.full = true;
  refused("open");
  refused("urgent", Severity::urgent);
  EXPECT_EQ(after(1s), Calls{});
  refused("worse");
  EXPECT_EQ(after(1s), Calls{"worse 0"});
  store.full = false;
  EXPECT_EQ(after(1s), Calls{});
  EXPECT_EQ(alert("worse")->severity, Severity::emergency);
}

TEST_F(UnwrittenTest, WhenItsSenderIsQuickerNothingIsRaisedTwice) {
  store.full = true;
  refused("a");
  store.full = false;
  std::string id;
  ASSERT_TRUE(store.write(RequestClass::urgent, [&](store::Transaction& transaction) -> Result<> {
    MYDR24_ASSIGN(
        const Raised raised,
        book.raise(transaction, {.source = "vitals", .cause = "a", .severity = Severity::emergency, .title = "a"}));
    id = raised.id;
    return {};
  }));
  EXPECT_EQ(after(60s), Calls{"a 0"});
  EXPECT_EQ(unwritten.count(), 0);
  EXPECT_EQ(alert("a")->id, id);
  EXPECT_EQ(store.events_of("alert.updated").size(), 0U);
}

}  // namespace
}  // namespace mydr24::alerts
