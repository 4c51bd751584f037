// GET /api/v1/alerts, GET /api/v1/alerts/{id}, POST /api/v1/alerts/{id}/ack.

#include <fmt/format.h>

#include <charconv>

#include "api/desk_api/desk_api.h"
#include "base/core/date_time.h"
#include "base/json/document.h"
#include "base/json/writer.h"
#include "base/net/uri.h"
#include "storage/store/traced.h"

namespace mydr24::desk_api {
namespace {

constexpr std::size_t ack_bytes_max = 16U << 10;

Result<alerts::ListQuery> parse_list(std::string_view query_text) {
  alerts::ListQuery query;
  const auto parameters = net::parse_query(query_text);
  if (!parameters) return fail(Code::invalid, "the query string is malformed");
  for (const auto& [name, value] : *parameters) {
    if (name == "state" && (value == "open" || value == "resolved")) {
      query.resolved = value == "resolved";
    } else if (name == "after") {
      query.after = value;
    } else if (name == "count") {
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), query.count);
      if (error != std::errc() || end != value.data() + value.size() || query.count == 0 ||
          query.count > alerts::ListQuery::count_max) {
        return fail(Code::invalid, fmt::format("count is 1 to {}", alerts::ListQuery::count_max), "count");
      }
    } else {
      return fail(Code::invalid,
                  fmt::format("{}={} is not understood; there are state=open|resolved, count and after", name, value),
                  name);
    }
  }
  return query;
}

Result<std::string> list(store::Store& store, std::string_view query_text) {
  MYDR24_ASSIGN(const auto query, parse_list(query_text));
  alerts::AlertPage page;
  MYDR24_TRY(store.read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(page, alerts::Book::list(reader, query));
    return {};
  }));
  std::string text;
  json::Writer out(text);
  out.begin_object().field("schema", "mydr24.alerts.v1").key("alerts").begin_array();
  for (const auto& alert : page.alerts) out.raw(alerts::to_json(alert));
  out.end_array();
  if (!page.next.empty()) out.field("next", page.next);
  out.end_object();
  return text;
}

Result<std::string> show(store::Store& store, std::string_view id) {
  std::string text;
  MYDR24_TRY(store.read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(const auto alert, alerts::Book::find(reader, id));
    if (!alert) return fail(Code::not_found, fmt::format("there is no alert {}", id));
    MYDR24_ASSIGN(const auto deliveries, alerts::Book::deliveries(reader, id));
    MYDR24_ASSIGN(const auto history, alerts::Book::history(reader, id));
    json::Writer out(text);
    out.begin_object().field("schema", "mydr24.alert-detail.v1").key("alert").raw(alerts::to_json(*alert));
    out.key("deliveries").begin_array();
    for (const auto& delivery : deliveries) out.raw(alerts::to_json(delivery));
    out.end_array().key("history").begin_array();
    for (const auto& entry : history) {
      out.begin_object()
          .field("sequence", entry.sequence)
          .field("at", format_instant(entry.at))
          .field("kind", entry.kind);
      out.key("payload").raw(entry.payload).end_object();
    }
    out.end_array().end_object();
    return {};
  }));
  return text;
}

struct Acknowledgement {
  std::string by;
  std::string note;
};

// Who is logged in acknowledges in their own name, whatever the body says.
Result<Acknowledgement> parse_acknowledgement(std::string_view body, const pipeline::Call& call) {
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(body));
  Acknowledgement ack;
  for (const auto member : document.root()) {
    if (!member.is_string()) return fail(Code::invalid, "by and note are strings", std::string(member.key()));
    if (member.key() == "by") {
      ack.by = member.text();
    } else if (member.key() == "note") {
      ack.note = member.text();
    } else {
      return fail(Code::invalid, "an acknowledgement has the members by and note", std::string(member.key()));
    }
  }
  ack.by = call.in_name_of(ack.by);
  if (ack.by.empty()) return fail(Code::invalid, "who acknowledges? {\"by\": \"name\"}", "by");
  if (ack.by.size() > 200 || ack.note.size() > 2000) {
    return fail(Code::too_large, "by has at most 200 bytes, note at most 2000");
  }
  return ack;
}

// A page of another site can send a form or plain text to this address without asking first, but not JSON.
bool is_json(std::string_view content_type) {
  return content_type == "application/json" || content_type.starts_with("application/json;");
}

Task<Result<std::string>> acknowledge(Desk& desk, pipeline::Call& call) {
  if (!is_json(call.request().header("Content-Type"))) {
    co_return fail(Code::invalid, "send Content-Type: application/json", "Content-Type");
  }
  const auto body = co_await call.exchange().read_body(ack_bytes_max);
  if (!body) co_return body.error();
  const auto ack = parse_acknowledgement(*body, call);
  if (!ack) co_return ack.error();
  const std::string id(call.capture(0));
  std::string text;
  const auto done = co_await async_call<Result<>>([&](auto finish) {
    store::submit(
        desk.store, call.access().trace(), RequestClass::emergency,
        [&](store::Transaction& transaction) -> Result<> {
          MYDR24_ASSIGN(const auto alert, desk.book.acknowledge(transaction, id, ack->by, ack->note));
          text = alerts::to_json(alert);
          return {};
        },
        std::move(finish));
  });
  if (!done) co_return done.error();
  co_return text;
}

Task<> send(pipeline::Call& call, Result<std::string> result) {
  if (result) {
    co_await send_json(call, std::move(*result));
  } else {
    co_await call.respond(result.error());
  }
}

}  // namespace

Task<> send_json(pipeline::Call& call, std::string body) {
  net::Response response;
  response.content_type = "application/json";
  response.headers.emplace_back("Cache-Control", "no-store");
  response.body = std::move(body);
  co_await call.respond(std::move(response));
}

void add_alert_routes(pipeline::Router& router, Desk& desk) {
  router.add(
      {net::Method::get, "/api/v1/alerts", "alerts", RequestClass::emergency,
       [&desk](pipeline::Call& call) -> Task<> { co_await send(call, list(desk.store, call.request().query)); }});
  router.add({net::Method::get, "/api/v1/alerts/{id}", "alert", RequestClass::emergency,
              [&desk](pipeline::Call& call) -> Task<> { co_await send(call, show(desk.store, call.capture(0))); }});
  router.add({net::Method::post, "/api/v1/alerts/{id}/ack", "alert-ack", RequestClass::emergency,
              [&desk](pipeline::Call& call) -> Task<> { co_await send(call, co_await acknowledge(desk, call)); }});
}

void add_routes(pipeline::Router& router, Desk& desk) {
  add_alert_routes(router, desk);
  add_board_routes(router, desk);
  add_feed_routes(router, desk);
  add_page_routes(router, desk);
}

}  // namespace mydr24::desk_api
