#include "clinical/vitals/chart.h"

#include <gtest/gtest.h>

#include "alerting/alerts/book.h"
#include "fhir/model/validate.h"
#include "storage/store/fake_store.h"

namespace mydr24::vitals {
namespace {

using namespace std::chrono_literals;

const Instant start = from_us(1'700'000'000'000'000);

void expect_valid(const std::string& text) {
  const auto document = json::Document::parse(text);
  ASSERT_TRUE(document) << text;
  for (const model::Issue& issue : model::validate(document->root()))
    ADD_FAILURE() << issue.expression << ": " << issue.diagnostics << '\n' << text;
}

alerts::Alert red_score() {
  return {.id = "a1",
          .source = "vitals",
          .cause = "c",
          .severity = alerts::Severity::emergency,
          .patient = "Patient/1",
          .title = "Early warning score: high",
          .reason = "NEWS2 9",
          .raised_at = start,
          .changed_at = start,
          .next_due = start + 30s};
}

alerts::Delivery call(int round, alerts::DeliveryState state) {
  return {.id = alerts::delivery_id("a1", round, 0),
          .alert_id = "a1",
          .round = round,
          .contact = "nurse",
          .medium = "webhook",
          .state = state,
          .attempts = 1,
          .called_at = start + 30s * round,
          .due_at = start + 30s * (round + 1),
          .sent_at = start + 1s,
          .text = state == alerts::DeliveryState::failed ? "the receiver is gone for good (410)" : ""};
}

TEST(Chart, EveryFormIsValidInEveryState) {
  alerts::Alert alert = red_score();
  const auto check = [&alert] {
    expect_valid(flag_of(alert));
    for (const auto state : {alerts::DeliveryState::delivered, alerts::DeliveryState::failed})
      for (const int round : {0, 1}) {
        expect_valid(communication_of(alert, call(round, state)));
        expect_valid(task_of(alert, call(round, state)));
      }
  };
  check();
  alert.round = 1;
  check();
  alert.acknowledged_at = start + 40s;
  alert.acknowledged_by = "doctor";
  alert.state = alerts::State::acknowledged;
  check();
  alert.state = alerts::State::resolved;
  alert.resolved_at = start + 50s;
  alert.resolved_why = "NEWS2 2";
  check();
  alert.acknowledged_at.reset();
  alert.acknowledged_by.clear();
  check();
}

TEST(Chart, ATaskSaysWhatBecameOfTheCall) {
  const auto status = [](const alerts::Alert& alert, int round) {
    const auto document = json::Document::parse(task_of(alert, call(round, alerts::DeliveryState::delivered)));
    return std::string(document->root()["status"].text());
  };
  alerts::Alert alert = red_score();
  EXPECT_EQ(status(alert, 0), "requested");
  alert.round = 1;
  EXPECT_EQ(status(alert, 0), "failed");
  EXPECT_EQ(status(alert, 1), "requested");
  alert.state = alerts::State::resolved;
  alert.resolved_why = "NEWS2 2";
  EXPECT_EQ(status(alert, 1), "cancelled");
  alert.acknowledged_at = start;
  EXPECT_EQ(status(alert, 1), "completed");
}

TEST(Chart, WritesOneFlagATaskForEveryCallAndNothingTwice) {
  ManualClock clock(start);
  store::FakeStore store(clock);
  const oncall::Directory directory = *oncall::Directory::make({});
  alerts::Book book(directory);
  book.attach(store);
  records::Records records(store, clock);
  Chart chart(records);
  store.add_follower(chart);
  std::string id;
  const auto write = [&store](auto work) { EXPECT_TRUE(store.write(RequestClass::emergency, std::move(work))); };
  write([&](store::Transaction& transaction) -> Result<> {
    MYDR24_ASSIGN(const alerts::Raised raised, book.raise(transaction, {"vitals", "c", alerts::Severity::emergency,
                                                                        "Patient/1", "Red score", "NEWS2 9", ""}));
    id = raised.id;
    MYDR24_TRY(book.raise(transaction, {"monitor", "disk", alerts::Severity::urgent, "", "Disk full", "", ""}));
    return {};
  });
  store.settle();
  EXPECT_EQ(store.resources().size(), 2U);
  EXPECT_EQ(store.versions_of("Flag/" + id), 1);
  clock.advance(30s);
  store.tick();
  store.settle();
  EXPECT_EQ(store.versions_of("Flag/" + id), 1);
  EXPECT_EQ(store.versions_of("Task/" + task_id(id, 0)), 2);
  EXPECT_EQ(store.versions_of("Task/" + task_id(id, 1)), 1);
  write([&](store::Transaction& transaction) -> Result<> {
    MYDR24_TRY(book.acknowledge(transaction, id, "doctor"));
    MYDR24_TRY(book.resolve(transaction, id, "NEWS2 2"));
    return {};
  });
  store.settle();
  EXPECT_EQ(store.versions_of("Flag/" + id), 2);
  EXPECT_EQ(store.versions_of("Task/" + task_id(id, 1)), 2);
  // Given again, as after a crash between the write and the cursor.
  std::vector<store::Event> again;
  for (const std::string_view kind : {"alert.raised", "alert.escalated", "alert.acknowledged", "alert.resolved"})
    for (store::Event& event : store.events_of(kind)) again.push_back(std::move(event));
  ASSERT_TRUE(chart.follow(again));
  EXPECT_EQ(store.versions_of("Flag/" + id), 2);
  EXPECT_EQ(store.versions_of("Task/" + task_id(id, 0)), 2);
  EXPECT_EQ(chart.rejected(), 0);
}

}  // namespace
}  // namespace mydr24::vitals
