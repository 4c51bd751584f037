#pragma once

// Parts of the interface that can be switched off while the server runs (live settings "feature.NAME"): what costs much,
// what is newly there, what a fault was found in. Their routes answer 503 then. Nothing that an emergency, a reading of a
// record or a vital sign needs is among them.

#include <atomic>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace mydr24::pipeline {

struct Feature {
  std::string_view name;                       // "graphql"
  std::string_view about;                      // what is switched off with it
  std::vector<std::string_view> interactions;  // of its routes, see Route
};
// At most 32.
std::span<const Feature> features();

inline constexpr std::uint8_t no_feature = 255;
// The place in features() of the one that the routes of the interaction belong to, or no_feature.
std::uint8_t feature_of(std::string_view interaction);

// Which are switched off. Thread-safe.
class FeatureSwitches {
 public:
  void set(std::uint8_t feature, bool on) {
    const std::uint32_t bit = 1U << feature;
    on ? off_.fetch_and(~bit) : off_.fetch_or(bit);
  }
  bool is_off(std::uint8_t feature) const {
    return feature != no_feature && (off_.load(std::memory_order_relaxed) >> feature & 1U) != 0;
  }

 private:
  std::atomic<std::uint32_t> off_ = 0;
};

}  // namespace mydr24::pipeline
