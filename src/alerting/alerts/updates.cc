#include "alerting/alerts/updates.h"

#include <fmt/format.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "alerting/alerts/book.h"

namespace mydr24::alerts {
namespace {

// ALERT/ACTION/DELIVERY -> nothing: what is still to be told. One row a contact's channel and action.
constexpr std::string_view space = "alert_updates";
constexpr std::uint32_t page_max = 500;

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

}  // namespace

// Everything but what `mutex_` guards belongs to the io_context's thread.
struct Updates::Inside {
  struct Job {
    int tries = 0;
    std::chrono::nanoseconds due{0};
    bool running = false;
  };

  Inside(const Clock& the_clock, FindAddress find, MakeChannel make)
      : clock(the_clock), find_address(std::move(find)), make_channel(std::move(make)) {}

  // Writes down what is to be told because of these events; the keys of the rows.
  Result<std::set<std::string>> plan(std::span<const store::Event> events);
  void take(const std::set<std::string>& keys);
  void pump();
  Task<> tell(std::string key);
  // Nothing when it is not to be told any more.
  Result<std::optional<std::pair<notify::Address, notify::Message>>> load(const std::string& key) const;
  void finish(const std::string& key);
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
  const FindAddress find_address;
  const MakeChannel make_channel;
  store::Store* store = nullptr;
  asio::io_context context{1};
  asio::executor_work_guard<Executor> guard{context.get_executor()};
  std::map<std::string, Job> jobs;
  std::thread thread;
  std::atomic<bool> stopping = false;
  std::atomic<bool> has_jobs = false;

  std::mutex mutex;
  std::condition_variable idle;
  int busy = 0;
};

Result<std::set<std::string>> Updates::Inside::plan(std::span<const store::Event> events) {
  std::set<std::string> keys;
  MYDR24_TRY(store->read([&](store::Reader& reader) -> Result<> {
    for (const store::Event& event : events) {
      const bool resolved = event.kind == "alert.resolved";
      if (!resolved && event.kind != "alert.acknowledged") continue;
      const auto read = event_from_json(event.payload);
      if (!read) continue;
      MYDR24_ASSIGN(const auto deliveries, Book::deliveries(reader, read->alert_id, page_max));
      std::set<std::pair<std::string, int>> addresses;
      for (const Delivery& delivery : deliveries) {
        if (!is_told(delivery.medium) || delivery.state != DeliveryState::delivered) continue;
        if (!addresses.emplace(delivery.contact, delivery.channel).second) continue;
        keys.insert(fmt::format("{}/{}/{}", read->alert_id, resolved ? "resolved" : "acknowledged", delivery.id));
      }
    }
    return {};
  }));
  return keys;
}

void Updates::Inside::take(const std::set<std::string>& keys) {
  for (const std::string& key : keys) jobs.try_emplace(key);
  has_jobs = !jobs.empty();
  pump();
}

void Updates::Inside::pump() {
  const auto now = clock.steady();
  // Gathered first: one that needs no waiting is over, and gone from the jobs, before co_spawn() returns.
  std::vector<std::string> due;
  if (stopping) return;
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

Result<std::optional<std::pair<notify::Address, notify::Message>>> Updates::Inside::load(const std::string& key) const {
  using Loaded = std::optional<std::pair<notify::Address, notify::Message>>;
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
  const auto address = holds ? find_address(*delivery) : std::nullopt;
  if (!address) return Loaded();
  return Loaded({*address,
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
  if (loaded && *loaded) {
    auto channel = make_channel(context, (*loaded)->first);
    if (!channel || !(*channel)->takes_updates()) {
      is_done = true;
    } else {
      try {
        const auto outcome = co_await (*channel)->send(std::move((*loaded)->second));
        is_done = outcome.status != notify::SendStatus::failed;
      } catch (const std::exception&) {
        is_done = false;
      }
    }
  }
  const auto job = jobs.find(key);
  if (job == jobs.end()) co_return;
  if (is_done || job->second.tries >= tells_max) {
    finish(key);
    co_return;
  }
  job->second.running = false;
  job->second.due = clock.steady() + retry_after * job->second.tries;
}

void Updates::Inside::finish(const std::string& key) {
  {
    const std::lock_guard lock(mutex);
    ++busy;
  }
  store->submit(
      RequestClass::routine, [key](store::Transaction& transaction) { return transaction.erase_state(space, key); },
      [this](const Result<>&) { end_busy(); });  // not erased: told once more after a restart
  jobs.erase(key);
  has_jobs = !jobs.empty();
}

Updates::Updates(const Clock& clock, FindAddress find_address, MakeChannel make_channel)
    : inside_(std::make_unique<Inside>(clock, std::move(find_address), std::move(make_channel))) {}

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
  inside_->post([inside = inside_.get(), left] { inside->take(left); });
  return {};
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
  MYDR24_ASSIGN(const std::set<std::string> keys, inside_->plan(events));
  if (keys.empty()) return {};
  MYDR24_TRY(inside_->store->write(RequestClass::urgent, [&](store::Transaction& transaction) -> Result<> {
    for (const std::string& key : keys) MYDR24_TRY(transaction.set_state(space, key, "{}"));
    return {};
  }));
  inside_->post([inside = inside_.get(), keys] { inside->take(keys); });
  return {};
}

}  // namespace mydr24::alerts
