#pragma once

// Breaches of personal data: what is known of each, whose data it touched by the audit, and the clocks of the law,
// which are timers of the store. Every breach stays on record for good.
// Source: GDPR 33 (72 hours to the authority; 33(3) what to tell; 33(5) documentation), 34 (the people concerned);
// 45 CFR 164.404 to 164.408 (60 days).

#include <array>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "guard/audit/trail.h"
#include "storage/store/store.h"

namespace mydr24::breach {

// To whom it must be told, and within which time of becoming aware of it.
enum class Notice : std::uint8_t { authority, people };
inline constexpr std::array notices{Notice::authority, Notice::people};
std::string_view to_string(Notice notice);  // "authority", "people"
std::optional<Notice> parse_notice(std::string_view text);
constexpr std::chrono::hours time_of(Notice notice) {
  return notice == Notice::authority ? std::chrono::hours(72) : std::chrono::hours(60 * 24);
}
inline constexpr std::array alarm_percents{50, 80, 100};  // of a clock's time

inline constexpr std::size_t text_bytes_max = 10'000;
inline constexpr std::size_t subjects_max = 100'000;

// Which accesses it was: by whom and when. At least a client or a principal, and a time.
struct Accesses {
  std::string client;     // application
  std::string principal;  // "user/anna"
  std::optional<Instant> since, until;
};

// Whose data these accesses touched, by the audit.
struct Affected {
  std::vector<std::string> patients;  // ids, sorted; at most subjects_max
  bool complete = true;               // false: there are more, or an access concerned every patient
  std::int64_t entries = 0;
  std::vector<std::string> kinds;  // resource types, sorted
};
Result<Affected> find_affected(const audit::Trail& trail, const Accesses& accesses);

struct Breach {
  std::string id;
  std::string nature;        // 33(3)(a): what happened
  std::string consequences;  // 33(3)(c)
  std::string measures;      // 33(3)(d)
  std::string contact;       // 33(3)(b)
  Accesses accesses;
  std::int64_t people = 0;  // concerned, about
  bool people_complete = true;
  std::int64_t records = 0;  // accesses, about
  std::vector<std::string> kinds;
  Instant aware;  // when the clocks began
  Instant opened;
  std::string opened_by;
  std::array<std::optional<Instant>, notices.size()> told;  // by Notice
  std::string late_reason;                                  // 33(1): why it was told later than 72 hours
  std::optional<Instant> closed;
  std::string closed_by, outcome;

  std::optional<Instant>& told_to(Notice notice) { return told[static_cast<std::size_t>(notice)]; }
  const std::optional<Instant>& told_to(Notice notice) const { return told[static_cast<std::size_t>(notice)]; }
};
std::string to_json(const Breach& breach);
// {"nature", "consequences"?, "measures"?, "contact"?, "client"?, "principal"?, "since", "until"?, "aware"?}. The error
// names the member.
Result<Breach> breach_of(json::Value request, Instant now);

class Book {
 public:
  // In the transaction of each step ("breach.open", "breach.told", "breach.close"), for the audit.
  using Note =
      std::function<Result<>(store::Transaction&, std::string_view step, std::string_view by, const Breach& breach)>;

  explicit Book(store::Store& store, Note note = {}) : store_(store), note_(std::move(note)) {}
  // Before the store's first tick. When a clock has run to one of alarm_percents and it was not told yet, the event
  // "breach.clock" is noted: {"id", "clock", "percent", "due"}.
  void attach();

  Result<Breach> open(store::Transaction& transaction, Breach breach, const Affected& affected, std::string_view by);
  // It was told to whom the clock is for: the clock stops. `reason`: needed when it is late. Code::not_found,
  // Code::conflict (told already), Code::invalid.
  Result<Breach> tell(store::Transaction& transaction, std::string_view id, Notice notice, std::string_view reason,
                      std::string_view by);
  // Code::invalid without an outcome; Code::conflict: closed already. Clocks stop: the outcome says why nobody was
  // told.
  Result<Breach> close(store::Transaction& transaction, std::string_view id, std::string_view outcome,
                       std::string_view by);

  Result<Breach> find(store::Reader& reader, std::string_view id) const;
  // Newest first, at most `count`.
  Result<std::vector<Breach>> list(store::Reader& reader, std::uint32_t count) const;
  Result<std::vector<std::string>> people(store::Reader& reader, std::string_view id) const;

 private:
  Result<> alarm(store::Transaction& transaction, std::string_view payload) const;
  Result<> note(store::Transaction& transaction, std::string_view step, std::string_view by,
                const Breach& breach) const;

  store::Store& store_;
  const Note note_;
};

}  // namespace mydr24::breach
