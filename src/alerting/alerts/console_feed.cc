#include "alerting/alerts/console_feed.h"

#include <charconv>
#include <optional>

#include "alerting/alerts/book.h"
#include "alerting/alerts/detail/message.h"
#include "base/json/document.h"

namespace mydr24::alerts {
namespace {

// The call of a console that another server may have made; nothing: the event is about something else.
Result<std::optional<notify::Message>> console_call(store::Reader& reader, const store::Event& event) {
  using Call = std::optional<notify::Message>;
  if (event.kind != "alert.delivered") return Call();
  MYDR24_ASSIGN(const json::Document document, json::Document::parse_view(event.payload));
  const json::Value row = document.root();
  if (row["medium"].text() != to_string(notify::Kind::console)) return Call();
  MYDR24_ASSIGN(const auto delivery, Book::delivery(reader, row["delivery"].text()));
  MYDR24_ASSIGN(const auto alert, Book::find(reader, row["alert"].text()));
  if (!delivery || !alert) return Call();
  int attempt = 1;
  const std::string_view digits = row["attempt"].text();
  std::from_chars(digits.data(), digits.data() + digits.size(), attempt);
  return Call(message_of(*alert, *delivery, attempt));
}

}  // namespace

void ConsoleFeed::start(store::Store& store) {
  store_ = &store;
  store.add_follower(*this);
}

Result<> ConsoleFeed::follow(std::span<const store::Event> events) {
  std::vector<std::optional<notify::Message>> calls;
  MYDR24_TRY(store_->read([&](store::Reader& reader) -> Result<> {
    for (const store::Event& event : events) {
      MYDR24_ASSIGN(auto call, console_call(reader, event));
      calls.push_back(std::move(call));
    }
    return {};
  }));
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (!events[i].kind.starts_with("alert.") || !event_from_json(events[i].payload)) continue;
    if (calls[i]) notify::publish_call(hub_, *calls[i]);
    hub_.publish(events[i].kind, events[i].payload);
  }
  return {};
}

}  // namespace mydr24::alerts
