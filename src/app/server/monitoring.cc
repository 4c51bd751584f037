#include "app/server/monitoring.h"

#include <fmt/format.h>
#include <pthread.h>

#include "alerting/notify/webhook.h"
#include "base/core/date_time.h"
#include "base/crypto/digest.h"

namespace mydr24::server {
namespace {

using monitor::Group;
using monitor::Source;
using std::chrono::seconds;

constexpr double access_limit_s = 10.0;  // a record that is read in time
constexpr std::string_view state_space = "monitor";
constexpr std::string_view backup_key = "backup";

double seconds_of(std::chrono::nanoseconds time) { return std::chrono::duration<double>(time).count(); }

// The way to the people in front of the page: what is put in the feed can be read from it.
class FeedChannel : public notify::Channel {
 public:
  explicit FeedChannel(notify::ConsoleHub& hub) : hub_(hub) {}
  Task<notify::SendOutcome> send(notify::Message message) override {
    const std::int64_t number =
        hub_.publish("monitor.probe", fmt::format(R"({{"id":"{}"}})", message.delivery_id), message.delivery_id);
    const auto page = hub_.after(number - 1, 1);
    const bool there = page.entries.size() == 1 && page.entries.front().key == message.delivery_id;
    co_return there ? notify::SendOutcome{.status = notify::SendStatus::delivered}
                    : notify::SendOutcome{.text = "the feed does not give what was put in it"};
  }
  std::string_view medium() const override { return "console"; }

 private:
  notify::ConsoleHub& hub_;
};

}  // namespace

Result<std::vector<notify::Address>> probe_addresses(const MonitorSection& section) {
  std::vector<notify::Address> found;
  for (const std::string& item : list_of(section.probes)) {
    const auto equals = item.find('=');
    const auto kind = notify::parse_kind(item.substr(0, equals));
    if (!kind || equals == item.npos)
      return fail(Code::invalid, fmt::format("\"{}\": write email=probe@hospital.example", item), "monitor.probes");
    notify::Address address{.kind = *kind, .target = item.substr(equals + 1), .secret = {}};
    if (const auto checked = notify::check_address(address); !checked)
      return fail(Code::invalid, fmt::format("\"{}\": {}", item, checked.error().text), "monitor.probes");
    found.push_back(std::move(address));
  }
  return found;
}

Monitoring::Monitoring(Parts parts)
    : parts_(std::move(parts)),
      calls_(parts_.store, parts_.clock),
      monitor_(parts_.store, parts_.book, parts_.clock, parts_.log),
      pulse_(parts_.store, parts_.clock),
      api_{parts_.store,
           monitor_,
           [this] { return has_probes_ ? probes_->channels_json() : std::string(R"({"channels":[]})"); },
           parts_.workers,
           parts_.clock,
           crypto::random_token()} {}

Monitoring::~Monitoring() { stop(); }

void Monitoring::attach() {
  monitor_.call_with(parts_.call);
  monitor_.attach();
  parts_.store.add_follower(calls_);
}

void Monitoring::add_routes(pipeline::Router& router) { monitor_api::add_routes(router, api_); }

std::vector<monitor::Probe> Monitoring::make_probes(asio::io_context& context, const std::string& loopback) {
  std::vector<monitor::Probe> probes;
  probes.push_back({.name = "console", .channel = std::make_unique<FeedChannel>(parts_.hub), .always_delivers = true});
  if (!loopback.empty()) {
    auto made = notify::make_webhook({.url = loopback + "/api/v1/monitor/probe", .secret = api_.probe_secret},
                                     net::make_client(context), parts_.clock);
    if (made) probes.push_back({.name = "webhook loopback", .channel = std::move(*made)});
  }
  if (const auto addresses = probe_addresses(parts_.settings.monitor))
    for (const notify::Address& address : *addresses)
      probes.push_back({.name = fmt::format("{} {}", notify::to_string(address.kind), probes.size()),
                        .channel = parts_.make_channel(context, address)});
  return probes;
}

// The newest patient's record, as the emergency page begins with it.
Result<> Monitoring::read_record() const {
  return parts_.store.read(
      [](store::Reader& reader) -> Result<> {
        MYDR24_ASSIGN(const auto newest, reader.history({.type = "Patient", .count = 1}));
        if (!newest.empty()) MYDR24_TRY(reader.current("Patient", newest.front().id));
        MYDR24_TRY(reader.last_sequence());
        return {};
      },
      {.time_max = seconds(10), .request_class = RequestClass::emergency}, 0);
}

std::optional<double> Monitoring::available() const {
  const bool well = parts_.store.statistics().writable && probes_->is_available() && calls_.overdue() == 0 &&
                    parts_.unrecorded() == 0;
  return well ? 1.0 : 0.0;
}

void Monitoring::add_served_sources() {
  const auto now = [this] { return parts_.clock.steady(); };
  monitor_.add({"record_access_seconds", "s", "Worst time of the last minute to answer a read of a record",
                Group::clinical, seconds(60), [this, now] { return access_.read(now()); }});
  monitor_.add({"record_reads_total", "1", "Reads of records that were answered, since the start", Group::clinical,
                seconds(1), [this] { return std::optional(static_cast<double>(reads_.load())); }});
  monitor_.add({"record_reads_in_time_total", "1", "Of them those that took at most 10 seconds", Group::clinical,
                seconds(1), [this] { return std::optional(static_cast<double>(reads_in_time_.load())); }});
  monitor_.add({"login_seconds", "s", "Worst time of the last minute to answer a login or to give out a token",
                Group::clinical, seconds(60), [this, now] { return login_.read(now()); }});
  monitor_.add({"emergency_available", "1", "Whether an emergency can be taken, stored and sent now",
                Group::patient_safety, seconds(1), [this] { return available(); }});
  monitor_.add({"emergencies_overdue", "1", "Emergencies that reached nobody within 2 seconds, now",
                Group::patient_safety, seconds(1),
                [this] { return std::optional(static_cast<double>(calls_.overdue())); }});
  monitor_.add({"emergencies_unrecorded", "1", "Emergencies that are not written down: people are called from memory",
                Group::patient_safety, seconds(1),
                [this] { return std::optional(static_cast<double>(parts_.unrecorded())); }});
}

void Monitoring::add_machine_sources() {
  monitor_.add({"database_unanswered_seconds", "s", "Since when the store answers no writes; 0 when it does",
                Group::operational, seconds(1), [this] { return std::optional(seconds_of(pulse_.unanswered())); }});
  monitor_.add({"store_limit_reached", "1", "Whether the store is at its limit: routine writes are refused",
                Group::operational, seconds(1), [this] { return std::optional(parts_.is_limited() ? 1.0 : 0.0); }});
  monitor_.add({"store_writable", "1", "Whether the store takes writes", Group::operational, seconds(1),
                [this] { return std::optional(parts_.store.statistics().writable ? 1.0 : 0.0); }});
  monitor_.add({"store_queued_writes", "1", "Writes that wait for the writer", Group::operational, seconds(1),
                [this]() -> std::optional<double> {
                  double all = 0;
                  for (const auto count : parts_.store.statistics().queued) all += static_cast<double>(count);
                  return all;
                }});
  monitor_.add({"store_disk_bytes", "B", "Bytes of the store on disk", Group::operational, seconds(1),
                [this] { return std::optional(static_cast<double>(parts_.store.statistics().bytes_on_disk)); }});
  monitor_.add({"alerts_waiting", "1", "Messages that are being sent or wait for a retry", Group::operational,
                seconds(1),
                [this] { return std::optional(static_cast<double>(parts_.dispatcher.counters().waiting.load())); }});
  // Where the store is a database server, its disk is not ours to see.
  if (parts_.settings.store.url.empty()) {
    monitor_.add({"disk_free_ratio", "ratio", "Free share of the disk that holds the data folder", Group::operational,
                  seconds(1), [path = parts_.settings.store.path]() -> std::optional<double> {
                    std::error_code error;
                    const auto space = std::filesystem::space(path, error);
                    if (error || space.capacity == 0) return std::nullopt;
                    return static_cast<double>(space.available) / static_cast<double>(space.capacity);
                  }});
    monitor_.add({"disk_free_mib", "MiB", "Free room on the disk that holds the data folder", Group::operational,
                  seconds(1), [path = parts_.settings.store.path]() -> std::optional<double> {
                    std::error_code error;
                    const auto space = std::filesystem::space(path, error);
                    if (error || space.capacity == 0) return std::nullopt;
                    return static_cast<double>(space.available) / (1 << 20);
                  }});
  }
  monitor_.add({"backup_age_seconds", "s", "Time since the last backup that was made through the running server",
                Group::operational, seconds(1), [this]() -> std::optional<double> {
                  const std::int64_t at = backup_at_us_;
                  if (at == 0) return std::nullopt;
                  return std::chrono::duration<double>(parts_.clock.now() - from_us(at)).count();
                }});
}

void Monitoring::add_audit_source() {
  audit::Log* log = parts_.audit();
  if (log == nullptr) return;
  monitor_.add({"audit_lag_seconds", "s", "Age of the oldest entry of the audit trail that is not on the disk",
                Group::compliance, seconds(1), [log] { return std::optional(seconds_of(log->lag())); }});
  monitor_.add({"audit_refused_total", "1", "Entries that the audit trail could not take, since the start",
                Group::compliance, seconds(1),
                [log] { return std::optional(static_cast<double>(log->statistics().refused)); }});
}

Result<> Monitoring::begin(const std::string& loopback) {
  MYDR24_TRY(probe_addresses(parts_.settings.monitor));
  if (const auto& url = parts_.settings.monitor.heartbeat_url; !url.empty())
    if (const auto parsed = net::parse_url(url); !parsed)
      return fail(Code::invalid, parsed.error().text, "monitor.heartbeat_url");
  MYDR24_TRY(parts_.store.read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(const auto text, reader.state(state_space, backup_key));
    if (text)
      if (const auto range = parse_date_time(*text)) backup_at_us_ = to_us(range->low);
    return {};
  }));
  probes_ = std::make_unique<monitor::Probes>(monitor::ProbeParts{
      .calls = calls_,
      .store = parts_.store,
      .clock = parts_.clock,
      .log = parts_.log,
      .make_probes = [this, loopback](asio::io_context& context) { return make_probes(context, loopback); },
      .read_record = [this] { return read_record(); },
      .is_working = [this] { return monitor_.is_working(); },
      .is_ending = parts_.is_ending,
      .keep = [this] { monitor_.keep(); },
      .portal_url = loopback.empty() ? std::string() : loopback + "/api/v1/monitor/probe",
      .portal_secret = api_.probe_secret,
      .heartbeat_url = parts_.settings.monitor.heartbeat_url,
      .probe_every = seconds(parts_.settings.monitor.probe_every_s)});
  has_probes_ = true;
  for (Source& source : calls_.sources()) monitor_.add(std::move(source));
  for (Source& source : probes_->sources()) monitor_.add(std::move(source));
  add_served_sources();
  add_machine_sources();
  add_audit_source();
  MYDR24_TRY(monitor_.start());
  probes_->start();
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "monitor");
    run();
  });
  return {};
}

void Monitoring::run() {
  std::unique_lock lock(mutex_);
  do {
    lock.unlock();
    if (!parts_.is_ending()) pulse_.tick();
    calls_.tick();
    probes_->tick();
    monitor_.tick();
    lock.lock();
  } while (!wake_.wait_for(lock, seconds(1), [this] { return stopping_; }));
}

void Monitoring::stop() {
  if (thread_.joinable()) {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }
  if (!has_probes_.exchange(false)) return;
  probes_->stop();
  monitor_.stop();
}

void Monitoring::served(const pipeline::Route& route, std::chrono::nanoseconds time) {
  const std::string_view name = route.interaction;
  if (name == "read" || name == "vread") {
    access_.observe(seconds_of(time), parts_.clock.steady());
    if (seconds_of(time) <= access_limit_s) ++reads_in_time_;
    ++reads_;  // after its part, as it is read before it
  } else if (name == "login" || name == "token") {
    login_.observe(seconds_of(time), parts_.clock.steady());
  }
}

void Monitoring::note_backup() {
  const Instant now = parts_.clock.now();
  backup_at_us_ = to_us(now);
  parts_.store.submit(
      RequestClass::background,
      [now](store::Transaction& transaction) {
        return transaction.set_state(state_space, backup_key, format_instant(now));
      },
      [this](const Result<>& result) {
        if (!result) parts_.log.warn("the time of the backup was not noted", {{"detail", result.error().text}});
      });
}

}  // namespace mydr24::server
