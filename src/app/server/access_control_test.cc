// What access control promises over HTTP: nothing that is hidden shows anywhere, overrides, Consents, revocation, and an
// audit entry for every answer.

#include <fstream>
#include <set>
#include <sstream>

#include "app/server/access_fixture.h"
#include "base/core/date_time.h"
#include "base/net/uri.h"

namespace mydr24::server {
namespace {

// In everything that must stay hidden, and nowhere else.
constexpr std::string_view mark = "Zq7Verborgen";
constexpr std::string_view labelled =
    R"("meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"HIV"}]},)";

class AccessControlTest : public AccessTest {
 protected:
  static void SetUpTestSuite() {
    AccessTest::SetUpTestSuite();
    keep(
        R"({"resourceType":"Patient","id":"open","name":[{"family":"Offen"}],"generalPractitioner":[{"reference":"Practitioner/d"}]})");
    keep(R"({"resourceType":"Practitioner","id":"d","name":[{"family":"Adler"}]})");
    keep(fmt::format(
        R"({{"resourceType":"Patient","id":"secret-{0}",{1}"name":[{{"family":"{0}"}}],"generalPractitioner":[{{"reference":"Practitioner/d"}}],)"
        R"("identifier":[{{"system":"urn:mrn","value":"{0}"}}]}})",
        mark, labelled));
    for (int i = 0; i < 3; ++i) {
      keep(fmt::format(
          R"({{"resourceType":"Observation","id":"o{}","status":"final","code":{{"coding":[{{"system":"s","code":"plain"}}]}},)"
          R"("subject":{{"reference":"Patient/open"}},"effectiveDateTime":"2024-01-0{}"}})",
          i, i + 1));
      keep(fmt::format(
          R"({{"resourceType":"Observation","id":"{0}-{1}",{2}"status":"final","code":{{"coding":[{{"system":"s","code":"{0}"}}],"text":"{0}"}},)"
          R"("subject":{{"reference":"Patient/open"}},"valueString":"{0}","effectiveDateTime":"2024-02-0{3}"}})",
          mark, i, labelled, i + 1));
    }
    keep(fmt::format(
        R"({{"resourceType":"Encounter","id":"e1",{}"status":"finished","class":{{"code":"AMB"}},"subject":{{"reference":"Patient/open"}},"reasonCode":[{{"text":"{}"}}]}})",
        labelled, mark));
  }

  static int status_of(const Headers& as, const std::string& path) { return send(Method::get, path, {}, as).status; }
  static std::string start_override(const Headers& as, const std::string& patient) {
    const auto answer =
        send(Method::post, "/api/v1/break-glass",
             fmt::format(R"({{"patient":"{}","reason":"unconscious, allergies unknown"}})", patient), as);
    EXPECT_EQ(answer.status, 201) << answer.raw.body;
    return std::string(answer.body.root()["id"].text());
  }
  static std::string everything_in(const std::filesystem::path& folder) {
    std::string all;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      if (!entry.is_regular_file()) continue;
      std::ifstream in(entry.path(), std::ios::binary);
      std::ostringstream text;
      text << in.rdbuf();
      all += text.str();
    }
    return all;
  }
};

TEST_F(AccessControlTest, WhatIsHiddenShowsInNoAnswer) {
  const auto as = log_in("nora", {"nurse"});
  const auto code = std::string(mark);
  const std::vector<std::string> paths{
      "Patient",
      "Patient?name=" + code,
      "Patient?identifier=urn:mrn|" + code,
      "Patient?_id=secret-" + code,
      "Patient/secret-" + code,
      "Patient/secret-" + code + "/_history",
      "Patient/secret-" + code + "/_history/1",
      "Patient/secret-" + code + "/$everything",
      "Patient/secret-" + code + "/$summary",
      "Patient/secret-" + code + "/$meta",
      "Patient/secret-" + code + "/Observation",
      "Observation",
      "Observation?code=s|" + code,
      "Observation?_text=" + code,
      "Observation?_content=" + code,
      "Observation?value-string=" + code,
      "Observation?_sort=-date",
      "Observation?_sort=code",
      "Observation?_filter=code eq " + code,
      "Observation?subject.name=" + code,
      "Observation?_has:Provenance:target:_id=x",
      "Observation?_total=accurate",
      "Observation?_summary=count",
      "Observation?_elements=code",
      "Observation/_history",
      "_history",
      "Observation/" + code + "-1",
      "Observation/" + code + "-1/_history",
      "Observation/" + code + "-1/_history/1",
      "Patient/open/$everything",
      "Patient/open/$summary",
      "Patient/open/Observation",
      "Patient/open/*",
      "Encounter",
      "Patient?_has:Observation:subject:code=" + code,
      "Patient?_revinclude=Observation:subject",
      "Patient?_revinclude=*",
      "Observation?_include=*",
      "Observation?_include=Observation:subject",
      "Practitioner?_has:Patient:general-practitioner:name=" + code,
      "Practitioner?_revinclude=Patient:general-practitioner",
      "Observation/$lastn?patient=Patient/open&category=x&max=5",
      "Observation/$lastn?patient=Patient/open&code=s|" + code,
      "?_type=Patient,Observation",
      "?_content=" + code,
      "$graphql?query={PatientList{id name{family}}}",
      "$graphql?query={ObservationList(code:\"" + code + "\"){id valueString}}",
      "Patient/open/$graphql?query={ObservationList(_reference:patient){id valueString}}",
      "$meta",
      "Observation/$meta",
  };
  int looked = 0;
  for (const auto& path : paths) {
    std::string encoded;
    for (const char c : path)
      encoded += c == ' '   ? "%20"
                 : c == '"' ? "%22"
                 : c == '{' ? "%7B"
                 : c == '}' ? "%7D"
                 : c == '|' ? "%7C"
                            : std::string(1, c);
    for (const std::string accept : {"application/fhir+json", "application/fhir+xml", "application/fhir+ndjson"}) {
      const auto answer = send(Method::get, "/fhir/R4/" + encoded, {}, with(as, "Accept", accept));
      ++looked;
      auto body = answer.raw.body;
      // What was asked for comes back in links and diagnostics; what was not, must not.
      for (const auto& shown : {encoded, path, net::percent_encode(code)}) {
        for (auto at = body.find(shown); at != body.npos && path.contains(mark); at = body.find(shown))
          body.erase(at, shown.size());
      }
      EXPECT_FALSE(body.contains("\"valueString\":\"" + code) || body.contains("value=\"" + code + "\"") ||
                   body.contains("\"family\":\"" + code))
          << path << " " << accept;
      if (!path.contains(mark)) EXPECT_FALSE(body.contains(mark)) << path << " " << accept << " " << answer.status;
      if (answer.status == 200 && path.contains(mark) && answer.body.root()["resourceType"].text() == "Bundle" &&
          answer.body.root()["type"].text() == "searchset") {
        EXPECT_FALSE(answer.body.root()["entry"].exists()) << path;
        EXPECT_NE(answer.body.root()["total"].text(), "1") << path;
      }
    }
  }
  EXPECT_GT(looked, 140);
  EXPECT_EQ(send(Method::get, "/fhir/R4/Observation?_summary=count", {}, as).body.root()["total"].text(), "3");
  const auto batch = send(
      Method::post, "/fhir/R4",
      fmt::format(
          R"({{"resourceType":"Bundle","type":"batch","entry":[{{"request":{{"method":"GET","url":"Observation/{0}-1"}}}},)"
          R"({{"request":{{"method":"GET","url":"Observation?code={0}"}}}},{{"request":{{"method":"GET","url":"Patient?_revinclude=*"}}}}]}})",
          mark),
      as);
  EXPECT_EQ(batch.status, 200);
  EXPECT_FALSE(batch.raw.body.contains("valueString"));
}

TEST_F(AccessControlTest, AnswersDoNotDependOnWhatIsHidden) {
  const auto as = log_in("nora", {"nurse"});
  const auto hidden = send(Method::get, fmt::format("/fhir/R4/Observation/{}-1", mark), {}, as);
  const auto none = send(Method::get, "/fhir/R4/Observation/Zq7Verborgem-1", {}, as);
  EXPECT_EQ(hidden.status, none.status);
  EXPECT_EQ(hidden.raw.body.size(), none.raw.body.size());
  const auto removed = send(Method::del, fmt::format("/fhir/R4/Observation/{}-1", mark), {}, as);
  EXPECT_EQ(removed.status, 403) << "a nurse deletes nothing";
}

TEST_F(AccessControlTest, AnOverrideShowsOneRecordForAWhileAndIsTold) {
  const auto as = log_in("berta", {"nurse"});
  const auto path = fmt::format("/fhir/R4/Observation/{}-1", mark);
  EXPECT_EQ(status_of(as, path), 404);
  const auto id = start_override(as, "open");
  EXPECT_EQ(status_of(as, path), 200);
  EXPECT_EQ(status_of(as, fmt::format("/fhir/R4/Patient/secret-{}", mark)), 404) << "another patient's";
  EXPECT_EQ(send(Method::post, fmt::format("/api/v1/break-glass/{}/end", id), "{}", as).status, 200);
  EXPECT_EQ(status_of(as, path), 404);
  EXPECT_EQ(send(Method::post, "/api/v1/break-glass", R"({"patient":"open","reason":"x"})", as).status, 400);
  EXPECT_EQ(send(Method::post, "/api/v1/break-glass", R"({"patient":"open","reason":"curious about a neighbour"})",
                 log_in("max", {"booking-desk"}))
                .status,
            403);

  const auto officer = log_in("olga", {"compliance-officer"});
  const auto waiting = send(Method::get, "/api/v1/break-glass?waiting=true", {}, officer);
  EXPECT_TRUE(waiting.raw.body.contains(id));
  EXPECT_TRUE(waiting.raw.body.contains("allergies unknown"));
  EXPECT_EQ(send(Method::post, fmt::format("/api/v1/break-glass/{}/review", id),
                 R"({"verdict":"justified","review":"seen"})", officer)
                .status,
            200);
  EXPECT_FALSE(send(Method::get, "/api/v1/break-glass?waiting=true", {}, officer).raw.body.contains(id));
}

// What a person is told that they may is what they then may: both are asked of the same decision.
TEST_F(AccessControlTest, WhatAPersonMayIsWhatTheyAreToldThatTheyMay) {
  const auto document = json::Document::parse(system_->openapi());
  ASSERT_TRUE(document);
  int allowed = 0, refused = 0;
  for (const auto* role : {"administrator", "nurse", "compliance-officer", "booking-desk"}) {
    const auto as = log_in(fmt::format("told-{}", role), {role});
    const auto me = send(Method::get, "/api/v1/access/me", {}, as);
    std::set<std::string> told;
    for (const auto operation : me.body.root()["operations"]) told.emplace(operation.text());
    for (const auto path : document->root()["paths"]) {
      const auto route = path["get"];
      const std::string pattern(path.key()), operation(route["x-mydr24-interaction"].text());
      if (!route.exists() || pattern.starts_with("/fhir") || pattern.contains('{') || operation == "events" ||
          route["x-mydr24-open"].is_true())
        continue;
      const bool may = status_of(as, pattern) != 403;
      EXPECT_EQ(told.contains(operation), may) << role << " " << pattern;
      ++(may ? allowed : refused);
    }
  }
  EXPECT_GT(allowed, 40);
  EXPECT_GT(refused, 40);
}

TEST_F(AccessControlTest, ARefusalSaysWhichRolesMay) {
  const auto refused = send(Method::get, "/api/v1/access/users", {}, log_in("nora", {"nurse"}));
  EXPECT_EQ(refused.status, 403);
  EXPECT_TRUE(refused.raw.body.contains("role nurse may not access-users; administrator, compliance-officer may"))
      << refused.raw.body;
}

TEST_F(AccessControlTest, WhatWouldBeDecidedIsExplainedAndTellsNothingThatIsHidden) {
  const auto nora = log_in("nora", {"nurse"});
  const auto officer = log_in("olga", {"compliance-officer"});
  const auto explain = [&](const std::string& as, const std::string& path, std::string_view method = "GET") {
    return send(Method::get,
                fmt::format("/api/v1/access/explain?as={}&method={}&path={}", as, method, net::percent_encode(path)),
                {}, officer);
  };
  const auto allowed = explain("nora", "/fhir/R4/Patient/open?_elements=name");
  ASSERT_EQ(allowed.status, 200) << allowed.raw.body;
  EXPECT_TRUE(allowed.body.root()["allowed"].is_true());
  EXPECT_EQ(allowed.body.root()["rule"].text(), "role nurse may read Patient");
  // Who may read no Patient is not told which there are.
  EXPECT_FALSE(allowed.body.root()["visible"].exists());
  EXPECT_EQ(allowed.raw.body, explain("nora", "/fhir/R4/Patient/nobody").raw.body);
  const auto practitioner = explain("nora", "/fhir/R4/Practitioner/d");
  EXPECT_TRUE(practitioner.body.root()["visible"].is_true()) << "olga may read it herself";
  const auto refused = explain("nora", "/api/v1/access/users");
  EXPECT_FALSE(refused.body.root()["allowed"].is_true());
  std::vector<std::string> roles;
  for (const auto role : refused.body.root()["allowed_roles"]) roles.emplace_back(role.text());
  EXPECT_EQ(roles, (std::vector<std::string>{"administrator", "compliance-officer"}));
  EXPECT_FALSE(explain("nora", "/fhir/R4/Patient/open", "DELETE").body.root()["allowed"].is_true());
  EXPECT_EQ(explain("nobody", "/fhir/R4/Patient").status, 404);
  EXPECT_EQ(explain("nora", "/nothing/there").status, 404);
  EXPECT_EQ(explain("nora", "/fhir/R4/Patient", "FETCH").status, 400);
  EXPECT_EQ(status_of(nora, "/api/v1/access/explain?as=nora&path=/fhir/R4/Patient"), 403);
}

TEST_F(AccessControlTest, AConsentBindsTheNextRequest) {
  const auto as = log_in("gerd", {"emergency-clinician"}, "Practitioner/gerd");
  keep(R"({"resourceType":"Patient","id":"private"})");
  keep(
      R"({"resourceType":"Observation","id":"private-1","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/private"}})");
  EXPECT_EQ(status_of(as, "/fhir/R4/Observation/private-1"), 200);
  const auto other = log_in("hilde", {"emergency-clinician"}, "Practitioner/hilde");
  const std::string consent =
      R"({"resourceType":"Consent","id":"c","status":"active","scope":{"coding":[{"code":"patient-privacy"}]},"category":[{"text":"x"}],)"
      R"("patient":{"reference":"Patient/private"},"policyRule":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"OPTIN"}]},)"
      R"("provision":{"actor":[{"role":{"coding":[{"code":"PRCP"}]},"reference":{"reference":"Practitioner/gerd"}}]}})";
  EXPECT_EQ(send(Method::put, "/fhir/R4/Consent/c", consent, other).status, 201);
  EXPECT_EQ(status_of(as, "/fhir/R4/Observation/private-1"), 404);
  EXPECT_EQ(status_of(as, "/fhir/R4/Patient/private"), 404);
  EXPECT_EQ(status_of(as, "/fhir/R4/Patient/private/$summary"), 404);
  EXPECT_EQ(status_of(as, "/api/v1/vitals/private"), 404);
  EXPECT_FALSE(send(Method::get, "/fhir/R4/Observation", {}, as).raw.body.contains("private-1"));
  EXPECT_EQ(status_of(other, "/fhir/R4/Observation/private-1"), 200);
  start_override(as, "private");
  EXPECT_EQ(status_of(as, "/fhir/R4/Observation/private-1"), 200) << "an override goes before a Consent";
}

// Of what is prepared of a whole record, only what a Consent leaves is told.
TEST_F(AccessControlTest, AConsentAboutOneKindOfResourceReachesTheSummary) {
  keep(R"({"resourceType":"Patient","id":"partly"})");
  keep(
      R"({"resourceType":"AllergyIntolerance","id":"partly-1","clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical","code":"active"}]},)"
      R"("code":{"text":"Zq8Teilweise"},"patient":{"reference":"Patient/partly"}})");
  const auto as = log_in("lena", {"emergency-clinician"});
  EXPECT_TRUE(send(Method::get, "/fhir/R4/Patient/partly/$summary", {}, as).raw.body.contains("Zq8Teilweise"));
  EXPECT_EQ(
      send(
          Method::put, "/fhir/R4/Consent/partly",
          R"({"resourceType":"Consent","id":"partly","status":"active","scope":{"coding":[{"code":"patient-privacy"}]},"category":[{"text":"x"}],)"
          R"("patient":{"reference":"Patient/partly"},"policyRule":{"coding":[{"code":"OPTIN"}]},"provision":{"class":[{"code":"AllergyIntolerance"}]}})",
          as)
          .status,
      201);
  EXPECT_EQ(status_of(as, "/fhir/R4/Patient/partly"), 200);
  EXPECT_EQ(status_of(as, "/fhir/R4/AllergyIntolerance/partly-1"), 404);
  const auto summary = send(Method::get, "/fhir/R4/Patient/partly/$summary", {}, as);
  EXPECT_EQ(summary.status, 200);
  EXPECT_FALSE(summary.raw.body.contains("Zq8Teilweise"));
}

TEST_F(AccessControlTest, AReferenceByTheServersOwnUrlIsNoWayAroundAConsent) {
  restart([](Settings& settings) { settings.server.own_urls = "https://ehr.example"; });
  keep(R"({"resourceType":"Patient","id":"absolute"})");
  keep(
      R"({"resourceType":"Observation","id":"absolute-1","status":"final","code":{"text":"x"},"subject":{"reference":"https://ehr.example/fhir/R4/Patient/absolute"}})");
  const auto as = log_in("mona", {"emergency-clinician"});
  EXPECT_EQ(status_of(as, "/fhir/R4/Observation/absolute-1"), 200);
  EXPECT_EQ(
      send(
          Method::put, "/fhir/R4/Consent/absolute",
          R"({"resourceType":"Consent","id":"absolute","status":"active","scope":{"coding":[{"code":"patient-privacy"}]},"category":[{"text":"x"}],)"
          R"("patient":{"reference":"Patient/absolute"},"policyRule":{"coding":[{"code":"OPTOUT"}]}})",
          as)
          .status,
      201);
  EXPECT_EQ(status_of(as, "/fhir/R4/Observation/absolute-1"), 404);
  EXPECT_FALSE(send(Method::get, "/fhir/R4/Observation?_count=100", {}, as).raw.body.contains("absolute-1"));
}

TEST_F(AccessControlTest, AMachineThatSeesRecordsTakesTwoAdministrators) {
  const auto json = [](Headers as) { return with(std::move(as), "Content-Type", "application/json"); };
  const auto first = json(log_in("root-one", {"administrator"}));
  const auto second = json(log_in("root-two", {"administrator"}));
  const auto metadata = [](std::string_view name, std::string_view role) {
    return fmt::format(R"({{"client_name":"{}","grant_types":["client_credentials"],"scope":"system/*.rs",)"
                       R"("token_endpoint_auth_method":"client_secret_basic"{}{}{}}})",
                       name, role.empty() ? "" : R"(,"roles":[")", role, role.empty() ? "" : R"("])");
  };
  const auto post = [](const std::string& text, const Headers& as) {
    return send(Method::post, "/oauth/register", text, as);
  };
  for (const auto* const role : {"service", "", "administrator"}) {
    const auto text = metadata(fmt::format("Export {}", role), role);
    const auto refused = post(text, first);
    EXPECT_EQ(refused.status, 403) << role;
    EXPECT_TRUE(refused.raw.body.contains("two administrators")) << refused.raw.body;
    EXPECT_EQ(post(text, first).status, 403) << "not by the same again";
    EXPECT_EQ(post(metadata("Another", role), second).status, 403) << "not something else";
    const auto made = post(text, second);
    EXPECT_EQ(made.status, 201) << made.raw.body;
    EXPECT_FALSE(made.body.root()["client_secret"].text().empty());
    EXPECT_EQ(post(text, second).status, 403) << "once";
  }
  EXPECT_EQ(post(metadata("Monitors", "device-feed"), first).status, 201) << "it only delivers";
}

TEST_F(AccessControlTest, ADisabledAccountIsOutWithinFiveSeconds) {
  const auto as = log_in("ida", {"nurse"});
  EXPECT_EQ(status_of(as, "/fhir/R4/Patient/open"), 200);
  ASSERT_TRUE(system_->store().write(RequestClass::routine, [&](store::Transaction& transaction) {
    return identity::users::set_disabled(transaction, "ida", true);
  }));
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  int status = 200;
  while (status == 200 && std::chrono::steady_clock::now() < until) {
    status = status_of(as, "/fhir/R4/Patient/open");
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_EQ(status, 401);
}

TEST_F(AccessControlTest, AWriteForAnotherPatientIsNoWayAroundACompartment) {
  const auto as = log_in("paul", {"patient"}, "Patient/open");
  const auto communication = [](std::string_view patient, std::string_view extra) {
    return fmt::format(
        R"({{"resourceType":"Communication","status":"completed","subject":{{"reference":"Patient/{}"}}{}}})", patient,
        extra);
  };
  EXPECT_EQ(send(Method::post, "/fhir/R4/Communication", communication("open", ""), as).status, 201);
  EXPECT_EQ(send(Method::post, "/fhir/R4/Communication", communication("private", ""), as).status, 403);
  EXPECT_EQ(send(Method::post, "/fhir/R4/Patient", R"({"resourceType":"Patient","id":"open"})", as).status, 403);
  const auto bundle = [&](std::string_view type) {
    return send(
        Method::post, "/fhir/R4",
        fmt::format(
            R"({{"resourceType":"Bundle","type":"{}","entry":[{{"resource":{},"request":{{"method":"POST","url":"Communication"}}}},)"
            R"({{"resource":{},"request":{{"method":"POST","url":"Communication"}}}}]}})",
            type, communication("open", R"(,"note":[{"text":"b1"}])"), communication("private", "")),
        as);
  };
  EXPECT_EQ(bundle("transaction").status, 403) << "all or none";
  const auto batch = bundle("batch");
  EXPECT_TRUE(batch.raw.body.contains("201 Created") && batch.raw.body.contains("\"403\"")) << batch.raw.body;
  const auto lines = send(
      Method::post, "/fhir/R4",
      R"({"resourceType":"Observation","id":"x1","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/open"}})",
      with(as, "Content-Type", "application/fhir+ndjson"));
  EXPECT_TRUE(lines.raw.body.contains("0 resources stored, 1 rejected")) << lines.raw.body;
}

TEST_F(AccessControlTest, EveryAnswerHasItsEntryAndTheTrailIsSound) {
  const auto as = log_in("karin", {"nurse"});
  const auto officer = log_in("olga", {"compliance-officer"});
  const auto ask = [&](Method method, std::string path, std::string body, std::string request) {
    return send(method, path, std::move(body), with(as, "X-Request-Id", std::move(request))).status;
  };
  EXPECT_EQ(ask(Method::get, "/fhir/R4/Patient/open", {}, "r-read"), 200);
  EXPECT_EQ(ask(Method::get, "/fhir/R4/Observation?subject=Patient/open", {}, "r-search"), 200);
  EXPECT_EQ(ask(Method::get, "/fhir/R4/AuditEvent", {}, "r-refused"), 403);
  EXPECT_EQ(ask(Method::get, "/fhir/R4/Patient/nobody", {}, "r-missing"), 404);
  EXPECT_EQ(
      ask(Method::post, "/fhir/R4/Observation",
          R"({"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/open"}})",
          "r-create"),
      201);
  EXPECT_EQ(ask(Method::post, "/fhir/R4/Observation", R"({"resourceType":"Observation"})", "r-invalid"), 400);
  EXPECT_EQ(send(Method::get, "/fhir/R4/Patient/open", {}, {{"X-Request-Id", "r-nobody"}}).status, 401);
  EXPECT_EQ(ask(Method::get, "/api/v1/nothing?x=1", {}, "r-nothing"), 404);
  EXPECT_EQ(send(Method::get, "/api/v1/nothing", {}, {{"X-Request-Id", "r-nothing-nobody"}}).status, 404);
  EXPECT_EQ(ask(Method::post, "/oauth/register", "{}", "r-register"), 403) << "anybody may post there, not anything";
  EXPECT_EQ(send(Method::post, "/login", "user=karin&password=not-to-be-seen",
                 {{"X-Request-Id", "r-login"}, {"Content-Type", "application/x-www-form-urlencoded"}})
                .status,
            403);
  system_->store().settle();

  const auto lines = everything_in(folder_ / "audit");
  const auto entries_of = [&](std::string_view request) {
    std::vector<std::string> found;
    std::istringstream in(lines);
    for (std::string line; std::getline(in, line);)
      if (line.contains(fmt::format("\"{}\"", request))) found.push_back(line);
    return found;
  };
  for (const auto* request : {"r-read", "r-search", "r-refused", "r-missing", "r-create", "r-invalid", "r-nobody",
                              "r-login", "r-nothing", "r-register"})
    EXPECT_EQ(entries_of(request).size(), 1U) << request;
  EXPECT_TRUE(entries_of("r-read").front().contains("\"open\""));
  EXPECT_TRUE(entries_of("r-search").front().contains("\"open\""));
  EXPECT_TRUE(entries_of("r-refused").front().contains("may not search AuditEvent"));
  EXPECT_TRUE(entries_of("r-login").front().contains("user=karin"));
  EXPECT_TRUE(entries_of("r-nothing").front().contains("/api/v1/nothing?x=1"));
  EXPECT_TRUE(entries_of("r-nothing").front().contains("user/karin"));
  EXPECT_TRUE(entries_of("r-nothing-nobody").empty()) << "only counted";
  EXPECT_TRUE(entries_of("r-register").front().contains("user/karin"));
  EXPECT_FALSE(lines.contains("not-to-be-seen")) << "no secret";
  EXPECT_FALSE(lines.contains("Offen")) << "no content of a record";
}

TEST_F(AccessControlTest, ASilenceThatOneProposesAnotherApprovesAndEachStepHasItsEntry) {
  const auto enter = [](const std::string& name, std::string role) {
    return with(log_in(name, {std::move(role)}), "Content-Type", "application/json");
  };
  const auto ann = enter("ann", "on-call-engineer");
  const auto lea = enter("lea", "operations-lead");
  const std::string path = "/api/v1/silences/proposals";
  const auto now = system_clock().now();
  const auto body = fmt::format(
      R"({{"matchers":[{{"name":"alertname","value":".+","isRegex":true}}],"startsAt":"{}","endsAt":"{}","createdBy":"lea","comment":"c"}})",
      format_instant(now), format_instant(now + std::chrono::hours(1)));
  EXPECT_EQ(send(Method::post, path, body, enter("nora", "nurse")).status, 403);
  const auto proposal = send(Method::post, path, body, with(ann, "X-Request-Id", "s-propose"));
  ASSERT_EQ(proposal.status, 201) << proposal.raw.body;
  EXPECT_EQ(proposal.body.root()["silence"]["createdBy"].text(), "ann") << "who is logged in, whatever she says";
  const auto one = fmt::format("{}/{}", path, proposal.body.root()["id"].text());
  const auto own = send(Method::post, one + "/approve", R"({"by":"lea"})", with(ann, "X-Request-Id", "s-own"));
  EXPECT_EQ(own.status, 403);
  EXPECT_TRUE(own.raw.body.contains("who approves is another person than who asks")) << own.raw.body;
  EXPECT_TRUE(send(Method::get, path, {}, lea).raw.body.contains(proposal.body.root()["id"].text()));
  EXPECT_EQ(send(Method::post, one + "/approve", "{}", with(lea, "X-Request-Id", "s-approve")).status, 200);
  EXPECT_TRUE(
      send(Method::get, "/api/v2/silences", {}, lea).raw.body.contains(R"("createdBy":"ann","approvedBy":"lea")"));
  system_->store().settle();
  const auto lines = everything_in(folder_ / "audit");
  for (const auto* request : {"s-propose", "s-own", "s-approve"})
    EXPECT_TRUE(lines.contains(fmt::format("\"{}\"", request))) << request;
}

TEST_F(AccessControlTest, LogsAndMetricsNameNobody) {
  const auto as = log_in("nora", {"nurse"});
  (void)send(Method::get, fmt::format("/fhir/R4/Patient?name={}", mark), {}, as);
  const auto metrics = [&] {
    net::ClientRequest request;
    request.url = *net::parse_url(system_->admin_url() + "/metrics");
    const auto response = net::send_blocking(std::move(request));
    return response ? response->body : std::string();
  }();
  EXPECT_FALSE(metrics.empty());
  for (const auto text : {mark, std::string_view("Offen"), std::string_view("nora")})
    EXPECT_FALSE(metrics.contains(text)) << text;
}

}  // namespace
}  // namespace mydr24::server
