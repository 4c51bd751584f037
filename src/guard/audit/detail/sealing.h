#pragma once

// How lines, frames and small files of an encrypted trail stand on the disk. Each is AES-256-GCM (base/crypto/sealer.h)
// with what it is bound to it:
//
//   generation of the key 4, little-endian | nonce 12 | tag 16 | sealed bytes
//
// A line of an open segment is '~', those bytes, and the newline; inside, a newline is written as 0x10 'J' and 0x10 as 0x10
// 'P', so that lines are still found by their newlines. A frame of an ended segment is a zstd frame sealed inside a
// skippable zstd frame (RFC 8878, section 3.1.2). What was written before encryption was turned on stays as it is: a plain
// line begins with a hexadecimal digit. Private to guard/audit.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/core/result.h"
#include "base/crypto/sealer.h"
#include "storage/keyring/keyring.h"

namespace mydr24::audit {

// Null keys: everything goes through as it is. Not thread-safe.
class Sealing {
 public:
  explicit Sealing(std::shared_ptr<const keyring::Keyring> keys) : keys_(std::move(keys)) {}

  bool seals() const { return keys_ != nullptr; }

  // Appends what stands on the disk for this line; neither has its newline.
  Result<> append_line(std::string& out, std::string_view line);
  // A view of `stored`, or of `room`. What cannot be opened is given back as it is: it is no line then.
  std::string_view open_line(std::string_view stored, std::string& room);

  static bool is_sealed_line(std::string_view stored);
  // Of a sealed line: whether the keys have one of its generation.
  bool has_key_of(std::string_view stored);

  Result<std::string> seal_frame(std::string_view frame, std::int64_t segment, std::size_t number);
  // Code::invalid: it cannot be opened.
  Result<std::string> open_frame(std::string_view stored, std::int64_t segment, std::size_t number);

  // `what` names the file.
  Result<std::string> seal_file(std::string_view content, std::string_view what);
  Result<std::string> open_file(std::string content, std::string_view what);

 private:
  crypto::Sealer* sealer(keyring::Generation generation);
  Result<> seal(std::string& out, std::string_view text, std::string_view context);
  bool open(std::string_view sealed, std::string_view context, std::string& text);

  std::shared_ptr<const keyring::Keyring> keys_;
  crypto::Nonces nonces_;
  std::vector<std::pair<keyring::Generation, std::unique_ptr<crypto::Sealer>>> sealers_;
  std::string room_;
};

}  // namespace mydr24::audit
