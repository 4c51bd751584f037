#include "alerting/notify/console_hub.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/core/date_time.h"
#include "base/json/writer.h"

namespace mydr24::notify {

ConsoleHub::ConsoleHub(const Clock& clock, Limits limits)
    : limits_(limits), last_(to_us(clock.now())), first_known_(last_) {}

std::int64_t ConsoleHub::publish(std::string_view kind, std::string payload, std::string key) {
  const std::lock_guard lock(mutex_);
  if (!key.empty() && !keys_.insert(key).second) return last_;
  entries_.push_back({++last_, std::string(kind), std::move(payload), std::move(key)});
  if (entries_.size() > limits_.entries_max) {
    first_known_ = entries_.front().sequence;
    keys_.erase(entries_.front().key);
    entries_.pop_front();
  }
  return last_;
}

ConsoleHub::Page ConsoleHub::after(std::int64_t sequence, std::size_t count) const {
  const std::lock_guard lock(mutex_);
  Page page;
  page.missed = sequence < first_known_ || sequence > last_;
  const auto begin =
      page.missed ? entries_.begin()
                  : std::ranges::upper_bound(entries_, sequence, {}, [](const Entry& entry) { return entry.sequence; });
  for (auto entry = begin; entry != entries_.end() && page.entries.size() < count; ++entry)
    page.entries.push_back(*entry);
  return page;
}

std::int64_t ConsoleHub::last() const {
  const std::lock_guard lock(mutex_);
  return last_;
}

void publish_call(ConsoleHub& hub, const Message& message) {
  std::string payload;
  json::Writer(payload)
      .begin_object()
      .field("alert", message.alert_id)
      .field("delivery", message.delivery_id)
      .field("attempt", message.attempt)
      .field("retry", message.retry())
      .field("severity", message.severity)
      .field("title", message.title)
      .field("contact", message.contact)
      .field("step", message.step)
      .field("repeat", message.repeat)
      .field("raised_at", format_instant(message.raised_at))
      .field("patient", message.patient)
      .field("reason", message.reason)
      .end_object();
  hub.publish("alert.call", std::move(payload), fmt::format("{}/{}", message.delivery_id, message.attempt));
}

namespace {

class ConsoleChannel : public Channel {
 public:
  explicit ConsoleChannel(ConsoleHub& hub) : hub_(hub) {}
  std::string_view medium() const override { return "console"; }

  Task<SendOutcome> send(Message message) override {
    if (message.purpose == Purpose::notice) {
      std::string payload;
      json::Writer(payload).begin_object().field("text", message.title).field("contact", message.contact).end_object();
      hub_.publish("notice", std::move(payload));
    } else {
      publish_call(hub_, message);
    }
    co_return SendOutcome{SendStatus::delivered, 0, {}};
  }

 private:
  ConsoleHub& hub_;
};

}  // namespace

std::unique_ptr<Channel> make_console_channel(ConsoleHub& hub) { return std::make_unique<ConsoleChannel>(hub); }

}  // namespace mydr24::notify
