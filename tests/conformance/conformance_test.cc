// Data by others through the whole system: what was sent is what is read, all of it.

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "support/live.h"

namespace mydr24::live {
namespace {

namespace fs = std::filesystem;

const fs::path shared = fs::path(MYDR24_SOURCE_DIR) / "../shared/data";

std::vector<fs::path> files_of(const fs::path& folder, std::string_view extension) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.path().extension() == extension) files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

// Sends one resource and reads it back; says what is wrong.
std::string round_trip(load::HttpClient& http, const std::string& text) {
  const auto sent = json::Document::parse_view(text);
  if (!sent) return "no JSON: " + sent.error().text;
  const std::string type(sent->root()["resourceType"].text());
  std::string target = fmt::format("/fhir/R4/{}", type);
  const std::string_view id = sent->root()["id"].text();
  if (!id.empty()) target += fmt::format("/{}", id);
  const auto written = http.send(id.empty() ? "POST" : "PUT", target, text);
  if (!written) return written.error().text;
  if (written->status != 201) return fmt::format("answered {}: {}", written->status, written->body.substr(0, 600));
  const std::string location = written->location.substr(written->location.find("/fhir/R4/"));
  const auto read = http.get(location.substr(0, location.find("/_history/")));
  if (!read || read->status != 200) return "not read back";
  const auto got = json::Document::parse_view(read->body);
  return got ? difference(sent->root(), got->root()) : "read back what is no JSON";
}

TEST(Examples, EveryPublishedExampleReadsBackAsItWasSent) {
  if (!fs::exists(shared / "fhir-r4-examples")) GTEST_SKIP() << "no ../shared/data/fhir-r4-examples";
  Live live;
  const auto files = files_of(shared / "fhir-r4-examples", ".json");
  EXPECT_GT(files.size(), 300U);
  // Their narrative is empty, which R4 itself forbids (txt-2).
  const std::set<std::string> broken{"ActivityDefinition-heart-valve-replacement.json",
                                     "Questionnaire-zika-virus-exposure-assessment.json"};
  for (const fs::path& file : files) {
    const auto name = file.filename().string();
    const auto said = round_trip(live.http(), load::read_text(file));
    EXPECT_EQ(broken.contains(name), said.find("(txt-2)") != said.npos) << name << ": " << said;
    if (!broken.contains(name)) EXPECT_EQ(said, "") << name;
  }
  EXPECT_EQ(live.stop(), 0);
  EXPECT_TRUE(verifies(live.data()));
}

TEST(Exact, WhatIsHardToKeepReadsBackAsItWasSent) {
  Live live;
  for (const std::string_view value :
       {"1.00", "1e2", "-0.0", "0.1000000000000000055511151231257827", "123456789012345678901234567890.5", "1E-7"}) {
    const std::string text = fmt::format(
        R"({{"resourceType":"Observation","status":"final","code":{{"text":"\u00fc \"q\" \\ \ud83d\ude00 ü"}},"valueQuantity":{{"value":{}}}}})",
        value);
    EXPECT_EQ(round_trip(live.http(), text), "") << value;
  }
}

// Every entry of the answer was created or updated.
std::string check_transaction(const load::Reply& reply, std::size_t entries) {
  if (reply.status != 200) return fmt::format("answered {}: {}", reply.status, reply.body.substr(0, 600));
  const auto document = json::Document::parse_view(reply.body);
  if (!document) return "the answer is no JSON";
  if (document->root()["entry"].size() != entries) return "the answer has another number of entries";
  for (const json::Value entry : document->root()["entry"]) {
    const std::string_view status = entry["response"]["status"].text();
    if (!status.starts_with("201") && !status.starts_with("200")) return "an entry was answered " + std::string(status);
  }
  return {};
}

TEST(Synthea, EveryTransactionIsStoredWhole) {
  const fs::path archive = shared / "synthea-r4/synthea-40-patients-transactions.tar.xz";
  if (!fs::exists(archive)) GTEST_SKIP() << "no " << archive.string();
  Live live;
  const fs::path folder = live.folder() / "synthea";
  fs::create_directories(folder);
  ASSERT_EQ(load::run_command({"tar", "-xJf", archive.string(), "-C", folder.string()}).exit_code, 0);
  std::size_t entries = 0;
  std::int64_t patients = 0;
  for (const fs::path& file : files_of(folder, ".json")) {
    const std::string text = load::read_text(file);
    const auto document = json::Document::parse_view(text);
    ASSERT_TRUE(document) << file;
    const std::size_t size = document->root()["entry"].size();
    entries += size;
    for (const json::Value entry : document->root()["entry"])
      patients += entry["resource"]["resourceType"].text() == "Patient" ? 1 : 0;
    const auto reply = live.http().send("POST", "/fhir/R4/", text);
    ASSERT_TRUE(reply) << reply.error().text;
    EXPECT_EQ(check_transaction(*reply, size), "") << file.filename().string();
  }
  EXPECT_GT(entries, 3000U);
  EXPECT_EQ(count(live.http(), "Patient"), patients);
  EXPECT_EQ(live.stop(), 0);
  EXPECT_TRUE(verifies(live.data()));
}

TEST(Mimic, TheImportIsComplete) {
  const fs::path folder = shared / "mimic-iv-demo-fhir";
  if (!fs::exists(folder)) GTEST_SKIP() << "no " << folder.string();
  // A slice with every type: what takes minutes under a sanitizer is left to bench/import.
  const load::TempFolder temp;
  const fs::path slice = temp.path() / "slice";
  fs::create_directories(slice);
  std::int64_t lines = 0;
  std::map<std::string, std::int64_t> by_type;
  for (const fs::path& file : files_of(folder, ".gz")) {
    const auto unpacked = load::run_command({"sh", "-c", fmt::format("zcat '{}' | head -n 500", file.string())});
    load::write_text(slice / file.stem(), unpacked.out);
    std::size_t at = 0;
    for (std::size_t end = unpacked.out.find('\n'); end != std::string::npos;
         at = end + 1, end = unpacked.out.find('\n', at)) {
      const auto document = json::Document::parse_view(std::string_view(unpacked.out).substr(at, end - at));
      ASSERT_TRUE(document);
      ++by_type[std::string(document->root()["resourceType"].text())];
      ++lines;
    }
  }
  const fs::path data = temp.path() / "data";
  const auto imported =
      load::run_command({binary().string(), "import", "--data", data.string(), slice.string(), "--json"});
  ASSERT_EQ(imported.exit_code, 0) << imported.out.substr(0, 2000) << imported.err.substr(0, 2000);
  EXPECT_NE(imported.out.find(fmt::format("\"stored\":{}", lines)), std::string::npos) << imported.out;
  auto server = load::Server::start({.binary = binary(), .data = data});
  ASSERT_TRUE(server) << server.error().text;
  load::HttpClient http(server->endpoint());
  for (const auto& [type, expected] : by_type) EXPECT_EQ(count(http, type), expected) << type;
  EXPECT_EQ(server->stop(), 0);
  EXPECT_TRUE(verifies(data));
}

}  // namespace
}  // namespace mydr24::live
