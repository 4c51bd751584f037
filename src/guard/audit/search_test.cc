#include "guard/audit/search.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "guard/audit/audit_fixture.h"
#include "guard/audit/detail/segment.h"
#include "guard/audit/disclosures.h"

namespace mydr24::audit {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

// The same questions are put to a trail in one open segment and to one in many sealed ones.
class Searching : public AuditTest, public testing::WithParamInterface<bool> {
 protected:
  void SetUp() override {
    open();
    for (int i = 0; i < 60; ++i) {
      Entry one = entry("p" + std::to_string(i % 6));
      one.principal = i % 4 == 0 ? "user/otto" : "user/anna";
      one.request_id = "r" + std::to_string(i);
      one.resource_type = i % 2 == 0 ? "Observation" : "Condition";
      if (i == 13) one.outcome = Outcome::minor_failure;
      if (i == 14) one.action = Action::update;
      if (i == 15) one.override_id = "ov";
      if (i == 17) one.tenant = "north";
      if (i == 16) {
        one.interaction = "export";
        one.patients.clear();
        one.patients_cut = true;
      }
      at_.push_back(append(std::move(one)));
      clock_.advance(1min);
      if (GetParam() && i % 10 == 9) ASSERT_TRUE(log_->rotate());
    }
    log_->settle();
  }
  std::vector<int> found(const Query& query, std::size_t limit = 1000) {
    std::vector<int> numbers;
    const auto page = log_->search(query, limit);
    EXPECT_TRUE(page);
    for (const Found& one : page->entries)
      numbers.push_back(static_cast<int>(std::ranges::find(at_, one.number) - at_.begin()));
    return numbers;
  }
  std::vector<std::int64_t> at_;  // line of each entry
};

TEST_P(Searching, EveryConditionNarrows) {
  const Instant start = clock_.now() - 60min;
  EXPECT_THAT(found({.patient = "p2", .since = start + 40min}), ElementsAre(56, 50, 44));
  EXPECT_THAT(found({.patient = "p2", .until = start + 10min}), ElementsAre(8, 2));
  EXPECT_THAT(found({.patient = "p0", .principal = "user/otto", .since = start + 20min}), ElementsAre(48, 36, 24));
  EXPECT_THAT(found({.outcome = Outcome::minor_failure}), ElementsAre(13));
  EXPECT_THAT(found({.failures = true}), ElementsAre(13));
  EXPECT_THAT(found({.action = Action::update}), ElementsAre(14));
  EXPECT_THAT(found({.override_id = "ov"}), ElementsAre(15));
  EXPECT_THAT(found({.tenant = "north"}), ElementsAre(17));
  EXPECT_THAT(found({.interaction = "export"}), ElementsAre(16));
  EXPECT_THAT(found({.request_id = "r42"}), ElementsAre(42));
  EXPECT_EQ(found({.resource_type = "Condition", .resource_id = "o1"}).size(), 30U);
  EXPECT_TRUE(found({.patient = "p"}).empty());
  EXPECT_TRUE(found({.patient = "p1", .resource_id = "other"}).empty());
  EXPECT_EQ(found({}).size(), 60U);
}

TEST_P(Searching, WhatConcernsEveryoneConcernsThePatientWhenAskedSo) {
  EXPECT_THAT(found({.patient = "p4", .until = clock_.now() - 40min}), ElementsAre(10, 4));
  EXPECT_THAT(found({.patient = "p4", .or_everyone = true, .until = clock_.now() - 40min}), ElementsAre(16, 10, 4));
}

TEST_P(Searching, PagesJoinToTheWhole) {
  std::vector<std::int64_t> numbers;
  std::string cursor;
  do {
    const auto page = log_->search({.principal = "user/anna"}, 7, cursor);
    ASSERT_TRUE(page);
    for (const Found& one : page->entries) numbers.push_back(one.number);
    cursor = page->next;
    append("late");  // what comes meanwhile is no matter
  } while (!cursor.empty());
  EXPECT_EQ(numbers.size(), 45U);
  EXPECT_TRUE(std::ranges::is_sorted(numbers, std::greater()));
}

TEST_P(Searching, ASearchThatReadsTooMuchGoesOnFromItsCursor) {
  std::string cursor;
  std::size_t pages = 0, entries = 0;
  do {
    const auto page = search(Trail(settings_.folder), {.request_id = "r42"}, 10, cursor, 1);
    ASSERT_TRUE(page);
    ++pages;
    entries += page->entries.size();
    cursor = page->next;
  } while (!cursor.empty() && pages < 100);
  EXPECT_EQ(entries, 1U);
  EXPECT_EQ(pages, segments_in(settings_.folder)->size() + 1);  // each has one block; the last page is empty
}

TEST_P(Searching, LimitsAndCursorsAreChecked) {
  EXPECT_EQ(log_->search({}, 0).error().where, "limit");
  EXPECT_EQ(log_->search({}, page_entries_max + 1).error().where, "limit");
  EXPECT_EQ(log_->search({}, 1, "12x").error().where, "cursor");
  EXPECT_EQ(search(Trail(root_ / "nowhere"), {}, 1).error().code, Code::not_found);
}

TEST_P(Searching, AllAreSeenOldestFirst) {
  std::vector<std::int64_t> numbers;
  ASSERT_TRUE(for_each(Trail(settings_.folder), {}, [&](const Found& one) {
    numbers.push_back(one.number);
    return numbers.size() < 50;
  }));
  EXPECT_EQ(numbers, std::vector(at_.begin(), at_.begin() + 50));
}

INSTANTIATE_TEST_SUITE_P(Segments, Searching, testing::Values(false, true),
                         [](const auto& one) { return one.param ? "sealed" : "open"; });

// A trail larger than a block: a look-up finds its line in any of them.
TEST_F(AuditTest, ASegmentOfManyBlocksIsReadByBlock) {
  open();
  std::int64_t last = 0;
  for (int i = 0; i < 3000; ++i) last = append(i % 1000 == 500 ? "rare" : "p" + std::to_string(i));
  const auto segment = Segment::open(Trail(settings_.folder), 1);
  ASSERT_TRUE(segment);
  EXPECT_GT(segment->blocks(), 3U);
  EXPECT_EQ(log_->search({.patient = "rare"}, 10)->entries.size(), 3U);
  ASSERT_TRUE(log_->rotate());
  log_->settle();
  const auto sealed = Segment::open(Trail(settings_.folder), 1);
  ASSERT_TRUE(sealed && sealed->index() != nullptr);
  EXPECT_EQ(sealed->blocks(), segment->blocks());
  EXPECT_EQ(sealed->index()->frames_of(index_key(KeyKind::patient, "rare")).size(), 3U);
  EXPECT_EQ(log_->search({.patient = "rare"}, 10)->entries.size(), 3U);
  EXPECT_EQ(log_->search({}, 1)->entries[0].number, last);
  log_.reset();
  EXPECT_EQ(told(verified()), "");
}

TEST_F(AuditTest, AccountingTellsWhoOutsideGotDataAndForWhat) {
  open();
  const auto disclose = [&](const std::string& purpose, const std::string& client, const std::string& interaction) {
    Entry one = entry("p1");
    one.purpose = purpose;
    one.client = client;
    one.interaction = interaction;
    append(std::move(one));
    clock_.advance(1h);
  };
  const Instant start = clock_.now();
  disclose("TREAT", "", "read");
  disclose("HRESCH", "registry", "read");
  disclose("HRESCH", "registry", "search-type");
  disclose("", "insurer", "read");
  disclose("", "", "read");  // a nurse at our own page
  Entry refused = entry("p1");
  refused.client = "thief";
  refused.outcome = Outcome::minor_failure;
  append(refused);
  Entry write = entry("p1");
  write.action = Action::update;
  append(write);
  append("p2");
  Entry bulk = entry();
  bulk.patients.clear();
  bulk.patients_cut = true;
  bulk.action = Action::execute;
  bulk.interaction = "export";
  bulk.purpose = "PUBHLTH";
  bulk.client = "authority";
  append(bulk);

  const auto accounting = account_disclosures(Trail(settings_.folder), "p1", std::nullopt, std::nullopt);
  ASSERT_TRUE(accounting);
  EXPECT_EQ(accounting->entries, 6);
  std::vector<std::string> told;
  for (const Disclosure& one : accounting->disclosures)
    told.push_back(fmt::format("{}|{}|{}|{}|{}", one.outside ? "outside" : "inside", one.purpose, one.client, one.count,
                               one.names_patient ? "" : "bulk"));
  EXPECT_THAT(told, ElementsAre("outside||insurer|1|", "outside|HRESCH|registry|2|", "outside|PUBHLTH|authority|1|bulk",
                                "inside|||1|", "inside|TREAT||1|"));
  EXPECT_EQ(accounting->disclosures[1].first, start + 1h);
  EXPECT_EQ(accounting->disclosures[1].last, start + 2h);
  EXPECT_THAT(accounting->disclosures[1].interactions, ElementsAre("read Observation", "search-type Observation"));
  EXPECT_EQ(account_disclosures(Trail(settings_.folder), "p1", start + 1h, start + 2h)->entries, 1);
  EXPECT_EQ(account_disclosures(Trail(settings_.folder), "a b", {}, {}).error().code, Code::invalid);
}

}  // namespace
}  // namespace mydr24::audit
