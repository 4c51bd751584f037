#include "operations/monitor/calls.h"

#include <algorithm>

#include "alerting/alerts/book.h"
#include "base/core/date_time.h"
#include "base/json/document.h"

namespace mydr24::monitor {
namespace {

constexpr std::size_t open_max = 10'000;

double seconds_of(Microseconds time) { return std::chrono::duration<double>(time).count(); }

std::optional<Instant> instant_of(json::Value text) {
  const auto range = parse_date_time(text.text());
  return range ? std::optional(range->low) : std::nullopt;
}

}  // namespace

Calls::Calls(store::Store& store, const Clock& clock) : store_(store), clock_(clock) {}

Result<> Calls::begin() {
  std::map<std::string, Open, std::less<>> open;
  MYDR24_TRY(store_.read([&](store::Reader& reader) -> Result<> {
    return alerts::for_each_unresolved(reader, [&](const alerts::Alert& alert) -> Result<> {
      const bool waits = alert.severity == alerts::Severity::emergency && alert.state == alerts::State::open;
      if (!waits || open.size() >= open_max) return {};
      MYDR24_ASSIGN(const auto deliveries, alerts::Book::deliveries(reader, alert.id));
      Open& entry = open[alert.id];
      entry.next_due = alert.next_due;
      const bool reached = std::ranges::any_of(deliveries, [](const alerts::Delivery& delivery) {
        return delivery.state == alerts::DeliveryState::delivered;
      });
      if (!reached && !deliveries.empty()) entry.raised = deliveries.front().called_at;
      return {};
    });
  }));
  const std::lock_guard lock(mutex_);
  open_ = std::move(open);
  return {};
}

void Calls::end() {
  const std::lock_guard lock(mutex_);
  open_.clear();
}

Result<> Calls::follow(std::span<const store::Event> events) {
  const std::lock_guard lock(mutex_);
  for (const store::Event& event : events)
    if (event.kind.starts_with("alert.")) take(event);
  return {};
}

// Under mutex_.
void Calls::take(const store::Event& event) {
  const auto document = json::Document::parse_view(event.payload);
  if (!document) return;
  const json::Value root = document->root();
  const std::string id(root["alert"].text());
  if (event.kind == "alert.resolved" || event.kind == "alert.acknowledged") {
    open_.erase(id);
    return;
  }
  const auto known = open_.find(id);
  if (event.kind == "alert.delivered" || event.kind == "alert.delivery_failed") {
    if (known == open_.end()) return;
    const bool delivered = event.kind == "alert.delivered";
    if (delivered || root["final"].is_true()) message(delivered);
    if (delivered) answered(known->second, event.at, root["delivery"].text());
    return;
  }
  if (root["severity"].text() != "emergency" || root["deliveries"].size() == 0) return;
  if (known == open_.end() && open_.size() >= open_max) return;
  Open& open = open_[id];
  if (event.kind == "alert.escalated") {
    open.escalated = std::min(open.next_due.value_or(event.at), event.at);
    open.next.clear();
    for (const json::Value delivery : root["deliveries"]) open.next.emplace_back(delivery.text());
  } else if (event.kind == "alert.raised" || event.kind == "alert.severity_raised" || event.kind == "alert.released") {
    open.raised = event.at;
    open.is_late = false;
  } else {
    for (const json::Value delivery : root["deliveries"]) open.next.emplace_back(delivery.text());
  }
  open.next_due = instant_of(root["next_due"]);
}

void Calls::answered(Open& open, Instant at, std::string_view delivery) {
  if (open.raised) {
    const Microseconds took = std::max(Microseconds(0), at - *open.raised);
    response_.observe(seconds_of(took), clock_.steady());
    if (!open.is_late) respond(took);
    open.raised.reset();
  }
  if (open.escalated && std::ranges::find(open.next, delivery) != open.next.end()) {
    escalation_.observe(seconds_of(std::max(Microseconds(0), at - *open.escalated)), clock_.steady());
    open.escalated.reset();
  }
}

// A total is counted after its part, and read before it: no part is seen as less than it is.
void Calls::respond(Microseconds took) {
  if (took <= response_limit) ++in_time_;
  ++responses_;
}

// Under mutex_.
void Calls::message(bool delivered) {
  if (delivered) ++delivered_;
  ++messages_;
  counts_.add(clock_.now(), {delivered ? 1.0 : 0.0, 1});
}

void Calls::note_probe(bool delivered, Microseconds took) {
  const std::lock_guard lock(mutex_);
  message(delivered);
  // One that did not arrive has no time: it counts as a message that was lost.
  if (delivered) response_.observe(seconds_of(took), clock_.steady());
}

void Calls::note_waiting(Microseconds age) { response_.observe(seconds_of(age), clock_.steady()); }

void Calls::tick() {
  const Instant now = clock_.now();
  const auto steady = clock_.steady();
  const std::lock_guard lock(mutex_);
  counts_.add(now, {});
  for (auto& [id, open] : open_) {
    if (open.raised) {
      const Microseconds age = now - *open.raised;
      response_.observe(seconds_of(std::max(age, Microseconds(0))), steady);
      if (age > response_limit && !std::exchange(open.is_late, true)) respond(age);
    }
    if (open.escalated) escalation_.observe(seconds_of(std::max(now - *open.escalated, Microseconds(0))), steady);
  }
}

std::optional<double> Calls::response_s() const { return response_.read(clock_.steady()); }
std::optional<double> Calls::escalation_s() const { return escalation_.read(clock_.steady()); }

std::optional<double> Calls::success() const {
  const std::lock_guard lock(mutex_);
  const slo::Count count = counts_.in(std::chrono::hours(1));
  return count.total > 0 ? std::optional(count.good / count.total) : std::nullopt;
}

std::int64_t Calls::overdue() const {
  const Instant now = clock_.now();
  const std::lock_guard lock(mutex_);
  return std::ranges::count_if(
      open_, [&](const auto& each) { return each.second.raised && now - *each.second.raised > response_limit; });
}

std::vector<Source> Calls::sources() {
  const auto clinical = Group::clinical;
  const auto minute = std::chrono::seconds(60);
  std::vector<Source> made;
  made.push_back({"emergency_alert_response_seconds", "s",
                  "Worst time of the last 2 minutes from raising an emergency to its first delivery, tests included",
                  clinical, minute, [this] { return response_s(); }});
  made.push_back({"emergency_escalation_seconds", "s",
                  "Worst time of the last 2 minutes from the time to call the next person to their delivery", clinical,
                  minute, [this] { return escalation_s(); }});
  made.push_back({"emergency_communication_success_ratio", "ratio",
                  "Share of emergency messages of the last hour that arrived, tests included", clinical, minute,
                  [this] { return success(); }});
  const auto count = [&](std::string name, std::string help, double (Calls::*read)() const) {
    made.push_back({std::move(name), "1", std::move(help), clinical, std::chrono::seconds(1),
                    [this, read] { return std::optional((this->*read)()); }});
  };
  count("emergency_responses_total", "Emergencies that were raised, since the start", &Calls::responses);
  count("emergency_responses_in_time_total", "Of them those that reached a person within 2 seconds",
        &Calls::responses_in_time);
  count("emergency_messages_total", "Emergency messages that were sent, tests included", &Calls::messages);
  count("emergency_messages_delivered_total", "Of them those that arrived", &Calls::delivered);
  return made;
}

}  // namespace mydr24::monitor
