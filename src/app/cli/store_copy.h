#pragma once

// Copies one store into another, of the same engine or of a different one: the journal line by line with its
// sequences, times and versions, then what modules keep, timers and followers' cursors.
//
// Invariants
// - How far a copy has come is what the target's journal holds: the same command goes on after an interruption.
// - A target that holds anything else is refused before anything is written.
// - Search parameters that clients added are indexed by the server when it first opens the copy.

#include <cstdint>
#include <functional>

#include "storage/store/store.h"

namespace mydr24::cli {

struct CopyCounts {
  std::int64_t lines = 0;      // of the journal, in this run
  std::int64_t resources = 0;  // in the target, at the end
  std::int64_t states = 0;
  std::int64_t timers = 0;
  std::int64_t cursors = 0;
  bool complete = false;  // false: stopped
};

// Called after each batch: the last line that the target has, and the last of the source. False: stop.
using CopyProgress = std::function<bool(store::Sequence done, store::Sequence last)>;

// Code::conflict: the target holds something else, or differs at the end. Nothing else may write to the target.
Result<CopyCounts> copy_store(store::Store& from, store::Store& to, const CopyProgress& progress);

}  // namespace mydr24::cli
