// From the POST of an Observation that is an emergency to the webhook that has received the call: 200 alerts,
// each about a patient of its own, one after the other; first on an idle server, then while transactions
// saturate it. Bar: p99 50 ms idle, 250 ms saturated.

#include <fmt/format.h>

#include <atomic>
#include <thread>

#include "app/load/bodies.h"
#include "app/load/webhook.h"
#include "base/core/clock.h"
#include "base/core/date_time.h"
#include "base/json/document.h"
#include "load/bench.h"
#include "load/flows.h"

namespace mydr24::load {
namespace {

constexpr std::size_t alerts = 200;
constexpr std::size_t saturating_clients = 16;
constexpr std::chrono::seconds delivery_max{10};

std::string config(const WebhookReceiver& pager) {
  return fmt::format(
      "[alerting]\nescalate_after_s = 3600\n\n[[alerting.contacts]]\nname = \"nurse\"\nwebhook_url = "
      "\"{}\"\n",
      pager.url());
}

// The id of the alert that a webhook's body calls about.
std::string alert_id(const Delivery& delivery) {
  const auto document = json::Document::parse_view(delivery.body);
  return document ? std::string(document->root()["alert"]["id"].text()) : std::string();
}

Result<Histogram> raise_alerts(HttpClient& client, const WebhookReceiver& pager, std::string_view prefix) {
  Histogram latency;
  for (std::size_t n = 0; n < alerts; ++n) {
    const auto before = pager.deliveries();
    const std::string body = oxygen_saturation().fill({{"patient", fmt::format("Patient/{}-{}", prefix, n)},
                                                       {"value", "82"},
                                                       {"at", format_instant(system_clock().now())}});
    const auto begin = system_clock().steady();
    MYDR24_ASSIGN(const Reply reply, client.send("POST", "/fhir/R4/Observation", body));
    if (reply.status != 201)
      return fail(Code::unprocessable, fmt::format("POST {}\n-> {} {}", body, reply.status, reply.body));
    const bool told = pager.wait(delivery_max, [&](const auto& all) { return all.size() > before.size(); });
    if (!told) return fail(Code::unprocessable, fmt::format("no call within 10 s about {}", body));
    const Delivery call = pager.deliveries()[before.size()];
    const std::string id = alert_id(call);
    const bool seen = std::ranges::any_of(before, [&](const Delivery& other) { return alert_id(other) == id; });
    if (id.empty() || seen) return fail(Code::unprocessable, "the call is not about a new alert: " + call.body);
    latency.record(call.at - begin);
  }
  return latency;
}

// Transactions from connections of their own until it is destroyed.
class Saturation {
 public:
  explicit Saturation(const Endpoint& endpoint)
      : bundle_(linked_transaction(100, "2023-04-11T09:12:44.000-04:00")),
        thread_([this, endpoint] { load(endpoint); }) {}
  ~Saturation() { finish(); }

  const Totals& finish() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
    return totals_;
  }

 private:
  // Refusing bulk work (429, 503) is what a saturated server may do; anything else is a fault.
  class Client : public RepeatFlow {
   public:
    using RepeatFlow::RepeatFlow;
    bool answered(const Answer& answer) override {
      return answer.status == 200 || answer.status == 429 || answer.status == 503;
    }
  };

  void load(const Endpoint& endpoint) {
    const auto make = [this](std::size_t i) {
      return std::make_unique<Client>(200, [this, n = i * 1'000'000](std::string& out) mutable {
        append_request(out, "POST", "/fhir/R4/", bundle_.fill({{"n", fmt::format("{}", ++n)}}));
      });
    };
    Generator generator(endpoint, make_flows(saturating_clients, make));
    totals_ = generator.run(std::chrono::minutes(10), &stop_);
  }

  Body bundle_;
  std::atomic<bool> stop_ = false;
  Totals totals_;
  std::thread thread_;
};

Result<Report> measure(const Options& options) {
  Bed bed;
  const WebhookReceiver pager;
  MYDR24_TRY(start_server(options, bed, config(pager)));
  HttpClient client(bed.server->endpoint());
  for (const std::string_view prefix : {"idle", "busy"}) {
    MYDR24_ASSIGN(const Reply reply, client.send("POST", "/fhir/R4/", patients_transaction(prefix, 0, alerts)));
    if (reply.status != 200)
      return fail(Code::unprocessable, fmt::format("the patients were answered {} {}", reply.status, reply.body));
  }
  MYDR24_ASSIGN(const Histogram idle, raise_alerts(client, pager, "idle"));
  Report report;
  report.add("p50_ms", idle.quantile_ms(0.5));
  report.add("p99_ms", idle.quantile_ms(0.99), "< 50");
  Saturation saturation(bed.server->endpoint());
  std::this_thread::sleep_for(std::chrono::seconds(1));
  const double cpu = bed.server->cpu_s();
  const auto begin = system_clock().steady();
  MYDR24_ASSIGN(const Histogram busy, raise_alerts(client, pager, "busy"));
  const double wall = std::chrono::duration<double>(system_clock().steady() - begin).count();
  const double cores_used = (bed.server->cpu_s() - cpu) / wall;
  const Totals& load = saturation.finish();
  if (!load.clean()) report.problem = load.first_problem;
  report.add("p50_saturated_ms", busy.quantile_ms(0.5));
  report.add("p99_saturated_ms", busy.quantile_ms(0.99), "< 250");
  report.add("max_saturated_ms", busy.max_ms());
  report.add("cores_used_saturated", cores_used);
  report.add("rss_mb", bed.server->rss_max_mb());
  report.note = fmt::format("{} alerts each; saturated: p50 {:.2f} p99 {:.2f} ms beside {:.0f} bundles of 101/s",
                            alerts, busy.quantile_ms(0.5), busy.quantile_ms(0.99), load.per_second());
  return report;
}

}  // namespace
}  // namespace mydr24::load

int main(int argc, char** argv) {
  return mydr24::load::run_bench(argc, argv, {.name = "alert", .about = "from the POST of an emergency to the webhook"},
                                 mydr24::load::measure);
}
