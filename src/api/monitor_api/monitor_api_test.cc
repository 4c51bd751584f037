#include "api/monitor_api/monitor_api.h"

#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "storage/store/fake_store.h"

namespace mydr24::monitor_api {
namespace {

TEST(MonitorApi, TheTableOfRoutesIsComplete) {
  ManualClock clock{from_us(0)};
  store::FakeStore store(clock);
  alerts::Book book(*oncall::Directory::make({}));
  std::ostringstream lines;
  telemetry::Log log({}, clock, lines);
  monitor::Monitor monitor(store, book, clock, log);
  Service service{store, monitor, [] { return std::string("{}"); }, clock, "secret"};
  pipeline::Router router;
  add_routes(router, service);
  std::set<std::string> rows;
  for (const auto& route : router.routes()) {
    EXPECT_TRUE(route.handler && !route.interaction.empty()) << route.pattern;
    EXPECT_EQ(route.open, route.interaction == "monitor-probe");
    rows.insert(std::string(net::to_string(route.method)) + ' ' + route.pattern);
  }
  const std::set<std::string> expected{"GET /api/monitor",
                                       "GET /api/monitor/channels",
                                       "GET /api/monitor/rules",
                                       "PUT /api/monitor/rules",
                                       "POST /api/monitor/rules/preview",
                                       "GET /api/monitor/changes",
                                       "POST /api/monitor/probe",
                                       "GET /api/monitor/slos",
                                       "GET /api/monitor/slos/{name}",
                                       "DELETE /api/monitor/slos/{name}",
                                       "GET /api/monitor/openslo",
                                       "POST /api/monitor/openslo",
                                       "GET /api/monitor/prometheus-rules"};
  EXPECT_EQ(rows, expected);
}

}  // namespace
}  // namespace mydr24::monitor_api
