// The audit trail over HTTP: as AuditEvents, accountings and legal holds, and who may see them.

#include "app/server/access_fixture.h"

namespace mydr24::server {
namespace {

class TrailTest : public AccessTest {
 protected:
  static void SetUpTestSuite() {
    AccessTest::SetUpTestSuite();
    for (const auto* id : {"p1", "p2"}) {
      keep(fmt::format(R"({{"resourceType":"Patient","id":"{}"}})", id));
      keep(fmt::format(
          R"({{"resourceType":"Observation","id":"o-{0}","status":"final","code":{{"text":"x"}},"subject":{{"reference":"Patient/{0}"}}}})",
          id));
    }
    const auto nurse = log_in("nora", {"nurse"});
    for (int i = 0; i < 3; ++i) send(Method::get, "/fhir/R4/Observation/o-p1", {}, nurse);
    send(Method::get, "/fhir/R4/Patient/p2", {}, nurse);
    send(Method::get, "/fhir/R4/Observation?subject=Patient/p1", {}, nurse);
    send(Method::get, "/fhir/R4/Patient/p1", {}, log_in("max", {"change-manager"}));
  }
  static Headers officer() { return log_in("olga", {"compliance-officer"}); }
  static Headers patient() { return log_in("pat", {"patient"}, "Patient/p1"); }

  struct Found {
    int status = 0;
    std::vector<std::string> ids;
    std::string text, next;
  };
  static Found find(const std::string& query, const Headers& as) {
    const auto answer = send(Method::get, "/fhir/R4/AuditEvent" + query, {}, as);
    Found found{.status = answer.status, .ids = {}, .text = answer.raw.body, .next = {}};
    for (const auto entry : answer.body.root()["entry"]) found.ids.emplace_back(entry["resource"]["id"].text());
    for (const auto link : answer.body.root()["link"])
      if (link["relation"].text() == "next") found.next = link["url"].text();
    return found;
  }
  // Every page.
  static std::vector<std::string> all(std::string query, const Headers& as, int* pages = nullptr) {
    std::vector<std::string> ids;
    for (int i = 0; i < 1000; ++i) {
      const auto page = find(query, as);
      EXPECT_EQ(page.status, 200) << query << page.text;
      ids.insert(ids.end(), page.ids.begin(), page.ids.end());
      if (pages != nullptr) *pages = i + 1;
      if (page.next.empty()) return ids;
      query = page.next.substr(page.next.find('?'));
    }
    ADD_FAILURE() << "the pages do not end";
    return ids;
  }
};

TEST_F(TrailTest, WhoOpenedThisPatientIsOneSearch) {
  const auto as = officer();
  EXPECT_EQ(all("?patient=Patient/p1&altid=user/nora&action=R", as).size(), 3U);
  EXPECT_EQ(all("?patient=Patient/p1&agent:identifier=|user/nora&subtype=read", as).size(), 3U);
  EXPECT_EQ(all("?patient=Patient/p1&altid=user/nora&subtype=search-type", as).size(), 1U);
  EXPECT_EQ(all("?patient=Patient/p2&altid=user/nora", as).size(), 1U);
  EXPECT_EQ(all("?entity=Observation/o-p1&altid=user/nora", as).size(), 3U);
  EXPECT_EQ(all("?patient=Patient/p1&altid=user/nora&date=lt2020-01-01", as).size(), 0U);
  EXPECT_EQ(all("?patient=Patient/p1&altid=user/nora&date=ge2020-01-01&outcome=0&action=R", as).size(), 3U);
}

TEST_F(TrailTest, WhoTriedAndWasRefusedIsFoundByThePatient) {
  const auto found = find("?patient=Patient/p1&altid=user/max", officer());
  ASSERT_EQ(found.ids.size(), 1U) << found.text;
  EXPECT_TRUE(found.text.contains(R"("outcome":"4")")) << found.text;
}

TEST_F(TrailTest, PagesHoldEachEventOnceAndEnd) {
  const auto as = officer();
  // The search for events is recorded itself: what is asked for must not be.
  const auto whole = all("?altid=user/nora&_count=100", as);
  int pages = 0;
  const auto in_pages = all("?altid=user/nora&_count=2", as, &pages);
  EXPECT_EQ(in_pages, whole);
  EXPECT_EQ(whole.size(), 5U);
  EXPECT_GE(pages, 3);
}

TEST_F(TrailTest, AnEventIsReadUnderItsId) {
  const auto as = officer();
  const auto found = find("?patient=Patient/p1&altid=user/nora&action=R&_count=1", as);
  ASSERT_EQ(found.ids.size(), 1U);
  const auto one = send(Method::get, "/fhir/R4/AuditEvent/" + found.ids.front(), {}, as);
  EXPECT_EQ(one.status, 200);
  EXPECT_EQ(one.body.root()["id"].text(), found.ids.front());
  EXPECT_EQ(one.body.root()["meta"]["versionId"].text(), "1");
  EXPECT_EQ(send(Method::get, fmt::format("/fhir/R4/AuditEvent/{}/_history/1", found.ids.front()), {}, as).status, 200);
  EXPECT_EQ(send(Method::get, fmt::format("/fhir/R4/AuditEvent/{}/_history/2", found.ids.front()), {}, as).status, 404);
  EXPECT_EQ(send(Method::get, fmt::format("/fhir/R4/AuditEvent/{}.9", found.ids.front()), {}, as).status, 404);
  EXPECT_TRUE(system_->records().prepare(one.raw.body, {})) << "what is answered is a valid AuditEvent";
}

TEST_F(TrailTest, WhatTheTrailCannotAnswerIsRefusedAndNamed) {
  const auto as = officer();
  for (const auto* query :
       {"?nonsense=1", "?_sort=date", "?_sort=agent-name", "?patient.name=x", "?_has:Provenance:target:agent=x",
        "?_include=AuditEvent:patient", "?_total=accurate", "?_summary=count", "?_cursor=trail.x"})
    EXPECT_EQ(find(query, as).status, 400) << query;
  EXPECT_EQ(find("?_sort=-date&_count=1", as).status, 200);
  EXPECT_EQ(send(Method::get, "/fhir/R4/AuditEvent", {}, with(as, "Accept", "application/fhir+ndjson")).status, 406);
}

TEST_F(TrailTest, APatientSeesWhoSawTheirOwnRecordAlone) {
  const auto as = patient();
  const auto own = all("?_count=100", as);
  EXPECT_GE(own.size(), 5U);
  const auto everything = find("?_count=1000", as);
  EXPECT_FALSE(everything.text.contains("Patient/p2"));
  EXPECT_EQ(all("?patient=Patient/p2", as).size(), 0U);
  const auto other = find("?patient=Patient/p2", officer());
  ASSERT_FALSE(other.ids.empty());
  EXPECT_EQ(send(Method::get, "/fhir/R4/AuditEvent/" + other.ids.front(), {}, as).status, 404);
  EXPECT_EQ(send(Method::get, "/fhir/R4/Patient/p1/AuditEvent", {}, as).status, 200);
  EXPECT_EQ(send(Method::get, "/api/v1/audit/disclosures?patient=p1", {}, as).status, 200);
  EXPECT_EQ(send(Method::get, "/api/v1/audit/disclosures?patient=p2", {}, as).status, 403);
}

TEST_F(TrailTest, NobodyElseSeesTheTrail) {
  for (const auto* role : {"nurse", "emergency-clinician", "administrator", "booking-desk", "change-manager"}) {
    const auto as = log_in(fmt::format("x-{}", role), {role});
    for (const auto* path :
         {"/fhir/R4/AuditEvent", "/api/v1/audit/disclosures?patient=p1", "/api/v1/audit/status", "/api/v1/audit/holds"})
      EXPECT_EQ(send(Method::get, path, {}, as).status, 403) << role << " " << path;
    EXPECT_EQ(send(Method::post, "/api/v1/audit/verify", {}, as).status, 403) << role;
  }
}

TEST_F(TrailTest, ReadingTheTrailIsInTheTrail) {
  const auto as = officer();
  constexpr const char* own = "?patient=Patient/p2&altid=user/olga&subtype=search-type&_count=1000";
  const auto before = all(own, as).size();
  EXPECT_EQ(find("?patient=Patient/p2&altid=user/nora", as).ids.size(), 1U);
  EXPECT_GT(all(own, as).size(), before);
}

TEST_F(TrailTest, WhatClientsStoredComesAfterTheTrail) {
  const auto as = officer();
  keep(
      R"({"resourceType":"AuditEvent","id":"theirs","type":{"system":"http://dicom.nema.org/resources/ontology/DCM","code":"110112"},"recorded":"2024-01-01T00:00:00Z","agent":[{"altId":"other/system","requestor":true}],"source":{"observer":{"display":"x"}}})");
  EXPECT_EQ(all("?altid=other/system", as), std::vector<std::string>{"theirs"});
  EXPECT_EQ(send(Method::get, "/fhir/R4/AuditEvent/theirs", {}, as).status, 200);
}

TEST_F(TrailTest, TheAccountingNamesRecipientsAsJsonAndCsv) {
  const auto as = officer();
  const auto answer = send(Method::get, "/api/v1/audit/disclosures?patient=p1", {}, as);
  ASSERT_EQ(answer.status, 200);
  bool named = false;
  for (const auto one : answer.body.root()["disclosures"]) named = named || one["principal"].text() == "user/nora";
  EXPECT_TRUE(named) << answer.raw.body;
  const auto csv = send(Method::get, "/api/v1/audit/disclosures?patient=p1&format=csv", {}, as);
  EXPECT_TRUE(csv.raw.body.starts_with("patient,outside,purpose,")) << csv.raw.body;
  EXPECT_TRUE(csv.raw.body.contains("\"user/nora\"")) << csv.raw.body;
  EXPECT_EQ(send(Method::get, "/api/v1/audit/disclosures", {}, as).status, 400);
  EXPECT_EQ(send(Method::get, "/api/v1/audit/disclosures?patient=p1&format=xls", {}, as).status, 400);
  EXPECT_EQ(send(Method::get, "/api/v1/audit/disclosures?patient=p1&who=x", {}, as).status, 400);
}

TEST_F(TrailTest, HoldsArePlacedListedAndLifted) {
  const auto as = officer();
  EXPECT_EQ(send(Method::post, "/api/v1/audit/holds", R"({"patient":"p2"})", as).status, 400) << "no reason";
  EXPECT_EQ(
      send(Method::post, "/api/v1/audit/holds", R"({"patient":"p2","reason":"x","until":"2001-01-01"})", as).status,
      400);
  ASSERT_EQ(
      send(Method::post, "/api/v1/audit/holds", R"({"patient":"p2","reason":"claim 7/26","until":"2199-01-01"})", as)
          .status,
      201);
  const auto listed = send(Method::get, "/api/v1/audit/holds", {}, as);
  EXPECT_EQ(listed.body.root()["holds"].at(0)["by"].text(), "user/olga") << listed.raw.body;
  EXPECT_EQ(listed.body.root()["holds"].at(0)["until"].text(), "2199-01-01T00:00:00.000Z");
  EXPECT_EQ(send(Method::del, "/api/v1/audit/holds/p2", {}, as).status, 400) << "no reason";
  EXPECT_EQ(send(Method::del, "/api/v1/audit/holds/p2?reason=settled", {}, as).status, 204);
  EXPECT_EQ(send(Method::del, "/api/v1/audit/holds/p2?reason=settled", {}, as).status, 404);
  EXPECT_EQ(all("?patient=Patient/p2&subtype=audit.hold", as).size(), 1U);
  EXPECT_EQ(all("?patient=Patient/p2&subtype=audit.release", as).size(), 1U);
}

TEST_F(TrailTest, TheStatusTellsOfTheVerificationThatWasRun) {
  const auto as = officer();
  EXPECT_FALSE(send(Method::get, "/api/v1/audit/status", {}, as).raw.body.contains("verified"));
  const auto verified = send(Method::post, "/api/v1/audit/verify", {}, as);
  ASSERT_EQ(verified.status, 200);
  EXPECT_TRUE(verified.body.root()["good"].is_true()) << verified.raw.body;
  const auto status = send(Method::get, "/api/v1/audit/status", {}, as);
  EXPECT_TRUE(status.body.root()["verified"]["good"].is_true()) << status.raw.body;
  EXPECT_NE(status.body.root()["segments"].text(), "0");
}

}  // namespace
}  // namespace mydr24::server
