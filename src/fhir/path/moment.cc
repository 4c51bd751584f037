#include "fhir/path/moment.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

namespace mydr24::path {
namespace {

constexpr int micros_per_second = 1'000'000;
constexpr std::int64_t micros_per_minute = 60LL * micros_per_second;
constexpr std::int64_t micros_per_day = 24 * 60 * micros_per_minute;
constexpr int zone_minutes_max = 14 * 60;

int days_in_month(int year, int month) {
  const std::chrono::year_month_day_last last{std::chrono::year{year},
                                              std::chrono::month_day_last{std::chrono::month{unsigned(month)}}};
  return static_cast<int>(unsigned(last.day()));
}

std::int64_t day_number(const Moment& m) {
  const std::chrono::year_month_day date{std::chrono::year{m.year}, std::chrono::month{unsigned(m.month)},
                                         std::chrono::day{unsigned(m.day)}};
  return std::chrono::sys_days(date).time_since_epoch().count();
}

bool set_day(Moment& m, std::int64_t number) {
  constexpr std::int64_t reach = 4'000'000;  // days: more than the years 1 to 9999
  if (number < -reach || number > reach) return false;
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{number}}};
  m.year = int(date.year());
  m.month = static_cast<int>(unsigned(date.month()));
  m.day = static_cast<int>(unsigned(date.day()));
  return m.year >= 1 && m.year <= 9999;
}

std::int64_t time_of_day(const Moment& m) { return (m.hour * 60LL + m.minute) * micros_per_minute + m.micros; }

void set_time_of_day(Moment& m, std::int64_t micros) {
  m.hour = static_cast<int>(micros / (60 * micros_per_minute));
  m.minute = static_cast<int>(micros / micros_per_minute % 60);
  m.micros = static_cast<int>(micros % micros_per_minute);
}

// Microseconds of the fields as they stand, without the zone.
std::int64_t local_micros(const Moment& m) { return day_number(m) * micros_per_day + time_of_day(m); }

class MomentParser {
 public:
  MomentParser(ItemKind kind, std::string_view text) : text_(text) { moment_.kind = kind; }

  std::optional<Moment> run() {
    const bool ok = moment_.kind == ItemKind::time ? time_alone() : date_and_time();
    return ok && text_.empty() ? std::optional(moment_) : std::nullopt;
  }

 private:
  bool time_alone() {
    take('T');
    return time();
  }

  bool date_and_time() {
    if (!number(4, moment_.year, 1, 9999)) return false;
    if (take('-')) {
      moment_.precision = Field::month;
      if (!number(2, moment_.month, 1, 12)) return false;
      if (take('-')) {
        moment_.precision = Field::day;
        if (!number(2, moment_.day, 1, days_in_month(moment_.year, moment_.month))) return false;
      }
    }
    if (text_.empty() || moment_.kind == ItemKind::date) return true;
    if (!take('T')) return false;
    if (text_.empty()) return true;
    return moment_.precision == Field::day && time() && zone();
  }

  bool time() {
    moment_.precision = Field::hour;
    if (!number(2, moment_.hour, 0, 23)) return false;
    if (!take(':')) return true;
    moment_.precision = Field::minute;
    if (!number(2, moment_.minute, 0, 59)) return false;
    if (!take(':')) return true;
    moment_.precision = Field::second;
    int seconds = 0;
    if (!number(2, seconds, 0, 60)) return false;
    moment_.micros = std::min(seconds, 59) * micros_per_second;  // a leap second counts as the one before it
    return !take('.') || fraction();
  }

  bool fraction() {
    int unit = micros_per_second / 10;
    std::size_t size = 0;
    for (; size < text_.size() && text_[size] >= '0' && text_[size] <= '9'; ++size) {
      moment_.micros += (text_[size] - '0') * unit;
      unit /= 10;
    }
    moment_.fraction_digits = static_cast<int>(std::min<std::size_t>(size, 6));
    text_.remove_prefix(size);
    return size > 0;
  }

  bool zone() {
    if (text_.empty()) return true;
    moment_.has_zone = true;
    if (take('Z')) return true;
    const bool west = text_.starts_with('-');
    if (!take('+') && !take('-')) return false;
    int hours = 0;
    int minutes = 0;
    if (!number(2, hours, 0, 14) || !take(':') || !number(2, minutes, 0, 59)) return false;
    moment_.zone = (west ? -1 : 1) * (hours * 60 + minutes);
    return true;
  }

  bool take(char c) {
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }

  bool number(std::size_t digits, int& out, int low, int high) {
    if (text_.size() < digits) return false;
    out = 0;
    for (const char c : text_.substr(0, digits)) {
      if (c < '0' || c > '9') return false;
      out = out * 10 + (c - '0');
    }
    text_.remove_prefix(digits);
    return out >= low && out <= high;
  }

  std::string_view text_;
  Moment moment_;
};

// At the same zone, so that fields compare.
Moment in_utc(Moment m) {
  if (!m.has_zone || m.zone == 0 || m.precision < Field::hour) return m;
  const std::int64_t utc = local_micros(m) - m.zone * micros_per_minute;
  const std::int64_t day = utc >= 0 ? utc / micros_per_day : -((micros_per_day - 1 - utc) / micros_per_day);
  m.zone = 0;
  // Year 0 and 10000 can come of this; they still compare.
  set_day(m, day);
  set_time_of_day(m, utc - day * micros_per_day);
  return m;
}

int field(const Moment& m, Field field) {
  switch (field) {
    case Field::year:
      return m.year;
    case Field::month:
      return m.month;
    case Field::day:
      return m.day;
    case Field::hour:
      return m.hour;
    case Field::minute:
      return m.minute;
    case Field::second:
      break;
  }
  return m.micros;
}

Field next(Field field) { return static_cast<Field>(static_cast<std::uint8_t>(field) + 1); }

// Sets all fields after the precision to their least or greatest value.
void fill(Moment& m, bool high) {
  if (m.precision < Field::month) m.month = high ? 12 : 1;
  if (m.precision < Field::day) m.day = high ? days_in_month(m.year, m.month) : 1;
  if (m.precision < Field::hour) m.hour = high ? 23 : 0;
  if (m.precision < Field::minute) m.minute = high ? 59 : 0;
  if (m.precision < Field::second) m.micros = high ? 59'999'000 : 0;
}

// One has a zone and the other has not: only what holds for every zone is known.
Order compare_zoned_with_local(const Moment& zoned, const Moment& local) {
  const auto range = [](Moment m) {
    std::int64_t low, high;
    fill(m, false);
    low = local_micros(m);
    fill(m, true);
    high = local_micros(m);
    return std::pair(low, high);
  };
  const auto [zoned_low, zoned_high] = range(zoned);
  const auto [local_low, local_high] = range(local);
  const std::int64_t offset = zoned.zone * micros_per_minute;
  const std::int64_t slack = zone_minutes_max * micros_per_minute;
  if (zoned_high - offset < local_low - slack) return Order::less;
  if (zoned_low - offset > local_high + slack) return Order::greater;
  return Order::unknown;
}

}  // namespace

std::optional<Moment> parse_moment(ItemKind kind, std::string_view text) { return MomentParser(kind, text).run(); }

std::string to_text(const Moment& m) {
  std::string out;
  const auto back = std::back_inserter(out);
  if (m.kind != ItemKind::time) {
    fmt::format_to(back, "{:04}", m.year);
    if (m.precision >= Field::month) fmt::format_to(back, "-{:02}", m.month);
    if (m.precision >= Field::day) fmt::format_to(back, "-{:02}", m.day);
    if (m.precision < Field::hour) return out;
    out += 'T';
  }
  fmt::format_to(back, "{:02}", m.hour);
  if (m.precision >= Field::minute) fmt::format_to(back, ":{:02}", m.minute);
  if (m.precision >= Field::second) {
    fmt::format_to(back, ":{:02}", m.micros / micros_per_second);
    if (m.fraction_digits > 0) {
      const auto digits = fmt::format("{:06}", m.micros % micros_per_second);
      fmt::format_to(back, ".{}", std::string_view(digits).substr(0, static_cast<std::size_t>(m.fraction_digits)));
    }
  }
  if (m.has_zone && m.zone == 0) out += 'Z';
  if (m.has_zone && m.zone != 0) {
    const int size = m.zone < 0 ? -m.zone : m.zone;
    fmt::format_to(back, "{}{:02}:{:02}", m.zone < 0 ? '-' : '+', size / 60, size % 60);
  }
  return out;
}

Order compare(const Moment& a, const Moment& b) {
  const bool is_time = a.kind == ItemKind::time;
  if (is_time != (b.kind == ItemKind::time)) return Order::unrelated;
  if (a.has_zone && !b.has_zone) return compare_zoned_with_local(a, b);
  if (b.has_zone && !a.has_zone) {
    const Order order = compare_zoned_with_local(b, a);
    return order == Order::less ? Order::greater : (order == Order::greater ? Order::less : order);
  }
  const Moment left = in_utc(a);
  const Moment right = in_utc(b);
  const Field last = std::min(left.precision, right.precision);
  for (Field f = is_time ? Field::hour : Field::year;; f = next(f)) {
    const int x = field(left, f);
    const int y = field(right, f);
    if (x != y) return x < y ? Order::less : Order::greater;
    if (f == last) break;
  }
  return left.precision == right.precision ? Order::equal : Order::unknown;
}

std::optional<Duration> duration_of(std::string_view unit) {
  struct Entry {
    std::string_view name;
    Duration duration;
  };
  static constexpr std::array<Entry, 22> table{{
      {"year", Duration::years},
      {"years", Duration::years},
      {"month", Duration::months},
      {"months", Duration::months},
      {"week", Duration::weeks},
      {"weeks", Duration::weeks},
      {"day", Duration::days},
      {"days", Duration::days},
      {"hour", Duration::hours},
      {"hours", Duration::hours},
      {"minute", Duration::minutes},
      {"minutes", Duration::minutes},
      {"second", Duration::seconds},
      {"seconds", Duration::seconds},
      {"millisecond", Duration::milliseconds},
      {"milliseconds", Duration::milliseconds},
      {"wk", Duration::weeks},
      {"d", Duration::days},
      {"h", Duration::hours},
      {"min", Duration::minutes},
      {"s", Duration::seconds},
      {"ms", Duration::milliseconds},
  }};
  const auto found = std::ranges::find(table, unit, &Entry::name);
  return found != table.end() ? std::optional(found->duration) : std::nullopt;
}

std::string_view ucum_of(std::string_view word) {
  static constexpr std::array<std::string_view, 8> codes{"a", "mo", "wk", "d", "h", "min", "s", "ms"};
  if (word.size() < 3 || word == "min") return {};
  const auto duration = duration_of(word);
  return duration ? codes[static_cast<std::size_t>(*duration)] : std::string_view();
}

namespace {

std::optional<Moment> add_months(Moment m, std::int64_t months) {
  const std::int64_t total = m.year * 12LL + (m.month - 1) + months;
  if (total < 12 || total >= 120'000) return std::nullopt;
  m.year = static_cast<int>(total / 12);
  m.month = static_cast<int>(total % 12) + 1;
  m.day = std::min(m.day, days_in_month(m.year, m.month));
  return m;
}

std::optional<Moment> add_days(Moment m, std::int64_t days) {
  // A partial date moves by whole units of its own: 30 days are a month, 12 months a year.
  if (m.precision == Field::month) return add_months(m, days / 30);
  if (m.precision == Field::year) return add_months(m, days / 365 * 12);
  if (!set_day(m, day_number(m) + days)) return std::nullopt;
  return m;
}

std::optional<Moment> add_micros(Moment m, std::int64_t micros) {
  if (m.kind == ItemKind::time) {
    const std::int64_t sum = (time_of_day(m) + micros % micros_per_day + micros_per_day) % micros_per_day;
    set_time_of_day(m, sum);
    return m;
  }
  if (m.precision < Field::hour) return add_days(m, micros / micros_per_day);
  const std::int64_t sum = time_of_day(m) + micros;
  const std::int64_t days = sum >= 0 ? sum / micros_per_day : -((micros_per_day - 1 - sum) / micros_per_day);
  set_time_of_day(m, sum - days * micros_per_day);
  return add_days(m, days);
}

}  // namespace

std::optional<Moment> add(Moment moment, const Decimal& amount, Duration unit) {
  constexpr std::int64_t amount_max = 4'000'000'000'000;  // milliseconds of more than a hundred years
  const auto count = whole(amount, Rounding::to_zero);
  if (!count || *count > amount_max || *count < -amount_max) return std::nullopt;
  if (moment.kind == ItemKind::time && unit < Duration::hours) return std::nullopt;
  switch (unit) {
    case Duration::years:
      return add_months(moment, *count * 12);
    case Duration::months:
      // Of a year alone, whole years.
      return add_months(moment, moment.precision == Field::year ? *count / 12 * 12 : *count);
    case Duration::weeks:
      return add_days(moment, *count * 7);
    case Duration::days:
      return add_days(moment, *count);
    case Duration::hours:
      if (*count > amount_max / 3600 || *count < -amount_max / 3600) return std::nullopt;
      return add_micros(moment, *count * 60 * micros_per_minute);
    case Duration::minutes:
      if (*count > amount_max / 60 || *count < -amount_max / 60) return std::nullopt;
      // What is finer than the precision is dropped: 90 minutes are one hour.
      return add_micros(moment, (moment.precision == Field::hour ? *count / 60 * 60 : *count) * micros_per_minute);
    case Duration::seconds:
    case Duration::milliseconds:
      break;
  }
  const int scale = unit == Duration::seconds ? 6 : 3;
  const auto micros_decimal = with_scale(amount, scale, Rounding::to_zero);
  if (!micros_decimal || micros_decimal->digits > INT64_MAX / 4 || micros_decimal->digits < INT64_MIN / 4) {
    return std::nullopt;
  }
  auto micros = static_cast<std::int64_t>(micros_decimal->digits);
  if (moment.precision == Field::hour) micros -= micros % (60 * micros_per_minute);
  if (moment.precision == Field::minute) micros -= micros % micros_per_minute;
  if (moment.precision == Field::second && micros % micros_per_second != 0) {
    moment.fraction_digits = std::max(moment.fraction_digits, micros % 1000 != 0 ? 6 : 3);
  }
  return add_micros(moment, micros);
}

int precision_digits(const Moment& m) {
  int digits = m.kind == ItemKind::time ? 2 * (static_cast<int>(m.precision) - static_cast<int>(Field::hour) + 1)
                                        : 4 + 2 * static_cast<int>(m.precision);
  if (m.precision == Field::second && m.fraction_digits > 0) digits += 3;
  return digits;
}

std::optional<Moment> boundary(Moment m, int digits, bool high) {
  fill(m, high);
  if (m.kind != ItemKind::time && !m.has_zone && m.kind == ItemKind::date_time) {
    // The zone that makes it earliest is the one furthest east.
    m.has_zone = true;
    m.zone = high ? -12 * 60 : 14 * 60;
  }
  if (m.precision == Field::second && m.fraction_digits == 0 && high) m.micros += 999'000;
  const int hour_digits = m.kind == ItemKind::time ? 2 : 10;
  if (digits == hour_digits + 7) {
    m.precision = Field::second;
    m.fraction_digits = 3;
  } else if (digits >= hour_digits && digits <= hour_digits + 4 && digits % 2 == 0) {
    m.precision = static_cast<Field>(static_cast<int>(Field::hour) + (digits - hour_digits) / 2);
    m.fraction_digits = 0;
  } else if (m.kind != ItemKind::time && digits >= 4 && digits <= 8 && digits % 2 == 0) {
    m.precision = static_cast<Field>((digits - 4) / 2);
    m.has_zone = false;
  } else {
    return std::nullopt;
  }
  if (m.kind == ItemKind::date && digits > 8) return std::nullopt;
  return m;
}

}  // namespace mydr24::path
