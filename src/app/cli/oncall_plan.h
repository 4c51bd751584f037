#pragma once

// Changing the on-call plan of a running server.

#include <string>

#include "app/cli/commands.h"

namespace mydr24::cli {

// Sends the change ({"parts": ..., "by": ...}), or asks what it would come to (options.dry_run), and says so. The exit
// code: findings when a dry run finds somebody who could not be reached.
int put_plan(const OnCallOptions& options, std::string change, const Terminal& terminal);

}  // namespace mydr24::cli
