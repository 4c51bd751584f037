// mydr24 monitor query against a server in the same process.

#include <chrono>
#include <thread>

#include "app/cli/command_fixture.h"

namespace mydr24::cli {
namespace {

class MonitorQuery : public CommandTest {
 protected:
  static void SetUpTestSuite() {
    begin([](server::Settings& settings) { settings.series.collect_every_s = 1; });
    for (int i = 0; i < 100 && query({"count_over_time(mydr24_store_commits_total[1m]) > 1"}).out.empty(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  static Ran query(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"monitor", "query"});
    return mydr24(std::move(arguments));
  }
};

TEST_F(MonitorQuery, AnInstantIsAValueAndItsLabelsALine) {
  EXPECT_EQ(query({"1 + 1"}).out, "2\n");
  const Ran ran = query({R"(max by (class) (mydr24_store_queued_writes{class="urgent"}))"});
  EXPECT_EQ(ran.out, "0  {class=\"urgent\"}\n") << ran.err;
  EXPECT_EQ(ran.exit, 0);
}

TEST_F(MonitorQuery, ARangeIsACurve) {
  const Ran ran = query({"mydr24_store_commits_total", "--range", "10s", "--step", "1s"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_NE(ran.out.find("mydr24_store_commits_total{"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("last "), std::string::npos);
  EXPECT_NE(query({"vector(1)", "--range", "1m", "--json"}).out.find("\"resultType\":\"matrix\""), std::string::npos);
}

TEST_F(MonitorQuery, WhatIsWrongIsSaid) {
  const Ran ran = query({"sum("});
  EXPECT_EQ(ran.exit, static_cast<int>(Exit::invalid));
  EXPECT_NE(ran.err.find("column 5"), std::string::npos) << ran.err;
  EXPECT_EQ(query({"up", "--range", "long"}).exit, static_cast<int>(Exit::invalid));
  EXPECT_EQ(query({"up", "--server", "http://127.0.0.1:1"}).exit, static_cast<int>(Exit::unreachable));
}

}  // namespace
}  // namespace mydr24::cli
