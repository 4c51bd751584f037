#pragma once

// The pager of a bench or test: an HTTP listener on a thread of its own that answers every POST and keeps what came.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace mydr24::load {

struct Delivery {
  std::chrono::nanoseconds at{};  // system_clock().steady() when the last byte had come
  std::string path;
  std::string head;  // request line and headers
  std::string body;
  int answered = 0;  // the status it got; 0: none, the receiver hung
};

class WebhookReceiver {
 public:
  // Of what came, the newest `kept_max` are kept. `port` 0: any free one. Throws when it cannot be listened at.
  explicit WebhookReceiver(std::uint16_t port = 0, std::size_t kept_max = std::numeric_limits<std::size_t>::max());
  ~WebhookReceiver();
  WebhookReceiver(const WebhookReceiver&) = delete;
  WebhookReceiver& operator=(const WebhookReceiver&) = delete;

  std::string url(std::string_view path = "/hook") const;

  // The status of the answers from now on; 200 at first.
  void answer_with(int status) { status_ = status; }

  // While it hangs it takes what comes and never answers; afterwards those connections are closed.
  void hang(bool hangs) { hangs_ = hangs; }

  std::vector<Delivery> deliveries() const;
  // Waits until `enough` is true of all that came; false after `time_max`.
  bool wait(std::chrono::milliseconds time_max, const std::function<bool(const std::vector<Delivery>&)>& enough) const;

 private:
  struct Peer;
  void serve();
  bool read_requests(Peer& peer);

  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> status_ = 200;
  std::atomic<bool> hangs_ = false;
  mutable std::mutex mutex_;
  mutable std::condition_variable arrived_;
  std::deque<Delivery> deliveries_;
  const std::size_t kept_max_;
  std::thread thread_;
};

}  // namespace mydr24::load
