#pragma once

// What every bench program has in common: its flags, the conditions of a run, and the three ways a result is
// told - a table with the bar beside each figure, one JSON object, one row of bench/history.csv.
//
// Exit codes: 0 measured, 2 wrong flags, 7 a request failed or was answered otherwise than expected, 1 anything else.

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/load/process.h"
#include "load/generator.h"

namespace mydr24::load {

inline constexpr int exit_failed = 1;
inline constexpr int exit_wrong_flags = 2;
inline constexpr int exit_wrong_answer = 7;

struct Options {
  double seconds = 0;  // of measuring, without set-up
  std::size_t connections = 0;
  bool json = false;
  bool history = true;
  std::filesystem::path binary;  // default: beside the folder of the bench program
  std::string note;
  std::set<std::string> switches;             // of those that the bench offers: "--mix"
  std::map<std::string, std::string> values;  // of the flags with a value that the bench offers: "--patients"

  bool has(const std::string& name) const { return switches.contains(name); }
  // Empty when it was not given.
  std::string value(const std::string& name) const {
    const auto found = values.find(name);
    return found == values.end() ? std::string() : found->second;
  }
};

struct Defaults {
  std::string_view name;   // of the bench
  std::string_view about;  // one sentence
  double seconds = 10;
  std::size_t connections = 64;
  std::set<std::string> switches;  // offered beyond the common flags
  std::set<std::string> values;    // ... and flags with a value
};

// A figure of the result. `bar` is what it is held against, as text; empty: none.
struct Figure {
  std::string key;  // as in the JSON object
  double value = 0;
  std::string bar;
};

struct Report {
  std::vector<Figure> figures;
  std::string store = "sqlite";
  std::string durability = "full";  // an acknowledged write is on the disk
  std::string note;                 // what was loaded, what is particular about the run
  std::string problem;              // a request that failed, with its answer: the run does not count

  void add(std::string key, double value, std::string bar = {}) {
    figures.push_back({std::move(key), value, std::move(bar)});
  }
  // Throughput, latencies and the generator's own share; also the problem, if there was one.
  void add_totals(const Totals& totals, std::string throughput_bar = {}, std::string p99_bar = {});
};

// A started server in a folder of its own.
struct Bed {
  TempFolder folder;
  std::optional<Server> server;
  std::filesystem::path data() const { return folder.path() / "data"; }
};

// Parses the flags, runs `measure`, tells its report. The whole of a bench's main().
int run_bench(int argc, char** argv, const Defaults& defaults,
              const std::function<Result<Report>(const Options&)>& measure);

// Imports NDJSON text into the data folder with `mydr24 import`; no server may use it.
Result<> import_text(const Options& options, Bed& bed, std::string_view ndjson);
// Starts the server on the bed's data folder.
Result<> start_server(const Options& options, Bed& bed, const std::string& config = {});

// With access control on: registers a machine that may read and write everything, starts the server, and gets a token for
// it. The header "Authorization: Bearer ...\r\n".
Result<std::string> start_server_with_access(const Options& options, Bed& bed);
// The same on a folder of one's own, in a role of one's own.
struct AccessBed {
  std::filesystem::path data;
  std::string config;  // TOML, without [access]
  std::string role = "service";
  std::filesystem::path policy_file;  // empty: the roles as they come
};
Result<std::string> start_server_with_access(const Options& options, Bed& bed, const AccessBed& access);

// Runs the flows for a short time to warm up (then `warmed_up`, when there is one), then for the measured time; adds
// throughput, latency, CPU per request and memory to the report.
Totals measure_flows(const Options& options, Bed& bed, std::vector<std::unique_ptr<Flow>> flows, Report& report,
                     std::string throughput_bar = {}, std::string p99_bar = {},
                     const std::function<void()>& warmed_up = {});

}  // namespace mydr24::load
