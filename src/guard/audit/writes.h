#pragma once

// The entry of a write is in the write's own transaction: a commit whose answer was lost has its entry, and a write
// that was undone has none. After the commit a follower puts it into the trail, exactly once.

#include <span>
#include <string_view>

#include "base/core/result.h"
#include "guard/audit/log.h"
#include "storage/store/store.h"

namespace mydr24::audit {

inline constexpr std::string_view write_event = "audit.write";

// The line of the journal. An entry without an id gets one.
Result<store::Sequence> note_write(store::Transaction& transaction, Entry entry);

// Where several servers share a store, the one that leads writes the entries of all; store_sequence tells, in several
// trails, which entries are the same.
class WriteFollower : public store::Follower {
 public:
  explicit WriteFollower(Log& log) : log_(log) {}  // which must outlive it
  std::string_view name() const override { return "audit"; }
  // An event whose payload is no entry becomes one that says so: it holds nothing up and is not lost from sight.
  Result<> follow(std::span<const store::Event> events) override;

 private:
  Log& log_;
};

}  // namespace mydr24::audit
