#include "clinical/records/records.h"

#include <gtest/gtest.h>

#include "base/core/id.h"
#include "storage/store/fake_store.h"

namespace mydr24::records {
namespace {

const Instant start = from_us(1'700'000'000'000'000);

// Remembers every change that concerns it; refuses when told to.
class Witness : public Reaction {
 public:
  bool concerns(std::string_view type) const override { return type == "Patient"; }
  Result<> react(store::Transaction& transaction, const Change& change) override {
    if (refuse) return fail(Code::unprocessable, "not this one");
    MYDR24_TRY(transaction.set_state("witness", change.id, "seen"));
    seen.push_back({change.action, std::string(change.id), text_of(change.resource), text_of(change.before),
                    change.written.version});
    return {};
  }

  struct Seen {
    store::Action action;
    std::string id, resource, before;
    std::int64_t version;
  };
  std::vector<Seen> seen;
  bool refuse = false;

 private:
  static std::string text_of(json::Value value) { return value ? std::string(value.raw()) : "nothing"; }
};

class RecordsTest : public testing::Test {
 protected:
  RecordsTest() { records.add_reaction(witness); }

  Result<Records::Outcome> put(std::string text, const Precondition& precondition = {}) {
    const auto prepared = records.prepare(std::move(text), {});
    EXPECT_TRUE(prepared) << prepared.error().issues.front().diagnostics;
    Records::Outcome outcome;
    const auto done = store.write(RequestClass::routine, [&](store::Transaction& transaction) -> Result<> {
      MYDR24_ASSIGN(outcome, records.put(transaction, *prepared, precondition));
      return {};
    });
    if (!done) return done.error();
    return outcome;
  }
  Result<std::optional<store::Written>> remove(std::string_view type, std::string_view id,
                                               const Precondition& precondition = {}) {
    std::optional<store::Written> written;
    const auto done = store.write(RequestClass::routine, [&](store::Transaction& transaction) -> Result<> {
      MYDR24_ASSIGN(written, records.remove(transaction, type, id, precondition));
      return {};
    });
    if (!done) return done.error();
    return written;
  }
  model::Issue refused(std::string text, const PrepareOptions& options) {
    const auto prepared = records.prepare(std::move(text), options);
    EXPECT_FALSE(prepared);
    if (prepared) return {};
    EXPECT_EQ(prepared.error().code, Code::invalid);
    return prepared.error().issues.front();
  }

  ManualClock clock{start};
  store::FakeStore store{clock};
  Records records{store, clock};
  Witness witness;
};

using Prepare = RecordsTest;

TEST_F(Prepare, AnUpdateMustCarryTheIdOfItsUrl) {
  const PrepareOptions options{.type = "Patient", .id = "1", .demand_own_id = true};
  const auto without = refused(R"({"resourceType":"Patient"})", options);
  EXPECT_EQ(without.code, "required");
  EXPECT_EQ(without.expression, "Patient.id");
  const auto other = refused(R"({"resourceType":"Patient","id":"2"})", options);
  EXPECT_EQ(other.code, "value");
  EXPECT_EQ(other.expression, "Patient.id");
  EXPECT_NE(other.diagnostics.find("\"2\""), std::string::npos);
  EXPECT_TRUE(records.prepare(R"({"resourceType":"Patient","id":"1"})", options));
}

TEST_F(Prepare, ACreateDoesNotUseTheIdInItsBody) {
  const auto given = records.prepare(R"({"resourceType":"Patient","id":"own"})", {.id = "new", .ignore_own_id = true});
  ASSERT_TRUE(given);
  EXPECT_EQ(given->id, "new");
  EXPECT_EQ(given->text, R"({"resourceType":"Patient","meta":{},"id":"new"})");
  const auto made = records.prepare(R"({"resourceType":"Patient","id":"own"})", {.ignore_own_id = true});
  ASSERT_TRUE(made);
  EXPECT_NE(made->id, "own");
  EXPECT_TRUE(is_fhir_id(made->id));
}

TEST_F(Prepare, WithoutOptionsTheOwnIdCountsOrANewOneIsMade) {
  EXPECT_EQ(records.prepare(R"({"resourceType":"Patient","id":"own"})", {})->id, "own");
  EXPECT_TRUE(is_fhir_id(records.prepare(R"({"resourceType":"Patient"})", {})->id));
}

TEST_F(Prepare, AnIdThatIsNoneIsRefused) {
  EXPECT_EQ(refused(R"({"resourceType":"Patient"})", {.id = "a b"}).expression, "Patient.id");
}

TEST_F(Prepare, TheTypeMustBeTheOneAskedFor) {
  const auto issue = refused(R"({"resourceType":"Observation"})", {.type = "Patient"});
  EXPECT_EQ(issue.code, "value");
  EXPECT_EQ(issue.expression, "resourceType");
}

TEST_F(Prepare, MalformedJsonIsNamedByLineAndColumn) {
  const auto issue = refused("{\"resourceType\":\"Patient\",\n \"active\":tru}", {});
  EXPECT_EQ(issue.code, "structure");
  EXPECT_NE(issue.diagnostics.find("line 2, column "), std::string::npos) << issue.diagnostics;
}

TEST_F(Prepare, WhatIsNoResourceIsRefused) {
  for (const char* text : {"[]", "{}", "1", R"({"resourceType":7})", R"({"id":"1"})"}) {
    EXPECT_EQ(refused(text, {}).code, "structure") << text;
  }
}

TEST_F(Prepare, EveryIssueOfTheValidationIsTold) {
  const auto prepared = records.prepare(R"({"resourceType":"Patient","activ":true,"birthDate":"1970-13-01"})", {});
  ASSERT_FALSE(prepared);
  EXPECT_EQ(prepared.error().issues.size(), 2U);
}

struct Kept {
  const char* name;
  const char* sent;
  const char* stored;
};
class StoredText : public RecordsTest, public testing::WithParamInterface<Kept> {};

TEST_P(StoredText, KeepsWhatTheClientWrote) {
  const auto prepared = records.prepare(GetParam().sent, {});
  ASSERT_TRUE(prepared) << prepared.error().issues.front().diagnostics;
  EXPECT_EQ(prepared->text, GetParam().stored);
  EXPECT_EQ(prepared->text.substr(prepared->meta_at - 8, 8), "\"meta\":{");
  EXPECT_EQ(prepared->body.meta_at, prepared->meta_at);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, StoredText,
    testing::Values(
        Kept{"the_servers_part_of_meta_is_dropped",
             R"({"resourceType":"Patient","id":"p","meta":{"versionId":"9","source":"urn:x",)"
             R"("lastUpdated":"2020-01-01T00:00:00Z","tag":[{"code":"t"}]},"active":true})",
             R"({"resourceType":"Patient","id":"p","meta":{"source":"urn:x","tag":[{"code":"t"}]},"active":true})"},
        Kept{"a_meta_of_only_that_stays_empty", R"({"resourceType":"Patient","id":"p","meta":{"versionId":"9"}})",
             R"({"resourceType":"Patient","id":"p","meta":{}})"},
        Kept{"keys_stay_in_order", R"({"active":true,"id":"p","gender":"male","resourceType":"Patient"})",
             R"({"active":true,"id":"p","gender":"male","resourceType":"Patient","meta":{}})"},
        Kept{"white_space_goes", "{ \"resourceType\" : \"Patient\" ,\n\"id\":\"p\", \"active\" : true }",
             R"({"resourceType":"Patient","meta":{},"id":"p","active":true})"},
        Kept{"decimals_stay_as_written",
             R"({"resourceType":"Observation","id":"o","status":"final","code":{"text":"t"},)"
             R"("valueQuantity":{"value":36.50}})",
             R"({"resourceType":"Observation","meta":{},"id":"o","status":"final","code":{"text":"t"},)"
             R"("valueQuantity":{"value":36.50}})"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(Render, PutsVersionAndTimeInFrontOfTheClientsMeta) {
  store::Version version{.version = 3, .at = start, .body = R"({"meta":{"source":"urn:x"}})", .meta_at = 9};
  EXPECT_EQ(render(version), R"({"meta":{"versionId":"3","lastUpdated":"2023-11-14T22:13:20.000Z","source":"urn:x"}})");
  version.body = R"({"meta":{}})";
  EXPECT_EQ(render(version), R"({"meta":{"versionId":"3","lastUpdated":"2023-11-14T22:13:20.000Z"}})");
}

using Put = RecordsTest;

TEST_F(Put, CreatesThenUpdatesThenLeavesTheSameContentAlone) {
  const auto first = put(R"({"resourceType":"Patient","id":"1"})");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->action, store::Action::create);
  EXPECT_EQ(first->written.version, 1);
  const auto second = put(R"({"resourceType":"Patient","id":"1","active":true})");
  EXPECT_EQ(second->action, store::Action::update);
  EXPECT_EQ(second->written.version, 2);
  const auto same = put(R"({ "resourceType":"Patient", "id":"1", "meta":{"versionId":"2"}, "active":true })");
  EXPECT_FALSE(same->unchanged) << "meta stands elsewhere in it: other content";
  const auto again = put(R"({ "resourceType":"Patient", "id":"1", "meta":{"versionId":"3"}, "active":true })");
  EXPECT_TRUE(again->unchanged);
  EXPECT_EQ(again->written.version, 3);
  EXPECT_EQ(store.versions_of("Patient/1"), 3);
  EXPECT_EQ(witness.seen.size(), 3U);
}

TEST_F(Put, AfterADeletionCreatesAnewAndVersionsGoOn) {
  ASSERT_TRUE(put(R"({"resourceType":"Patient","id":"1"})"));
  ASSERT_TRUE(*remove("Patient", "1"));
  const auto back = put(R"({"resourceType":"Patient","id":"1"})");
  EXPECT_EQ(back->action, store::Action::create);
  EXPECT_FALSE(back->unchanged);
  EXPECT_EQ(back->written.version, 3);
}

enum class There : std::uint8_t { never, alive, removed };
struct Demand {
  const char* name;
  There there;
  Precondition precondition;
  std::optional<Code> refused;
};
class Preconditions : public RecordsTest, public testing::WithParamInterface<Demand> {};

TEST_P(Preconditions, DecideAboutAPut) {
  const auto& demand = GetParam();
  if (demand.there != There::never) ASSERT_TRUE(put(R"({"resourceType":"Patient","id":"1"})"));
  if (demand.there == There::removed) ASSERT_TRUE(remove("Patient", "1"));
  const auto before = store.versions_of("Patient/1");
  const auto outcome = put(R"({"resourceType":"Patient","id":"1","active":true})", demand.precondition);
  EXPECT_EQ(outcome.has_value(), !demand.refused);
  if (!outcome) EXPECT_EQ(outcome.error().code, *demand.refused) << outcome.error().text;
  EXPECT_EQ(store.versions_of("Patient/1"), before + (outcome ? 1 : 0));
}

INSTANTIATE_TEST_SUITE_P(
    Rows, Preconditions,
    testing::Values(Demand{"the_right_version", There::alive, {.version = 1}, {}},
                    Demand{"an_old_version", There::alive, {.version = 7}, Code::stale},
                    Demand{"a_version_of_nothing", There::never, {.version = 1}, Code::stale},
                    Demand{"the_version_of_the_deletion", There::removed, {.version = 2}, {}},
                    Demand{"must_not_exist_and_does", There::alive, {.must_not_exist = true}, Code::stale},
                    Demand{"must_not_exist_and_never_did", There::never, {.must_not_exist = true}, {}},
                    Demand{"must_not_exist_and_is_deleted", There::removed, {.must_not_exist = true}, {}},
                    Demand{"must_exist_and_does", There::alive, {.must_exist = true}, {}},
                    Demand{"must_exist_and_never_did", There::never, {.must_exist = true}, Code::not_found},
                    Demand{"must_exist_and_is_deleted", There::removed, {.must_exist = true}, Code::gone}),
    [](const auto& row) { return std::string(row.param.name); });

using Remove = RecordsTest;

TEST_F(Remove, OfNothingOrOfADeletedOneSucceedsWithNothing) {
  EXPECT_EQ(remove("Patient", "1")->has_value(), false);
  ASSERT_TRUE(put(R"({"resourceType":"Patient","id":"1"})"));
  EXPECT_EQ(remove("Patient", "1")->value().version, 2);
  EXPECT_EQ(remove("Patient", "1")->has_value(), false);
  EXPECT_EQ(store.versions_of("Patient/1"), 2);
}

TEST_F(Remove, OfAnotherVersionIsStale) {
  ASSERT_TRUE(put(R"({"resourceType":"Patient","id":"1"})"));
  EXPECT_EQ(remove("Patient", "1", {.version = 2}).error().code, Code::stale);
  EXPECT_TRUE(remove("Patient", "1", {.version = 1})->has_value());
}

using Reactions = RecordsTest;

TEST_F(Reactions, SeeBeforeAndAfter) {
  const std::string sent = R"({"resourceType":"Patient","id":"1"})";
  const std::string sent_active = R"({"resourceType":"Patient","id":"1","active":true})";
  ASSERT_TRUE(put(sent));
  ASSERT_TRUE(put(sent_active));
  ASSERT_TRUE(remove("Patient", "1"));
  ASSERT_EQ(witness.seen.size(), 3U);
  const std::string stored = R"({"resourceType":"Patient","meta":{},"id":"1"})";
  const std::string stored_active = R"({"resourceType":"Patient","meta":{},"id":"1","active":true})";
  const Witness::Seen expected[] = {{store::Action::create, "1", sent, "nothing", 1},
                                    {store::Action::update, "1", sent_active, stored, 2},
                                    {store::Action::remove, "1", "nothing", stored_active, 3}};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(witness.seen[i].action, expected[i].action);
    EXPECT_EQ(witness.seen[i].id, "1");
    EXPECT_EQ(witness.seen[i].resource, expected[i].resource);
    EXPECT_EQ(witness.seen[i].before, expected[i].before);
    EXPECT_EQ(witness.seen[i].version, expected[i].version);
  }
}

TEST_F(Reactions, SeeOnlyTheTypesThatConcernThem) {
  ASSERT_TRUE(put(R"({"resourceType":"Organization","id":"1","name":"n"})"));
  EXPECT_TRUE(witness.seen.empty());
}

TEST_F(Reactions, ThatRefuseUndoTheWrite) {
  witness.refuse = true;
  const auto refused = put(R"({"resourceType":"Patient","id":"1"})");
  EXPECT_EQ(refused.error().code, Code::unprocessable);
  EXPECT_EQ(store.versions_of("Patient/1"), 0);
  witness.refuse = false;
  ASSERT_TRUE(put(R"({"resourceType":"Patient","id":"1"})"));
  witness.refuse = true;
  EXPECT_EQ(remove("Patient", "1").error().code, Code::unprocessable);
  EXPECT_TRUE(store.resources().contains("Patient/1"));
}

}  // namespace
}  // namespace mydr24::records
