// Every way in which somebody could change what stands in a trail, and that the line is named.

#include "guard/audit/verify.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <functional>
#include <random>

#include "guard/audit/audit_fixture.h"
#include "guard/audit/detail/record.h"
#include "guard/audit/detail/segment.h"

namespace mydr24::audit {
namespace {

namespace fs = std::filesystem;
using testing::AnyOf;

class Tampering : public AuditTest {
 protected:
  // Lines 1 to 10: a checkpoint, three entries, a checkpoint, ..., in one open segment; and a copy to change.
  void SetUp() override {
    settings_.checkpoint_entries = 3;
    settings_.sync_interval = std::chrono::milliseconds(1);
    open();
    for (int i = 0; i < 6; ++i) {
      append("p" + std::to_string(i));
      for (int wait = 0; i % 3 == 2 && wait < 4000 && log_->statistics().last < (i == 2 ? 5 : 9); ++wait)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    append("p6");
    log_.reset();
    content_ = read(open_path(settings_.folder, 1));
    for_each_line(content_, [&](std::string_view line) {
      lines_.emplace_back(line);
      return true;
    });
    ASSERT_EQ(lines_.size(), 11U);
    copy_ = root_ / "copy";
    fs::copy(settings_.folder, copy_);
  }

  static std::string joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    return text;
  }
  Verification of(const std::string& content) {
    write(open_path(copy_, 1), content);
    return verified(copy_);
  }
  static bool names(const Verification& done, std::int64_t number) {
    return std::ranges::find(done.findings, number, &Finding::number) != done.findings.end();
  }
  // What somebody can do who knows the format but not the key: line `at` says `to` in place of `from`, and when `chain`
  // is set every later line is chained anew.
  std::string forged(std::size_t at, const std::string& from, const std::string& to, bool chain) {
    std::string out;
    Digest previous{};
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      std::string json = lines_[i].substr(9);
      const std::size_t place = json.find(from);
      if (i == at) json.replace(place, from.size(), to);
      if (chain && i > at) json.replace(json.find("\"previous\":\"") + 12, digest_characters, to_text(previous));
      previous = sha256(json);
      const auto check = std::uint32_t{previous[0]} << 24 | previous[1] << 16 | previous[2] << 8 | previous[3];
      out += fmt::format("{:08x} {}\n", check, json);
    }
    return out;
  }

  std::string content_;
  std::vector<std::string> lines_;
  fs::path copy_;
};

TEST_F(Tampering, NothingIsFoundWhereNothingWasChanged) {
  const Verification done = of(content_);
  EXPECT_EQ(told(done), "");
  EXPECT_EQ(done.lines, 11);
  EXPECT_EQ(done.entries, 7);
  EXPECT_EQ(done.checkpoints, 4);
  EXPECT_EQ(done.last_checkpoint, 11);
  EXPECT_EQ(told(of(forged(0, "", "", false))), "");  // the forger below writes lines as they should be
}

TEST_F(Tampering, AFlippedBitOfAnyByteNamesItsLine) {
  std::mt19937 random(24);
  std::int64_t line = 1;
  std::fstream file(open_path(copy_, 1), std::ios::binary | std::ios::in | std::ios::out);
  const auto put = [&](std::size_t at, char byte) {
    file.seekp(static_cast<std::streamoff>(at));
    file.put(byte);
    file.flush();
  };
  for (std::size_t at = 0; at < content_.size(); ++at) {
    put(at, static_cast<char>(content_[at] ^ (1 << (random() % 8))));
    const Verification done = verified(copy_);
    ASSERT_TRUE(names(done, line)) << "byte " << at << ", line " << line << ": " << told(done);
    put(at, content_[at]);
    if (content_[at] == '\n') ++line;
  }
}

TEST_F(Tampering, ALineLeftOutIsNamed) {
  for (std::size_t at = 0; at < lines_.size(); ++at) {
    auto lines = lines_;
    lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(at));
    const Verification done = of(joined(lines));
    ASSERT_TRUE(names(done, static_cast<std::int64_t>(at) + 1)) << at << ": " << told(done);
    EXPECT_THAT(done.findings[0].problem, AnyOf(Problem::missing, Problem::cut_off));
  }
}

TEST_F(Tampering, LinesThatChangedPlacesAreNamed) {
  for (std::size_t at = 0; at + 1 < lines_.size(); ++at) {
    auto lines = lines_;
    std::swap(lines[at], lines[at + 1]);
    const Verification done = of(joined(lines));
    ASSERT_TRUE(names(done, static_cast<std::int64_t>(at) + 1)) << at << ": " << told(done);
  }
}

TEST_F(Tampering, ALineThatStandsTwiceIsNamed) {
  for (std::size_t at = 0; at < lines_.size(); ++at) {
    auto lines = lines_;
    lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(at), lines[at]);
    const Verification done = of(joined(lines));
    ASSERT_EQ(done.findings.size(), 1U) << told(done);
    EXPECT_EQ(done.findings[0].problem, Problem::out_of_place);
    EXPECT_EQ(done.findings[0].number, static_cast<std::int64_t>(at) + 1);
  }
}

TEST_F(Tampering, ALinePutInIsNamed) {
  auto lines = lines_;
  std::string strange;
  Sha256 sha;
  append_line(strange, sha, 3, parse_digest(parse_line(lines_[2])->previous).value(), Kind::entry, R"({"at":"x"})",
              nullptr);
  strange.pop_back();
  lines.insert(lines.begin() + 2, strange);
  const Verification done = of(joined(lines));
  EXPECT_TRUE(names(done, 3)) << told(done);
}

TEST_F(Tampering, AnEndCutOffIsNamedWhereverItWasCut) {
  std::int64_t whole = 11;  // lines
  for (std::size_t size = content_.size() - 1; size > 0; --size) {
    if (content_[size] == '\n') --whole;
    if (size % 5 != 0 && content_[size] != '\n' && content_[size - 1] != '\n') continue;
    fs::resize_file(open_path(copy_, 1), size);
    const Verification done = verified(copy_);
    ASSERT_TRUE(names(done, whole + 1)) << size << ": " << told(done);
  }
}

TEST_F(Tampering, AnEntryRewrittenWithItsChecksumIsNamedByTheChain) {
  for (std::size_t at = 1; at + 1 < lines_.size(); ++at) {
    if (parse_line(lines_[at])->kind != Kind::entry) continue;
    const Verification done = of(forged(at, "user/anna", "user/otto", false));
    ASSERT_TRUE(names(done, static_cast<std::int64_t>(at) + 1)) << at << ": " << told(done);
  }
}

TEST_F(Tampering, AChainMadeAnewDoesNotGetPastTheNextCheckpoint) {
  for (std::size_t at = 1; at + 1 < lines_.size(); ++at) {
    if (parse_line(lines_[at])->kind != Kind::entry) continue;
    fs::copy_file(settings_.folder / checkpoints_file_name, copy_ / checkpoints_file_name,
                  fs::copy_options::overwrite_existing);
    std::size_t next = at;
    while (parse_line(lines_[next])->kind != Kind::checkpoint) ++next;
    const std::string changed = forged(at, "user/anna", "user/otto", true);
    EXPECT_TRUE(names(of(changed), static_cast<std::int64_t>(next) + 1));
    fs::remove(copy_ / checkpoints_file_name);  // what stands in the trail is enough
    const Verification alone = of(changed);
    ASSERT_TRUE(names(alone, static_cast<std::int64_t>(next) + 1)) << told(alone);
    EXPECT_EQ(alone.findings[0].problem, Problem::bad_signature);
  }
}

TEST_F(Tampering, CheckpointsKeptElsewhereTellOfATrailPutBackToAnOlderState) {
  fs::copy_file(settings_.folder / checkpoints_file_name, root_ / "elsewhere");
  // The attacker owns the folder: he cuts trail and checkpoints, and the server goes on.
  write(open_path(settings_.folder, 1), joined({lines_.begin(), lines_.begin() + 4}));
  fs::remove(settings_.folder / checkpoints_file_name);
  clock_.advance(std::chrono::seconds(1));
  open();
  for (int i = 0; i < 8; ++i) append("other");
  log_.reset();
  EXPECT_EQ(told(verified()), "");
  const auto done = verify({.folder = settings_.folder, .checkpoints_file = root_ / "elsewhere"});
  ASSERT_TRUE(done);
  EXPECT_TRUE(names(*done, 5)) << told(*done);
}

TEST_F(Tampering, CheckpointsThatNobodyCutTellTheSame) {
  write(open_path(settings_.folder, 1), joined({lines_.begin(), lines_.begin() + 4}));
  clock_.advance(std::chrono::seconds(1));
  open();
  for (int i = 0; i < 20; ++i) append("other");
  log_.reset();
  const Verification done = verified();
  EXPECT_TRUE(names(done, 5)) << told(done);
}

TEST_F(Tampering, AnotherKeyVouchesForNothing) {
  Settings other = settings_;
  other.folder = root_ / "other";
  ASSERT_TRUE(Log::open(other, clock_));
  const auto done = verify({.folder = settings_.folder, .public_key = read(other.folder / public_key_file_name)});
  ASSERT_TRUE(done);
  EXPECT_TRUE(names(*done, 1));
  EXPECT_EQ(done->findings[0].problem, Problem::bad_signature);
  EXPECT_EQ(verify({.folder = settings_.folder, .public_key = "x"}).error().code, Code::invalid);
}

class SealedSegments : public AuditTest {
 protected:
  // Four segments of a checkpoint and five entries, the last one open.
  void SetUp() override {
    open();
    for (int i = 0; i < 20; ++i) {
      append("p" + std::to_string(i % 7));
      if (i % 5 == 4 && i < 15) ASSERT_TRUE(log_->rotate());
    }
    log_->settle();
    log_.reset();
    segments_ = segments_in(settings_.folder).value();
    ASSERT_EQ(segments_.size(), 4U);
  }
  std::vector<std::int64_t> segments_;
};

TEST_F(SealedSegments, AreAsGoodAsOpenOnes) {
  EXPECT_TRUE(fs::exists(sealed_path(settings_.folder, 1)));
  EXPECT_FALSE(fs::exists(open_path(settings_.folder, 1)));
  EXPECT_EQ(told(verified()), "");
  EXPECT_EQ(verified().entries, 20);
}

TEST_F(SealedSegments, AMissingOneIsNamed) {
  for (const std::int64_t first : segments_) {
    const fs::path file =
        first == segments_.back() ? open_path(settings_.folder, first) : sealed_path(settings_.folder, first);
    const std::string content = read(file);
    fs::remove(file);
    const Verification done = verified();
    ASSERT_EQ(done.findings.size(), 1U) << told(done);
    EXPECT_EQ(done.findings[0].number, first);
    write(file, content);
  }
  EXPECT_EQ(told(verified()), "");
}

// A few bits of a zstd frame say nothing: what reads as the same lines is the same trail.
TEST_F(SealedSegments, AFlippedBitThatChangesALineIsNoticed) {
  const fs::path file = sealed_path(settings_.folder, segments_[1]);
  const std::string content = read(file);
  const auto lines_of = [&] {
    const auto segment = Segment::open(Trail(settings_.folder), segments_[1], Segment::ByIndex::no);
    std::string lines;
    return segment && segment->read(0, lines) ? lines : std::string();
  };
  const std::string lines = lines_of();
  std::size_t noticed = 0;
  for (std::size_t at = 0; at < content.size(); ++at) {
    std::string changed = content;
    changed[at] = static_cast<char>(changed[at] ^ 4);
    write(file, changed);
    const Verification done = verified();
    if (done.findings.empty()) {
      ASSERT_EQ(lines_of(), lines) << at;
      continue;
    }
    ++noticed;
    EXPECT_GE(done.findings[0].number, segments_[1]) << told(done);
    EXPECT_LE(done.findings[0].number, segments_[2]) << told(done);
  }
  EXPECT_GT(noticed, content.size() * 9 / 10);
}

TEST_F(SealedSegments, AnIndexThatHidesSomethingIsNoticed) {
  const fs::path file = index_path(settings_.folder, 1);
  auto index = decode_index(read(file));
  ASSERT_TRUE(index);
  index->keys[0] ^= 1;
  write(file, encode(*index));
  const Verification done = verified();
  ASSERT_EQ(done.findings.size(), 1U) << told(done);
  EXPECT_EQ(done.findings[0].problem, Problem::bad_index);
}

TEST_F(SealedSegments, ADamagedOrLostIndexIsMadeAgain) {
  const std::string good = read(index_path(settings_.folder, 1));
  fs::remove(index_path(settings_.folder, 1));
  write(index_path(settings_.folder, segments_[1]), "damaged");
  EXPECT_EQ(search(Trail(settings_.folder), {.patient = "p3"}, 100)->entries.size(), 3U);
  open();
  log_->settle();
  EXPECT_EQ(read(index_path(settings_.folder, 1)), good);
  EXPECT_TRUE(decode_index(read(index_path(settings_.folder, segments_[1]))));
}

TEST_F(SealedSegments, AnIndexOfAnyBytesIsRefusedOrRight) {
  const std::string good = read(index_path(settings_.folder, 1));
  for (std::size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(decode_index(good.substr(0, size)));
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string changed = good;
    changed[at] = static_cast<char>(changed[at] ^ 16);
    EXPECT_FALSE(decode_index(changed)) << at;
  }
  EXPECT_EQ(encode(decode_index(good).value()), good);
}

}  // namespace
}  // namespace mydr24::audit
