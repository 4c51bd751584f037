#include <filesystem>
#include <ostream>

#include "app/cli/commands.h"
#include "app/gameday/game.h"

namespace mydr24::cli {

int run_game_day(const SimulateOptions& options, const Terminal& terminal) {
  if (!options.server.empty())
    return terminal.fail(
        Exit::usage, fail(Code::invalid, "the game day breaks a server of its own, never one that runs", "--server"));
  gameday::Settings settings;
  settings.binary = std::filesystem::read_symlink("/proc/self/exe");
  settings.only = options.breaks;
  settings.said = [&](const std::string& text) { terminal.err << text << std::endl; };
  const auto report = gameday::play(settings, terminal.clock);
  if (!report) return terminal.fail(report.error());
  terminal.out << (terminal.json ? gameday::to_json(*report) + "\n" : gameday::to_table(*report));
  return static_cast<int>(report->holds() ? Exit::ok : Exit::findings);
}

}  // namespace mydr24::cli
