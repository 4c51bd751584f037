// `mydr24 vitals rules|dry-run|limits|crowding`: rules, limits and dry runs at a running server; crowding and the
// validation of rules here.

#include <fmt/format.h>

#include <fstream>
#include <iostream>
#include <iterator>

#include "app/cli/commands.h"
#include "app/cli/fhir_client.h"
#include "app/cli/login.h"
#include "base/json/document.h"
#include "base/json/writer.h"
#include "base/net/client.h"
#include "base/net/uri.h"
#include "clinical/vitals/crowding.h"
#include "clinical/vitals/rules.h"

namespace mydr24::cli {
namespace {

constexpr std::chrono::minutes dry_run_time_max{10};

Result<std::string> read_file(const std::string& file) {
  std::ifstream opened;
  if (file != "-") {
    opened.open(file, std::ios::binary);
    if (!opened) return fail(Code::not_found, "cannot be opened", file);
  }
  std::istream& in = file == "-" ? std::cin : opened;
  return std::string(std::istreambuf_iterator<char>(in), {});
}

// An answer of the desk API, or the error its problem details tell.
Result<std::string> ask(const VitalsOptions& options, net::Method method, std::string_view path,
                        std::string body = {}) {
  net::ClientRequest request{.method = method, .time_max = dry_run_time_max};
  MYDR24_ASSIGN(request.url, net::parse_url(fmt::format("{}/api/v1/vitals/{}", options.server, path)));
  if (!body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  request.body = std::move(body);
  MYDR24_TRY(authorize(request));
  MYDR24_ASSIGN(auto response, net::send_blocking(std::move(request)));
  if (response.status < 400) return std::move(response.body);
  const auto problem = json::Document::parse_view(response.body);
  const std::string detail(problem ? problem->root()["detail"].text() : std::string_view());
  return fail(code_of_status(response.status),
              detail.empty() ? fmt::format("the server answered {}", response.status) : detail, options.server);
}

int print(const Terminal& terminal, const Result<std::string>& answer) {
  if (!answer) return terminal.fail(answer.error());
  terminal.out << *answer << '\n';
  return static_cast<int>(Exit::ok);
}

std::string by_body(const VitalsOptions& options) {
  std::string body;
  json::Writer(body).begin_object().field("by", options.by).end_object();
  return body;
}

int list_rules(const VitalsOptions& options, const Terminal& terminal) {
  const auto answer = ask(options, net::Method::get, "rules");
  if (!answer || terminal.json) return print(terminal, answer);
  const auto document = json::Document::parse_view(*answer);
  if (!document) return terminal.fail(document.error());
  for (const json::Value version : document->root()["versions"])
    terminal.out << fmt::format("{:>7} {} {:<24} {} {}\n", version["version"].text(),
                                version["in_force"].is_true() ? "*" : " ", version["name"].text(), version["at"].text(),
                                version["by"].text());
  terminal.out << fmt::format("{:<24} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8}\n", "rule", "fired", "acked", "acted", "not",
                              "auto", "held");
  for (const json::Value each : document->root()["figures"])
    terminal.out << fmt::format("{:<24} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8}\n", each["rule"].text(),
                                each["fired"].text(), each["acknowledged"].text(), each["acted_on"].text(),
                                each["not_acted_on"].text(), each["auto_resolved"].text(), each["suppressed"].text());
  return static_cast<int>(Exit::ok);
}

Result<std::string> valid_rules(const std::string& file) {
  MYDR24_ASSIGN(std::string text, read_file(file));
  const auto set = vitals::parse_rules(text);
  if (set) return text;
  Error error = set.error();
  error.where = fmt::format("{}: {}", file, error.where);
  return error;
}

void print_side(const Terminal& terminal, std::string_view name, json::Value side) {
  terminal.out << fmt::format("{:<12} calls {:>6}  emergencies {:>6}  patients {:>6}  per patient-day {}\n", name,
                              side["calls"].text(), side["emergencies"].text(), side["patients"].text(),
                              side["calls_per_patient_day"].text());
  for (const json::Value rule : side["rules"])
    terminal.out << fmt::format("  {:<24} {:<10} fired {:>6}  patients {:>6}  held back {:>6}\n", rule["rule"].text(),
                                rule["severity"].text(), rule["fired"].text(), rule["patients"].text(),
                                rule["suppressed"].text());
}

}  // namespace

int run_vitals_rules(const VitalsOptions& options, const Terminal& terminal) {
  if (options.action == "list") return list_rules(options, terminal);
  if (options.action == "show") return print(terminal, ask(options, net::Method::get, "rules/" + options.version));
  if (options.action == "activate")
    return print(terminal,
                 ask(options, net::Method::post, fmt::format("rules/{}/activate", options.version), by_body(options)));
  auto text = valid_rules(options.file);
  if (!text) return terminal.fail(text.error());
  if (options.action == "validate") {
    terminal.out << fmt::format("{}: {} rules\n", options.file, vitals::parse_rules(*text)->rules.size());
    return static_cast<int>(Exit::ok);
  }
  return print(terminal,
               ask(options, net::Method::post, "rules?by=" + net::percent_encode(options.by), std::move(*text)));
}

int run_vitals_dry_run(const VitalsOptions& options, const Terminal& terminal) {
  auto text = valid_rules(options.file);
  if (!text) return terminal.fail(text.error());
  std::string path = "dry-run";
  if (!options.since.empty()) path += "?since=" + net::percent_encode(options.since);
  if (!options.until.empty())
    path += (options.since.empty() ? "?until=" : "&until=") + net::percent_encode(options.until);
  const auto answer = ask(options, net::Method::post, path, std::move(*text));
  if (!answer || terminal.json) return print(terminal, answer);
  const auto document = json::Document::parse_view(*answer);
  if (!document) return terminal.fail(document.error());
  const json::Value root = document->root();
  terminal.out << fmt::format("{} Observations of {} patients, {} patient-days{}\n", root["observations"].text(),
                              root["patients"].text(), root["patient_days"].text(),
                              root["complete"].is_true() ? "" : "; a limit was reached, there is more");
  print_side(terminal, "candidate", root["candidate"]);
  print_side(terminal, "in force", root["in_force"]);
  return static_cast<int>(Exit::ok);
}

int run_vitals_limits(const VitalsOptions& options, const Terminal& terminal) {
  const std::string path = fmt::format("{}/limits/{}", net::percent_encode(options.patient), options.signal);
  if (options.action == "show")
    return print(terminal, ask(options, net::Method::get, net::percent_encode(options.patient)));
  if (options.action == "remove")
    return print(terminal,
                 ask(options, net::Method::del, fmt::format("{}?by={}", path, net::percent_encode(options.by))));
  std::string body;
  json::Writer writer(body);
  writer.begin_object();
  if (options.low) writer.field("low", *options.low);
  if (options.high) writer.field("high", *options.high);
  if (options.scale_2) writer.field("spo2_scale", 2);
  if (!options.until.empty()) writer.field("until", options.until);
  writer.field("by", options.by).field("reason", options.reason).end_object();
  return print(terminal, ask(options, net::Method::put, path, std::move(body)));
}

int run_vitals_scores(const VitalsOptions& options, const Terminal& terminal) {
  std::string path = net::percent_encode(options.patient) + "/scores";
  if (!options.until.empty()) path += "?at=" + net::percent_encode(options.until);
  return print(terminal, ask(options, net::Method::get, path));
}

int run_vitals_crowding(const VitalsOptions& options, const Terminal& terminal) {
  const auto text = read_file(options.file);
  if (!text) return terminal.fail(text.error());
  Result<vitals::CrowdingScore> score;
  if (options.action == "nedocs") {
    const auto inputs = vitals::nedocs_inputs(*text);
    score = inputs ? vitals::nedocs(*inputs) : Result<vitals::CrowdingScore>(inputs.error());
  } else {
    const auto inputs = vitals::cedocs_inputs(*text);
    score = inputs ? vitals::cedocs(*inputs) : Result<vitals::CrowdingScore>(inputs.error());
  }
  if (!score) return terminal.fail(score.error());
  if (terminal.json) return print(terminal, vitals::to_json(*score));
  terminal.out << fmt::format("{} {}: {}\n", options.action == "nedocs" ? "NEDOCS" : "CEDOCS", score->points,
                              to_string(score->level));
  for (const std::string& warning : score->warnings) terminal.err << warning << '\n';
  return static_cast<int>(Exit::ok);
}

}  // namespace mydr24::cli
