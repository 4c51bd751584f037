#pragma once

// The monitor over HTTP, below /api/v1/monitor: what is measured now and whether it is well, rules and objectives with
// their budgets and burn rates, OpenSLO in and out, Prometheus rules, the channels' last tests. A change names who
// makes it. Errors are problem details (RFC 9457): 400 names the member, 404 what is not there, 409 that another
// revision is in force, 413 what is too much.

#include <atomic>
#include <functional>
#include <string>

#include "api/pipeline/pipeline.h"
#include "base/async/worker_pool.h"
#include "operations/monitor/monitor.h"

namespace mydr24::monitor_api {

struct Service {
  store::Store& store;
  monitor::Monitor& monitor;
  std::function<std::string()> channels_json;
  WorkerPool& workers;
  const Clock& clock;
  std::string probe_secret;                   // signs what comes to /api/v1/monitor/probe
  std::atomic<std::int64_t> probes_taken{0};  // by it
};

// `service` must outlive the router.
void add_routes(pipeline::Router& router, Service& service);

}  // namespace mydr24::monitor_api
