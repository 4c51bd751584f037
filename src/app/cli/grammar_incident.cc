#include "app/cli/command_line.h"

namespace mydr24::cli {

CLI::App* CommandLine::add_incident_command(CLI::App& parent, const std::string& name, const std::string& about,
                                            const std::string& example,
                                            int (*run)(const IncidentOptions&, const Terminal&)) {
  CLI::App* made = add(parent, name, about, "Example:\n  mydr24 incident " + example, [this, name, run] {
    incident_.action = name;
    return run(incident_, terminal_);
  });
  made->add_option("--server", incident_.server, "Address of a running server")->capture_default_str();
  return made;
}

void CommandLine::add_incident() {
  CLI::App* incident = app_.add_subcommand("incident", "Incidents of the operations desk of a running server");
  incident->require_subcommand(1);
  const auto command = [&](const auto&... what) { return add_incident_command(*incident, what...); };
  const auto of_one = [&](CLI::App* made) {
    made->add_option("id", incident_.id, "Its id")->required();
    return made;
  };
  command("list", "Incidents, most severe first", "list", run_incident_list)
      ->add_flag("--over", incident_.over, "Those that are over");
  of_one(command("show", "One of them", "show ID", run_incident_show));
  of_one(command("timeline", "What happened, oldest first", "timeline ID", run_incident_timeline));
  of_one(command("verify", "Whether its timeline is as it was written; exit code 7 when not", "verify ID",
                 run_incident_verify));
  auto* open = command("open", "Open one, or join the one with its cause",
                       "open 'emergency gateway' --status down --service login --by ann", run_incident_open);
  auto* classify = command("classify", "What the rules would make of it, and why",
                           "classify 'database replica' --status down", run_incident_classify);
  for (CLI::App* each : {open, classify}) {
    each->add_option("title", incident_.words, "In a few words, without names of patients")->required();
    each->add_option("--text", incident_.text, "All that is known");
    each->add_option("--status", incident_.status, "\"down\", \"degraded\"");
    each->add_option("--service", incident_.service, "The service it is about");
  }
  open->add_option("--severity", incident_.severity, "At least: emergency, critical, high, medium, low");
  open->add_option("--cause", incident_.cause, "What else is about the same joins it");
  open->add_flag("--breach", incident_.breach, "Personal data may be concerned");
  open->add_option("--by", incident_.by, "Who")->required();
  add_incident_changes(*incident);
  add_incident_review(*incident);
  add_incident_setup(*incident);
}

CLI::App* CommandLine::add_incident_change(CLI::App& incident, const std::string& name, const std::string& about,
                                           const std::string& example) {
  auto* made = add_incident_command(incident, name, about, example + " --by ann", run_incident_change);
  made->add_option("id", incident_.id, "Its id")->required();
  made->add_option("--by", incident_.by, "Who")->required();
  return made;
}

void CommandLine::add_incident_changes(CLI::App& incident) {
  const auto change = [&](const auto&... what) { return add_incident_change(incident, what...); };
  for (auto* made : {change("ack", "Take it: nobody is called any more", "ack ID"),
                     change("mitigate", "Those who were affected can work again", "mitigate ID")})
    made->add_option("--note", incident_.text, "What was done");
  change("resume", "Its resolution clock goes on", "resume ID");
  change("close", "Nothing of it is left to do", "close ID");
  const auto with_words = [&](const std::string& name, const std::string& about, const std::string& example,
                              const std::string& word, const std::string& what) {
    auto* made = change(name, about, example);
    made->add_option(word, incident_.words, what)->required();
    return made;
  };
  with_words("resolve", "The cause is gone", "resolve ID 'the switch was restarted'", "how", "What ended it");
  with_words("pause", "Its resolution clock stands still", "pause ID 'waiting on vendor'", "reason", "Why");
  with_words("severity", "More or less severe; less needs a reason", "severity ID high --reason 'one ward only'",
             "severity", "emergency, critical, high, medium, low")
      ->add_option("--reason", incident_.reason, "Why");
  with_words("merge", "It is the same as another one", "merge ID OTHER", "into", "The id of the other one");
  with_words("note", "An entry of its timeline", "note ID 'we look at the switch'", "text", "What is to be noted");
  with_words("role", "Who has which role", "role ID commander ann", "role",
             "commander, communications, scribe, clinical-coordinator, privacy-officer")
      ->add_option("person", incident_.more, "Who; nobody when left out");
  with_words("task", "Something to be done", "task ID 'call the vendor' --owner bob", "text", "What")
      ->add_option("--owner", incident_.owner, "Who does it");
  with_words("done", "A task, or the step of a runbook, is done", "done ID 0", "task", "Its number, as show has it");
  with_words("link", "A link that belongs to it", "link ID https://wiki.example/x", "link", "The address");
  with_words("publish", "Words for the public status page", "publish ID 'Login is slow'", "text", "No name of anybody");
}

void CommandLine::add_incident_review(CLI::App& incident) {
  auto* review = add_incident_change(incident, "review", "What the review says",
                                     "review ID --summary 'down for 10 minutes' --root-cause 'one cable'");
  review->add_option("--owner", incident_.owner, "Who writes it");
  review->add_option("--summary", incident_.summary, "What happened");
  review->add_option("--impact", incident_.impact, "For whom it mattered");
  review->add_option("--root-cause", incident_.root_cause, "Why it could happen");
  auto* action = add_incident_change(incident, "action", "What is changed so that it does not happen again",
                                     "action ID 'lay a second cable' --owner bob --due 2026-06-01");
  action->add_option("text", incident_.words, "What");
  action->add_option("--number", incident_.place, "Change that one, as show has it");
  action->add_option("--owner", incident_.owner, "Who does it");
  action->add_option("--due", incident_.due, "Until when");
  action->add_flag("--done", incident_.done, "It is done");
  add_incident_change(incident, "close-review", "Close the review: every action has its owner and date",
                      "close-review ID");
}

void CommandLine::add_incident_setup(CLI::App& incident) {
  CLI::App* setup = incident.add_subcommand("setup", "Severities, rules, services, runbooks, whom to tell");
  setup->require_subcommand(1);
  const auto command = [&](const auto&... what) { return add_incident_command(*setup, what..., run_incident_setup); };
  command("show", "The setup in force, or a version", "setup show")
      ->add_option("version", incident_.words, "Its number");
  command("export", "The setup in force as JSON; secrets are ***", "setup export > setup.json");
  command("add", "Add a version, YAML or JSON; it is not in force yet", "setup add setup.yaml")
      ->add_option("file", incident_.words, "-: standard input")
      ->required();
  command("dry-run", "What it would have made of stored incidents and alerts", "setup dry-run 1")
      ->add_option("version", incident_.words, "Its number")
      ->required();
  command("activate", "Put it in force: after its dry run, when its test vectors hold", "setup activate 1")
      ->add_option("version", incident_.words, "Its number")
      ->required();
}

}  // namespace mydr24::cli
