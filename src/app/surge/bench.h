#pragma once

// `mydr24 bench surge`: cells by name, run one after the other, judged against the bars, told as a table and as JSON.
//
// Protocol: an open-loop generator, latency from the scheduled time, a process for each class, server and generators on
// processors of their own. A run whose emergency generator was late, or whose server did not have its processor to
// itself, is void and says so.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/surge/cell.h"

namespace mydr24::surge {

struct CellName {
  std::string_view name;
  std::string_view about;
};
// The cells beside those that are a multiple of the capacity ("0x", "0.5x", "100x").
std::span<const CellName> special_cells();
// Code::invalid names the cell that is none.
Result<> check_cells(const std::vector<std::string>& cells);

struct BenchReport {
  Capacity capacity;
  std::string machine;
  std::vector<CellResult> cells;

  const CellResult* find(std::string_view cell, Mode mode) const;
  bool is_void() const;
  bool has_faults() const;  // of cells that are not naive
};

// A cell that cannot run here (privileges, memory) is left out and said; an error ends the bench.
Result<BenchReport> run_bench(const BenchSettings& settings, const std::vector<std::string>& cells,
                              const std::vector<Mode>& modes, const Clock& clock);

// One repetition after the other of one cell.
Result<CellResult> run_cell(const Stage& stage, const BenchSettings& settings, const std::string& cell, Mode mode,
                            const Clock& clock);

// The bars that the cell misses, each as a sentence. `unloaded`: the cell 0x of the same mode; null: ratios are not judged.
std::vector<std::string> missed_bars(const CellResult& cell, const CellResult* unloaded, const Capacity& capacity);

// What one refusal costs the server, in microseconds of its processor, at most: the time of the threads that read and
// refuse, by the refusals. What those threads do for the requests that are let in is in it. 0: nothing was refused.
double refusal_cpu_us(const CellResult& cell);

// The figures that `./dev bench surge` keeps, by name: of mode full, else of unprivileged.
std::vector<std::pair<std::string, double>> key_figures(const BenchReport& report);

std::string to_table(const BenchReport& report);
std::string to_json(const BenchReport& report);

}  // namespace mydr24::surge
