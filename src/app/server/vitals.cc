#include "app/server/vitals.h"

#include <fmt/format.h>

#include <fstream>

namespace mydr24::server {
namespace {

Result<mqtt::Settings> mqtt_settings(const VitalsSection& section) {
  mqtt::Settings settings;
  settings.host = section.mqtt_host;
  settings.port = static_cast<std::uint16_t>(section.mqtt_port);
  settings.protocol = section.mqtt_protocol == "3.1.1" ? mqtt::Protocol::v311 : mqtt::Protocol::v5;
  settings.client_id = section.mqtt_client_id;
  settings.topics = list_of(section.mqtt_topics);
  settings.tls = section.mqtt_tls == "on";
  settings.ca_file = section.mqtt_ca_file;
  settings.username = section.mqtt_username;
  if (settings.topics.empty()) return fail(Code::invalid, "name at least one topic", "vitals.mqtt_topics");
  if (section.mqtt_password_file.empty()) return settings;
  std::ifstream in(section.mqtt_password_file);
  if (!in || !std::getline(in, settings.password) || settings.password.empty())
    return fail(Code::invalid,
                fmt::format("cannot read a password from the first line of \"{}\"", section.mqtt_password_file),
                "vitals.mqtt_password_file");
  return settings;
}

}  // namespace

vitals::WatchSettings watch_settings(const VitalsSection& section) {
  vitals::WatchSettings settings;
  for (std::size_t i = 0; i < vitals::parameter_count; ++i)
    settings.window[i] = std::chrono::minutes(section.sign_valid_min);
  // What stands in for a sign of the score counts no longer than the sign.
  for (const vitals::Sign sign : {vitals::Sign::pulse_oximetry, vitals::Sign::coma_score, vitals::Sign::coma_eyes,
                                  vitals::Sign::coma_verbal, vitals::Sign::coma_motor})
    settings.window[static_cast<std::size_t>(sign)] = std::chrono::minutes(section.sign_valid_min);
  settings.alert_age_max = std::chrono::minutes(section.alert_age_max_min);
  settings.forget_after = std::chrono::days(section.forget_after_days);
  return settings;
}

void Vitals::make_metrics(telemetry::Metrics& metrics) {
  const auto follow = [&metrics](std::string_view name, std::string_view help, std::function<std::int64_t()> now) {
    const auto counter = metrics.counter(name, help);
    metrics.before_expose([counter, now = std::move(now)] {
      const auto more = static_cast<double>(now()) - counter.value();
      if (more > 0) counter.add(more);
    });
  };
  const auto& watch = service_.watch.counters();
  follow("vitals_observations_total", "Observations with a vital sign", [&watch] { return watch.observations.load(); });
  follow("vitals_findings_total", "Technical findings", [&watch] { return watch.findings.load(); });
  follow("vitals_suppressed_total", "Rules that held and called nobody", [&watch] { return watch.suppressed.load(); });
  follow("vitals_too_old_total", "Would have called, but the signs were too old",
         [&watch] { return watch.too_old.load(); });
  follow("vitals_rescored_total", "Late signs that scored at their own time",
         [&watch] { return watch.rescored.load(); });
  follow("vitals_silences_total", "Technical alarms of silent monitors", [&watch] { return watch.silences.load(); });
  if (subscriber_ == nullptr) return;
  const auto& counters = subscriber_->counters();
  const auto connected = metrics.gauge("vitals_mqtt_connected", "1 while the MQTT broker is connected");
  metrics.before_expose([connected, &counters] { connected.set(counters.connected ? 1 : 0); });
  follow("vitals_mqtt_received_total", "MQTT messages received", [&counters] { return counters.received.load(); });
  follow("vitals_mqtt_stored_total", "MQTT messages stored", [&counters] { return counters.stored.load(); });
  follow("vitals_mqtt_rejected_total", "MQTT messages that were wrong",
         [&counters] { return counters.rejected.load(); });
  follow("vitals_mqtt_postponed_total", "MQTT messages the store did not take",
         [&counters] { return counters.postponed.load(); });
}

Result<> Vitals::start_mqtt(const VitalsSection& section, const telemetry::Log& log, AccessControl* access) {
  if (section.mqtt_host.empty()) return {};
  MYDR24_ASSIGN(auto settings, mqtt_settings(section));
  if (access != nullptr) {
    settings.access = [access] { return access->of_mqtt(); };
    settings.refused = [access](std::string_view patient) { access->note_mqtt_refused(patient); };
  }
  MYDR24_ASSIGN(subscriber_, mqtt::Subscriber::start(std::move(settings), service_.records, clock_, log));
  return {};
}

}  // namespace mydr24::server
