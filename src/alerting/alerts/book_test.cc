#include "alerting/alerts/book.h"

#include <gtest/gtest.h>

#include "base/core/id.h"
#include "storage/store/fake_store.h"

namespace mydr24::alerts {
namespace {

using namespace std::chrono_literals;

oncall::Directory nurse_then_doctor() {
  return *oncall::Directory::make(
      {.contacts = {{"nurse", {{notify::Kind::webhook, "http://127.0.0.1:1/nurse", "s"}, {}}},
                    {"doctor", {{notify::Kind::webhook, "http://127.0.0.1:1/doctor", "s"}}}},
       .steps = {{{"nurse"}}, {{"doctor"}}}});
}

class BookTest : public testing::Test {
 protected:
  BookTest() { book_.attach(store_); }

  template <class T>
  Result<T> in_transaction(const std::function<Result<T>(store::Transaction&)>& work) {
    std::optional<Result<T>> value;
    (void)store_.write(RequestClass::emergency, [&](store::Transaction& transaction) -> Result<> {
      value.emplace(work(transaction));
      if (!*value) return value->error();
      return {};
    });
    return *value;
  }

  Raise red_score(Severity severity = Severity::urgent) {
    return {"vitals", "vitals/Patient/1", severity, "Patient/1", "Early warning score", "NEWS2 5", R"({"total":5})"};
  }
  Raised raise(Severity severity = Severity::urgent) {
    const auto raised =
        in_transaction<Raised>([&](store::Transaction& t) { return book_.raise(t, red_score(severity)); });
    EXPECT_TRUE(raised) << raised.error().text;
    return *raised;
  }
  Result<Alert> acknowledge(const std::string& id, const std::string& by) {
    return in_transaction<Alert>([&](store::Transaction& t) { return book_.acknowledge(t, id, by, "on my way"); });
  }
  Result<Alert> resolve(const std::string& id) {
    return in_transaction<Alert>([&](store::Transaction& t) { return book_.resolve(t, id, "score 2"); });
  }
  Alert alert(const std::string& id) {
    return **in_transaction<std::optional<Alert>>([&](store::Transaction& t) { return Book::find(t, id); });
  }
  std::vector<Delivery> deliveries(const std::string& id) {
    return *in_transaction<std::vector<Delivery>>([&](store::Transaction& t) { return Book::deliveries(t, id); });
  }
  AlertPage list(ListQuery query) {
    return *in_transaction<AlertPage>([&](store::Transaction& t) { return Book::list(t, query); });
  }
  Instant now() { return std::chrono::floor<std::chrono::milliseconds>(clock_.now()); }
  void after(Microseconds time) {
    clock_.advance(time);
    store_.tick();
  }

  ManualClock clock_{from_us(1'700'000'000'000'321)};
  store::FakeStore store_{clock_};
  const oncall::Directory directory_ = nurse_then_doctor();
  Book book_{directory_};
};

TEST_F(BookTest, ARaisedAlertHasItsCallsItsEventAndItsTimer) {
  const Raised raised = raise();
  EXPECT_FALSE(raised.joined);
  EXPECT_TRUE(raised.notified);
  const Alert found = alert(raised.id);
  EXPECT_EQ(found.state, State::open);
  EXPECT_EQ(found.values, R"({"total":5})");
  EXPECT_EQ(found.next_due, now() + 30s);
  const auto calls = deliveries(raised.id);
  ASSERT_EQ(calls.size(), 2U);
  EXPECT_EQ(calls[0].id, raised.id + "-r00000-c00");
  EXPECT_TRUE(is_fhir_id(calls[1].id));
  EXPECT_EQ(calls[0].medium, "webhook");
  EXPECT_EQ(calls[1].medium, "console");
  EXPECT_EQ(store_.timers(), 1U);
  ASSERT_EQ(store_.events_of("alert.raised").size(), 1U);
  const auto event = event_from_json(store_.events_of("alert.raised")[0].payload);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->deliveries, (std::vector<std::string>{calls[0].id, calls[1].id}));
}

TEST_F(BookTest, AFailedTransactionLeavesNothing) {
  (void)store_.write(RequestClass::emergency, [&](store::Transaction& t) -> Result<> {
    MYDR24_TRY(book_.raise(t, red_score()));
    return fail(Code::conflict, "the write that raised it was refused");
  });
  EXPECT_TRUE(list({}).alerts.empty());
  EXPECT_EQ(store_.timers(), 0U);
  EXPECT_TRUE(store_.events_of("alert.raised").empty());
}

TEST_F(BookTest, TheSameCauseJoinsTheAlertThatIsNotResolved) {
  const Raised first = raise();
  const Raised second = raise();
  EXPECT_EQ(second.id, first.id);
  EXPECT_TRUE(second.joined);
  EXPECT_FALSE(second.notified);
  EXPECT_EQ(deliveries(first.id).size(), 2U);
  EXPECT_EQ(store_.events_of("alert.updated").size(), 1U);
  ASSERT_TRUE(resolve(first.id));
  EXPECT_NE(raise().id, first.id);
}

TEST_F(BookTest, AHigherSeverityCallsAgainEvenAfterAnAcknowledgement) {
  const Raised first = raise();
  ASSERT_TRUE(acknowledge(first.id, "nurse"));
  const Raised second = raise(Severity::emergency);
  EXPECT_EQ(second.id, first.id);
  EXPECT_TRUE(second.notified);
  const Alert found = alert(first.id);
  EXPECT_EQ(found.state, State::open);
  EXPECT_EQ(found.severity, Severity::emergency);
  EXPECT_EQ(found.round, 1);
  EXPECT_EQ(found.step, 0);
  EXPECT_TRUE(found.acknowledged_by.empty());
  EXPECT_EQ(store_.timers(), 1U);
  EXPECT_EQ(list({}).alerts.size(), 1U);
  raise(Severity::urgent);
  EXPECT_EQ(alert(first.id).severity, Severity::emergency);
}

TEST_F(BookTest, WithoutAnAnswerTheNextStepIsCalledAndTheLastOneAgainAndAgain) {
  const Raised raised = raise();
  after(29s);
  EXPECT_EQ(alert(raised.id).step, 0);
  after(1s);
  EXPECT_EQ(alert(raised.id).step, 1);
  EXPECT_FALSE(alert(raised.id).repeat);
  for (int round = 2; round < 12; ++round) {
    after(30s);
    EXPECT_EQ(alert(raised.id).step, 1);
    EXPECT_EQ(alert(raised.id).round, round);
    EXPECT_TRUE(alert(raised.id).repeat);
  }
  EXPECT_EQ(deliveries(raised.id).back().contact, "doctor");
  EXPECT_TRUE(deliveries(raised.id).back().repeat);
  EXPECT_EQ(store_.events_of("alert.escalated").size(), 11U);
}

TEST_F(BookTest, AnOverdueTimerCallsOnceAndNotForEveryMissedStep) {
  const Raised raised = raise();
  after(1h);
  EXPECT_EQ(alert(raised.id).round, 1);
  EXPECT_EQ(alert(raised.id).next_due, now() + 30s);
}

TEST_F(BookTest, AnAcknowledgementStopsTheCalls) {
  const Raised raised = raise();
  const auto acknowledged = acknowledge(raised.id, "nurse");
  ASSERT_TRUE(acknowledged);
  EXPECT_EQ(acknowledged->state, State::acknowledged);
  EXPECT_EQ(acknowledged->acknowledged_note, "on my way");
  EXPECT_EQ(acknowledged->ack_expires, now() + 30min);
  for (const Delivery& delivery : deliveries(raised.id)) EXPECT_EQ(delivery.state, DeliveryState::cancelled);
  after(10min);
  EXPECT_EQ(alert(raised.id).round, 0);
}

TEST_F(BookTest, TheSamePersonMayAcknowledgeTwiceAndAnotherIsToldWhoWasFirst) {
  const Raised raised = raise();
  ASSERT_TRUE(acknowledge(raised.id, "nurse"));
  EXPECT_TRUE(acknowledge(raised.id, "nurse"));
  EXPECT_EQ(store_.events_of("alert.acknowledged").size(), 1U);
  const auto other = acknowledge(raised.id, "doctor");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Code::conflict);
  EXPECT_NE(other.error().text.find("nurse"), std::string::npos);
  EXPECT_EQ(acknowledge("nothing", "nurse").error().code, Code::not_found);
  EXPECT_EQ(acknowledge(raised.id, "").error().code, Code::invalid);
}

TEST_F(BookTest, AResolvedAlertCanStillBeSeenAndAcknowledged) {
  const Raised raised = raise();
  ASSERT_TRUE(resolve(raised.id));
  ASSERT_TRUE(resolve(raised.id));
  EXPECT_EQ(store_.events_of("alert.resolved").size(), 1U);
  EXPECT_EQ(store_.timers(), 0U);
  const auto acknowledged = acknowledge(raised.id, "nurse");
  ASSERT_TRUE(acknowledged);
  EXPECT_EQ(acknowledged->state, State::resolved);
}

TEST_F(BookTest, ListsTheMostSevereFirstThenTheNewest) {
  std::vector<std::string> ids;
  for (const auto& [cause, severity] : std::vector<std::pair<std::string, Severity>>{
           {"a", Severity::urgent}, {"b", Severity::emergency}, {"c", Severity::urgent}, {"d", Severity::emergency}}) {
    Raise each = red_score(severity);
    each.cause = cause;
    ids.push_back(in_transaction<Raised>([&](store::Transaction& t) { return book_.raise(t, each); })->id);
    clock_.advance(1s);
  }
  const auto causes = [](const AlertPage& page) {
    std::string all;
    for (const Alert& each : page.alerts) all += each.cause;
    return all;
  };
  EXPECT_EQ(causes(list({})), "dbca");
  const AlertPage first = list({.count = 3});
  EXPECT_EQ(causes(first), "dbc");
  const AlertPage second = list({.count = 3, .after = first.next});
  EXPECT_EQ(causes(second), "a");
  EXPECT_TRUE(second.next.empty());
  ASSERT_TRUE(resolve(ids[3]));
  clock_.advance(1s);
  ASSERT_TRUE(resolve(ids[0]));
  EXPECT_EQ(causes(list({})), "bc");
  EXPECT_EQ(causes(list({.resolved = true})), "ad");
}

TEST_F(BookTest, TheHistoryOfAnAlertTellsWhatHappenedInOrder) {
  const Raised raised = raise();
  after(30s);
  ASSERT_TRUE(acknowledge(raised.id, "nurse"));
  ASSERT_TRUE(resolve(raised.id));
  const auto history =
      in_transaction<std::vector<HistoryEntry>>([&](store::Transaction& t) { return Book::history(t, raised.id); });
  ASSERT_TRUE(history);
  std::vector<std::string> kinds;
  for (const HistoryEntry& entry : *history) kinds.push_back(entry.kind);
  EXPECT_EQ(kinds,
            (std::vector<std::string>{"alert.raised", "alert.escalated", "alert.acknowledged", "alert.resolved"}));
  EXPECT_EQ((*history)[1].at, now());
  const auto later = in_transaction<std::vector<HistoryEntry>>(
      [&](store::Transaction& t) { return Book::history(t, raised.id, (*history)[1].sequence); });
  EXPECT_EQ(later->size(), 2U);
}

TEST_F(BookTest, ThePlanOfTheSettingsIsFollowedAndAPolicyThatIsNamedGoesBeforeIt) {
  const auto raised = in_transaction<Raised>([&](store::Transaction& t) {
    Raise wanted = red_score();
    wanted.policy = "operations-emergency";
    return book_.raise(t, wanted);
  });
  ASSERT_TRUE(raised);
  const Alert found = alert(raised->id);
  EXPECT_EQ(found.policy, "operations-emergency");
  EXPECT_EQ(found.next_due, now() + 15s);
  EXPECT_EQ(alert(raise().id).policy, "operations-emergency");  // joined
}

TEST_F(BookTest, WhoAnsweredHowIsKept) {
  const Raised raised = raise();
  const auto acknowledged = in_transaction<Alert>(
      [&](store::Transaction& t) { return book_.acknowledge(t, raised.id, "nurse", "on my way", "sms"); });
  ASSERT_TRUE(acknowledged);
  EXPECT_EQ(alert(raised.id).acks, (std::vector<Acknowledgement>{{"nurse", now(), "on my way", "sms"}}));
  EXPECT_NE(store_.events_of("alert.acknowledged")[0].payload.find(R"("via":"sms")"), std::string::npos);
}

TEST_F(BookTest, ATestPageCallsOnceByEveryMethodAndEndsByItself) {
  const auto page = in_transaction<Alert>([&](store::Transaction& t) { return book_.test_page(t, {"nurse"}, "boss"); });
  ASSERT_TRUE(page) << page.error().text;
  EXPECT_EQ(page->title.substr(0, 4), "TEST");
  EXPECT_EQ(deliveries(page->id).size(), 2U);
  after(4min);
  EXPECT_EQ(deliveries(page->id).size(), 2U);
  EXPECT_EQ(alert(page->id).state, State::open);
  after(1min);
  EXPECT_EQ(alert(page->id).state, State::resolved);
  const auto unknown =
      in_transaction<Alert>([&](store::Transaction& t) { return book_.test_page(t, {"porter"}, "b"); });
  EXPECT_EQ(unknown.error().where, "contacts[0]");
}

TEST_F(BookTest, AnOverrideNeedsReasonNameAndTime) {
  const auto ask = [&](std::string_view cause, std::string_view reason, int minutes, std::string_view by) {
    return in_transaction<Override>([&](store::Transaction& t) {
      return book_.request_override(t, cause, reason, std::chrono::minutes(minutes), by);
    });
  };
  EXPECT_EQ(ask("", "drill", 10, "dora").error().where, "cause");
  EXPECT_EQ(ask("*", "drill", 10, "dora").error().where, "cause");
  EXPECT_EQ(ask("a", "", 10, "dora").error().where, "reason");
  EXPECT_EQ(ask("a", "drill", 0, "dora").error().where, "minutes");
  EXPECT_EQ(ask("a", "drill", 31, "dora").error().where, "minutes");
  EXPECT_EQ(ask("a", "drill", 10, "").error().where, "by");
  const auto entry = ask("a", "drill", 10, "dora");
  ASSERT_TRUE(entry);
  const auto confirm = [&](std::string_view by) {
    return in_transaction<Override>([&](store::Transaction& t) { return book_.confirm_override(t, entry->id, by); });
  };
  EXPECT_EQ(confirm("dora").error().code, Code::refused);
  clock_.advance(override_request_valid + 1s);
  EXPECT_EQ(confirm("erik").error().code, Code::gone);
  EXPECT_EQ(store_.events_of("alert.override_requested").size(), 1U);
}

TEST(AlertJson, ReadsBackWhatItWrote) {
  Alert alert{.id = "a",
              .source = "vitals",
              .cause = "c",
              .severity = Severity::emergency,
              .patient = "Patient/1",
              .title = "\"quoted\"",
              .values = R"({"x":1})",
              .state = State::acknowledged,
              .raised_at = from_us(1'700'000'000'123'000),
              .step = 2,
              .round = 7,
              .repeat = true,
              .acknowledged_by = "n",
              .acknowledged_at = from_us(1'700'000'001'000'000)};
  const auto read = alert_from_json(to_json(alert));
  ASSERT_TRUE(read);
  EXPECT_EQ(to_json(*read), to_json(alert));
  EXPECT_EQ(read->title, "\"quoted\"");
  EXPECT_EQ(read->raised_at, alert.raised_at);
  EXPECT_FALSE(alert_from_json("{}"));
  EXPECT_FALSE(alert_from_json("nonsense"));
}

}  // namespace
}  // namespace mydr24::alerts
