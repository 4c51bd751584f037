// API5:2023 Broken Function Level Authorization, and API9:2023 Improper Inventory Management: every route that the
// server says it serves, by everybody who has no business there; and nothing else is served.

#include <fmt/format.h>

#include <algorithm>

#include "hospital.h"

namespace mydr24::attacks {
namespace {

struct Route {
  std::string method, pattern, interaction;
  bool open = false;
};

json::Document document_of(const std::string& text) {
  auto document = json::Document::parse(text);
  if (!document) throw std::runtime_error(document.error().text);
  return std::move(*document);
}

std::vector<Route> served(Hospital& hospital) {
  const auto document = document_of(hospital.get("nobody", "/api/v1/openapi.json").body);
  std::vector<Route> routes;
  for (const auto path : document.root()["paths"]) {
    for (const auto operation : path) {
      Route route{.pattern = std::string(path.key()),
                  .interaction = std::string(operation["x-mydr24-interaction"].text()),
                  .open = operation["x-mydr24-open"].is_true()};
      for (const char c : operation.key()) route.method += static_cast<char>(c - 'a' + 'A');
      routes.push_back(std::move(route));
    }
  }
  return routes;
}

// With something in place of each capture.
std::string filled(std::string pattern) {
  for (auto at = pattern.find('{'); at != pattern.npos; at = pattern.find('{'))
    pattern.replace(at, pattern.find('}', at) - at + 1,
                    at > 0 && pattern.starts_with("/fhir/{type}") && at == 6 ? "Patient" : "x");
  return pattern;
}

class Functions : public testing::Test {
 protected:
  void TearDown() override {
    hospital_.check_service();
    hospital_.check_trail();
  }
  int ask(const std::string& as, const Route& route) {
    Request request{.method = route.method, .target = filled(route.pattern)};
    if (route.method.starts_with('P')) request.body = "{}";
    return hospital_.ask(as, request).status;
  }
  bool allows(const std::string& interaction, const std::string& role) const {
    const bool person = role != "device-feed" && role != "monitoring-feed" && role != "service" && role != "narrow";
    return std::ranges::any_of(table_.root()["routes"][interaction], [&](json::Value each) {
      return each.text() == role || (each.text() == "people" && person);
    });
  }

  Hospital& hospital_ = Hospital::get();
  const json::Document table_ =
      document_of(load::read_text(std::filesystem::path(MYDR24_SOURCE_DIR) / "tests/attacks/functions.json"));
};

TEST_F(Functions, AreForTheRolesThatNeedThem) {
  int refusals = 0, wrong = 0;
  const auto expect = [&](const std::string& as, const Route& route, int status, int expected) {
    ++refusals;
    if (status != expected && ++wrong <= 20)
      ADD_FAILURE() << as << " " << route.method << " " << route.pattern << ": " << status << ", expected " << expected;
  };
  for (const auto& route : served(hospital_)) {
    if (route.open) continue;
    for (const std::string nobody : {"nobody", "nonsense"}) expect(nobody, route, ask(nobody, route), 401);
    if (route.pattern.starts_with("/fhir")) continue;
    EXPECT_TRUE(table_.root()["routes"][route.interaction].exists())
        << route.interaction << " is new: say in functions.json who needs it";
    for (const std::string role : {"administrator", "platform-engineer", "on-call-engineer", "operations-lead", "nurse",
                                   "emergency-clinician", "compliance-officer", "change-manager", "booking-desk",
                                   "patient", "no-role", "service", "narrow", "device-feed", "monitoring-feed"}) {
      if (!allows(route.interaction, role)) expect(role, route, ask(role, route), 403);
    }
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(refusals, 600);
}

TEST_F(Functions, OfFhirAreForRolesAndTokensThatHaveThem) {
  // Roles without records: every route of FHIR is closed to them, or shows nothing.
  for (const auto& route : served(hospital_)) {
    if (!route.pattern.starts_with("/fhir") || route.open) continue;
    for (const std::string role : {"change-manager", "no-role", "monitoring-feed"}) {
      Request request{.method = route.method, .target = filled(route.pattern)};
      if (route.method.starts_with('P')) request.body = R"({"resourceType":"Parameters"})";
      const auto answer = hospital_.ask(role, request);
      for (const auto shown : {std::string_view("Offen"), std::string_view("Paula"), hidden_mark, foreign_mark})
        EXPECT_FALSE(answer.body.contains(shown)) << role << " " << route.method << " " << route.pattern;
      EXPECT_NE(answer.status, 201) << role << " " << route.method << " " << route.pattern;
    }
  }
}

TEST_F(Functions, OnlyWhatIsOpenOnPurposeIsOpen) {
  const auto on_purpose = table_.root()["open"];
  for (const auto& route : served(hospital_)) {
    const bool meant =
        std::ranges::any_of(on_purpose, [&](json::Value each) { return each.text() == route.interaction; });
    EXPECT_EQ(route.open, meant) << route.method << " " << route.pattern;
  }
}

// The admin listener asks whoever is on the machine for nothing; a web page that is open there is not whoever that is.
TEST_F(Functions, OfTheAdminListenerAreNotForPagesNorForOtherTokens) {
  const auto copy = hospital_.live().folder() / "page.db";
  const auto to_admin = [&](Request request) { return attacks::ask(hospital_.admin(), text_of(request)).status; };
  EXPECT_EQ(to_admin({.method = "POST",
                      .target = "/backup?to=" + copy.string(),
                      .headers = {{"Origin", "https://evil.example"}, {"Sec-Fetch-Site", "cross-site"}}}),
            403);
  EXPECT_FALSE(std::filesystem::exists(copy));
  for (const std::string token : {"", "Bearer ", "Bearer x", "Basic YWRtaW46YWRtaW4="})
    EXPECT_EQ(to_admin({.method = "POST",
                        .target = "/identity",
                        .headers = {{"Authorization", token}, {"Content-Type", "application/json"}},
                        .body = R"({"do":"user.list"})"}),
              403)
        << token;
  for (const auto& header : hospital_.who("administrator").shows)
    EXPECT_EQ(to_admin({.method = "POST", .target = "/identity", .headers = {header}, .body = R"({"do":"user.list"})"}),
              403);
  for (const std::string path : {"/fhir/R4/Patient/open", "/api/v1/alerts", "/api/v1/sessions", "/login"})
    EXPECT_EQ(to_admin({.target = path}), 404) << path;
}

// What is answered with anything but "there is nothing" stands in the document.
TEST_F(Functions, NothingIsServedThatIsNotInTheDocument) {
  const auto routes = served(hospital_);
  const auto is_documented = [&](const std::string& path) {
    const auto split = [](std::string_view text) {
      std::vector<std::string> parts;
      for (std::size_t at = 0; at < text.size();) {
        const auto end = std::min(text.find('/', at), text.size());
        if (end > at) parts.emplace_back(text.substr(at, end - at));
        at = end + 1;
      }
      return parts;
    };
    auto asked = split(path);
    if (asked.size() > 1 && asked[0] == "fhir" && asked[1] == "R4") asked.erase(asked.begin() + 1);
    return std::ranges::any_of(routes, [&](const Route& route) {
      const auto parts = split(route.pattern);
      return std::ranges::equal(
          parts, asked, [](const auto& part, const auto& text) { return part.starts_with('{') || part == text; });
    });
  };
  int probed = 0;
  const std::vector<std::string> words{
      "admin",   "admission", "alerts",   "api",      "audit",     "backup",  "bench",    "clients", "config",
      "console", "debug",     "desk",     "docs",     "env",       "explain", "export",   "fhir",    "health",
      "healthz", "hints",     "identity", "import",   "internal",  "journal", "keys",     "launch",  "livez",
      "login",   "logs",      "metrics",  "oauth",    "oncall",    "openapi", "policy",   "private", "readyz",
      "reload",  "rules",     "sessions", "setup",    "status",    "store",   "swagger",  "test",    "tokens",
      "users",   "v1",        "v2",       "v3",       "version",   "work",    "actuator", "graphql", "introspect",
      "token",   "userinfo",  "-/quit",   "-/reload", "-/healthy", "ui"};
  for (const std::string prefix : {"/", "/api/", "/api/v1/", "/api/v2/", "/api/v3/", "/admin/", "/oauth/", "/internal/",
                                   "/fhir/R4/$", "/fhir/R4/Patient/$", "/fhir/R4/Patient/open/$", "/.well-known/"}) {
    for (const auto& word : words) {
      const auto path = prefix + word;
      ++probed;
      const auto answer = hospital_.get("administrator", path);
      const bool nothing = answer.status == 404 && answer.body.contains("there is nothing at");
      EXPECT_TRUE(nothing || is_documented(path)) << path << " answered " << answer.status;
    }
  }
  EXPECT_GT(probed, 500);
}

}  // namespace
}  // namespace mydr24::attacks
