#include "app/server/tenant.h"

#include <fmt/format.h>

#include <condition_variable>
#include <mutex>

#include "api/console_api/console_api.h"
#include "api/pipeline/openapi.h"
#include "app/server/bench_route.h"
#include "app/server/server.h"
#include "base/json/writer.h"
#include "base/net/client.h"
#include "clinical/records/rewrite.h"
#include "guard/admission/hash.h"

namespace mydr24::server {
namespace {

constexpr std::chrono::milliseconds tick_every{50};

telemetry::Labels labels_of(const Settings& settings) {
  if (settings.tenant.empty()) return {};
  return {{"tenant", settings.tenant}};
}

// What a tenant has of its own, or what its tier says.
std::int64_t limit_of(std::int64_t own, std::int64_t of_tier) { return own >= 0 ? own : of_tier; }

}  // namespace

Tenant::Tenant(Settings settings, const TenantSection* section, const Shared& shared)
    : settings_(std::move(settings)),
      shared_(shared),
      log_(shared.log, settings_.tenant),
      metrics_(shared.metrics, labels_of(settings_)),
      clock_(shared.machine_clock),
      hosts_(section == nullptr ? std::vector<std::string>() : section->hosts),
      tier_(section == nullptr ? std::string() : section->tier),
      hub_(clock_) {
  if (section == nullptr) return;
  const Tier& tier = *find_tier(section->tier);
  hand_ = admission::Hand::dealt(admission::hash(section->name), tier.queues);
  requests_per_s_ = limit_of(section->requests_per_s, tier.requests_per_s);
  const auto per_second = static_cast<double>(requests_per_s_);
  if (requests_per_s_ > 0) quota_.emplace(per_second, per_second);
  storage_bytes_max_ = static_cast<std::size_t>(limit_of(section->storage_mib, tier.storage_mib)) << 20U;
}

Tenant::~Tenant() {
  ticker_ = {};
  if (changes_) changes_->stop();
  stop_collecting();
  if (monitoring_) monitoring_->stop();
  if (access_) access_->stop();
  if (oncall_) oncall_->stop();
  if (vitals_) vitals_->stop_mqtt();
  if (label_alerts_) label_alerts_->stop();
  if (dispatcher_) dispatcher_->stop();
  if (core_.summaries) core_.summaries->stop();
  if (updates_) updates_->stop();
  if (core_.conformance) core_.conformance->stop();
  core_.store.reset();
}

void Tenant::stop_collecting() {
  if (series_) series_->stop();
}

Result<> Tenant::start() {
  MYDR24_TRY(core_.open(settings_, log_, shared_.weights, clock_, true));
  const std::chrono::seconds escalate_after(settings_.alerting.escalate_after_s);
  MYDR24_ASSIGN(notify_, make_notify(settings_, *core_.store, clock_));
  dispatcher_ = std::make_unique<alerts::Dispatcher>(
      *core_.directory, clock_, hub_, alerts::DispatcherSettings{.traces = shared_.traces},
      [this](asio::io_context& context, const notify::Address& address) -> Result<std::unique_ptr<notify::Channel>> {
        return make_channel(context, address);
      });
  unwritten_ = std::make_unique<alerts::Unwritten>(*core_.book, *core_.store, clock_, [this](alerts::Unrecorded each) {
    log_.error("an emergency could not be written down; people are called from memory");
    dispatcher_->call_from_memory(std::move(each));
  });
  core_.records->on_not_stored([this](const records::Records::Work& work) { unwritten_->rehearse(work); });
  chart_ = std::make_unique<vitals::Chart>(*core_.records);
  core_.store->add_follower(*chart_);
  oncall_ =
      std::make_unique<OnCallDesk>(*core_.book, *core_.store, shared_.workers, clock_, log_,
                                   alerts::UpkeepSettings{.idle = std::chrono::days(settings_.alerting.close_idle_days),
                                                          .kept = std::chrono::days(settings_.alerting.clear_days)});
  oncall_->attach();
  make_monitoring();
  MYDR24_TRY(start_clock());
  if (settings_.admission.mode == "full") emergencies_.start(*core_.store);
  vitals_ = std::make_unique<Vitals>(*core_.records, *core_.watch, shared_.workers, clock_);
  core_.store->add_follower(vitals_->outcomes());
  feed_.start(*core_.store);
  core_.store->add_follower(response_clocks_);
  MYDR24_TRY(dispatcher_->start(*core_.store));
  core_.summaries->start(log_);
  updates_ = std::make_unique<alerts::Updates>(
      clock_, *core_.directory,
      [this](asio::io_context& context, const notify::Address& address) -> Result<std::unique_ptr<notify::Channel>> {
        return make_channel(context, address);
      });
  MYDR24_TRY(updates_->start(*core_.store));
  label_alerts_ =
      std::make_unique<LabelAlerts>(settings_.alerting, settings_.server.base_url, *core_.book, *core_.store,
                                    shared_.workers, log_, shared_.machine_clock, *dispatcher_, hub_);
  MYDR24_TRY(label_alerts_->start());
  incidents_ = std::make_unique<IncidentDesk>(*core_.book, *core_.records, hub_, shared_.workers, clock_);
  MYDR24_TRY(incidents_->start());
  if (const auto& url = settings_.series.otlp_url; !url.empty()) {
    if (const auto parsed = net::parse_url(url); !parsed)
      return fail(Code::invalid, parsed.error().text, "series.otlp_url");
  }
  if (settings_.series.mode == "on") {
    series_ = std::make_unique<MonitoringSeries>(settings_, *core_.store, shared_.workers, metrics_, log_,
                                                 shared_.machine_clock);
    monitoring_->record_to(series_->recorder());
  }
  if (settings_.access.mode == "on") {
    core_.consents->on_unclear([this](const access::Consent& consent) {
      log_.warn("a Consent says what is not understood, and refuses there",
                {{"consent", consent.id}, {"elements", fmt::format("{}", fmt::join(consent.unclear, " "))}});
    });
    MYDR24_TRY(core_.consents->start());
    MYDR24_ASSIGN(
        access_,
        AccessControl::make(
            {.desk = {settings_, *core_.records, shared_.workers, clock_, shared_.machine_clock, log_, {}, {}, {}},
             .consents = *core_.consents,
             .metrics = metrics_,
             .raise = [this](routing::Alert alert) { label_alerts_->raise(std::move(alert)); },
             .router = router_,
             .tenant = [this] { return describe(); }}));
  }
  MYDR24_TRY(make_origins());
  MYDR24_TRY(make_changes());
  make_routes(escalate_after);
  MYDR24_TRY(vitals_->start_mqtt(settings_.vitals, log_, access_.get()));
  make_metrics();
  return {};
}

Door Tenant::door() {
  Door door{.tenant = settings_.tenant,
            .hosts = hosts_,
            .router = router_,
            .admin_router = admin_router_,
            .metrics = metrics_,
            .log = log_,
            .clock = clock_};
  door.settings.base_url = settings_.server.base_url;
  door.settings.gatekeeper = access_ ? &access_->gatekeeper() : nullptr;
  door.settings.audit = access_ ? &access_->audit() : nullptr;
  door.settings.emergency_patients = &emergencies_.known();
  door.settings.hand = hand_ ? &*hand_ : nullptr;
  door.settings.quota = quota_ ? &*quota_ : nullptr;
  if (origins_) door.settings.may_read = [this](std::string_view origin) { return origins_->has(origin); };
  door.settings.features = &features_;
  door.settings.traces = shared_.traces;
  door.settings.tenant = settings_.tenant;
  door.settings.is_full = [this] { return is_full_.load(std::memory_order_relaxed); };
  door.settings.served = [this](const pipeline::Route& route, std::chrono::nanoseconds time) {
    monitoring_->served(route, time);
  };
  return door;
}

Result<> Tenant::begin(std::string base_url) {
  ticker_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  oncall_->start();
  changes_->start(base_url);
  if (series_) series_->start();
  // Where it is asked by its name only, or shows a certificate for that, it does not find itself.
  const bool finds_itself = hosts_.empty() && base_url.starts_with("http://");
  MYDR24_TRY(monitoring_->begin(finds_itself ? base_url : std::string()));
  // Where it has a name, an address would be everybody's.
  if (!hosts_.empty()) {
    const auto host = base_url.find("://") + 3;
    base_url.replace(host, base_url.rfind(':') - host, hosts_.front());
  }
  if (access_) MYDR24_TRY(access_->desk().invite(std::move(base_url)));
  return {};
}

void Tenant::run(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  do tick();
  while (!wake.wait_for(lock, stop, tick_every, [&stop] { return stop.stop_requested(); }));
}

void Tenant::tick() {
  core_.store->tick();
  dispatcher_->tick();
  updates_->tick();
  unwritten_->tick();
  label_alerts_->tick();
  const auto most = static_cast<std::int64_t>(storage_bytes_max_);
  is_full_ = most > 0 && core_.store->statistics().bytes_on_disk >= most;
}

// A machine whose clock was set back goes on from the last line of the journal.
Result<> Tenant::start_clock() {
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
std::unique_ptr<notify::Channel> Tenant::make_channel(asio::io_context& context, const notify::Address& address) {
  auto made = notify::make_channel(context, address, notify_->providers, hub_, shared_.machine_clock);
  if (made) return std::move(*made);
  log_.warn("a channel cannot be made", {{"kind", to_string(address.kind)}, {"detail", made.error().text}});
  return notify::make_refusing_channel(address.kind, made.error().text);
}

// Pages of other sites: of registered applications, and those of the settings. Before the routes: /metadata tells of it.
Result<> Tenant::make_origins() {
  auto configured = list_of(settings_.server.cors_origins);
  for (const auto& origin : configured) {
    if (auto checked = identity::check_origin(origin); !checked)
      return fail(Code::invalid, checked.error().text, "server.cors_origins");
  }
  if (!access_ && configured.empty()) return {};
  origins_ = std::make_unique<identity::Origins>(access_ ? core_.store.get() : nullptr, shared_.machine_clock,
                                                 std::move(configured));
  return {};
}

// For its own people: nothing of another tenant.
std::string Tenant::describe() const {
  std::string text;
  json::Writer out(text);
  out.begin_object().field("name", settings_.tenant).field("tier", tier_).key("hosts").begin_array();
  for (const auto& host : hosts_) out.string(host);
  out.end_array();
  if (!tier_.empty()) out.field("queues", find_tier(tier_)->queues).field("queues_of", admission::Hand::shards);
  out.field("requests_per_s", requests_per_s_).field("requests_used", quota_ ? quota_->used(clock_.steady()) : 0.0);
  out.field("storage_bytes", core_.store->statistics().bytes_on_disk);
  out.field("storage_bytes_max", storage_bytes_max_.load()).key("tiers").begin_array();
  for (const auto& tier : tiers) {
    out.begin_object().field("name", tier.name).field("queues", tier.queues);
    out.field("requests_per_s", tier.requests_per_s).field("storage_bytes", tier.storage_mib << 20).end_object();
  }
  out.end_array().end_object();
  return text;
}

// Before the store's first tick. What may change while the server runs, and how it is changed.
Result<> Tenant::make_changes() {
  const auto number = [](const std::string& text) { return std::strtoll(text.c_str(), nullptr, 10); };
  LiveParts parts{.directory = *core_.directory, .alerting = settings_.alerting, .on = {}};
  parts.on.close_idle_days = [=, this](const std::string& value) {
    oncall_->close_idle_after(std::chrono::days(number(value)));
  };
  parts.on.clear_days = [=, this](const std::string& value) { oncall_->clear_after(std::chrono::days(number(value))); };
  parts.storage_mib = static_cast<std::int64_t>(storage_bytes_max_ >> 20U);
  parts.on.storage_mib = [=, this](const std::string& value) {
    storage_bytes_max_ = static_cast<std::size_t>(number(value)) << 20U;
  };
  if (access_) {
    auto& throttle = access_->desk().identity().throttle();
    parts.on.login_free_attempts = [=, &throttle](const std::string& value) {
      throttle.set_account_free(static_cast<int>(number(value)));
    };
    parts.on.login_wait_max_s = [=, &throttle](const std::string& value) {
      throttle.set_wait_max(std::chrono::seconds(number(value)));
    };
  }
  parts.on.feature = [this](std::uint8_t feature, bool on) { features_.set(feature, on); };
  // What all tenants share is changed where there is one only.
  if (settings_.tenant.empty() && settings_.admission.mode == "full")
    parts.on.admission_hold = [this](const std::string& value) { shared_.hold = value == "true"; };
  MYDR24_ASSIGN(changes_,
                ChangeDesk::make({.settings = settings_,
                                  .store = *core_.store,
                                  .workers = shared_.workers,
                                  .clock = clock_,
                                  .log = log_,
                                  .book = *core_.book,
                                  .records = *core_.records,
                                  .dispatcher = *dispatcher_,
                                  .hub = hub_,
                                  .live = std::move(parts),
                                  .outlook = make_outlook(),
                                  .measured = [this](auto name) { return monitoring_->monitor().value(name); },
                                  .burn = [this](auto slo) { return monitoring_->monitor().burn_rate(slo); },
                                  .is_ending = [this] { return shared_.draining.load(); },
                                  .gatekeeper = access_ ? &access_->gatekeeper() : nullptr}));
  return {};
}

// What a change is judged and held by.
changes::Outlook Tenant::make_outlook() {
  changes::Outlook outlook;
  outlook.open_emergency = [](store::Reader& reader) -> Result<bool> {
    MYDR24_ASSIGN(const auto open, incidents::Book::open_emergencies(reader, 1));
    return !open.empty();
  };
  outlook.open_incidents = [](store::Reader& reader) -> Result<int> {
    constexpr std::uint32_t counted_max = 100;
    MYDR24_ASSIGN(const auto open, incidents::Book::list(reader, false, "", counted_max));
    return static_cast<int>(open.summaries.size());
  };
  outlook.budget_left = [this](std::string_view service) { return monitoring_->monitor().budget_left(service); };
  return outlook;
}

void Tenant::make_routes(std::chrono::seconds escalate_after) {
  fhir_ = std::make_unique<fhir_api::Service>(
      fhir_api::Service{*core_.records,
                        shared_.workers,
                        clock_,
                        {.body_bytes_max = static_cast<std::size_t>(settings_.server.body_bytes_max),
                         .search_time_max = std::chrono::milliseconds(settings_.search.time_max_ms)},
                        std::string(version),
                        core_.conformance.get(),
                        core_.summaries.get(),
                        access_ ? core_.consents.get() : nullptr,
                        {.pages_may_read = origins_ != nullptr, .authorization = {}}});
  if (access_) fhir_->security.authorization = [this] { return access_->desk().base_url(); };
  desk_ = std::make_unique<desk_api::Desk>(desk_api::Desk{
      *core_.store, *core_.book, *dispatcher_, hub_, *core_.watch, shared_.workers, clock_, escalate_after,
      settings_.demo, [this] { return label_alerts_->unrecorded() + unwritten_->count(); }, &response_clocks_});
  health_ = std::make_unique<desk_api::Health>(
      desk_api::Health{[this] { return checks(); }, [this] { return shared_.draining.load(); }, metrics_,
                       [this](const std::string& to) -> Result<> {
                         MYDR24_TRY(core_.store->backup(to));
                         monitoring_->note_backup();
                         return {};
                       },
                       [this](const std::string& search) { return explain(*core_.records, search); }, shared_.workers});
  vitals_->add_routes(router_);
  fhir_api::add_routes(router_, *fhir_);
  desk_api::add_routes(router_, *desk_);
  console_api::Config console{.is_known = {},
                              .demo = settings_.demo,
                              .version = std::string(version),
                              .site = settings_.console.site,
                              .zone = settings_.console.zone};
  if (access_) {
    console.is_known = [this](const net::Request& request) {
      const auto caller = access_->gatekeeper().authenticate(request);
      return caller && (*caller)->principal.is_known();
    };
  }
  console_api::add_routes(router_, std::move(console));
  answers_ = std::make_unique<notify_api::Service>(notify_api::Service{
      *core_.store, *core_.book, *notify_->addresses, *notify_->tokens, notify_->providers, hub_, clock_});
  notify_api::add_routes(router_, *answers_);
  oncall_->add_routes(router_);
  incidents_->add_routes(router_);
  if (access_) access_->add_routes(router_, *fhir_);
  if (settings_.admission.bench_route == "on") add_bench_route(router_, shared_.workers);
  label_alerts_->add_routes(router_);
  changes_->add_routes(router_);
  if (series_) series_->add_routes(router_);
  monitoring_->add_routes(router_);
  desk_api::add_admin_routes(admin_router_, *health_);
  if (access_) access_->add_admin_routes(admin_router_);
  if (shared_.more_routes) shared_.more_routes(router_);
  pipeline::add_openapi_route(router_, std::string(version));
}

std::vector<desk_api::Check> Tenant::checks() const {
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

// What it measures is there when it begins: access control and alerts with labels come later.
void Tenant::make_monitoring() {
  monitoring_ = std::make_unique<Monitoring>(Monitoring::Parts{
      .settings = settings_,
      .store = *core_.store,
      .book = *core_.book,
      .dispatcher = *dispatcher_,
      .hub = hub_,
      .workers = shared_.workers,
      .clock = clock_,
      .log = log_,
      .make_channel = [this](asio::io_context& context,
                             const notify::Address& address) { return make_channel(context, address); },
      .audit = [this] { return access_ ? &access_->audit() : nullptr; },
      .unrecorded = [this] { return label_alerts_->unrecorded() + unwritten_->count(); },
      .is_ending = [this] { return shared_.draining.load(); },
      .is_limited = [this] { return is_full_.load(std::memory_order_relaxed); },
      .call = [this](const monitor::Unstored::Call& call) { call_from_memory(call); }});
  monitoring_->attach();
}

void Tenant::call_from_memory(const monitor::Unstored::Call& call) {
  log_.error("what the monitor found could not be written down; people are called from memory",
             {{"cause", call.finding.cause}});
  dispatcher_->call_from_memory({.id = call.id,
                                 .title = call.finding.title,
                                 .raised_at = call.found_at,
                                 .round = call.round,
                                 .severity = monitor::book_severity(call.finding.severity),
                                 .policy = std::string(monitor::policy_of(call.finding.severity))});
}

void Tenant::make_metrics() {
  oncall_->add_metrics(metrics_);
  incidents_->add_metrics(metrics_);
  monitoring_->add_metrics(metrics_);
  const auto difference = metrics_.gauge(
      "clock_difference_seconds", "How far the machine's clock is ahead of the server's, which makes up for it slowly");
  metrics_.before_expose([=, this] { difference.set(static_cast<double>(clock_.difference().count()) / 1e6); });
  vitals_->make_metrics(metrics_);
  label_alerts_->add_metrics(metrics_);
  if (series_) series_->add_metrics();
  const auto patients = metrics_.gauge("admission_emergency_patients", "Patients with an open emergency");
  metrics_.before_expose([=, this] { patients.set(static_cast<double>(emergencies_.known().size())); });
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

}  // namespace mydr24::server
