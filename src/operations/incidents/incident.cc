#include "operations/incidents/incident.h"

#include <fmt/format.h>

#include <charconv>

#include "base/core/date_time.h"
#include "base/json/document.h"
#include "base/json/writer.h"

namespace mydr24::incidents {
namespace {

constexpr std::array<std::string_view, 5> state_names{"open", "acknowledged", "mitigated", "resolved", "closed"};

std::int64_t number_in(json::Value value) {
  const std::string_view digits = value.text();
  std::int64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

std::string text_in(json::Value value) { return std::string(value.text()); }

std::optional<Instant> time_in(json::Value value) {
  if (!value) return std::nullopt;
  return from_us(number_in(value));
}

std::vector<std::string> texts_in(json::Value value) {
  std::vector<std::string> all;
  for (const json::Value each : value) all.emplace_back(each.text());
  return all;
}

void write_text(json::Writer& out, std::string_view name, const std::string& text) {
  if (!text.empty()) out.field(name, text);
}

// Read back from "..._us": an instant in words has milliseconds only, and clocks are exact.
void write_time(json::Writer& out, std::string_view name, const std::optional<Instant>& at) {
  if (at) out.field(name, format_instant(*at)).field(fmt::format("{}_us", name), to_us(*at));
}

std::optional<Instant> time_of(json::Value object, std::string_view name) {
  return time_in(object[fmt::format("{}_us", name)]);
}

void write_texts(json::Writer& out, std::string_view name, const std::vector<std::string>& texts) {
  if (texts.empty()) return;
  out.key(name).begin_array();
  for (const std::string& each : texts) out.string(each);
  out.end_array();
}

void write_classified(json::Writer& out, const Classification& classified) {
  out.key("classified").begin_object().field("severity", to_string(classified.severity));
  write_text(out, "rule", classified.rule);
  write_texts(out, "terms", classified.terms);
  if (!classified.alternatives.empty()) {
    out.key("alternatives").begin_array();
    for (const auto& each : classified.alternatives) {
      out.begin_object().field("rule", each.rule).field("severity", to_string(each.severity));
      write_texts(out, "terms", each.terms);
      out.end_object();
    }
    out.end_array();
  }
  out.end_object();
}

Classification classified_of(json::Value from) {
  Classification made{.severity = parse_severity(from["severity"].text()).value_or(Severity::high),
                      .rule = text_in(from["rule"]),
                      .terms = texts_in(from["terms"])};
  for (const json::Value each : from["alternatives"])
    made.alternatives.push_back({text_in(each["rule"]),
                                 parse_severity(each["severity"].text()).value_or(Severity::high),
                                 texts_in(each["terms"])});
  return made;
}

void write_clocks(json::Writer& out, const Incident& incident) {
  out.key("clocks").begin_object();
  for (const ClockKind kind : clock_kinds) {
    const Countdown& clock = incident.clock(kind);
    out.key(to_string(kind)).begin_object().field("time_s", clock.time.count());
    write_time(out, "start", clock.start);
    out.field("due", format_instant(incident.due(kind)));
    write_time(out, "stopped", clock.stopped);
    out.field("told", clock.told).field("breached", clock.is_breached()).end_object();
  }
  out.end_object();
}

void write_tasks(json::Writer& out, const std::vector<ToDo>& tasks) {
  if (tasks.empty()) return;
  out.key("tasks").begin_array();
  for (const ToDo& task : tasks) {
    out.begin_object().field("text", task.text);
    write_text(out, "runbook", task.runbook);
    write_text(out, "owner", task.owner);
    write_text(out, "done_by", task.done_by);
    write_time(out, "done_at", task.done_at);
    out.end_object();
  }
  out.end_array();
}

void write_review(json::Writer& out, const Review& review) {
  out.key("review").begin_object();
  write_time(out, "opened", review.opened);
  write_time(out, "due", review.due);
  write_text(out, "owner", review.owner);
  write_text(out, "summary", review.summary);
  write_text(out, "impact", review.impact);
  write_text(out, "root_cause", review.root_cause);
  out.key("actions").begin_array();
  for (const Action& action : review.actions) {
    out.begin_object().field("text", action.text);
    write_text(out, "owner", action.owner);
    write_time(out, "due", action.due);
    write_text(out, "done_by", action.done_by);
    write_time(out, "done_at", action.done_at);
    if (action.overdue) out.field("overdue", true);
    out.end_object();
  }
  out.end_array();
  if (review.overdue) out.field("overdue", true);
  write_text(out, "closed_by", review.closed_by);
  write_time(out, "closed", review.closed);
  out.end_object();
}

std::optional<Review> review_of(json::Value from) {
  if (!from) return std::nullopt;
  Review review{.opened = time_of(from, "opened").value_or(Instant()),
                .due = time_of(from, "due").value_or(Instant()),
                .owner = text_in(from["owner"]),
                .summary = text_in(from["summary"]),
                .impact = text_in(from["impact"]),
                .root_cause = text_in(from["root_cause"]),
                .overdue = from["overdue"].is_true(),
                .closed_by = text_in(from["closed_by"]),
                .closed = time_of(from, "closed")};
  for (const json::Value each : from["actions"])
    review.actions.push_back({text_in(each["text"]), text_in(each["owner"]), time_of(each, "due"),
                              text_in(each["done_by"]), time_of(each, "done_at"), each["overdue"].is_true()});
  return review;
}

void write_lists(json::Writer& out, const Incident& incident) {
  write_texts(out, "alerts", incident.alerts);
  write_texts(out, "patients", incident.patients);
  write_texts(out, "links", incident.links);
  out.key("roles").begin_object();
  for (const auto& [role, person] : incident.roles) out.field(role, person);
  out.end_object();
  write_texts(out, "runbooks", incident.runbooks);
  write_tasks(out, incident.tasks);
  if (!incident.publications.empty()) {
    out.key("publications").begin_array();
    for (const Publication& each : incident.publications) {
      out.begin_object();
      write_time(out, "at", each.at);
      out.field("text", each.text).end_object();
    }
    out.end_array();
  }
  if (!incident.duplicates.empty()) {
    out.key("duplicates").begin_array();
    for (const Duplicate& each : incident.duplicates)
      out.begin_object().field("id", each.id).field("head", each.head).end_object();
    out.end_array();
  }
}

void write_steps(json::Writer& out, const Incident& incident) {
  write_time(out, "opened_at", incident.opened_at);
  out.field("opened_by", incident.opened_by);
  write_time(out, "acknowledged_at", incident.acknowledged_at);
  write_text(out, "acknowledged_by", incident.acknowledged_by);
  write_time(out, "mitigated_at", incident.mitigated_at);
  write_text(out, "mitigated_by", incident.mitigated_by);
  write_time(out, "resolved_at", incident.resolved_at);
  write_text(out, "resolved_by", incident.resolved_by);
  write_text(out, "resolution", incident.resolution);
  write_time(out, "closed_at", incident.closed_at);
  write_text(out, "closed_by", incident.closed_by);
}

void read_lists(json::Value from, Incident& made) {
  made.alerts = texts_in(from["alerts"]);
  made.patients = texts_in(from["patients"]);
  made.links = texts_in(from["links"]);
  for (const json::Value role : from["roles"]) made.roles[std::string(role.key())] = role.text();
  made.runbooks = texts_in(from["runbooks"]);
  for (const json::Value each : from["tasks"])
    made.tasks.push_back({text_in(each["text"]), text_in(each["runbook"]), text_in(each["owner"]),
                          text_in(each["done_by"]), time_of(each, "done_at")});
  for (const json::Value each : from["publications"])
    made.publications.push_back({time_of(each, "at").value_or(Instant()), text_in(each["text"])});
  for (const json::Value each : from["duplicates"])
    made.duplicates.push_back({text_in(each["id"]), text_in(each["head"])});
}

void read_steps(json::Value from, Incident& made) {
  made.opened_at = time_of(from, "opened_at").value_or(Instant());
  made.opened_by = text_in(from["opened_by"]);
  made.acknowledged_at = time_of(from, "acknowledged_at");
  made.acknowledged_by = text_in(from["acknowledged_by"]);
  made.mitigated_at = time_of(from, "mitigated_at");
  made.mitigated_by = text_in(from["mitigated_by"]);
  made.resolved_at = time_of(from, "resolved_at");
  made.resolved_by = text_in(from["resolved_by"]);
  made.resolution = text_in(from["resolution"]);
  made.closed_at = time_of(from, "closed_at");
  made.closed_by = text_in(from["closed_by"]);
  made.paused_at = time_of(from, "paused_at");
  made.paused_reason = text_in(from["paused_reason"]);
  made.paused = Microseconds(number_in(from["paused_us"]));
  for (const ClockKind kind : clock_kinds) {
    const json::Value clock = from["clocks"][to_string(kind)];
    made.clock(kind) = {.start = time_of(clock, "start").value_or(Instant()),
                        .time = std::chrono::seconds(number_in(clock["time_s"])),
                        .stopped = time_of(clock, "stopped"),
                        .told = static_cast<int>(number_in(clock["told"]))};
  }
}

}  // namespace

std::string_view to_string(State state) { return state_names[static_cast<std::size_t>(state)]; }
std::string_view to_string(ClockKind kind) { return kind == ClockKind::response ? "response" : "resolution"; }

Instant Incident::due(ClockKind kind, int percent) const {
  const Countdown& of = clock(kind);
  return of.start + std::chrono::duration_cast<Microseconds>(of.time) * percent / 100 +
         (kind == ClockKind::resolution ? paused : Microseconds(0));
}

std::string to_json(const Incident& incident) {
  std::string text;
  json::Writer out(text);
  out.begin_object().field("id", incident.id).field("severity", to_string(incident.severity));
  out.field("state", to_string(incident.state)).field("title", incident.title).field("cause", incident.cause);
  write_text(out, "text", incident.text);
  write_text(out, "status", incident.status);
  write_text(out, "service", incident.service);
  out.field("source", incident.source);
  write_classified(out, incident.classified);
  write_text(out, "severity_by", incident.severity_by);
  write_steps(out, incident);
  write_clocks(out, incident);
  write_time(out, "paused_at", incident.paused_at);
  write_text(out, "paused_reason", incident.paused_reason);
  if (incident.paused.count() > 0) out.field("paused_us", incident.paused.count());
  if (incident.escalated) out.field("escalated", true);
  write_text(out, "team", incident.team);
  write_text(out, "policy", incident.policy);
  write_text(out, "page", incident.page);
  if (incident.breach) out.field("breach", true);
  if (incident.told_outside) out.field("told_outside", true);
  out.field("alert_count", incident.alert_count);
  write_lists(out, incident);
  write_text(out, "merged_into", incident.merged_into);
  if (incident.review) write_review(out, *incident.review);
  out.field("entries", incident.entries).field("head", incident.head).end_object();
  return text;
}

std::string summary_json(const Incident& incident) {
  std::string text;
  json::Writer out(text);
  out.begin_object().field("id", incident.id).field("severity", to_string(incident.severity));
  out.field("state", to_string(incident.state)).field("title", incident.title);
  write_text(out, "service", incident.service);
  out.field("opened_at", format_instant(incident.opened_at));
  if (incident.acknowledged_at) out.field("acknowledged_at", format_instant(*incident.acknowledged_at));
  write_text(out, "acknowledged_by", incident.acknowledged_by);
  if (incident.mitigated_at) out.field("mitigated_at", format_instant(*incident.mitigated_at));
  if (incident.resolved_at) out.field("resolved_at", format_instant(*incident.resolved_at));
  for (const ClockKind kind : clock_kinds) {
    const Countdown& clock = incident.clock(kind);
    const std::string_view name = to_string(kind);
    out.field(fmt::format("{}_s", name), clock.time.count());
    out.field(fmt::format("{}_due", name), format_instant(incident.due(kind)));
    if (clock.stopped) out.field(fmt::format("{}_stopped", name), format_instant(*clock.stopped));
  }
  if (incident.paused_at) out.field("paused_at", format_instant(*incident.paused_at));
  out.field("breached", incident.clocks[0].is_breached() || incident.clocks[1].is_breached());
  out.field("alert_count", incident.alert_count);
  out.field("patient_count", static_cast<std::int64_t>(incident.patients.size()));
  if (const auto commander = incident.roles.find("commander"); commander != incident.roles.end())
    out.field("commander", commander->second);
  if (!incident.publications.empty()) out.field("published", incident.publications.back().text);
  write_text(out, "merged_into", incident.merged_into);
  if (incident.review && !incident.review->closed)
    out.field("review_due", format_instant(incident.review->due)).field("review_overdue", incident.review->overdue);
  out.end_object();
  return text;
}

Result<Incident> incident_of(std::string_view text) {
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(text));
  const json::Value from = document.root();
  Incident made;
  made.id = text_in(from["id"]);
  made.severity = parse_severity(from["severity"].text()).value_or(Severity::high);
  for (std::size_t i = 0; i < state_names.size(); ++i)
    if (from["state"].text() == state_names[i]) made.state = static_cast<State>(i);
  made.title = text_in(from["title"]);
  made.cause = text_in(from["cause"]);
  made.text = text_in(from["text"]);
  made.status = text_in(from["status"]);
  made.service = text_in(from["service"]);
  made.source = text_in(from["source"]);
  made.classified = classified_of(from["classified"]);
  made.severity_by = text_in(from["severity_by"]);
  read_steps(from, made);
  made.escalated = from["escalated"].is_true();
  made.team = text_in(from["team"]);
  made.policy = text_in(from["policy"]);
  made.page = text_in(from["page"]);
  made.breach = from["breach"].is_true();
  made.told_outside = from["told_outside"].is_true();
  made.alert_count = number_in(from["alert_count"]);
  read_lists(from, made);
  made.merged_into = text_in(from["merged_into"]);
  made.review = review_of(from["review"]);
  made.entries = number_in(from["entries"]);
  made.head = text_in(from["head"]);
  return made;
}

}  // namespace mydr24::incidents
