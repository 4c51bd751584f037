#include "api/vitals_api/vitals_api.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/core/date_time.h"
#include "base/net/uri.h"

namespace mydr24::vitals_api {

Task<Result<std::string>> take_json(pipeline::Call& call, std::size_t bytes_max) {
  const std::string_view type = call.request().header("Content-Type");
  if (type != "application/json" && !type.starts_with("application/json;"))
    co_return fail(Code::invalid, "send Content-Type: application/json", "Content-Type");
  co_return co_await call.exchange().read_body(bytes_max);
}

Task<> answer(pipeline::Call& call, Result<std::string> result, int status) {
  if (!result) {
    co_await call.respond(result.error());
    co_return;
  }
  net::Response response{.status = status, .content_type = "application/json"};
  response.headers.emplace_back("Cache-Control", "no-store");
  response.body = std::move(*result);
  co_await call.respond(std::move(response));
}

Result<std::string> query_value(pipeline::Call& call, std::string_view name,
                                std::initializer_list<std::string_view> names) {
  const auto parameters = net::parse_query(call.request().query);
  if (!parameters) return fail(Code::invalid, "the query string is malformed");
  std::string found;
  for (const auto& [key, value] : *parameters) {
    if (std::ranges::find(names, key) == names.end())
      return fail(Code::invalid, fmt::format("{} is not understood; there is {}", key, fmt::join(names, ", ")), key);
    if (key == name) found = value;
  }
  return found;
}

Result<Instant> time_of(std::string_view text, std::string_view where, Instant otherwise) {
  if (text.empty()) return otherwise;
  const auto range = parse_date_time(text);
  if (range) return range->low;
  return fail(Code::invalid, fmt::format("{} is a date or a time, as 2026-01-05T08:00:00Z", where), std::string(where));
}

Task<Result<>> write(Service& service, store::Work work) {
  co_return co_await async_call<Result<>>(
      [&](auto finish) { service.store().submit(RequestClass::urgent, std::move(work), std::move(finish)); });
}

void add_routes(pipeline::Router& router, Service& service) {
  add_rule_routes(router, service);
  add_patient_routes(router, service);
  add_score_routes(router, service);
  add_stream_routes(router, service);
}

}  // namespace mydr24::vitals_api
