#include "clinical/conformance/conformance.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <optional>
#include <sstream>
#include <thread>

#include "clinical/conformance/servers.h"
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

  // Another server on the same database.
  void set_other_server(std::string_view row) {
    ASSERT_TRUE(store.write(RequestClass::routine, [&](store::Transaction& transaction) {
      return transaction.set_state("conformance.servers", "other", row);
    }));
  }
  std::optional<std::string> state(std::string_view space, std::string_view key) {
    std::optional<std::string> row;
    EXPECT_TRUE(store.read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(row, reader.state(space, key));
      return {};
    }));
    return row;
  }
  const search::Parameter* parameter() {
    catalogue = records.definitions()->catalogue;
    return search::find_parameter("Patient", "alive", catalogue.get());
  }
  static bool is_indexed(const Conformance& one) {
    for (int i = 0; i < 500 && !one.unindexed().empty(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return one.unindexed().empty();
  }
  bool is_indexed() const { return is_indexed(conformance); }

  const std::string alive =
      R"({"resourceType":"SearchParameter","id":"s","url":"http://example.org/s","name":"s","status":"active",)"
      R"("description":"d","code":"alive","base":["Patient"],"type":"token","expression":"Patient.active"})";
  search::CataloguePtr catalogue;  // lives as long as what it was asked for
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

TEST_F(ConformanceResources, ANewSearchParameterIsIndexedWhenEveryServerGoesByItOrIsSilentForLong) {
  start();
  ASSERT_TRUE(put(R"({"resourceType":"Patient","id":"x","active":true})"));
  set_other_server(R"({"change":0,"answer":1})");
  ASSERT_TRUE(put(alive));
  store.settle();
  ASSERT_NE(parameter(), nullptr);
  ASSERT_EQ(conformance.unindexed().size(), 1U);
  EXPECT_EQ(conformance.unindexed().front().code, "alive");
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  clock.advance(std::chrono::seconds(29));
  set_other_server(R"({"change":0,"answer":2})");
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  clock.advance(std::chrono::seconds(29));
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_EQ(conformance.unindexed().size(), 1U);  // it answered in time, but goes by the definitions before
  clock.advance(std::chrono::seconds(30));
  EXPECT_TRUE(is_indexed());
}

TEST_F(ConformanceResources, ANewSearchParameterIsIndexedOnceAnotherServerGoesByIt) {
  start();
  set_other_server(R"({"change":0,"answer":1})");
  ASSERT_TRUE(put(alive));
  store.settle();
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  ASSERT_EQ(conformance.unindexed().size(), 1U);
  set_other_server(R"({"change":1000,"answer":2})");
  EXPECT_TRUE(is_indexed());
}

TEST_F(ConformanceResources, TwoThatIndexForAMomentCountEachResourceOnce) {
  for (int i = 0; i < 950; ++i) {
    store.put_resource("Patient", fmt::format("p{}", i), R"({"resourceType":"Patient","meta":{},"active":true})");
  }
  start();
  Conformance second(records, log);
  ASSERT_TRUE(second.start({}));
  const auto writes = store.writes_of_state();
  ASSERT_TRUE(put(alive));
  store.settle();
  ASSERT_TRUE(second.wait_until_in_effect(0, std::chrono::seconds(10)));
  EXPECT_TRUE(is_indexed());
  EXPECT_TRUE(is_indexed(second));
  second.stop();
  // The change, its number, the answers of both, and five pages.
  EXPECT_EQ(store.writes_of_state() - writes, 1U + 1U + 2U + 5U);
  const auto row = state("reindex", "http://example.org/s@1 Patient");
  ASSERT_TRUE(row);
  EXPECT_NE(row->find("\"done\":950,"), std::string::npos) << *row;
}

TEST_F(ConformanceResources, ASearchParameterThatComesBackIsIndexedAnew) {
  start();
  ASSERT_TRUE(put(alive));
  store.settle();
  ASSERT_TRUE(is_indexed());
  ASSERT_TRUE(store.write(RequestClass::routine, [&](store::Transaction& transaction) -> Result<> {
    MYDR24_TRY(records.remove(transaction, "SearchParameter", "s"));
    return {};
  }));
  store.settle();
  ASSERT_EQ(parameter(), nullptr);
  ASSERT_TRUE(put(alive));
  store.settle();
  ASSERT_NE(parameter(), nullptr);
  EXPECT_EQ(parameter()->generation, 2U);
}

class SharedFake : public store::FakeStore {
 public:
  using FakeStore::FakeStore;
  bool is_shared() const override { return true; }
};

TEST(ConformanceServers, OneThatWasLeftOutWritesNothingUntilItGoesByWhatIsStored) {
  ManualClock clock{from_us(1'700'000'000'000'000)};
  SharedFake store(clock);
  Servers standing(store, clock), indexing(store, clock);
  const auto change_to = [&](std::int64_t change) {
    return store.write(RequestClass::routine, [&](store::Transaction& t) { return note_change(t, change); });
  };
  const auto check = [&] {
    return store.write(RequestClass::routine, [&](store::Transaction& t) { return standing.check(t); });
  };
  ASSERT_TRUE(standing.go_by(0));
  ASSERT_TRUE(indexing.go_by(0));
  ASSERT_TRUE(change_to(7));
  ASSERT_TRUE(indexing.go_by(7));
  EXPECT_FALSE(*indexing.all_go_by(7));
  clock.advance(std::chrono::seconds(29));
  EXPECT_FALSE(*indexing.all_go_by(7));
  EXPECT_TRUE(check());  // it is waited for
  clock.advance(std::chrono::seconds(1));
  EXPECT_FALSE(*indexing.all_go_by(7));
  EXPECT_TRUE(*indexing.all_go_by(7));
  const auto refused = check();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::busy);
  EXPECT_FALSE(standing.be_slow());
  EXPECT_FALSE(check());
  ASSERT_TRUE(standing.go_by(7));
  EXPECT_TRUE(check());
}

TEST_F(ConformanceResources, APackageThatIsNotThereStopsTheStart) {
  const auto started = conformance.start({.packages = {"/no/such/package"}, .checks = {}});
  ASSERT_FALSE(started);
  EXPECT_NE(started.error().text.find("/no/such/package"), std::string::npos);
}

}  // namespace
}  // namespace mydr24::conformance
