#pragma once

// The searches that the search bench draws from, with values that the population has, and what is known of their
// answers.

#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/load/histogram.h"
#include "app/load/http.h"
#include "base/core/result.h"
#include "load/population.h"

namespace mydr24::load {

struct Query {
  std::string_view name;
  std::string_view target;  // below the FHIR base; {patient} {family} {condition} {procedure} {practitioner} {location}
                            // stand for values of the population
};

struct QueryResult {
  Histogram latency;  // of answers with status 200
  std::uint64_t failed = 0;
  std::uint64_t found = 0;  // answers with at least one resource
};

class Blend {
 public:
  Blend(const Population& population, const Census& census);

  std::span<const Query> queries() const;
  void append_target(std::size_t query, std::minstd_rand& random, std::string& out) const;

  // Asks each query once, before anything is measured: each must be answered with 200, those with a known total with
  // it. Code::unprocessable names all that were not.
  Result<> check(HttpClient& client) const;

 private:
  void append_value(std::string_view place, std::minstd_rand& random, std::string& out) const;

  const Population& population_;  // outlives this
  Census census_;
};

}  // namespace mydr24::load
