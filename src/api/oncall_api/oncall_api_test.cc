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

}  // namespace
}  // namespace mydr24::oncall_api
