// GET or POST [base]/Patient/id/$everything and [base]/Encounter/id/$everything: the resource, what is in its
// compartment, and what that refers to; in pages, one type after the other.
// Source: FHIR R4, patient-operation-everything.html, encounter-operation-everything.html.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "api/fhir_api/bundle_writer.h"
#include "api/fhir_api/operation.h"
#include "clinical/records/include.h"
#include "fhir/model/definitions.h"
#include "fhir/search/compartment.h"

namespace mydr24::fhir_api {
namespace {

constexpr std::uint32_t page_default = 200;

struct Everything {
  std::string focus, id;            // "Patient", "123"
  std::vector<std::string> types;   // of the compartment, sorted
  net::QueryParameters conditions;  // of every type: _since as _lastUpdated
  std::string start, end;           // care dates
  std::uint32_t count = page_default;
  std::size_t type = 0;  // where the page begins
  std::string cursor;    // within that type
};

Result<Everything> read_input(const OperationInput& input, std::string focus, std::string id) {
  Everything all{.focus = std::move(focus), .id = std::move(id), .types = {}, .conditions = {}, .start = {}, .end = {}};
  std::set<std::string, std::less<>> wanted;
  for (const auto& list : input.texts("_type")) {
    for (std::string_view rest = list; !rest.empty();) {
      const auto comma = rest.find(',');
      MYDR24_ASSIGN(auto type, known_type(rest.substr(0, comma)));
      wanted.insert(std::move(type));
      rest.remove_prefix(comma == rest.npos ? rest.size() : comma + 1);
    }
  }
  for (const auto* type : model::resource_types()) {
    if (type->name != all.focus && search::compartment_parameters(all.focus, type->name).empty()) continue;
    if (wanted.empty() || wanted.contains(type->name)) all.types.emplace_back(type->name);
  }
  // The resource itself comes first.
  if (const auto self = std::ranges::find(all.types, all.focus); self != all.types.end()) {
    std::rotate(all.types.begin(), self, self + 1);
  }
  if (const auto since = input.text("_since"); !since.empty())
    all.conditions.emplace_back("_lastUpdated", "ge" + since);
  all.start = input.text("start");
  all.end = input.text("end");
  if (const auto count = input.text("_count"); !count.empty()) {
    const auto [end, error] = std::from_chars(count.data(), count.data() + count.size(), all.count);
    if (error != std::errc() || end != count.data() + count.size() || all.count == 0) {
      return fail(Code::invalid, fmt::format("_count={} is no whole number from 1 up", count), "_count");
    }
    all.count = std::min(all.count, search::count_max);
  }
  if (const auto cursor = input.text("_cursor"); !cursor.empty()) {
    const auto colon = cursor.find(':');
    const auto type = std::ranges::find(all.types, cursor.substr(0, colon));
    if (colon == cursor.npos || type == all.types.end()) {
      return fail(Code::invalid, "this cursor does not belong here: take the link of the page before as it is",
                  "_cursor");
    }
    all.type = static_cast<std::size_t>(type - all.types.begin());
    all.cursor = cursor.substr(colon + 1);
  }
  return all;
}

std::string link(const Everything& all, const OperationInput& input, const std::string& base, std::string_view cursor) {
  auto url = fmt::format("{}/{}/{}/$everything", base, all.focus, all.id);
  char separator = '?';
  for (const auto* name : {"_type", "_since", "start", "end", "_count"}) {
    for (const auto& value : input.texts(name)) {
      url += fmt::format("{}{}={}", separator, name, net::percent_encode(value));
      separator = '&';
    }
  }
  if (!cursor.empty()) url += fmt::format("{}_cursor={}", separator, net::percent_encode(cursor));
  return url;
}

std::expected<search::Query, search::Refusal> query_of(const Service& service, access::Access& access,
                                                       const Everything& all, const std::string& type,
                                                       const std::string& base) {
  auto parameters = all.conditions;
  const auto catalogue = service.records.definitions()->catalogue;
  if (search::find_parameter(type, "date", catalogue.get()) != nullptr && type != all.focus) {
    if (!all.start.empty()) parameters.emplace_back("date", "ge" + all.start);
    if (!all.end.empty()) parameters.emplace_back("date", "le" + all.end);
  }
  auto query = parse(service, access, type, parameters, false, base);
  if (!query) return query;
  auto inside = search::in_record(all.focus, all.id, type, catalogue.get());
  if (!inside) inside = search::Condition{.form = search::Condition::Form::any};
  query->conditions.push_back(std::move(*inside));
  query->order = search::Order::oldest_first;
  return query;
}

Answer everything(const Service& service, access::Access& access, const OperationInput& input, const std::string& focus,
                  const std::string& id, const std::string& base) {
  const auto all = read_input(input, focus, id);
  if (!all) return Answer::of(all.error());
  std::vector<store::Version> found;
  records::Included included;
  std::string next;
  std::optional<search::Refusal> refusal;
  const auto done = access.read(
      service.store(),
      [&](store::Reader& reader) -> Result<> {
        MYDR24_ASSIGN(const auto head, reader.current_head(focus, id));
        if (!head) return fail(Code::not_found, fmt::format("{}/{} does not exist", focus, id));
        if (head->action == store::Action::remove) return fail(Code::gone, fmt::format("{}/{} was deleted", focus, id));
        auto cursor = all->cursor;
        for (auto i = all->type; i < all->types.size(); ++i) {
          if (found.size() == all->count) {
            next = all->types[i] + ":";
            break;
          }
          auto query = query_of(service, access, *all, all->types[i], base);
          if (!query) {
            refusal = std::move(query).error();
            return {};
          }
          query->count = all->count - static_cast<std::uint32_t>(found.size());
          query->cursor = std::exchange(cursor, {});
          MYDR24_ASSIGN(auto page, reader.search(*query));
          std::ranges::move(page.matches, std::back_inserter(found));
          if (page.next_cursor.empty()) continue;
          next = fmt::format("{}:{}", all->types[i], page.next_cursor);
          break;
        }
        search::Query all_references;
        all_references.type = focus;
        all_references.catalogue = service.records.definitions()->catalogue;
        all_references.includes.push_back({});
        MYDR24_ASSIGN(included, records::include(reader, all_references, found));
        return {};
      },
      {.time_max = service.settings.search_time_max, .cancelled = nullptr}, 0);
  if (!done) return Answer::of(done.error());
  if (refusal)
    return Answer::of(fail(Code::invalid, refusal->issues.front().diagnostics, refusal->issues.front().expression));

  // What is in the compartment comes in its own turn.
  std::erase_if(included.resources, [&](const store::Version& version) {
    return std::ranges::find(all->types, version.type) != all->types.end();
  });
  BundleWriter bundle("searchset", service.clock.now(), base);
  bundle.link("self", link(*all, input, base, input.text("_cursor")));
  if (!next.empty()) bundle.link("next", link(*all, input, base, next));
  for (const auto& version : found) bundle.match(version);
  for (const auto& version : included.resources) bundle.included(version, search::Query{});
  Answer answer;
  answer.body = bundle.finish();
  return answer;
}

Task<> handle(Service& service, pipeline::Call& call, std::string focus) {
  if (!co_await acceptable(call)) co_return;
  auto input = co_await take_input(call, service.settings.body_bytes_max);
  if (!input) co_return;
  const std::string id(call.capture(0));
  auto answer = co_await service.workers.run(
      call.request_class(), [&] { return everything(service, call.access(), *input, focus, id, call.fhir_base()); });
  co_await send(call, std::move(answer));
}

}  // namespace

void add_everything_routes(pipeline::Router& router, Service& service) {
  for (const std::string focus : {"Patient", "Encounter"}) {
    for (const auto method : {net::Method::get, net::Method::post}) {
      router.add({method, fmt::format("/fhir/{}/{{id}}/$everything", focus), "$everything", RequestClass::routine,
                  [&service, focus](pipeline::Call& call) -> Task<> { co_await handle(service, call, focus); }});
    }
  }
}

}  // namespace mydr24::fhir_api
