#include "api/change_api/change_api.h"

#include <gtest/gtest.h>

#include <set>

#include "storage/store/fake_store.h"

namespace mydr24::change_api {
namespace {

TEST(ChangeApi, TheTableOfRoutesIsComplete) {
  ManualClock clock{from_us(0)};
  store::FakeStore store(clock);
  const live_settings::Registry settings(store);
  const changes::Book book(store, changes::standard_policy(), settings);
  WorkerPool workers(1);
  Desk desk{store, book, workers, clock};
  pipeline::Router router;
  add_routes(router, desk);
  std::set<std::string> rows;
  for (const auto& route : router.routes()) {
    EXPECT_TRUE(route.handler && !route.summary.empty() && !route.open) << route.pattern;
    EXPECT_TRUE(route.interaction.starts_with("change-") || route.interaction.starts_with("setting-")) << route.pattern;
    // Nothing but a change changes a setting.
    EXPECT_TRUE(!route.pattern.starts_with("/api/v1/settings") || route.method == net::Method::get) << route.pattern;
    rows.insert(std::string(net::to_string(route.method)) + ' ' + route.pattern);
  }
  EXPECT_EQ(rows.size(), router.routes().size());
  EXPECT_EQ(rows.size(), 22U);
  for (const auto* row : {"POST /api/v1/changes", "PUT /api/v1/changes/{id}", "POST /api/v1/changes/{id}/approve",
                          "POST /api/v1/changes/{id}/start", "POST /api/v1/changes/{id}/rollback",
                          "DELETE /api/v1/change-freezes/{id}", "GET /api/v1/settings/{name}"})
    EXPECT_TRUE(rows.contains(row)) << row;
}

}  // namespace
}  // namespace mydr24::change_api
