#pragma once

// A part of the trail as NDJSON for others: a line for each entry (or FHIR AuditEvent), oldest first, and a last line,
//   {"trailer":{"at":...,"lines":2,"first":41,"last":43,"sha256":"<base64url>","key":"..."},"signature":"..."}
// whose digest is of all bytes before it, and whose Ed25519 signature of the trail's key is over its text up to, and
// without, `,"signature"`.

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>

#include "base/core/clock.h"
#include "base/core/result.h"
#include "guard/audit/fhir.h"
#include "guard/audit/search.h"

namespace mydr24::audit {

struct ExportOptions {
  std::filesystem::path folder;
  std::filesystem::path key_file;  // empty: that of the folder
  Query query;
  std::optional<Observer> fhir;                  // given: AuditEvents that say so as their source; else entries
  std::shared_ptr<const keyring::Keyring> keys;  // of an encrypted trail
};

struct Exported {
  std::int64_t lines = 0;
  std::int64_t first = 0, last = 0;  // numbers of the entries; 0: none
};

// Code::not_found: no trail, or no key to sign with. Code::internal: `out` took no more.
Result<Exported> export_entries(const ExportOptions& options, Instant now, std::ostream& out);

// Reads what export_entries() wrote. Code::invalid: a byte of it was changed, a line is missing, or it was not signed
// with that key (base64url or PEM).
Result<Exported> verify_export(std::istream& in, const std::string& public_key);

// The public key of a trail, as its folder has it.
struct TrailKey {
  std::string id;          // names it in checkpoints
  std::string base64_url;  // 32 bytes
  std::string pem;
};
Result<TrailKey> trail_key(const std::filesystem::path& folder);

}  // namespace mydr24::audit
