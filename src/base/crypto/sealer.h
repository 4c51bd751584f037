#pragma once

// AES-256-GCM under one key, again and again, in memory of the caller: for pages and lines, where seal() would cost more
// than the cipher does. Neither class is thread-safe.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace mydr24::crypto {

inline constexpr std::size_t nonce_bytes = 12;
inline constexpr std::size_t tag_bytes = 16;

using Nonce = std::array<unsigned char, nonce_bytes>;
using Tag = std::array<unsigned char, tag_bytes>;

// Nonces of one writer: 64 random bits, drawn at the first use and again after 2^32 nonces, and a counter. Two writers of
// one key have the same random bits with a probability of n^2 / 2^65 for n writers; random nonces alone would bound a key
// to 2^32 texts, which a busy store writes in days.
class Nonces {
 public:
  void next(Nonce& nonce);

 private:
  Nonce current_{};
  std::uint32_t left_ = 0;
};

class Sealer {
 public:
  // `key`: seal_key_bytes; another length ends the process.
  explicit Sealer(std::string_view key);
  ~Sealer();
  Sealer(const Sealer&) = delete;
  Sealer& operator=(const Sealer&) = delete;

  // A text may lie in several places; each part goes where it says, which may be where it lies.
  struct Part {
    const unsigned char* from;
    unsigned char* to;
    std::size_t size;
  };

  // `context` is bound to the text and must be given again to open it.
  void seal(const Nonce& nonce, std::string_view context, std::span<const Part> text, Tag& tag);
  // False: sealed with another key or context, or changed; nothing of what stands in `to` can be used then.
  bool open(const Nonce& nonce, std::string_view context, std::span<const Part> sealed, const Tag& tag);

 private:
  struct Contexts;
  std::unique_ptr<Contexts> contexts_;
};

}  // namespace mydr24::crypto
