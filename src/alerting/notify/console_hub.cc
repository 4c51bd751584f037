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
  std::int64_t sequence = 0;
  {
    const std::lock_guard lock(mutex_);
    if (!key.empty() && !keys_.insert(key).second) return last_;
    sequence = ++last_;
    entries_.push_back({sequence, std::string(kind), std::move(payload), std::move(key)});
    if (entries_.size() > limits_.entries_max) {
      first_known_ = entries_.front().sequence;
      keys_.erase(entries_.front().key);
      entries_.pop_front();
    }
  }
  // Under the wakers' lock, so that a Subscription that is gone is not called any more.
  const std::lock_guard lock(wakers_->mutex);
  for (const auto& [number, wake] : wakers_->by_number) wake();
  return sequence;
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

Result<ConsoleHub::Subscription> ConsoleHub::subscribe(std::function<void()> wake) {
  const std::lock_guard lock(wakers_->mutex);
  if (wakers_->by_number.size() >= limits_.subscribers_max)
    return fail(Code::busy, "too many consoles follow the live feed: close some, then try again");
  const std::uint64_t number = wakers_->next++;
  wakers_->by_number.emplace(number, std::move(wake));
  return Subscription(wakers_, number);
}

std::size_t ConsoleHub::subscribers() const {
  const std::lock_guard lock(wakers_->mutex);
  return wakers_->by_number.size();
}

ConsoleHub::Subscription& ConsoleHub::Subscription::operator=(Subscription&& other) noexcept {
  if (this != &other) {
    end();
    wakers_ = std::exchange(other.wakers_, {});
    number_ = std::exchange(other.number_, 0);
  }
  return *this;
}

void ConsoleHub::Subscription::end() {
  if (const auto wakers = wakers_.lock()) {
    const std::lock_guard lock(wakers->mutex);
    wakers->by_number.erase(number_);
  }
  wakers_.reset();
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
