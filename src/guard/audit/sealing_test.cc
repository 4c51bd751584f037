#include "guard/audit/detail/sealing.h"

#include <sys/stat.h>

#include <sstream>
#include <thread>

#include "base/crypto/digest.h"
#include "guard/audit/audit_fixture.h"
#include "guard/audit/detail/segment.h"
#include "guard/audit/disclosures.h"
#include "guard/audit/export.h"

namespace mydr24::audit {
namespace {

namespace fs = std::filesystem;

class SealedTrail : public AuditTest {
 protected:
  SealedTrail() {
    key_file("key", '5');
    key_file("other-key", '6');
    settings_.encryption_key_file = root_ / "key";
  }
  void key_file(const std::string& name, char digit) {
    write(root_ / name, std::string(64, digit));
    ASSERT_EQ(::chmod((root_ / name).c_str(), 0600), 0);
  }
  Trail trail() const { return open_trail(settings_.folder, root_ / "key").value(); }
  Verification verified_with_key() const { return verify({.folder = settings_.folder, .keys = trail().keys}).value(); }
  Entry about(const std::string& patient) const {
    Entry made = entry(patient);
    made.query = "name=zebraquery";
    made.name = "Anna Zebraname";
    return made;
  }
  // Marks that stand in any file of the trail.
  std::string leaks() const {
    std::string found;
    for (const auto& file : fs::directory_iterator(settings_.folder)) {
      const std::string bytes = read(file.path());
      for (const char* mark : {"zebrapatient", "zebraquery", "Zebraname", "zebrareason", "user/anna"})
        if (bytes.contains(mark)) found += std::string(mark) + " in " + file.path().filename().string() + "\n";
    }
    return found;
  }
  void fill() {
    open();
    for (int i = 0; i < 50; ++i) append(about("zebrapatient"));
    ASSERT_TRUE(log_->hold("zebrapatient", "zebrareason", "user/anna"));
  }
};

TEST_F(SealedTrail, NothingOfAnEntryStandsInAnyFileOpenOrEnded) {
  fill();
  EXPECT_EQ(leaks(), "");
  ASSERT_TRUE(log_->rotate());
  log_->settle();
  append(about("zebrapatient"));
  EXPECT_TRUE(fs::exists(sealed_path(settings_.folder, 1)));
  EXPECT_TRUE(fs::exists(index_path(settings_.folder, 1)));
  EXPECT_EQ(leaks(), "");
}

TEST_F(SealedTrail, WithoutAKeyFileTheSameMarksAreFound) {
  settings_.encryption_key_file.clear();
  fill();
  for (const char* mark : {"zebrapatient", "zebraquery", "Zebraname", "zebrareason", "user/anna"})
    EXPECT_TRUE(leaks().contains(mark)) << mark;
}

TEST_F(SealedTrail, IsSearchedVerifiedExportedAndAccountedForWithItsKey) {
  fill();
  ASSERT_TRUE(log_->rotate());
  log_->settle();
  append(about("p2"));
  EXPECT_EQ(log_->search({.patient = "zebrapatient"}, 100)->entries.size(), 51U);
  EXPECT_EQ(log_->search({.patient = "p2"}, 100)->entries.size(), 1U);
  EXPECT_EQ(log_->holds()->size(), 1U);
  log_.reset();
  EXPECT_EQ(search(trail(), {.patient = "zebrapatient"}, 100)->entries.size(), 51U);
  const auto verified = verified_with_key();
  EXPECT_TRUE(verified.findings.empty()) << told(verified);
  EXPECT_EQ(verified.entries, 52);
  std::ostringstream out;
  EXPECT_EQ(export_entries({.folder = settings_.folder, .query = {}, .keys = trail().keys}, clock_.now(), out)->lines,
            52);
  EXPECT_TRUE(out.str().contains("zebrapatient"));
  EXPECT_EQ(account_disclosures(trail(), "p2", {}, {})->entries, 1);
}

TEST_F(SealedTrail, GoesOnAfterARestartAndATornTailIsCutOff) {
  fill();
  log_.reset();
  const fs::path file = open_path(settings_.folder, 1);
  const auto size = fs::file_size(file);
  reopen();
  append(about("p3"));
  log_.reset();
  EXPECT_TRUE(verified_with_key().findings.empty());
  fs::resize_file(file, size + 20);
  open();
  EXPECT_EQ(log_->search({.interaction = "audit.repair"}, 10)->entries.size(), 1U);
  append(about("p4"));
  log_.reset();
  // The checkpoint of the close stood in what was torn off.
  for (const Finding& one : verified_with_key().findings) EXPECT_EQ(one.problem, Problem::changed) << one.text;
  EXPECT_EQ(search(trail(), {.patient = "p4"}, 10)->entries.size(), 1U);
}

TEST_F(SealedTrail, AChangedByteIsNamed) {
  fill();
  log_.reset();
  const fs::path file = open_path(settings_.folder, 1);
  const std::string good = read(file);
  for (std::size_t at = 40; at < good.size(); at += 397) {
    std::string changed = good;
    changed[at] = static_cast<char>(changed[at] ^ 4);
    write(file, changed);
    EXPECT_FALSE(verified_with_key().findings.empty()) << at;
  }
}

TEST_F(SealedTrail, IsRefusedWithoutItsKeyFileAndNothingOfItIsCutOff) {
  fill();
  log_.reset();
  const auto size = fs::file_size(open_path(settings_.folder, 1));
  EXPECT_EQ(open_trail(settings_.folder, {}).error().code, Code::refused);
  EXPECT_EQ(open_trail(settings_.folder, root_ / "other-key").error().code, Code::refused);
  for (const fs::path& file : {fs::path(), root_ / "other-key"}) {
    settings_.encryption_key_file = file;
    EXPECT_EQ(Log::open(settings_, clock_).error().code, Code::refused);
  }
  // Without its keys.json, too: whether or not new keys would be made.
  const std::string keys = read(settings_.folder / keyring::file_name);
  for (const fs::path& file : {fs::path(), root_ / "key"}) {
    fs::remove(settings_.folder / keyring::file_name);
    settings_.encryption_key_file = file;
    EXPECT_EQ(Log::open(settings_, clock_).error().code, Code::refused);
    EXPECT_FALSE(fs::exists(settings_.folder / keyring::file_name));
  }
  EXPECT_EQ(fs::file_size(open_path(settings_.folder, 1)), size);
  write(settings_.folder / keyring::file_name, keys);
  open();
  EXPECT_EQ(log_->search({.patient = "zebrapatient"}, 100)->entries.size(), 51U);
}

TEST_F(SealedTrail, LinesOfAGenerationThatIsMissingAreNotCutOff) {
  fill();
  log_.reset();
  const std::string before = read(settings_.folder / keyring::file_name);
  ASSERT_TRUE(
      keyring::Keyring::open(settings_.folder / keyring::file_name, root_ / "key").value()->rotate(clock_.now()));
  open();
  append(about("p5"));
  log_.reset();
  EXPECT_TRUE(verified_with_key().findings.empty());
  write(settings_.folder / keyring::file_name, before);
  EXPECT_EQ(Log::open(settings_, clock_).error().code, Code::refused);
}

TEST_F(SealedTrail, AKeyThatAnotherProcessMadeSealsWhatComesAfter) {
  settings_.sync_interval = std::chrono::milliseconds(1);
  fill();
  const auto generation = [&] {
    const std::string bytes = read(open_path(settings_.folder, 1));
    const std::string_view whole(bytes.data(), bytes.find_last_not_of('\0'));  // the newline is not part of it
    return static_cast<int>(whole[whole.rfind('\n') + 2]);  // none of the numbers used here is escaped
  };
  EXPECT_EQ(generation(), 1);
  ASSERT_TRUE(
      keyring::Keyring::open(settings_.folder / keyring::file_name, root_ / "key").value()->rotate(clock_.now()));
  for (int i = 0; i < 2'000 && generation() == 1; ++i) {
    append(about("later"));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(generation(), 2);
  EXPECT_GE(log_->search({.patient = "later"}, 10'000)->entries.size(), 1U);
  log_.reset();
  EXPECT_TRUE(verified_with_key().findings.empty());
}

TEST_F(SealedTrail, APlainTrailGoesOnEncryptedAndStaysOneChain) {
  settings_.encryption_key_file.clear();
  fill();
  ASSERT_TRUE(log_->rotate());
  log_->settle();
  append(about("plain"));
  log_.reset();
  settings_.encryption_key_file = root_ / "key";
  open();
  append(about("sealed"));
  for (const char* patient : {"plain", "sealed"}) EXPECT_EQ(log_->search({.patient = patient}, 9)->entries.size(), 1U);
  ASSERT_TRUE(log_->rotate());
  log_->settle();
  for (const char* patient : {"plain", "sealed"}) EXPECT_EQ(log_->search({.patient = patient}, 9)->entries.size(), 1U);
  EXPECT_EQ(log_->search({.patient = "zebrapatient"}, 100)->entries.size(), 51U);
  log_.reset();
  const auto verified = verified_with_key();
  EXPECT_TRUE(verified.findings.empty()) << told(verified);
}

TEST(Sealing, LinesOfEveryLengthComeBackAndHoldNoNewline) {
  const auto folder = fs::path(testing::TempDir());
  const auto key = folder / "sealing-key";
  std::ofstream(key) << std::string(64, '7');
  ASSERT_EQ(::chmod(key.c_str(), 0600), 0);
  fs::remove(folder / "sealing-keys.json");
  Sealing sealing(keyring::Keyring::create(folder / "sealing-keys.json", key, from_us(0)).value());
  std::string room;
  for (std::size_t length = 0; length < 3'000; length += 7) {
    const std::string line(length, 'x');
    std::string stored;
    ASSERT_TRUE(sealing.append_line(stored, line));
    EXPECT_FALSE(stored.contains('\n'));
    EXPECT_EQ(sealing.open_line(stored, room), line);
    stored.back() = static_cast<char>(stored.back() ^ 1);
    EXPECT_NE(sealing.open_line(stored, room), line);
  }
  fs::remove(folder / "sealing-keys.json");
  fs::remove(key);
}

}  // namespace
}  // namespace mydr24::audit
