#pragma once

// Erasing the record of a person: what goes, what is kept and why, decided for each resource; and the ledger by which a
// store that was restored from an older copy erases it again.
// Source: GDPR 17(1), 17(3)(b) and (c): records that the law demands to be kept are not erased.
//
// Invariant: what is erased is in the ledger before it is gone.

#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/clock.h"
#include "base/core/result.h"
#include "clinical/records/records.h"

namespace mydr24::erasure {

struct Rules {
  int retention_years = 10;  // clinical records are kept for so long after their last change; 0: not at all
  std::vector<std::string> not_retained;  // resource types that are no clinical record
  bool held = false;                      // the patient is under a legal hold
};

struct Decision {
  std::string type, id;
  bool erase = false;
  std::string reason;  // why it is kept
};

struct Plan {
  std::string patient;
  std::vector<Decision> decisions;  // the Patient last

  std::int64_t erased() const;
  std::map<std::string, std::int64_t> kept() const;  // by reason
};

// Every resource that names the person, or did in any version. Reads the whole journal, in pages. Code::not_found:
// nothing names the person.
Result<Plan> plan(const records::Records& records, std::string_view patient, const Rules& rules, Instant now);

// One line for each erased resource, on disk before it is erased. It names type and id, never content. Kept beside the
// audit trail, where a copy of the store that is put back does not touch it. Thread-safe.
class Ledger {
 public:
  explicit Ledger(std::filesystem::path file) : file_(std::move(file)) {}

  struct Line {
    Instant at;
    std::string request, type, id;
  };
  // Code::full, Code::internal: it is not on disk, and nothing may be erased.
  Result<> append(const std::vector<Line>& lines);
  // Code::invalid: a line cannot be read: what it said is not known, so nothing may be served.
  Result<std::vector<Line>> lines() const;

 private:
  const std::filesystem::path file_;
  mutable std::mutex mutex_;
};

// Erases what the plan says, in slices of a transaction each. An error leaves what is done: ask again.
Result<> carry_out(const records::Records& records, const Plan& plan, std::string_view request, Ledger& ledger);

// Before anything is served: erases what the ledger names and the store still has from before. How many resources.
Result<std::int64_t> replay(const records::Records& records, const Ledger& ledger);

}  // namespace mydr24::erasure
