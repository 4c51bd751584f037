#include <gmock/gmock.h>

#include "guard/audit/audit_fixture.h"
#include "guard/audit/detail/segment.h"

namespace mydr24::audit {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

class Retention : public AuditTest {
 protected:
  // A segment a day for ten days: entries of "everybody" each day, of "held" on the third, of "d0" ... "d9" on theirs.
  void SetUp() override {
    open();
    for (int day = 0; day < 10; ++day) {
      append("everybody");
      append("d" + std::to_string(day));
      if (day == 3) append("held");
      clock_.advance(24h);
      ASSERT_TRUE(log_->rotate());
    }
    log_->settle();
    firsts_ = segments_in(settings_.folder).value();
    ASSERT_EQ(firsts_.size(), 11U);
  }
  // Which days still have their segment.
  std::vector<int> days() {
    std::vector<int> left;
    for (const std::int64_t first : segments_in(settings_.folder).value())
      left.push_back(static_cast<int>(std::ranges::find(firsts_, first) - firsts_.begin()));
    return left;
  }
  std::vector<std::int64_t> firsts_;
};

TEST_F(Retention, RemovesExactlyTheSegmentsThatAreDueAndLeavesAChain) {
  const auto retained = log_->retain(7);
  ASSERT_TRUE(retained);
  EXPECT_EQ(retained->segments_removed, 3);  // entries of days 0, 1 and 2 are more than seven days old on day 10
  EXPECT_THAT(days(), ElementsAre(3, 4, 5, 6, 7, 8, 9, 10));
  EXPECT_TRUE(log_->search({.patient = "d2"}, 10)->entries.empty());
  EXPECT_EQ(log_->search({.patient = "d3"}, 10)->entries.size(), 1U);
  EXPECT_EQ(log_->retain(7)->segments_removed, 0);
  reopen();
  log_.reset();
  const Verification done = verified();
  EXPECT_EQ(told(done), "");
  EXPECT_EQ(done.removed, retained->lines_removed);
}

TEST_F(Retention, KeepsWhatALegalHoldCoversUntilItIsReleased) {
  ASSERT_TRUE(log_->hold("held", "court order 12/26", "user/counsel"));
  auto retained = log_->retain(5);
  ASSERT_TRUE(retained);
  EXPECT_EQ(retained->segments_removed, 4);  // days 0 to 4 but day 3
  EXPECT_EQ(retained->segments_held, 1);
  EXPECT_THAT(days(), ElementsAre(3, 5, 6, 7, 8, 9, 10));
  reopen();  // holds last
  ASSERT_EQ(log_->holds()->size(), 1U);
  EXPECT_EQ(log_->holds()->front().reason, "court order 12/26");
  log_.reset();
  EXPECT_EQ(told(verified()), "");

  open();
  EXPECT_EQ(log_->retain(5)->segments_removed, 0);
  ASSERT_TRUE(log_->release("held", "case closed", "user/counsel"));
  EXPECT_EQ(log_->retain(5)->segments_removed, 1);
  const auto page = log_->search({.principal = "user/counsel"}, 10);
  ASSERT_EQ(page->entries.size(), 2U);
  EXPECT_EQ(page->entries[1].entry.interaction, "audit.hold");
  EXPECT_EQ(page->entries[0].entry.interaction, "audit.release");
  log_.reset();
  EXPECT_EQ(told(verified()), "");
}

TEST_F(Retention, WithAnyHoldKeepsEntriesThatConcernEveryPatient) {
  Entry bulk = entry();
  bulk.patients.clear();
  bulk.patients_cut = true;
  append(bulk);
  ASSERT_TRUE(log_->rotate());
  log_->settle();
  ASSERT_TRUE(log_->hold("somebody", "claim", "user/counsel"));
  clock_.advance(24h * 30);
  const auto retained = log_->retain(20);
  ASSERT_TRUE(retained);
  EXPECT_EQ(retained->segments_removed, 10);
  EXPECT_EQ(retained->segments_held, 1);
}

TEST_F(Retention, AHoldEndsByItselfAtItsTime) {
  EXPECT_EQ(log_->hold("p1", "claim", "user/counsel", clock_.now()).error().where, "until");
  ASSERT_TRUE(log_->hold("p1", "claim", "user/counsel", clock_.now() + std::chrono::hours(48)));
  ASSERT_TRUE(log_->hold("p2", "claim", "user/counsel"));
  EXPECT_EQ(log_->holds()->size(), 2U);
  clock_.advance(std::chrono::hours(49));
  const auto left = log_->holds();
  ASSERT_TRUE(left);
  ASSERT_EQ(left->size(), 1U);
  EXPECT_EQ(left->front().patient, "p2");
}

TEST_F(Retention, ASegmentTakenAwayWithoutAnAnchorIsStillMissed) {
  ASSERT_TRUE(log_->retain(7));
  log_.reset();
  std::filesystem::remove(sealed_path(settings_.folder, firsts_[3]));
  const Verification done = verified();
  ASSERT_EQ(done.findings.size(), 1U) << told(done);
  EXPECT_EQ(done.findings[0].problem, Problem::missing);
  EXPECT_EQ(done.findings[0].number, firsts_[3]);
}

TEST_F(Retention, AnchorsThatWereRemovedThemselvesLiveOnInTheFileOfCheckpoints) {
  ASSERT_TRUE(log_->retain(7));
  ASSERT_TRUE(log_->rotate());
  clock_.advance(24h * 30);
  append();
  ASSERT_TRUE(log_->rotate());
  log_->settle();
  EXPECT_EQ(log_->retain(7)->segments_removed, 8);  // the one with the anchors among them
  log_.reset();
  EXPECT_EQ(told(verified()), "");
}

TEST_F(Retention, AndHoldsNeedWhatTheyNeed) {
  EXPECT_EQ(log_->retain(0).error().where, "days");
  EXPECT_EQ(log_->hold("no id!", "r", "b").error().where, "patient");
  EXPECT_EQ(log_->hold("p", "", "b").error().where, "reason");
  EXPECT_EQ(log_->release("p", "r", "b").error().code, Code::not_found);
  EXPECT_TRUE(log_->holds()->empty());
}

}  // namespace
}  // namespace mydr24::audit
