#include "clinical/summary/summary.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <thread>
#include <utility>

#include "storage/store/fake_store.h"

namespace mydr24::summary {
namespace {

const std::string base = "http://h/fhir/R4";

// Lets something happen while a summary is being built.
class BusyStore : public store::FakeStore {
 public:
  using FakeStore::FakeStore;
  using FakeStore::read;
  Result<> read(const std::function<Result<>(store::Reader&)>& read, const store::ReadLimits& limits,
                store::Sequence after) override {
    auto done = FakeStore::read(read, limits, after);
    const bool builds = after > 0 && after != everything_committed;
    if (builds && meanwhile) std::exchange(meanwhile, nullptr)();
    return done;
  }
  std::function<void()> meanwhile;
};

class PatientSummary : public testing::Test {
 protected:
  PatientSummary() { records.add_reaction(summaries); }

  void put(const std::string& type, const std::string& id, std::string_view members) {
    auto prepared = records.prepare(fmt::format(R"({{"resourceType":"{}","id":"{}",{}}})", type, id, members), {});
    ASSERT_TRUE(prepared) << prepared.error().issues.front().diagnostics;
    const auto done = store.write(RequestClass::routine, [&](store::Transaction& transaction) -> Result<> {
      MYDR24_TRY(records.put(transaction, *prepared));
      return {};
    });
    ASSERT_TRUE(done) << done.error().text;
  }
  void put_patient() { put("Patient", "p", R"("name":[{"family":"Meyer"}])"); }
  void put_condition(const std::string& id, std::string_view name, std::string_view status) {
    put("Condition", id,
        fmt::format(R"("subject":{{"reference":"Patient/p"}},"code":{{"text":"{}"}},)"
                    R"("clinicalStatus":{{"coding":[{{"code":"{}"}}]}})",
                    name, status));
  }
  json::Document document() {
    auto text = summaries.get("p", base);
    EXPECT_TRUE(text) << (text ? "" : text.error().text);
    auto parsed = json::Document::parse(text.value_or("{}"));
    return std::move(*parsed);
  }
  static json::Value section(const json::Document& document, std::string_view code) {
    for (const auto section : document.root()["entry"].at(0)["resource"]["section"]) {
      if (section["code"]["coding"].at(0)["code"].text() == code) return section;
    }
    return {};
  }

  ManualClock clock{from_us(1'700'000'000'000'000)};
  BusyStore store{clock};
  records::Records records{store, clock};
  Summaries summaries{records};
};

TEST_F(PatientSummary, TellsWhatIsKnownAndThatNothingIs) {
  put_patient();
  put_condition("c1", "Hypertension", "active");
  put_condition("c2", "Fracture", "resolved");
  const auto made = document();
  EXPECT_EQ(made.root()["type"].text(), "document");
  EXPECT_EQ(section(made, "11450-4")["entry"].at(0)["reference"].text(), base + "/Condition/c1");
  EXPECT_EQ(section(made, "11348-0")["entry"].at(0)["reference"].text(), base + "/Condition/c2");
  EXPECT_EQ(section(made, "48765-2")["emptyReason"]["coding"].at(0)["code"].text(), "unavailable")
      << "allergies are a section even when none is known";
  EXPECT_FALSE(section(made, "11369-6").exists()) << "others are left out";
  EXPECT_EQ(made.root()["entry"].size(), 5U) << "composition, device, patient, two conditions";
}

TEST_F(PatientSummary, LeavesOutWhatWasEnteredInError) {
  put_patient();
  put("AllergyIntolerance", "a",
      R"("patient":{"reference":"Patient/p"},"code":{"text":"Penicillin"},)"
      R"("verificationStatus":{"coding":[{"code":"entered-in-error"}]})");
  EXPECT_FALSE(section(document(), "48765-2")["entry"].exists());
}

TEST_F(PatientSummary, IsReadyBeforeAnybodyAsksForIt) {
  put_patient();
  put_condition("c1", "Hypertension", "active");
  EXPECT_EQ(*summaries.step(), 0U) << "writes about a patient come together: it waits a moment for more";
  clock.advance(settle_time);
  EXPECT_EQ(*summaries.step(), 1U);
  const auto text = summaries.get("p", base);
  ASSERT_TRUE(text);
  EXPECT_NE(text->find("Hypertension"), std::string::npos);
  EXPECT_NE(text->find("\"" + base + "/Condition/c1\""), std::string::npos);
  clock.advance(std::chrono::seconds(5));
  EXPECT_EQ(*summaries.get("p", base), *text) << "kept";
  EXPECT_NE(summaries.get("p", "https://other/fhir/R4")->find("https://other/fhir/R4/Condition/c1"), std::string::npos)
      << "under whatever address it is asked for";
  EXPECT_EQ(*summaries.step(), 0U);
}

TEST_F(PatientSummary, IsMadeOnceAfterManyWrites) {
  put_patient();
  put_condition("c1", "Hypertension", "active");
  const auto before = store.writes_of_state();
  put_condition("c2", "Asthma", "active");
  put_condition("c3", "Gout", "active");
  EXPECT_EQ(store.writes_of_state(), before) << "the first mark is enough";
  clock.advance(settle_time);
  EXPECT_EQ(*summaries.step(), 1U);
  EXPECT_EQ(section(document(), "11450-4")["entry"].size(), 3U);
}

TEST_F(PatientSummary, ThatIsOutdatedIsNotGivenOut) {
  put_patient();
  clock.advance(settle_time);
  EXPECT_EQ(*summaries.step(), 1U);
  put_condition("c1", "Hypertension", "active");
  EXPECT_NE(summaries.get("p", base)->find("Hypertension"), std::string::npos) << "before it is built again";
}

TEST_F(PatientSummary, ThatIsClaimedIsMarkedAgainByAWrite) {
  put_patient();
  clock.advance(settle_time);
  ASSERT_TRUE(store.write(RequestClass::routine, [&](store::Transaction& transaction) {
    return transaction.set_state("summary.stale", "p", "b");  // claimed by a process that ended
  }));
  put_condition("c1", "Hypertension", "active");
  clock.advance(settle_time);
  EXPECT_EQ(*summaries.step(), 1U);
  EXPECT_NE(summaries.get("p", base)->find("Hypertension"), std::string::npos);
  EXPECT_EQ(*summaries.step(), 0U);
}

TEST_F(PatientSummary, ThatAnotherServerClaimsMeanwhileIsKeptByThatOne) {
  put_patient();
  clock.advance(settle_time);
  Summaries other(records);
  std::promise<void> building, go_on;
  std::thread second;
  store.meanwhile = [&] {
    put_condition("c1", "Hypertension", "active");
    clock.advance(settle_time);
    store.meanwhile = [&] {
      building.set_value();
      go_on.get_future().wait();
    };
    second = std::thread([&] { EXPECT_EQ(*other.step(), 1U); });
    building.get_future().wait();
  };
  EXPECT_EQ(*summaries.step(), 1U);  // by what was there before the condition, while the other builds
  EXPECT_NE(summaries.get("p", base)->find("Hypertension"), std::string::npos) << "the first kept what was outdated";
  go_on.set_value();
  second.join();
  EXPECT_NE(summaries.get("p", base)->find("Hypertension"), std::string::npos);
  EXPECT_EQ(*summaries.step(), 0U) << "the other did not keep its own";
}

TEST_F(PatientSummary, OfADeletedPatientIsForgotten) {
  put_patient();
  clock.advance(settle_time);
  EXPECT_EQ(*summaries.step(), 1U);
  ASSERT_TRUE(store.write(RequestClass::routine, [&](store::Transaction& transaction) -> Result<> {
    MYDR24_TRY(records.remove(transaction, "Patient", "p"));
    return {};
  }));
  EXPECT_EQ(summaries.get("p", base).error().code, Code::gone);
  clock.advance(settle_time);
  EXPECT_EQ(*summaries.step(), 1U);
  EXPECT_EQ(summaries.get("p", base).error().code, Code::gone);
  EXPECT_EQ(*summaries.step(), 0U);
}

TEST_F(PatientSummary, OfNobodyIsRefused) {
  EXPECT_EQ(summaries.get("nobody", base).error().code, Code::not_found);
  EXPECT_TRUE(store.resources().empty());
}

TEST_F(PatientSummary, OfThoseWhoWereThereBeforeAreBuiltToo) {
  records::Records older(store, clock);  // without the reaction
  auto prepared = older.prepare(R"({"resourceType":"Patient","id":"old"})", {});
  ASSERT_TRUE(prepared);
  ASSERT_TRUE(store.write(RequestClass::routine, [&](store::Transaction& transaction) -> Result<> {
    MYDR24_TRY(older.put(transaction, *prepared));
    return {};
  }));
  EXPECT_EQ(*summaries.step(), 1U) << "marked";
  clock.advance(settle_time);
  EXPECT_EQ(*summaries.step(), 1U) << "built";
  EXPECT_EQ(*summaries.step(), 0U);
  EXPECT_TRUE(summaries.get("old", base));
}

}  // namespace
}  // namespace mydr24::summary
