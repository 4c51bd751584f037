// GET or POST [base]/Observation/$lastn: of each kind of observation the newest ones. Observations are of one kind when
// they share a coding of Observation.code, or, where there is none, its text.
// Source: FHIR R4, observation-operation-lastn.html.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <unordered_map>

#include "api/fhir_api/bundle_writer.h"
#include "api/fhir_api/operation.h"

namespace mydr24::fhir_api {
namespace {

// Observations that are looked at, newest first; kinds that are only found further back are left out, and it is told.
constexpr std::size_t looked_at_max = 20'000;
constexpr std::uint32_t page_size = 500;

class Kinds {
 public:
  // The number of the kind of that code; a coding seen before decides.
  std::size_t kind_of(json::Value code) {
    std::vector<std::string> names;
    for (const auto coding : code["coding"]) {
      if (!coding["code"].text().empty()) {
        names.push_back(fmt::format("{}|{}", coding["system"].text(), coding["code"].text()));
      }
    }
    if (names.empty()) names.push_back(fmt::format("text {}", search::fold(code["text"].text())));
    auto kind = count_;
    for (const auto& name : names) {
      if (const auto known = kinds_.find(name); known != kinds_.end()) kind = std::min(kind, known->second);
    }
    if (kind == count_) ++count_;
    for (auto& name : names) kinds_.emplace(std::move(name), kind);
    return kind;
  }

 private:
  std::unordered_map<std::string, std::size_t> kinds_;
  std::size_t count_ = 0;
};

Answer last(const Service& service, access::Access& access, const OperationInput& input, const std::string& base) {
  net::QueryParameters parameters;
  std::size_t max = 1;
  const auto take = [&](const std::string& name, const std::string& value) -> Result<> {
    if (name == "_format" || name == "_sort" || name == "_count") return {};
    if (name != "max") {
      parameters.emplace_back(name, value);
      return {};
    }
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), max);
    if (error == std::errc() && end == value.data() + value.size() && max > 0 && max <= search::count_max) return {};
    return fail(Code::invalid, fmt::format("max={} is no whole number from 1 to {}", value, search::count_max), "max");
  };
  for (const auto& [name, value] : input.query) {
    if (const auto taken = take(name, value); !taken) return Answer::of(taken.error());
  }
  for (const auto parameter : input.parameters()["parameter"]) {
    const auto taken = take(std::string(parameter["name"].text()), std::string(value_of(parameter).text()));
    if (!taken) return Answer::of(taken.error());
  }
  const auto names = [&](std::string_view wanted) {
    return std::ranges::any_of(parameters, [&](const auto& parameter) {
      return std::string_view(parameter.first).substr(0, parameter.first.find_first_of(":.")) == wanted;
    });
  };
  if (!names("patient") && !names("subject")) {
    return Answer::of(fail(Code::invalid, "$lastn is about one patient: give patient or subject", "patient"));
  }
  if (!names("category") && !names("code")) {
    return Answer::of(fail(Code::invalid, "$lastn needs category or code", "category"));
  }
  parameters.emplace_back("_sort", "-date");
  auto query = parse(service, access, "Observation", parameters, false, base);
  if (!query)
    return Answer::of(
        fail(Code::invalid, query.error().issues.front().diagnostics, query.error().issues.front().expression));
  query->count = page_size;

  std::vector<std::vector<store::Version>> by_kind;
  std::size_t looked_at = 0;
  Kinds kinds;
  const auto done = access.read(
      service.store(),
      [&](store::Reader& reader) -> Result<> {
        do {
          MYDR24_ASSIGN(auto page, reader.search(*query));
          for (auto& match : page.matches) {
            ++looked_at;
            MYDR24_ASSIGN(const auto document, json::Document::parse_view(match.body));
            const auto kind = kinds.kind_of(document.root()["code"]);
            if (kind >= by_kind.size()) by_kind.resize(kind + 1);
            if (by_kind[kind].size() < max) by_kind[kind].push_back(std::move(match));
          }
          query->cursor = page.next_cursor;
        } while (!query->cursor.empty() && looked_at < looked_at_max);
        return {};
      },
      {.time_max = service.settings.search_time_max, .cancelled = nullptr}, 0);
  if (!done) return Answer::of(done.error());

  std::int64_t total = 0;
  for (const auto& kind : by_kind) total += static_cast<std::int64_t>(kind.size());
  BundleWriter bundle("searchset", service.clock.now(), base);
  bundle.total(total);
  auto self = base + "/Observation/$lastn";
  char separator = '?';
  for (const auto& [name, value] : parameters) {
    if (name == "_sort") continue;
    self +=
        fmt::format("{}{}={}", std::exchange(separator, '&'), net::percent_encode(name), net::percent_encode(value));
  }
  bundle.link("self", fmt::format("{}&max={}", self, max));
  for (const auto& kind : by_kind) {
    for (const auto& version : kind) bundle.match(version);
  }
  if (!query->cursor.empty()) {
    const model::Issue issue{model::Severity::warning, "incomplete",
                             fmt::format("only the newest {} observations were looked at", looked_at), ""};
    bundle.issues(model::operation_outcome(std::span(&issue, 1)));
  }
  Answer answer;
  answer.body = bundle.finish();
  return answer;
}

Task<> handle(Service& service, pipeline::Call& call) {
  if (!co_await acceptable(call)) co_return;
  auto input = co_await take_input(call, service.settings.body_bytes_max);
  if (!input) co_return;
  auto answer = co_await service.workers.run(call.request_class(),
                                             [&] { return last(service, call.access(), *input, call.fhir_base()); });
  co_await send(call, std::move(answer));
}

}  // namespace

void add_last_routes(pipeline::Router& router, Service& service) {
  for (const auto method : {net::Method::get, net::Method::post}) {
    router.add({method, "/fhir/Observation/$lastn", "$lastn", RequestClass::routine,
                [&service](pipeline::Call& call) -> Task<> { co_await handle(service, call); }});
  }
}

}  // namespace mydr24::fhir_api
