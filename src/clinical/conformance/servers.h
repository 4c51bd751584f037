#pragma once

// The processes that write one database, and the definitions that each goes by: one row of state each. A change of the
// definitions has a number; whoever indexes waits until every process goes by it. Private to clinical/conformance.
//
// Invariant: when all_go_by(n) is true, every write from then on is indexed by the definitions of n or later. A process
// that is silent for long is left out of the count; it writes nothing until it goes by what is stored.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/core/clock.h"
#include "storage/store/store.h"

namespace mydr24::conformance {

// The row that says how often conformance resources were changed: the sequence of the last event.
Result<std::int64_t> last_change(store::Reader& reader);
Result<> note_change(store::Transaction& transaction, std::int64_t change);

class Servers {
 public:
  Servers(store::Store& store, const Clock& clock);

  // Where no other process may be: what one that crashed has left.
  Result<> forget_others();
  // This process goes by the definitions of that change. Goes through the writer: what was written by the definitions
  // before is committed when it returns. Code::stale when this process was left out and there is a later change.
  Result<> go_by(std::int64_t change);
  // There is a later change than this process goes by, and it is still there.
  Result<> be_slow();
  // At that time there was no later change.
  void looked(std::chrono::nanoseconds at) { seen_alive_ = at.count(); }
  // This process writes nothing more.
  void leave();

  // In the transaction of a write: Code::busy when this process was left out.
  Result<> check(store::Transaction& transaction) const;

  // Of one process at a time: the one that indexes.
  Result<bool> all_go_by(std::int64_t change);

 private:
  struct Heard {
    std::string value;
    std::chrono::nanoseconds at;
  };
  Result<> answer(std::int64_t change);

  store::Store& store_;
  const Clock& clock_;
  const std::string key_;
  std::int64_t change_ = 0;   // goes by
  std::int64_t answers_ = 0;  // so that each differs from the one before
  std::atomic<std::int64_t> seen_alive_ = 0;
  std::map<std::string, Heard> heard_;  // of those that are behind
};

}  // namespace mydr24::conformance
