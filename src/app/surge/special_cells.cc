#include "app/surge/special_cells.h"

#include <fmt/format.h>

#include <array>
#include <thread>

#include "app/load/bodies.h"
#include "app/surge/bench.h"
#include "base/core/request_class.h"

namespace mydr24::surge {
namespace {

constexpr std::array<CellName, 10> names{{
    {"pulse", "0.8x, then 10x for 5 s, then 0.8x; refused requests come again"},
    {"flood", "emergencies alone at twice what the emergency listener can serve"},
    {"connections", "10x, a new connection for every request"},
    {"tls", "10x over kept TLS connections"},
    {"handshakes", "10x, a new TLS connection for every request"},
    {"import", "emergencies beside an import of 50,000 rows"},
    {"idle", "emergencies beside 100,000 idle connections"},
    {"idle-tls", "the same over TLS"},
    {"access", "emergencies alone, with access control off and on, three pairs"},
    {"storm", "from the Observation to the webhook beside 10x and 50,000 operational alerts"},
}};

constexpr double pulse_base = 0.8;
constexpr double pulse_peak = 10;
constexpr double pulse_base_s = 5;
constexpr double pulse_s = 5;
constexpr double pulse_after_s = 15;
constexpr double recovered = 0.95;
constexpr std::size_t recovery_window_s = 2;
constexpr std::size_t import_rows = 50'000;
constexpr int access_pairs = 3;
constexpr double flood_multiple = 2;
constexpr double flood_p99_ms = 50;
constexpr double flood_refused = 0.01;
constexpr double flood_first_per_s = 100;
constexpr double flood_rate_max = 100'000;
constexpr double flood_step = 1.25;

Result<CellResult> run_pulse(const Stage& stage, const BenchSettings& settings, Mode mode, const Clock& clock) {
  MYDR24_ASSIGN(const auto bed, TestBed::start(stage, {.mode = mode, .cpu = settings.server_cpu}));
  const double base = pulse_base * settings.capacity.rest_per_s;
  const double warm_up_s = std::ceil(settings.warm_up_s);
  Surge surge{.emergency_per_s = settings.emergency_per_s,
              .warm_up_s = warm_up_s,
              .seconds = pulse_base_s + pulse_s + pulse_after_s,
              .connections = settings.connections,
              .retry = Retry::backoff};
  surge.rest = {
      {warm_up_s + pulse_base_s, base}, {pulse_s, pulse_peak * settings.capacity.rest_per_s}, {pulse_after_s, base}};
  MYDR24_ASSIGN(CellResult cell, run_load(*bed, settings, surge, clock));
  std::vector<std::uint64_t> good_s;
  for (const LoadResult& result : cell.classes) {
    if (result.name == to_string(RequestClass::emergency)) continue;
    if (good_s.size() < result.good_s.size()) good_s.resize(result.good_s.size());
    for (std::size_t i = 0; i < result.good_s.size(); ++i) good_s[i] += result.good_s[i];
  }
  const auto from = static_cast<std::size_t>(warm_up_s);
  const auto until = from + static_cast<std::size_t>(pulse_base_s);
  cell.figures["recovery_s"] = recovery_s(good_s, from, until, until + static_cast<std::size_t>(pulse_s));
  return cell;
}

// What the emergency way serves: the last rate before the slowest of a hundred takes too long or one in a hundred is refused.
Result<double> emergency_capacity(TestBed& bed, const BenchSettings& settings, Surge surge, const Clock& clock) {
  surge.warm_up_s = 0.5;
  surge.seconds = std::clamp(settings.seconds / 3, 1.0, 3.0);
  double found = 0;
  for (double rate = flood_first_per_s; rate < flood_rate_max; rate *= flood_step) {
    surge.emergency_per_s = rate;
    MYDR24_ASSIGN(const CellResult cell, run_load(bed, settings, surge, clock));
    const LoadResult& emergency = cell.classes.front();
    const double p99 = emergency.all_quantile_ms(0.99);
    const auto refused = static_cast<double>(emergency.answers_429 + emergency.answers_503);
    settings.say(fmt::format("flood: {:.0f} emergencies a second, {:.0f} served, p99 {:.1f} ms", rate,
                             emergency.good_per_s(), p99));
    if (p99 < 0 || p99 > flood_p99_ms || refused > flood_refused * static_cast<double>(emergency.offered)) break;
    found = emergency.good_per_s();
  }
  if (found == 0) return fail(Code::busy, "the server does not carry 100 emergencies a second");
  return found;
}

Result<CellResult> run_flood(const Stage& stage, const BenchSettings& settings, Mode mode, const Clock& clock) {
  const BedOptions options{.mode = mode, .cpu = settings.server_cpu};
  Surge surge{.warm_up_s = settings.warm_up_s, .seconds = settings.seconds, .emergency_connections = 1500};
  MYDR24_ASSIGN(auto bed, TestBed::start(stage, options));
  MYDR24_ASSIGN(const double capacity, emergency_capacity(*bed, settings, surge, clock));
  bed.reset();
  MYDR24_ASSIGN(bed, TestBed::start(stage, options));
  surge.emergency_per_s = flood_multiple * capacity;
  MYDR24_ASSIGN(CellResult cell, run_load(*bed, settings, surge, clock));
  const LoadResult& emergency = cell.classes.front();
  cell.figures["flood_capacity_per_s"] = capacity;
  cell.figures["flood_served"] = emergency.good_per_s() / capacity;
  cell.figures["flood_served_p99_ms"] = emergency.served.quantile_ms(0.99);
  cell.figures["flood_refused_p99_ms"] = emergency.refused.quantile_ms(0.99);
  cell.figures["flood_unanswered"] =
      static_cast<double>(emergency.count(Outcome::timeout) + emergency.count(Outcome::broken));
  return cell;
}

struct Manner {
  bool tls = false;
  bool connection_per_request = false;
};

Result<CellResult> run_manner(const Stage& stage, const BenchSettings& settings, Mode mode, Manner manner,
                              const Clock& clock) {
  MYDR24_ASSIGN(const auto bed, TestBed::start(stage, {.mode = mode, .cpu = settings.server_cpu, .tls = manner.tls}));
  Surge surge{.emergency_per_s = settings.emergency_per_s,
              .warm_up_s = settings.warm_up_s,
              .seconds = settings.seconds,
              .connections = manner.tls ? settings.connections / 4 : settings.connections,
              .tls = manner.tls,
              .connection_per_request = manner.connection_per_request};
  surge.rest = {{settings.warm_up_s + settings.seconds, 10 * settings.capacity.rest_per_s}};
  return run_load(*bed, settings, surge, clock);
}

Result<CellResult> run_import(const Stage& stage, const BenchSettings& settings, Mode mode, const Clock& clock) {
  MYDR24_ASSIGN(const auto bed, TestBed::start(stage, {.mode = mode, .cpu = settings.server_cpu}));
  const load::TempFolder folder;
  const auto file = folder.path() / "rows.ndjson";
  load::write_text(file, load::ndjson(import_rows, "2023-04-11T09:12:44.000-04:00"));
  const std::string url = fmt::format("http://{}:{}", bed->general().host, bed->general().port);
  // One import after the other for as long as is measured, so that every emergency stands beside one.
  std::atomic<bool> stop = false;
  int imports = 0;
  double first_s = 0;
  std::string problem;
  std::thread importer;
  const auto work = [&] {
    while (!stop) {
      const load::Finished finished =
          load::run_command({settings.binary.string(), "import", file.string(), "--server", url, "--json"});
      if (finished.exit_code != 0) {
        problem = fmt::format("the import ended with {}: {}{}", finished.exit_code, finished.out, finished.err);
        return;
      }
      if (imports++ == 0) first_s = finished.seconds;
    }
  };
  Surge surge{
      .emergency_per_s = settings.emergency_per_s, .warm_up_s = settings.warm_up_s, .seconds = settings.seconds};
  auto cell = run_load(*bed, settings, surge, clock, [&] { importer = std::thread(work); });
  stop = true;
  if (importer.joinable()) importer.join();
  if (!cell) return cell;
  if (!problem.empty()) return fail(Code::unprocessable, problem);
  cell->figures["import_emergency_p99_ms"] = cell->emergency_p99_ms();
  cell->figures["import_s"] = first_s;
  cell->figures["imports"] = imports;
  return cell;
}

// Off and on in turn, so that what the machine does meanwhile comes to both.
Result<CellResult> run_access(const Stage& stage, const BenchSettings& settings, Mode mode, const Clock& clock) {
  const Surge surge{
      .emergency_per_s = settings.emergency_per_s, .warm_up_s = settings.warm_up_s, .seconds = settings.seconds};
  std::array<std::optional<CellResult>, 2> sums;  // off, on
  std::vector<double> ratios;
  std::string void_because;
  for (int pair = 0; pair < access_pairs; ++pair) {
    std::array<double, 2> p99{};
    for (const bool on : {false, true}) {
      MYDR24_ASSIGN(const auto bed, TestBed::start(stage, {.mode = mode, .cpu = settings.server_cpu, .access = on}));
      MYDR24_ASSIGN(auto cell, run_load(*bed, settings, surge, clock));
      if (void_because.empty()) void_because = cell.void_because;
      p99[on ? 1 : 0] = cell.emergency_p99_ms();
      auto& sum = sums[on ? 1 : 0];
      if (sum) {
        add_repetition(*sum, cell);
      } else {
        sum = std::move(cell);
      }
    }
    settings.say(fmt::format("access: p99 {:.2f} ms off, {:.2f} ms on", p99[0], p99[1]));
    if (p99[0] > 0 && p99[1] > 0) ratios.push_back(p99[1] / p99[0]);
  }
  CellResult cell = std::move(*sums[1]);
  cell.void_because = void_because;
  cell.figures["access_off_emergency_p99_ms"] = sums[0]->emergency_p99_ms();
  cell.figures["access_on_emergency_p99_ms"] = cell.emergency_p99_ms();
  std::ranges::sort(ratios);
  if (!ratios.empty()) cell.figures["access_p99_ratio"] = ratios[ratios.size() / 2];
  return cell;
}

}  // namespace

std::span<const CellName> special_cells() { return names; }

double recovery_s(const std::vector<std::uint64_t>& good_s, std::size_t from_s, std::size_t until_s,
                  std::size_t pulse_end_s) {
  double before = 0;
  for (std::size_t i = from_s; i < std::min(until_s, good_s.size()); ++i) before += static_cast<double>(good_s[i]);
  before /= static_cast<double>(until_s - from_s);
  std::size_t at = pulse_end_s;
  for (; at + recovery_window_s <= good_s.size(); ++at) {
    double now = 0;
    for (std::size_t i = at; i < at + recovery_window_s; ++i) now += static_cast<double>(good_s[i]);
    if (now / recovery_window_s >= recovered * before) break;
  }
  const bool seen = at + recovery_window_s <= good_s.size();
  return static_cast<double>((seen ? at : std::max(good_s.size(), pulse_end_s)) - pulse_end_s);
}

Result<CellResult> run_special(const Stage& stage, const BenchSettings& settings, const std::string& cell, Mode mode,
                               const Clock& clock) {
  if (cell == "pulse") return run_pulse(stage, settings, mode, clock);
  if (cell == "flood") return run_flood(stage, settings, mode, clock);
  if (cell == "connections") return run_manner(stage, settings, mode, {.connection_per_request = true}, clock);
  if (cell == "tls") return run_manner(stage, settings, mode, {.tls = true}, clock);
  if (cell == "handshakes")
    return run_manner(stage, settings, mode, {.tls = true, .connection_per_request = true}, clock);
  if (cell == "import") return run_import(stage, settings, mode, clock);
  if (cell == "idle") return run_idle(stage, settings, mode, false, clock);
  if (cell == "idle-tls") return run_idle(stage, settings, mode, true, clock);
  if (cell == "access") return run_access(stage, settings, mode, clock);
  if (cell == "storm") return run_storm(stage, settings, mode, clock);
  return fail(Code::invalid, fmt::format("there is no cell \"{}\"", cell), "--cells");
}

}  // namespace mydr24::surge
