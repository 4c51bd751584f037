#include "alerting/groups/groups.h"

#include <fmt/format.h>

#include "alerting/groups/detail/inside.h"
#include "base/json/writer.h"

namespace mydr24::groups {
namespace {

constexpr std::uint32_t page = 1'000;
constexpr std::chrono::seconds leader_asked_every{1};
constexpr std::size_t looks_max = 500;  // groups before other work has a turn
constexpr std::size_t ends_max = 500;   // alerts in one transaction
constexpr std::uint32_t shifts_max = 500;
constexpr std::chrono::hours told_after_restart{1};
constexpr std::chrono::days kept{30};  // an alert's row after its end: what a silence would have held back
constexpr std::chrono::minutes sweep_every{1};

constexpr std::chrono::seconds shift_wait{1};

bool is_step(Microseconds step) { return step > clock_step_least || step < -clock_step_least; }

template <class Keep>
Result<> each_row(store::Store& store, std::string_view space, Keep keep) {
  std::string after;
  for (bool more = true; more;) {
    MYDR24_TRY(store.read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(const auto found, reader.states(space, "", after, page));
      more = found.size() == page;
      if (!found.empty()) after = found.back().key;
      for (const store::StateRow& row : found) MYDR24_TRY(keep(row));
      return {};
    }));
  }
  return {};
}

}  // namespace

Groups::Inside::Inside(const alerts::Book& book, const Clock& clock, Settings settings, Counters& counters)
    : book_(book),
      clock_(clock),
      settings_(std::move(settings)),
      counters_(counters),
      started_at_(clock.now()),
      mail_(clock, settings_.external_url) {}

Result<> Groups::Inside::start(store::Store& store, routing::ConfigPtr config) {
  store_ = &store;
  client_ = net::make_client(context_);
  state_ = std::make_unique<State>(std::move(config));
  apart_ = clock_step().count();
  if (settings_.start_delay > milliseconds(0)) state_->hold_until(started_at_ + settings_.start_delay);
  leading_ = !another_leads();
  MYDR24_TRY(load(*state_));
  if (store.is_shared()) store.add_follower(others_);
  next_sweep_ = now() + sweep_every;
  after_change();
  thread_ = std::thread([this] { context_.run(); });
  return {};
}

// The log and the silences before the alerts: a group that is due at once must know them.
Result<> Groups::Inside::load(State& state) const {
  const Instant at = now();
  MYDR24_TRY(each_row(*store_, rows::log, [&](const store::StateRow& row) -> Result<> {
    MYDR24_ASSIGN(routing::LogEntry entry, routing::log_entry_from_json(row.value));
    state.put(row.key, std::move(entry));
    return {};
  }));
  MYDR24_TRY(each_row(*store_, rows::silences, [&](const store::StateRow& row) -> Result<> {
    auto silence = routing::silence_from_json(row.value);
    // One that cannot be read silences nothing. That is the safe side: the server has to start for the alerts.
    if (silence) state.put(std::move(*silence));
    return {};
  }));
  std::vector<Fingerprint> over;
  MYDR24_TRY(each_row(*store_, rows::alerts, [&](const store::StateRow& row) -> Result<> {
    MYDR24_ASSIGN(Alert alert, routing::alert_from_json(row.value));
    if (alert.is_resolved(at) && routing::is_emergency(alert.labels))
      over.push_back(routing::fingerprint(alert.labels));
    if (alert.ends_at + told_after_restart >= at) state.put(std::move(alert), at, true);
    return {};
  }));
  if (over.empty() || !leading_) return {};
  // Those that ended while no process was there to see it: the Book has to let go of them too.
  return store_->write(RequestClass::emergency, [&](store::Transaction& transaction) -> Result<> {
    for (const Fingerprint fingerprint : over)
      MYDR24_TRY(end_in_book(transaction, cause_of(fingerprint), "it ended while the server was not running"));
    return {};
  });
}

void Groups::Inside::stop() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  {
    // What waits for a retry or in a lane is found again at the next start; what is being sent ends by itself.
    std::unique_lock lock(mutex_);
    idle_.wait_for(lock, std::chrono::seconds(12), [this] { return busy_ == 0; });
  }
  context_.stop();
  thread_.join();
}

void Groups::Inside::add_busy() {
  const std::lock_guard lock(mutex_);
  ++busy_;
}

void Groups::Inside::end_busy() {
  const std::lock_guard lock(mutex_);
  if (--busy_ == 0) idle_.notify_all();
}

void Groups::Inside::post(std::move_only_function<void()> work) {
  add_busy();
  asio::post(context_, [this, work = std::move(work)]() mutable {
    work();
    end_busy();
  });
}

// After anything that may have moved a due time.
void Groups::Inside::after_change() {
  const auto due = state_->next();
  next_ = std::min(due ? to_us(*due) : INT64_MAX, to_us(next_sweep_));
  if (!leading_) next_ = to_us(now() + leader_asked_every);
  counters_.known = static_cast<std::int64_t>(state_->alerts().size());
  counters_.groups = static_cast<std::int64_t>(state_->groups().size());
  counters_.silences = static_cast<std::int64_t>(state_->silences().size());
}

// How far the wall clock has gone beyond the steady one since it was asked last.
Microseconds Groups::Inside::clock_step() const {
  return clock_.now().time_since_epoch() - std::chrono::floor<Microseconds>(clock_.steady()) - Microseconds(apart_);
}

// Everything that is due.
void Groups::Inside::work() {
  const Instant at = now();
  const auto steady = clock_.steady();
  const bool leads = lead();
  const Microseconds step = clock_step();
  apart_ += step.count();
  if (is_step(step) && leads) {
    clock_steps_.push_back({.by = step, .at = at, .known = state_->shift(step), .after = {}});
    next_sweep_ += step;
  }
  shift_rows();

  while (!retries_.empty() && retries_.begin()->first <= steady) {
    const JobPointer job = retries_.begin()->second;
    retries_.erase(retries_.begin());
    add_busy();
    enter(job);
  }
  next_retry_ = retries_.empty() ? INT64_MAX : retries_.begin()->first.count();
  if (!unrecorded_.empty() && !stopping_) {
    if (steady >= next_unrecorded_) write_again();
    next_retry_ = std::min<std::int64_t>(next_retry_, next_unrecorded_.count());
  }

  if (!leads) return after_change();
  if (clock_steps_.empty()) end_alerts();
  for (Notice& notice :
       state_->look(at, looks_max, [this](const auto& receiver, std::size_t way) { return has_room(receiver, way); }))
    send(std::move(notice));
  if (at >= next_sweep_) {
    next_sweep_ = at + sweep_every;
    forget();
    sweep();
    end_proposals(at);
  }
  after_change();
}

void Groups::Inside::shift_rows() {
  if (clock_steps_.empty() || is_shifting_ || stopping_ || clock_.steady() < next_shift_) return;
  is_shifting_ = true;
  add_busy();
  asio::co_spawn(context_, shift_all_rows(), [this](const std::exception_ptr&) { end_busy(); });
}

// A row that keeps the times of before would seem to be firing when its alert has ended, or the other way round: the
// next word about it would then go past the Book.
Task<> Groups::Inside::shift_all_rows() {
  while (!clock_steps_.empty() && !stopping_ && leading_) {
    ClockStep& step = clock_steps_.front();
    std::string last;
    const Result<> written = co_await submit(RequestClass::urgent, [&](store::Transaction& transaction) -> Result<> {
      MYDR24_ASSIGN(const auto found, transaction.states(rows::alerts, "", step.after, shifts_max));
      last = found.size() == shifts_max ? found.back().key : std::string();
      for (const store::StateRow& row : found) {
        MYDR24_ASSIGN(Alert alert, routing::alert_from_json(row.value));
        const auto known = step.known.find(routing::fingerprint(alert.labels));
        // What is not known is over. What was told of since has the new times already.
        const bool is_old = known == step.known.end() ? step.by < Microseconds(0) && alert.ends_at > step.at
                                                      : alert.updated_at == known->second;
        if (!is_old) continue;
        routing::shift(alert, step.by);
        MYDR24_TRY(transaction.set_state(rows::alerts, row.key, routing::to_json(alert)));
      }
      return {};
    });
    if (!written) {
      next_shift_ = clock_.steady() + shift_wait;
      break;
    }
    step.after = last;
    if (last.empty()) clock_steps_.pop_front();
  }
  is_shifting_ = false;
  if (!leading_) clock_steps_.clear();
  if (clock_steps_.empty()) work();  // the ends that waited for it
}

// Ends are written for the journal, and so that the Book lets go of emergencies.
void Groups::Inside::end_alerts() {
  std::vector<Fingerprint> ended = state_->end(now());
  ended.insert(ended.end(), unended_.begin(), unended_.end());
  unended_.clear();
  for (std::size_t begin = 0; begin < ended.size(); begin += ends_max) {
    Changes changes;
    changes.resolved.assign(ended.begin() + static_cast<std::ptrdiff_t>(begin),
                            ended.begin() + static_cast<std::ptrdiff_t>(std::min(begin + ends_max, ended.size())));
    add_busy();
    store_->submit(
        RequestClass::urgent,
        [this, changes](store::Transaction& transaction) -> Result<> {
          Changes real;
          for (const Fingerprint fingerprint : changes.resolved) {
            MYDR24_ASSIGN(const auto row, transaction.state(rows::alerts, routing::to_text(fingerprint)));
            if (!row) continue;
            MYDR24_ASSIGN(const Alert alert, routing::alert_from_json(*row));
            // One that was posted as resolved has been told of then.
            if (!alert.is_resolved(now()) || alert.ends_at <= alert.updated_at) continue;
            real.resolved.push_back(fingerprint);
            if (routing::is_emergency(alert.labels))
              MYDR24_TRY(end_in_book(transaction, cause_of(fingerprint), "it was not sent again in time"));
          }
          return real.note(transaction);
        },
        [this, changes](const Result<>& written) {
          // Tried again with the next work, a minute later at most: else the Book would call people for ever.
          if (!written)
            asio::post(context_, [this, changes] {
              unended_.insert(unended_.end(), changes.resolved.begin(), changes.resolved.end());
            });
          end_busy();
        });
  }
}

void Groups::Inside::forget() {
  const std::vector<std::string> keys = state_->forget(now());
  if (keys.empty()) return;
  add_busy();
  store_->submit(
      RequestClass::background,
      [keys](store::Transaction& transaction) -> Result<> {
        for (const std::string& key : keys) MYDR24_TRY(transaction.erase_state(rows::log, key));
        return {};
      },
      [this](const Result<>&) { end_busy(); });
}

// A page of old rows at a time: alerts that ended long ago, silences that expired long ago.
void Groups::Inside::sweep() {
  std::vector<std::pair<std::string_view, std::string>> old;
  const Instant at = now();
  const auto read = store_->read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(const auto found, reader.states(rows::alerts, "", sweep_after_, page));
    sweep_after_ = found.size() == page ? found.back().key : std::string();
    for (const store::StateRow& row : found)
      if (const auto alert = routing::alert_from_json(row.value); alert && alert->ends_at + kept < at)
        old.emplace_back(rows::alerts, row.key);
    MYDR24_ASSIGN(const auto silences, reader.states(rows::silences, "", "", page));
    for (const store::StateRow& row : silences)
      if (const auto silence = routing::silence_from_json(row.value); silence && silence->ends_at + kept < at)
        old.emplace_back(rows::silences, row.key);
    return {};
  });
  if (!read || old.empty()) return;
  add_busy();
  store_->submit(
      RequestClass::background,
      [old = std::move(old), at](store::Transaction& transaction) -> Result<> {
        for (const auto& [space, key] : old) {
          if (space == rows::alerts) {
            MYDR24_ASSIGN(const auto row, transaction.state(space, key));
            const auto alert = row ? routing::alert_from_json(*row) : Result<Alert>(fail(Code::not_found, ""));
            if (!alert || alert->ends_at + kept >= at) continue;  // it came again meanwhile
          }
          MYDR24_TRY(transaction.erase_state(space, key));
        }
        return {};
      },
      [this](const Result<>&) { end_busy(); });
}

Groups::Groups(const alerts::Book& book, const Clock& clock, Settings settings)
    : inside_(std::make_unique<Inside>(book, clock, std::move(settings), counters_)) {}

Groups::~Groups() { stop(); }

Result<> Groups::start(store::Store& store, routing::ConfigPtr config) {
  return inside_->start(store, std::move(config));
}

void Groups::stop() { inside_->stop(); }

void Groups::tick() {
  Inside& inside = *inside_;
  const bool due = inside.next_ <= to_us(inside.clock_.now()) || inside.next_retry_ <= inside.clock_.steady().count() ||
                   is_step(inside.clock_step());
  if (!due || inside.stopping_ || inside.ticking_.exchange(true)) return;
  inside.post([&inside] {
    inside.ticking_ = false;
    inside.work();
  });
}

bool Groups::settle(milliseconds time_max) {
  std::unique_lock lock(inside_->mutex_);
  return inside_->idle_.wait_for(lock, time_max, [this] { return inside_->busy_ == 0; });
}

void Groups::post(std::move_only_function<void(State&, Instant)> work) {
  inside_->post([inside = inside_.get(), work = std::move(work)]() mutable {
    inside->catch_up();
    work(*inside->state_, inside->now());
  });
}

Task<> Groups::reload(routing::ConfigPtr config) {
  co_await async_call<bool>([&](auto done) {
    post([this, config = std::move(config), done = std::move(done)](State& state, Instant at) mutable {
      state.reload(std::move(config), at);
      inside_->after_change();
      done(true);
    });
  });
}

const Settings& Groups::settings() const { return inside_->settings_; }
Instant Groups::started_at() const { return inside_->started_at_; }
Instant Groups::now() const { return inside_->now(); }

}  // namespace mydr24::groups
