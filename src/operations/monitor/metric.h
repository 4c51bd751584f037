#pragma once

// What is measured: a metric's name and unit, where its value comes from, and the samples of the last minutes.

#include <array>
#include <chrono>
#include <cmath>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/clock.h"

namespace mydr24::monitor {

// Of chapter 14: what is looked at together.
enum class Group : std::uint8_t { clinical, operational, compliance, patient_safety };
std::string_view to_string(Group group);

struct Source {
  std::string name;  // "audit_lag_seconds": a counter's ends in _total, seconds in _seconds
  std::string unit;  // "s", "ratio", "1"
  std::string help;
  Group group = Group::operational;
  std::chrono::milliseconds every{1'000};  // how often it has something new to say
  // Now; nothing when there is nothing to say. Called once a second on the evaluating thread: quick, and must not
  // throw.
  std::function<std::optional<double>()> read;
};

// Told of every value as it was read. Must be quick and must not throw.
using Recorder = std::function<void(std::string_view name, const std::map<std::string, std::string>& labels, Instant at,
                                    double value)>;

// The last 5 minutes of a metric, a value a second.
class Samples {
 public:
  static constexpr std::size_t kept = 300;
  void add(std::optional<double> value) {
    ring_[next_ % kept] = value.value_or(std::nan(""));
    ++next_;
  }
  // Oldest first; nothing for a second that gave nothing.
  std::vector<std::optional<double>> all() const {
    std::vector<std::optional<double>> found;
    for (std::size_t i = next_ < kept ? 0 : next_ - kept; i < next_; ++i) {
      const double value = ring_[i % kept];
      found.push_back(std::isnan(value) ? std::nullopt : std::optional(value));
    }
    return found;
  }

 private:
  std::array<double, kept> ring_{};
  std::size_t next_ = 0;
};

// The worst of what was observed in the last while. Thread-safe.
class Worst {
 public:
  explicit Worst(std::chrono::seconds window) : window_(window) {}
  void observe(double value, std::chrono::nanoseconds steady);
  // Nothing when nothing was observed in the window.
  std::optional<double> read(std::chrono::nanoseconds steady) const;

 private:
  static constexpr std::size_t slots = 12;
  struct Slot {
    std::int64_t number = -1;
    double worst = 0;
  };
  std::int64_t slot_of(std::chrono::nanoseconds steady) const;

  const std::chrono::seconds window_;
  mutable std::mutex mutex_;
  std::array<Slot, slots> slots_{};
};

}  // namespace mydr24::monitor
