#include "alerting/groups/payload.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/json/writer.h"

namespace mydr24::groups {
namespace {

constexpr std::array<std::string_view, 3> pagerduty_severities{"critical", "error", "warning"};

bool is_firing(const Alert& alert) { return alert.ends_at == Instant::max(); }

std::size_t firing_count(const Notice& notice) { return notice.entry.firing.size(); }

// What all of them have with the same value.
Labels common(const std::vector<Alert>& alerts, Labels Alert::* which) {
  if (alerts.empty()) return {};
  std::vector<routing::Label> same;
  for (const auto& [name, value] : alerts.front().*which)
    if (std::ranges::all_of(alerts, [&](const Alert& alert) { return (alert.*which)[name] == value; }))
      same.emplace_back(name, value);
  return Labels(std::move(same));
}

void write_labels(json::Writer& writer, std::string_view name, const Labels& labels) {
  writer.key(name);
  routing::write(writer, labels);
}

void write_alert(json::Writer& writer, const Alert& alert) {
  writer.begin_object().field("status", is_firing(alert) ? "firing" : "resolved");
  write_labels(writer, "labels", alert.labels);
  write_labels(writer, "annotations", alert.annotations);
  writer.field("startsAt", routing::rfc3339(alert.starts_at))
      .field("endsAt", is_firing(alert) ? std::string(routing::zero_time) : routing::rfc3339(alert.ends_at))
      .field("generatorURL", std::string_view(alert.generator_url))
      .field("fingerprint", routing::to_text(routing::fingerprint(alert.labels)))
      .end_object();
}

// Of a notice that was written down before episodes had names: what its trigger said.
std::string dedup_key(const Notice& notice) {
  if (notice.entry.episode == Instant()) return notice.group_hash;
  return fmt::format("{}-{}", notice.group_hash, to_us(notice.entry.episode));
}

}  // namespace

std::string title(const Notice& notice) {
  const Labels shared = common(notice.alerts, &Alert::labels);
  if (const auto name = shared["alertname"]; !name.empty()) return std::string(name);
  return fmt::format("{} alerts", notice.alerts.size() + notice.left_out);
}

std::string headline(const Notice& notice) {
  return notice.is_firing() ? fmt::format("[FIRING:{}] {}", firing_count(notice), title(notice))
                            : fmt::format("[RESOLVED] {}", title(notice));
}

std::string webhook_body(const Notice& notice, const std::string& external_url) {
  const std::size_t most = notice.integration->alerts_max;
  const std::size_t count = most == 0 ? notice.alerts.size() : std::min(most, notice.alerts.size());
  const std::vector<Alert>& all = notice.alerts;
  std::string body;
  json::Writer writer(body);
  writer.begin_object()
      .field("receiver", std::string_view(notice.receiver))
      .field("status", notice.is_firing() ? "firing" : "resolved")
      .key("alerts")
      .begin_array();
  for (std::size_t i = 0; i < count; ++i) write_alert(writer, all[i]);
  writer.end_array();
  write_labels(writer, "groupLabels", notice.group_labels);
  write_labels(writer, "commonLabels", common(all, &Alert::labels));
  write_labels(writer, "commonAnnotations", common(all, &Alert::annotations));
  writer.field("externalURL", std::string_view(external_url))
      .field("version", "4")
      .field("groupKey", std::string_view(notice.group_key))
      .field("truncatedAlerts", all.size() - count + notice.left_out)
      .end_object();
  return body;
}

std::string pagerduty_body(const Notice& notice, const std::string& external_url) {
  std::string body;
  json::Writer writer(body);
  writer.begin_object()
      .field("routing_key", std::string_view(notice.integration->secret))
      .field("event_action", notice.is_firing() ? "trigger" : "resolve")
      .field("dedup_key", dedup_key(notice))
      .field("client", "MyDR24");
  if (!external_url.empty()) writer.field("client_url", std::string_view(external_url));
  writer.key("payload")
      .begin_object()
      .field("summary", headline(notice))
      .field("source", external_url.empty() ? std::string("MyDR24") : external_url)
      .field("severity", pagerduty_severities[static_cast<std::size_t>(notice.severity)])
      .key("custom_details")
      .begin_object()
      .field("firing", firing_count(notice))
      .field("resolved", notice.entry.resolved.size())
      .end_object()
      .end_object()
      .end_object();
  return body;
}

std::string slack_body(const Notice& notice, const std::string& external_url) {
  std::string body;
  json::Writer writer(body);
  writer.begin_object();
  if (!notice.integration->to.empty()) writer.field("channel", std::string_view(notice.integration->to));
  writer.key("attachments").begin_array().begin_object();
  writer.field("fallback", headline(notice))
      .field("title", headline(notice))
      .field("color", notice.is_firing() ? "danger" : "good")
      .field("text", fmt::format("{} firing, {} resolved", firing_count(notice), notice.entry.resolved.size()));
  if (!external_url.empty()) writer.field("title_link", std::string_view(external_url));
  writer.end_object().end_array().end_object();
  return body;
}

std::string mail_text(const Notice& notice, const std::string& external_url) {
  return fmt::format("{}\r\n\r\n{} firing, {} resolved.\r\n{}\r\n", headline(notice), firing_count(notice),
                     notice.entry.resolved.size(), external_url.empty() ? "" : fmt::format("See {}", external_url));
}

}  // namespace mydr24::groups
