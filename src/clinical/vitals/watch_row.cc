#include "clinical/vitals/watch_row.h"

#include <charconv>

#include "base/core/date_time.h"
#include "base/json/writer.h"

namespace mydr24::vitals {
namespace {

std::int64_t read_integer(json::Value value) {
  std::int64_t number = 0;
  const std::string_view text = value.text();
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

double read_double(json::Value value) {
  double number = 0;
  const std::string_view text = value.text();
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

std::string Watch::Row::to_text() const {
  std::string out;
  out.reserve(512);
  json::Writer writer(out);
  writer.begin_object();
  if (signs.at) writer.field("at", to_us(*signs.at));
  writer.key("held").begin_object();
  for (std::size_t i = 0; i < sign_count; ++i) {
    if (signs.held[i].empty()) continue;
    writer.key(to_string(static_cast<Sign>(i))).begin_array();
    for (const Held& held : signs.held[i])
      writer.begin_array().number(to_us(held.at)).number(held.value).string(held.observation).end_array();
    writer.end_array();
  }
  writer.end_object();
  if (born) writer.field("born", *born);
  if (signs.level != Level::none) writer.field("level", static_cast<int>(signs.level)).field("known", known);
  if (!signs.alert_id.empty()) writer.field("alert", signs.alert_id);
  if (!signs.finding.empty()) writer.field("finding", signs.finding);
  if (!board_key.empty()) writer.field("board", board_key);
  if (to_us(board_due) != 0) writer.field("board_due", to_us(board_due));
  writer.end_object();
  return out;
}

Result<Watch::Row> Watch::Row::from_text(std::string text) {
  MYDR24_ASSIGN(const json::Document document, json::Document::parse_view(text));
  Row row;
  for (const json::Value member : document.root()) {
    const std::string_view key = member.key();
    if (key == "held") {
      for (const json::Value sign : member) {
        const auto which = sign_of(sign.key());
        if (!which) continue;
        for (const json::Value held : sign)
          row.signs.held[static_cast<std::size_t>(*which)].push_back(
              {from_us(read_integer(held.at(0))), read_double(held.at(1)), std::string(held.at(2).text())});
      }
    } else if (key == "at") {
      row.signs.at = from_us(read_integer(member));
    } else if (key == "born") {
      row.born = member.text();
    } else if (key == "level") {
      row.signs.level = static_cast<Level>(read_integer(member));
    } else if (key == "known") {
      row.known = static_cast<std::uint32_t>(read_integer(member));
    } else if (key == "alert") {
      row.signs.alert_id = member.text();
    } else if (key == "finding") {
      row.signs.finding = member.text();
    } else if (key == "board") {
      row.board_key = member.text();
    } else if (key == "board_due") {
      row.board_due = from_us(read_integer(member));
    }
  }
  row.text = std::move(text);
  return row;
}

std::string to_json(const PatientSigns& signs) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  if (signs.at) writer.field("at", format_instant(*signs.at));
  writer.key("signs").begin_object();
  for (std::size_t i = 0; i < sign_count; ++i) {
    if (signs.held[i].empty()) continue;
    const Held& held = signs.held[i].front();
    writer.key(to_string(static_cast<Sign>(i)))
        .begin_object()
        .field("value", held.value)
        .field("at", format_instant(held.at))
        .field("observation", held.observation)
        .end_object();
  }
  writer.end_object();
  if (signs.score) {
    writer.key("score");
    std::string score;
    append_json(score, *signs.score);
    writer.raw(score);
  }
  if (!signs.not_scored.empty()) writer.field("not_scored", signs.not_scored);
  constexpr std::array<std::string_view, 3> levels{"none", "urgent", "emergency"};
  writer.field("level", levels[static_cast<std::size_t>(signs.level)]);
  if (!signs.alert_id.empty()) writer.field("alert", signs.alert_id);
  if (!signs.finding.empty()) writer.field("finding", signs.finding);
  writer.end_object();
  return out;
}

}  // namespace mydr24::vitals
