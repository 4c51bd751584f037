#pragma once

// Where a command speaks: data on `out`, talk on `err`; and how it ends: the exit codes that scripts rely on.

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/clock.h"
#include "base/core/result.h"

namespace mydr24::cli {

enum class Exit : int {
  ok = 0,
  failed = 1,
  usage = 2,
  not_found = 3,
  not_allowed = 4,
  conflict = 5,
  invalid = 6,      // the input, the resource or the configuration
  findings = 7,     // finished, and there is something to look at
  unreachable = 8,  // the server
  timeout = 9,
  try_again = 75,
  interrupted = 130,
};

Exit exit_of(Code code);

// A command's surroundings. Lives as long as the command.
struct Terminal {
  std::ostream& out;
  std::ostream& err;
  const Clock& clock;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  bool colour = false;  // on err; on out only with out_is_terminal
  bool json = false;    // --json: data and errors as JSON on out

  // Says what was wrong, as text on err or as one problem+json line on out; gives back the exit code that fits.
  int fail(const Error& error) const;
  int fail(Exit exit, const Error& error) const;

  // A word in a colour of "red", "yellow", "green", "dim"; as it is where colours are off.
  std::string paint(std::string_view colour, std::string_view text, bool on_out = false) const;
};

// 1,234,567
std::string grouped(std::int64_t number);
// 0:51, 12:05, 3:07:00
std::string clock_text(std::chrono::seconds time);
// "90s", "5m", "2h", "1h30m", "250ms"; a bare number means seconds. Code::invalid for anything else or above 366 days.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);

// Of `names` the one that needs the fewest changes to become `word`; empty when none is near.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& names);

}  // namespace mydr24::cli
