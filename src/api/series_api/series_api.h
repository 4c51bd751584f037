#pragma once

// The HTTP API of Prometheus over operations/series, as Grafana's data source and promtool use it: query, query_range, series,
// labels, label values, metadata, buildinfo; and its remote write 1.0 in. Source of forms and statuses: the Prometheus
// documentation, "HTTP API", and the remote-write specification 1.0.

#include <functional>
#include <string>

#include "api/pipeline/pipeline.h"
#include "base/async/worker_pool.h"
#include "operations/series/evaluate.h"
#include "operations/series/keeper.h"
#include "operations/series/remote_write.h"

namespace mydr24::series_api {

struct Service {
  series::Database& database;
  series::Keeper& keeper;
  WorkerPool& workers;
  const Clock& clock;
  std::function<bool()> is_ready;  // what was kept is read back: until then 503
  std::string version;
  series::EvaluationLimits limits;
  series::Owner own;                      // as whom the server keeps what it counts itself
  std::size_t body_bytes_max = 1U << 20;  // of a remote write, packed: it is one row, and others wait for its commit
  std::size_t unpacked_bytes_max = 16U << 20;  // and unpacked
};

// `service` must outlive the router.
void add_routes(pipeline::Router& router, Service& service);

// One file each.
void add_query_routes(pipeline::Router& router, Service& service);
void add_list_routes(pipeline::Router& router, Service& service);
void add_write_route(pipeline::Router& router, Service& service);

// What log() of the keeper was given by remote write.
void replay(series::Database& database, std::string_view packed, const series::Owner& own);

}  // namespace mydr24::series_api
