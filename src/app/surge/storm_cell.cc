// From the Observation to the webhook, end to end, while everything else is busy: ten times the routine load, and a storm of
// operational alerts from the machines.

#include <fmt/format.h>

#include <map>

#include "app/load/webhook.h"
#include "app/surge/special_cells.h"
#include "base/core/request_class.h"
#include "base/json/document.h"

namespace mydr24::surge {
namespace {

constexpr std::size_t storm_alerts = 50'000;
constexpr double storm_multiple = 10;
constexpr double alarms_per_s = 20;
constexpr std::chrono::seconds delivery_max{20};

std::string alert_id(const load::Delivery& delivery) {
  const auto document = json::Document::parse_view(delivery.body);
  return document ? std::string(document->root()["alert"]["id"].text()) : std::string();
}

// The first call about each alert, by its id.
std::map<std::string, std::chrono::nanoseconds> first_calls(const load::WebhookReceiver& pager) {
  std::map<std::string, std::chrono::nanoseconds> calls;
  for (const load::Delivery& delivery : pager.deliveries()) calls.try_emplace(alert_id(delivery), delivery.at);
  return calls;
}

// Calls do not say who the patient is; the server does.
Result<std::map<std::string, std::chrono::nanoseconds>> calls_by_patient(TestBed& bed,
                                                                         const load::WebhookReceiver& pager) {
  std::map<std::string, std::chrono::nanoseconds> calls;
  load::HttpClient client(bed.emergency());
  for (const auto& [id, at] : first_calls(pager)) {
    MYDR24_ASSIGN(const load::Reply reply, client.get("/api/v1/alerts/" + id));
    const auto document = json::Document::parse_view(reply.body);
    if (reply.status != 200 || !document) continue;  // of the storm: no alert about a patient
    std::string patient(document->root()["alert"]["patient"].text());
    if (const auto slash = patient.rfind('/'); slash != patient.npos) patient.erase(0, slash + 1);
    calls.try_emplace(std::move(patient), at);
  }
  return calls;
}

LoadSpec storm_of_alerts(const TestBed& bed, double warm_up_s, double seconds) {
  const auto posts = static_cast<double>(storm_alerts / alerts_a_post);
  return {.name = "storm",
          .endpoint = bed.general(),
          .mix = {{Kind::alerts, 1}},
          .phases = {{warm_up_s, 0}, {seconds, posts / seconds}},
          .pace = Pace::constant,
          .retry = Retry::backoff,
          .connections = 16,
          .timeout = std::chrono::seconds(20),
          .patient_prefix = std::string(patient_prefix)};
}

}  // namespace

Result<CellResult> run_storm(const Stage& stage, const BenchSettings& settings, Mode mode, const Clock& clock) {
  const load::WebhookReceiver pager;
  MYDR24_ASSIGN(const auto bed,
                TestBed::start(stage, {.mode = mode, .cpu = settings.server_cpu, .webhook_url = pager.url()}));
  Surge surge{.emergency_per_s = alarms_per_s,
              .warm_up_s = settings.warm_up_s,
              .seconds = settings.seconds,
              .connections = settings.connections,
              .keep_times = true};
  surge.rest = {{settings.warm_up_s + settings.seconds, storm_multiple * settings.capacity.rest_per_s}};
  auto specs = plan_loads(*bed, settings, surge);
  specs.front().mix = {{Kind::alarm, 1}};
  specs.front().patients = alarm_patients;  // each alarm is a new alert
  specs.push_back(storm_of_alerts(*bed, settings.warm_up_s, settings.seconds));
  MYDR24_ASSIGN(CellResult cell, run_specs(*bed, settings, specs, settings.warm_up_s, settings.seconds, clock));

  const auto& times = cell.classes.front().times;
  pager.wait(delivery_max, [&](const auto& deliveries) { return deliveries.size() >= times.size(); });
  MYDR24_ASSIGN(const auto calls, calls_by_patient(*bed, pager));
  load::Histogram latency;
  std::size_t undelivered = 0;
  for (const auto& [patient, due_ns] : times) {
    const auto call = calls.find(patient);
    if (call == calls.end()) {
      ++undelivered;
    } else {
      latency.record(call->second - std::chrono::nanoseconds(due_ns));
    }
  }
  const LoadResult* storm = cell.find("storm");
  cell.figures["storm_webhook_p50_ms"] = latency.quantile_ms(0.5);
  cell.figures["storm_webhook_p99_ms"] = latency.quantile_ms(0.99);
  cell.figures["storm_webhook_max_ms"] = latency.max_ms();
  cell.figures["storm_undelivered"] = static_cast<double>(undelivered);
  cell.figures["storm_alarms"] = static_cast<double>(times.size());
  cell.figures["storm_alerts_missing"] =
      static_cast<double>((storm->offered - storm->count(Outcome::served)) * alerts_a_post);
  cell.figures["storm_rss_mb"] = bed->server().rss_max_mb();
  return cell;
}

}  // namespace mydr24::surge
