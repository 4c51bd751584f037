#pragma once

// Incidents over HTTP, below /api/v1/incidents; their setup, below /api/v1/incident-setup; the public status page. Errors are
// problem details (RFC 9457) that name the field. Whom an incident touches is told by a route of its own: who runs the platform
// works on incidents without knowing whose records they are about.

#include <functional>

#include "api/pipeline/pipeline.h"
#include "base/async/worker_pool.h"
#include "operations/incidents/book.h"
#include "storage/store/store.h"

namespace mydr24::incident_api {

struct Service {
  store::Store& store;
  const incidents::Book& book;
  const alerts::Book& alerts;
  WorkerPool& workers;
  const Clock& clock;
  // The store could not keep what a person reported: whom it would have called is called from memory.
  std::function<void(const Error&, const std::function<Result<>(store::Transaction&)>&)> not_stored;
};

// `service` must outlive the router.
void add_routes(pipeline::Router& router, Service& service);

// One file each.
void add_incident_routes(pipeline::Router& router, Service& service);
void add_work_routes(pipeline::Router& router, Service& service);
void add_setup_routes(pipeline::Router& router, Service& service);
void add_status_routes(pipeline::Router& router, Service& service);

}  // namespace mydr24::incident_api
