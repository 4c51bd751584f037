#pragma once

// When requests arrive, decided beforehand: a profile of rates and a seed give the same times, however the server
// answers. That is what makes the load open: a slow server does not slow down the people who call it.

#include <chrono>
#include <cstdint>
#include <random>
#include <vector>

namespace mydr24::surge {

// A stretch of time with one rate.
struct Phase {
  double seconds = 0;
  double per_second = 0;  // 0: silence
};

enum class Pace : std::uint8_t {
  poisson,   // independent arrivals: gaps are exponential
  constant,  // even gaps
};

class Arrivals {
 public:
  Arrivals(std::vector<Phase> phases, Pace pace, std::uint64_t seed);

  // The next arrival, from the start of the profile; `never` when the profile is over.
  std::chrono::nanoseconds next();

  static constexpr std::chrono::nanoseconds never = std::chrono::nanoseconds::max();

  std::chrono::nanoseconds length() const;

 private:
  std::vector<Phase> phases_;
  Pace pace_;
  std::mt19937_64 random_;
  std::exponential_distribution<double> gap_{1.0};
  std::size_t phase_ = 0;
  double phase_begin_s_ = 0;
  double at_s_ = 0;
};

}  // namespace mydr24::surge
