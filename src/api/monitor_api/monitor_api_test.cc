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
  WorkerPool workers(1);
  Service service{store, monitor, [] { return std::string("{}"); }, workers, clock, "secret"};
  pipeline::Router router;
  add_routes(router, service);
  std::set<std::string> rows;
  for (const auto& route : router.routes()) {
    EXPECT_TRUE(route.handler && !route.interaction.empty()) << route.pattern;
    EXPECT_EQ(route.open, route.interaction == "monitor-probe");
    EXPECT_EQ(route.unrecorded, route.interaction == "monitor-probe");
    rows.insert(std::string(net::to_string(route.method)) + ' ' + route.pattern);
  }
  const std::set<std::string> expected{"GET /api/v1/monitor",
                                       "GET /api/v1/monitor/channels",
                                       "GET /api/v1/monitor/rules",
                                       "PUT /api/v1/monitor/rules",
                                       "POST /api/v1/monitor/rules/preview",
                                       "GET /api/v1/monitor/changes",
                                       "POST /api/v1/monitor/probe",
                                       "GET /api/v1/monitor/slos",
                                       "GET /api/v1/monitor/slos/{name}",
                                       "DELETE /api/v1/monitor/slos/{name}",
                                       "GET /api/v1/monitor/openslo",
                                       "POST /api/v1/monitor/openslo",
                                       "GET /api/v1/monitor/prometheus-rules"};
  EXPECT_EQ(rows, expected);
}

}  // namespace
}  // namespace mydr24::monitor_api
