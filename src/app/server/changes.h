#pragma once

// Change management as a part of the running server: its live settings, the book of changes, what runs them, and its
// routes.

#include <memory>
#include <mutex>
#include <string>

#include "alerting/alerts/book.h"
#include "alerting/alerts/dispatcher.h"
#include "alerting/notify/console_hub.h"
#include "api/change_api/change_api.h"
#include "app/server/gatekeeper.h"
#include "app/server/live_parts.h"
#include "base/telemetry/log.h"
#include "clinical/records/records.h"
#include "operations/changes/outside.h"

namespace mydr24::server {

class ChangeDesk : public store::Follower {
 public:
  struct Parts {
    const Settings& settings;
    store::Store& store;
    WorkerPool& workers;
    const Clock& clock;
    const telemetry::Log& log;
    const alerts::Book& book;
    records::Records& records;
    const alerts::Dispatcher& dispatcher;
    notify::ConsoleHub& hub;
    LiveParts live;
    // What other modules know: an open emergency, open incidents, error budgets. `escalate` is set here.
    changes::Outlook outlook;
    // For checks: a metric of the whole server by its name, and how fast an objective spends its error budget. Thread-safe.
    std::function<std::optional<double>(std::string_view metric)> measured;
    std::function<std::optional<double>(std::string_view slo)> burn;
    std::function<bool()> is_ending;   // the whole server
    Gatekeeper* gatekeeper = nullptr;  // whom checks of own paths log in at; null: nobody is asked who they are
  };
  // All parts must outlive it, except that the store may be closed after stop(). Before the store's first tick.
  // Code::invalid names the setting or the member of the policy that is wrong.
  static Result<std::unique_ptr<ChangeDesk>> make(Parts parts);
  ~ChangeDesk() override { stop(); }
  ChangeDesk(const ChangeDesk&) = delete;
  ChangeDesk& operator=(const ChangeDesk&) = delete;

  void add_routes(pipeline::Router& router) { change_api::add_routes(router, *api_); }
  // When requests are answered, at `base_url`.
  void start(std::string base_url);
  void stop();

  // In every server: consoles are told that something became of a change, and not what.
  std::string_view name() const override { return "changes.console"; }
  bool in_every_process() const override { return true; }
  Result<> follow(std::span<const store::Event> events) override;

 private:
  explicit ChangeDesk(Parts parts) : parts_(std::move(parts)) {}
  using Metric = std::function<std::optional<double>(const std::string& scope)>;

  Result<> build();
  void add_metrics();
  void add_metric(std::string name, Metric metric) { metrics_[std::move(name)] = std::move(metric); }
  changes::OutsideSettings outside_settings(net::Reach reach);
  Result<std::int64_t> count(const std::string& search) const;
  Result<> check_roles(const changes::Policy& policy) const;
  Result<changes::Shown> show(const std::string& credential, const std::string& url) const;

  Parts parts_;
  std::map<std::string, Metric, std::less<>> metrics_;
  mutable std::mutex mutex_;
  std::string base_url_;  // guarded; empty: nothing is answered yet
  std::unique_ptr<live_settings::Registry> settings_;
  std::unique_ptr<changes::Book> book_;
  std::unique_ptr<changes::Outside> outside_;
  std::unique_ptr<changes::Engine> engine_;
  std::unique_ptr<changes::Runner> runner_;
  std::unique_ptr<change_api::Desk> api_;
};

}  // namespace mydr24::server
