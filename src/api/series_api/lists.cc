// /api/v1/series, /api/v1/labels, /api/v1/label/NAME/values, /api/v1/metadata, /api/v1/status/buildinfo.

#include <fmt/format.h>

#include <charconv>
#include <set>

#include "api/series_api/detail/answers.h"

namespace mydr24::series_api {
namespace {

using series::SeriesPtr;

constexpr std::size_t matches_max = 64;

// Of all selectors together, those that have samples in the span.
Result<std::vector<SeriesPtr>> selected(const Service& service, const Parameters& parameters, bool needs_match) {
  MYDR24_ASSIGN(const auto from, parameters.time("start", 0));
  MYDR24_ASSIGN(const auto to, parameters.time("end", INT64_MAX));
  const auto matches = parameters.all("match[]");
  if (needs_match && matches.empty()) return fail(Code::invalid, "no match[] parameter provided");
  if (matches.size() > matches_max)
    return fail(Code::invalid, fmt::format("there are at most {} match[] parameters", matches_max));
  const auto until = service.clock.steady() + service.limits.time_max;
  std::set<SeriesPtr> seen;
  std::vector<SeriesPtr> found;
  const auto look = [&](const series::Matchers& matchers) {
    for (SeriesPtr& each : service.database.select(matchers, service.database.settings().series_max))
      if (each->has_any(from, to) && seen.insert(each).second) found.push_back(std::move(each));
  };
  if (matches.empty()) look({});
  for (const std::string& match : matches) {
    MYDR24_ASSIGN(const series::Matchers matchers, series::parse_selector(match));
    look(matchers);
    if (service.clock.steady() >= until)
      return fail(Code::too_costly, fmt::format("it takes more than {} ms", service.limits.time_max.count()));
  }
  return found;
}

std::string to_json(const std::set<std::string>& texts) {
  std::string body;
  json::Writer writer(body);
  writer.begin_array();
  for (const std::string& text : texts) writer.string(text);
  writer.end_array();
  return body;
}

Result<std::string> list_series(const Service& service, const Parameters& parameters, std::string_view) {
  MYDR24_ASSIGN(const auto found, selected(service, parameters, true));
  std::string body;
  json::Writer writer(body);
  writer.begin_array();
  for (const SeriesPtr& each : found) write_labels(writer, *each->labels());
  writer.end_array();
  return body;
}

Result<std::string> list_labels(const Service& service, const Parameters& parameters, std::string_view) {
  MYDR24_ASSIGN(const auto found, selected(service, parameters, false));
  std::set<std::string> names;
  for (const SeriesPtr& each : found)
    for (const auto& [name, _] : *each->labels()) names.insert(name);
  return to_json(names);
}

Result<std::string> list_values(const Service& service, const Parameters& parameters, std::string_view name) {
  if (!routing::is_label_name(name, routing::Names::classic))
    return fail(Code::invalid, fmt::format("invalid label name: {}", routing::go_quoted(name)));
  MYDR24_ASSIGN(const auto found, selected(service, parameters, false));
  std::set<std::string> values;
  for (const SeriesPtr& each : found)
    if (const auto value = (*each->labels())[name]; !value.empty()) values.emplace(value);
  return to_json(values);
}

Result<std::string> metadata(const Service& service, const Parameters& parameters, std::string_view) {
  std::size_t limit = SIZE_MAX;
  if (const auto given = parameters.first("limit")) {
    const auto [end, fault] = std::from_chars(given->data(), given->data() + given->size(), limit);
    if (fault != std::errc() || end != given->data() + given->size())
      return fail(Code::invalid, "limit must be a number");
  }
  const auto metric = parameters.first("metric");
  std::string body;
  json::Writer writer(body);
  writer.begin_object();
  for (const auto& [name, description] : service.database.descriptions()) {
    if (limit == 0) break;
    if (metric && *metric != name) continue;
    --limit;
    writer.key(name).begin_array().begin_object();
    writer.field("type", std::string_view(description.type)).field("help", std::string_view(description.help));
    writer.field("unit", std::string_view(description.unit)).end_object().end_array();
  }
  writer.end_object();
  return body;
}

// Clients choose by the version what they may ask for: it is the one that answers are checked against.
Result<std::string> buildinfo(const Service& service, const Parameters&, std::string_view) {
  std::string body;
  json::Writer(body)
      .begin_object()
      .field("version", "2.42.0")
      .field("revision", std::string_view(service.version))
      .field("branch", "MyDR24")
      .field("buildUser", "")
      .field("buildDate", "")
      .field("goVersion", "")
      .end_object();
  return body;
}

using Ask = Result<std::string> (*)(const Service&, const Parameters&, std::string_view);

Task<> answer(const Service& service, pipeline::Call& call, Ask ask, bool has_name) {
  const auto parameters = co_await take_parameters(call);
  if (!parameters) co_return co_await refuse(call, parameters.error());
  if (!service.is_ready()) co_return co_await refuse(call, fail(Code::busy, "what was kept is still being read"));
  const std::string name(has_name ? call.capture(0) : std::string_view());
  auto body = co_await service.workers.run(call.request_class(), [&] { return ask(service, *parameters, name); });
  if (!body) co_return co_await refuse(call, body.error());
  co_await succeed(call, std::move(*body));
}

void add(pipeline::Router& router, Service& service, std::string pattern, std::string name, Ask ask, bool takes_form) {
  const bool has_name = pattern.find('{') != std::string::npos;
  const auto handler = [&service, ask, has_name](pipeline::Call& call) -> Task<> {
    co_await answer(service, call, ask, has_name);
  };
  router.add({net::Method::get, pattern, name, RequestClass::routine, handler});
  if (takes_form) router.add({net::Method::post, pattern, name, RequestClass::routine, handler});
}

}  // namespace

void add_list_routes(pipeline::Router& router, Service& service) {
  add(router, service, "/api/v1/series", "series-list", list_series, true);
  add(router, service, "/api/v1/labels", "series-labels", list_labels, true);
  add(router, service, "/api/v1/label/{name}/values", "series-label-values", list_values, false);
  add(router, service, "/api/v1/metadata", "series-metadata", metadata, false);
  add(router, service, "/api/v1/status/buildinfo", "series-buildinfo", buildinfo, false);
}

}  // namespace mydr24::series_api
