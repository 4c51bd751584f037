// What is done with an encrypted data folder on the command line: from a plain store to an encrypted one, its keys, its
// backups, its audit.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "app/cli/cli.h"
#include "base/core/clock.h"
#include "guard/audit/log.h"
#include "storage/keyring/keyring.h"
#include "storage/sqlite/sqlite.h"

namespace mydr24::cli {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

struct Ran {
  int exit = 0;
  std::string out;
  std::string err;
};

class KeyCommand : public testing::Test {
 protected:
  KeyCommand() : folder_(make_folder()) {
    make_key_file("key", '5');
    make_key_file("new-key", '6');
    const auto store = sqlite::open({.folder = plain_}, system_clock());
    EXPECT_TRUE(store);
    EXPECT_TRUE((*store)->write(RequestClass::routine, [](store::Transaction& transaction) {
      return transaction.set_state("test", "a", "a value that is kept");
    }));
  }
  ~KeyCommand() override { fs::remove_all(folder_); }

  static fs::path make_folder() {
    std::string name = (fs::temp_directory_path() / "mydr24-key-XXXXXX").string();
    return ::mkdtemp(name.data());
  }
  void make_key_file(const std::string& name, char digit) const {
    std::ofstream(folder_ / name) << std::string(64, digit);
    ASSERT_EQ(::chmod((folder_ / name).c_str(), 0600), 0);
  }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  static Ran mydr24(std::vector<std::string> arguments) {
    std::vector<const char*> words{"mydr24"};
    for (const auto& one : arguments) words.push_back(one.c_str());
    std::ostringstream out, err;
    const int exit = run(static_cast<int>(words.size()), words.data(), out, err);
    return {exit, out.str(), err.str()};
  }
  Ran key(const std::string& action, const std::string& key_file, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words{"key", action, "--data", encrypted_.string()};
    if (!key_file.empty()) words.insert(words.end(), {"--encryption-key-file", path(key_file)});
    words.insert(words.end(), more.begin(), more.end());
    return mydr24(words);
  }
  void encrypt() const {
    const auto copied =
        mydr24({"store", "copy", "--from", plain_.string(), "--to", encrypted_.string(), "--to-key-file", path("key")});
    ASSERT_EQ(copied.exit, 0) << copied.err;
  }
  std::string value(const fs::path& data, const fs::path& key_file) const {
    const auto store = sqlite::open({.folder = data, .key_file = key_file}, system_clock());
    if (!store) return store.error().text;
    std::string value;
    EXPECT_TRUE((*store)->read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(const auto found, reader.state("test", "a"));
      value = found.value_or("");
      return {};
    }));
    return value;
  }

  const fs::path folder_;
  const fs::path plain_ = folder_ / "plain";
  const fs::path encrypted_ = folder_ / "encrypted";
};

TEST_F(KeyCommand, AnEncryptedCopyOfAPlainStoreHoldsTheSameAndIsRefusedWithoutItsKeyFile) {
  encrypt();
  EXPECT_TRUE(sqlite::is_encrypted(encrypted_));
  EXPECT_FALSE(sqlite::is_encrypted(plain_));
  EXPECT_EQ(value(encrypted_, path("key")), "a value that is kept");
  const auto refused = mydr24({"store", "copy", "--from", encrypted_.string(), "--to", path("again")});
  EXPECT_NE(refused.exit, 0);
  EXPECT_THAT(refused.err, HasSubstr("encrypted"));
  const auto back =
      mydr24({"store", "copy", "--from", encrypted_.string(), "--from-key-file", path("key"), "--to", path("again")});
  EXPECT_EQ(back.exit, 0) << back.err;
  EXPECT_EQ(value(path("again"), {}), "a value that is kept");
}

TEST_F(KeyCommand, ANewKeySealsEverythingAndTheOldOneGoes) {
  encrypt();
  const auto before = key("status", "key", {"--json"});
  EXPECT_EQ(before.exit, 0) << before.err;
  EXPECT_THAT(before.out, HasSubstr(R"("generation":1)"));
  ASSERT_EQ(key("rotate", "key").exit, 0);
  EXPECT_THAT(key("status", "key").out, HasSubstr("opens only"));
  {
    const auto store = sqlite::open({.folder = encrypted_, .key_file = path("key")}, system_clock()).value();
    const auto keys = [&] {
      return keyring::Keyring::open(encrypted_ / keyring::file_name, path("key")).value()->keys().size();
    };
    for (int i = 0; i < 1'000 && keys() > 1; ++i) {
      store->tick();
      store->settle();
    }
  }
  const auto after = key("status", "key", {"--json"});
  EXPECT_THAT(after.out, HasSubstr(R"("generation":2)"));
  EXPECT_THAT(after.out, Not(HasSubstr(R"("generation":1)")));
  EXPECT_EQ(value(encrypted_, path("key")), "a value that is kept");
}

TEST_F(KeyCommand, AnotherKeyFileIsInForceAtOnceForStoreAndAudit) {
  encrypt();
  ASSERT_TRUE(audit::Log::open({.folder = encrypted_ / "audit", .encryption_key_file = path("key")}, system_clock()));
  EXPECT_NE(key("rewrap", "new-key", {"--new-key-file", path("key-that-is-not-there")}).exit, 0);
  const auto done = key("rewrap", "key", {"--new-key-file", path("new-key")});
  EXPECT_EQ(done.exit, 0) << done.err;
  EXPECT_NE(key("status", "key").exit, 0);
  EXPECT_THAT(key("status", "new-key").out, HasSubstr("audit"));
  EXPECT_EQ(value(encrypted_, path("new-key")), "a value that is kept");
  EXPECT_THAT(value(encrypted_, path("key")), HasSubstr("wrapped"));
  // Again, as after a stop between the two files.
  EXPECT_EQ(key("rewrap", "key", {"--new-key-file", path("new-key")}).exit, 0);
}

TEST_F(KeyCommand, ABackupIsVerifiedWithItsKeysBesideItAndTheKeyFile) {
  encrypt();
  const auto made =
      mydr24({"backup", "create", "--data", encrypted_.string(), "--encryption-key-file", path("key"), path("monday")});
  ASSERT_EQ(made.exit, 0) << made.err;
  EXPECT_TRUE(fs::exists(path("monday.keys.json")));
  const auto verified = mydr24({"backup", "verify", path("monday"), "--encryption-key-file", path("key")});
  EXPECT_EQ(verified.exit, 0) << verified.err;
  EXPECT_NE(mydr24({"backup", "verify", path("monday")}).exit, 0);
  EXPECT_NE(mydr24({"backup", "verify", path("monday"), "--encryption-key-file", path("new-key")}).exit, 0);
  fs::remove(path("monday.keys.json"));
  const auto alone = mydr24({"backup", "verify", path("monday"), "--encryption-key-file", path("key")});
  EXPECT_THAT(alone.err, HasSubstr("keys"));
}

TEST_F(KeyCommand, TheAuditIsReadWithItsKeyFileOnly) {
  {
    const auto log = audit::Log::open({.folder = plain_ / "audit", .encryption_key_file = path("key")}, system_clock());
    ASSERT_TRUE(log);
    audit::Entry entry{.at = system_clock().now(), .interaction = "read"};
    entry.patients = {"p1"};
    ASSERT_TRUE((*log)->append(entry));
  }
  const std::string data = plain_.string();
  for (const auto* command : {"search", "verify", "export"}) {
    const auto good = mydr24({"audit", command, "--data", data, "--encryption-key-file", path("key")});
    EXPECT_EQ(good.exit, 0) << command << good.err;
    const auto refused = mydr24({"audit", command, "--data", data});
    EXPECT_NE(refused.exit, 0) << command;
    EXPECT_THAT(refused.err, HasSubstr("encrypted")) << command;
  }
  const auto found = mydr24({"audit", "search", "--data", data, "--patient", "p1", "--encryption-key-file", path("key"),
                             "--format", "ndjson"});
  EXPECT_THAT(found.out, HasSubstr("\"p1\""));
}

}  // namespace
}  // namespace mydr24::cli
