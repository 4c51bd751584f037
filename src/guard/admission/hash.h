#pragma once

#include <cstdint>
#include <string_view>

namespace mydr24::admission {

// FNV-1a, then mixed (MurmurHash3's finalizer) so that every bit depends on all of the text. Spreads clients over queues
// and cohorts; not a secret.
constexpr std::uint64_t hash(std::string_view text) {
  std::uint64_t value = 0xcbf29ce484222325U;
  for (const char c : text) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  value ^= value >> 33;
  value *= 0xff51afd7ed558ccdU;
  value ^= value >> 33;
  value *= 0xc4ceb9fe1a85ec53U;
  return value ^ (value >> 33);
}

}  // namespace mydr24::admission
