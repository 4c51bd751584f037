#pragma once

// Bodies as zstd frames, with dictionaries trained on the bodies themselves: FHIR resources are small and alike, and a
// dictionary makes them three to four times smaller than plain zstd does. For the engines, and for what modules keep
// packed (without a dictionary).
//
// Invariant: a frame names its dictionary; a dictionary that was ever used is kept for ever. Thread-safe.

#include <zstd.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"

namespace mydr24::store {

inline constexpr std::size_t body_bytes_max = std::size_t{64} << 20;
inline constexpr std::uint32_t dictionary_first = 32'768;  // numbers below are reserved by the format

class BodyCodec {
 public:
  std::string pack(std::string_view text) const;
  Result<> unpack(std::string_view frame, std::string& text) const;

  // From now on `bytes` is used for packing. Its number is in it; one that is there already is left out.
  Result<> add(std::string bytes);
  std::size_t dictionaries() const { return newest().size(); }

  // How large `text` would be with that dictionary (null: with the one now in use), in bytes.
  static std::size_t packed_size(std::string_view text, const ZSTD_CDict* dictionary);
  std::size_t packed_size(std::string_view text) const { return pack(text).size(); }

 private:
  struct Dictionary {
    std::uint32_t number = 0;
    std::shared_ptr<const ZSTD_CDict> compress;
    std::shared_ptr<const ZSTD_DDict> decompress;
  };
  using Dictionaries = std::vector<Dictionary>;  // ascending numbers

  const Dictionaries& newest() const { return *current_.load(std::memory_order_acquire); }

  std::mutex adding_;
  // Readers take a plain pointer; sets that were replaced stay until the end (there are a handful in a database's
  // life).
  std::vector<std::unique_ptr<const Dictionaries>> kept_ = first_set();
  std::atomic<const Dictionaries*> current_{kept_.back().get()};

  static std::vector<std::unique_ptr<const Dictionaries>> first_set();
};

}  // namespace mydr24::store
