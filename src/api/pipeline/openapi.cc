#include "api/pipeline/openapi.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "api/pipeline/pipeline.h"
#include "base/json/writer.h"

namespace mydr24::pipeline {
namespace {

using json::Writer;

// What a FHIR interaction may answer beyond what every request may. Source: FHIR R4, http.html.
struct Statuses {
  std::string_view interaction;
  std::initializer_list<int> statuses;
};
const std::array<Statuses, 14> known_statuses{{
    {"read", {200, 304, 404, 410}},
    {"vread", {200, 304, 404, 410}},
    {"create", {200, 201, 400, 409, 412, 415, 422}},
    {"update", {200, 201, 400, 409, 412, 415, 422}},
    {"conditional-update", {200, 201, 400, 409, 412, 415, 422}},
    {"patch", {200, 400, 404, 409, 412, 415, 422}},
    {"conditional-patch", {200, 400, 404, 409, 412, 415, 422}},
    {"delete", {200, 204, 404, 409, 412}},
    {"conditional-delete", {200, 204, 404, 409, 412}},
    {"transaction", {200, 400, 409, 412, 415, 422}},
    {"search-type", {200, 400}},
    {"search-system", {200, 400}},
    {"capabilities", {200}},
    {"bench-work", {204}},
}};

// Of every request: what the pipeline itself may answer.
struct Common {
  int status;
  std::string_view text;
};
constexpr std::array<Common, 17> texts{{{200, "It was done"},
                                        {201, "Made"},
                                        {202, "Taken"},
                                        {204, "Done, nothing to say"},
                                        {304, "Not changed"},
                                        {400, "The request is faulty"},
                                        {404, "There is none"},
                                        {406, "Not to be had in that format"},
                                        {409, "In conflict with what is there"},
                                        {410, "Deleted"},
                                        {412, "A condition does not hold"},
                                        {413, "Too large"},
                                        {415, "Not of that type"},
                                        {422, "The resource breaks a rule"},
                                        {429, "More than this client's share: wait for Retry-After"},
                                        {500, "A fault of the server"},
                                        {503, "Too much to do: wait for Retry-After"}}};

std::vector<int> statuses_of(const Route& route) {
  const auto found = std::ranges::find(known_statuses, route.interaction, &Statuses::interaction);
  std::vector<int> statuses(found == known_statuses.end() ? std::vector<int>{200, 400, 404}
                                                          : std::vector<int>(found->statuses));
  for (const int always : {406, 429, 500, 503}) statuses.push_back(always);
  if (route.method == net::Method::post || route.method == net::Method::put || route.method == net::Method::patch)
    statuses.push_back(413);
  std::ranges::sort(statuses);
  const auto repeated = std::ranges::unique(statuses);
  statuses.erase(repeated.begin(), repeated.end());
  return statuses;
}

std::vector<std::string_view> captures(std::string_view pattern) {
  std::vector<std::string_view> names;
  for (auto open = pattern.find('{'); open != pattern.npos; open = pattern.find('{', open + 1)) {
    names.push_back(pattern.substr(open + 1, pattern.find('}', open) - open - 1));
  }
  return names;
}

bool is_fhir(std::string_view pattern) { return pattern == "/fhir" || pattern.starts_with("/fhir/"); }

std::string_view tag_of(std::string_view pattern) {
  if (is_fhir(pattern)) return "fhir";
  constexpr std::string_view api = "/api/v1/";
  if (pattern.starts_with(api)) {
    const auto rest = pattern.substr(api.size());
    return rest.substr(0, rest.find('/'));
  }
  return "other";
}

std::string operation_id(const Route& route) {
  std::string id(net::to_string(route.method));
  for (char& c : id) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  for (const char c : route.pattern) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (plain) {
      id += c;
    } else if (id.back() != '_') {
      id += '_';
    }
  }
  return id;
}

std::string_view to_string(admission::Cost cost) {
  switch (cost) {
    case admission::Cost::quick:
      return "quick";
    case admission::Cost::work:
      return "work";
    default:
      return "write";
  }
}

void write_parameters(Writer& out, const Route& route) {
  out.key("parameters").begin_array();
  for (const auto name : captures(route.pattern)) {
    out.begin_object().field("name", name).field("in", "path").field("required", true);
    out.key("schema").begin_object().field("type", "string").end_object().end_object();
  }
  if (route.interaction.starts_with("search")) {
    out.begin_object().field("name", "parameters").field("in", "query");
    out.field("description", "Search parameters of the type, with modifiers and prefixes (FHIR R4, search.html)");
    out.field("style", "form").field("explode", true);
    out.key("schema").begin_object().field("type", "object").key("additionalProperties").begin_object();
    out.field("type", "string").end_object().end_object().end_object();
  }
  for (const std::string_view name : {"class", "deadline", "priority"}) {
    out.begin_object().field("$ref", fmt::format("#/components/parameters/{}", name)).end_object();
  }
  out.end_array();
}

void write_operation(Writer& out, const Route& route) {
  std::string method(net::to_string(route.method));
  for (char& c : method) c = static_cast<char>(c - 'A' + 'a');
  out.key(method).begin_object();
  out.field("operationId", operation_id(route));
  out.field("summary", route.summary.empty() ? fmt::format("{} {}", route.interaction, route.pattern) : route.summary);
  out.key("tags").begin_array().string(tag_of(route.pattern)).end_array();
  out.field("x-mydr24-interaction", route.interaction);
  out.field("x-mydr24-class", mydr24::to_string(route.request_class));
  out.field("x-mydr24-cost", to_string(route.cost));
  if (route.open) out.field("x-mydr24-open", true);
  write_parameters(out, route);
  const bool has_body =
      route.method == net::Method::post || route.method == net::Method::put || route.method == net::Method::patch;
  const std::string_view media = is_fhir(route.pattern) ? "application/fhir+json" : "application/json";
  if (has_body) {
    out.key("requestBody").begin_object().key("content").begin_object().key(media).begin_object();
    out.end_object().end_object().end_object();
  }
  out.key("responses").begin_object();
  for (const int status : statuses_of(route)) {
    const auto text = std::ranges::find(texts, status, &Common::status);
    out.key(std::to_string(status)).begin_object().field("description", text->text).end_object();
  }
  out.end_object().end_object();
}

void write_components(Writer& out) {
  const auto header = [&](std::string_view key, std::string_view name, std::string_view text) {
    out.key(key).begin_object().field("name", name).field("in", "header").field("description", text);
    out.key("schema").begin_object().field("type", "string").end_object().end_object();
  };
  out.key("components").begin_object().key("parameters").begin_object();
  header("class", "X-MyDR24-Class", "urgent, routine or background: lowers how urgent the request is, never raises it");
  header("deadline", "X-MyDR24-Deadline-Ms", "Milliseconds after which nobody waits for the answer any more");
  header("priority", "X-MyDR24-Priority", "A signed priority ticket: raises the request to the class that it names");
  out.end_object().end_object();
}

}  // namespace

std::string openapi(const Router& router, std::string_view version) {
  std::map<std::string, std::vector<const Route*>> paths;
  for (const auto& route : router.routes()) paths[route.pattern].push_back(&route);
  std::string text;
  Writer out(text);
  out.begin_object().field("openapi", "3.1.0").key("info").begin_object();
  out.field("title", "MyDR24").field("version", version).end_object();
  out.key("paths").begin_object();
  for (const auto& [path, routes] : paths) {
    out.key(path).begin_object();
    for (const Route* route : routes) write_operation(out, *route);
    out.end_object();
  }
  out.end_object();
  write_components(out);
  out.end_object();
  return text;
}

void add_openapi_route(Router& router, std::string version) {
  struct Made {
    std::once_flag once;
    std::shared_ptr<const std::string> text;
  };
  auto made = std::make_shared<Made>();
  router.add_open({net::Method::get, "/api/v1/openapi.json", "openapi", RequestClass::routine,
                   [&router, made, version = std::move(version)](Call& call) -> Task<> {
                     std::call_once(made->once, [&] {
                       made->text = std::make_shared<const std::string>(openapi(router, version));
                     });
                     net::Response response{.status = 200, .content_type = "application/json"};
                     response.shared_body = made->text;
                     co_await call.respond(std::move(response));
                   },
                   admission::Cost::quick, "This document"});
}

}  // namespace mydr24::pipeline
