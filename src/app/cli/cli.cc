#include "app/cli/cli.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <functional>
#include <iostream>

#include "app/cli/alert.h"
#include "app/cli/commands.h"

namespace mydr24::cli {

namespace {

// The grammar: each add_ function declares one command and binds it to its options.
class CommandLine {
 public:
  explicit CommandLine(Terminal& terminal) : terminal_(terminal) {
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
    add_doctor();
    add_explain();
    add_config();
    add_backup();
    add_migrate();
    add_store();
    add_oncall();
    add_openapi();
    add_version();
  }

  int run(int argc, const char* const* argv) {
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

 private:
  int usage(const CLI::ParseError& problem, int argc, const char* const* argv) {
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

  CLI::App* add(CLI::App& parent, const std::string& name, const std::string& about, const std::string& examples,
                std::function<int()> command) {
    CLI::App* made = parent.add_subcommand(name, about);
    made->footer(examples);
    made->add_flag("--json", terminal_.json, "Data and errors as JSON on standard output");
    made->add_flag("--no-color", no_colour_, "No colours (also: NO_COLOR)");
    if (command) made->final_callback([this, command = std::move(command)] { command_ = command; });
    return made;
  }

  void add_config_options(CLI::App* command, bool listeners) {
    command->add_option("--config", config_.file, "Configuration file (TOML)");
    command->add_option("--data", config_.data, "Data folder (store.path)");
    command->add_option("--store", config_.store, "postgres://...: PostgreSQL in place of the folder (store.url)");
    if (!listeners) return;
    command->add_option("--listen", config_.listen, "Address and port of the server (server.listen)");
    command->add_option("--admin", config_.admin, "Address and port of health and metrics (server.admin)");
  }

  void add_serve() {
    auto* command = add(app_, "serve", "Run the server",
                        "Examples:\n"
                        "  mydr24 serve --data ./data\n"
                        "  mydr24 serve --config /etc/mydr24/mydr24.toml\n"
                        "  MYDR24_SERVER__LISTEN=0.0.0.0:8024 mydr24 serve\n"
                        "\nCtrl-C or SIGTERM: finish what is in flight, then end. A second one ends at once.",
                        [this] { return run_serve(config_, terminal_); });
    add_config_options(command, true);
  }

  void add_demo() {
    auto* command = add(app_, "demo", "A simulated hospital, alive in a second; no real patients",
                        "Examples:\n"
                        "  mydr24 demo\n"
                        "  mydr24 demo --patients 500 --port 9000\n"
                        "\nThe data folder is made anew at each start unless --keep is given.",
                        [this] { return run_demo(demo_, terminal_); });
    command->add_option("--patients", demo_.patients, "Patients in beds")
        ->capture_default_str()
        ->check(CLI::Range(1, 20'000));
    command->add_option("--port", demo_.port, "Port on 127.0.0.1; 0: any free one")
        ->capture_default_str()
        ->check(CLI::Range(0, 65'535));
    command->add_option("--data", demo_.data, "Data folder (default: mydr24/demo in the user's data folder)");
    command->add_flag("--keep", demo_.keep, "Go on with the data of the last demo");
    command->add_option("--for", demo_.stop_after, "End after this time (90s, 5m)");
  }

  void add_simulate() {
    auto* command = add(app_, "simulate", "Write the life of a simulated hospital to a server or into files",
                        "Examples:\n"
                        "  mydr24 simulate --server http://127.0.0.1:8024 --patients 200 --for 5m\n"
                        "  mydr24 simulate --out ./bulk --patients 1000 --for 1h --interval 60s\n"
                        "  mydr24 simulate --scenario mass-casualty --server http://127.0.0.1:8024 --for 60s\n"
                        "\nScenarios: normal-day, mass-casualty (100x), natural-disaster (50x), pandemic (25x),\n"
                        "  cyber-recovery (200x). At most 1 h; of this machine only, unless --remote is given.",
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
  }

  void add_bench() {
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

  void add_import() {
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

  void add_vitals() {
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

  void add_vitals_server(CLI::App* command) {
    command->add_option("--server", vitals_.server, "Address of the server")->capture_default_str();
  }

  CLI::App* add_vitals_action(CLI::App& parent, const std::string& action, const std::string& about,
                              const std::string& examples, int (*run)(const VitalsOptions&, const Terminal&)) {
    auto* command = add(parent, action, about, examples, [this, action, run] {
      vitals_.action = action;
      return run(vitals_, terminal_);
    });
    add_vitals_server(command);
    return command;
  }

  void add_vitals_rules(CLI::App& vitals) {
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

  void add_vitals_limits(CLI::App& vitals) {
    CLI::App* limits = vitals.add_subcommand("limits", "A clinician's limits for one patient");
    limits->require_subcommand(1);
    auto* show = add_vitals_action(*limits, "show", "What is known of the patient, with limits and monitoring",
                                   "Example:\n  mydr24 vitals limits show p1", run_vitals_limits);
    auto* set = add_vitals_action(*limits, "set", "In place of the sustained rules on that signal; life-threats stay",
                                  "Example:\n  mydr24 vitals limits set p1 spo2 --low 88 --high 92 --scale-2 --by 'Dr "
                                  "Ada' --until 2026-02-01",
                                  run_vitals_limits);
    auto* remove =
        add_vitals_action(*limits, "remove", "Back to the rules",
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

  CLI::App* add_alert_command(CLI::App& parent, const std::string& name, const std::string& about,
                              const std::string& example, int (*command)(const AlertOptions&, const Terminal&)) {
    auto* made = add(parent, name, about, "Example:\n  mydr24 " + example,
                     [this, command] { return command(alert_, terminal_); });
    made->add_option("--server", alert_.server, "Address of a running server")->capture_default_str();
    return made;
  }

  void add_alert() {
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

  void add_silence(CLI::App& alert) {
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

  void add_doctor() {
    auto* command = add(app_, "doctor", "Check configuration, data folder, store and machine",
                        "Example:\n  mydr24 doctor --data ./data\n\nExit code 7 when something needs a look.",
                        [this] { return run_doctor(config_, terminal_); });
    add_config_options(command, false);
  }

  void add_explain() {
    auto* command = add(app_, "explain", "Show how a search is answered: the plan, its indexes and what it costs",
                        "Examples:\n"
                        "  mydr24 explain 'Observation?code=8480-6&_sort=-date' --data ./data\n"
                        "  mydr24 explain 'Patient?name=meyer' --server http://127.0.0.1:8025   a server that runs",
                        [this] { return run_explain(config_, file_, server_, terminal_); });
    command->add_option("search", file_, "TYPE?parameters, as in a URL")->required();
    command->add_option("--server", server_, "Admin address of a running server, which then explains");
    add_config_options(command, false);
  }

  void add_config() {
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

  void add_backup() {
    CLI::App* backup = app_.add_subcommand("backup", "Copies of the store");
    backup->require_subcommand(1);
    auto* create = add(*backup, "create", "Copy the store; TO appears only when complete",
                       "Example:\n  mydr24 backup create --data ./data /backup/mydr24-monday",
                       [this] { return run_backup_create(config_, file_, terminal_); });
    create->add_option("to", file_, "Path of the copy; must not exist")->required();
    add_config_options(create, false);
    auto* verify = add(*backup, "verify", "Read a whole copy and check it; exit code 7 when something is wrong",
                       "Example:\n  mydr24 backup verify /backup/mydr24-monday",
                       [this] { return run_backup_verify(file_, terminal_); });
    verify->add_option("path", file_, "The copy")->required();
  }

  void add_migrate() {
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
                   [this] { return run_migrate_up(place_, dry_run_, terminal_); });
    up->add_option("--store", place_, "Data folder or postgres:// URL")->required();
    up->add_flag("--dry-run", dry_run_, "Print the SQL only");
  }

  void add_store() {
    CLI::App* store = app_.add_subcommand("store", "Whole stores");
    store->require_subcommand(1);
    auto* copy = add(*store, "copy", "Copy a store into an empty one, also of the other engine; goes on where it was",
                     "Examples:\n"
                     "  mydr24 store copy --from ./data --to postgres://mydr24@db/mydr24\n"
                     "  mydr24 store copy --from postgres://mydr24@db/mydr24 --to ./data\n"
                     "\nNothing else may write to either meanwhile. Versions, times and history are kept.",
                     [this] {
                       store_copy_.progress_json = progress_ == "json";
                       return run_store_copy(store_copy_, terminal_);
                     });
    copy->add_option("--from", store_copy_.from, "Data folder or postgres:// URL")->required();
    copy->add_option("--to", store_copy_.to, "The same; empty, or what an interrupted copy has made")->required();
    copy->add_option("--progress", progress_, "json: progress as NDJSON events on standard error, every 5 s")
        ->check(CLI::IsMember({"auto", "json"}));
  }

  void add_oncall() {
    CLI::App* oncall = app_.add_subcommand("oncall", "Who is on call: the plan, duty, overrides, coverage, test pages");
    oncall->require_subcommand(1);
    const auto command = [&](const std::string& name, const std::string& about, const std::string& examples,
                             int (*run)(const OnCallOptions&, const Terminal&)) {
      CLI::App* made = add(*oncall, name, about, examples, [this, run] { return run(oncall_, terminal_); });
      made->add_option("--server", oncall_.server, "Address of the server")->capture_default_str();
      return made;
    };
    auto* show =
        command("show", "The plan, or its parts of one kind", "Example:\n  mydr24 oncall show policy", run_oncall_show);
    show->add_option("kind", oncall_.kind, "contact, team, schedule, override, policy ...");
    auto* who = command("who", "Who is called, step by step; or who is on duty",
                        "Examples:\n  mydr24 oncall who\n  mydr24 oncall who --schedule ward --at 2026-05-10T03:00:00Z",
                        run_oncall_who);
    who->add_option("--policy", oncall_.policy, "Policy (default: that of emergencies)");
    who->add_option("--schedule", oncall_.schedule, "Schedule instead");
    who->add_option("--at", oncall_.at, "Time (default: now)");
    auto* shifts =
        command("shifts", "Shifts of a schedule", "Example:\n  mydr24 oncall shifts ward", run_oncall_shifts);
    shifts->add_option("schedule", oncall_.schedule)->required();
    shifts->add_option("--from", oncall_.begin, "Default: now");
    shifts->add_option("--to", oncall_.end, "Default: 28 days later");
    add_oncall_changes(command);
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

  template <class Command>
  void add_oncall_changes(const Command& command) {
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
    auto* load = command(
        "import", "Replace the plan by a file, YAML or JSON: all of it or nothing",
        "Example:\n  mydr24 oncall import plan.yaml --by ann\n  mydr24 oncall import --merge leave.yaml --by ann",
        run_oncall_import);
    load->add_option("file", oncall_.file, "-: standard input")->required();
    load->add_flag("--merge", oncall_.merge, "Keep what the file does not name");
    load->add_option("--by", oncall_.by, "Who changes it")->required();
  }

  void add_openapi() {
    add(app_, "openapi", "Every route of the HTTP interface as an OpenAPI 3.1 document",
        "Example:\n  mydr24 openapi > openapi.json", [this] { return run_openapi(terminal_); });
  }

  void add_version() {
    add(app_, "version", "Version of program and interfaces", "", [this] { return run_version(terminal_); });
  }

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
  VitalsOptions vitals_;
  AlertOptions alert_;
  std::string place_;
  bool dry_run_ = false;
  std::string file_;
  std::string server_;
  std::string progress_ = "auto";
  bool effective_ = false;
  bool no_colour_ = false;
};

}  // namespace

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
