#include "api/oncall_api/oncall_api.h"

#include <gtest/gtest.h>

#include <set>

#include "api/oncall_api/detail/exchange.h"
#include "storage/store/fake_store.h"

namespace mydr24::oncall_api {
namespace {

TEST(OnCallApi, TheTableOfRoutesIsComplete) {
  ManualClock clock{from_us(0)};
  store::FakeStore store(clock);
  alerts::Book book(*oncall::Directory::make({}));
  alerts::Monitors monitors(book);
  WorkerPool workers(1);
  alerts::Notices notices(book);
  OnCall oncall{store, book, monitors, notices, workers, clock};
  pipeline::Router router;
  add_routes(router, oncall);
  std::set<std::string> rows;
  for (const auto& route : router.routes()) {
    EXPECT_TRUE(route.handler && !route.interaction.empty()) << route.pattern;
    rows.insert(std::string(net::to_string(route.method)) + ' ' + route.pattern);
  }
  const std::set<std::string> expected{"GET /api/v1/oncall/plan",
                                       "PUT /api/v1/oncall/plan",
                                       "GET /api/v1/oncall/parts/{kind}",
                                       "GET /api/v1/oncall/parts/{kind}/{name}",
                                       "PUT /api/v1/oncall/parts/{kind}/{name}",
                                       "DELETE /api/v1/oncall/parts/{kind}/{name}",
                                       "GET /api/v1/oncall/who",
                                       "GET /api/v1/oncall/shifts",
                                       "GET /api/v1/oncall/coverage",
                                       "POST /api/v1/oncall/swap",
                                       "GET /api/v1/oncall/calendars/{secret}",
                                       "POST /api/v1/oncall/test-page",
                                       "POST /api/v1/oncall/heartbeats/{name}",
                                       "POST /api/v1/alerts/{id}/escalate",
                                       "POST /api/v1/alerts/{id}/policy",
                                       "GET /api/v1/alerts/{id}/subscribers",
                                       "POST /api/v1/alerts/{id}/subscribers",
                                       "DELETE /api/v1/alerts/{id}/subscribers/{name}",
                                       "GET /api/v1/alert-overrides",
                                       "POST /api/v1/alert-overrides",
                                       "POST /api/v1/alert-overrides/{id}/confirm",
                                       "DELETE /api/v1/alert-overrides/{id}"};
  EXPECT_EQ(rows, expected);
}

Result<oncall::Plan> ward() {
  oncall::Documents documents;
  for (const char* name : {"ann", "bob", "eve"})
    documents[std::string("contact/") + name] = R"({"methods":[{"kind":"console"}]})";
  documents["schedule/ward"] = R"({"zone":"Etc/UTC","layers":[
      {"name":"day","members":["ann"],"every":"day","start":"2026-01-01T08:00","windows":[{"from":"08:00","to":"20:00"}]},
      {"name":"night","members":["bob"],"every":"day","start":"2026-01-01T20:00","windows":[{"from":"20:00","to":"08:00"}]}]})";
  documents["override/x"] = R"({"schedule":"ward","begin":"2026-03-02T08:00:00Z","end":"2026-03-02T20:00:00Z",
      "remove":"ann","add":"eve"})";
  documents["policy/default"] = R"({"steps":[{"targets":["schedule:ward"],"delay_s":30}]})";
  documents["defaults/main"] = R"({"policy":{"emergency":"default","urgent":"default","advisory":"default"}})";
  return oncall::Plan::make(std::move(documents));
}

TEST(OnCallApi, ShiftsOfALayerAreItsRotationWithoutOverrides) {
  const auto plan = ward();
  ASSERT_TRUE(plan) << plan.error().text;
  const std::string range = "schedule=ward&from=2026-03-02T08:00:00Z&to=2026-03-02T20:00:00Z";
  const auto whole = shifts(*plan, from_us(0), range);
  ASSERT_TRUE(whole) << whole.error().text;
  EXPECT_NE(whole->find(R"("who":"eve")"), std::string::npos) << *whole;
  EXPECT_EQ(whole->find(R"("who":"ann")"), std::string::npos) << *whole;
  const auto day = shifts(*plan, from_us(0), range + "&layer=0");
  ASSERT_TRUE(day) << day.error().text;
  EXPECT_NE(day->find(R"("who":"ann")"), std::string::npos) << *day;
  EXPECT_EQ(day->find(R"("who":"eve")"), std::string::npos) << *day;
  const auto night = shifts(*plan, from_us(0), range + "&layer=1");
  ASSERT_TRUE(night) << night.error().text;
  EXPECT_NE(night->find(R"("shifts":[])"), std::string::npos) << *night;
  for (const char* wrong : {"&layer=2", "&layer=-1", "&layer=day"})
    EXPECT_FALSE(shifts(*plan, from_us(0), range + wrong)) << wrong;
}

}  // namespace
}  // namespace mydr24::oncall_api
