// GET $meta of the system, a type or a resource: profiles, tags and security labels. POST [base]/Type/id/$meta-add and
// $meta-delete: changed by a new version of the resource.
// Source: FHIR R4, resource-operation-meta.html, -meta-add.html, -meta-delete.html.

#include <fmt/format.h>

#include <map>

#include "api/fhir_api/meta_edit.h"
#include "api/fhir_api/operation.h"
#include "base/json/writer.h"
#include "fhir/model/definitions.h"

namespace mydr24::fhir_api {
namespace {

// Different profiles, tags or labels that one answer lists.
constexpr std::uint32_t values_max = 1'000;
// Other writers that a change lets pass.
constexpr int attempts_max = 3;

Answer returned(std::string_view meta) {
  Answer answer;
  json::Writer(answer.body)
      .begin_object()
      .field("resourceType", "Parameters")
      .key("parameter")
      .begin_array()
      .begin_object()
      .field("name", "return")
      .key("valueMeta")
      .raw(meta)
      .end_object()
      .end_array()
      .end_object();
  return answer;
}

Result<store::Version> current(const Service& service, access::Access& access, const std::string& type,
                               const std::string& id) {
  std::optional<store::Version> version;
  MYDR24_TRY(access.read(service.store(), [&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(version, reader.current(type, id));
    return {};
  }));
  if (!version) return fail(Code::not_found, fmt::format("{}/{} does not exist", type, id));
  if (version->body.empty()) return fail(Code::gone, fmt::format("{}/{} was deleted", type, id));
  return std::move(*version);
}

Answer meta_of(const store::Version& version) {
  const auto text = records::render(version);
  const auto document = json::Document::parse_view(text);
  return document ? returned(document->root()["meta"].raw()) : Answer::of(document.error());
}

Answer meta(const Service& service, access::Access& access, const std::string& type, const std::string& id) {
  const auto version = current(service, access, type, id);
  return version ? meta_of(*version) : Answer::of(version.error());
}

// ---- of a type, or of all

// Sorted, each once; a coding as it is written in the newest resource that has it.
struct InUse {
  std::map<std::string, std::string> profiles, tags, labels;  // key to JSON
};

Result<> add_values(store::Reader& reader, const search::Catalogue* catalogue, std::string_view type,
                    std::string_view code, std::string_view element, std::map<std::string, std::string>& into) {
  const auto* parameter = search::find_parameter(type, code, catalogue);
  if (parameter == nullptr) return {};
  MYDR24_ASSIGN(const auto values, reader.values(*parameter, values_max + 1));
  for (const auto& one : values) {
    const auto key = fmt::format("{}|{}", one.system, one.value);
    if (into.contains(key)) continue;
    std::string text;
    if (element == "profile") {
      json::append_quoted(text, one.value);
    } else {
      MYDR24_ASSIGN(const auto document, json::Document::parse_view(one.newest.body));
      for (const auto coding : document.root()["meta"][element]) {
        if (coding["code"].text() == one.value && coding["system"].text() == one.system) text = json::compact(coding);
      }
    }
    if (!text.empty()) into.emplace(key, std::move(text));
  }
  if (into.size() > values_max) {
    return fail(Code::too_costly, fmt::format("more than {} different values of meta.{} are in use: ask for one type, "
                                              "or for one resource",
                                              values_max, element));
  }
  return {};
}

// An empty type: all.
Answer meta_in_use(const Service& service, access::Access& access, const std::string& type,
                   const std::atomic<bool>& cancelled, RequestClass request_class) {
  InUse found;
  const auto catalogue = service.records.definitions()->catalogue;
  const auto add_type = [&](store::Reader& reader, std::string_view of) -> Result<> {
    MYDR24_TRY(add_values(reader, catalogue.get(), of, "_profile", "profile", found.profiles));
    MYDR24_TRY(add_values(reader, catalogue.get(), of, "_tag", "tag", found.tags));
    return add_values(reader, catalogue.get(), of, "_security", "security", found.labels);
  };
  const auto done = access.read(
      service.store(),
      [&](store::Reader& reader) -> Result<> {
        if (!type.empty()) return add_type(reader, type);
        for (const auto* each : model::resource_types()) MYDR24_TRY(add_type(reader, each->name));
        return {};
      },
      {.time_max = service.settings.search_time_max, .cancelled = &cancelled, .request_class = request_class}, 0);
  if (!done) return Answer::of(done.error());
  std::string text;
  json::Writer out(text);
  out.begin_object();
  const auto write = [&](std::string_view name, const std::map<std::string, std::string>& values) {
    if (values.empty()) return;
    out.key(name).begin_array();
    for (const auto& [key, value] : values) out.raw(value);
    out.end_array();
  };
  write("profile", found.profiles);
  write("security", found.labels);
  write("tag", found.tags);
  out.end_object();
  return returned(text);
}

// ---- changes

Answer change(const Service& service, access::Access& access, const std::string& type, const std::string& id,
              json::Value by, MetaEdit edit, RequestClass request_class) {
  for (int attempt = 1;; ++attempt) {
    const auto version = current(service, access, type, id);
    if (!version) return Answer::of(version.error());
    const auto document = json::Document::parse_view(version->body);
    if (!document) return Answer::of(document.error());
    records::Interaction update;
    update.verb = records::Verb::update;
    update.type = type;
    update.id = id;
    update.if_match = version->version;
    update.text = with_edited_meta(document->root(), by, edit);
    const auto effects = records::execute_blocking(service.records, access, request_class, {update});
    if (effects) return meta_of(effects->front().version);
    if (effects.error().code != Code::stale || attempt == attempts_max) return Answer::of(effects.error());
  }
}

Result<json::Value> asked_meta(const OperationInput& input) {
  for (const auto parameter : input.parameters()["parameter"]) {
    if (parameter["name"].text() != "meta") continue;
    if (const auto meta = parameter["valueMeta"]; meta.is_object()) return meta;
  }
  return fail(Code::invalid, "send a Parameters resource with the parameter meta, a valueMeta", "Parameters.parameter");
}

Task<> handle_change(Service& service, pipeline::Call& call, MetaEdit edit) {
  if (!co_await acceptable(call)) co_return;
  const auto type = known_type(call.capture(0));
  const auto id = known_id(call.capture(1));
  if (!type || !id) {
    co_await send(call, Answer::of(!type ? type.error() : id.error()));
    co_return;
  }
  auto input = co_await take_input(call, service.settings.body_bytes_max);
  if (!input) co_return;
  const auto by = asked_meta(*input);
  if (!by) {
    co_await send(call, Answer::of(by.error()));
    co_return;
  }
  auto answer = co_await service.workers.run(call.request_class(), [&] {
    return change(service, call.access(), *type, *id, *by, edit, call.request_class());
  });
  co_await send(call, std::move(answer));
}

Task<> handle(Service& service, pipeline::Call& call) {
  if (!co_await acceptable(call)) co_return;
  const auto type = known_type(call.capture(0));
  const auto id = known_id(call.capture(1));
  if (!type || !id) {
    co_await send(call, Answer::of(!type ? type.error() : id.error()));
    co_return;
  }
  co_await send(call, meta(service, call.access(), *type, *id));
}

Task<> handle_in_use(Service& service, pipeline::Call& call, bool has_type) {
  if (!co_await acceptable(call)) co_return;
  std::string type;
  if (has_type) {
    auto known = known_type(call.capture(0));
    if (!known) {
      co_await send(call, Answer::of(known.error()));
      co_return;
    }
    type = std::move(*known);
  }
  auto answer = co_await run_watched(service, call, [&](const std::atomic<bool>& cancelled) {
    return meta_in_use(service, call.access(), type, cancelled, call.request_class());
  });
  co_await send(call, std::move(answer));
}

}  // namespace

void add_meta_routes(pipeline::Router& router, Service& service) {
  router.add({net::Method::get, "/fhir/{type}/{id}/$meta", "$meta", RequestClass::routine,
              [&service](pipeline::Call& call) -> Task<> { co_await handle(service, call); }});
  for (const bool has_type : {true, false}) {
    router.add(
        {net::Method::get, has_type ? "/fhir/{type}/$meta" : "/fhir/$meta", "$meta", RequestClass::routine,
         [&service, has_type](pipeline::Call& call) -> Task<> { co_await handle_in_use(service, call, has_type); }});
  }
  for (const auto edit : {MetaEdit::add, MetaEdit::remove}) {
    const std::string name = edit == MetaEdit::add ? "$meta-add" : "$meta-delete";
    router.add({net::Method::post, "/fhir/{type}/{id}/" + name, name, RequestClass::routine,
                [&service, edit](pipeline::Call& call) -> Task<> { co_await handle_change(service, call, edit); }});
  }
}

}  // namespace mydr24::fhir_api
