#include "app/cli/command_line.h"

namespace mydr24::cli {

CLI::App* CommandLine::add_change_command(CLI::App& parent, const std::string& name, const std::string& about,
                                          const std::string& examples,
                                          int (*run)(const ChangeOptions&, const Terminal&)) {
  CLI::App* made =
      add(parent, name, about, "Example:\n  mydr24 " + examples, [this, run] { return run(change_, terminal_); });
  made->add_option("--server", change_.server, "Address of the server")->capture_default_str();
  return made;
}

CLI::App* CommandLine::add_change_action(CLI::App& parent, const std::string& action, const std::string& about,
                                         const std::string& examples) {
  CLI::App* made = add(parent, action, about, "Example:\n  mydr24 change " + examples, [this, action] {
    change_.action = action;
    return run_change_act(change_, terminal_);
  });
  made->add_option("--server", change_.server, "Address of the server")->capture_default_str();
  made->add_option("id", change_.id, "As change list shows it")->required();
  made->add_option("--by", change_.by, "Who; else who is logged in");
  return made;
}

void CommandLine::add_change() {
  CLI::App* change = app_.add_subcommand("change", "Changes: proposed, approved, run, rolled back");
  change->require_subcommand(1);
  auto* list =
      add_change_command(*change, "list", "Changes, newest first", "change list --state running", run_change_list);
  list->add_option("--state", change_.state, "Of that state alone");
  list->add_option("--limit", change_.limit, "How many")->capture_default_str()->check(CLI::Range(1, 500));
  add_change_command(*change, "show", "One change: plan, risk, approvals, what stands in its way, its run",
                     "change show ID", run_change_show)
      ->add_option("id", change_.id, "As change list shows it")
      ->required();
  auto* propose = add_change_command(*change, "propose", "Propose a change; prints its id, level and what it needs",
                                     "change propose plan.yaml --by ann", run_change_propose);
  auto* edit = add_change_command(*change, "edit", "Give a change another plan: its approvals are void",
                                  "change edit ID plan.yaml --by ann", run_change_propose);
  edit->add_option("id", change_.id, "As change list shows it")->required();
  for (auto* command : {propose, edit}) {
    command->add_option("file", change_.file, "Its plan, YAML or JSON (docs/changes.md); -: standard input")
        ->required();
    command->add_option("--by", change_.by, "Who; else who is logged in");
  }
  add_change_people(*change);
  add_change_runs(*change);
  add_change_command(*change, "calendar", "Freezes, frozen services, changes to come", "change calendar",
                     run_change_calendar);
  auto* freeze = add_change_command(*change, "freeze", "Change nothing but emergencies for a time",
                                    "change freeze --begin 2026-12-24T00:00:00Z --end 2026-12-27T00:00:00Z "
                                    "--reason holidays --by ann",
                                    run_change_freeze);
  freeze->add_option("--begin", change_.begin)->required();
  freeze->add_option("--end", change_.end)->required();
  freeze->add_option("--reason", change_.reason)->required();
  freeze->add_option("--service", change_.services, "Of these alone");
  freeze->add_option("--by", change_.by, "Who; else who is logged in");
  auto* unfreeze = add_change_command(*change, "unfreeze", "Let a service be changed again after a way back had failed",
                                      "change unfreeze alerting --reason mended --by ann", run_change_unfreeze);
  unfreeze->add_option("service", change_.id)->required();
  unfreeze->add_option("--reason", change_.reason)->required();
  unfreeze->add_option("--by", change_.by, "Who; else who is logged in");
  add_change_command(*change, "policy", "The policy in force; with a file: whether it is one (exit code 6 when not)",
                     "change policy --file policy.json", run_change_policy)
      ->add_option("--file", change_.file, "A policy, JSON");
  auto* figures = add_change_command(*change, "figures", "How often, how fast and how well changes are made (DORA)",
                                     "change figures --since 2026-01-01", run_change_figures);
  figures->add_option("--since", change_.since, "Default: 30 days before until");
  figures->add_option("--until", change_.until, "Default: now");
}

void CommandLine::add_change_people(CLI::App& change) {
  add_change_action(change, "approve", "Approve the plan with that digest", "approve ID --digest 9f86d0... --by cto")
      ->add_option("--digest", change_.digest, "As change show has it: what was read is what is approved")
      ->required();
  for (auto* command :
       {add_change_action(change, "reject", "Reject it", "reject ID --reason 'no test' --by cto"),
        add_change_action(change, "withdraw", "Take the proposal back", "withdraw ID --reason 'not needed' --by ann")})
    command->add_option("--reason", change_.reason, "Why")->required();
  auto* rehearsal = add_change_action(change, "rehearsal", "Record that its way back was run on a copy",
                                      "rehearsal ID --rolled-back --evidence 'run 12' --by ann");
  rehearsal->add_flag("--rolled-back", change_.rolled_back, "It went back as it should");
  rehearsal->add_option("--evidence", change_.evidence, "Where that can be seen")->required();
  add_change_action(change, "review", "Review an emergency change", "review ID --reason 'cause: ...' --by cto")
      ->add_option("--reason", change_.reason, "What was found")
      ->required();
}

void CommandLine::add_change_runs(CLI::App& change) {
  add_change_action(change, "schedule", "Start it by itself at a time",
                    "schedule ID --at 2026-05-10T02:00:00Z --by ann")
      ->add_option("--at", change_.at)
      ->required();
  auto* start = add_change_action(change, "start", "Start it", "start ID --by ann --wait");
  auto* rollback = add_change_action(change, "rollback", "Take a successful change back",
                                     "rollback ID --reason 'wards are slow' --by ann --wait");
  auto* abort =
      add_change_action(change, "abort", "End it and roll it back", "abort ID --reason 'wrong ward' --by ann");
  for (auto* command : {rollback, abort}) command->add_option("--reason", change_.reason, "Why")->required();
  for (auto* command : {start, rollback, abort})
    command->add_flag("--wait", change_.wait, "Until it is over; exit code 7 when it did not end as it should");
  add_change_action(change, "resume", "Go on with what was paused", "resume ID --by ann");
}

void CommandLine::add_settings() {
  CLI::App* settings =
      app_.add_subcommand("settings", "Settings that change while the server runs; changed by a change");
  settings->require_subcommand(1);
  add_change_command(*settings, "list", "All of them with what is in force", "settings list", run_settings_list);
  auto* get = add_change_command(*settings, "get", "The value that the server works with",
                                 "settings get alerting.clear_days", run_settings_get);
  auto* history = add_change_command(*settings, "history", "Every version: who, when, why, by which change",
                                     "settings history alerting.clear_days", run_settings_history);
  for (auto* command : {get, history}) command->add_option("name", change_.setting, "Its name")->required();
}

}  // namespace mydr24::cli
