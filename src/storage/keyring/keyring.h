#pragma once

// The keys that data on this machine's disks is sealed with. A key-encryption key, which people keep in a file elsewhere,
// wraps random data keys, which stand in `keys.json` beside the data. Data keys have generations 1, 2, 3 ...: the newest
// seals, all of them open.
//
// Invariants
// - keys.json (mode 0600) holds the old keys or the new, whatever happens, and is on disk before a key of it is used.
// - Without the key-encryption key nothing of keys.json can be opened; a changed keys.json is refused.
// - No key is ever logged or part of an Error.

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/clock.h"
#include "base/core/result.h"

namespace mydr24::keyring {

inline constexpr std::string_view file_name = "keys.json";

using Generation = std::uint32_t;  // from 1
inline constexpr std::size_t generations_max = 1'000;

// The key-encryption key in a file: 32 bytes as 64 hexadecimal digits or as base64, nothing else but white space at the
// end. Code::not_found: no such file. Code::refused: others than its owner may read or write it. Code::invalid: it holds
// no key.
Result<std::string> read_key_file(const std::filesystem::path& key_file);

// What people may know of a keyring.
struct KeyInfo {
  Generation generation = 0;
  Instant made;
};

// Thread-safe.
class Keyring {
 public:
  // Makes `file` with one data key. Code::conflict: it is there already.
  static Result<std::shared_ptr<Keyring>> create(const std::filesystem::path& file,
                                                 const std::filesystem::path& key_file, Instant now);
  // Code::not_found: no such file, and what was sealed with its keys is lost without it. Code::refused: the
  // key-encryption key is another. Code::invalid: keys.json was changed.
  static Result<std::shared_ptr<Keyring>> open(const std::filesystem::path& file,
                                               const std::filesystem::path& key_file);

  Generation newest() const { return newest_.load(std::memory_order_acquire); }
  // 32 bytes. Code::not_found: there is no such generation (any more).
  Result<std::string> key(Generation generation) const;
  std::vector<KeyInfo> keys() const;  // ascending
  Generation oldest() const;

  // Takes up what another process has changed in the file since: whether there was something. Cheap when there was not.
  // On an Error (as of open()) the keys stay what they were.
  Result<bool> refresh();
  // A new generation, which seals from now on.
  Result<Generation> rotate(Instant now);
  // Takes generations below this one away, for good: nothing may be sealed with them any more.
  Result<> forget_below(Generation generation);
  // The same data keys under another key-encryption key: whoever has the old one can open this file no more, but still
  // every copy of it that was made before.
  Result<> rewrap(const std::filesystem::path& new_key_file);
  // A copy for a backup, synced. It replaces nothing: Code::conflict.
  Result<> copy_to(const std::filesystem::path& file) const;

 private:
  struct DataKey {
    Instant made;
    std::string bytes;
  };
  explicit Keyring(std::filesystem::path file) : file_(std::move(file)) {}
  // What tells that the file is another one now.
  struct Stamp {
    std::uint64_t inode = 0, size = 0;
    std::int64_t changed_ns = 0;
    bool operator==(const Stamp&) const = default;
  };
  static Stamp stamp_of(const std::filesystem::path& file);
  Result<> take(std::string_view text);
  Result<std::string> print(std::string_view kek, const std::map<Generation, DataKey>& keys) const;
  Result<> replace(std::string_view kek, std::map<Generation, DataKey> keys);  // under mutex_

  const std::filesystem::path file_;
  std::atomic<Generation> newest_ = 0;
  mutable std::mutex mutex_;
  std::string kek_;
  std::string id_;
  std::string text_;  // of the file, as we know it
  Stamp stamp_;
  std::map<Generation, DataKey> keys_;
};

}  // namespace mydr24::keyring
