#pragma once

// `mydr24 incident`: incidents of a running server, their reviews and their setup.

#include <string>

#include "app/cli/terminal.h"

namespace mydr24::cli {

struct IncidentOptions {
  std::string server = "http://127.0.0.1:8024";
  std::string action;  // the subcommand
  std::string id;
  std::string words;  // what is said: title, text, role, severity, the other incident, a number
  std::string more;   // of role: the person
  std::string by, text, status, service, severity, cause, reason;
  std::string owner, due, summary, impact, root_cause;
  int place = -1;  // of an action; below 0: a new one
  bool over = false, breach = false, done = false;
};

int run_incident_list(const IncidentOptions& options, const Terminal& terminal);
int run_incident_show(const IncidentOptions& options, const Terminal& terminal);
int run_incident_timeline(const IncidentOptions& options, const Terminal& terminal);
int run_incident_verify(const IncidentOptions& options, const Terminal& terminal);
int run_incident_open(const IncidentOptions& options, const Terminal& terminal);
// Whatever changes one incident.
int run_incident_change(const IncidentOptions& options, const Terminal& terminal);
int run_incident_classify(const IncidentOptions& options, const Terminal& terminal);
int run_incident_setup(const IncidentOptions& options, const Terminal& terminal);

}  // namespace mydr24::cli
