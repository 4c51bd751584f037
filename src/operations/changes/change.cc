#include "operations/changes/change.h"

#include <algorithm>
#include <array>

#include "operations/changes/detail/members.h"

namespace mydr24::changes {
namespace {

constexpr std::array states{"proposed",        "approved", "running",           "paused",  "rolling_back",
                            "successful",      "failed",   "validation_failed", "aborted", "rolled_back",
                            "rollback_failed", "rejected", "withdrawn"};
constexpr std::array phases{"before", "steps", "after", "way_back", "verify_way_back"};
constexpr std::array measurements{"success", "failure", "inconclusive", "error"};

template <std::size_t count>
std::size_t place(const std::array<const char*, count>& words, std::string_view text) {
  return static_cast<std::size_t>(std::ranges::find(words, text) - words.begin()) % count;
}

std::optional<Instant> time_in(json::Value text) {
  const auto range = text ? parse_date_time(text.text()) : std::nullopt;
  return range ? std::optional(range->low) : std::nullopt;
}

int int_in(json::Value value) {
  int number = 0;
  const auto text = value.text();
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::optional<Instant> us_in(json::Value value) {
  if (!value) return std::nullopt;
  std::int64_t us = 0;
  const auto text = value.text();
  std::from_chars(text.data(), text.data() + text.size(), us);
  return from_us(us);
}

double double_in(json::Value value) {
  double number = 0;
  const auto text = value.text();
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

void time(json::Writer& out, std::string_view name, const std::optional<Instant>& at) {
  if (at) out.field(name, format_instant(*at));
}

void write_numbers(json::Writer& out, std::string_view name, const std::vector<double>& values) {
  out.key(name).begin_array();
  for (const double each : values) out.number(each);
  out.end_array();
}

void write_run(json::Writer& out, const Run& run) {
  out.key("run").begin_object().field("owner", run.owner).field("phase", to_string(run.phase));
  out.field("step", run.step).field("begun", run.begun);
  if (run.until) out.field("until_us", to_us(*run.until));
  if (run.deadline) out.field("deadline_us", to_us(*run.deadline));
  out.key("measurements").begin_array();
  for (const auto each : run.measurements) out.string(measurements[static_cast<std::size_t>(each)]);
  out.end_array();
  write_numbers(out, "canary", run.canary);
  write_numbers(out, "control", run.control);
  out.key("undo").begin_array();
  for (const auto& each : run.undo) {
    out.begin_object();
    if (each.scaled.empty())
      out.field("setting", each.setting).field("version", each.version).field("made", each.made);
    else
      out.field("scale", each.scaled).field("number", each.number);
    out.end_object();
  }
  out.end_array().field("because", run.because).field("ends_as", to_string(run.ends_as)).field("abort", run.abort);
  out.key("log").begin_array();
  for (const auto& entry : run.log) {
    out.begin_object().field("at", format_instant(entry.at)).field("phase", to_string(entry.phase));
    out.field("step", entry.step).field("name", entry.name).field("ok", entry.ok).field("text", entry.text);
    out.end_object();
  }
  out.end_array().end_object();
}

Run read_run(json::Value value) {
  Run run;
  run.owner = value["owner"].text();
  run.phase = static_cast<Phase>(place(phases, value["phase"].text()));
  run.step = int_in(value["step"]);
  run.begun = value["begun"].is_true();
  run.until = us_in(value["until_us"]);
  run.deadline = us_in(value["deadline_us"]);
  for (const auto each : value["measurements"])
    run.measurements.push_back(static_cast<judge::Measurement>(place(measurements, each.text())));
  for (const auto each : value["canary"]) run.canary.push_back(double_in(each));
  for (const auto each : value["control"]) run.control.push_back(double_in(each));
  for (const auto each : value["undo"])
    run.undo.push_back({std::string(each["setting"].text()), int_in(each["version"]), int_in(each["made"]),
                        std::string(each["scale"].text()), int_in(each["number"])});
  run.because = value["because"].text();
  run.ends_as = static_cast<State>(place(states, value["ends_as"].text()));
  run.abort = value["abort"].text();
  for (const auto each : value["log"])
    run.log.push_back({time_in(each["at"]).value_or(Instant()), static_cast<Phase>(place(phases, each["phase"].text())),
                       int_in(each["step"]), std::string(each["name"].text()), each["ok"].is_true(),
                       std::string(each["text"].text())});
  return run;
}

void write_people(json::Writer& out, const Change& change) {
  out.key("approvals").begin_array();
  for (const auto& each : change.approvals) {
    out.begin_object().field("member", each.member).field("digest", each.digest);
    out.field("at", format_instant(each.at)).field("seal", each.seal).end_object();
  }
  out.end_array().key("rehearsals").begin_array();
  for (const auto& each : change.rehearsals) {
    out.begin_object().field("at", format_instant(each.at)).field("by", each.by).field("evidence", each.evidence);
    out.field("digest", each.digest).field("rolled_back", each.rolled_back).end_object();
  }
  out.end_array();
}

Risk read_risk(json::Value value) {
  Risk risk;
  risk.score = double_in(value["score"]);
  risk.level = parse_level(value["level"].text()).value_or(Level::critical);
  risk.reason = value["reason"].text();
  for (const auto each : value["factors"])
    risk.factors.push_back({std::string(each["name"].text()), double_in(each["weight"]), double_in(each["value"]),
                            std::string(each["text"].text())});
  return risk;
}

}  // namespace

std::string_view to_string(State state) { return states[static_cast<std::size_t>(state)]; }
std::string_view to_string(Phase phase) { return phases[static_cast<std::size_t>(phase)]; }
std::optional<State> parse_state(std::string_view text) {
  const auto found = std::ranges::find(states, text);
  return found == states.end() ? std::nullopt : std::optional(static_cast<State>(found - states.begin()));
}

std::string to_json(const Change& change) {
  std::string text;
  json::Writer out(text);
  out.begin_object().field("id", change.id).field("title", change.plan.title).field("state", to_string(change.state));
  out.field("type", to_string(change.plan.type)).field("kind", to_string(change.plan.kind));
  out.field("service", change.plan.service).field("requested_by", change.requested_by);
  out.field("digest", change.plan.digest).key("risk").raw(to_json(change.risk));
  time(out, "proposed", change.proposed);
  time(out, "edited", change.edited);
  time(out, "approved", change.approved);
  time(out, "starts", change.starts);
  time(out, "started", change.started);
  time(out, "failed_at", change.failed_at);
  time(out, "succeeded", change.succeeded);
  time(out, "finished", change.finished);
  time(out, "reviewed", change.reviewed);
  out.field("started_by", change.started_by).field("review", change.review).field("reviewed_by", change.reviewed_by);
  out.field("reason", change.reason).field("review_overdue", change.review_overdue);
  out.field("not_started", change.not_started);
  write_people(out, change);
  if (change.run) write_run(out, *change.run);
  out.key("plan").raw(change.plan.text).end_object();
  return text;
}

Result<Change> parse_change(std::string_view text) {
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(text));
  const auto root = document.root();
  Change change;
  change.id = root["id"].text();
  change.requested_by = root["requested_by"].text();
  change.state = parse_state(root["state"].text()).value_or(State::withdrawn);
  MYDR24_ASSIGN(change.plan, parse_plan(root["plan"].raw()));
  change.risk = read_risk(root["risk"]);
  for (const auto each : root["approvals"])
    change.approvals.push_back({std::string(each["member"].text()), std::string(each["digest"].text()),
                                time_in(each["at"]).value_or(Instant()), std::string(each["seal"].text())});
  for (const auto each : root["rehearsals"])
    change.rehearsals.push_back({time_in(each["at"]).value_or(Instant()), std::string(each["by"].text()),
                                 std::string(each["evidence"].text()), std::string(each["digest"].text()),
                                 each["rolled_back"].is_true()});
  change.proposed = time_in(root["proposed"]).value_or(Instant());
  change.edited = time_in(root["edited"]).value_or(change.proposed);
  change.approved = time_in(root["approved"]);
  change.starts = time_in(root["starts"]);
  change.started = time_in(root["started"]);
  change.failed_at = time_in(root["failed_at"]);
  change.succeeded = time_in(root["succeeded"]);
  change.finished = time_in(root["finished"]);
  change.reviewed = time_in(root["reviewed"]);
  change.started_by = root["started_by"].text();
  change.review = root["review"].text();
  change.reviewed_by = root["reviewed_by"].text();
  change.reason = root["reason"].text();
  change.review_overdue = root["review_overdue"].is_true();
  change.not_started = root["not_started"].text();
  if (root["run"]) change.run = read_run(root["run"]);
  return change;
}

}  // namespace mydr24::changes
