#include "guard/audit/entry.h"

#include <gtest/gtest.h>

namespace mydr24::audit {
namespace {

Entry full() {
  Entry entry{.id = "019b", .at = from_us(1'767'225'600'123'000), .request_id = "r"};
  entry.action = Action::execute;
  entry.interaction = "search-type";
  entry.outcome = Outcome::minor_failure;
  entry.http_status = 403;
  access::Principal who{.kind = access::PrincipalKind::machine, .id = "client/x", .name = "X \"y\"", .tenant = "t"};
  who.roles = {"nurse", "auditor"};
  who.client = "app";
  who.session = "s";
  who.fhir_user = "Practitioner/1";
  who.purpose = "BTG";
  who.overrides = {{.id = "ov-1"}};
  set_principal(entry, who);
  entry.address = "2001:db8::1";
  entry.resource_type = "Patient";
  entry.resource_id = "p1";
  entry.resource_version = "3";
  entry.patients = {"p1", "p2"};
  entry.patients_cut = true;
  entry.query = "name=Müller&_count=2";
  entry.query_cut = true;
  entry.rule = "ward";
  entry.store_sequence = 77;
  return entry;
}

Result<Entry> read_back(const std::string& text) {
  const auto document = json::Document::parse_view(text);
  if (!document) return document.error();
  return entry_of(document->root());
}

TEST(Entry, IsReadBackAsItWasWritten) {
  const auto again = read_back(to_json(full()));
  ASSERT_TRUE(again) << again.error().where;
  EXPECT_EQ(*again, full());
  const Entry empty{.at = from_us(0)};
  EXPECT_EQ(read_back(to_json(empty)).value(), empty);
}

TEST(Entry, TakesWhatThePrincipalSays) {
  const Entry entry = full();
  EXPECT_EQ(entry.principal, "client/x");
  EXPECT_EQ(entry.override_id, "ov-1");
  EXPECT_EQ(entry.purpose, "BTG");
}

TEST(Entry, IsCutToItsLimitsAndSaysSo) {
  Entry entry = full();
  entry.patients_cut = entry.query_cut = false;
  entry.patients.assign(patients_max + 5, "p");
  entry.query = std::string(query_bytes_max - 1, 'q') + "ü";  // a character across the limit
  entry.name = std::string(text_bytes_max * 2, 'n');
  const auto again = read_back(to_json(entry));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->patients.size(), patients_max);
  EXPECT_TRUE(again->patients_cut);
  EXPECT_EQ(again->query, std::string(query_bytes_max - 1, 'q'));
  EXPECT_TRUE(again->query_cut);
  EXPECT_EQ(again->name.size(), text_bytes_max);
}

TEST(Entry, WithAWrongMemberNamesIt) {
  struct Case {
    const char* text;
    const char* where;
  };
  constexpr const char* good = R"("at":"2026-01-01T00:00:00Z","action":"R","principal":{"kind":"person"})";
  for (const Case& one : {Case{R"({"action":"R"})", "at"}, Case{R"({"at":"2026-01-01T00:00:00Z"})", "action"},
                          Case{R"("outcome":5)", "outcome"}, Case{R"("status":"x")", "status"},
                          Case{R"("patients":[1])", "patients"}, Case{R"("resource":[])", "resource"},
                          Case{R"("resource":{"id":1})", "resource.id"}, Case{R"("query_cut":1)", "query_cut"}}) {
    const std::string text = one.text[0] == '{' ? one.text : std::string("{") + good + "," + one.text + "}";
    const auto read = read_back(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().where, one.where);
  }
  EXPECT_EQ(read_back(R"({"at":"2026-01-01T00:00:00Z","action":"R","principal":{"kind":"ghost"}})").error().where,
            "principal.kind");
  EXPECT_FALSE(read_back("[]"));
}

TEST(Entry, OutcomeFollowsTheHttpStatus) {
  EXPECT_EQ(outcome_of_status(200), Outcome::success);
  EXPECT_EQ(outcome_of_status(304), Outcome::success);
  EXPECT_EQ(outcome_of_status(403), Outcome::minor_failure);
  EXPECT_EQ(outcome_of_status(500), Outcome::serious_failure);
  EXPECT_EQ(parse_outcome("12"), Outcome::major_failure);
  EXPECT_EQ(parse_outcome("5"), std::nullopt);
  EXPECT_EQ(parse_action("D"), Action::remove);
  EXPECT_EQ(parse_action("X"), std::nullopt);
}

TEST(Entry, TraceOfATokenIsTheEndOfItsDigest) {
  // SHA-256("abc") = ba7816bf 8f01cfea 414140de 5dae2223 b00361a3 96177a9c b410ff61 f20015ad (FIPS 180-4)
  EXPECT_EQ(token_trace("abc"), "b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace mydr24::audit
