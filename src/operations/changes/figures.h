#pragma once

// How well an organization changes things, by the five measures of DORA: how often, how long from the proposal, how
// many fail, how fast that is mended, how much was not planned. Medians and 90th percentiles, of the changes there are.
// Source: DORA, software delivery metrics (dora.dev).

#include <map>
#include <optional>
#include <span>
#include <string>

#include "operations/changes/change.h"
#include "storage/store/store.h"

namespace mydr24::changes {

struct Spread {
  std::int64_t count = 0;
  double median_s = 0, p90_s = 0;
};

struct Figures {
  std::int64_t finished = 0;   // that were started
  std::int64_t failed = 0;     // that did not stay: failed, taken back, or whose way back failed
  std::int64_t unplanned = 0;  // emergency changes and hotfixes: rework
  double per_day = 0;
  Spread lead;      // from the proposal to the end of a success
  Spread recovery;  // from a failure to the end of its way back
};

// By service, and of all under "". A change counts where its end is, in [since, until); what was taken back after
// `until` is a success still. `until` > `since`.
Result<std::map<std::string, Figures>> figures(store::Reader& reader, Instant since, Instant until);
std::string to_json(const std::map<std::string, Figures>& all);

}  // namespace mydr24::changes
