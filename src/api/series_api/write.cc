// POST /api/v1/write: remote write 1.0. What is answered 204 is on disk.

#include <fmt/format.h>

#include "api/series_api/detail/answers.h"

namespace mydr24::series_api {
namespace {

Task<> say(pipeline::Call& call, int status, std::string text) {
  net::Response response{.status = status, .content_type = "text/plain; charset=utf-8"};
  response.body = std::move(text);
  if (status == 503) response.headers.emplace_back("Retry-After", "1");
  co_await call.respond(std::move(response));
}

std::optional<std::string_view> wrong_kind(pipeline::Call& call) {
  const std::string_view type = call.request().header("Content-Type");
  if (type != "application/x-protobuf" && type != "application/x-protobuf;proto=prometheus.WriteRequest")
    return "remote write 1.0 comes as application/x-protobuf";
  if (call.request().header("Content-Encoding") != "snappy")
    return "remote write 1.0 comes with Content-Encoding: snappy";
  return std::nullopt;
}

Result<series::WriteOutcome> take(Service& service, const std::string& packed) {
  MYDR24_ASSIGN(const std::string bytes, series::unsnap(packed, service.unpacked_bytes_max));
  MYDR24_ASSIGN(const series::WriteRequest request, series::parse_write_request(bytes));
  return series::append(service.database, request, service.own);
}

int status_of(Code code) {
  if (code == Code::too_large) return 413;
  if (code == Code::busy || code == Code::full) return 503;
  return code == Code::internal ? 500 : 400;
}

Task<> write(Service& service, pipeline::Call& call) {
  if (const auto why = wrong_kind(call)) co_return co_await say(call, 415, std::string(*why));
  if (!service.is_ready()) co_return co_await say(call, 503, "what was kept is still being read");
  auto packed = co_await call.exchange().read_body(service.body_bytes_max);
  if (!packed) co_return co_await say(call, status_of(packed.error().code), packed.error().text);
  const auto outcome = co_await service.workers.run(call.request_class(), [&] { return take(service, *packed); });
  if (!outcome) co_return co_await say(call, status_of(outcome.error().code), outcome.error().text);
  // What is there twice may be from a request whose answer was lost, or whose log was not written.
  if (outcome->kept + outcome->duplicates > 0) {
    const auto logged =
        co_await async_call<Result<>>([&](auto finish) { service.keeper.log(std::move(*packed), std::move(finish)); });
    if (!logged) co_return co_await say(call, 503, logged.error().text);
  }
  if (outcome->refused == 0) co_return co_await call.respond(net::Response{.status = 204});
  co_await say(call, 400, fmt::format("{} samples were refused: {}", outcome->refused, outcome->why));
}

}  // namespace

void replay(series::Database& database, std::string_view packed, const series::Owner& own) {
  const auto bytes = series::unsnap(packed, std::size_t{64} << 20);
  if (!bytes) return;
  const auto request = series::parse_write_request(*bytes);
  if (request) (void)series::append(database, *request, own);
}

void add_write_route(pipeline::Router& router, Service& service) {
  router.add({net::Method::post, "/api/v1/write", "remote-write", RequestClass::background,
              [&service](pipeline::Call& call) -> Task<> { co_await write(service, call); }});
}

}  // namespace mydr24::series_api
