#pragma once

// Totals that are asked for again and again, kept up to date by the writer: of a type, of a token. Private to
// storage/sqlite.
//
// Invariant: a total that is given is exact after some commit no older than the asker's view. At most kept_max totals;
// those not asked for longest go first. Thread-safe.

#include <cstdint>
#include <mutex>
#include <optional>
#include <random>
#include <span>
#include <string_view>
#include <unordered_map>

#include "storage/store/store.h"

namespace mydr24::sqlite {

class Totals {
 public:
  // A change by one Work. Keys are hashes that begin with a secret of this process, so that nobody makes two meet.
  struct Change {
    std::uint64_t key = 0;
    int by = 0;
  };

  std::uint64_t key_of_type(std::int64_t type) const { return key('t', type, "", ""); }
  std::uint64_t key_of_code(std::int64_t parameter, std::string_view code) const {
    return key('c', parameter, code, "");
  }
  std::uint64_t key_of_token(std::int64_t parameter, std::string_view code, std::string_view system) const {
    return key('s', parameter, code, system);
  }

  struct Kept {
    std::int64_t total = 0;
    store::Sequence as_of = 0;  // the journal's end at the commit of which it is
  };
  std::optional<Kept> get(std::uint64_t key);
  // Before counting in a view whose journal ends with `seen`. False: the view is not the newest, count without keeping.
  bool start(std::uint64_t key, store::Sequence seen);
  void finish(std::uint64_t key, std::int64_t counted);

  // By the writer, after a commit whose journal ends with `last`, before anybody is told of it.
  void apply(std::span<const Change> changes, store::Sequence last);

 private:
  static constexpr std::size_t kept_max = 1'024;
  struct Entry {
    std::int64_t total = 0;  // until it is counted: the changes since `seen`
    bool counted = false;
    store::Sequence seen = 0;
    std::uint64_t asked = 0;
  };

  std::uint64_t key(char kind, std::int64_t number, std::string_view text, std::string_view more) const {
    std::uint64_t hash = secret_;  // FNV-1a
    const auto mix = [&hash](std::uint64_t byte) { hash = (hash ^ byte) * 0x100000001b3; };
    mix(static_cast<unsigned char>(kind));
    mix(static_cast<std::uint64_t>(number));
    for (const char c : text) mix(static_cast<unsigned char>(c));
    mix(0x1ff);
    for (const char c : more) mix(static_cast<unsigned char>(c));
    return hash ^ (hash >> 32);
  }
  void make_room();

  const std::uint64_t secret_ = std::uint64_t{std::random_device()()} << 32 | std::random_device()();
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, Entry> entries_;
  store::Sequence applied_ = 0;
  std::uint64_t asked_ = 0;
};

}  // namespace mydr24::sqlite
