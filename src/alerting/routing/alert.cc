#include "alerting/routing/alert.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/core/date_time.h"
#include "base/json/writer.h"

namespace mydr24::routing {
namespace {

const Instant zero_instant = parse_date_time(zero_time)->low;

bool overlap(const Alert& before, const Alert& newer) {
  return (newer.ends_at > before.starts_at && newer.ends_at < before.ends_at) ||
         (newer.starts_at > before.starts_at && newer.starts_at < before.ends_at);
}

Result<Labels> read_labels(json::Value value, std::string_view what, Names names) {
  std::vector<Label> labels;
  if (!value.exists() || value.is_null()) return Labels();
  if (!value.is_object()) return fail(Code::unprocessable, fmt::format("{} is no object", what));
  if (value.size() > labels_max)
    return fail(Code::invalid, fmt::format("an alert has at most {} {}", labels_max, what));
  for (const auto member : value) {
    if (!member.is_string()) return fail(Code::unprocessable, fmt::format("{}.{} is no string", what, member.key()));
    if (member.text().empty()) continue;
    if (!is_label_name(member.key(), names))
      return fail(Code::invalid, fmt::format("invalid {}: invalid name {}", what == "labels" ? "label set" : what,
                                             go_quoted(member.key())));
    labels.emplace_back(member.key(), member.text());
  }
  return Labels(std::move(labels));
}

void write_time(json::Writer& writer, std::string_view name, Instant at) { writer.field(name, to_us(at)); }

Result<Instant> read_us(json::Value value) {
  std::int64_t us = 0;
  const auto text = value.text();
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), us);
  if (error != std::errc()) return fail(Code::internal, "a stored alert has no valid time");
  return from_us(us);
}

}  // namespace

Alert merged(const Alert& before, const Alert& newer) {
  if (!overlap(before, newer)) return newer;
  if (newer.updated_at < before.updated_at) return merged(newer, before);
  Alert made = newer;
  made.starts_at = std::min(before.starts_at, newer.starts_at);
  const bool newer_resolved = newer.ends_at <= newer.updated_at;
  const bool before_resolved = before.ends_at <= newer.updated_at;
  // Of two ends that have passed the later counts; of others the later unless we made it up.
  const bool takes_end = newer_resolved ? before_resolved : !before.timeout;
  if (takes_end) made.ends_at = std::max(before.ends_at, newer.ends_at);
  return made;
}

Result<std::optional<Instant>> read_time(json::Value value, std::string_view name) {
  if (!value.exists() || value.is_null()) return std::optional<Instant>();
  const auto range = value.is_string() ? parse_date_time(value.text()) : std::nullopt;
  if (!range) return fail(Code::unprocessable, fmt::format("{} is no date-time", name));
  if (range->low == zero_instant) return std::optional<Instant>();
  return std::optional(range->low);
}

Result<Alert> read_posted(json::Value value, Instant now, milliseconds resolve_timeout, Names names) {
  if (!value.is_object()) return fail(Code::unprocessable, "an alert is an object");
  if (value.raw().size() > alert_bytes_max) return fail(Code::invalid, "an alert has at most 64 KiB");
  if (!value["labels"].exists()) return fail(Code::unprocessable, "labels in body is required");
  MYDR24_ASSIGN(const auto start, read_time(value["startsAt"], "startsAt"));
  MYDR24_ASSIGN(const auto end, read_time(value["endsAt"], "endsAt"));
  Alert alert;
  alert.updated_at = now;
  alert.starts_at = start ? *start : end.value_or(now);
  alert.ends_at = end.value_or(now + resolve_timeout);
  alert.timeout = !end;
  MYDR24_ASSIGN(alert.labels, read_labels(value["labels"], "labels", names));
  MYDR24_ASSIGN(alert.annotations, read_labels(value["annotations"], "annotations", names));
  alert.generator_url = value["generatorURL"].text();
  if (alert.ends_at < alert.starts_at) return fail(Code::invalid, "start time must be before end time");
  if (alert.labels.empty()) return fail(Code::invalid, "at least one label pair required");
  return alert;
}

std::string to_json(const Alert& alert) {
  std::string text;
  json::Writer writer(text);
  writer.begin_object().key("labels");
  write(writer, alert.labels);
  writer.key("annotations");
  write(writer, alert.annotations);
  write_time(writer, "starts", alert.starts_at);
  write_time(writer, "ends", alert.ends_at);
  write_time(writer, "updated", alert.updated_at);
  if (alert.timeout) writer.field("timeout", true);
  if (!alert.generator_url.empty()) writer.field("url", std::string_view(alert.generator_url));
  writer.end_object();
  return text;
}

Result<Alert> alert_from_json(std::string_view text) {
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(text));
  const json::Value root = document.root();
  Alert alert;
  MYDR24_ASSIGN(alert.labels, read_labels(root["labels"], "labels", Names::utf8));
  MYDR24_ASSIGN(alert.annotations, read_labels(root["annotations"], "annotations", Names::utf8));
  MYDR24_ASSIGN(alert.starts_at, read_us(root["starts"]));
  MYDR24_ASSIGN(alert.ends_at, read_us(root["ends"]));
  MYDR24_ASSIGN(alert.updated_at, read_us(root["updated"]));
  alert.timeout = root["timeout"].is_true();
  alert.generator_url = root["url"].text();
  return alert;
}

Severity severity_of(const Labels& labels) {
  const std::string_view word = labels["severity"];
  if (word == "emergency") return Severity::emergency;
  if (word == "urgent" || word == "critical" || word == "error" || word == "high") return Severity::urgent;
  return Severity::advisory;
}

std::string rfc3339(Instant at) {
  const auto second = std::chrono::floor<std::chrono::seconds>(at);
  std::string text = format_instant(second).substr(0, 19);
  if (const auto us = (at - second).count(); us != 0) {
    text += fmt::format(".{:06}", us);
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text + "Z";
}

}  // namespace mydr24::routing
