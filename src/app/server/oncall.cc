#include "app/server/oncall.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>

#include "alerting/alerts/coverage_watch.h"

namespace mydr24::server {
namespace {

constexpr std::chrono::seconds audit_every{1};
constexpr std::chrono::hours coverage_every{1};
constexpr std::chrono::hours upkeep_every{1};

}  // namespace

OnCallDesk::OnCallDesk(const alerts::Book& book, store::Store& store, WorkerPool& workers, const Clock& clock,
                       const telemetry::Log& log, alerts::UpkeepSettings upkeep)
    : book_(book),
      store_(store),
      clock_(clock),
      log_(log),
      idle_days_(std::chrono::duration_cast<std::chrono::days>(upkeep.idle).count()),
      kept_days_(std::chrono::duration_cast<std::chrono::days>(upkeep.kept).count()),
      monitors_(book),
      notices_(book),
      auditor_(book),
      api_{store, book, monitors_, notices_, workers, clock} {}

OnCallDesk::~OnCallDesk() { stop(); }

void OnCallDesk::attach() {
  monitors_.attach(store_);
  notices_.attach(store_);
  store_.add_follower(*this);
}

Result<> OnCallDesk::follow(std::span<const store::Event> events) {
  const bool changed = std::ranges::any_of(events, [](const store::Event& event) {
    return event.kind.starts_with("contact.") && event.kind != "contact.code_sent";
  });
  return changed ? book_.directory().load(store_) : Result<>();
}

void OnCallDesk::add_routes(pipeline::Router& router) { oncall_api::add_routes(router, api_); }

void OnCallDesk::add_metrics(telemetry::Metrics& metrics) {
  const auto behind = metrics.gauge("alerts_audit_behind", "Calls that are overdue by what the journal says");
  const auto gaps = metrics.gauge("oncall_coverage_gaps", "Gaps in on-call coverage in the next 14 days");
  metrics.before_expose([=, this] {
    behind.set(static_cast<double>(behind_.load()));
    gaps.set(static_cast<double>(gaps_.load()));
  });
}

void OnCallDesk::start() {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "auditor");
    run();
  });
}

void OnCallDesk::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void OnCallDesk::run() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, audit_every, [this] { return stopping_; })) {
    lock.unlock();
    look();
    lock.lock();
  }
}

void OnCallDesk::look() {
  // Another server on the store may have changed the plan.
  if (const auto fresh = book_.directory().refresh(store_); !fresh)
    log_.write(telemetry::Level::error, "oncall", {{"detail", fresh.error().text}});
  const auto behind = auditor_.audit(store_, clock_.now());
  if (!behind)
    log_.write(telemetry::Level::error, "audit", {{"detail", behind.error().text}});
  else if (const auto count = static_cast<std::int64_t>(behind->size()); behind_.exchange(count) != count)
    log_.write(count > 0 ? telemetry::Level::error : telemetry::Level::info, "audit",
               {{"behind", fmt::format("{}", count)}});
  look_for_gaps();
  keep_up();
}

void OnCallDesk::keep_up() {
  const auto steady = clock_.steady();
  if (kept_up_at_.count() != 0 && steady - kept_up_at_ < upkeep_every) return;
  kept_up_at_ = steady;
  const alerts::UpkeepSettings upkeep{.idle = std::chrono::days(idle_days_), .kept = std::chrono::days(kept_days_)};
  const auto done = alerts::keep_up(store_, book_, upkeep, clock_.now());
  if (!done) return log_.write(telemetry::Level::error, "upkeep", {{"detail", done.error().text}});
  if (done->closed + done->cleared > 0)
    log_.write(telemetry::Level::info, "upkeep",
               {{"closed", fmt::format("{}", done->closed)}, {"cleared", fmt::format("{}", done->cleared)}});
}

void OnCallDesk::look_for_gaps() {
  // Not by its revision: an address that was stopped or switched off makes another plan of the same one.
  const oncall::PlanPointer plan = book_.directory().plan();
  if (plan == covered_plan_ && clock_.steady() - covered_at_ < coverage_every) return;
  const auto gaps = alerts::watch_coverage(store_, book_, clock_.now());
  if (!gaps) {
    // Tried again with the next look.
    log_.write(telemetry::Level::error, "coverage", {{"detail", gaps.error().text}});
    return;
  }
  gaps_ = static_cast<std::int64_t>(*gaps);
  covered_plan_ = plan;
  covered_at_ = clock_.steady();
}

}  // namespace mydr24::server
