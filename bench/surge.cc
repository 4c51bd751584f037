// `mydr24 bench surge` as one of the benches: 0x, 10x and 100x with the rights there are and without, its figures kept in
// the history. The bench itself is src/app/surge.

#include "app/surge/bench.h"

#include <fmt/format.h>

#include <charconv>

#include "load/bench.h"

namespace mydr24::load {
namespace {

const std::vector<std::string> cells{"0x", "10x", "100x"};

Result<Report> measure(const Options& options) {
  surge::BenchSettings settings{
      .binary = options.binary, .seconds = options.seconds, .connections = options.connections};
  if (const std::string text = options.value("--work-ms"); !text.empty()) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), settings.work_ms);
    if (error != std::errc() || end != text.data() + text.size() || settings.work_ms < 1 || settings.work_ms > 100)
      return fail(Code::invalid, "--work-ms wants a number from 1 to 100");
  }
  settings.say = [](const std::string& line) { fmt::print(stderr, "{}\n", line); };
  MYDR24_ASSIGN(const auto measured,
                surge::run_bench(settings, cells, {surge::Mode::full, surge::Mode::unprivileged}, system_clock()));
  fmt::print(stderr, "{}", surge::to_table(measured));
  Report report;
  const std::vector<std::pair<std::string_view, std::string>> bars{
      {"emergency_p99_ratio_10x", surge::may_raise_priority() ? "<= 1.5" : "<= 2.5"},
      {"emergency_p99_ratio_100x", surge::may_raise_priority() ? "<= 1.5" : "<= 2.5"},
      {"goodput_10x", ">= 0.75"},
      {"goodput_100x", ">= 0.20"},
      {"emergency_failed", "0"},
      {"refusal_cpu_us", "<= 12"}};
  std::string note;
  for (const auto& [key, value] : surge::key_figures(measured)) {
    const auto bar = std::ranges::find(bars, key, [](const auto& entry) { return entry.first; });
    report.add(key, value, bar == bars.end() ? "" : bar->second);
    note += fmt::format("{}{} {:.3g}", note.empty() ? "" : "; ", key, value);
  }
  const surge::CellResult& most = *measured.find(cells.back(), surge::Mode::full);
  const surge::LoadResult& emergency = *most.find("emergency");
  report.add("throughput_per_s", most.good_per_s());
  report.add("p50_ms", emergency.all_quantile_ms(0.5));
  report.add("p99_ms", emergency.all_quantile_ms(0.99));
  report.add("p999_ms", emergency.all_quantile_ms(0.999));
  report.add("rss_mb", most.rss_mb);
  if (const auto* plain = measured.find("10x", surge::Mode::unprivileged); plain != nullptr) {
    const double ratio =
        plain->emergency_p99_ms() / std::max(0.001, measured.find("0x", surge::Mode::unprivileged)->emergency_p99_ms());
    report.add("unprivileged_p99_ratio_10x", ratio, "<= 2.5");
    note += fmt::format("; unprivileged ratio 10x {:.3g}", ratio);
  }
  report.note = fmt::format("{}; throughput and latency of 100x; capacity {:.0f}/s of pieces of {} ms", note,
                            measured.capacity.rest_per_s, settings.work_ms);
  for (const surge::CellResult& cell : measured.cells)
    if (!cell.void_because.empty())
      report.problem = fmt::format("{} {} is void: {}", cell.cell, surge::to_string(cell.mode), cell.void_because);
  return report;
}

}  // namespace
}  // namespace mydr24::load

int main(int argc, char** argv) {
  return mydr24::load::run_bench(argc, argv,
                                 {.name = "surge",
                                  .about = "emergencies beside 10 and 100 times the load",
                                  .seconds = 20,
                                  .connections = 4000,
                                  .values = {"--work-ms"}},
                                 mydr24::load::measure);
}
