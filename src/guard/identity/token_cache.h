#pragma once

// Principals of tokens that were looked at a moment ago, by the digest of the token. Each thread has a part of its own,
// so that no lock is contended: a token is looked at once by each thread that meets it. Private to guard/identity.

#include <array>
#include <atomic>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "base/core/clock.h"
#include "base/crypto/digest.h"
#include "guard/access/principal.h"

namespace mydr24::identity {

class TokenCache {
 public:
  static constexpr std::chrono::seconds valid{2};
  static constexpr std::size_t entries_max = 8'192;  // of a thread

  using PrincipalPtr = std::shared_ptr<const access::Principal>;

  struct Entry {
    PrincipalPtr principal;
    Instant seen;
    Instant touch_due;      // from when on a request of the person is to be written down
    std::uint64_t age = 0;  // what age() was before the token was looked at
  };

  // Null when there is none, or one that has to be looked at again.
  PrincipalPtr find(const crypto::Sha256& digest, Instant now, bool attended) {
    Part& part = mine();
    const std::lock_guard lock(part.mutex);
    const auto found = part.entries.find(digest);
    if (found == part.entries.end()) return nullptr;
    const Entry& entry = found->second;
    const bool stands = now >= entry.seen && now < entry.seen + valid && now < entry.principal->expires &&
                        !(attended && now >= entry.touch_due) && entry.age == age();
    return stands ? entry.principal : nullptr;
  }

  void put(const crypto::Sha256& digest, Entry entry) {
    Part& part = mine();
    const std::lock_guard lock(part.mutex);
    if (part.entries.size() >= entries_max) {
      std::erase_if(part.entries, [&](const auto& each) { return entry.seen >= each.second.seen + valid; });
      if (part.entries.size() >= entries_max) part.entries.clear();
    }
    part.entries[digest] = std::move(entry);
  }

  void erase(const crypto::Sha256& digest) {
    Part& part = mine();
    const std::lock_guard lock(part.mutex);
    part.entries.erase(digest);
  }

  std::uint64_t age() const { return age_.load(std::memory_order_acquire); }
  // Everything is looked at again.
  void forget() { age_.fetch_add(1, std::memory_order_acq_rel); }

 private:
  struct Hash {
    std::size_t operator()(const crypto::Sha256& digest) const {
      std::size_t value = 0;
      std::memcpy(&value, digest.data(), sizeof value);
      return value;
    }
  };
  struct alignas(64) Part {
    std::mutex mutex;  // only ever waited for when there are more threads than parts
    std::unordered_map<crypto::Sha256, Entry, Hash> entries;
  };

  static constexpr std::size_t parts = 64;
  Part& mine() {
    static std::atomic<std::size_t> threads = 0;
    thread_local const std::size_t number = threads.fetch_add(1) % parts;
    return parts_[number];
  }

  std::array<Part, parts> parts_;
  std::atomic<std::uint64_t> age_ = 0;
};

}  // namespace mydr24::identity
