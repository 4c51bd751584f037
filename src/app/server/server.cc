#include "app/server/server.h"

#include <fmt/format.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <iostream>
#include <mutex>
#include <thread>

#include "alerting/alerts/console_feed.h"
#include "alerting/alerts/dispatcher.h"
#include "alerting/alerts/unwritten.h"
#include "alerting/alerts/updates.h"
#include "api/desk_api/desk_api.h"
#include "api/fhir_api/fhir_api.h"
#include "api/notify_api/notify_api.h"
#include "api/pipeline/openapi.h"
#include "app/server/access_control.h"
#include "app/server/admission_desk.h"
#include "app/server/bench_route.h"
#include "app/server/label_alerts.h"
#include "app/server/listeners.h"
#include "app/server/notify.h"
#include "app/server/oncall.h"
#include "app/server/vitals.h"
#include "base/core/paced_clock.h"
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

Result<oncall::Directory> make_directory(const AlertingSection& section) {
  oncall::Settings settings{.escalate_after = std::chrono::seconds(section.escalate_after_s)};
  for (std::size_t i = 0; i < section.contacts.size(); ++i) {
    const auto& contact = section.contacts[i];
    oncall::SettingsContact made{.name = contact.name, .channels = {{.kind = notify::Kind::console}}};
    if (!contact.webhook_url.empty()) {
      notify::Address webhook{.kind = notify::Kind::webhook, .target = contact.webhook_url, .secret = {}};
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
    oncall::SettingsStep everybody;
    for (const auto& contact : settings.contacts) everybody.contacts.push_back(contact.name);
    settings.steps.push_back(std::move(everybody));
  }
  auto made = oncall::Directory::make(settings);
  if (made) return made;
  // The settings are called [alerting] in the file.
  auto error = std::move(made).error();
  if (error.where.starts_with("oncall.")) error.where.replace(0, 6, "alerting");
  return error;
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

// Without a slash at the end.
std::vector<std::string> own_bases(const ServerSection& section) {
  std::vector<std::string> bases;
  for (auto& url : split(section.base_url + "," + section.own_urls)) {
    while (url.ends_with('/')) url.pop_back();
    if (url.empty()) continue;
    bases.push_back(url + "/fhir/R4");
    bases.push_back(url + "/fhir");  // the same
  }
  return bases;
}

conformance::Settings conformance_settings(const Settings& settings) {
  const auto& section = settings.validation;
  return {.packages = split(section.packages),
          .own_bases = own_bases(settings.server),
          .checks = {.bindings = section.bindings == "on",
                     .invariants = section.invariants == "on",
                     .profiles = section.profiles == "on"}};
}

sqlite::Settings store_settings(const StoreSection& section, const telemetry::Log& log) {
  sqlite::Settings settings;
  settings.folder = section.path;
  settings.writer_cache_bytes = static_cast<std::size_t>(section.cache_mib) << 20;
  settings.reader_cache_bytes = static_cast<std::size_t>(section.reader_cache_mib) << 20;
  settings.log = [&log](telemetry::Level level, std::string_view line) {
    log.write(level, "store", {{"detail", line}});
  };
  return settings;
}

Result<std::unique_ptr<store::Store>> open_store(const StoreSection& section, const telemetry::Log& log,
                                                 const Clock& clock, ThreadWeights& weights, bool serves) {
  const auto writer_begun = [&weights] { weights.begin(ThreadKind::writer, 0); };
  const auto line = [&log](telemetry::Level level, std::string_view text) {
    log.write(level, "store", {{"detail", text}});
  };
  if (section.url.empty()) {
    auto settings = store_settings(section, log);
    settings.writer_begun = writer_begun;
    if (!serves) sqlite::settle_for_bulk(settings);
    return sqlite::open(settings, clock);
  }
  postgres::Settings settings;
  settings.url = section.url;
  settings.read_urls = split(section.read_urls);
  settings.may_lead = serves;
  settings.log = line;
  settings.writer_begun = writer_begun;
  return postgres::open(settings, clock);
}

// Store, records and the reactions that belong to every write.
struct Core {
  telemetry::Log log;
  std::unique_ptr<oncall::Directory> directory;
  ThreadWeights weights;
  std::unique_ptr<alerts::Book> book;
  std::unique_ptr<vitals::Watch> watch;
  std::unique_ptr<records::Records> records;  // before the store: until it is closed, its followers write
  std::unique_ptr<conformance::Conformance> conformance;
  std::unique_ptr<summary::Summaries> summaries;
  std::unique_ptr<consents::Consents> consents;
  std::unique_ptr<store::Store> store;

  ~Core() {
    if (summaries) summaries->stop();
    if (conformance) conformance->stop();
    store.reset();
  }
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  Core(const Settings& settings, const Clock& clock, std::ostream& log_to)
      : log(telemetry::log_settings(settings.log.level, settings.log.format), clock, log_to),
        weights(settings.admission.mode == "full", detect_privilege()) {}

  Result<> open(const Settings& settings, const Clock& clock, bool serves) {
    MYDR24_ASSIGN(auto made, make_directory(settings.alerting));
    directory = std::make_unique<oncall::Directory>(std::move(made));
    book = std::make_unique<alerts::Book>(*directory);
    watch = std::make_unique<vitals::Watch>(*book, watch_settings(settings.vitals));
    MYDR24_ASSIGN(store, open_store(settings.store, log, clock, weights, serves));
    records = std::make_unique<records::Records>(*store, clock);
    conformance = std::make_unique<conformance::Conformance>(*records, log);
    summaries = std::make_unique<summary::Summaries>(*records);
    consents = std::make_unique<consents::Consents>(*records);
    records->add_reaction(*watch);
    records->add_reaction(*conformance);
    records->add_reaction(*summaries);
    records->add_reaction(*consents);
    book->attach(*store);
    MYDR24_TRY(directory->load(*store));
    watch->attach(*store);
    auto definitions = conformance_settings(settings);
    definitions.keeps_own_bases = !serves;
    MYDR24_TRY(conformance->start(definitions));
    store->add_follower(*conformance);
    return {};
  }
};

class OpenWorkbench : public Workbench {
 public:
  // Standard output belongs to the command that opens it.
  OpenWorkbench(const Settings& settings, const Clock& clock) : core_(settings, clock, std::cerr) {}
  Result<> open(const Settings& settings, const Clock& clock) { return core_.open(settings, clock, false); }
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
        machine_clock_(clock),
        clock_(clock),
        core_(settings, clock_, std::cout),
        workers_({.threads = worker_count(settings),
                  .emergency_threads = has_emergency_listener(settings) ? 1U : 0U,
                  .thread_begun =
                      [this](bool emergency, std::size_t number) {
                        core_.weights.begin(emergency ? ThreadKind::emergency_work : ThreadKind::work, number);
                      }}),
        hub_(clock) {}

  ~RunningSystem() override {
    RunningSystem::drain();
    ticker_.reset();
    listeners_.reset();
    if (access_) access_->stop();
    if (oncall_) oncall_->stop();
    if (admission_) admission_->stop();
    if (vitals_) vitals_->stop_mqtt();
    if (label_alerts_) label_alerts_->stop();
    if (dispatcher_) dispatcher_->stop();
    if (core_.summaries) core_.summaries->stop();
    if (updates_) updates_->stop();
    if (core_.conformance) core_.conformance->stop();
    core_.store.reset();
  }

  Result<> start() {
    MYDR24_TRY(core_.open(settings_, clock_, true));
    const std::chrono::seconds escalate_after(settings_.alerting.escalate_after_s);
    MYDR24_ASSIGN(notify_, make_notify(settings_, *core_.store, clock_));
    dispatcher_ = std::make_unique<alerts::Dispatcher>(
        *core_.directory, clock_, hub_, alerts::DispatcherSettings{},
        [this](asio::io_context& context, const notify::Address& address) -> Result<std::unique_ptr<notify::Channel>> {
          return make_channel(context, address);
        });
    unwritten_ =
        std::make_unique<alerts::Unwritten>(*core_.book, *core_.store, clock_, [this](alerts::Unrecorded each) {
          core_.log.error("an emergency could not be written down; people are called from memory");
          dispatcher_->call_from_memory(std::move(each));
        });
    core_.records->on_not_stored([this](const records::Records::Work& work) { unwritten_->rehearse(work); });
    chart_ = std::make_unique<vitals::Chart>(*core_.records);
    core_.store->add_follower(*chart_);
    oncall_ = std::make_unique<OnCallDesk>(
        *core_.book, *core_.store, workers_, clock_, core_.log,
        alerts::UpkeepSettings{.idle = std::chrono::days(settings_.alerting.close_idle_days),
                               .kept = std::chrono::days(settings_.alerting.clear_days)});
    oncall_->attach();
    MYDR24_TRY(start_clock());
    if (settings_.admission.mode == "full") {
      MYDR24_ASSIGN(admission_, AdmissionDesk::make({settings_, core_.weights, workers_, metrics_, core_.log, clock_}));
      admission_->start(*core_.store);
    }
    vitals_ = std::make_unique<Vitals>(*core_.records, *core_.watch, workers_, clock_);
    core_.store->add_follower(vitals_->outcomes());
    feed_.start(*core_.store);
    MYDR24_TRY(dispatcher_->start(*core_.store));
    core_.summaries->start(core_.log);
    updates_ = std::make_unique<alerts::Updates>(
        clock_, *core_.directory,
        [this](asio::io_context& context, const notify::Address& address) -> Result<std::unique_ptr<notify::Channel>> {
          return make_channel(context, address);
        });
    MYDR24_TRY(updates_->start(*core_.store));
    label_alerts_ = std::make_unique<LabelAlerts>(settings_.alerting, settings_.server.base_url, *core_.book,
                                                  *core_.store, workers_, core_.log, machine_clock_, *dispatcher_);
    MYDR24_TRY(label_alerts_->start());
    if (settings_.access.mode == "on") {
      MYDR24_TRY(core_.consents->start());
      MYDR24_ASSIGN(access_,
                    AccessControl::make(
                        {.desk = {settings_, *core_.records, workers_, clock_, machine_clock_, core_.log, {}, {}, {}},
                         .consents = *core_.consents,
                         .metrics = metrics_,
                         .raise = [this](routing::Alert alert) { label_alerts_->raise(std::move(alert)); },
                         .router = router_}));
    }
    make_routes(escalate_after);
    MYDR24_TRY(vitals_->start_mqtt(settings_.vitals, core_.log));
    make_metrics();
    const auto served = [this](const pipeline::Route& route, std::chrono::nanoseconds time) {
      if (route.interaction == "read" || route.interaction == "vread")
        label_alerts_->observe(groups::Measure::record_access, std::chrono::duration<double>(time).count());
    };
    MYDR24_ASSIGN(listeners_, listen({settings_, router_, admin_router_, metrics_, core_.log, clock_, core_.weights,
                                      admission_.get(), served, access_ ? &access_->gatekeeper() : nullptr,
                                      access_ ? &access_->audit() : nullptr}));
    ticker_ = std::make_unique<Ticker>([this] {
      core_.store->tick();
      dispatcher_->tick();
      updates_->tick();
      unwritten_->tick();
      label_alerts_->observe(dispatcher_->counters());
      label_alerts_->tick();
    });
    oncall_->start();
    if (access_) MYDR24_TRY(access_->desk().invite(base_url()));
    return {};
  }

  std::string base_url() const override { return listeners_->base_url(); }
  std::string admin_url() const override { return listeners_->admin_url(); }
  std::string emergency_url() const override { return listeners_->emergency_url(); }
  std::string openapi() const override { return pipeline::openapi(router_, version); }
  records::Records& records() override { return *core_.records; }
  store::Store& store() override { return *core_.store; }

  void drain() override {
    if (draining_.exchange(true)) return;
    if (listeners_) listeners_->drain();
  }

 private:
  // A machine whose clock was set back goes on from the last line of the journal.
  Result<> start_clock() {
    return core_.store->read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(const store::Sequence last, reader.last_sequence());
      if (last == 0) return {};
      MYDR24_ASSIGN(const auto lines, reader.journal(last - 1, 1));
      for (const store::JournalLine& line : lines)
        clock_.start_at(line.event.kind.empty() ? line.version.at : line.event.at);
      return {};
    });
  }

  // A contact's method whose provider is not configured stops nothing: it refuses, and the next method is used.
  std::unique_ptr<notify::Channel> make_channel(asio::io_context& context, const notify::Address& address) {
    auto made = notify::make_channel(context, address, notify_->providers, hub_, machine_clock_);
    if (made) return std::move(*made);
    core_.log.warn("a channel cannot be made", {{"kind", to_string(address.kind)}, {"detail", made.error().text}});
    return notify::make_refusing_channel(address.kind, made.error().text);
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
                          core_.summaries.get(),
                          access_ ? core_.consents.get() : nullptr});
    desk_ = std::make_unique<desk_api::Desk>(
        desk_api::Desk{*core_.store, *core_.book, *dispatcher_, hub_, *core_.watch, workers_, clock_, escalate_after,
                       settings_.demo, [this] { return label_alerts_->unrecorded() + unwritten_->count(); }});
    health_ = std::make_unique<desk_api::Health>(
        desk_api::Health{[this] { return checks(); }, [this] { return draining_.load(); }, metrics_,
                         [this](const std::string& to) { return core_.store->backup(to); },
                         [this](const std::string& search) { return explain(*core_.records, search); }, workers_});
    vitals_->add_routes(router_);
    fhir_api::add_routes(router_, *fhir_);
    desk_api::add_routes(router_, *desk_);
    answers_ = std::make_unique<notify_api::Service>(notify_api::Service{
        *core_.store, *core_.book, *notify_->addresses, *notify_->tokens, notify_->providers, hub_, clock_});
    notify_api::add_routes(router_, *answers_);
    oncall_->add_routes(router_);
    if (access_) access_->add_routes(router_);
    if (settings_.admission.bench_route == "on") add_bench_route(router_, workers_);
    label_alerts_->add_routes(router_);
    desk_api::add_admin_routes(admin_router_, *health_);
    if (access_) access_->add_admin_routes(admin_router_);
    if (admission_) admission_->add_admin_routes(admin_router_);
    pipeline::add_openapi_route(router_, std::string(version));
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
    oncall_->add_metrics(metrics_);
    const auto difference =
        metrics_.gauge("clock_difference_seconds",
                       "How far the machine's clock is ahead of the server's, which makes up for it slowly");
    metrics_.before_expose([=, this] { difference.set(static_cast<double>(clock_.difference().count()) / 1e6); });
    vitals_->make_metrics(metrics_);
    label_alerts_->add_metrics(metrics_);
    const auto unwritten =
        metrics_.gauge("alerts_unwritten", "Emergencies of writes that were not stored: people are called from memory");
    metrics_.before_expose([=, this] { unwritten.set(static_cast<double>(unwritten_->count())); });
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

  const Settings settings_;
  const Clock& machine_clock_;  // receivers of signatures compare with it
  PacedClock clock_;
  telemetry::Metrics metrics_;
  Core core_;
  WorkerPool workers_;
  notify::ConsoleHub hub_;
  alerts::ConsoleFeed feed_{hub_};
  std::unique_ptr<Notify> notify_;
  std::unique_ptr<notify_api::Service> answers_;
  std::unique_ptr<vitals::Chart> chart_;
  std::unique_ptr<Vitals> vitals_;
  std::unique_ptr<alerts::Dispatcher> dispatcher_;
  std::unique_ptr<alerts::Updates> updates_;
  std::unique_ptr<alerts::Unwritten> unwritten_;
  std::unique_ptr<OnCallDesk> oncall_;
  std::unique_ptr<LabelAlerts> label_alerts_;
  std::unique_ptr<AccessControl> access_;
  pipeline::Router router_;
  pipeline::Router admin_router_;
  std::unique_ptr<fhir_api::Service> fhir_;
  std::unique_ptr<desk_api::Desk> desk_;
  std::unique_ptr<desk_api::Health> health_;
  std::unique_ptr<AdmissionDesk> admission_;
  std::unique_ptr<Listeners> listeners_;
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
