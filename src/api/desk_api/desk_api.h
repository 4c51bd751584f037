#pragma once

// What people work with: alerts and their acknowledgement, the vitals board, the live feed and the page that shows
// them, all below /api/v1; and the admin listener's health and metrics. Errors are problem details (RFC 9457).

#include <functional>
#include <string>
#include <vector>

#include "alerting/alerts/book.h"
#include "alerting/alerts/dispatcher.h"
#include "alerting/alerts/response_clocks.h"
#include "alerting/notify/console_hub.h"
#include "api/pipeline/pipeline.h"
#include "base/async/worker_pool.h"
#include "clinical/vitals/watch.h"
#include "storage/store/store.h"

namespace mydr24::desk_api {

struct Desk {
  store::Store& store;
  const alerts::Book& book;
  const alerts::Dispatcher& dispatcher;
  notify::ConsoleHub& hub;
  const vitals::Watch& watch;
  WorkerPool& workers;
  const Clock& clock;
  std::chrono::seconds escalate_after{30};
  bool demo = false;  // the page says that nothing on it is real
  // Emergencies that could not be written down and are called about from memory, now; null: none ever.
  std::function<std::int64_t()> unrecorded;
  const alerts::ResponseClocks* clocks = nullptr;  // null: the status does not tell of them
};

// `desk` must outlive the router.
void add_routes(pipeline::Router& router, Desk& desk);

// One named state of health.
struct Check {
  std::string name;
  bool ok = true;
  std::string text;
};

struct Health {
  std::function<std::vector<Check>()> checks;  // quick: asked for by every probe
  std::function<bool()> draining;
  telemetry::Metrics& metrics;
  // Makes a backup at a path that the caller names; the caller is on this machine.
  std::function<Result<>(const std::string& to)> backup;
  // How a search ("Patient?name=x") would be answered, for people.
  std::function<Result<std::string>(const std::string& search)> explain;
  WorkerPool& workers;
};

// /livez /readyz /healthz /metrics, GET /explain?search=SEARCH and POST /backup?to=PATH, for the admin listener. `health` must outlive the router.
void add_admin_routes(pipeline::Router& router, Health& health);

// One file each.
void add_alert_routes(pipeline::Router& router, Desk& desk);
void add_board_routes(pipeline::Router& router, Desk& desk);
void add_feed_routes(pipeline::Router& router, Desk& desk);
void add_page_routes(pipeline::Router& router, Desk& desk);

// 200 with a JSON body that must not be cached.
Task<> send_json(pipeline::Call& call, std::string body);

}  // namespace mydr24::desk_api
