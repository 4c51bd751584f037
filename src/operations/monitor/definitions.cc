#include "operations/monitor/definitions.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/core/date_time.h"
#include "base/json/document.h"

namespace mydr24::monitor {
namespace {

constexpr std::string_view space = "monitor";
constexpr std::string_view current_key = "definitions";
constexpr std::size_t by_bytes_max = 200;

// Ascending keys, the newest first.
constexpr std::string_view history_prefix = "revision/";
constexpr std::int64_t revision_max = 999'999'999'999;
std::string history_key(std::int64_t revision) {
  return fmt::format("{}{:012}", history_prefix, revision_max - revision);
}

std::int64_t number_of(std::string_view digits) {
  std::int64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

slo::MetricSource measured(std::string_view metric) {
  return {.ref = {}, .type = "MyDR24", .spec = fmt::format(R"({{"metric":"{}"}})", metric)};
}

slo::Indicator value_of(std::string_view name, std::string_view metric) {
  return {.name = std::string(name), .display_name = {}, .description = {}, .metric = measured(metric), .total = {}};
}

slo::Indicator ratio_of(std::string_view name, std::string_view good, std::string_view total) {
  slo::Indicator made = value_of(name, good);
  made.kind = slo::Indicator::Kind::good_total;
  made.total = measured(total);
  return made;
}

struct Promise {
  std::string_view name, display_name, service;
  slo::Indicator indicator;
  double percent = 0;
  std::optional<slo::Operator> op;  // of a value
  std::optional<double> value;
  std::map<std::string, std::string> annotations;
};

// Over the last 30 days.
slo::Slo promise(Promise given) {
  slo::Slo made{.name = std::string(given.name), .display_name = std::string(given.display_name)};
  made.annotations = std::move(given.annotations);
  made.service = given.service;
  made.indicator = std::move(given.indicator);
  slo::Objective& objective = made.objectives.emplace_back();
  objective.op = given.op;
  objective.value = given.value;
  objective.target = given.percent / 100;
  objective.in_percent = true;
  return made;
}

// What a server promises when nobody has said otherwise.
std::vector<slo::Slo> default_slos() {
  using slo::Operator;
  std::vector<slo::Slo> all;
  all.push_back(promise({.name = "emergency-availability",
                         .display_name = "Emergencies can be taken, stored and sent",
                         .service = "emergency",
                         .indicator = value_of("emergency-available", "emergency_available"),
                         .percent = 99.99,
                         .op = Operator::gte,
                         .value = 1,
                         .annotations = {{"mydr24.io/class", "emergency"}}}));
  all.push_back(promise(
      {.name = "emergency-response",
       .display_name = "An emergency reaches a person within 2 seconds",
       .service = "emergency",
       .indicator = ratio_of("emergency-responses", "emergency_responses_in_time_total", "emergency_responses_total"),
       .percent = 99.9,
       .annotations = {{"mydr24.io/class", "emergency"}, {"mydr24.io/no-data", "ignore"}}}));
  all.push_back(promise(
      {.name = "emergency-communication",
       .display_name = "Emergency messages arrive",
       .service = "emergency",
       .indicator = ratio_of("emergency-messages", "emergency_messages_delivered_total", "emergency_messages_total"),
       .percent = 99,
       .annotations = {{"mydr24.io/min-traffic", "10"}}}));
  all.push_back(promise({.name = "record-access",
                         .display_name = "A record is read within 10 seconds",
                         .service = "records",
                         .indicator = ratio_of("record-reads", "record_reads_in_time_total", "record_reads_total"),
                         .percent = 99.9,
                         .annotations = {{"mydr24.io/min-traffic", "100"}}}));
  slo::Slo& portal = all.emplace_back(promise({.name = "portal-availability",
                                               .display_name = "The page answers",
                                               .service = "portal",
                                               .indicator = value_of("portal-up", "portal_up"),
                                               .percent = 99.9,
                                               .op = Operator::gte,
                                               .value = 1}));
  portal.method = slo::Method::timeslices;
  portal.objectives.front().slice_target = 0.9;
  portal.objectives.front().slice_window = std::chrono::minutes(1);
  all.push_back(promise({.name = "audit-lag",
                         .display_name = "The audit trail is on the disk within 30 seconds",
                         .service = "audit",
                         .indicator = value_of("audit-lag-time", "audit_lag_seconds"),
                         .percent = 99.9,
                         .op = Operator::lte,
                         .value = 30}));
  return all;
}

std::string to_json(const Definitions& definitions) {
  std::string text;
  json::Writer out(text);
  out.begin_object().field("revision", definitions.revision).field("by", definitions.by);
  if (definitions.at) out.field("at", format_instant(*definitions.at));
  out.field("what", definitions.what).field("slos", definitions.slos.size()).key("rules").begin_array();
  for (const Rule& rule : definitions.rules) write(out, rule);
  out.end_array().field("objectives", slo::to_openslo(definitions.slos)).end_object();
  return text;
}

Result<Definitions> parse(std::string_view text) {
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(text));
  const json::Value root = document.root();
  Definitions found;
  found.revision = number_of(root["revision"].text());
  found.by = root["by"].text();
  found.what = root["what"].text();
  if (const auto at = parse_date_time(root["at"].text())) found.at = at->low;
  MYDR24_ASSIGN(found.rules, rules_of(root["rules"]));
  MYDR24_ASSIGN(auto documents, slo::parse_openslo(root["objectives"].text()));
  found.slos = std::move(documents.slos);
  return found;
}

Result<> apply(Definitions& next, const DefinitionsChange& change) {
  if (change.rules) next.rules = *change.rules;
  if (change.slos) next.slos = *change.slos;
  for (const std::string& name : change.remove)
    if (std::erase_if(next.slos, [&](const slo::Slo& slo) { return slo.name == name; }) == 0)
      return fail(Code::not_found, fmt::format("there is no objective \"{}\"", name), "name");
  for (const slo::Slo& slo : change.put) {
    const auto found = std::ranges::find(next.slos, slo.name, &slo::Slo::name);
    if (found == next.slos.end())
      next.slos.push_back(slo);
    else
      *found = slo;
  }
  if (next.rules.size() > rules_max) return fail(Code::too_large, fmt::format("at most {} rules", rules_max), "rules");
  if (next.slos.size() > slos_max)
    return fail(Code::too_large, fmt::format("at most {} objectives", slos_max), "objectives");
  return {};
}

// 0: nothing was changed yet.
Result<std::int64_t> newest_revision(store::Reader& reader) {
  MYDR24_ASSIGN(const auto newest, reader.states(space, history_prefix, "", 1));
  if (newest.empty()) return std::int64_t{0};
  return revision_max - number_of(std::string_view(newest.front().key).substr(history_prefix.size()));
}

Error conflict(std::int64_t revision) {
  return fail(Code::conflict, fmt::format("revision {} is in force: read it again", revision), "revision");
}

}  // namespace

const Definitions& default_definitions() {
  static const Definitions made = [] {
    Definitions definitions{.rules = default_rules()};
    definitions.slos = default_slos();
    return definitions;
  }();
  return made;
}

Result<Definitions> load(store::Reader& reader) {
  MYDR24_ASSIGN(const auto text, reader.state(space, current_key));
  if (!text) return default_definitions();
  auto found = parse(*text);
  if (found) return found;
  Definitions instead = default_definitions();
  instead.fault = fmt::format("{} {}", found.error().where, found.error().text);
  MYDR24_ASSIGN(instead.revision, newest_revision(reader));
  return instead;
}

Result<Definitions> prepare(store::Reader& reader, const DefinitionsChange& change) {
  if (change.by.empty() || change.by.size() > by_bytes_max)
    return fail(Code::invalid, "who makes the change? A name", "by");
  MYDR24_ASSIGN(Definitions next, load(reader));
  if (change.revision && *change.revision != next.revision) return conflict(next.revision);
  MYDR24_TRY(apply(next, change));
  ++next.revision;
  next.by = change.by;
  next.what = change.rules ? "rules" : "objectives";
  next.fault.clear();
  if (const auto again = parse(to_json(next)); !again)
    return fail(again.error().code == Code::too_large ? Code::too_large : Code::invalid,
                fmt::format("it could not be read back: {}", again.error().text), again.error().where);
  return next;
}

Result<> put(store::Transaction& transaction, Definitions& next) {
  MYDR24_ASSIGN(const std::int64_t revision, newest_revision(transaction));
  if (revision != next.revision - 1) return conflict(revision);
  next.at = transaction.now();
  const std::string text = to_json(next);
  MYDR24_TRY(transaction.set_state(space, current_key, text));
  MYDR24_TRY(transaction.set_state(space, history_key(next.revision), text));
  MYDR24_TRY(transaction.erase_state(space, history_key(next.revision - revisions_kept)));
  MYDR24_TRY(transaction.note(changed_event, fmt::format(R"({{"revision":{}}})", next.revision)));
  return {};
}

Result<std::string> changes_json(store::Reader& reader, std::uint32_t count) {
  MYDR24_ASSIGN(const auto rows, reader.states(space, history_prefix, "", count));
  std::string text;
  json::Writer out(text);
  out.begin_array();
  for (const store::StateRow& row : rows) {
    MYDR24_ASSIGN(const auto document, json::Document::parse_view(row.value));
    const json::Value root = document.root();
    out.begin_object().field("revision", number_of(root["revision"].text())).field("by", root["by"].text());
    out.field("what", root["what"].text());
    if (root["at"]) out.field("at", root["at"].text());
    out.field("rules", root["rules"].size()).field("objectives", number_of(root["slos"].text())).end_object();
  }
  out.end_array();
  return text;
}

Result<Definitions> revision_of(store::Reader& reader, std::int64_t revision) {
  if (revision == 0) return default_definitions();
  MYDR24_ASSIGN(const auto text, reader.state(space, history_key(revision)));
  if (!text) return fail(Code::not_found, fmt::format("there is no revision {}", revision), "revision");
  return parse(*text);
}

}  // namespace mydr24::monitor
