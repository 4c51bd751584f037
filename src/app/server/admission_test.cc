// Admission in the running system: the emergency listener, thread names, metrics, hints, tickets, OpenAPI.

#include <dirent.h>

#include <cstdio>
#include <fstream>
#include <set>

#include "app/server/server_fixture.h"
#include "guard/admission/ticket.h"

namespace mydr24::server {
namespace {

constexpr std::string_view ticket_key = "a key of more than sixteen bytes";

class AdmissionServerTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / fmt::format("mydr24-admission-test-{}", getpid());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    std::ofstream(folder_ / "key") << ticket_key << '\n';
    settings_.server.listen = "127.0.0.1:0";
    settings_.server.admin = "127.0.0.1:0";
    settings_.server.threads = 1;
    settings_.server.drain_time_max_ms = 200;
    settings_.store.path = (folder_ / "data").string();
    settings_.log.level = "error";
    settings_.access.mode = "off";
    settings_.admission.ticket_key_file = (folder_ / "key").string();
    settings_.admission.bench_route = "on";
  }
  void TearDown() override {
    system_.reset();
    std::filesystem::remove_all(folder_);
  }
  void begin() {
    auto started = start(settings_, system_clock());
    ASSERT_TRUE(started) << started.error().text;
    system_ = std::move(*started);
  }

  static Answer send(const std::string& url, Method method, std::string body = {}, Headers headers = {}) {
    return send_to(url, method, std::move(body), with_type(std::move(headers), "application/json"));
  }
  // Admitted so far, by class, as the admin listener tells.
  std::int64_t admitted(std::string_view request_class) {
    const auto shown = send(system_->admin_url() + "/api/v1/admission", Method::get);
    return std::stoll(std::string(shown.body.root()["classes"][request_class]["admitted"].text()));
  }
  static std::set<std::string> thread_names() {
    std::set<std::string> names;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
      std::ifstream in(task.path() / "comm");
      std::string name;
      if (std::getline(in, name)) names.insert(name);
    }
    return names;
  }

  std::filesystem::path folder_;
  Settings settings_;
  std::unique_ptr<System> system_;
};

TEST_F(AdmissionServerTest, TheEmergencyListenerHasItsOwnPortAndThreadsAndWhatComesThereIsAnEmergency) {
  begin();
  ASSERT_FALSE(system_->emergency_url().empty());
  EXPECT_NE(system_->emergency_url(), system_->base_url());
  const auto before = admitted("emergency");
  EXPECT_EQ(send(system_->emergency_url() + "/fhir/Patient/none", Method::get).status, 404);
  EXPECT_EQ(admitted("emergency"), before + 1);
  EXPECT_EQ(send(system_->emergency_url() + "/fhir/Patient?name=x", Method::get).status, 200);
  const auto names = thread_names();
  for (const auto* const name : {"em-io-0", "em-work-0", "io-0", "work-0", "writer", "guard"})
    EXPECT_TRUE(names.contains(name)) << name;
}

TEST_F(AdmissionServerTest, SwitchedOffThereIsOneListenerAndNobodyIsAnEmergency) {
  settings_.admission.mode = "off";
  begin();
  EXPECT_TRUE(system_->emergency_url().empty());
  EXPECT_EQ(send(system_->base_url() + "/fhir/Patient?name=x", Method::get).status, 200);
  EXPECT_EQ(send(system_->base_url() + "/bench/work", Method::post).status, 204);
  EXPECT_FALSE(thread_names().contains("em-io-0"));
  EXPECT_EQ(send(system_->admin_url() + "/api/v1/admission", Method::get).status, 404);
}

TEST_F(AdmissionServerTest, AnAddressThatIsTakenIsNamedByItsSetting) {
  begin();
  auto second = settings_;
  second.store.path = (folder_ / "second").string();
  second.server.emergency_listen = system_->emergency_url().substr(std::string_view("http://").size());
  const auto refused = start(second, system_clock());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().where, "server.emergency_listen");
}

TEST_F(AdmissionServerTest, ASignedTicketRaisesAndAForgedOneDoesNot) {
  begin();
  const auto expires = system_clock().now() + std::chrono::minutes(1);
  const auto ticket = admission::issue_ticket(ticket_key, RequestClass::urgent, "ward-7", expires);
  ASSERT_TRUE(ticket);
  const auto url = system_->base_url() + "/fhir/Patient/none";
  // What the admin listener serves is not counted. The server asks itself now and then, with urgency.
  bool holds = false;
  for (int i = 0; i < 10 && !holds; ++i) {
    const auto urgent = admitted("urgent");
    send(url, Method::get, {}, {{"X-MyDR24-Priority", *ticket}});
    const auto raised = admitted("urgent");
    send(url, Method::get, {}, {{"X-MyDR24-Priority", *ticket + "0"}});
    holds = raised == urgent + 1 && admitted("urgent") == raised;
  }
  EXPECT_TRUE(holds);
}

TEST_F(AdmissionServerTest, AHintHoldsTheFirstLevelAndIsAnEventOfTheJournal) {
  begin();
  const auto url = system_->admin_url() + "/api/v1/admission/hints";
  EXPECT_EQ(send(url, Method::post, R"({"scenario":"pandemic","factor":"many"})").status, 400);
  EXPECT_EQ(send(url, Method::post, R"({"scenario":"pandemic","factor":25,"eta_s":0,"lasts_s":60})").status, 202);
  const auto background = [&] {
    return send(system_->base_url() + "/fhir/Patient?name=x", Method::get, {}, {{"X-MyDR24-Class", "background"}});
  };
  Answer refused;
  for (int i = 0; i < 100 && refused.status != 503; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    refused = background();
  }
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.raw.header("X-MyDR24-Level"), "1");
  EXPECT_FALSE(refused.raw.header("Retry-After").empty());
  EXPECT_TRUE(refused.raw.body.empty());
  // Routine is served, with short pages.
  const auto served = send(system_->base_url() + "/fhir/Patient?_count=100&_total=accurate", Method::get);
  EXPECT_EQ(served.status, 200);
  EXPECT_NE(served.raw.body.find("_count=20"), std::string::npos);
  EXPECT_EQ(served.body.root()["total"].text(), "");
  system_->store().settle();
  std::set<std::string> kinds;
  ASSERT_TRUE(system_->store().read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(const auto events, reader.events(0, 100));
    for (const auto& event : events) kinds.insert(event.kind);
    return {};
  }));
  EXPECT_TRUE(kinds.contains("admission.hint"));
  EXPECT_TRUE(kinds.contains("admission.level"));
}

TEST_F(AdmissionServerTest, MetricsPassPromtoolAndTellOfAdmission) {
  begin();
  EXPECT_EQ(send(system_->base_url() + "/fhir/Patient?name=x", Method::get).status, 200);
  const auto metrics = send(system_->admin_url() + "/metrics", Method::get).raw.body;
  for (const auto* const line :
       {"mydr24_admission_admitted_total{class=\"routine\"} ",
        "mydr24_admission_refused_total{class=\"routine\",reason=\"share\"} ",
        "mydr24_admission_limit{class=\"urgent\"} ", "mydr24_admission_level 0",
        "mydr24_loop_lag_seconds{thread=\"io-0\"} ", "mydr24_loop_lag_seconds{thread=\"em-io-0\"} ",
        "mydr24_admission_queue_seconds_count{class=\"routine\"} 1"}) {
    EXPECT_NE(metrics.find(line), std::string::npos) << line;
  }
  if (std::system("promtool --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "promtool is not installed";
  const auto file = folder_ / "metrics.txt";
  std::ofstream(file) << metrics;
  const auto verdict = folder_ / "verdict.txt";
  const auto command = fmt::format("promtool check metrics < {} > {} 2>&1", file.string(), verdict.string());
  const int status = std::system(command.c_str());
  std::ifstream in(verdict);
  EXPECT_EQ(status, 0) << std::string(std::istreambuf_iterator<char>(in), {});
}

TEST_F(AdmissionServerTest, TheOpenApiDocumentHasEveryRouteThatIsServed) {
  begin();
  const auto answer = send(system_->base_url() + "/api/v1/openapi.json", Method::get);
  ASSERT_EQ(answer.status, 200);
  const auto root = answer.body.root();
  EXPECT_EQ(root["openapi"].text(), "3.1.0");
  const auto read = root["paths"]["/fhir/{type}/{id}"]["get"];
  EXPECT_EQ(read["x-mydr24-cost"].text(), "quick");
  EXPECT_EQ(read["parameters"].at(0)["name"].text(), "type");
  EXPECT_TRUE(read["responses"]["404"].exists());
  EXPECT_TRUE(read["responses"]["429"].exists());
  EXPECT_EQ(root["paths"]["/fhir/{type}"]["post"]["x-mydr24-cost"].text(), "write");
  EXPECT_EQ(root["paths"]["/fhir/{type}"]["get"]["x-mydr24-cost"].text(), "work");
  EXPECT_EQ(root["paths"]["/api/v1/alerts/{id}/ack"]["post"]["x-mydr24-class"].text(), "emergency");
  // Every operation has an id of its own.
  std::set<std::string> ids;
  std::size_t operations = 0;
  for (const auto path : root["paths"]) {
    for (const auto operation : path) {
      ++operations;
      ids.emplace(operation["operationId"].text());
    }
  }
  EXPECT_GT(operations, 40U);
  EXPECT_EQ(ids.size(), operations);
}

}  // namespace
}  // namespace mydr24::server
