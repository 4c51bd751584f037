#pragma once

// What came of one load. Counts and histograms are added up over processes and repetitions; percentiles are never averaged.
//
// Invariant: every request that was offered ends in exactly one outcome.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/load/histogram.h"
#include "app/surge/load_spec.h"
#include "base/core/result.h"

namespace mydr24::surge {

// How the last attempt of a request ended.
enum class Outcome : std::uint8_t {
  served,   // 2xx in time
  refused,  // 429 or 503 in time
  wrong,    // another status
  timeout,
  broken,  // no connection, or it ended before the answer
};
inline constexpr std::size_t outcome_count = 5;
std::string_view to_string(Outcome outcome);

struct LoadResult {
  std::string name;  // of the class
  std::uint64_t offered = 0;
  std::array<std::uint64_t, outcome_count> outcomes{};
  std::array<std::uint64_t, kind_count> served_by_kind{};
  std::uint64_t attempts = 0;  // of the requests that count
  std::uint64_t answers_429 = 0;
  std::uint64_t answers_503 = 0;
  load::Histogram served;             // from the due time of the first attempt to the last byte
  load::Histogram refused;            // from the due time of the attempt
  load::Histogram lateness;           // from the due time to the moment the generator noticed it: its own fault
  std::vector<std::uint64_t> due_s;   // requests by the second in which they were due; warm-up included
  std::vector<std::uint64_t> good_s;  // served, by the second of the answer
  // Who was served: of the sources with the most connections (one in a hundred), and of the others.
  std::uint64_t heavy_offered = 0;
  std::uint64_t heavy_served = 0;
  std::uint64_t light_offered = 0;
  std::uint64_t light_served = 0;
  double seconds = 0;                                       // of the requests that count
  double cpu_s = 0;                                         // of the generator
  std::string first_problem;                                // the first request with an unexpected end, with its answer
  std::vector<std::pair<std::string, std::int64_t>> times;  // keep_times: patient, due time of the alarm (steady, ns)

  std::uint64_t count(Outcome outcome) const { return outcomes[static_cast<std::size_t>(outcome)]; }
  std::uint64_t failed() const { return offered - count(Outcome::served) - count(Outcome::refused); }
  std::uint64_t served_of(Kind kind) const { return served_by_kind[static_cast<std::size_t>(kind)]; }
  double good_per_s() const { return seconds > 0 ? static_cast<double>(count(Outcome::served)) / seconds : 0; }
  double offered_per_s() const { return seconds > 0 ? static_cast<double>(offered) / seconds : 0; }
  // Over all requests, those that were not served counting as infinitely late: infinity is returned as -1.
  double all_quantile_ms(double share) const;

  void add(const LoadResult& other);
};

std::string to_json(const LoadResult& result);
Result<LoadResult> parse_load_result(std::string_view json);

}  // namespace mydr24::surge
