#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <ostream>

#include "app/cli/commands.h"
#include "app/surge/bench.h"

namespace mydr24::cli {

namespace {

// Both lists when nothing was asked for: what a release is held against.
const std::vector<std::string> cells_default{"0x", "10x", "100x"};
const std::vector<surge::Mode> modes_default{surge::Mode::naive, surge::Mode::full, surge::Mode::unprivileged};

Result<std::vector<surge::Mode>> modes_of(const std::vector<std::string>& names) {
  if (names.empty()) return modes_default;
  std::vector<surge::Mode> modes;
  for (const std::string& name : names) {
    const auto mode = surge::parse_mode(name);
    if (!mode)
      return fail(Code::invalid, fmt::format("there is no mode \"{}\"; there are naive, full, unprivileged", name),
                  "--modes");
    modes.push_back(*mode);
  }
  return modes;
}

}  // namespace

int run_bench_surge(const BenchSurgeOptions& options, const Terminal& terminal) {
  const auto modes = modes_of(options.modes);
  if (!modes) return terminal.fail(Exit::usage, modes.error());
  const auto& cells = options.cells.empty() ? cells_default : options.cells;
  if (const auto known = surge::check_cells(cells); !known) return terminal.fail(Exit::usage, known.error());
  surge::BenchSettings settings;
  settings.binary = std::filesystem::read_symlink("/proc/self/exe");
  settings.seconds = options.seconds;
  settings.warm_up_s = std::min(2.0, options.seconds / 3);
  settings.repeat = options.repeat;
  settings.emergency_per_s = options.emergencies;
  settings.connections = static_cast<std::size_t>(options.connections);
  settings.work_ms = options.work_ms;
  settings.capacity = {.rest_per_s = options.capacity, .counted_per_s = options.counted};
  const auto retry = surge::parse_retry(options.retry);
  if (!retry) return terminal.fail(Exit::usage, retry.error());
  settings.retry = *retry;
  settings.say = [&](const std::string& line) {
    terminal.err << line << '\n';
    terminal.err.flush();
  };
  const auto report = surge::run_bench(settings, cells, *modes, terminal.clock);
  if (!report) return terminal.fail(report.error());
  terminal.out << (terminal.json ? surge::to_json(*report) + "\n" : surge::to_table(*report));
  return static_cast<int>(report->is_void() || report->has_faults() ? Exit::findings : Exit::ok);
}

int run_bench_generate(const Terminal& terminal) {
  return surge::run_generator(STDIN_FILENO, STDOUT_FILENO, terminal.clock);
}

}  // namespace mydr24::cli
