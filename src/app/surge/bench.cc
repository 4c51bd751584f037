#include "app/surge/bench.h"

#include <fmt/format.h>
#include <sched.h>

#include <charconv>
#include <cmath>
#include <thread>

#include "app/surge/special_cells.h"
#include "base/core/request_class.h"

namespace mydr24::surge {
namespace {

constexpr double naive_fails_from = 10;

std::optional<double> multiple_of(std::string_view cell) {
  double multiple = 0;
  if (!cell.ends_with('x')) return std::nullopt;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size() - 1, multiple);
  if (error != std::errc() || end != cell.data() + cell.size() - 1 || !(multiple >= 0) || multiple > 1000)
    return std::nullopt;
  return multiple;
}

Result<CellResult> run_multiple(const Stage& stage, const BenchSettings& settings, double multiple, Mode mode,
                                std::uint64_t seed, const Clock& clock) {
  MYDR24_ASSIGN(const auto bed, TestBed::start(stage, {.mode = mode, .cpu = settings.server_cpu}));
  Surge surge{.emergency_per_s = settings.emergency_per_s,
              .warm_up_s = settings.warm_up_s,
              .seconds = settings.seconds,
              .connections = settings.connections,
              .retry = settings.retry,
              .seed = seed};
  surge.rest = {{settings.warm_up_s + settings.seconds, multiple * settings.capacity.rest_per_s}};
  MYDR24_ASSIGN(CellResult cell, run_load(*bed, settings, surge, clock));
  cell.multiple = multiple;
  if (mode != Mode::naive && cell.emergency_failed() > 0)
    settings.say(fmt::format("emergencies failed; the server's log:\n{}", bed->server().log()));
  return cell;
}

Result<CellResult> run_once(const Stage& stage, const BenchSettings& settings, const std::string& cell, Mode mode,
                            std::uint64_t seed, const Clock& clock) {
  const auto multiple = multiple_of(cell);
  MYDR24_ASSIGN(CellResult result, multiple ? run_multiple(stage, settings, *multiple, mode, seed, clock)
                                            : run_special(stage, settings, cell, mode, clock));
  result.cell = cell;
  result.mode = mode;
  return result;
}

// What this process itself does (starting, reading, receiving calls) is on the generators' side.
Result<> keep_off_processor(int server_cpu, int generator_cpu) {
  const auto processors = std::thread::hardware_concurrency();
  if (processors < 2 || static_cast<unsigned>(std::max(server_cpu, generator_cpu)) >= processors)
    return fail(Code::unsupported, fmt::format("the bench needs processors {} and {}; this machine has {}", server_cpu,
                                               generator_cpu, processors));
  cpu_set_t own;
  CPU_ZERO(&own);
  CPU_SET(static_cast<std::size_t>(generator_cpu), &own);
  ::sched_setaffinity(0, sizeof own, &own);
  return {};
}

}  // namespace

Result<> check_cells(const std::vector<std::string>& cells) {
  for (const std::string& cell : cells) {
    if (multiple_of(cell)) continue;
    if (std::ranges::find(special_cells(), cell, &CellName::name) != special_cells().end()) continue;
    std::string names;
    for (const CellName& special : special_cells()) names += fmt::format(", {}", special.name);
    return fail(Code::invalid,
                fmt::format("there is no cell \"{}\"; there are multiples as 0x, 10x, 100x{}", cell, names), "--cells");
  }
  return {};
}

Result<CellResult> run_cell(const Stage& stage, const BenchSettings& settings, const std::string& cell, Mode mode,
                            const Clock& clock) {
  std::optional<CellResult> all;
  std::string void_because;
  for (int repetition = 0; repetition < settings.repeat; ++repetition) {
    for (int attempt = 0;; ++attempt) {
      const auto seed = static_cast<std::uint64_t>(24 + repetition * 10 + attempt);
      MYDR24_ASSIGN(CellResult once, run_once(stage, settings, cell, mode, seed, clock));
      void_because = once.void_because;

      if (!once.void_because.empty() && attempt < settings.void_retries) {
        settings.say(fmt::format("{} {}: void ({}); once more", cell, to_string(mode), once.void_because));
        continue;
      }
      if (all) {
        add_repetition(*all, once);
      } else {
        all = std::move(once);
      }
      break;
    }
  }
  return std::move(*all);
}

const CellResult* BenchReport::find(std::string_view cell, Mode mode) const {
  const auto found =
      std::ranges::find_if(cells, [&](const CellResult& result) { return result.cell == cell && result.mode == mode; });
  return found == cells.end() ? nullptr : &*found;
}

bool BenchReport::is_void() const {
  return std::ranges::any_of(cells, [](const CellResult& cell) { return !cell.void_because.empty(); });
}

bool BenchReport::has_faults() const {
  return std::ranges::any_of(cells,
                             [](const CellResult& cell) { return cell.mode != Mode::naive && !cell.faults.empty(); });
}

Result<BenchReport> run_bench(const BenchSettings& asked, const std::vector<std::string>& cells,
                              const std::vector<Mode>& modes, const Clock& clock) {
  MYDR24_TRY(check_cells(cells));
  BenchSettings settings = asked;
  MYDR24_TRY(keep_off_processor(settings.server_cpu, settings.generator_cpu));
  MYDR24_ASSIGN(const auto stage, Stage::make(settings.binary));
  if (settings.capacity.rest_per_s <= 0) {
    MYDR24_ASSIGN(settings.capacity, calibrate(*stage, settings, Mode::full, clock));
    settings.say(fmt::format("capacity: {:.0f} requests a second beside {:.0f} emergencies",
                             settings.capacity.rest_per_s, settings.emergency_per_s));
  }
  BenchReport report{.capacity = settings.capacity, .machine = describe_machine(), .cells = {}};
  for (const Mode mode : modes) {
    for (const std::string& cell : cells) {
      settings.say(fmt::format("{} {} ...", cell, to_string(mode)));
      auto result = run_cell(*stage, settings, cell, mode, clock);
      // More than the generators can offer: what the other cells measured stays.
      if (!result && result.error().code == Code::busy)
        result = CellResult{.cell = cell, .mode = mode, .void_because = std::move(result.error().text)};
      if (!result) return result.error();
      report.cells.push_back(std::move(*result));
    }
  }
  for (CellResult& cell : report.cells) {
    if (!cell.has_ended()) continue;
    cell.faults = missed_bars(cell, report.find("0x", cell.mode), report.capacity);
    if (cell.mode == Mode::naive && cell.multiple >= naive_fails_from && cell.faults.empty() &&
        cell.void_because.empty())
      cell.void_because = "the naive server reached every bar: that was no overload";
  }
  return report;
}

}  // namespace mydr24::surge
