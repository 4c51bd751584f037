// Erasure on a real store: what the journal holds afterwards, and after an older copy of it was put back.

#include "clinical/erasure/erasure.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "storage/sqlite/sqlite.h"

namespace mydr24::erasure {
namespace {

using namespace std::chrono_literals;

class ErasureTest : public testing::Test {
 protected:
  ErasureTest() {
    std::string pattern = testing::TempDir() + "/erasure-XXXXXX";
    root_ = mkdtemp(pattern.data());
    open("store");
    keep(R"({"resourceType":"Patient","id":"p1","name":[{"family":"Erasmus"}]})");
    keep(R"({"resourceType":"Patient","id":"p2","name":[{"family":"Meyer"}]})");
    keep(observation("o1", "Patient/p1"));
    keep(observation("o2", "Patient/p2"));
    keep(observation("gone", "Patient/p1"));
    write([&](store::Transaction& transaction) -> Result<> {
      MYDR24_TRY(records_->remove(transaction, "Observation", "gone"));
      return {};
    });
    keep(
        R"({"resourceType":"Group","id":"both","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/p1"}},{"entity":{"reference":"Patient/p2"}}]})");
    keep(
        R"({"resourceType":"Communication","id":"c1","status":"completed","subject":{"reference":"Patient/p1"},"payload":[{"contentString":"Erasmus called"}]})");
    clock_.advance(1h);
  }
  ~ErasureTest() override {
    records_.reset();
    store_.reset();
    std::filesystem::remove_all(root_);
  }

  void open(const std::string& folder) {
    records_.reset();
    store_.reset();
    sqlite::Settings settings;
    settings.folder = root_ / folder;
    auto opened = sqlite::open(settings, clock_);
    ASSERT_TRUE(opened) << opened.error().text;
    store_ = std::move(*opened);
    records_ = std::make_unique<records::Records>(*store_, clock_);
  }
  static std::string observation(std::string_view id, std::string_view subject) {
    return fmt::format(
        R"({{"resourceType":"Observation","id":"{}","status":"final","code":{{"text":"x"}},"subject":{{"reference":"{}"}},"valueString":"Erasmus"}})",
        id, subject);
  }
  void write(const std::function<Result<>(store::Transaction&)>& work) {
    const auto done =
        store_->write(RequestClass::routine, [&](store::Transaction& transaction) { return work(transaction); });
    ASSERT_TRUE(done) << done.error().text;
  }
  void keep(std::string text) {
    auto prepared = records_->prepare(std::move(text), {});
    ASSERT_TRUE(prepared) << prepared.error().issues.front().diagnostics;
    write([&](store::Transaction& transaction) -> Result<> {
      MYDR24_TRY(records_->put(transaction, *prepared));
      return {};
    });
  }
  Plan planned(const Rules& rules) {
    auto made = plan(*records_, "p1", rules, clock_.now());
    EXPECT_TRUE(made) << made.error().text;
    return made ? *made : Plan();
  }
  static std::string why(const Plan& plan, std::string_view type, std::string_view id) {
    for (const auto& decision : plan.decisions)
      if (decision.type == type && decision.id == id) return decision.erase ? "erase" : decision.reason;
    return "not in the plan";
  }
  // Bodies of every version that say the text, in the whole journal.
  int bodies_with(std::string_view text) {
    int found = 0;
    EXPECT_TRUE(store_->read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(const auto lines, reader.journal(0, 1'000));
      for (const auto& line : lines) found += line.version.body.contains(text) ? 1 : 0;
      return {};
    }));
    return found;
  }

  std::filesystem::path root_;
  ManualClock clock_{from_us(1'750'000'000'000'000)};
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<records::Records> records_;
};

TEST_F(ErasureTest, EachResourceIsDecidedByItselfAndWhatIsKeptSaysWhy) {
  const auto plan = planned({.retention_years = 0});
  EXPECT_EQ(why(plan, "Observation", "o1"), "erase");
  EXPECT_EQ(why(plan, "Observation", "gone"), "erase") << "deleted resources are in the journal still";
  EXPECT_EQ(why(plan, "Observation", "o2"), "not in the plan");
  EXPECT_EQ(why(plan, "Group", "both"), "it is about other people, too");
  EXPECT_EQ(why(plan, "Patient", "p1"), "other records of this person are kept");
  EXPECT_EQ(why(plan, "Patient", "p2"), "not in the plan");
}

TEST_F(ErasureTest, ClinicalRecordsAreKeptForTheirYears) {
  const Rules rules{.retention_years = 10, .not_retained = {"Communication"}};
  const auto plan = planned(rules);
  EXPECT_TRUE(why(plan, "Observation", "o1").contains("10 years")) << why(plan, "Observation", "o1");
  EXPECT_EQ(why(plan, "Communication", "c1"), "erase");
  clock_.advance(11 * 366 * 24h);
  EXPECT_EQ(why(planned(rules), "Observation", "o1"), "erase");
}

TEST_F(ErasureTest, WhatHasMoreVersionsThanAreLookedAtIsKept) {
  write([&](store::Transaction& transaction) -> Result<> {
    for (int i = 0; i < 1'000; ++i) {
      auto text = observation("o1", "Patient/p1");
      text.replace(text.find("Erasmus"), 7, std::to_string(i));  // the same again would be no version
      const auto prepared = records_->prepare(std::move(text), {});
      EXPECT_TRUE(prepared);
      MYDR24_TRY(records_->put(transaction, *prepared));
    }
    return {};
  });
  const auto made = plan(*records_, "p1", {.retention_years = 0}, clock_.now());
  ASSERT_TRUE(made);
  for (const auto& decision : made->decisions)
    EXPECT_EQ(decision.erase, decision.id == "c1" || decision.id == "gone") << decision.type << '/' << decision.id;
}

TEST_F(ErasureTest, UnderALegalHoldNothingGoes) {
  const auto plan = planned({.retention_years = 0, .held = true});
  EXPECT_EQ(plan.erased(), 0);
  EXPECT_TRUE(why(plan, "Communication", "c1").contains("legal hold"));
}

TEST_F(ErasureTest, WhatIsErasedIsGoneAndTheRestIsNot) {
  keep(observation("o1", "Patient/p1"));
  Ledger ledger(root_ / "erasures");
  const auto plan = planned({.retention_years = 0});
  ASSERT_TRUE(carry_out(*records_, plan, "r1", ledger));
  EXPECT_EQ(bodies_with("Patient/p1"), 1) << "the group, which is about other people, too";
  EXPECT_EQ(bodies_with("Patient/p2"), 2);
  EXPECT_EQ(bodies_with("Erasmus called"), 0);
  const auto findings = store_->verify();
  EXPECT_EQ(*findings, std::vector<std::string>());
  EXPECT_EQ(ledger.lines()->size(), static_cast<std::size_t>(plan.erased()));
}

TEST_F(ErasureTest, ARestoredStoreErasesAgainWhatTheLedgerNames) {
  ASSERT_TRUE(store_->backup(root_ / "backup"));
  Ledger ledger(root_ / "erasures");
  ASSERT_TRUE(carry_out(*records_, planned({.retention_years = 0}), "r1", ledger));
  EXPECT_EQ(*replay(*records_, ledger), 0) << "the store that erased it has nothing left";
  std::filesystem::create_directories(root_ / "restored");
  std::filesystem::copy_file(root_ / "backup", root_ / "restored" / sqlite::database_file);
  open("restored");
  EXPECT_GT(bodies_with("Erasmus called"), 0);
  EXPECT_EQ(*replay(*records_, ledger), static_cast<std::int64_t>(ledger.lines()->size()));
  EXPECT_EQ(bodies_with("Erasmus called"), 0);
  EXPECT_EQ(*replay(*records_, ledger), 0);
}

TEST_F(ErasureTest, AnIdThatIsUsedAgainIsNotErasedAgain) {
  Ledger ledger(root_ / "erasures");
  ASSERT_TRUE(carry_out(*records_, planned({.retention_years = 0}), "r1", ledger));
  clock_.advance(1h);
  keep(observation("o1", "Patient/p2"));
  EXPECT_EQ(*replay(*records_, ledger), 0);
  EXPECT_EQ(bodies_with("\"o1\""), 1);
}

TEST_F(ErasureTest, OfSomebodyWhomNothingNamesThereIsNothingToErase) {
  EXPECT_EQ(plan(*records_, "nobody", {}, clock_.now()).error().code, Code::not_found);
}

}  // namespace
}  // namespace mydr24::erasure
