#include "clinical/consents/consents.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <sstream>

#include "storage/store/fake_store.h"

namespace mydr24::consents {
namespace {

using namespace std::chrono_literals;

class ConsentsTest : public testing::Test {
 protected:
  ConsentsTest() {
    records.add_reaction(consents);
    EXPECT_TRUE(consents.start());
  }
  void put(std::string_view status) {
    const auto prepared = records.prepare(
        fmt::format(
            R"({{"resourceType":"Consent","id":"c","status":"{}","scope":{{"coding":[{{"code":"patient-privacy"}}]}},)"
            R"("category":[{{"text":"x"}}],"patient":{{"reference":"Patient/p"}},)"
            R"("policyRule":{{"coding":[{{"code":"OPTOUT"}}]}}}})",
            status),
        {});
    ASSERT_TRUE(prepared) << prepared.error().issues.front().diagnostics;
    ASSERT_TRUE(store.write(RequestClass::routine, [&](store::Transaction& transaction) -> Result<> {
      MYDR24_TRY(records.put(transaction, *prepared));
      return {};
    }));
  }
  void remove() {
    ASSERT_TRUE(store.write(RequestClass::routine, [&](store::Transaction& transaction) -> Result<> {
      MYDR24_TRY(records.remove(transaction, "Consent", "c"));
      return {};
    }));
  }

  ManualClock clock{from_us(1'700'000'000'000'000)};
  std::ostringstream out;
  telemetry::Log log{telemetry::log_settings("warn", "json"), clock, out};
  store::FakeStore store{clock};
  records::Records records{store, clock};
  Consents consents{records, log};
};

TEST_F(ConsentsTest, AChangeCountsWhenItIsLookedFor) {
  put("active");
  consents.refresh();
  EXPECT_TRUE(consents.book().has("p"));
  put("inactive");
  consents.refresh();
  EXPECT_FALSE(consents.book().has("p"));
  put("active");
  consents.refresh();
  remove();
  consents.refresh();
  EXPECT_FALSE(consents.book().has("p"));
}

TEST_F(ConsentsTest, AnotherServerSeesItWithinHalfASecond) {
  records::Records others(store, clock);
  Consents other(others, log);
  ASSERT_TRUE(other.start());
  put("active");
  other.tick();
  clock.advance(500ms);
  other.tick();
  EXPECT_TRUE(other.book().has("p"));
}

TEST_F(ConsentsTest, ARestartReadsWhatIsThere) {
  put("active");
  Consents later(records, log);
  ASSERT_TRUE(later.start());
  EXPECT_TRUE(later.book().has("p"));
}

TEST_F(ConsentsTest, OldChangesAreSweptAway) {
  for (int i = 0; i < 20; ++i) {
    put(i % 2 == 0 ? "active" : "inactive");
    clock.advance(30min);
  }
  std::size_t kept = 0;
  ASSERT_TRUE(store.read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(const auto rows, reader.states("consent.changed", "", "", 100));
    kept = rows.size();
    return {};
  }));
  EXPECT_LE(kept, 4U);
}

}  // namespace
}  // namespace mydr24::consents
