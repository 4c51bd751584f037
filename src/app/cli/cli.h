#pragma once

// The program `mydr24`: reads a command line, runs the command, gives back the process exit code.

#include <iosfwd>

namespace mydr24::cli {

// Data goes to `out`, talk to `err`. Throws nothing. Colours and progress only where the stream is a terminal's.
int run(int argc, const char* const* argv, std::ostream& out, std::ostream& err);

}  // namespace mydr24::cli
