// Bad input over real HTTP: each kind is refused with its status and an OperationOutcome that says what and where, and
// nothing is stored. Statuses: FHIR R4, http.html (400 also for what fails the basic rules of its type); RFC 9110.

#include <fmt/format.h>

#include <array>

#include "app/load/bodies.h"
#include "support/live.h"

namespace mydr24::live {
namespace {

constexpr std::string_view patient_text = R"({"resourceType":"Patient","active":true})";

struct Refusal {
  std::string_view what;
  std::string_view method;
  std::string target;
  std::string body;
  std::string headers;
  int status;
  std::string_view names;  // in the OperationOutcome: the element, parameter or limit that is wrong
};

std::string with(std::string_view member) { return fmt::format(R"({{"resourceType":"Patient",{}}})", member); }

std::string nested(std::size_t depth) {
  std::string text = R"({"resourceType":"Patient","extension":)";
  text.append(depth, '[').append(depth, ']');
  return text + "}";
}

std::vector<Refusal> syntax_refusals() {
  const std::string to = "/fhir/R4/Patient";
  return {
      {"an empty body", "POST", to, "", "", 400, ""},
      {"no JSON", "POST", to, "hello", "", 400, "line 1"},
      {"JSON cut off", "POST", to, R"({"resourceType":"Patient","name":[)", "", 400, "line 1"},
      {"a comma too many", "POST", to, with(R"("active":true,)"), "", 400, "line 1"},
      {"two values", "POST", to, std::string(patient_text) + "{}", "", 400, "line 1"},
      {"an array", "POST", to, "[]", "", 400, ""},
      {"no resourceType", "POST", to, R"({"active":true})", "", 400, "resourceType"},
      {"another type than the path", "POST", to, R"({"resourceType":"Basic"})", "", 400, "Basic"},
      {"a type that does not exist", "POST", to, R"({"resourceType":"Patientt"})", "", 400, "Patientt"},
      {"bytes that are not UTF-8", "POST", to, with("\"id\":\"x\",\"language\":\"\xc3\x28\""), "", 400, "UTF-8"},
      {"a lone surrogate", "POST", to, with(R"("language":"\ud800")"), "", 400, ""},
      {"NUL in a string", "POST", to, with(std::string_view("\"language\":\"a\0b\"", 16)), "", 400, ""},
      {"deep nesting", "POST", to, nested(100'000), "", 400, ""},
      {"XML without its namespace", "POST", to, "<Patient/>", "Content-Type: application/fhir+xml\r\n", 400,
       "namespace"},
      {"XML with a DOCTYPE", "POST", to, "<!DOCTYPE x [<!ENTITY y \"z\">]><Patient xmlns=\"http://hl7.org/fhir\"/>",
       "Content-Type: application/fhir+xml\r\n", 400, "DOCTYPE"},
      {"Turtle", "POST", to, "x", "Content-Type: text/turtle\r\n", 415, ""},
      {"plain text", "POST", to, std::string(patient_text), "Content-Type: text/plain\r\n", 415, ""},
      {"an unknown encoding", "POST", to, std::string(patient_text), "Content-Encoding: br\r\n", 415, ""},
  };
}

std::vector<Refusal> element_refusals() {
  const std::string to = "/fhir/R4/Patient";
  return {
      {"an unknown element", "POST", to, with(R"("nmae":[])"), "", 400, "nmae"},
      {"a string for a boolean", "POST", to, with(R"("active":"true")"), "", 400, "Patient.active"},
      {"a number for a string", "POST", to, with(R"("name":[{"family":1}])"), "", 400, "family"},
      {"an object for a list", "POST", to, with(R"("name":{"family":"A"})"), "", 400, "Patient.name"},
      {"a list for an object", "POST", to, with(R"("maritalStatus":[])"), "", 400, "maritalStatus"},
      {"a code that its value set does not have", "POST", to, with(R"("gender":"f")"), "", 400, "female, male"},
      {"a date that does not exist", "POST", to, with(R"("birthDate":"2023-02-30")"), "", 400, "birthDate"},
      {"an empty string", "POST", to, with(R"("language":"")"), "", 400, "language"},
      {"null", "POST", to, with(R"("active":null)"), "", 400, "active"},
      {"a required element missing", "POST", "/fhir/R4/Observation",
       R"({"resourceType":"Observation","status":"final"})", "", 400, "code"},
      {"two values of a choice", "POST", to, with(R"("deceasedBoolean":true,"deceasedDateTime":"2023")"), "", 400,
       "deceased"},
  };
}

std::vector<Refusal> request_refusals() {
  const std::string text(patient_text);
  return {
      {"an unknown resource type", "GET", "/fhir/R4/Patientt/1", "", "", 404, "Patientt"},
      {"an unknown path", "GET", "/fhir/R5/Patient", "", "", 404, ""},
      {"an id that is not there", "GET", "/fhir/R4/Patient/nobody", "", "", 404, "nobody"},
      {"an update that names neither an instance nor criteria", "PUT", "/fhir/R4/Patient", text, "", 412, "criteria"},
      {"a method that an instance does not take", "POST", "/fhir/R4/Patient/1", text, "", 405, ""},
      {"a method nobody knows", "BREW", "/fhir/R4/Patient", "", "", 405, ""},
      {"an id with a bad character", "PUT", "/fhir/R4/Patient/a_b", R"({"resourceType":"Patient","id":"a_b"})", "", 400,
       "a_b"},
      {"an id that is too long", "PUT", "/fhir/R4/Patient/" + std::string(65, 'a'),
       R"({"resourceType":"Patient","id":")" + std::string(65, 'a') + "\"}", "", 400, ""},
      {"an id that is not the path's", "PUT", "/fhir/R4/Patient/one", R"({"resourceType":"Patient","id":"two"})", "",
       400, "two"},
      {"an update without an id", "PUT", "/fhir/R4/Patient/one", text, "", 400, "id"},
      {"an unknown search parameter", "GET", "/fhir/R4/Patient?nmae=x", "", "", 400, "nmae"},
      {"an unknown modifier", "GET", "/fhir/R4/Patient?name:almost=x", "", "", 400, "almost"},
      {"a date that is none", "GET", "/fhir/R4/Patient?birthdate=spring", "", "", 400, "birthdate"},
      {"a count that is none", "GET", "/fhir/R4/Patient?_count=many", "", "", 400, "_count"},
      {"a broken percent code", "GET", "/fhir/R4/Patient?name=%zz", "", "", 400, ""},
      {"If-Match that is no ETag", "PUT", "/fhir/R4/Patient/one", R"({"resourceType":"Patient","id":"one"})",
       "If-Match: one\r\n", 400, ""},
      {"a Bundle entry without a request", "POST", "/fhir/R4/",
       R"({"resourceType":"Bundle","type":"transaction","entry":[{"resource":{"resourceType":"Patient"}}]})", "", 400,
       "entry[0]"},
      {"a transaction with one bad entry", "POST", "/fhir/R4/",
       R"({"resourceType":"Bundle","type":"transaction","entry":[)"
       R"({"resource":{"resourceType":"Patient"},"request":{"method":"POST","url":"Patient"}},)"
       R"({"resource":{"resourceType":"Patient","active":1},"request":{"method":"POST","url":"Patient"}}]})",
       "", 400, "active"},
      {"a Bundle that is no request", "POST", "/fhir/R4/", R"({"resourceType":"Bundle","type":"collection"})", "", 422,
       "collection"},
  };
}

class BadInput : public testing::Test {
 protected:
  static void SetUpTestSuite() { live_ = std::make_unique<Live>("[server]\nbody_bytes_max = 1048576\n"); }
  static void TearDownTestSuite() {
    EXPECT_EQ(live_->stop(), 0);
    EXPECT_TRUE(live_->verifies());
    live_.reset();
  }
  static load::HttpClient& http() { return live_->http(); }

  void expect(const Refusal& refusal) {
    SCOPED_TRACE(refusal.what);
    const auto reply = http().send(refusal.method, refusal.target, refusal.body, refusal.headers);
    ASSERT_TRUE(reply) << reply.error().text;
    EXPECT_EQ(reply->status, refusal.status) << reply->body;
    const auto document = json::Document::parse_view(reply->body);
    ASSERT_TRUE(document) << reply->body;
    if (!refusal.target.starts_with("/fhir/R4")) return;
    EXPECT_EQ(document->root()["resourceType"].text(), "OperationOutcome") << reply->body;
    const json::Value issue = document->root()["issue"].at(0);
    EXPECT_TRUE(issue["severity"].is_string() && issue["code"].is_string()) << reply->body;
    EXPECT_FALSE(issue["diagnostics"].text().empty() && issue["expression"].size() == 0) << reply->body;
    EXPECT_NE(reply->body.find(refusal.names), std::string::npos)
        << "does not name " << refusal.names << ": " << reply->body;
  }

  void expect_all(const std::vector<Refusal>& table) {
    const auto before = std::array{count(http(), "Patient"), count(http(), "Observation")};
    ASSERT_GE(before[0], 0);
    for (const Refusal& refusal : table) expect(refusal);
    EXPECT_EQ((std::array{count(http(), "Patient"), count(http(), "Observation")}), before) << "something was stored";
  }

  static std::unique_ptr<Live> live_;
};

std::unique_ptr<Live> BadInput::live_;

TEST_F(BadInput, WhatIsNoJsonOrNoResourceIsRefused) { expect_all(syntax_refusals()); }

TEST_F(BadInput, AnElementThatBreaksItsDefinitionIsNamed) { expect_all(element_refusals()); }

TEST_F(BadInput, ARequestThatMakesNoSenseIsToldWhy) { expect_all(request_refusals()); }

TEST_F(BadInput, ABodyOverTheLimitIsRefusedAndTheConnectionIsUsableAgain) {
  const std::string big = with(fmt::format(R"("language":"{}")", std::string(2U << 20, 'a')));
  expect({"2 MiB", "POST", "/fhir/R4/Patient", big, "", 413, ""});
  EXPECT_EQ(count(http(), "Patient"), 0);
}

TEST_F(BadInput, AnUpdateOfAnotherVersionThanTheLastIsRefused) {
  const std::string body = R"({"resourceType":"Basic","id":"stale","code":{"text":"a"}})";
  const auto created = http().send("PUT", "/fhir/R4/Basic/stale", body);
  ASSERT_TRUE(created);
  ASSERT_EQ(created->status, 201) << created->body;
  expect({"If-Match of a later version", "PUT", "/fhir/R4/Basic/stale",
          R"({"resourceType":"Basic","id":"stale","code":{"text":"b"}})", "If-Match: W/\"2\"\r\n", 412, ""});
  const auto read = http().get("/fhir/R4/Basic/stale");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->etag, "W/\"1\"");
  EXPECT_NE(read->body.find("\"a\""), std::string::npos);
}

TEST_F(BadInput, TheServerGoesOnServing) {
  const auto reply =
      http().send("POST", "/fhir/R4/Basic", R"({"resourceType":"Basic","code":{"text":"after all that"}})");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 201) << reply->body;
}

}  // namespace
}  // namespace mydr24::live
