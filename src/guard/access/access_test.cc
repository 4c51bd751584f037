// What is hidden is as if it were not there: answers through an Access are compared with those of a store in which the
// hidden resources have never been.

#include "guard/access/access.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "fhir/search/search.h"
#include "guard/access/decision.h"
#include "storage/store/fake_store.h"

namespace mydr24::access {
namespace {

const Instant start = from_us(1'700'000'000'000'000);
constexpr std::string_view hiv =
    R"("meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"HIV"}]},)";

struct Resource {
  std::string type, id, text;
};

// Four patients with what they have, some of it labelled; practitioners; a care relation.
std::vector<Resource> hospital() {
  std::vector<Resource> all;
  const auto add = [&](std::string type, std::string id, std::string_view members, bool labelled = false) {
    auto text =
        fmt::format(R"({{"resourceType":"{}","id":"{}",{}{}}})", type, id, labelled ? hiv : R"("meta":{},)", members);
    all.push_back({std::move(type), std::move(id), std::move(text)});
  };
  add("Practitioner", "d1", R"("name":[{"family":"Adler"}])");
  add("Practitioner", "d2", R"("name":[{"family":"Brand"}])");
  for (int p = 1; p <= 4; ++p) {
    add("Patient", fmt::format("p{}", p),
        fmt::format(
            R"("gender":"{}","name":[{{"family":"Name{}"}}],"generalPractitioner":[{{"reference":"Practitioner/d{}"}}])",
            p % 2 != 0 ? "male" : "female", p, p % 2 + 1),
        p == 4);
    add("Encounter", fmt::format("e{}", p),
        fmt::format(R"("status":"finished","class":{{"code":"AMB"}},"subject":{{"reference":"Patient/p{}"}})", p),
        p == 3);
    for (int o = 1; o <= 4; ++o) {
      add("Observation", fmt::format("o{}{}", p, o),
          fmt::format(
              R"("status":"{}","code":{{"coding":[{{"system":"s","code":"c{}"}}]}},"subject":{{"reference":"Patient/p{}"}},)"
              R"("encounter":{{"reference":"Encounter/e{}"}},"performer":[{{"reference":"Practitioner/d{}"}}])",
              o % 2 != 0 ? "final" : "preliminary", o, p, p, o % 2 + 1),
          o == 4);
    }
  }
  return all;
}

void fill(store::Store& store, const std::vector<Resource>& resources,
          const std::function<bool(const Resource&)>& wanted) {
  for (const auto& resource : resources) {
    if (!wanted(resource)) continue;
    const auto body = store.pack(resource.text, static_cast<std::uint32_t>(resource.text.find("\"meta\":{") + 8));
    const auto document = json::Document::parse_view(resource.text);
    auto entries = search::extract(document->root());
    const auto done = store.write(RequestClass::routine, [&](store::Transaction& transaction) -> Result<> {
      MYDR24_TRY(transaction.put({.type = resource.type,
                                  .id = resource.id,
                                  .action = store::Action::create,
                                  .body = &body,
                                  .entries = entries,
                                  .entries_before = {}}));
      return {};
    });
    ASSERT_TRUE(done) << done.error().text;
  }
}

Principal person(std::vector<std::string> roles, std::string scopes = {}, std::string fhir_user = {}) {
  Principal principal;
  principal.kind = PrincipalKind::person;
  principal.id = "user/test";
  principal.roles = std::move(roles);
  principal.fhir_user = std::move(fhir_user);
  if (!scopes.empty()) principal.scopes = *parse_scopes(scopes);
  return principal;
}

std::shared_ptr<const Caller> caller_of(const Principal& principal,
                                        const std::shared_ptr<const Policy>& policy = default_policy(),
                                        const ConsentBook* book = nullptr) {
  auto caller = std::make_shared<Caller>();
  caller->principal = principal;
  auto sight = Sight::of(policy, principal);
  EXPECT_TRUE(sight) << sight.error().text;
  if (sight) caller->sight = *sight;
  if (book != nullptr) caller->denials = std::make_shared<Denials>(*book, principal, "TREAT", "");
  return caller;
}

using Asked = std::vector<std::pair<std::string, std::string>>;

std::string ids(const Result<store::SearchPage>& page) {
  if (!page) return std::string(to_string(page.error().code));
  std::string text;
  for (const auto& match : page->matches) text += match.type + "/" + match.id + " ";
  if (page->total) text += fmt::format("of {}", *page->total);
  return text;
}

class AccessTest : public testing::Test {
 protected:
  std::string search(store::Store& store, Access& access, std::string_view type, const Asked& asked) {
    auto query = search::parse_query(type, asked, false);
    EXPECT_TRUE(query) << query.error().issues.front().diagnostics;
    if (!query) return {};
    query->count = 100;
    query->total = search::Total::accurate;
    Result<store::SearchPage> page;
    (void)access.read(store, [&](store::Reader& reader) -> Result<> {
      page = reader.search(*query);
      return {};
    });
    return ids(page);
  }
  bool can_read(store::Store& store, Access& access, std::string_view type, std::string_view id) {
    bool found = false;
    const auto done = access.read(store, [&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(const auto version, reader.current(type, id));
      found = version.has_value();
      return {};
    });
    return done && found;
  }

  ManualClock clock{start};
  const std::vector<Resource> resources = hospital();
  std::shared_ptr<const Policy> policy = [] {
    auto own = parse_policy(R"json({
      "sensitive": ["http://terminology.hl7.org/CodeSystem/v3-ActCode|HIV"],
      "roles": {
        "nurse": { "fhir": [ { "types": ["*"], "permissions": "rs" }, { "types": ["Observation"], "permissions": "cud" } ],
                   "break_glass": [ { "types": ["*"], "permissions": "rs" } ] },
        "physician": { "labels": ["*"],
          "fhir": [ { "types": ["Patient"], "permissions": "rs", "criteria": "general-practitioner={fhirUser}" },
                    { "types": ["Observation", "Encounter"], "permissions": "rs",
                      "criteria": "subject:Patient.general-practitioner={fhirUser}" },
                    { "types": ["Practitioner"], "permissions": "rs" } ] },
        "patient": { "labels": ["*"], "fhir": [
          { "types": ["*"], "permissions": "rs", "compartment": "own" },
          { "types": ["Observation"], "permissions": "c", "compartment": "own", "criteria": "status=preliminary" },
          { "types": ["Practitioner"], "permissions": "rs" } ] },
        "counter": { "fhir": [ { "types": ["Observation"], "permissions": "rs", "criteria": "status=final" } ] }
      } })json");
    EXPECT_TRUE(own) << own.error().text;
    return std::make_shared<const Policy>(std::move(*own));
  }();
};

using Hidden = AccessTest;

TEST_F(Hidden, ResourcesAreAsIfTheyWereNotThere) {
  const std::vector<Principal> principals{
      person({"nurse"}),
      person({"physician"}, {}, "Practitioner/d1"),
      person({"patient"}, {}, "Patient/p1"),
      person({"patient", "counter"}, {}, "Patient/p4"),
      person({"nurse"}, "user/Observation.rs?status=final user/Patient.rs"),
      person({"nurse"}, "patient/*.rs user/Practitioner.r", "Patient/p3"),
      person({"counter"}),
      person({}),
  };
  const std::vector<std::pair<std::string, Asked>> questions{
      {"Patient", {}},
      {"Patient", {{"gender", "male"}}},
      {"Patient", {{"gender:not", "male"}}},
      {"Patient", {{"_has:Observation:subject:code", "s|c4"}}},
      {"Patient", {{"_has:Observation:subject:status", "preliminary"}, {"_sort", "family"}}},
      {"Patient", {{"_has:Observation:subject:_has:Provenance:target:_id", "x"}}},
      {"Patient", {{"general-practitioner.family", "adler"}}},
      {"Observation", {}},
      {"Observation", {{"subject:Patient.family", "Name4"}}},
      {"Observation", {{"subject:Patient.gender:not", "male"}}},
      {"Observation", {{"code", "s|c4"}}},
      {"Observation", {{"encounter.status", "finished"}}},
      {"Observation", {{"encounter.subject:Patient.name", "Name3"}}},
      {"Observation", {{"_filter", "not (subject.family eq \"Name4\")"}}},
      {"Observation", {{"_security", "HIV"}}},
      {"Encounter", {{"_has:Observation:encounter:code", "s|c4"}}},
      {"Encounter", {{"subject:missing", "false"}}},
      {"Practitioner", {{"_has:Patient:general-practitioner:family", "Name4"}}},
      {"Practitioner", {{"_has:Observation:performer:code", "s|c4"}}},
  };
  store::FakeStore all(clock);
  fill(all, resources, [](const auto&) { return true; });
  ConsentBook consents;
  const auto consent = [&](std::string_view patient, std::string_view rest) {
    const auto text = fmt::format(
        R"({{"resourceType":"Consent","id":"{0}","status":"active","patient":{{"reference":"Patient/{0}"}},{1}}})",
        patient, rest);
    const auto document = json::Document::parse_view(text);
    auto parsed = parse_consent(document->root());
    ASSERT_TRUE(parsed) << text;
    consents.put(std::move(*parsed));
  };
  consent(
      "p1",
      R"("policyRule":{"coding":[{"code":"OPTOUT"}]},"provision":{"actor":[{"role":{"coding":[{"code":"PRCP"}]},"reference":{"reference":"Practitioner/d1"}}]})");
  consent(
      "p2",
      R"("provision":{"type":"deny","class":[{"code":"Observation"}],"code":[{"coding":[{"system":"s","code":"c2"}]}]})");
  consent(
      "p3",
      R"("provision":{"type":"deny","class":[{"code":"Observation"},{"code":"Encounter"}],"provision":[{"type":"permit","actor":[{"role":{"coding":[{"code":"AUT"}]},"reference":{"reference":"Practitioner/d2"}}]}]})");
  std::vector<std::pair<Principal, const ConsentBook*>> askers;
  for (const auto& principal : principals) {
    askers.emplace_back(principal, nullptr);
    askers.emplace_back(principal, &consents);
  }
  int answered = 0;
  for (const auto& [principal, book] : askers) {
    Access access(caller_of(principal, policy, book), clock);
    std::set<std::string> visible;
    for (const auto& one : resources)
      if (can_read(all, access, one.type, one.id)) visible.insert(one.type + "/" + one.id);
    store::FakeStore rest(clock);
    fill(rest, resources, [&](const auto& one) { return visible.contains(one.type + "/" + one.id); });
    for (const auto& [type, asked] : questions) {
      const auto answer = search(all, access, type, asked);
      if (answer == to_string(Code::refused)) continue;
      ++answered;
      EXPECT_EQ(answer, search(rest, Access::server(), type, asked))
          << type << "?" << (asked.empty() ? "" : asked.front().first) << " as "
          << fmt::format("{}", fmt::join(principal.roles, ","));
    }
  }
  EXPECT_GT(answered, 120);
}

TEST_F(Hidden, ALabelHidesFromANurseAndAnOverrideShowsIt) {
  store::FakeStore store(clock);
  fill(store, resources, [](const auto&) { return true; });
  auto principal = person({"nurse"});
  Access nurse(caller_of(principal, policy), clock);
  EXPECT_TRUE(can_read(store, nurse, "Observation", "o11"));
  EXPECT_FALSE(can_read(store, nurse, "Observation", "o14"));
  principal.overrides = {{"b1", "found unconscious", "p1", start + std::chrono::minutes(15)}};
  Access override(caller_of(principal, policy), clock);
  EXPECT_TRUE(can_read(store, override, "Observation", "o14"));
  EXPECT_FALSE(can_read(store, override, "Observation", "o24")) << "another patient's";
  EXPECT_EQ(override.patients(), std::vector<std::string>{"p1"});
}

TEST_F(Hidden, AnEscapedNameOfAMemberDoesNotHideALabel) {
  EXPECT_TRUE(has_no_label(R"({"resourceType":"Patient","meta":{}})"));
  EXPECT_FALSE(has_no_label(R"({"meta":{"security":[]}})"));
  EXPECT_FALSE(has_no_label(R"({"meta":{"\u0073ecurity":[]}})"));
}

TEST_F(Hidden, AnApplicationOfAPatientReachesThatPatientAlone) {
  store::FakeStore store(clock);
  fill(store, resources, [](const auto&) { return true; });
  auto principal = person({"nurse"}, "patient/Patient.rs patient/Observation.rs");
  Access without(caller_of(principal, policy), clock);
  EXPECT_FALSE(can_read(store, without, "Patient", "p1")) << "no launch context";
  principal.patient = "p1";
  Access with(caller_of(principal, policy), clock);
  EXPECT_TRUE(can_read(store, with, "Patient", "p1"));
  EXPECT_TRUE(can_read(store, with, "Observation", "o12"));
  EXPECT_FALSE(can_read(store, with, "Observation", "o22"));
  EXPECT_FALSE(can_read(store, with, "Encounter", "e1")) << "not in the scopes";
}

TEST_F(Hidden, SystemScopesAreOfNoUseToAPersonNorUserScopesToAMachine) {
  store::FakeStore store(clock);
  fill(store, resources, [](const auto&) { return true; });
  auto principal = person({"nurse"}, "system/*.rs");
  Access personal(caller_of(principal, policy), clock);
  EXPECT_FALSE(can_read(store, personal, "Patient", "p1"));
  principal.kind = PrincipalKind::machine;
  Access machine(caller_of(principal, policy), clock);
  EXPECT_TRUE(can_read(store, machine, "Patient", "p1"));
}

TEST_F(Hidden, ModuleStateAndEventsAreNotForClients) {
  store::FakeStore store(clock);
  Access access(caller_of(person({"nurse"}), policy), clock);
  const auto done = access.read(store, [&](store::Reader& reader) -> Result<> {
    EXPECT_FALSE(reader.state("identity.user", "anna"));
    EXPECT_FALSE(reader.states("identity.user", "", "", 10));
    EXPECT_FALSE(reader.events(0, 10));
    return {};
  });
  EXPECT_TRUE(done);
}

class Writing : public AccessTest {
 protected:
  Writing() {
    fill(store, resources, [](const auto&) { return true; });
  }
  // Empty: it may.
  std::string put(Access& access, std::string_view type, std::string_view id, std::string_view text,
                  bool by_create = false) {
    const auto document = json::Document::parse_view(text);
    const auto done = store.read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(const auto there, reader.current(type, id));
      return access.check_put(reader, type, id, there, document->root(), by_create);
    });
    return done ? "" : done.error().text;
  }
  std::string remove(Access& access, std::string_view type, std::string_view id) {
    bool visible = false;
    const auto done = store.read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(const auto there, reader.current(type, id));
      MYDR24_ASSIGN(visible, access.check_remove(reader, *there));
      return {};
    });
    return !done ? done.error().text : visible ? "" : "hidden";
  }
  static std::string observation(std::string_view patient, std::string_view status) {
    return fmt::format(
        R"({{"resourceType":"Observation","status":"{}","code":{{"text":"x"}},"subject":{{"reference":"Patient/{}"}}}})",
        status, patient);
  }
  store::FakeStore store{clock};
};

TEST_F(Writing, APatientWritesForNobodyElse) {
  Access access(caller_of(person({"patient"}, {}, "Patient/p1"), policy), clock);
  EXPECT_EQ(put(access, "Observation", "new", observation("p1", "preliminary"), true), "");
  EXPECT_EQ(put(access, "Observation", "new", observation("p2", "preliminary"), true),
            "you may not create this Observation");
  EXPECT_EQ(put(access, "Observation", "new", observation("p1", "final"), true), "you may not create this Observation");
  EXPECT_EQ(put(access, "Observation", "o12", observation("p1", "preliminary")), "you may not write Observation/o12");
  EXPECT_EQ(put(access, "Patient", "p1", R"({"resourceType":"Patient"})"), "you may not write Patient/p1");
}

TEST_F(Writing, WhetherAHiddenResourceHasAnIdIsNotTold) {
  Access access(caller_of(person({"patient"}, {}, "Patient/p1"), policy), clock);
  EXPECT_EQ(put(access, "Observation", "o22", observation("p1", "preliminary")), "you may not write Observation/o22");
  EXPECT_EQ(put(access, "Observation", "free", observation("p1", "preliminary")), "you may not write Observation/free");
}

TEST_F(Writing, WhatIsHiddenByALabelIsNeitherChangedNorDeleted) {
  Access access(caller_of(person({"nurse"}), policy), clock);
  EXPECT_EQ(put(access, "Observation", "o11", observation("p1", "amended")), "");
  EXPECT_EQ(put(access, "Observation", "o14", observation("p1", "amended")), "you may not write Observation/o14");
  EXPECT_EQ(remove(access, "Observation", "o11"), "");
  EXPECT_EQ(remove(access, "Observation", "o14"), "hidden");
  EXPECT_EQ(remove(access, "Encounter", "e1"), "you may not delete Encounter/e1");
}

// ---- policies and decisions

TEST(Policy, TheDefaultOneIsSound) {
  const auto policy = parse_policy(default_policy_text());
  ASSERT_TRUE(policy) << policy.error().text;
  for (const auto* role :
       {"administrator", "nurse", "emergency-clinician", "compliance-officer", "booking-desk", "patient"})
    EXPECT_NE(policy->find(role), nullptr) << role;
  for (const auto& role : policy->roles) {
    EXPECT_FALSE(role.text.empty()) << role.name;
    EXPECT_TRUE(Sight::of(default_policy(), person({role.name}, {}, "Patient/1"))) << role.name;
  }
}

TEST(Policy, MistakesAreNamedWithTheirPlace) {
  const auto error = [](std::string_view text) {
    const auto policy = parse_policy(text);
    return policy ? std::string("none") : policy.error().text;
  };
  EXPECT_TRUE(error("{").starts_with("policy: ")) << error("{");
  EXPECT_EQ(
      error(R"({"roles":{"a":{"fhirr":[]}}})"),
      "roles.a: \"fhirr\" is not known here; known are text, purpose, purposes, fhir, labels, operations, break_glass, "
      "privileged");
  EXPECT_EQ(error(R"({"roles":{"a":{"fhir":[{"types":["Patiens"],"permissions":"r"}]}}})"),
            "roles.a.fhir[0]: Patiens is no resource type of R4");
  EXPECT_EQ(error(R"({"roles":{"a":{"fhir":[{"types":["Patient"],"permissions":"sr"}]}}})"),
            "roles.a.fhir[0].permissions: some of \"cruds\" are expected, in this order");
  EXPECT_EQ(error(R"({"roles":{"a":{"labels":["HIV"]}}})"),
            "roles.a.labels: the label HIV is not written as system|code");
}

TEST(Policy, ARoleServesItsPurposeItsKindsAndThoseItNames) {
  const auto parsed = parse_policy(
      R"({"roles":{"a":{"purpose":"TREAT","purposes":["HPAYMT"],"fhir":[{"types":["Observation"],"permissions":"r"},)"
      R"({"types":["Coverage"],"permissions":"r","purposes":["HPAYMT"]}]},"b":{}}})");
  ASSERT_TRUE(parsed) << parsed.error().text;
  const auto policy = std::make_shared<const Policy>(*parsed);
  for (const auto* good : {"", "TREAT", "ETREAT", "BTG", "HPAYMT", "CLMATTCH"})
    EXPECT_TRUE(policy->find("a")->serves(good)) << good;
  for (const auto* bad : {"HRESCH", "HOPERAT", "PATRQT", "nonsense"})
    EXPECT_FALSE(policy->find("a")->serves(bad)) << bad;
  EXPECT_TRUE(policy->find("b")->serves("HRESCH")) << "it is for nothing in particular";
  const auto may = [&](std::string purpose, std::string_view type) {
    auto who = person({"a"});
    who.purpose = std::move(purpose);
    return (*Sight::of(policy, who))->may(Permission::read, type);
  };
  EXPECT_TRUE(may("", "Observation"));
  EXPECT_FALSE(may("", "Coverage")) << "the role is for treatment";
  EXPECT_TRUE(may("HPAYMT", "Coverage"));
  EXPECT_TRUE(may("CLMATTCH", "Coverage"));
  EXPECT_FALSE(may("ETREAT", "Coverage"));
  EXPECT_FALSE(may("HRESCH", "Observation"));
  EXPECT_EQ(parse_policy(R"({"roles":{"a":{"purposes":["CARE"]}}})").error().where, "roles.a.purposes");
  EXPECT_EQ(
      parse_policy(R"({"roles":{"a":{"fhir":[{"types":["*"],"permissions":"r","purposes":["X"]}]}}})").error().where,
      "roles.a.fhir[0].purposes");
}

TEST(Policy, CriteriaThatAreNoSearchMakeATokenUseless) {
  const auto policy =
      std::make_shared<const Policy>(*parse_policy(R"({"roles":{"a":{"fhir":[{"types":["*"],"permissions":"rs"}]}}})"));
  EXPECT_TRUE(Sight::of(policy, person({"a"}, "user/Observation.rs?status=final")));
  EXPECT_FALSE(Sight::of(policy, person({"a"}, "user/Observation.rs?nonsense=1")));
  const auto every = *Sight::of(policy, person({"a"}, "user/*.rs?status=final"));
  EXPECT_TRUE(every->may(Permission::read, "Observation"));
  EXPECT_FALSE(every->may(Permission::read, "Patient")) << "it has no status";
}

TEST(Decide, NobodyGetsInWithoutSayingWhoTheyAre) {
  Caller caller;
  caller.sight = *Sight::of(default_policy(), caller.principal);
  EXPECT_TRUE(decide_fhir(caller, "read", "Patient").unknown);
  EXPECT_FALSE(decide_fhir(caller, "read", "Patient").allowed);
  EXPECT_FALSE(decide_fhir(caller, "transaction", "").allowed);
  EXPECT_FALSE(decide_operation(*default_policy(), caller, "alerts").allowed);
}

TEST(Decide, AnInteractionNeedsItsPermissionOnTheType) {
  const auto nurse = caller_of(person({"nurse"}));
  EXPECT_TRUE(decide_fhir(*nurse, "read", "Patient").allowed);
  EXPECT_TRUE(decide_fhir(*nurse, "create", "Observation").allowed);
  EXPECT_FALSE(decide_fhir(*nurse, "delete", "Observation").allowed);
  EXPECT_EQ(decide_fhir(*nurse, "search-type", "AuditEvent").rule, "role nurse may not search AuditEvent");
  EXPECT_FALSE(decide_fhir(*caller_of(person({"administrator"})), "read", "Patient").allowed);
}

TEST(Decide, AnApplicationReachesTheDeskOnlyWithAScopeForIt) {
  EXPECT_TRUE(decide_operation(*default_policy(), *caller_of(person({"nurse"})), "alert-ack").allowed);
  EXPECT_FALSE(decide_operation(*default_policy(), *caller_of(person({"nurse"}, "user/*.rs")), "alert-ack").allowed);
  EXPECT_TRUE(
      decide_operation(*default_policy(), *caller_of(person({"nurse"}, "user/*.rs mydr24/desk")), "alert-ack").allowed);
  EXPECT_EQ(decide_operation(*default_policy(), *caller_of(person({"patient"})), "alert-ack").rule,
            "role patient may not alert-ack; operations-lead, nurse, emergency-clinician may");
}

}  // namespace
}  // namespace mydr24::access
