// Grammar of mydr24 monitor and mydr24 slo.

#include "app/cli/command_line.h"

namespace mydr24::cli {

CLI::App* CommandLine::add_monitor_command(CLI::App& parent, const std::string& name, const std::string& about,
                                           const std::string& example,
                                           int (*run)(const MonitorOptions&, const Terminal&)) {
  CLI::App* made =
      add(parent, name, about, "Example:\n  mydr24 " + example, [this, run] { return run(monitor_, terminal_); });
  made->add_option("--server", monitor_.server, "Address of the server")->capture_default_str();
  return made;
}

void CommandLine::add_monitor_query(CLI::App& monitor) {
  auto* query = add(monitor, "query", "Ask for what was counted, in PromQL",
                    "Examples:\n"
                    "  mydr24 monitor query 'sum by (class) (rate(mydr24_http_requests_total[5m]))'\n"
                    "  mydr24 monitor query mydr24_store_disk_bytes --range 24h --step 10m",
                    [this] { return run_monitor_query(monitor_query_, terminal_); });
  query->add_option("expression", monitor_query_.expression, "PromQL")->required();
  query->add_option("--range", monitor_query_.range, "So far back from now: 1h, 7d (default: only now)");
  query->add_option("--step", monitor_query_.step, "Time between two values (default: a hundredth of the range)");
  query->add_option("--server", monitor_query_.server, "Address of the server")->capture_default_str();
}

void CommandLine::add_monitor() {
  CLI::App* monitor = app_.add_subcommand("monitor", "Is the platform well: verdict, metrics, rules, channels");
  monitor->require_subcommand(1);
  add_monitor_command(*monitor, "status", "The verdict and what people are told of; exit code 7 unless all is well",
                      "monitor status", run_monitor_status);
  add_monitor_command(*monitor, "metrics", "Every metric with its value, age and state", "monitor metrics",
                      run_monitor_metrics);
  add_monitor_command(*monitor, "channels", "The last synthetic emergency over each channel", "monitor channels",
                      run_monitor_channels);
  add_monitor_command(*monitor, "changes", "Who changed rules and objectives, and when", "monitor changes",
                      run_monitor_changes);
  add_monitor_query(*monitor);
  CLI::App* rules = monitor->add_subcommand("rules", "Threshold rules");
  rules->require_subcommand(1);
  add_monitor_command(*rules, "list", "Each rule with its state", "monitor rules list", run_monitor_rules);
  add_monitor_command(*rules, "export", "The rules as JSON, to be edited", "monitor rules export > rules.json",
                      run_monitor_rules_export);
  auto* preview = add_monitor_command(*rules, "preview", "What rules would have said of the last 5 minutes",
                                      "monitor rules preview rules.json", run_monitor_rules_preview);
  auto* set = add_monitor_command(*rules, "set", "In place of all rules", "monitor rules set rules.json --by ada",
                                  run_monitor_rules_set);
  for (CLI::App* command : {preview, set})
    command->add_option("file", monitor_.file, "JSON file; -: standard input")->required();
  set->add_option("--by", monitor_.by, "Who decides")->required();
}

void CommandLine::add_slo() {
  CLI::App* slo = app_.add_subcommand("slo", "Service level objectives: budgets, burn rates, OpenSLO");
  slo->require_subcommand(1);
  add_monitor_command(*slo, "list", "Each objective with what is left of its budget", "slo list", run_slo_list);
  add_monitor_command(*slo, "show", "One objective with its burn rates", "slo show emergency-availability",
                      run_slo_show)
      ->add_option("name", monitor_.name)
      ->required();
  auto* import = add_monitor_command(*slo, "import", "Take objectives from OpenSLO v1 in YAML",
                                     "slo import objectives.yaml --by ada", run_slo_import);
  import->add_option("file", monitor_.file, "YAML file; -: standard input")->required();
  import->add_option("--by", monitor_.by, "Who decides")->required();
  import->add_flag("--replace", monitor_.replace, "In place of all; else beside those of other names");
  import->add_flag("--dry-run", monitor_.dry_run, "Only say whether it is valid");
  add_monitor_command(*slo, "export", "All objectives as OpenSLO v1 in YAML", "slo export > objectives.yaml",
                      run_slo_export);
  auto* remove =
      add_monitor_command(*slo, "remove", "Take an objective out", "slo remove record-access --by ada", run_slo_remove);
  remove->add_option("name", monitor_.name)->required();
  remove->add_option("--by", monitor_.by, "Who decides")->required();
}

}  // namespace mydr24::cli
