#include "api/audit_api/audit_api.h"

#include <gtest/gtest.h>

namespace mydr24::audit_api {
namespace {

const Instant at = from_us(1'750'000'000'123'000);

search::Query parsed(const net::QueryParameters& parameters) {
  auto query = search::parse_query("AuditEvent", parameters, search::ParseOptions{});
  EXPECT_TRUE(query) << query.error().issues.front().diagnostics;
  return query ? *query : search::Query{};
}

TEST(AuditApi, WhatTheIndexKnowsIsTakenFromTheQuery) {
  const auto narrow = narrowed(parsed({{"patient", "Patient/p1"},
                                       {"altid", "user/anna"},
                                       {"date", "ge2025-01-01"},
                                       {"date", "lt2025-02-01"},
                                       {"action", "R"},
                                       {"outcome", "4"}}));
  EXPECT_EQ(narrow.patient, "p1");
  EXPECT_EQ(narrow.principal, "user/anna");
  EXPECT_EQ(narrow.since, from_us(1'735'689'600'000'000));
  EXPECT_GE(*narrow.until, from_us(1'738'368'000'000'000));
  EXPECT_EQ(narrow.action, audit::Action::read);
  EXPECT_EQ(narrow.outcome, audit::Outcome::minor_failure);
}

TEST(AuditApi, WhatItCannotTellApartNarrowsNothing) {
  const auto narrow = narrowed(parsed({{"patient", "Patient/p1,Patient/p2"},
                                       {"date", "ne2025-01-01"},
                                       {"action", "E"},
                                       {"entity", "Patient/p1"},
                                       {"subtype", "110127"},
                                       {"altid:not", "user/anna"}}));
  EXPECT_EQ(narrow.patient, "");
  EXPECT_EQ(narrow.principal, "");
  EXPECT_FALSE(narrow.since || narrow.until || narrow.action);
  EXPECT_EQ(narrow.resource_id, "");
  EXPECT_EQ(narrow.interaction, "");
}

TEST(AuditApi, AnIdTellsItsTime) {
  const auto query = by_id("0197760b-b9fb-7000-8000-000000000000.2");
  EXPECT_EQ(query.id, "0197760b-b9fb-7000-8000-000000000000");
  ASSERT_TRUE(query.since && query.until);
  EXPECT_EQ(*query.until - *query.since, std::chrono::seconds(2));
  EXPECT_FALSE(by_id("theirs").since);
}

TEST(AuditApi, AnEventHasMetaWhetherOrNotItClaimsAProfile) {
  audit::Entry entry{.id = "0197760b-b9fb-7000-8000-000000000000", .at = at};
  entry.interaction = "alert.acknowledge";
  for (const int status : {200, 0}) {
    entry.http_status = status;
    for (const auto& event : audit::to_audit_events(entry, {})) {
      const auto version = as_version(event, at);
      EXPECT_EQ(version.id, entry.id);
      const auto document = json::Document::parse(records::render(version));
      ASSERT_TRUE(document) << records::render(version);
      EXPECT_EQ(document->root()["meta"]["versionId"].text(), "1");
    }
  }
}

TEST(AuditApi, NoFieldOfTheCsvIsAFormula) {
  audit::Accounting accounting{.patient = "p1"};
  accounting.disclosures.push_back({.purpose = "=HYPERLINK(1)", .client = "say \"hi\", please", .count = 2});
  const auto csv = to_csv(accounting);
  EXPECT_TRUE(csv.contains("\"'=HYPERLINK(1)\"")) << csv;
  EXPECT_TRUE(csv.contains("\"say \"\"hi\"\", please\"")) << csv;
}

}  // namespace
}  // namespace mydr24::audit_api
