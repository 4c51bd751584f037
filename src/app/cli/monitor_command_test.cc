// mydr24 monitor and mydr24 slo against a server in the same process.

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "app/cli/cli.h"
#include "app/server/server.h"

namespace mydr24::cli {
namespace {

class MonitorCommand : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::filesystem::temp_directory_path() / ("mydr24-monitor-cli-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
    server::Settings settings;
    settings.server.listen = "127.0.0.1:0";
    settings.server.admin = "127.0.0.1:0";
    settings.store.path = (folder_ / "data").string();
    settings.log.level = "error";
    settings.access.mode = "off";
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
  static Ran run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "mydr24");
    arguments.insert(arguments.end(), {"--server", system_->base_url()});
    std::vector<const char*> argv;
    for (const std::string& each : arguments) argv.push_back(each.c_str());
    std::ostringstream out, err;
    const int exit = cli::run(static_cast<int>(argv.size()), argv.data(), out, err);
    return {exit, out.str(), err.str()};
  }
  static std::string file(const std::string& name, std::string_view text) {
    const auto path = (folder_ / name).string();
    std::ofstream(path) << text;
    return path;
  }

  static inline std::filesystem::path folder_;
  static inline server::System* system_ = nullptr;
};

TEST_F(MonitorCommand, SaysHowThePlatformIs) {
  const Ran metrics = run({"monitor", "metrics"});
  EXPECT_EQ(metrics.exit, 0) << metrics.err;
  EXPECT_TRUE(metrics.out.contains("emergency_available")) << metrics.out;
  const Ran rules = run({"monitor", "rules", "list"});
  EXPECT_TRUE(rules.out.contains("EmergencyResponseSlow")) << rules.out << rules.err;
}

TEST_F(MonitorCommand, RulesAreExportedPreviewedAndSet) {
  const Ran exported = run({"monitor", "rules", "export"});
  ASSERT_EQ(exported.exit, 0) << exported.err;
  const std::string path = file("rules.json", exported.out);
  const Ran preview = run({"monitor", "rules", "preview", path});
  EXPECT_EQ(preview.exit, 0) << preview.err;
  EXPECT_TRUE(preview.out.contains("EmergencyResponseSlow")) << preview.out;
  const Ran set = run({"monitor", "rules", "set", path, "--by", "ada"});
  EXPECT_EQ(set.exit, 0) << set.err;
  EXPECT_TRUE(run({"monitor", "changes"}).out.contains("ada"));
  EXPECT_EQ(run({"monitor", "rules", "set", file("wrong.json", "[{}]"), "--by", "ada"}).exit, 6);
}

TEST_F(MonitorCommand, ObjectivesAreListedExportedAndImported) {
  const Ran list = run({"slo", "list"});
  EXPECT_TRUE(list.out.contains("emergency-availability")) << list.out << list.err;
  const Ran exported = run({"slo", "export"});
  const std::string path = file("slos.yaml", exported.out);
  EXPECT_EQ(run({"slo", "import", path, "--by", "ada", "--dry-run"}).out, "valid: 6 objectives\n");
  const Ran imported = run({"slo", "import", path, "--by", "ada", "--replace"});
  EXPECT_EQ(imported.exit, 0) << imported.err;
  EXPECT_TRUE(run({"slo", "show", "emergency-availability"}).out.contains("14.4"));
  EXPECT_EQ(run({"slo", "show", "nothing"}).exit, 3);
  EXPECT_EQ(run({"slo", "remove", "record-access", "--by", "ada"}).exit, 0);
  EXPECT_EQ(run({"slo", "show", "record-access"}).exit, 3);
}

}  // namespace
}  // namespace mydr24::cli
