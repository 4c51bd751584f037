// Who may do what: every role of the default policy, on every kind of resource, by every interaction, over HTTP.

#include <map>
#include <set>

#include "app/server/access_expected.h"
#include "app/server/access_fixture.h"

namespace mydr24::server {
namespace {

class AccessMatrix : public AccessTest {
 protected:
  static void SetUpTestSuite() {
    AccessTest::SetUpTestSuite();
    for (const auto* patient : {"p1", "p2"}) {
      for (const auto& [type, members] : bodies()) keep(type, id_of(type, patient), patient);
    }
  }
  static std::string id_of(const std::string& type, std::string_view patient) {
    return type == "Patient" ? std::string(patient) : fmt::format("{}-{}", patient, "1");
  }
  static void keep(const std::string& type, std::string_view id, std::string_view patient) {
    AccessTest::keep(body(type, id, patient));
  }
  // A person with that role, logged in.
  static Headers log_in(const std::string& role, const std::string& fhir_user = {}) {
    const auto suffix = fhir_user.empty() ? "x" : fhir_user.substr(fhir_user.find('/') + 1);
    return AccessTest::log_in(fmt::format("{}-{}", role, suffix), {role}, fhir_user);
  }

  // Each interaction that needs one letter of "cruds", and what it answers when it is allowed.
  struct Try {
    char letter;
    std::string what;
    std::function<int()> ask;
    std::set<int> allowed;
  };
  static std::vector<Try> tries(const std::string& type, const std::string& id, std::string_view patient,
                                const Headers& as) {
    const auto path = fmt::format("/fhir/R4/{}/{}", type, id);
    const auto type_path = fmt::format("/fhir/R4/{}", type);
    return {
        {'r', "read", [=] { return send(Method::get, path, {}, as).status; }, {200}},
        {'r', "vread", [=] { return send(Method::get, path + "/_history/1", {}, as).status; }, {200}},
        {'r', "history", [=] { return send(Method::get, path + "/_history", {}, as).status; }, {200}},
        {'r', "$meta", [=] { return send(Method::get, path + "/$meta", {}, as).status; }, {200}},
        {'s', "search", [=] { return send(Method::get, type_path, {}, as).status; }, {200}},
        {'s',
         "search by POST",
         [=] {
           return send(Method::post, type_path + "/_search", "_count=1",
                       with(as, "Content-Type", "application/x-www-form-urlencoded"))
               .status;
         },
         {200}},
        {'c',
         "create",
         [=, text = body(type, {}, patient)] { return send(Method::post, type_path, text, as).status; },
         {201}},
        {'u',
         "update",
         [=, text = body(type, id, patient)] { return send(Method::put, path, text, as).status; },
         {200}},
        {'u',
         "patch",
         [=] {
           return send(Method::patch, path, R"([{"op":"add","path":"/language","value":"en"}])",
                       with(as, "Content-Type", "application/json-patch+json"))
               .status;
         },
         {200}},
    };
  }
};

TEST_F(AccessMatrix, EachRoleMayWhatItIsForAndNothingElse) {
  int cases = 0, wrong = 0;
  for (const auto& role : roles_of_the_table()) {
    const auto as = log_in(role);
    for (const auto& [type, members] : bodies()) {
      const auto letters = expected(role, type);
      for (const auto& one : tries(type, id_of(type, "p1"), "p1", as)) {
        // A patch reads what it changes.
        const bool allowed = letters.contains(one.letter) && (one.what != "patch" || letters.contains('r'));
        const int status = one.ask();
        ++cases;
        const bool right =
            allowed ? one.allowed.contains(status) : status == 403 || (one.what == "patch" && status == 404);
        if (!right && ++wrong <= 20)
          ADD_FAILURE() << role << " " << one.what << " " << type << ": " << status << ", expected "
                        << (allowed ? "allowed" : "403");
      }
    }
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(cases, 3000);
}

TEST_F(AccessMatrix, NobodyMayAnythingWithoutSayingWhoTheyAre) {
  for (const auto& as :
       {Headers{}, Headers{{"Authorization", "Bearer nonsense"}}, Headers{{"Cookie", "mydr24=nonsense"}}}) {
    for (const auto& [type, members] : bodies()) {
      for (const auto& one : tries(type, id_of(type, "p1"), "p1", as))
        EXPECT_EQ(one.ask(), 401) << one.what << " " << type;
      EXPECT_EQ(send(Method::del, fmt::format("/fhir/R4/{}/p1-1", type), {}, as).status, 401);
    }
    for (const auto* path : {"/fhir/R4",
                             "/fhir/R4/_history",
                             "/fhir/R4/Patient/p1/$everything",
                             "/fhir/R4/Patient/p1/$summary",
                             "/fhir/R4/Patient/p1/Observation",
                             "/fhir/R4/$graphql?query={PatientList{id}}",
                             "/fhir/R4/$meta",
                             "/api/v1/alerts",
                             "/api/v1/vitals",
                             "/api/v1/vitals/p1",
                             "/api/v1/status",
                             "/api/v1/events",
                             "/api/v1/oncall/plan",
                             "/api/v2/alerts",
                             "/api/v2/silences",
                             "/api/v1/silences/proposals",
                             "/api/v1/break-glass",
                             "/api/v1/access/me",
                             "/api/v1/access/users",
                             "/api/v1/access/policy",
                             "/api/v1/access/tenant"}) {
      const auto answer = send(Method::get, path, {}, as);
      EXPECT_EQ(answer.status, 401) << path;
      EXPECT_TRUE(std::ranges::any_of(answer.raw.headers, [](const auto& h) {
        return h.first == "WWW-Authenticate" || h.first == "www-authenticate";
      })) << path;
    }
    EXPECT_EQ(send(Method::post, "/fhir/R4", R"({"resourceType":"Bundle","type":"batch"})", as).status, 401);
  }
  EXPECT_EQ(send(Method::get, "/fhir/R4/metadata").status, 200) << "public";
}

TEST_F(AccessMatrix, APatientReachesTheirOwnRecordAlone) {
  const auto as = log_in("patient", "Patient/p1");
  const Types shared{"Practitioner", "Organization", "Location", "HealthcareService", "Schedule", "Slot", "ValueSet"};
  const Types creatable{"Appointment", "QuestionnaireResponse", "Communication"};
  const Types outside{"Binary", "Endpoint", "Device", "Task", "MeasureReport"};
  for (const auto& [type, members] : bodies()) {
    for (const std::string patient : {"p1", "p2"}) {
      const auto path = fmt::format("/fhir/R4/{}/{}", type, id_of(type, patient));
      const int status = send(Method::get, path, {}, as).status;
      if (shared.contains(type) || (patient == "p1" && !outside.contains(type))) {
        EXPECT_EQ(status, 200) << path;
      } else {
        // Of some kinds a patient has none: the whole type is closed.
        EXPECT_TRUE(status == 404 || (status == 403 && outside.contains(type))) << path << " " << status;
      }
      const int created = send(Method::post, fmt::format("/fhir/R4/{}", type), body(type, {}, patient), as).status;
      EXPECT_EQ(created, creatable.contains(type) && patient == "p1" ? 201 : 403) << type << " for " << patient;
      EXPECT_EQ(send(Method::put, path, body(type, id_of(type, patient), patient), as).status, 403) << path;
    }
  }
  const auto found = send(Method::get, "/fhir/R4/Observation?_total=accurate&_count=100", {}, as);
  EXPECT_EQ(found.body.root()["total"].text(), fmt::format("{}", found.body.root()["entry"].size()));
  EXPECT_FALSE(found.raw.body.contains("Patient/p2"));
  const auto with_all = send(Method::get, "/fhir/R4/Patient?_revinclude=*&_include=*", {}, as);
  EXPECT_EQ(with_all.status, 200);
  EXPECT_FALSE(with_all.raw.body.contains("p2"));
  EXPECT_EQ(send(Method::get, "/fhir/R4/Patient/p2/$everything", {}, as).status, 404);
  EXPECT_EQ(send(Method::get, "/fhir/R4/Patient/p2/$summary", {}, as).status, 404);
  EXPECT_EQ(send(Method::get, "/fhir/R4/Patient/p1/$everything", {}, as).status, 200);
  EXPECT_EQ(send(Method::get, "/fhir/R4/Patient/p1/$summary", {}, as).status, 200);
}

TEST_F(AccessMatrix, WhatIsNotFhirIsForTheRolesThatNeedIt) {
  const std::map<std::string, std::pair<Method, Types>> operations{
      {"/api/v1/alerts", {Method::get, {"operations-lead", "nurse", "emergency-clinician"}}},
      {"/api/v1/vitals", {Method::get, {"operations-lead", "nurse", "emergency-clinician"}}},
      {"/api/v1/vitals/rules", {Method::get, {"operations-lead", "nurse", "emergency-clinician"}}},
      {"/api/v1/status",
       {Method::get,
        {"administrator", "platform-engineer", "on-call-engineer", "operations-lead", "nurse", "emergency-clinician",
         "compliance-officer", "change-manager"}}},
      {"/api/v1/oncall/plan",
       {Method::get, {"administrator", "platform-engineer", "on-call-engineer", "operations-lead"}}},
      {"/api/v1/monitor",
       {Method::get, {"administrator", "platform-engineer", "on-call-engineer", "operations-lead", "change-manager"}}},
      {"/api/v1/monitor/rules", {Method::get, {"platform-engineer", "on-call-engineer", "operations-lead"}}},
      {"/api/v2/alerts",
       {Method::get, {"platform-engineer", "on-call-engineer", "operations-lead", "monitoring-feed"}}},
      {"/api/v1/break-glass", {Method::get, {"compliance-officer"}}},
      {"/api/v1/access/users", {Method::get, {"administrator", "compliance-officer"}}},
      {"/api/v1/access/policy", {Method::get, {"administrator", "compliance-officer"}}},
      {"/api/v1/access/explain?as=administrator-x&path=/fhir/R4/Patient",
       {Method::get, {"administrator", "compliance-officer"}}},
      {"/api/v1/access/tenant", {Method::get, {"administrator", "platform-engineer", "compliance-officer"}}},
      {"/api/v1/audit/status", {Method::get, {"compliance-officer"}}},
      {"/api/v1/audit/holds", {Method::get, {"compliance-officer"}}},
      {"/api/v1/audit/disclosures?patient=p1", {Method::get, {"compliance-officer", "patient"}}},
      {"/api/v1/breaches", {Method::get, {"compliance-officer"}}},
      {"/api/v1/compliance/processing-record", {Method::get, {"compliance-officer"}}},
  };
  for (const std::string role :
       {"administrator", "platform-engineer", "on-call-engineer", "operations-lead", "nurse", "emergency-clinician",
        "compliance-officer", "change-manager", "booking-desk", "patient", "device-feed", "monitoring-feed"}) {
    const auto as = log_in(role, role == "patient" ? "Patient/p1" : "");
    for (const auto& [path, expected] : operations)
      EXPECT_EQ(send(expected.first, path, {}, as).status, expected.second.contains(role) ? 200 : 403)
          << role << " " << path;
  }
}

// Rules decide over every patient: who cares for one reads them and does not change them.
TEST_F(AccessMatrix, RulesForVitalSignsAreNotChangedAtTheBedside) {
  for (const auto* role : {"nurse", "emergency-clinician", "device-feed", "patient"}) {
    const auto as = log_in(role);
    for (const auto* path : {"/api/v1/vitals/rules", "/api/v1/vitals/rules/1/activate"})
      EXPECT_EQ(send(Method::post, path, "{}", with(as, "Content-Type", "application/json")).status, 403)
          << role << " " << path;
  }
  const auto lead = with(log_in("operations-lead"), "Content-Type", "application/json");
  EXPECT_NE(send(Method::post, "/api/v1/vitals/rules", "{}", lead).status, 403);
}

TEST_F(AccessMatrix, ASessionOfOneIsNoSessionOfAnother) {
  const auto nurse = log_in("nurse");
  const auto me = send(Method::get, "/api/v1/access/me", {}, nurse);
  ASSERT_EQ(me.status, 200);
  EXPECT_EQ(me.body.root()["id"].text(), "user/nurse-x");
  EXPECT_EQ(me.body.root()["permissions"]["Observation"].text(), "crus");
  EXPECT_FALSE(me.body.root()["permissions"]["AuditEvent"].exists());
}

}  // namespace
}  // namespace mydr24::server
