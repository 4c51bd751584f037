#include "app/server/bench_route.h"

#include <chrono>
#include <ctime>

#include "api/pipeline/pipeline.h"

namespace mydr24::server {
namespace {

constexpr std::chrono::microseconds work_time{1'000};

std::chrono::nanoseconds thread_cpu_time() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// Of the processor's time, not of the clock's: what others take meanwhile does not shorten it.
bool work() {
  const auto until = thread_cpu_time() + work_time;
  while (thread_cpu_time() < until) {
  }
  return true;
}

}  // namespace

void add_bench_route(pipeline::Router& router, WorkerPool& workers) {
  router.add({net::Method::post, "/bench/work", "bench-work", RequestClass::routine,
              [&workers](pipeline::Call& call) -> Task<> {
                const bool done = co_await workers.run(call.request_class(), [] { return work(); });
                co_await call.respond(net::Response{.status = done ? 204 : 500});
              }});
}

}  // namespace mydr24::server
