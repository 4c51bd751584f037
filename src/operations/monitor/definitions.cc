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
std::string history_key(std::int64_t revision) { return fmt::format("revision/{:012}", 999'999'999'999 - revision); }

// What a server promises when nobody has said otherwise.
constexpr std::string_view default_slos = R"(apiVersion: openslo/v1
kind: SLO
metadata:
  name: emergency-availability
  displayName: Emergencies can be taken, stored and sent
  annotations: {mydr24.io/class: emergency}
spec:
  service: emergency
  indicator:
    metadata: {name: emergency-available}
    spec: {thresholdMetric: {metricSource: {type: MyDR24, spec: {metric: emergency_available}}}}
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{op: gte, value: 1, targetPercent: 99.99}]
---
apiVersion: openslo/v1
kind: SLO
metadata:
  name: emergency-response
  displayName: An emergency reaches a person within 2 seconds
  annotations: {mydr24.io/class: emergency, mydr24.io/no-data: ignore}
spec:
  service: emergency
  indicator:
    metadata: {name: emergency-responses}
    spec:
      ratioMetric:
        counter: true
        good: {metricSource: {type: MyDR24, spec: {metric: emergency_responses_in_time_total}}}
        total: {metricSource: {type: MyDR24, spec: {metric: emergency_responses_total}}}
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{targetPercent: 99.9}]
---
apiVersion: openslo/v1
kind: SLO
metadata:
  name: emergency-communication
  displayName: Emergency messages arrive
  annotations: {mydr24.io/min-traffic: "10"}
spec:
  service: emergency
  indicator:
    metadata: {name: emergency-messages}
    spec:
      ratioMetric:
        counter: true
        good: {metricSource: {type: MyDR24, spec: {metric: emergency_messages_delivered_total}}}
        total: {metricSource: {type: MyDR24, spec: {metric: emergency_messages_total}}}
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{targetPercent: 99}]
---
apiVersion: openslo/v1
kind: SLO
metadata:
  name: record-access
  displayName: A record is read within 10 seconds
  annotations: {mydr24.io/min-traffic: "100"}
spec:
  service: records
  indicator:
    metadata: {name: record-reads}
    spec:
      ratioMetric:
        counter: true
        good: {metricSource: {type: MyDR24, spec: {metric: record_reads_in_time_total}}}
        total: {metricSource: {type: MyDR24, spec: {metric: record_reads_total}}}
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{targetPercent: 99.9}]
---
apiVersion: openslo/v1
kind: SLO
metadata:
  name: portal-availability
  displayName: The page answers
spec:
  service: portal
  indicator:
    metadata: {name: portal-up}
    spec: {thresholdMetric: {metricSource: {type: MyDR24, spec: {metric: portal_up}}}}
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Timeslices
  objectives: [{op: gte, value: 1, targetPercent: 99.9, timeSliceTarget: 0.9, timeSliceWindow: 1m}]
---
apiVersion: openslo/v1
kind: SLO
metadata:
  name: audit-lag
  displayName: The audit trail is on the disk within 30 seconds
spec:
  service: audit
  indicator:
    metadata: {name: audit-lag-time}
    spec: {thresholdMetric: {metricSource: {type: MyDR24, spec: {metric: audit_lag_seconds}}}}
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{op: lte, value: 30, targetPercent: 99.9}]
)";

std::string to_json(const Definitions& definitions) {
  std::string text;
  json::Writer out(text);
  out.begin_object().field("revision", definitions.revision).field("by", definitions.by);
  if (definitions.at) out.field("at", format_instant(*definitions.at));
  out.field("what", definitions.what).key("rules").begin_array();
  for (const Rule& rule : definitions.rules) write(out, rule);
  out.end_array().field("objectives", slo::to_openslo(definitions.slos)).end_object();
  return text;
}

Result<Definitions> parse(std::string_view text) {
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(text));
  const json::Value root = document.root();
  Definitions found;
  const std::string_view digits = root["revision"].text();
  std::from_chars(digits.data(), digits.data() + digits.size(), found.revision);
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

}  // namespace

const Definitions& default_definitions() {
  static const Definitions made = [] {
    Definitions definitions{.rules = default_rules()};
    if (auto documents = slo::parse_openslo(default_slos)) definitions.slos = std::move(documents->slos);
    return definitions;
  }();
  return made;
}

Result<Definitions> load(store::Reader& reader) {
  MYDR24_ASSIGN(const auto text, reader.state(space, current_key));
  if (!text) return default_definitions();
  return parse(*text);
}

Result<Definitions> change(store::Transaction& transaction, const DefinitionsChange& change) {
  if (change.by.empty() || change.by.size() > by_bytes_max)
    return fail(Code::invalid, "who makes the change? A name", "by");
  MYDR24_ASSIGN(Definitions next, load(transaction));
  if (change.revision && *change.revision != next.revision)
    return fail(Code::conflict, fmt::format("revision {} is in force: read it again", next.revision), "revision");
  MYDR24_TRY(apply(next, change));
  ++next.revision;
  next.at = transaction.now();
  next.by = change.by;
  next.what = change.rules ? "rules" : "objectives";
  const std::string text = to_json(next);
  MYDR24_TRY(transaction.set_state(space, current_key, text));
  MYDR24_TRY(transaction.set_state(space, history_key(next.revision), text));
  MYDR24_TRY(transaction.note(changed_event, fmt::format(R"({{"revision":{}}})", next.revision)));
  return next;
}

Result<std::string> changes_json(store::Reader& reader, std::uint32_t count) {
  MYDR24_ASSIGN(const auto rows, reader.states(space, "revision/", "", count));
  std::string text;
  json::Writer out(text);
  out.begin_array();
  for (const store::StateRow& row : rows) {
    MYDR24_ASSIGN(const Definitions each, parse(row.value));
    out.begin_object().field("revision", each.revision).field("by", each.by).field("what", each.what);
    if (each.at) out.field("at", format_instant(*each.at));
    out.field("rules", each.rules.size()).field("objectives", each.slos.size()).end_object();
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
