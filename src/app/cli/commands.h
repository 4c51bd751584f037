#pragma once

// What `mydr24` can do, one function a command, each in a file of its own. command_line.h reads the command line
// into these options. Every command gives back a process exit code (Exit) and throws nothing.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "app/cli/config.h"
#include "app/cli/terminal.h"

namespace mydr24::cli {

inline constexpr std::string_view product_version = "0.1.0";

// Where settings come from, for the commands that use them. Empty texts: not given.
struct ConfigOptions {
  std::string file;
  std::string data;
  std::string store;  // postgres://...
  std::string encryption_key_file;
  std::string listen;
  std::string admin;
  std::string tenant;  // whose store it is, where there are several

  Sources sources(const NamedValues& environment) const;
};

// Loads the settings, or says on the terminal what is wrong with them: of a server with tenants those of the one that the
// options name.
std::expected<Config, int> settings_or_exit(const ConfigOptions& options, const Terminal& terminal);
// Those of the whole server.
std::expected<Config, int> server_settings_or_exit(const ConfigOptions& options, const Terminal& terminal);

int run_serve(const ConfigOptions& options, const Terminal& terminal);

// How a search would be answered. `admin`: of a running server; empty: opens the store itself.
int run_explain(const ConfigOptions& options, const std::string& search, const std::string& admin,
                const Terminal& terminal);

struct DemoOptions {
  int patients = 60;
  int port = 8024;
  std::string data;
  std::string store;  // postgres://...; empty: in the folder `data`
  bool keep = false;
  std::string zone;        // IANA time zone of the console; empty: that of each browser
  double pace = 1;         // of the script, against how it is written; 0: no script
  std::string stop_after;  // a duration; empty: until Ctrl-C
};
int run_demo(const DemoOptions& options, const Terminal& terminal);

struct SimulateOptions {
  int patients = 60;
  int beds_per_ward = 20;
  int deteriorating = 4;
  double speed = 1;
  std::uint64_t seed = 24;
  std::string interval = "5s";
  std::string time;    // a duration; empty: until Ctrl-C
  std::string server;  // this or
  std::string out;     // this
  // A scenario instead: load on a server, nothing is kept of what the patients do.
  std::string scenario;
  double multiplier = 0;            // 0: the scenario's own
  double rate = 5;                  // requests a second on a normal day
  std::string emergency_server;     // where emergencies go; empty: `server`
  bool remote = false;              // the server may be another machine
  std::vector<std::string> breaks;  // of the game day; empty: all
};
int run_simulate(const SimulateOptions& options, const Terminal& terminal);
int run_simulate_scenario(const SimulateOptions& options, const Terminal& terminal);
// The scenario "game-day": a server of its own is broken, and its operations desk judged.
int run_game_day(const SimulateOptions& options, const Terminal& terminal);

struct ImportOptions {
  std::vector<std::string> paths;
  ConfigOptions config;
  std::string server;
  bool resume = false;
  bool progress_json = false;
};
int run_import(const ImportOptions& options, const Terminal& terminal);

struct BenchSurgeOptions {
  std::vector<std::string> cells;  // empty: 0x, 10x, 100x
  std::vector<std::string> modes;  // empty: all
  double seconds = 10;
  int repeat = 1;
  double emergencies = 100;  // a second
  int connections = 4000;
  double capacity = 0;  // requests a second beside the emergencies; 0: is calibrated
  double counted = 0;   // with it: requests a second but reads by id; 0: goodput is not judged
  int work_ms = 1;      // a piece of work
  std::string retry = "none";
};
int run_bench_surge(const BenchSurgeOptions& options, const Terminal& terminal);
// One generator of a bench, told what to do on standard input.
int run_bench_generate(const Terminal& terminal);

int run_vitals_score(const std::string& file, const Terminal& terminal);
struct VitalsOptions {
  std::string server = "http://127.0.0.1:8024";
  std::string action;  // of rules: list, show, add, activate, validate; of limits: show, set, remove; a scale
  std::string file;    // -: standard input
  std::string version;
  std::string by;
  std::string patient;
  std::string signal;
  std::string reason;
  std::string since;
  std::string until;  // of scores: the time
  std::optional<double> low;
  std::optional<double> high;
  bool scale_2 = false;
};
int run_vitals_rules(const VitalsOptions& options, const Terminal& terminal);
int run_vitals_dry_run(const VitalsOptions& options, const Terminal& terminal);
int run_vitals_limits(const VitalsOptions& options, const Terminal& terminal);
int run_vitals_scores(const VitalsOptions& options, const Terminal& terminal);
int run_vitals_crowding(const VitalsOptions& options, const Terminal& terminal);

// Asks a running server in PromQL.
struct MonitorQueryOptions {
  std::string server = "http://127.0.0.1:8024";
  std::string expression;
  std::string range;  // back from now; empty: only now
  std::string step;   // empty: a hundredth of the range
};
int run_monitor_query(const MonitorQueryOptions& options, const Terminal& terminal);
int run_doctor(const ConfigOptions& options, const Terminal& terminal);
int run_config_show(const ConfigOptions& options, bool effective, const Terminal& terminal);
int run_config_validate(const ConfigOptions& options, const Terminal& terminal);
int run_config_example(const Terminal& terminal);
int run_backup_create(const ConfigOptions& options, const std::string& to, const Terminal& terminal);
// mydr24 key: the keys of an encrypted data folder, whether or not its server is running.
int run_key_status(const ConfigOptions& options, const Terminal& terminal);
int run_key_rotate(const ConfigOptions& options, const Terminal& terminal);
int run_key_rewrap(const ConfigOptions& options, const std::string& new_key_file, const Terminal& terminal);
// `key_file`: of an encrypted copy; empty: it is plain.
int run_backup_verify(const std::string& path, const std::string& key_file, const Terminal& terminal);
// `place`: a data folder or a postgres:// URL.
int run_migrate_status(const std::string& place, const Terminal& terminal);
int run_migrate_up(const std::string& place, const std::string& key_file, bool dry_run, const Terminal& terminal);
struct StoreCopyOptions {
  std::string from;  // data folders or postgres:// URLs
  std::string to;
  std::string from_key_file, to_key_file;  // of encrypted folders; empty: plain
  bool progress_json = false;
};
int run_store_copy(const StoreCopyOptions& options, const Terminal& terminal);
struct TicketOptions {
  ConfigOptions config;
  std::string key_file;  // empty: admission.ticket_key_file of the configuration
  std::string raises_to = "urgent";
  std::string tenant;
  std::string valid = "15m";  // a duration
};
int run_ticket(const TicketOptions& options, const Terminal& terminal);
// The audit trail in a data folder, or in a folder of its own. Times as 2026-05-10T08:00:00Z.
struct AuditOptions {
  std::string data = "./data";
  std::string folder;
  std::string patient, principal, since, until, action, interaction, outcome, resource, override_id, request_id;
  bool or_everyone = false;
  bool failures = false;
  std::size_t limit = 50;
  std::string cursor;
  std::string format = "table";
  std::string checkpoints;
  std::string key;       // a key or its file
  std::string exported;  // a file
  std::string encryption_key_file;
  std::string site = "mydr24";
  std::string url;
};
int run_audit_search(const AuditOptions& options, const Terminal& terminal);
int run_audit_verify(const AuditOptions& options, const Terminal& terminal);
int run_audit_export(const AuditOptions& options, const Terminal& terminal);
int run_audit_key(const AuditOptions& options, const Terminal& terminal);
int run_audit_disclosures(const AuditOptions& options, const Terminal& terminal);
// mydr24 user, client, session: on the store, or by the server that has it open.
struct IdentityOptions {
  std::string action;  // "user.add", as guard/identity/administration.h has it
  std::string name;    // of a user, a client or a session
  std::string display, fhir_user;
  std::vector<std::string> roles;
  bool no_password = false;
  std::string proof = "none";  // of a client: token_endpoint_auth_method
  std::string scopes, key_set_url, file;
  std::vector<std::string> redirect_uris, grants;
  std::string method, path;  // of access.explain
};
int run_access_policy(const Terminal& terminal);
// mydr24 audit hold, breach, compliance: by the server that has the folder open; holds also without one.
struct OperatorOptions {
  std::string action;  // "audit.hold", "breach.open", as server::AccessControl takes it
  std::string id;      // of a patient or a breach
  std::string by;      // who gives the command; empty: the user of the system
  std::string reason, since, until, aware;
  std::string nature, consequences, measures, contact, client, principal, outcome;
};
int run_operator(const OperatorOptions& options, const ConfigOptions& place, const Terminal& terminal);
int run_identity(const IdentityOptions& options, const ConfigOptions& place, const Terminal& terminal);
int run_openapi(const Terminal& terminal);
int run_version(const Terminal& terminal);

// On-call of a running server. Times as 2026-05-10T08:00:00Z.
struct OnCallOptions {
  std::string server = "http://127.0.0.1:8024";
  std::string kind, schedule, policy, at;
  std::string begin, end, other_begin, other_end;
  std::string add, remove, by, reason, file;
  std::vector<std::string> contacts;
  int days = 90;
  bool merge = false, dry_run = false;
  std::string from;    // of which system the file is; empty: ours
  std::string output;  // where an adopted Alertmanager configuration goes
};
int run_oncall_show(const OnCallOptions& options, const Terminal& terminal);
int run_oncall_who(const OnCallOptions& options, const Terminal& terminal);
int run_oncall_shifts(const OnCallOptions& options, const Terminal& terminal);
int run_oncall_override(const OnCallOptions& options, const Terminal& terminal);
int run_oncall_swap(const OnCallOptions& options, const Terminal& terminal);
int run_oncall_coverage(const OnCallOptions& options, const Terminal& terminal);
int run_oncall_test_page(const OnCallOptions& options, const Terminal& terminal);
int run_oncall_import(const OnCallOptions& options, const Terminal& terminal);
int run_oncall_adopt(const OnCallOptions& options, const Terminal& terminal);  // import --from
int run_oncall_export(const OnCallOptions& options, const Terminal& terminal);

// Changes and live settings of a running server.
struct ChangeOptions {
  std::string server = "http://127.0.0.1:8024";
  std::string action;  // of run_change_act: "approve", as in the path
  std::string id, file, state, digest, by, reason, evidence, at, begin, end, since, until, setting;
  std::vector<std::string> services;
  int limit = 50;
  bool rolled_back = false;
  bool wait = false;
};
int run_change_list(const ChangeOptions& options, const Terminal& terminal);
int run_change_show(const ChangeOptions& options, const Terminal& terminal);
// With an id: another plan for it.
int run_change_propose(const ChangeOptions& options, const Terminal& terminal);
int run_change_act(const ChangeOptions& options, const Terminal& terminal);
int run_change_calendar(const ChangeOptions& options, const Terminal& terminal);
int run_change_freeze(const ChangeOptions& options, const Terminal& terminal);
int run_change_unfreeze(const ChangeOptions& options, const Terminal& terminal);
// With a file: whether it is a policy; else the one in force.
int run_change_policy(const ChangeOptions& options, const Terminal& terminal);
int run_change_figures(const ChangeOptions& options, const Terminal& terminal);
int run_settings_list(const ChangeOptions& options, const Terminal& terminal);
int run_settings_get(const ChangeOptions& options, const Terminal& terminal);
int run_settings_history(const ChangeOptions& options, const Terminal& terminal);
// The monitor and the objectives of a running server.
struct MonitorOptions {
  std::string server = "http://127.0.0.1:8024";
  std::string name, file, by;
  bool replace = false;
  bool dry_run = false;
};
int run_monitor_status(const MonitorOptions& options, const Terminal& terminal);
int run_monitor_metrics(const MonitorOptions& options, const Terminal& terminal);
int run_monitor_channels(const MonitorOptions& options, const Terminal& terminal);
int run_monitor_changes(const MonitorOptions& options, const Terminal& terminal);
int run_monitor_rules(const MonitorOptions& options, const Terminal& terminal);
int run_monitor_rules_export(const MonitorOptions& options, const Terminal& terminal);
int run_monitor_rules_set(const MonitorOptions& options, const Terminal& terminal);
int run_monitor_rules_preview(const MonitorOptions& options, const Terminal& terminal);
int run_slo_list(const MonitorOptions& options, const Terminal& terminal);
int run_slo_show(const MonitorOptions& options, const Terminal& terminal);
int run_slo_import(const MonitorOptions& options, const Terminal& terminal);
int run_slo_export(const MonitorOptions& options, const Terminal& terminal);
int run_slo_remove(const MonitorOptions& options, const Terminal& terminal);

}  // namespace mydr24::cli
