// GET and POST /api/v2/silences, GET and DELETE /api/v2/silence/{id}, POST /api/v1/silences/preview, and the proposals of
// silences that wait for a second person: GET and POST /api/v1/silences/proposals, DELETE .../{id}, POST .../{id}/approve and
// .../{id}/decline.

#include <fmt/format.h>

#include <algorithm>

#include "api/alert_api/alert_api.h"
#include "api/alert_api/detail/answers.h"
#include "api/alert_api/detail/turn.h"
#include "base/json/writer.h"

namespace mydr24::alert_api {
namespace {

using groups::Silence;
using groups::State;
using routing::SilenceState;

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : std::isxdigit(static_cast<unsigned char>(text[i])) == 0) return false;
  }
  return true;
}

Answer no_uuid(std::string_view id) {
  return coded(422, 601, fmt::format("silenceID in path must be of type uuid: {}", routing::go_quoted(id)));
}

bool is_wanted(const Silence& silence, const routing::Matchers& filter) {
  routing::Labels labels;
  for (const routing::Matcher& matcher : silence.matchers) labels.set(matcher.name(), matcher.value());
  return routing::matches(filter, labels);
}

// Active ones by their end, then pending ones by their start, then expired ones, the last to end first.
std::string list(std::vector<Silence> sorted, Instant now) {
  const auto place = [now](const Silence& silence) {
    switch (silence.state(now)) {
      case SilenceState::active:
        return std::tuple(0, to_us(silence.ends_at), std::string_view(silence.id));
      case SilenceState::pending:
        return std::tuple(1, to_us(silence.starts_at), std::string_view(silence.id));
      case SilenceState::expired:
        break;
    }
    return std::tuple(2, -to_us(silence.ends_at), std::string_view(silence.id));
  };
  std::ranges::sort(sorted, {}, place);
  std::string body;
  json::Writer writer(body);
  writer.begin_array();
  for (const Silence& silence : sorted) writer.raw(routing::shown_json(silence, now));
  writer.end_array();
  return body += '\n';
}

Task<Answer> get_all(Service& service, pipeline::Call& call) {
  const auto filter = filters(call, service.groups.settings().names);
  if (!filter) co_return failed(filter.error());
  std::vector<Silence> wanted;
  std::string next;
  for (bool more = true; more;) {
    more = co_await service.groups.ask([&](const State& state, Instant) {
      Turn turn(service.clock);
      for (auto at = state.silences().lower_bound(next); at != state.silences().end(); ++at) {
        next = at->first;
        if (turn.is_over()) return true;
        if (is_wanted(at->second, *filter)) wanted.push_back(at->second);
      }
      return false;
    });
  }
  Answer answer;
  answer.body = co_await service.workers.run(RequestClass::routine,
                                             [&] { return list(std::move(wanted), service.groups.now()); });
  co_return answer;
}

Task<Answer> get_one(Service& service, pipeline::Call& call) {
  const std::string id(call.capture(0));
  if (!is_uuid(id)) co_return no_uuid(id);
  Answer answer;
  answer.body = co_await service.groups.ask([&](const State& state, Instant now) {
    const auto found = state.silences().find(id);
    return found == state.silences().end() ? std::string() : routing::shown_json(found->second, now) + "\n";
  });
  if (answer.body.empty()) answer.status = 404;
  co_return answer;
}

Task<Answer> remove(Service& service, pipeline::Call& call) {
  const std::string id(call.capture(0));
  if (!is_uuid(id)) co_return no_uuid(id);
  const auto done = co_await service.groups.expire_silence(id);
  co_return done ? Answer{} : failed(done.error());
}

Task<std::expected<json::Document, Answer>> read_object(pipeline::Call& call) {
  if (!is_json(call)) co_return std::unexpected(wrong_type(call));
  const auto body = co_await call.exchange().read_body(routing::silence_bytes_max);
  if (!body) co_return std::unexpected(failed(body.error()));
  auto document = json::Document::parse(*body);
  if (!document || !document->root().is_object()) {
    co_return std::unexpected(
        coded(400, 400,
              fmt::format("parsing silence body from \"\" failed, because {}",
                          document ? "an object is expected" : std::string_view(document.error().text))));
  }
  co_return std::move(*document);
}

Task<std::expected<Silence, Answer>> read_silence(Service& service, pipeline::Call& call) {
  const auto document = co_await read_object(call);
  if (!document) co_return std::unexpected(document.error());
  auto silence = routing::read_silence(document->root(), service.groups.settings().names);
  if (!silence) co_return std::unexpected(failed(silence.error()));
  co_return std::move(*silence);
}

struct Asked {
  Silence silence;
  groups::Preview preview;
};

// The body, and what the silence would mute.
Task<std::expected<Asked, Answer>> read(Service& service, pipeline::Call& call) {
  auto silence = co_await read_silence(service, call);
  if (!silence) co_return std::unexpected(std::move(silence.error()));
  auto preview = co_await service.workers.run(RequestClass::urgent, [&] { return service.groups.preview(*silence); });
  if (!preview) co_return std::unexpected(failed(preview.error()));
  co_return Asked{std::move(*silence), std::move(*preview)};
}

// An id in the words of POST /api/v2/silences.
Answer made(std::string_view id) {
  Answer answer;
  json::Writer(answer.body).begin_object().field("silenceID", id).end_object();
  answer.body += '\n';
  return answer;
}

Task<Answer> post(Service& service, pipeline::Call& call) {
  auto asked = co_await read(service, call);
  if (!asked) co_return std::move(asked.error());
  const auto id =
      co_await service.groups.put_silence(std::move(asked->silence), std::move(asked->preview), call.in_name_of({}));
  co_return id ? made(*id) : failed(id.error());
}

Task<Answer> preview(Service& service, pipeline::Call& call) {
  const auto asked = co_await read(service, call);
  if (!asked) co_return asked.error();
  const groups::Preview& seen = asked->preview;
  Answer answer;
  json::Writer writer(answer.body);
  writer.begin_object()
      .field("schema", "mydr24.silence-preview.v1")
      .field("firing", seen.firing)
      .field("last_30_days", seen.recent)
      .field("urgent", seen.urgent)
      .field("emergencies_not_muted", seen.emergency)
      .field("needs_second_person", !seen.needs_second_person.empty())
      .field("why", std::string_view(seen.needs_second_person))
      .key("names")
      .begin_array();
  for (const std::string& name : seen.names) writer.string(name);
  writer.end_array().end_object();
  co_return answer;
}

Answer proposals(Service& service) {
  const auto all = service.groups.proposals();
  if (!all) return failed(all.error());
  Answer answer;
  json::Writer writer(answer.body);
  writer.begin_object().field("schema", "mydr24.silence-proposals.v1").key("proposals").begin_array();
  for (const groups::Proposal& proposal : *all) writer.raw(groups::to_json(proposal));
  writer.end_array().end_object();
  return answer;
}

Task<Answer> propose(Service& service, pipeline::Call& call) {
  auto silence = co_await read_silence(service, call);
  if (!silence) co_return std::move(silence.error());
  silence->created_by = call.in_name_of(silence->created_by);
  const auto proposal = co_await service.groups.propose(std::move(*silence));
  co_return proposal ? Answer{201, groups::to_json(*proposal)} : failed(proposal.error());
}

// {"by": "..."}: where nobody is asked who they are.
Task<Answer> approve(Service& service, pipeline::Call& call) {
  const auto body = co_await read_object(call);
  if (!body) co_return body.error();
  const auto id =
      co_await service.groups.approve(std::string(call.capture(0)), call.in_name_of(body->root()["by"].text()));
  co_return id ? made(*id) : failed(id.error());
}

// {"reason": "...", "by": "..."}
Task<Answer> decline(Service& service, pipeline::Call& call) {
  const auto body = co_await read_object(call);
  if (!body) co_return body.error();
  const auto done =
      co_await service.groups.decline(std::string(call.capture(0)), call.in_name_of(body->root()["by"].text()),
                                      std::string(body->root()["reason"].text()));
  co_return done ? Answer{} : failed(done.error());
}

Task<Answer> withdraw(Service& service, pipeline::Call& call) {
  const auto by = query_values(call, "by");
  const auto done = co_await service.groups.withdraw(std::string(call.capture(0)),
                                                     call.in_name_of(by.empty() ? std::string_view() : by.front()));
  co_return done ? Answer{} : failed(done.error());
}

}  // namespace

void add_silence_routes(pipeline::Router& router, Service& service) {
  const std::string& prefix = service.prefix;
  router.add({net::Method::get, prefix + "/api/v2/silences", "am-silences", RequestClass::urgent,
              [&service](pipeline::Call& call) -> Task<> { co_await send(call, co_await get_all(service, call)); }});
  router.add({net::Method::post, prefix + "/api/v2/silences", "am-post-silence", RequestClass::urgent,
              [&service](pipeline::Call& call) -> Task<> { co_await send(call, co_await post(service, call)); }});
  router.add({net::Method::get, prefix + "/api/v2/silence/{id}", "am-silence", RequestClass::urgent,
              [&service](pipeline::Call& call) -> Task<> { co_await send(call, co_await get_one(service, call)); }});
  router.add({net::Method::del, prefix + "/api/v2/silence/{id}", "am-expire-silence", RequestClass::urgent,
              [&service](pipeline::Call& call) -> Task<> { co_await send(call, co_await remove(service, call)); }});
  router.add({net::Method::post, "/api/v1/silences/preview", "silence-preview", RequestClass::urgent,
              [&service](pipeline::Call& call) -> Task<> { co_await send(call, co_await preview(service, call)); },
              admission::Cost::work});
  router.add({net::Method::get, "/api/v1/silences/proposals", "silence-proposals", RequestClass::urgent,
              [&service](pipeline::Call& call) -> Task<> { co_await send(call, proposals(service)); }});
  router.add({net::Method::post, "/api/v1/silences/proposals", "silence-propose", RequestClass::urgent,
              [&service](pipeline::Call& call) -> Task<> { co_await send(call, co_await propose(service, call)); }});
  router.add({net::Method::post, "/api/v1/silences/proposals/{id}/approve", "silence-approve", RequestClass::urgent,
              [&service](pipeline::Call& call) -> Task<> { co_await send(call, co_await approve(service, call)); }});
  router.add({net::Method::post, "/api/v1/silences/proposals/{id}/decline", "silence-decline", RequestClass::urgent,
              [&service](pipeline::Call& call) -> Task<> { co_await send(call, co_await decline(service, call)); }});
  router.add({net::Method::del, "/api/v1/silences/proposals/{id}", "silence-withdraw", RequestClass::urgent,
              [&service](pipeline::Call& call) -> Task<> { co_await send(call, co_await withdraw(service, call)); }});
}

}  // namespace mydr24::alert_api
