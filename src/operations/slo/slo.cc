#include "operations/slo/slo.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "base/core/date_time.h"
#include "base/json/document.h"
#include "base/zone/zone.h"

namespace mydr24::slo {
namespace {

constexpr std::array<std::string_view, 3> methods{"Occurrences", "Timeslices", "RatioTimeslices"};
constexpr std::array<std::string_view, 4> operators{"lte", "gte", "lt", "gt"};
constexpr std::string_view class_key = "mydr24.io/class";
constexpr std::string_view no_data_key = "mydr24.io/no-data";
constexpr std::string_view traffic_key = "mydr24.io/min-traffic";
constexpr std::int64_t day_s = 86'400;
constexpr std::int64_t period_s = 30 * day_s;  // to which the burn rates of the workbook belong
constexpr seconds window_min{5};

template <class Enum, std::size_t count>
std::optional<Enum> find_word(const std::array<std::string_view, count>& words, std::string_view text) {
  const auto* found = std::ranges::find(words, text);
  if (found == words.end()) return std::nullopt;
  return static_cast<Enum>(found - words.begin());
}

std::string annotation(const Slo& slo, std::string_view key) {
  const auto found = slo.annotations.find(std::string(key));
  return found == slo.annotations.end() ? std::string() : found->second;
}

std::optional<double> number_of(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

struct Shorthand {
  std::int64_t count = 0;
  char unit = 'd';
};

Result<Shorthand> shorthand_of(std::string_view text) {
  Shorthand found;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), found.count);
  const bool has_unit = error == std::errc() && end + 1 == text.data() + text.size();
  if (!has_unit || found.count < 1 || found.count > 100'000 || !std::string_view("smhdwMQY").contains(*end))
    return fail(Code::invalid, fmt::format("\"{}\" is no duration: 5m, 12h, 28d, 1w, 1M, 1Q, 1Y", text));
  found.unit = *end;
  return found;
}

std::int64_t months_of(const Shorthand& length) {
  return length.count * (length.unit == 'M' ? 1 : length.unit == 'Q' ? 3 : 12);
}

Error wrong(std::string where, std::string text) { return fail(Code::invalid, std::move(text), std::move(where)); }

Result<> check_objective(const Slo& slo, const Objective& objective, const std::string& where) {
  if (!(objective.target >= 0 && objective.target < 1))
    return wrong(where + ".target", "a target is at least 0 and below 1 (targetPercent: below 100)");
  const auto& indicator = objective.indicator ? objective.indicator : slo.indicator;
  if (!indicator) return wrong(where + ".indicator", "there is no indicator, neither of the SLO nor of the objective");
  if (slo.indicator && objective.indicator)
    return wrong(where + ".indicator", "either the SLO has an indicator or each of its objectives");
  const bool compares = indicator->kind == Indicator::Kind::threshold;
  if (compares && (!objective.op || !objective.value))
    return wrong(where + ".op", "a thresholdMetric is held against op and value");
  if (!(objective.weight > 0 && objective.weight <= 1'000))
    return wrong(where + ".compositeWeight", "a weight is above 0 and at most 1000");
  if (slo.method == Method::occurrences) return {};
  if (!objective.slice_window || objective.slice_window->count() < 1 || *objective.slice_window > std::chrono::days(1))
    return wrong(where + ".timeSliceWindow", "slices of time are from a second to a day long");
  if (slo.method == Method::timeslices &&
      !(objective.slice_target && *objective.slice_target > 0 && *objective.slice_target <= 1))
    return wrong(where + ".timeSliceTarget", "the share of good events that makes a slice good: above 0, at most 1");
  return {};
}

}  // namespace

std::string_view to_string(Method method) { return methods[static_cast<std::size_t>(method)]; }
std::string_view to_string(Operator op) { return operators[static_cast<std::size_t>(op)]; }
std::optional<Method> parse_method(std::string_view text) { return find_word<Method>(methods, text); }
std::optional<Operator> parse_operator(std::string_view text) { return find_word<Operator>(operators, text); }

bool holds(Operator op, double value, double limit) {
  switch (op) {
    case Operator::lte:
      return value <= limit;
    case Operator::gte:
      return value >= limit;
    case Operator::lt:
      return value < limit;
    case Operator::gt:
      return value > limit;
  }
  return false;
}

std::string native_metric(const MetricSource& source) {
  if (source.type != "MyDR24") return {};
  const auto document = json::Document::parse_view(source.spec);
  return document ? std::string(document->root()["metric"].text()) : std::string();
}

Result<seconds> length_of(std::string_view duration) {
  MYDR24_ASSIGN(const Shorthand length, shorthand_of(duration));
  const auto unit = [&]() -> std::int64_t {
    switch (length.unit) {
      case 's':
        return 1;
      case 'm':
        return 60;
      case 'h':
        return 3'600;
      case 'w':
        return 7 * day_s;
      case 'M':
        return 30 * day_s;
      case 'Q':
        return 90 * day_s;
      case 'Y':
        return 365 * day_s;
      default:
        return day_s;
    }
  }();
  return seconds(length.count * unit);
}

Result<Instant> begin_of(const Window& window, Instant now) {
  MYDR24_ASSIGN(const seconds length, length_of(window.duration));
  if (window.is_rolling) return now - length;
  MYDR24_ASSIGN(const zone::Zone zone, zone::Zone::find(window.time_zone.empty() ? "UTC" : window.time_zone));
  std::string text = window.start;
  std::ranges::replace(text, ' ', 'T');
  const auto range = parse_date_time(text.contains('T') ? text + "Z" : text);
  if (!range) return wrong("spec.timeWindow[0].calendar.startTime", "write it as 2026-01-01 00:00:00");
  const zone::LocalTime start(range->low.time_since_epoch());
  MYDR24_ASSIGN(const Shorthand shorthand, shorthand_of(window.duration));
  const zone::LocalTime local = zone.local(now);
  if (local < start) return zone.instant(start);
  if (!std::string_view("MQY").contains(shorthand.unit)) {
    const auto periods = (local - start) / std::chrono::duration_cast<Microseconds>(length);
    return zone.instant(start + periods * std::chrono::duration_cast<Microseconds>(length));
  }
  const auto day = std::chrono::floor<std::chrono::days>(start);
  const std::chrono::year_month_day first(day);
  const auto at = [&](std::int64_t months) {
    const auto month = first.year() / first.month() + std::chrono::months(months);
    const auto last = (month / std::chrono::last).day();
    return std::chrono::local_days(month / std::min(first.day(), last)) + (start - day);
  };
  const std::int64_t step = months_of(shorthand);
  const std::chrono::year_month_day today(std::chrono::floor<std::chrono::days>(local));
  const std::int64_t between =
      (static_cast<int>(today.year()) - static_cast<int>(first.year())) * std::int64_t{12} +
      (static_cast<std::int64_t>(static_cast<unsigned>(today.month())) - static_cast<unsigned>(first.month()));
  std::int64_t periods = between / step;
  if (periods > 0 && zone::LocalTime(at(periods * step)) > local) --periods;
  return zone.instant(zone::LocalTime(at(periods * step)));
}

bool Slo::is_emergency() const { return annotation(*this, class_key) == "emergency"; }

NoData Slo::no_data() const {
  const std::string text = annotation(*this, no_data_key);
  if (text == "bad") return NoData::bad;
  if (text == "ignore") return NoData::ignore;
  return is_emergency() ? NoData::bad : NoData::ignore;
}

double Slo::min_traffic() const { return number_of(annotation(*this, traffic_key)).value_or(0); }

bool is_name(std::string_view text) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !text.empty() && text.size() <= name_size_max && text != "null" && is_letter(text.front()) &&
         is_letter(text.back()) && std::ranges::all_of(text, [&](char c) { return is_letter(c) || c == '-'; });
}

Result<> check(const Slo& slo) {
  if (!is_name(slo.name))
    return wrong("metadata.name",
                 "a name has at most 63 of a-z 0-9 -, begins and ends with a letter or digit, and is not null");
  if (slo.description.size() > description_size_max)
    return wrong("spec.description", fmt::format("has at most {} characters", description_size_max));
  if (slo.service.empty()) return wrong("spec.service", "is missing");
  const auto length = length_of(slo.window.duration);
  if (!length) return wrong("spec.timeWindow[0].duration", length.error().text);
  if (*length < std::chrono::minutes(1) || *length > window_max)
    return wrong("spec.timeWindow[0].duration", "from a minute to 33 days: counts are kept no longer");
  if (auto begin = begin_of(slo.window, Instant()); !begin)
    return wrong(begin.error().where.empty() ? "spec.timeWindow[0].calendar.timeZone" : begin.error().where,
                 begin.error().text);
  if (slo.objectives.empty()) return wrong("spec.objectives", "there is none");
  if (slo.objectives.size() > 30) return wrong("spec.objectives", "at most 30");
  if (slo.indicator && slo.indicator->kind == Indicator::Kind::threshold && slo.objectives.size() > 1)
    return wrong("spec.objectives", "with a thresholdMetric there is one objective");
  for (std::size_t i = 0; i < slo.objectives.size(); ++i)
    MYDR24_TRY(check_objective(slo, slo.objectives[i], fmt::format("spec.objectives[{}]", i)));
  for (const std::string_view key : {traffic_key})
    if (const auto text = annotation(slo, key); !text.empty() && number_of(text).value_or(-1) < 0)
      return wrong(fmt::format("metadata.annotations.{}", key), "a number of events, at least 0");
  if (const auto text = annotation(slo, no_data_key); !text.empty() && text != "bad" && text != "ignore")
    return wrong(fmt::format("metadata.annotations.{}", no_data_key), "bad or ignore");
  return {};
}

Conditions conditions(seconds period) {
  using namespace std::chrono_literals;
  Conditions all{{{.burn = 14.4, .long_window = 1h, .short_window = 5min, .pages = true},
                  {.burn = 6, .long_window = 6h, .short_window = 30min, .pages = true},
                  {.burn = 3, .long_window = 24h, .short_window = 2h, .pages = false},
                  {.burn = 1, .long_window = 72h, .short_window = 6h, .pages = false}}};
  for (Condition& each : all) {
    const auto scaled = [&](seconds window) {
      return std::max(window_min, seconds(std::llround(static_cast<double>(window.count()) *
                                                       static_cast<double>(period.count()) / period_s)));
    };
    each.long_window = scaled(each.long_window);
    each.short_window = scaled(each.short_window);
  }
  return all;
}

double threshold(const Condition& condition, double target) { return condition.burn * (1 - target); }

Burn judge(const Condition& condition, double target, const Count& in_long, const Count& in_short, double min_traffic) {
  const double allowed = 1 - target;
  Burn burn{.long_rate = in_long.error() / allowed, .short_rate = in_short.error() / allowed};
  burn.has_traffic = in_long.total > 0 && in_long.total >= min_traffic;
  const double limit = threshold(condition, target);
  burn.fires = burn.has_traffic && in_long.error() > limit && in_short.error() > limit;
  return burn;
}

std::chrono::milliseconds absent_after(double target, seconds period) {
  const Condition fastest = conditions(period).front();
  const double needed = threshold(fastest, target) * static_cast<double>(fastest.long_window.count());
  return std::max(std::chrono::milliseconds(window_min), std::chrono::milliseconds(std::llround(needed * 1'000)));
}

Budget budget_of(double target, const Count& count) {
  Budget budget{.count = count};
  budget.attained = 1 - count.error();
  budget.allowed = (1 - target) * count.total;
  budget.remaining = budget.allowed > 0 ? 1 - count.bad() / budget.allowed : 1;
  return budget;
}

double composite(const std::vector<std::pair<double, double>>& attained_and_weight) {
  double missed = 0;
  for (const auto& [attained, weight] : attained_and_weight) missed += weight * (1 - attained);
  return std::max(0.0, 1 - missed);
}

Slicer::Slicer(Method method, const Objective& objective)
    : method_(method),
      slice_target_(objective.slice_target.value_or(1)),
      slice_s_(std::max<std::int64_t>(1, objective.slice_window.value_or(seconds(60)).count())) {}

Count Slicer::close() const {
  if (open_.total <= 0) return {};
  const double share = open_.good / open_.total;
  if (method_ == Method::ratio_timeslices) return {share, 1};
  return {share >= slice_target_ ? 1.0 : 0.0, 1};
}

Count Slicer::take(Instant now, Count events) {
  if (method_ == Method::occurrences) return events;
  // The second that ends at a slice's end belongs to it.
  const std::int64_t slice = (std::chrono::floor<seconds>(now).time_since_epoch().count() - 1) / slice_s_;
  Count closed;
  if (slice != slice_) {
    if (slice_ >= 0) closed = close();
    open_ = {};
    slice_ = slice;
  }
  open_.good += events.good;
  open_.total += events.total;
  return closed;
}

}  // namespace mydr24::slo
