#include "app/server/tenants.h"

#include <fstream>
#include <map>
#include <set>

#include "app/server/server_fixture.h"
#include "base/core/date_time.h"
#include "base/crypto/base64.h"

namespace mydr24::server {
namespace {

TEST(Tenants, SettingsThatWouldMixTwoAreRefused) {
  const TenantSection good{.name = "north", .hosts = {"north.example"}};
  struct Wrong {
    std::string where;
    std::vector<TenantSection> tenants;
  };
  const auto changed = [&](auto change) {
    auto tenant = good;
    change(tenant);
    return tenant;
  };
  const TenantSection other{.name = "south", .hosts = {"south.example"}};
  const std::vector<Wrong> all{
      {"tenants[North].name", {changed([](auto& t) { t.name = "North"; })}},
      {"tenants[].name", {changed([](auto& t) { t.name = ""; })}},
      {"tenants[a/../b].name", {changed([](auto& t) { t.name = "a/../b"; })}},
      {"tenants[north].tier", {changed([](auto& t) { t.tier = "gold"; })}},
      {"tenants[north].hosts", {changed([](auto& t) { t.hosts.clear(); })}},
      {"tenants[north].hosts", {changed([](auto& t) { t.hosts = {"https://north"}; })}},
      {"tenants[north].hosts", {changed([](auto& t) { t.hosts = {"North.example"}; })}},
      {"tenants[north].name", {good, changed([](auto& t) { t.hosts = {"n2.example"}; })}},
      {"tenants[south].hosts", {good, changed([](auto& t) { t.name = "south"; })}},
      {"tenants[south].path",
       {changed([](auto& t) { t.path = "/data/x"; }), {.name = "south", .hosts = {"s"}, .path = "/data/./x"}}},
      {"tenants[south].url",
       {changed([](auto& t) { t.url = "postgres://a/b"; }),
        {.name = "south", .hosts = {"s"}, .url = "postgres://a/b"}}},
  };
  for (const auto& wrong : all) {
    Settings settings;
    settings.tenants = wrong.tenants;
    const auto checked = check_tenants(settings);
    ASSERT_FALSE(checked) << wrong.where;
    EXPECT_EQ(checked.error().where, wrong.where) << checked.error().text;
  }
  Settings settings;
  settings.tenants = {good, other};
  EXPECT_TRUE(check_tenants(settings));
  settings.monitor.heartbeat_url = "https://watch.example/ping";
  EXPECT_EQ(check_tenants(settings).error().where, "monitor.heartbeat_url") << "one tenant would beat for the others";
  settings.monitor.heartbeat_url = "https://watch.example/ping/{tenant}";
  EXPECT_TRUE(check_tenants(settings));
  settings.store.url = "postgres://shared/one";
  EXPECT_EQ(check_tenants(settings).error().where, "tenants[north].url") << "one database is not for two";
}

TEST(Tenants, SettingsOfOneHoldNothingOfAnother) {
  Settings settings;
  settings.server.listen = "0.0.0.0:8443";
  settings.server.tls_certificate_file = "c.pem";
  settings.server.base_url = "https://all.example";
  settings.store.path = "/data";
  settings.audit.folder = "/audit";
  settings.access.organization = "Organization/all";
  settings.vitals.mqtt_host = "broker";
  settings.monitor.heartbeat_url = "https://watch.example/{tenant}/ping";
  settings.tenants = {{.name = "north", .hosts = {"north.example"}, .mqtt_topics = "north/+"},
                      {.name = "south", .hosts = {"south.example"}, .base_url = "https://s.example"}};
  const auto north = tenant_settings(settings, "north");
  const auto south = tenant_settings(settings, "south");
  ASSERT_TRUE(north && south);
  EXPECT_EQ(north->store.path, "/data/tenants/north");
  EXPECT_EQ(north->audit.folder, "/audit/north");
  EXPECT_EQ(north->server.base_url, "https://north.example:8443");
  EXPECT_EQ(south->server.base_url, "https://s.example");
  EXPECT_EQ(north->access.organization, "");
  EXPECT_EQ(north->vitals.mqtt_topics, "north/+");
  EXPECT_EQ(south->vitals.mqtt_host, "") << "it subscribes to nothing";
  EXPECT_TRUE(north->tenants.empty());
  EXPECT_EQ(north->monitor.heartbeat_url, "https://watch.example/north/ping");
  EXPECT_EQ(tenant_settings(settings, "west").error().text, "there is no tenant 'west': there are north, south");
}

// Two tenants with access control on; north has an emergency.
class TenantsTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::filesystem::temp_directory_path() / fmt::format("mydr24-tenants-test-{}", getpid());
    std::filesystem::remove_all(folder_);
    Settings settings;
    settings.server.listen = settings.server.admin = "127.0.0.1:0";
    settings.server.drain_time_max_ms = 200;
    settings.store.path = folder_.string();
    settings.log.level = "error";
    settings.access.mode = "on";
    settings.tenants = {{.name = "north", .hosts = {"north.test"}, .tier = "enterprise"},
                        {.name = "south", .hosts = {"south.test", "s.test"}, .tier = "basic"},
                        {.name = "small", .hosts = {"small.test"}, .requests_per_s = 5, .storage_mib = 1}};
    auto started = start(settings, system_clock());
    ASSERT_TRUE(started) << started.error().text;
    system_ = std::move(*started).release();
    for (const auto* const tenant : {"north", "south", "small"}) {
      tokens_[tenant] = make_token(tenant);
      ASSERT_TRUE(tokens_[tenant].starts_with(std::string(tenant) + ".")) << tokens_[tenant];
    }
    // The same ids and identifiers in both; what differs is whose they are.
    for (const auto& [tenant, name] : {std::pair{"north", "Northman"}, std::pair{"south", "Southman"}}) {
      const auto body = fmt::format(
          R"({{"resourceType":"Patient","id":"1","identifier":[{{"system":"urn:mrn","value":"7"}}],"name":[{{"family":"{}","given":["Of{}only"]}}]}})",
          name, tenant);
      ASSERT_EQ(as(tenant, Method::put, "/fhir/R4/Patient/1", body).status, 201);
      ASSERT_EQ(as(tenant, Method::put, "/fhir/R4/Condition/1",
                   fmt::format(R"({{"resourceType":"Condition","id":"1","code":{{"text":"of {}"}},)"
                               R"("subject":{{"reference":"Patient/1"}}}})",
                               name))
                    .status,
                201);
    }
  }
  static void TearDownTestSuite() {
    delete system_;
    std::filesystem::remove_all(folder_);
  }

  static Answer send(const std::string& url, Method method, std::string body, Headers headers) {
    return send_to(url, method, std::move(body), with_type(std::move(headers), "application/fhir+json"));
  }
  // `host`: empty: the IP address of the listener. `token`: of that tenant; empty: none.
  static Answer ask(std::string_view host, std::string_view token, Method method, std::string_view path,
                    std::string body = {}) {
    Headers headers;
    if (!host.empty()) headers.emplace_back("Host", host);
    if (!token.empty()) headers.emplace_back("Authorization", "Bearer " + tokens_.at(std::string(token)));
    return send(system_->base_url() + std::string(path), method, std::move(body), std::move(headers));
  }
  static Answer as(std::string_view tenant, Method method, std::string_view path, std::string body = {}) {
    return ask(std::string(tenant) + ".test", tenant, method, path, std::move(body));
  }
  static Answer admin(std::string_view tenant, Method method, std::string_view path, std::string body = {}) {
    Headers headers;
    if (!tenant.empty()) {
      headers.emplace_back(tenant_header, tenant);
      std::ifstream in(folder_ / "tenants" / tenant / "admin.token");
      std::string token;
      std::getline(in, token);
      headers.emplace_back("Authorization", "Bearer " + token);
    }
    return send(system_->admin_url() + std::string(path), method, std::move(body), std::move(headers));
  }
  // Of a machine that may read and write everything of that tenant.
  static std::string make_token(const std::string& tenant) {
    const auto made =
        admin(tenant, Method::post, "/identity",
              R"({"do":"client.add","client_id":"feed","client_name":"Feed","scope":"system/*.cruds",)"
              R"("token_endpoint_auth_method":"client_secret_basic","grant_types":["client_credentials"],)"
              R"("roles":["service"]})");
    const std::string secret(made.body.root()["client_secret"].text());
    EXPECT_FALSE(secret.empty()) << made.raw.body;
    const auto given =
        send(system_->base_url() + "/oauth/token", Method::post, "grant_type=client_credentials&scope=system/*.cruds",
             {{"Host", tenant + ".test"},
              {"Content-Type", "application/x-www-form-urlencoded"},
              {"Authorization", "Basic " + crypto::base64("feed:" + secret)}});
    return std::string(given.body.root()["access_token"].text());
  }
  static std::int64_t admitted(std::string_view request_class) {
    const auto shown = admin("", Method::get, "/api/v1/admission");
    return std::stoll(std::string(shown.body.root()["classes"][request_class]["admitted"].text()));
  }

  static inline std::filesystem::path folder_;
  static inline System* system_ = nullptr;
  static inline std::map<std::string, std::string> tokens_;
};

// Ways in by which one tenant's record might be found in another.
constexpr std::array<std::string_view, 17> ways{"/fhir/R4/Patient/1",
                                                "/fhir/R4/Patient/1/_history",
                                                "/fhir/R4/Patient/1/_history/1",
                                                "/fhir/R4/Patient",
                                                "/fhir/R4/Patient?family=Northman",
                                                "/fhir/R4/Patient?identifier=urn:mrn|7",
                                                "/fhir/R4/Patient?_id=1&_revinclude=Condition:subject",
                                                "/fhir/R4/Patient?_has:Condition:subject:_id=1",
                                                "/fhir/R4/Condition?subject.family=Northman",
                                                "/fhir/R4/Condition?subject=Patient/1&_include=Condition:subject",
                                                "/fhir/R4/Patient?family=Northman&_summary=count",
                                                "/fhir/R4/Patient?_sort=family",
                                                "/fhir/R4/Patient/_history",
                                                "/fhir/R4/_history",
                                                "/fhir/R4/Patient/1/$everything",
                                                "/fhir/R4/Patient/1/$summary",
                                                "/fhir/R4/$graphql?query=%7BPatient(id:1)%7Bname%7Bfamily%7D%7D%7D"};

TEST_F(TenantsTest, NothingOfOneIsFoundInAnotherByAnyWay) {
  for (const auto way : ways) {
    const auto in_south = as("south", Method::get, way);
    EXPECT_EQ(in_south.status, 200) << way;
    EXPECT_FALSE(in_south.raw.body.contains("Northman") && !way.contains("Northman")) << way << in_south.raw.body;
    EXPECT_FALSE(in_south.raw.body.contains(R"("family":"Northman")")) << way;
    const auto in_north = as("north", Method::get, way);
    EXPECT_EQ(in_north.status, 200) << way;
    EXPECT_FALSE(in_north.raw.body.contains("Southman")) << way;
  }
  EXPECT_EQ(as("south", Method::get, "/fhir/R4/Patient?family=Northman&_total=accurate").body.root()["total"].text(),
            "0");
  EXPECT_EQ(as("north", Method::get, "/fhir/R4/Patient?family=Northman&_total=accurate").body.root()["total"].text(),
            "1");
}

TEST_F(TenantsTest, ATokenOfOneIsNoTokenOfAnother) {
  const std::vector<std::string> hosts{"north.test", "NORTH.test:8443", "south.test", "s.test", "", "other.test"};
  for (const std::string_view token : {"north", "south", ""}) {
    for (const auto& host : hosts) {
      for (const auto way : ways) {
        const bool names_none = host.empty() || host == "other.test";
        const std::string at = host.contains("orth") || host.contains("ORTH") ? "north"
                               : names_none                                   ? std::string(token)
                                                                              : "south";
        const auto answer = ask(host, token, Method::get, way);
        const int expected = at.empty() ? 421 : token.empty() || at != token ? 401 : 200;
        EXPECT_EQ(answer.status, expected) << host << ' ' << token << ' ' << way;
        if (at != "north" || expected != 200)
          EXPECT_FALSE(answer.raw.body.contains(R"("family":"Northman")")) << host << way;
      }
    }
  }
  const auto metrics = admin("", Method::get, "/metrics").raw.body;
  EXPECT_TRUE(metrics.contains(fmt::format("mydr24_http_misdirected_total {}\n", 2 * ways.size()))) << "421, counted";
  EXPECT_EQ(ask("south.test", "north", Method::put, "/fhir/R4/Patient/2", patient("X", "9")).status, 401);
  EXPECT_EQ(as("south", Method::get, "/fhir/R4/Patient/2").status, 404);
}

TEST_F(TenantsTest, AnEmergencyOfOneRaisesNoRequestOfAnother) {
  struct Sign {
    std::string_view code, value, unit;
  };
  for (const auto& sign : {Sign{"2708-6", "80", "%"}, {"9279-1", "30", "/min"}, {"8867-4", "140", "/min"}}) {
    ASSERT_EQ(as("north", Method::post, "/fhir/R4/Observation",
                 fmt::format(R"({{"resourceType":"Observation","status":"final","code":{{"coding":[{{"system":)"
                             R"("http://loinc.org","code":"{}"}}]}},"subject":{{"reference":"Patient/1"}},)"
                             R"("effectiveDateTime":"{}","valueQuantity":{{"value":{},"unit":"{}","code":"{}",)"
                             R"("system":"http://unitsofmeasure.org"}}}})",
                             sign.code, format_instant(system_clock().now()), sign.value, sign.unit, sign.unit))
                  .status,
              201);
  }
  const auto known = [&](std::string_view tenant) {
    const auto text = admin("", Method::get, "/metrics").raw.body;
    return text.contains(fmt::format("mydr24_admission_emergency_patients{{tenant=\"{}\"}} 1", tenant));
  };
  for (int i = 0; i < 100 && !known("north"); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  ASSERT_TRUE(known("north"));
  EXPECT_FALSE(known("south"));
  const auto urgent = admitted("urgent");
  EXPECT_EQ(as("south", Method::get, "/fhir/R4/Patient/1").status, 200);
  EXPECT_EQ(admitted("urgent"), urgent);
  EXPECT_EQ(as("north", Method::get, "/fhir/R4/Patient/1").status, 200);
  EXPECT_EQ(admitted("urgent"), urgent + 1);
  EXPECT_FALSE(as("south", Method::get, "/api/v1/alerts").raw.body.contains("Patient/1"));
}

TEST_F(TenantsTest, EachHasItsOwnFolderAndTrail) {
  std::map<std::string, std::set<std::string>> where;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    // Names are indexed in lower case.
    std::string bytes{std::istreambuf_iterator<char>(in), {}};
    std::ranges::transform(bytes, bytes.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const auto tenant = std::filesystem::relative(entry.path(), folder_ / "tenants").begin()->string();
    for (const auto* const name : {"ofnorthonly", "ofsouthonly"})
      if (bytes.contains(name)) where[name].insert(tenant);
  }
  EXPECT_EQ(where["ofnorthonly"], std::set<std::string>{"north"});
  EXPECT_EQ(where["ofsouthonly"], std::set<std::string>{"south"});
  EXPECT_TRUE(std::filesystem::exists(folder_ / "tenants" / "south" / "audit"));
}

TEST_F(TenantsTest, WhoAsksMoreThanItsQuotaIsToldSoAndEmergenciesAreNotCounted) {
  int refused = 0;
  for (int i = 0; i < 30; ++i) {
    const auto answer = as("small", Method::get, "/fhir/R4/Patient/1");
    if (answer.status != 429) continue;
    ++refused;
    EXPECT_FALSE(answer.raw.header("Retry-After").empty());
    const auto emergency = send(system_->emergency_url() + "/fhir/R4/Patient/1", Method::get, {},
                                {{"Host", "small.test"}, {"Authorization", "Bearer " + tokens_.at("small")}});
    EXPECT_EQ(emergency.status, 404);
    EXPECT_NE(as("south", Method::get, "/fhir/R4/Patient/1").status, 429);
  }
  EXPECT_GE(refused, 15);
}

TEST_F(TenantsTest, WhoHasUsedUpItsStorageKeepsItsEmergencies) {
  const auto write = [&] {
    return send(system_->base_url() + "/fhir/R4/Basic", Method::post,
                R"({"resourceType":"Basic","code":{"text":")" + std::string(200'000, 'x') + R"("}})",
                {{"Host", "small.test"}, {"Authorization", "Bearer " + tokens_.at("small")}});
  };
  Answer last;
  for (int i = 0; i < 200 && last.status != 507; ++i) {
    last = write();
    if (last.status == 429) std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  ASSERT_EQ(last.status, 507) << last.raw.body;
  EXPECT_TRUE(last.raw.body.contains("storage quota")) << last.raw.body;
  EXPECT_EQ(as("small", Method::post, "/fhir/R4/Observation",
               R"({"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"display":"y"}})")
                .status,
            201)
      << "an observation is urgent";
  Answer removed;
  for (int i = 0; i < 20 && (removed.status == 0 || removed.status == 429); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    removed = as("small", Method::del, "/fhir/R4/Basic/none");
  }
  EXPECT_EQ(removed.status, 204) << "nothing more is stored by it";
}

TEST_F(TenantsTest, OperatorsNameTheTenantTheyMean) {
  const auto ready = admin("", Method::get, "/readyz");
  EXPECT_EQ(ready.status, 200);
  EXPECT_TRUE(ready.raw.body.contains("north.store")) << ready.raw.body;
  const auto whose = admin("", Method::post, "/backup?to=" + (folder_ / "nobody.db").string());
  EXPECT_EQ(whose.status, 400);
  EXPECT_TRUE(whose.raw.body.contains("north, south, small")) << whose.raw.body;
  EXPECT_EQ(send(system_->admin_url() + "/readyz", Method::get, {}, {{std::string(tenant_header), "west"}}).status,
            404);
  EXPECT_EQ(admin("south", Method::get, "/readyz").status, 200);
  const auto copy = (folder_ / "copy.db").string();
  EXPECT_EQ(admin("south", Method::post, "/backup?to=" + copy).status, 200);
  EXPECT_TRUE(std::filesystem::exists(copy));
  // The header means nothing to clients.
  EXPECT_EQ(send(system_->base_url() + "/fhir/R4/Patient/1", Method::get, {},
                 {{"Host", "south.test"},
                  {std::string(tenant_header), "north"},
                  {"Authorization", "Bearer " + tokens_.at("north")}})
                .status,
            401);
}

}  // namespace
}  // namespace mydr24::server
