// GET [base]/Type?..., POST [base]/Type/_search, and the same for the whole system and for compartments.
// Source: FHIR R4, search.html and http.html#search.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "api/fhir_api/brown_out.h"
#include "api/fhir_api/bundle_writer.h"
#include "api/fhir_api/fhir_api.h"
#include "api/fhir_api/presentation.h"
#include "clinical/records/include.h"
#include "fhir/model/definitions.h"
#include "fhir/search/compartment.h"
#include "storage/store/search_cursor.h"

namespace mydr24::fhir_api {
namespace {

using search::Condition;
using search::Query;

constexpr std::size_t form_bytes_max = 256U << 10;
// Types that one search of the whole system looks through.
constexpr std::size_t types_max = 200;

// ---- what a search needs from elsewhere while it is parsed

Result<std::vector<std::pair<std::string, std::string>>> codes_of(const terminology::Terminology& terminology,
                                                                  std::string_view value_set) {
  MYDR24_ASSIGN(const auto expansion, terminology.expand(value_set, {.count = search::expanded_max}));
  if (expansion.total > expansion.concepts.size()) {
    return fail(Code::too_costly, fmt::format("the value set {} has {} codes; a search takes at most {}", value_set,
                                              expansion.total, search::expanded_max));
  }
  std::vector<std::pair<std::string, std::string>> codes;
  for (const auto& coding : expansion.concepts) codes.emplace_back(coding.system, coding.code);
  return codes;
}

// The canonical of "ValueSet/id".
Result<std::string> canonical_of(store::Store& store, access::Access& access, std::string_view value_set) {
  constexpr std::string_view relative = "ValueSet/";
  if (!value_set.starts_with(relative)) return std::string(value_set);
  std::string url;
  MYDR24_TRY(access.read(store, [&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(const auto version, reader.current("ValueSet", value_set.substr(relative.size())));
    if (!version || version->body.empty()) return fail(Code::not_found, fmt::format("{} does not exist", value_set));
    MYDR24_ASSIGN(const auto document, json::Document::parse_view(version->body));
    url = document.root()["url"].text();
    return {};
  }));
  if (url.empty()) return fail(Code::invalid, fmt::format("{} has no url", value_set));
  return url;
}

Result<std::vector<std::string>> members_of_list(store::Store& store, access::Access& access, std::string_view id) {
  std::vector<std::string> references;
  MYDR24_TRY(access.read(store, [&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(const auto version, reader.current("List", id));
    if (!version || version->body.empty()) return fail(Code::not_found, fmt::format("List/{} does not exist", id));
    MYDR24_ASSIGN(const auto document, json::Document::parse_view(version->body));
    for (const auto entry : document.root()["entry"]) {
      if (entry["deleted"].is_true()) continue;
      if (const auto reference = entry["item"]["reference"].text(); !reference.empty()) {
        references.emplace_back(reference);
      }
    }
    return {};
  }));
  return references;
}

// ---- one search of one type

// No code: any reference.
bool is_meant(const search::Parameter& parameter, std::string_view type, std::string_view code) {
  return parameter.type == type && (code.empty() ? parameter.kind == search::Kind::reference : parameter.code == code);
}

bool uses(const Condition& condition, std::string_view type, std::string_view code) {
  if (condition.parameter != nullptr && is_meant(*condition.parameter, type, code)) return true;
  return std::ranges::any_of(condition.parts, [&](const auto& part) { return uses(part, type, code); });
}

// A parameter that is still being indexed would find too little.
Result<> check_indexed(const Service& service, const Query& query) {
  if (service.conformance == nullptr) return {};
  for (const auto& progress : service.conformance->unindexed()) {
    const bool used =
        std::ranges::any_of(query.conditions, [&](const auto& c) { return uses(c, progress.type, progress.code); }) ||
        std::ranges::any_of(query.sort,
                            [&](const auto& sort) { return is_meant(*sort.parameter, progress.type, progress.code); });
    if (!used) continue;
    if (progress.code.empty()) {
      return fail(Code::busy, fmt::format("the references of {} are being indexed for the URLs of this server: {} of "
                                          "about {} resources are done",
                                          progress.type, progress.done, progress.total));
    }
    return fail(Code::busy,
                fmt::format("the search parameter {} of {} is being indexed: {} of about {} resources are done",
                            progress.code, progress.type, progress.done, progress.total),
                progress.code);
  }
  return {};
}

}  // namespace

std::string page_link(const SearchRequest& request, const Query& query, std::string_view cursor) {
  auto url = request.fhir_base;
  if (!request.compartment.empty()) url += fmt::format("/{}/{}", request.compartment, request.compartment_id);
  if (!request.type.empty()) url += "/" + request.type;
  char separator = '?';
  for (const auto& [name, value] : query.processed) {
    url += fmt::format("{}{}={}", separator, net::percent_encode(name), net::percent_encode(value));
    separator = '&';
  }
  if (!cursor.empty()) url += fmt::format("{}_cursor={}", separator, net::percent_encode(cursor));
  return url;
}

namespace {

Answer refused(const std::vector<model::Issue>& issues) {
  Answer answer;
  answer.status = 400;
  answer.is_outcome = true;
  answer.body = model::operation_outcome(issues);
  return answer;
}

// The contained resources of a container that satisfy every condition of the query, each with an id that names both.
std::vector<store::Version> contained_matches(const Query& query, const store::Version& container, Instant now) {
  std::vector<store::Version> found;
  const auto document = json::Document::parse_view(container.body);
  if (!document) return found;
  const search::MatchContext context{
      .now = now, .last_updated = container.at, .catalogue = query.catalogue.get(), .chain = {}, .has = {}};
  for (const auto resource : document->root()["contained"]) {
    if (resource["resourceType"].text() != query.type) continue;
    const bool all =
        std::ranges::all_of(query.conditions, [&](const auto& c) { return search::matches(c, resource, context); });
    if (!all) continue;
    store::Version version = container;
    version.body = resource.raw();
    version.id = fmt::format("{}#{}", container.id, resource["id"].text());
    found.push_back(std::move(version));
  }
  return found;
}

Answer answer_with(const SearchRequest& request, const Query& query, const store::SearchPage& page,
                   const records::Included& included, std::vector<model::Issue> told, Instant now) {
  BundleWriter bundle("searchset", now, request.fhir_base);
  if (page.total) bundle.total(*page.total);
  bundle.link("self", page_link(request, query, query.cursor));
  if (!page.next_cursor.empty()) {
    bundle.link("first", page_link(request, query, {}));
    bundle.link("next", page_link(request, query, page.next_cursor));
  }
  for (const auto& match : page.matches) {
    if (query.contained_alone && match.type != query.type) {
      for (const auto& inner : contained_matches(query, match, now)) bundle.contained(inner);
    } else {
      bundle.match(match, query);
    }
  }
  for (const auto& resource : included.resources) bundle.included(resource, query);
  if (!included.complete) {
    told.push_back({model::Severity::warning, "incomplete",
                    fmt::format("more than {} resources would be included with this page: ask for fewer matches with "
                                "_count, or for fewer includes",
                                records::included_max),
                    "_include"});
  }
  if (!told.empty()) bundle.issues(model::operation_outcome(told));
  Answer answer;
  answer.body = bundle.finish();
  return answer;
}

Answer search_type(const Service& service, const SearchRequest& request) {
  std::vector<model::Issue> told;
  auto query =
      parse(service, *request.access, request.type, request.parameters, request.lenient, request.fhir_base, &told);
  if (!query) return refused(query.error().issues);
  if (!request.compartment.empty()) {
    auto inside =
        search::in_compartment(request.compartment, request.compartment_id, request.type, query->catalogue.get());
    if (!inside) {
      return Answer::of(fail(Code::not_found, fmt::format("{} resources are in no compartment of a {}", request.type,
                                                          request.compartment)));
    }
    query->conditions.push_back(std::move(*inside));
  }
  if (const auto indexed = check_indexed(service, *query); !indexed) return Answer::of(indexed.error());
  store::SearchPage page;
  records::Included included;
  const auto done = request.access->read(
      service.store(),
      [&](store::Reader& reader) -> Result<> {
        MYDR24_ASSIGN(page, reader.search(*query));
        MYDR24_ASSIGN(included, records::include(reader, *query, page.matches));
        return {};
      },
      {.time_max = service.settings.search_time_max,
       .cancelled = request.cancelled,
       .request_class = request.request_class},
      0);
  if (!done) return Answer::of(done.error());
  return answer_with(request, *query, page, included, std::move(told), service.clock.now());
}

// ---- the whole system: one search for each type, merged by the time of the last change

struct SystemSearch {
  std::vector<Query> queries;
  std::optional<std::int64_t> after;  // sequence of the last resource on the page before
};

Result<std::vector<std::string>> types_of(const SearchRequest& request, net::QueryParameters& rest) {
  std::vector<std::string> types;
  for (const auto& [name, value] : request.parameters) {
    if (name != "_type") {
      rest.emplace_back(name, value);
      continue;
    }
    for (std::string_view list = value; !list.empty();) {
      const auto comma = list.find(',');
      MYDR24_ASSIGN(auto type, known_type(list.substr(0, comma)));
      if (std::ranges::find(types, type) == types.end()) types.push_back(std::move(type));
      list.remove_prefix(comma == list.npos ? list.size() : comma + 1);
    }
  }
  if (!types.empty()) return types;
  for (const auto* type : model::resource_types()) types.emplace_back(type->name);
  return types;
}

Result<std::optional<std::int64_t>> take_cursor(net::QueryParameters& parameters) {
  std::optional<std::int64_t> after;
  for (const auto& [name, value] : parameters) {
    if (name != "_cursor") continue;
    std::int64_t sequence = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), sequence);
    if (error != std::errc() || end != value.data() + value.size() || sequence < 0) {
      return fail(Code::invalid,
                  "this cursor does not belong to this search: take the link of the page before as it is", "_cursor");
    }
    after = sequence;
  }
  std::erase_if(parameters, [](const auto& parameter) { return parameter.first == "_cursor"; });
  return after;
}

Answer search_system(const Service& service, const SearchRequest& request) {
  net::QueryParameters rest;
  const auto types = types_of(request, rest);
  if (!types) return Answer::of(fail(Code::invalid, types.error().text, "_type"));
  const auto after = take_cursor(rest);
  if (!after) return Answer::of(after.error());
  const bool all_types = types->size() == model::resource_types().size();
  std::vector<model::Issue> told;
  std::vector<Query> queries;
  for (const auto& type : std::span(*types).subspan(0, std::min(types->size(), types_max))) {
    std::vector<model::Issue> ignored;
    auto query = parse(service, *request.access, type, rest, request.lenient, request.fhir_base, &ignored);
    if (!query) return refused(query.error().issues);
    if (queries.empty()) told = ignored;
    if (!query->sort.empty()) {
      return refused({{model::Severity::error, "not-supported",
                       "a search of several types is sorted by _lastUpdated, newest first", "_sort"}});
    }
    if (!request.compartment.empty()) {
      auto inside = search::in_compartment(request.compartment, request.compartment_id, type, query->catalogue.get());
      if (!inside) continue;
      query->conditions.push_back(std::move(*inside));
    }
    query->by_last_updated = true;
    if (*after) query->cursor = store::make_cursor(*query, {.place = **after, .keys = {}});
    queries.push_back(std::move(*query));
  }
  if (queries.empty()) {
    return Answer::of(
        fail(Code::not_found, fmt::format("no such resources are in a compartment of a {}", request.compartment)));
  }
  const auto count = queries.front().count;
  const bool newest_first = queries.front().order == search::Order::newest_first;
  store::SearchPage page;
  records::Included included;
  const auto done = request.access->read(
      service.store(),
      [&](store::Reader& reader) -> Result<> {
        for (const auto& query : queries) {
          MYDR24_ASSIGN(const auto there, reader.count_resources(query.type));
          if (there == 0) continue;
          MYDR24_ASSIGN(auto part, reader.search(query));
          if (part.total) page.total = page.total.value_or(0) + *part.total;
          if (!part.next_cursor.empty()) page.next_cursor = "more";
          std::ranges::move(part.matches, std::back_inserter(page.matches));
        }
        std::ranges::sort(page.matches, [&](const auto& a, const auto& b) {
          return newest_first ? a.sequence > b.sequence : a.sequence < b.sequence;
        });
        if (page.matches.size() > count) {
          page.matches.resize(count);
          page.next_cursor = "more";
        }
        MYDR24_ASSIGN(included, records::include(reader, queries.front(), page.matches));
        return {};
      },
      {.time_max = service.settings.search_time_max,
       .cancelled = request.cancelled,
       .request_class = request.request_class},
      0);
  if (!done) return Answer::of(done.error());
  if (!page.next_cursor.empty()) {
    page.next_cursor = page.matches.empty() ? "" : fmt::to_string(page.matches.back().sequence);
  }
  Query shown = queries.front();
  if (*after) shown.cursor = fmt::to_string(**after);
  if (!all_types) shown.processed.insert(shown.processed.begin(), {"_type", fmt::format("{}", fmt::join(*types, ","))});
  return answer_with(request, shown, page, included, std::move(told), service.clock.now());
}

// ---- HTTP

Task<> answer_search(Service& service, pipeline::Call& call, SearchRequest request) {
  request.lenient = prefers_lenient(call.request().header("Prefer"));
  request.access = &call.access();
  request.fhir_base = call.fhir_base();
  request.request_class = call.request_class();
  if (const auto possible = brown_out(request.parameters, call); !possible) {
    co_await send(call, Answer::of(possible.error()));
    co_return;
  }
  auto answer = co_await run_watched(service, call, [&](const std::atomic<bool>& cancelled) {
    request.cancelled = &cancelled;
    return search(service, request);
  });
  co_await send(call, std::move(answer));
}

// Where the path's segments stand for: [type], or compartment, id and type.
enum class Scope : std::uint8_t { system, type, compartment };

Result<SearchRequest> scope_of(pipeline::Call& call, Scope scope) {
  SearchRequest request;
  if (scope == Scope::type) {
    MYDR24_ASSIGN(request.type, known_type(call.capture(0)));
  }
  if (scope == Scope::compartment) {
    MYDR24_ASSIGN(request.compartment, known_type(call.capture(0)));
    MYDR24_ASSIGN(request.compartment_id, known_id(call.capture(1)));
    if (call.capture(2) != "*") {
      MYDR24_ASSIGN(request.type, known_type(call.capture(2)));
    }
    if (search::compartment_parameters(request.compartment, request.compartment).empty()) {
      return fail(Code::not_found, fmt::format("a {} has no compartment; Patient, Encounter, RelatedPerson, "
                                               "Practitioner and Device have one",
                                               request.compartment));
    }
  }
  return request;
}

Task<> handle_get(Service& service, pipeline::Call& call, Scope scope) {
  auto request = scope_of(call, scope);
  if (!request) {
    co_await send(call, Answer::of(request.error()));
    co_return;
  }
  auto parameters = net::parse_query(call.request().query);
  if (!parameters) {
    co_await send(call, Answer::of(fail(Code::invalid, "the query string is malformed: check its percent-encoding")));
    co_return;
  }
  if (scope == Scope::type && wants_ndjson(call.request())) {
    co_await stream_search(service, call, std::move(*parameters));
    co_return;
  }
  if (!co_await acceptable(call)) co_return;
  request->parameters = std::move(*parameters);
  co_await answer_search(service, call, std::move(*request));
}

Task<> handle_post(Service& service, pipeline::Call& call, Scope scope) {
  auto request = scope_of(call, scope);
  if (!request) {
    co_await send(call, Answer::of(request.error()));
    co_return;
  }
  if (!co_await acceptable(call)) co_return;
  auto parameters = net::parse_query(call.request().query);
  if (call.request().has_body) {
    const auto body = co_await take_body(call, {"application/x-www-form-urlencoded"}, form_bytes_max);
    if (!body) co_return;
    call.note_query(*body);
    auto form = net::parse_query(*body);
    if (parameters && form) {
      parameters->insert(parameters->end(), std::make_move_iterator(form->begin()),
                         std::make_move_iterator(form->end()));
    } else {
      parameters.reset();
    }
  }
  if (!parameters) {
    co_await send(call,
                  Answer::of(fail(Code::invalid, "the search parameters are malformed: check their percent-encoding")));
    co_return;
  }
  request->parameters = std::move(*parameters);
  co_await answer_search(service, call, std::move(*request));
}

}  // namespace

std::expected<Query, search::Refusal> parse(const Service& service, access::Access& access, std::string_view type,
                                            const net::QueryParameters& parameters, bool lenient,
                                            const std::string& fhir_base, std::vector<model::Issue>* ignored) {
  const auto definitions = service.records.definitions();
  search::Resolver resolver;
  resolver.list = [&](std::string_view id) { return members_of_list(service.store(), access, id); };
  if (definitions->terminology != nullptr) {
    const auto& terminology = *definitions->terminology;
    resolver.value_set = [&](std::string_view value_set) -> Result<std::vector<std::pair<std::string, std::string>>> {
      MYDR24_ASSIGN(const auto url, canonical_of(service.store(), access, value_set));
      return codes_of(terminology, url);
    };
    resolver.hierarchy = [&](std::string_view system, std::string_view code, bool below) {
      return below ? terminology.below(system, code) : terminology.above(system, code);
    };
  }
  search::ParseOptions options;
  options.lenient = lenient;
  options.ignored = ignored;
  options.catalogue = definitions->catalogue;
  options.resolver = &resolver;
  options.base_url = fhir_base;
  return search::parse_query(type, parameters, options);
}

Answer search(const Service& service, const SearchRequest& request) {
  return request.type.empty() ? search_system(service, request) : search_type(service, request);
}

void add_search_routes(pipeline::Router& router, Service& service) {
  const auto add = [&](net::Method method, std::string pattern, std::string interaction, Scope scope) {
    router.add({method, std::move(pattern), std::move(interaction), RequestClass::routine,
                [&service, method, scope](pipeline::Call& call) -> Task<> {
                  if (method == net::Method::get) {
                    co_await handle_get(service, call, scope);
                  } else {
                    co_await handle_post(service, call, scope);
                  }
                }});
  };
  add(net::Method::get, "/fhir", "search-system", Scope::system);
  add(net::Method::post, "/fhir/_search", "search-system", Scope::system);
  add(net::Method::get, "/fhir/{type}", "search-type", Scope::type);
  add(net::Method::post, "/fhir/{type}/_search", "search-type", Scope::type);
  add(net::Method::get, "/fhir/{type}/{id}/{inside}", "search-compartment", Scope::compartment);
  add(net::Method::post, "/fhir/{type}/{id}/{inside}/_search", "search-compartment", Scope::compartment);
}

}  // namespace mydr24::fhir_api
