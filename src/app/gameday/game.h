#pragma once

// The game day: a live server is broken in five ways, one after the other, and what its operations desk makes of it is
// measured from outside - when it is found, which incident is opened, who is called, when it is over.

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/gameday/report.h"
#include "base/core/clock.h"
#include "base/core/result.h"

namespace mydr24::gameday {

// "database", "disk", "audit", "change", "channel", in this order; "postgres" at the end, where its programs are.
std::span<const std::string_view> break_names();

struct Settings {
  std::filesystem::path binary;           // serves
  std::vector<std::string> only;          // names of breaks; empty: all
  std::function<void(std::string)> said;  // told of each step, for who watches
};

// Starts a server of its own and ends it; touches no other. Before the process has a second thread. An Error: the server could
// not be set up, or a name is none.
Result<Report> play(const Settings& settings, const Clock& clock);

}  // namespace mydr24::gameday
