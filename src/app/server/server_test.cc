// The whole system in one process: real sockets, a real store in a folder of its own.

#include "app/server/server_fixture.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/core/date_time.h"
#include "base/json/document.h"
#include "base/net/client.h"

namespace mydr24::server {
namespace {

TEST_F(ServerTest, ACreatedResourceReadsBackWithItsVersionAndEveryKeyAsWritten) {
  const auto created =
      send(Method::post, "/fhir/R4/Observation",
           R"({"status":"final", "resourceType":"Observation","valueQuantity":{"value":1.10,"unit":"x"},)"
           R"("code":{"text":"caf\u00e9"}})");
  ASSERT_EQ(created.status, 201) << created.raw.body;
  EXPECT_EQ(created.raw.header("ETag"), "W/\"1\"");
  const std::string location(created.raw.header("Location"));
  EXPECT_NE(location.find("/fhir/R4/Observation/"), std::string::npos);
  const std::string id(created.body.root()["id"].text());
  const auto read = send(Method::get, "/fhir/R4/Observation/" + id);
  ASSERT_EQ(read.status, 200);
  EXPECT_EQ(read.raw.header("Content-Type"), "application/fhir+json; charset=utf-8");
  EXPECT_EQ(read.body.root()["valueQuantity"]["value"].raw(), "1.10");
  std::string keys;
  for (const auto member : read.body.root()) keys += std::string(member.key()) + " ";
  EXPECT_EQ(keys, "status resourceType id meta valueQuantity code ");
  EXPECT_EQ(read.body.root()["meta"]["versionId"].text(), "1");
}

TEST_F(ServerTest, UpdatesMakeVersionsAndTheHistoryHoldsThemAll) {
  const auto created =
      send(Method::put, "/fhir/R4/Patient/hist", R"({"resourceType":"Patient","id":"hist","active":true})");
  EXPECT_EQ(created.status, 201);
  const auto updated =
      send(Method::put, "/fhir/R4/Patient/hist", R"({"resourceType":"Patient","id":"hist","active":false})");
  EXPECT_EQ(updated.status, 200);
  EXPECT_EQ(updated.raw.header("ETag"), "W/\"2\"");
  const auto same =
      send(Method::put, "/fhir/R4/Patient/hist", R"({"resourceType":"Patient","id":"hist","active":false})");
  EXPECT_EQ(same.raw.header("ETag"), "W/\"2\"") << "the same content again makes no version";
  EXPECT_EQ(send(Method::del, "/fhir/R4/Patient/hist").status, 204);
  EXPECT_EQ(send(Method::get, "/fhir/R4/Patient/hist").status, 410);
  EXPECT_EQ(send(Method::get, "/fhir/R4/Patient/hist/_history/1").body.root()["active"].raw(), "true");
  EXPECT_EQ(send(Method::get, "/fhir/R4/Patient/hist/_history/3").status, 410);
  EXPECT_EQ(send(Method::get, "/fhir/R4/Patient/hist/_history/9").status, 404);
  const auto history = send(Method::get, "/fhir/R4/Patient/hist/_history?_count=2");
  ASSERT_EQ(history.status, 200);
  EXPECT_EQ(history.body.root()["entry"].size(), 2U);
  EXPECT_EQ(history.body.root()["entry"].at(0)["request"]["method"].text(), "DELETE");
  EXPECT_EQ(history.body.root()["link"].at(1)["relation"].text(), "next");
  const auto all = send(Method::get, "/fhir/R4/Patient/hist/_history");
  EXPECT_EQ(all.body.root()["entry"].at(2)["request"]["method"].text(), "PUT") << "the client chose its id";
  EXPECT_EQ(send(Method::get, "/fhir/R4/Patient/never/_history").status, 404);
  EXPECT_EQ(send(Method::get, "/fhir/R4/Patient/_history?_count=1").status, 200);
  EXPECT_EQ(send(Method::get, "/fhir/R4/_history?_count=1").status, 200);
}

TEST_F(ServerTest, PreconditionsDecideByTheVersionThatIsThere) {
  send(Method::put, "/fhir/R4/Patient/pre", R"({"resourceType":"Patient","id":"pre"})");
  const auto change = R"({"resourceType":"Patient","id":"pre","active":true})";
  EXPECT_EQ(send(Method::put, "/fhir/R4/Patient/pre", change, {{"If-Match", "W/\"7\""}}).status, 412);
  EXPECT_EQ(send(Method::put, "/fhir/R4/Patient/pre", change, {{"If-None-Match", "*"}}).status, 412);
  EXPECT_EQ(send(Method::put, "/fhir/R4/Patient/pre", change, {{"If-Match", "nonsense"}}).status, 400);
  EXPECT_EQ(send(Method::put, "/fhir/R4/Patient/pre", change, {{"If-Match", "W/\"1\""}}).status, 200);
  EXPECT_EQ(send(Method::get, "/fhir/R4/Patient/pre", "", {{"If-None-Match", "W/\"2\""}}).status, 304);
  EXPECT_EQ(send(Method::get, "/fhir/R4/Patient/pre", "", {{"If-None-Match", "W/\"1\""}}).status, 200);
  EXPECT_EQ(send(Method::del, "/fhir/R4/Patient/pre", "", {{"If-Match", "W/\"1\""}}).status, 412);
}

TEST_F(ServerTest, ConditionalInteractionsActOnTheOneMatch) {
  const Headers if_none_exist{{"If-None-Exist", "identifier=urn:mrn|c1"}};
  const auto first = send(Method::post, "/fhir/R4/Patient", patient("Once", "c1"), if_none_exist);
  EXPECT_EQ(first.status, 201);
  const auto second = send(Method::post, "/fhir/R4/Patient", patient("Once", "c1"), if_none_exist);
  EXPECT_EQ(second.status, 200);
  EXPECT_EQ(first.body.root()["id"].text(), second.body.root()["id"].text());
  const auto updated = send(Method::put, "/fhir/R4/Patient?identifier=urn:mrn|c1", patient("Twice", "c1"));
  EXPECT_EQ(updated.status, 200) << updated.raw.body;
  EXPECT_EQ(updated.body.root()["id"].text(), first.body.root()["id"].text());
  EXPECT_EQ(send(Method::put, "/fhir/R4/Patient?identifier=urn:mrn|c2", patient("New", "c2")).status, 201);
  const auto patched =
      send(Method::patch, "/fhir/R4/Patient?identifier=urn:mrn|c2",
           R"([{"op":"replace","path":"/gender","value":"male"}])", {{"Content-Type", "application/json-patch+json"}});
  EXPECT_EQ(patched.body.root()["gender"].text(), "male") << patched.raw.body;
  send(Method::post, "/fhir/R4/Patient", patient("Twin", "c3"));
  send(Method::post, "/fhir/R4/Patient", patient("Twin", "c3"));
  EXPECT_EQ(send(Method::post, "/fhir/R4/Patient", patient("Twin", "c3"), {{"If-None-Exist", "identifier=urn:mrn|c3"}})
                .status,
            412);
  EXPECT_EQ(send(Method::del, "/fhir/R4/Patient?identifier=urn:mrn|c2").status, 204);
  EXPECT_EQ(send(Method::del, "/fhir/R4/Patient?identifier=urn:mrn|c2").status, 204);
  EXPECT_EQ(send(Method::del, "/fhir/R4/Patient").status, 412) << "without criteria it would delete everything";
}

TEST_F(ServerTest, APatchThatDoesNotApplyChangesNothing) {
  send(Method::put, "/fhir/R4/Patient/patch", R"({"resourceType":"Patient","id":"patch","active":true})");
  const Headers type{{"Content-Type", "application/json-patch+json"}};
  EXPECT_EQ(send(Method::patch, "/fhir/R4/Patient/patch", R"([{"op":"remove","path":"/gender"}])", type).status, 422);
  EXPECT_EQ(send(Method::patch, "/fhir/R4/Patient/patch", R"([{"op":"nonsense","path":"/gender"}])", type).status, 400);
  EXPECT_EQ(
      send(Method::patch, "/fhir/R4/Patient/patch", R"([{"op":"add","path":"/nonsense","value":1}])", type).status,
      400);
  EXPECT_EQ(send(Method::patch, "/fhir/R4/Patient/nobody", R"([])", type).status, 404);
  EXPECT_EQ(send(Method::patch, "/fhir/R4/Patient/patch", R"([])", {{"Content-Type", "text/plain"}}).status, 415);
  EXPECT_EQ(send(Method::get, "/fhir/R4/Patient/patch").body.root()["meta"]["versionId"].text(), "1");
}

TEST_F(ServerTest, ATransactionIsAllOrNothingAndRewritesItsReferences) {
  const auto bundle = R"({"resourceType":"Bundle","type":"transaction","entry":[
    {"fullUrl":"urn:uuid:0e4f0c6c-5a3e-4d55-9f0a-000000000001","resource":{"resourceType":"Patient","name":[{"family":"Tx"}]},
     "request":{"method":"POST","url":"Patient"}},
    {"resource":{"resourceType":"Observation","status":"final","code":{"text":"x"},
       "subject":{"reference":"urn:uuid:0e4f0c6c-5a3e-4d55-9f0a-000000000001"}},"request":{"method":"POST","url":"Observation"}}]})";
  const auto done = send(Method::post, "/fhir/R4", bundle);
  ASSERT_EQ(done.status, 200) << done.raw.body;
  EXPECT_EQ(done.body.root()["type"].text(), "transaction-response");
  const std::string patient_at(done.body.root()["entry"].at(0)["response"]["location"].text());
  const std::string observation_at(done.body.root()["entry"].at(1)["response"]["location"].text());
  const auto observation = send(Method::get, "/fhir/R4/" + observation_at);
  EXPECT_EQ(std::string(observation.body.root()["subject"]["reference"].text()) + "/_history/1", patient_at);

  const auto broken = send(Method::post, "/fhir/R4", R"({"resourceType":"Bundle","type":"transaction","entry":[
    {"resource":{"resourceType":"Patient","id":"half","active":true},"request":{"method":"PUT","url":"Patient/half"}},
    {"resource":{"resourceType":"Patient","actve":true},"request":{"method":"POST","url":"Patient"}}]})");
  EXPECT_EQ(broken.status, 400);
  EXPECT_NE(issue(broken, "expression").find("Bundle.entry[1]"), std::string::npos) << broken.raw.body;
  EXPECT_EQ(send(Method::get, "/fhir/R4/Patient/half").status, 404) << "nothing of a refused transaction is stored";
}

TEST_F(ServerTest, ABatchCarriesOutEachEntryAlone) {
  const auto done = send(Method::post, "/fhir/R4", R"({"resourceType":"Bundle","type":"batch","entry":[
    {"resource":{"resourceType":"Patient","id":"b1"},"request":{"method":"PUT","url":"Patient/b1"}},
    {"resource":{"resourceType":"Patient","id":"other"},"request":{"method":"PUT","url":"Patient/b2"}},
    {"request":{"method":"GET","url":"Patient/nobody"}},
    {"request":{"method":"DELETE","url":"Patient/nobody"}}]})");
  ASSERT_EQ(done.status, 200);
  const auto entries = done.body.root()["entry"];
  EXPECT_EQ(entries.at(0)["response"]["status"].text(), "201 Created");
  EXPECT_EQ(entries.at(1)["response"]["status"].text(), "400 Bad Request");
  EXPECT_EQ(entries.at(2)["response"]["status"].text(), "404 Not Found");
  EXPECT_EQ(entries.at(3)["response"]["status"].text(), "204 No Content");
  EXPECT_EQ(send(Method::post, "/fhir/R4", R"({"resourceType":"Bundle","type":"collection"})").status, 422);
  const auto frame = send(Method::post, "/fhir/R4", R"({"resourceType":"Bundle","type":"batch","entri":[]})");
  EXPECT_EQ(frame.status, 400);
  EXPECT_EQ(issue(frame, "expression"), "Bundle.entri") << frame.raw.body;
}

TEST_F(ServerTest, ASearchFindsByWhatTheResourceSaysAndPagesWithoutGaps) {
  for (int i = 0; i < 5; ++i) send(Method::post, "/fhir/R4/Patient", patient("Pagé", fmt::format("p{}", i)));
  EXPECT_EQ(send(Method::get, "/fhir/R4/Patient?family=page&_total=accurate&_count=2").body.root()["total"].raw(), "5");
  EXPECT_EQ(send(Method::get, "/fhir/R4/Patient?identifier=urn:mrn|p3").body.root()["entry"].size(), 1U);
  EXPECT_EQ(send(Method::get, "/fhir/R4/Patient?identifier=p3&gender=male").body.root()["entry"].size(), 0U);
  EXPECT_EQ(send(Method::get, "/fhir/R4/Patient?family=page&birthdate=lt1960").body.root()["entry"].size(), 5U);
  std::set<std::string> seen;
  std::string next = "/fhir/R4/Patient?family=page&_count=2";
  for (int pages = 0; !next.empty() && pages < 10; ++pages) {
    const auto page = send(Method::get, next);
    ASSERT_EQ(page.status, 200) << page.raw.body;
    for (const auto entry : page.body.root()["entry"]) EXPECT_TRUE(seen.emplace(entry["resource"]["id"].text()).second);
    next.clear();
    for (const auto link : page.body.root()["link"]) {
      if (link["relation"].text() == "next") next = std::string(link["url"].text()).substr(system_->base_url().size());
    }
  }
  EXPECT_EQ(seen.size(), 5U);
  EXPECT_EQ(send(Method::post, "/fhir/R4/Patient/_search", "family=page",
                 {{"Content-Type", "application/x-www-form-urlencoded"}})
                .body.root()["entry"]
                .size(),
            5U);
}

TEST_F(ServerTest, BadInputGetsAClearErrorAndStoresNothing) {
  struct Case {
    Method method;
    const char* path;
    const char* body;
    int status;
  };
  for (const auto& c : std::initializer_list<Case>{
           {Method::post, "/fhir/R4/Patient", "{", 400},
           {Method::post, "/fhir/R4/Patient", R"({"resourceType":"Observation"})", 400},
           {Method::post, "/fhir/R4/Patient", R"({"resourceType":"Patient","nonsense":1})", 400},
           {Method::post, "/fhir/R4/Patient", R"({"resourceType":"Patient","birthDate":"yesterday"})", 400},
           {Method::post, "/fhir/R4/Patient", R"([])", 400},
           {Method::post, "/fhir/R4/Patients", R"({"resourceType":"Patient"})", 404},
           {Method::put, "/fhir/R4/Patient/a_b", R"({"resourceType":"Patient","id":"a_b"})", 400},
           {Method::put, "/fhir/R4/Patient/bad1", R"({"resourceType":"Patient"})", 400},
           {Method::put, "/fhir/R4/Patient/bad1", R"({"resourceType":"Patient","id":"bad2"})", 400},
           {Method::get, "/fhir/R4/Patient?nonsense=1", "", 400},
           {Method::get, "/fhir/R4/Patient?birthdate=soon", "", 400},
           {Method::get, "/fhir/R4/Patient/none", "", 404},
           {Method::del, "/fhir/R4/metadata", "", 405},
           {Method::get, "/fhir/R4/a/b/c/d/e", "", 404},
       }) {
    const auto answer = send(c.method, c.path, c.body);
    EXPECT_EQ(answer.status, c.status) << c.path << " " << c.body << " " << answer.raw.body;
    EXPECT_EQ(answer.body.root()["resourceType"].text(), "OperationOutcome") << c.path;
    EXPECT_FALSE(issue(answer, "diagnostics").empty()) << c.path;
  }
  EXPECT_EQ(send(Method::post, "/fhir/R4/Patient", "x", {{"Content-Type", "text/plain"}}).status, 415);
  EXPECT_EQ(send(Method::get, "/fhir/R4/metadata", "", {{"Accept", "text/turtle"}}).status, 406);
  EXPECT_EQ(send(Method::post, "/fhir/R4/Patient", std::string((1 << 20) + 1, ' ')).status, 413);
  EXPECT_EQ(send(Method::get, "/fhir/R4/Patient/bad1").status, 404);
}

TEST_F(ServerTest, ThePreferenceOfTheClientDecidesWhatAWriteAnswers) {
  const auto body = R"({"resourceType":"Patient"})";
  EXPECT_TRUE(send(Method::post, "/fhir/R4/Patient", body, {{"Prefer", "return=minimal"}}).raw.body.empty());
  EXPECT_EQ(send(Method::post, "/fhir/R4/Patient", body, {{"Prefer", "return=OperationOutcome"}})
                .body.root()["resourceType"]
                .text(),
            "OperationOutcome");
  EXPECT_EQ(send(Method::post, "/fhir/R4/Patient", body).body.root()["resourceType"].text(), "Patient");
}

TEST_F(ServerTest, TheCapabilityStatementTellsOfEveryTypeAndWhatItsRoutesDo) {
  const auto statement = send(Method::get, "/fhir/R4/metadata");
  ASSERT_EQ(statement.status, 200);
  const auto rest = statement.body.root()["rest"].at(0);
  EXPECT_EQ(rest["resource"].size(), 146U);
  EXPECT_EQ(rest["resource"].at(0)["interaction"].size(), 9U);
  EXPECT_EQ(statement.body.root()["fhirVersion"].text(), "4.0.1");
}

TEST_F(ServerTest, ManyResourcesGoInAndOutAsNdjson) {
  const Headers ndjson{{"Content-Type", "application/fhir+ndjson"}};
  const auto stored =
      send(Method::post, "/fhir/R4",
           "{\"resourceType\":\"Device\",\"id\":\"n1\"}\n\n{\"resourceType\":\"Device\",\"id\":\"n2\"}\n"
           "{\"resourceType\":\"Device\",\"wrong\":1}\n{\"resourceType\":\"Device\",\"id\":\"n3\"}",
           ndjson);
  EXPECT_EQ(stored.status, 200);
  EXPECT_NE(stored.raw.body.find("3 resources stored, 1 rejected"), std::string::npos) << stored.raw.body;
  EXPECT_NE(stored.raw.body.find("line 4"), std::string::npos) << stored.raw.body;
  const auto out = send(Method::get, "/fhir/R4/Device", "", {{"Accept", "application/fhir+ndjson"}});
  EXPECT_EQ(std::ranges::count(out.raw.body, '\n'), 3) << out.raw.body;
}

TEST_F(ServerTest, ARedScoreRaisesAnAlertThatAnAcknowledgementStops) {
  send(Method::put, "/fhir/R4/Patient/sick", R"({"resourceType":"Patient","id":"sick","birthDate":"1950-01-01"})");
  const auto observed = send(
      Method::post, "/fhir/R4/Observation",
      fmt::format(
          R"({{"resourceType":"Observation","status":"final","code":{{"coding":[{{"system":"http://loinc.org","code":"2708-6"}}]}},)"
          R"("subject":{{"reference":"Patient/sick"}},"effectiveDateTime":"{}",)"
          R"("valueQuantity":{{"value":82,"unit":"%","system":"http://unitsofmeasure.org","code":"%"}}}})",
          format_instant(system_clock().now())));
  ASSERT_EQ(observed.status, 201);
  const auto alerts = send(Method::get, "/api/v1/alerts");
  ASSERT_EQ(alerts.body.root()["alerts"].size(), 1U) << alerts.raw.body;
  const auto alert = alerts.body.root()["alerts"].at(0);
  EXPECT_EQ(alert["patient"].text(), "Patient/sick");
  const std::string id(alert["id"].text());
  const Headers plain{{"Content-Type", "application/json"}};
  EXPECT_EQ(send(Method::post, "/api/v1/alerts/" + id + "/ack", "{}", plain).status, 400);
  EXPECT_EQ(
      send(Method::post, "/api/v1/alerts/" + id + "/ack", R"({"by":"x"})", {{"Content-Type", "text/plain"}}).status,
      400);
  EXPECT_EQ(send(Method::post, "/api/v1/alerts/none/ack", R"({"by":"Nurse"})", plain).status, 404);
  const auto acknowledged = send(Method::post, "/api/v1/alerts/" + id + "/ack", R"({"by":"Nurse"})", plain);
  EXPECT_EQ(acknowledged.status, 200) << acknowledged.raw.body;
  EXPECT_EQ(acknowledged.body.root()["state"].text(), "acknowledged");
  EXPECT_EQ(send(Method::get, "/api/v1/vitals").body.root()["patients"].at(0)["id"].text(), "sick");
  system_->store().settle();
  EXPECT_EQ(send(Method::get, "/fhir/R4/Flag?patient=Patient/sick").body.root()["entry"].size(), 1U);
  EXPECT_GE(send(Method::get, "/fhir/R4/Task?patient=Patient/sick").body.root()["entry"].size(), 1U);
}

TEST_F(ServerTest, ThePageAndTheAdminListenerAnswer) {
  const auto page = send(Method::get, "/");
  EXPECT_EQ(page.status, 200);
  EXPECT_NE(page.raw.header("Content-Security-Policy").find("default-src 'self'"), std::string::npos);
  net::ClientRequest request;
  request.url = *net::parse_url(system_->admin_url() + "/readyz");
  const auto ready = net::send_blocking(request);
  ASSERT_TRUE(ready);
  EXPECT_EQ(ready->status, 200) << ready->body;
  request.url = *net::parse_url(system_->admin_url() + "/metrics");
  const auto metrics = net::send_blocking(request);
  EXPECT_NE(metrics->body.find("mydr24_http_requests_total"), std::string::npos);
}

TEST(Server, AnAddressThatIsNoneIsNamed) {
  Settings settings;
  settings.server.listen = "nowhere";
  settings.access.mode = "off";
  settings.store.path =
      (std::filesystem::temp_directory_path() / fmt::format("mydr24-address-test-{}", getpid())).string();
  const auto started = start(settings, system_clock());
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().where, "server.listen");
  settings.server.listen = "127.0.0.1:0";
  settings.server.admin = "0.0.0.0:0";
  const auto open_admin = start(settings, system_clock());
  ASSERT_FALSE(open_admin) << "the admin listener asks for no password";
  EXPECT_EQ(open_admin.error().where, "server.admin");
  std::filesystem::remove_all(settings.store.path);
}

}  // namespace
}  // namespace mydr24::server
