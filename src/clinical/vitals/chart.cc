#include "clinical/vitals/chart.h"

#include <fmt/format.h>

#include <optional>
#include <utility>
#include <vector>

#include "alerting/alerts/book.h"
#include "base/core/date_time.h"
#include "base/json/writer.h"

namespace mydr24::vitals {
namespace {

void write_reference(json::Writer& writer, std::string_view key, const std::string& reference) {
  writer.key(key).begin_object().field("reference", reference).end_object();
}

void write_concept(json::Writer& writer, std::string_view text) {
  writer.begin_object().field("text", text).end_object();
}

std::string flag_reference(const alerts::Alert& alert) { return "Flag/" + alert.id; }

// Source: FHIR R4, request-priority.
std::string_view priority_of(const alerts::Alert& alert) {
  switch (alert.severity) {
    case alerts::Severity::emergency:
      return "stat";
    case alerts::Severity::urgent:
      return "urgent";
    case alerts::Severity::advisory:
      break;
  }
  return "routine";
}

std::string_view task_status(const alerts::Alert& alert, int round) {
  if (round < alert.round) return "failed";
  if (alert.acknowledged_at) return "completed";
  return alert.is_resolved() ? "cancelled" : "requested";
}

}  // namespace

std::string task_id(std::string_view alert_id, int round) { return fmt::format("{}-t{:05}", alert_id, round); }

std::string flag_of(const alerts::Alert& alert) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object()
      .field("resourceType", "Flag")
      .field("id", alert.id)
      .field("status", alert.is_resolved() ? "inactive" : "active");
  writer.key("category").begin_array().begin_object().key("coding").begin_array().begin_object();
  writer.field("system", "http://terminology.hl7.org/CodeSystem/flag-category")
      .field("code", "safety")
      .field("display", "Safety");
  writer.end_object().end_array().end_object().end_array();
  writer.key("code");
  write_concept(writer, alert.reason.empty() ? alert.title : fmt::format("{} ({})", alert.title, alert.reason));
  write_reference(writer, "subject", alert.patient);
  writer.key("period").begin_object().field("start", format_instant(alert.raised_at));
  if (alert.resolved_at) writer.field("end", format_instant(*alert.resolved_at));
  writer.end_object().end_object();
  return out;
}

std::string communication_of(const alerts::Alert& alert, const alerts::Delivery& delivery) {
  const bool delivered = delivery.state == alerts::DeliveryState::delivered;
  std::string out;
  json::Writer writer(out);
  writer.begin_object()
      .field("resourceType", "Communication")
      .field("id", delivery.id)
      .field("status", delivered ? "completed" : "stopped");
  if (!delivered && !delivery.text.empty()) {
    writer.key("statusReason");
    write_concept(writer, delivery.text);
  }
  writer.field("priority", priority_of(alert));
  writer.key("medium").begin_array();
  write_concept(writer, delivery.medium);
  writer.end_array();
  write_reference(writer, "subject", alert.patient);
  writer.key("about").begin_array().begin_object().field("reference", flag_reference(alert)).end_object().end_array();
  writer.field("sent", format_instant(delivery.called_at));
  if (delivered && delivery.sent_at) writer.field("received", format_instant(*delivery.sent_at));
  writer.key("recipient").begin_array().begin_object().field("display", delivery.contact).end_object().end_array();
  writer.key("payload").begin_array().begin_object().field("contentString", alert.title).end_object().end_array();
  writer.end_object();
  return out;
}

std::string task_of(const alerts::Alert& alert, const alerts::Delivery& delivery) {
  const std::string_view status = task_status(alert, delivery.round);
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("resourceType", "Task").field("id", task_id(alert.id, delivery.round));
  if (delivery.round > 0)
    writer.key("basedOn")
        .begin_array()
        .begin_object()
        .field("reference", "Task/" + task_id(alert.id, delivery.round - 1))
        .end_object()
        .end_array();
  writer.field("status", status);
  if (status == "failed") {
    writer.key("statusReason");
    write_concept(writer, "nobody answered in time");
  } else if (status == "cancelled") {
    writer.key("statusReason");
    write_concept(writer, alert.resolved_why);
  }
  writer.field("intent", "order").field("priority", priority_of(alert)).field("description", alert.title);
  write_reference(writer, "focus", flag_reference(alert));
  write_reference(writer, "for", alert.patient);
  writer.field("authoredOn", format_instant(delivery.called_at));
  if (status == "completed") writer.key("owner").begin_object().field("display", alert.acknowledged_by).end_object();
  writer.key("restriction").begin_object().key("period").begin_object();
  writer.field("start", format_instant(delivery.called_at)).field("end", format_instant(delivery.due_at));
  writer.end_object().end_object().end_object();
  return out;
}

Chart::Wanted Chart::read_events(std::span<const store::Event> events) {
  Wanted wanted;
  for (const store::Event& event : events) {
    if (!event.kind.starts_with("alert.")) continue;
    const Result<alerts::AlertEvent> read = alerts::event_from_json(event.payload);
    if (!read) continue;
    if (event.kind == "alert.delivered" || event.kind == "alert.delivery_failed") {
      wanted.communications.insert(read->delivery_id);
      continue;
    }
    wanted.flags.insert(read->alert_id);
    if (event.kind == "alert.updated") continue;
    wanted.tasks.emplace(read->alert_id, read->round);
    if (read->round > 0) wanted.tasks.emplace(read->alert_id, read->round - 1);
  }
  return wanted;
}

Result<std::vector<Chart::Text>> Chart::make_texts(store::Reader& reader, const Wanted& wanted) {
  std::vector<Text> texts;
  for (const std::string& id : wanted.flags) {
    MYDR24_ASSIGN(const std::optional<alerts::Alert> alert, alerts::Book::find(reader, id));
    if (alert && !alert->patient.empty()) texts.push_back({"Flag", id, flag_of(*alert)});
  }
  for (const auto& [id, round] : wanted.tasks) {
    MYDR24_ASSIGN(const std::optional<alerts::Alert> alert, alerts::Book::find(reader, id));
    if (!alert || alert->patient.empty()) continue;
    MYDR24_ASSIGN(const std::optional<alerts::Delivery> delivery,
                  alerts::Book::delivery(reader, alerts::delivery_id(id, round, 0)));
    if (delivery) texts.push_back({"Task", task_id(id, round), task_of(*alert, *delivery)});
  }
  for (const std::string& id : wanted.communications) {
    MYDR24_ASSIGN(const std::optional<alerts::Delivery> delivery, alerts::Book::delivery(reader, id));
    if (!delivery) continue;
    const bool finished =
        delivery->state == alerts::DeliveryState::delivered || delivery->state == alerts::DeliveryState::failed;
    MYDR24_ASSIGN(const std::optional<alerts::Alert> alert, alerts::Book::find(reader, delivery->alert_id));
    if (finished && alert && !alert->patient.empty())
      texts.push_back({"Communication", id, communication_of(*alert, *delivery)});
  }
  return texts;
}

Result<> Chart::follow(std::span<const store::Event> events) {
  const Wanted wanted = read_events(events);
  if (wanted.flags.empty() && wanted.communications.empty()) return {};
  std::vector<Text> texts;
  MYDR24_TRY(records_.store().read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(texts, make_texts(reader, wanted));
    return {};
  }));
  std::vector<records::Prepared> prepared;
  for (Text& text : texts) {
    auto accepted = records_.prepare(std::move(text.json), {.type = text.type, .id = text.id});
    if (accepted)
      prepared.push_back(std::move(*accepted));
    else
      ++rejected_;
  }
  if (prepared.empty()) return {};
  return records_.store().write(RequestClass::urgent, [&](store::Transaction& transaction) -> Result<> {
    for (const records::Prepared& each : prepared) MYDR24_TRY(records_.put(transaction, each));
    return {};
  });
}

}  // namespace mydr24::vitals
