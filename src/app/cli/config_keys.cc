#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "app/cli/config.h"
#include "app/cli/config_tenants.h"
#include "base/json/writer.h"

namespace mydr24::cli {

namespace {

using server::Settings;

template <auto Section, auto Member>
auto& member_of(Settings& settings) {
  return settings.*Section.*Member;
}

template <auto Section, auto Member>
constexpr auto at = &member_of<Section, Member>;

using Server = server::ServerSection;
using Admission = server::AdmissionSection;
using Access = server::AccessSection;
using Audit = server::AuditSection;
using Rights = server::RightsSection;
using Store = server::StoreSection;
using Encryption = server::EncryptionSection;
using Search = server::SearchSection;
using Validation = server::ValidationSection;
using LogKeys = server::LogSection;
using Vitals = server::VitalsSection;
using Notify = server::NotifySection;
using Alerting = server::AlertingSection;
using Series = server::SeriesSection;
using Traces = server::TracesSection;
using Monitor = server::MonitorSection;
using Form = Key::Form;

constexpr std::int64_t hour_ms = 3'600'000;

constexpr auto table = std::to_array<Key>({
    {"server.listen", at<&Settings::server, &Server::listen>,
     "Address and port of the FHIR interface, the desk and the console. Port 0: any free one.", Form::address},
    {"server.emergency_listen", at<&Settings::server, &Server::emergency_listen>,
     "Address and port for emergencies. auto: two ports above server.listen. Empty: none.", Form::any},
    {"server.admin", at<&Settings::server, &Server::admin>,
     "Address and port of /livez /readyz /healthz /metrics: keep it on the loopback.", Form::address},
    {"server.threads", at<&Settings::server, &Server::threads>, "I/O threads. 0: as many as processors.", Form::any, "",
     0, 1024},
    {"server.workers", at<&Settings::server, &Server::workers>,
     "Threads for searches and large bodies. 0: as many as processors.", Form::any, "", 0, 1024},
    {"server.tls_certificate_file", at<&Settings::server, &Server::tls_certificate_file>,
     "Certificate chain (PEM). With tls_key_file: HTTPS instead of HTTP.", Form::path},
    {"server.tls_key_file", at<&Settings::server, &Server::tls_key_file>, "Private key (PEM).", Form::path},
    {"server.tls_client_ca_file", at<&Settings::server, &Server::tls_client_ca_file>,
     "Authorities (PEM): who connects must show a certificate of one of them. Empty: nobody must.", Form::path},
    {"server.tls_client_listeners", at<&Settings::server, &Server::tls_client_listeners>,
     "Where it must be shown: at every listener, or at the emergency listener only.", Form::choice, "all emergency"},
    {"server.base_url", at<&Settings::server, &Server::base_url>,
     "How clients reach /fhir/R4, for links in answers; references below it are local. Empty: from the Host header.",
     Form::any},
    {"server.own_urls", at<&Settings::server, &Server::own_urls>,
     "Further URLs clients reach this server by, as base_url, with commas: references below them are local.",
     Form::any},
    {"server.cors_origins", at<&Settings::server, &Server::cors_origins>,
     "Pages that may read /fhir from a browser, as https://app.example, with commas; beside those of registered "
     "applications.",
     Form::any},
    {"server.call_networks", at<&Settings::server, &Server::call_networks>,
     "Where webhooks and key sets that people enter may lead: any, public, or networks beside the public ones, with "
     "commas. auto: public when access.mode is on.",
     Form::any},
    {"server.body_bytes_max", at<&Settings::server, &Server::body_bytes_max>,
     "The largest resource or Bundle, in bytes.", Form::any, "", 1024, 1LL << 30},
    {"server.header_time_max_ms", at<&Settings::server, &Server::header_time_max_ms>,
     "Time to send the headers of a request.", Form::any, "", 1, hour_ms},
    {"server.idle_time_max_ms", at<&Settings::server, &Server::idle_time_max_ms>,
     "How long a connection may wait for its next request.", Form::any, "", 1, 24 * hour_ms},
    {"server.body_idle_time_max_ms", at<&Settings::server, &Server::body_idle_time_max_ms>,
     "The longest pause between two pieces of a body.", Form::any, "", 1, hour_ms},
    {"server.drain_time_max_ms", at<&Settings::server, &Server::drain_time_max_ms>,
     "How long requests in flight may take when the server stops.", Form::any, "", 0, hour_ms},
    {"server.connections_max", at<&Settings::server, &Server::connections_max>, "Connections open at the same time.",
     Form::any, "", 1, 1'000'000},
    {"server.emergency_connections_max", at<&Settings::server, &Server::emergency_connections_max>,
     "Connections open at the same time at server.emergency_listen.", Form::any, "", 1, 1'000'000},
    {"admission.mode", at<&Settings::admission, &Admission::mode>,
     "off: no limits, no thread weights, no emergency listener. Only for benches.", Form::choice, "full off"},
    {"admission.target_ms", at<&Settings::admission, &Admission::target_ms>,
     "A queue in which nobody waits less than this for interval_ms is overloaded.", Form::any, "", 1, 10'000},
    {"admission.interval_ms", at<&Settings::admission, &Admission::interval_ms>,
     "How long a queue is looked at before it is called overloaded.", Form::any, "", 10, 60'000},
    {"admission.age_max_ms", at<&Settings::admission, &Admission::age_max_ms>,
     "Requests that have waited longer are refused.", Form::any, "", 10, 60'000},
    {"admission.write_seats", at<&Settings::admission, &Admission::write_seats>,
     "Writes that are in work at the same time; more wait.", Form::any, "", 4, 8'192},
    {"admission.ticket_key_file", at<&Settings::admission, &Admission::ticket_key_file>,
     "Its first line, at least 16 bytes, signs priority tickets. Empty: no ticket is valid.", Form::path},
    {"admission.bench_route", at<&Settings::admission, &Admission::bench_route>,
     "on: POST /bench/work?ms=N is there, which works for so long (1). Only for benches.", Form::choice, "off on"},
    {"access.mode", at<&Settings::access, &Access::mode>,
     "on: people log in, applications get tokens (OAuth 2.0, OpenID Connect, SMART App Launch). off: whoever reaches "
     "the "
     "server may everything, and there is no audit.",
     Form::choice, "off on"},
    {"access.key_file", at<&Settings::access, &Access::key_file>,
     "A file whose first line, at least 16 bytes, seals secrets in the store. Empty: they are kept as they are.",
     Form::path},
    {"access.idle_min", at<&Settings::access, &Access::idle_min>,
     "Minutes without a request of a person after which a session of the page ends.", Form::any, "", 1, 24 * 60},
    {"access.session_max_h", at<&Settings::access, &Access::session_max_h>,
     "Hours after which a session of the page ends.", Form::any, "", 1, 7 * 24},
    {"access.token_min", at<&Settings::access, &Access::token_min>,
     "Minutes that the access token of a person is valid; that of a machine: 5.", Form::any, "", 1, 24 * 60},
    {"access.refresh_days", at<&Settings::access, &Access::refresh_days>, "Days that a refresh token can be used.",
     Form::any, "", 1, 3660},
    {"access.totp_roles", at<&Settings::access, &Access::totp_roles>,
     "Roles that log in with a one-time code only, separated by commas; privileged: those of the policy. Empty: none.",
     Form::any},
    {"access.oidc_issuer", at<&Settings::access, &Access::oidc_issuer>,
     "OpenID provider whose access tokens (JWT) are accepted, as https://id.example/realm. Empty: none.", Form::any},
    {"access.oidc_audience", at<&Settings::access, &Access::oidc_audience>,
     "What its tokens must be for (aud): one of these, separated by commas.", Form::any},
    {"access.oidc_roles_claim", at<&Settings::access, &Access::oidc_roles_claim>,
     "The claim that holds roles; dots lead into objects, as realm_access.roles.", Form::any},
    {"access.oidc_roles", at<&Settings::access, &Access::oidc_roles>,
     "Which roles they are here: theirs=ours, separated by commas. Others give none.", Form::any},
    {"access.oidc_tenant_claim", at<&Settings::access, &Access::oidc_tenant_claim>,
     "Where the settings name [[tenants]]: the claim of its tokens that must be, or list, the tenant's name.",
     Form::any},
    {"access.oidc_scopes", at<&Settings::access, &Access::oidc_scopes>,
     "on: the claim scope bounds a token. off: the roles alone do.", Form::choice, "on off"},
    {"access.policy_file", at<&Settings::access, &Access::policy_file>,
     "JSON: what roles may do. Empty: the roles of a hospital as it comes (`mydr24 access policy` prints them).",
     Form::path},
    {"access.organization", at<&Settings::access, &Access::organization>,
     "Organization/ID whose records these are, for Consents that name a custodian. Empty: any custodian is this one.",
     Form::any},
    {"access.ca_file", at<&Settings::access, &Access::ca_file>,
     "Certificates (PEM) that providers and key sets are checked against. Empty: the system's.", Form::path},
    {"audit.folder", at<&Settings::audit, &Audit::folder>,
     "The folder of the audit trail. Empty: \"audit\" in store.path.", Form::path},
    {"audit.retention_days", at<&Settings::audit, &Audit::retention_days>,
     "Days after which audit segments go, but for legal holds. 0: never.", Form::any, "", 0, 36500},
    {"rights.controller", at<&Settings::rights, &Rights::controller>,
     "Who is responsible for the records: name and contact, for the record of processing.", Form::any},
    {"rights.officer", at<&Settings::rights, &Rights::officer>, "The data protection officer: name and contact.",
     Form::any},
    {"rights.legal_basis", at<&Settings::rights, &Rights::legal_basis>, "On which basis records are kept.", Form::any},
    {"rights.transfers", at<&Settings::rights, &Rights::transfers>,
     "Transfers to other countries, and on which basis. Empty: none.", Form::any},
    {"rights.retention_years", at<&Settings::rights, &Rights::retention_years>,
     "Years that clinical records are kept even when their erasure is asked for. 0: none.", Form::any, "", 0, 200},
    {"rights.not_retained", at<&Settings::rights, &Rights::not_retained>,
     "Resource types, separated by commas, that are no clinical record and are erased whenever it is asked.",
     Form::any},
    {"store.path", at<&Settings::store, &Store::path>, "The folder that holds the database.", Form::path},
    {"store.cache_mib", at<&Settings::store, &Store::cache_mib>, "Page cache of the writer, in MiB.", Form::any, "", 1,
     1 << 20},
    {"store.reader_cache_mib", at<&Settings::store, &Store::reader_cache_mib>, "Page cache of each reader, in MiB.",
     Form::any, "", 1, 1 << 20},
    {"store.url", at<&Settings::store, &Store::url>,
     "postgres://user@host:port/database: PostgreSQL in place of the folder.", Form::any},
    {"store.read_urls", at<&Settings::store, &Store::read_urls>,
     "Replicas of that database, for reading, separated by commas.", Form::any},
    {"encryption.key_file", at<&Settings::encryption, &Encryption::key_file>,
     "The key-encryption key of store.path and the audit: 32 bytes as hexadecimal digits or base64, mode 0600. Empty: "
     "neither is encrypted.",
     Form::path},
    {"search.time_max_ms", at<&Settings::search, &Search::time_max_ms>,
     "How long one search may take before it is refused.", Form::any, "", 1, hour_ms},
    {"validation.bindings", at<&Settings::validation, &Validation::bindings>,
     "Codes of every write are checked against the value sets they are bound to.", Form::choice, "on off"},
    {"validation.invariants", at<&Settings::validation, &Validation::invariants>,
     "Every write is checked against the invariants of R4.", Form::choice, "on off"},
    {"validation.profiles", at<&Settings::validation, &Validation::profiles>,
     "Every write is checked against the profiles it names in meta.profile.", Form::choice, "on off"},
    {"validation.packages", at<&Settings::validation, &Validation::packages>,
     "Implementation guides to load: folders or .tgz files, separated by commas.", Form::any},
    {"log.level", at<&Settings::log, &LogKeys::level>, "The least important lines that are written.", Form::choice,
     "debug info warn error"},
    {"log.format", at<&Settings::log, &LogKeys::format>, "auto: text on a terminal, else JSON.", Form::choice,
     "auto json text"},
    {"vitals.sign_valid_min", at<&Settings::vitals, &Vitals::sign_valid_min>,
     "Minutes for which a vital sign counts towards the score.", Form::any, "", 1, 7 * 24 * 60},
    {"vitals.alert_age_max_min", at<&Settings::vitals, &Vitals::alert_age_max_min>,
     "Vital signs that are older, in minutes, never call anybody.", Form::any, "", 1, 7 * 24 * 60},
    {"vitals.forget_after_days", at<&Settings::vitals, &Vitals::forget_after_days>,
     "Days without a new sign after which the state of a patient is given up.", Form::any, "", 2, 3660},
    {"vitals.mqtt_host", at<&Settings::vitals, &Vitals::mqtt_host>,
     "MQTT broker to take vital signs from. Empty: none.", Form::any},
    {"vitals.mqtt_port", at<&Settings::vitals, &Vitals::mqtt_port>, "Its port.", Form::any, "", 1, 65535},
    {"vitals.mqtt_protocol", at<&Settings::vitals, &Vitals::mqtt_protocol>, "Version of MQTT.", Form::choice,
     "5 3.1.1"},
    {"vitals.mqtt_topics", at<&Settings::vitals, &Vitals::mqtt_topics>,
     "Topics to subscribe, separated by commas; the last level is the patient's id.", Form::any},
    {"vitals.mqtt_client_id", at<&Settings::vitals, &Vitals::mqtt_client_id>,
     "Names the session at the broker: another one for each server.", Form::any},
    {"vitals.mqtt_username", at<&Settings::vitals, &Vitals::mqtt_username>, "User at the broker. Empty: anonymous.",
     Form::any},
    {"vitals.mqtt_password_file", at<&Settings::vitals, &Vitals::mqtt_password_file>,
     "File whose first line is the password.", Form::path},
    {"vitals.mqtt_tls", at<&Settings::vitals, &Vitals::mqtt_tls>, "TLS to the broker.", Form::choice, "on off"},
    {"vitals.mqtt_ca_file", at<&Settings::vitals, &Vitals::mqtt_ca_file>,
     "Certificates (PEM) the broker is checked against. Empty: the system's.", Form::path},
    {"notify.link_base", at<&Settings::notify, &Notify::link_base>,
     "How people and providers reach this server, as https://desk.example.org. Empty: no acknowledgement links, no "
     "callbacks.",
     Form::any},
    {"notify.site", at<&Settings::notify, &Notify::site>, "Who calls, in texts and subjects.", Form::any},
    {"notify.time_max_ms", at<&Settings::notify, &Notify::time_max_ms>,
     "How long one attempt to reach somebody may take.", Form::any, "", 100, 60000},
    {"notify.ack_key_file", at<&Settings::notify, &Notify::ack_key_file>,
     "A file whose first line signs acknowledgement links. Empty: a key made once and kept in the store.", Form::path},
    {"notify.ack_valid_min", at<&Settings::notify, &Notify::ack_valid_min>,
     "Minutes for which an acknowledgement link can be used.", Form::any, "", 1, 30 * 24 * 60},
    {"notify.smtp_host", at<&Settings::notify, &Notify::smtp_host>,
     "The mail server that takes our mail (SMTP submission). Empty: no mail.", Form::any},
    {"notify.smtp_port", at<&Settings::notify, &Notify::smtp_port>, "Its port.", Form::any, "", 1, 65535},
    {"notify.smtp_tls", at<&Settings::notify, &Notify::smtp_tls>,
     "required: STARTTLS or no mail. implicit: TLS from the first byte (port 465).", Form::choice,
     "required implicit opportunistic none"},
    {"notify.smtp_ca_file", at<&Settings::notify, &Notify::smtp_ca_file>,
     "Certificates to trust (PEM) in place of the system's.", Form::path},
    {"notify.smtp_user", at<&Settings::notify, &Notify::smtp_user>, "The user at the mail server. Empty: no login.",
     Form::any},
    {"notify.smtp_password_file", at<&Settings::notify, &Notify::smtp_password_file>,
     "A file whose first line is the password.", Form::path},
    {"notify.smtp_from", at<&Settings::notify, &Notify::smtp_from>,
     "Whom mail comes from, as MyDR24 <alerts@hospital.example>.", Form::any},
    {"notify.twilio_url", at<&Settings::notify, &Notify::twilio_url>,
     "The REST API of Twilio, or of a gateway that speaks it.", Form::any},
    {"notify.twilio_account", at<&Settings::notify, &Notify::twilio_account>,
     "The account there. Empty: no SMS and no telephone calls.", Form::any},
    {"notify.twilio_token_file", at<&Settings::notify, &Notify::twilio_token_file>,
     "A file whose first line is its token: password, and key of what comes back.", Form::path},
    {"notify.twilio_from", at<&Settings::notify, &Notify::twilio_from>,
     "The number that SMS come from, as +15551234567.", Form::any},
    {"notify.twilio_voice_from", at<&Settings::notify, &Notify::twilio_voice_from>,
     "The number that calls come from. Empty: twilio_from.", Form::any},
    {"notify.slack_url", at<&Settings::notify, &Notify::slack_url>, "The API of Slack, or of a chat that speaks it.",
     Form::any},
    {"notify.slack_token_file", at<&Settings::notify, &Notify::slack_token_file>,
     "A file whose first line is the token for chat.postMessage. Empty: incoming webhooks only.", Form::path},
    {"notify.slack_signing_secret_file", at<&Settings::notify, &Notify::slack_signing_secret_file>,
     "A file whose first line checks buttons pressed. Empty: messages have no buttons.", Form::path},
    {"notify.pagerduty_url", at<&Settings::notify, &Notify::pagerduty_url>,
     "The Events API v2 of PagerDuty, or of a service that speaks it.", Form::any},
    {"notify.pagerduty_webhook_secret_file", at<&Settings::notify, &Notify::pagerduty_webhook_secret_file>,
     "A file whose first line checks its webhooks. Empty: they are refused.", Form::path},
    {"notify.template_sms", at<&Settings::notify, &Notify::template_sms>,
     "The text of an SMS, with fields as {{title}}. Empty: the built-in one.", Form::any},
    {"notify.template_voice", at<&Settings::notify, &Notify::template_voice>,
     "What a call says, with fields as {{title}}. Empty: the built-in one.", Form::any},
    {"notify.template_mail_subject", at<&Settings::notify, &Notify::template_mail_subject>,
     "The subject of a mail, with fields as {{title}}. Empty: the built-in one.", Form::any},
    {"notify.template_mail_text", at<&Settings::notify, &Notify::template_mail_text>,
     "The text of a mail, with fields as {{title}}. Empty: the built-in one.", Form::any},
    {"notify.template_chat", at<&Settings::notify, &Notify::template_chat>,
     "The text of a chat message, with fields as {{title}}. Empty: the built-in one.", Form::any},
    {"notify.template_pagerduty", at<&Settings::notify, &Notify::template_pagerduty>,
     "The summary of a PagerDuty event, with fields as {{title}}. Empty: the built-in one.", Form::any},
    {"alerting.escalate_after_s", at<&Settings::alerting, &Alerting::escalate_after_s>,
     "Seconds without an acknowledgement until the next step is called.", Form::any, "", 1, 24 * 3600},
    {"alerting.routing", at<&Settings::alerting, &Alerting::routing>,
     "Alertmanager configuration (YAML) for alerts with labels. Empty: all go to the on-call policy.", Form::path},
    {"alerting.matchers", at<&Settings::alerting, &Alerting::matchers>,
     "How matchers and label names are read: as Alertmanager does since 0.27, or before.", Form::choice,
     "utf8 classic"},
    {"alerting.route_prefix", at<&Settings::alerting, &Alerting::route_prefix>,
     "Path below which the Alertmanager API stands, as /alerts.", Form::any},
    {"alerting.start_delay_ms", at<&Settings::alerting, &Alerting::start_delay_ms>,
     "After a start, groups are not told of before; emergencies are.", Form::any, "", 0, hour_ms},
    {"alerting.feed", at<&Settings::alerting, &Alerting::feed>,
     "Matchers of alerts that must always come, as alertname=Watchdog. Empty: none.", Form::any},
    {"alerting.feed_silent_s", at<&Settings::alerting, &Alerting::feed_silent_s>,
     "Seconds without them until FeedMissing is raised.", Form::any, "", 1, 24 * 3600},
    {"alerting.close_idle_days", at<&Settings::alerting, &Alerting::close_idle_days>,
     "Days until an alert is closed of which neither a person nor its source speaks; never an emergency. 0: never.",
     Form::any, "", 0, 3650},
    {"alerting.clear_days", at<&Settings::alerting, &Alerting::clear_days>,
     "Days after its end until an alert and its calls are cleared away; history and journal stay. 0: never.", Form::any,
     "", 0, 3650},
    {"changes.policy_file", at<&Settings::changes, &server::ChangesSection::policy_file>,
     "JSON: who approves changes, when nothing is changed, which commands may be run (docs/changes.md). Empty: the "
     "board "
     "that comes with the program.",
     Form::path},
    {"changes.scopes", at<&Settings::changes, &server::ChangesSection::scopes>,
     "What this server belongs to, with commas: lab, non-clinical, ward/NAME, region/NAME. A live setting may have a "
     "value of "
     "its own for each.",
     Form::any},
    {"console.site", at<&Settings::console, &server::ConsoleSection::site>,
     "Name of the site, shown in the web console. Empty: none.", Form::any},
    {"console.zone", at<&Settings::console, &server::ConsoleSection::zone>,
     "IANA time zone of all that the web console shows and reads, as Europe/Berlin. Empty: that of each browser.",
     Form::zone},
    {"series.mode", at<&Settings::series, &Series::mode>,
     "on: a history of what is counted is kept and can be asked for, as of a Prometheus.", Form::choice, "on off"},
    {"series.collect_every_s", at<&Settings::series, &Series::collect_every_s>,
     "Seconds between two samples of the server's own metrics.", Form::any, "", 1, 60},
    {"series.series_max", at<&Settings::series, &Series::series_max>, "Series beyond these are refused.", Form::any, "",
     100, 1'000'000},
    {"series.memory_mib", at<&Settings::series, &Series::memory_mib>,
     "Packed samples in memory, in MiB. Beyond it the oldest go before their time.", Form::any, "", 1, 1 << 16},
    {"series.raw_hours", at<&Settings::series, &Series::raw_hours>, "Hours for which samples are kept as they came.",
     Form::any, "", 1, 720},
    {"series.minute_days", at<&Settings::series, &Series::minute_days>, "Days for which each minute is kept.",
     Form::any, "", 1, 90},
    {"series.hour_days", at<&Settings::series, &Series::hour_days>, "Days for which each hour is kept.", Form::any, "",
     1, 3660},
    {"series.otlp_url", at<&Settings::series, &Series::otlp_url>,
     "Where an OpenTelemetry collector takes metrics (OTLP/HTTP), as http://collector:4318/v1/metrics. Empty: none.",
     Form::any},
    {"series.otlp_every_s", at<&Settings::series, &Series::otlp_every_s>, "Seconds between two exports.", Form::any, "",
     1, 3600},
    {"series.otlp_encoding", at<&Settings::series, &Series::otlp_encoding>, "How exports are written.", Form::choice,
     "protobuf json"},
    {"traces.otlp_url", at<&Settings::traces, &Traces::otlp_url>,
     "Where an OpenTelemetry collector takes traces (OTLP/HTTP), as http://collector:4318/v1/traces. Empty: none are "
     "made.",
     Form::any},
    {"traces.otlp_every_ms", at<&Settings::traces, &Traces::otlp_every_ms>, "Time between two exports.", Form::any, "",
     100, hour_ms},
    {"traces.otlp_encoding", at<&Settings::traces, &Traces::otlp_encoding>, "How exports are written.", Form::choice,
     "protobuf json"},
    {"traces.sample_per_million", at<&Settings::traces, &Traces::sample_per_million>,
     "Of a million requests whose callers send no traceparent, how many are traced.", Form::any, "", 0, 1'000'000},
    {"traces.slow_ms", at<&Settings::traces, &Traces::slow_ms>,
     "A request that takes as long is traced whatever the sample says. 0: none is.", Form::any, "", 0, hour_ms},
    {"traces.beyond_per_s_max", at<&Settings::traces, &Traces::beyond_per_s_max>,
     "Traces of one second that callers ask for, or of requests that were slow or failed; more are not made.",
     Form::any, "", 0, 100'000},
    {"monitor.heartbeat_url", at<&Settings::monitor, &Monitor::heartbeat_url>,
     "Called every monitor.probe_every_s while the monitor works: who watches from outside misses it else. Empty: "
     "none. With tenants it contains {tenant}.",
     Form::any},
    {"monitor.probes", at<&Settings::monitor, &Monitor::probes>,
     "Further addresses of synthetic emergencies, as email=probe@hospital.example,sms=+15550100.", Form::any},
    {"monitor.probe_every_s", at<&Settings::monitor, &Monitor::probe_every_s>,
     "Seconds between synthetic emergencies over each channel.", Form::any, "", 1, 120},
});

std::string in_quotes(std::string_view text) {
  std::string out;
  json::append_quoted(out, text);
  return out;
}

std::string value_text(const Key& key, Settings& settings) {
  if (const auto* text = std::get_if<Key::Text>(&key.member)) {
    const auto& value = (*text)(settings);
    return in_quotes(key.name == "store.url" || key.name == "store.read_urls" ? shown_url(value) : value);
  }
  return std::to_string(std::get<Key::Number>(key.member)(settings));
}

std::string steps_text(const std::vector<std::vector<std::string>>& steps) {
  std::string out = "[";
  for (const auto& step : steps) {
    out += out.size() > 1 ? ", [" : "[";
    for (std::size_t i = 0; i < step.size(); ++i) out += (i > 0 ? ", " : "") + in_quotes(step[i]);
    out += "]";
  }
  return out + "]";
}

}  // namespace

std::string shown_url(const std::string& url) {
  const std::size_t scheme_end = url.find("://");
  if (scheme_end == url.npos) return url.empty() ? url : "...";
  std::size_t host_begin = scheme_end + 3;
  const std::size_t host_end = std::min(url.find_first_of("/?#", host_begin), url.size());
  if (const std::size_t user_end = url.find('@', host_begin); user_end < host_end) host_begin = user_end + 1;
  return url.substr(0, scheme_end + 3) + url.substr(host_begin, host_end - host_begin) +
         (host_end < url.size() ? "/..." : "");
}

std::span<const Key> keys() { return table; }

std::string environment_name(std::string_view key) {
  std::string name = "MYDR24_";
  for (const char c : key) {
    if (c == '.') {
      name += "__";
    } else {
      name += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
  }
  return name;
}

std::vector<ShownValue> show(const Config& config, bool with_defaults) {
  Settings settings = config.settings;
  std::vector<ShownValue> shown;
  const auto add = [&](std::string name, std::string value) {
    const auto origin = config.origins.find(name);
    if (origin == config.origins.end() && !with_defaults) return;
    shown.push_back({std::move(name), std::move(value), origin == config.origins.end() ? "default" : origin->second});
  };
  for (const Key& key : table) add(std::string(key.name), value_text(key, settings));
  add("alerting.steps", steps_text(settings.alerting.steps));
  const auto origin = config.origins.find("alerting.contacts");
  for (std::size_t i = 0; i < settings.alerting.contacts.size(); ++i) {
    const server::ContactSection& contact = settings.alerting.contacts[i];
    const std::string where = origin == config.origins.end() ? "default" : origin->second;
    shown.push_back({fmt::format("alerting.contacts[{}].name", i), in_quotes(contact.name), where});
    shown.push_back(
        {fmt::format("alerting.contacts[{}].webhook_url", i), in_quotes(shown_url(contact.webhook_url)), where});
    shown.push_back(
        {fmt::format("alerting.contacts[{}].webhook_secret_file", i), in_quotes(contact.webhook_secret_file), where});
  }
  for (std::size_t i = 0; i < settings.tenants.size(); ++i) {
    const auto& tenant = settings.tenants[i];
    shown.push_back({fmt::format("tenants[{}].name", i), in_quotes(tenant.name), config.origins.at("tenants")});
    shown.push_back({fmt::format("tenants[{}].hosts", i), in_quotes(fmt::format("{}", fmt::join(tenant.hosts, " "))),
                     config.origins.at("tenants")});
    shown.push_back({fmt::format("tenants[{}].tier", i), in_quotes(tenant.tier), config.origins.at("tenants")});
  }
  return shown;
}

namespace {

constexpr std::string_view steps_example =
    "# Escalation steps in order; each names the contacts that are called together. Empty: one step with everybody.\n"
    "#steps = [[\"ward nurse\"], [\"registrar\", \"charge nurse\"]]\n";

}  // namespace

std::string example_file() {
  Settings defaults;
  std::string out =
      "# MyDR24. Every key with its default; take the '#' away to set one. The environment goes before this "
      "file:\n"
      "# MYDR24_SERVER__LISTEN sets listen of [server]. Check with: mydr24 config validate --config FILE\n";
  std::string_view section;
  for (const Key& key : table) {
    const std::size_t dot = key.name.find('.');
    if (key.name.substr(0, dot) != section) {
      if (section == "alerting") out += steps_example;
      section = key.name.substr(0, dot);
      out += fmt::format("\n[{}]\n", section);
    }
    out += fmt::format("# {}\n", key.doc);
    if (key.form == Form::choice) out += fmt::format("# One of: {}\n", key.choices);
    out += fmt::format("#{} = {}\n", key.name.substr(dot + 1), value_text(key, defaults));
  }
  out +=
      "\n"
      "# Whom alerts reach. Without webhook_url: the console only. The content of webhook_secret_file signs "
      "the calls.\n"
      "#[[alerting.contacts]]\n"
      "#name = \"ward nurse\"\n"
      "#webhook_url = \"https://pager.example/hook\"\n"
      "#webhook_secret_file = \"/etc/mydr24/pager.secret\"\n"
      "\n";
  return out + tenants_example();
}

}  // namespace mydr24::cli
