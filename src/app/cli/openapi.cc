#include <unistd.h>

#include <filesystem>
#include <ostream>

#include "app/cli/commands.h"
#include "app/server/server.h"

namespace mydr24::cli {

// Of the routes that a server would have: one is started on an empty store, on ports nobody knows, and asked.
int run_openapi(const Terminal& terminal) {
  std::string folder = (std::filesystem::temp_directory_path() / "mydr24-openapi-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) {
    return terminal.fail(fail(Code::internal, "cannot make a temporary folder", folder));
  }
  server::Settings settings;
  settings.server.listen = settings.server.admin = "127.0.0.1:0";
  settings.server.emergency_listen = "";
  settings.server.drain_time_max_ms = 0;
  settings.store.path = folder;
  settings.log.level = "error";
  settings.invites = false;
  int code = static_cast<int>(Exit::ok);
  {
    const auto system = server::start(settings, terminal.clock);
    if (system) {
      terminal.out << (*system)->openapi() << '\n';
    } else {
      code = terminal.fail(system.error());
    }
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return code;
}

}  // namespace mydr24::cli
