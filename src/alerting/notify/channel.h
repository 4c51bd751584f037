#pragma once

// The ways an alert can reach a person. A Channel is asked to send one Message once and says what became of
// it; when to send, whom to, and how often is the dispatcher's business.
//
// Invariant: a Message carries nothing that identifies a patient unless the settings ask for it (WebhookSettings): what
// leaves the building says that there is an alert and where to look, not who it is about.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/async/task.h"
#include "base/core/clock.h"

namespace mydr24::notify {

// What a Message is for. acknowledged and resolved change what a chat channel or another system shows about an alert that
// it was called about; a notice is a text (`title`) that asks for nothing.
enum class Purpose : std::uint8_t { call, acknowledged, resolved, verification, notice };

// One call of one person about one alert.
struct Message {
  std::string alert_id;
  std::string delivery_id;  // the same for every attempt
  int attempt = 1;          // 1, 2, 3 ...
  std::string severity;     // emergency, urgent, advisory
  std::string title;        // without patient identity
  std::string contact;      // the person called, as the settings name them
  int step = 0;             // of the escalation policy, from 0
  bool repeat = false;      // the step was called before and nobody answered
  Instant raised_at;
  // The next two are sent only by channels that are allowed to.
  std::string patient;  // "Patient/123", may be empty
  std::string reason;   // what was measured, in words
  // A signed token (ack_token.h) with which the person called may acknowledge; empty: none.
  std::string ack_token;
  Purpose purpose = Purpose::call;
  bool recorded = true;  // false: it is in no store, so that nobody can acknowledge it yet
  std::string by;        // acknowledged, resolved: who or why
  std::string code;      // verification: what the person has to give back
  std::string document;  // notice: JSON that goes along where the receiver is a system; empty: none

  bool retry() const { return attempt > 1; }
};

enum class SendStatus : std::uint8_t {
  delivered,
  failed,   // try again later
  refused,  // never try again here: another channel must do it (most 4xx, a disabled address)
};

struct SendOutcome {
  SendStatus status = SendStatus::failed;
  int http_status = 0;  // 0 where there is none
  std::string text;     // why not; empty when delivered
  // The provider asks to wait this long before the next attempt (429, 503); 0: it does not.
  std::chrono::seconds retry_after{0};
  std::string provider_id;  // the provider's own name of what it took; empty: none
};

class Channel {
 public:
  virtual ~Channel() = default;
  // Runs on the io_context that the channel was made for. Must end in bounded time of its own accord.
  virtual Task<SendOutcome> send(Message message) = 0;
  // A word for Communication.medium: "webhook", "console", "sms".
  virtual std::string_view medium() const = 0;
  // Whether it is worth telling this channel that an alert was acknowledged or resolved (Purpose).
  virtual bool takes_updates() const { return false; }
};

}  // namespace mydr24::notify
