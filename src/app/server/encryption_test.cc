// What the folder of a server holds: with a key file nothing of what it was told, in any of its files.

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <set>

#include "app/server/access_fixture.h"
#include "base/core/date_time.h"
#include "guard/audit/search.h"
#include "guard/audit/verify.h"
#include "storage/sqlite/sqlite.h"

namespace mydr24::server {
namespace {

namespace fs = std::filesystem;
using testing::IsEmpty;

// In lower case: an id, a name, an identifier, a narrative, what somebody searched for, and who it was.
const std::set<std::string> marks{"zebra-patient-1", "zebrafamily", "zebranumber",
                                  "zebranarrative",  "zebrasearch", "zebranurse"};

class EncryptionTest : public AccessTest {
 protected:
  static void SetUpTestSuite() {
    ServerTest::SetUpTestSuite();
    key_file_ = folder_.string() + "-key";
    std::ofstream(key_file_) << std::string(64, '5');
    ASSERT_EQ(::chmod(key_file_.c_str(), 0600), 0);
  }
  static void TearDownTestSuite() {
    fs::remove(key_file_);
    ServerTest::TearDownTestSuite();
  }

  static void begin(const std::string& name, const std::string& key_file) {
    restart([&](Settings& settings) {
      settings.store.path = (folder_ / name).string();
      settings.encryption.key_file = key_file;
      settings.access.mode = "on";
      settings.admission.mode = "off";
    });
  }

  // A patient is admitted, found and watched until people are called; then a backup is taken.
  static void live(const fs::path& folder) {
    const Headers nurse = log_in("zebranurse", {"administrator", "nurse", "physician"});
    keep(R"({"resourceType":"Patient","id":"zebra-patient-1","text":{"status":"generated",)"
         R"("div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">zebranarrative</div>"},)"
         R"("identifier":[{"system":"urn:mrn","value":"zebranumber"}],"name":[{"family":"Zebrafamily"}]})");
    for (int i = 0; i < 40; ++i) {
      keep(fmt::format(
          R"({{"resourceType":"Observation","id":"zebra-{}","status":"final","code":{{"coding":[)"
          R"({{"system":"http://loinc.org","code":"59408-5"}}]}},"category":[{{"coding":[{{"system":)"
          R"("http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}}]}}],)"
          R"("subject":{{"reference":"Patient/zebra-patient-1"}},"effectiveDateTime":"{}","valueQuantity":{{)"
          R"("value":82,"unit":"%","system":"http://unitsofmeasure.org","code":"%"}}}})",
          i, format_instant(system_clock().now())));
    }
    system_->store().settle();
    std::int64_t raised = 0;
    ASSERT_TRUE(system_->store().read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(const auto lines, reader.journal(0, 1'000));
      for (const auto& line : lines) raised += line.event.kind == "alert.raised" ? 1 : 0;
      return {};
    }));
    EXPECT_GT(raised, 0);
    EXPECT_EQ(send(Method::get, "/fhir/R4/Patient?name=zebrasearch", {}, nurse).status, 200);
    EXPECT_EQ(send(Method::get, "/fhir/R4/Patient/zebra-patient-1", {}, nurse).status, 200);
    const auto copied = system_->store().backup(folder / "backup.db");
    ASSERT_TRUE(copied) << copied.error().text;
  }

  static std::set<std::string> found_in(const fs::path& folder) {
    std::set<std::string> found;
    for (const auto& file : fs::recursive_directory_iterator(folder)) {
      if (!file.is_regular_file()) continue;
      std::ifstream in(file.path(), std::ios::binary);
      std::string bytes{std::istreambuf_iterator<char>(in), {}};
      for (char& c : bytes) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      for (const std::string& mark : marks)
        if (bytes.contains(mark)) found.insert(mark);
    }
    return found;
  }

  static inline std::string key_file_;
};

TEST_F(EncryptionTest, NothingOfAPatientStandsInAnyFileOfTheFolder) {
  const fs::path folder = folder_ / "encrypted";
  begin("encrypted", key_file_);
  live(folder);
  EXPECT_GT(fs::file_size(folder / "mydr24.db-wal"), 0U);
  EXPECT_THAT(found_in(folder), IsEmpty());
  restart([](Settings&) {});  // what was in the log is in the file now
  EXPECT_THAT(found_in(folder), IsEmpty());

  const auto trail = audit::open_trail(folder / "audit", key_file_);
  ASSERT_TRUE(trail) << trail.error().text;
  EXPECT_THAT(audit::search(*trail, {.patient = "zebra-patient-1"}, 100)->entries, testing::Not(IsEmpty()));
  EXPECT_THAT(audit::verify({.folder = folder / "audit", .keys = trail->keys})->findings, IsEmpty());
}

TEST_F(EncryptionTest, TheAuditIsReadOverHttpAsAPlainOneIs) {
  begin("served", key_file_);
  live(folder_ / "served");
  const auto officer = log_in("olga", {"compliance-officer"});
  const auto events = send(Method::get, "/fhir/AuditEvent?patient=Patient/zebra-patient-1", {}, officer);
  EXPECT_EQ(events.status, 200);
  ASSERT_GT(events.body.root()["entry"].size(), 0U) << events.raw.body;
  const auto id = events.body.root()["entry"].at(0)["resource"]["id"].text();
  EXPECT_EQ(send(Method::get, fmt::format("/fhir/AuditEvent/{}", id), {}, officer).status, 200);
  const auto disclosures = send(Method::get, "/api/v1/audit/disclosures?patient=zebra-patient-1", {}, officer);
  EXPECT_GT(disclosures.body.root()["disclosures"].size(), 0U) << disclosures.raw.body;
  const auto verified = send(Method::post, "/api/v1/audit/verify", {}, officer);
  EXPECT_TRUE(verified.body.root()["good"].is_true()) << verified.raw.body;
  const auto breach = send(Method::post, "/api/v1/breaches",
                           R"({"nature":"a lost password","principal":"user/zebranurse","since":"2020-01-01"})",
                           with(officer, "Content-Type", "application/json"));
  EXPECT_EQ(breach.status, 201) << breach.raw.body;
  EXPECT_NE(breach.body.root()["people"].text(), "0") << breach.raw.body;
}

TEST_F(EncryptionTest, WithoutAKeyFileAllOfItIsFound) {
  begin("plain", "");
  live(folder_ / "plain");
  EXPECT_EQ(found_in(folder_ / "plain"), marks);
}

TEST_F(EncryptionTest, AServerDoesNotStartWithoutTheKeyFileOrWithAnother) {
  begin("other", key_file_);
  begin("elsewhere", key_file_);
  Settings settings = settings_;
  settings.store.path = (folder_ / "other").string();
  settings.encryption.key_file.clear();
  EXPECT_EQ(start(settings, system_clock()).error().code, Code::refused);
  const std::string other = key_file_ + "2";
  std::ofstream(other) << std::string(64, '6');
  ASSERT_EQ(::chmod(other.c_str(), 0600), 0);
  settings.encryption.key_file = other;
  EXPECT_EQ(start(settings, system_clock()).error().code, Code::refused);
  fs::remove(other);
  settings.encryption.key_file = key_file_;
  const auto started = start(settings, system_clock());
  EXPECT_TRUE(started) << started.error().text;
}

}  // namespace
}  // namespace mydr24::server
