#include "clinical/conformance/conformance.h"

#include <gtest/gtest.h>

#include <sstream>
#include <thread>

#include "storage/store/fake_store.h"

namespace mydr24::conformance {
namespace {

class ConformanceResources : public testing::Test {
 protected:
  void start(Settings settings = {}) {
    records.add_reaction(conformance);
    store.add_follower(conformance);
    const auto started = conformance.start(settings);
    ASSERT_TRUE(started) << started.error().text;
  }
  Result<> put(std::string text) {
    auto prepared = records.prepare(std::move(text), {});
    if (!prepared) return fail(prepared.error().code, prepared.error().issues.front().diagnostics);
    return store.write(RequestClass::routine, [&](store::Transaction& transaction) -> Result<> {
      MYDR24_TRY(records.put(transaction, *prepared));
      return {};
    });
  }

  std::ostringstream lines;
  ManualClock clock{from_us(1'700'000'000'000'000)};
  telemetry::Log log{telemetry::LogSettings{}, clock, lines};
  store::FakeStore store{clock};
  records::Records records{store, clock};
  Conformance conformance{records, log};
};

TEST_F(ConformanceResources, AStoredValueSetIsKnownAfterItsCommit) {
  start();
  EXPECT_FALSE(records.definitions()->terminology->has_value_set("http://example.org/vs"));
  ASSERT_TRUE(put(R"({"resourceType":"ValueSet","id":"v","url":"http://example.org/vs","status":"active",)"
                  R"("compose":{"include":[{"system":"http://example.org/cs","concept":[{"code":"a"}]}]}})"));
  store.settle();
  EXPECT_TRUE(records.definitions()->terminology->has_value_set("http://example.org/vs"));
}

TEST_F(ConformanceResources, AStoredProfileIsCheckedOnTheNextWrite) {
  start();
  ASSERT_TRUE(put(R"({"resourceType":"StructureDefinition","id":"p","url":"http://example.org/named","name":"Named",)"
                  R"("status":"active","kind":"resource","abstract":false,"type":"Patient","derivation":"constraint",)"
                  R"("baseDefinition":"http://hl7.org/fhir/StructureDefinition/Patient",)"
                  R"("differential":{"element":[{"id":"Patient.name","path":"Patient.name","min":1}]}})"));
  store.settle();
  ASSERT_TRUE(records.definitions()->validator->has_profile("http://example.org/named"));
  const std::string claim = R"({"resourceType":"Patient","id":"x","meta":{"profile":["http://example.org/named"]})";
  EXPECT_FALSE(put(claim + "}"));
  EXPECT_TRUE(put(claim + R"(,"name":[{"family":"x"}]})"));
}

TEST_F(ConformanceResources, ASearchParameterThatCannotBeUnderstoodIsRefused) {
  start();
  const auto refused =
      put(R"({"resourceType":"SearchParameter","id":"s","url":"http://example.org/s","name":"s","status":"active",)"
          R"("description":"d","code":"s","base":["Patient"],"type":"token","expression":"Patient.name.where("})");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::invalid);
}

TEST_F(ConformanceResources, ANewSearchParameterIsIndexedByAThreadOfItsOwn) {
  start();
  ASSERT_TRUE(put(R"({"resourceType":"Patient","id":"x","active":true})"));
  ASSERT_TRUE(
      put(R"({"resourceType":"SearchParameter","id":"s","url":"http://example.org/s","name":"s","status":"active",)"
          R"("description":"d","code":"alive","base":["Patient"],"type":"token","expression":"Patient.active"})"));
  store.settle();
  const auto catalogue = records.definitions()->catalogue;
  ASSERT_NE(search::find_parameter("Patient", "alive", catalogue.get()), nullptr);
  ASSERT_EQ(conformance.unindexed().size(), 1U);
  EXPECT_EQ(conformance.unindexed().front().code, "alive");
  for (int i = 0; i < 200 && !conformance.unindexed().empty(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_TRUE(conformance.unindexed().empty());
  conformance.stop();
}

TEST_F(ConformanceResources, APackageThatIsNotThereStopsTheStart) {
  const auto started = conformance.start({.packages = {"/no/such/package"}, .checks = {}});
  ASSERT_FALSE(started);
  EXPECT_NE(started.error().text.find("/no/such/package"), std::string::npos);
}

}  // namespace
}  // namespace mydr24::conformance
