#include "clinical/consents/consents.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "storage/store/fake_store.h"

namespace mydr24::consents {
namespace {

class ConsentsTest : public testing::Test {
 protected:
  ConsentsTest() {
    records.add_reaction(consents);
    EXPECT_TRUE(consents.start());
  }
  ~ConsentsTest() override { store.forget_process(); }
  store::Sequence put(std::string_view status) {
    const auto prepared = records.prepare(
        fmt::format(
            R"({{"resourceType":"Consent","id":"c","status":"{}","scope":{{"coding":[{{"code":"patient-privacy"}}]}},)"
            R"("category":[{{"text":"x"}}],"patient":{{"reference":"Patient/p"}},)"
            R"("policyRule":{{"coding":[{{"code":"OPTOUT"}}]}}}})",
            status),
        {});
    EXPECT_TRUE(prepared) << prepared.error().issues.front().diagnostics;
    store::Sequence sequence = 0;
    EXPECT_TRUE(store.write(RequestClass::routine, [&](store::Transaction& transaction) -> Result<> {
      MYDR24_ASSIGN(const auto outcome, records.put(transaction, *prepared));
      sequence = outcome.written.sequence;
      return {};
    }));
    store.settle();
    return sequence;
  }
  void remove() {
    EXPECT_TRUE(store.write(RequestClass::routine, [&](store::Transaction& transaction) -> Result<> {
      MYDR24_TRY(records.remove(transaction, "Consent", "c"));
      return {};
    }));
    store.settle();
  }

  ManualClock clock{from_us(1'700'000'000'000'000)};
  store::FakeStore store{clock};
  records::Records records{store, clock};
  Consents consents{records};
};

TEST_F(ConsentsTest, AChangeCountsWhenItIsFollowed) {
  const auto sequence = put("active");
  consents.wait_until_in_effect(sequence, std::chrono::milliseconds(0));
  EXPECT_TRUE(consents.book().has("p"));
  put("inactive");
  EXPECT_FALSE(consents.book().has("p"));
  put("active");
  remove();
  EXPECT_FALSE(consents.book().has("p"));
}

TEST_F(ConsentsTest, WhatIsNotUnderstoodIsToldAndCounted) {
  std::vector<std::string> told;
  consents.on_unclear([&](const access::Consent& consent) { told.push_back(consent.unclear.at(0)); });
  put("active");
  EXPECT_TRUE(told.empty());
  const auto prepared = records.prepare(
      R"({"resourceType":"Consent","id":"d","status":"active","scope":{"coding":[{"code":"patient-privacy"}]},)"
      R"("category":[{"text":"x"}],"patient":{"reference":"Patient/q"},"policyRule":{"text":"as usual"}})",
      {});
  ASSERT_TRUE(prepared);
  ASSERT_TRUE(store.write(RequestClass::routine, [&](store::Transaction& transaction) -> Result<> {
    MYDR24_TRY(records.put(transaction, *prepared));
    return {};
  }));
  store.settle();
  EXPECT_EQ(told, std::vector<std::string>{"policyRule"});
  EXPECT_EQ(consents.book().unclear(), 1U);
  EXPECT_TRUE(consents.book().has("q"));
}

TEST_F(ConsentsTest, EveryServerFollowsAlsoOneThatDoesNotLead) {
  store.forget_process();
  Consents other(records);
  store.shared = true;
  store.leading = false;
  ASSERT_TRUE(other.start());
  put("active");
  EXPECT_TRUE(other.book().has("p"));
}

TEST_F(ConsentsTest, ARestartReadsWhatIsThere) {
  put("active");
  Consents later(records);
  ASSERT_TRUE(later.start());
  EXPECT_TRUE(later.book().has("p"));
}

TEST_F(ConsentsTest, WhatWentWhileNobodyFollowedIsForgottenWithTheNextBeginning) {
  put("active");
  EXPECT_TRUE(consents.book().has("p"));
  store.forget_process();
  remove();
  EXPECT_TRUE(consents.book().has("p"));
  ASSERT_TRUE(consents.begin());
  EXPECT_FALSE(consents.book().has("p"));
}

}  // namespace
}  // namespace mydr24::consents
