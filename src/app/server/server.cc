#include "app/server/server.h"

#include <fmt/format.h>

#include <atomic>
#include <charconv>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <mutex>
#include <thread>

#include "alerting/alerts/dispatcher.h"
#include "api/desk_api/desk_api.h"
#include "api/fhir_api/fhir_api.h"
#include "app/server/label_alerts.h"
#include "clinical/conformance/conformance.h"
#include "clinical/records/rewrite.h"
#include "clinical/summary/summary.h"
#include "clinical/vitals/chart.h"
#include "clinical/vitals/watch.h"
#include "storage/postgres/postgres.h"
#include "storage/sqlite/sqlite.h"

namespace mydr24::server {
namespace {

constexpr std::chrono::milliseconds tick_every{50};

struct Address {
  std::string host;
  std::uint16_t port = 0;
};

Result<Address> parse_address(std::string_view text, std::string where) {
  const auto colon = text.rfind(':');
  int port = -1;
  if (colon != text.npos) {
    const auto digits = text.substr(colon + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error != std::errc() || end != digits.data() + digits.size()) port = -1;
  }
  if (colon == text.npos || colon == 0 || port < 0 || port > 65535) {
    return fail(Code::invalid, fmt::format("\"{}\" is no address; write HOST:PORT, as 127.0.0.1:8024", text),
                std::move(where));
  }
  return Address{std::string(text.substr(0, colon)), static_cast<std::uint16_t>(port)};
}

bool is_loopback(std::string_view host) {
  return host.starts_with("127.") || host == "localhost" || host == "::1" || host == "[::1]";
}

std::size_t or_processors(std::int64_t setting) {
  return setting > 0 ? static_cast<std::size_t>(setting) : std::max(1U, std::thread::hardware_concurrency());
}

Result<std::string> read_secret(const std::string& path, const std::string& where) {
  std::ifstream in(path);
  std::string secret;
  if (!in || !std::getline(in, secret) || secret.empty()) {
    return fail(Code::invalid, fmt::format("cannot read a secret from the first line of \"{}\"", path), where);
  }
  return secret;
}

Result<oncall::Rota> make_rota(const AlertingSection& section) {
  oncall::Settings settings;
  for (std::size_t i = 0; i < section.contacts.size(); ++i) {
    const auto& contact = section.contacts[i];
    oncall::Contact made{.name = contact.name, .channels = {{.kind = oncall::ChannelKind::console}}};
    if (!contact.webhook_url.empty()) {
      oncall::ChannelAddress webhook{.kind = oncall::ChannelKind::webhook, .url = contact.webhook_url, .secret = {}};
      if (!contact.webhook_secret_file.empty()) {
        MYDR24_ASSIGN(webhook.secret, read_secret(contact.webhook_secret_file,
                                                  fmt::format("alerting.contacts[{}].webhook_secret_file", i)));
      }
      made.channels.push_back(std::move(webhook));
    }
    settings.contacts.push_back(std::move(made));
  }
  for (const auto& step : section.steps) settings.steps.push_back({step});
  if (settings.steps.empty() && !settings.contacts.empty()) {
    oncall::Step everybody;
    for (const auto& contact : settings.contacts) everybody.contacts.push_back(contact.name);
    settings.steps.push_back(std::move(everybody));
  }
  auto made = oncall::Rota::make(std::move(settings));
  if (made) return made;
  // The settings are called [alerting] in the file.
  auto error = std::move(made).error();
  if (error.where.starts_with("oncall.")) error.where.replace(0, 6, "alerting");
  return error;
}

vitals::WatchSettings watch_settings(const VitalsSection& section) {
  vitals::WatchSettings settings;
  for (std::size_t i = 0; i < vitals::parameter_count; ++i)
    settings.window[i] = std::chrono::minutes(section.sign_valid_min);
  settings.alert_age_max = std::chrono::minutes(section.alert_age_max_min);
  return settings;
}

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> items;
  while (!list.empty()) {
    const auto comma = list.find(',');
    auto item = list.substr(0, comma);
    list.remove_prefix(comma == list.npos ? list.size() : comma + 1);
    const auto first = item.find_first_not_of(' ');
    if (first != item.npos) items.emplace_back(item.substr(first, item.find_last_not_of(' ') - first + 1));
  }
  return items;
}

conformance::Settings conformance_settings(const ValidationSection& section) {
  return {.packages = split(section.packages),
          .checks = {.bindings = section.bindings == "on",
                     .invariants = section.invariants == "on",
                     .profiles = section.profiles == "on"}};
}

sqlite::Settings store_settings(const StoreSection& section, const telemetry::Log& log) {
  sqlite::Settings settings;
  settings.folder = section.path;
  settings.writer_cache_bytes = static_cast<std::size_t>(section.cache_mib) << 20;
  settings.log = [&log](telemetry::Level level, std::string_view line) {
    log.write(level, "store", {{"detail", line}});
  };
  return settings;
}

Result<std::unique_ptr<store::Store>> open_store(const StoreSection& section, const telemetry::Log& log,
                                                 const Clock& clock) {
  const auto line = [&log](telemetry::Level level, std::string_view text) {
    log.write(level, "store", {{"detail", text}});
  };
  if (section.url.empty()) return sqlite::open(store_settings(section, log), clock);
  postgres::Settings settings;
  settings.url = section.url;
  settings.read_urls = split(section.read_urls);
  settings.log = line;
  return postgres::open(settings, clock);
}

// Store, records and the reactions that belong to every write.
struct Core {
  telemetry::Log log;
  std::unique_ptr<oncall::Rota> rota;
  std::unique_ptr<alerts::Book> book;
  std::unique_ptr<vitals::Watch> watch;
  std::unique_ptr<records::Records> records;  // before the store: until it is closed, its followers write
  std::unique_ptr<conformance::Conformance> conformance;
  std::unique_ptr<summary::Summaries> summaries;
  std::unique_ptr<store::Store> store;

  ~Core() {
    if (conformance) conformance->stop();
    store.reset();
  }
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  Core(const Settings& settings, const Clock& clock, std::ostream& log_to)
      : log(telemetry::log_settings(settings.log.level, settings.log.format), clock, log_to) {}

  Result<> open(const Settings& settings, const Clock& clock) {
    MYDR24_ASSIGN(auto made, make_rota(settings.alerting));
    rota = std::make_unique<oncall::Rota>(std::move(made));
    book = std::make_unique<alerts::Book>(
        *rota, alerts::BookSettings{.escalate_after = std::chrono::seconds(settings.alerting.escalate_after_s)});
    watch = std::make_unique<vitals::Watch>(*book, watch_settings(settings.vitals));
    MYDR24_ASSIGN(store, open_store(settings.store, log, clock));
    records = std::make_unique<records::Records>(*store, clock);
    conformance = std::make_unique<conformance::Conformance>(*records, log);
    summaries = std::make_unique<summary::Summaries>(*records);
    records->add_reaction(*watch);
    records->add_reaction(*conformance);
    records->add_reaction(*summaries);
    book->attach(*store);
    watch->attach(*store);
    store->add_follower(*conformance);
    store->add_follower(*summaries);
    return conformance->start(conformance_settings(settings.validation));
  }
};

class OpenWorkbench : public Workbench {
 public:
  // Standard output belongs to the command that opens it.
  OpenWorkbench(const Settings& settings, const Clock& clock) : core_(settings, clock, std::cerr) {}
  Result<> open(const Settings& settings, const Clock& clock) { return core_.open(settings, clock); }
  records::Records& records() override { return *core_.records; }
  store::Store& store() override { return *core_.store; }

 private:
  Core core_;
};

// Calls what is due, until it is destroyed.
class Ticker {
 public:
  explicit Ticker(std::function<void()> tick)
      : thread_([this, tick = std::move(tick)] {
          std::unique_lock lock(mutex_);
          while (!stop_) {
            lock.unlock();
            tick();
            lock.lock();
            wake_.wait_for(lock, tick_every, [this] { return stop_; });
          }
        }) {}
  ~Ticker() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false;
  std::thread thread_;
};

class RunningSystem : public System {
 public:
  RunningSystem(const Settings& settings, const Clock& clock)
      : settings_(settings),
        clock_(clock),
        core_(settings, clock, std::cout),
        workers_(or_processors(settings.server.workers)),
        hub_(clock) {}

  ~RunningSystem() override {
    RunningSystem::drain();
    ticker_.reset();
    server_.reset();
    admin_.reset();
    if (label_alerts_) label_alerts_->stop();
    if (dispatcher_) dispatcher_->stop();
    if (core_.conformance) core_.conformance->stop();
    core_.store.reset();
  }

  Result<> start() {
    MYDR24_TRY(core_.open(settings_, clock_));
    const std::chrono::seconds escalate_after(settings_.alerting.escalate_after_s);
    dispatcher_ = std::make_unique<alerts::Dispatcher>(*core_.rota, clock_, hub_);
    chart_ = std::make_unique<vitals::Chart>(*core_.records);
    core_.store->add_follower(*chart_);
    MYDR24_TRY(dispatcher_->start(*core_.store));
    label_alerts_ = std::make_unique<LabelAlerts>(settings_.alerting, settings_.server.base_url, *core_.book,
                                                  *core_.store, workers_, core_.log, clock_);
    MYDR24_TRY(label_alerts_->start());
    make_routes(escalate_after);
    make_metrics();
    MYDR24_TRY(listen());
    ticker_ = std::make_unique<Ticker>([this] {
      core_.store->tick();
      dispatcher_->tick();
      label_alerts_->observe(dispatcher_->counters());
      label_alerts_->tick();
    });
    return {};
  }

  std::string base_url() const override { return url(settings_.server.listen, server_->port(), is_secure()); }
  std::string admin_url() const override { return url(settings_.server.admin, admin_->port(), false); }
  records::Records& records() override { return *core_.records; }
  store::Store& store() override { return *core_.store; }

  void drain() override {
    if (draining_.exchange(true)) return;
    if (server_) server_->drain();
  }

 private:
  bool is_secure() const { return !settings_.server.tls_certificate_file.empty(); }

  static std::string url(std::string_view listen, std::uint16_t port, bool secure) {
    return fmt::format("{}://{}:{}", secure ? "https" : "http", listen.substr(0, listen.rfind(':')), port);
  }

  void make_routes(std::chrono::seconds escalate_after) {
    fhir_ = std::make_unique<fhir_api::Service>(
        fhir_api::Service{*core_.records,
                          workers_,
                          clock_,
                          {.body_bytes_max = static_cast<std::size_t>(settings_.server.body_bytes_max),
                           .search_time_max = std::chrono::milliseconds(settings_.search.time_max_ms)},
                          std::string(version),
                          core_.conformance.get(),
                          core_.summaries.get()});
    desk_ = std::make_unique<desk_api::Desk>(desk_api::Desk{*core_.store, *core_.book, *dispatcher_, hub_, *core_.watch,
                                                            workers_, clock_, escalate_after, settings_.demo});
    health_ = std::make_unique<desk_api::Health>(
        desk_api::Health{[this] { return checks(); }, [this] { return draining_.load(); }, metrics_,
                         [this](const std::string& to) { return core_.store->backup(to); },
                         [this](const std::string& search) { return explain(*core_.records, search); }, workers_});
    fhir_api::add_routes(router_, *fhir_);
    desk_api::add_routes(router_, *desk_);
    label_alerts_->add_routes(router_);
    desk_api::add_admin_routes(admin_router_, *health_);
  }

  std::vector<desk_api::Check> checks() const {
    const auto read = core_.store->read([](store::Reader& reader) -> Result<> {
      MYDR24_TRY(reader.last_sequence());
      return {};
    });
    std::vector<desk_api::Check> found;
    const bool writable = core_.store->statistics().writable;
    found.push_back(
        {"writes", writable, writable ? "ok" : "refused since a failed sync: check the disk, then start again"});
    found.push_back({"store", read.has_value(), read ? "ok" : read.error().text});
    const auto waiting = dispatcher_->counters().waiting.load();
    found.push_back({"alerts_waiting", true, fmt::format("{}", waiting)});
    return found;
  }

  void make_metrics() {
    label_alerts_->add_metrics(metrics_);
    const auto queued_in = [this](std::size_t lane) {
      return metrics_.gauge("store_queued_writes", "Writes that wait for the writer",
                            {{"class", std::string(to_string(static_cast<RequestClass>(lane)))}});
    };
    std::array<telemetry::Gauge, request_class_count> queued;
    for (std::size_t lane = 0; lane < queued.size(); ++lane) queued[lane] = queued_in(lane);
    const auto bytes = metrics_.gauge("store_disk_bytes", "Bytes of the store on disk");
    const auto waiting = metrics_.gauge("alerts_waiting", "Deliveries that are being sent or wait for a retry");
    const auto slowest =
        metrics_.gauge("alerts_delivery_max_seconds", "Slowest first delivery since the start, from its commit");
    metrics_.before_expose([=, this] {
      const auto statistics = core_.store->statistics();
      bytes.set(static_cast<double>(statistics.bytes_on_disk));
      for (std::size_t lane = 0; lane < queued.size(); ++lane)
        queued[lane].set(static_cast<double>(statistics.queued[lane]));
      waiting.set(static_cast<double>(dispatcher_->counters().waiting.load()));
      slowest.set(static_cast<double>(dispatcher_->counters().delivery_us_max.load()) / 1e6);
    });

    const auto follow = [this](std::string_view name, std::string_view help, std::function<std::int64_t()> now) {
      // What is counted elsewhere: the difference is added when somebody asks.
      const auto counter = metrics_.counter(name, help);
      metrics_.before_expose([counter, now = std::move(now)] {
        const auto more = static_cast<double>(now()) - counter.value();
        if (more > 0) counter.add(more);
      });
    };
    const auto& counters = dispatcher_->counters();
    follow("store_commits_total", "Commits", [this] { return core_.store->statistics().commits; });
    follow("store_writes_total", "Writes that succeeded", [this] { return core_.store->statistics().writes; });
    follow("store_writes_failed_total", "Writes that failed or were refused",
           [this] { return core_.store->statistics().writes_failed; });
    follow("alerts_raised_total", "Alerts raised", [&counters] { return counters.raised.load(); });
    follow("alerts_escalated_total", "Further calls about unanswered alerts",
           [&counters] { return counters.escalated.load(); });
    follow("alerts_acknowledged_total", "Alerts acknowledged", [&counters] { return counters.acknowledged.load(); });
    follow("alerts_delivered_total", "Deliveries that reached their contact",
           [&counters] { return counters.delivered.load(); });
    follow("alerts_failed_total", "Attempts to deliver that failed", [&counters] { return counters.failed.load(); });
    follow("alerts_given_up_total", "Deliveries given up", [&counters] { return counters.given_up.load(); });
  }

  net::ServerSettings listener(const Address& address) const {
    const auto& from = settings_.server;
    net::ServerSettings to;
    to.address = address.host;
    to.port = address.port;
    to.connections_max = static_cast<std::size_t>(from.connections_max);
    to.header_time_max = std::chrono::milliseconds(from.header_time_max_ms);
    to.idle_time_max = std::chrono::milliseconds(from.idle_time_max_ms);
    to.body_idle_time_max = std::chrono::milliseconds(from.body_idle_time_max_ms);
    to.drain_time_max = std::chrono::milliseconds(from.drain_time_max_ms);
    return to;
  }

  Result<> listen() {
    const auto& from = settings_.server;
    MYDR24_ASSIGN(const auto main_address, parse_address(from.listen, "server.listen"));
    MYDR24_ASSIGN(const auto admin_address, parse_address(from.admin, "server.admin"));
    const auto served = [this](const pipeline::Route& route, std::chrono::nanoseconds time) {
      if (route.interaction == "read" || route.interaction == "vread")
        label_alerts_->observe(groups::Measure::record_access, std::chrono::duration<double>(time).count());
    };
    pipeline_ = std::make_unique<pipeline::Pipeline>(router_, pipeline::PipelineSettings{from.base_url, served},
                                                     metrics_, core_.log, clock_);
    admin_pipeline_ =
        std::make_unique<pipeline::Pipeline>(admin_router_, pipeline::PipelineSettings{}, metrics_, core_.log, clock_);

    if (!is_loopback(admin_address.host)) {
      return fail(
          Code::invalid,
          fmt::format("\"{}\" is not on this machine: the admin listener asks for no password; use 127.0.0.1 or [::1]",
                      from.admin),
          "server.admin");
    }
    auto main = listener(main_address);
    main.threads = or_processors(from.threads);
    main.tls = {from.tls_certificate_file, from.tls_key_file};
    MYDR24_ASSIGN(server_, net::serve(main, [this](net::Exchange& exchange) { return pipeline_->serve(exchange); }));
    auto admin = listener(admin_address);
    admin.connections_max = 64;
    MYDR24_ASSIGN(admin_,
                  net::serve(admin, [this](net::Exchange& exchange) { return admin_pipeline_->serve(exchange); }));
    return {};
  }

  const Settings settings_;
  const Clock& clock_;
  telemetry::Metrics metrics_;
  Core core_;
  WorkerPool workers_;
  notify::ConsoleHub hub_;
  std::unique_ptr<vitals::Chart> chart_;
  std::unique_ptr<alerts::Dispatcher> dispatcher_;
  std::unique_ptr<LabelAlerts> label_alerts_;
  pipeline::Router router_;
  pipeline::Router admin_router_;
  std::unique_ptr<fhir_api::Service> fhir_;
  std::unique_ptr<desk_api::Desk> desk_;
  std::unique_ptr<desk_api::Health> health_;
  std::unique_ptr<pipeline::Pipeline> pipeline_;
  std::unique_ptr<pipeline::Pipeline> admin_pipeline_;
  std::unique_ptr<net::Server> server_;
  std::unique_ptr<net::Server> admin_;
  std::unique_ptr<Ticker> ticker_;
  std::atomic<bool> draining_{false};
};

}  // namespace

Result<std::string> explain(records::Records& records, const std::string& search) {
  const auto definitions = records.definitions();
  MYDR24_ASSIGN(const auto query, records::parse_criteria(search, definitions->catalogue));
  std::string text;
  MYDR24_TRY(records.store().read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(text, reader.explain(query));
    return {};
  }));
  return text;
}

Result<std::unique_ptr<System>> start(const Settings& settings, const Clock& clock) {
  auto system = std::make_unique<RunningSystem>(settings, clock);
  MYDR24_TRY(system->start());
  return std::unique_ptr<System>(std::move(system));
}

Result<std::unique_ptr<Workbench>> open_workbench(const Settings& settings, const Clock& clock) {
  auto workbench = std::make_unique<OpenWorkbench>(settings, clock);
  MYDR24_TRY(workbench->open(settings, clock));
  return std::unique_ptr<Workbench>(std::move(workbench));
}

}  // namespace mydr24::server
