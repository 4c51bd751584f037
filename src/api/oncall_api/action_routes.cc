// What is done at once: test pages, heartbeats, escalating and moving an alert, subscribing to it, overrides of two.

#include <fmt/format.h>

#include <charconv>

#include "alerting/alerts/subscribers.h"
#include "api/oncall_api/detail/exchange.h"
#include "base/core/date_time.h"
#include "base/json/writer.h"

namespace mydr24::oncall_api {
namespace {

using Method = net::Method;
constexpr std::size_t small_body_max = 64U << 10;

// Answers with what `work` (a function of a transaction) gives back as JSON.
template <class Work>
Task<> answer(OnCall& oncall, pipeline::Call& call, Work work) {
  std::string text;
  const auto done = co_await in_transaction(oncall, [&](store::Transaction& transaction) -> Result<> {
    MYDR24_ASSIGN(text, work(transaction));
    return {};
  });
  co_await send(call, done ? Result<std::string>(std::move(text)) : Result<std::string>(done.error()));
}

// {"contacts": ["ann"], "by": "..."}; without contacts: everybody who can be reached.
Task<> test_page(OnCall& oncall, pipeline::Call& call) {
  const auto body = co_await read_json(call, small_body_max);
  if (!body) {
    co_await call.respond(body.error());
    co_return;
  }
  std::vector<std::string> contacts;
  for (const json::Value name : body->root()["contacts"]) contacts.emplace_back(name.text());
  if (contacts.empty()) {
    const oncall::PlanPointer plan = oncall.book.directory().plan();
    for (const auto& [name, contact] : plan->contacts())
      if (contact.pageable()) contacts.push_back(name);
  }
  const std::string by = call.in_name_of(text_of(body->root(), "by"));
  co_await answer(oncall, call, [&](store::Transaction& transaction) -> Result<std::string> {
    MYDR24_ASSIGN(const alerts::Alert alert, oncall.book.test_page(transaction, contacts, by));
    return alerts::to_json(alert);
  });
}

Task<> heartbeat(OnCall& oncall, pipeline::Call& call) {
  const auto name = name_of(call, 0);
  if (!name) {
    co_await call.respond(name.error());
    co_return;
  }
  co_await answer(oncall, call, [&](store::Transaction& transaction) -> Result<std::string> {
    MYDR24_TRY(oncall.monitors.beat(transaction, *name));
    return fmt::format(R"({{"heard_at":"{}"}})", format_instant(transaction.now()));
  });
}

Task<> escalate(OnCall& oncall, pipeline::Call& call) {
  const auto body = co_await read_json(call, small_body_max);
  if (!body) {
    co_await call.respond(body.error());
    co_return;
  }
  const std::string by = call.in_name_of(text_of(body->root(), "by"));
  co_await answer(oncall, call, [&](store::Transaction& transaction) -> Result<std::string> {
    MYDR24_ASSIGN(const alerts::Alert alert, oncall.book.escalate_now(transaction, call.capture(0), by));
    return alerts::to_json(alert);
  });
}

Task<> move(OnCall& oncall, pipeline::Call& call) {
  const auto body = co_await read_json(call, small_body_max);
  if (!body) {
    co_await call.respond(body.error());
    co_return;
  }
  const std::string policy = text_of(body->root(), "policy");
  const std::string by = call.in_name_of(text_of(body->root(), "by"));
  co_await answer(oncall, call, [&](store::Transaction& transaction) -> Result<std::string> {
    MYDR24_ASSIGN(const alerts::Alert alert, oncall.book.move(transaction, call.capture(0), policy, by));
    return alerts::to_json(alert);
  });
}

Result<std::string> list_subscribers(OnCall& oncall, std::string_view id) {
  std::string text;
  MYDR24_TRY(oncall.store.read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(const auto all, alerts::subscribers(reader, id, oncall.clock.now()));
    text = alerts::to_json(all);
    return {};
  }));
  return text;
}

// {"by": "ann"}
Task<> subscribe(OnCall& oncall, pipeline::Call& call) {
  const auto body = co_await read_json(call, small_body_max);
  if (!body) {
    co_await call.respond(body.error());
    co_return;
  }
  const std::string by = text_of(body->root(), "by");
  co_await answer(oncall, call, [&](store::Transaction& transaction) -> Result<std::string> {
    const oncall::PlanPointer plan = oncall.book.directory().plan();
    MYDR24_TRY(alerts::subscribe(transaction, *plan, call.capture(0), by));
    MYDR24_ASSIGN(const auto all, alerts::subscribers(transaction, call.capture(0), transaction.now()));
    return alerts::to_json(all);
  });
}

Task<> unsubscribe(OnCall& oncall, pipeline::Call& call) {
  const auto name = name_of(call, 1);
  if (!name) {
    co_await call.respond(name.error());
    co_return;
  }
  co_await answer(oncall, call, [&](store::Transaction& transaction) -> Result<std::string> {
    const oncall::PlanPointer plan = oncall.book.directory().plan();
    MYDR24_TRY(alerts::unsubscribe(transaction, *plan, call.capture(0), *name));
    return std::string("{}");
  });
}

Result<std::string> list_overrides(OnCall& oncall) {
  std::string text;
  json::Writer out(text);
  out.begin_object().field("schema", "mydr24.alert-overrides.v1").key("overrides").begin_array();
  MYDR24_TRY(oncall.store.read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(const auto all, alerts::Book::overrides(reader));
    for (const alerts::Override& entry : all) out.raw(alerts::to_json(entry));
    return {};
  }));
  out.end_array().end_object();
  return text;
}

// {"cause": "vitals/*", "reason": "...", "minutes": 10, "by": "..."}
Task<> request_override(OnCall& oncall, pipeline::Call& call) {
  const auto body = co_await read_json(call, small_body_max);
  if (!body) {
    co_await call.respond(body.error());
    co_return;
  }
  const json::Value root = body->root();
  std::int64_t minutes = alerts::override_max.count();
  const std::string_view digits = root["minutes"].text();
  if (root["minutes"]) {
    minutes = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), minutes);
  }
  co_await answer(oncall, call, [&](store::Transaction& transaction) -> Result<std::string> {
    MYDR24_ASSIGN(const alerts::Override entry,
                  oncall.book.request_override(transaction, text_of(root, "cause"), text_of(root, "reason"),
                                               std::chrono::minutes(minutes), call.in_name_of(text_of(root, "by"))));
    return alerts::to_json(entry);
  });
}

Task<> confirm_override(OnCall& oncall, pipeline::Call& call) {
  const auto body = co_await read_json(call, small_body_max);
  if (!body) {
    co_await call.respond(body.error());
    co_return;
  }
  const std::string by = call.in_name_of(text_of(body->root(), "by"));
  co_await answer(oncall, call, [&](store::Transaction& transaction) -> Result<std::string> {
    MYDR24_ASSIGN(const alerts::Override entry, oncall.book.confirm_override(transaction, call.capture(0), by));
    return alerts::to_json(entry);
  });
}

Task<> end_override(OnCall& oncall, pipeline::Call& call) {
  const auto query = Query::parse(call.request().query, {"by"});
  if (!query) {
    co_await call.respond(query.error());
    co_return;
  }
  co_await answer(oncall, call, [&](store::Transaction& transaction) -> Result<std::string> {
    MYDR24_TRY(oncall.book.end_override(transaction, call.capture(0), call.in_name_of(query->text("by"))));
    return std::string("{}");
  });
}

}  // namespace

void add_action_routes(pipeline::Router& router, OnCall& oncall) {
  const auto add = [&](Method method, const char* pattern, const char* name,
                       Task<> (*handler)(OnCall&, pipeline::Call&)) {
    router.add({method, pattern, name, RequestClass::emergency,
                [&oncall, handler](pipeline::Call& call) -> Task<> { co_await handler(oncall, call); }});
  };
  add(Method::post, "/api/v1/oncall/test-page", "oncall-test-page", test_page);
  add(Method::post, "/api/v1/oncall/heartbeats/{name}", "oncall-heartbeat", heartbeat);
  add(Method::post, "/api/v1/alerts/{id}/escalate", "alert-escalate", escalate);
  add(Method::post, "/api/v1/alerts/{id}/policy", "alert-move", move);
  add(Method::post, "/api/v1/alerts/{id}/subscribers", "alert-subscribe", subscribe);
  add(Method::del, "/api/v1/alerts/{id}/subscribers/{name}", "alert-unsubscribe", unsubscribe);
  router.add(
      {Method::get, "/api/v1/alerts/{id}/subscribers", "alert-subscribers", RequestClass::emergency,
       [&oncall](pipeline::Call& call) -> Task<> { co_await send(call, list_subscribers(oncall, call.capture(0))); }});
  add(Method::post, "/api/v1/alert-overrides", "alert-override-request", request_override);
  add(Method::post, "/api/v1/alert-overrides/{id}/confirm", "alert-override-confirm", confirm_override);
  add(Method::del, "/api/v1/alert-overrides/{id}", "alert-override-end", end_override);
  router.add({Method::get, "/api/v1/alert-overrides", "alert-overrides", RequestClass::emergency,
              [&oncall](pipeline::Call& call) -> Task<> { co_await send(call, list_overrides(oncall)); }});
}

}  // namespace mydr24::oncall_api
