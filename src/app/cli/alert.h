#pragma once

// `mydr24 alert`: alerts and silences of a running server, through its desk and its Alertmanager API.

#include <string>
#include <vector>

#include "app/cli/terminal.h"

namespace mydr24::cli {

struct AlertOptions {
  std::string server = "http://127.0.0.1:8024";
  std::string id;
  std::vector<std::string> words;  // labels or matchers
  std::vector<std::string> annotations;
  std::string by;
  std::string note;
  std::string duration = "1h";
  std::string approved_by;
  std::string start;
  std::string end;
  int days = 30;
  bool resolved = false;
  bool all = false;
};

int run_alert_list(const AlertOptions& options, const Terminal& terminal);
int run_alert_show(const AlertOptions& options, const Terminal& terminal);
int run_alert_ack(const AlertOptions& options, const Terminal& terminal);
int run_alert_resolve(const AlertOptions& options, const Terminal& terminal);
int run_alert_add(const AlertOptions& options, const Terminal& terminal);
int run_alert_query(const AlertOptions& options, const Terminal& terminal);
int run_alert_actionability(const AlertOptions& options, const Terminal& terminal);
int run_silence_add(const AlertOptions& options, const Terminal& terminal);
int run_silence_preview(const AlertOptions& options, const Terminal& terminal);
int run_silence_query(const AlertOptions& options, const Terminal& terminal);
int run_silence_expire(const AlertOptions& options, const Terminal& terminal);

}  // namespace mydr24::cli
