#include "app/cli/command_line.h"
#include "app/cli/config.h"
#include "base/zone/zone.h"

namespace mydr24::cli {

void CommandLine::add_serve() {
  auto* command = add(app_, "serve", "Run the server",
                      "Examples:\n"
                      "  mydr24 serve --data ./data\n"
                      "  mydr24 serve --config /etc/mydr24/mydr24.toml\n"
                      "  MYDR24_SERVER__LISTEN=0.0.0.0:8024 mydr24 serve\n"
                      "\nCtrl-C or SIGTERM: finish what is in flight, then end. A second one ends at once.",
                      [this] { return run_serve(config_, terminal_); });
  add_config_options(command, true);
}

void CommandLine::add_demo() {
  auto* command =
      add(app_, "demo", "A simulated hospital, alive in a second; no real patients",
          "Examples:\n"
          "  mydr24 demo\n"
          "  mydr24 demo --patients 500 --port 9000\n"
          "  mydr24 demo --pace 4      the script four times as fast\n"
          "  mydr24 demo --store postgres://mydr24@db/demo\n"
          "\nThe data folder is made anew at each start unless --keep is given; a database must be empty then.",
          [this] { return run_demo(demo_, terminal_); });
  command->add_option("--patients", demo_.patients, "Patients in beds")
      ->capture_default_str()
      ->check(CLI::Range(1, 20'000));
  command->add_option("--port", demo_.port, "Port on 127.0.0.1; 0: any free one")
      ->capture_default_str()
      ->check(CLI::Range(0, 65'535));
  command->add_option("--data", demo_.data, "Data folder (default: mydr24/demo in the user's data folder)");
  command->add_option("--store", demo_.store, "postgres://...: PostgreSQL in place of the folder");
  command->add_flag("--keep", demo_.keep, "Go on with the data of the last demo");
  command
      ->add_option("--zone", demo_.zone, "Time zone of the console, as Europe/Berlin (default: that of each browser)")
      ->check([](const std::string& name) {
        const auto zone = zone::Zone::find(name);
        return zone ? std::string() : zone.error().text;
      });
  command->add_option("--pace", demo_.pace, "How many times faster than life the script goes; 0: no script")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 60.0));
  command->add_option("--for", demo_.stop_after, "End after this time (90s, 5m)");
}

void CommandLine::add_simulate() {
  auto* command =
      add(app_, "simulate", "Write the life of a simulated hospital to a server or into files",
          "Examples:\n"
          "  mydr24 simulate --server http://127.0.0.1:8024 --patients 200 --for 5m\n"
          "  mydr24 simulate --out ./bulk --patients 1000 --for 1h --interval 60s\n"
          "  mydr24 simulate --scenario mass-casualty --server http://127.0.0.1:8024 --for 60s\n"
          "  mydr24 simulate --scenario game-day\n"
          "\nScenarios: normal-day, mass-casualty (100x), natural-disaster (50x), pandemic (25x),\n"
          "  cyber-recovery (200x). At most 1 h; of this machine only, unless --remote is given.\n"
          "game-day: starts a server of its own, breaks it in five ways (database, disk, audit, change, channel) and\n"
          "  reports when each was found, which incident it is and who was called. Exit code 7: not all of it holds.",
          [this] {
            return simulate_.scenario.empty() ? run_simulate(simulate_, terminal_)
                                              : run_simulate_scenario(simulate_, terminal_);
          });
  command->add_option("--patients", simulate_.patients, "Patients in beds")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000'000));
  command->add_option("--beds", simulate_.beds_per_ward, "Beds of a ward")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000));
  command->add_option("--deteriorating", simulate_.deteriorating, "Patients that fall ill, one after the other")
      ->capture_default_str()
      ->check(CLI::Range(0, 1'000'000));
  command->add_option("--speed", simulate_.speed, "How much faster than life the patients change")
      ->capture_default_str()
      ->check(CLI::Range(0.01, 1000.0));
  command->add_option("--interval", simulate_.interval, "Time between two rounds of vital signs")
      ->capture_default_str();
  command->add_option("--for", simulate_.time, "How long (default: until Ctrl-C; files: 10m)");
  command->add_option("--seed", simulate_.seed, "The same seed gives the same hospital")->capture_default_str();
  auto* server = command->add_option("--server", simulate_.server, "Address of a server");
  auto* out = command->add_option("--out", simulate_.out, "Folder for NDJSON files instead")->excludes(server);
  auto* scenario = command->add_option("--scenario", simulate_.scenario, "Load as in an emergency, by name");
  scenario->excludes(out);
  command->add_option("--multiplier", simulate_.multiplier, "Times a normal day's load (default: the scenario's)")
      ->needs(scenario)
      ->check(CLI::Range(0.01, 1000.0));
  command->add_option("--rate", simulate_.rate, "Requests a second on a normal day")
      ->capture_default_str()
      ->needs(scenario)
      ->check(CLI::Range(0.1, 10'000.0));
  command->add_option("--emergency-server", simulate_.emergency_server, "Address of the emergency listener")
      ->needs(scenario);
  command->add_flag("--remote", simulate_.remote, "The server may be another machine")->needs(scenario);
  command->add_option("--breaks", simulate_.breaks, "Of the game day only these")->needs(scenario)->delimiter(',');
}

void CommandLine::add_bench() {
  CLI::App* bench = app_.add_subcommand("bench", "Measure this program on this machine");
  bench->require_subcommand(1);
  auto* surge =
      add(*bench, "surge", "Emergencies beside many times the load that the server can carry",
          "Examples:\n"
          "  mydr24 bench surge                                  0x, 10x, 100x in every mode\n"
          "  mydr24 bench surge --cells 0x,10x,pulse --modes full --seconds 30 --json\n"
          "\nCells: multiples of the capacity (0x, 0.5x, 120x), pulse, flood, connections, tls, handshakes,\n"
          "  import, idle, idle-tls, storm. Modes: naive, full, unprivileged.\n"
          "Servers of its own on loopback: processor 0 is theirs, processor 1 the generators'.\n"
          "Exit code 7: a bar was missed, or a run is void (the generator was late, others took the processor).",
          [this] { return run_bench_surge(bench_, terminal_); });
  surge->add_option("--cells", bench_.cells, "Which cells")->delimiter(',');
  surge->add_option("--modes", bench_.modes, "Which modes")->delimiter(',');
  surge->add_option("--seconds", bench_.seconds, "Of measuring, a cell")
      ->capture_default_str()
      ->check(CLI::Range(1.0, 600.0));
  surge->add_option("--repeat", bench_.repeat, "Repetitions of a cell")
      ->capture_default_str()
      ->check(CLI::Range(1, 100));
  surge->add_option("--emergencies", bench_.emergencies, "Emergencies a second")
      ->capture_default_str()
      ->check(CLI::Range(1.0, 10'000.0));
  surge->add_option("--connections", bench_.connections, "Connections of the other classes together")
      ->capture_default_str()
      ->check(CLI::Range(20, 15'000));
  auto* capacity = surge->add_option("--capacity", bench_.capacity, "Requests a second, instead of calibrating")
                       ->check(CLI::Range(1.0, 1'000'000.0));
  surge
      ->add_option("--counted", bench_.counted,
                   "Requests a second that goodput counts at that capacity: all but reads by id")
      ->needs(capacity)
      ->check(CLI::Range(1.0, 1'000'000.0));
  surge->add_option("--work-ms", bench_.work_ms, "Milliseconds of the processor, a piece of work")
      ->capture_default_str()
      ->check(CLI::Range(1, 100));
  surge->add_option("--retry", bench_.retry, "What refused requests do in the multiples")
      ->capture_default_str()
      ->check(CLI::IsMember({"none", "immediate", "backoff", "budget"}));
  add(*bench, "generate", "", "", [this] { return run_bench_generate(terminal_); })->group("");
}

void CommandLine::add_import() {
  auto* command =
      add(app_, "import", "Load FHIR resources: NDJSON (.ndjson, .ndjson.gz), resources, Bundles, folders",
          "Examples:\n"
          "  mydr24 import ./bulk --data ./data          no server may use the folder meanwhile\n"
          "  mydr24 import Patient.ndjson.gz --server http://127.0.0.1:8024\n"
          "  mydr24 import --resume --data ./data        go on after Ctrl-C\n"
          "\nIds are kept. What is refused stands in import-rejected.ndjson in the data folder; exit code 7.",
          [this] {
            import_.config = config_;
            import_.progress_json = progress_ == "json";
            return run_import(import_, terminal_);
          });
  command->add_option("path", import_.paths, "Files and folders");
  add_config_options(command, false);
  command->add_option("--server", import_.server, "Send to a running server instead");
  command->add_flag("--resume", import_.resume, "Go on where an import was interrupted");
  command->add_option("--progress", progress_, "json: progress as NDJSON events on standard error, every 5 s")
      ->check(CLI::IsMember({"auto", "json"}));
}

void CommandLine::add_doctor() {
  auto* command = add(app_, "doctor", "Check configuration, data folder, store and machine",
                      "Example:\n  mydr24 doctor --data ./data\n\nExit code 7 when something needs a look.",
                      [this] { return run_doctor(config_, terminal_); });
  add_config_options(command, false);
}

void CommandLine::add_explain() {
  auto* command = add(app_, "explain", "Show how a search is answered: the plan, its indexes and what it costs",
                      "Examples:\n"
                      "  mydr24 explain 'Observation?code=8480-6&_sort=-date' --data ./data\n"
                      "  mydr24 explain 'Patient?name=meyer' --server http://127.0.0.1:8025   a server that runs",
                      [this] { return run_explain(config_, file_, server_, terminal_); });
  command->add_option("search", file_, "TYPE?parameters, as in a URL")->required();
  command->add_option("--server", server_, "Admin address of a running server, which then explains");
  add_config_options(command, false);
}

void CommandLine::add_config() {
  CLI::App* config = app_.add_subcommand("config", "Show and check the configuration");
  config->require_subcommand(1);
  auto* show = add(*config, "show", "What is set, and where",
                   "Precedence: flag, environment (MYDR24_SECTION__KEY), file, default.\n"
                   "Examples:\n  mydr24 config show --effective",
                   [this] { return run_config_show(config_, effective_, terminal_); });
  show->add_flag("--effective", effective_, "Defaults too");
  add_config_options(show, true);
  auto* validate = add(*config, "validate", "Check the configuration; exit code 6 when it is wrong",
                       "Example:\n  mydr24 config validate --config mydr24.toml",
                       [this] { return run_config_validate(config_, terminal_); });
  add_config_options(validate, true);
  add(*config, "example", "A configuration file with every key and its default",
      "Example:\n  mydr24 config example > mydr24.toml", [this] { return run_config_example(terminal_); });
}

void CommandLine::add_key_file_option(CLI::App* command, std::string& to) {
  command->add_option("--encryption-key-file", to, "Key file of what is encrypted")
      ->envname(environment_name("encryption.key_file"));
}

void CommandLine::add_backup() {
  CLI::App* backup = app_.add_subcommand("backup", "Copies of the store");
  backup->require_subcommand(1);
  auto* create = add(*backup, "create", "Copy the store; TO appears only when complete",
                     "Example:\n  mydr24 backup create --data ./data /backup/mydr24-monday",
                     [this] { return run_backup_create(config_, file_, terminal_); });
  create->add_option("to", file_, "Path of the copy; must not exist")->required();
  add_config_options(create, false);
  auto* verify = add(*backup, "verify", "Read a whole copy and check it; exit code 7 when something is wrong",
                     "Example:\n  mydr24 backup verify /backup/mydr24-monday",
                     [this] { return run_backup_verify(file_, key_file_, terminal_); });
  verify->add_option("path", file_, "The copy")->required();
  add_key_file_option(verify, key_file_);
}

void CommandLine::add_key() {
  CLI::App* key = app_.add_subcommand("key", "Keys of an encrypted data folder, store and audit");
  key->require_subcommand(1);
  auto* status = add(*key, "status", "Which keys there are, and how many pages each has sealed",
                     "Example:\n  mydr24 key status --data ./data --encryption-key-file /etc/mydr24/key",
                     [this] { return run_key_status(config_, terminal_); });
  add_config_options(status, false);
  auto* rotate = add(*key, "rotate", "A new key: a running server takes it up and seals everything anew with it",
                     "Example:\n  mydr24 key rotate --data ./data --encryption-key-file /etc/mydr24/key",
                     [this] { return run_key_rotate(config_, terminal_); });
  add_config_options(rotate, false);
  auto* rewrap =
      add(*key, "rewrap", "The same keys under another key file",
          "Example:\n"
          "  mydr24 key rewrap --data ./data --encryption-key-file /etc/mydr24/key --new-key-file /etc/mydr24/new\n"
          "\nRestart the server with the new file. Backups made before still need the old one.",
          [this] { return run_key_rewrap(config_, file_, terminal_); });
  add_config_options(rewrap, false);
  rewrap->add_option("--new-key-file", file_, "What wraps the keys from now on")->required();
}

void CommandLine::add_migrate() {
  CLI::App* migrate = app_.add_subcommand("migrate", "The schema of the database");
  migrate->require_subcommand(1);
  auto* status = add(*migrate, "status", "Which migrations are applied, which are to come",
                     "Example:\n  mydr24 migrate status --store postgres://mydr24@db/mydr24",
                     [this] { return run_migrate_status(place_, terminal_); });
  status->add_option("--store", place_, "Data folder or postgres:// URL")->required();
  auto* up = add(*migrate, "up", "Apply what is missing, all or nothing",
                 "Examples:\n"
                 "  mydr24 migrate up --dry-run --store postgres://mydr24@db/mydr24   the SQL, nothing is changed\n"
                 "  mydr24 migrate up --store postgres://mydr24@db/mydr24",
                 [this] { return run_migrate_up(place_, key_file_, dry_run_, terminal_); });
  up->add_option("--store", place_, "Data folder or postgres:// URL")->required();
  add_key_file_option(up, key_file_);
  up->add_flag("--dry-run", dry_run_, "Print the SQL only");
}

void CommandLine::add_store() {
  CLI::App* store = app_.add_subcommand("store", "Whole stores");
  store->require_subcommand(1);
  auto* copy = add(*store, "copy", "Copy a store into an empty one, also of the other engine; goes on where it was",
                   "Examples:\n"
                   "  mydr24 store copy --from ./data --to postgres://mydr24@db/mydr24\n"
                   "  mydr24 store copy --from postgres://mydr24@db/mydr24 --to ./data\n"
                   "  mydr24 store copy --from ./data --to ./encrypted --to-key-file /etc/mydr24/key\n"
                   "\nNothing else may write to either meanwhile. Versions, times and history are kept.",
                   [this] {
                     store_copy_.progress_json = progress_ == "json";
                     return run_store_copy(store_copy_, terminal_);
                   });
  copy->add_option("--from", store_copy_.from, "Data folder or postgres:// URL")->required();
  copy->add_option("--to", store_copy_.to, "The same; empty, or what an interrupted copy has made")->required();
  copy->add_option("--from-key-file", store_copy_.from_key_file, "Key file of --from, when it is an encrypted folder");
  copy->add_option("--to-key-file", store_copy_.to_key_file, "Key file of --to: that folder is encrypted");
  copy->add_option("--progress", progress_, "json: progress as NDJSON events on standard error, every 5 s")
      ->check(CLI::IsMember({"auto", "json"}));
}

void CommandLine::add_ticket() {
  auto* command = add(app_, "ticket", "A priority ticket for a client, to be sent as X-MyDR24-Priority",
                      "Examples:\n"
                      "  mydr24 ticket --config /etc/mydr24/mydr24.toml --tenant ward-7\n"
                      "  curl -H \"X-MyDR24-Priority: $(mydr24 ticket --key-file ticket.key)\" ...\n"
                      "\nIt raises the class of a request, and says whose it is; it opens no door.",
                      [this] { return run_ticket(ticket_, terminal_); });
  command->add_option("--config", ticket_.config.file, "Configuration file (TOML) that names the key");
  command->add_option("--key-file", ticket_.key_file, "The key, on the first line (admission.ticket_key_file)");
  command->add_option("--class", ticket_.raises_to, "What a request is raised to")
      ->capture_default_str()
      ->check(CLI::IsMember({"emergency", "urgent", "routine", "background"}));
  command->add_option("--tenant", ticket_.tenant, "Whose requests: the client for fairness");
  command->add_option("--valid", ticket_.valid, "For how long (90s, 15m, 8h; at most 24h)")->capture_default_str();
}

void CommandLine::add_openapi() {
  add(app_, "openapi", "Every route of the HTTP interface as an OpenAPI 3.1 document",
      "Example:\n  mydr24 openapi > openapi.json", [this] { return run_openapi(terminal_); });
}

void CommandLine::add_version() {
  add(app_, "version", "Version of program and interfaces", "", [this] { return run_version(terminal_); });
}

}  // namespace mydr24::cli
