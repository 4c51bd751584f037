#include "app/cli/command_line.h"

namespace mydr24::cli {

CLI::App* CommandLine::add_identity_command(CLI::App& parent, const std::string& name, const std::string& action,
                                            const std::string& about, const std::string& example) {
  auto* command = add(parent, name, about, example, [this, action] {
    identity_.action = action;
    return run_identity(identity_, config_, terminal_);
  });
  add_config_options(command, false);
  command->add_option("--admin", config_.admin, "Admin address of the server that has the store open (server.admin)");
  return command;
}

void CommandLine::add_user() {
  CLI::App* user = app_.add_subcommand("user", "People who may log in");
  user->require_subcommand(1);
  auto* made =
      add_identity_command(*user, "add", "user.add", "Add a user; the password is read from standard input",
                           "Example:\n  mydr24 user add anna --role nurse --fhir-user Practitioner/12 --data ./data");
  made->add_option("name", identity_.name, "What they log in with")->required();
  made->add_option("--display", identity_.display, "Their name, for people to read");
  made->add_option("--role", identity_.roles, "A role; again for each");
  made->add_option("--fhir-user", identity_.fhir_user, "Who they are in the records, as Practitioner/12");
  made->add_flag("--no-password", identity_.no_password, "None yet: they cannot log in");
  add_identity_command(*user, "list", "user.list", "Every user", "Example:\n  mydr24 user list --data ./data");
  const auto add_named = [&](const char* name, const char* action, const char* about) {
    add_identity_command(*user, name, action, about, "")->add_option("name", identity_.name, "The user")->required();
  };
  add_named("disable", "user.disable", "Nobody logs in with it any more; what was given is void within two seconds");
  add_named("enable", "user.enable", "As before; what was given before stays void");
  add_named("password", "user.password", "Set the password, read from standard input; sessions end");
  add_named("totp", "user.totp", "Make a secret for one-time codes and print it once, as an otpauth address");
}

void CommandLine::add_login() {
  auto* login = add(app_, "login", "Get a token for commands that ask a running server",
                    "Prints the address of the login page; the token is kept for this user, below ~/.config/mydr24.\n"
                    "MYDR24_TOKEN goes before it.\n"
                    "Examples:\n"
                    "  mydr24 login --server https://records.example\n"
                    "  mydr24 login --paste        when the browser is on another machine",
                    [this] { return run_login(login_, terminal_); });
  login->add_option("--server", login_.server, "Address of the server")->capture_default_str();
  login->add_flag("--paste", login_.paste, "Read the address that the browser ended at from standard input");
  auto* logout = add(app_, "logout", "Revoke and forget that token", "Example:\n  mydr24 logout",
                     [this] { return run_logout(login_, terminal_); });
  logout->add_option("--server", login_.server, "Address of the server")->capture_default_str();
}

void CommandLine::add_client() {
  CLI::App* client = app_.add_subcommand("client", "Applications that may ask for tokens");
  client->require_subcommand(1);
  auto* made = add_identity_command(
      *client, "add", "client.add", "Register an application",
      "Examples:\n"
      "  mydr24 client add portal --redirect-uri https://portal.example/cb --scope 'openid fhirUser user/*.rs'\n"
      "  mydr24 client add export --proof private_key_jwt --grant client_credentials --scope 'system/*.rs' \\\n"
      "      --jwks-uri https://export.example/jwks.json\n"
      "  mydr24 client add --file client.json      metadata as in RFC 7591, with jwks");
  made->add_option("id", identity_.name, "Its client_id; made when left out");
  made->add_option("--name", identity_.display, "Shown to people who are asked to agree");
  made->add_option("--redirect-uri", identity_.redirect_uris, "Where answers go; again for each");
  made->add_option("--grant", identity_.grants,
                   "authorization_code, refresh_token, client_credentials; again for each");
  made->add_option("--scope", identity_.scopes, "What it may ask for, in one text");
  made->add_option(
      "--role", identity_.roles,
      "Of its tokens when it acts for itself: service (the default), device-feed, monitoring-feed ...; again "
      "for each");
  made->add_option("--proof", identity_.proof, "How it proves who it is")
      ->capture_default_str()
      ->check(CLI::IsMember({"none", "client_secret_basic", "client_secret_post", "private_key_jwt"}));
  made->add_option("--jwks-uri", identity_.key_set_url, "Where its keys are");
  made->add_option("--file", identity_.file, "Client metadata (JSON) in place of the other options");
  add_identity_command(*client, "list", "client.list", "Every client", "Example:\n  mydr24 client list --data ./data");
  add_identity_command(*client, "remove", "client.remove", "Its tokens are void within two seconds",
                       "Example:\n  mydr24 client remove portal --data ./data")
      ->add_option("id", identity_.name, "Its client_id")
      ->required();
}

void CommandLine::add_access() {
  CLI::App* access = app_.add_subcommand("access", "What roles may do");
  access->require_subcommand(1);
  add(*access, "policy", "Print the roles of a hospital as it comes: a file for access.policy_file begins here",
      "Example:\n  mydr24 access policy > policy.json", [this] { return run_access_policy(terminal_); });
  auto* explain = add_identity_command(
      *access, "explain", "access.explain", "Whether a user may do something, and which rule says so",
      "Example:\n  mydr24 access explain --as anna GET /fhir/R4/Patient/1 --data ./data");
  explain->add_option("--as", identity_.name, "The user")->required();
  explain->add_option("method", identity_.method, "GET, POST, PUT, PATCH or DELETE")->required();
  explain->add_option("path", identity_.path, "As /fhir/R4/Patient/1")->required();
}

void CommandLine::add_session() {
  CLI::App* session = app_.add_subcommand("session", "Who is logged in, and what applications were given");
  session->require_subcommand(1);
  add_identity_command(*session, "list", "session.list", "Sessions that stand",
                       "Example:\n  mydr24 session list --user anna --data ./data")
      ->add_option("--user", identity_.name, "Of this user only");
  add_identity_command(*session, "revoke", "session.revoke", "End a session; its tokens are void within two seconds",
                       "Example:\n  mydr24 session revoke 0197a2b4-... --data ./data")
      ->add_option("id", identity_.name, "As session list shows it")
      ->required();
}

}  // namespace mydr24::cli
