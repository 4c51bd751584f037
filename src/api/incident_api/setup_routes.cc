// The setup: severities, rules, services, runbooks, whom to tell. A version is added, tried on stored history, then activated.

#include <fmt/format.h>

#include "api/incident_api/detail/exchange.h"
#include "base/json/writer.h"

namespace mydr24::incident_api {
namespace {

using net::Method;

void write_texts(json::Writer& out, std::string_view name, const std::vector<std::string>& texts) {
  out.key(name).begin_array();
  for (const std::string& each : texts) out.string(each);
  out.end_array();
}

Result<std::int64_t> version_of(pipeline::Call& call) {
  MYDR24_ASSIGN(const auto number, number_of(call.capture(0), "version"));
  return static_cast<std::int64_t>(number);
}

// What is wrong with it, beside it.
std::string setup_json(const Service& service, const incidents::Setup& setup, std::int64_t version,
                       const std::vector<std::string>& failed) {
  std::string text;
  json::Writer out(text);
  out.begin_object().field("version", version);
  write_texts(out, "failed_vectors", failed);
  write_texts(out, "warnings", setup.warnings(*service.alerts.directory().plan()));
  out.key("setup").raw(setup.shown()).end_object();
  return text;
}

Task<> active(Service& service, pipeline::Call& call) {
  co_await answer(service, call, [&](store::Reader& reader) -> Result<std::string> {
    const incidents::Setups& setups = service.book.setups();
    MYDR24_ASSIGN(const auto failed, setups.failed_vectors(reader, *setups.active()));
    return setup_json(service, *setups.active(), setups.active_version(), failed);
  });
}

Task<> versions(Service& service, pipeline::Call& call) {
  co_await answer(service, call, [&](store::Reader& reader) { return service.book.setups().list(reader); });
}

Task<> show(Service& service, pipeline::Call& call) {
  co_await answer(service, call, [&](store::Reader& reader) -> Result<std::string> {
    MYDR24_ASSIGN(const auto version, version_of(call));
    MYDR24_ASSIGN(const auto setup, service.book.setups().find(reader, version));
    MYDR24_ASSIGN(const auto failed, service.book.setups().failed_vectors(reader, setup));
    return setup_json(service, setup, version, failed);
  });
}

Task<> add_version(Service& service, pipeline::Call& call) {
  const auto body = co_await take_body(call, incidents::setup_bytes_max);
  if (!body) {
    co_await call.respond(body.error());
    co_return;
  }
  const std::string by = call.in_name_of({});
  const incidents::Setups& setups = service.book.setups();
  std::string text;
  std::int64_t version = 0;
  auto done = co_await in_transaction(service, [&](store::Transaction& transaction) -> Result<> {
    MYDR24_ASSIGN(version, setups.add(transaction, json::compact(body->root()), by));
    return {};
  });
  // It may have very many test vectors: not on the writer's thread.
  if (done)
    done = co_await service.workers.run(RequestClass::routine, [&] {
      return service.store.read([&](store::Reader& reader) -> Result<> {
        MYDR24_ASSIGN(const auto setup, setups.find(reader, version));
        MYDR24_ASSIGN(const auto failed, setups.failed_vectors(reader, setup));
        text = setup_json(service, setup, version, failed);
        return {};
      });
    });
  if (!done) {
    co_await call.respond(done.error());
  } else {
    co_await pipeline::send_json(call, 201, std::move(text));
  }
}

Task<> dry_run(Service& service, pipeline::Call& call) {
  const auto version = version_of(call);
  if (!version) {
    co_await call.respond(version.error());
    co_return;
  }
  const incidents::Setups& setups = service.book.setups();
  incidents::DryRun run;
  auto done = co_await service.workers.run(RequestClass::routine, [&] {
    return service.store.read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(run, setups.dry_run(reader, *version));
      return {};
    });
  });
  const std::string by = call.in_name_of({});
  if (done)
    done = co_await in_transaction(
        service, [&](store::Transaction& transaction) { return setups.keep_dry_run(transaction, *version, run, by); });
  if (!done) {
    co_await call.respond(done.error());
  } else {
    co_await pipeline::send_json(call, 200, incidents::to_json(run));
  }
}

Task<> activate(Service& service, pipeline::Call& call) {
  const auto version = version_of(call);
  if (!version) {
    co_await call.respond(version.error());
    co_return;
  }
  incidents::Setups& setups = service.book.setups();
  incidents::SetupPointer next;
  const std::string by = call.in_name_of({});
  auto done = co_await service.workers.run(RequestClass::routine, [&] {
    return service.store.read([&](store::Reader& reader) { return setups.check_vectors(reader, *version); });
  });
  if (done)
    done = co_await in_transaction(service, [&](store::Transaction& transaction) -> Result<> {
      MYDR24_ASSIGN(next, setups.activate(transaction, *version, by));
      return {};
    });
  if (!done) {
    co_await call.respond(done.error());
    co_return;
  }
  setups.publish(next, *version);
  co_await pipeline::send_json(call, 200, fmt::format(R"({{"active":{}}})", *version));
}

// What the rules in force make of it, and why.
Task<> classify(Service& service, pipeline::Call& call) {
  const auto body = co_await take_body(call);
  if (!body) {
    co_await call.respond(body.error());
    co_return;
  }
  const json::Value root = body->root();
  const incidents::Classification found = service.book.setups().active()->classify({.title = text_of(root, "title"),
                                                                                    .text = text_of(root, "text"),
                                                                                    .status = text_of(root, "status"),
                                                                                    .service = text_of(root, "service"),
                                                                                    .source = text_of(root, "source")});
  std::string text;
  json::Writer out(text);
  out.begin_object().field("severity", to_string(found.severity)).field("breach", found.breach);
  out.field("rule", found.rule);
  write_texts(out, "terms", found.terms);
  out.key("alternatives").begin_array();
  for (const auto& each : found.alternatives) {
    out.begin_object().field("rule", each.rule).field("severity", to_string(each.severity));
    write_texts(out, "terms", each.terms);
    out.end_object();
  }
  out.end_array().end_object();
  co_await pipeline::send_json(call, 200, std::move(text));
}

Task<> corrections(Service& service, pipeline::Call& call) {
  co_await answer(service, call, [](store::Reader& reader) { return incidents::Setups::corrections(reader); });
}

Task<> forget(Service& service, pipeline::Call& call) {
  const auto done = co_await in_transaction(service, [&](store::Transaction& transaction) {
    return incidents::Setups::forget_correction(transaction, call.capture(0));
  });
  if (!done) {
    co_await call.respond(done.error());
  } else {
    co_await pipeline::send_json(call, 200, "{}");
  }
}

}  // namespace

void add_setup_routes(pipeline::Router& router, Service& service) {
  const auto route = [&](Method method, std::string pattern, std::string name, Handler handler, std::string summary) {
    add(router, service, method, "/api/v1/" + pattern, std::move(name), RequestClass::routine, handler,
        std::move(summary));
  };
  route(Method::get, "incident-setup", "incident-setup", active, "The setup in force, and what is wrong with it");
  route(Method::post, "incident-setup", "incident-setup-add", add_version, "Add a version; it is not in force yet");
  route(Method::get, "incident-setup/versions", "incident-setup-versions", versions, "Every version there was");
  route(Method::get, "incident-setup/versions/{version}", "incident-setup-version", show, "One version");
  route(Method::post, "incident-setup/versions/{version}/dry-run", "incident-setup-dry-run", dry_run,
        "What it would have made of stored incidents and alerts");
  route(Method::post, "incident-setup/versions/{version}/activate", "incident-setup-activate", activate,
        "Put it in force: after its dry run, when its test vectors hold");
  route(Method::post, "incident-classify", "incident-classify", classify, "What the rules make of it, and why");
  route(Method::get, "incident-corrections", "incident-corrections", corrections,
        "What people said in place of the rules: test vectors of every version to come");
  route(Method::del, "incident-corrections/{id}", "incident-correction-forget", forget, "It is none any more");
}

}  // namespace mydr24::incident_api
