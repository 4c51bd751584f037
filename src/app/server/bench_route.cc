#include "app/server/bench_route.h"

#include <charconv>
#include <chrono>
#include <ctime>
#include <optional>

#include "api/pipeline/pipeline.h"

namespace mydr24::server {
namespace {

constexpr std::int64_t work_ms_max = 100;

std::chrono::nanoseconds thread_cpu_time() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// Of the processor's time, not of the clock's: what others take meanwhile does not shorten it.
bool work(std::chrono::milliseconds time) {
  const auto until = thread_cpu_time() + time;
  while (thread_cpu_time() < until) {
  }
  return true;
}

// "ms=N" in the query; 1 without; nothing when it is no number from 1 to 100.
std::optional<std::chrono::milliseconds> work_time(std::string_view query) {
  if (query.empty()) return std::chrono::milliseconds(1);
  std::int64_t ms = 0;
  if (!query.starts_with("ms=")) return std::nullopt;
  const auto [end, error] = std::from_chars(query.data() + 3, query.data() + query.size(), ms);
  if (error != std::errc() || end != query.data() + query.size() || ms < 1 || ms > work_ms_max) return std::nullopt;
  return std::chrono::milliseconds(ms);
}

}  // namespace

void add_bench_route(pipeline::Router& router, WorkerPool& workers) {
  router.add({net::Method::post, "/bench/work", "bench-work", RequestClass::routine,
              [&workers](pipeline::Call& call) -> Task<> {
                const auto time = work_time(call.request().query);
                if (!time) {
                  co_await call.respond(fail(Code::invalid, "ms is a number from 1 to 100", "ms"));
                  co_return;
                }
                const bool done = co_await workers.run(call.request_class(), [time] { return work(*time); });
                co_await call.respond(net::Response{.status = done ? 204 : 500});
              },
              admission::Cost::work});
}

}  // namespace mydr24::server
