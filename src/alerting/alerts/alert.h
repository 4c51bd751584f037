#pragma once

// An alert, the calls made about it (deliveries), and their JSON.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/clock.h"
#include "base/core/result.h"

namespace mydr24::alerts {

enum class Severity : std::uint8_t { emergency, urgent, advisory };  // the lower value is the more severe
std::string_view to_string(Severity severity);

// open: people are being called. acknowledged: somebody answered. resolved: the cause is gone (or was handled).
enum class State : std::uint8_t { open, acknowledged, resolved };
std::string_view to_string(State state);

// Somebody's answer.
struct Acknowledgement {
  std::string by;
  Instant at;
  std::string note;
  std::string via;  // the channel it came by: "sms", "link"; empty: the desk
  bool operator==(const Acknowledgement&) const = default;
};

struct Alert {
  std::string id;      // UUID version 7; also the id of its FHIR Flag
  std::string source;  // the module that raised it: "vitals"
  std::string cause;   // what it is about; at most one alert that is not resolved has it: "vitals/Patient/123"
  Severity severity = Severity::urgent;
  std::string patient;  // "Patient/123"; empty when it is about no patient
  std::string title;    // without patient identity: it leaves the building
  std::string reason;   // what was found, in words: stays inside
  std::string values;   // what was found, as JSON; empty: none
  State state = State::open;
  Instant raised_at;
  Instant changed_at;
  Instant heard_at;  // when a person or its source spoke of it last

  std::string policy;                  // of on-call: who is called, and when
  bool policy_named = false;           // whoever raised it chose the policy; else it is the default of the severity
  int step = 0;                        // of the escalation policy: the one called last
  int round = 0;                       // number of the call made last: 0 is the first
  bool repeat = false;                 // that call repeated the last step
  int calls = 0;                       // deliveries of this round so far
  std::optional<Instant> next_due;     // when the next call is made if nobody answers; nothing unless open
  std::optional<Instant> held_until;   // nobody is called before: maintenance, or an override that two people signed
  std::optional<Instant> rests_until;  // its step is called then (oncall::IfTime); never of an emergency
  int walks = 0;                       // so often the policy was begun again after its last step

  int acks_needed = 1;                // so many different people must answer
  std::vector<Acknowledgement> acks;  // those who have, in order; the last one that was needed is also below
  std::string acknowledged_by;        // empty: not answered by enough yet
  std::optional<Instant> acknowledged_at;
  std::string acknowledged_note;
  std::optional<Instant> ack_expires;  // then it is open again, unless it is resolved by then
  std::optional<Instant> resolved_at;
  std::string resolved_why;

  bool is_resolved() const { return state == State::resolved; }
  bool is_answered_by(std::string_view who) const;
};

enum class DeliveryState : std::uint8_t { pending, delivered, failed, cancelled };
std::string_view to_string(DeliveryState state);

// One call of one contact over one channel. Its id is made from the alert's id, the round and its place in
// it, so that it is the same whenever it is made; also the id of its FHIR Communication.
struct Delivery {
  std::string id;
  std::string alert_id;
  int round = 0;
  int step = 0;
  bool repeat = false;
  std::string contact;
  int channel = 0;     // index into the contact's channels
  std::string medium;  // "webhook", "console"
  DeliveryState state = DeliveryState::pending;
  int attempts = 0;                // made, as far as is known
  Instant called_at;               // when it was put in the outbox
  Instant due_at;                  // when the next step is called if nobody answers
  std::optional<Instant> sent_at;  // end of the last attempt
  int http_status = 0;
  std::string text;  // why it failed or was cancelled
};

// The id of the place-th call of a round.
std::string delivery_id(std::string_view alert_id, int round, std::size_t place);

std::string to_json(const Alert& alert);
std::string to_json(const Delivery& delivery);
Result<Alert> alert_from_json(std::string_view text);
Result<Delivery> delivery_from_json(std::string_view text);

// What the events of the journal tell ("alert.raised" and its kin), as far as readers of them need it.
struct AlertEvent {
  std::string alert_id;
  std::string delivery_id;              // alert.delivered, alert.delivery_failed
  std::vector<std::string> deliveries;  // put in the outbox by this event
  int round = 0;
  bool repeat = false;
  bool final = false;  // alert.delivery_failed: no further attempt
};
Result<AlertEvent> event_from_json(std::string_view payload);

}  // namespace mydr24::alerts
