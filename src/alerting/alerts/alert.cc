#include "alerting/alerts/alert.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

#include "base/core/date_time.h"
#include "base/json/document.h"
#include "base/json/writer.h"

namespace mydr24::alerts {
namespace {

constexpr std::array<std::string_view, 3> severity_names{"emergency", "urgent", "advisory"};
constexpr std::array<std::string_view, 3> state_names{"open", "acknowledged", "resolved"};
constexpr std::array<std::string_view, 4> delivery_state_names{"pending", "delivered", "failed", "cancelled"};

template <class Enum>
bool read_enum(json::Value value, std::span<const std::string_view> names, Enum& field) {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (value.text() == names[i]) {
      field = static_cast<Enum>(i);
      return true;
    }
  return false;
}

int read_int(json::Value value) {
  int number = 0;
  const std::string_view text = value.text();
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::optional<Instant> read_instant(json::Value value) {
  if (!value.is_string()) return std::nullopt;
  const auto range = parse_date_time(value.text());
  return range ? std::optional(range->low) : std::nullopt;
}

std::string read_text(json::Value value) { return std::string(value.text()); }

void write_instant(json::Writer& writer, std::string_view name, std::optional<Instant> at) {
  if (at) writer.field(name, format_instant(*at));
}

void write_text(json::Writer& writer, std::string_view name, const std::string& text) {
  if (!text.empty()) writer.field(name, text);
}

void write_acks(json::Writer& writer, const std::vector<Acknowledgement>& acks) {
  if (acks.empty()) return;
  writer.key("acks").begin_array();
  for (const Acknowledgement& ack : acks) {
    writer.begin_object().field("by", ack.by).field("at", format_instant(ack.at));
    write_text(writer, "note", ack.note);
    write_text(writer, "via", ack.via);
    writer.end_object();
  }
  writer.end_array();
}

}  // namespace

bool Alert::is_answered_by(std::string_view who) const {
  return std::ranges::any_of(acks, [&](const Acknowledgement& ack) { return ack.by == who; });
}

std::string_view to_string(Severity severity) { return severity_names[static_cast<std::size_t>(severity)]; }
std::string_view to_string(State state) { return state_names[static_cast<std::size_t>(state)]; }
std::string_view to_string(DeliveryState state) { return delivery_state_names[static_cast<std::size_t>(state)]; }

std::string delivery_id(std::string_view alert_id, int round, std::size_t place) {
  return fmt::format("{}-r{:05}-c{:02}", alert_id, round, place);
}

std::string to_json(const Alert& alert) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object()
      .field("id", alert.id)
      .field("source", alert.source)
      .field("cause", alert.cause)
      .field("severity", to_string(alert.severity))
      .field("state", to_string(alert.state));
  write_text(writer, "patient", alert.patient);
  writer.field("title", alert.title);
  write_text(writer, "reason", alert.reason);
  if (!alert.values.empty()) writer.key("values").raw(alert.values);
  write_instant(writer, "raised_at", alert.raised_at);
  write_instant(writer, "changed_at", alert.changed_at);
  write_instant(writer, "heard_at", alert.heard_at);
  write_text(writer, "policy", alert.policy);
  if (alert.policy_named) writer.field("policy_named", true);
  writer.field("step", alert.step).field("round", alert.round).field("repeat", alert.repeat);
  writer.field("calls", alert.calls);
  write_instant(writer, "next_due", alert.next_due);
  write_instant(writer, "held_until", alert.held_until);
  write_instant(writer, "rests_until", alert.rests_until);
  if (alert.walks != 0) writer.field("walks", alert.walks);
  if (alert.acks_needed != 1) writer.field("acks_needed", alert.acks_needed);
  write_acks(writer, alert.acks);
  write_text(writer, "acknowledged_by", alert.acknowledged_by);
  write_instant(writer, "acknowledged_at", alert.acknowledged_at);
  write_text(writer, "acknowledged_note", alert.acknowledged_note);
  write_instant(writer, "ack_expires", alert.ack_expires);
  write_instant(writer, "resolved_at", alert.resolved_at);
  write_text(writer, "resolved_why", alert.resolved_why);
  writer.end_object();
  return out;
}

Result<Alert> alert_from_json(std::string_view text) {
  MYDR24_ASSIGN(const json::Document document, json::Document::parse_view(text));
  const json::Value row = document.root();
  Alert alert;
  if (!read_enum(row["severity"], severity_names, alert.severity) || !read_enum(row["state"], state_names, alert.state))
    return fail(Code::internal, "an alert's row cannot be read");
  alert.id = read_text(row["id"]);
  alert.source = read_text(row["source"]);
  alert.cause = read_text(row["cause"]);
  alert.patient = read_text(row["patient"]);
  alert.title = read_text(row["title"]);
  alert.reason = read_text(row["reason"]);
  alert.values = row["values"].exists() ? std::string(row["values"].raw()) : std::string();
  alert.raised_at = read_instant(row["raised_at"]).value_or(Instant{});
  alert.changed_at = read_instant(row["changed_at"]).value_or(Instant{});
  alert.heard_at = read_instant(row["heard_at"]).value_or(alert.changed_at);
  alert.step = read_int(row["step"]);
  alert.round = read_int(row["round"]);
  alert.repeat = row["repeat"].is_true();
  alert.policy = read_text(row["policy"]);
  alert.policy_named = row["policy_named"].is_true();
  alert.calls = read_int(row["calls"]);
  alert.next_due = read_instant(row["next_due"]);
  alert.held_until = read_instant(row["held_until"]);
  alert.rests_until = read_instant(row["rests_until"]);
  alert.walks = read_int(row["walks"]);
  if (row["acks_needed"]) alert.acks_needed = read_int(row["acks_needed"]);
  for (const json::Value ack : row["acks"])
    alert.acks.push_back({read_text(ack["by"]), read_instant(ack["at"]).value_or(Instant{}), read_text(ack["note"]),
                          read_text(ack["via"])});
  alert.ack_expires = read_instant(row["ack_expires"]);
  alert.acknowledged_by = read_text(row["acknowledged_by"]);
  alert.acknowledged_at = read_instant(row["acknowledged_at"]);
  alert.acknowledged_note = read_text(row["acknowledged_note"]);
  alert.resolved_at = read_instant(row["resolved_at"]);
  alert.resolved_why = read_text(row["resolved_why"]);
  return alert;
}

std::string to_json(const Delivery& delivery) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object()
      .field("id", delivery.id)
      .field("alert", delivery.alert_id)
      .field("round", delivery.round)
      .field("step", delivery.step)
      .field("repeat", delivery.repeat)
      .field("contact", delivery.contact)
      .field("channel", delivery.channel)
      .field("medium", delivery.medium)
      .field("state", to_string(delivery.state))
      .field("attempts", delivery.attempts);
  write_instant(writer, "called_at", delivery.called_at);
  write_instant(writer, "due_at", delivery.due_at);
  write_instant(writer, "sent_at", delivery.sent_at);
  if (delivery.http_status != 0) writer.field("http_status", delivery.http_status);
  write_text(writer, "text", delivery.text);
  writer.end_object();
  return out;
}

Result<Delivery> delivery_from_json(std::string_view text) {
  MYDR24_ASSIGN(const json::Document document, json::Document::parse_view(text));
  const json::Value row = document.root();
  Delivery delivery;
  if (!read_enum(row["state"], delivery_state_names, delivery.state))
    return fail(Code::internal, "a delivery's row cannot be read");
  delivery.id = read_text(row["id"]);
  delivery.alert_id = read_text(row["alert"]);
  delivery.round = read_int(row["round"]);
  delivery.step = read_int(row["step"]);
  delivery.repeat = row["repeat"].is_true();
  delivery.contact = read_text(row["contact"]);
  delivery.channel = read_int(row["channel"]);
  delivery.medium = read_text(row["medium"]);
  delivery.attempts = read_int(row["attempts"]);
  delivery.called_at = read_instant(row["called_at"]).value_or(Instant{});
  delivery.due_at = read_instant(row["due_at"]).value_or(Instant{});
  delivery.sent_at = read_instant(row["sent_at"]);
  delivery.http_status = read_int(row["http_status"]);
  delivery.text = read_text(row["text"]);
  return delivery;
}

Result<AlertEvent> event_from_json(std::string_view payload) {
  MYDR24_ASSIGN(const json::Document document, json::Document::parse_view(payload));
  const json::Value row = document.root();
  AlertEvent event;
  event.alert_id = read_text(row["alert"]);
  if (event.alert_id.empty()) return fail(Code::internal, "an alert event names no alert");
  event.delivery_id = read_text(row["delivery"]);
  for (const json::Value delivery : row["deliveries"]) event.deliveries.push_back(read_text(delivery));
  event.round = read_int(row["round"]);
  event.repeat = row["repeat"].is_true();
  event.final = row["final"].is_true();
  return event;
}

}  // namespace mydr24::alerts
