#pragma once

// A silence: alerts that its matchers match are not told about while it is active. Once, or again and again in windows
// of wall-clock time. Emergencies are never silenced: that is not decided here but by whoever asks (is_emergency).

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/routing/alert.h"
#include "alerting/routing/matcher.h"
#include "alerting/routing/time_interval.h"
#include "base/json/document.h"

namespace mydr24::routing {

enum class SilenceState : std::uint8_t { pending, active, expired };
std::string_view to_string(SilenceState state);

struct Silence {
  std::string id;
  Matchers matchers;
  Instant starts_at;
  Instant ends_at;
  Instant updated_at;
  std::string created_by;
  std::string comment;
  std::string approved_by;            // the second person, where one is needed
  std::string recurrence;             // JSON of the windows as given; empty: the whole time
  std::vector<TimeInterval> windows;  // read from `recurrence`: silent only inside of them

  SilenceState state(Instant now) const;
  // Active, and inside of a window where it has some.
  bool is_silent(Instant now) const {
    return state(now) == SilenceState::active && (windows.empty() || contains(windows, now));
  }
  // The same matchers and windows: an update may change it in place.
  bool same_scope(const Silence& other) const { return matchers == other.matchers && recurrence == other.recurrence; }
};

inline constexpr std::size_t silence_bytes_max = 64U << 10;

// The body of a POST: {id, matchers: [{name, value, isRegex, isEqual}], startsAt, endsAt, createdBy, comment} and, ours,
// approvedBy and recurrence: [{times: [{start_time, end_time}], weekdays: ["tuesday"], days_of_month, months, years,
// location}]. Code::unprocessable: the shape is wrong; Code::invalid: the content is.
Result<Silence> read_silence(json::Value value, Names names);
// Its rules: at least one matcher that does not match everything empty, end after start, end not in the past.
// Code::invalid with Alertmanager's text.
Result<> check(const Silence& silence, Instant now);

// As Alertmanager shows it, with the state at that time.
std::string shown_json(const Silence& silence, Instant now);
std::string to_json(const Silence& silence);
Result<Silence> silence_from_json(std::string_view text);

// How long a silence may mute alerts with these labels without a second person: 24 h, 4 h when they are urgent, 1 h when
// they say critical. Emergencies are not silenced at all: 0.
std::chrono::milliseconds silence_budget(const Labels& labels);

// Does it match whatever the alert is: has it no matcher that asks for one value, or for values that are not "anything"?
// Such a silence needs a second person.
bool is_broad(const Silence& silence);

}  // namespace mydr24::routing
