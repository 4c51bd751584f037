#include "operations/slo/counts.h"

#include <algorithm>

namespace mydr24::slo {
namespace {

constexpr std::size_t seconds_kept = 3'660;
constexpr std::size_t minutes_kept = 1'500;
constexpr std::size_t hours_kept = 800;
constexpr std::int64_t hour_s = 3'600;

std::int64_t second_of(Instant at) { return std::chrono::floor<seconds>(at).time_since_epoch().count(); }

Count minus(const Count& all, const Count& before) { return {all.good - before.good, all.total - before.total}; }

}  // namespace

void Counts::Level::push(const Mark& mark) {
  if (marks.size() < size) {
    marks.push_back(mark);
    return;
  }
  marks[next] = mark;
  next = (next + 1) % size;
}

const Counts::Mark* Counts::Level::find(std::int64_t second) const {
  std::size_t low = 0, high = marks.size();  // at(low) is at or before it, if any is
  while (high - low > 1) {
    const std::size_t middle = low + (high - low) / 2;
    (at(middle).at <= second ? low : high) = middle;
  }
  // What a mark stands before came within one step of it.
  if (second < at(low).at + step) return &at(low);
  return low + 1 < marks.size() ? &at(low + 1) : nullptr;
}

Counts::Counts() {
  levels_[0] = {.step = 1, .size = seconds_kept, .marks = {}, .next = 0};
  levels_[1] = {.step = 60, .size = minutes_kept, .marks = {}, .next = 0};
  levels_[2] = {.step = hour_s, .size = hours_kept, .marks = {}, .next = 0};
}

void Counts::add(Instant now, Count events) {
  const std::int64_t second = std::max(second_of(now), now_);
  // A mark is the sum before what comes in its step: the first one of a level stands before everything.
  for (Level& level : levels_) {
    const std::int64_t end = (second - 1) / level.step * level.step;
    if (level.marks.empty() || level.at(level.marks.size() - 1).at < end) level.push({end, sum_});
  }
  sum_.good += events.good;
  sum_.total += events.total;
  added_.good += events.good;
  added_.total += events.total;
  now_ = second;
}

void Counts::restore(Instant hour, Count events) {
  const std::int64_t begin = second_of(hour) / hour_s * hour_s;
  Level& hours = levels_[2];
  if (hours.marks.empty() || hours.at(hours.marks.size() - 1).at < begin) hours.push({begin, sum_});
  sum_.good += events.good;
  sum_.total += events.total;
}

Count Counts::in_hour(Instant hour) const {
  const Level& hours = levels_[2];
  for (std::size_t i = hours.marks.size(); i > 0; --i) {
    if (hours.at(i - 1).at != second_of(hour)) continue;
    return minus(i < hours.marks.size() ? hours.at(i).sum : sum_, hours.at(i - 1).sum);
  }
  return {};
}

Count Counts::difference(std::int64_t from, std::int64_t window) const {
  const Mark* found = nullptr;
  for (const Level& level : levels_) {
    if (level.marks.empty() || (found != nullptr && level.step * 4 > window)) continue;
    const Mark* mark = level.find(from);
    if (mark == nullptr) return {};
    // The first level whose memory reaches so far back; else the one that reaches back farthest.
    if (found == nullptr || mark->at < found->at) found = mark;
    if (level.oldest().at <= from) break;
  }
  return found == nullptr ? Count{} : minus(sum_, found->sum);
}

Count Counts::in(seconds window) const { return difference(now_ - window.count(), window.count()); }

Count Counts::since(Instant from) const {
  const std::int64_t second = second_of(from);
  return second >= now_ ? Count{} : difference(second, hours_kept * hour_s);
}

}  // namespace mydr24::slo
