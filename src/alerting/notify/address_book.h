#pragma once

// What is known of addresses beyond who has them: whether the person behind one confirmed it, whether it was switched
// off, the short codes that SMS can be answered with, and the chat messages that can be updated.
//
// Invariants
// - An address counts as verified only after a code that was sent to it came back.
// - A code is never stored: only its HMAC. It can be tried five times, for 15 minutes.
// - STOP switches off SMS to that number and nothing else.
//
// Events: contact.code_sent, contact.verified, contact.disabled, contact.enabled, contact.stopped, contact.started; they
// name kind and target, a webhook's and a chat's target without its path.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/notify/address.h"
#include "base/async/task.h"
#include "base/core/clock.h"
#include "base/core/result.h"
#include "storage/store/store.h"

namespace mydr24::notify {

struct Standing {
  std::optional<Instant> verified_at;
  std::optional<Instant> disabled_at;
  std::string disabled_why;
  bool stopped = false;  // sms: the person answered STOP

  bool verified() const { return verified_at.has_value(); }
  bool may_send() const { return !disabled_at && !stopped; }
  std::string why_not() const;  // empty when it may
};

struct KnownAddress {
  Address address;  // without secret
  Standing standing;
};

struct Confirmation {
  bool verified = false;
  int tries_left = 0;
};

// What an SMS code stands for.
struct CodeUse {
  int code = 0;  // 1 to 999, then from 1 again
  std::vector<std::string> alerts;
  std::string contact;
  Instant sent_at;
  bool acknowledged = false;  // already answered with it
  bool closed = false;
};

// A chat message about an alert.
struct ChatMessage {
  std::string channel;  // the provider's own id
  std::string ts;       // the provider's name of the message
};

class AddressBook {
 public:
  // `key` hides the verification codes (see ack_key()); the store must outlive the book.
  AddressBook(store::Store& store, std::string key) : store_(store), key_(std::move(key)) {}

  // Of an address that is not known: neither verified nor disabled.
  static Result<Standing> standing(store::Reader& reader, const Address& address);
  Result<Standing> standing(const Address& address) const;
  // Whether anything was ever kept about it: a code sent, an SMS to it.
  static Result<bool> knows(store::Reader& reader, const Address& address);
  // In the order of kind and target, above `after` ("sms/+15551234567").
  static Result<std::vector<KnownAddress>> list(store::Reader& reader, std::string_view after, std::uint32_t count);

  // A code of six digits to be sent to that address; an earlier one is void. Code::busy: five were asked for in the last
  // hour.
  Result<std::string> begin_verification(store::Transaction& transaction, const Address& address) const;
  // Code::gone: expired, tried too often, or never sent. A wrong code is no error: that it was tried must be kept.
  Result<Confirmation> confirm(store::Transaction& transaction, const Address& address, std::string_view code) const;
  Result<> disable(store::Transaction& transaction, const Address& address, std::string_view why) const;
  Result<> enable(store::Transaction& transaction, const Address& address) const;
  // The person's own STOP and START.
  Result<> set_stopped(store::Transaction& transaction, std::string_view number, bool stopped) const;

  // The next code of that number, standing for those alerts.
  Task<Result<int>> new_code(std::string number, std::vector<std::string> alerts, std::string contact) const;
  static Result<int> new_code(store::Transaction& transaction, std::string_view number,
                              const std::vector<std::string>& alerts, std::string_view contact);
  // Code 0: the newest one. Nothing when there is none.
  static Result<std::optional<CodeUse>> find_code(store::Reader& reader, std::string_view number, int code);
  static Result<> mark_code(store::Transaction& transaction, std::string_view number, const CodeUse& use);
  // Answers that meant nothing, one after another: how many, this one included. `useful`: back to none.
  static Result<int> count_useless(store::Transaction& transaction, std::string_view number, bool useful);

  // The message about an alert in a chat channel, for later updates.
  Result<std::optional<ChatMessage>> chat_message(std::string_view alert_id, const Address& address) const;
  Task<Result<>> keep_chat_message(std::string alert_id, Address address, ChatMessage message) const;
  // The alert is over: there will be no more.
  Task<Result<>> forget_chat_message(std::string alert_id, Address address) const;

 private:
  store::Store& store_;
  const std::string key_;
};

// As it may be shown: a webhook's and a chat's address without its path, which is often its secret; no routing key.
std::string shown_target(const Address& address);

inline constexpr std::uint32_t addresses_per_page_max = 500;
inline constexpr int sms_code_max = 999;
inline constexpr std::chrono::minutes verification_valid{15};
inline constexpr int verification_tries_max = 5;
inline constexpr int verifications_per_hour_max = 5;
inline constexpr int useless_answers_max = 5;

}  // namespace mydr24::notify
