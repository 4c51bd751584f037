// Who is on duty, shifts, swaps, coverage and calendar feeds.

#include <fmt/format.h>

#include <algorithm>

#include "alerting/oncall/calendar.h"
#include "alerting/oncall/coverage.h"
#include "api/oncall_api/detail/exchange.h"
#include "base/core/date_time.h"
#include "base/core/id.h"
#include "base/crypto/digest.h"
#include "base/json/writer.h"

namespace mydr24::oncall_api {
namespace {

using Method = net::Method;
constexpr std::chrono::days range_max{400};
constexpr std::chrono::days coverage_default{90};

Result<const oncall::Schedule*> find_schedule(const oncall::Plan& plan, const std::string& name) {
  const auto found = plan.schedules().find(name);
  if (found == plan.schedules().end())
    return fail(Code::not_found, fmt::format("there is no schedule \"{}\"", name), "schedule");
  return &found->second;
}

void write_called(json::Writer& out, const std::vector<oncall::Called>& called) {
  out.begin_array();
  for (const oncall::Called& who : called) {
    out.begin_object().field("contact", who.contact->name);
    if (!who.instead_of.empty()) out.field("instead_of", who.instead_of);
    out.end_object();
  }
  out.end_array();
}

Result<std::string> who(const OnCall& oncall, std::string_view query_text) {
  MYDR24_ASSIGN(const Query query, Query::parse(query_text, {"schedule", "policy", "at"}));
  MYDR24_ASSIGN(const Instant at, query.instant("at", oncall.clock.now()));
  const oncall::PlanPointer plan = oncall.book.directory().plan();
  std::string text;
  json::Writer out(text);
  out.begin_object().field("schema", "mydr24.oncall-who.v1").field("at", format_instant(at));
  if (const std::string& name = query.text("schedule"); !name.empty()) {
    MYDR24_ASSIGN(const oncall::Schedule* schedule, find_schedule(*plan, name));
    out.field("schedule", name).key("people").begin_array();
    for (const std::string_view person : oncall::on_duty(*schedule, plan->leaves(), at)) out.string(person);
    out.end_array();
  } else {
    const std::string& policy_name = query.text("policy");
    if (!policy_name.empty() && !plan->policies().contains(policy_name))
      return fail(Code::not_found, fmt::format("there is no policy \"{}\"", policy_name), "policy");
    const oncall::Policy& policy = plan->policy(policy_name, 0);
    out.field("policy", policy.name).key("steps").begin_array();
    std::chrono::seconds after{0};
    for (std::size_t i = 0; i < policy.steps.size(); ++i) {
      out.begin_object().field("step", i).field("after_s", after.count()).key("people");
      write_called(out, plan->who_answers(policy, i, at));
      out.end_object();
      after += policy.steps[i].delay;
    }
    out.end_array();
  }
  out.end_object();
  return text;
}

Result<std::string> coverage(const OnCall& oncall, const Query& query) {
  MYDR24_ASSIGN(const Instant from, query.instant("from", oncall.clock.now()));
  MYDR24_ASSIGN(const std::int64_t days,
                query.number("days", coverage_default.count(), 1, oncall::coverage_days_max.count()));
  const oncall::PlanPointer plan = oncall.book.directory().plan();
  const oncall::Coverage found = oncall::prove_coverage(*plan, {from, from + std::chrono::days(days)});
  std::string text;
  json::Writer out(text);
  out.begin_object().field("schema", "mydr24.oncall-coverage.v1").field("revision", plan->revision());
  write_coverage(out, found);
  out.end_object();
  return text;
}

Task<> answer_coverage(OnCall& oncall, pipeline::Call& call) {
  const auto query = Query::parse(call.request().query, {"from", "days"});
  if (!query) {
    co_await call.respond(query.error());
    co_return;
  }
  co_await send(call, co_await oncall.workers.run(RequestClass::routine, [&] { return coverage(oncall, *query); }));
}

// One side of a swap: this person's duty in this time.
struct Side {
  std::string who, begin, end;
};

Side side_of(json::Value from) { return {text_of(from, "who"), text_of(from, "begin"), text_of(from, "end")}; }

std::string replacement(const std::string& schedule, const Side& duty, const std::string& by_whom,
                        const std::string& by) {
  std::string text;
  json::Writer(text)
      .begin_object()
      .field("schedule", schedule)
      .field("begin", duty.begin)
      .field("end", duty.end)
      .field("remove", duty.who)
      .field("add", by_whom)
      .field("by", by)
      .field("reason", "swap")
      .end_object();
  return text;
}

// Two people take each other's duty: two overrides or none.
Task<> swap(OnCall& oncall, pipeline::Call& call) {
  const auto body = co_await read_json(call, 64U << 10);
  if (!body) {
    co_await call.respond(body.error());
    co_return;
  }
  const json::Value root = body->root();
  const std::string schedule = text_of(root, "schedule"), by = call.in_name_of(text_of(root, "by"));
  const Side a = side_of(root["a"]), b = side_of(root["b"]);
  if (a.who.empty() || b.who.empty()) {
    co_await call.respond(fail(Code::invalid, "a swap has the sides a and b: {\"who\", \"begin\", \"end\"} each", "a"));
    co_return;
  }
  const std::string id = make_uuid7(oncall.clock.now());
  oncall::Change change{.by = by};
  change.parts["override/" + id + "-a"] = replacement(schedule, a, b.who, by);
  change.parts["override/" + id + "-b"] = replacement(schedule, b, a.who, by);
  const auto plan = co_await change_plan(oncall, std::move(change));
  co_await send(call, plan ? Result<std::string>(fmt::format(R"({{"revision":{0},"overrides":["{1}-a","{1}-b"]}})",
                                                             (*plan)->revision(), id))
                           : Result<std::string>(plan.error()));
}

Result<std::string> calendar(const OnCall& oncall, std::string_view secret) {
  constexpr std::string_view suffix = ".ics";
  if (secret.ends_with(suffix)) secret.remove_suffix(suffix.size());
  const oncall::PlanPointer plan = oncall.book.directory().plan();
  for (const auto& [id, feed] : plan->feeds()) {
    if (!crypto::same_secret(feed.secret, secret)) continue;
    if (feed.disabled) return fail(Code::refused, "this calendar is switched off");
    return oncall::to_icalendar(*plan, feed, oncall.clock.now());
  }
  return fail(Code::not_found, "there is no such calendar");
}

Task<> answer_calendar(OnCall& oncall, pipeline::Call& call) {
  // A year of an hourly rotation is too much for the thread that reads requests.
  auto text = co_await oncall.workers.run(RequestClass::routine, [&] { return calendar(oncall, call.capture(0)); });
  if (!text) {
    co_await call.respond(text.error());
    co_return;
  }
  net::Response response;
  response.content_type = "text/calendar; charset=utf-8";
  response.headers.emplace_back("Cache-Control", "private, max-age=300");
  response.body = std::move(*text);
  co_await call.respond(std::move(response));
}

}  // namespace

void write_coverage(json::Writer& out, const oncall::Coverage& found) {
  out.field("from", format_instant(found.range.begin)).field("to", format_instant(found.range.end));
  out.field("steps", found.steps).field("instants", found.instants).field("covered", found.gaps.empty());
  out.key("gaps").begin_array();
  for (const oncall::Gap& gap : found.gaps) {
    out.begin_object().field("policy", gap.policy).field("step", gap.step);
    out.field("begin", format_instant(gap.period.begin)).field("end", format_instant(gap.period.end));
    out.field("needed", gap.needed).key("people").begin_array();
    for (const std::string& person : gap.people) out.string(person);
    out.end_array().end_object();
  }
  out.end_array();
  if (found.cut) out.field("cut", true);
}

Result<std::string> shifts(const oncall::Plan& plan, Instant now, std::string_view query_text) {
  MYDR24_ASSIGN(const Query query, Query::parse(query_text, {"schedule", "from", "to", "layer"}));
  MYDR24_ASSIGN(const oncall::Schedule* schedule, find_schedule(plan, query.text("schedule")));
  MYDR24_ASSIGN(const Instant from, query.instant("from", now));
  MYDR24_ASSIGN(const Instant to, query.instant("to", from + std::chrono::days(28)));
  if (to <= from || to > from + range_max)
    return fail(Code::invalid, fmt::format("the range must be between nothing and {} days", range_max.count()), "to");
  const bool is_one_layer = !query.text("layer").empty();
  std::vector<oncall::Shift> found;
  if (is_one_layer) {
    const auto layers = static_cast<std::int64_t>(schedule->layers.size());
    MYDR24_ASSIGN(const std::int64_t layer, query.number("layer", 0, 0, layers - 1));
    oncall::Schedule rotation{.name = schedule->name, .zone = schedule->zone};
    rotation.layers.push_back(schedule->layers[static_cast<std::size_t>(layer)]);
    found = oncall::shifts(rotation, {}, {from, to});
  } else {
    found = oncall::shifts(*schedule, plan.leaves(), {from, to});
  }
  std::string text;
  json::Writer out(text);
  out.begin_object().field("schema", "mydr24.oncall-shifts.v1").field("schedule", schedule->name);
  if (is_one_layer) out.field("layer", query.text("layer"));
  out.key("shifts").begin_array();
  for (const oncall::Shift& shift : found) {
    out.begin_object().field("who", shift.who).field("begin", format_instant(shift.period.begin));
    out.field("end", format_instant(shift.period.end));
    if (shift.cut_begin) out.field("cut_begin", true);
    if (shift.cut_end) out.field("cut_end", true);
    out.end_object();
  }
  out.end_array().end_object();
  return text;
}

void add_duty_routes(pipeline::Router& router, OnCall& oncall) {
  router.add({Method::get, "/api/v1/oncall/who", "oncall-who", RequestClass::emergency,
              [&oncall](pipeline::Call& call) -> Task<> { co_await send(call, who(oncall, call.request().query)); }});
  router.add({Method::get, "/api/v1/oncall/shifts", "oncall-shifts", RequestClass::routine,
              [&oncall](pipeline::Call& call) -> Task<> {
                co_await send(call, co_await oncall.workers.run(RequestClass::routine, [&] {
                  return shifts(*oncall.book.directory().plan(), oncall.clock.now(), call.request().query);
                }));
              }});
  router.add({Method::get, "/api/v1/oncall/coverage", "oncall-coverage", RequestClass::routine,
              [&oncall](pipeline::Call& call) -> Task<> { co_await answer_coverage(oncall, call); }});
  router.add({Method::post, "/api/v1/oncall/swap", "oncall-swap", RequestClass::urgent,
              [&oncall](pipeline::Call& call) -> Task<> { co_await swap(oncall, call); }});
  router.add_open({Method::get, "/api/v1/oncall/calendars/{secret}", "oncall-calendar", RequestClass::routine,
                   [&oncall](pipeline::Call& call) -> Task<> { co_await answer_calendar(oncall, call); }});
}

}  // namespace mydr24::oncall_api
