#include "alerting/notify/ack_token.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "storage/store/fake_store.h"

namespace mydr24::notify {
namespace {

using namespace std::chrono_literals;

const Instant start = from_us(1'700'000'000'000'000);
const std::string alert = "01a2b3c4-0000-7000-8000-000000000001";

TEST(AckToken, IsReadBackByWhoeverHasTheKeyUntilItExpires) {
  const AckTokens tokens("0123456789abcdef");
  for (const std::string& delivery : {alert + "-r00001-c02", std::string("x"), std::string("+x"), alert}) {
    for (const std::string_view contact : {"ward nurse", "", "Zoë \"O'Neil\""}) {
      const std::string token = tokens.issue(alert, delivery, contact, start + 10min);
      EXPECT_LE(token.size(), token_bytes_max);
      EXPECT_EQ(token.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."),
                token.npos);
      const auto claims = tokens.verify(token, start + 10min - 1us);
      ASSERT_TRUE(claims) << claims.error().text;
      EXPECT_EQ(*claims, (Claims{alert, delivery, std::string(contact), start + 10min}));
      EXPECT_EQ(tokens.verify(token, start + 10min).error().code, Code::gone);
      EXPECT_EQ(AckTokens("0123456789abcdeg").verify(token, start).error().code, Code::refused);
    }
  }
}

TEST(AckToken, ChangedInAnyCharacterIsRefused) {
  const AckTokens tokens("0123456789abcdef");
  const std::string token = tokens.issue(alert, alert + "-r00001-c02", "nurse", start + 10min);
  for (std::size_t i = 0; i < token.size(); ++i) {
    for (const char other : {'A', 'Q', '.', '-', '=', '\0'}) {
      std::string changed = token;
      if (changed[i] == other) continue;
      changed[i] = other;
      EXPECT_EQ(tokens.verify(changed, start).error().code, Code::refused) << i;
    }
    EXPECT_EQ(tokens.verify(token.substr(0, i), start).error().code, Code::refused);
  }
  EXPECT_EQ(tokens.verify(token + "A", start).error().code, Code::refused);
  EXPECT_EQ(tokens.verify(std::string(5000, 'A') + ".AAAA", start).error().code, Code::refused);
}

TEST(AckKey, IsMadeOnceAndKeptInTheStore) {
  const ManualClock clock(start);
  store::FakeStore store(clock);
  const auto first = ack_key(store);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->size(), 64U);
  EXPECT_EQ(*ack_key(store), *first);
}

TEST(AckKey, OfAFileHasAtLeastSixteenBytes) {
  const auto file = (std::filesystem::temp_directory_path() / ("ack_key_test_" + std::to_string(getpid()))).string();
  EXPECT_EQ(ack_key(file).error().code, Code::invalid);
  std::ofstream(file) << "short\n";
  EXPECT_NE(ack_key(file).error().text.find(file), std::string::npos);
  std::ofstream(file) << "0123456789abcdef\nmore\n";
  EXPECT_EQ(*ack_key(file), "0123456789abcdef");
  std::filesystem::remove(file);
}

TEST(TokenUses, AreRememberedForEachActionUntilTheTokenHasExpired) {
  ManualClock clock(start);
  store::FakeStore store(clock);
  const auto use = [&](const Claims& claims, std::string_view action, std::string_view by) {
    EXPECT_TRUE(store.write(RequestClass::emergency, [&](store::Transaction& transaction) {
      return token_uses::record(transaction, claims, action, by);
    }));
  };
  const auto find = [&](const Claims& claims, std::string_view action) {
    std::optional<TokenUse> found;
    EXPECT_TRUE(store.read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(found, token_uses::find(reader, claims, action));
      return {};
    }));
    return found;
  };
  const Claims first{alert, alert + "-r00000-c00", "nurse", start + 10min};
  EXPECT_FALSE(find(first, "ack"));
  use(first, "ack", "nurse");
  ASSERT_TRUE(find(first, "ack"));
  EXPECT_EQ(find(first, "ack")->by, "nurse");
  EXPECT_EQ(find(first, "ack")->at, start);
  EXPECT_FALSE(find(first, "close"));
  Claims other = first;
  other.delivery_id = alert + "-r00001-c00";
  other.expires = start + 60min;
  EXPECT_FALSE(find(other, "ack"));
  clock.advance(11min);
  use(other, "ack", "doctor");
  EXPECT_TRUE(find(other, "ack"));
  EXPECT_FALSE(find(first, "ack"));
}

}  // namespace
}  // namespace mydr24::notify
