#include "operations/live_settings/live_settings.h"

#include <gtest/gtest.h>

#include "storage/store/fake_store.h"

namespace mydr24::live_settings {
namespace {

class LiveSettings : public testing::Test {
 protected:
  LiveSettings() {
    store_.follow_at_once = true;
    make(here_, {});
  }
  // A process on the store with the settings of this test.
  void make(Registry& registry, std::vector<std::string>* applied) {
    ASSERT_TRUE(registry.add({.name = "alerting.days",
                              .unit = "days",
                              .low = 0,
                              .high = 90,
                              .standard = "30",
                              .apply = [this, applied](const std::string& value) -> Result<> {
                                (applied != nullptr ? *applied : applied_).push_back(value);
                                return {};
                              }}));
    ASSERT_TRUE(
        registry.add({.name = "rules.version",
                      .low = 0,
                      .high = 9,
                      .standard = "0",
                      .within = [this](store::Transaction&, const std::string& value, std::string_view by) -> Result<> {
                        if (value == "9") return fail(Code::not_found, "there is no version 9");
                        within_.push_back(value + " by " + std::string(by));
                        return {};
                      }}));
    registry.attach();
    ASSERT_TRUE(registry.load());
  }
  std::optional<Error> set(std::string setting, std::optional<std::string> value, std::string scope = "all") {
    const auto done = store_.write(RequestClass::routine, [&](store::Transaction& transaction) -> Result<> {
      MYDR24_TRY(here_.set(
          transaction,
          {.setting = setting, .scope = scope, .value = value, .by = "ann", .why = "a test", .change = "c1"}));
      return {};
    });
    return done ? std::nullopt : std::optional(done.error());
  }
  std::optional<Error> put_back(std::string_view setting, int version) {
    const auto done = store_.write(RequestClass::routine, [&](store::Transaction& transaction) -> Result<> {
      MYDR24_TRY(here_.put_back(transaction, setting, version, "bob", "back", ""));
      return {};
    });
    return done ? std::nullopt : std::optional(done.error());
  }
  std::vector<Version> history(std::string_view setting) {
    std::vector<Version> found;
    EXPECT_TRUE(store_.read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(found, here_.history(reader, setting, 100));
      return {};
    }));
    return found;
  }

  ManualClock clock_{from_us(1'700'000'000'000'000)};
  store::FakeStore store_{clock_};
  std::vector<std::string> applied_, within_;
  Registry here_{store_, {"ward/a", "region/north"}};
};

TEST_F(LiveSettings, AValueIsAppliedAtTheStartAndAfterEachCommit) {
  EXPECT_EQ(applied_, (std::vector<std::string>{"30"}));
  EXPECT_FALSE(set("alerting.days", "007"));
  EXPECT_EQ(here_.value("alerting.days"), "7");
  EXPECT_EQ(here_.applied_version("alerting.days"), 1);
  EXPECT_FALSE(set("alerting.days", std::nullopt));
  EXPECT_EQ(applied_, (std::vector<std::string>{"30", "7", "30"}));
}

TEST_F(LiveSettings, WhatIsOutsideItsDefinitionIsRefusedByName) {
  EXPECT_EQ(set("alerting.days", "91")->where, "alerting.days");
  EXPECT_EQ(set("alerting.days", "91")->text, "a whole number from 0 to 90 days");
  EXPECT_EQ(set("alerting.days", "1.5")->code, Code::invalid);
  EXPECT_EQ(set("alerting.days", "")->code, Code::invalid);
  EXPECT_EQ(set("nothing", "1")->code, Code::not_found);
  EXPECT_EQ(set("alerting.days", "1", "planet/mars")->where, "scope");
  EXPECT_EQ(set("rules.version", "1", "ward/a")->where, "scope");
  EXPECT_EQ(here_.value("alerting.days"), "30");
  EXPECT_TRUE(history("alerting.days").empty());
}

TEST_F(LiveSettings, TheNarrowestScopeOfAProcessCounts) {
  EXPECT_FALSE(set("alerting.days", "20"));
  EXPECT_FALSE(set("alerting.days", "10", "region/north"));
  EXPECT_EQ(here_.value("alerting.days"), "10");
  EXPECT_FALSE(set("alerting.days", "5", "ward/b"));
  EXPECT_EQ(here_.value("alerting.days"), "10");
  EXPECT_FALSE(set("alerting.days", "4", "ward/a"));
  EXPECT_EQ(here_.value("alerting.days"), "4");
  std::vector<std::string> elsewhere;
  Registry other(store_, {"ward/b"});
  make(other, &elsewhere);
  EXPECT_EQ(elsewhere, (std::vector<std::string>{"5"}));
  EXPECT_FALSE(set("alerting.days", std::nullopt, "ward/b"));
  ASSERT_TRUE(other.load());  // the store in memory has one cursor for both
  EXPECT_EQ(other.value("alerting.days"), "20");
  EXPECT_EQ(here_.value("alerting.days"), "4");
}

TEST_F(LiveSettings, EveryVersionSaysWhoAndWhyAndCanBePutBack) {
  EXPECT_FALSE(set("alerting.days", "20"));
  EXPECT_FALSE(set("alerting.days", "10", "ward/a"));
  EXPECT_FALSE(put_back("alerting.days", 1));
  EXPECT_EQ(here_.value("alerting.days"), "20");
  EXPECT_FALSE(put_back("alerting.days", 0));
  EXPECT_EQ(here_.value("alerting.days"), "30");
  EXPECT_FALSE(put_back("alerting.days", 2));
  EXPECT_EQ(here_.value("alerting.days"), "10");
  EXPECT_EQ(put_back("alerting.days", 77)->code, Code::not_found);
  const auto all = history("alerting.days");
  ASSERT_EQ(all.size(), 5U);
  EXPECT_EQ(all[0].by, "bob");
  EXPECT_EQ(all[4].by, "ann");
  EXPECT_EQ(all[4].change, "c1");
  EXPECT_EQ(all[4].at, clock_.now());
  EXPECT_EQ(all[3].values, (Values{{"all", "20"}, {"ward/a", "10"}}));
  EXPECT_EQ(store_.events_of("setting.changed").size(), 5U);
}

TEST_F(LiveSettings, WhatTheStoreKeepsIsChangedInTheSameTransactionOrNotAtAll) {
  EXPECT_FALSE(set("rules.version", "3"));
  EXPECT_EQ(within_, (std::vector<std::string>{"3 by ann"}));
  EXPECT_EQ(set("rules.version", "9")->code, Code::not_found);
  EXPECT_EQ(history("rules.version").size(), 1U);
  EXPECT_FALSE(put_back("rules.version", 0));
  EXPECT_EQ(within_.back(), "0 by bob");
}

TEST_F(LiveSettings, WhatOthersChangedWhereItIsKeptCanBePutBackToo) {
  std::string kept = "4";
  Registry other(store_);
  ASSERT_TRUE(other.add({.name = "kept",
                         .high = 9,
                         .standard = "0",
                         .within = [&](store::Transaction&, const std::string& value, std::string_view) -> Result<> {
                           kept = value;
                           return {};
                         },
                         .read = [&](store::Reader&) -> Result<std::string> { return kept; }}));
  int found = 0;
  ASSERT_TRUE(store_.write(RequestClass::routine, [&](store::Transaction& transaction) -> Result<> {
    MYDR24_ASSIGN(const auto before, other.settled(transaction, "kept"));
    found = before.version;
    MYDR24_TRY(other.set(transaction, {.setting = "kept", .value = "7", .by = "ann", .why = "a test"}));
    return {};
  }));
  EXPECT_EQ(kept, "7");
  EXPECT_EQ(found, 1);
  ASSERT_TRUE(store_.write(RequestClass::routine, [&](store::Transaction& transaction) -> Result<> {
    MYDR24_TRY(other.put_back(transaction, "kept", found, "ann", "back", ""));
    return {};
  }));
  EXPECT_EQ(kept, "4");
}

TEST_F(LiveSettings, WhatCannotBeAppliedIsToldAndTheOthersAreApplied) {
  std::vector<std::string> failed;
  Registry other(store_, {}, [&](std::string_view setting, const Error& error) {
    failed.push_back(std::string(setting) + ": " + error.text);
  });
  int applied = 0;
  ASSERT_TRUE(
      other.add({.name = "a", .type = Type::boolean, .standard = "true", .apply = [](const std::string&) -> Result<> {
                   return fail(Code::internal, "no");
                 }}));
  ASSERT_TRUE(other.add({.name = "b",
                         .type = Type::word,
                         .words = {"x", "y"},
                         .standard = "y",
                         .apply = [&](const std::string&) -> Result<> {
                           ++applied;
                           return {};
                         }}));
  ASSERT_TRUE(other.load());
  EXPECT_EQ(failed, (std::vector<std::string>{"a: no"}));
  EXPECT_EQ(applied, 1);
}

TEST_F(LiveSettings, ADefinitionThatContradictsItselfIsNone) {
  Registry other(store_);
  const auto nothing = [](const std::string&) -> Result<> { return {}; };
  EXPECT_EQ(other.add({.name = "a", .low = 1, .high = 2, .standard = "3", .apply = nothing}).error().where, "a");
  EXPECT_FALSE(other.add({.name = "a b", .high = 2, .standard = "1", .apply = nothing}));
  EXPECT_FALSE(other.add({.name = "a", .high = 2, .standard = "1"}));
  EXPECT_TRUE(other.add({.name = "a", .type = Type::number, .high = 2, .standard = "0.5", .apply = nothing}));
  EXPECT_FALSE(other.add({.name = "a", .high = 2, .standard = "1", .apply = nothing}));
}

TEST(Scope, ItIsOneOfSixKinds) {
  for (const auto* scope : {"all", "lab", "non-clinical", "ward/a", "region/north-1", "tenant/x"})
    EXPECT_TRUE(is_scope(scope)) << scope;
  for (const auto* scope : {"", "ward", "ward/", "all/a", "ward/a b", "ward/a/b", "lab/x", "planet"})
    EXPECT_FALSE(is_scope(scope)) << scope;
  EXPECT_LT(exposure_of("lab"), exposure_of("non-clinical"));
  EXPECT_LT(exposure_of("ward/a"), exposure_of("region/a"));
  EXPECT_LT(exposure_of("region/a"), exposure_of("all"));
}

}  // namespace
}  // namespace mydr24::live_settings
