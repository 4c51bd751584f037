#include "app/gameday/report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "base/json/writer.h"

namespace mydr24::gameday {
namespace {

std::string seconds(const std::optional<double>& time) { return time ? fmt::format("{:.1f} s", *time) : "-"; }

std::string called(const Outcome& outcome) {
  std::vector<std::string> words;
  words.reserve(outcome.calls.size());
  for (const Call& call : outcome.calls)
    words.push_back(fmt::format("{} by {} {:.1f} s", call.who, call.medium, call.after_s));
  return words.empty() ? "nobody" : fmt::format("{}", fmt::join(words, ", "));
}

void write_time(json::Writer& out, std::string_view name, const std::optional<double>& time) {
  if (time) out.field(name, *time);
}

void write(json::Writer& out, const Outcome& outcome) {
  out.begin_object().field("break", outcome.name).field("means", outcome.means);
  out.field("verdict", verdict(outcome));
  if (!outcome.impossible.empty()) out.field("impossible", outcome.impossible);
  if (!outcome.finding.empty()) out.field("finding", outcome.finding);
  write_time(out, "detected_s", outcome.detected_s);
  out.key("incidents").begin_array();
  for (const OpenedIncident& each : outcome.incidents) {
    out.begin_object().field("id", each.id).field("severity", each.severity).field("title", each.title);
    out.field("opened_s", each.after_s).end_object();
  }
  out.end_array().field("severity_wanted", outcome.severity).key("people_wanted").begin_array();
  for (const std::string& who : outcome.people) out.string(who);
  out.end_array().field("from_memory", outcome.from_memory).key("calls").begin_array();
  for (const Call& call : outcome.calls)
    out.begin_object()
        .field("who", call.who)
        .field("medium", call.medium)
        .field("after_s", call.after_s)
        .field("about", call.about)
        .end_object();
  out.end_array();
  write_time(out, "all_called_s", outcome.all_called_s());
  write_time(out, "repaired_s", outcome.repaired_s);
  write_time(out, "rolled_back_s", outcome.rolled_back_s);
  write_time(out, "resolved_s", outcome.resolved_s);
  out.field("late_s", outcome.late_s);
  out.field("writes_taken", outcome.writes_taken).field("writes_refused", outcome.writes_refused);
  out.key("problems").begin_array();
  for (const std::string& problem : outcome.problems()) out.string(problem);
  out.end_array().end_object();
}

}  // namespace

std::string verdict(const Outcome& outcome) {
  if (!outcome.impossible.empty()) return "not done";
  if (outcome.is_void()) return "void";
  return outcome.holds() ? "holds" : "FAILED";
}

std::optional<double> Outcome::all_called_s() const {
  double last = 0;
  for (const std::string& who : people) {
    const auto first = std::ranges::find(calls, who, &Call::who);
    if (first == calls.end()) return std::nullopt;
    last = std::max(last, first->after_s);
  }
  return last;
}

std::vector<std::string> Outcome::problems() const {
  std::vector<std::string> found = other;
  if (!impossible.empty()) return found;
  const auto within = [&](std::string_view what, const std::optional<double>& time, double most) {
    if (!time)
      found.push_back(fmt::format("it was not {}", what));
    else if (*time > most)
      found.push_back(fmt::format("it was {} after {:.1f} s; the bar is {:g} s", what, *time, most));
  };
  within("detected", detected_s, detected_max_s);
  if (incidents.size() != 1)
    found.push_back(fmt::format("{} incidents were opened; it is one trouble", incidents.size()));
  for (const OpenedIncident& each : incidents)
    if (each.severity != severity)
      found.push_back(fmt::format("incident {} is {}; it must be {}", each.id, each.severity, severity));
  for (const std::string& who : people)
    if (std::ranges::find(calls, who, &Call::who) == calls.end())
      found.push_back(fmt::format("{} was not called", who));
  if (const auto time = all_called_s(); time && *time > called_max_s)
    found.push_back(fmt::format("the last one was called after {:.1f} s; the bar is {:g} s", *time, called_max_s));
  std::set<std::string> others;
  for (const Call& call : calls)
    if (std::ranges::find(people, call.who) == people.end() && others.insert(call.who).second)
      found.push_back(fmt::format("{} was called ({}): it is not theirs", call.who, call.about));
  if (has_rollback) within("rolled back", rolled_back_s, rolled_back_max_s);
  if (!resolved_s) found.emplace_back("its incident could not be resolved");
  return found;
}

bool Report::holds() const {
  return !outcomes.empty() && std::ranges::all_of(outcomes, [](const Outcome& each) { return each.holds(); });
}

std::string to_table(const Report& report) {
  std::string text = fmt::format("{:<24} {:>9} {:<9} {:>8} {:>8} {:>9} {:>9} {:<8}\n", "break", "detected", "severity",
                                 "called", "opened", "repaired", "resolved", "verdict");
  for (const Outcome& each : report.outcomes) {
    const bool opened = !each.incidents.empty();
    text += fmt::format("{:<24} {:>9} {:<9} {:>8} {:>8} {:>9} {:>9} {:<8}\n", each.name, seconds(each.detected_s),
                        opened ? each.incidents.front().severity : "-", seconds(each.all_called_s()),
                        opened ? seconds(each.incidents.front().after_s) : "-",
                        seconds(each.has_rollback ? each.rolled_back_s : each.repaired_s), seconds(each.resolved_s),
                        verdict(each));
  }
  for (const Outcome& each : report.outcomes) {
    text += fmt::format("\n{}: {}\n", each.name, each.means);
    if (!each.impossible.empty()) {
      text += fmt::format("  not done on this machine: {}\n", each.impossible);
      continue;
    }
    text += fmt::format("  found     {}\n", each.finding.empty() ? "nothing" : each.finding);
    for (const OpenedIncident& incident : each.incidents)
      text += fmt::format("  incident  {} {}: {}\n", incident.id, incident.severity, incident.title);
    text += fmt::format("  called    {}{}\n", called(each), each.from_memory ? " (first from memory)" : "");
    if (each.has_rollback)
      text += fmt::format("  back      rolled back by itself after {}\n", seconds(each.rolled_back_s));
    text += fmt::format("  load      {} writes taken, {} refused while it lasted\n", each.writes_taken,
                        each.writes_refused);
    if (each.is_void())
      text += fmt::format("  void      the machine was too loaded: the game got the processor {:.1f} s late\n",
                          each.late_s);
    for (const std::string& problem : each.problems()) text += fmt::format("  FAILED    {}\n", problem);
  }
  text += fmt::format("\n{} in {:.0f} s\n", report.holds() ? "All of it holds" : "NOT all of it holds", report.seconds);
  return text;
}

std::string to_json(const Report& report) {
  std::string text;
  json::Writer out(text);
  out.begin_object().field("schema", "mydr24.gameday.v1").field("holds", report.holds());
  out.field("seconds", report.seconds).key("breaks").begin_array();
  for (const Outcome& each : report.outcomes) write(out, each);
  out.end_array().end_object();
  return text;
}

}  // namespace mydr24::gameday
