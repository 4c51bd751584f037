#pragma once

// Trains zstd dictionaries on the bodies that are written, on a thread of low priority. Private to the engines.
//
// Invariant: a dictionary is used only after it is on stable storage.

#include <array>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/core/result.h"
#include "base/telemetry/log.h"
#include "storage/store/body_codec.h"

namespace mydr24::store {

class Trainer {
 public:
  using LogLine = std::function<void(telemetry::Level, std::string_view)>;
  // Stores a dictionary; returns when it is safe.
  using Save = std::function<Result<>(std::uint32_t number, std::string_view bytes)>;

  Trainer(BodyCodec& codec, Save save, LogLine log);
  ~Trainer();

  // A body that is being packed. Cheap when no more samples are wanted. Thread-safe.
  void sample(std::string_view text);

 private:
  void run();
  void train(const std::vector<std::string>& samples);

  BodyCodec& codec_;
  Save save_;
  LogLine log_;

  std::atomic<bool> wanted_{false};
  std::mutex mutex_;
  std::condition_variable ready_;
  std::vector<std::string> samples_;  // a fair choice among all bodies seen
  std::uint64_t seen_ = 0;
  std::uint64_t random_ = 0x9e3779b97f4a7c15;
  std::size_t stage_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace mydr24::store
