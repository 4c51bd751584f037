// Idle connections: what one costs the server in memory, and whether an emergency passes beside a hundred thousand.

#include <fmt/format.h>

#include <thread>

#include "app/surge/special_cells.h"

namespace mydr24::surge {
namespace {

constexpr std::size_t idle_connections = 100'000;
constexpr std::size_t per_server = 16'000;  // below the limit of descriptors of a process here (20,000)
constexpr std::size_t sources_per_server = 8;

// Bytes of the servers' own memory: no file stands behind them.
double own_bytes(const std::vector<std::unique_ptr<TestBed>>& beds) {
  double bytes = 0;
  for (const auto& bed : beds) bytes += bed->server().anonymous_mb() * 1024 * 1024;
  return bytes;
}

// Servers that have just started grow by themselves for a while: the summaries of their patients are made ready.
void wait_until_steady(const std::vector<std::unique_ptr<TestBed>>& beds) {
  constexpr std::chrono::seconds longest{60};
  constexpr std::chrono::seconds steady_for{5};
  constexpr double growth_max = 1.002;
  double bytes = own_bytes(beds);
  std::chrono::seconds steady{0};
  for (std::chrono::seconds waited{0}; waited < longest && steady < steady_for; ++waited) {
    std::this_thread::sleep_for(std::chrono::seconds(1));
    const double now = own_bytes(beds);
    steady = now > bytes * growth_max ? std::chrono::seconds(0) : steady + std::chrono::seconds(1);
    if (steady == std::chrono::seconds(0)) bytes = now;
  }
}

LoadSpec holder(const TestBed& bed, std::size_t connections, bool tls, std::size_t number) {
  return {.name = fmt::format("idle-{}", number),
          .endpoint = bed.general(),
          .tls = tls,
          .mix = {{Kind::read, 1}},
          .phases = {{1, 0}},
          .connections = connections,
          .sources = sources_per_server,
          .patient_prefix = std::string(patient_prefix)};
}

double others_cpu_s(const std::vector<std::unique_ptr<TestBed>>& beds) {
  double sum = 0;
  for (std::size_t i = 1; i < beds.size(); ++i) sum += beds[i]->server().cpu_s();
  return sum;
}

}  // namespace

Result<CellResult> run_idle(const Stage& stage, const BenchSettings& settings, Mode mode, bool tls,
                            const Clock& clock) {
  std::vector<std::unique_ptr<TestBed>> beds;
  std::vector<LoadSpec> holders;
  for (std::size_t left = idle_connections; left > 0;) {
    const std::size_t here = std::min(left, per_server);
    MYDR24_ASSIGN(auto bed, TestBed::start(stage, {.mode = mode, .cpu = settings.server_cpu, .tls = tls}));
    holders.push_back(holder(*bed, here, tls, beds.size()));
    beds.push_back(std::move(bed));
    left -= here;
  }
  const Surge surge{.emergency_per_s = settings.emergency_per_s,
                    .warm_up_s = settings.warm_up_s,
                    .seconds = settings.seconds,
                    .tls = tls};
  // Before and meanwhile on the same server: what it takes for the emergencies themselves is there before.
  MYDR24_ASSIGN(const CellResult before, run_load(*beds.front(), settings, surge, clock));
  wait_until_steady(beds);
  const double bytes_before = own_bytes(beds);
  settings.say(fmt::format("opening {} connections to {} servers", idle_connections, beds.size()));
  const auto began = clock.steady();
  MYDR24_ASSIGN(const Crew crew, Crew::gather(settings.binary, settings.generator_cpu, holders, clock));
  const double opened_s = std::chrono::duration<double>(clock.steady() - began).count();
  const double bytes = (own_bytes(beds) - bytes_before) / static_cast<double>(idle_connections);
  const double others_before_s = others_cpu_s(beds);
  MYDR24_ASSIGN(CellResult cell, run_load(*beds.front(), settings, surge, clock));
  // The other servers share the processor with the one that is asked, and are no strangers.
  const double others_s = others_cpu_s(beds) - others_before_s;
  cell.use.foreign = std::max(0.0, cell.use.foreign - others_s / (surge.warm_up_s + surge.seconds));
  cell.void_because = why_void(cell);
  cell.figures[tls ? "idle_tls_bytes" : "idle_bytes"] = bytes;
  cell.figures["idle_connections"] = static_cast<double>(idle_connections);
  cell.figures["idle_servers"] = static_cast<double>(beds.size());
  cell.figures["idle_opened_s"] = opened_s;
  cell.figures["emergency_p99_before_ms"] = before.emergency_p99_ms();
  return cell;
}

}  // namespace mydr24::surge
