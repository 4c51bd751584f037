#pragma once

// A contact reached by an HTTP POST.
//
// Body, schema "mydr24.alert.v1":
//   {"schema":"mydr24.alert.v1",
//    "alert":{"id":"...","severity":"emergency","title":"...","raised_at":"2026-03-08T08:00:00.000Z","step":0,"repeat":false},
//    "delivery":{"id":"...","attempt":1,"retry":false},
//    "contact":"...",
//    "link":"https://.../alerts/<id>",                  only when link_base is set
//    "acknowledge":"https://.../ack/<token>"}           likewise: its page's button acknowledges
// With include_patient, alert also has "patient" (a reference, never a name) and "reason" (what was
// measured). Without it - the default - the ids are opaque: the receiver learns that there is an alert and
// where to look it up after logging in.
//
// A notice: {"schema":"mydr24.notice.v1","id":"...","text":"...","document":{...}}; the document where there is one.
// To verify the address: {"schema":"mydr24.verification.v1","code":"123456"}.
//
// Headers: Content-Type: application/json; Idempotency-Key and X-MyDR24-Delivery: the delivery id, the same
// for every attempt; X-MyDR24-Attempt: 1, 2 ...; X-MyDR24-Retry: true from the second on; X-MyDR24-Signature:
// see signature.h, left out when the contact has no secret.
//
// 2xx is delivered; 410 is refused (the receiver is gone for good); everything else, and no answer in time, failed.

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "alerting/notify/channel.h"
#include "base/core/clock.h"
#include "base/net/client.h"

namespace mydr24::notify {

struct WebhookSettings {
  std::string url;
  std::string secret;
  bool include_patient = false;
  std::string link_base;  // "https://desk.example.org"; empty: no link
  std::chrono::milliseconds time_max{5'000};
  std::size_t answer_bytes_max = 64U << 10;
};

// The body of a message, compact JSON.
std::string webhook_body(const Message& message, const WebhookSettings& settings);

// Code::invalid: the URL cannot be used. The channel owns the client, which belongs to one io_context.
Result<std::unique_ptr<Channel>> make_webhook(WebhookSettings settings, std::unique_ptr<net::Client> client,
                                              const Clock& clock);

}  // namespace mydr24::notify
