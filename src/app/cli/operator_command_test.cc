// mydr24 audit hold, breach and compliance beside a server that has the data folder open, and without one.

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "app/cli/cli.h"
#include "app/server/server.h"
#include "base/json/document.h"
#include "guard/audit/log.h"

namespace mydr24::cli {
namespace {

struct Ran {
  int exit = 0;
  std::string out;
  std::string err;
};

class OperatorCommand : public testing::Test {
 protected:
  OperatorCommand() {
    std::string name = testing::TempDir() + "/mydr24-operator-XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~OperatorCommand() override { std::filesystem::remove_all(folder_); }

  Ran run_with(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "mydr24");
    arguments.insert(arguments.end(), {"--data", folder_, "--admin", admin_, "--by", "olga"});
    std::vector<const char*> pointers;
    for (const auto& each : arguments) pointers.push_back(each.c_str());
    std::ostringstream out, err;
    const int exit = run(static_cast<int>(pointers.size()), pointers.data(), out, err);
    return {exit, out.str(), err.str()};
  }

  std::string folder_, admin_ = "127.0.0.1:1";
};

TEST_F(OperatorCommand, IsDoneByTheServerThatHasTheFolderOpen) {
  server::Settings settings;
  settings.server.listen = settings.server.admin = "127.0.0.1:0";
  settings.server.drain_time_max_ms = 500;
  settings.store.path = folder_;
  settings.log.level = "error";
  settings.access.mode = "on";
  settings.rights.controller = "St. Anna, Vienna";
  testing::internal::CaptureStderr();
  const auto system = server::start(settings, system_clock());
  testing::internal::GetCapturedStderr();
  ASSERT_TRUE(system) << system.error().text;
  admin_ = (*system)->admin_url().substr(std::string("http://").size());

  EXPECT_EQ(run_with({"audit", "hold", "add", "p1", "--reason", "court order 12/26"}).exit, 0);
  EXPECT_EQ(run_with({"audit", "hold", "add", "p1", "--reason", "x", "--until", "2001-01-01"}).exit, 6);
  EXPECT_TRUE(run_with({"audit", "hold", "list"}).out.contains("operator/olga  court order 12/26"));
  EXPECT_EQ(run_with({"audit", "hold", "lift", "p1", "--reason", "over"}).exit, 0);
  EXPECT_EQ(run_with({"audit", "hold", "list"}).out, "");

  EXPECT_EQ(run_with({"breach", "open", "--nature", "x", "--since", "2026-01-01"}).exit, 6) << "whose accesses?";
  const auto opened = run_with({"breach", "open", "--nature", "a laptop was stolen", "--principal", "user/anna",
                                "--since", "2026-01-01", "--json"});
  ASSERT_EQ(opened.exit, 0) << opened.err;
  const auto document = json::Document::parse(opened.out);
  ASSERT_TRUE(document);
  const std::string id(document->root()["id"].text());
  EXPECT_TRUE(run_with({"breach", "list"}).out.contains(id + "  open  0 people"));
  EXPECT_EQ(run_with({"breach", "close", id, "--outcome", "it was encrypted"}).exit, 0);
  EXPECT_EQ(run_with({"breach", "close", id, "--outcome", "again"}).exit, 5);
  EXPECT_TRUE(run_with({"breach", "list"}).out.contains("closed"));

  EXPECT_TRUE(run_with({"compliance", "record"}).out.contains("St. Anna, Vienna"));
}

TEST_F(OperatorCommand, WithoutAServerOnlyHoldsOfATrailThatIsThere) {
  EXPECT_EQ(run_with({"audit", "hold", "list"}).exit, 3) << "no trail";
  const auto record = run_with({"compliance", "record"});
  EXPECT_EQ(record.exit, 75) << record.err;
  EXPECT_TRUE(record.err.contains("mydr24 serve")) << record.err;
}

TEST_F(OperatorCommand, OfAnEncryptedTrailHoldsNeedItsKeyFile) {
  const std::string key_file = folder_ + "/key";
  std::ofstream(key_file) << std::string(64, '7');
  ASSERT_EQ(::chmod(key_file.c_str(), 0600), 0);
  ASSERT_TRUE(audit::Log::open({.folder = folder_ + "/audit", .encryption_key_file = key_file}, system_clock()));
  EXPECT_EQ(run_with({"audit", "hold", "add", "p1", "--reason", "court order"}).exit, 4);
  const auto placed =
      run_with({"audit", "hold", "add", "p1", "--reason", "court order", "--encryption-key-file", key_file});
  EXPECT_EQ(placed.exit, 0) << placed.err;
  EXPECT_TRUE(run_with({"audit", "hold", "list", "--encryption-key-file", key_file}).out.contains("court order"));
}

}  // namespace
}  // namespace mydr24::cli
