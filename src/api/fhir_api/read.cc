// GET [base]/Type/id and [base]/Type/id/_history/vid.

#include <fmt/format.h>

#include <charconv>

#include "api/fhir_api/fhir_api.h"

namespace mydr24::fhir_api {
namespace {

Answer of(const store::Version& version) {
  Answer answer;
  answer.version = version.version;
  answer.last_modified = version.at;
  if (version.action == store::Action::remove) {
    const auto gone = Answer::of(fail(Code::gone, fmt::format("{}/{} was deleted; its versions are in {}/{}/_history",
                                                              version.type, version.id, version.type, version.id)));
    answer.status = gone.status;
    answer.body = gone.body;
    answer.is_outcome = true;
    return answer;
  }
  records::append_rendered(answer.body, version);
  return answer;
}

Task<> handle_read(Service& service, pipeline::Call& call, std::optional<std::int64_t> version) {
  if (!co_await acceptable(call)) co_return;
  const auto type = known_type(call.capture(0));
  const auto id = known_id(call.capture(1));
  if (!type || !id) {
    co_await send(call, Answer::of(!type ? type.error() : id.error()));
    co_return;
  }
  co_await send(call, read(service.store(), call.access(), *type, *id, version, call.request_class()));
}

}  // namespace

Answer read(store::Store& store, access::Access& access, std::string_view type, std::string_view id,
            std::optional<std::int64_t> version, RequestClass request_class) {
  std::optional<store::Version> found;
  const auto done = access.read(
      store,
      [&](store::Reader& reader) -> Result<> {
        if (version) {
          MYDR24_ASSIGN(found, reader.version(type, id, *version));
        } else {
          MYDR24_ASSIGN(found, reader.current(type, id));
        }
        return {};
      },
      {.request_class = request_class}, 0);
  if (!done) return Answer::of(done.error());
  if (found) return of(*found);
  return Answer::of(fail(Code::not_found, version ? fmt::format("{}/{} has no version {}", type, id, *version)
                                                  : fmt::format("{}/{} does not exist", type, id)));
}

void add_read_routes(pipeline::Router& router, Service& service) {
  router.add({net::Method::get, "/fhir/{type}/{id}", "read", RequestClass::routine,
              [&service](pipeline::Call& call) -> Task<> { co_await handle_read(service, call, std::nullopt); },
              admission::Cost::quick});
  router.add({net::Method::get, "/fhir/{type}/{id}/_history/{vid}", "vread", RequestClass::routine,
              [&service](pipeline::Call& call) -> Task<> {
                const auto text = call.capture(2);
                std::int64_t version = 0;
                const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
                if (error != std::errc() || end != text.data() + text.size() || version < 1) {
                  co_await call.respond(
                      fail(Code::not_found, fmt::format("\"{}\" is no version of {}/{}: versions are 1, 2, 3",
                                                        text.substr(0, 64), call.capture(0), call.capture(1))));
                  co_return;
                }
                co_await handle_read(service, call, version);
              },
              admission::Cost::quick});
}

}  // namespace mydr24::fhir_api
