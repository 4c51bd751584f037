#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

#include "clinical/erasure/erasure.h"

namespace mydr24::erasure {
namespace {

class LedgerTest : public testing::Test {
 protected:
  LedgerTest() {
    std::string pattern = testing::TempDir() + "/ledger-XXXXXX";
    root_ = mkdtemp(pattern.data());
  }
  ~LedgerTest() override { std::filesystem::remove_all(root_); }

  std::filesystem::path root_;
  const Instant at_ = from_us(1'750'000'000'123'000);
};

TEST_F(LedgerTest, WhatWasAppendedIsReadBackInItsOrder) {
  Ledger ledger(root_ / "erasures");
  EXPECT_TRUE(ledger.lines()->empty()) << "there is none yet";
  ASSERT_TRUE(ledger.append({{at_, "r1", "Observation", "o1"}, {at_, "r1", "Patient", "p1"}}));
  ASSERT_TRUE(ledger.append({{at_, "r2", "Patient", "p2"}}));
  const auto lines = Ledger(root_ / "erasures").lines();
  ASSERT_TRUE(lines);
  ASSERT_EQ(lines->size(), 3U);
  EXPECT_EQ(lines->front().at, at_);
  EXPECT_EQ(lines->front().type, "Observation");
  EXPECT_EQ(lines->back().request, "r2");
}

TEST_F(LedgerTest, ALineThatACrashCutOffIsLeftOutAndOverwritten) {
  Ledger ledger(root_ / "erasures");
  ASSERT_TRUE(ledger.append({{at_, "r1", "Patient", "p9"}}));
  std::ofstream(root_ / "erasures", std::ios::app) << R"({"at":"2026)";
  EXPECT_EQ(ledger.lines()->size(), 1U);
  ASSERT_TRUE(ledger.append({{at_, "r2", "Patient", "p8"}}));
  ASSERT_EQ(ledger.lines()->size(), 2U);
  EXPECT_EQ(ledger.lines()->back().id, "p8");
}

TEST_F(LedgerTest, ADamagedLineIsAnErrorThatNamesIt) {
  Ledger ledger(root_ / "erasures");
  ASSERT_TRUE(ledger.append({{at_, "r1", "Patient", "p9"}}));
  std::ofstream(root_ / "erasures", std::ios::app) << "{\"at\":\"2026\n";
  const auto lines = ledger.lines();
  ASSERT_FALSE(lines);
  EXPECT_EQ(lines.error().code, Code::invalid);
  EXPECT_TRUE(lines.error().text.contains("line 2"));
}

TEST_F(LedgerTest, WhereNothingCanBeWrittenNothingMayBeErased) {
  EXPECT_FALSE(Ledger(root_ / "none" / "erasures").append({{at_, "r1", "Patient", "p9"}}));
}

}  // namespace
}  // namespace mydr24::erasure
