#include "app/cli/store_import.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "app/cli/cli.h"
#include "app/cli/import_ready.h"
#include "app/server/server.h"
#include "base/json/document.h"

namespace mydr24::cli {
namespace {

namespace fs = std::filesystem;

class StoreImports : public testing::Test {
 protected:
  StoreImports() {
    std::string name = "/tmp/mydr24-store-import-XXXXXX";
    folder_ = ::mkdtemp(name.data());
    fs::create_directories(folder_ / "in");
  }
  ~StoreImports() override { fs::remove_all(folder_); }

  std::string data() const { return (folder_ / "data").string(); }
  std::string in() const { return (folder_ / "in").string(); }
  void write(const std::string& name, const std::string& text) const { std::ofstream(folder_ / "in" / name) << text; }
  static std::string patients(int from, int count) {
    std::string text;
    for (int i = from; i < from + count; ++i) {
      text += R"({"resourceType":"Patient","id":"p)" + std::to_string(i) + "\"}\n";
    }
    return text;
  }
  // Exit code, and the summary.
  std::pair<int, std::string> import(const std::vector<std::string>& more) const {
    std::vector<std::string> words{"mydr24", "import", "--json", "--data", data()};
    words.insert(words.end(), more.begin(), more.end());
    std::vector<const char*> arguments;
    for (const std::string& word : words) arguments.push_back(word.c_str());
    std::ostringstream out;
    std::ostringstream err;
    const int exit = run(static_cast<int>(arguments.size()), arguments.data(), out, err);
    return {exit, out.str()};
  }
  std::unique_ptr<server::Workbench> workbench() const {
    server::Settings settings;
    settings.store.path = data();
    settings.log.level = "error";
    auto opened = server::open_workbench(settings, system_clock());
    EXPECT_TRUE(opened) << opened.error().text;
    return std::move(*opened);
  }
  std::int64_t count(std::string_view type) const {
    std::int64_t number = -1;
    const auto bench = workbench();
    const auto read = bench->store().read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(number, reader.count_resources(type));
      return {};
    });
    EXPECT_TRUE(read);
    return number;
  }

  fs::path folder_;
};

std::string number_of(const std::string& summary, std::string_view name) {
  const auto document = json::Document::parse_view(summary);
  return document ? std::string(document->root()[name].text()) : "no JSON: " + summary;
}

TEST_F(StoreImports, ResourcesKeepTheirIdsAndASecondImportChangesNothing) {
  write("Patient.ndjson", patients(0, 500));
  const auto [exit, summary] = import({in()});
  EXPECT_EQ(exit, 0) << summary;
  EXPECT_EQ(number_of(summary, "created"), "500");
  EXPECT_EQ(count("Patient"), 500);
  const auto [again, second] = import({in()});
  EXPECT_EQ(again, 0);
  EXPECT_EQ(number_of(second, "unchanged"), "500");
}

TEST_F(StoreImports, WhatIsRefusedIsCountedAndWrittenWithItsPlaceAndTheRestIsStored) {
  write("Patient.ndjson",
        patients(0, 3) + "{\"resourceType\":\"Patient\",\"colour\":\"red\"}\nnonsense\n" + patients(3, 3));
  const auto [exit, summary] = import({in()});
  EXPECT_EQ(exit, 7) << summary;
  EXPECT_EQ(number_of(summary, "stored"), "6");
  EXPECT_EQ(number_of(summary, "rejected"), "2");
  std::ifstream file(folder_ / "data" / "import-rejected.ndjson");
  std::string line;
  ASSERT_TRUE(std::getline(file, line));
  const auto first = json::Document::parse(line);
  ASSERT_TRUE(first) << line;
  EXPECT_TRUE(first->root()["source"].text().ends_with("Patient.ndjson:4")) << line;
  EXPECT_EQ(first->root()["outcome"]["resourceType"].text(), "OperationOutcome");
}

TEST_F(StoreImports, ATransactionBundleIsWrittenWholeAndARepeatMakesNoCopies) {
  write("a.json",
        R"({"resourceType":"Bundle","type":"transaction","entry":[
{"fullUrl":"urn:uuid:1a2b3c4d-0000-4000-8000-000000000001","resource":{"resourceType":"Patient","id":"1a2b3c4d-0000-4000-8000-000000000001"},"request":{"method":"POST","url":"Patient"}},
{"fullUrl":"urn:uuid:1a2b3c4d-0000-4000-8000-000000000002","resource":{"resourceType":"Encounter","status":"finished","class":{"code":"AMB"},"subject":{"reference":"urn:uuid:1a2b3c4d-0000-4000-8000-000000000001"}},"request":{"method":"POST","url":"Encounter"}}]})");
  write("b.json",
        R"({"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Patient","id":"c1"}}]})");
  for (int round = 0; round < 2; ++round) {
    const auto [exit, summary] = import({in()});
    EXPECT_EQ(exit, 0) << summary;
    EXPECT_EQ(number_of(summary, "stored"), "3") << summary;
  }
  EXPECT_EQ(count(""), 3);
  const auto bench = workbench();
  const auto read = bench->store().read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(const auto encounter, reader.current("Encounter", "1a2b3c4d-0000-4000-8000-000000000002"));
    EXPECT_TRUE(encounter);
    if (encounter) {
      EXPECT_NE(encounter->body.find("Patient/1a2b3c4d-0000-4000-8000-000000000001"), std::string::npos);
    }
    return {};
  });
  EXPECT_TRUE(read);
}

TEST_F(StoreImports, AnImportThatStoppedGoesOnWithoutLossOrRepeat) {
  write("Patient.ndjson", patients(0, 1500));
  {
    const auto bench = workbench();
    const auto files = import_files({in()});
    ASSERT_TRUE(files);
    ImportState state;
    state.paths = {fs::weakly_canonical(in()).string()};
    std::ostringstream out;
    const Terminal terminal{out, out, system_clock()};
    ImportReport report(terminal, "", false, {});
    StoreImport import(bench->records(), *files, state, report);
    ASSERT_TRUE(import.begin());
    ImportReader reader(*files, {}, 0);
    for (int i = 0; i < 3; ++i) {
      auto slice = reader.next();
      ReadySlice ready;
      ready.number = slice->number;
      ready.after = slice->after;
      make_ready_for_store(bench->records(), std::move(*slice), ready);
      ASSERT_TRUE(import.write(std::move(ready)));
    }
    ASSERT_TRUE(import.finish(false));
    EXPECT_EQ(import.counts().created, 600);
  }
  const auto [exit, summary] = import({"--resume"});
  EXPECT_EQ(exit, 0) << summary;
  EXPECT_EQ(number_of(summary, "created"), "1500");
  EXPECT_EQ(number_of(summary, "unchanged"), "0");
  EXPECT_EQ(count("Patient"), 1500);
  EXPECT_EQ(import({"--resume"}).first, 3);
}

TEST_F(StoreImports, ASliceOutOfTurnIsNotWritten) {
  write("Patient.ndjson", patients(0, 10));
  const auto bench = workbench();
  const auto files = import_files({in()});
  std::ostringstream out;
  const Terminal terminal{out, out, system_clock()};
  ImportReport report(terminal, "", false, {});
  ImportState state;
  state.paths = {in()};
  StoreImport import(bench->records(), *files, state, report);
  ASSERT_TRUE(import.begin());
  ReadySlice late;
  late.number = 5;
  late.after = {1, 0, 0};
  auto result = import.write(std::move(late));
  if (result) result = import.finish(true);
  EXPECT_FALSE(result);
  EXPECT_EQ(import.counts().stored(), 0);
}

}  // namespace
}  // namespace mydr24::cli
