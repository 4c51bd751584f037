// mydr24 audit hold, breach and compliance: told to the server that has the folder open.

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <ostream>

#include "app/cli/admin_client.h"
#include "app/cli/commands.h"
#include "base/json/document.h"
#include "base/json/writer.h"
#include "guard/audit/log.h"

namespace mydr24::cli {
namespace {

namespace fs = std::filesystem;

std::string who(const OperatorOptions& options) {
  if (!options.by.empty()) return options.by;
  const char* user = std::getenv("USER");
  return user == nullptr || *user == '\0' ? "unknown" : user;
}

std::string command_of(const OperatorOptions& options) {
  std::string text;
  json::Writer out(text);
  const auto given = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) out.field(name, value);
  };
  out.begin_object().field("do", options.action).field("by", who(options));
  given(options.action.starts_with("audit.") ? "patient" : "id", options.id);
  given("reason", options.reason);
  given("since", options.since);
  given("until", options.until);
  given("aware", options.aware);
  given("nature", options.nature);
  given("consequences", options.consequences);
  given("measures", options.measures);
  given("contact", options.contact);
  given("client", options.client);
  given("principal", options.principal);
  given("outcome", options.outcome);
  out.end_object();
  return text;
}

// On the trail itself. Code::busy: a server has it open.
Result<std::string> hold_here(const OperatorOptions& options, const server::Settings& settings, const Clock& clock) {
  const auto trail = server::audit_folder(settings);
  if (!fs::is_directory(trail)) return fail(Code::not_found, "there is no audit trail", trail.string());
  MYDR24_ASSIGN(const auto log,
                audit::Log::open({.folder = trail, .encryption_key_file = settings.encryption.key_file}, clock));
  const auto by = fmt::format("operator/{}", who(options));
  MYDR24_ASSIGN(const auto until, audit::time_of(options.until, "--until"));
  if (options.action == "audit.hold") MYDR24_TRY(log->hold(options.id, options.reason, by, until));
  if (options.action == "audit.release") MYDR24_TRY(log->release(options.id, options.reason, by));
  MYDR24_ASSIGN(const auto holds, log->holds());
  return audit::to_json(holds);
}

Result<std::string> perform(const OperatorOptions& options, const server::Settings& settings, const Clock& clock) {
  if (options.action.starts_with("audit.")) {
    auto done = hold_here(options, settings, clock);
    if (done || done.error().code != Code::busy) return done;
  }
  auto answer = ask_server(settings, command_of(options));
  if (!answer && answer.error().code == Code::busy)
    return fail(Code::busy,
                "only a running server does this: start `mydr24 serve` on this folder, with access.mode = on",
                answer.error().where);
  return answer;
}

void print(json::Value answer, const std::string& text, const Terminal& terminal) {
  if (answer["holds"]) {
    for (const auto hold : answer["holds"])
      terminal.out << fmt::format("{}  {}  {}  {}{}{}\n", hold["patient"].text(), hold["at"].text(), hold["by"].text(),
                                  hold["reason"].text(), hold["until"].text().empty() ? "" : "  until ",
                                  hold["until"].text());
  } else if (answer["breaches"]) {
    for (const auto breach : answer["breaches"])
      terminal.out << fmt::format(
          "{}  {}  {}{} people  authority by {}{}  {}\n", breach["id"].text(), breach["closed"] ? "closed" : "open",
          breach["people_complete"].is_true() ? "" : "at least ", breach["people"].raw(),
          breach["authority_due"].text(), breach["told_authority"] ? " (told)" : "", breach["nature"].text());
  } else {
    terminal.out << text << '\n';
  }
}

}  // namespace

int run_operator(const OperatorOptions& options, const ConfigOptions& place, const Terminal& terminal) {
  const auto config = settings_or_exit(place, terminal);
  if (!config) return config.error();
  const auto answer = perform(options, config->settings, terminal.clock);
  if (!answer) return terminal.fail(answer.error());
  const auto document = json::Document::parse_view(*answer);
  if (!document) return terminal.fail(document.error());
  if (terminal.json) {
    terminal.out << *answer << '\n';
  } else {
    print(document->root(), *answer, terminal);
  }
  return static_cast<int>(Exit::ok);
}

}  // namespace mydr24::cli
