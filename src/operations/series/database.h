#pragma once

// Where numbers over time are kept: samples of labelled series, in memory, packed, bounded. What grows old is kept more
// coarsely: samples as they come for hours, a minute's last, least, greatest, sum and count for days, an hour's for 400
// days. Keeper writes it to the store; Evaluator asks it.
//
// Invariants: the samples of a series ascend in time; what was taken is seen by the next reader. Thread-safe.
//
// Source of the data model and of staleness (the marker's bits, five minutes of look-back): the Prometheus documentation,
// "Data model" and "Querying basics", and prometheus/model/value.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "alerting/routing/labels.h"
#include "alerting/routing/matcher.h"
#include "base/core/clock.h"
#include "base/core/result.h"
#include "operations/series/chunk.h"

namespace mydr24::series {

using Labels = routing::Labels;
using LabelsPtr = std::shared_ptr<const Labels>;
using Matchers = routing::Matchers;
using Milliseconds = std::int64_t;  // since 1970, or a length

inline constexpr std::string_view name_label = "__name__";
// A value that says: the series has ended here.
inline constexpr std::uint64_t stale_bits = 0x7ff0000000000002;
bool is_stale(double value);
double stale_marker();

struct Sample {
  Milliseconds time = 0;
  double value = 0;
};

// What a minute or an hour was. Its time is that of its last sample.
struct Bucket {
  Milliseconds time = 0;
  double last = 0;
  double min = 0;
  double max = 0;
  double sum = 0;
  double count = 0;  // 0: nothing yet

  void add(const Bucket& later);
};

// The samples of a series in a span of time, ascending; those that are buckets come first.
struct Points {
  std::vector<Sample> samples;
  std::vector<Bucket> buckets;  // of the first so many samples
  std::size_t hours = 0;        // so many of the buckets are hours

  void clear() {
    samples.clear();
    buckets.clear();
    hours = 0;
  }
};

struct DatabaseSettings {
  // Beyond nine tenths of it those that ended longest ago give their place away before all of them is old, if that is
  // longer ago than minutes are kept.
  std::size_t series_max = 20'000;
  std::size_t bytes_max = 192U << 20;  // of packed samples; beyond it the oldest go before their time
  std::chrono::minutes raw_for = std::chrono::hours(6);
  std::chrono::minutes minutes_for = std::chrono::days(7);
  std::chrono::minutes hours_for = std::chrono::days(400);
};

enum class Appended : std::uint8_t {
  kept,
  duplicate,     // it is there already
  out_of_order,  // there is a later one
  conflicting,   // there is another value at that time
  bad_time,      // further in the future than clocks may differ, or older than anything kept
  gone,          // the series was given up: ask for it again
};

// One resolution of one series. Not thread-safe.
class Tier {
 public:
  Tier(std::size_t columns, std::uint32_t chunk_max) : columns_(columns), chunk_max_(chunk_max), appender_(columns) {}
  void append(Milliseconds time, std::span<const double> values);
  void drop_before(Milliseconds time);  // whole chunks
  // Calls take(time, row) for from <= time <= to.
  template <class Take>
  void read(Milliseconds from, Milliseconds to, Take take) const {
    for (const Chunk& chunk : chunks_) {
      if (chunk.last < from) continue;
      if (chunk.first > to) return;
      ChunkReader reader(chunk, columns_);
      Milliseconds time = 0;
      Row row{};
      while (reader.next(time, row) && time <= to)
        if (time >= from) take(time, row);
    }
  }
  bool empty() const { return chunks_.empty(); }
  Milliseconds first() const { return chunks_.front().first; }
  Milliseconds last() const { return chunks_.back().last; }
  std::size_t bytes() const { return bytes_; }

 private:
  std::size_t columns_;
  std::uint32_t chunk_max_;
  std::deque<Chunk> chunks_;
  Appender appender_;
  std::size_t bytes_ = 0;
};

enum class Resolution : std::uint8_t { raw, minute, hour };

class Series {
 public:
  Series(LabelsPtr labels, std::uint64_t fingerprint) : labels_(std::move(labels)), fingerprint_(fingerprint) {}

  const LabelsPtr& labels() const { return labels_; }
  std::uint64_t fingerprint() const { return fingerprint_; }

  // What lies in [from, to], each time from the finest resolution that has it.
  void read(Milliseconds from, Milliseconds to, Points& points) const;
  bool has_any(Milliseconds from, Milliseconds to) const;

 private:
  friend class Database;
  friend class Keeper;
  Appended append(Milliseconds time, double value);  // the lock is held, as for all below
  bool has(Milliseconds time, double value) const;
  void roll_up(Milliseconds time, double value);
  void close_minute();
  void take_minute(const Bucket& minute);
  void take_hour(const Bucket& hour);
  void close_idle(Milliseconds before);
  Milliseconds last_time() const;
  std::size_t bytes() const { return raw_.bytes() + minutes_.bytes() + hours_.bytes(); }

  const LabelsPtr labels_;
  const std::uint64_t fingerprint_;
  mutable std::mutex mutex_;
  bool gone_ = false;
  Milliseconds last_time_ = INT64_MIN;
  std::uint64_t last_bits_ = 0;
  Tier raw_{1, 240};
  Tier minutes_{columns_max, 120};
  Tier hours_{columns_max, 120};
  Bucket minute_;  // that is not over
  Bucket hour_;
  // Keeper's: what it has written of each resolution, up to and with that time; its number for the series.
  std::array<Milliseconds, 3> written_{INT64_MIN, INT64_MIN, INT64_MIN};
  std::uint64_t id_ = 0;
};

using SeriesPtr = std::shared_ptr<Series>;

// What a metric is for.
struct Description {
  std::string type;  // counter, gauge, histogram, summary, unknown
  std::string help;
  std::string unit;
};

class Database {
 public:
  Database(const Clock& clock, const DatabaseSettings& settings) : clock_(clock), settings_(settings) {}
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // The series of those labels, one of which is __name__; kept by the caller it is appended to at once. Code::too_large
  // when there are too many, or the labels are too many or too long; Code::invalid when they are no labels.
  Result<SeriesPtr> series(const Labels& labels);
  Appended append(Series& series, Milliseconds time, double value);
  void describe(std::string_view name, Description description);

  // Those that all matchers match, at most `count`, in the order of their labels.
  std::vector<SeriesPtr> select(const Matchers& matchers, std::size_t count) const;
  std::vector<SeriesPtr> all() const;
  std::map<std::string, Description> descriptions() const;

  // Lets go of what is older than it is kept for, and of what is too much. Now and then. What a Keeper has not written
  // yet stays longer while there is room.
  void maintain();
  // What is older than that maintain() has let go, of each resolution.
  Milliseconds let_go_until(Resolution resolution) const {
    return let_go_until_[static_cast<std::size_t>(resolution)].load();
  }

  std::size_t series_count() const { return count_.load(); }
  std::size_t bytes() const { return bytes_.load(); }  // of the last maintain()
  std::int64_t samples_taken() const { return taken_.load(); }
  std::int64_t series_refused() const { return refused_.load(); }
  const DatabaseSettings& settings() const { return settings_; }
  Milliseconds now() const { return to_us(clock_.now()) / 1000; }

  static constexpr std::size_t labels_max = 40;
  static constexpr std::size_t label_bytes_max = 4U << 10;
  static constexpr std::size_t descriptions_max = 10'000;

 private:
  friend class Keeper;
  void drop(const std::array<Milliseconds, 3>& before, bool even_unwritten);
  void give_up(const std::vector<SeriesPtr>& series);
  void make_room(Milliseconds ended_before);
  void settle();

  const Clock& clock_;
  const DatabaseSettings settings_;
  mutable std::shared_mutex mutex_;  // guards `names_`, `known_`, `described_`
  std::map<std::string, std::vector<SeriesPtr>, std::less<>> names_;
  std::unordered_multimap<std::uint64_t, SeriesPtr> known_;  // by fingerprint
  std::map<std::string, Description> described_;
  std::atomic<bool> is_written_down_ = false;  // a Keeper does
  std::array<std::atomic<Milliseconds>, 3> let_go_until_{INT64_MIN, INT64_MIN, INT64_MIN};
  std::atomic<std::size_t> count_ = 0;
  std::atomic<std::size_t> bytes_ = 0;
  std::atomic<std::int64_t> taken_ = 0;
  std::atomic<std::int64_t> refused_ = 0;
};

}  // namespace mydr24::series
