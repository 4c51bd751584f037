// What clinicians decide about one patient: limits and monitoring.

#include <fmt/format.h>

#include <charconv>

#include "api/vitals_api/vitals_api.h"
#include "base/core/id.h"
#include "base/json/document.h"

namespace mydr24::vitals_api {
namespace {

constexpr std::size_t small_bytes_max = 16U << 10;

Result<double> number_of(json::Value value, std::string_view name) {
  double number = 0;
  const std::string_view text = value.text();
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (!value.is_number() || error != std::errc() || end != text.data() + text.size())
    return fail(Code::invalid, fmt::format("{} is a number", name), std::string(name));
  return number;
}

Result<std::string> patient_of(Service& service, pipeline::Call& call) {
  const std::string_view id = call.capture(0);
  if (!is_fhir_id(id)) return fail(Code::invalid, fmt::format("\"{}\" is no id of a patient", id));
  call.access().note_patient(id);
  MYDR24_TRY(call.access().check_shown(service.store(), "Patient", id));
  return std::string(id);
}

Result<vitals::Signal> signal_of(pipeline::Call& call) {
  const auto signal = vitals::signal_of(call.capture(1));
  if (signal) return *signal;
  return fail(Code::invalid, fmt::format("there is no signal {}", call.capture(1)), "signal");
}

Result<std::optional<Instant>> until_of(json::Value root) {
  if (!root["until"].exists()) return std::optional<Instant>();
  MYDR24_ASSIGN(const Instant until, time_of(root["until"].text(), "until", Instant{}));
  return std::optional(until);
}

Result<vitals::Limit> parse_limit(std::string_view body, vitals::Signal signal) {
  MYDR24_ASSIGN(const json::Document document, json::Document::parse_view(body));
  const json::Value root = document.root();
  vitals::Limit limit;
  limit.signal = signal;
  for (const json::Value member : root) {
    const std::string_view key = member.key();
    if (key == "low") {
      MYDR24_ASSIGN(limit.low, number_of(member, key));
    } else if (key == "high") {
      MYDR24_ASSIGN(limit.high, number_of(member, key));
    } else if (key == "spo2_scale") {
      MYDR24_ASSIGN(const double scale, number_of(member, key));
      if (scale != 1 && scale != 2) return fail(Code::invalid, "spo2_scale is 1 or 2", "spo2_scale");
      limit.spo2_scale = static_cast<int>(scale);
    } else if (key == "severity") {
      if (member.text() != "emergency" && member.text() != "urgent" && member.text() != "advisory")
        return fail(Code::invalid, "severity is emergency, urgent or advisory", "severity");
      for (const auto each : {alerts::Severity::emergency, alerts::Severity::urgent, alerts::Severity::advisory})
        if (alerts::to_string(each) == member.text()) limit.severity = each;
    } else if (key == "by") {
      limit.by = member.text();
    } else if (key == "reason") {
      limit.reason = member.text();
    } else if (key != "until") {
      return fail(Code::invalid, fmt::format("a limit has no member {}", key), std::string(key));
    }
  }
  MYDR24_ASSIGN(limit.until, until_of(root));
  return limit;
}

Result<vitals::Monitoring> parse_monitoring(std::string_view body) {
  MYDR24_ASSIGN(const json::Document document, json::Document::parse_view(body));
  const json::Value root = document.root();
  vitals::Monitoring monitoring;
  for (const json::Value sign : root["signs"]) {
    const auto found = vitals::sign_of(sign.text());
    if (!found) return fail(Code::invalid, fmt::format("there is no sign {}", sign.text()), "signs");
    monitoring.signs |= 1U << static_cast<std::uint32_t>(*found);
  }
  if (const json::Value stale = root["stale_after_s"]) {
    MYDR24_ASSIGN(const double seconds, number_of(stale, "stale_after_s"));
    // Out of range is refused by the watch; what no integer holds must not get there.
    monitoring.stale_after =
        std::chrono::seconds(seconds > 0 && seconds < 1e6 ? static_cast<std::int64_t>(seconds) : 0);
  }
  monitoring.by = root["by"].text();
  MYDR24_ASSIGN(monitoring.until, until_of(root));
  return monitoring;
}

// The patient as it stands after a decision.
Result<std::string> current(Service& service, std::string_view patient) {
  std::string text;
  MYDR24_TRY(service.store().read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(const auto signs, service.watch.current(reader, patient));
    if (!signs) return fail(Code::not_found, fmt::format("nothing is known of Patient/{}", patient));
    text = vitals::to_json(*signs);
    return {};
  }));
  return text;
}

template <class Change>
Task<Result<std::string>> decide(Service& service, const std::string& patient, Change change) {
  const auto done = co_await write(service, std::move(change));
  if (!done) co_return done.error();
  co_return current(service, patient);
}

Task<Result<std::string>> set_limit(Service& service, pipeline::Call& call) {
  const auto patient = patient_of(service, call);
  if (!patient) co_return patient.error();
  const auto signal = signal_of(call);
  if (!signal) co_return signal.error();
  const auto body = co_await take_json(call, small_bytes_max);
  if (!body) co_return body.error();
  auto limit = parse_limit(*body, *signal);
  if (!limit) co_return limit.error();
  limit->by = call.in_name_of(limit->by);
  co_return co_await decide(service, *patient, [&](store::Transaction& transaction) {
    return service.watch.set_limit(transaction, *patient, *limit);
  });
}

Task<Result<std::string>> remove_limit(Service& service, pipeline::Call& call) {
  const auto patient = patient_of(service, call);
  if (!patient) co_return patient.error();
  const auto signal = signal_of(call);
  if (!signal) co_return signal.error();
  const auto by = query_value(call, "by", {"by"});
  if (!by) co_return by.error();
  co_return co_await decide(service, *patient, [&](store::Transaction& transaction) {
    return service.watch.remove_limit(transaction, *patient, *signal, call.in_name_of(*by));
  });
}

Task<Result<std::string>> monitor(Service& service, pipeline::Call& call) {
  const auto patient = patient_of(service, call);
  if (!patient) co_return patient.error();
  const auto body = co_await take_json(call, small_bytes_max);
  if (!body) co_return body.error();
  auto monitoring = parse_monitoring(*body);
  if (!monitoring) co_return monitoring.error();
  monitoring->by = call.in_name_of(monitoring->by);
  co_return co_await decide(service, *patient, [&](store::Transaction& transaction) {
    return service.watch.monitor(transaction, *patient, *monitoring);
  });
}

Task<Result<std::string>> stop_monitoring(Service& service, pipeline::Call& call) {
  const auto patient = patient_of(service, call);
  if (!patient) co_return patient.error();
  const auto by = query_value(call, "by", {"by"});
  if (!by) co_return by.error();
  co_return co_await decide(service, *patient, [&](store::Transaction& transaction) {
    return service.watch.stop_monitoring(transaction, *patient, call.in_name_of(*by));
  });
}

}  // namespace

void add_patient_routes(pipeline::Router& router, Service& service) {
  using net::Method;
  router.add(
      {Method::put, "/api/v1/vitals/{patient}/limits/{signal}", "vitals-limit", RequestClass::urgent,
       [&service](pipeline::Call& call) -> Task<> { co_await answer(call, co_await set_limit(service, call)); }});
  router.add(
      {Method::del, "/api/v1/vitals/{patient}/limits/{signal}", "vitals-limit-remove", RequestClass::urgent,
       [&service](pipeline::Call& call) -> Task<> { co_await answer(call, co_await remove_limit(service, call)); }});
  router.add({Method::put, "/api/v1/vitals/{patient}/monitoring", "vitals-monitor", RequestClass::urgent,
              [&service](pipeline::Call& call) -> Task<> { co_await answer(call, co_await monitor(service, call)); }});
  router.add(
      {Method::del, "/api/v1/vitals/{patient}/monitoring", "vitals-monitor-stop", RequestClass::urgent,
       [&service](pipeline::Call& call) -> Task<> { co_await answer(call, co_await stop_monitoring(service, call)); }});
}

}  // namespace mydr24::vitals_api
