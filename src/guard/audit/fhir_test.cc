#include "guard/audit/fhir.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <sstream>

#include "guard/audit/audit_fixture.h"
#include "guard/audit/export.h"

namespace mydr24::audit {
namespace {

using testing::HasSubstr;

const Observer observer{.name = "Clinic", .url = "https://clinic.example/fhir/R4"};
constexpr std::string_view base = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.";

Entry entry_for(std::string_view interaction, Action action) {
  Entry entry{
      .id = "019b0000-0000-7000-8000-000000000001", .at = from_us(1'767'225'600'000'000), .request_id = "req-1"};
  entry.interaction = interaction;
  entry.action = action;
  entry.http_status = 200;
  entry.principal_kind = access::PrincipalKind::person;
  entry.principal = "user/anna";
  entry.client = "app";
  entry.address = "10.0.0.1";
  entry.resource_type = "Observation";
  entry.resource_id = "o1";
  entry.resource_version = "2";
  return entry;
}

json::Document one_event(const Entry& entry) {
  const auto events = to_audit_events(entry, observer);
  EXPECT_EQ(events.size(), 1U);
  auto document = json::Document::parse(events.at(0));
  EXPECT_TRUE(document) << events[0];
  return document ? std::move(*document) : json::Document();
}

TEST(AuditEvents, ClaimTheProfileOfTheirInteraction) {
  struct Case {
    const char* interaction;
    Action action;
    const char* profile;
  };
  for (const Case& one :
       {Case{"read", Action::read, "Read"}, Case{"vread", Action::read, "Read"},
        Case{"create", Action::create, "Create"}, Case{"update", Action::update, "Update"},
        Case{"patch", Action::update, "Update"}, Case{"delete", Action::remove, "Delete"},
        Case{"search-type", Action::read, "Query"}, Case{"search-system", Action::execute, "Query"}}) {
    Entry entry = entry_for(one.interaction, one.action);
    EXPECT_EQ(balp_profile(entry), std::string(base) + one.profile);
    entry.patients = {"p1"};
    EXPECT_EQ(balp_profile(entry), std::string(base) + "Patient" + one.profile);
    entry.outcome = Outcome::minor_failure;
    EXPECT_EQ(balp_profile(entry), "");
  }
  EXPECT_EQ(balp_profile(entry_for("operation", Action::execute)), "");
  EXPECT_EQ(balp_profile(entry_for("alert.acknowledge", Action::execute)), "");
}

TEST(AuditEvents, OneForEachPatient) {
  Entry entry = entry_for("search-type", Action::read);
  entry.patients = {"p1", "p2", "p3"};
  const auto events = to_audit_events(entry, observer);
  ASSERT_EQ(events.size(), 3U);
  for (int i = 0; i < 3; ++i) {
    const auto document = json::Document::parse_view(events[static_cast<std::size_t>(i)]);
    ASSERT_TRUE(document);
    EXPECT_EQ(document->root()["entity"].at(0)["what"]["reference"].text(), fmt::format("Patient/p{}", i + 1));
    EXPECT_EQ(document->root()["id"].text(), i == 0 ? entry.id : fmt::format("{}.{}", entry.id, i + 1));
  }
}

TEST(AuditEvents, OfASearchHoldTheQueryAsItWasSent) {
  Entry entry = entry_for("search-type", Action::read);
  entry.resource_type = "Patient";
  entry.query = "name=x";
  const auto document = one_event(entry);
  const auto query = document.root()["entity"].at(0);
  EXPECT_EQ(query["query"].text(), "UGF0aWVudD9uYW1lPXg=");  // Patient?name=x
  EXPECT_EQ(query["role"]["code"].text(), "24");
  EXPECT_EQ(document.root()["action"].text(), "E");
  const auto request = document.root()["entity"].at(1);
  EXPECT_EQ(request["type"]["code"].text(), "XrequestId");
  EXPECT_EQ(request["what"]["identifier"]["value"].text(), "req-1");
}

TEST(AuditEvents, NameWhoSentAndWhoReceived) {
  struct Case {
    const char* interaction;
    Action action;
    const char* client;
    const char* server;
    const char* user;
  };
  for (const Case& one : {Case{"read", Action::read, "110152", "110153", "IRCP"},
                          Case{"search-type", Action::read, "110153", "110152", "IRCP"},
                          Case{"create", Action::create, "110153", "110152", "AUT"},
                          Case{"delete", Action::remove, "110150", "custodian", "AUT"}}) {
    const auto document = one_event(entry_for(one.interaction, one.action));
    const auto agents = document.root()["agent"];
    ASSERT_EQ(agents.size(), 3U);
    const auto code = [&](std::size_t i) { return agents.at(i)["type"]["coding"].at(0)["code"].text(); };
    EXPECT_EQ(code(0), one.client);
    EXPECT_EQ(code(1), one.server);
    EXPECT_EQ(code(2), one.user);
    EXPECT_EQ(agents.at(0)["network"]["address"].text(), "10.0.0.1");
    EXPECT_FALSE(agents.at(0)["requestor"].is_true());
    EXPECT_TRUE(agents.at(2)["requestor"].is_true());
  }
  Entry machine = entry_for("read", Action::read);
  machine.principal_kind = access::PrincipalKind::machine;
  const auto document = one_event(machine);
  EXPECT_EQ(document.root()["agent"].size(), 2U);
  EXPECT_TRUE(document.root()["agent"].at(0)["requestor"].is_true());
}

TEST(AuditEvents, OfEmergencyOverridesAreSecurityAlerts) {
  for (const auto& [interaction, subtype] :
       {std::pair(override_started, "110127"), std::pair(override_stopped, "110138")}) {
    Entry entry = entry_for(interaction, Action::execute);
    entry.override_id = "ov-1";
    const auto document = one_event(entry);
    EXPECT_EQ(document.root()["type"]["code"].text(), "110113");
    EXPECT_EQ(document.root()["subtype"].at(0)["code"].text(), subtype);
    EXPECT_THAT(document.source(), HasSubstr(R"("value":"ov-1")"));
  }
}

TEST(AuditEvents, OfARefusalSayWhy) {
  Entry entry = entry_for("read", Action::read);
  entry.outcome = Outcome::minor_failure;
  entry.rule = "another ward";
  const auto document = one_event(entry);
  EXPECT_EQ(document.root()["outcome"].text(), "4");
  EXPECT_EQ(document.root()["outcomeDesc"].text(), "another ward");
  EXPECT_FALSE(document.root()["meta"]);
}

TEST_F(AuditTest, AnExportIsWholeOrIsNotTaken) {
  open();
  for (int i = 0; i < 3; ++i) append();
  std::ostringstream out;
  const auto exported = export_entries({.folder = settings_.folder}, clock_.now(), out);
  ASSERT_TRUE(exported);
  EXPECT_EQ(exported->lines, 3);
  const std::string text = out.str();
  const std::string key = trail_key(settings_.folder)->base64_url;
  const auto verify_text = [&](const std::string& content) {
    std::istringstream in(content);
    return verify_export(in, key);
  };
  const auto good = verify_text(text);
  ASSERT_TRUE(good);
  EXPECT_EQ(good->first, 2);
  EXPECT_EQ(good->last, 4);
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string changed = text;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_FALSE(verify_text(changed)) << at;
  }
  for (std::size_t size = 0; size < text.size(); ++size) EXPECT_FALSE(verify_text(text.substr(0, size))) << size;
  EXPECT_FALSE(verify_text(text.substr(text.find('\n') + 1)));
  EXPECT_FALSE(verify_text(text + "{}\n"));

  std::ostringstream events;
  ASSERT_TRUE(export_entries({.folder = settings_.folder, .fhir = observer}, clock_.now(), events));
  EXPECT_TRUE(verify_text(events.str()));
  EXPECT_THAT(events.str(), HasSubstr(R"({"resourceType":"AuditEvent")"));
}

}  // namespace
}  // namespace mydr24::audit
