#pragma once

// Emergency overrides ("breaking the glass"): somebody who treats a patient gives a reason and sees for a quarter of an hour
// what labels and Consents hide. Nobody is ever refused one whose role may have it; each is told to those who review
// overrides, and who takes more than the budget is told of as urgent.
// Kept in the store, so that an override counts on every server and its review outlives a restart.
// Source: 45 CFR 164.312(a)(2)(ii), emergency access procedure.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "guard/access/principal.h"
#include "storage/store/store.h"

namespace mydr24::access {

struct BreakGlassSettings {
  std::chrono::minutes valid{15};
  int budget = 3;  // of one person in `budget_period`
  std::chrono::hours budget_period{24};
};

inline constexpr std::size_t reason_bytes_min = 10;
inline constexpr std::size_t reason_bytes_max = 2'000;

// One override, as long as it is kept: for good.
struct OverrideRecord {
  std::string id;
  std::string principal;  // Principal::id
  std::string name;       // of the person
  std::string roles;
  std::string patient;  // id; empty: every patient
  std::string reason;
  Instant since;
  Instant until;  // at most since + valid; earlier when it was ended
  bool ended = false;
  bool over_budget = false;
  std::string reviewed_by;  // empty: waits for a review
  std::string verdict;      // "justified", "not-justified"
  std::string review;       // the reviewer's words
  Instant reviewed_at;
};

enum class OverrideStep : std::uint8_t { started, ended, reviewed };

class BreakGlass {
 public:
  // Called in the transaction of each step, for the audit.
  using NoteStep = std::function<Result<>(store::Transaction&, OverrideStep, const OverrideRecord&)>;

  // All must outlive it.
  BreakGlass(store::Store& store, const Clock& clock, BreakGlassSettings settings, NoteStep note = {})
      : store_(store), clock_(clock), settings_(settings), note_(std::move(note)) {}

  // Before the store's first tick: overrides end by a timer, which notes "access.override-ended" as well.
  void attach();

  // Notes the event "access.override" (the record as JSON) in the same transaction. `patient`: an id, or empty.
  // Code::invalid when the reason says too little.
  Result<OverrideRecord> start(store::Transaction& transaction, const Principal& principal, std::string_view patient,
                               std::string_view reason);
  // Before its time. Notes "access.override-ended". Code::not_found; Code::refused: somebody else's.
  Result<OverrideRecord> end(store::Transaction& transaction, const Principal& principal, std::string_view id);
  // Code::refused: one's own; Code::conflict: it was reviewed already; Code::invalid: the verdict.
  Result<OverrideRecord> review(store::Transaction& transaction, const Principal& reviewer, std::string_view id,
                                std::string_view verdict, std::string_view words);
  // Newest first, at most `count`. `waiting`: only those nobody has reviewed.
  Result<std::vector<OverrideRecord>> list(store::Reader& reader, bool waiting, std::uint32_t count) const;

  // What is in force for that person now. From memory, at most two seconds behind the other servers. Thread-safe.
  std::vector<Override> in_force(std::string_view principal);
  // Changes whenever what in_force() tells may have changed.
  std::uint64_t version();
  // After a commit of this server: at once.
  void look_again();

 private:
  // Notes the step's event, and tells who wants to know.
  Result<> tell(store::Transaction& transaction, OverrideStep step, const OverrideRecord& record) const;
  void refresh_if_due();

  store::Store& store_;
  const Clock& clock_;
  const BreakGlassSettings settings_;
  const NoteStep note_;
  std::mutex mutex_;
  std::chrono::nanoseconds looked_at_{-1};  // steady
  std::uint64_t version_ = 1;
  std::multimap<std::string, Override, std::less<>> in_force_;  // by principal
};

std::string to_json(const OverrideRecord& record);

}  // namespace mydr24::access
