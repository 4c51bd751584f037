// Traces of the whole system, as a collector gets them.

#include "app/server/tracing.h"

#include <condition_variable>
#include <map>
#include <mutex>

#include "app/server/access_fixture.h"
#include "app/server/collector_fixture.h"

namespace mydr24::server {
namespace {

constexpr std::string_view asked = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
constexpr std::string_view not_asked = "00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

class TracingTest : public AccessTest {
 protected:
  static void SetUpTestSuite() {
    AccessTest::SetUpTestSuite();
    collector_ = new Collector;
    trace_with({.slow_ms = 0});
  }
  static void TearDownTestSuite() {
    AccessTest::TearDownTestSuite();
    delete collector_;
  }
  static void trace_with(TracesSection traces, const std::string& access = "on") {
    collector_->forget();
    restart([&](Settings& settings) {
      settings.admission.mode = "full";
      settings.admission.bench_route = "on";
      settings.access.mode = access;
      settings.traces = std::move(traces);
      settings.traces.otlp_url = collector_->url();
      settings.traces.otlp_every_ms = 100;
      settings.traces.otlp_encoding = "json";
    });
    nurse_ = with(log_in("nora", {"nurse"}), "Accept", "application/fhir+json");
  }
  static Headers asking(std::string_view traceparent) { return with(nurse_, "traceparent", std::string(traceparent)); }

  static inline Collector* collector_ = nullptr;
  static inline Headers nurse_;
};

TEST_F(TracingTest, AWriteThatItsCallerTracesIsToldWithItsWayThroughTheStore) {
  const auto created = send(Method::post, "/fhir/R4/Patient", patient("Traced", "t-1"), asking(asked));
  ASSERT_EQ(created.status, 201) << created.raw.body;
  const auto spans = collector_->wait_for("POST /fhir/{type}");
  ASSERT_EQ(spans.count("POST /fhir/{type}"), 1U);
  const auto& own = spans.at("POST /fhir/{type}");
  EXPECT_EQ(own.trace, "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(own.parent, "b7ad6b7169203331");
  EXPECT_EQ(own.attributes.at("http.route"), "/fhir/{type}");
  EXPECT_EQ(own.attributes.at("http.response.status_code"), "201");
  EXPECT_EQ(own.attributes.at("mydr24.class"), "routine");
  EXPECT_EQ(own.attributes.at("mydr24.listener"), "general");
  EXPECT_EQ(collector_->resource("service.name"), "mydr24");
  for (const auto* const name :
       {"admission wait", "access decision", "store queue", "store transaction", "store commit"}) {
    ASSERT_EQ(spans.count(name), 1U) << name;
    EXPECT_EQ(spans.at(name).parent, own.id) << name;
    EXPECT_EQ(spans.at(name).trace, own.trace) << name;
    EXPECT_LE(own.begin, spans.at(name).begin) << name;
    EXPECT_LE(spans.at(name).begin, spans.at(name).end) << name;
    EXPECT_LE(spans.at(name).end, own.end) << name;
  }
}

// The trail names a request by the same id as its trace.
TEST_F(TracingTest, ARequestIsFoundInTheTrailByTheIdThatItsSpanNames) {
  keep(R"({"resourceType":"Patient","id":"trail"})");
  collector_->forget();
  ASSERT_EQ(send(Method::get, "/fhir/R4/Patient/trail", {}, asking(asked)).status, 200);
  const auto spans = collector_->wait_for("GET /fhir/{type}/{id}");
  ASSERT_EQ(spans.count("store read"), 1U);
  const auto id = spans.at("GET /fhir/{type}/{id}").attributes.at("mydr24.request_id");
  const auto officer = log_in("olga", {"compliance-officer"});
  const auto found = send(Method::get, "/fhir/R4/AuditEvent/" + id, {}, officer);
  EXPECT_EQ(found.status, 200) << found.raw.body;
  EXPECT_TRUE(found.raw.body.contains("Patient/trail")) << found.raw.body;

  collector_->forget();
  ASSERT_EQ(send(Method::get, "/fhir/R4/Patient/trail", {}, with(asking(asked), "X-Request-Id", "of-ada")).status, 200);
  const auto named = collector_->wait_for("GET /fhir/{type}/{id}");
  EXPECT_FALSE(named.at("GET /fhir/{type}/{id}").attributes.contains("mydr24.request_id"));
  EXPECT_FALSE(collector_->all().contains("of-ada"));
}

TEST_F(TracingTest, WhoIsNotChosenLeavesNothing) {
  collector_->forget();
  EXPECT_EQ(send(Method::get, "/fhir/R4/Patient/nobody", {}, nurse_).status, 404);
  EXPECT_EQ(send(Method::get, "/fhir/R4/Patient/nobody", {}, asking(not_asked)).status, 404);
  EXPECT_EQ(send(Method::get, "/fhir/R4/Patient/nobody", {}, asking(asked)).status, 404);
  (void)collector_->wait_for("GET /fhir/{type}/{id}");
  EXPECT_EQ(collector_->count("GET /fhir/{type}/{id}"), 1);
}

TEST_F(TracingTest, AllAreTracedWhereTheSampleIsAllAndSlowOnesWhereItIsNone) {
  trace_with({.sample_per_million = 1'000'000, .slow_ms = 0});
  EXPECT_EQ(send(Method::get, "/fhir/R4/Patient/nobody", {}, nurse_).status, 404);
  EXPECT_EQ(collector_->wait_for("GET /fhir/{type}/{id}").count("access decision"), 1U);

  trace_with({.slow_ms = 1}, "off");
  const auto answer = send(Method::post, "/bench/work?ms=5");
  ASSERT_EQ(answer.status, 204) << answer.raw.body;
  const auto spans = collector_->wait_for("POST /bench/work");
  ASSERT_TRUE(spans.contains("POST /bench/work"));
  EXPECT_GE(spans.at("POST /bench/work").end - spans.at("POST /bench/work").begin, 5'000'000);
  EXPECT_TRUE(spans.contains("admission wait"));
  EXPECT_FALSE(spans.contains("access decision")) << "only what was measured anyway";
  trace_with({.slow_ms = 0});
}

TEST_F(TracingTest, ACollectorThatIsAwayHoldsUpNobodyAndIsCounted) {
  trace_with({.sample_per_million = 1'000'000, .slow_ms = 0});
  collector_->answer_with(503);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(send(Method::get, "/fhir/R4/Patient/nobody", {}, nurse_).status, 404);
  (void)collector_->wait_for("GET /fhir/{type}/{id}");
  std::string metrics = "mydr24_trace_exports_failed 0\n";
  for (int i = 0; i < 600 && metrics.contains("mydr24_trace_exports_failed 0\n"); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    metrics = send_to(system_->admin_url() + "/metrics", Method::get).raw.body;
  }
  EXPECT_TRUE(metrics.contains("mydr24_trace_exports_failed ")) << metrics;
  EXPECT_FALSE(metrics.contains("mydr24_trace_exports_failed 0\n")) << metrics;
  collector_->answer_with(200);
  trace_with({.slow_ms = 0});
}

}  // namespace
}  // namespace mydr24::server
