// What Consents mean, by the table in tests/consents: ours, and the official examples of R4 where they are at hand.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/core/date_time.h"
#include "guard/access/consent.h"

namespace mydr24::access {
namespace {

constexpr std::string_view examples = "../shared/data/fhir-r4-examples";

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string with_patient(json::Value value, std::string_view patient) {
  std::string text(value.raw());
  constexpr std::string_view placeholder = "PATIENT";
  for (auto at = text.find(placeholder); at != text.npos; at = text.find(placeholder, at + patient.size()))
    text.replace(at, placeholder.size(), patient);
  return text;
}

class ConsentTable : public testing::Test {
 protected:
  void SetUp() override {
    auto parsed = json::Document::parse(read_file("tests/consents/table.json"));
    ASSERT_TRUE(parsed) << parsed.error().text;
    table_ = std::move(*parsed);
    ASSERT_GT(table_.root()["scenarios"].size(), 30U);
  }

  static Permission permission_of(std::string_view action) {
    if (action == "read") return Permission::read;
    if (action == "search") return Permission::search;
    if (action == "create") return Permission::create;
    EXPECT_EQ(action, "update");
    return Permission::update;
  }

  Principal person(std::string_view who, std::string_view patient) const {
    const auto person = json::Document::parse(with_patient(table_.root()["people"][who], patient));
    EXPECT_TRUE(person) << who;
    Principal principal;
    principal.kind = person->root()["kind"].text() == "machine" ? PrincipalKind::machine : PrincipalKind::person;
    principal.fhir_user = person->root()["fhir_user"].text();
    return principal;
  }

  // Every row of the scenario, with that Consent; how many there were.
  int judge(json::Value scenario, json::Value consent) const {
    ConsentBook book;
    if (auto parsed = parse_consent(consent)) book.put(std::move(*parsed));
    const auto patient = scenario["patient"].text();
    int rows = 0;
    for (const auto row : scenario["rows"]) {
      const auto when = row.at(5) ? row.at(5).text() : std::string_view("2024-05-01T12:00:00Z");
      const auto principal = person(row.at(0).text(), patient);
      const ConsentBook::Asker asker{.principal = &principal,
                                     .purpose = std::string(row.at(1).text()),
                                     .organization = std::string(scenario["keeper"].text()),
                                     .now = parse_date_time(when)->low};
      const auto resource = json::Document::parse(with_patient(table_.root()["resources"][row.at(3).text()], patient));
      EXPECT_TRUE(resource) << row.raw();
      const auto root = resource->root();
      const search::MatchContext context{
          .now = asker.now, .last_updated = asker.now, .catalogue = nullptr, .chain = {}, .has = {}};
      bool hidden = false;
      for (const auto& condition : book.hidden(asker, permission_of(row.at(2).text()), root["resourceType"].text()))
        hidden = hidden || search::matches(condition, root, context);
      EXPECT_EQ(std::string_view(hidden ? "refused" : "allowed"), row.at(4).text())
          << scenario["name"].text() << ": " << row.raw() << " by " << consent["id"].text();
      ++rows;
    }
    return rows;
  }

  json::Document table_;
};

TEST_F(ConsentTable, OurOwnDecideAsTheTableSays) {
  int rows = 0;
  for (const auto scenario : table_.root()["scenarios"]) {
    std::string text(scenario["consent"].raw());
    text.erase(0, text.find('{') + 1);
    const auto consent = json::Document::parse(
        fmt::format(R"({{"resourceType":"Consent","id":"ours","status":"active","scope":{{"coding":[{{"code":)"
                    R"("patient-privacy"}}]}},"patient":{{"reference":"Patient/{}"}},{})",
                    scenario["patient"].text(), text));
    ASSERT_TRUE(consent) << consent.error().text;
    rows += judge(scenario, consent->root());
  }
  EXPECT_GT(rows, 100);
}

TEST_F(ConsentTable, TheOfficialExamplesDecideAsTheTableSays) {
  if (!std::filesystem::exists(examples)) GTEST_SKIP() << examples << " is not here";
  std::set<std::string> judged;
  for (const auto scenario : table_.root()["scenarios"]) {
    const auto example = scenario["example"].text();
    if (example.empty()) continue;
    const auto consent =
        json::Document::parse(read_file(std::filesystem::path(examples) / fmt::format("Consent-{}.json", example)));
    ASSERT_TRUE(consent) << example;
    EXPECT_GT(judge(scenario, consent->root()), 0);
    judged.insert(fmt::format("Consent-{}.json", example));
  }
  for (const auto& file : std::filesystem::directory_iterator(examples)) {
    const auto name = file.path().filename().string();
    if (name.starts_with("Consent-")) EXPECT_TRUE(judged.contains(name)) << name << " is not in the table";
  }
}

TEST_F(ConsentTable, WhatIsNotUnderstoodIsNamed) {
  const auto named = [](std::string_view members) {
    const auto consent = json::Document::parse(
        fmt::format(R"({{"id":"c","status":"active","patient":{{"reference":"Patient/p"}},{}}})", members));
    const auto parsed = parse_consent(consent->root());
    return parsed ? fmt::format("{}", fmt::join(parsed->unclear, " ")) : std::string("nothing");
  };
  EXPECT_EQ(named(R"("policyRule":{"coding":[{"code":"OPTOUT"}]})"), "");
  EXPECT_EQ(named(R"("policyRule":{"text":"as usual"})"), "policyRule");
  EXPECT_EQ(named(R"("modifierExtension":[{"url":"x"}])"), "modifierExtension");
  EXPECT_EQ(named(R"("provision":{"type":"deny","actor":[{"reference":{"display":"x"}}],"purpose":[{"code":"x"}]})"),
            "provision.actor provision.purpose");
  EXPECT_EQ(named(R"("provision":{"type":"deny","securityLabel":[{"display":"x"}],"action":[{"text":"x"}]})"),
            "provision.action provision.securityLabel");
}

}  // namespace
}  // namespace mydr24::access
