#include "storage/postgres/postgres.h"

#include <fmt/format.h>

#include <future>
#include <map>

#include "storage/postgres/reader_pool.h"
#include "storage/postgres/schema.h"
#include "storage/postgres/verify.h"
#include "storage/postgres/watch.h"
#include "storage/postgres/writer.h"
#include "storage/store/followers.h"
#include "storage/store/trainer.h"

namespace mydr24::postgres {
namespace {

using store::Timer;
using store::Transaction;

constexpr std::uint32_t timers_per_tick_max = 256;
constexpr auto timer_retry = std::chrono::seconds(1);

class PostgresStore final : public store::Store {
 public:
  PostgresStore(const Settings& settings, const Clock& clock)
      : settings_(settings),
        shared_(clock),
        readers_(settings.url, settings.read_urls, settings.readers_max, shared_),
        primary_(settings.url, {}, followers_readers, shared_),
        watch_(settings.url, settings.may_lead,
               {.news = [this] { followers_.wake(); }, .reachable = [this] { reachable(); }}),
        followers_({.read =
                        [this](const auto& read) {
                          return primary_.read(read, {.request_class = RequestClass::emergency}, 0);
                        },
                    .submit =
                        [this](store::Work work, store::Done done) {
                          writer_->queue().push(RequestClass::background, std::move(work), std::move(done), false);
                        },
                    .term = [this] { return watch_.term(); }},
                   settings.log) {}

  ~PostgresStore() override {
    // Followers and the last Works may still pack and write: what they use ends after them.
    shared_.wishes.serve(nullptr, 0);
    followers_.stop(writer_ != nullptr);
    if (writer_ != nullptr) writer_->stop();
    trainer_.reset();
    watch_.stop();
  }

  Result<> start() {
    MYDR24_ASSIGN(auto connection, Connection::open(settings_.url, Connection::Role::writer));
    MYDR24_TRY(bring_up_to_date(*connection));
    MYDR24_TRY(shared_.load_dictionaries(*connection));
    MYDR24_TRY(connection->finish());
    writer_ = std::make_unique<Writer>(std::move(connection), shared_, settings_, [this] {
      const auto last_event = writer_->last_event();
      if (std::exchange(announced_, last_event) != last_event) followers_.wake();
    });
    MYDR24_TRY(writer_->start());
    shared_.wishes.serve([this](const TotalWish& wish) { grant(wish); }, settings_.kept_total_min);
    watch_.start();
    trainer_ = std::make_unique<store::Trainer>(
        shared_.codec,
        [this](std::uint32_t number, std::string_view bytes) {
          return write(RequestClass::background, [&](Transaction& transaction) {
            return static_cast<WriteTransaction&>(transaction).save_dictionary(number, bytes);
          });
        },
        settings_.log);
    return {};
  }

  store::PackedBody pack(std::string_view text, std::uint32_t meta_at) const override {
    trainer_->sample(text);
    return {.bytes = shared_.codec.pack(text), .meta_at = meta_at};
  }

  void submit(RequestClass request_class, store::Work work, store::Done done) override {
    writer_->queue().push(request_class, std::move(work), std::move(done), true);
  }

  using Store::read;
  Result<> read(const std::function<Result<>(store::Reader&)>& read, const store::ReadLimits& limits,
                store::Sequence after) override {
    return readers_.read(read, limits, after);
  }

  Result<> learn(const search::CataloguePtr& catalogue) override;
  bool is_shared() const override { return true; }
  bool leads() const override { return watch_.term().has_value(); }
  void add_follower(store::Follower& follower) override { followers_.add(follower, *this); }
  void on_timer(std::string kind, TimerHandler handler) override { handlers_[std::move(kind)] = std::move(handler); }
  void tick() override;
  void settle() override;

  Result<> backup(const std::filesystem::path&) override {
    return fail(Code::unsupported,
                "PostgreSQL makes its own backups: pg_dump for a copy, pg_basebackup with WAL archiving to restore to "
                "any moment");
  }
  Result<std::vector<std::string>> verify() override { return check_database(settings_.url, shared_); }
  store::Statistics statistics() const override;

 private:
  static constexpr std::size_t followers_readers = 2;

  Result<> bring_up_to_date(Connection& connection);
  Result<> run_timers(WriteTransaction& transaction);
  void grant(const TotalWish& wish) {
    writer_->queue().push(
        RequestClass::background,
        [wish](Transaction& transaction) { return static_cast<WriteTransaction&>(transaction).grant(wish); },
        [this, key = wish.key](const Result<>& outcome) { shared_.wishes.done(key, outcome.has_value()); }, true);
  }
  // After the server was away: a write connects again, so that readiness does not wait for a client to try.
  void reachable() {
    if (writer_ == nullptr || writer_->writable() || !writer_->queue().idle()) return;
    writer_->queue().push(RequestClass::background, [](Transaction&) { return Result<>(); }, [](Result<>) {}, false);
  }

  const Settings settings_;
  Shared shared_;
  ReaderPool readers_;
  ReaderPool primary_;  // for followers: what was committed is seen at once
  Watch watch_;
  store::Followers followers_;
  std::map<std::string, TimerHandler, std::less<>> handlers_;
  std::atomic<bool> tick_pending_{false};
  store::Sequence announced_ = 0;  // the writer's thread only
  std::unique_ptr<Writer> writer_;
  std::unique_ptr<store::Trainer> trainer_;
};

Result<> PostgresStore::bring_up_to_date(Connection& connection) {
  if (settings_.migrate) {
    MYDR24_ASSIGN(const int applied, postgres::migrate(connection));
    if (applied > 0) settings_.log(telemetry::Level::info, fmt::format("the schema was brought {} steps on", applied));
  } else {
    MYDR24_ASSIGN(const int version, schema_version(connection));
    if (version < steps().back().number) {
      return fail(Code::unsupported, fmt::format("the database has schema {}, this program needs {}: mydr24 migrate up",
                                                 version, steps().back().number));
    }
  }
  MYDR24_TRY(connection.send("BEGIN"));
  MYDR24_TRY(connection.send("SELECT pg_advisory_xact_lock($1::int, hashtext(current_schema()))",
                             Parameters::of(writer_lock)));
  MYDR24_ASSIGN(const auto numbers, number_parameters(connection, nullptr));
  MYDR24_TRY(connection.send("COMMIT"));
  MYDR24_TRY(connection.finish());
  shared_.parameters = numbers;
  return {};
}

Result<> PostgresStore::learn(const search::CataloguePtr& catalogue) {
  std::promise<Result<>> learned;
  std::shared_ptr<const ParameterNumbers> numbers;
  writer_->queue().push(
      RequestClass::emergency,
      [&](Transaction& transaction) -> Result<> {
        MYDR24_ASSIGN(numbers, static_cast<WriteTransaction&>(transaction).learn(catalogue));
        return {};
      },
      [&](Result<> outcome) {
        // On the writer's thread: the next group of writes knows them.
        if (outcome) shared_.parameters = numbers;
        learned.set_value(std::move(outcome));
      },
      false);
  return learned.get_future().get();
}

void PostgresStore::tick() {
  if (!watch_.term()) return;
  const Instant due = std::min(writer_->earliest_due(), watch_.earliest_due());
  if (shared_.clock.now() < due || tick_pending_.exchange(true)) return;
  submit(
      RequestClass::emergency,
      [this](Transaction& transaction) { return run_timers(static_cast<WriteTransaction&>(transaction)); },
      [this](Result<> outcome) {
        tick_pending_ = false;
        if (!outcome)
          settings_.log(telemetry::Level::warn, fmt::format("timers will be tried again: {}", outcome.error().text));
      });
}

Result<> PostgresStore::run_timers(WriteTransaction& transaction) {
  transaction.touch_timers();
  MYDR24_ASSIGN(const auto timers, transaction.due_timers(timers_per_tick_max));
  for (const Timer& timer : timers) {
    const auto outcome = transaction.attempt([&]() -> Result<> {
      const auto handler = handlers_.find(timer.kind);
      if (handler == handlers_.end())
        return fail(Code::unsupported, fmt::format("nothing handles timers of kind {}", timer.kind));
      MYDR24_TRY(transaction.cancel_timer(timer.key));
      return handler->second(transaction, timer);
    });
    if (outcome) continue;
    settings_.log(telemetry::Level::warn,
                  fmt::format("timer {} ({}) will be tried again: {}", timer.key, timer.kind, outcome.error().text));
    Timer later = timer;
    later.due = transaction.now() + timer_retry;
    MYDR24_TRY(transaction.set_timer(later));
  }
  return {};
}

void PostgresStore::settle() {
  const auto newest = [this] { return std::max(writer_->last_event(), watch_.last_event()); };
  do {
    writer_->queue().wait_until_idle();
    followers_.wait_until_caught_up(newest());
  } while (!writer_->queue().idle() || !followers_.caught_up(newest()));
}

store::Statistics PostgresStore::statistics() const {
  store::Statistics statistics;
  writer_->count(statistics);
  statistics.bytes_on_disk = watch_.bytes_on_disk();
  return statistics;
}

}  // namespace

Result<std::unique_ptr<store::Store>> open(const Settings& settings, const Clock& clock) {
  auto opened = std::make_unique<PostgresStore>(settings, clock);
  MYDR24_TRY(opened->start());
  return opened;
}

Result<std::vector<Migration>> migrations(const std::string& url) {
  MYDR24_ASSIGN(const auto connection, Connection::open(url, Connection::Role::writer));
  MYDR24_ASSIGN(const int version, schema_version(*connection));
  std::vector<Migration> all;
  for (const Step& step : steps()) {
    all.push_back({.number = step.number,
                   .name = std::string(step.name),
                   .applied = step.number <= version,
                   .sql = std::string(step.sql)});
  }
  return all;
}

Result<int> migrate(const std::string& url) {
  MYDR24_ASSIGN(const auto connection, Connection::open(url, Connection::Role::writer));
  return migrate(*connection);
}

}  // namespace mydr24::postgres
