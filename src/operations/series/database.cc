#include "operations/series/database.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

namespace mydr24::series {
namespace {

constexpr Milliseconds minute_ms = 60'000;
constexpr Milliseconds hour_ms = 3'600'000;
constexpr Milliseconds ahead_max = 10 * minute_ms;  // as far as clocks may differ

Milliseconds ms_of(std::chrono::minutes time) { return std::chrono::milliseconds(time).count(); }

Bucket bucket_of(Milliseconds time, const Row& row) { return {time, row[0], row[1], row[2], row[3], row[4]}; }

std::array<double, columns_max> row_of(const Bucket& bucket) {
  return {bucket.last, bucket.min, bucket.max, bucket.sum, bucket.count};
}

Result<> check(const Labels& labels) {
  if (labels.size() > Database::labels_max)
    return fail(Code::too_large, fmt::format("a series has at most {} labels", Database::labels_max));
  std::size_t bytes = 0;
  for (const auto& [name, value] : labels) {
    bytes += name.size() + value.size();
    if (!routing::is_label_name(name, routing::Names::classic) && name != name_label)
      return fail(Code::invalid, fmt::format("{} is no label name", routing::go_quoted(name)));
    if (!routing::is_utf8(value))
      return fail(Code::invalid, fmt::format("the value of the label {} is no UTF-8", name));
  }
  if (bytes > Database::label_bytes_max)
    return fail(Code::too_large,
                fmt::format("the labels of a series have at most {} bytes", Database::label_bytes_max));
  const std::string_view name = labels[name_label];
  const auto is_first = [](char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_' || c == ':'; };
  const auto is_next = [&](char c) { return is_first(c) || (c >= '0' && c <= '9'); };
  if (name.empty() || !is_first(name.front()) || !std::ranges::all_of(name, is_next))
    return fail(Code::invalid, fmt::format("{} is no metric name", routing::go_quoted(name)));
  return {};
}

}  // namespace

bool is_stale(double value) { return std::bit_cast<std::uint64_t>(value) == stale_bits; }
double stale_marker() { return std::bit_cast<double>(stale_bits); }

void Bucket::add(const Bucket& later) {
  if (count == 0) {
    *this = later;
    return;
  }
  time = later.time;
  last = later.last;
  // Whatever is no number stays out of the extremes, as in Prometheus' min_over_time.
  if (std::isnan(min) || later.min < min) min = later.min;
  if (std::isnan(max) || later.max > max) max = later.max;
  sum += later.sum;
  count += later.count;
}

void Tier::append(Milliseconds time, std::span<const double> values) {
  if (chunks_.empty() || chunks_.back().count >= chunk_max_) {
    if (!chunks_.empty()) {
      bytes_ -= chunks_.back().bits.capacity();
      chunks_.back().bits.shrink_to_fit();
      bytes_ += chunks_.back().bits.capacity();
    }
    chunks_.emplace_back();
    bytes_ += sizeof(Chunk) + chunks_.back().bits.capacity();
    appender_.begin();
  }
  Chunk& chunk = chunks_.back();
  bytes_ -= chunk.bits.capacity();
  appender_.append(chunk, time, values);
  bytes_ += chunk.bits.capacity();
}

void Tier::drop_before(Milliseconds time) {
  while (!chunks_.empty() && chunks_.front().last < time) {
    bytes_ -= sizeof(Chunk) + chunks_.front().bits.capacity();
    chunks_.pop_front();
  }
}

bool Series::has(Milliseconds time, double value) const {
  bool found = false;
  raw_.read(time, time, [&](Milliseconds, const Row& row) {
    found = std::bit_cast<std::uint64_t>(row[0]) == std::bit_cast<std::uint64_t>(value);
  });
  return found;
}

Appended Series::append(Milliseconds time, double value) {
  if (gone_) return Appended::gone;
  const auto bits = std::bit_cast<std::uint64_t>(value);
  if (time <= last_time_) {
    if (time == last_time_) return bits == last_bits_ ? Appended::duplicate : Appended::conflicting;
    return has(time, value) ? Appended::duplicate : Appended::out_of_order;
  }
  last_time_ = time;
  last_bits_ = bits;
  raw_.append(time, std::span(&value, 1));
  roll_up(time, value);
  return Appended::kept;
}

void Series::roll_up(Milliseconds time, double value) {
  if (minute_.count > 0 && minute_.time / minute_ms != time / minute_ms) close_minute();
  if (!is_stale(value)) minute_.add({time, value, value, value, value, 1});
}

// What was written before a restart is there already when its samples come again.
void Series::close_minute() {
  const Bucket minute = std::exchange(minute_, {});
  if (minutes_.empty() || minute.time / minute_ms > minutes_.last() / minute_ms) take_minute(minute);
}

void Series::take_minute(const Bucket& minute) {
  minutes_.append(minute.time, row_of(minute));
  if (hour_.count > 0 && hour_.time / hour_ms != minute.time / hour_ms) {
    const Bucket hour = std::exchange(hour_, {});
    if (hours_.empty() || hour.time / hour_ms > hours_.last() / hour_ms) take_hour(hour);
  }
  hour_.add(minute);
}

// What has no sample any more: its last minute and hour count too.
void Series::close_idle(Milliseconds before) {
  if (last_time_ >= before) return;
  if (minute_.count > 0) close_minute();
  if (hour_.count == 0) return;
  const Bucket hour = std::exchange(hour_, {});
  if (hours_.empty() || hour.time / hour_ms > hours_.last() / hour_ms) take_hour(hour);
}

// Of any resolution: of what was read back, there may be hours alone.
Milliseconds Series::last_time() const {
  Milliseconds last = last_time_;
  for (const Tier* tier : {&raw_, &minutes_, &hours_})
    if (!tier->empty()) last = std::max(last, tier->last());
  return last;
}

void Series::take_hour(const Bucket& hour) { hours_.append(hour.time, row_of(hour)); }

void Series::read(Milliseconds from, Milliseconds to, Points& points) const {
  const std::lock_guard lock(mutex_);
  const Milliseconds raw_from = raw_.empty() ? INT64_MAX : raw_.first();
  const Milliseconds minutes_from = minutes_.empty() ? raw_from : std::min(raw_from, minutes_.first());
  const auto take = [&](Milliseconds time, const Row& row) {
    points.samples.push_back({time, row[0]});
    points.buckets.push_back(bucket_of(time, row));
  };
  if (from < minutes_from) hours_.read(from, std::min(to, minutes_from - 1), take);
  points.hours = points.buckets.size();
  if (from < raw_from) minutes_.read(from, std::min(to, raw_from - 1), take);
  raw_.read(from, to, [&](Milliseconds time, const Row& row) { points.samples.push_back({time, row[0]}); });
}

bool Series::has_any(Milliseconds from, Milliseconds to) const {
  const std::lock_guard lock(mutex_);
  const auto touches = [&](const Tier& tier) { return !tier.empty() && tier.first() <= to && tier.last() >= from; };
  return touches(raw_) || touches(minutes_) || touches(hours_);
}

Result<SeriesPtr> Database::series(const Labels& labels) {
  const std::uint64_t fingerprint = routing::fingerprint(labels);
  const auto find = [&]() -> SeriesPtr {
    const auto [begin, end] = known_.equal_range(fingerprint);
    for (auto at = begin; at != end; ++at)
      if (*at->second->labels() == labels) return at->second;
    return nullptr;
  };
  {
    const std::shared_lock lock(mutex_);
    if (auto found = find()) return found;
  }
  MYDR24_TRY(check(labels));
  const std::unique_lock lock(mutex_);
  if (auto found = find()) return found;
  if (known_.size() >= settings_.series_max) {
    ++refused_;
    return fail(Code::too_large, fmt::format("there are {} series, and there may be no more", settings_.series_max));
  }
  auto made = std::make_shared<Series>(std::make_shared<const Labels>(labels), fingerprint);
  auto& same = names_[std::string(labels[name_label])];
  const auto place = std::ranges::lower_bound(same, labels, {}, [](const SeriesPtr& each) { return *each->labels(); });
  same.insert(place, made);
  known_.emplace(fingerprint, made);
  count_ = known_.size();
  return made;
}

Appended Database::append(Series& series, Milliseconds time, double value) {
  const Milliseconds here = now();
  if (time > here + ahead_max || time < here - ms_of(settings_.hours_for)) return Appended::bad_time;
  const std::lock_guard lock(series.mutex_);
  const Appended appended = series.append(time, value);
  if (appended == Appended::kept) taken_.fetch_add(1, std::memory_order_relaxed);
  return appended;
}

void Database::describe(std::string_view name, Description description) {
  constexpr std::size_t text_max = 1'000;
  if (name.size() > text_max || description.help.size() > text_max || description.unit.size() > text_max) return;
  const std::unique_lock lock(mutex_);
  if (described_.size() >= descriptions_max && !described_.contains(std::string(name))) return;
  described_[std::string(name)] = std::move(description);
}

std::map<std::string, Description> Database::descriptions() const {
  const std::shared_lock lock(mutex_);
  return described_;
}

std::vector<SeriesPtr> Database::select(const Matchers& matchers, std::size_t count) const {
  std::vector<SeriesPtr> found;
  const auto name = std::ranges::find_if(matchers, [](const routing::Matcher& each) {
    return each.name() == name_label && each.op() == routing::Matcher::Op::equal;
  });
  const auto look = [&](const std::vector<SeriesPtr>& series) {
    for (const SeriesPtr& each : series) {
      if (found.size() >= count) return;
      if (routing::matches(matchers, *each->labels())) found.push_back(each);
    }
  };
  const std::shared_lock lock(mutex_);
  if (name != matchers.end()) {
    if (const auto at = names_.find(name->value()); at != names_.end()) look(at->second);
    return found;
  }
  for (const auto& [_, series] : names_) look(series);
  return found;
}

std::vector<SeriesPtr> Database::all() const { return select({}, SIZE_MAX); }

void Database::drop(const std::array<Milliseconds, 3>& before, bool even_unwritten) {
  const bool spares = is_written_down_ && !even_unwritten;
  std::vector<SeriesPtr> empty;
  std::size_t bytes = 0;
  for (const SeriesPtr& series : all()) {
    const std::lock_guard lock(series->mutex_);
    const std::array<Tier*, 3> tiers{&series->raw_, &series->minutes_, &series->hours_};
    for (std::size_t i = 0; i < tiers.size(); ++i) {
      // All of a chunk is written whose last is.
      const Milliseconds written = series->written_[i];
      const bool limits = spares && written < before[i];
      if (!limits)
        tiers[i]->drop_before(before[i]);
      else if (written > INT64_MIN)
        tiers[i]->drop_before(written + 1);
    }
    bytes += series->bytes();
    const bool is_empty = std::ranges::all_of(tiers, [](const Tier* tier) { return tier->empty(); });
    if (is_empty && series->last_time_ < before[2]) {
      series->gone_ = true;
      empty.push_back(series);
    }
  }
  bytes_ = bytes;
  give_up(empty);
}

void Database::give_up(const std::vector<SeriesPtr>& given_up) {
  if (given_up.empty()) return;
  const std::unique_lock lock(mutex_);
  for (const SeriesPtr& series : given_up) {
    const auto name = names_.find((*series->labels())[name_label]);
    std::erase(name->second, series);
    if (name->second.empty()) names_.erase(name);
    const auto [begin, end] = known_.equal_range(series->fingerprint());
    const auto at = std::find_if(begin, end, [&](const auto& entry) { return entry.second == series; });
    known_.erase(at);
  }
  count_ = known_.size();
}

// Those that ended longest ago first.
void Database::make_room(Milliseconds ended_before) {
  const std::size_t most = settings_.series_max - settings_.series_max / 10;
  const std::size_t count = count_;
  if (count <= most) return;
  std::vector<std::pair<Milliseconds, SeriesPtr>> ended;
  for (SeriesPtr& series : all()) {
    const std::lock_guard lock(series->mutex_);
    if (const Milliseconds last = series->last_time(); last < ended_before) ended.emplace_back(last, std::move(series));
  }
  std::ranges::sort(ended);
  if (ended.size() > count - most) ended.resize(count - most);
  std::vector<SeriesPtr> given_up;
  for (auto& [_, series] : ended) {
    const std::lock_guard lock(series->mutex_);
    if (series->last_time() >= ended_before) continue;  // it began again
    series->gone_ = true;
    given_up.push_back(series);
  }
  give_up(given_up);
}

void Database::settle() {
  for (const SeriesPtr& series : all()) {
    const std::lock_guard lock(series->mutex_);
    series->close_idle(now() - 2 * hour_ms);
  }
}

void Database::maintain() {
  const Milliseconds here = now();
  settle();
  std::array<Milliseconds, 3> kept{ms_of(settings_.raw_for), ms_of(settings_.minutes_for), ms_of(settings_.hours_for)};
  const auto drop_all = [&](bool even_unwritten) {
    const std::array<Milliseconds, 3> before{here - kept[0], here - kept[1], here - kept[2]};
    drop(before, even_unwritten);
    for (std::size_t tier = 0; tier < before.size(); ++tier)
      let_go_until_[tier] = std::max(let_go_until_[tier].load(), before[tier]);
  };
  drop_all(false);
  make_room(here - kept[1]);
  // The finest first, down to what a look-back needs.
  constexpr std::array<Milliseconds, 3> least{15 * minute_ms, hour_ms, 24 * hour_ms};
  for (std::size_t tier = 0; tier < kept.size(); ++tier) {
    while (bytes_ > settings_.bytes_max && kept[tier] > least[tier]) {
      kept[tier] = std::max(least[tier], kept[tier] / 4 * 3);
      drop_all(true);
    }
  }
}

}  // namespace mydr24::series
