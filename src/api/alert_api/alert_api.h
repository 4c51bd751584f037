#pragma once

// The ways in and out for alerts with labels: the Alertmanager v2 API (statuses and texts as Alertmanager 0.25 gives
// them), webhook v4, PagerDuty Events v2 and a generic webhook as sources, and what the desk asks: what a silence would
// mute, which rules are worth it.

#include <functional>
#include <mutex>
#include <string>

#include "alerting/groups/groups.h"
#include "alerting/groups/rules.h"
#include "api/pipeline/pipeline.h"
#include "base/async/worker_pool.h"

namespace mydr24::alert_api {

struct Service {
  groups::Groups& groups;
  store::Store& store;
  const alerts::Book& book;
  WorkerPool& workers;
  const Clock& clock;
  // Reads the configuration anew.
  std::function<Result<routing::ConfigPtr>()> load_config;
  std::string prefix;  // of the Alertmanager API: "" or "/foo"
  std::string version;
  std::size_t body_bytes_max = 32U << 20;
  // Told of every alert that comes in. Quick; any thread.
  std::function<void(const groups::Alert&)> seen;
};

// `service` must outlive the router.
void add_routes(pipeline::Router& router, Service& service);

// One file each.
void add_alert_routes(pipeline::Router& router, Service& service);    // alerts, groups
void add_silence_routes(pipeline::Router& router, Service& service);  // silences, their preview
void add_status_routes(pipeline::Router& router, Service& service);   // status, receivers, health, reload
void add_event_routes(pipeline::Router& router, Service& service);    // webhook v4, PagerDuty, generic
void add_desk_routes(pipeline::Router& router, Service& service);     // actionability, resolve

}  // namespace mydr24::alert_api
