#pragma once

// Taking content out of the journal for good: what the law may demand (GDPR 17), and nothing else may.
//
// What stays of an erased resource are its lines: type, id, numbers and times, as deletions without a body. Sequences,
// followers, copies and backups are not disturbed.

#include <cstdint>
#include <string_view>

#include "base/core/result.h"
#include "storage/store/store.h"

namespace mydr24::store {

// What an engine's Transaction is besides.
class Eraser {
 public:
  virtual ~Eraser() = default;
  virtual Result<> begin_erasing() = 0;
  virtual Result<std::int64_t> erase_bodies(std::string_view type, std::string_view id) = 0;
};

// Before the deletions of an erasure: what they take out of the index is then overwritten, too, where the engine can.
// Code::unsupported: this transaction erases nothing.
Result<> begin_erasing(Transaction& transaction);
// Takes away the body of every version of a resource whose newest version is a deletion; the number of those that had
// one. Code::stale: it is not deleted. Code::not_found: there never was one.
Result<std::int64_t> erase_bodies(Transaction& transaction, std::string_view type, std::string_view id);

}  // namespace mydr24::store
