#pragma once

// Every setting of a deployment, with its default. app/cli/config fills it from flags, environment, file (TOML);
// nothing else reads settings from outside. A name here is the name in the file: [section] key.

#include <cstdint>
#include <string>
#include <vector>

namespace mydr24::server {

struct ServerSection {
  std::string listen = "127.0.0.1:8024";  // FHIR, desk API and page; port 0: any free one
  std::string admin = "127.0.0.1:8025";   // /livez /readyz /healthz /metrics; loopback only
  std::int64_t threads = 0;               // I/O threads; 0: as many as processors
  std::int64_t workers = 0;               // threads for searches and large bodies; 0: as many as processors
  std::string tls_certificate_file;       // PEM; with tls_key_file: HTTPS instead of HTTP
  std::string tls_key_file;
  std::string base_url;                    // how clients reach /fhir/R4, for links; empty: from the Host header
  std::int64_t body_bytes_max = 32 << 20;  // one resource or Bundle
  std::int64_t header_time_max_ms = 10'000;
  std::int64_t idle_time_max_ms = 120'000;
  std::int64_t body_idle_time_max_ms = 20'000;
  std::int64_t drain_time_max_ms = 10'000;
  std::int64_t connections_max = 18'000;
};

struct StoreSection {
  std::string path = "mydr24-data";  // the folder that holds the database
  std::int64_t cache_mib = 48;       // page cache of the writer
  std::string url;                   // postgres://...: PostgreSQL in place of the folder
  std::string read_urls;             // replicas for reading, separated by commas
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
};

struct Settings {
  ServerSection server;
  StoreSection store;
  SearchSection search;
  ValidationSection validation;
  LogSection log;
  VitalsSection vitals;
  AlertingSection alerting;
  bool demo = false;  // not from outside: set by `mydr24 demo`, so that the page says that nothing on it is real
};

}  // namespace mydr24::server
