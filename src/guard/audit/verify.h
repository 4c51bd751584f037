#pragma once

// Whether a trail is what was written. Reads every line once: the chain of digests, the checksums, the signatures of
// checkpoints and anchors, the copies of them that were kept elsewhere, and the indexes.
//
// What it can tell: a byte changed, a line left out, put in or moved, a segment missing, an end cut off before the last
// checkpoint that it is given. What it cannot: lines cut off after that, and a trail made anew as a whole by somebody
// who has the signing key; a copy of `checkpoints` that the machine itself cannot change tells that too.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "guard/audit/trail.h"

namespace mydr24::audit {

struct VerifyOptions {
  std::filesystem::path folder;
  std::filesystem::path checkpoints_file;        // empty: that of the folder
  std::string public_key;                        // base64url or PEM; empty: the folder's `signing-key.pub`
  bool indexes = true;                           // also that the indexes say what the segments hold
  std::shared_ptr<const keyring::Keyring> keys;  // of an encrypted trail
};

enum class Problem : std::uint8_t {
  changed,       // a line is damaged, or is not the one that the next was chained to
  missing,       // lines are not there, and no anchor stands for them
  out_of_place,  // a line stands where another should: inserted, repeated or moved
  bad_signature,
  cut_off,  // a checkpoint was made of a line beyond the end
  torn,     // the last line has no end: a power cut, or it is being written right now
  bad_index,
};
std::string_view to_string(Problem problem);

struct Finding {
  Problem problem = Problem::changed;
  std::int64_t number = 0;  // the line; of several the first
  std::string file;         // its name in the folder; empty: none
  std::string text;
};

inline constexpr std::size_t findings_max = 1000;

struct Verification {
  std::vector<Finding> findings;  // in the order of the lines; empty: the trail is what was written
  std::int64_t lines = 0;         // read
  std::int64_t entries = 0;
  std::int64_t checkpoints = 0;
  std::int64_t removed = 0;          // lines that retention took away, by its anchors
  std::int64_t first = 0, last = 0;  // numbers
  std::int64_t last_checkpoint = 0;  // lines after it are chained, but no signature vouches for them yet
};

// Code::not_found: there is no trail, or no key. Code::invalid: the key is none.
Result<Verification> verify(const VerifyOptions& options);

}  // namespace mydr24::audit
