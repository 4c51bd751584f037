#include "app/cli/store_copy.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <sstream>

#include "app/cli/cli.h"
#include "app/cli/store_place.h"
#include "base/json/document.h"
#include "storage/postgres/postgres.h"
#include "storage/postgres/throwaway.h"
#include "storage/sqlite/sqlite.h"

namespace mydr24::cli {
namespace {

using store::Reader;
using store::Transaction;

class StoreCopies : public testing::Test {
 protected:
  StoreCopies() {
    std::string name = (std::filesystem::temp_directory_path() / "mydr24-copy-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~StoreCopies() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<store::Store> open_folder(const std::string& name) {
    auto opened = sqlite::open({.folder = folder_ / name}, clock_);
    EXPECT_TRUE(opened) << opened.error().text;
    return std::move(*opened);
  }

  void put(store::Store& store, const std::string& id, const std::string& family) {
    const auto text =
        family.empty() ? std::string()
                       : fmt::format(R"({{"resourceType":"Patient","id":"{}","meta":{{}},"name":[{{"family":"{}"}}]}})",
                                     id, family);
    const auto written = store.write(RequestClass::routine, [&](Transaction& transaction) -> Result<> {
      MYDR24_ASSIGN(const auto before, transaction.current("Patient", id));
      const auto entries = [](const std::string& body) {
        return body.empty() ? std::vector<search::IndexEntry>()
                            : search::extract(json::Document::parse(std::string(body))->root());
      };
      const auto body = store.pack(text, 1);
      const auto now = entries(text);
      const auto then = entries(before ? before->body : "");
      MYDR24_TRY(transaction.put({.type = "Patient",
                                  .id = id,
                                  .action = text.empty() ? store::Action::remove : store::Action::update,
                                  .body = text.empty() ? nullptr : &body,
                                  .entries = now,
                                  .entries_before = then}));
      return {};
    });
    ASSERT_TRUE(written) << written.error().text;
    clock_.advance(std::chrono::milliseconds(1));
  }

  void fill(store::Store& store) {
    for (int i = 0; i < 1'200; ++i) put(store, fmt::format("p{}", i), fmt::format("Meyer{}", i % 7));
    for (int i = 0; i < 30; ++i) put(store, "p1", fmt::format("Changed{}", i));
    put(store, "p2", "");
    ASSERT_TRUE(store.write(RequestClass::routine, [this](Transaction& transaction) -> Result<> {
      MYDR24_TRY(transaction.note("test.happened", R"({"a":1})"));
      MYDR24_TRY(transaction.set_state("alerts", std::string("k\0\xff", 3), std::string("\0v", 2)));
      MYDR24_TRY(transaction.set_timer({.key = "t", .due = clock_.now(), .kind = "k", .payload = "p"}));
      return transaction.set_cursor("follower", 7);
    }));
  }

  // Everything that a Reader gives, as one text.
  static std::string content(store::Store& store) {
    std::string text;
    const auto read = store.read([&](Reader& reader) -> Result<> {
      store::Sequence after = 0;
      for (;;) {
        MYDR24_ASSIGN(const auto lines, reader.journal(after, 500));
        if (lines.empty()) break;
        for (const auto& line : lines) {
          const auto& version = line.version;
          text += fmt::format("{} {}/{} v{} {} {} {} {} | {} {} {}\n", version.sequence, version.type, version.id,
                              version.version, to_us(version.at), static_cast<int>(version.action), version.meta_at,
                              version.body, line.event.sequence, line.event.kind, line.event.payload);
          after = std::max({after, version.sequence, line.event.sequence});
        }
      }
      MYDR24_ASSIGN(const auto states, reader.all_states("", "", 1'000));
      for (const auto& [space, row] : states) text += fmt::format("{} {} {}\n", space, row.key, row.value);
      MYDR24_ASSIGN(const auto timers, reader.all_timers("", 1'000));
      for (const auto& timer : timers) text += fmt::format("{} {} {}\n", timer.key, to_us(timer.due), timer.kind);
      MYDR24_ASSIGN(const auto cursors, reader.cursors());
      for (const auto& [name, sequence] : cursors) text += fmt::format("{} {}\n", name, sequence);
      const auto found = search::find_parameter("Patient", "family");
      MYDR24_ASSIGN(
          const auto page,
          reader.search({.type = "Patient", .conditions = {{.parameter = found, .any_of = {{.value = "changed29"}}}}}));
      for (const auto& version : page.matches) text += fmt::format("found {}\n", version.id);
      return {};
    });
    EXPECT_TRUE(read) << read.error().text;
    return text;
  }
  static void expect_sound(store::Store& store) {
    const auto findings = store.verify();
    ASSERT_TRUE(findings) << findings.error().text;
    EXPECT_TRUE(findings->empty()) << findings->front();
  }

  ManualClock clock_{from_us(1'700'000'000'000'000)};
  std::filesystem::path folder_;
};

TEST_F(StoreCopies, ACopyHoldsEveryVersionTimeAndRow) {
  const auto from = open_folder("from");
  fill(*from);
  const auto to = open_folder("to");
  const auto copied = copy_store(*from, *to, [](auto, auto) { return true; });
  ASSERT_TRUE(copied) << copied.error().text;
  EXPECT_TRUE(copied->complete);
  EXPECT_EQ(copied->lines, 1'232);
  EXPECT_EQ(copied->resources, 1'199);
  EXPECT_EQ(content(*to), content(*from));
  EXPECT_TRUE(content(*to).contains("found p1"));
  expect_sound(*to);
}

TEST_F(StoreCopies, AnInterruptedCopyGoesOnWhereItWas) {
  const auto from = open_folder("from");
  fill(*from);
  const auto to = open_folder("to");
  const auto stopped = copy_store(*from, *to, [](auto, auto) { return false; });
  ASSERT_TRUE(stopped) << stopped.error().text;
  EXPECT_FALSE(stopped->complete);
  EXPECT_LT(stopped->lines, 1'232);
  put(*from, "late", "Late");
  const auto copied = copy_store(*from, *to, [](auto, auto) { return true; });
  ASSERT_TRUE(copied) << copied.error().text;
  EXPECT_EQ(stopped->lines + copied->lines, 1'233);
  EXPECT_EQ(content(*to), content(*from));
  const auto again = copy_store(*from, *to, [](auto, auto) { return true; });
  ASSERT_TRUE(again);
  EXPECT_EQ(again->lines, 0);
}

TEST_F(StoreCopies, ATargetThatHoldsSomethingElseIsRefused) {
  const auto from = open_folder("from");
  put(*from, "a", "One");
  const auto to = open_folder("to");
  put(*to, "b", "Two");
  const auto copied = copy_store(*from, *to, [](auto, auto) { return true; });
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code, Code::conflict);
}

TEST_F(StoreCopies, AStoreMovesToPostgresAndBack) {
  const auto server = postgres::ThrowawayServer::start();
  if (server == nullptr) GTEST_SKIP() << "PostgreSQL is not installed";
  const auto from = open_folder("from");
  fill(*from);
  const auto expected = content(*from);
  auto middle = postgres::open({.url = server->url(server->lend_database())}, clock_);
  ASSERT_TRUE(middle) << middle.error().text;
  const auto there = copy_store(*from, **middle, [](auto, auto) { return true; });
  ASSERT_TRUE(there) << there.error().text;
  EXPECT_EQ(content(**middle), expected);
  expect_sound(**middle);
  const auto to = open_folder("to");
  const auto back = copy_store(**middle, *to, [](auto, auto) { return true; });
  ASSERT_TRUE(back) << back.error().text;
  EXPECT_EQ(content(*to), expected);
  expect_sound(*to);
}

TEST_F(StoreCopies, TheCommandsSayWhatIsThere) {
  {
    put(*open_folder("from"), "a", "One");
  }
  const auto run_with = [](std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "mydr24");
    std::ostringstream out, err;
    const int exit = run(static_cast<int>(arguments.size()), arguments.data(), out, err);
    return fmt::format("{} {}{}", exit, out.str(), err.str());
  };
  const auto from = (folder_ / "from").string();
  const auto to = (folder_ / "to").string();
  EXPECT_TRUE(run_with({"migrate", "status", "--store", from.c_str()}).starts_with("0 schema "));
  EXPECT_TRUE(run_with({"store", "copy", "--from", from.c_str(), "--to", to.c_str()}).contains("1 lines"));
  EXPECT_TRUE(run_with({"store", "copy", "--from", "/nowhere", "--to", to.c_str()}).starts_with("3 "));
  EXPECT_TRUE(run_with({"migrate", "up", "--store", "postgres://127.0.0.1:1/none"}).starts_with("75 "));
}

TEST(Places, PasswordsAreNotShown) {
  EXPECT_EQ(shown_place("postgres://u:secret@db/x"), "postgres://u:***@db/x");
  EXPECT_EQ(shown_place("postgres://u@db/x"), "postgres://u@db/x");
  EXPECT_EQ(shown_place("./data"), "./data");
}

}  // namespace
}  // namespace mydr24::cli
