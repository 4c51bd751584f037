#pragma once

// The way of samples (sample.h) into the records: by stream and by MQTT alike. Each sample is a write of its own,
// checked like every write of a resource; many go to the store at once and share its commits. Nothing here is kept in
// memory beyond the call: what was not committed was not taken.

#include <functional>
#include <string_view>
#include <vector>

#include "clinical/records/records.h"
#include "clinical/vitals/sample.h"

namespace mydr24::vitals {

// What became of one sample.
struct Ingested {
  std::string id;  // of the Observation; empty when it was refused before it had one
  std::int64_t version = 0;
  bool unchanged = false;      // the same was there already
  std::optional<Error> error;  // Code::busy, Code::full, Code::internal: send it again; others: it is wrong

  bool is_stored() const { return !error; }
  // It may be stored when it comes again.
  bool is_worth_repeating() const;
};

// A sample ready to be written, or why it cannot be. One that does not say when it was measured is looked up in the
// store. Any thread.
Result<records::Prepared> prepare_sample(const records::Records& records, std::string_view text,
                                         const SampleContext& context);

// Writes them, each in a transaction of its own, for whom `access` is of: what they may not write is Code::refused.
// `access` must live until `done` is called. `done` is called once, with one answer for each in order, on the
// store's thread or, when nothing was to be written or all were refused at once, on the caller's. `records` must
// outlive it.
void put_samples(const records::Records& records, RequestClass request_class,
                 std::vector<Result<records::Prepared>> samples, access::Access& access,
                 std::move_only_function<void(std::vector<Ingested>)> done);

}  // namespace mydr24::vitals
