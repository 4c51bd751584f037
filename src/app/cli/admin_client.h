#pragma once

// Commands for the server that has a data folder open: who may read the folder may tell it what to do.

#include <string>

#include "app/server/settings.h"
#include "base/core/result.h"

namespace mydr24::cli {

// A JSON object {"do": ...}, as guard/identity/administration.h and server::AccessControl take them; the answer is
// JSON. Code::busy: no server with access control has the folder open, or it cannot be reached.
Result<std::string> ask_server(const server::Settings& settings, const std::string& command);

}  // namespace mydr24::cli
