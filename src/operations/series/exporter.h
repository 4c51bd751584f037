#pragma once

// Pushes to an OpenTelemetry collector (OTLP/HTTP) what a source makes: metrics or traces. A few exports that could not be sent wait
// and go first when it answers again, the oldest are given up; pauses grow while it does not answer.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/core/clock.h"
#include "base/net/client.h"

namespace mydr24::series {

struct ExporterSettings {
  std::string url;  // http://collector:4318/v1/metrics
  std::chrono::milliseconds every{15'000};
  bool json = false;          // else protobuf
  std::size_t queue_max = 8;  // exports that wait
  std::chrono::milliseconds pause_max{300'000};
};

class Exporter {
 public:
  // Makes the exports that are due, in the encoding of the settings; asked on the exporter's thread. What it uses must outlive
  // the exporter.
  using Source = std::function<std::vector<std::string>()>;
  Exporter(ExporterSettings settings, Source source, const Clock& clock);
  ~Exporter();
  Exporter(const Exporter&) = delete;
  Exporter& operator=(const Exporter&) = delete;

  void start();
  void stop();
  std::int64_t sent() const { return sent_.load(); }
  std::int64_t failed() const { return failed_.load(); }
  std::int64_t given_up() const { return given_up_.load(); }

 private:
  enum class Outcome : std::uint8_t { taken, later, never };
  void run();
  void enqueue();
  Outcome send(const std::string& body, std::chrono::milliseconds& pause);

  const ExporterSettings settings_;
  const Source source_;
  const Clock& clock_;
  std::deque<std::string> queue_;
  std::atomic<std::int64_t> sent_ = 0;
  std::atomic<std::int64_t> failed_ = 0;
  std::atomic<std::int64_t> given_up_ = 0;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace mydr24::series
