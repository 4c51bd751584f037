// What a bench has found: a table for people, JSON for machines.

#include <fmt/format.h>

#include "app/surge/bench.h"
#include "base/core/request_class.h"
#include "base/json/writer.h"

namespace mydr24::surge {
namespace {

constexpr std::string_view schema = "mydr24.bench.surge.v1";

// Of the peak; 0 when that is not known.
double goodput(const CellResult& cell, const Capacity& capacity) {
  return capacity.counted_per_s > 0 ? cell.counted_per_s() / capacity.counted_per_s : 0;
}

// "-" for what never came.
std::string milliseconds(double ms) { return ms < 0 ? "-" : fmt::format("{:.{}f}", ms, ms < 100 ? 2 : 0); }

void write_class(json::Writer& writer, const LoadResult& result) {
  writer.begin_object().field("class", result.name).field("offered", result.offered);
  writer.field("attempts", result.attempts).field("offered_per_s", result.offered_per_s());
  writer.field("good_per_s", result.good_per_s());
  for (std::size_t i = 0; i < outcome_count; ++i) writer.field(to_string(static_cast<Outcome>(i)), result.outcomes[i]);
  writer.field("answers_429", result.answers_429).field("answers_503", result.answers_503);
  for (const auto& [name, share] : {std::pair{"p50_ms", 0.5}, {"p99_ms", 0.99}, {"p999_ms", 0.999}}) {
    const double all = result.all_quantile_ms(share);
    writer.key(name);
    all < 0 ? writer.null() : writer.number(all);
    writer.field(fmt::format("served_{}", name), result.served.quantile_ms(share));
    writer.field(fmt::format("refused_{}", name), result.refused.quantile_ms(share));
  }
  writer.field("max_ms", result.served.max_ms()).field("generator_late_p999_ms", result.lateness.quantile_ms(0.999));
  writer.field("generator_cpu_s", result.cpu_s);
  if (result.heavy_offered > 0) {
    const auto share = [](std::uint64_t served, std::uint64_t offered) {
      return offered == 0 ? 0 : static_cast<double>(served) / static_cast<double>(offered);
    };
    writer.field("served_of_heavy_sources", share(result.heavy_served, result.heavy_offered));
    writer.field("served_of_light_sources", share(result.light_served, result.light_offered));
  }
  writer.key("good_by_second").begin_array();
  for (const std::uint64_t good : result.good_s) writer.number(static_cast<std::int64_t>(good));
  writer.end_array().field("first_problem", result.first_problem).end_object();
}

void write_cell(json::Writer& writer, const BenchReport& report, const CellResult& cell) {
  writer.begin_object().field("cell", cell.cell).field("mode", to_string(cell.mode)).field("multiple", cell.multiple);
  writer.field("seconds", cell.seconds).field("good_per_s", cell.good_per_s());
  writer.field("goodput", goodput(cell, report.capacity));
  writer.field("refused", cell.refused()).field("unanswered", cell.unanswered());
  writer.field("emergency_failed", cell.emergency_failed());
  writer.field("refusal_cpu_us", refusal_cpu_us(cell));
  writer.field("server_cpu", cell.use.seconds > 0 ? cell.use.server_s / cell.use.seconds : 0);
  writer.field("foreign_cpu", cell.use.foreign).field("steal", cell.use.steal);
  writer.field("stopped_cpu", cell.use.stopped).field("rss_mb", cell.rss_mb);
  writer.field("disk_flush_p50_ms", cell.use.flushes.quantile_ms(0.5));
  writer.field("disk_flush_p99_ms", cell.use.flushes.quantile_ms(0.99));
  writer.key("threads_cpu_s").begin_object();
  for (const auto& [name, seconds] : cell.use.threads_s) writer.field(name, seconds);
  writer.end_object().key("figures").begin_object();
  for (const auto& [name, value] : cell.figures) writer.field(name, value);
  writer.end_object().key("classes").begin_array();
  for (const LoadResult& result : cell.classes) write_class(writer, result);
  writer.end_array().key("missed").begin_array();
  for (const std::string& fault : cell.faults) writer.string(fault);
  writer.end_array().field("void_because", cell.void_because).end_object();
}

void append_cell_row(std::string& out, const BenchReport& report, const CellResult& cell) {
  const LoadResult none;
  const auto* emergency = cell.find(to_string(RequestClass::emergency));
  const LoadResult& shown = emergency == nullptr ? none : *emergency;
  const double percent = goodput(cell, report.capacity) * 100;
  out += fmt::format(
      "{:<12} {:<12} {:>8} {:>8} {:>8} {:>7} {:>9.0f} {:>8.0f} % {:>10.0f} {:>10} {:>9.1f} {:>7.0f} % {:>8.2f}  {}\n",
      cell.cell, to_string(cell.mode), milliseconds(shown.all_quantile_ms(0.5)),
      milliseconds(shown.all_quantile_ms(0.99)), milliseconds(shown.all_quantile_ms(0.999)), cell.emergency_failed(),
      cell.good_per_s(), percent, cell.seconds > 0 ? static_cast<double>(cell.refused()) / cell.seconds : 0,
      cell.unanswered(), refusal_cpu_us(cell), cell.use.foreign * 100, cell.use.flushes.quantile_ms(0.99),
      !cell.void_because.empty() ? "VOID"
      : cell.faults.empty()      ? "pass"
                                 : "FAIL");
}

}  // namespace

std::vector<std::pair<std::string, double>> key_figures(const BenchReport& report) {
  std::vector<std::pair<std::string, double>> figures;
  const bool has_full = std::ranges::any_of(report.cells, [](const auto& cell) { return cell.mode == Mode::full; });
  const Mode mode = has_full ? Mode::full : Mode::unprivileged;
  const CellResult* unloaded = report.find("0x", mode);
  double failed = 0;
  double refusal_us = 0;
  for (const CellResult& cell : report.cells)
    if (cell.mode == mode && !cell.figures.contains("flood_served"))
      failed += static_cast<double>(cell.emergency_failed());
  for (const std::string_view name : {"10x", "100x"}) {
    const CellResult* cell = report.find(name, mode);
    if (cell == nullptr || !cell->has_ended()) continue;
    if (unloaded != nullptr)
      figures.emplace_back(fmt::format("emergency_p99_ratio_{}", name),
                           cell->emergency_p99_ms() / std::max(0.001, unloaded->emergency_p99_ms()));
    figures.emplace_back(fmt::format("goodput_{}", name), goodput(*cell, report.capacity));
    refusal_us = refusal_cpu_us(*cell);
  }
  figures.emplace_back("emergency_failed", failed);
  figures.emplace_back("refusal_cpu_us", refusal_us);
  return figures;
}

std::string to_table(const BenchReport& report) {
  std::string out = fmt::format(
      "machine   {}\ncapacity  {:.0f} requests a second beside the emergencies\n\n{:<12} {:<12} "
      "{:>8} "
      "{:>8} {:>8} {:>7} {:>9} {:>10} {:>10} {:>10} {:>9} {:>9} {:>8}\n",
      report.machine, report.capacity.rest_per_s, "cell", "mode", "em p50", "em p99", "em p99.9", "failed", "good/s",
      "of peak", "refused/s", "no answer", "us each", "foreign", "disk p99");
  for (const CellResult& cell : report.cells) append_cell_row(out, report, cell);
  out += "\nem: emergencies, ms from the moment they were due; -: that share was never served\n";
  for (const CellResult& cell : report.cells) {
    for (const auto& [name, value] : cell.figures)
      out += fmt::format("{} {}: {} {:.2f}\n", cell.cell, to_string(cell.mode), name, value);
    if (!cell.void_because.empty())
      out += fmt::format("{} {}: VOID, {}\n", cell.cell, to_string(cell.mode), cell.void_because);
    for (const std::string& fault : cell.faults)
      out += fmt::format("{} {}: {}\n", cell.cell, to_string(cell.mode), fault);
  }
  return out;
}

std::string to_json(const BenchReport& report) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("schema", schema).field("machine", report.machine);
  for (const auto& [name, value] : key_figures(report)) writer.field(name, value);
  writer.field("void", report.is_void());
  writer.key("capacity").begin_object().field("rest_per_s", report.capacity.rest_per_s);
  writer.field("counted_per_s", report.capacity.counted_per_s);
  writer.end_object().key("cells").begin_array();
  for (const CellResult& cell : report.cells) write_cell(writer, report, cell);
  writer.end_array().end_object();
  return out;
}

}  // namespace mydr24::surge
