#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "api/oncall_api/detail/exchange.h"
#include "base/core/date_time.h"
#include "base/net/uri.h"

namespace mydr24::oncall_api {

void add_routes(pipeline::Router& router, OnCall& oncall) {
  add_plan_routes(router, oncall);
  add_duty_routes(router, oncall);
  add_action_routes(router, oncall);
}

Task<> send(pipeline::Call& call, Result<std::string> json) {
  if (!json) {
    co_await call.respond(json.error());
    co_return;
  }
  net::Response response;
  response.content_type = "application/json";
  response.headers.emplace_back("Cache-Control", "no-store");
  response.body = std::move(*json);
  co_await call.respond(std::move(response));
}

Task<Result<json::Document>> read_json(pipeline::Call& call, std::size_t bytes_max) {
  const std::string_view type = call.request().header("Content-Type");
  if (type != "application/json" && !type.starts_with("application/json;"))
    co_return fail(Code::invalid, "send Content-Type: application/json", "Content-Type");
  auto body = co_await call.exchange().read_body(bytes_max);
  if (!body) co_return body.error();
  auto document = json::Document::parse(std::move(*body), {.bytes_max = bytes_max, .depth_max = 24});
  if (document && !document->root().is_object()) co_return fail(Code::invalid, "the body must be a JSON object");
  co_return document;
}

Result<std::string> name_of(pipeline::Call& call, std::size_t capture) {
  auto name = net::percent_decode(call.capture(capture));
  if (!name) return fail(Code::invalid, "the path is not percent-encoded as it should be");
  return std::move(*name);
}

Result<Query> Query::parse(std::string_view text, std::initializer_list<std::string_view> known) {
  const auto parameters = net::parse_query(text);
  if (!parameters) return fail(Code::invalid, "the query string is malformed");
  Query query;
  for (const auto& [name, value] : *parameters) {
    if (std::ranges::find(known, name) == known.end())
      return fail(Code::invalid, fmt::format("{} is not understood; there are: {}", name, fmt::join(known, ", ")),
                  name);
    query.values_[name] = value;
  }
  return query;
}

const std::string& Query::text(std::string_view name) const {
  static const std::string none;
  const auto found = values_.find(name);
  return found == values_.end() ? none : found->second;
}

Result<Instant> Query::instant(std::string_view name, Instant otherwise) const {
  const std::string& written = text(name);
  if (written.empty()) return otherwise;
  const auto range = parse_date_time(written);
  if (!range) return fail(Code::invalid, "write a time as 2026-05-10T08:00:00Z", std::string(name));
  return range->low;
}

Result<std::int64_t> Query::number(std::string_view name, std::int64_t otherwise, std::int64_t least,
                                   std::int64_t most) const {
  const std::string& written = text(name);
  if (written.empty()) return otherwise;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(written.data(), written.data() + written.size(), number);
  if (error != std::errc() || end != written.data() + written.size() || number < least || number > most)
    return fail(Code::invalid, fmt::format("a number from {} to {}", least, most), std::string(name));
  return number;
}

std::string text_of(json::Value object, std::string_view member) {
  return object[member].is_string() ? std::string(object[member].text()) : std::string();
}

Task<Result<oncall::PlanPointer>> change_plan(OnCall& oncall, oncall::Change change) {
  const oncall::Directory& directory = oncall.book.directory();
  oncall::PlanPointer next;
  const auto done = co_await async_call<Result<>>([&](auto finish) {
    oncall.store.submit(
        RequestClass::emergency,
        [&](store::Transaction& transaction) -> Result<> {
          MYDR24_ASSIGN(next, directory.change(transaction, change));
          MYDR24_TRY(oncall.book.plan_changed(transaction, *next));
          MYDR24_TRY(oncall.notices.plan_changed(transaction, *next));
          return oncall.monitors.plan_changed(transaction, *next);
        },
        [&, finish = std::move(finish)](Result<> result) mutable {
          if (result) directory.publish(next);
          std::move(finish)(std::move(result));
        });
  });
  if (!done) co_return done.error();
  co_return next;
}

}  // namespace mydr24::oncall_api
