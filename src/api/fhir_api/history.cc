// GET [base]/_history, [base]/Type/_history and [base]/Type/id/_history, with _count, _since and _before, paged by the
// journal's sequence.

#include <fmt/format.h>

#include <charconv>

#include "api/fhir_api/bundle_writer.h"
#include "api/fhir_api/fhir_api.h"
#include "base/core/date_time.h"

namespace mydr24::fhir_api {
namespace {

Result<std::int64_t> number(std::string_view name, std::string_view text, std::int64_t low) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && value >= low) return value;
  return fail(Code::invalid, fmt::format("{}={} is no whole number from {} up", name, text.substr(0, 64), low),
              std::string(name));
}

Result<store::HistoryQuery> parse(std::string_view type, std::string_view id, std::string_view query) {
  store::HistoryQuery history;
  history.type = type;
  history.id = id;
  const auto parameters = net::parse_query(query);
  if (!parameters) return fail(Code::invalid, "the query string is malformed: check its percent-encoding");
  for (const auto& [name, value] : *parameters) {
    if (name == "_count") {
      MYDR24_ASSIGN(const auto count, number(name, value, 1));
      history.count = static_cast<std::uint32_t>(std::min<std::int64_t>(count, search::count_max));
    } else if (name == "_since") {
      const auto since = parse_date_time(value);
      if (!since)
        return fail(Code::invalid, fmt::format("_since={} is no instant like 2024-03-01T08:00:00Z", value), name);
      history.since = since->low;
    } else if (name == "_before") {
      const auto before = parse_date_time(value);
      if (!before)
        return fail(Code::invalid, fmt::format("_before={} is no instant like 2024-03-01T08:00:00Z", value), name);
      history.before = before->low;
    } else if (name == "_cursor") {
      MYDR24_ASSIGN(history.before_sequence, number(name, value, 1));
    } else if (name != "_format" && name != "_pretty") {
      return fail(Code::invalid, fmt::format("history has no parameter {}; it has _count, _since and _before", name),
                  name);
    }
  }
  return history;
}

std::string link(const store::HistoryQuery& query, const std::string& fhir_base, store::Sequence cursor) {
  auto url = fhir_base;
  if (!query.type.empty()) url += "/" + query.type;
  if (!query.id.empty()) url += "/" + query.id;
  url += fmt::format("/_history?_count={}", query.count);
  if (query.since) url += "&_since=" + format_instant(*query.since);
  if (query.before) url += "&_before=" + format_instant(*query.before);
  if (cursor != INT64_MAX) url += fmt::format("&_cursor={}", cursor);
  return url;
}

Task<> handle_history(Service& service, pipeline::Call& call, std::size_t captures) {
  if (!co_await acceptable(call)) co_return;
  const auto type = captures > 0 ? known_type(call.capture(0)) : Result<std::string>(std::string());
  const auto id = captures > 1 ? known_id(call.capture(1)) : Result<std::string>(std::string());
  if (!type || !id) {
    co_await call.respond(!type ? type.error() : id.error());
    co_return;
  }
  auto answer = co_await service.workers.run(call.request_class(), [&] {
    return history(service.store(), call.access(), *type, *id, call.request().query, call.fhir_base(),
                   service.clock.now());
  });
  co_await send(call, std::move(answer));
}

}  // namespace

Answer history(store::Store& store, access::Access& access, std::string_view type, std::string_view id,
               std::string_view query_text, const std::string& fhir_base, Instant now) {
  auto query = parse(type, id, query_text);
  if (!query) return Answer::of(query.error());
  const auto count = query->count;
  std::vector<store::Version> versions;
  bool known = true;
  const auto done = access.read(store, [&](store::Reader& reader) -> Result<> {
    auto one_more = *query;
    one_more.count = count + 1;
    MYDR24_ASSIGN(versions, reader.history(one_more));
    if (versions.empty() && !query->id.empty()) {
      MYDR24_ASSIGN(const auto head, reader.current_head(query->type, query->id));
      known = head.has_value();
    }
    return {};
  });
  if (!done) return Answer::of(done.error());
  if (!known) return Answer::of(fail(Code::not_found, fmt::format("{}/{} does not exist", type, id)));
  const bool more = versions.size() > count;
  if (more) versions.pop_back();

  BundleWriter bundle("history", now, fhir_base);
  bundle.link("self", link(*query, fhir_base, query->before_sequence));
  if (more) bundle.link("next", link(*query, fhir_base, versions.back().sequence));
  for (const auto& version : versions) bundle.version(version);
  Answer answer;
  answer.body = bundle.finish();
  return answer;
}

void add_history_routes(pipeline::Router& router, Service& service) {
  const auto add = [&](std::string pattern, std::string interaction, std::size_t captures) {
    router.add(
        {net::Method::get, std::move(pattern), std::move(interaction), RequestClass::routine,
         [&service, captures](pipeline::Call& call) -> Task<> { co_await handle_history(service, call, captures); }});
  };
  add("/fhir/{type}/{id}/_history", "history-instance", 2);
  add("/fhir/{type}/_history", "history-type", 1);
  add("/fhir/_history", "history-system", 0);
}

}  // namespace mydr24::fhir_api
