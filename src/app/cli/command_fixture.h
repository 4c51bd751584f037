#pragma once

// For tests: commands against a server in the same process, access control off.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "app/cli/cli.h"
#include "app/cli/terminal.h"
#include "app/server/server.h"

namespace mydr24::cli {

class CommandTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    begin([](server::Settings&) {});
  }
  static void begin(const std::function<void(server::Settings&)>& change) {
    folder_ = std::filesystem::temp_directory_path() /
              fmt::format("mydr24-{}-{}", testing::UnitTest::GetInstance()->current_test_suite()->name(), ::getpid());
    std::filesystem::create_directories(folder_);
    server::Settings settings;
    settings.server.listen = "127.0.0.1:0";
    settings.server.admin = "127.0.0.1:0";
    settings.store.path = (folder_ / "data").string();
    settings.log.level = "error";
    settings.access.mode = "off";
    change(settings);
    auto started = server::start(settings, system_clock());
    ASSERT_TRUE(started) << started.error().text;
    system_ = std::move(*started).release();
  }
  static void TearDownTestSuite() {
    delete system_;
    std::filesystem::remove_all(folder_);
  }

  struct Ran {
    int exit = 0;
    std::string out, err;
  };
  // mydr24 ARGUMENTS, at that server unless they name another.
  static Ran mydr24(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "mydr24");
    if (std::ranges::find(arguments, "--server") == arguments.end())
      arguments.insert(arguments.end(), {"--server", system_->base_url()});
    std::vector<const char*> argv;
    for (const std::string& each : arguments) argv.push_back(each.c_str());
    std::ostringstream out, err;
    const int exit = run(static_cast<int>(argv.size()), argv.data(), out, err);
    return {exit, out.str(), err.str()};
  }
  // A file with that text; its path.
  static std::string write(const std::string& name, std::string_view text) {
    std::ofstream(folder_ / name) << text;
    return (folder_ / name).string();
  }

  static inline std::filesystem::path folder_;
  static inline server::System* system_ = nullptr;
};

}  // namespace mydr24::cli
