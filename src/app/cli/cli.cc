#include "app/cli/cli.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "app/cli/command_line.h"

namespace mydr24::cli {

CommandLine::CommandLine(Terminal& terminal) : terminal_(terminal) {
  app_.require_subcommand(1);
  app_.set_help_flag("-h,--help", "This text");
  app_.footer(
      "Start here:\n"
      "  mydr24 demo                     a simulated hospital at http://127.0.0.1:8024/\n"
      "  mydr24 serve --data ./data      a server of your own\n"
      "  mydr24 import ./bulk --data ./data\n"
      "\n"
      "Exit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 not allowed, 5 conflict, 6 invalid input,\n"
      "  7 finished with findings, 8 server unreachable, 9 timeout, 75 try again, 130 interrupted");
  add_serve();
  add_demo();
  add_simulate();
  add_import();
  add_bench();
  add_vitals();
  add_alert();
  add_audit();
  add_breach();
  add_compliance();
  add_doctor();
  add_explain();
  add_config();
  add_backup();
  add_key();
  add_migrate();
  add_store();
  add_oncall();
  add_incident();
  add_change();
  add_settings();
  add_monitor();
  add_slo();
  add_ticket();
  add_user();
  add_client();
  add_login();
  add_access();
  add_session();
  add_openapi();
  add_version();
}

int CommandLine::run(int argc, const char* const* argv) {
  try {
    app_.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    if (problem.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
      return app_.exit(problem, terminal_.out, terminal_.err);  // help
    }
    return usage(problem, argc, argv);
  }
  terminal_.colour = terminal_.colour && !no_colour_;
  return command_ ? command_() : static_cast<int>(Exit::usage);
}

int CommandLine::usage(const CLI::ParseError& problem, int argc, const char* const* argv) {
  std::string text = problem.what();
  std::vector<std::string_view> names;
  for (const CLI::App* command : app_.get_subcommands([](CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  const std::string_view first = argc > 1 ? argv[1] : "";
  const bool known = std::ranges::find(names, first) != names.end();
  if (!first.empty() && !first.starts_with('-') && !known) {
    text = fmt::format("there is no command '{}'", first);
    if (const auto near = nearest(first, names); !near.empty()) text += fmt::format("; did you mean '{}'?", near);
  }
  terminal_.err << terminal_.paint("red", "mydr24: ") << text << "\nSee: mydr24 " << (known ? first : "")
                << (known ? " " : "") << "--help\n";
  return static_cast<int>(Exit::usage);
}

CLI::App* CommandLine::add(CLI::App& parent, const std::string& name, const std::string& about,
                           const std::string& examples, std::function<int()> command) {
  CLI::App* made = parent.add_subcommand(name, about);
  made->footer(examples);
  made->add_flag("--json", terminal_.json, "Data and errors as JSON on standard output");
  made->add_flag("--no-color", no_colour_, "No colours (also: NO_COLOR)");
  if (command) made->final_callback([this, command = std::move(command)] { command_ = command; });
  return made;
}

void CommandLine::add_config_options(CLI::App* command, bool listeners) {
  command->add_option("--config", config_.file, "Configuration file (TOML)");
  command->add_option("--data", config_.data, "Data folder (store.path)");
  command->add_option("--store", config_.store, "postgres://...: PostgreSQL in place of the folder (store.url)");
  command->add_option("--encryption-key-file", config_.encryption_key_file,
                      "Key file of an encrypted folder (encryption.key_file)");
  if (!listeners) {
    command->add_option("--tenant", config_.tenant, "Whose store, where the settings name [[tenants]]");
    return;
  }
  command->add_option("--listen", config_.listen, "Address and port of the server (server.listen)");
  command->add_option("--admin", config_.admin, "Address and port of health and metrics (server.admin)");
}

int run(int argc, const char* const* argv, std::ostream& out, std::ostream& err) {
  Terminal terminal{out, err, system_clock()};
  terminal.out_is_terminal = &out == &std::cout && ::isatty(STDOUT_FILENO) == 1;
  terminal.err_is_terminal = &err == &std::cerr && ::isatty(STDERR_FILENO) == 1;
  const char* no_colour = std::getenv("NO_COLOR");
  terminal.colour = terminal.err_is_terminal && (no_colour == nullptr || *no_colour == '\0');
  try {
    return CommandLine(terminal).run(argc, argv);
  } catch (const std::exception& fault) {
    return terminal.fail(fail(Code::internal, fault.what()));
  }
}

}  // namespace mydr24::cli
