// mydr24 monitor query against a server in the same process.

#include <gtest/gtest.h>
#include <unistd.h>

#include <sstream>
#include <thread>

#include "app/cli/cli.h"
#include "app/cli/terminal.h"
#include "app/server/server.h"

namespace mydr24::cli {
namespace {

class MonitorQuery : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::filesystem::temp_directory_path() / ("mydr24-monitor-query-" + std::to_string(::getpid()));
    server::Settings settings;
    settings.server.listen = "127.0.0.1:0";
    settings.server.emergency_listen = "127.0.0.1:0";
    settings.server.admin = "127.0.0.1:0";
    settings.store.path = folder_.string();
    settings.log.level = "error";
    settings.access.mode = "off";
    settings.series.collect_every_s = 1;
    auto started = server::start(settings, system_clock());
    ASSERT_TRUE(started) << started.error().text;
    system_ = std::move(*started).release();
    for (int i = 0; i < 100 && query({"count_over_time(mydr24_store_commits_total[1m]) > 1"}).out.empty(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  static void TearDownTestSuite() {
    delete system_;
    std::filesystem::remove_all(folder_);
  }

  struct Ran {
    int exit = 0;
    std::string out, err;
  };
  static Ran query(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"mydr24", "monitor", "query"});
    if (std::ranges::find(arguments, "--server") == arguments.end())
      arguments.insert(arguments.end(), {"--server", system_->base_url()});
    std::vector<const char*> argv;
    for (const std::string& each : arguments) argv.push_back(each.c_str());
    std::ostringstream out, err;
    const int exit = run(static_cast<int>(argv.size()), argv.data(), out, err);
    return {exit, out.str(), err.str()};
  }

  static inline std::filesystem::path folder_;
  static inline server::System* system_ = nullptr;
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
