// Changes one by one: proposed, judged by people, run.

#include <fmt/format.h>

#include "api/change_api/detail/exchange.h"
#include "api/pipeline/query.h"
#include "base/core/date_time.h"
#include "base/json/writer.h"

namespace mydr24::change_api {
namespace {

using changes::Change;
using net::Method;

constexpr std::int64_t count_standard = 50;
constexpr std::int64_t count_max = 500;

// The change with what stands in its way and who still has to approve it.
Result<std::string> shown(const Desk& desk, store::Reader& reader, const Change& change) {
  std::string text;
  json::Writer out(text);
  out.begin_object().key("change").raw(changes::to_json(change));
  const auto& requirement = desk.book.policy().board.requirement(change.plan.type, change.risk.level);
  out.field("approval", requirement.name).key("approvals_needed").begin_array();
  for (const auto& slot : requirement.slots) out.string(changes::describe(slot));
  out.end_array().key("approvals_open").begin_array();
  if (change.plan.type != changes::Type::standard)
    for (const auto& slot : desk.book.approvals(change).open) out.string(changes::describe(slot));
  out.end_array().key("obstacles").begin_array();
  if (!changes::is_active(change.state) && !changes::is_over(change.state)) {
    MYDR24_ASSIGN(const auto obstacles, desk.book.obstacles(reader, change, desk.clock.now()));
    for (const auto& obstacle : obstacles) out.string(obstacle);
  }
  out.end_array();
  // A run that has begun its way back is held by nothing.
  if (change.state == changes::State::running) {
    MYDR24_ASSIGN(const auto held, desk.book.held(reader, change));
    if (!held.empty()) out.field("held", held);
  }
  out.end_object();
  return text;
}

void write_time(json::Writer& out, std::string_view name, const std::optional<Instant>& at) {
  if (at) out.field(name, format_instant(*at));
}

// What a list and a calendar show of a change.
void write_line(json::Writer& out, const Desk& desk, const Change& change) {
  const auto& plan = change.plan;
  out.begin_object().field("id", change.id).field("title", plan.title).field("state", changes::to_string(change.state));
  out.field("type", changes::to_string(plan.type)).field("service", plan.service).key("services").begin_array();
  for (const auto& service : plan.services) out.string(service);
  out.end_array().field("risk", changes::to_string(change.risk.level)).field("score", change.risk.score);
  out.field("requested_by", change.requested_by).field("proposed", format_instant(change.proposed));
  write_time(out, "begin", plan.begin);
  write_time(out, "end", plan.end);
  write_time(out, "starts", change.starts);
  write_time(out, "started", change.started);
  write_time(out, "finished", change.finished);
  if (change.state == changes::State::proposed) {
    out.key("approvals_open").begin_array();
    for (const auto& slot : desk.book.approvals(change).open) out.string(changes::describe(slot));
    out.end_array().key("approved_by").begin_array();
    for (const auto& approval : change.approvals) out.string(approval.member);
    out.end_array();
  }
  out.field("review_overdue", change.review_overdue).end_object();
}

Result<std::string> list_text(const Desk& desk, store::Reader& reader, std::string_view text) {
  MYDR24_ASSIGN(const auto query, pipeline::Query::parse(text, {"state", "limit"}));
  std::optional<changes::State> state;
  if (query.has("state")) {
    state = changes::parse_state(query.text("state"));
    if (!state) return fail(Code::invalid, "there is no such state", "state");
  }
  MYDR24_ASSIGN(const auto limit, query.number("limit", count_standard, 1, count_max));
  MYDR24_ASSIGN(const auto found, desk.book.list(reader, state, static_cast<std::uint32_t>(limit)));
  std::string listed;
  json::Writer out(listed);
  out.begin_object().field("schema", "mydr24.changes.v1").key("changes").begin_array();
  for (const auto& change : found) write_line(out, desk, change);
  out.end_array().end_object();
  return listed;
}

std::string plan_of(json::Value body) { return body["plan"] ? json::compact(body["plan"]) : std::string("{}"); }

// {"plan": {...}, "by": "..."}. `?preview=true`: judged as it would be, and not kept.
Task<> propose(Desk& desk, pipeline::Call& call) {
  const auto query = pipeline::Query::parse(call.request().query, {"preview"});
  if (!query) {
    co_await call.respond(query.error());
    co_return;
  }
  const auto body = co_await read_body(call);
  if (!body) {
    co_await call.respond(body.error());
    co_return;
  }
  const auto by = acting(call, text_of(body->root(), "by"));
  const auto plan = plan_of(body->root());
  if (query->text("preview") == "true") {
    co_await answer_read(desk, call, [&](store::Reader& reader) -> Result<std::string> {
      MYDR24_ASSIGN(const auto change, desk.book.preview(reader, plan, by, desk.clock.now()));
      return shown(desk, reader, change);
    });
    co_return;
  }
  co_await answer_write(
      desk, call,
      [&](store::Transaction& transaction) -> Result<std::string> {
        MYDR24_ASSIGN(const auto change, desk.book.propose(transaction, plan, by));
        return shown(desk, transaction, change);
      },
      201);
}

// What is done to one change: with the members of its body.
using Act = Result<Change> (*)(const changes::Book&, store::Transaction&, std::string_view id, json::Value body,
                               const std::string& by);

Task<> act(Desk& desk, pipeline::Call& call, Act what) {
  const auto body = co_await read_body(call);
  if (!body) {
    co_await call.respond(body.error());
    co_return;
  }
  const auto by = acting(call, text_of(body->root(), "by"));
  co_await answer_write(desk, call, [&](store::Transaction& transaction) -> Result<std::string> {
    MYDR24_ASSIGN(const auto change, what(desk.book, transaction, call.capture(0), body->root(), by));
    return shown(desk, transaction, change);
  });
}

Result<Change> schedule(const changes::Book& book, store::Transaction& transaction, std::string_view id,
                        json::Value body, const std::string& by) {
  const auto at = parse_date_time(text_of(body, "at"));
  if (!at) return fail(Code::invalid, "write a time as 2026-05-10T08:00:00Z", "at");
  return book.schedule(transaction, id, at->low, by);
}

struct Action {
  const char* word;  // in the path and in the interaction
  const char* summary;
  Act what;
};

const Action actions[] = {
    {"approve", "Approves the plan with that digest",
     [](const changes::Book& book, store::Transaction& transaction, std::string_view id, json::Value body,
        const std::string& by) { return book.approve(transaction, id, text_of(body, "digest"), by); }},
    {"reject", "Rejects it, with a reason",
     [](const changes::Book& book, store::Transaction& transaction, std::string_view id, json::Value body,
        const std::string& by) { return book.reject(transaction, id, text_of(body, "reason"), by); }},
    {"withdraw", "Withdraws it, with a reason",
     [](const changes::Book& book, store::Transaction& transaction, std::string_view id, json::Value body,
        const std::string& by) { return book.withdraw(transaction, id, text_of(body, "reason"), by); }},
    {"rehearsal", "Records that its way back was run on a copy",
     [](const changes::Book& book, store::Transaction& transaction, std::string_view id, json::Value body,
        const std::string& by) {
       return book.rehearsed(transaction, id, body["rolled_back"].is_true(), text_of(body, "evidence"), by);
     }},
    {"schedule", "Starts it by itself at that time", schedule},
    {"start", "Starts it now",
     [](const changes::Book& book, store::Transaction& transaction, std::string_view id, json::Value,
        const std::string& by) { return book.start(transaction, id, by); }},
    {"abort", "Ends it and rolls it back",
     [](const changes::Book& book, store::Transaction& transaction, std::string_view id, json::Value body,
        const std::string& by) { return book.abort(transaction, id, text_of(body, "reason"), by); }},
    {"resume", "Goes on with what was paused",
     [](const changes::Book& book, store::Transaction& transaction, std::string_view id, json::Value,
        const std::string& by) { return book.resume(transaction, id, by); }},
    {"rollback", "Takes a successful change back at once",
     [](const changes::Book& book, store::Transaction& transaction, std::string_view id, json::Value body,
        const std::string& by) { return book.roll_back(transaction, id, text_of(body, "reason"), by); }},
    {"review", "Reviews an emergency change",
     [](const changes::Book& book, store::Transaction& transaction, std::string_view id, json::Value body,
        const std::string& by) { return book.review(transaction, id, text_of(body, "text"), by); }},
};

}  // namespace

void add_change_routes(pipeline::Router& router, Desk& desk) {
  router.add({Method::get, "/api/v1/changes", "change-list", RequestClass::routine,
              [&desk](pipeline::Call& call) -> Task<> {
                co_await answer_read(
                    desk, call, [&](store::Reader& reader) { return list_text(desk, reader, call.request().query); });
              },
              admission::Cost::by_method, "Changes, newest first"});
  router.add(
      {Method::post, "/api/v1/changes", "change-propose", RequestClass::urgent,
       [&desk](pipeline::Call& call) -> Task<> { co_await propose(desk, call); }, admission::Cost::by_method,
       "Proposes a change: its plan, judged and routed to who has to approve it; preview=true: judged, not kept"});
  router.add({Method::get, "/api/v1/changes/{id}", "change-show", RequestClass::routine,
              [&desk](pipeline::Call& call) -> Task<> {
                co_await answer_read(desk, call, [&](store::Reader& reader) -> Result<std::string> {
                  MYDR24_ASSIGN(const auto change, desk.book.find(reader, call.capture(0)));
                  return shown(desk, reader, change);
                });
              },
              admission::Cost::by_method, "One change: plan, risk, approvals, obstacles, run"});
  router.add({Method::put, "/api/v1/changes/{id}", "change-edit", RequestClass::urgent,
              [&desk](pipeline::Call& call) -> Task<> {
                co_await act(desk, call,
                             [](const changes::Book& book, store::Transaction& transaction, std::string_view id,
                                json::Value body,
                                const std::string& by) { return book.edit(transaction, id, plan_of(body), by); });
              },
              admission::Cost::by_method, "Another plan: approvals given so far are void"});
  for (const auto& action : actions) {
    router.add({Method::post, fmt::format("/api/v1/changes/{{id}}/{}", action.word),
                fmt::format("change-{}", action.word), RequestClass::urgent,
                [&desk, what = action.what](pipeline::Call& call) -> Task<> { co_await act(desk, call, what); },
                admission::Cost::by_method, action.summary});
  }
}

}  // namespace mydr24::change_api
