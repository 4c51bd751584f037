#include "operations/monitor/rule.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <set>

namespace mydr24::monitor {
namespace {

using namespace std::chrono_literals;

constexpr std::array<std::string_view, 4> comparisons{"above", "at_least", "below", "at_most"};
constexpr std::array<std::string_view, 5> severities{"Emergency", "Critical", "High", "Medium", "Low"};
constexpr std::array<std::string_view, 6> categories{"PatientSafety",       "ProviderEfficiency", "SystemPerformance",
                                                     "ComplianceViolation", "SecurityRisk",       "DataIntegrity"};
constexpr std::size_t text_bytes_max = 300;
constexpr std::size_t actions_max = 10;
constexpr double time_s_max = 86'400;

template <class Enum, std::size_t count>
std::optional<Enum> find_word(const std::array<std::string_view, count>& words, std::string_view text) {
  const auto* found = std::ranges::find(words, text);
  if (found == words.end()) return std::nullopt;
  return static_cast<Enum>(found - words.begin());
}

// Severities and categories beside their limits as chapter 14 has them; those it has no rule for are ours.
const std::vector<Rule> table{
    {.name = "EmergencyResponseSlow",
     .metric = "emergency_alert_response_seconds",
     .comparison = Comparison::above,
     .limit = 2.0,
     .clear = 2.0,
     .clear_for = 30s,
     .severity = Severity::critical,
     .category = Category::patient_safety,
     .service = "notifications",
     .title = "Emergency response time {value} seconds exceeds 2 second threshold",
     .actions = {"Check emergency system load", "Verify emergency database connections",
                 "Scale emergency response capacity"}},
    {.name = "SlowPatientDataAccess",
     .metric = "record_access_seconds",
     .comparison = Comparison::above,
     .limit = 10.0,
     .clear = 10.0,
     .clear_for = 30s,
     .severity = Severity::high,
     .category = Category::provider_efficiency,
     .service = "records",
     .title = "Medical record access time {value} seconds exceeds 10 second threshold",
     .actions = {"Check database query performance", "Review cache hit rates", "Consider database scaling"},
     .tells_missing = false},
    {.name = "ComplianceRisk",
     .metric = "audit_lag_seconds",
     .comparison = Comparison::above,
     .limit = 30.0,
     .clear = 30.0,
     .clear_for = 30s,
     .severity = Severity::high,
     .category = Category::compliance_violation,
     .service = "audit",
     .title = "Audit log processing lag {value} seconds exceeds 30 second threshold",
     .actions = {"Check audit log processing capacity", "Verify audit log storage health",
                 "Scale audit processing resources"}},
    {.name = "EmergencyDataRetrievalSlow",
     .metric = "emergency_data_retrieval_seconds",
     .comparison = Comparison::at_least,
     .limit = 5.0,
     .clear = 5.0,
     .clear_for = 30s,
     .severity = Severity::critical,
     .category = Category::patient_safety,
     .service = "records",
     .unless = {"DatabaseDown", "DiskFull"},
     .title = "Reading a record for an emergency takes {value} seconds; it must take less than 5",
     .actions = {"Check emergency system load", "Check database query performance",
                 "Verify emergency database connections"}},
    {.name = "EmergencyCommunicationFails",
     .metric = "emergency_communication_success_ratio",
     .comparison = Comparison::at_most,
     .limit = 0.99,
     .clear = 0.99,
     .clear_for = 60s,
     .severity = Severity::critical,
     .category = Category::patient_safety,
     .service = "notifications",
     .title = "Share of emergency messages that arrive is {value}; it must be above 0.99",
     .actions = {"See which channel fails: mydr24 monitor channels", "Check the provider of that channel",
                 "Tell those on call to watch the desk"}},
    {.name = "EmergencyUnavailable",
     .metric = "emergency_available",
     .comparison = Comparison::below,
     .limit = 1,
     .clear = 1,
     .hold = 3s,
     .clear_for = 10s,
     .severity = Severity::critical,
     .category = Category::patient_safety,
     .service = "emergency",
     .unless = {"DatabaseDown", "DiskFull"},
     .title = "An emergency could not be taken, stored and sent now",
     .actions = {"See which check fails: mydr24 monitor status", "Check the disk and the database",
                 "Tell the wards to call by telephone"}},
    {.name = "EmergencyEscalationSlow",
     .metric = "emergency_escalation_seconds",
     .comparison = Comparison::at_least,
     .limit = 30.0,
     .clear = 30.0,
     .clear_for = 30s,
     .severity = Severity::critical,
     .category = Category::patient_safety,
     .service = "notifications",
     .title =
         "The next person of an emergency was reached {value} seconds after the time to call them; it must be below 30",
     .actions = {"Check emergency system load", "See which channel fails: mydr24 monitor channels",
                 "Call the people of the step by telephone"},
     .tells_missing = false},
    {.name = "DatabaseDown",
     .metric = "database_unanswered_seconds",
     .comparison = Comparison::above,
     .limit = 2.0,
     .clear = 2.0,
     .clear_for = 10s,
     .severity = Severity::critical,
     .category = Category::patient_safety,
     .service = "database",
     .title = "The database answers no writes since {value} seconds",
     .actions = {"Look at the database and what holds it: GET /readyz and the log", "Bring it back, or fail over",
                 "Tell the wards to write on paper until records can be written again"}},
    {.name = "DiskFull",
     .metric = "disk_free_mib",
     .comparison = Comparison::below,
     .limit = 16,
     .clear = 32,
     .clear_for = 10s,
     .severity = Severity::critical,
     .category = Category::data_integrity,
     .service = "database",
     .title = "The data folder's disk is full: {value} MiB are left",
     .actions = {"See what grew, and make room", "Enlarge the disk",
                 "Tell the wards to write on paper until records can be written again"}},
    {.name = "DatabaseSlow",
     .metric = "database_latency_seconds",
     .comparison = Comparison::above,
     .limit = 5.0,
     .clear = 5.0,
     .clear_for = 30s,
     .severity = Severity::high,
     .category = Category::system_performance,
     .service = "database",
     .unless = {"DatabaseDown", "DiskFull"},
     .title = "A write takes {value} seconds until it is on the disk; the limit is 5",
     .actions = {"Check the disk's latency", "Check database query performance", "Consider database scaling"}},
    {.name = "SystemOverload",
     .metric = "store_queued_writes",
     .comparison = Comparison::above,
     .limit = 1'000,
     .clear = 500,
     .hold = 10s,
     .clear_for = 30s,
     .severity = Severity::high,
     .category = Category::system_performance,
     .service = "database",
     .unless = {"DatabaseDown", "DiskFull"},
     .title = "{value} writes wait for the database",
     .actions = {"See who sends so much", "Check the disk's latency", "Consider database scaling"}},
    {.name = "DiskNearlyFull",
     .metric = "disk_free_ratio",
     .comparison = Comparison::below,
     .limit = 0.05,
     .clear = 0.06,
     .hold = 10s,
     .clear_for = 60s,
     .severity = Severity::high,
     .category = Category::data_integrity,
     .service = "database",
     .unless = {"DiskFull"},
     .title = "Free share of the data folder's disk is {value}",
     .actions = {"See what grew", "Remove what is not needed, or move backups away", "Enlarge the disk"}},
    {.name = "BackupFailure",
     .metric = "backup_age_seconds",
     .comparison = Comparison::above,
     .limit = 93'600,
     .clear = 93'600,
     .severity = Severity::high,
     .category = Category::data_integrity,
     .service = "backup",
     .title = "The last backup is {value} seconds old; the limit is 26 hours",
     .actions = {"Look at the job that makes backups", "Make one now: mydr24 backup create",
                 "Check room and rights where they are written"},
     .tells_missing = false},
};

bool is_rule_name(std::string_view text) {
  return !text.empty() && text.size() <= 63 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  });
}

struct Reader {
  json::Value value;
  std::string where;

  Error bad(std::string_view member, std::string text) const {
    return fail(Code::invalid, std::move(text), fmt::format("{}.{}", where, member));
  }
  Result<std::string> text(std::string_view member, bool needed) const {
    std::string found(value[member].text());
    if (needed && (found.empty() || !value[member].is_string())) return bad(member, "a text is needed here");
    if (found.size() > text_bytes_max) return bad(member, fmt::format("at most {} bytes", text_bytes_max));
    return found;
  }
  Result<double> number(std::string_view member, std::optional<double> otherwise) const {
    if (!value[member] && otherwise) return *otherwise;
    const std::string_view digits = value[member].text();
    double number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (!value[member].is_number() || error != std::errc() || end != digits.data() + digits.size() ||
        !std::isfinite(number))
      return bad(member, "a number is needed here");
    return number;
  }
  Result<milliseconds> time(std::string_view member) const {
    MYDR24_ASSIGN(const double found, number(member, 0.0));
    if (found < 0 || found > time_s_max) return bad(member, "seconds, from 0 to a day");
    return milliseconds(std::llround(found * 1'000));
  }
  template <class Enum, std::size_t count>
  Result<Enum> word(std::string_view member, const std::array<std::string_view, count>& words) const {
    const auto found = find_word<Enum>(words, value[member].text());
    if (!found) return bad(member, fmt::format("one of {}", fmt::join(words, ", ")));
    return *found;
  }
  Result<std::vector<std::string>> names(std::string_view member) const {
    std::vector<std::string> found;
    const json::Value list = value[member];
    if (!list) return found;
    if (!list.is_array() || list.size() > actions_max)
      return bad(member, fmt::format("names of rules: at most {}", actions_max));
    for (const json::Value each : list) {
      if (!each.is_string() || !is_rule_name(each.text())) return bad(member, "the name of a rule is needed here");
      found.emplace_back(each.text());
    }
    return found;
  }
  Result<bool> truth(std::string_view member, bool otherwise) const {
    if (!value[member]) return otherwise;
    if (!value[member].is_boolean()) return bad(member, "true or false");
    return value[member].is_true();
  }
};

Result<Rule> read_rule(const Reader& in) {
  Rule rule;
  constexpr std::array<std::string_view, 15> known{"name",    "metric",        "comparison", "limit",    "clear",
                                                   "hold_s",  "clear_s",       "severity",   "category", "title",
                                                   "actions", "tells_missing", "enabled",    "service",  "unless"};
  for (const json::Value member : in.value)
    if (std::ranges::find(known, member.key()) == known.end()) return in.bad(member.key(), "there is no such member");
  MYDR24_ASSIGN(rule.name, in.text("name", true));
  if (!is_rule_name(rule.name)) return in.bad("name", "at most 63 letters and digits");
  MYDR24_ASSIGN(rule.metric, in.text("metric", true));
  MYDR24_ASSIGN(rule.comparison, in.word<Comparison>("comparison", comparisons));
  MYDR24_ASSIGN(rule.limit, in.number("limit", std::nullopt));
  MYDR24_ASSIGN(rule.clear, in.number("clear", rule.limit));
  // Where it is over it must not be beyond the limit, or it would begin again at once.
  const bool upward = rule.comparison == Comparison::above || rule.comparison == Comparison::at_least;
  if (upward ? rule.clear > rule.limit : rule.clear < rule.limit)
    return in.bad("clear", "it lies on the good side of the limit");
  MYDR24_ASSIGN(rule.hold, in.time("hold_s"));
  MYDR24_ASSIGN(rule.clear_for, in.time("clear_s"));
  MYDR24_ASSIGN(rule.severity, in.word<Severity>("severity", severities));
  MYDR24_ASSIGN(rule.category, in.word<Category>("category", categories));
  MYDR24_ASSIGN(rule.title, in.text("title", true));
  MYDR24_ASSIGN(rule.tells_missing, in.truth("tells_missing", true));
  MYDR24_ASSIGN(rule.is_enabled, in.truth("enabled", true));
  MYDR24_ASSIGN(rule.service, in.text("service", false));
  MYDR24_ASSIGN(rule.unless, in.names("unless"));
  const json::Value actions = in.value["actions"];
  if (!actions.is_array() || actions.size() == 0 || actions.size() > actions_max)
    return in.bad("actions", fmt::format("what to do: 1 to {} texts", actions_max));
  for (const json::Value action : actions) {
    if (!action.is_string() || action.text().empty() || action.text().size() > text_bytes_max)
      return in.bad("actions", fmt::format("texts of at most {} bytes", text_bytes_max));
    rule.actions.emplace_back(action.text());
  }
  return rule;
}

}  // namespace

std::string_view to_string(Comparison comparison) { return comparisons[static_cast<std::size_t>(comparison)]; }
std::string_view to_string(Severity severity) { return severities[static_cast<std::size_t>(severity)]; }
std::string_view to_string(Category category) { return categories[static_cast<std::size_t>(category)]; }

bool is_beyond(Comparison comparison, double value, double limit) {
  switch (comparison) {
    case Comparison::above:
      return value > limit;
    case Comparison::at_least:
      return value >= limit;
    case Comparison::below:
      return value < limit;
    case Comparison::at_most:
      return value <= limit;
  }
  return false;
}

alerts::Severity book_severity(Severity severity) {
  switch (severity) {
    case Severity::emergency:
      return alerts::Severity::emergency;
    case Severity::critical:
    case Severity::high:
      return alerts::Severity::urgent;
    default:
      return alerts::Severity::advisory;
  }
}

std::string_view policy_of(Severity severity) {
  switch (severity) {
    case Severity::emergency:
      return "operations-emergency";
    case Severity::critical:
      return "operations-critical";
    default:
      return "operations-high";
  }
}

const std::vector<Rule>& default_rules() { return table; }

Result<std::vector<Rule>> rules_of(json::Value list) {
  if (!list.is_array()) return fail(Code::invalid, "a list of rules is needed here", "rules");
  if (list.size() > rules_max) return fail(Code::too_large, fmt::format("at most {} rules", rules_max), "rules");
  std::vector<Rule> rules;
  std::set<std::string, std::less<>> names;
  for (const json::Value each : list) {
    const Reader in{each, fmt::format("rules[{}]", rules.size())};
    if (!each.is_object()) return fail(Code::invalid, "a JSON object is needed here", in.where);
    MYDR24_ASSIGN(Rule rule, read_rule(in));
    if (!names.insert(rule.name).second) return in.bad("name", "there are two rules with this name");
    rules.push_back(std::move(rule));
  }
  return rules;
}

void write(json::Writer& out, const Rule& rule) {
  const auto time_s = [](milliseconds time) { return static_cast<double>(time.count()) / 1e3; };
  out.begin_object().field("name", rule.name).field("metric", rule.metric);
  out.field("comparison", to_string(rule.comparison)).field("limit", rule.limit).field("clear", rule.clear);
  out.field("hold_s", time_s(rule.hold)).field("clear_s", time_s(rule.clear_for));
  out.field("severity", to_string(rule.severity)).field("category", to_string(rule.category));
  if (!rule.service.empty()) out.field("service", rule.service);
  if (!rule.unless.empty()) {
    out.key("unless").begin_array();
    for (const std::string& name : rule.unless) out.string(name);
    out.end_array();
  }
  out.field("title", rule.title).key("actions").begin_array();
  for (const std::string& action : rule.actions) out.string(action);
  out.end_array().field("tells_missing", rule.tells_missing).field("enabled", rule.is_enabled).end_object();
}

std::string title_of(const Rule& rule, double value) {
  constexpr std::string_view mark = "{value}";
  std::string title = rule.title;
  if (const auto at = title.find(mark); at != std::string::npos)
    title.replace(at, mark.size(), fmt::format("{:.6g}", value));
  return title;
}

}  // namespace mydr24::monitor
