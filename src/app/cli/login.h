#pragma once

// Who the command line is at a server: a bearer token from the environment (MYDR24_TOKEN), or one that `mydr24 login` got and
// keeps in login.json below XDG_CONFIG_HOME or ~/.config, for its owner only.

#include <string>

#include "app/cli/terminal.h"
#include "base/net/client.h"

namespace mydr24::cli {

// Adds the token there is for the request's server; renews one that is about to expire. Without any the request stays as it
// is. Code::refused: what is kept cannot be renewed: log in again.
Result<> authorize(net::ClientRequest& request, const Clock& clock = system_clock());

struct LoginOptions {
  std::string server = "http://127.0.0.1:8024";
  bool paste = false;  // no listener: the address that the browser ended at is read from standard input
};
// Authorization code with PKCE (RFC 7636), answered to a loopback address (RFC 8252, 7.3).
int run_login(const LoginOptions& options, const Terminal& terminal);
// Revokes what is kept for that server and forgets it.
int run_logout(const LoginOptions& options, const Terminal& terminal);

}  // namespace mydr24::cli
