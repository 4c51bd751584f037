// Search beyond one type, formats and operations, through the whole system.

#include <thread>

#include "app/server/server_fixture.h"

namespace mydr24::server {
namespace {

class OperationsTest : public ServerTest {
 protected:
  static void put(std::string_view path, std::string body) {
    const auto answer = send(Method::put, fmt::format("/fhir/R4/{}", path), std::move(body));
    ASSERT_TRUE(answer.status == 200 || answer.status == 201) << path << ": " << answer.raw.body;
  }
  // Ids of the entries of that mode, in order.
  static std::string ids(const Answer& answer, std::string_view mode = "match") {
    std::string found;
    for (const auto entry : answer.body.root()["entry"]) {
      if (entry["search"]["mode"].text() != mode) continue;
      found += fmt::format("{}/{} ", entry["resource"]["resourceType"].text(), entry["resource"]["id"].text());
    }
    return found;
  }
  static void put_ward() {
    put("Practitioner/op-doc", R"({"resourceType":"Practitioner","id":"op-doc","name":[{"family":"Doctor"}]})");
    put("Patient/op-ada", R"({"resourceType":"Patient","id":"op-ada","name":[{"family":"Opward","given":["Ada"]}],)"
                          R"("gender":"female","generalPractitioner":[{"reference":"Practitioner/op-doc"}],)"
                          R"("identifier":[{"system":"urn:op","value":"ada"}]})");
    put("Patient/op-bob", R"({"resourceType":"Patient","id":"op-bob","name":[{"family":"Opward"}],"gender":"male"})");
    for (int i = 1; i <= 3; ++i) {
      put(fmt::format("Observation/op-o{}", i),
          fmt::format(R"({{"resourceType":"Observation","id":"op-o{0}","status":"final",)"
                      R"("category":[{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/)"
                      R"(observation-category","code":"vital-signs"}}]}}],)"
                      R"("code":{{"coding":[{{"system":"http://loinc.org","code":"{1}","display":"code {1}"}}]}},)"
                      R"("subject":{{"reference":"Patient/op-ada"}},"effectiveDateTime":"2024-03-0{0}T08:00:00Z",)"
                      R"("valueQuantity":{{"value":{2},"unit":"/min","system":"http://unitsofmeasure.org",)"
                      R"("code":"/min"}}}})",
                      i, i == 3 ? "9279-1" : "8867-4", 60 + i));
    }
    put("Condition/op-c1", R"({"resourceType":"Condition","id":"op-c1","subject":{"reference":"Patient/op-ada"},)"
                           R"("clinicalStatus":{"coding":[{"system":)"
                           R"("http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]},)"
                           R"("code":{"text":"Hypertension"}})");
  }
};

TEST_F(OperationsTest, ASearchBringsAlongWhatItIncludes) {
  put_ward();
  const auto forward = send(Method::get, "/fhir/R4/Patient?_id=op-ada&_include=Patient:general-practitioner");
  EXPECT_EQ(ids(forward), "Patient/op-ada ");
  EXPECT_EQ(ids(forward, "include"), "Practitioner/op-doc ");
  const auto back = send(Method::get, "/fhir/R4/Patient?_id=op-ada&_revinclude=Condition:patient");
  EXPECT_EQ(ids(back, "include"), "Condition/op-c1 ");
  const auto on = send(Method::get,
                       "/fhir/R4/Condition?_id=op-c1&_include=Condition:patient&_include:iterate="
                       "Patient:general-practitioner");
  EXPECT_EQ(ids(on, "include"), "Patient/op-ada Practitioner/op-doc ");
  const auto all = send(Method::get, "/fhir/R4/Patient?_id=op-ada&_revinclude=*");
  EXPECT_EQ(all.body.root()["entry"].size(), 5U) << all.raw.body;
}

TEST_F(OperationsTest, TheWholeSystemAndCompartmentsAreSearched) {
  put_ward();
  const auto system = send(Method::get, "/fhir/R4?_type=Patient,Condition&_id=op-ada,op-bob,op-c1&_total=accurate");
  ASSERT_EQ(system.status, 200) << system.raw.body;
  EXPECT_EQ(system.body.root()["total"].text(), "3");
  const auto first = send(Method::get, "/fhir/R4?_type=Patient,Condition&_id=op-ada,op-bob,op-c1&_count=2");
  EXPECT_EQ(first.body.root()["entry"].size(), 2U);
  std::string next;
  for (const auto link : first.body.root()["link"]) {
    if (link["relation"].text() == "next") next = link["url"].text();
  }
  ASSERT_FALSE(next.empty()) << first.raw.body;
  const auto second = send(Method::get, next.substr(system_->base_url().size()));
  EXPECT_EQ(second.body.root()["entry"].size(), 1U) << second.raw.body;

  EXPECT_EQ(ids(send(Method::get, "/fhir/R4/Patient/op-ada/Condition")), "Condition/op-c1 ");
  EXPECT_EQ(ids(send(Method::get, "/fhir/R4/Patient/op-bob/Condition")), "");
  EXPECT_EQ(send(Method::get, "/fhir/R4/Patient/op-ada/Medication").status, 404) << "in no patient's compartment";
  EXPECT_EQ(send(Method::get, "/fhir/R4/Patient/op-ada/*?_count=50").body.root()["entry"].size(), 5U);
}

TEST_F(OperationsTest, XmlGoesInAndComesOut) {
  const std::string xml = R"(<Patient xmlns="http://hl7.org/fhir"><id value="op-xml"/><active value="true"/>)"
                          R"(<name><family value="Xavier"/><given value="A"/><given value="B"/></name></Patient>)";
  const auto created = send(Method::put, "/fhir/R4/Patient/op-xml", xml, {{"Content-Type", "application/fhir+xml"}});
  ASSERT_EQ(created.status, 201) << created.raw.body;
  const auto json = send(Method::get, "/fhir/R4/Patient/op-xml");
  EXPECT_TRUE(json.body.root()["active"].is_true());
  EXPECT_EQ(json.body.root()["name"].at(0)["given"].size(), 2U);
  const auto back = send(Method::get, "/fhir/R4/Patient/op-xml", {}, {{"Accept", "application/fhir+xml"}});
  EXPECT_TRUE(back.raw.header("Content-Type").starts_with("application/fhir+xml"));
  EXPECT_NE(back.raw.body.find("<family value=\"Xavier\"/>"), std::string::npos) << back.raw.body;
  const auto wrong = send(Method::put, "/fhir/R4/Patient/op-xml", "<!DOCTYPE x><Patient/>",
                          {{"Content-Type", "application/fhir+xml"}});
  EXPECT_EQ(wrong.status, 400);
  EXPECT_NE(send(Method::get, "/fhir/R4/metadata?_format=xml").raw.body.find("<CapabilityStatement"),
            std::string::npos);
}

TEST_F(OperationsTest, AFhirPathPatchChangesOneElement) {
  put_ward();
  const auto patched = send(Method::patch, "/fhir/R4/Patient/op-bob",
                            R"({"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type",)"
                            R"("valueCode":"replace"},{"name":"path","valueString":"Patient.gender"},)"
                            R"({"name":"value","valueCode":"other"}]}]})");
  ASSERT_EQ(patched.status, 200) << patched.raw.body;
  EXPECT_EQ(patched.body.root()["gender"].text(), "other");
}

TEST_F(OperationsTest, ValidateCollectsEveryIssue) {
  const auto fine = send(Method::post, "/fhir/R4/Patient/$validate", R"({"resourceType":"Patient","active":true})");
  EXPECT_EQ(fine.status, 200);
  const auto wrong = send(Method::post, "/fhir/R4/$validate",
                          R"({"resourceType":"Parameters","parameter":[{"name":"resource","resource":)"
                          R"({"resourceType":"Patient","gender":"x","birthDate":"1980-13-01",)"
                          R"("contact":[{"gender":"male"}]}}]})");
  EXPECT_EQ(wrong.status, 200);
  std::string errors;
  for (const auto issue : wrong.body.root()["issue"]) {
    if (issue["severity"].text() == "error") errors += std::string(issue["expression"].at(0).text()) + " ";
  }
  EXPECT_NE(errors.find("Patient.gender"), std::string::npos) << wrong.raw.body;
  EXPECT_NE(errors.find("Patient.birthDate"), std::string::npos);
  EXPECT_NE(errors.find("Patient.contact[0]"), std::string::npos) << "pat-1: a contact has some detail";
  EXPECT_EQ(
      send(Method::post, "/fhir/R4/Patient/$validate?profile=http://example.org/none", R"({"resourceType":"Patient"})")
          .status,
      404);
}

TEST_F(OperationsTest, EverythingOfAPatientComesInPages) {
  put_ward();
  const auto all = send(Method::get, "/fhir/R4/Patient/op-ada/$everything");
  ASSERT_EQ(all.status, 200) << all.raw.body;
  EXPECT_TRUE(ids(all).starts_with("Patient/op-ada "));
  EXPECT_NE(ids(all).find("Condition/op-c1"), std::string::npos);
  EXPECT_EQ(ids(all, "include"), "Practitioner/op-doc ");
  std::string url = "/fhir/R4/Patient/op-ada/$everything?_count=2", found;
  for (int page = 0; page < 10 && !url.empty(); ++page) {
    const auto part = send(Method::get, url);
    EXPECT_EQ(part.status, 200) << part.raw.body;
    found += ids(part);
    url.clear();
    for (const auto link : part.body.root()["link"]) {
      if (link["relation"].text() == "next") url = std::string(link["url"].text()).substr(system_->base_url().size());
    }
  }
  EXPECT_EQ(found, ids(all));
  EXPECT_EQ(send(Method::get, "/fhir/R4/Patient/op-nobody/$everything").status, 404);
}

TEST_F(OperationsTest, LastnGivesTheNewestOfEachCode) {
  put_ward();
  const auto last = send(Method::get, "/fhir/R4/Observation/$lastn?patient=Patient/op-ada&category=vital-signs");
  ASSERT_EQ(last.status, 200) << last.raw.body;
  EXPECT_EQ(ids(last), "Observation/op-o3 Observation/op-o2 ");
  EXPECT_EQ(send(Method::get, "/fhir/R4/Observation/$lastn?category=vital-signs").status, 400);
  EXPECT_EQ(send(Method::get, "/fhir/R4/Observation/$lastn?patient=op-ada&code=x&max=0").status, 400);
}

TEST_F(OperationsTest, MetaIsReadAlone) {
  put("Patient/op-meta", R"({"resourceType":"Patient","id":"op-meta","meta":{"tag":[{"code":"t"}]}})");
  const auto meta = send(Method::get, "/fhir/R4/Patient/op-meta/$meta");
  ASSERT_EQ(meta.status, 200) << meta.raw.body;
  EXPECT_EQ(meta.body.root()["parameter"].at(0)["valueMeta"]["tag"].at(0)["code"].text(), "t");
}

TEST_F(OperationsTest, ThePatientSummaryIsNeverOlderThanTheLastWrite) {
  put_ward();
  const auto read = [] { return send(Method::get, "/fhir/R4/Patient/op-ada/$summary"); };
  const auto first = read();
  ASSERT_EQ(first.status, 200) << first.raw.body;
  EXPECT_EQ(first.body.root()["type"].text(), "document");
  EXPECT_EQ(first.body.root()["entry"].at(0)["resource"]["resourceType"].text(), "Composition");
  EXPECT_NE(first.raw.body.find("Hypertension"), std::string::npos);
  // Built on the spot until the thread that keeps it ready has come to it.
  std::string last = first.raw.body, kept = read().raw.body;
  for (int i = 0; i < 500 && kept != last; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    last = std::exchange(kept, read().raw.body);
  }
  EXPECT_EQ(kept, last) << "made once";
  put("AllergyIntolerance/op-a1",
      R"({"resourceType":"AllergyIntolerance","id":"op-a1","patient":{"reference":"Patient/op-ada"},)"
      R"("clinicalStatus":{"coding":[{"system":)"
      R"("http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical","code":"active"}]},)"
      R"("code":{"text":"Penicillin"}})");
  EXPECT_NE(read().raw.body.find("Penicillin"), std::string::npos);
  EXPECT_NE(send(Method::get, "/fhir/R4/Patient/$summary?identifier=urn:op%7Cada").raw.body.find("Penicillin"),
            std::string::npos);
  EXPECT_EQ(send(Method::get, "/fhir/R4/Patient/op-nobody/$summary").status, 404);
}

TEST_F(OperationsTest, AStoredSearchParameterIsIndexedForWhatIsThereAlready) {
  put("Patient/op-eye", R"({"resourceType":"Patient","id":"op-eye","extension":[{"url":"http://example.org/eye",)"
                        R"("valueCode":"green"}]})");
  EXPECT_EQ(send(Method::get, "/fhir/R4/Patient?eye-colour=green").status, 400);
  put("SearchParameter/eye",
      R"({"resourceType":"SearchParameter","id":"eye","url":"http://example.org/sp/eye","name":"eye","status":"active",)"
      R"("description":"Colour of the eyes","code":"eye-colour","base":["Patient"],"type":"token",)"
      R"("expression":"Patient.extension.where(url='http://example.org/eye').value"})");
  Answer found;
  for (int i = 0; i < 100; ++i) {
    found = send(Method::get, "/fhir/R4/Patient?eye-colour=green");
    if (found.status == 200) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  ASSERT_EQ(found.status, 200) << found.raw.body;
  EXPECT_EQ(ids(found), "Patient/op-eye ");
  const auto broken =
      send(Method::put, "/fhir/R4/SearchParameter/broken",
           R"({"resourceType":"SearchParameter","id":"broken","url":"http://example.org/sp/broken","name":"broken",)"
           R"("status":"active","description":"d","code":"broken","base":["Patient"],"type":"token",)"
           R"("expression":"Patient.name.where("})");
  EXPECT_EQ(broken.status, 400) << broken.raw.body;
}

TEST_F(OperationsTest, TheAdminListenerExplainsASearch) {
  net::ClientRequest request;
  request.url = *net::parse_url(system_->admin_url() + "/explain?search=Patient%3Ffamily%3Dx%26gender%3Dmale");
  const auto answer = net::send_blocking(std::move(request));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200) << answer->body;
  EXPECT_NE(answer->body.find("string_index"), std::string::npos) << answer->body;
}

// Waits for the thread that makes the rows of references anew.
TEST_F(OperationsTest, AChangedOwnUrlMakesReferencesAnew) {
  const std::string here = "https://care.example/fhir/R4";
  const auto put = [&](std::string_view id, std::string_view subject) {
    return send(Method::put, fmt::format("/fhir/R4/Observation/{}", id),
                fmt::format(R"({{"resourceType":"Observation","id":"{}","status":"final","code":{{"text":"x"}},)"
                            R"("subject":{{"reference":"{}"}}}})",
                            id, subject))
        .status;
  };
  const auto found = [&](std::string_view query) {
    Answer answer;
    for (int i = 0; i < 6'000; ++i) {
      answer = send(Method::get, fmt::format("/fhir/R4/Observation?_total=accurate&{}", query));
      if (answer.status != 503) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return std::string(answer.body.root()["total"].text());
  };
  ASSERT_EQ(put("own-1", here + "/Patient/own"), 201);
  ASSERT_EQ(put("own-2", "Patient/own"), 201);
  EXPECT_EQ(found("subject=Patient/own"), "1") << "the server does not know what it is called";
  restart([](Settings& settings) { settings.server.base_url = "https://care.example/"; });
  EXPECT_EQ(found("subject=Patient/own"), "2");
  ASSERT_EQ(put("own-3", here + "/Patient/own"), 201);
  EXPECT_EQ(found("subject=Patient/own"), "3");
  EXPECT_EQ(found("subject=" + here + "/Patient/own"), "3");
  EXPECT_TRUE(system_->store().verify()->empty());
  restart([](Settings& settings) { settings.server.base_url = ""; });
  EXPECT_EQ(found("subject=Patient/own"), "1");
  EXPECT_EQ(send(Method::del, "/fhir/R4/Observation/own-1").status / 100, 2);
  EXPECT_TRUE(system_->store().verify()->empty());
}

}  // namespace
}  // namespace mydr24::server
