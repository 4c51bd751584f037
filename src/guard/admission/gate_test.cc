#include "guard/admission/gate.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "guard/admission/hash.h"
#include "guard/admission/quota.h"

namespace mydr24::admission {
namespace {

using namespace std::chrono_literals;

constexpr auto emergency = RequestClass::emergency;
constexpr auto urgent = RequestClass::urgent;
constexpr auto routine = RequestClass::routine;
constexpr auto background = RequestClass::background;

// A gate, and what it has decided of whom.
class GateTest : public testing::Test {
 protected:
  void make(std::size_t seats, Nanoseconds held = 1ms) {
    GateSettings settings;
    settings.seats = seats;
    settings.held_usually = held;
    gate = std::make_unique<Gate>(settings);
  }
  // Comes in; gives its name's verdict in `verdicts` once there is one.
  void ask(const std::string& name, RequestClass request_class, std::string_view flow = "a",
           Nanoseconds deadline = Nanoseconds::max()) {
    const Entry entry{request_class, hash(flow), now, deadline};
    if (const auto verdict = gate->enter(entry)) {
      verdicts[name] = *verdict;
      order.push_back(name);
      return;
    }
    gate->wait(entry, [this, name](Verdict verdict) {
      verdicts[name] = verdict;
      order.push_back(name);
    });
  }
  void leave(RequestClass request_class, Nanoseconds held = 1ms, std::uint8_t shard = Verdict::no_shard) {
    gate->leave(request_class, shard, held, now);
  }
  // More than an interval in which nobody waits less than the target: two come in for each that leaves.
  void let_the_queue_stand(Nanoseconds held) {
    for (int i = 0; i < 40; ++i) {
      now += 6ms;
      ask("x" + std::to_string(i), routine);
      ask("y" + std::to_string(i), routine);
      leave(routine, held);
    }
  }
  bool admitted(const std::string& name) const { return verdicts.contains(name) && verdicts.at(name).admitted(); }
  bool waits(const std::string& name) const { return !verdicts.contains(name); }

  std::unique_ptr<Gate> gate;
  Nanoseconds now = 10s;
  std::map<std::string, Verdict> verdicts;
  std::vector<std::string> order;
};

TEST_F(GateTest, WhoFindsASeatIsServedAtOnceAndWhoDoesNotWaitsItsTurn) {
  make(1);
  ask("first", emergency);
  ask("second", emergency);
  EXPECT_TRUE(admitted("first"));
  EXPECT_TRUE(waits("second"));
  leave(emergency);
  EXPECT_TRUE(admitted("second"));
}

TEST_F(GateTest, AnEmergencyMayTakeAnySeatAndGoesFirst) {
  make(10);
  for (int i = 0; i < 10; ++i) ask("r" + std::to_string(i), routine);
  EXPECT_EQ(gate->figures().taken[2], 8U) << "urgent keeps a fifth of the seats";
  ask("e0", emergency);
  ask("e1", emergency);
  EXPECT_TRUE(admitted("e0"));
  EXPECT_TRUE(admitted("e1"));
  ask("e2", emergency);
  EXPECT_TRUE(waits("e2"));
  leave(routine);
  EXPECT_TRUE(admitted("e2")) << "before the routine requests that have waited longer";
}

TEST_F(GateTest, SeatsThatAClassDoesNotUseAreLentAndItsOwnPartIsKept) {
  make(10);
  for (int i = 0; i < 10; ++i) ask("b" + std::to_string(i), background);
  const auto taken = gate->figures().taken;
  EXPECT_EQ(taken[3], 10U - 2U - 3U) << "urgent keeps 2 of its 4, routine 3 of its 5, background lends all of its own";
  ask("u", urgent);
  ask("r", routine);
  EXPECT_TRUE(admitted("u"));
  EXPECT_TRUE(admitted("r"));
}

TEST_F(GateTest, AQueueHoldsWhatLeavesItInTimeByLittlesLaw) {
  make(4, 2ms);
  // 4 seats / 2 ms = 2000 a second; in 20 ms that is 40.
  EXPECT_EQ(gate->figures().limit[2], 40U);
  for (int i = 0; i < 200; ++i) ask("r" + std::to_string(i), routine);
  EXPECT_EQ(gate->figures().waiting[2], 40U);
  EXPECT_EQ(verdicts.at("r199").refusal, Refusal::limit);
  // Emergencies have 50 ms.
  EXPECT_EQ(gate->figures().limit[0], 100U);
}

TEST_F(GateTest, TheLimitFollowsHowLongSeatsAreHeld) {
  make(4, 1ms);
  const auto before = gate->figures().limit[2];
  for (int i = 0; i < 200; ++i) {
    ask("r" + std::to_string(i), routine);
    leave(routine, 10ms);
  }
  EXPECT_NEAR(static_cast<double>(gate->figures().limit[2]), static_cast<double>(before) / 10, 1);
}

TEST_F(GateTest, AFloodOfOneClientIsRefusedBeforeAnotherClientIs) {
  make(4, 1ms);
  for (int i = 0; i < 500; ++i) ask("flood" + std::to_string(i), routine, "flood");
  EXPECT_EQ(gate->figures().waiting[2], 80U);
  ask("quiet", routine, "quiet");
  EXPECT_TRUE(waits("quiet")) << "it took the place of one of the flood";
  std::size_t shares = 0;
  for (const auto& [name, verdict] : verdicts) shares += verdict.refusal == Refusal::share ? 1 : 0;
  EXPECT_EQ(shares, 1U);
  ask("more of the flood", routine, "flood");
  EXPECT_EQ(verdicts.at("more of the flood").refusal, Refusal::share);
  // And it need not wait for the whole flood.
  std::size_t served_before = 0;
  while (waits("quiet") && served_before < 80) {
    leave(routine);
    ++served_before;
  }
  EXPECT_LE(served_before, FairQueue::hand + 2);
}

TEST_F(GateTest, WhileOverloadedTheNewestGoFirstAndTheStaleAreRefused) {
  make(1, 5ms);
  ask("held", routine);
  let_the_queue_stand(6ms);
  EXPECT_TRUE(gate->figures().overloaded[2]);
  std::size_t stale = 0;
  for (const auto& [name, verdict] : verdicts) stale += verdict.refusal == Refusal::queue ? 1 : 0;
  now += 30ms;
  gate->tick(now);
  std::size_t stale_after = 0;
  for (const auto& [name, verdict] : verdicts) stale_after += verdict.refusal == Refusal::queue ? 1 : 0;
  EXPECT_GT(stale_after, stale);
  EXPECT_EQ(gate->figures().waiting[2], 0U);
}

TEST_F(GateTest, ABurstIsTakenInWhereAStandingQueueIsKeptShort) {
  GateSettings settings;
  settings.seats = 1;
  settings.held_usually = 5ms;
  settings.burst = 100ms;
  gate = std::make_unique<Gate>(settings);
  EXPECT_EQ(gate->figures().limit[2], 20U);
  ask("held", routine);
  let_the_queue_stand(5ms);
  EXPECT_TRUE(gate->figures().overloaded[2]);
  EXPECT_EQ(gate->figures().limit[2], 4U) << "20 ms of 5 ms each";
}

TEST_F(GateTest, AQueueThatNobodyLeavesIsOverloadedToo) {
  make(1, 1ms);
  ask("stuck", routine);
  for (int i = 0; i < 40; ++i) ask("w" + std::to_string(i), routine);
  for (int i = 0; i < 30; ++i) {
    now += 10ms;
    gate->tick(now);
  }
  EXPECT_TRUE(gate->figures().overloaded[2]);
  EXPECT_EQ(gate->figures().waiting[2], 0U) << "who waited is told, although nobody has left";
  EXPECT_EQ(gate->figures().limit[2], 2U) << "a seat is held for 300 ms now";
}

TEST_F(GateTest, ThereAreFewerSeatsWhileTheyAreHeldForTooLongAndAllAgainWhenItIsOver) {
  GateSettings settings;
  settings.seats = 100;
  settings.seats_min = 8;
  settings.held_max = 50ms;
  gate = std::make_unique<Gate>(settings);
  std::size_t asked = 0;
  const auto second = [&](Nanoseconds held) {
    for (int i = 0; i < 10; ++i) {
      for (int n = 0; n < 120; ++n) ask("r" + std::to_string(asked++), routine);
      now += 100ms;
      while (gate->figures().taken[2] > 0) leave(routine, held);
      ask("one", routine);
      gate->tick(now);
      leave(routine, held);
    }
    return gate->figures().seats;
  };
  EXPECT_EQ(second(10ms), 100U);
  const auto fewer = second(200ms);
  EXPECT_LT(fewer, 50U);
  for (int i = 0; i < 10; ++i) second(200ms);
  EXPECT_EQ(gate->figures().seats, 8U) << "not below the fewest";
  for (int i = 0; i < 10; ++i) second(10ms);
  EXPECT_EQ(gate->figures().seats, 100U);
}

TEST_F(GateTest, AsManyEmergenciesMayWaitAsSettingsSayHoweverLongSeatsAreHeld) {
  GateSettings settings;
  settings.seats = 2;
  settings.places_min[0] = 30;
  settings.held_usually = 10s;
  gate = std::make_unique<Gate>(settings);
  for (int i = 0; i < 40; ++i) ask("e" + std::to_string(i), emergency);
  EXPECT_EQ(gate->figures().waiting[0], 30U);
}

TEST_F(GateTest, AnEmergencyIsNeverRefusedForOverloadOnlyWhenItsQueueIsFullOrItHasWaitedForSeconds) {
  make(1, 5ms);
  ask("held", emergency);
  for (int i = 0; i < 100; ++i) {
    now += 6ms;
    ask("e" + std::to_string(i), emergency);
    leave(emergency, 6ms);
  }
  for (const auto& [name, verdict] : verdicts) {
    EXPECT_TRUE(verdict.admitted() || verdict.refusal == Refusal::limit) << name;
  }
  ask("last", emergency);
  now += 3s;
  gate->tick(now);
  EXPECT_EQ(verdicts.at("last").refusal, Refusal::queue);
}

TEST_F(GateTest, ADeadlineThatIsOverEndsTheWait) {
  make(1);
  ask("held", urgent);
  ask("hurried", urgent, "a", now + 3ms);
  now += 4ms;
  leave(urgent);
  EXPECT_EQ(verdicts.at("hurried").refusal, Refusal::deadline);
}

TEST_F(GateTest, ClosedBackgroundIsRefusedAlsoWhatWaits) {
  make(1);
  ask("held", routine);
  ask("waiting", background);
  gate->close_background(true);
  EXPECT_EQ(verdicts.at("waiting").refusal, Refusal::level);
  leave(routine);
  ask("new", background);
  EXPECT_EQ(verdicts.at("new").refusal, Refusal::level);
}

TEST(FairQueue, AHandIsFourDifferentQueues) {
  FairQueue queue;
  for (std::uint64_t flow = 0; flow < 1'000; ++flow) {
    std::map<std::uint8_t, int> used;
    FairQueue fresh;
    for (int i = 0; i < 4; ++i) {
      const auto shard = fresh.shard_of(hash(std::to_string(flow)));
      ASSERT_LT(shard, FairQueue::shards);
      ++used[shard];
      fresh.push(shard, {});
    }
    EXPECT_EQ(used.size(), FairQueue::hand) << flow;
  }
}

TEST(FairQueue, ATenantsClientsWaitInItsQueuesOnly) {
  const FairQueue fresh;
  for (const std::size_t size : {4U, 8U, 16U, 32U, 64U}) {
    const auto hand = Hand::dealt(hash("north"), size);
    std::set<std::uint8_t> own;
    for (std::size_t i = 0; i < hand.size(); ++i) own.insert(hand[i]);
    EXPECT_EQ(own.size(), size) << "different queues";
    std::set<std::uint8_t> used;
    for (int flow = 0; flow < 1'000; ++flow) used.insert(fresh.shard_of(hash(std::to_string(flow)), hand));
    EXPECT_EQ(used, own);
  }
  EXPECT_EQ(Hand::dealt(hash("north"), 1).size(), Hand::size_min);
  EXPECT_EQ(Hand::dealt(hash("north"), 100).size(), Hand::shards);
}

TEST_F(GateTest, ATenantThatFloodsLeavesTheOthersTheirTurns) {
  // One seat, always wanted: what is served in turn goes by the number of queues.
  Gate gate({.seats = 1, .wait_max = {10s, 10s, 10s, 10s}, .places_min = {2'000, 2'000, 2'000, 2'000}});
  const auto small = Hand::dealt(hash("small"), 4);
  const auto large = Hand::dealt(hash("large"), 16);
  ASSERT_TRUE(gate.enter({.now = Nanoseconds(1)}));
  std::map<std::string, int> served;
  const auto flood = [&](const std::string& tenant, const Hand& hand, int requests) {
    for (int i = 0; i < requests; ++i) {
      gate.wait({.flow = hash(std::to_string(i)), .now = Nanoseconds(1), .hand = &hand},
                [&served, tenant](Verdict verdict) { served[tenant] += verdict.admitted() ? 1 : 0; });
    }
  };
  flood("small", small, 400);
  flood("large", large, 400);
  for (int i = 0; i < 200; ++i) gate.leave(RequestClass::routine, 0, 1ms, Nanoseconds(2));
  EXPECT_NEAR(served["large"], 160, 20) << "16 of 20 queues, give or take those that both were dealt";
  EXPECT_NEAR(served["small"], 40, 20);
}

TEST(Quota, IsARateWithABurstAndComesBackWithTime) {
  Quota quota(10, 5);
  auto now = std::chrono::nanoseconds(1h);
  int taken = 0;
  for (int i = 0; i < 20; ++i) taken += quota.take(now) ? 1 : 0;
  EXPECT_EQ(taken, 5);
  EXPECT_FALSE(quota.take(now + 99ms));
  EXPECT_TRUE(quota.take(now + 100ms));
  EXPECT_FALSE(quota.take(now + 100ms));
  taken = 0;
  for (int i = 0; i < 20; ++i) taken += quota.take(now + 1h) ? 1 : 0;
  EXPECT_EQ(taken, 5) << "what was not used is not saved up";
  Quota none(0, 0);
  for (int i = 0; i < 1'000; ++i) EXPECT_TRUE(none.take(now));
}

TEST(FairQueue, AQueueWhoseRequestsHeldLongSitsOutTurns) {
  FairQueue queue;
  for (int i = 0; i < 20; ++i) {
    queue.push(3, {.flow = 3});
    queue.push(9, {.flow = 9});
  }
  std::map<std::uint64_t, int> served;
  for (int i = 0; i < 12; ++i) {
    const auto taken = queue.pop(false);
    ++served[taken->waiter.flow];
    // Requests of queue 9 take three times as long.
    queue.charge(taken->shard, taken->waiter.flow == 9 ? 3ms : 1ms, 1ms);
  }
  EXPECT_EQ(served[3], 9);
  EXPECT_EQ(served[9], 3);
}

}  // namespace
}  // namespace mydr24::admission
