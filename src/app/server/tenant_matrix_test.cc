// Who may do what where: every role, on every kind of resource, by every interaction, with a token of one tenant at that
// tenant, by its host and by the token alone, and at another, where nothing is as if it were there.

#include <fstream>
#include <map>

#include "app/server/access_expected.h"
#include "app/server/server_fixture.h"
#include "app/server/tenants.h"
#include "base/crypto/base64.h"

namespace mydr24::server {
namespace {

class TenantMatrix : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::filesystem::temp_directory_path() / fmt::format("mydr24-tenant-matrix-{}", getpid());
    std::filesystem::remove_all(folder_);
    Settings settings;
    settings.server.listen = settings.server.admin = "127.0.0.1:0";
    settings.server.drain_time_max_ms = 200;
    settings.store.path = folder_.string();
    settings.log.level = "error";
    settings.access.mode = "on";
    settings.admission.mode = "off";
    settings.tenants = {{.name = "north", .hosts = {"north.test"}, .tier = "enterprise"},
                        {.name = "south", .hosts = {"south.test"}, .tier = "enterprise"}};
    auto started = start(settings, system_clock());
    ASSERT_TRUE(started) << started.error().text;
    system_ = std::move(*started).release();
    for (const auto* const tenant : {"north", "south"}) {
      for (const auto& role : roles_of_the_table()) make_token(tenant, role);
      make_token(tenant, "service");
      for (const auto& [type, members] : bodies()) {
        if (type == "AuditEvent") continue;
        const auto id = id_of(type);
        ASSERT_EQ(
            ask(tenant, tenant, "service", Method::put, fmt::format("/fhir/R4/{}/{}", type, id), body(type, id, "p1")),
            201)
            << type;
        ++there_[tenant][type];
      }
    }
  }
  static void TearDownTestSuite() {
    delete system_;
    std::filesystem::remove_all(folder_);
  }
  static std::string id_of(const std::string& type) { return type == "Patient" ? "p1" : "p1-1"; }

  // A token of a machine with that role alone.
  static void make_token(const std::string& tenant, const std::string& role) {
    std::ifstream in(folder_ / "tenants" / tenant / "admin.token");
    std::string admin;
    std::getline(in, admin);
    const auto made = send_to(
        system_->admin_url() + "/identity", Method::post,
        fmt::format(R"({{"do":"client.add","client_id":"{0}","client_name":"{0}","scope":"system/*.cruds mydr24/desk",)"
                    R"("token_endpoint_auth_method":"client_secret_basic","grant_types":["client_credentials"],)"
                    R"("roles":["{0}"]}})",
                    role),
        {{std::string(tenant_header), tenant},
         {"Authorization", "Bearer " + admin},
         {"Content-Type", "application/json"}});
    const auto given =
        send_to(system_->base_url() + "/oauth/token", Method::post,
                "grant_type=client_credentials&scope=system/*.cruds mydr24/desk",
                {{"Host", tenant + ".test"},
                 {"Content-Type", "application/x-www-form-urlencoded"},
                 {"Authorization",
                  "Basic " + crypto::base64(fmt::format("{}:{}", role, made.body.root()["client_secret"].text()))}});
    tokens_[tenant][role] = given.body.root()["access_token"].text();
    ASSERT_TRUE(tokens_[tenant][role].starts_with(tenant + ".")) << made.raw.body << given.raw.body;
  }
  static Answer answer(std::string_view at, const std::string& token, Method method, const std::string& path,
                       std::string text = {}, std::string_view content_type = "application/fhir+json") {
    Headers headers{{"Authorization", "Bearer " + token}, {"Content-Type", std::string(content_type)}};
    if (!at.empty()) headers.emplace_back("Host", fmt::format("{}.test", at));
    return send_to(system_->base_url() + path, method, std::move(text), std::move(headers));
  }
  // `at`: empty: by the address of the machine, so that the token alone says whose it is.
  static int ask(std::string_view at, const std::string& tenant, const std::string& role, Method method,
                 const std::string& path, std::string text = {},
                 std::string_view content_type = "application/fhir+json") {
    return answer(at, tokens_.at(tenant).at(role), method, path, std::move(text), content_type).status;
  }

  struct Try {
    char letter;
    std::string_view what;
    Method method;
    std::string path;
    std::string text;
    std::string_view content_type;
    int allowed;
  };
  static std::vector<Try> tries(const std::string& type) {
    constexpr std::string_view fhir = "application/fhir+json";
    const auto id = id_of(type);
    const auto of_type = fmt::format("/fhir/R4/{}", type);
    const auto one = fmt::format("{}/{}", of_type, id);
    return {{'r', "read", Method::get, one, {}, fhir, 200},
            {'s', "search", Method::get, of_type, {}, fhir, 200},
            {'c', "create", Method::post, of_type, body(type, {}, "p1"), fhir, 201},
            {'r', "vread", Method::get, one + "/_history/1", {}, fhir, 200},
            {'r', "history", Method::get, one + "/_history", {}, fhir, 200},
            {'r', "$meta", Method::get, one + "/$meta", {}, fhir, 200},
            {'s', "search by POST", Method::post, of_type + "/_search", "_count=1", "application/x-www-form-urlencoded",
             200},
            {'u', "update", Method::put, one, body(type, id, "p1"), fhir, 200},
            {'u', "patch", Method::patch, one, R"([{"op":"add","path":"/language","value":"en"}])",
             "application/json-patch+json", 200}};
  }

  static inline std::filesystem::path folder_;
  static inline System* system_ = nullptr;
  static inline std::map<std::string, std::map<std::string, std::string>> tokens_;
  static inline std::map<std::string, std::map<std::string, int>> there_;  // resources, by tenant and type
};

TEST_F(TenantMatrix, EachRoleMayWhatItIsForAtItsOwnTenantAndNothingAtAnother) {
  int cases = 0, wrong = 0;
  const auto judge = [&](bool right, int status, const Try& one, const std::string& role, std::string_view where) {
    ++cases;
    if (!right && ++wrong <= 20)
      ADD_FAILURE() << role << ' ' << one.what << ' ' << one.path << " at " << where << ": " << status;
  };
  for (const auto& role : roles_of_the_table()) {
    for (const auto& [type, members] : bodies()) {
      const auto letters = expected(role, type);
      const auto all = tries(type);
      for (std::size_t i = 0; i < all.size(); ++i) {
        const auto& one = all[i];
        const auto at = [&](std::string_view host, const std::string& tenant) {
          const int status = ask(host, tenant, role, one.method, one.path, one.text, one.content_type);
          const bool allowed = letters.contains(one.letter) && (one.what != "patch" || letters.contains('r'));
          if (status == 201) ++there_[tenant][type];
          // The trail is asked for these: there is none of that id.
          const bool is_trail = type == "AuditEvent" && allowed && one.letter == 'r';
          const bool right = is_trail  ? status == 404
                             : allowed ? status == one.allowed
                                       : status == 403 || (one.what == "patch" && status == 404);
          judge(right, status, one, role, host.empty() ? tenant + " by its token" : std::string(host));
        };
        const auto elsewhere = [&](std::string_view host, const std::string& tenant) {
          const int status = ask(host, tenant, role, one.method, one.path, one.text, one.content_type);
          judge(status == 401, status, one, role, fmt::format("{} with a token of {}", host, tenant));
        };
        at("north", "north");
        elsewhere("south", "north");
        if (i < 3) {
          at("", "south");
          elsewhere("north", "south");
        }
      }
    }
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(cases, 8'000);
}

// After all of it: what each holds is what was put there with its own tokens.
TEST_F(TenantMatrix, NothingWentToTheOther) {
  for (const auto* const tenant : {"north", "south"}) {
    for (const auto& [type, members] : bodies()) {
      if (type == "AuditEvent") continue;
      const auto found = answer(tenant, tokens_.at(tenant).at("service"), Method::get,
                                fmt::format("/fhir/R4/{}?_summary=count&_total=accurate", type));
      EXPECT_EQ(found.body.root()["total"].text(), fmt::format("{}", there_[tenant][type])) << tenant << ' ' << type;
    }
  }
}

TEST_F(TenantMatrix, WhatIsNotFhirIsEachTenantsOwn) {
  for (const auto& role : roles_of_the_table()) {
    for (const auto* const path : {"/api/v1/alerts", "/api/v1/vitals", "/api/v1/status", "/api/v1/oncall/plan",
                                   "/api/v2/alerts", "/api/v1/break-glass", "/api/v1/audit/status", "/api/v1/access/me",
                                   "/fhir/R4/_history", "/fhir/R4/Patient/p1/$everything"}) {
      const int own = ask("north", "north", role, Method::get, path);
      EXPECT_TRUE(own == 200 || own == 403) << role << ' ' << path << ' ' << own;
      EXPECT_EQ(ask("", "north", role, Method::get, path), own) << role << ' ' << path;
      EXPECT_EQ(ask("south", "north", role, Method::get, path), 401) << role << ' ' << path;
    }
  }
}

// Its people are told of its own quotas, by whatever way they come, and of no other tenant.
TEST_F(TenantMatrix, EachTellsOfItselfAlone) {
  for (const std::string tenant : {"north", "south"}) {
    const auto told = answer(tenant, tokens_.at(tenant).at("administrator"), Method::get, "/api/v1/access/tenant");
    ASSERT_EQ(told.status, 200) << told.raw.body;
    const auto root = told.body.root();
    EXPECT_EQ(root["name"].text(), tenant);
    EXPECT_EQ(root["hosts"].at(0).text(), tenant + ".test");
    EXPECT_EQ(root["tier"].text(), "enterprise");
    EXPECT_EQ(root["queues"].text(), "16");
    EXPECT_EQ(root["requests_per_s"].text(), "0");
    EXPECT_NE(root["storage_bytes"].text(), "0");
    EXPECT_EQ(root["tiers"].size(), 4U);
    EXPECT_FALSE(told.raw.body.contains(tenant == "north" ? "south" : "north"));
    EXPECT_EQ(ask(tenant, tenant, "nurse", Method::get, "/api/v1/access/tenant"), 403);
  }
}

}  // namespace
}  // namespace mydr24::server
