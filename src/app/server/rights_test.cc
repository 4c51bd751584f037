// What the law gives people and asks of who keeps records, over HTTP: export, correction, breaches, the record of
// processing.

#include <thread>

#include "app/server/access_fixture.h"
#include "base/crypto/base64.h"
#include "guard/identity/client.h"

namespace mydr24::server {
namespace {

class RightsTest : public AccessTest {
 protected:
  static void SetUpTestSuite() {
    AccessTest::SetUpTestSuite();
    keep(R"({"resourceType":"Practitioner","id":"d","name":[{"family":"Adler"}]})");
    for (const auto* id : {"p1", "p2"}) {
      keep(fmt::format(
          R"({{"resourceType":"Patient","id":"{}","name":[{{"family":"Berg"}}],"generalPractitioner":[{{"reference":"Practitioner/d"}}]}})",
          id));
      for (int i = 0; i < 450; ++i)
        keep(fmt::format(
            R"({{"resourceType":"Observation","id":"{0}-{1}","status":"final","code":{{"text":"x"}},"subject":{{"reference":"Patient/{0}"}},"performer":[{{"reference":"Practitioner/d"}}]}})",
            id, i));
    }
    keep(
        R"({"resourceType":"Condition","id":"hidden","meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"HIV"}]},"clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]},"subject":{"reference":"Patient/p1"}})");
    send(Method::get, "/fhir/R4/Patient/p1", {}, log_in("nora", {"nurse"}));
  }
  static Headers officer() { return with(log_in("olga", {"compliance-officer"}), "Content-Type", "application/json"); }
  static Headers patient() {
    return with(log_in("pat", {"patient"}, "Patient/p1"), "Content-Type", "application/json");
  }
  static Answer post(const std::string& path, const std::string& body, const Headers& as) {
    return send(Method::post, path, body, as);
  }
  static std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < text.size();) {
      const auto end = text.find('\n', at);
      lines.push_back(text.substr(at, end - at));
      at = end == text.npos ? text.size() : end + 1;
    }
    return lines;
  }
};

TEST_F(RightsTest, AnExportIsTheWholeRecordWithWhatItRefersToAndWhoSawIt) {
  for (const auto& as : {officer(), patient()}) {
    const auto answer = post("/api/v1/rights/export", R"({"patient":"p1"})", as);
    ASSERT_EQ(answer.status, 200) << answer.raw.body;
    const auto lines = lines_of(answer.raw.body);
    EXPECT_EQ(lines.size(), 1U + 450U + 1U + 1U + 1U) << "patient, observations, condition, practitioner, accounting";
    EXPECT_FALSE(answer.raw.body.contains("p2"));
    const auto last = json::Document::parse(lines.back());
    ASSERT_TRUE(last);
    EXPECT_EQ(last->root()["resourceType"].text(), "Binary");
    const auto accounting = crypto::base64_decode(last->root()["data"].text());
    ASSERT_TRUE(accounting);
    EXPECT_TRUE(accounting->contains("user/nora")) << *accounting;
  }
}

TEST_F(RightsTest, AnExportLoadsIntoAnotherServerAndItsCountsReconcile) {
  const auto exported = post("/api/v1/rights/export", R"({"patient":"p1"})", officer());
  ASSERT_EQ(exported.status, 200);
  Settings settings = settings_;
  const auto other_folder = folder_.string() + "-other";
  std::filesystem::remove_all(other_folder);
  settings.store.path = other_folder;
  settings.access.mode = "off";
  auto other = start(settings, system_clock());
  ASSERT_TRUE(other) << other.error().text;
  const auto ask = [&](Method method, const std::string& path, std::string body = {}) {
    net::ClientRequest request;
    request.method = method;
    request.url = *net::parse_url((*other)->base_url() + path);
    if (!body.empty()) request.headers = {{"Content-Type", "application/fhir+ndjson"}};
    request.body = std::move(body);
    auto answered = net::send_blocking(std::move(request));
    EXPECT_TRUE(answered);
    return answered ? answered->body : std::string();
  };
  const auto loaded = ask(Method::post, "/fhir/R4", exported.raw.body);
  EXPECT_TRUE(loaded.contains("454 resources stored, 0 rejected")) << loaded;
  const auto total = [&](const std::string& search) {
    const auto document = json::Document::parse(ask(Method::get, "/fhir/R4/" + search + "&_total=accurate&_count=0"));
    return document ? std::string(document->root()["total"].raw()) : std::string();
  };
  EXPECT_EQ(total("Observation?subject=Patient/p1"), "450");
  EXPECT_EQ(total("Condition?subject=Patient/p1"), "1");
  EXPECT_EQ(total("Patient?general-practitioner=Practitioner/d"), "1");
  EXPECT_EQ(total("Practitioner?_id=d"), "1");
  other->reset();
  std::filesystem::remove_all(other_folder);
}

TEST_F(RightsTest, NobodyExportsAnotherPersonsRecord) {
  EXPECT_EQ(post("/api/v1/rights/export", R"({"patient":"p2"})", patient()).status, 403);
  for (const auto* role : {"nurse", "administrator", "service", "booking-desk"})
    EXPECT_EQ(post("/api/v1/rights/export", R"({"patient":"p1"})", log_in(fmt::format("e-{}", role), {role})).status,
              403)
        << role;
  EXPECT_EQ(post("/api/v1/rights/export", R"({"patient":"none"})", officer()).status, 404);
  EXPECT_EQ(post("/api/v1/rights/export", R"({"patient":"*"})", officer()).status, 400);
}

TEST_F(RightsTest, AnExportIsInTheAuditOfItsPatient) {
  ASSERT_EQ(post("/api/v1/rights/export", R"({"patient":"p2"})", officer()).status, 200);
  const auto found =
      send(Method::get, "/fhir/R4/AuditEvent?patient=Patient/p2&subtype=rights-export&outcome=0", {}, officer());
  EXPECT_EQ(found.body.root()["entry"].size(), 1U) << found.raw.body;
}

// Rectification: the correction counts, what was there before can still be shown, and the audit says who corrected.
TEST_F(RightsTest, ACorrectionKeepsWhatWasThereAndIsInTheAudit) {
  const auto nurse = log_in("nora", {"nurse"});
  ASSERT_EQ(send(Method::put, "/fhir/R4/Patient/p2",
                 R"({"resourceType":"Patient","id":"p2","name":[{"family":"Berger"}]})", nurse)
                .status,
            200);
  const auto before = send(Method::get, "/fhir/R4/Patient/p2/_history/1", {}, nurse);
  EXPECT_EQ(before.body.root()["name"].at(0)["family"].text(), "Berg");
  EXPECT_EQ(send(Method::get, "/fhir/R4/Patient/p2", {}, nurse).body.root()["name"].at(0)["family"].text(), "Berger");
  system_->store().settle();
  const auto found = send(Method::get, "/fhir/R4/AuditEvent?entity=Patient/p2&action=U&altid=user/nora", {}, officer());
  EXPECT_EQ(found.body.root()["entry"].size(), 1U) << found.raw.body;
}

TEST_F(RightsTest, ABreachListsWhomItTouchedAndRunsItsClocks) {
  const auto as = officer();
  EXPECT_EQ(post("/api/v1/breaches", R"({"nature":"x"})", as).status, 400);
  const auto opened = post(
      "/api/v1/breaches",
      R"({"nature":"nora's phone was stolen","principal":"user/nora","since":"2020-01-01","measures":"sessions revoked"})",
      as);
  ASSERT_EQ(opened.status, 201) << opened.raw.body;
  const std::string id(opened.body.root()["id"].text());
  EXPECT_NE(opened.body.root()["people"].raw(), "0");
  EXPECT_FALSE(opened.body.root()["authority_due"].text().empty());
  system_->store().settle();
  const auto engineer = log_in("pia", {"platform-engineer"});
  std::string alerts;
  for (int i = 0; i < 100 && !alerts.contains(id); ++i) {
    alerts = send(Method::get, "/api/v2/alerts", {}, engineer).raw.body;
    if (!alerts.contains(id)) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_TRUE(alerts.contains(R"("alertname":"Breach")")) << alerts;
  EXPECT_FALSE(alerts.contains("stolen")) << "who may know looks it up";
  const auto people = send(Method::get, fmt::format("/api/v1/breaches/{}/people", id), {}, as);
  EXPECT_TRUE(people.raw.body.contains("\"p1\"")) << people.raw.body;
  EXPECT_EQ(post(fmt::format("/api/v1/breaches/{}/told", id), R"({"who":"press"})", as).status, 400);
  EXPECT_EQ(post(fmt::format("/api/v1/breaches/{}/told", id), R"({"who":"authority"})", as).status, 200);
  EXPECT_EQ(post(fmt::format("/api/v1/breaches/{}/told", id), R"({"who":"authority"})", as).status, 409);
  EXPECT_EQ(post(fmt::format("/api/v1/breaches/{}/close", id), R"({"outcome":"no risk: it was locked"})", as).status,
            200);
  EXPECT_TRUE(send(Method::get, "/api/v1/breaches", {}, as).raw.body.contains("no risk: it was locked"));
  EXPECT_EQ(send(Method::get, "/api/v1/breaches", {}, log_in("nora", {"nurse"})).status, 403);
  system_->store().settle();
  const auto found = send(Method::get, "/fhir/R4/AuditEvent?subtype=breach.open&altid=user/olga", {}, as);
  EXPECT_EQ(found.body.root()["entry"].size(), 1U) << found.raw.body;
}

TEST_F(RightsTest, TheRecordOfProcessingNamesTheApplicationsThatAreRegistered) {
  const auto as = officer();
  const auto before = send(Method::get, "/api/v1/compliance/processing-record", {}, as);
  ASSERT_EQ(before.status, 200) << before.raw.body;
  EXPECT_FALSE(before.raw.body.contains("Patient portal"));
  ASSERT_TRUE(system_->store().write(RequestClass::routine, [](store::Transaction& transaction) -> Result<> {
    identity::Client client;
    client.id = "portal";
    client.name = "Patient portal";
    client.redirect_uris = {"https://portal.example/cb"};
    client.grant_types = {"authorization_code"};
    client.scopes = "patient/*.rs";
    MYDR24_TRY(identity::clients::add(transaction, client));
    return {};
  }));
  EXPECT_TRUE(send(Method::get, "/api/v1/compliance/processing-record", {}, as).raw.body.contains("Patient portal"));
  EXPECT_EQ(send(Method::get, "/api/v1/compliance/processing-record", {}, patient()).status, 403);
}

TEST_F(RightsTest, AnErasureRefusesWhatMustBeKeptAndTheRestIsGone) {
  const auto as = officer();
  keep(R"({"resourceType":"Patient","id":"p3","name":[{"family":"Vergissmeinnicht"}]})");
  keep(
      R"({"resourceType":"Observation","id":"o-p3","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/p3"}})");
  keep(
      R"({"resourceType":"Communication","id":"c-p3","status":"completed","subject":{"reference":"Patient/p3"},"payload":[{"contentString":"Vergissmeinnicht"}]})");
  const auto ask = [&](bool dry_run, const Headers& who) {
    return post("/api/v1/rights/erasure",
                fmt::format(R"({{"patient":"p3","reason":"asked by letter of 2 May","dry_run":{}}})", dry_run), who);
  };
  EXPECT_EQ(ask(true, with(log_in("nora", {"nurse"}), "Content-Type", "application/json")).status, 403);
  EXPECT_EQ(ask(true, patient()).status, 403);
  EXPECT_EQ(post("/api/v1/rights/erasure", R"({"patient":"p3"})", as).status, 400) << "no reason";

  const auto planned = ask(true, as);
  EXPECT_EQ(planned.body.root()["erased"].raw(), "1") << planned.raw.body;
  EXPECT_EQ(planned.body.root()["kept"].size(), 2U);
  EXPECT_TRUE(planned.raw.body.contains("17(3)(b)")) << planned.raw.body;
  ASSERT_EQ(post("/api/v1/audit/holds", R"({"patient":"p3","reason":"claim"})", as).status, 201);
  EXPECT_EQ(ask(true, as).body.root()["erased"].raw(), "0");
  ASSERT_EQ(send(Method::del, "/api/v1/audit/holds/p3?reason=settled", {}, as).status, 204);

  restart([](Settings& settings) { settings.rights.retention_years = 0; });
  const auto done = ask(false, as);
  ASSERT_EQ(done.status, 200) << done.raw.body;
  EXPECT_EQ(done.body.root()["erased"].raw(), "3") << done.raw.body;
  const auto nurse = log_in("nora", {"nurse"});
  for (const auto* path :
       {"Patient/p3", "Patient/p3/_history/1", "Observation/o-p3", "Communication/c-p3/_history/1"}) {
    const auto gone = send(Method::get, std::string("/fhir/R4/") + path, {}, nurse);
    EXPECT_TRUE(gone.status == 404 || gone.status == 410) << path << " " << gone.status;
  }
  EXPECT_EQ(send(Method::get, "/fhir/R4/Patient?name=Vergissmeinnicht", {}, nurse).body.root()["entry"].size(), 0U);
  const auto listed = send(Method::get, "/api/v1/rights/erasures", {}, as);
  EXPECT_EQ(listed.body.root()["erasures"].at(0)["erased"].raw(), "3") << listed.raw.body;
  EXPECT_FALSE(listed.raw.body.contains("p3")) << "the record names nobody";
  system_->store().settle();
  const auto proof = send(Method::get, "/fhir/R4/AuditEvent?subtype=rights.erased", {}, as);
  EXPECT_EQ(proof.body.root()["entry"].size(), 1U) << proof.raw.body;
  EXPECT_FALSE(proof.raw.body.contains("Patient/p3"));
  const auto findings = system_->store().verify();
  ASSERT_TRUE(findings);
  EXPECT_EQ(*findings, std::vector<std::string>());
  EXPECT_TRUE(std::filesystem::is_regular_file(folder_ / "audit" / "erasures"));
}

}  // namespace
}  // namespace mydr24::server
