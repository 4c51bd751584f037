#pragma once

// The grammar of `mydr24`: each add_ function declares one command, or one group of them, and binds it to its options.
// What a command does is in commands.h.

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "app/cli/alert.h"
#include "app/cli/commands.h"
#include "app/cli/incident.h"
#include "app/cli/login.h"

namespace mydr24::cli {

class CommandLine {
 public:
  explicit CommandLine(Terminal& terminal);
  int run(int argc, const char* const* argv);

 private:
  int usage(const CLI::ParseError& problem, int argc, const char* const* argv);
  CLI::App* add(CLI::App& parent, const std::string& name, const std::string& about, const std::string& examples,
                std::function<int()> command);
  void add_config_options(CLI::App* command, bool listeners);
  static void add_key_file_option(CLI::App* command, std::string& to);

  // grammar_server.cc
  void add_serve();
  void add_demo();
  void add_simulate();
  void add_bench();
  void add_import();
  void add_doctor();
  void add_explain();
  void add_config();
  void add_backup();
  void add_key();
  void add_migrate();
  void add_store();
  void add_ticket();
  void add_openapi();
  void add_version();

  // grammar_identity.cc
  CLI::App* add_identity_command(CLI::App& parent, const std::string& name, const std::string& action,
                                 const std::string& about, const std::string& example);
  void add_user();
  void add_client();
  void add_login();
  void add_access();
  void add_session();

  // grammar_desk.cc
  void add_vitals();
  void add_vitals_server(CLI::App* command);
  CLI::App* add_vitals_action(CLI::App& parent, const std::string& action, const std::string& about,
                              const std::string& examples, int (*run)(const VitalsOptions&, const Terminal&));
  void add_vitals_rules(CLI::App& vitals);
  void add_vitals_limits(CLI::App& vitals);
  CLI::App* add_alert_command(CLI::App& parent, const std::string& name, const std::string& about,
                              const std::string& example, int (*command)(const AlertOptions&, const Terminal&));
  void add_alert();
  void add_silence(CLI::App& alert);
  void add_oncall();
  CLI::App* add_oncall_command(CLI::App& parent, const std::string& name, const std::string& about,
                               const std::string& examples, int (*run)(const OnCallOptions&, const Terminal&));
  void add_oncall_changes(CLI::App& oncall);

  // grammar_incident.cc
  void add_incident();
  CLI::App* add_incident_command(CLI::App& parent, const std::string& name, const std::string& about,
                                 const std::string& example, int (*run)(const IncidentOptions&, const Terminal&));
  CLI::App* add_incident_change(CLI::App& incident, const std::string& name, const std::string& about,
                                const std::string& example);
  void add_incident_changes(CLI::App& incident);
  void add_incident_review(CLI::App& incident);
  void add_incident_setup(CLI::App& incident);

  // grammar_changes.cc
  void add_change();
  void add_change_people(CLI::App& change);
  void add_change_runs(CLI::App& change);
  void add_settings();
  CLI::App* add_change_command(CLI::App& parent, const std::string& name, const std::string& about,
                               const std::string& examples, int (*run)(const ChangeOptions&, const Terminal&));
  CLI::App* add_change_action(CLI::App& parent, const std::string& action, const std::string& about,
                              const std::string& examples);

  // grammar_monitor.cc
  CLI::App* add_monitor_command(CLI::App& parent, const std::string& name, const std::string& about,
                                const std::string& example, int (*run)(const MonitorOptions&, const Terminal&));
  void add_monitor();
  void add_monitor_query(CLI::App& monitor);
  void add_slo();

  // grammar_audit.cc
  void add_audit();
  void add_audit_query(CLI::App* command);
  CLI::App* add_audit_command(CLI::App& parent, const std::string& name, const std::string& about,
                              const std::string& examples, int (*run)(const AuditOptions&, const Terminal&));

  // grammar_rights.cc
  CLI::App* add_operator_command(CLI::App& parent, const std::string& name, const std::string& action,
                                 const std::string& about, const std::string& example);
  void add_holds(CLI::App& audit);
  void add_breach();
  void add_compliance();

  Terminal& terminal_;
  CLI::App app_{"MyDR24: FHIR R4 server and clinical alerting in one program", "mydr24"};
  std::function<int()> command_;
  ConfigOptions config_;
  DemoOptions demo_;
  SimulateOptions simulate_;
  ImportOptions import_;
  BenchSurgeOptions bench_;
  StoreCopyOptions store_copy_;
  OnCallOptions oncall_;
  IncidentOptions incident_;
  ChangeOptions change_;
  MonitorOptions monitor_;
  VitalsOptions vitals_;
  TicketOptions ticket_;
  IdentityOptions identity_;
  LoginOptions login_;
  OperatorOptions operator_;
  AlertOptions alert_;
  AuditOptions audit_;
  MonitorQueryOptions monitor_query_;
  std::string place_;
  std::string key_file_;
  bool dry_run_ = false;
  std::string file_;
  std::string server_;
  std::string progress_ = "auto";
  bool effective_ = false;
  bool no_colour_ = false;
};

}  // namespace mydr24::cli
