// What Consents mean, by the table in tests/consents, over HTTP: they are stored, people log in and ask. What needs another time,
// another keeper of the records or a machine is asked in guard/access alone.

#include <fstream>
#include <set>

#include "app/server/access_fixture.h"

namespace mydr24::server {
namespace {

constexpr std::string_view examples = "../shared/data/fhir-r4-examples";
const std::set<std::string, std::less<>> purposes{"TREAT",  "ETREAT", "BTG",    "COC",        "HOPERAT",
                                                  "HPAYMT", "HRESCH", "PATRQT", "CLINTRCHNPC"};

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Names of roles are in small letters.
std::string role_of(std::string_view purpose) {
  std::string name(purpose);
  for (char& c : name) c = static_cast<char>(c - 'A' + 'a');
  return name;
}

std::string with_patient(json::Value value, std::string_view patient) {
  std::string text(value.raw());
  constexpr std::string_view placeholder = "PATIENT";
  for (auto at = text.find(placeholder); at != text.npos; at = text.find(placeholder, at + patient.size()))
    text.replace(at, placeholder.size(), patient);
  return text;
}

class ConsentsOverHttp : public AccessTest {
 protected:
  // One role for each purpose, which may everything.
  static void SetUpTestSuite() {
    AccessTest::SetUpTestSuite();
    const auto file = folder_ / "policy.json";
    std::string roles;
    for (const auto& purpose : purposes)
      roles += fmt::format(R"({}"{}":{{"purpose":"{}","fhir":[{{"types":["*"],"permissions":"cruds"}}]}})",
                           roles.empty() ? "" : ",", role_of(purpose), purpose);
    std::ofstream(file) << fmt::format(R"({{"roles":{{{}}}}})", roles);
    restart([&](Settings& settings) { settings.access.policy_file = file.string(); });
    auto parsed = json::Document::parse(read_file("tests/consents/table.json"));
    ASSERT_TRUE(parsed) << parsed.error().text;
    table_ = std::move(*parsed);
  }

  static Headers logged_in(std::string_view fhir_user, std::string_view purpose) {
    static std::map<std::pair<std::string, std::string>, Headers> known;
    const std::pair key{std::string(fhir_user), std::string(purpose)};
    const auto found = known.find(key);
    if (found != known.end()) return found->second;
    auto made = log_in(fmt::format("person-{}", known.size()), {role_of(key.second)}, key.first);
    return known.emplace(key, std::move(made)).first->second;
  }

  static std::string_view ask(std::string_view action, json::Value resource, const Headers& as) {
    const std::string type(resource["resourceType"].text());
    const auto path = fmt::format("/fhir/R4/{}/{}", type, resource["id"].text());
    const auto told = [](int status, int allowed, std::set<int> refused) {
      return status == allowed ? "allowed" : refused.contains(status) ? "refused" : "neither";
    };
    const std::string text(resource.raw());
    if (action == "read") return told(send(Method::get, path, {}, as).status, 200, {404});
    if (action == "update") return told(send(Method::put, path, text, as).status, 200, {403, 404});
    if (action == "create") return told(send(Method::post, "/fhir/R4/" + type, text, as).status, 201, {403});
    const auto found = send(Method::get, fmt::format("/fhir/R4/{}?_id={}", type, resource["id"].text()), {}, as);
    if (found.status != 200) return "neither";
    return found.body.root()["entry"].size() == 1 ? "allowed" : "refused";
  }

  static int judge(json::Value scenario, const std::string& consent) {
    const auto patient = scenario["patient"].text();
    for (const auto resource : table_.root()["resources"]) keep(with_patient(resource, patient));
    const auto own = logged_in(fmt::format("Patient/{}", patient), "PATRQT");
    const auto document = json::Document::parse(consent);
    EXPECT_TRUE(document) << consent;
    const auto path = fmt::format("/fhir/R4/Consent/{}", document->root()["id"].text());
    const auto stored = send(Method::put, path, consent, own);
    EXPECT_TRUE(stored.status == 200 || stored.status == 201) << stored.raw.body;
    int rows = 0;
    for (const auto row : scenario["rows"]) {
      const auto person = json::Document::parse(with_patient(table_.root()["people"][row.at(0).text()], patient));
      if (row.at(5) || !purposes.contains(row.at(1).text()) || person->root()["kind"].text() != "person") continue;
      const auto resource = json::Document::parse(with_patient(table_.root()["resources"][row.at(3).text()], patient));
      EXPECT_EQ(
          ask(row.at(2).text(), resource->root(), logged_in(person->root()["fhir_user"].text(), row.at(1).text())),
          row.at(4).text())
          << scenario["name"].text() << ": " << row.raw();
      ++rows;
    }
    EXPECT_EQ(send(Method::del, path, {}, own).status, 204);
    return rows;
  }

  static inline json::Document table_;
};

TEST_F(ConsentsOverHttp, OurOwnDecideAsTheTableSays) {
  int rows = 0;
  for (const auto scenario : table_.root()["scenarios"]) {
    if (scenario["keeper"]) continue;
    std::string members(scenario["consent"].raw());
    members.erase(0, members.find('{') + 1);
    rows += judge(
        scenario,
        fmt::format(R"({{"resourceType":"Consent","id":"ours","status":"active","scope":{{"coding":[{{"code":)"
                    R"("patient-privacy"}}]}},"category":[{{"text":"x"}}],"patient":{{"reference":"Patient/{}"}},{})",
                    scenario["patient"].text(), members));
  }
  EXPECT_GT(rows, 80);
}

TEST_F(ConsentsOverHttp, TheOfficialExamplesDecideAsTheTableSays) {
  if (!std::filesystem::exists(examples)) GTEST_SKIP() << examples << " is not here";
  int rows = 0;
  for (const auto scenario : table_.root()["scenarios"]) {
    const auto example = scenario["example"].text();
    if (example.empty() || scenario["keeper"]) continue;
    rows += judge(scenario, read_file(std::filesystem::path(examples) / fmt::format("Consent-{}.json", example)));
  }
  EXPECT_GT(rows, 35);
}

}  // namespace
}  // namespace mydr24::server
