// What is hidden leaves by no other way either: not by what is not FHIR, in accountings and exports, in what is told to the
// people on call, nor in traces, nor in the log at its most talkative. By access_control_test.cc not in answers about resources.

#include <iostream>
#include <mutex>
#include <sstream>
#include <thread>

#include "app/server/access_fixture.h"
#include "app/server/collector_fixture.h"
#include "base/core/date_time.h"
#include "base/net/http.h"

namespace mydr24::server {
namespace {

// In everything that must stay hidden, and nowhere else.
constexpr std::string_view mark = "Zq6Verborgen";
constexpr std::string_view labels =
    R"("meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"HIV"}]},)";

// Where the contact on call is told; keeps all that came.
class Told {
 public:
  Told() {
    auto started = net::serve({}, [this](net::Exchange& exchange) -> Task<> {
      const auto body = co_await exchange.read_body(1U << 16);
      {
        const std::lock_guard lock(mutex_);
        all_ += std::string(exchange.request().target) + "\n" + (body ? *body : "") + "\n";
        ++count_;
      }
      co_await exchange.respond({.status = 200, .content_type = "text/plain", .body = "ok"});
    });
    EXPECT_TRUE(started);
    if (started) server_ = std::move(*started);
  }
  std::string url() const { return fmt::format("http://127.0.0.1:{}/told", server_->port()); }
  std::string all() const {
    const std::lock_guard lock(mutex_);
    return all_;
  }
  int count() const {
    const std::lock_guard lock(mutex_);
    return count_;
  }

 private:
  mutable std::mutex mutex_;
  std::string all_;
  int count_ = 0;
  std::unique_ptr<net::Server> server_;
};

class LeaksTest : public AccessTest {
 protected:
  static void SetUpTestSuite() {
    AccessTest::SetUpTestSuite();
    told_ = new Told;
    collector_ = new Collector;
    cout_ = std::cout.rdbuf(log_.rdbuf());
    restart([](Settings& settings) {
      settings.log.level = "debug";
      settings.traces = {.otlp_url = collector_->url(),
                         .otlp_every_ms = 100,
                         .otlp_encoding = "json",
                         .sample_per_million = 1'000'000};
      settings.alerting.contacts = {{.name = "nurse", .webhook_url = told_->url(), .webhook_secret_file = ""}};
    });
    keep(R"({"resourceType":"Patient","id":"open"})");
    keep(fmt::format(
        R"({{"resourceType":"Patient","id":"{0}",{1}"name":[{{"family":"{0}"}}],"identifier":[{{"system":"urn:mrn","value":"{0}"}}]}})",
        mark, labels));
    struct Sign {
      std::string_view code, value, unit;
    };
    int number = 0;
    for (const auto& sign : {Sign{"2708-6", "80", "%"}, {"9279-1", "30", "/min"}, {"8867-4", "140", "/min"}}) {
      keep(fmt::format(
          R"({{"resourceType":"Observation","id":"{0}-{1}",{2}"status":"final","code":{{"coding":[{{"system":)"
          R"("http://loinc.org","code":"{3}"}}]}},"subject":{{"reference":"Patient/{0}","display":"{0}"}},)"
          R"("effectiveDateTime":"{4}","note":[{{"text":"{0}"}}],"valueQuantity":{{"value":{5},"unit":"{6}",)"
          R"("code":"{6}","system":"http://unitsofmeasure.org"}}}})",
          mark, number++, labels, sign.code, format_instant(system_clock().now()), sign.value, sign.unit));
    }
    ask_for_it();
  }
  static void TearDownTestSuite() {
    AccessTest::TearDownTestSuite();
    std::cout.rdbuf(cout_);
    delete told_;
    delete collector_;
  }

  // What a curious nurse would try; and a Consent that is not understood, which the log names.
  static void ask_for_it() {
    const auto nurse = log_in("nora", {"nurse"});
    for (const auto* const path :
         {"Patient?name={}", "Patient/{}", "Patient/{}/$everything", "Observation?subject=Patient/{}",
          "Patient?identifier=urn:mrn|{}", "Observation/{}-0/_history", "Patient?nonsense={}"})
      (void)send(Method::get, "/fhir/R4/" + fmt::format(fmt::runtime(path), mark), {}, nurse);
    (void)send(Method::get, fmt::format("/api/v1/vitals/{}", mark), {}, nurse);
    (void)send(Method::post, "/fhir/R4/Patient", fmt::format(R"({{"resourceType":"Patient","name":"{}"}})", mark),
               nurse);
    (void)send(Method::post, "/fhir/R4/Patient", fmt::format("{{{}", mark), nurse);
    keep(fmt::format(
        R"({{"resourceType":"Consent","id":"odd","status":"active","scope":{{"coding":[{{"code":"patient-privacy"}}]}},)"
        R"("category":[{{"text":"x"}}],"patient":{{"reference":"Patient/{0}"}},"policyRule":{{"text":"{0}"}}}})",
        mark));
    system_->store().settle();
  }

  static inline Told* told_ = nullptr;
  static inline Collector* collector_ = nullptr;
  static inline std::ostringstream log_;
  static inline std::streambuf* cout_ = nullptr;
};

// An alert is part of treatment: the roles that treat see it. Others do not.
TEST_F(LeaksTest, NothingOfItIsInWhatIsNotFhir) {
  for (const std::string role : {"administrator", "platform-engineer", "on-call-engineer", "change-manager",
                                 "booking-desk", "device-feed", "monitoring-feed", "patient"}) {
    const auto as = log_in("leak-" + role, {role}, role == "patient" ? "Patient/open" : "");
    for (const auto* const path : {"/api/v1/alerts",
                                   "/api/v1/vitals",
                                   "/api/v1/status",
                                   "/api/v1/oncall/plan",
                                   "/api/v2/alerts",
                                   "/api/v2/alerts/groups",
                                   "/api/v2/silences",
                                   "/api/v1/silences/proposals",
                                   "/api/v1/break-glass?waiting=true",
                                   "/api/v1/access/me",
                                   "/api/v1/sessions",
                                   "/api/v1/breaches",
                                   "/api/v1/audit/status",
                                   "/api/v1/audit/holds",
                                   "/api/v1/rights/erasures",
                                   "/api/v1/compliance/processing-record",
                                   "/api/v1/audit/disclosures?patient=open",
                                   "/api/v1/audit/disclosures?patient=open&format=csv",
                                   "/fhir/R4/AuditEvent",
                                   "/backup",
                                   "/metrics",
                                   "/openapi.json",
                                   "/readyz"}) {
      const auto answer = send(Method::get, path, {}, as);
      EXPECT_FALSE(answer.raw.body.contains(mark)) << role << ' ' << path << ' ' << answer.status;
      for (const auto& [name, value] : answer.raw.headers) EXPECT_FALSE(value.contains(mark)) << role << ' ' << path;
    }
    for (const auto* const path : {"/api/v1/rights/export", "/api/v1/rights/erasure"}) {
      const auto answer = send(Method::post, path, R"({"patient":"open","reason":"x","dry_run":true})",
                               with(as, "Content-Type", "application/json"));
      EXPECT_FALSE(answer.raw.body.contains(mark)) << role << ' ' << path << ' ' << answer.status;
    }
    EXPECT_EQ(send(Method::get, fmt::format("/api/v1/audit/disclosures?patient={}&format=csv", mark), {}, as).status,
              403)
        << role;
  }
}

TEST_F(LeaksTest, AnAccountingAndAnExportOfOneNameNothingOfAnother) {
  const auto officer = with(log_in("olga", {"compliance-officer"}), "Content-Type", "application/json");
  for (const auto* const path :
       {"/api/v1/audit/disclosures?patient=open", "/api/v1/audit/disclosures?patient=open&format=csv"}) {
    const auto answer = send(Method::get, path, {}, officer);
    EXPECT_EQ(answer.status, 200) << path;
    EXPECT_FALSE(answer.raw.body.contains(mark)) << answer.raw.body;
  }
  const auto exported = send(Method::post, "/api/v1/rights/export", R"({"patient":"open"})", officer);
  EXPECT_EQ(exported.status, 200);
  EXPECT_FALSE(exported.raw.body.contains(mark)) << exported.raw.body;
}

TEST_F(LeaksTest, WhoIsOnCallIsToldWithoutThePatient) {
  for (int i = 0; i < 200 && told_->count() == 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  ASSERT_GT(told_->count(), 0);
  EXPECT_FALSE(told_->all().contains(mark)) << told_->all();
}

// Requests that name somebody in path, query, headers and body are all traced.
TEST_F(LeaksTest, TracesNameNobody) {
  const auto nurse = log_in("nora", {"nurse"});
  const auto traced = with(with(nurse, "traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
                           "tracestate", fmt::format("mydr24={}", mark));
  (void)send(Method::get, fmt::format("/fhir/R4/Patient/{0}?_elements={0}", mark), {},
             with(traced, "X-Request-Id", std::string(mark)));
  (void)send(Method::get, fmt::format("/nothing/{}", mark), {}, traced);
  (void)send(Method::post, fmt::format("/fhir/R4/Patient?name={}", mark), fmt::format("<{}>", mark), traced);
  for (const auto* const name : {"GET /fhir/{type}/{id}", "GET /fhir/{type}", "POST /fhir/{type}", "GET",
                                 "GET /api/v1/vitals/{patient}", "alert delivery"})
    EXPECT_TRUE(collector_->wait_for(name).contains(name)) << name;
  EXPECT_FALSE(collector_->all().contains(mark)) << collector_->all();
}

TEST_F(LeaksTest, TheLogNamesNobodyAtItsMostTalkative) {
  restart([](Settings&) {});  // what is still being written is written
  const auto text = log_.str();
  EXPECT_TRUE(text.contains("not understood")) << text;
  EXPECT_FALSE(text.contains(mark)) << text;
}

}  // namespace
}  // namespace mydr24::server
