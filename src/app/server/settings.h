#pragma once

// Every setting of a deployment, with its default. app/cli/config fills it from flags, environment, file (TOML);
// nothing else reads settings from outside. A name here is the name in the file: [section] key.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace mydr24::server {

struct ServerSection {
  std::string listen = "127.0.0.1:8024";  // FHIR, desk API and page; port 0: any free one
  // For what must get through while the general listener is flooded: own accept queue and threads. "auto": two ports above
  // `listen` (127.0.0.1:8026); empty: none.
  std::string emergency_listen = "auto";
  std::string admin = "127.0.0.1:8025";  // /livez /readyz /healthz /metrics; loopback only
  std::int64_t threads = 0;              // I/O threads; 0: as many as processors
  std::int64_t workers = 0;              // threads for searches and large bodies; 0: as many as processors; with a
                                         // database server, for which they wait, four times as many, at least 8
  std::string tls_certificate_file;      // PEM; with tls_key_file: HTTPS instead of HTTP
  std::string tls_key_file;
  std::string tls_client_ca_file;  // PEM: who connects must show a certificate of one of these; empty: nobody must
  std::string tls_client_listeners = "all";  // where: all, or emergency
  std::string base_url;                      // how clients reach /fhir/R4, for links; empty: from the Host header
  std::string own_urls;                      // further URLs they reach it by, with commas
  std::string cors_origins;  // of pages that may read /fhir beside those of registered applications, with commas
  // Where targets that people enter (webhooks, key sets of clients) may lead: "any", "public", or networks beside the
  // public ones, with commas. "auto": public when access.mode is on, else any.
  std::string call_networks = "auto";
  std::int64_t body_bytes_max = 32 << 20;  // one resource or Bundle
  std::int64_t header_time_max_ms = 10'000;
  std::int64_t idle_time_max_ms = 120'000;
  std::int64_t body_idle_time_max_ms = 20'000;
  std::int64_t drain_time_max_ms = 10'000;
  std::int64_t connections_max = 18'000;
  std::int64_t emergency_connections_max = 2'000;
};

// Who is let in when more is asked than can be done.
struct AdmissionSection {
  // "off": no limits, no refusals, no thread weights, no emergency listener. For benches, to see what would happen.
  std::string mode = "full";
  std::int64_t target_ms = 20;  // a queue in which nobody waits less for interval_ms is overloaded
  std::int64_t interval_ms = 100;
  std::int64_t age_max_ms = 1'000;  // who has waited longer is refused
  std::int64_t write_seats = 128;   // writes in flight; more wait
  std::string ticket_key_file;      // its first line signs priority tickets; empty: there are none
  std::string bench_route = "off";  // "on": POST /bench/work, a millisecond of work, for benches
};

struct StoreSection {
  std::string path = "mydr24-data";    // the folder that holds the database
  std::int64_t cache_mib = 48;         // page cache of the writer
  std::int64_t reader_cache_mib = 32;  // page cache of each reader, filled as it is needed
  std::string url;                     // postgres://...: PostgreSQL in place of the folder
  std::string read_urls;               // replicas for reading, separated by commas
};

// What is on the disk (docs/encryption.md).
struct EncryptionSection {
  std::string key_file;  // 32 bytes in hexadecimal digits or base64: wraps the keys of store and audit; empty: plain
};

struct SearchSection {
  std::int64_t time_max_ms = 10'000;  // one search; beyond it is refused
};

// What is checked of every write beyond its structure: "on" or "off".
struct ValidationSection {
  std::string bindings = "on";
  std::string invariants = "on";
  std::string profiles = "on";
  std::string packages;  // implementation guides: folders or .tgz files, separated by commas
};

struct LogSection {
  std::string level = "info";   // debug, info, warn, error
  std::string format = "auto";  // json, text, auto: text on a terminal
};

struct VitalsSection {
  std::int64_t sign_valid_min = 720;    // how long a sign counts towards the score
  std::int64_t alert_age_max_min = 60;  // signs older than this never page
  std::int64_t forget_after_days = 30;  // without a new sign, the state of a patient is given up
  std::string mqtt_host;                // of a broker to subscribe at; empty: none
  std::int64_t mqtt_port = 1883;
  std::string mqtt_protocol = "5";  // or 3.1.1
  std::string mqtt_topics = "mydr24/vitals/+";
  std::string mqtt_client_id = "mydr24";  // names the session at the broker
  std::string mqtt_username;
  std::string mqtt_password_file;
  std::string mqtt_tls = "off";
  std::string mqtt_ca_file;  // PEM; empty: the system's
};

// How people and systems outside are reached. Files hold a secret in their first line.
struct NotifySection {
  std::string link_base;        // how people and providers reach this server; empty: no links, no callbacks
  std::string site = "MyDR24";  // who calls, in texts
  std::int64_t time_max_ms = 5'000;
  std::string ack_key_file;  // signs acknowledgement links; empty: a key kept in the store
  std::int64_t ack_valid_min = 1'440;
  std::string smtp_host;  // empty: no mail
  std::int64_t smtp_port = 587;
  std::string smtp_tls = "required";  // required, implicit, opportunistic, none
  std::string smtp_ca_file;
  std::string smtp_user;
  std::string smtp_password_file;
  std::string smtp_from;
  std::string twilio_url = "https://api.twilio.com";
  std::string twilio_account;  // empty: no SMS, no voice
  std::string twilio_token_file;
  std::string twilio_from;
  std::string twilio_voice_from;  // empty: twilio_from
  std::string slack_url = "https://slack.com";
  std::string slack_token_file;
  std::string slack_signing_secret_file;
  std::string pagerduty_url = "https://events.pagerduty.com";
  std::string pagerduty_webhook_secret_file;
  std::string template_sms;  // empty: the built-in text; likewise the others
  std::string template_voice;
  std::string template_mail_subject;
  std::string template_mail_text;
  std::string template_chat;
  std::string template_pagerduty;
};

struct ContactSection {
  std::string name;
  std::string webhook_url;          // empty: the console feed only
  std::string webhook_secret_file;  // its content signs the webhooks
};

struct AlertingSection {
  std::int64_t escalate_after_s = 30;
  // Escalation steps in order; each names the contacts called together. Empty: one step with every contact.
  std::vector<std::vector<std::string>> steps;
  std::vector<ContactSection> contacts;
  std::string routing;  // Alertmanager configuration (YAML) for alerts with labels; empty: all to the on-call policy
  std::string matchers = "utf8";    // utf8, classic: how matchers and label names are read
  std::string route_prefix;         // of the Alertmanager API: "/foo"
  std::int64_t start_delay_ms = 0;  // after a start, before groups are told of
  std::string feed;                 // matchers of alerts that must always come; empty: none
  std::int64_t feed_silent_s = 300;
  std::int64_t close_idle_days = 0;  // an alert that nobody speaks of, emergencies excepted; 0: never
  std::int64_t clear_days = 0;       // after its end an alert's row and calls go; 0: never
};

// History of what is counted (docs/monitoring.md).
struct SeriesSection {
  std::string mode = "on";           // off: nothing is kept, no queries, no remote write
  std::int64_t collect_every_s = 5;  // the server's own metrics
  std::int64_t series_max = 20'000;  // more are refused
  std::int64_t memory_mib = 192;     // of packed samples; beyond it the oldest go before their time
  std::int64_t raw_hours = 6;        // samples as they came
  std::int64_t minute_days = 7;      // a minute as one
  std::int64_t hour_days = 400;      // an hour as one
  std::string otlp_url;              // of an OpenTelemetry collector that metrics are sent to; empty: none
  std::int64_t otlp_every_s = 15;
  std::string otlp_encoding = "protobuf";  // or json
};

// What requests spent their time on (docs/monitoring.md).
struct TracesSection {
  std::string otlp_url;                // of an OpenTelemetry collector that traces are sent to; empty: there are none
  std::int64_t otlp_every_ms = 5'000;  // between two exports
  std::string otlp_encoding = "protobuf";  // or json
  std::int64_t sample_per_million = 0;     // of requests whose callers say nothing of a trace
  std::int64_t slow_ms = 1'000;            // who takes as long is traced whatever the sample says; 0: nobody
  std::int64_t beyond_per_s_max = 100;     // that callers ask for, or that were slow or failed; more are not traced
};

// What the server watches of itself (docs/monitoring.md).
struct MonitorSection {
  std::string heartbeat_url;        // called every probe_every_s while all works; empty: none
  std::string probes;               // further addresses of synthetic emergencies: "email=probe@x.example,sms=+15550100"
  std::int64_t probe_every_s = 60;  // synthetic emergencies and heartbeats
};

// Who gets in.
struct AccessSection {
  std::string mode = "on";          // off: whoever reaches a listener may everything, and nothing is recorded
  std::string key_file;             // its first line seals what is secret in the store; empty: it is kept as it is
  std::int64_t idle_min = 15;       // without a request of a person, a session of our page ends
  std::int64_t session_max_h = 12;  // a session of our page
  std::int64_t token_min = 60;      // an access token of a person; of a machine: 5 minutes
  std::int64_t refresh_days = 90;   // a refresh token
  // Who needs one-time codes, with commas; "privileged": those that the policy calls so.
  std::string totp_roles = "privileged";
  std::string oidc_issuer;    // an OpenID provider whose tokens are accepted; empty: none
  std::string oidc_audience;  // what its tokens must be for, with commas
  std::string oidc_roles_claim = "roles";
  std::string oidc_roles;                    // "theirs=ours", with commas
  std::string oidc_tenant_claim = "tenant";  // where there are tenants: must be, or list, the tenant's name
  std::string oidc_scopes = "on";            // on: the claim scope bounds a token; off: the roles alone do
  std::string policy_file;                   // JSON: what roles may do; empty: the roles of a hospital as it comes
  std::string organization;  // "Organization/1": whose records these are, for Consents that name a custodian
  std::string ca_file;       // PEM, for providers and key sets; empty: the system's
};

// The trail of every access and refusal; kept while access.mode is on.
struct AuditSection {
  std::string folder;                  // empty: "audit" in store.path
  std::int64_t retention_days = 2190;  // what is older goes, but for legal holds; 0: nothing ever
};

// Changes of the platform (docs/changes.md).
struct ChangesSection {
  std::string policy_file;  // JSON: board, calendar, commands; empty: the one that comes with the program
  std::string scopes;       // what this server belongs to, with commas: lab, non-clinical, ward/NAME, region/NAME
};

// What the web console shows of where it stands.
struct ConsoleSection {
  std::string site;  // its name, beside the product's; empty: none
  std::string zone;  // IANA time zone of all that it shows and reads; empty: that of each browser
};

// What the law asks of who keeps records of people (docs/rights.md).
struct RightsSection {
  std::string controller;  // who is responsible: name and contact
  std::string officer;     // the data protection officer: name and contact
  std::string legal_basis = "GDPR 9(2)(h): care";
  std::string transfers;              // to countries outside, and on which basis; empty: none
  std::int64_t retention_years = 10;  // how long clinical records are kept whatever is asked; 0: not at all
  // Resource types that are no clinical record: erased whenever it is asked.
  std::string not_retained = "Appointment,AppointmentResponse,Basic,Communication,Coverage,RelatedPerson";
};

// One of several organizations that share a server: a store, people, rules and an audit trail of its own. What is empty is as
// in the sections above.
struct TenantSection {
  std::string name;  // 1 to 32 of a-z 0-9 -; in its tokens, log lines, metrics, and the name of its folder
  std::vector<std::string> hosts;    // names it is reached by, without port
  std::string tier = "basic";        // see tenants.h
  std::string path;                  // the folder of its store; empty: tenants/NAME in store.path
  std::string url;                   // postgres://...: a database of its own
  std::string base_url;              // empty: its first host, with the scheme and port of server.listen
  std::string organization;          // access.organization
  std::string policy_file;           // access.policy_file
  std::string routing;               // alerting.routing
  std::string encryption_key_file;   // encryption.key_file
  std::string site;                  // console.site
  std::string zone;                  // console.zone
  std::string mqtt_topics;           // vitals.mqtt_topics; empty: it does not subscribe
  std::int64_t requests_per_s = -1;  // emergencies and urgent ones are not counted; -1: as its tier says, 0: no limit
  std::int64_t storage_mib = -1;     // beyond it only emergencies and urgent writes are taken; likewise
};

struct Settings {
  ServerSection server;
  AdmissionSection admission;
  AccessSection access;
  AuditSection audit;
  RightsSection rights;
  StoreSection store;
  EncryptionSection encryption;
  SearchSection search;
  ValidationSection validation;
  LogSection log;
  VitalsSection vitals;
  NotifySection notify;
  AlertingSection alerting;
  ChangesSection changes;
  ConsoleSection console;
  SeriesSection series;
  TracesSection traces;
  MonitorSection monitor;
  std::vector<TenantSection> tenants;  // none: one that has no name and answers for every host
  std::string tenant;                  // whose settings these are, see tenant_settings(); empty: the only one's
  bool invites = true;  // not from outside: unset where nobody could log in, so that no set-up link is printed
  bool demo = false;    // not from outside: set by `mydr24 demo`, so that the page says that nothing on it is real
};

// Whether only this machine reaches that address, HOST:PORT.
bool is_on_loopback(std::string_view address);

// What a setting lists with commas; empty items are left out.
std::vector<std::string> list_of(std::string_view text);

// Where the trail is: audit.folder, or its place in the data folder.
std::filesystem::path audit_folder(const Settings& settings);

// Of server.workers: what 0 stands for is settled here.
std::size_t worker_count(const Settings& settings);

}  // namespace mydr24::server
