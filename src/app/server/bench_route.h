#pragma once

// POST /bench/work: a known amount of work, so that a bench can offer a load that is a known multiple of what the machine
// can do. There only with admission.bench_route = "on".

#include "api/pipeline/router.h"
#include "base/async/worker_pool.h"

namespace mydr24::server {

// `workers` must outlive the router.
void add_bench_route(pipeline::Router& router, WorkerPool& workers);

}  // namespace mydr24::server
