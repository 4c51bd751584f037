// mydr24 user, client and session, on a store and beside a server that has it open.

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <sstream>

#include "app/cli/cli.h"
#include "app/server/server.h"
#include "base/json/document.h"
#include "storage/sqlite/sqlite.h"

namespace mydr24::cli {
namespace {

struct Ran {
  int exit = 0;
  std::string out;
  std::string err;
};

class IdentityCommand : public testing::Test {
 protected:
  IdentityCommand() {
    std::string name = "/tmp/mydr24-identity-XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~IdentityCommand() override { std::filesystem::remove_all(folder_); }

  // `typed`: what standard input gives.
  Ran run_with(std::vector<std::string> arguments, const std::string& typed = {}) {
    arguments.insert(arguments.begin(), "mydr24");
    arguments.insert(arguments.end(), {"--data", folder_, "--admin", admin_});
    std::vector<const char*> pointers;
    for (const auto& each : arguments) pointers.push_back(each.c_str());
    std::istringstream in(typed);
    auto* const before = std::cin.rdbuf(in.rdbuf());
    std::ostringstream out, err;
    const int exit = run(static_cast<int>(pointers.size()), pointers.data(), out, err);
    std::cin.rdbuf(before);
    std::cin.clear();
    return {exit, out.str(), err.str()};
  }

  // What an operator does, wherever the store is open.
  void expect_a_life_of_users_and_clients() {
    EXPECT_EQ(run_with({"user", "add", "anna", "--role", "nurse", "--fhir-user", "Practitioner/12"},
                       "correct horse battery\n")
                  .exit,
              0);
    EXPECT_EQ(run_with({"user", "add", "anna"}, "correct horse battery\n").exit, 5);
    EXPECT_EQ(run_with({"user", "add", "bert"}, "short\n").exit, 6);
    EXPECT_EQ(run_with({"user", "add", "bert"}).exit, 6);
    EXPECT_EQ(run_with({"user", "add", "bert", "--no-password"}).exit, 0);
    EXPECT_EQ(run_with({"user", "list"}).out, "anna  nurse  Practitioner/12\nbert  \n");
    EXPECT_EQ(run_with({"user", "disable", "bert"}).exit, 0);
    EXPECT_EQ(run_with({"user", "disable", "nobody"}).exit, 3);
    EXPECT_TRUE(run_with({"user", "list"}).out.contains("bert    disabled"));
    EXPECT_EQ(run_with({"user", "enable", "bert"}).exit, 0);
    EXPECT_EQ(run_with({"user", "password", "bert"}, "another long password\n").exit, 0);
    EXPECT_TRUE(run_with({"user", "totp", "anna"}).out.starts_with("otpauth://totp/MyDR24:anna?secret="));

    const auto made = run_with({"client", "add", "portal", "--proof", "client_secret_basic", "--redirect-uri",
                                "https://portal.example/cb", "--scope", "user/*.rs"});
    EXPECT_EQ(made.exit, 0) << made.err;
    EXPECT_TRUE(made.out.contains("client_id portal\nclient_secret ")) << made.out;
    EXPECT_EQ(run_with({"client", "add", "bad", "--redirect-uri", "javascript:x"}).exit, 6);
    const auto listed = run_with({"client", "list", "--json"});
    const auto document = json::Document::parse_view(listed.out);
    ASSERT_TRUE(document) << listed.out;
    EXPECT_TRUE(listed.out.contains(R"("client_id":"portal")")) << listed.out;
    EXPECT_FALSE(listed.out.contains("secret\":"));
    EXPECT_EQ(run_with({"client", "remove", "portal"}).exit, 0);
    EXPECT_EQ(run_with({"client", "remove", "portal"}).exit, 3);
    EXPECT_EQ(run_with({"session", "list"}).out, "");
    EXPECT_EQ(run_with({"session", "revoke", "no-such-session"}).exit, 3);
  }

  std::string folder_;
  std::string admin_ = "127.0.0.1:1";
};

TEST_F(IdentityCommand, WorksOnAStoreThatNothingElseHasOpen) {
  ASSERT_TRUE(sqlite::open({.folder = folder_}, system_clock()));
  expect_a_life_of_users_and_clients();
}

TEST_F(IdentityCommand, WithoutAStoreThereIsNothingToDo) { EXPECT_EQ(run_with({"user", "list"}).exit, 3); }

TEST_F(IdentityCommand, IsDoneByTheServerThatHasTheStoreOpen) {
  server::Settings settings;
  settings.server.listen = settings.server.admin = "127.0.0.1:0";
  settings.server.drain_time_max_ms = 500;
  settings.store.path = folder_;
  settings.log.level = "error";
  settings.access.mode = "on";
  testing::internal::CaptureStderr();
  const auto system = server::start(settings, system_clock());
  const auto said = testing::internal::GetCapturedStderr();
  ASSERT_TRUE(system) << system.error().text;
  EXPECT_TRUE(said.contains((*system)->base_url() + "/setup/")) << said;
  admin_ = (*system)->admin_url().substr(std::string("http://").size());
  expect_a_life_of_users_and_clients();
  const auto token = std::filesystem::path(folder_) / "admin.token";
  EXPECT_EQ(std::filesystem::status(token).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  std::filesystem::remove(token);
  EXPECT_EQ(run_with({"user", "list"}).exit, 75);
}

}  // namespace
}  // namespace mydr24::cli
