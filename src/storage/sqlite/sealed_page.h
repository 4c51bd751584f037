#pragma once

// Pages of the database file and frames of its write-ahead log as they stand on the disk of an encrypted store. Private
// to storage/sqlite.
//
// A page is sealed as a whole but for its last 32 bytes, which SQLite leaves alone (they are zeros for it):
//   4064 bytes sealed | nonce 12 | tag 16 | generation of the key 4, little-endian
// bound to its number. Page 1 begins with sealed_mark in place of SQLite's own, which says nothing. A frame is its header of
// 24 bytes and its page: the header's checksum is of the content, so it is sealed together with the page; the rest of the
// header (page number, commit mark, salts) is bound to it.

#include <sqlite3.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/crypto/sealer.h"
#include "storage/keyring/keyring.h"

namespace mydr24::sqlite {

inline constexpr std::size_t sealed_page_bytes = 4'096;
inline constexpr std::size_t reserved_bytes = 32;
inline constexpr std::string_view sealed_mark{"MyDR24 sealed 1\0", 16};
inline constexpr std::string_view plain_mark{"SQLite format 3\0", 16};

inline constexpr std::size_t wal_header_bytes = 32;
inline constexpr std::size_t frame_header_bytes = 24;
inline constexpr std::size_t frame_bytes = frame_header_bytes + sealed_page_bytes;

using PageNumber = std::uint32_t;
using Page = std::array<unsigned char, sealed_page_bytes>;
using FrameHeader = std::array<unsigned char, frame_header_bytes>;
using Frame = std::array<unsigned char, frame_bytes>;

// With the keys of one keyring, which must outlive it. Not thread-safe.
class PageSealer {
 public:
  explicit PageSealer(const keyring::Keyring& keys) : keys_(keys) {}

  // False: the reserved bytes are not zeros, or there is no key. `page` has sealed_page_bytes.
  bool seal(PageNumber number, const unsigned char* page, Page& sealed);
  // In place. False: it is not what was sealed as that page; what stands there then is of no use.
  bool open(PageNumber number, unsigned char* page);

  bool seal(const FrameHeader& header, const unsigned char* page, Frame& sealed);
  // The page is written to `page`.
  bool open(const Frame& sealed, FrameHeader& header, unsigned char* page);

  // Of a sealed page as it stands on the disk.
  static keyring::Generation generation_of(const unsigned char* page);
  // Why the last call failed, for people.
  const std::string& fault() const { return fault_; }

 private:
  crypto::Sealer* sealer(keyring::Generation generation);
  bool check_reserved(const unsigned char* page);
  bool changed();

  const keyring::Keyring& keys_;
  crypto::Nonces nonces_;
  std::vector<std::pair<keyring::Generation, std::unique_ptr<crypto::Sealer>>> sealers_;
  std::string fault_;
};

}  // namespace mydr24::sqlite
