// The plan: GET and PUT /api/v1/oncall/plan, and its parts one by one.

#include <fmt/format.h>

#include <charconv>

#include "alerting/oncall/proposal.h"
#include "api/oncall_api/detail/exchange.h"
#include "base/json/writer.h"

namespace mydr24::oncall_api {
namespace {

using Method = net::Method;

std::string plan_text(const oncall::Plan& plan, std::string_view kind) {
  std::string text;
  json::Writer out(text);
  out.begin_object().field("schema", "mydr24.oncall-plan.v1").field("revision", plan.revision());
  out.key("parts").begin_object();
  for (const auto& [key, document] : plan.documents())
    if (kind.empty() || key.substr(0, key.find('/')) == kind) out.key(key).raw(oncall::shown(document));
  out.end_object().end_object();
  return text;
}

std::optional<std::int64_t> revision_of(json::Value body) {
  const std::string_view digits = body["revision"].text();
  std::int64_t revision = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), revision);
  if (!body["revision"].is_number() || error != std::errc() || end != digits.data() + digits.size())
    return std::nullopt;
  return revision;
}

// What the change would come to, and whether everybody could still be reached.
Result<std::string> dry_run(OnCall& oncall, const oncall::Change& change) {
  constexpr std::chrono::days ahead{90};
  oncall::Proposal outcome;
  MYDR24_TRY(oncall.store.read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(outcome, oncall::propose(reader, *oncall.book.directory().plan(), change));
    return {};
  }));
  const Instant now = oncall.clock.now();
  const oncall::Coverage coverage = oncall::prove_coverage(*outcome.plan, {now, now + ahead});
  std::string text;
  json::Writer out(text);
  out.begin_object().field("schema", "mydr24.oncall-dry-run.v1").field("dry_run", true);
  out.field("revision", oncall.book.directory().plan()->revision());
  for (const auto& [name, keys] : {std::pair("added", &outcome.added), std::pair("changed", &outcome.changed),
                                   std::pair("removed", &outcome.removed)}) {
    out.key(name).begin_array();
    for (const std::string& key : *keys) out.string(key);
    out.end_array();
  }
  write_coverage(out, coverage);
  out.end_object();
  return text;
}

// {"parts": {"KIND/NAME": {...} or null}, "replace": true, "by": "...", "revision": 7, "dry_run": true}
Task<> put_plan(OnCall& oncall, pipeline::Call& call) {
  const auto body = co_await read_json(call);
  if (!body) {
    co_await call.respond(body.error());
    co_return;
  }
  const json::Value root = body->root();
  oncall::Change change{.replace_all = root["replace"].is_true(), .by = call.in_name_of(text_of(root, "by"))};
  change.revision = revision_of(root);
  for (const json::Value part : root["parts"])
    change.parts[std::string(part.key())] =
        part.is_null() ? std::optional<std::string>() : std::optional(json::compact(part));
  if (change.parts.empty()) {
    co_await call.respond(
        fail(Code::invalid, "there is nothing to change: {\"parts\": {\"policy/x\": {...}}}", "parts"));
    co_return;
  }
  if (root["dry_run"].is_true()) {
    // The proof of coverage is too much for the thread that reads requests.
    co_await send(call, co_await oncall.workers.run(RequestClass::routine, [&] { return dry_run(oncall, change); }));
    co_return;
  }
  const auto plan = co_await change_plan(oncall, std::move(change));
  co_await send(call, plan ? Result<std::string>(fmt::format(R"({{"revision":{}}})", (*plan)->revision()))
                           : Result<std::string>(plan.error()));
}

Result<std::string> key_of(pipeline::Call& call) {
  MYDR24_ASSIGN(const std::string name, name_of(call, 1));
  const std::string kind(call.capture(0));
  if (!oncall::is_kind(kind)) return fail(Code::not_found, fmt::format("there is no kind of part \"{}\"", kind));
  return fmt::format("{}/{}", kind, name);
}

Result<std::string> get_part(OnCall& oncall, pipeline::Call& call) {
  MYDR24_ASSIGN(const std::string key, key_of(call));
  const oncall::PlanPointer plan = oncall.book.directory().plan();
  const auto found = plan->documents().find(key);
  if (found == plan->documents().end()) return fail(Code::not_found, fmt::format("there is no {}", key));
  return oncall::shown(found->second);
}

Task<Result<std::string>> change_part(OnCall& oncall, pipeline::Call& call, bool remove) {
  const auto key = key_of(call);
  if (!key) co_return key.error();
  const auto query = Query::parse(call.request().query, {"by", "revision"});
  if (!query) co_return query.error();
  oncall::Change change{.by = call.in_name_of(query->text("by"))};
  if (!query->text("revision").empty()) {
    const auto revision = query->number("revision", 0, 0, INT64_MAX);
    if (!revision) co_return revision.error();
    change.revision = *revision;
  }
  if (remove) {
    change.parts[*key] = std::nullopt;
  } else {
    const auto body = co_await read_json(call, 1U << 20);
    if (!body) co_return body.error();
    change.parts[*key] = json::compact(body->root());
  }
  const auto plan = co_await change_plan(oncall, std::move(change));
  if (!plan) co_return plan.error();
  co_return fmt::format(R"({{"revision":{}}})", (*plan)->revision());
}

}  // namespace

void add_plan_routes(pipeline::Router& router, OnCall& oncall) {
  router.add({Method::get, "/api/v1/oncall/plan", "oncall-plan", RequestClass::urgent,
              [&oncall](pipeline::Call& call) -> Task<> {
                co_await send(call, plan_text(*oncall.book.directory().plan(), ""));
              }});
  router.add({Method::put, "/api/v1/oncall/plan", "oncall-plan-change", RequestClass::urgent,
              [&oncall](pipeline::Call& call) -> Task<> { co_await put_plan(oncall, call); }});
  router.add({Method::get, "/api/v1/oncall/parts/{kind}", "oncall-parts", RequestClass::urgent,
              [&oncall](pipeline::Call& call) -> Task<> {
                const std::string kind(call.capture(0));
                if (!oncall::is_kind(kind)) {
                  co_await call.respond(fail(Code::not_found, fmt::format("there is no kind of part \"{}\"", kind)));
                  co_return;
                }
                co_await send(call, plan_text(*oncall.book.directory().plan(), kind));
              }});
  router.add({Method::get, "/api/v1/oncall/parts/{kind}/{name}", "oncall-part", RequestClass::urgent,
              [&oncall](pipeline::Call& call) -> Task<> { co_await send(call, get_part(oncall, call)); }});
  router.add(
      {Method::put, "/api/v1/oncall/parts/{kind}/{name}", "oncall-part-put", RequestClass::urgent,
       [&oncall](pipeline::Call& call) -> Task<> { co_await send(call, co_await change_part(oncall, call, false)); }});
  router.add(
      {Method::del, "/api/v1/oncall/parts/{kind}/{name}", "oncall-part-delete", RequestClass::urgent,
       [&oncall](pipeline::Call& call) -> Task<> { co_await send(call, co_await change_part(oncall, call, true)); }});
}

}  // namespace mydr24::oncall_api
