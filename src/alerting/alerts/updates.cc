#include "alerting/alerts/updates.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "alerting/alerts/book.h"
#include "alerting/alerts/rows.h"
#include "alerting/alerts/subscribers.h"
#include "base/core/id.h"
#include "base/json/document.h"
#include "base/json/writer.h"

namespace mydr24::alerts {
namespace {

constexpr std::uint32_t page_max = 500;

constexpr std::string_view space = rows::updates;

bool is_told(std::string_view medium) { return medium == "chat" || medium == "pagerduty"; }

// The parts of a row's key. Deliveries' ids hold no '/'.
struct Told {
  std::string alert_id;
  bool resolved = false;
  std::string delivery_id;
};

Told parse_key(std::string_view key) {
  const std::size_t first = key.find('/');
  const std::size_t second = key.find('/', first + 1);
  return {std::string(key.substr(0, first)), key.substr(first + 1, second - first - 1) == "resolved",
          std::string(key.substr(second + 1))};
}

// What a subscriber reads about an event; empty: nothing.
std::string status_text(const store::Event& event) {
  const auto document = json::Document::parse_view(event.payload);
  if (!document) return {};
  const json::Value row = document->root();
  const std::string_view title = row["title"].text(), by = row["by"].text();
  if (event.kind == "alert.acknowledged") return fmt::format("Acknowledged by {}: {}", by, title);
  if (event.kind == "alert.ack_expired") return fmt::format("Open again, {} did not see to it: {}", by, title);
  if (event.kind == "alert.severity_raised") return fmt::format("Now {}: {}", row["severity"].text(), title);
  if (event.kind != "alert.resolved") return {};
  return by.empty() ? fmt::format("Resolved: {}", title) : fmt::format("Resolved by {}: {}", by, title);
}

// Who did it: they know.
bool is_actor(const store::Event& event, std::string_view contact) {
  const auto document = json::Document::parse_view(event.payload);
  const bool did = event.kind == "alert.acknowledged" || event.kind == "alert.resolved";
  return did && document && document->root()["by"].text() == contact;
}

// The parts of the key of a subscriber's row: status/ALERT/SEQUENCE/CONTACT.
struct Status {
  std::string alert_id;
  std::string contact;
};

Status parse_status(std::string_view key) {
  key.remove_prefix(rows::status_prefix.size());
  const std::size_t first = key.find('/'), second = key.find('/', first + 1);
  return {std::string(key.substr(0, first)), std::string(key.substr(second + 1))};
}

}  // namespace

// Everything but what `mutex_` guards belongs to the io_context's thread.
struct Updates::Inside {
  struct Job {
    int tries = 0;
    std::chrono::nanoseconds due{0};
    bool running = false;
  };

  using Loaded = std::optional<std::pair<notify::Address, notify::Message>>;
  using Rows = std::map<std::string, std::string>;

  Inside(const Clock& the_clock, oncall::Directory the_directory, MakeChannel make)
      : clock(the_clock), directory(std::move(the_directory)), make_channel(std::move(make)) {}

  // What is to be told because of these events, by the keys of the rows.
  Result<Rows> plan(std::span<const store::Event> events) const;
  static Result<> plan_called(store::Reader& reader, const store::Event& event, std::string_view alert_id, Rows& rows);
  static Result<> plan_status(store::Reader& reader, const store::Event& event, std::string_view alert_id, Rows& rows);
  void take(const std::set<std::string>& keys);
  void end();
  void pump();
  Task<> tell(std::string key);
  // Nothing when it is not to be told any more.
  Result<Loaded> load(const std::string& key) const;
  Result<Loaded> load_update(const std::string& key) const;
  Result<Loaded> load_text(const std::string& key) const;
  void finish(const std::string& key, bool is_lost);
  void end_busy() {
    const std::lock_guard lock(mutex);
    if (--busy == 0) idle.notify_all();
  }
  void post(std::function<void()> work) {
    {
      const std::lock_guard lock(mutex);
      ++busy;
    }
    asio::post(context, [this, work = std::move(work)] {
      work();
      end_busy();
    });
  }

  const Clock& clock;
  const oncall::Directory directory;
  const MakeChannel make_channel;
  store::Store* store = nullptr;
  asio::io_context context{1};
  asio::executor_work_guard<Executor> guard{context.get_executor()};
  std::map<std::string, Job> jobs;
  bool follows = true;  // false: another process tells
  std::thread thread;
  std::atomic<bool> stopping = false;
  std::atomic<bool> has_jobs = false;

  std::mutex mutex;
  std::condition_variable idle;
  int busy = 0;
};

Result<> Updates::Inside::plan_called(store::Reader& reader, const store::Event& event, std::string_view alert_id,
                                      Rows& rows) {
  const bool resolved = event.kind == "alert.resolved";
  if (!resolved && event.kind != "alert.acknowledged") return {};
  MYDR24_ASSIGN(const auto deliveries, Book::deliveries(reader, alert_id, page_max));
  std::set<std::pair<std::string, int>> addresses;
  for (const Delivery& delivery : deliveries) {
    if (!is_told(delivery.medium) || delivery.state != DeliveryState::delivered) continue;
    if (!addresses.emplace(delivery.contact, delivery.channel).second) continue;
    rows[fmt::format("{}/{}/{}", alert_id, resolved ? "resolved" : "acknowledged", delivery.id)] = "{}";
  }
  return {};
}

Result<> Updates::Inside::plan_status(store::Reader& reader, const store::Event& event, std::string_view alert_id,
                                      Rows& rows) {
  const std::string text = status_text(event);
  if (text.empty()) return {};
  MYDR24_ASSIGN(const auto told, subscribers(reader, alert_id, event.at));
  for (const Subscription& each : told) {
    if (each.since > event.at || is_actor(event, each.contact)) continue;
    std::string row;
    json::Writer(row).begin_object().field("id", make_uuid7(event.at)).field("text", text).end_object();
    rows[fmt::format("{}{}/{:019}/{}", rows::status_prefix, alert_id, event.sequence, each.contact)] = row;
  }
  return {};
}

Result<Updates::Inside::Rows> Updates::Inside::plan(std::span<const store::Event> events) const {
  Rows rows;
  MYDR24_TRY(store->read([&](store::Reader& reader) -> Result<> {
    for (const store::Event& event : events) {
      if (!event.kind.starts_with("alert.")) continue;
      const auto read = event_from_json(event.payload);
      if (!read) continue;
      MYDR24_TRY(plan_called(reader, event, read->alert_id, rows));
      MYDR24_TRY(plan_status(reader, event, read->alert_id, rows));
    }
    return {};
  }));
  return rows;
}

void Updates::Inside::take(const std::set<std::string>& keys) {
  for (const std::string& key : keys) jobs.try_emplace(key);
  has_jobs = !jobs.empty();
  pump();
}

void Updates::Inside::end() {
  follows = false;
  std::erase_if(jobs, [](const auto& job) { return !job.second.running; });
  has_jobs = !jobs.empty();
}

void Updates::Inside::pump() {
  const auto now = clock.steady();
  // Gathered first: one that needs no waiting is over, and gone from the jobs, before co_spawn() returns.
  std::vector<std::string> due;
  if (stopping || !follows) return;
  for (auto& [key, job] : jobs) {
    if (job.running || job.due > now) continue;
    job.running = true;
    ++job.tries;
    due.push_back(key);
  }
  for (const std::string& key : due) {
    {
      const std::lock_guard lock(mutex);
      ++busy;
    }
    asio::co_spawn(context, tell(key), [this](const std::exception_ptr&) { end_busy(); });
  }
}

Result<Updates::Inside::Loaded> Updates::Inside::load(const std::string& key) const {
  const bool is_text = key.starts_with(rows::status_prefix) || key.starts_with(rows::notice_prefix) ||
                       key.starts_with(rows::message_prefix);
  return is_text ? load_text(key) : load_update(key);
}

// A status update, a notice or a message: its text is in the row.
Result<Updates::Inside::Loaded> Updates::Inside::load_text(const std::string& key) const {
  const oncall::PlanPointer plan = directory.plan();
  Loaded loaded;
  MYDR24_TRY(store->read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(const auto row, reader.state(space, key));
    if (!row) return {};
    MYDR24_ASSIGN(const json::Document document, json::Document::parse_view(*row));
    notify::Message message{.delivery_id = std::string(document.root()["id"].text()),
                            .title = std::string(document.root()["text"].text()),
                            .raised_at = clock.now(),
                            .purpose = notify::Purpose::notice};
    if (key.starts_with(rows::message_prefix)) {
      const json::Value root = document.root();
      message.document = root["document"].raw();
      loaded.emplace(notify::Address{.kind = notify::parse_kind(root["kind"].text()).value_or(notify::Kind::console),
                                     .target = std::string(root["target"].text()),
                                     .secret = std::string(root["secret"].text())},
                     std::move(message));
      return {};
    }
    if (key.starts_with(rows::notice_prefix)) {
      const auto name = std::string_view(key).substr(rows::notice_prefix.size());
      const auto notice = plan->notices().find(name.substr(0, name.find('/')));
      if (notice != plan->notices().end()) loaded.emplace(notice->second.address, std::move(message));
      return {};
    }
    const Status status = parse_status(key);
    message.alert_id = status.alert_id;
    message.contact = status.contact;
    // Whoever has gone, or wants to hear no more, is told nothing.
    MYDR24_ASSIGN(const auto valid, subscribers(reader, status.alert_id, clock.now()));
    if (std::ranges::find(valid, status.contact, &Subscription::contact) == valid.end()) return {};
    const oncall::Contact* contact = plan->contact(status.contact);
    const oncall::Method* method = contact == nullptr ? nullptr : text_method(*contact);
    if (method != nullptr) loaded.emplace(method->address, std::move(message));
    return {};
  }));
  return loaded;
}

// News for what was called: at the address that the delivery went to, as it is now.
Result<Updates::Inside::Loaded> Updates::Inside::load_update(const std::string& key) const {
  const Told told = parse_key(key);
  std::optional<Alert> alert;
  std::optional<Delivery> delivery;
  MYDR24_TRY(store->read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(alert, Book::find(reader, told.alert_id));
    MYDR24_ASSIGN(delivery, Book::delivery(reader, told.delivery_id));
    return {};
  }));
  if (!alert || !delivery) return Loaded();
  // Called again since, or resolved: the older news would be wrong now.
  const bool holds = told.resolved ? alert->is_resolved() : alert->state == State::acknowledged;
  const oncall::PlanPointer plan = directory.plan();
  const oncall::Contact* contact = plan->contact(delivery->contact);
  const auto index = static_cast<std::size_t>(delivery->channel);
  if (!holds || contact == nullptr || index >= contact->methods.size()) return Loaded();
  return Loaded({contact->methods[index].address,
                 {.alert_id = alert->id,
                  .delivery_id = fmt::format("{}-{}", delivery->id, told.resolved ? "resolved" : "acknowledged"),
                  .severity = std::string(to_string(alert->severity)),
                  .title = alert->title,
                  .contact = delivery->contact,
                  .step = delivery->step,
                  .raised_at = alert->raised_at,
                  .purpose = told.resolved ? notify::Purpose::resolved : notify::Purpose::acknowledged,
                  .by = alert->acknowledged_by}});
}

Task<> Updates::Inside::tell(std::string key) {
  auto loaded = load(key);
  bool is_done = loaded && !*loaded;
  bool is_lost = false;
  if (loaded && *loaded) {
    auto channel = make_channel(context, (*loaded)->first);
    const bool is_notice = (*loaded)->second.purpose == notify::Purpose::notice;
    if (!channel || (!is_notice && !(*channel)->takes_updates())) {
      is_done = is_lost = true;
    } else {
      try {
        const auto outcome = co_await (*channel)->send(std::move((*loaded)->second));
        is_done = outcome.status != notify::SendStatus::failed;
        is_lost = outcome.status != notify::SendStatus::delivered;
      } catch (const std::exception&) {
        is_done = false;
        is_lost = true;
      }
    }
  }
  const auto job = jobs.find(key);
  if (job == jobs.end()) co_return;
  if (is_done || job->second.tries >= tells_max) {
    finish(key, is_lost && key.starts_with(rows::message_prefix));
    co_return;
  }
  if (!follows) {
    jobs.erase(job);  // its row stays
    has_jobs = !jobs.empty();
    co_return;
  }
  job->second.running = false;
  job->second.due = clock.steady() + retry_after * job->second.tries;
}

void Updates::Inside::finish(const std::string& key, bool is_lost) {
  {
    const std::lock_guard lock(mutex);
    ++busy;
  }
  store->submit(
      RequestClass::routine,
      [key, is_lost](store::Transaction& transaction) -> Result<> {
        MYDR24_TRY(transaction.erase_state(space, key));
        if (!is_lost) return {};
        std::string event;
        json::Writer(event).begin_object().field("key", key).end_object();
        MYDR24_TRY(transaction.note("message.lost", event));
        return {};
      },
      [this](const Result<>&) { end_busy(); });  // not erased: told once more after a restart
  jobs.erase(key);
  has_jobs = !jobs.empty();
}

Updates::Updates(const Clock& clock, oncall::Directory directory, MakeChannel make_channel)
    : inside_(std::make_unique<Inside>(clock, std::move(directory), std::move(make_channel))) {}

Updates::~Updates() { stop(); }

Result<> Updates::start(store::Store& store) {
  inside_->store = &store;
  store.add_follower(*this);
  inside_->thread = std::thread([inside = inside_.get()] { inside->context.run(); });
  return {};
}

Result<> Updates::begin() {
  if (inside_->stopping) return fail(Code::busy, "the updates are stopping");
  std::set<std::string> left;
  MYDR24_TRY(inside_->store->read([&](store::Reader& reader) -> Result<> {
    for (bool more = true; more;) {
      MYDR24_ASSIGN(const auto rows, reader.states(space, "", left.empty() ? "" : *left.rbegin(), page_max));
      for (const store::StateRow& row : rows) left.insert(row.key);
      more = rows.size() == page_max;
    }
    return {};
  }));
  inside_->post([inside = inside_.get(), left] {
    inside->follows = true;
    inside->take(left);
  });
  return {};
}

void Updates::end() {
  inside_->post([inside = inside_.get()] { inside->end(); });
}

void Updates::stop() {
  if (!inside_->thread.joinable()) return;
  inside_->stopping = true;
  settle(std::chrono::seconds(30));  // each message under way ends by itself
  inside_->context.stop();
  inside_->thread.join();
}

void Updates::tick() {
  if (!inside_->has_jobs || inside_->stopping) return;
  inside_->post([inside = inside_.get()] { inside->pump(); });
}

bool Updates::settle(std::chrono::milliseconds time_max) {
  std::unique_lock lock(inside_->mutex);
  return inside_->idle.wait_for(lock, time_max, [this] { return inside_->busy == 0; });
}

Result<> Updates::follow(std::span<const store::Event> events) {
  if (inside_->stopping) return fail(Code::busy, "the updates are stopping");
  MYDR24_ASSIGN(const Inside::Rows rows, inside_->plan(events));
  std::set<std::string> keys;
  if (!rows.empty())
    MYDR24_TRY(inside_->store->write(RequestClass::urgent, [&](store::Transaction& transaction) -> Result<> {
      for (const auto& [key, row] : rows) MYDR24_TRY(transaction.set_state(space, key, row));
      return {};
    }));
  for (const auto& [key, row] : rows) keys.insert(key);
  for (const store::Event& event : events) {
    if (event.kind != "oncall.notice" && event.kind != "message.queued") continue;
    // Written with the event.
    const auto document = json::Document::parse_view(event.payload);
    if (document) keys.emplace(document->root()["key"].text());
  }
  if (!keys.empty()) inside_->post([inside = inside_.get(), keys] { inside->take(keys); });
  return {};
}

}  // namespace mydr24::alerts
