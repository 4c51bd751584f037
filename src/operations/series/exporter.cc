#include "operations/series/exporter.h"

#include <pthread.h>

#include <algorithm>
#include <charconv>

namespace mydr24::series {
namespace {

constexpr std::chrono::seconds time_max{3};
constexpr std::chrono::milliseconds first_pause{1'000};

}  // namespace

Exporter::Exporter(ExporterSettings settings, Source source, const Clock& clock)
    : settings_(std::move(settings)), source_(std::move(source)), clock_(clock) {}

Exporter::~Exporter() { stop(); }

void Exporter::start() {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "otlp");
    run();
  });
}

void Exporter::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Exporter::enqueue() {
  for (std::string& made : source_()) {
    queue_.push_back(std::move(made));
    if (queue_.size() <= settings_.queue_max) continue;
    queue_.pop_front();
    ++given_up_;
  }
}

// What to do with an answer: the OTLP specification, "OTLP/HTTP response".
Exporter::Outcome Exporter::send(const std::string& body, std::chrono::milliseconds& pause) {
  net::ClientRequest request;
  request.method = net::Method::post;
  const auto url = net::parse_url(settings_.url);
  if (!url) return Outcome::never;
  request.url = *url;
  request.headers = {{"Content-Type", settings_.json ? "application/json" : "application/x-protobuf"}};
  request.body = body;
  request.time_max = time_max;
  request.answer_bytes_max = 64U << 10;
  const auto response = net::send_blocking(std::move(request));
  if (!response) return Outcome::later;
  if (response->status / 100 == 2) return Outcome::taken;
  const std::string_view after = response->header("Retry-After");
  std::int64_t seconds = 0;
  if (std::from_chars(after.data(), after.data() + after.size(), seconds).ec == std::errc() && seconds > 0)
    pause = std::max<std::chrono::milliseconds>(pause, std::chrono::seconds(std::min<std::int64_t>(seconds, 3'600)));
  const int status = response->status;
  return status == 429 || status == 502 || status == 503 || status == 504 ? Outcome::later : Outcome::never;
}

void Exporter::run() {
  std::chrono::nanoseconds next = clock_.steady() + settings_.every;
  std::chrono::nanoseconds send_at = next;
  std::chrono::milliseconds pause = first_pause;
  std::unique_lock lock(mutex_);
  const auto is_stopping = [this] {
    const std::lock_guard held(mutex_);
    return stopping_;
  };
  const auto left = [&] {
    return std::max((queue_.empty() ? next : std::min(next, send_at)) - clock_.steady(), std::chrono::nanoseconds(0));
  };
  while (!wake_.wait_for(lock, left(), [this] { return stopping_; })) {
    lock.unlock();
    const auto now = clock_.steady();
    if (now >= next) {
      enqueue();
      next = std::max<std::chrono::nanoseconds>(next + settings_.every, now);
    }
    while (!queue_.empty() && now >= send_at && !is_stopping()) {
      std::chrono::milliseconds wait = pause;
      const Outcome outcome = send(queue_.front(), wait);
      if (outcome != Outcome::taken) ++failed_;
      if (outcome == Outcome::later) {
        send_at = clock_.steady() + wait;
        pause = std::min(pause * 2, settings_.pause_max);
        break;
      }
      if (outcome == Outcome::taken) {
        ++sent_;
        pause = first_pause;
      } else {
        ++given_up_;
      }
      queue_.pop_front();
    }
    lock.lock();
  }
}

}  // namespace mydr24::series
