#include "alerting/alerts/dispatcher.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <condition_variable>
#include <exception>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <unordered_map>
#include <utility>

#include "alerting/alerts/book.h"
#include "alerting/alerts/detail/calls.h"
#include "alerting/alerts/detail/message.h"
#include "alerting/alerts/rows.h"
#include "alerting/notify/webhook.h"
#include "base/core/date_time.h"
#include "base/json/writer.h"

namespace mydr24::alerts {
namespace {

constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
constexpr std::uint32_t recovery_page = 500;

ChannelFactory default_factory(const DispatcherSettings& settings, const Clock& clock, notify::ConsoleHub& hub) {
  return [settings, &clock, &hub](asio::io_context& context,
                                  const notify::Address& address) -> Result<std::unique_ptr<notify::Channel>> {
    if (address.kind == notify::Kind::console) return notify::make_console_channel(hub);
    if (address.kind != notify::Kind::webhook)
      return fail(Code::unsupported, fmt::format("there is no channel of kind {}", to_string(address.kind)));
    notify::WebhookSettings webhook{.url = address.target,
                                    .secret = address.secret,
                                    .include_patient = settings.include_patient,
                                    .link_base = settings.link_base};
    // A client of its own: connections that hang here are not taken from another channel to the same host.
    auto client = net::make_client(context, {.connections_max_per_host = settings.sends_per_lane_max});
    return notify::make_webhook(std::move(webhook), std::move(client), clock);
  };
}

}  // namespace

// Everything but the atomics and what `mutex_` guards belongs to the io_context's thread.
struct Dispatcher::Inside {
  // A delivery on its way. Counted in busy_ except while it waits in retries_.
  struct Job {
    std::string id;
    notify::Address address;  // where it goes
    std::string contact;
    std::string source;  // of the alert
    Severity severity = Severity::urgent;
    int attempt = 1;
    int tries = 0;  // of this process: what the back-off grows by
    std::int64_t order = 0;
    std::optional<notify::SendOutcome> outcome;  // sent, not yet written down
    Instant called_at;
    std::chrono::nanoseconds sent_at{0};              // steady, of the last attempt
    std::chrono::nanoseconds answered_at{0};          // likewise
    std::weak_ptr<asio::cancellation_signal> cancel;  // while it is being sent
  };
  using JobPointer = std::shared_ptr<Job>;

  struct Lane {
    std::unique_ptr<notify::Channel> channel;
    std::size_t sending = 0;              // others than emergencies
    std::size_t sending_emergencies = 0;  // these have places of their own
    // Emergencies first, then by turn, then in order. A source's next turn is the one after its last, or the one that
    // is being served.
    std::map<std::tuple<Severity, std::int64_t, std::int64_t>, JobPointer> queue;
    std::map<std::string, std::int64_t> turns;  // by source: its last
    std::int64_t turn = 0;                      // being served
  };

  Inside(oncall::Directory directory, const Clock& clock, notify::ConsoleHub& hub, DispatcherSettings settings,
         ChannelFactory factory, Counters& counters)
      : directory_(std::move(directory)),
        clock_(clock),
        hub_(hub),
        settings_(std::move(settings)),
        factory_(factory ? std::move(factory) : default_factory(settings_, clock, hub)),
        counters_(counters) {}

  static std::string lane_name(std::string_view contact, const notify::Address& address) {
    return fmt::format("{}\n{}\n{}\n{}", contact, to_string(address.kind), address.target, address.secret);
  }

  Result<> start(store::Store& store, Dispatcher& follower);
  Result<> make_lanes();
  Result<Lane*> lane_of(std::string_view contact, const notify::Address& address);
  Result<std::vector<std::string>> recover();
  void stop();
  void take(std::string id);
  void enter_lane(const JobPointer& job);
  void pump(Lane& lane);
  Task<> run(Lane& lane, std::size_t& places, JobPointer job);
  Result<std::optional<notify::Message>> load(Job& job);
  void record(const JobPointer& job);
  Result<> write_outcome(store::Transaction& transaction, const Job& job) const;
  void recorded(const JobPointer& job, const Result<>& result);
  void trace(const Job& job) const;
  // `wait_min`: the provider asks for it.
  void retry_later(const JobPointer& job, std::chrono::milliseconds wait_min = {});
  void finish(const JobPointer& job);
  void tick();
  void begin(const std::vector<std::string>& left);
  void end();
  void call_from_memory(const Unrecorded& emergency);
  bool gives_up(const Job& job) const {
    return job.outcome->status == notify::SendStatus::refused || job.attempt >= settings_.attempts_max;
  }

  void add_busy() {
    const std::lock_guard lock(mutex_);
    ++busy_;
  }
  void post_take(const std::string& id) {
    add_busy();
    asio::post(context_, [this, id] { take(id); });
  }
  void end_busy() {
    const std::lock_guard lock(mutex_);
    if (--busy_ == 0) idle_.notify_all();
  }

  const oncall::Directory directory_;
  const Clock& clock_;
  notify::ConsoleHub& hub_;
  const DispatcherSettings settings_;
  const ChannelFactory factory_;
  Counters& counters_;

  store::Store* store_ = nullptr;
  asio::io_context context_{1};
  asio::executor_work_guard<Executor> guard_{context_.get_executor()};
  std::map<std::string, Lane, std::less<>> lanes_;  // goes before the context that its channels use
  std::unordered_map<std::string, JobPointer> active_;
  std::multimap<std::int64_t, JobPointer> retries_;  // by due time, Clock::steady in nanoseconds
  std::atomic<std::int64_t> next_retry_ = never;
  std::atomic<bool> stopping_ = false;
  bool follows_ = true;  // false: another process sends
  std::int64_t next_order_ = 0;
  std::thread thread_;

  std::mutex mutex_;
  std::condition_variable idle_;
  std::int64_t busy_ = 0;
};

Result<Dispatcher::Inside::Lane*> Dispatcher::Inside::lane_of(std::string_view contact,
                                                              const notify::Address& address) {
  Lane& lane = lanes_[lane_name(contact, address)];
  if (!lane.channel) {
    MYDR24_ASSIGN(lane.channel, factory_(context_, address));
  }
  return &lane;
}

// Whose channel cannot be made is named at the start, not at the first emergency.
Result<> Dispatcher::Inside::make_lanes() {
  const oncall::PlanPointer plan = directory_.plan();
  for (const auto& [name, contact] : plan->contacts())
    for (std::size_t i = 0; i < contact.methods.size(); ++i) {
      if (contact.methods[i].address.kind == notify::Kind::console) continue;
      const auto lane = lane_of(name, contact.methods[i].address);
      if (!lane)
        return fail(Code::invalid, fmt::format("contact \"{}\", channel {}: {}", name, i, lane.error().text),
                    "oncall.contacts");
    }
  return {};
}

// What an earlier process did with these is not known: one attempt more is assumed, so that the next is a marked retry.
Result<std::vector<std::string>> Dispatcher::Inside::recover() {
  std::vector<std::string> ids;
  for (bool more = true; more;) {
    MYDR24_TRY(store_->write(RequestClass::emergency, [&](store::Transaction& transaction) -> Result<> {
      const std::string after = ids.empty() ? std::string() : ids.back();
      MYDR24_ASSIGN(const auto left, transaction.states(rows::outbox, "", after, recovery_page));
      more = left.size() == recovery_page;
      for (const store::StateRow& row : left) {
        ids.push_back(row.key);
        MYDR24_ASSIGN(std::optional<Delivery> delivery, Book::delivery(transaction, row.key));
        if (!delivery) continue;
        delivery->attempts += 1;
        MYDR24_TRY(rows::put_delivery(transaction, *delivery));
      }
      return {};
    }));
  }
  return ids;
}

Result<> Dispatcher::Inside::start(store::Store& store, Dispatcher& follower) {
  store_ = &store;
  MYDR24_TRY(make_lanes());
  store.add_follower(follower);
  thread_ = std::thread([this] { context_.run(); });
  return {};
}

void Dispatcher::Inside::stop() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  asio::post(context_, [this] {
    for (auto& [name, lane] : lanes_)
      for (const auto& [place, job] : std::exchange(lane.queue, {})) finish(job);
    for (const auto& [id, job] : active_)
      if (const auto cancel = job->cancel.lock()) cancel->emit(asio::cancellation_type::terminal);
    end_busy();
  });
  std::unique_lock lock(mutex_);
  ++busy_;  // for the job just posted
  idle_.wait(lock, [this] { return busy_ == 0; });
  lock.unlock();
  context_.stop();
  thread_.join();
}

void Dispatcher::Inside::take(std::string id) {
  if (stopping_ || !follows_ || active_.contains(id)) return end_busy();
  auto job = std::make_shared<Job>();
  job->id = std::move(id);
  job->order = next_order_++;
  active_.emplace(job->id, job);
  ++counters_.waiting;
  enter_lane(job);
}

void Dispatcher::Inside::enter_lane(const JobPointer& job) {
  const auto message = load(*job);
  if (!message) return retry_later(job);
  if (!*message || stopping_) return finish(job);
  const auto found = job->contact.empty() ? Result<Lane*>(fail(Code::refused, "this method is not used any more"))
                                          : lane_of(job->contact, job->address);
  if (!found) {
    job->outcome = notify::SendOutcome{notify::SendStatus::refused, 0, found.error().text};
    return record(job);
  }
  Lane& lane = **found;
  std::int64_t& turn = lane.turns[job->source];
  turn = std::max(lane.turn, turn + 1);
  lane.queue.emplace(std::tuple(job->severity, turn, job->order), job);
  pump(lane);
}

void Dispatcher::Inside::pump(Lane& lane) {
  while (!stopping_ && !lane.queue.empty()) {
    const bool is_emergency = std::get<0>(lane.queue.begin()->first) == Severity::emergency;
    std::size_t& places = is_emergency ? lane.sending_emergencies : lane.sending;
    if (places >= settings_.sends_per_lane_max) return;
    JobPointer job = std::move(lane.queue.begin()->second);
    lane.turn = std::max(lane.turn, std::get<1>(lane.queue.begin()->first));
    lane.queue.erase(lane.queue.begin());
    if (lane.queue.empty()) lane.turns.clear();
    ++places;
    // Held by the completion handler: the coroutine's frame uses the slot to its end.
    const auto cancel = std::make_shared<asio::cancellation_signal>();
    job->cancel = cancel;
    asio::co_spawn(context_, run(lane, places, std::move(job)),
                   asio::bind_cancellation_slot(cancel->slot(), [cancel](const std::exception_ptr&) {}));
  }
}

// One attempt. What is in the outbox is what counts: it may have been acknowledged while this one waited.
Task<> Dispatcher::Inside::run(Lane& lane, std::size_t& places, JobPointer job) {
  Result<std::optional<notify::Message>> message = load(*job);
  if (message && *message) {
    ++counters_.attempts;
    ++job->tries;
    job->sent_at = clock_.steady();
    try {
      job->outcome = co_await lane.channel->send(std::move(**message));
    } catch (const std::exception& error) {
      job->outcome = notify::SendOutcome{notify::SendStatus::failed, 0, error.what()};
    }
    job->answered_at = clock_.steady();
  }
  job->cancel.reset();
  --places;
  const bool cut_off = stopping_ && job->outcome && job->outcome->status != notify::SendStatus::delivered;
  if (!message)
    retry_later(job);
  else if (!*message || cut_off)
    finish(job);
  else
    record(job);
  pump(lane);
}

// Nothing when it is not to be sent any more.
Result<std::optional<notify::Message>> Dispatcher::Inside::load(Job& job) {
  std::optional<notify::Message> message;
  const Result<> read = store_->read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(const auto wanted, reader.state(rows::outbox, job.id));
    if (!wanted) return {};
    MYDR24_ASSIGN(const std::optional<Delivery> delivery, Book::delivery(reader, job.id));
    if (!delivery) return {};
    MYDR24_ASSIGN(const std::optional<Alert> alert, Book::find(reader, delivery->alert_id));
    if (!alert) return {};
    job.contact.clear();
    const oncall::PlanPointer plan = directory_.plan();
    const oncall::Contact* contact = plan->contact(delivery->contact);
    const auto method = static_cast<std::size_t>(delivery->channel);
    if (contact != nullptr && method < contact->methods.size() && contact->methods[method].usable() &&
        to_string(contact->methods[method].address.kind) == delivery->medium) {
      job.contact = contact->name;
      job.address = contact->methods[method].address;
    }
    job.source = alert->source;
    job.severity = alert->severity;
    job.attempt = delivery->attempts + 1;
    job.called_at = delivery->called_at;
    message = message_of(*alert, *delivery, job.attempt);
    return {};
  });
  if (!read) return read.error();
  return message;
}

void Dispatcher::Inside::record(const JobPointer& job) {
  store_->submit(
      RequestClass::emergency,
      [this, job](store::Transaction& transaction) { return write_outcome(transaction, *job); },
      [this, job](Result<> result) {
        asio::post(context_, [this, job, result = std::move(result)] { recorded(job, result); });
      });
}

Result<> Dispatcher::Inside::write_outcome(store::Transaction& transaction, const Job& job) const {
  MYDR24_ASSIGN(std::optional<Delivery> delivery, Book::delivery(transaction, job.id));
  // Delivered: by the process that followed before, which had begun to send it.
  if (!delivery || delivery->state == DeliveryState::delivered) return {};
  const bool delivered = job.outcome->status == notify::SendStatus::delivered;
  const bool final = delivered || gives_up(job);
  delivery->attempts = std::max(delivery->attempts, job.attempt);
  delivery->sent_at = transaction.now();
  delivery->http_status = job.outcome->http_status;
  delivery->text = job.outcome->text;
  if (delivered)
    delivery->state = DeliveryState::delivered;
  else if (final)
    delivery->state = DeliveryState::failed;
  MYDR24_TRY(rows::put_delivery(transaction, *delivery));
  if (final) MYDR24_TRY(transaction.erase_state(rows::outbox, job.id));

  std::string payload;
  json::Writer writer(payload);
  writer.begin_object()
      .field("alert", delivery->alert_id)
      .field("delivery", delivery->id)
      .field("contact", delivery->contact)
      .field("medium", delivery->medium)
      .field("attempt", job.attempt)
      .field("http_status", job.outcome->http_status)
      .field("latency_ms", std::chrono::floor<std::chrono::milliseconds>(transaction.now() - job.called_at).count());
  if (!delivered) writer.field("final", final).field("text", job.outcome->text);
  writer.end_object();
  MYDR24_TRY(
      rows::note(transaction, delivered ? "alert.delivered" : "alert.delivery_failed", delivery->alert_id, payload));
  return delivered || !final ? Result<>() : calls::call_another_way(transaction, *directory_.plan(), *delivery);
}

void Dispatcher::Inside::recorded(const JobPointer& job, const Result<>& result) {
  if (!result) return stopping_ ? finish(job) : retry_later(job);
  const bool final = job->outcome->status == notify::SendStatus::delivered || gives_up(*job);
  if (job->outcome->status == notify::SendStatus::delivered) {
    ++counters_.delivered;
    if (job->attempt == 1) {
      const std::int64_t took = (clock_.now() - job->called_at).count();
      counters_.delivery_us_last = took;
      if (took > counters_.delivery_us_max) counters_.delivery_us_max = took;
    }
  } else {
    ++counters_.failed;
    if (final) ++counters_.given_up;
  }
  if (final) {
    trace(*job);
    return finish(job);
  }
  const std::chrono::seconds wait_min = job->outcome->retry_after;
  job->outcome.reset();
  retry_later(job, wait_min);
}

// From the call's commit to its outcome, written down.
void Dispatcher::Inside::trace(const Job& job) const {
  if (settings_.traces == nullptr) return;
  const bool delivered = job.outcome->status == notify::SendStatus::delivered;
  const std::chrono::nanoseconds took = clock_.now() - job.called_at;
  auto trace = settings_.traces->begin({});
  if (trace == nullptr) trace = settings_.traces->begin_late({}, took, !delivered);
  if (trace == nullptr) return;
  const auto now = clock_.steady();
  if (job.sent_at.count() != 0) {
    trace->add("alert send", job.sent_at, job.answered_at);
    trace->add("alert outcome", job.answered_at, now);
  }
  settings_.traces->end(std::move(trace), {.name = "alert delivery",
                                           .kind = telemetry::Span::Kind::client,
                                           .begin = now - took,
                                           .end = now,
                                           .failed = !delivered,
                                           .attributes = {{"mydr24.severity", std::string(to_string(job.severity))},
                                                          {"mydr24.medium", std::string(to_string(job.address.kind))},
                                                          {"mydr24.attempts", std::int64_t{job.attempt}}}});
}

// Waits for tick(): to be sent again or, when it has an outcome, for that to be written down.
void Dispatcher::Inside::retry_later(const JobPointer& job, std::chrono::milliseconds wait_min) {
  if (!follows_ && !job->outcome) return finish(job);
  const int doublings = std::clamp(job->tries - 1, 0, 20);
  const auto wait = std::max(
      wait_min, std::min<std::chrono::milliseconds>(settings_.retry_first * (1LL << doublings), settings_.retry_max));
  const std::int64_t due = (clock_.steady() + wait).count();
  retries_.emplace(due, job);
  next_retry_ = retries_.begin()->first;
  end_busy();
}

void Dispatcher::Inside::finish(const JobPointer& job) {
  active_.erase(job->id);
  --counters_.waiting;
  end_busy();
}

void Dispatcher::Inside::begin(const std::vector<std::string>& left) {
  follows_ = true;
  for (const std::string& id : left) post_take(id);
}

// What has an outcome stays until that is written down: the other process then knows that it was sent.
void Dispatcher::Inside::end() {
  follows_ = false;
  for (auto& [name, lane] : lanes_)
    for (const auto& [place, job] : std::exchange(lane.queue, {})) finish(job);
  for (auto retry = retries_.begin(); retry != retries_.end();) {
    const JobPointer job = retry->second;
    if (job->outcome) {
      ++retry;
      continue;
    }
    retry = retries_.erase(retry);
    add_busy();
    finish(job);
  }
  next_retry_ = retries_.empty() ? never : retries_.begin()->first;
}

void Dispatcher::Inside::tick() {
  const std::int64_t now = clock_.steady().count();
  while (!stopping_ && !retries_.empty() && retries_.begin()->first <= now) {
    const JobPointer job = retries_.begin()->second;
    retries_.erase(retries_.begin());
    add_busy();
    if (job->outcome)
      record(job);
    else
      enter_lane(job);
  }
  next_retry_ = retries_.empty() ? never : retries_.begin()->first;
}

// By all methods at once: nobody can answer, so nobody is spared the next one.
void Dispatcher::Inside::call_from_memory(const Unrecorded& emergency) {
  std::string payload;
  json::Writer(payload)
      .begin_object()
      .field("title", std::string_view(emergency.title))
      .field("severity", to_string(emergency.severity))
      .field("raised_at", format_instant(emergency.raised_at))
      .end_object();
  hub_.publish("alert.unrecorded", std::move(payload));
  const oncall::PlanPointer plan = directory_.plan();
  const oncall::Policy& policy = plan->policy(emergency.policy, static_cast<std::size_t>(emergency.severity));
  const int step = std::min(emergency.round, static_cast<int>(policy.steps.size()) - 1);
  for (const oncall::Called& called : plan->who_answers(policy, static_cast<std::size_t>(step), clock_.now())) {
    for (std::size_t i = 0; i < called.contact->methods.size(); ++i) {
      const oncall::Method& method = called.contact->methods[i];
      if (!method.usable()) continue;
      const auto lane = lane_of(called.contact->name, method.address);
      if (!lane) continue;
      notify::Message message{
          .alert_id = emergency.id,
          .delivery_id = fmt::format("{}-m{:05}-{}-c{:02}", emergency.id, emergency.round, called.contact->name, i),
          .severity = std::string(to_string(emergency.severity)),
          .title = emergency.title,
          .contact = called.contact->name,
          .step = step,
          .repeat = emergency.round > step,
          .raised_at = emergency.raised_at,
          .recorded = false};
      add_busy();
      ++counters_.attempts;
      asio::co_spawn(context_, (*lane)->channel->send(std::move(message)),
                     [this](const std::exception_ptr& error, const notify::SendOutcome& outcome) {
                       const bool delivered = !error && outcome.status == notify::SendStatus::delivered;
                       ++(delivered ? counters_.from_memory : counters_.failed);
                       end_busy();
                     });
    }
  }
}

Dispatcher::Dispatcher(oncall::Directory directory, const Clock& clock, notify::ConsoleHub& hub,
                       DispatcherSettings settings, ChannelFactory factory)
    : inside_(std::make_unique<Inside>(std::move(directory), clock, hub, std::move(settings), std::move(factory),
                                       counters_)) {}

Dispatcher::~Dispatcher() { stop(); }

Result<> Dispatcher::start(store::Store& store) { return inside_->start(store, *this); }
void Dispatcher::stop() { inside_->stop(); }

void Dispatcher::tick() {
  if (inside_->clock_.steady().count() < inside_->next_retry_) return;
  inside_->next_retry_ = never;
  inside_->add_busy();
  asio::post(inside_->context_, [inside = inside_.get()] {
    inside->tick();
    inside->end_busy();
  });
}

void Dispatcher::call_from_memory(Unrecorded emergency) {
  if (inside_->stopping_) return;
  inside_->add_busy();
  asio::post(inside_->context_, [inside = inside_.get(), emergency = std::move(emergency)] {
    if (!inside->stopping_) inside->call_from_memory(emergency);
    inside->end_busy();
  });
}

bool Dispatcher::settle(std::chrono::milliseconds time_max) {
  std::unique_lock lock(inside_->mutex_);
  return inside_->idle_.wait_for(lock, time_max, [this] { return inside_->busy_ == 0; });
}

Result<> Dispatcher::begin() {
  if (inside_->stopping_) return fail(Code::busy, "the dispatcher is stopping");
  MYDR24_ASSIGN(const std::vector<std::string> left, inside_->recover());
  counters_.recovered += static_cast<std::int64_t>(left.size());
  inside_->add_busy();
  asio::post(inside_->context_, [inside = inside_.get(), left] {
    inside->begin(left);
    inside->end_busy();
  });
  return {};
}

void Dispatcher::end() {
  inside_->add_busy();
  asio::post(inside_->context_, [inside = inside_.get()] {
    inside->end();
    inside->end_busy();
  });
}

Result<> Dispatcher::follow(std::span<const store::Event> events) {
  for (const store::Event& event : events) {
    if (!event.kind.starts_with("alert.")) continue;
    if (inside_->stopping_) return fail(Code::busy, "the dispatcher is stopping");
    if (counters_.waiting >= static_cast<std::int64_t>(inside_->settings_.waiting_max))
      return fail(Code::busy, "more deliveries are waiting than the dispatcher may hold");
    const Result<AlertEvent> read = event_from_json(event.payload);
    if (!read) continue;
    if (event.kind == "alert.raised") ++counters_.raised;
    if (event.kind == "alert.escalated") {
      ++counters_.escalated;
      if (read->repeat) ++counters_.repeated;
    }
    if (event.kind == "alert.acknowledged") ++counters_.acknowledged;
    if (event.kind == "alert.resolved") ++counters_.resolved;
    for (const std::string& id : read->deliveries) inside_->post_take(id);
  }
  return {};
}

}  // namespace mydr24::alerts
