// From the moment the policy says that the next step is due to the next person's channel having accepted the call, with
// 1,000 open alerts that nobody answers. Bar: 1 s for every one.

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "app/load/bodies.h"
#include "app/load/histogram.h"
#include "app/load/webhook.h"
#include "base/core/clock.h"
#include "base/core/date_time.h"
#include "base/json/document.h"
#include "load/bench.h"

namespace mydr24::load {
namespace {

constexpr std::size_t alerts = 1000;
constexpr std::chrono::seconds delay{20};

std::string config(const WebhookReceiver& pager) {
  std::string text =
      fmt::format("[alerting]\nescalate_after_s = {}\nsteps = [[\"nurse\"], [\"doctor\"]]\n", delay.count());
  for (const std::string_view name : {"nurse", "doctor"})
    text += fmt::format("\n[[alerting.contacts]]\nname = \"{}\"\nwebhook_url = \"{}\"\n", name,
                        pager.url(fmt::format("/{}", name)));
  return text;
}

Result<> raise_alerts(HttpClient& client) {
  for (std::size_t n = 0; n < alerts; ++n) {
    const std::string body = oxygen_saturation().fill({{"patient", fmt::format("Patient/open-{}", n)},
                                                       {"value", "82"},
                                                       {"at", format_instant(system_clock().now())}});
    MYDR24_ASSIGN(const Reply reply, client.send("POST", "/fhir/R4/Observation", body));
    if (reply.status != 201) return fail(Code::unprocessable, fmt::format("answered {} {}", reply.status, reply.body));
  }
  return {};
}

// When the next call of each alert is due.
Result<std::map<std::string, Instant>> due_times(HttpClient& client) {
  std::map<std::string, Instant> due;
  std::string after;
  do {
    MYDR24_ASSIGN(const Reply reply, client.get("/api/v1/alerts?count=500" + (after.empty() ? "" : "&after=" + after)));
    MYDR24_ASSIGN(const auto document, json::Document::parse_view(reply.body));
    for (const json::Value alert : document.root()["alerts"])
      if (const auto at = parse_date_time(alert["next_due"].text())) due[std::string(alert["id"].text())] = at->low;
    after = document.root()["next"].text();
  } while (!after.empty());
  return due;
}

struct Arrived {
  std::string alert;
  Instant at;
};

// Waits for `count` calls of the doctor beyond the first `seen`.
Result<std::vector<Arrived>> calls_of_doctor(const WebhookReceiver& pager, std::size_t seen, std::size_t count,
                                             std::chrono::seconds time_max) {
  const auto of_doctor = [](const Delivery& delivery) { return delivery.path == "/doctor"; };
  const bool all_came = pager.wait(time_max, [&](const std::vector<Delivery>& all) {
    return static_cast<std::size_t>(std::ranges::count_if(all, of_doctor)) >= seen + count;
  });
  if (!all_came) return fail(Code::unprocessable, "the doctor was not called about every alert");
  std::vector<Arrived> arrived;
  const auto offset = system_clock().now() - Instant(std::chrono::floor<Microseconds>(system_clock().steady()));
  for (const Delivery& delivery : pager.deliveries()) {
    if (!of_doctor(delivery)) continue;
    if (seen > 0) {
      --seen;
      continue;
    }
    const auto document = json::Document::parse_view(delivery.body);
    if (!document) return fail(Code::unprocessable, "a call is no JSON");
    arrived.push_back({std::string(document->root()["alert"]["id"].text()),
                       Instant(std::chrono::floor<Microseconds>(delivery.at)) + offset});
  }
  return arrived;
}

Result<Report> measure(const Options& options) {
  Bed bed;
  const WebhookReceiver pager;
  MYDR24_TRY(start_server(options, bed, config(pager)));
  HttpClient client(bed.server->endpoint());
  MYDR24_ASSIGN(const Reply patients, client.send("POST", "/fhir/R4/", patients_transaction("open", 0, alerts)));
  if (patients.status != 200)
    return fail(Code::unprocessable, fmt::format("the patients were answered {}", patients.status));
  MYDR24_TRY(raise_alerts(client));
  MYDR24_ASSIGN(const auto due, due_times(client));
  if (due.size() < alerts) return fail(Code::unprocessable, fmt::format("{} alerts are open", due.size()));
  MYDR24_ASSIGN(const auto arrived, calls_of_doctor(pager, 0, alerts, delay + std::chrono::seconds(30)));
  Histogram latency;
  for (const Arrived& call : arrived)
    if (const auto found = due.find(call.alert); found != due.end()) latency.record(call.at - found->second);
  Report report;
  report.add("p50_ms", latency.quantile_ms(0.5));
  report.add("p99_ms", latency.quantile_ms(0.99));
  report.add("max_ms", latency.max_ms(), "< 1000");
  report.add("rss_mb", bed.server->rss_max_mb());
  report.note =
      fmt::format("{} open alerts, {} calls of the next step: due to accepted p50 {:.0f} p99 {:.0f} max {:.0f} ms",
                  due.size(), arrived.size(), latency.quantile_ms(0.5), latency.quantile_ms(0.99), latency.max_ms());
  return report;
}

}  // namespace
}  // namespace mydr24::load

int main(int argc, char** argv) {
  return mydr24::load::run_bench(
      argc, argv, {.name = "escalate", .about = "from an escalation being due to the next channel, 1,000 open alerts"},
      mydr24::load::measure);
}
