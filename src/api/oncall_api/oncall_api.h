#pragma once

// On-call over HTTP, below /api/v1/oncall: the plan and its parts, who is on duty, shifts, swaps, coverage, test pages,
// heartbeats, calendar feeds; and what people do to an alert beyond answering it: escalate, move to another policy, subscribe to
// it, hold emergencies back by an override of two. Errors are problem details (RFC 9457) that name the field.

#include "alerting/alerts/book.h"
#include "alerting/alerts/monitors.h"
#include "alerting/alerts/notices.h"
#include "api/pipeline/pipeline.h"
#include "base/async/worker_pool.h"
#include "storage/store/store.h"

namespace mydr24::oncall_api {

struct OnCall {
  store::Store& store;
  const alerts::Book& book;
  const alerts::Monitors& monitors;
  const alerts::Notices& notices;
  WorkerPool& workers;
  const Clock& clock;
};

// `oncall` must outlive the router.
void add_routes(pipeline::Router& router, OnCall& oncall);

// One file each.
void add_plan_routes(pipeline::Router& router, OnCall& oncall);
void add_duty_routes(pipeline::Router& router, OnCall& oncall);
void add_action_routes(pipeline::Router& router, OnCall& oncall);

}  // namespace mydr24::oncall_api
