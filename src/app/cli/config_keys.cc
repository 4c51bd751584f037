#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "app/cli/config.h"
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
using Store = server::StoreSection;
using Search = server::SearchSection;
using Validation = server::ValidationSection;
using LogKeys = server::LogSection;
using Vitals = server::VitalsSection;
using Alerting = server::AlertingSection;
using Form = Key::Form;

constexpr std::int64_t hour_ms = 3'600'000;

constexpr std::array<Key, 33> table{{
    {"server.listen", at<&Settings::server, &Server::listen>,
     "Address and port of the FHIR interface, the desk and the console. Port 0: any free one.", Form::address},
    {"server.admin", at<&Settings::server, &Server::admin>,
     "Address and port of /livez /readyz /healthz /metrics: keep it on the loopback.", Form::address},
    {"server.threads", at<&Settings::server, &Server::threads>, "I/O threads. 0: as many as processors.", Form::any, "",
     0, 1024},
    {"server.workers", at<&Settings::server, &Server::workers>,
     "Threads for searches and large bodies. 0: as many as processors.", Form::any, "", 0, 1024},
    {"server.tls_certificate_file", at<&Settings::server, &Server::tls_certificate_file>,
     "Certificate chain (PEM). With tls_key_file: HTTPS instead of HTTP.", Form::path},
    {"server.tls_key_file", at<&Settings::server, &Server::tls_key_file>, "Private key (PEM).", Form::path},
    {"server.base_url", at<&Settings::server, &Server::base_url>,
     "How clients reach /fhir/R4, for links in answers. Empty: from the Host header.", Form::any},
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
    {"store.path", at<&Settings::store, &Store::path>, "The folder that holds the database.", Form::path},
    {"store.cache_mib", at<&Settings::store, &Store::cache_mib>, "Page cache of the writer, in MiB.", Form::any, "", 1,
     1 << 20},
    {"store.url", at<&Settings::store, &Store::url>,
     "postgres://user@host:port/database: PostgreSQL in place of the folder.", Form::any},
    {"store.read_urls", at<&Settings::store, &Store::read_urls>,
     "Replicas of that database, for reading, separated by commas.", Form::any},
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
}};

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
  return shown;
}

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
      section = key.name.substr(0, dot);
      out += fmt::format("\n[{}]\n", section);
    }
    out += fmt::format("# {}\n", key.doc);
    if (key.form == Form::choice) out += fmt::format("# One of: {}\n", key.choices);
    out += fmt::format("#{} = {}\n", key.name.substr(dot + 1), value_text(key, defaults));
  }
  out +=
      "# Escalation steps in order; each names the contacts that are called together. Empty: one step with "
      "everybody.\n"
      "#steps = [[\"ward nurse\"], [\"registrar\", \"charge nurse\"]]\n"
      "\n"
      "# Whom alerts reach. Without webhook_url: the console only. The content of webhook_secret_file signs "
      "the calls.\n"
      "#[[alerting.contacts]]\n"
      "#name = \"ward nurse\"\n"
      "#webhook_url = \"https://pager.example/hook\"\n"
      "#webhook_secret_file = \"/etc/mydr24/pager.secret\"\n";
  return out;
}

}  // namespace mydr24::cli
