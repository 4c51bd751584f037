#pragma once

// What comes back from the people and providers that were called: acknowledgement links, SMS replies, keys pressed,
// chat buttons, webhooks of PagerDuty; and the addresses themselves: verification, switching off and on.
//
// Invariants
// - Nothing a provider sends is believed before its signature was checked; a wrong one is 403.
// - Following a link changes nothing: mail scanners follow links. Only the POST of its page acknowledges.
// - A link, a key press or a code acknowledges once.

#include <string>
#include <string_view>

#include "alerting/alerts/book.h"
#include "alerting/notify/ack_token.h"
#include "alerting/notify/address_book.h"
#include "alerting/notify/providers.h"
#include "api/pipeline/pipeline.h"
#include "storage/store/store.h"

namespace mydr24::notify_api {

struct Service {
  store::Store& store;
  const alerts::Book& book;
  const notify::AddressBook& addresses;
  const notify::AckTokens& tokens;
  const notify::Providers& providers;
  notify::ConsoleHub& hub;
  const Clock& clock;
};

// `service` must outlive the router.
//   GET, POST /ack/{token}                       a page that shows the alert; its button
//   POST /notify/twilio/sms                      an SMS that a person sent us
//   POST /notify/twilio/voice/{token}            a key pressed during a call
//   POST /notify/twilio/status?delivery=ID       what became of an SMS or a call
//   POST /notify/slack/action                    a button pressed in the chat
//   POST /notify/pagerduty                       PagerDuty's webhook
//   GET  /api/v1/addresses                       what is known of addresses
//   POST /api/v1/addresses/{verify,confirm,disable,enable}
void add_routes(pipeline::Router& router, Service& service);

// One file each.
void add_link_routes(pipeline::Router& router, Service& service);
void add_twilio_routes(pipeline::Router& router, Service& service);
void add_hook_routes(pipeline::Router& router, Service& service);
void add_address_routes(pipeline::Router& router, Service& service);

}  // namespace mydr24::notify_api
