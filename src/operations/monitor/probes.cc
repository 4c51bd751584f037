#include "operations/monitor/probes.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>

#include "alerting/notify/signature.h"
#include "base/core/date_time.h"
#include "base/core/id.h"
#include "base/json/writer.h"

namespace mydr24::monitor {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr seconds write_hangs{5};
constexpr std::chrono::milliseconds portal_time_max{5'000};
constexpr std::chrono::milliseconds heartbeat_time_max{10'000};

double seconds_of(nanoseconds time) { return std::chrono::duration<double>(time).count(); }

}  // namespace

Probes::Probes(ProbeParts parts) : parts_(std::move(parts)) {}

Probes::~Probes() { stop(); }

void Probes::start() {
  probes_ = parts_.make_probes(context_);
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "probes");
    run();
  });
}

void Probes::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Probes::run() {
  std::unique_lock lock(mutex_);
  do {
    lock.unlock();
    const auto steady = parts_.clock.steady();
    const bool ends = parts_.is_ending && parts_.is_ending();
    const auto is_due = [&](nanoseconds& last, seconds every) {
      if (ends) return false;
      if (last.count() != 0 && steady - last < every) return false;
      last = steady;
      return true;
    };
    // What hangs is found by its age, not by waiting for it: the record first, then what goes over the network.
    if (is_due(looked_at_, can_read_ && can_write_ ? parts_.look_every : seconds(1))) look();
    if (is_due(probed_at_, parts_.probe_every)) probe();
    if (!parts_.heartbeat_url.empty() && is_due(beat_at_, parts_.probe_every)) beat();
    lock.lock();
  } while (!wake_.wait_for(lock, seconds(1), [this] { return stopping_; }));
}

// Each commit that changes anything costs readers what they had in memory: in between nothing is written, and only the
// way through the writer is measured. After a failure each look writes, until it goes well.
void Probes::write() {
  const auto begin = parts_.clock.steady();
  const bool writes = !can_write_ || wrote_at_.count() == 0 || begin - wrote_at_ >= parts_.write_every;
  if (writes) {
    if (parts_.keep && can_write_) parts_.keep();
    wrote_at_ = begin;
  }
  writing_since_ns_ = begin.count();
  parts_.store.submit(
      RequestClass::emergency,
      [writes](store::Transaction& transaction) -> Result<> {
        if (!writes) return {};
        return transaction.set_state("monitor", "probe", format_instant(transaction.now()));
      },
      [this, begin, writes](const Result<>& result) {
        if (writes || !result) can_write_ = result.has_value();
        const auto end = parts_.clock.steady();
        if (result) database_.observe(seconds_of(end - begin), end);
        writing_since_ns_ = 0;
      });
}

void Probes::look() {
  if (writing_since_ns_ == 0) write();
  const auto begin = parts_.clock.steady();
  const auto read = parts_.read_record();
  const auto end = parts_.clock.steady();
  can_read_ = read.has_value();
  if (read) retrieval_.observe(seconds_of(end - begin), end);
  if (!parts_.portal_url.empty()) ask_itself();
}

void Probes::ask_itself() {
  net::ClientRequest request;
  auto url = net::parse_url(parts_.portal_url);
  if (!url) return;
  request.method = net::Method::post;
  request.url = std::move(*url);
  request.body = R"({"schema":"mydr24.probe.v1"})";
  request.headers = {{"Content-Type", "application/json"},
                     {"X-MyDR24-Signature", notify::sign(parts_.portal_secret, parts_.clock.now(), request.body)}};
  request.time_max = portal_time_max;
  const auto answer = net::send_blocking(std::move(request));
  portal_ = answer && answer->status == 200 ? 1 : 0;
  portal_at_ns_ = parts_.clock.steady().count();
}

Task<> Probes::send(Probes& probes, Probe& probe, std::string id) {
  const ProbeParts& parts = probes.parts_;
  const auto begin = parts.clock.steady();
  {
    const std::lock_guard lock(probes.mutex_);
    probes.sending_[probe.name] = begin;
  }
  notify::Message message{.alert_id = {},
                          .delivery_id = std::move(id),
                          .severity = "advisory",
                          .title = "TEST of the channels by MyDR24: nothing is wrong, nothing is to be done",
                          .contact = "monitor",
                          .raised_at = parts.clock.now(),
                          .purpose = notify::Purpose::notice};
  const notify::SendOutcome outcome = co_await probe.channel->send(std::move(message));
  const auto end = parts.clock.steady();
  const auto took = std::chrono::duration_cast<Microseconds>(end - begin);
  const bool delivered = outcome.status == notify::SendStatus::delivered;
  parts.calls.note_probe(delivered, took);
  const std::lock_guard lock(probes.mutex_);
  probes.sending_.erase(probe.name);
  probes.states_[probe.name] = {.medium = std::string(probe.channel->medium()),
                                .delivered = delivered,
                                .text = outcome.text,
                                .took = took,
                                .at = end};
}

void Probes::tick() {
  const auto now = parts_.clock.steady();
  nanoseconds oldest{0};
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, since] : sending_) oldest = std::max(oldest, now - since);
  }
  if (oldest.count() > 0) parts_.calls.note_waiting(std::chrono::duration_cast<Microseconds>(oldest));
}

void Probes::probe() {
  if (probes_.empty()) return;
  context_.restart();
  for (Probe& each : probes_)
    asio::co_spawn(context_, send(*this, each, make_uuid7(parts_.clock.now())), asio::detached);
  context_.run();
  const bool has_others = std::ranges::any_of(probes_, [](const Probe& each) { return !each.always_delivers; });
  bool any = false;
  std::string failed;
  {
    const std::lock_guard lock(mutex_);
    for (const Probe& each : probes_) {
      const bool delivered = states_[each.name].delivered;
      any = any || (delivered && !(each.always_delivers && has_others));
      if (!delivered) failed += (failed.empty() ? "" : ", ") + each.name;
    }
  }
  can_send_ = any;
  if (!failed.empty()) parts_.log.warn("a synthetic emergency did not arrive", {{"channels", failed}});
}

void Probes::beat() {
  if (!parts_.store.leads()) return;  // who leads does
  if (!parts_.is_working() || !is_available()) {
    parts_.log.warn("no heartbeat is sent: the monitor's own work fails");
    return;
  }
  auto url = net::parse_url(parts_.heartbeat_url);
  if (!url) return;
  net::ClientRequest request;
  request.method = net::Method::post;
  request.url = std::move(*url);
  request.headers.emplace_back("Content-Type", "application/json");
  request.body = R"({"schema":"mydr24.heartbeat.v1"})";
  request.time_max = heartbeat_time_max;
  const auto answer = net::send_blocking(std::move(request));
  if (answer && answer->status < 300) {
    ++beaten_;
  } else {
    parts_.log.warn("the heartbeat was not taken",
                    {{"detail", answer ? fmt::format("status {}", answer->status) : answer.error().text}});
  }
}

bool Probes::is_available() const {
  const std::int64_t since = writing_since_ns_;
  const bool hangs = since != 0 && parts_.clock.steady() - nanoseconds(since) > write_hangs;
  return can_read_ && can_write_ && can_send_ && !hangs;
}

std::optional<double> Probes::database_s() const {
  const auto now = parts_.clock.steady();
  const auto worst = database_.read(now);
  const std::int64_t since = writing_since_ns_;
  if (since == 0) return worst;
  return std::max(worst.value_or(0), seconds_of(now - nanoseconds(since)));
}

std::vector<Source> Probes::sources() {
  std::vector<Source> made;
  made.push_back({"emergency_data_retrieval_seconds", "s",
                  "Worst time of the last minute to read a record as for an emergency (a read every 10 seconds)",
                  Group::clinical, parts_.look_every, [this] { return retrieval_.read(parts_.clock.steady()); }});
  made.push_back(
      {"database_latency_seconds", "s",
       "Worst time of the last minute through the writer, each 10 seconds; once a minute with a write to disk",
       Group::operational, parts_.look_every, [this] { return database_s(); }});
  if (!parts_.portal_url.empty())
    made.push_back({"portal_up", "1", "Whether the listener of the page answers (asked every 10 seconds)",
                    Group::clinical, parts_.look_every, [this]() -> std::optional<double> {
                      const auto age = parts_.clock.steady() - nanoseconds(portal_at_ns_.load());
                      if (portal_ < 0 || age > parts_.look_every * 3) return std::nullopt;
                      return portal_.load();
                    }});
  if (!parts_.heartbeat_url.empty())
    made.push_back({"heartbeats_total", "1", "Heartbeats that were taken outside, since the start", Group::operational,
                    parts_.probe_every, [this] { return std::optional(static_cast<double>(beaten_.load())); }});
  return made;
}

std::string Probes::channels_json() const {
  std::string text;
  json::Writer out(text);
  const auto now = parts_.clock.steady();
  const std::lock_guard lock(mutex_);
  out.begin_object().field("schema", "mydr24.monitor-channels.v1").key("channels").begin_array();
  for (const auto& [name, state] : states_) {
    out.begin_object().field("name", name).field("medium", state.medium).field("delivered", state.delivered);
    out.field("took_s", seconds_of(state.took)).field("age_s", seconds_of(now - state.at));
    if (!state.text.empty()) out.field("text", state.text);
    out.end_object();
  }
  out.end_array().end_object();
  return text;
}

}  // namespace mydr24::monitor
