#include "base/core/random.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>

namespace mydr24 {

void fill_random(unsigned char* to, std::size_t count) {
  while (count > 0) {
    const auto got = getrandom(to, count, 0);
    if (got < 0) std::abort();  // getrandom without flags fails only on a broken kernel interface
    to += got;
    count -= static_cast<std::size_t>(got);
  }
}

void take_random(unsigned char* to, std::size_t count) {
  thread_local std::array<unsigned char, 4096> pool;
  thread_local std::size_t used = pool.size();
  if (pool.size() - used < count) {
    fill_random(pool.data(), pool.size());
    used = 0;
  }
  std::copy_n(pool.data() + used, count, to);
  std::fill_n(pool.data() + used, count, 0);
  used += count;
}

std::uint64_t random64() {
  std::array<unsigned char, sizeof(std::uint64_t)> bytes{};
  std::uint64_t bits = 0;
  while (bits == 0) {
    take_random(bytes.data(), bytes.size());
    bits = std::bit_cast<std::uint64_t>(bytes);
  }
  return bits;
}

}  // namespace mydr24
