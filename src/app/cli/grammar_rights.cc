#include "app/cli/command_line.h"

namespace mydr24::cli {

CLI::App* CommandLine::add_operator_command(CLI::App& parent, const std::string& name, const std::string& action,
                                            const std::string& about, const std::string& example) {
  auto* command = add(parent, name, about, example, [this, action] {
    operator_.action = action;
    return run_operator(operator_, config_, terminal_);
  });
  add_config_options(command, false);
  command->add_option("--admin", config_.admin, "Admin address of the server that has the folder open (server.admin)");
  command->add_option("--by", operator_.by, "Who gives the command; else the user of this machine");
  return command;
}

void CommandLine::add_holds(CLI::App& audit) {
  CLI::App* hold = audit.add_subcommand("hold", "Legal holds: nothing of these patients goes by retention or erasure");
  hold->require_subcommand(1);
  const auto patient = [this](CLI::App* command) {
    command->add_option("patient", operator_.id, "Id of the patient")->required();
    command->add_option("--reason", operator_.reason, "Why, as a court order")->required();
    return command;
  };
  patient(add_operator_command(*hold, "add", "audit.hold", "Place a hold",
                               "Example:\n  mydr24 audit hold add p1 --reason 'court order 12/26' --until 2028-01-01"))
      ->add_option("--until", operator_.until, "It ends by itself then; else when it is lifted");
  add_operator_command(*hold, "list", "audit.holds", "Holds in force",
                       "Example:\n  mydr24 audit hold list --data ./data");
  patient(add_operator_command(*hold, "lift", "audit.release", "Lift a hold",
                               "Example:\n  mydr24 audit hold lift p1 --reason 'case closed'"));
}

void CommandLine::add_breach() {
  CLI::App* breach = app_.add_subcommand("breach", "Breaches of personal data and the times of the law");
  breach->require_subcommand(1);
  auto* open = add_operator_command(
      *breach, "open", "breach.open", "Document a breach; its clocks of 72 hours and 60 days begin",
      "Example:\n  mydr24 breach open --nature 'token of the portal stolen' --client portal --since 2026-05-10");
  open->add_option("--nature", operator_.nature, "What happened")->required();
  open->add_option("--client", operator_.client, "Whose accesses: an application");
  open->add_option("--principal", operator_.principal, "Whose accesses: user/anna");
  open->add_option("--since", operator_.since, "From when on")->required();
  open->add_option("--until", operator_.until, "Before");
  open->add_option("--aware", operator_.aware, "When it became known; else now");
  open->add_option("--consequences", operator_.consequences, "What may come of it");
  open->add_option("--measures", operator_.measures, "What was done about it");
  open->add_option("--contact", operator_.contact, "Who answers questions");
  add_operator_command(*breach, "list", "breach.list", "Every breach there was, newest first",
                       "Example:\n  mydr24 breach list --data ./data");
  auto* close = add_operator_command(*breach, "close", "breach.close", "Close a breach",
                                     "Example:\n  mydr24 breach close 0197a2b4-... --outcome 'no risk to anybody'");
  close->add_option("id", operator_.id, "As breach list shows it")->required();
  close->add_option("--outcome", operator_.outcome, "What came of it")->required();
}

void CommandLine::add_compliance() {
  CLI::App* compliance = app_.add_subcommand("compliance", "What authorities ask for");
  compliance->require_subcommand(1);
  add_operator_command(*compliance, "record", "compliance.record",
                       "The record of processing (GDPR 30), from the configuration in force, as JSON",
                       "Example:\n  mydr24 compliance record --data ./data > record.json");
}

}  // namespace mydr24::cli
