#pragma once

// A line of the trail. Text, so that it can be read and checked with tools that everybody has:
//
//   1f0c9a3e {"n":42,"previous":"<43 characters>","entry":{...}}
//   77ab01c4 {"n":43,"previous":"...","checkpoint":{"at":"...","followed":9,"key":"..."},"signature":"<86 characters>"}
//   0a1b2c3d {"n":44,"previous":"...","anchor":{"at":"...","first":1,"last":20,...},"signature":"..."}
//
// `n` counts the lines of the trail from 1. `previous` is the base64url SHA-256 of the JSON of the line before (43
// times 'A' for the first): it tells what was changed, left out or put in. Before the blank stand the first 8
// hexadecimal digits of the line's own digest: they tell a line that was torn by a power cut, and cost nothing, since
// the digest is needed for the next line. The signature is Ed25519 over the JSON up to, and without, `,"signature"`.
// Private to guard/audit.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/core/clock.h"
#include "base/core/result.h"
#include "guard/audit/detail/crypto.h"

namespace mydr24::audit {

enum class Kind : std::uint8_t { entry, checkpoint, anchor };
std::string_view to_string(Kind kind);

// An entry at its largest: 1,024 patients, and every character of its texts escaped.
inline constexpr std::size_t line_bytes_max = std::size_t{2} << 20;

// Appends the line with its newline; signed when there is a key. Gives back the digest of its JSON.
Digest append_line(std::string& out, Sha256& sha, std::int64_t number, const Digest& previous, Kind kind,
                   std::string_view body, const SigningKey* key);

// Views into the line.
struct Line {
  std::int64_t number = 0;
  std::string_view previous;  // digest_characters
  Kind kind = Kind::entry;
  std::string_view body;  // JSON of the entry, checkpoint or anchor
  std::string_view json;
  Digest digest{};             // of the JSON: the next line's `previous`
  std::string_view signature;  // empty: none
  std::string_view signed_text;
};

// `text` has no newline. Code::invalid: it is no line of a trail, or its checksum is wrong. The body is not parsed.
Result<Line> parse_line(std::string_view text);

// The line before, `n` - 1, and all before it, were there at that time.
struct Checkpoint {
  Instant at;
  std::int64_t followed = 0;  // highest line of the store's journal in an entry so far
  std::string key;            // PublicKey::id() of the signer
};
std::string to_json(const Checkpoint& checkpoint);
Result<Checkpoint> checkpoint_of(std::string_view body);

// The lines from `first` to `last` were removed because they were older than had to be kept.
struct Anchor {
  Instant at;
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::string before;  // digest of the line before `first`
  std::string digest;  // of the line `last`
  Instant until;       // the latest time in them
  std::string key;
};
std::string to_json(const Anchor& anchor);
Result<Anchor> anchor_of(std::string_view body);

}  // namespace mydr24::audit
