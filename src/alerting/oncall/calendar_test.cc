#include "alerting/oncall/calendar.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/core/date_time.h"

namespace mydr24::oncall {
namespace {

Instant utc(std::string_view text) { return parse_date_time(text).value().low; }

Plan plan(std::string_view zone = "UTC") {
  return *Plan::make(
      {{"contact/ann", R"({"methods":[{"kind":"console"}]})"},
       {"contact/Bob; the, builder", R"({"methods":[{"kind":"console"}]})"},
       {"schedule/ward", fmt::format(R"({{"zone":"{}","layers":[{{"members":["ann","Bob; the, builder"],"length":5,)"
                                     R"("start":"2026-01-05T08:00"}}]}})",
                                     zone)},
       {"feed/f", R"({"schedule":"ward","secret":"0123456789abcdef"})"},
       {"feed/a", R"({"schedule":"ward","contact":"ann","secret":"0123456789abcdeg","reminder_min":0})"}});
}

// ON-25. Turns of five weeks from Monday, 5 January: the 15th of February to the 16th of June are shown.
TEST(Calendar, IsWhatTheRfcSays) {
  const Plan made = plan();
  const std::string text = to_icalendar(made, made.feeds().at("f"), utc("2026-03-17T10:00:00Z"));
  const std::string alarm =
      "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:Your shift "
      "begins\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\nEND:VEVENT\r\n";
  const auto uid = [&](std::string_view begin) {
    const auto at = text.find(fmt::format("-{}@mydr24", begin));
    return at == text.npos || at < 16 ? std::string() : text.substr(at - 16, 16);
  };
  const std::string expected =
      "BEGIN:VCALENDAR\r\nPRODID:-//MyDR24//On-call//EN\r\nVERSION:2.0\r\nCALSCALE:GREGORIAN\r\nMETHOD:PUBLISH\r\n"
      "X-WR-CALNAME:ward\r\n"
      "BEGIN:VEVENT\r\nUID:" +
      uid("20260209T080000Z") +
      "-20260209T080000Z@mydr24\r\nDTSTAMP:20260317T100000Z\r\n"
      "DTSTART:20260209T080000Z\r\nDTEND:20260316T080000Z\r\nSUMMARY:Bob\\; the\\, builder on call: ward\r\n" +
      alarm + "BEGIN:VEVENT\r\nUID:" + uid("20260316T080000Z") +
      "-20260316T080000Z@mydr24\r\nDTSTAMP:20260317T100000Z\r\n"
      "DTSTART:20260316T080000Z\r\nDTEND:20260420T080000Z\r\nSUMMARY:ann on call: ward\r\n" +
      alarm + "BEGIN:VEVENT\r\nUID:" + uid("20260420T080000Z") +
      "-20260420T080000Z@mydr24\r\nDTSTAMP:20260317T100000Z\r\n"
      "DTSTART:20260420T080000Z\r\nDTEND:20260525T080000Z\r\nSUMMARY:Bob\\; the\\, builder on call: ward\r\n" +
      alarm + "BEGIN:VEVENT\r\nUID:" + uid("20260525T080000Z") +
      "-20260525T080000Z@mydr24\r\nDTSTAMP:20260317T100000Z\r\n"
      "DTSTART:20260525T080000Z\r\nSUMMARY:ann on call: ward Begins*\r\n"
      "DESCRIPTION:The shift goes on after the last day of this calendar.\r\n" +
      alarm + "END:VCALENDAR\r\n";
  EXPECT_EQ(text, expected);
  EXPECT_EQ(uid("20260316T080000Z"), uid("20260525T080000Z"));
}

TEST(Calendar, AShiftKeepsItsUidFromDayToDayAndAContactSeesTheirOwn) {
  const Plan made = plan();
  const auto uids = [&](std::string_view at) {
    std::vector<std::string> all;
    const std::string text = to_icalendar(made, made.feeds().at("a"), utc(at));
    for (std::size_t from = text.find("UID:"); from != text.npos; from = text.find("UID:", from + 1))
      all.push_back(text.substr(from, text.find('\r', from) - from));
    EXPECT_EQ(text.find("Bob"), text.npos);
    EXPECT_EQ(text.find("VALARM"), text.npos);
    return all;
  };
  EXPECT_EQ(uids("2026-03-17T10:00:00Z"), uids("2026-04-01T23:00:00Z"));
  EXPECT_EQ(uids("2026-03-17T10:00:00Z").size(), 2U);
}

TEST(Calendar, LongLinesAreFoldedBetweenCharacters) {
  const std::string name = "Älteste Schwester der Notaufnahme mit einem sehr langen Namen, den niemand kürzen möchte";
  const Plan made = *Plan::make(
      {{"contact/" + name, R"({"methods":[{"kind":"console"}]})"},
       {"schedule/s", fmt::format(R"({{"layers":[{{"members":["{}"],"start":"2026-03-01T00:00"}}]}})", name)},
       {"feed/f", R"({"schedule":"s","secret":"0123456789abcdef"})"}});
  const std::string text = to_icalendar(made, made.feeds().at("f"), utc("2026-03-17T10:00:00Z"));
  std::string unfolded = text;
  for (std::size_t at = unfolded.find("\r\n "); at != unfolded.npos; at = unfolded.find("\r\n ", at))
    unfolded.erase(at, 3);
  EXPECT_NE(unfolded.find("SUMMARY:Älteste Schwester der Notaufnahme mit einem sehr langen Namen\\, den"), text.npos);
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find("\r\n", begin);
    EXPECT_LE(end - begin, 75U);
    EXPECT_NE(static_cast<unsigned char>(text[begin]) & 0xc0, 0x80);
    begin = end + 2;
  }
}

// PR-08.
TEST(Calendar, APublicParserReadsIt) {
  if (std::system("/usr/bin/python3 -c 'import icalendar' 2>/dev/null") != 0)
    GTEST_SKIP() << "python3-icalendar is not installed";
  const Plan made = plan("America/Chicago");
  const auto folder = std::filesystem::temp_directory_path() / fmt::format("mydr24-ical-{}", ::getpid());
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "feed.ics", std::ios::binary)
      << to_icalendar(made, made.feeds().at("f"), utc("2026-03-17T10:00:00Z"));
  std::ofstream(folder / "read.py") << R"(
import sys, icalendar
calendar = icalendar.Calendar.from_ical(open(sys.argv[1], 'rb').read())
events = calendar.walk('VEVENT')
assert len(events) == 4, len(events)
assert str(events[0]['SUMMARY']) == 'Bob; the, builder on call: ward', events[0]['SUMMARY']
assert events[1]['DTSTART'].dt.isoformat() == '2026-03-16T13:00:00+00:00', events[1]['DTSTART'].dt
assert (events[1]['DTEND'].dt - events[1]['DTSTART'].dt).days == 35
assert 'DTEND' not in events[3]
assert events[0].walk('VALARM')[0]['TRIGGER'].dt.total_seconds() == -300
)";
  const std::string command = fmt::format("/usr/bin/python3 {0}/read.py {0}/feed.ics", folder.string());
  EXPECT_EQ(std::system(command.c_str()), 0);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace mydr24::oncall
