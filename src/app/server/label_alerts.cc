#include "app/server/label_alerts.h"

#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "app/server/server.h"

namespace mydr24::server {
namespace {

// Without a file: everything to the on-call policy, what is urgent sooner.
constexpr std::string_view default_routing = R"(route:
  receiver: on-call
  group_by: [alertname]
  group_wait: 30s
  group_interval: 1m
  repeat_interval: 4h
  routes:
  - matchers: ['severity=~"urgent|critical|error|high"']
    group_wait: 1s
receivers:
- name: on-call
  oncall_configs:
  - policy: ""
)";

constexpr std::chrono::seconds judge_every{1};
constexpr std::chrono::minutes judged_lasts{1};

routing::Names names_of(const AlertingSection& settings) {
  return settings.matchers == "classic" ? routing::Names::classic : routing::Names::utf8;
}

groups::Settings groups_settings(const AlertingSection& settings, const std::string& base_url,
                                 const telemetry::Log& log, alerts::Dispatcher& dispatcher) {
  return {.names = names_of(settings),
          .start_delay = std::chrono::milliseconds(settings.start_delay_ms),
          .external_url = base_url,
          .unrecorded = [&log, &dispatcher](const groups::Alert& alert, int round) {
            log.error("an emergency could not be written down; people are called from memory");
            const std::string_view name = alert.labels["alertname"];
            dispatcher.call_from_memory({.id = "label-" + routing::to_text(routing::fingerprint(alert.labels)),
                                         .title = name.empty() ? std::string("Emergency") : std::string(name),
                                         .raised_at = alert.starts_at,
                                         .round = round});
          }};
}

}  // namespace

LabelAlerts::LabelAlerts(const AlertingSection& settings, const std::string& base_url, const alerts::Book& book,
                         store::Store& store, WorkerPool& workers, const telemetry::Log& log, const Clock& clock,
                         alerts::Dispatcher& dispatcher, notify::ConsoleHub& hub)
    : settings_(settings),
      workers_(workers),
      log_(log),
      clock_(clock),
      store_(store),
      book_(book),
      groups_(book, clock, groups_settings(settings, base_url, log, dispatcher)),
      hub_(hub) {}

Result<routing::ConfigPtr> LabelAlerts::load() const {
  std::string text(default_routing);
  if (!settings_.routing.empty()) {
    std::ifstream in(settings_.routing);
    std::ostringstream all;
    if (!in || !(all << in.rdbuf()))
      return fail(Code::invalid, fmt::format("\"{}\" cannot be read", settings_.routing), "alerting.routing");
    text = std::move(all).str();
  }
  auto config = routing::load_config(text, names_of(settings_));
  if (!config) {
    Error error = std::move(config).error();
    error.where = fmt::format("{}: {}", settings_.routing, error.where);
    return error;
  }
  for (const std::string& warning : (*config)->warnings)
    log_.write(telemetry::Level::warn, "routing", {{"detail", warning}});
  return config;
}

Result<> LabelAlerts::make_feed() {
  if (settings_.feed.empty()) return {};
  auto matchers = routing::parse_matchers(settings_.feed, names_of(settings_));
  if (!matchers) return fail(Code::invalid, std::move(matchers).error().text, "alerting.feed");
  feed_ = std::make_unique<groups::Feed>(std::move(*matchers), std::chrono::seconds(settings_.feed_silent_s),
                                         clock_.steady());
  return {};
}

Result<> LabelAlerts::start() {
  MYDR24_TRY(make_feed());
  MYDR24_ASSIGN(routing::ConfigPtr config, load());
  MYDR24_TRY(groups_.start(store_, std::move(config)));
  store_.add_follower(*this);
  return {};
}

// That something became of one: who may see what reads it.
Result<> LabelAlerts::follow(std::span<const store::Event> events) {
  for (const store::Event& event : events)
    if (event.kind.starts_with("silence.")) hub_.publish(event.kind, "{}");
  return {};
}

void LabelAlerts::add_routes(pipeline::Router& router) {
  service_ = std::make_unique<alert_api::Service>(alert_api::Service{groups_, store_, book_, workers_, clock_,
                                                                     [this] { return load(); }, settings_.route_prefix,
                                                                     std::string(version)});
  if (feed_) {
    service_->seen = [this](const groups::Alert& alert) {
      const std::lock_guard lock(feed_mutex_);
      feed_->see(alert.labels, clock_.steady());
    };
  }
  alert_api::add_routes(router, *service_);
}

void LabelAlerts::add_metrics(telemetry::Metrics& metrics) {
  const auto known = metrics.gauge("label_alerts", "Alerts with labels that are known");
  const auto groups = metrics.gauge("label_alert_groups", "Groups of alerts with labels");
  const auto received = metrics.gauge("label_alerts_received", "Alerts with labels that came in, since the start");
  const auto sent = metrics.gauge("label_notifications_sent", "Notifications of groups, since the start");
  const auto failed = metrics.gauge("label_notifications_failed", "Attempts at them that failed, since the start");
  const auto unrecorded =
      metrics.gauge("label_alerts_unrecorded", "Emergencies that are not written down: people are called from memory");
  metrics.before_expose([=, this] {
    const groups::Counters& counters = groups_.counters();
    unrecorded.set(static_cast<double>(counters.unrecorded));
    known.set(static_cast<double>(counters.known));
    groups.set(static_cast<double>(counters.groups));
    received.set(static_cast<double>(counters.received));
    sent.set(static_cast<double>(counters.sent));
    failed.set(static_cast<double>(counters.failed));
  });
}

void LabelAlerts::raise(routing::Alert alert) {
  std::vector<groups::Alert> alerts;
  alerts.push_back(std::move(alert));
  groups_.take_later(std::move(alerts));
}

void LabelAlerts::tick() {
  groups_.tick();
  const auto steady = clock_.steady();
  if (steady < judged_at_ + judge_every) return;
  judged_at_ = steady;
  const Instant now = clock_.now();
  std::vector<groups::Alert> found;
  if (feed_) {
    const std::lock_guard lock(feed_mutex_);
    if (auto missing = feed_->judge(steady, now, judged_lasts)) found.push_back(std::move(*missing));
  }
  if (!found.empty()) groups_.take_later(std::move(found));
}

void LabelAlerts::stop() { groups_.stop(); }

}  // namespace mydr24::server
