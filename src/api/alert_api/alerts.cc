// GET and POST /api/v2/alerts, GET /api/v2/alerts/groups.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "api/alert_api/alert_api.h"
#include "api/alert_api/detail/answers.h"
#include "api/alert_api/detail/turn.h"
#include "base/core/date_time.h"
#include "base/json/writer.h"

namespace mydr24::alert_api {
namespace {

using groups::Alert;
using groups::Known;
using groups::State;
using groups::Status;

constexpr std::size_t small_body = 64U << 10;  // read on the I/O thread
constexpr std::size_t errors_max = 20;

struct Query {
  routing::Matchers matchers;
  std::optional<routing::Matcher> receiver;
  bool active = true;
  bool silenced = true;
  bool inhibited = true;

  bool wants(const Status& status) const {
    if (!status.silenced_by.empty() && !silenced) return false;
    if (!status.inhibited_by.empty() && !inhibited) return false;
    return active || status.suppressed();
  }
  bool wants_receiver(std::string_view name) const { return !receiver || receiver->matches(name); }
};

Result<Query> read_query(pipeline::Call& call, routing::Names names) {
  Query query;
  MYDR24_ASSIGN(query.matchers, filters(call, names));
  MYDR24_ASSIGN(query.receiver, receiver_filter(call));
  query.active = query_flag(call, "active", true);
  query.silenced = query_flag(call, "silenced", true);
  query.inhibited = query_flag(call, "inhibited", true);
  return query;
}

void write_texts(json::Writer& writer, std::string_view name, const std::vector<std::string>& texts) {
  writer.key(name).begin_array();
  for (const std::string& text : texts) writer.string(text);
  writer.end_array();
}

void write_alert(json::Writer& writer, const Alert& alert, const Status& status,
                 const std::vector<std::string_view>& receivers) {
  writer.begin_object().key("annotations");
  routing::write(writer, alert.annotations);
  writer.field("endsAt", format_instant(alert.ends_at))
      .field("fingerprint", routing::to_text(routing::fingerprint(alert.labels)))
      .key("receivers")
      .begin_array();
  for (const std::string_view name : receivers) writer.begin_object().field("name", name).end_object();
  writer.end_array().field("startsAt", format_instant(alert.starts_at)).key("status").begin_object();
  write_texts(writer, "inhibitedBy", status.inhibited_by);
  write_texts(writer, "silencedBy", status.silenced_by);
  writer.field("state", status.suppressed() ? "suppressed" : "active")
      .end_object()
      .field("updatedAt", format_instant(alert.updated_at));
  if (!alert.generator_url.empty()) writer.field("generatorURL", std::string_view(alert.generator_url));
  writer.key("labels");
  routing::write(writer, alert.labels);
  writer.end_object();
}

std::vector<std::string_view> receivers_of(const Known& known) {
  std::vector<std::string_view> names;
  for (const groups::Group* group : known.groups) names.emplace_back(group->receiver->name);
  return names;
}

// What changes between two turns is in the listing or not, as with a listing a moment earlier or later.
Task<std::string> list(Service& service, const Query& query) {
  std::string body;
  json::Writer writer(body);
  writer.begin_array();
  routing::Fingerprint next = 0;
  for (bool more = true; more;) {
    more = co_await service.groups.ask([&](const State& state, Instant now) {
      Turn turn(service.clock);
      for (auto at = state.alerts().lower_bound(next); at != state.alerts().end(); ++at) {
        next = at->first;
        if (turn.is_over()) return true;
        const Known& known = at->second;
        if (known.alert.is_resolved(now) || !routing::matches(query.matchers, known.alert.labels)) continue;
        const auto receivers = receivers_of(known);
        if (std::ranges::none_of(receivers, [&](std::string_view name) { return query.wants_receiver(name); }))
          continue;
        const Status status = state.status(known.alert.labels, now);
        if (query.wants(status)) write_alert(writer, known.alert, status, receivers);
      }
      return false;
    });
  }
  writer.end_array();
  co_return body += '\n';
}

struct GroupName {
  groups::Labels labels;
  std::string receiver;
  std::string id;
  auto operator<=>(const GroupName&) const = default;
};

Task<std::vector<GroupName>> group_names(Service& service, const Query& query) {
  std::vector<GroupName> names;
  std::string next;
  for (bool more = true; more;) {
    more = co_await service.groups.ask([&](const State& state, Instant) {
      Turn turn(service.clock);
      for (auto at = state.groups().lower_bound(next); at != state.groups().end(); ++at) {
        if (turn.is_over()) {
          next = at->first;
          return true;
        }
        const groups::Group& group = *at->second;
        if (query.wants_receiver(group.receiver->name)) names.push_back({group.labels, group.receiver->name, group.id});
      }
      return false;
    });
  }
  co_return co_await service.workers.run(RequestClass::routine, [&] {
    std::ranges::sort(names);
    return std::move(names);
  });
}

Task<std::string> list_groups(Service& service, const Query& query) {
  const std::vector<GroupName> names = co_await group_names(service, query);
  std::string body;
  json::Writer writer(body);
  writer.begin_array();
  std::size_t index = 0;
  routing::Fingerprint next = 0;  // of the members of that group
  bool has_begun = false;         // it is in the listing: one of its members is
  const auto write_members = [&](const State& state, Instant now, const groups::Group& group, Turn& turn) {
    for (auto at = group.members.lower_bound(next); at != group.members.end(); ++at) {
      next = *at;
      if (turn.is_over()) return false;
      const Known& known = *state.find(*at);
      if (known.alert.is_resolved(now) || !routing::matches(query.matchers, known.alert.labels)) continue;
      const Status status = state.status(known.alert.labels, now);
      if (!query.wants(status)) continue;
      if (!std::exchange(has_begun, true)) writer.begin_object().key("alerts").begin_array();
      write_alert(writer, known.alert, status, receivers_of(known));
    }
    return true;
  };
  for (bool more = true; more;) {
    more = co_await service.groups.ask([&](const State& state, Instant now) {
      Turn turn(service.clock);
      for (; index < names.size(); ++index, next = 0, has_begun = false) {
        const GroupName& name = names[index];
        const auto found = state.groups().find(name.id);
        const bool is_gone = found == state.groups().end();
        if (is_gone ? turn.is_over() : !write_members(state, now, *found->second, turn)) return true;
        if (!has_begun) continue;
        writer.end_array().key("labels");
        routing::write(writer, name.labels);
        writer.key("receiver").begin_object().field("name", std::string_view(name.receiver)).end_object();
        writer.end_object();
      }
      return false;
    });
  }
  writer.end_array();
  co_return body += '\n';
}

struct Posted {
  std::vector<Alert> alerts;
  std::vector<std::string> invalid;
  std::optional<Answer> refusal;  // of the whole body
};

Answer unreadable(std::string_view why) {
  return coded(400, 400, fmt::format("parsing alerts body from \"\" failed, because {}", why));
}

Posted read_body(std::string_view body, Instant now, routing::milliseconds resolve_timeout, routing::Names names) {
  Posted posted;
  if (body.empty()) {
    posted.refusal = coded(422, 602, "alerts in body is required");
    return posted;
  }
  const auto items = split_array(body);
  if (!items) {
    const auto whole = json::Document::parse_view(body);
    posted.refusal = unreadable(whole ? "a list of at most 200000 alerts is expected" : whole.error().text);
    return posted;
  }
  posted.alerts.reserve(items->size());
  for (std::size_t i = 0; i < items->size(); ++i) {
    const auto document = json::Document::parse_view((*items)[i], {.depth_max = 16});
    if (!document) {
      posted.refusal = unreadable(fmt::format("alert {}: {}", i, document.error().text));
      return posted;
    }
    auto alert = routing::read_posted(document->root(), now, resolve_timeout, names);
    if (alert) {
      posted.alerts.push_back(std::move(*alert));
    } else if (alert.error().code == Code::unprocessable) {
      const bool missing = alert.error().text.ends_with("is required");
      posted.refusal =
          missing ? coded(422, 602, fmt::format("{}.{}", i, alert.error().text)) : unreadable(alert.error().text);
      return posted;
    } else if (posted.invalid.size() < errors_max) {
      posted.invalid.push_back(std::move(alert).error().text);
    }
  }
  return posted;
}

Task<Answer> post(Service& service, pipeline::Call& call) {
  if (!is_json(call)) co_return wrong_type(call);
  auto body = co_await call.exchange().read_body(service.body_bytes_max);
  if (!body) co_return failed(body.error());
  const auto resolve_timeout =
      co_await service.groups.ask([](const State& state, Instant) { return state.config()->resolve_timeout; });
  const auto read = [&] {
    return read_body(*body, service.clock.now(), resolve_timeout, service.groups.settings().names);
  };
  Posted posted = body->size() <= small_body ? read() : co_await service.workers.run(RequestClass::routine, read);
  if (posted.refusal) co_return std::move(*posted.refusal);
  body->clear();
  body->shrink_to_fit();
  if (service.seen)
    for (const Alert& alert : posted.alerts) service.seen(alert);
  const auto taken = co_await service.groups.take(std::move(posted.alerts));
  if (!taken) co_return failed(taken.error());
  if (posted.invalid.empty()) co_return Answer{};
  co_return said(400, fmt::format("{}", fmt::join(posted.invalid, "; ")));
}

template <class List>
Task<Answer> get(Service& service, pipeline::Call& call, List how) {
  const auto query = read_query(call, service.groups.settings().names);
  if (!query) co_return failed(query.error());
  Answer answer;
  answer.body = co_await how(service, *query);
  co_return answer;
}

}  // namespace

void add_alert_routes(pipeline::Router& router, Service& service) {
  router.add({net::Method::get, service.prefix + "/api/v2/alerts", "am-alerts", RequestClass::urgent,
              [&service](pipeline::Call& call) -> Task<> { co_await send(call, co_await get(service, call, list)); }});
  router.add({net::Method::post, service.prefix + "/api/v2/alerts", "am-post-alerts", RequestClass::urgent,
              [&service](pipeline::Call& call) -> Task<> { co_await send(call, co_await post(service, call)); }});
  router.add(
      {net::Method::get, service.prefix + "/api/v2/alerts/groups", "am-groups", RequestClass::urgent,
       [&service](pipeline::Call& call) -> Task<> { co_await send(call, co_await get(service, call, list_groups)); }});
}

void add_routes(pipeline::Router& router, Service& service) {
  add_alert_routes(router, service);
  add_silence_routes(router, service);
  add_status_routes(router, service);
  add_event_routes(router, service);
  add_desk_routes(router, service);
}

}  // namespace mydr24::alert_api
