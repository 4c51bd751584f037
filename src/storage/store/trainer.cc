#include "storage/store/trainer.h"

#include <fmt/format.h>
#include <pthread.h>
#include <sys/resource.h>
#include <zdict.h>

#include <cstring>

namespace mydr24::store {
namespace {

// A first dictionary soon; better ones when more kinds of resources have been seen.
constexpr std::array<std::uint64_t, 3> bodies_seen{2'000, 20'000, 100'000};
constexpr std::size_t samples_max = 2'000;
constexpr std::size_t sample_bytes_max = 4'096;
constexpr std::size_t dictionary_bytes_max = 96 << 10;
constexpr double worth_keeping = 0.97;  // of the size with the dictionary before
constexpr int low_priority =
    10;  // lower still, it would hardly run while the server is busy: bodies would stay large for long

struct FreeDictionary {
  void operator()(ZSTD_CDict* dictionary) const { ZSTD_freeCDict(dictionary); }
};

}  // namespace

Trainer::Trainer(BodyCodec& codec, Save save, LogLine log)
    : codec_(codec), save_(std::move(save)), log_(std::move(log)), stage_(codec.dictionaries()) {
  if (stage_ >= bodies_seen.size()) return;
  wanted_ = true;
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "store-trainer");
    setpriority(PRIO_PROCESS, 0, low_priority);  // on Linux: this thread alone
    run();
  });
}

Trainer::~Trainer() {
  if (!thread_.joinable()) return;
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  ready_.notify_all();
  thread_.join();
}

void Trainer::sample(std::string_view text) {
  if (!wanted_.load(std::memory_order_relaxed)) return;
  const std::scoped_lock lock(mutex_);
  if (stage_ >= bodies_seen.size()) return;
  ++seen_;
  const auto part = text.substr(0, sample_bytes_max);
  if (samples_.size() < samples_max) {
    samples_.emplace_back(part);
  } else {
    // Reservoir sampling (Vitter's algorithm R) with xorshift64 numbers.
    random_ ^= random_ << 13;
    random_ ^= random_ >> 7;
    random_ ^= random_ << 17;
    if (const auto at = random_ % seen_; at < samples_max) samples_[at] = part;
  }
  if (seen_ == bodies_seen[stage_]) ready_.notify_all();
}

void Trainer::run() {
  for (;;) {
    std::vector<std::string> samples;
    {
      std::unique_lock lock(mutex_);
      ready_.wait(lock, [this] { return stopping_ || seen_ >= bodies_seen[stage_]; });
      if (stopping_) return;
      if (++stage_ < bodies_seen.size()) {
        samples = samples_;
      } else {
        wanted_ = false;
        samples = std::exchange(samples_, {});
      }
    }
    train(samples);
    if (!wanted_) return;
  }
}

void Trainer::train(const std::vector<std::string>& samples) {
  std::string all;
  std::vector<std::size_t> sizes;
  for (const auto& sample : samples) {
    all += sample;
    sizes.push_back(sample.size());
  }
  std::string bytes(dictionary_bytes_max, '\0');
  const std::size_t size =
      ZDICT_trainFromBuffer(bytes.data(), bytes.size(), all.data(), sizes.data(), static_cast<unsigned>(sizes.size()));
  if (ZDICT_isError(size) != 0) return;  // too few or too odd bodies: the next stage tries again
  bytes.resize(size);
  // The trainer draws the number at random; ours count up. Format: magic number, then the number, little-endian
  // (RFC 8878, section 5).
  const auto number = dictionary_first + static_cast<std::uint32_t>(codec_.dictionaries());
  for (int i = 0; i < 4; ++i) bytes[4 + i] = static_cast<char>(number >> (8 * i));

  const std::unique_ptr<ZSTD_CDict, FreeDictionary> fresh(ZSTD_createCDict(bytes.data(), bytes.size(), 3));
  std::size_t now = 0;
  std::size_t then = 0;
  for (const auto& sample : samples) {
    now += codec_.packed_size(sample);
    then += BodyCodec::packed_size(sample, fresh.get());
  }
  if (static_cast<double>(then) > worth_keeping * static_cast<double>(now)) return;
  auto saved = save_(number, bytes);
  if (saved) saved = codec_.add(std::move(bytes));
  if (!saved) {
    log_(telemetry::Level::warn, fmt::format("a dictionary for bodies is not used: {}", saved.error().text));
    return;
  }
  log_(telemetry::Level::debug,
       fmt::format("bodies are packed with a new dictionary: {} bytes of samples take {} instead of {}", all.size(),
                   then, now));
}

}  // namespace mydr24::store
