#pragma once

// Changes and live settings over HTTP: below /api/v1/changes what is proposed, approved, started and rolled back,
// with the calendar, the policy and the figures; /api/v1/settings shows what may change while the server runs. A
// setting is changed by a change and in no other way.

#include "api/pipeline/pipeline.h"
#include "base/async/worker_pool.h"
#include "operations/changes/book.h"
#include "storage/store/store.h"

namespace mydr24::change_api {

struct Desk {
  store::Store& store;
  const changes::Book& book;
  WorkerPool& workers;
  const Clock& clock;
};

// `desk` must outlive the router.
void add_routes(pipeline::Router& router, Desk& desk);

// One file each.
void add_change_routes(pipeline::Router& router, Desk& desk);
void add_calendar_routes(pipeline::Router& router, Desk& desk);

}  // namespace mydr24::change_api
