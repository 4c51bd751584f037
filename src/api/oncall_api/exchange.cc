
#include "api/oncall_api/detail/exchange.h"
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
