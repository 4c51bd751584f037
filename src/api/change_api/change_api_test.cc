#include "api/change_api/change_api.h"

#include <gtest/gtest.h>

#include <set>

#include "storage/store/fake_store.h"

namespace mydr24::change_api {
namespace {

TEST(ChangeApi, ASettingIsChangedByAChangeAndInNoOtherWay) {
  ManualClock clock{from_us(0)};
  store::FakeStore store(clock);
  live_settings::Registry settings(store);
  changes::Book book(store, changes::standard_policy(), settings);
  WorkerPool workers(1);
  Desk desk{store, book, workers, clock};
  pipeline::Router router;
  add_routes(router, desk);
  std::set<std::string> writes;
  for (const auto& route : router.routes()) {
    EXPECT_TRUE(route.handler && !route.interaction.empty() && !route.summary.empty()) << route.pattern;
    EXPECT_FALSE(route.open) << route.pattern;
    const bool reads = route.method == net::Method::get;
    if (route.pattern.starts_with("/api/v1/settings")) EXPECT_TRUE(reads) << route.pattern;
    if (!reads) writes.insert(route.interaction);
  }
  for (const char* needed : {"change-propose", "change-edit", "change-approve", "change-reject", "change-start",
                             "change-abort", "change-rollback", "change-review", "change-freeze-add"})
    EXPECT_TRUE(writes.contains(needed)) << needed;
}

}  // namespace
}  // namespace mydr24::change_api
