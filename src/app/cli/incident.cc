#include "app/cli/incident.h"

#include <fmt/format.h>

#include <ostream>
#include <vector>

#include "app/cli/desk_client.h"
#include "app/cli/yaml.h"
#include "base/json/writer.h"
#include "base/net/uri.h"

namespace mydr24::cli {
namespace {

using net::Method;

std::string target(const IncidentOptions& options, std::string_view rest) {
  return fmt::format("/api/v1/incidents/{}{}", net::percent_encode(options.id), rest);
}

using Members = std::vector<std::pair<std::string_view, std::string_view>>;

// Those that are empty are left out.
std::string object(const Members& members, std::string_view flag = {}) {
  std::string text;
  json::Writer out(text);
  out.begin_object();
  for (const auto& [name, value] : members)
    if (!value.empty()) out.field(name, value);
  if (!flag.empty()) out.field(flag, true);
  out.end_object();
  return text;
}

void print_summary(std::ostream& out, json::Value incident) {
  out << fmt::format("{:<9}  {:<12}  {}  {}{}  {}\n", incident["severity"].text(), incident["state"].text(),
                     incident["opened_at"].text(), incident["id"].text(),
                     incident["breached"].is_true() ? "  (late)" : "", incident["title"].text());
}

struct Request {
  std::string path, body;
};

// Where the subcommand goes, and what it sends.
Request request_of(const IncidentOptions& options) {
  const std::string_view action = options.action, by = options.by;
  const auto of = [&](std::string_view rest, const Members& members, std::string_view flag = {}) {
    return Request{target(options, rest), object(members, flag)};
  };
  if (action == "resolve") return of("/resolve", {{"by", by}, {"how", options.words}});
  if (action == "pause") return of("/pause", {{"by", by}, {"reason", options.words}});
  if (action == "severity")
    return of("/severity", {{"by", by}, {"severity", options.words}, {"reason", options.reason}});
  if (action == "merge") return of("/merge", {{"by", by}, {"into", options.words}});
  if (action == "note") return of("/notes", {{"by", by}, {"text", options.words}});
  if (action == "role") return of("/roles", {{"by", by}, {"role", options.words}, {"person", options.more}});
  if (action == "task") return of("/tasks", {{"by", by}, {"text", options.words}, {"owner", options.owner}});
  if (action == "done") return of(fmt::format("/tasks/{}/done", net::percent_encode(options.words)), {{"by", by}});
  if (action == "link") return of("/links", {{"by", by}, {"link", options.words}});
  if (action == "publish") return of("/publish", {{"by", by}, {"text", options.words}});
  if (action == "review")
    return of("/review", {{"by", by},
                          {"owner", options.owner},
                          {"summary", options.summary},
                          {"impact", options.impact},
                          {"root_cause", options.root_cause}});
  if (action == "action")
    return of(options.place < 0 ? std::string("/review/actions") : fmt::format("/review/actions/{}", options.place),
              {{"by", by}, {"text", options.words}, {"owner", options.owner}, {"due", options.due}},
              options.done ? "done" : "");
  if (action == "close-review") return of("/review/close", {{"by", by}});
  // ack, mitigate, resume, close
  return of(fmt::format("/{}", action), {{"by", by}, {"note", options.text}});
}

void print_review(std::ostream& out, json::Value review) {
  if (!review) return;
  out << fmt::format("  review {}{}\n", review["closed"] ? "closed " : "due ",
                     review["closed"] ? review["closed"].text() : review["due"].text());
  std::size_t place = 0;
  for (const json::Value action : review["actions"])
    out << fmt::format("    {} {}  {}  {}{}\n", place++,
                       action["owner"] ? action["owner"].text() : std::string_view("nobody"),
                       action["due"] ? action["due"].text() : std::string_view("no date"), action["text"].text(),
                       action["done_at"] ? "  (done)" : "");
}

void print_incident(std::ostream& out, json::Value incident) {
  print_summary(out, incident);
  for (const std::string_view name : {"text", "service", "team", "acknowledged_by", "resolution", "merged_into"})
    if (incident[name]) out << fmt::format("  {}: {}\n", name, incident[name].text());
  const json::Value classified = incident["classified"];
  if (classified["rule"]) {
    out << fmt::format("  classified by \"{}\":", classified["rule"].text());
    for (const json::Value term : classified["terms"]) out << ' ' << term.text();
    out << '\n';
  }
  for (const json::Value clock : incident["clocks"])
    out << fmt::format("  {}: due {}{}{}\n", clock.key(), clock["due"].text(), clock["stopped"] ? ", stopped" : "",
                       clock["breached"].is_true() ? ", late" : "");
  if (const json::Value impact = incident["impact"])
    out << fmt::format("  patients: about {}; services: {}; wards: {}\n", impact["patients"].text(),
                       impact["services"].size(), impact["wards"].size());
  for (const json::Value role : incident["roles"]) out << fmt::format("  {}: {}\n", role.key(), role.text());
  std::size_t place = 0;
  for (const json::Value task : incident["tasks"])
    out << fmt::format("  [{}] {} {}\n", task["done_at"] ? "x" : " ", place++, task["text"].text());
  print_review(out, incident["review"]);
}

Result<std::string> read_setup(const std::string& path) {
  MYDR24_ASSIGN(const std::string text, read_input(path));
  auto json = yaml_to_json(text);
  if (!json) return fail(json.error().code, json.error().text, path);
  return json;
}

int print_setup(const Result<json::Document>& answer, const Terminal& terminal) {
  return show(answer, terminal, [&](json::Value root) {
    terminal.out << fmt::format("version {}\n", root["version"].text());
    for (const json::Value each : root["failed_vectors"]) terminal.out << "fails: " << each.text() << '\n';
    for (const json::Value each : root["warnings"]) terminal.out << "warning: " << each.text() << '\n';
    for (const json::Value each : root["setup"]["severities"])
      terminal.out << fmt::format("{:<9}  answered in {} s, over in {} s, {}\n", each["severity"].text(),
                                  each["response_s"].text(), each["resolution_s"].text(), each["policy"].text());
    for (const json::Value each : root["setup"]["rules"])
      terminal.out << fmt::format("{:<9}  {}: {}\n", each["severity"].text(), each["name"].text(),
                                  each["condition"].text());
  });
}

}  // namespace

int run_incident_list(const IncidentOptions& options, const Terminal& terminal) {
  const auto answer =
      call_desk(options.server, Method::get, options.over ? "/api/v1/incidents?state=over" : "/api/v1/incidents");
  return show(answer, terminal, [&](json::Value root) {
    for (const json::Value incident : root["incidents"]) print_summary(terminal.out, incident);
    if (root["next"]) terminal.err << "there are more: --json shows where they go on\n";
  });
}

int run_incident_show(const IncidentOptions& options, const Terminal& terminal) {
  return show(call_desk(options.server, Method::get, target(options, "")), terminal,
              [&](json::Value incident) { print_incident(terminal.out, incident); });
}

int run_incident_timeline(const IncidentOptions& options, const Terminal& terminal) {
  return show(call_desk(options.server, Method::get, target(options, "/timeline")), terminal, [&](json::Value root) {
    for (const json::Value row : root["timeline"]) {
      const json::Value entry = row["entry"];
      terminal.out << fmt::format("{}  {:<20}  {}{}{}\n", entry["at"].text(), entry["kind"].text(), entry["by"].text(),
                                  entry["by"] && entry["text"] ? ": " : "", entry["text"].text());
    }
  });
}

int run_incident_verify(const IncidentOptions& options, const Terminal& terminal) {
  const auto answer = call_desk(options.server, Method::get, target(options, "/verify"));
  const int exit = show(answer, terminal, [&](json::Value root) {
    for (const json::Value each : root["problems"]) terminal.out << each.text() << '\n';
    if (root["whole"].is_true())
      terminal.out << fmt::format("{} entries, as they were written\n", root["entries"].text());
  });
  return exit == done() && !answer->root()["whole"].is_true() ? static_cast<int>(Exit::findings) : exit;
}

int run_incident_open(const IncidentOptions& options, const Terminal& terminal) {
  const std::string body = object({{"by", options.by},
                                   {"title", options.words},
                                   {"text", options.text},
                                   {"status", options.status},
                                   {"service", options.service},
                                   {"severity", options.severity},
                                   {"cause", options.cause}},
                                  options.breach ? "breach" : "");
  return show(call_desk(options.server, Method::post, "/api/v1/incidents", body), terminal,
              [&](json::Value incident) { print_summary(terminal.out, incident); });
}

int run_incident_change(const IncidentOptions& options, const Terminal& terminal) {
  const Request request = request_of(options);
  return show(call_desk(options.server, Method::post, request.path, request.body), terminal,
              [&](json::Value incident) { print_summary(terminal.out, incident); });
}

int run_incident_classify(const IncidentOptions& options, const Terminal& terminal) {
  const std::string body = object(
      {{"title", options.words}, {"text", options.text}, {"status", options.status}, {"service", options.service}});
  return show(call_desk(options.server, Method::post, "/api/v1/incident-classify", body), terminal,
              [&](json::Value found) {
                terminal.out << fmt::format("{}  {}", found["severity"].text(),
                                            found["rule"].text().empty() ? "no rule matches" : found["rule"].text());
                for (const json::Value term : found["terms"]) terminal.out << "  " << term.text();
                terminal.out << '\n';
                for (const json::Value each : found["alternatives"])
                  terminal.out << fmt::format("also {}  {}\n", each["severity"].text(), each["rule"].text());
              });
}

int run_incident_setup(const IncidentOptions& options, const Terminal& terminal) {
  const std::string versions = "/api/v1/incident-setup/versions";
  const std::string version = fmt::format("{}/{}", versions, net::percent_encode(options.words));
  if (options.action == "show")
    return print_setup(
        call_desk(options.server, Method::get, options.words.empty() ? "/api/v1/incident-setup" : version), terminal);
  if (options.action == "export")
    return show(call_desk(options.server, Method::get, "/api/v1/incident-setup"), terminal,
                [&](json::Value root) { terminal.out << root["setup"].raw() << '\n'; });
  if (options.action == "add") {
    auto body = read_setup(options.words);
    if (!body) return terminal.fail(body.error());
    return print_setup(call_desk(options.server, Method::post, "/api/v1/incident-setup", std::move(*body)), terminal);
  }
  if (options.action == "activate")
    return show(call_desk(options.server, Method::post, version + "/activate", "{}"), terminal,
                [&](json::Value root) { terminal.out << "active " << root["active"].text() << '\n'; });
  return show(call_desk(options.server, Method::post, version + "/dry-run", "{}"), terminal, [&](json::Value run) {
    terminal.out << fmt::format("{} incidents, {} alerts: {} would be of another severity\n", run["incidents"].text(),
                                run["alerts"].text(), run["different"].text());
    for (const json::Value each : run["differences"])
      terminal.out << fmt::format("{} -> {}  {}  {}\n", each["before"].text(), each["after"].text(),
                                  each["rule"].text(), each["title"].text());
  });
}

}  // namespace mydr24::cli
