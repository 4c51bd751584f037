// GET and POST /api/v1/query and /api/v1/query_range.

#include <fmt/format.h>

#include "api/series_api/detail/answers.h"
#include "base/async/when_all.h"

namespace mydr24::series_api {
namespace {

using series::Milliseconds;

void write_sample(json::Writer& writer, const series::Sample& sample) {
  writer.begin_array().raw(seconds(sample.time)).string(number(sample.value)).end_array();
}

void write_series(json::Writer& writer, const series::AnswerSeries& each, bool is_vector) {
  writer.begin_object().key("metric");
  write_labels(writer, *each.labels);
  if (is_vector) {
    writer.key("value");
    write_sample(writer, each.samples.front());
  } else {
    writer.key("values").begin_array();
    for (const series::Sample& sample : each.samples) write_sample(writer, sample);
    writer.end_array();
  }
  writer.end_object();
}

std::string to_json(const series::Answer& answer, Milliseconds at) {
  std::string body;
  json::Writer writer(body);
  constexpr std::array<std::string_view, 4> names{"scalar", "vector", "matrix", "string"};
  writer.begin_object().field("resultType", names[static_cast<std::size_t>(answer.type)]).key("result");
  if (answer.type == series::Type::scalar) {
    write_sample(writer, {at, answer.scalar});
  } else if (answer.type == series::Type::text) {
    writer.begin_array().raw(seconds(at)).string(answer.text).end_array();
  } else {
    writer.begin_array();
    for (const series::AnswerSeries& each : answer.series)
      write_series(writer, each, answer.type == series::Type::vector);
    writer.end_array();
  }
  writer.end_object();
  return body;
}

series::EvaluationLimits limits_of(const Service& service, const Parameters& parameters,
                                   const std::atomic<bool>& cancelled) {
  series::EvaluationLimits limits = service.limits;
  limits.cancelled = &cancelled;
  // A client may ask for less time, never for more.
  if (const auto given = parameters.length("timeout"); given && *given > 0)
    limits.time_max = std::min(limits.time_max, std::chrono::milliseconds(*given));
  return limits;
}

Result<std::string> query(const Service& service, const Parameters& parameters, const std::atomic<bool>& cancelled) {
  MYDR24_ASSIGN(const Milliseconds at, parameters.time("time", service.database.now()));
  const auto limits = limits_of(service, parameters, cancelled);
  MYDR24_ASSIGN(const series::Answer answer,
                series::evaluate(service.database, parameters.first("query").value_or(""), at, limits, service.clock));
  return to_json(answer, at);
}

Result<std::string> query_range(const Service& service, const Parameters& parameters,
                                const std::atomic<bool>& cancelled) {
  for (const std::string_view name : {"start", "end", "step"})
    if (!parameters.first(name))
      return fail(Code::invalid, fmt::format("invalid parameter \"{}\": it is needed", name));
  series::Span span;
  MYDR24_ASSIGN(span.from, parameters.time("start", 0));
  MYDR24_ASSIGN(span.to, parameters.time("end", 0));
  MYDR24_ASSIGN(span.step, parameters.length("step"));
  const auto limits = limits_of(service, parameters, cancelled);
  MYDR24_ASSIGN(const series::Answer answer, series::evaluate(service.database, parameters.first("query").value_or(""),
                                                              span, limits, service.clock));
  return to_json(answer, 0);
}

using Ask = Result<std::string> (*)(const Service&, const Parameters&, const std::atomic<bool>& cancelled);

// Stops when nobody waits for it any more.
Task<Result<std::string>> ask_watched(const Service& service, pipeline::Call& call, const Parameters& parameters,
                                      Ask ask) {
  std::atomic<bool> cancelled{false};
  bool done = false;
  Result<std::string> body = std::string();
  const auto working = [&]() -> Task<bool> {
    body = co_await service.workers.run(call.request_class(), [&] { return ask(service, parameters, cancelled); });
    done = true;
    call.exchange().end_sleep();
    co_return true;
  };
  const auto watching = [&]() -> Task<bool> {
    if (!done) co_await call.exchange().sleep(service.limits.time_max);
    if (!done && call.exchange().peer_gone()) cancelled = true;
    co_return true;
  };
  std::vector<Task<bool>> both;
  both.push_back(working());
  both.push_back(watching());
  co_await when_all(std::move(both));
  co_return body;
}

Task<> answer(const Service& service, pipeline::Call& call, Ask ask) {
  const auto parameters = co_await take_parameters(call);
  if (!parameters) co_return co_await refuse(call, parameters.error());
  if (!service.is_ready()) co_return co_await refuse(call, fail(Code::busy, "what was kept is still being read"));
  auto body = co_await ask_watched(service, call, *parameters, ask);
  if (!body) co_return co_await refuse(call, body.error());
  co_await succeed(call, std::move(*body));
}

}  // namespace

void add_query_routes(pipeline::Router& router, Service& service) {
  for (const auto method : {net::Method::get, net::Method::post}) {
    router.add({method, "/api/v1/query", "series-query", RequestClass::routine,
                [&service](pipeline::Call& call) -> Task<> { co_await answer(service, call, query); }});
    router.add({method, "/api/v1/query_range", "series-query-range", RequestClass::routine,
                [&service](pipeline::Call& call) -> Task<> { co_await answer(service, call, query_range); }});
  }
}

void add_routes(pipeline::Router& router, Service& service) {
  add_query_routes(router, service);
  add_list_routes(router, service);
  add_write_route(router, service);
}

}  // namespace mydr24::series_api
