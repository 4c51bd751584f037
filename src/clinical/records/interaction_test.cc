#include "clinical/records/interaction.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <list>

#include "clinical/records/rewrite.h"
#include "storage/store/fake_store.h"

namespace mydr24::records {
namespace {

const Instant start = from_us(1'700'000'000'000'000);
using Kind = Effect::Kind;

// Another writer that gets in between plan and commit, so many times.
class BusyStore : public store::FakeStore {
 public:
  using FakeStore::FakeStore;
  void submit(RequestClass request_class, store::Work work, store::Done done) override {
    ++submitted;
    if (overtakes > 0) {
      --overtakes;
      overtake();
    }
    FakeStore::submit(request_class, std::move(work), std::move(done));
  }
  int overtakes = 0;
  int submitted = 0;
  std::function<void()> overtake;
};

// As it is sent, and as it is stored.
std::string patient(std::string_view id, std::string_view identifier, std::string_view more = "",
                    std::string_view meta = "") {
  return fmt::format(R"({{"resourceType":"Patient",{}"id":"{}","identifier":[{{"value":"{}"}}]{}}})", meta, id,
                     identifier, more);
}
std::string stored(std::string_view id, std::string_view identifier, std::string_view more = "") {
  return patient(id, identifier, more, R"("meta":{},)");
}

class Interactions : public testing::Test {
 protected:
  Accepted<std::vector<Effect>> run(const std::vector<Interaction>& interactions) {
    return execute_blocking(records, access::Access::server(), RequestClass::routine, interactions);
  }
  // The one effect of an interaction that must succeed.
  Effect run_one(Interaction interaction) {
    auto effects = run({std::move(interaction)});
    EXPECT_TRUE(effects) << effects.error().issues.front().diagnostics;
    return effects ? std::move(effects->front()) : Effect{};
  }
  Code refused(std::vector<Interaction> interactions) {
    const auto effects = run(interactions);
    EXPECT_FALSE(effects);
    return effects ? Code::internal : effects.error().code;
  }
  void have(const std::string& id, const std::string& identifier) {
    store.put_resource("Patient", id, stored(id, identifier));
  }
  static Interaction conditional(Verb verb, std::string_view identifier, std::string text = "") {
    return {.verb = verb,
            .type = "Patient",
            .condition = parse_criteria("Patient?identifier=" + std::string(identifier)).value(),
            .text = std::move(text)};
  }

  ManualClock clock{start};
  BusyStore store{clock};
  Records records{store, clock};
};

using Conditional = Interactions;

TEST_F(Conditional, CreateIsMadeOnlyWhenNothingMatches) {
  const auto first = run_one(conditional(Verb::create, "x", patient("own", "x")));
  EXPECT_EQ(first.kind, Kind::created);
  EXPECT_NE(first.version.id, "own");
  const auto second = run_one(conditional(Verb::create, "x", patient("own", "x")));
  EXPECT_EQ(second.kind, Kind::existed);
  EXPECT_EQ(second.version.id, first.version.id);
  EXPECT_EQ(second.version.body, store.resources().begin()->second);
  EXPECT_EQ(store.resources().size(), 1U);
}

TEST_F(Conditional, SeveralMatchesAreRefused) {
  have("1", "x");
  have("2", "x");
  for (const auto verb : {Verb::create, Verb::update, Verb::remove, Verb::patch}) {
    EXPECT_EQ(refused({conditional(verb, "x", patient("1", "x"))}), Code::ambiguous);
  }
}

TEST_F(Conditional, UpdateReplacesTheMatch) {
  have("1", "x");
  const auto without_id = R"({"resourceType":"Patient","identifier":[{"value":"x"}],"active":true})";
  const auto effect = run_one(conditional(Verb::update, "x", without_id));
  EXPECT_EQ(effect.kind, Kind::updated);
  EXPECT_EQ(effect.version.id, "1");
  EXPECT_EQ(effect.version.version, 2);
  EXPECT_EQ(refused({conditional(Verb::update, "x", patient("2", "x"))}), Code::invalid) << "another id than the match";
}

TEST_F(Conditional, UpdateWithoutAMatchCreates) {
  const auto effect = run_one(conditional(Verb::update, "x", R"({"resourceType":"Patient"})"));
  EXPECT_EQ(effect.kind, Kind::created);
  EXPECT_FALSE(effect.version.id.empty());
}

TEST_F(Conditional, DeleteOfNoMatchIsAbsentAndOfOneRemoves) {
  EXPECT_EQ(run_one(conditional(Verb::remove, "x")).kind, Kind::absent);
  have("1", "x");
  EXPECT_EQ(run_one(conditional(Verb::remove, "x")).kind, Kind::removed);
  EXPECT_TRUE(store.resources().empty());
}

TEST_F(Conditional, PatchNeedsAMatch) {
  const std::string patch = R"([{"op":"add","path":"/active","value":true}])";
  EXPECT_EQ(refused({conditional(Verb::patch, "x", patch)}), Code::not_found);
  have("1", "x");
  EXPECT_EQ(run_one(conditional(Verb::patch, "x", patch)).kind, Kind::updated);
  EXPECT_EQ(store.resources()["Patient/1"], stored("1", "x", R"(,"active":true)"));
}

using Single = Interactions;

TEST_F(Single, UpdateCreatesUpdatesAndLeavesTheSameAlone) {
  const auto update = [](std::string text) {
    return Interaction{.verb = Verb::update, .type = "Patient", .id = "1", .text = std::move(text)};
  };
  EXPECT_EQ(run_one(update(patient("1", "x"))).kind, Kind::created);
  EXPECT_EQ(run_one(update(patient("1", "x"))).kind, Kind::unchanged);
  EXPECT_EQ(run_one(update(patient("1", "y"))).kind, Kind::updated);
  EXPECT_EQ(refused({update(patient("2", "y"))}), Code::invalid);
  auto only_new = update(patient("1", "z"));
  only_new.if_none_match_any = true;
  EXPECT_EQ(refused({only_new}), Code::stale);
  auto of_old = update(patient("1", "z"));
  of_old.if_match = 1;
  EXPECT_EQ(refused({of_old}), Code::stale);
}

TEST_F(Single, PatchOfWhatIsNotThereSaysWhetherItWas) {
  const Interaction patch{.verb = Verb::patch, .type = "Patient", .id = "1", .text = "[]"};
  EXPECT_EQ(refused({patch}), Code::not_found);
  run_one({.verb = Verb::update, .type = "Patient", .id = "1", .text = patient("1", "x")});
  auto of_old = patch;
  of_old.if_match = 7;
  EXPECT_EQ(refused({of_old}), Code::stale);
  run_one({.verb = Verb::remove, .type = "Patient", .id = "1"});
  EXPECT_EQ(refused({patch}), Code::gone);
}

class Transactions : public Interactions {
 protected:
  // An entry whose resource stays in a Document of the test's.
  Interaction entry(Verb verb, std::string_view type, std::string text, std::string full_url = "") {
    documents.push_back(json::Document::parse(std::move(text)).value());
    return {.verb = verb,
            .type = std::string(type),
            .resource = documents.back().root(),
            .full_url = std::move(full_url),
            .where = "Bundle.entry[" + std::to_string(documents.size() - 1) + "]"};
  }
  std::list<json::Document> documents;
};

constexpr auto observation = R"({"resourceType":"Observation","status":"final","code":{"text":"t"},)"
                             R"("subject":{"reference":"urn:uuid:a"}})";

TEST_F(Transactions, EntriesReferToEachOtherWhateverTheirOrder) {
  const auto effects = run({entry(Verb::create, "Observation", observation),
                            entry(Verb::create, "Patient", patient("own", "x"), "urn:uuid:a")});
  ASSERT_TRUE(effects);
  const auto reference = R"("reference":"Patient/)" + effects->at(1).version.id + '"';
  EXPECT_NE(effects->at(0).version.body.find(reference), std::string::npos) << effects->at(0).version.body;
}

TEST_F(Transactions, AReferenceToAConditionalCreateIsToWhatWasThere) {
  have("7", "x");
  auto create = entry(Verb::create, "Patient", patient("own", "x"), "urn:uuid:a");
  create.condition = parse_criteria("Patient?identifier=x").value();
  const auto effects = run({create, entry(Verb::create, "Observation", observation)});
  ASSERT_TRUE(effects);
  EXPECT_EQ(effects->at(0).kind, Kind::existed);
  EXPECT_NE(effects->at(1).version.body.find("Patient/7"), std::string::npos);
}

TEST_F(Transactions, AConditionalReferenceFindsTheOneResource) {
  const std::string text = R"({"resourceType":"Observation","status":"final","code":{"text":"t"},)"
                           R"("subject":{"reference":"Patient?identifier=x"}})";
  EXPECT_EQ(refused({entry(Verb::create, "Observation", text)}), Code::stale);
  have("7", "x");
  const auto effects = run({entry(Verb::create, "Observation", text)});
  ASSERT_TRUE(effects);
  EXPECT_NE(effects->at(0).version.body.find("\"Patient/7\""), std::string::npos);
}

TEST_F(Transactions, ThatWriteOneResourceTwiceAreRefused) {
  const auto remove = Interaction{.verb = Verb::remove, .type = "Patient", .id = "1", .where = "Bundle.entry[1]"};
  auto update = entry(Verb::update, "Patient", patient("1", "x"));
  update.id = "1";
  const auto effects = run({update, remove});
  ASSERT_FALSE(effects);
  EXPECT_EQ(effects.error().code, Code::invalid);
  EXPECT_EQ(effects.error().issues.front().expression, "Bundle.entry[1]");
  EXPECT_EQ(store.submitted, 0);
}

TEST_F(Transactions, AllOrNone) {
  have("1", "x");
  auto stale = entry(Verb::update, "Patient", patient("1", "y"));
  stale.id = "1";
  stale.if_match = 9;
  const auto effects = run({entry(Verb::create, "Patient", patient("new", "z")), stale});
  ASSERT_FALSE(effects);
  EXPECT_EQ(effects.error().code, Code::stale);
  EXPECT_EQ(effects.error().issues.front().expression, stale.where);
  EXPECT_EQ(store.resources().size(), 1U);
}

TEST_F(Transactions, AnIssueNamesItsEntry) {
  const auto effects = run({entry(Verb::create, "Patient", R"({"resourceType":"Patient","activ":true})")});
  ASSERT_FALSE(effects);
  EXPECT_TRUE(effects.error().issues.front().expression.starts_with("Bundle.entry[0].resource.Patient"))
      << effects.error().issues.front().expression;
}

using Overtaken = Interactions;

TEST_F(Overtaken, AConditionalCreateFindsWhatTheOtherWriterMade) {
  store.overtakes = 1;
  store.overtake = [this] { have("theirs", "x"); };
  const auto effect = run_one(conditional(Verb::create, "x", patient("own", "x")));
  EXPECT_EQ(effect.kind, Kind::existed);
  EXPECT_EQ(effect.version.id, "theirs");
  EXPECT_EQ(store.submitted, 2);
}

TEST_F(Overtaken, APatchIsMadeOnTheOthersVersion) {
  have("1", "x");
  store.overtakes = 2;
  store.overtake = [this] { have("1", store.overtakes == 1 ? "y" : "z"); };
  run_one(
      {.verb = Verb::patch, .type = "Patient", .id = "1", .text = R"([{"op":"add","path":"/active","value":true}])"});
  EXPECT_EQ(store.resources()["Patient/1"], stored("1", "z", R"(,"active":true)"));
  EXPECT_EQ(store.submitted, 3);
}

TEST_F(Overtaken, ThreeTimesIsAConflict) {
  have("1", "x");
  store.overtakes = 3;
  store.overtake = [this] { have("1", "x" + std::to_string(store.overtakes)); };
  const Interaction patch{
      .verb = Verb::patch, .type = "Patient", .id = "1", .text = R"([{"op":"add","path":"/active","value":true}])"};
  EXPECT_EQ(refused({patch}), Code::conflict);
  EXPECT_EQ(store.submitted, 3);
}

TEST_F(Overtaken, ADemandOfTheClientsIsNotTriedAgain) {
  have("1", "x");
  store.overtakes = 1;
  store.overtake = [this] { have("1", "y"); };
  EXPECT_EQ(refused({{.verb = Verb::update, .type = "Patient", .id = "1", .text = patient("1", "z"), .if_match = 1}}),
            Code::stale);
  EXPECT_EQ(store.submitted, 1);
}

TEST_F(Overtaken, AFullQueueIsToldAtOnce) {
  store.refuse_writes = 1;
  EXPECT_EQ(refused({{.verb = Verb::create, .type = "Patient", .text = patient("1", "x")}}), Code::busy);
  EXPECT_EQ(store.submitted, 1);
}

TEST_F(Interactions, NoneAtAllAreNoEffects) { EXPECT_TRUE(run({})->empty()); }

}  // namespace
}  // namespace mydr24::records
