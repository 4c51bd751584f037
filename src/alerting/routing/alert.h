#pragma once

// An alert that is its label set, as Prometheus and its kin send it, and how two messages about one alert become one.

#include <optional>
#include <string>
#include <string_view>

#include "alerting/routing/config.h"
#include "alerting/routing/labels.h"
#include "base/core/clock.h"
#include "base/core/result.h"
#include "base/json/document.h"

namespace mydr24::routing {

struct Alert {
  Labels labels;
  Labels annotations;
  std::string generator_url;
  Instant starts_at;
  Instant ends_at;       // beyond now: firing
  Instant updated_at;    // when the newest message about it came
  bool timeout = false;  // ends_at is not the sender's word but ours: it resolves unless it is sent again

  bool is_resolved(Instant now) const { return ends_at <= now; }
  bool operator==(const Alert&) const = default;
};

inline constexpr std::size_t alert_bytes_max = 64U << 10;  // of one alert's JSON
inline constexpr std::size_t labels_max = 128;

// Two messages about one alert, in either order. Overlapping ones: the earliest start, the latest end (an end we made
// up gives way to any other), annotations of the newer; else the newer.
Alert merged(const Alert& before, const Alert& newer);

// Our clock was set: when it ends, and when it was told of, by the new one. When it began is the sender's word.
inline void shift(Alert& alert, std::chrono::microseconds by) {
  alert.ends_at += by;
  alert.updated_at += by;
}

// What a client posts: {labels, annotations, startsAt, endsAt, generatorURL}. Times that are not there or are the zero
// time are set: start = now, end = now + resolve_timeout. Code::unprocessable: the shape is wrong (the whole body is
// refused); Code::invalid: the content is (the others of the same body are taken).
Result<Alert> read_posted(json::Value value, Instant now, milliseconds resolve_timeout, Names names);

// For rows of the store.
std::string to_json(const Alert& alert);
Result<Alert> alert_from_json(std::string_view text);

// How severe, by the label `severity`: emergency; urgent, critical, error, high are urgent; anything else is advisory.
enum class Severity : std::uint8_t { emergency, urgent, advisory };
Severity severity_of(const Labels& labels);
inline bool is_emergency(const Labels& labels) { return severity_of(labels) == Severity::emergency; }

// 2024-03-01T08:00:00.25Z: RFC 3339 with as many digits as needed, as Go writes it.
std::string rfc3339(Instant at);
// 0001-01-01T00:00:00Z, the zero time of Go: "not set".
inline constexpr std::string_view zero_time = "0001-01-01T00:00:00Z";
// Nothing for a missing value and the zero time.
Result<std::optional<Instant>> read_time(json::Value value, std::string_view name);

}  // namespace mydr24::routing
