// Incidents: the list, one of them, its timeline, and the way from open to closed.

#include <fmt/format.h>

#include "api/incident_api/detail/exchange.h"
#include "api/pipeline/query.h"
#include "base/json/writer.h"

namespace mydr24::incident_api {
namespace {

using incidents::Incident;
using net::Method;

struct ListQuery {
  bool over = false;
  std::uint32_t count = 50;
  std::string after;
};

Result<ListQuery> parse_list(std::string_view text) {
  constexpr std::int64_t count_max = 500;
  MYDR24_ASSIGN(const auto query, pipeline::Query::parse(text, {"state", "count", "after"}));
  const std::string& state = query.text("state");
  if (!state.empty() && state != "open" && state != "over")
    return fail(Code::invalid, fmt::format("{} is not understood; there are open and over", state), "state");
  MYDR24_ASSIGN(const auto count, query.number("count", ListQuery().count, 1, count_max));
  return ListQuery{.over = state == "over", .count = static_cast<std::uint32_t>(count), .after = query.text("after")};
}

Result<std::string> list_text(const Service& service, std::string_view query_text, RequestClass request_class) {
  MYDR24_ASSIGN(const auto query, parse_list(query_text));
  incidents::Page page;
  MYDR24_TRY(service.store.read(
      [&](store::Reader& reader) -> Result<> {
        MYDR24_ASSIGN(page, incidents::Book::list(reader, query.over, query.after, query.count));
        return {};
      },
      {.request_class = request_class}, store::Store::everything_committed));
  std::string text;
  json::Writer out(text);
  out.begin_object().field("schema", "mydr24.incidents.v1").key("incidents").begin_array();
  for (const std::string& summary : page.summaries) out.raw(summary);
  out.end_array();
  if (!page.next.empty()) out.field("next", page.next);
  out.end_object();
  return text;
}

// Rows are shown as they are kept: too little for a worker, for which one would wait in a storm.
Task<> list(Service& service, pipeline::Call& call) {
  auto text = list_text(service, call.request().query, call.request_class());
  if (!text) {
    co_await call.respond(text.error());
  } else {
    co_await pipeline::send_json(call, 200, std::move(*text));
  }
}

Task<> show(Service& service, pipeline::Call& call) {
  co_await answer(service, call, [&](store::Reader& reader) -> Result<std::string> {
    MYDR24_ASSIGN(const Incident incident, incidents::Book::find(reader, call.capture(0)));
    MYDR24_ASSIGN(const incidents::Impact impact, service.book.impact(reader, incident));
    std::string text = shown(incident);
    text.pop_back();
    return text + ",\"impact\":" + incidents::to_json(impact) + "}";
  });
}

Task<> patients(Service& service, pipeline::Call& call) {
  call.access().note_incomplete();
  co_await answer(service, call, [&](store::Reader& reader) -> Result<std::string> {
    MYDR24_ASSIGN(const Incident incident, incidents::Book::find(reader, call.capture(0)));
    std::string text;
    json::Writer out(text);
    out.begin_object().key("patients").begin_array();
    for (const std::string& patient : incident.patients) out.string(patient);
    out.end_array().end_object();
    return text;
  });
}

Task<> timeline(Service& service, pipeline::Call& call) {
  const auto query = pipeline::Query::parse(call.request().query, {"after"});
  const auto after =
      query ? query->number("after", 0, 0, incidents::timeline::entries_max) : Result<std::int64_t>(query.error());
  if (!after) {
    co_await call.respond(after.error());
    co_return;
  }
  co_await answer(service, call, [&](store::Reader& reader) -> Result<std::string> {
    MYDR24_ASSIGN(const Incident incident, incidents::Book::find(reader, call.capture(0)));
    MYDR24_ASSIGN(const auto rows, incidents::timeline::read(reader, incident.id, *after, 500));
    std::string text;
    json::Writer out(text);
    out.begin_object().field("id", incident.id).field("entries", incident.entries).field("head", incident.head);
    out.key("timeline").begin_array();
    for (const std::string& row : rows) out.raw(row);
    out.end_array().key("duplicates").begin_array();
    for (const auto& each : incident.duplicates)
      out.begin_object().field("id", each.id).field("head", each.head).end_object();
    out.end_array().end_object();
    return text;
  });
}

Task<> verify(Service& service, pipeline::Call& call) {
  co_await answer(service, call, [&](store::Reader& reader) -> Result<std::string> {
    MYDR24_ASSIGN(const Incident incident, incidents::Book::find(reader, call.capture(0)));
    MYDR24_ASSIGN(const auto problems, incidents::timeline::verify(reader, incident));
    std::string text;
    json::Writer out(text);
    out.begin_object().field("id", incident.id).field("entries", incident.entries).field("whole", problems.empty());
    out.key("problems").begin_array();
    for (const std::string& each : problems) out.string(each);
    out.end_array().end_object();
    return text;
  });
}

Result<incidents::Opening> opening_of(json::Value body, std::string by) {
  incidents::Opening opening{.cause = text_of(body, "cause"),
                             .title = text_of(body, "title"),
                             .text = text_of(body, "text"),
                             .status = text_of(body, "status"),
                             .service = text_of(body, "service"),
                             .severity = {},
                             .breach = body["breach"].is_true(),
                             .links = {},
                             .by = std::move(by)};
  if (const auto severity = text_of(body, "severity"); !severity.empty()) {
    opening.severity = incidents::parse_severity(severity);
    if (!opening.severity) return fail(Code::invalid, "is emergency, critical, high, medium or low", "severity");
  }
  for (const json::Value link : body["links"]) opening.links.emplace_back(link.text());
  if (opening.by.empty()) return fail(Code::invalid, "say who opens it", "by");
  return opening;
}

Task<> open(Service& service, pipeline::Call& call) {
  const auto body = co_await take_body(call);
  if (!body) {
    co_await call.respond(body.error());
    co_return;
  }
  const auto opening = opening_of(body->root(), call.in_name_of(text_of(body->root(), "by")));
  if (!opening) {
    co_await call.respond(opening.error());
    co_return;
  }
  incidents::Opened opened;
  Incident incident;
  const std::function<Result<>(store::Transaction&)> work = [&](store::Transaction& transaction) -> Result<> {
    MYDR24_ASSIGN(opened, service.book.open(transaction, *opening));
    MYDR24_ASSIGN(incident, incidents::Book::find(transaction, opened.id));
    return {};
  };
  const auto done = co_await in_transaction(service, work);
  if (!done) {
    service.not_stored(done.error(), work);
    co_await call.respond(done.error());
  } else {
    co_await pipeline::send_json(call, opened.joined ? 200 : 201, shown(incident));
  }
}

template <Result<Incident> (incidents::Book::*Method)(store::Transaction&, std::string_view, std::string_view,
                                                      std::string_view) const>
Task<> with_text(Service& service, pipeline::Call& call, const char* member) {
  co_await change(
      service, call,
      [&, member](store::Transaction& transaction, std::string_view id, json::Value body, std::string_view by) {
        return (service.book.*Method)(transaction, id, by, body[member].text());
      });
}

Task<> acknowledge(Service& service, pipeline::Call& call) {
  co_await with_text<&incidents::Book::acknowledge>(service, call, "note");
}
Task<> mitigate(Service& service, pipeline::Call& call) {
  co_await with_text<&incidents::Book::mitigate>(service, call, "note");
}
Task<> resolve(Service& service, pipeline::Call& call) {
  co_await with_text<&incidents::Book::resolve>(service, call, "how");
}
Task<> pause(Service& service, pipeline::Call& call) {
  co_await with_text<&incidents::Book::pause>(service, call, "reason");
}

Task<> resume(Service& service, pipeline::Call& call) {
  co_await change(service, call,
                  [&](store::Transaction& transaction, std::string_view id, json::Value, std::string_view by) {
                    return service.book.resume(transaction, id, by);
                  });
}

Task<> close(Service& service, pipeline::Call& call) {
  co_await change(service, call,
                  [&](store::Transaction& transaction, std::string_view id, json::Value, std::string_view by) {
                    return service.book.close(transaction, id, by);
                  });
}

Task<> set_severity(Service& service, pipeline::Call& call) {
  co_await change(service, call,
                  [&](store::Transaction& transaction, std::string_view id, json::Value body,
                      std::string_view by) -> Result<Incident> {
                    const auto severity = incidents::parse_severity(body["severity"].text());
                    if (!severity)
                      return fail(Code::invalid, "is emergency, critical, high, medium or low", "severity");
                    return service.book.set_severity(transaction, id, *severity, by, body["reason"].text());
                  });
}

Task<> merge(Service& service, pipeline::Call& call) {
  co_await change(service, call,
                  [&](store::Transaction& transaction, std::string_view id, json::Value body, std::string_view by) {
                    return service.book.merge(transaction, id, body["into"].text(), by);
                  });
}

}  // namespace

void add_incident_routes(pipeline::Router& router, Service& service) {
  const auto route = [&](Method method, std::string pattern, std::string name, Handler handler, std::string summary) {
    add(router, service, method, "/api/v1/incidents" + pattern, std::move(name), RequestClass::urgent, handler,
        std::move(summary));
  };
  route(Method::get, "", "incidents", list, "Incidents: most severe first, then newest");
  route(Method::post, "", "incident-open", open, "Open an incident, or join the one with its cause");
  route(Method::get, "/{id}", "incident", show, "One incident, its clocks, its impact");
  route(Method::get, "/{id}/patients", "incident-patients", patients, "Whom it touches");
  route(Method::get, "/{id}/timeline", "incident-work-timeline", timeline, "Its timeline, oldest first");
  route(Method::get, "/{id}/verify", "incident-work-verify", verify, "Whether its timeline is as it was written");
  route(Method::post, "/{id}/ack", "incident-work-ack", acknowledge, "Take it: nobody is called any more");
  route(Method::post, "/{id}/mitigate", "incident-work-mitigate", mitigate, "Those who were affected can work again");
  route(Method::post, "/{id}/resolve", "incident-work-resolve", resolve,
        "The cause is gone; a review opens where one is due");
  route(Method::post, "/{id}/close", "incident-work-close", close, "Nothing of it is left to do");
  route(Method::post, "/{id}/pause", "incident-work-pause", pause, "Its resolution clock stands still, and why");
  route(Method::post, "/{id}/resume", "incident-work-resume", resume, "Its resolution clock goes on");
  route(Method::post, "/{id}/severity", "incident-work-severity", set_severity,
        "More or less severe; less needs a reason");
  route(Method::post, "/{id}/merge", "incident-work-merge", merge, "It is the same as another one");
}

}  // namespace mydr24::incident_api
