#include "app/server/server.h"

#include <fmt/format.h>

#include <atomic>
#include <iostream>

#include "api/pipeline/openapi.h"
#include "app/server/admission_desk.h"
#include "app/server/core.h"
#include "app/server/listeners.h"
#include "app/server/tenant.h"
#include "app/server/tracing.h"

namespace mydr24::server {
namespace {

class OpenWorkbench : public Workbench {
 public:
  // Standard output belongs to the command that opens it.
  OpenWorkbench(const Settings& settings, const Clock& clock)
      : log_(telemetry::log_settings(settings.log.level, settings.log.format), clock, std::cerr),
        weights_(settings.admission.mode == "full", detect_privilege()) {}
  Result<> open(const Settings& settings, const Clock& clock) {
    return core_.open(settings, log_, weights_, clock, false);
  }
  records::Records& records() override { return *core_.records; }
  store::Store& store() override { return *core_.store; }

 private:
  telemetry::Log log_;
  ThreadWeights weights_;
  Core core_;
};

class RunningSystem : public System {
 public:
  RunningSystem(const Settings& settings, const Clock& clock, const AddRoutes& more)
      : settings_(settings),
        more_(more),
        clock_(clock),
        log_(telemetry::log_settings(settings.log.level, settings.log.format), clock, std::cout),
        weights_(settings.admission.mode == "full", detect_privilege()),
        workers_({.threads = worker_count(settings),
                  .emergency_threads = has_emergency_listener(settings) ? 1U : 0U,
                  .thread_begun = [this](bool emergency, std::size_t number) {
                    weights_.begin(emergency ? ThreadKind::emergency_work : ThreadKind::work, number);
                  }}) {}

  ~RunningSystem() override {
    RunningSystem::drain();
    for (const auto& tenant : tenants_) tenant->stop_collecting();
    listeners_.reset();
    if (admission_) admission_->stop();
    tenants_.clear();
  }

  Result<> start() {
    MYDR24_TRY(check_tenants(settings_));
    MYDR24_ASSIGN(tracing_, Tracing::make(settings_, metrics_, clock_));
    if (settings_.tenants.empty()) MYDR24_TRY(start_tenant(settings_, nullptr));
    for (const auto& section : settings_.tenants) {
      MYDR24_ASSIGN(const auto own, tenant_settings(settings_, section.name));
      MYDR24_TRY(start_tenant(own, &section));
    }
    make_health();
    if (settings_.admission.mode == "full") {
      MYDR24_ASSIGN(admission_, AdmissionDesk::make({settings_, weights_, workers_, metrics_, log_, clock_, hold_}));
      std::vector<store::Store*> stores;
      for (const auto& tenant : tenants_) stores.push_back(&tenant->store());
      admission_->start(std::move(stores));
      admission_->add_admin_routes(admin_router());
    }
    std::vector<Door> doors;
    for (const auto& tenant : tenants_) doors.push_back(tenant->door());
    MYDR24_ASSIGN(listeners_, listen({settings_, std::move(doors), admin_router(), metrics_, log_, clock_, weights_,
                                      admission_.get()}));
    for (const auto& tenant : tenants_) MYDR24_TRY(tenant->begin(base_url()));
    return {};
  }

  std::string base_url() const override { return listeners_->base_url(); }
  std::string admin_url() const override { return listeners_->admin_url(); }
  std::string emergency_url() const override { return listeners_->emergency_url(); }
  std::string openapi() const override { return pipeline::openapi(tenants_.front()->router(), version); }
  records::Records& records() override { return tenants_.front()->records(); }
  store::Store& store() override { return tenants_.front()->store(); }

  void drain() override {
    if (draining_.exchange(true)) return;
    if (listeners_) listeners_->drain();
  }

 private:
  bool is_shared() const { return !settings_.tenants.empty(); }
  // Without tenants, what is the server's and what is the only tenant's stands at one place.
  pipeline::Router& admin_router() { return is_shared() ? admin_router_ : tenants_.front()->admin_router(); }

  Result<> start_tenant(const Settings& settings, const TenantSection* section) {
    const Shared shared{
        clock_, log_, metrics_, weights_, workers_, draining_, hold_, more_, tracing_ ? &tracing_->traces() : nullptr};
    auto tenant = std::make_unique<Tenant>(settings, section, shared);
    if (auto started = tenant->start(); !started) {
      auto error = std::move(started).error();
      if (section != nullptr) error.text = fmt::format("tenant {}: {}", section->name, error.text);
      return error;
    }
    tenants_.push_back(std::move(tenant));
    return {};
  }

  // Of all tenants together; backups and plans of searches are asked for of one.
  void make_health() {
    if (!is_shared()) return;
    const auto name_one = [this]() -> Error {
      std::string names;
      for (const auto& tenant : tenants_) names += (names.empty() ? "" : ", ") + tenant->name();
      return fail(Code::invalid, fmt::format("whose? Name the tenant in the header {}: {}", tenant_header, names));
    };
    health_ = std::make_unique<desk_api::Health>(
        desk_api::Health{[this] { return checks(); }, [this] { return draining_.load(); }, metrics_,
                         [name_one](const std::string&) -> Result<> { return name_one(); },
                         [name_one](const std::string&) -> Result<std::string> { return name_one(); }, workers_});
    desk_api::add_admin_routes(admin_router_, *health_);
  }

  std::vector<desk_api::Check> checks() const {
    std::vector<desk_api::Check> all;
    for (const auto& tenant : tenants_) {
      for (auto& check : tenant->checks()) {
        check.name = fmt::format("{}.{}", tenant->name(), check.name);
        all.push_back(std::move(check));
      }
    }
    return all;
  }

  const Settings settings_;
  const AddRoutes more_;
  const Clock& clock_;
  telemetry::Log log_;
  telemetry::Metrics metrics_;
  ThreadWeights weights_;
  WorkerPool workers_;
  std::unique_ptr<Tracing> tracing_;  // null: nothing is traced
  std::atomic<bool> draining_{false};
  std::atomic<bool> hold_{false};                 // of admission
  std::vector<std::unique_ptr<Tenant>> tenants_;  // at least one when it was started
  pipeline::Router admin_router_;
  std::unique_ptr<desk_api::Health> health_;
  std::unique_ptr<AdmissionDesk> admission_;
  std::unique_ptr<Listeners> listeners_;
};

}  // namespace

Result<std::unique_ptr<System>> start(const Settings& settings, const Clock& clock, const AddRoutes& more) {
  auto system = std::make_unique<RunningSystem>(settings, clock, more);
  MYDR24_TRY(system->start());
  return std::unique_ptr<System>(std::move(system));
}

Result<std::unique_ptr<Workbench>> open_workbench(const Settings& settings, const Clock& clock) {
  auto workbench = std::make_unique<OpenWorkbench>(settings, clock);
  MYDR24_TRY(workbench->open(settings, clock));
  return std::unique_ptr<Workbench>(std::move(workbench));
}

}  // namespace mydr24::server
