// Silences that wait for a second person.

#include "alerting/groups/groups_fixture.h"

namespace mydr24::groups {
namespace {

class ProposalTest : public GroupsTest {
 protected:
  void SetUp() override { start(); }

  Silence asked(std::string by, double seconds_long = 3600, std::string_view matcher = "severity=~\".+\"") {
    return {.matchers = *routing::parse_matchers(matcher, routing::Names::utf8),
            .starts_at = clock_.now(),
            .ends_at = clock_.now() + Microseconds(static_cast<std::int64_t>(seconds_long * 1e6)),
            .created_by = std::move(by),
            .comment = "the monitoring is moved"};
  }
  Result<Proposal> propose(std::string by, double seconds_long = 3600) {
    return run(groups_->propose(asked(std::move(by), seconds_long)));
  }
  std::vector<Proposal> proposals() {
    const auto all = groups_->proposals();
    EXPECT_TRUE(all);
    return all.value_or(std::vector<Proposal>());
  }
  std::vector<Silence> silences() {
    return run(groups_->ask([](const State& state, Instant) {
      std::vector<Silence> all;
      for (const auto& [id, silence] : state.silences()) all.push_back(silence);
      return all;
    }));
  }
};

TEST_F(ProposalTest, OneProposesAnotherApprovesAndWhatWasAskedForIsMade) {
  ASSERT_TRUE(push(alert(named("slow", {{"severity", "warning"}}))));
  const auto proposal = propose("ann");
  ASSERT_TRUE(proposal);
  EXPECT_TRUE(silences().empty()) << "nothing is held back yet";
  crash();
  ASSERT_EQ(proposals().size(), 1U);
  EXPECT_EQ(proposals()[0].silence.comment, "the monitoring is moved");
  clock_.advance(5min);
  EXPECT_EQ(run(groups_->approve(proposal->id, "ann")).error().text, "who approves is another person than who asks");
  EXPECT_EQ(run(groups_->approve(proposal->id, "")).error().code, Code::invalid);
  const auto id = run(groups_->approve(proposal->id, "ben"));
  ASSERT_TRUE(id) << id.error().text;
  ASSERT_EQ(silences().size(), 1U);
  EXPECT_EQ(silences()[0].id, *id);
  EXPECT_EQ(silences()[0].created_by, "ann");
  EXPECT_EQ(silences()[0].approved_by, "ben");
  EXPECT_EQ(silences()[0].ends_at, instant(3600)) << "as long as she asked for";
  EXPECT_TRUE(proposals().empty());
  EXPECT_EQ(run(groups_->approve(proposal->id, "eve")).error().code, Code::not_found) << "it counts once";
  for (const char* kind : {"silence.proposed", "silence.created"}) EXPECT_EQ(events(kind), 1U) << kind;
}

TEST_F(ProposalTest, WhoDeclinesSaysWhyAndWhoProposedItReadsIt) {
  const auto proposal = propose("ann");
  ASSERT_TRUE(proposal);
  EXPECT_EQ(run(groups_->decline(proposal->id, "ann", "no")).error().code, Code::refused);
  EXPECT_EQ(run(groups_->decline(proposal->id, "ben", "")).error().code, Code::invalid);
  ASSERT_TRUE(run(groups_->decline(proposal->id, "ben", "the feed is needed")));
  ASSERT_EQ(proposals().size(), 1U);
  EXPECT_FALSE(proposals()[0].waits());
  EXPECT_EQ(proposals()[0].reason, "the feed is needed");
  EXPECT_EQ(run(groups_->approve(proposal->id, "eve")).error().code, Code::conflict);
  EXPECT_EQ(run(groups_->withdraw(proposal->id, "ben")).error().code, Code::refused);
  ASSERT_TRUE(run(groups_->withdraw(proposal->id, "ann")));
  EXPECT_TRUE(proposals().empty());
  EXPECT_TRUE(silences().empty());
  for (const char* kind : {"silence.declined", "silence.withdrawn"}) EXPECT_EQ(events(kind), 1U) << kind;
}

TEST_F(ProposalTest, OneEndsByItselfAfterADayOrWhenItsSilenceWould) {
  const auto day = propose("ann", 7 * 24 * 3600);
  const auto hour = propose("ben", 3600);
  ASSERT_TRUE(day && hour);
  EXPECT_EQ(day->ends_at(), instant(24 * 3600));
  EXPECT_EQ(hour->ends_at(), instant(3600));
  clock_.advance(1h);
  EXPECT_EQ(run(groups_->approve(hour->id, "eve")).error().code, Code::not_found);
  EXPECT_EQ(proposals().size(), 1U);
  pass(61s);
  EXPECT_EQ(events("silence.lapsed"), 1U) << "so that consoles see it";
  clock_.advance(23h);
  EXPECT_TRUE(proposals().empty());
}

TEST_F(ProposalTest, ANewOneTakesThePlaceOfTheSamePersonsAndThereIsAnEndToThem) {
  const auto before = propose("ann", 3600);
  const auto after = propose("ann", 7200);
  ASSERT_TRUE(before && after);
  ASSERT_EQ(proposals().size(), 1U);
  EXPECT_EQ(run(groups_->approve(before->id, "ben")).error().code, Code::not_found) << "not the longer one unseen";
  for (std::size_t i = 1; i < proposals_max; ++i) ASSERT_TRUE(propose(fmt::format("p{}", i)));
  EXPECT_EQ(propose("eve").error().code, Code::conflict);
  EXPECT_TRUE(propose("ann")) << "in the place of her own";
  ASSERT_TRUE(run(groups_->decline(proposals()[0].id, "eve", "too many")));
  EXPECT_TRUE(propose("eve")) << "what was declined makes room";
}

TEST_F(ProposalTest, WhatNobodyMayMakeIsNotProposed) {
  EXPECT_EQ(run(groups_->propose(asked("ann", 60, "severity=emergency"))).error().code, Code::refused);
  EXPECT_EQ(propose("ann", -1).error().code, Code::invalid);
  EXPECT_EQ(propose("").error().code, Code::invalid);
  store_->refuse_writes = 1;
  EXPECT_EQ(propose("ann").error().code, Code::busy);
  EXPECT_TRUE(proposals().empty());
}

TEST_F(ProposalTest, WhatIsRefusedToOnePersonWhoIsLoggedInIsProposed) {
  const std::string all = "severity=~\".+\"";
  EXPECT_EQ(silence(all, 3600).error().code, Code::refused);
  EXPECT_TRUE(proposals().empty()) << "nobody knows who asked";
  EXPECT_EQ(silence(all, 3600, "", "ann").error().code, Code::refused);
  EXPECT_EQ(silence("severity=emergency", 9 * 3600, "", "ann").error().code, Code::refused);
  ASSERT_EQ(proposals().size(), 1U);
  EXPECT_EQ(proposals()[0].silence.created_by, "ann");
  EXPECT_TRUE(run(groups_->approve(proposals()[0].id, "ben")));
}

}  // namespace
}  // namespace mydr24::groups
