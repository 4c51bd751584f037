// SMS through a Twilio-compatible REST API: POST /2010-04-01/Accounts/{account}/Messages.json. 2xx: the gateway took it,
// what becomes of it is posted to the status callback; a 4xx is final for this message.

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "alerting/notify/address_book.h"
#include "alerting/notify/detail/call.h"
#include "alerting/notify/detail/twilio_call.h"

namespace mydr24::notify {
namespace {

// Emergencies and codes go out at once and alone. Of other alerts one SMS at a time is under way to a number; what comes
// meanwhile is told in one message, so that a bad night does not fill a telephone.
class Sms : public Channel {
 public:
  explicit Sms(ChannelParts parts) : parts_(std::move(parts)) {}
  std::string_view medium() const override { return "sms"; }

  Task<SendOutcome> send(Message message) override {
    if (message.purpose == Purpose::acknowledged || message.purpose == Purpose::resolved)
      co_return SendOutcome{SendStatus::delivered, 0, {}};
    if (message.purpose != Purpose::call || message.severity == "emergency") co_return co_await send_one(message);
    if (is_sending_)
      co_return co_await async_call<SendOutcome>(
          [&](auto done) { waiting_.push_back({std::move(message), std::move(done)}); });
    is_sending_ = true;
    const Executor executor = co_await asio::this_coro::executor;
    SendOutcome outcome;
    try {
      outcome = co_await send_one(message);
    } catch (...) {
      send_waiting(executor);
      throw;
    }
    send_waiting(executor);
    co_return outcome;
  }

 private:
  struct Waiting {
    Message message;
    std::move_only_function<void(SendOutcome)> done;
  };

  void send_waiting(const Executor& executor) {
    if (waiting_.empty()) {
      is_sending_ = false;
      return;
    }
    asio::co_spawn(executor, bundle(), asio::detached);
  }

  // Those that wait end with what became of the message that they share.
  Task<> bundle() {
    while (!waiting_.empty()) {
      std::vector<Waiting> together = std::exchange(waiting_, {});
      SendOutcome outcome{SendStatus::failed, 0, "the message was cut off"};
      try {
        outcome = together.size() == 1 ? co_await send_one(together[0].message) : co_await send_all(together);
      } catch (const std::exception& error) {
        outcome.text = error.what();
      }
      for (Waiting& one : together) one.done(outcome);
    }
    is_sending_ = false;
  }

  Task<SendOutcome> send_one(const Message& message) {
    std::string text = notice_of(message, parts_.providers);
    if (text.empty()) {
      Fields fields = fields_of(message, parts_.providers);
      const int code = message.recorded ? co_await new_code({message.alert_id}, message.contact) : 0;
      if (code != 0) fields.reply = fmt::format("Reply {0}a to acknowledge, {0}c to close.", code);
      text = parts_.providers.templates.sms.render(fields, sms_size_max, sms_size);
    }
    co_return co_await post(std::move(text), message);
  }

  Task<SendOutcome> send_all(const std::vector<Waiting>& together) {
    std::vector<std::string> alerts;
    for (const Waiting& one : together)
      if (std::ranges::find(alerts, one.message.alert_id) == alerts.end()) alerts.push_back(one.message.alert_id);
    // What becomes of it becomes of all of them: the callback names every delivery.
    constexpr std::size_t callback_deliveries_max = 1'500;  // bytes: it is part of a URL
    Message first = together.front().message;
    for (std::size_t i = 1; i < together.size() && first.delivery_id.size() < callback_deliveries_max; ++i)
      first.delivery_id += "," + together[i].message.delivery_id;
    std::string text = fmt::format("{}: {} unacknowledged alerts.", parts_.providers.site, alerts.size());
    if (const int code = co_await new_code(std::move(alerts), first.contact); code != 0)
      text += fmt::format("\nReply {0}aa to acknowledge all, {0}cc to close all.", code);
    co_return co_await post(std::move(text), first);
  }

  // 0: none. A code that cannot be kept stops no call: the message then goes without one.
  Task<int> new_code(std::vector<std::string> alerts, std::string contact) const {
    if (parts_.providers.addresses == nullptr) co_return 0;
    const auto code = co_await parts_.providers.addresses->new_code(parts_.address.target, std::move(alerts), contact);
    co_return code ? *code : 0;
  }

  Task<SendOutcome> post(std::string text, const Message& message) {
    std::string form;
    add_field(form, "To", parts_.address.target);
    add_field(form, "From", parts_.providers.twilio.sms_from);
    add_field(form, "Body", text);
    co_return co_await twilio_call(parts_, "Messages.json", std::move(form), message);
  }

  const ChannelParts parts_;
  bool is_sending_ = false;  // one that is no emergency
  std::vector<Waiting> waiting_;
};

}  // namespace

Result<std::unique_ptr<Channel>> make_sms(ChannelParts parts) {
  const TwilioSettings& twilio = parts.providers.twilio;
  if (twilio.account.empty() || twilio.token.empty() || twilio.sms_from.empty())
    return fail(Code::invalid, "there is no SMS gateway: set notify.twilio_account, twilio_token_file and twilio_from");
  return std::make_unique<Sms>(std::move(parts));
}

}  // namespace mydr24::notify
