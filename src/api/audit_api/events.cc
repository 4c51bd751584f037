// GET [base]/AuditEvent: the trail as a search, and its events by id. AuditEvents that clients stored come after those
// of the trail (ADR 18).

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "api/audit_api/audit_api.h"
#include "api/fhir_api/bundle_writer.h"
#include "guard/audit/search.h"

namespace mydr24::audit_api {
namespace {

using fhir_api::Answer;

constexpr std::string_view type = "AuditEvent";
constexpr std::size_t form_bytes_max = 256U << 10;
// What one page reads of the trail before it is given out short, with a link to go on: so many times so many entries,
// or blocks of 256 KiB in which there are fewer.
constexpr int page_rounds = 32;
constexpr std::size_t round_entries = 500;
constexpr std::size_t round_blocks = 256;
constexpr std::string_view trail_cursor = "trail.";
constexpr std::string_view stored_cursor = "stored";

// Where a page begins in the trail: below that line, after so many events of the line just below it.
struct Position {
  std::int64_t below = INT64_MAX;
  std::size_t skip = 0;
};

std::string to_text(const Position& position) {
  return fmt::format("{}{}.{}", trail_cursor, position.below, position.skip);
}

Result<Position> position_of(std::string_view cursor) {
  Position position;
  if (cursor.empty()) return position;
  const auto text = cursor.substr(trail_cursor.size());
  const auto dot = text.find('.');
  const auto number = [](std::string_view digits, auto& value) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return error == std::errc() && end == digits.data() + digits.size();
  };
  if (dot == text.npos || !number(text.substr(0, dot), position.below) || !number(text.substr(dot + 1), position.skip))
    return fail(Code::invalid, "this cursor does not belong to this search: take the link of the page before as it is",
                "_cursor");
  return position;
}

bool leads_elsewhere(const search::Condition& condition) {
  using Form = search::Condition::Form;
  return condition.form == Form::chain || condition.form == Form::has ||
         std::ranges::any_of(condition.parts, leads_elsewhere);
}

// What the store can and the trail cannot.
Result<> check_possible(const search::Query& query) {
  if (std::ranges::any_of(query.conditions, leads_elsewhere))
    return fail(Code::unsupported, "the audit trail is not searched through other resources: no chains, no _has");
  if (!query.includes.empty())
    return fail(Code::unsupported, "events of the audit trail include no other resources", "_include");
  const bool by_date = query.sort.size() == 1 && query.sort.front().descending &&
                       query.sort.front().parameter->code == "date" && !query.by_last_updated;
  if ((!query.sort.empty() && !by_date) || query.order != search::Order::newest_first)
    return fail(Code::unsupported, "the audit trail is read newest first: _sort=-date, or none", "_sort");
  if (query.total == search::Total::accurate || query.count == 0 || query.summary == search::Summary::count)
    return fail(Code::unsupported, "the audit trail is not counted; mydr24 audit export has every entry", "_total");
  if (query.contained != search::Contained::no)
    return fail(Code::unsupported, "events of the audit trail contain no resources", "_contained");
  return {};
}

struct EventPage {
  std::vector<store::Version> events;
  std::optional<Position> next;
};

class EventSearch {
 public:
  EventSearch(Service& service, access::Access& access, const search::Query& query)
      : service_(service), access_(access), query_(query) {}

  Result<EventPage> run(Position from) {
    EventPage page;
    MYDR24_TRY(service_.fhir.store().read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(page, read(reader, from));
      return {};
    }));
    return page;
  }

 private:
  audit::Query asked() const {
    auto narrow = narrowed(query_);
    // Who sees one compartment alone is answered from it.
    if (narrow.patient.empty()) {
      const auto& reach = access_.sight().reach(access::Permission::search, type);
      if (reach.extent == access::Reach::Extent::some)
        narrow.patient = narrowed({.type = std::string(type), .conditions = reach.conditions}).patient;
    }
    return narrow;
  }

  Result<EventPage> read(store::Reader& reader, Position from) {
    const auto narrow = asked();
    EventPage page;
    for (int round = 0;; ++round) {
      const auto cursor = from.below == INT64_MAX ? std::string() : std::to_string(from.below);
      MYDR24_ASSIGN(const auto part, audit::search(service_.log.trail(), narrow, round_entries, cursor, round_blocks));
      for (const auto& found : part.entries) {
        MYDR24_ASSIGN(const bool whole, take(reader, found.entry, from.skip, page));
        if (!whole) {
          page.next = Position{.below = found.number + 1, .skip = taken_};
          return page;
        }
        from = {.below = found.number, .skip = 0};
      }
      if (part.next.empty()) return page;
      MYDR24_ASSIGN(from, position_of(fmt::format("{}{}.0", trail_cursor, part.next)));
      const bool read_enough = part.entries.size() < round_entries || round + 1 == page_rounds;
      if (page.events.size() == query_.count || read_enough) {
        page.next = from;
        return page;
      }
    }
  }

  // False: the page was full before all of its events were looked at; taken_ of them were.
  Result<bool> take(store::Reader& reader, const audit::Entry& entry, std::size_t skip, EventPage& page) {
    auto events = audit::to_audit_events(entry, service_.observer);
    for (taken_ = skip; taken_ < events.size(); ++taken_) {
      if (page.events.size() == query_.count) return false;
      auto version = as_version(std::move(events[taken_]), entry.at);
      MYDR24_ASSIGN(const auto document, json::Document::parse_view(version.body));
      const search::MatchContext context{.now = service_.clock.now(),
                                         .last_updated = entry.at,
                                         .catalogue = query_.catalogue.get(),
                                         .chain = {},
                                         .has = {}};
      const auto holds = [&](const auto& condition) { return search::matches(condition, document.root(), context); };
      if (!std::ranges::all_of(query_.conditions, holds)) continue;
      MYDR24_ASSIGN(const bool shown, access_.shows(reader, version));
      if (shown) page.events.push_back(std::move(version));
    }
    return true;
  }

  Service& service_;
  access::Access& access_;
  const search::Query& query_;
  std::size_t taken_ = 0;
};

std::string take_cursor(net::QueryParameters& parameters) {
  std::string cursor;
  for (auto& [name, value] : parameters)
    if (name == "_cursor") cursor = std::move(value);
  std::erase_if(parameters, [](const auto& parameter) { return parameter.first == "_cursor"; });
  return cursor;
}

// Whether clients stored any that may match.
Result<bool> has_stored(Service& service, access::Access& access, search::Query query) {
  bool found = false;
  query.count = 1;
  query.total = search::Total::none;
  MYDR24_TRY(access.read(service.fhir.store(), [&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(const auto there, reader.count_resources(type));
    if (there == 0) return {};
    MYDR24_ASSIGN(const auto page, reader.search(query));
    found = !page.matches.empty();
    return {};
  }));
  return found;
}

Answer search_trail(Service& service, fhir_api::SearchRequest request) {
  auto cursor = take_cursor(request.parameters);
  if (!cursor.empty() && !cursor.starts_with(trail_cursor)) {
    if (cursor != stored_cursor) request.parameters.emplace_back("_cursor", std::move(cursor));
    return fhir_api::search(service.fhir, request);
  }
  std::vector<model::Issue> told;
  const auto query = fhir_api::parse(service.fhir, *request.access, type, request.parameters, request.lenient,
                                     request.fhir_base, &told);
  if (!query) {
    Answer answer;
    answer.status = 400;
    answer.is_outcome = true;
    answer.body = model::operation_outcome(query.error().issues);
    return answer;
  }
  if (const auto possible = check_possible(*query); !possible) {
    auto answer = Answer::of(possible.error());
    answer.status = 400;
    return answer;
  }
  const auto position = position_of(cursor);
  if (!position) return Answer::of(position.error());
  const auto page = EventSearch(service, *request.access, *query).run(*position);
  if (!page) return Answer::of(page.error());
  auto next = page->next ? to_text(*page->next) : std::string();
  if (next.empty()) {
    const auto stored = has_stored(service, *request.access, *query);
    if (!stored) return Answer::of(stored.error());
    if (*stored) next = stored_cursor;
  }
  fhir_api::BundleWriter bundle("searchset", service.fhir.clock.now(), request.fhir_base);
  bundle.link("self", fhir_api::page_link(request, *query, cursor));
  if (!next.empty()) bundle.link("next", fhir_api::page_link(request, *query, next));
  for (const auto& event : page->events) bundle.match(event, *query);
  if (!told.empty()) bundle.issues(model::operation_outcome(told));
  Answer answer;
  answer.body = bundle.finish();
  return answer;
}

Task<> answer_search(Service& service, pipeline::Call& call, net::QueryParameters parameters) {
  fhir_api::SearchRequest request;
  request.type = type;
  request.parameters = std::move(parameters);
  request.lenient = fhir_api::prefers_lenient(call.request().header("Prefer"));
  request.access = &call.access();
  request.fhir_base = call.fhir_base();
  request.request_class = call.request_class();
  auto answer = co_await fhir_api::run_watched(service.fhir, call, [&](const std::atomic<bool>& cancelled) {
    request.cancelled = &cancelled;
    return search_trail(service, std::move(request));
  });
  co_await fhir_api::send(call, std::move(answer));
}

Task<> handle_search(Service& service, pipeline::Call& call, bool in_compartment) {
  if (!co_await fhir_api::acceptable(call)) co_return;
  auto parameters = net::parse_query(call.request().query);
  if (call.request().has_body) {
    const auto body = co_await fhir_api::take_body(call, {"application/x-www-form-urlencoded"}, form_bytes_max);
    if (!body) co_return;
    call.note_query(*body);
    auto form = net::parse_query(*body);
    if (parameters && form) {
      std::ranges::move(*form, std::back_inserter(*parameters));
    } else {
      parameters.reset();
    }
  }
  if (!parameters) {
    co_await call.respond(fail(Code::invalid, "the search parameters are malformed: check their percent-encoding"));
    co_return;
  }
  if (in_compartment) parameters->emplace_back("patient", fmt::format("Patient/{}", call.capture(0)));
  co_await answer_search(service, call, std::move(*parameters));
}

// Nothing when no event of the trail has that id, or none that may be shown.
Result<std::optional<store::Version>> find_event(Service& service, access::Access& access, const std::string& id) {
  std::optional<store::Version> found;
  constexpr std::size_t uuid_bytes = 36;
  if (id.size() < uuid_bytes) return found;
  MYDR24_ASSIGN(const auto page, audit::search(service.log.trail(), by_id(id), 1));
  if (page.entries.empty()) return found;
  const auto& entry = page.entries.front().entry;
  for (auto& event : audit::to_audit_events(entry, service.observer)) {
    auto version = as_version(std::move(event), entry.at);
    if (version.id != id) continue;
    MYDR24_TRY(service.fhir.store().read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(const bool shown, access.shows(reader, version));
      if (shown) found = std::move(version);
      return {};
    }));
    break;
  }
  return found;
}

Task<> handle_read(Service& service, pipeline::Call& call, std::optional<std::int64_t> version) {
  if (!co_await fhir_api::acceptable(call)) co_return;
  const auto id = fhir_api::known_id(call.capture(0));
  if (!id) {
    co_await fhir_api::send(call, Answer::of(id.error()));
    co_return;
  }
  const auto found =
      co_await service.fhir.workers.run(call.request_class(), [&]() -> Result<std::optional<store::Version>> {
        if (version && *version != 1) return std::optional<store::Version>();
        return find_event(service, call.access(), *id);
      });
  if (!found) {
    co_await fhir_api::send(call, Answer::of(found.error()));
  } else if (!*found) {
    co_await fhir_api::send(
        call, fhir_api::read(service.fhir.store(), call.access(), type, *id, version, call.request_class()));
  } else {
    Answer answer;
    answer.version = 1;
    answer.last_modified = (*found)->at;
    records::append_rendered(answer.body, **found);
    co_await fhir_api::send(call, std::move(answer));
  }
}

Task<> handle_vread(Service& service, pipeline::Call& call) {
  const auto text = call.capture(1);
  std::int64_t version = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (error != std::errc() || end != text.data() + text.size() || version < 1) {
    co_await call.respond(
        fail(Code::not_found, fmt::format("\"{}\" is no version: versions are 1, 2, 3", text.substr(0, 64))));
    co_return;
  }
  co_await handle_read(service, call, version);
}

}  // namespace

store::Version as_version(std::string event, Instant at) {
  store::Version version{.type = std::string(type), .version = 1, .at = at};
  constexpr std::string_view id_mark = R"("id":")";
  constexpr std::string_view meta_mark = R"("meta":{)";
  // Written by to_audit_events: the id comes second, and is one.
  const auto begin = event.find(id_mark) + id_mark.size();
  const auto end = event.find('"', begin);
  version.id = event.substr(begin, end - begin);
  const auto after = end + 2;  // `",`
  if (!std::string_view(event).substr(after).starts_with(meta_mark)) event.insert(after, R"("meta":{},)");
  version.meta_at = static_cast<std::uint32_t>(after + meta_mark.size());
  version.body = std::move(event);
  return version;
}

void add_event_routes(pipeline::Router& router, Service& service) {
  using net::Method;
  const auto search = [&](Method method, std::string pattern, std::string interaction, bool in_compartment) {
    router.add({method, std::move(pattern), std::move(interaction), RequestClass::routine,
                [&service, in_compartment](pipeline::Call& call) -> Task<> {
                  co_await handle_search(service, call, in_compartment);
                }});
  };
  search(Method::get, "/fhir/AuditEvent", "search-type", false);
  search(Method::post, "/fhir/AuditEvent/_search", "search-type", false);
  search(Method::get, "/fhir/Patient/{id}/AuditEvent", "search-compartment", true);
  router.add({Method::get, "/fhir/AuditEvent/{id}", "read", RequestClass::routine,
              [&service](pipeline::Call& call) -> Task<> { co_await handle_read(service, call, std::nullopt); }});
  router.add({Method::get, "/fhir/AuditEvent/{id}/_history/{vid}", "vread", RequestClass::routine,
              [&service](pipeline::Call& call) -> Task<> { co_await handle_vread(service, call); }});
}

}  // namespace mydr24::audit_api
