#include "guard/audit/detail/record.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

#include "base/crypto/base64.h"
#include "guard/audit/detail/segment.h"

namespace mydr24::audit {
namespace {

std::string line_of(Kind kind, std::string_view body, const SigningKey* key = nullptr) {
  std::string line;
  Sha256 sha;
  append_line(line, sha, 42, sha256("before"), kind, body, key);
  line.pop_back();
  return line;
}

TEST(Record, LineSaysWhatWasPutIntoIt) {
  const std::string text = line_of(Kind::entry, R"({"at":"2026-01-01T00:00:00Z"})");
  const auto line = parse_line(text);
  ASSERT_TRUE(line) << line.error().text;
  EXPECT_EQ(line->number, 42);
  EXPECT_EQ(line->previous, to_text(sha256("before")));
  EXPECT_EQ(line->kind, Kind::entry);
  EXPECT_EQ(line->body, R"({"at":"2026-01-01T00:00:00Z"})");
  EXPECT_EQ(line->signature, "");
  // As the format is described: the head of the digest, a blank, JSON.
  const Digest digest = sha256(line->json);
  EXPECT_EQ(text, fmt::format("{:02x}{:02x}{:02x}{:02x} {}", digest[0], digest[1], digest[2], digest[3], line->json));
  EXPECT_EQ(line->digest, digest);
  EXPECT_EQ(to_text(digest), crypto::base64_url({reinterpret_cast<const char*>(digest.data()), digest.size()}));
  EXPECT_EQ(parse_digest(to_text(digest)), digest);
}

TEST(Record, CheckpointsAndAnchorsAreReadBack) {
  const Checkpoint checkpoint{.at = from_us(1'767'225'600'000'000), .followed = 7, .key = "abc"};
  const auto same = checkpoint_of(to_json(checkpoint));
  ASSERT_TRUE(same);
  EXPECT_EQ(to_json(*same), to_json(checkpoint));
  Anchor anchor{.at = checkpoint.at, .first = 3, .last = 9, .before = "b", .digest = "d", .until = checkpoint.at};
  EXPECT_EQ(to_json(anchor_of(to_json(anchor)).value()), to_json(anchor));
  anchor.last = 2;
  EXPECT_FALSE(anchor_of(to_json(anchor)));
  EXPECT_FALSE(checkpoint_of("{}"));
  EXPECT_FALSE(checkpoint_of("[]"));
}

TEST(Record, ThatMustBeSignedAndIsNotIsRefused) {
  EXPECT_FALSE(parse_line(line_of(Kind::checkpoint, "{}")));
  EXPECT_FALSE(parse_line(line_of(Kind::anchor, R"({"signature":""})")));
}

// Every change of a line is refused; with its checksum made right, it never reads beyond what is there.
TEST(Record, OfAnyBytesIsRefusedOrRead) {
  std::mt19937 random(7);
  const std::string body =
      R"({"id":"x","at":"2026-01-01T00:00:00.000Z","action":"R","principal":{"kind":"person"},"patients":["p"]})";
  const std::string good = line_of(Kind::entry, body);
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = good;
      changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
      EXPECT_FALSE(parse_line(changed)) << at;
    }
    EXPECT_FALSE(parse_line(good.substr(0, at)));
  }
  for (int round = 0; round < 20'000; ++round) {
    std::string changed = body;
    for (int edits = 1 + static_cast<int>(random() % 4); edits > 0; --edits) {
      const std::size_t at = random() % changed.size();
      if (random() % 3 == 0) {
        changed.erase(at, 1 + random() % 5);
      } else {
        changed[at] = static_cast<char>(random());
      }
      if (changed.empty()) changed = "{";
    }
    const auto framed = line_of(Kind::entry, changed);
    const auto line = parse_line(framed);
    ASSERT_TRUE(line);
    ASSERT_EQ(line->body, changed);
    const auto document = json::Document::parse_view(line->body);
    if (!document) continue;
    if (const auto entry = entry_of(document->root())) {
      const std::string text = to_json(*entry);
      const auto again = json::Document::parse_view(text);
      ASSERT_TRUE(again);
      ASSERT_EQ(to_json(entry_of(again->root()).value()), text);
    }
    (void)checkpoint_of(changed);
    (void)anchor_of(changed);
    (void)decode_index(changed);
  }
}

}  // namespace
}  // namespace mydr24::audit
