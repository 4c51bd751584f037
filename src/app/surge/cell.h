#pragma once

// One cell of the bench: a server in a mode under a load, measured for a while. What is common to all cells.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/surge/crew.h"
#include "app/surge/machine.h"
#include "app/surge/test_bed.h"

namespace mydr24::surge {

// What the rest of the load is measured against: what the server serves of it when nothing is refused yet, emergencies
// beside it.
struct Capacity {
  double rest_per_s = 0;     // requests of the classes below emergency
  double counted_per_s = 0;  // of all, those that goodput counts: all but reads by id; 0: not known
};

struct BenchSettings {
  std::filesystem::path binary;  // of `mydr24`
  int server_cpu = 0;
  int generator_cpu = 1;
  double seconds = 10;  // of measuring
  double warm_up_s = 2;
  int repeat = 1;
  int void_retries = 2;  // of a repetition that is void
  double emergency_per_s = 100;
  Retry retry = Retry::none;                                                // of the multiples
  std::size_t connections = 4000;                                           // of the classes below emergency
  int work_ms = 1;                                                          // of the processor, a piece of work
  double capacity_p99_ms = 50;                                              // of routine requests at the capacity
  Capacity capacity;                                                        // 0: is calibrated
  std::function<void(const std::string&)> say = [](const std::string&) {};  // progress, for people
};

// The load of a cell. The rest is 5 % urgent, 90 % routine, 5 % background.
struct Surge {
  double emergency_per_s = 100;
  std::vector<Phase> rest;  // all classes below emergency together; emergencies come evenly all the time
  double warm_up_s = 2;
  double seconds = 10;
  std::size_t connections = 4000;
  std::size_t emergency_connections = 64;
  Retry retry = Retry::none;
  bool tls = false;
  bool connection_per_request = false;
  bool keep_times = false;
  std::uint64_t seed = 24;
};
std::vector<LoadSpec> plan_loads(TestBed& bed, const BenchSettings& settings, const Surge& surge);

struct CellResult {
  std::string cell;  // "10x"
  Mode mode = Mode::full;
  double multiple = 0;                    // of the capacity; 0: none of the rest
  double seconds = 0;                     // measured, all repetitions
  std::vector<LoadResult> classes;        // emergency first
  MachineUse use;                         // over all repetitions
  double rss_mb = 0;                      // the server's peak
  std::map<std::string, double> figures;  // what only this cell measures
  std::vector<std::string> faults;        // bars that were missed
  std::string void_because;               // not empty: the run says nothing

  bool has_ended() const { return seconds > 0; }  // false: it broke off, void_because says why
  const LoadResult* find(std::string_view name) const;
  double good_per_s() const;       // all classes
  double rest_good_per_s() const;  // all but emergencies
  // What was served of all classes, within its time, but for reads by id: those cost the server little more than a
  // refusal, and counting them would hide that work is not done.
  double counted_per_s() const;
  std::uint64_t refused() const;           // answers 429 and 503 to all but emergencies
  std::uint64_t unanswered() const;        // requests of all but emergencies without any answer
  std::uint64_t emergency_failed() const;  // not served, for whatever reason
  double emergency_p99_ms() const;         // over all; -1: more than one in a hundred was not served
};

// Runs the loads against the bed and measures between the warm-up and the end of the profiles. `during` is called when
// measuring begins.
Result<CellResult> run_specs(TestBed& bed, const BenchSettings& settings, const std::vector<LoadSpec>& specs,
                             double warm_up_s, double seconds, const Clock& clock,
                             const std::function<void()>& during = {});
// The same for a planned load.
Result<CellResult> run_load(TestBed& bed, const BenchSettings& settings, const Surge& surge, const Clock& clock,
                            const std::function<void()>& during = {});
// Why a run says nothing; empty: it does.
std::string why_void(const CellResult& cell);
// Adds another repetition of the same cell.
void add_repetition(CellResult& to, const CellResult& from);

// Finds the capacity: raises the rate until the slowest of a hundred routine requests takes too long or more than 1 % is
// refused; the last rate before that.
Result<Capacity> calibrate(const Stage& stage, const BenchSettings& settings, Mode mode, const Clock& clock);

}  // namespace mydr24::surge
