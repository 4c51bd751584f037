// mydr24 user, client and session: on the store, or by the server that has it open.

#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <ostream>

#include "app/cli/admin_client.h"
#include "app/cli/commands.h"
#include "app/cli/store_place.h"
#include "app/server/gatekeeper.h"
#include "app/server/identity_desk.h"
#include "app/server/tenants.h"
#include "base/json/writer.h"
#include "base/net/client.h"
#include "guard/access/policy.h"
#include "guard/identity/administration.h"

namespace mydr24::cli {

Result<std::string> ask_server(const server::Settings& settings, const std::string& command) {
  std::ifstream file(std::filesystem::path(settings.store.path) / server::admin_token_file);
  std::string token;
  if (!file || !std::getline(file, token))
    return fail(Code::busy, "the store is in use by a server without access.mode = on, or is not yours",
                settings.store.path);
  net::ClientRequest request;
  request.method = net::Method::post;
  MYDR24_ASSIGN(request.url, net::parse_url(fmt::format("http://{}/identity", settings.server.admin)));
  request.headers = {{"Content-Type", "application/json"}, {"Authorization", "Bearer " + token}};
  if (!settings.tenant.empty()) request.headers.emplace_back(server::tenant_header, settings.tenant);
  request.body = command;
  MYDR24_ASSIGN(auto answer, net::send_blocking(std::move(request)));
  if (answer.status == 200) return std::move(answer.body);
  const auto problem = json::Document::parse_view(answer.body);
  const std::string detail(problem ? problem->root()["detail"].text() : std::string_view(answer.body));
  const Code code = answer.status == 404   ? Code::not_found
                    : answer.status == 409 ? Code::conflict
                    : answer.status == 403 ? Code::refused
                    : answer.status == 503 ? Code::busy
                                           : Code::invalid;
  return fail(code, detail, settings.server.admin);
}

namespace {

// The first line of standard input, unseen where it is typed in.
Result<std::string> read_password(const Terminal& terminal) {
  const bool is_typed = ::isatty(STDIN_FILENO) == 1;
  ::termios before{};
  if (is_typed) {
    terminal.err << "Password: " << std::flush;
    ::tcgetattr(STDIN_FILENO, &before);
    auto silent = before;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSANOW, &silent);
  }
  std::string line;
  const bool read = static_cast<bool>(std::getline(std::cin, line));
  if (is_typed) {
    ::tcsetattr(STDIN_FILENO, TCSANOW, &before);
    terminal.err << '\n';
  }
  if (!read) return fail(Code::invalid, "give the password on the first line of standard input", "password");
  return line;
}

// The command as the store's owner takes it.
Result<std::string> command_of(const IdentityOptions& options, const Terminal& terminal) {
  std::string text;
  json::Writer out(text);
  const auto list = [&](std::string_view name, const std::vector<std::string>& texts) {
    out.key(name).begin_array();
    for (const auto& each : texts) out.string(each);
    out.end_array();
  };
  if (options.action == "client.add" && !options.file.empty()) {
    std::ifstream file(options.file);
    const std::string metadata{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    MYDR24_ASSIGN(const auto document, json::Document::parse_view(metadata));
    out.begin_object().field("do", options.action);
    if (!options.name.empty()) out.field("client_id", options.name);
    for (const auto member : document.root())
      if (member.key() != "do" && (member.key() != "client_id" || options.name.empty()))
        out.key(member.key()).raw(member.raw());
    out.end_object();
    return text;
  }
  out.begin_object().field("do", options.action);
  if (options.action.starts_with("client.")) {
    out.field("client_id", options.name);
    if (options.action == "client.add") {
      out.field("client_name", options.display.empty() ? options.name : options.display);
      out.field("token_endpoint_auth_method", options.proof).field("scope", options.scopes);
      list("redirect_uris", options.redirect_uris);
      if (!options.grants.empty()) list("grant_types", options.grants);
      if (!options.roles.empty()) list("roles", options.roles);
      if (!options.key_set_url.empty()) out.field("jwks_uri", options.key_set_url);
    }
  } else if (options.action == "access.explain") {
    out.field("as", options.name).field("method", options.method).field("path", options.path);
  } else if (options.action == "session.revoke") {
    out.field("id", options.name);
  } else if (options.action == "session.list") {
    out.field("user", options.name);
  } else if (options.action != "user.list") {
    out.field("name", options.name);
    if (options.action == "user.add") {
      out.field("display", options.display).field("fhir_user", options.fhir_user);
      list("roles", options.roles);
    }
    if (options.action == "user.password" || (options.action == "user.add" && !options.no_password)) {
      MYDR24_ASSIGN(const auto password, read_password(terminal));
      out.field("password", password);
    }
  }
  out.end_object();
  return text;
}

Result<std::string> perform(const server::Settings& settings, std::string_view action, const std::string& command,
                            const Terminal& terminal) {
  const auto& place = settings.store.url.empty() ? settings.store.path : settings.store.url;
  auto store = open_place(place, settings.encryption.key_file, true, terminal.clock);
  if (!store && store.error().code == Code::busy && settings.store.url.empty()) return ask_server(settings, command);
  if (action == "access.explain")
    return fail(Code::busy,
                "only a running server explains: start `mydr24 serve` on this folder, with access.mode = on");
  if (!store) return store.error();
  MYDR24_ASSIGN(const auto policy, server::load_policy(settings.access.policy_file));
  MYDR24_ASSIGN(auto identity_settings, server::identity_settings(settings, *policy));
  const telemetry::Log log({.level = telemetry::Level::error}, terminal.clock, terminal.err);
  identity::Identity identity(**store, terminal.clock, std::move(identity_settings), log);
  return identity::administer(identity, command, terminal.clock.now());
}

std::string joined(json::Value list) {
  std::string text;
  for (const auto each : list) text += fmt::format("{}{}", text.empty() ? "" : " ", each.text());
  return text;
}

void print(const Terminal& terminal, json::Value answer) {
  for (const auto user : answer["users"])
    terminal.out << fmt::format("{}  {}{}{}{}\n", user["name"].text(), joined(user["roles"]),
                                user["fhir_user"].text().empty() ? "" : "  ", user["fhir_user"].text(),
                                user["disabled"].is_true() ? "  disabled" : "");
  for (const auto client : answer["clients"])
    terminal.out << fmt::format("{}  {}  {}  {}\n", client["client_id"].text(), client["client_name"].text(),
                                client["token_endpoint_auth_method"].text(), client["scope"].text());
  for (const auto session : answer["sessions"])
    terminal.out << fmt::format("{}  {}  {}  {}  {}\n", session["id"].text(), session["kind"].text(),
                                session["user"].text(), session["client"].text(), session["used"].text());
  if (answer["rule"]) {
    terminal.out << fmt::format("{}: {} ({})\n", answer["as"].text(),
                                answer["allowed"].is_true() ? "allowed" : "refused", answer["rule"].text());
    if (answer["visible"])
      terminal.out << (answer["visible"].is_true() ? "the resource is visible\n"
                                                   : "the resource is not there, or hidden from this user\n");
  }
  if (answer["uri"]) terminal.out << answer["uri"].text() << '\n';
  if (answer["client_id"]) terminal.out << fmt::format("client_id {}\n", answer["client_id"].text());
  if (answer["client_secret"])
    terminal.out << fmt::format("client_secret {}  (shown once)\n", answer["client_secret"].text());
}

}  // namespace

namespace {

// A role that the policy does not have would give nothing, and nobody would be told.
Result<> check_roles(const IdentityOptions& options, const server::Settings& settings) {
  if (options.roles.empty()) return {};
  MYDR24_ASSIGN(const auto policy, server::load_policy(settings.access.policy_file));
  std::vector<std::string_view> names;
  for (const auto& role : policy->roles) names.emplace_back(role.name);
  for (const auto& role : options.roles)
    if (policy->find(role) == nullptr)
      return fail(Code::invalid, fmt::format("there is no role {}; the policy has {}", role, fmt::join(names, ", ")),
                  "--role");
  return {};
}

}  // namespace

int run_access_policy(const Terminal& terminal) {
  terminal.out << access::default_policy_text() << '\n';
  return static_cast<int>(Exit::ok);
}

int run_identity(const IdentityOptions& options, const ConfigOptions& place, const Terminal& terminal) {
  const auto config = settings_or_exit(place, terminal);
  if (!config) return config.error();
  if (const auto known = check_roles(options, config->settings); !known) return terminal.fail(known.error());
  const auto command = command_of(options, terminal);
  if (!command) return terminal.fail(command.error());
  const auto answer = perform(config->settings, options.action, *command, terminal);
  if (!answer) return terminal.fail(answer.error());
  const auto document = json::Document::parse_view(*answer);
  if (!document) return terminal.fail(document.error());
  if (terminal.json)
    terminal.out << *answer << '\n';
  else
    print(terminal, document->root());
  return static_cast<int>(Exit::ok);
}

}  // namespace mydr24::cli
