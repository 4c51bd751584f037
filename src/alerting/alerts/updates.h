#pragma once

// Tells what is no call. Chats and systems that were called about an alert, when it has been acknowledged or resolved: the
// chat's message changes, the incident elsewhere stops calling. Its subscribers (subscribers.h), when it was acknowledged,
// made more severe, opened again or resolved. Channels that want to know who is on call (notices.h). Whoever another
// module has a message for (messages.h).
//
// Invariants
// - A subscriber is not told of what they did themselves, and of nothing 7 days after they subscribed.
// - What is to be told is in the store until it was told, refused, or tried tells_max times: neither a restart nor
//   another process that takes over loses one.
// - It waits behind nothing else and nothing waits for it: a thread of its own, one message at a time per address.
//
// Life: as the Dispatcher's. start(store) before the store's first submit, stop() before the store is closed.

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "alerting/alerts/alert.h"
#include "alerting/notify/address.h"
#include "alerting/notify/channel.h"
#include "alerting/oncall/directory.h"
#include "base/core/clock.h"
#include "storage/store/store.h"

namespace mydr24::alerts {

class Updates : public store::Follower {
 public:
  using MakeChannel =
      std::function<Result<std::unique_ptr<notify::Channel>>(asio::io_context&, const notify::Address&)>;

  Updates(const Clock& clock, oncall::Directory directory, MakeChannel make_channel);
  ~Updates() override;
  Updates(const Updates&) = delete;
  Updates& operator=(const Updates&) = delete;

  Result<> start(store::Store& store);
  void stop();
  // Tries again what is due. Call it often; thread-safe, cheap.
  void tick();
  // Blocks until nothing is under way, at most `time_max`: for tests.
  bool settle(std::chrono::milliseconds time_max = std::chrono::seconds(5));

  std::string_view name() const override { return "alerts.updates"; }
  // Takes up what was left to be told.
  Result<> begin() override;
  // Another server tells what is left.
  void end() override;
  Result<> follow(std::span<const store::Event> events) override;

  static constexpr int tells_max = 10;
  static constexpr std::chrono::seconds retry_after{5};

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace mydr24::alerts
