#include "clinical/vitals/patient.h"

#include <fmt/format.h>

#include <charconv>

#include "base/core/date_time.h"
#include "base/json/document.h"
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

Instant read_time(json::Value value) { return from_us(read_integer(value)); }

void write_limit(json::Writer& writer, const Limit& limit) {
  writer.begin_object().field("signal", to_string(limit.signal));
  if (limit.low) writer.field("low", *limit.low);
  if (limit.high) writer.field("high", *limit.high);
  if (limit.spo2_scale != 0) writer.field("spo2_scale", limit.spo2_scale);
  writer.field("severity", alerts::to_string(limit.severity)).field("by", limit.by).field("reason", limit.reason);
  writer.field("from_us", to_us(limit.from));
  if (limit.until) writer.field("until_us", to_us(*limit.until));
  writer.end_object();
}

Limit read_limit(json::Value value) {
  Limit limit;
  limit.signal = signal_of(value["signal"].text()).value_or(Signal::spo2);
  if (const auto low = value["low"]) limit.low = read_double(low);
  if (const auto high = value["high"]) limit.high = read_double(high);
  limit.spo2_scale = static_cast<int>(read_integer(value["spo2_scale"]));
  for (const auto each : {alerts::Severity::emergency, alerts::Severity::urgent, alerts::Severity::advisory})
    if (alerts::to_string(each) == value["severity"].text()) limit.severity = each;
  limit.by = value["by"].text();
  limit.reason = value["reason"].text();
  limit.from = read_time(value["from_us"]);
  if (const auto until = value["until_us"]) limit.until = read_time(until);
  return limit;
}

void write_monitoring(json::Writer& writer, const Monitoring& monitoring) {
  writer.begin_object().field("signs", monitoring.signs).field("stale_s", monitoring.stale_after.count());
  writer.field("by", monitoring.by).field("from_us", to_us(monitoring.from));
  if (monitoring.until) writer.field("until_us", to_us(*monitoring.until));
  if (!monitoring.alert_id.empty()) writer.field("alert", monitoring.alert_id);
  writer.end_object();
}

Monitoring read_monitoring(json::Value value) {
  Monitoring monitoring;
  monitoring.signs = static_cast<std::uint32_t>(read_integer(value["signs"]));
  monitoring.stale_after = std::chrono::seconds(read_integer(value["stale_s"]));
  monitoring.by = value["by"].text();
  monitoring.from = read_time(value["from_us"]);
  if (const auto until = value["until_us"]) monitoring.until = read_time(until);
  monitoring.alert_id = value["alert"].text();
  return monitoring;
}

// As a list: phase, rule, since, outcomes, alert.
void write_rule(json::Writer& writer, const RuleState& state) {
  writer.begin_array()
      .number(static_cast<std::int64_t>(state.phase))
      .string(state.rule)
      .number(to_us(state.since))
      .number(static_cast<std::int64_t>(state.outcomes))
      .string(state.alert_id)
      .end_array();
}

RuleState read_rule(json::Value value) {
  RuleState state;
  state.phase = static_cast<RuleState::Phase>(read_integer(value.at(0)));
  state.rule = value.at(1).text();
  state.since = read_time(value.at(2));
  state.outcomes = static_cast<std::uint32_t>(read_integer(value.at(3)));
  state.alert_id = value.at(4).text();
  return state;
}

void read_held(json::Value signs, PatientSigns& into) {
  for (const json::Value sign : signs) {
    const auto which = sign_of(sign.key());
    if (!which) continue;
    for (const json::Value held : sign)
      into.held[static_cast<std::size_t>(*which)].push_back(
          {read_time(held.at(0)), read_double(held.at(1)), std::string(held.at(2).text())});
  }
}

void write_signs(json::Writer& writer, const PatientSigns& signs) {
  writer.key("held").begin_object();
  for (std::size_t i = 0; i < sign_count; ++i) {
    if (signs.held[i].empty()) continue;
    writer.key(to_string(static_cast<Sign>(i))).begin_array();
    for (const Held& held : signs.held[i])
      writer.begin_array().number(to_us(held.at)).number(held.value).string(held.observation).end_array();
    writer.end_array();
  }
  writer.end_object();
  if (signs.level != Level::none) writer.field("level", static_cast<int>(signs.level));
  if (!signs.alert_id.empty()) writer.field("alert", signs.alert_id);
  if (!signs.finding.empty()) writer.field("finding", signs.finding);
  if (!signs.rules.empty()) {
    writer.key("rules").begin_array();
    for (const RuleState& state : signs.rules) write_rule(writer, state);
    writer.end_array();
  }
  if (!signs.limits.empty()) {
    writer.key("limits").begin_array();
    for (const Limit& limit : signs.limits) write_limit(writer, limit);
    writer.end_array();
  }
  if (signs.monitoring) {
    writer.key("monitoring");
    write_monitoring(writer, *signs.monitoring);
  }
}

// Of what a clinician reads.
void write_period(json::Writer& writer, Instant from, const std::optional<Instant>& until) {
  writer.field("from", format_instant(from));
  if (until) writer.field("until", format_instant(*until));
}

}  // namespace

std::string_view to_string(Level level) {
  constexpr std::array<std::string_view, 4> names{"none", "advisory", "urgent", "emergency"};
  return names[static_cast<std::size_t>(level)];
}

Level level_of(alerts::Severity severity) {
  return static_cast<Level>(static_cast<int>(Level::emergency) - static_cast<int>(severity));
}

std::string Patient::to_text() const {
  std::string out;
  out.reserve(512);
  json::Writer writer(out);
  writer.begin_object();
  if (signs.at) writer.field("at", to_us(*signs.at));
  write_signs(writer, signs);
  if (born) writer.field("born", *born);
  if (known != 0) writer.field("known", known);
  if (had_emergency) writer.field("had_emergency", true);
  if (same_pulse > 0) writer.field("same_pulse", same_pulse).field("same_pulse_since", to_us(same_pulse_since));
  if (!board_key.empty()) writer.field("board", board_key);
  if (to_us(board_due) != 0) writer.field("board_due", to_us(board_due));
  if (to_us(watch_due) != 0) writer.field("watch_due", to_us(watch_due));
  writer.end_object();
  return out;
}

Result<Patient> Patient::from_text(std::string text) {
  MYDR24_ASSIGN(const json::Document document, json::Document::parse_view(text));
  Patient row;
  for (const json::Value member : document.root()) {
    const std::string_view key = member.key();
    if (key == "held") {
      read_held(member, row.signs);
    } else if (key == "at") {
      row.signs.at = read_time(member);
    } else if (key == "born") {
      row.born = member.text();
    } else if (key == "level") {
      row.signs.level = static_cast<Level>(read_integer(member));
    } else if (key == "known") {
      row.known = static_cast<std::uint32_t>(read_integer(member));
    } else if (key == "had_emergency") {
      row.had_emergency = member.is_true();
    } else if (key == "same_pulse") {
      row.same_pulse = static_cast<std::uint32_t>(read_integer(member));
    } else if (key == "same_pulse_since") {
      row.same_pulse_since = read_time(member);
    } else if (key == "alert") {
      row.signs.alert_id = member.text();
    } else if (key == "finding") {
      row.signs.finding = member.text();
    } else if (key == "rules") {
      for (const json::Value rule : member) row.signs.rules.push_back(read_rule(rule));
    } else if (key == "limits") {
      for (const json::Value limit : member) row.signs.limits.push_back(read_limit(limit));
    } else if (key == "monitoring") {
      row.signs.monitoring = read_monitoring(member);
    } else if (key == "board") {
      row.board_key = member.text();
    } else if (key == "board_due") {
      row.board_due = read_time(member);
    } else if (key == "watch_due") {
      row.watch_due = read_time(member);
    }
  }
  row.text = std::move(text);
  return row;
}

std::string past_limits_prefix(std::string_view patient_id) { return fmt::format("{}/", patient_id); }

std::string past_limit_key(std::string_view patient_id, Instant ended, std::size_t signal) {
  return fmt::format("{}/{:020}/{:02}", patient_id, to_us(ended), signal);
}

std::string to_json(const Limit& limit) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("signal", to_string(limit.signal));
  if (limit.low) writer.field("low", *limit.low);
  if (limit.high) writer.field("high", *limit.high);
  if (limit.spo2_scale != 0) writer.field("spo2_scale", limit.spo2_scale);
  writer.field("severity", alerts::to_string(limit.severity)).field("by", limit.by).field("reason", limit.reason);
  write_period(writer, limit.from, limit.until);
  writer.end_object();
  return out;
}

std::string to_json(const Monitoring& monitoring) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("signs").begin_array();
  for (std::size_t i = 0; i < sign_count; ++i)
    if ((monitoring.signs >> i & 1U) != 0) writer.string(to_string(static_cast<Sign>(i)));
  writer.end_array().field("stale_after_s", monitoring.stale_after.count()).field("by", monitoring.by);
  write_period(writer, monitoring.from, monitoring.until);
  if (!monitoring.alert_id.empty()) writer.field("alert", monitoring.alert_id);
  writer.end_object();
  return out;
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
  writer.field("level", to_string(signs.level));
  if (!signs.alert_id.empty()) writer.field("alert", signs.alert_id);
  if (!signs.finding.empty()) writer.field("finding", signs.finding);
  constexpr std::array<std::string_view, 3> phases{"pending", "active", "held-back"};
  writer.key("rules").begin_array();
  for (const RuleState& state : signs.rules) {
    writer.begin_object().field("rule", state.rule).field("phase", phases[static_cast<std::size_t>(state.phase)]);
    writer.field("since", format_instant(state.since));
    if (!state.alert_id.empty()) writer.field("alert", state.alert_id);
    writer.end_object();
  }
  writer.end_array().key("limits").begin_array();
  for (const Limit& limit : signs.limits) writer.raw(to_json(limit));
  writer.end_array();
  if (signs.monitoring) writer.key("monitoring").raw(to_json(*signs.monitoring));
  writer.end_object();
  return out;
}

}  // namespace mydr24::vitals
