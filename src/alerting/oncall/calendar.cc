#include "alerting/oncall/calendar.h"

#include <fmt/format.h>

namespace mydr24::oncall {
namespace {

constexpr std::size_t line_octets_max = 75;
constexpr std::chrono::days longest_shift{366};

// RFC 5545, 3.3.11
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == ';' || c == ',') out += '\\';
    if (c == '\n')
      out += "\\n";
    else if (static_cast<unsigned char>(c) >= 0x20)
      out += c;
  }
  return out;
}

// RFC 5545, 3.1: long lines are folded, never inside a character.
void append_line(std::string& out, std::string_view line) {
  std::size_t room = line_octets_max;
  while (line.size() > room) {
    std::size_t cut = room;
    while (cut > 1 && (static_cast<unsigned char>(line[cut]) & 0xc0) == 0x80) --cut;
    out.append(line.substr(0, cut)).append("\r\n ");
    line.remove_prefix(cut);
    room = line_octets_max - 1;
  }
  out.append(line).append("\r\n");
}

std::string date_time(Instant at) {
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(at - day));
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), time.hours().count(),
                     time.minutes().count(), time.seconds().count());
}

// FNV-1a, 64 bits.
std::uint64_t digest(std::string_view text) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return hash;
}

void append_shift(std::string& out, const Feed& feed, const Shift& shift, Instant now) {
  const std::string begin = date_time(shift.period.begin);
  append_line(out, "BEGIN:VEVENT");
  append_line(out, fmt::format("UID:{:016x}-{}@mydr24", digest(feed.schedule + "\n" + shift.who), begin));
  append_line(out, "DTSTAMP:" + date_time(now));
  append_line(out, "DTSTART:" + begin);
  if (!shift.cut_end) append_line(out, "DTEND:" + date_time(shift.period.end));
  append_line(out, fmt::format("SUMMARY:{} on call: {}{}", escaped(shift.who), escaped(feed.schedule),
                               shift.cut_end ? " Begins*" : ""));
  if (shift.cut_end) append_line(out, "DESCRIPTION:The shift goes on after the last day of this calendar.");
  if (feed.reminder.count() > 0) {
    append_line(out, "BEGIN:VALARM");
    append_line(out, "ACTION:DISPLAY");
    append_line(out, "DESCRIPTION:Your shift begins");
    append_line(out, fmt::format("TRIGGER:-PT{}M", feed.reminder.count()));
    append_line(out, "END:VALARM");
  }
  append_line(out, "END:VEVENT");
}

}  // namespace

std::string to_icalendar(const Plan& plan, const Feed& feed, Instant now) {
  std::string out;
  append_line(out, "BEGIN:VCALENDAR");
  append_line(out, "PRODID:-//MyDR24//On-call//EN");
  append_line(out, "VERSION:2.0");
  append_line(out, "CALSCALE:GREGORIAN");
  append_line(out, "METHOD:PUBLISH");
  append_line(out, "X-WR-CALNAME:" + escaped(feed.contact.empty() ? feed.schedule : feed.contact));
  const auto schedule = plan.schedules().find(feed.schedule);
  if (schedule != plan.schedules().end()) {
    const Instant today = std::chrono::floor<std::chrono::days>(now);
    // From well before the first day shown: the beginning of a shift must not wander from day to day.
    const Period range{today - calendar_past - longest_shift, today + calendar_ahead};
    for (const Shift& shift : shifts(schedule->second, plan.leaves(), range)) {
      if (shift.period.end <= today - calendar_past || (!feed.contact.empty() && shift.who != feed.contact)) continue;
      append_shift(out, feed, shift, now);
    }
  }
  append_line(out, "END:VCALENDAR");
  return out;
}

}  // namespace mydr24::oncall
