#include "app/cli/command_line.h"

namespace mydr24::cli {

void CommandLine::add_vitals() {
  CLI::App* vitals = app_.add_subcommand("vitals", "Vital signs");
  vitals->require_subcommand(1);
  auto* score = add(*vitals, "score", "NEWS2 of each row of a CSV file",
                    "Columns, in any order: rr spo2 scale oxygen sbp pulse acvpu temp\n"
                    "Examples:\n"
                    "  mydr24 vitals score round.csv\n"
                    "  mydr24 vitals score --json - < round.csv",
                    [this] { return run_vitals_score(file_, terminal_); });
  score->add_option("file", file_, "CSV file; -: standard input")->required();
  add_vitals_rules(*vitals);
  add_vitals_limits(*vitals);

  auto* scores = add(*vitals, "scores", "NEWS2, qSOFA, SIRS and coma score of a patient at a running server",
                     "Example:\n  mydr24 vitals scores p1 --at 2026-01-05T08:00:00Z",
                     [this] { return run_vitals_scores(vitals_, terminal_); });
  scores->add_option("patient", vitals_.patient, "Id of the patient")->required();
  scores->add_option("--at", vitals_.until, "As of that time, from what is stored now");
  add_vitals_server(scores);

  auto* crowding = add(*vitals, "crowding", "How crowded an emergency department is",
                       "Inputs are JSON: ed_beds, patients, longest_admitted_h; nedocs: hospital_beds, ventilated, "
                       "admitted,\nlongest_waiting_h; cedocs: visits_a_year, critical, waiting_room\n"
                       "Example:\n  mydr24 vitals crowding nedocs inputs.json",
                       [this] { return run_vitals_crowding(vitals_, terminal_); });
  crowding->add_option("scale", vitals_.action, "nedocs or cedocs")
      ->required()
      ->check(CLI::IsMember({"nedocs", "cedocs"}));
  crowding->add_option("file", vitals_.file, "JSON file; -: standard input")->required();
}

void CommandLine::add_vitals_server(CLI::App* command) {
  command->add_option("--server", vitals_.server, "Address of the server")->capture_default_str();
}

CLI::App* CommandLine::add_vitals_action(CLI::App& parent, const std::string& action, const std::string& about,
                                         const std::string& examples,
                                         int (*run)(const VitalsOptions&, const Terminal&)) {
  auto* command = add(parent, action, about, examples, [this, action, run] {
    vitals_.action = action;
    return run(vitals_, terminal_);
  });
  add_vitals_server(command);
  return command;
}

void CommandLine::add_vitals_rules(CLI::App& vitals) {
  CLI::App* rules = vitals.add_subcommand("rules", "When vital signs call people");
  rules->require_subcommand(1);
  add_vitals_action(*rules, "list", "Versions, which is in force (*), and what came of each rule",
                    "Example:\n  mydr24 vitals rules list", run_vitals_rules);
  auto* show = add_vitals_action(*rules, "show", "One version; 0 is the built-in one",
                                 "Example:\n  mydr24 vitals rules show 0", run_vitals_rules);
  show->add_option("version", vitals_.version, "Its number")->required();
  auto* validate = add_vitals_action(*rules, "validate", "Check a rule set here; exit code 6 when it is wrong",
                                     "Example:\n  mydr24 vitals rules validate ward.json", run_vitals_rules);
  validate->add_option("file", vitals_.file, "JSON file; -: standard input")->required();
  auto* add_set = add_vitals_action(*rules, "add", "Add a version; it is not in force before it is activated",
                                    "Example:\n  mydr24 vitals rules add ward.json --by 'Dr Ada'", run_vitals_rules);
  add_set->add_option("file", vitals_.file, "JSON file; -: standard input")->required();
  auto* activate = add_vitals_action(*rules, "activate", "Put a version in force",
                                     "Example:\n  mydr24 vitals rules activate 1 --by 'Dr Ada'", run_vitals_rules);
  activate->add_option("version", vitals_.version, "Its number")->required();
  for (auto* command : {add_set, activate}) command->add_option("--by", vitals_.by, "Who decides")->required();

  auto* dry_run = add_vitals_action(
      vitals, "dry-run", "What a rule set would have called for, held against stored history and the rules in force",
      "Example:\n  mydr24 vitals dry-run ward.json --since 2026-01-01", run_vitals_dry_run);
  dry_run->add_option("file", vitals_.file, "JSON file; -: standard input")->required();
  dry_run->add_option("--since", vitals_.since, "A date or time (default: 7 days before until)");
  dry_run->add_option("--until", vitals_.until, "A date or time (default: now)");
}

void CommandLine::add_vitals_limits(CLI::App& vitals) {
  CLI::App* limits = vitals.add_subcommand("limits", "A clinician's limits for one patient");
  limits->require_subcommand(1);
  auto* show = add_vitals_action(*limits, "show", "What is known of the patient, with limits and monitoring",
                                 "Example:\n  mydr24 vitals limits show p1", run_vitals_limits);
  auto* set = add_vitals_action(*limits, "set", "In place of the sustained rules on that signal; life-threats stay",
                                "Example:\n  mydr24 vitals limits set p1 spo2 --low 88 --high 92 --scale-2 --by 'Dr "
                                "Ada' --until 2026-02-01",
                                run_vitals_limits);
  auto* remove = add_vitals_action(*limits, "remove", "Back to the rules",
                                   "Example:\n  mydr24 vitals limits remove p1 spo2 --by 'Dr Ada'", run_vitals_limits);
  for (auto* command : {show, set, remove})
    command->add_option("patient", vitals_.patient, "Id of the patient")->required();
  for (auto* command : {set, remove}) {
    command->add_option("signal", vitals_.signal, "spo2, pulse, respiration, systolic, temperature, ...")->required();
    command->add_option("--by", vitals_.by, "Who decides")->required();
  }
  set->add_option("--low", vitals_.low, "Below it people are called");
  set->add_option("--high", vitals_.high, "Above it people are called");
  set->add_flag("--scale-2", vitals_.scale_2, "With a limit on spo2: NEWS2 scores by SpO2 scale 2");
  set->add_option("--until", vitals_.until, "A date or time (default: until it is removed)");
  set->add_option("--reason", vitals_.reason, "Why");
}

CLI::App* CommandLine::add_alert_command(CLI::App& parent, const std::string& name, const std::string& about,
                                         const std::string& example,
                                         int (*command)(const AlertOptions&, const Terminal&)) {
  auto* made =
      add(parent, name, about, "Example:\n  mydr24 " + example, [this, command] { return command(alert_, terminal_); });
  made->add_option("--server", alert_.server, "Address of a running server")->capture_default_str();
  return made;
}

void CommandLine::add_alert() {
  CLI::App* alert = app_.add_subcommand("alert", "Alerts and silences of a running server");
  alert->require_subcommand(1);
  add_alert_command(*alert, "list", "Whom people are called about", "alert list", run_alert_list)
      ->add_flag("--resolved", alert_.resolved, "Those that are over");
  add_alert_command(*alert, "show", "One of them with its history", "alert show ID", run_alert_show)
      ->add_option("id", alert_.id, "Its id")
      ->required();
  auto* ack = add_alert_command(*alert, "ack", "Say who looks after it: the calls stop",
                                "alert ack ID --by 'nurse Ada' --note 'at the bed'", run_alert_ack);
  auto* resolve = add_alert_command(*alert, "resolve", "Say that it is over", "alert resolve ID --by 'nurse Ada'",
                                    run_alert_resolve);
  for (CLI::App* command : {ack, resolve}) {
    command->add_option("id", alert_.id, "Its id")->required();
    command->add_option("--by", alert_.by, "Who")->required();
    command->add_option("--note", alert_.note, "What was done");
  }
  auto* post = add_alert_command(*alert, "add", "Post an alert with labels; a bare word is the alertname",
                                 "alert add DiskFull severity=critical --annotation summary=full", run_alert_add);
  post->add_option("labels", alert_.words, "name=value ...")->required();
  post->add_option("--annotation", alert_.annotations, "name=value");
  post->add_option("--start", alert_.start, "Since when (RFC 3339)");
  post->add_option("--end", alert_.end, "Until when (RFC 3339)");
  auto* query = add_alert_command(*alert, "query", "Alerts with labels that fire",
                                  "alert query 'severity=~\"critical|high\"'", run_alert_query);
  query->add_option("matchers", alert_.words, "name=value, name!=value, name=~regex, name!~regex");
  query->add_flag("--all", alert_.all, "Silenced and inhibited ones too");
  add_alert_command(*alert, "actionability", "Which rules are worth being called for", "alert actionability",
                    run_alert_actionability)
      ->add_option("--days", alert_.days, "Of the last so many days")
      ->capture_default_str()
      ->check(CLI::Range(1, 366));
  add_silence(*alert);
}

void CommandLine::add_silence(CLI::App& alert) {
  CLI::App* silence = alert.add_subcommand("silence", "Hold alerts back for a time; never emergencies");
  silence->require_subcommand(1);
  auto* make =
      add_alert_command(*silence, "add", "Begin one; prints its id",
                        "alert silence add DiskFull ward=A --for 2h --by ada --comment 'new disk'", run_silence_add);
  auto* preview = add_alert_command(*silence, "preview", "What it would mute", "alert silence preview DiskFull",
                                    run_silence_preview);
  for (CLI::App* command : {make, preview}) {
    command->add_option("matchers", alert_.words, "name=value, name!=value, name=~regex, name!~regex")->required();
    command->add_option("--for", alert_.duration, "How long")->capture_default_str();
    command->add_option("--comment", alert_.note, "Why");
    command->add_option("--approved-by", alert_.approved_by, "The second person, where one is needed");
  }
  make->add_option("--by", alert_.by, "Who")->required();
  auto* query = add_alert_command(*silence, "query", "Those that hold or will hold something back",
                                  "alert silence query", run_silence_query);
  query->add_option("matchers", alert_.words, "Of silences with these matchers");
  query->add_flag("--all", alert_.all, "Expired ones too");
  add_alert_command(*silence, "expire", "End one", "alert silence expire ID", run_silence_expire)
      ->add_option("id", alert_.id, "Its id")
      ->required();
}

CLI::App* CommandLine::add_oncall_command(CLI::App& parent, const std::string& name, const std::string& about,
                                          const std::string& examples,
                                          int (*run)(const OnCallOptions&, const Terminal&)) {
  CLI::App* made = add(parent, name, about, examples, [this, run] { return run(oncall_, terminal_); });
  made->add_option("--server", oncall_.server, "Address of the server")->capture_default_str();
  return made;
}

void CommandLine::add_oncall() {
  CLI::App* oncall = app_.add_subcommand("oncall", "Who is on call: the plan, duty, overrides, coverage, test pages");
  oncall->require_subcommand(1);
  const auto command = [&](const auto&... what) { return add_oncall_command(*oncall, what...); };
  auto* show =
      command("show", "The plan, or its parts of one kind", "Example:\n  mydr24 oncall show policy", run_oncall_show);
  show->add_option("kind", oncall_.kind, "contact, team, schedule, override, policy ...");
  auto* who = command("who", "Who is called, step by step; or who is on duty",
                      "Examples:\n  mydr24 oncall who\n  mydr24 oncall who --schedule ward --at 2026-05-10T03:00:00Z",
                      run_oncall_who);
  who->add_option("--policy", oncall_.policy, "Policy (default: that of emergencies)");
  who->add_option("--schedule", oncall_.schedule, "Schedule instead");
  who->add_option("--at", oncall_.at, "Time (default: now)");
  auto* shifts = command("shifts", "Shifts of a schedule", "Example:\n  mydr24 oncall shifts ward", run_oncall_shifts);
  shifts->add_option("schedule", oncall_.schedule)->required();
  shifts->add_option("--from", oncall_.begin, "Default: now");
  shifts->add_option("--to", oncall_.end, "Default: 28 days later");
  add_oncall_changes(*oncall);
  auto* coverage = command("coverage", "Proof that two people can be paged at every instant; exit code 7 with gaps",
                           "Example:\n  mydr24 oncall coverage --days 90", run_oncall_coverage);
  coverage->add_option("--days", oncall_.days, "How far ahead")->capture_default_str()->check(CLI::Range(1, 400));
  coverage->add_option("--from", oncall_.begin, "Default: now");
  auto* test = command("test-page", "A call that is marked as a test, over every channel of these contacts",
                       "Example:\n  mydr24 oncall test-page ann --by bob\n\nExit code 7 when a channel failed.",
                       run_oncall_test_page);
  test->add_option("contact", oncall_.contacts, "Default: everybody who can be paged");
  test->add_option("--by", oncall_.by, "Who asks for it")->required();
  command("export", "The plan as JSON; secrets are ***", "Example:\n  mydr24 oncall export > plan.json",
          run_oncall_export);
}

void CommandLine::add_oncall_changes(CLI::App& oncall) {
  const auto command = [&](const auto&... what) { return add_oncall_command(oncall, what...); };
  auto* change = command("override", "Add a person to a schedule, take one out, or both, for a while",
                         "Example:\n  mydr24 oncall override ward --begin 2026-05-10T08:00:00Z --end "
                         "2026-05-11T08:00:00Z --remove ann --add bob --by bob",
                         run_oncall_override);
  change->add_option("schedule", oncall_.schedule)->required();
  change->add_option("--begin", oncall_.begin)->required();
  change->add_option("--end", oncall_.end)->required();
  change->add_option("--add", oncall_.add, "Who is on duty");
  change->add_option("--remove", oncall_.remove, "Who is not");
  change->add_option("--by", oncall_.by, "Who changes it")->required();
  change->add_option("--reason", oncall_.reason);
  auto* swap = command("swap", "Two people take each other's duty",
                       "Example:\n  mydr24 oncall swap ward --who ann --begin 2026-05-10T08:00:00Z --end "
                       "2026-05-11T08:00:00Z \\\n    --with bob --with-begin 2026-05-17T08:00:00Z --with-end "
                       "2026-05-18T08:00:00Z --by ann",
                       run_oncall_swap);
  swap->add_option("schedule", oncall_.schedule)->required();
  swap->add_option("--who", oncall_.remove)->required();
  swap->add_option("--begin", oncall_.begin)->required();
  swap->add_option("--end", oncall_.end)->required();
  swap->add_option("--with", oncall_.add)->required();
  swap->add_option("--with-begin", oncall_.other_begin)->required();
  swap->add_option("--with-end", oncall_.other_end)->required();
  swap->add_option("--by", oncall_.by, "Who changes it")->required();
  auto* load =
      command("import", "Replace the plan by a file, YAML or JSON: all of it or nothing; or add another system's",
              "Examples:\n  mydr24 oncall import plan.yaml --by ann\n  mydr24 oncall import --merge leave.yaml "
              "--by ann\n  mydr24 oncall import --from goalert export.json --dry-run\n  mydr24 oncall import "
              "--from alertmanager alertmanager.yml --output routing.yaml\n\nExit code 7 when something could "
              "not be carried over; --dry-run: also when somebody would not be reached.",
              run_oncall_import);
  load->add_option("file", oncall_.file, "-: standard input")->required();
  load->add_option("--from", oncall_.from, "goalert, grafana-oncall: added to the plan; alertmanager: alerting.routing")
      ->check(CLI::IsMember({"goalert", "grafana-oncall", "alertmanager"}));
  load->add_flag("--merge", oncall_.merge, "Keep what the file does not name (always so with --from)");
  load->add_flag("--dry-run", oncall_.dry_run, "Change nothing: what would be changed, and who could not be reached");
  load->add_option("--output", oncall_.output, "Where the routing goes (default: standard output)");
  load->add_option("--by", oncall_.by, "Who changes it");
}

}  // namespace mydr24::cli
