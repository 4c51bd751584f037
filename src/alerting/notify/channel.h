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

  bool retry() const { return attempt > 1; }
};

enum class SendStatus : std::uint8_t {
  delivered,
  failed,   // try again later
  refused,  // never try again (410 Gone, an address that cannot be used)
};

struct SendOutcome {
  SendStatus status = SendStatus::failed;
  int http_status = 0;  // 0 where there is none
  std::string text;     // why not; empty when delivered
};

class Channel {
 public:
  virtual ~Channel() = default;
  // Runs on the io_context that the channel was made for. Must end in bounded time of its own accord.
  virtual Task<SendOutcome> send(Message message) = 0;
  // A word for Communication.medium: "webhook", "console".
  virtual std::string_view medium() const = 0;
};

}  // namespace mydr24::notify
