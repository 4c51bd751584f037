#pragma once

// The open-loop generator: requests are sent when they are due, whatever became of those before, over thousands of
// connections on one thread. Latency counts from the moment a request was due, so that a server (or a generator) that
// stalls is charged for everything that waited.
//
// Invariant: a late request is sent late, never left out; every request ends in one outcome.

#include <atomic>
#include <chrono>
#include <deque>
#include <queue>
#include <vector>

#include "app/surge/answer_scanner.h"
#include "app/surge/load_result.h"
#include "app/surge/load_spec.h"
#include "app/surge/request_maker.h"
#include "app/surge/wire.h"
#include "base/core/clock.h"

namespace mydr24::surge {

class OpenLoop {
 public:
  OpenLoop(LoadSpec spec, const Clock& clock);
  ~OpenLoop();
  OpenLoop(const OpenLoop&) = delete;
  OpenLoop& operator=(const OpenLoop&) = delete;

  // Opens every connection that is kept; takes at most a minute and 10 ms for each.
  Result<> connect();
  // Runs the profile from `begin` (steady time) on and waits for what is in flight; ends early when `stop` is true.
  LoadResult run(std::chrono::nanoseconds begin, const std::atomic<bool>* stop = nullptr);

 private:
  using Nanoseconds = std::chrono::nanoseconds;

  struct Request {
    Nanoseconds first_due{};
    Nanoseconds due{};
    Ask ask;
    std::uint32_t attempts = 0;
  };
  struct Connection {
    Wire wire;
    AnswerScanner scanner;
    Request request;
    std::string unsent;
    std::uint32_t sequence = 0;  // of its requests: tells an old deadline from the present one
    std::uint32_t source = 0;
    bool busy = false;
    bool heavy = false;
  };
  struct Deadline {
    Nanoseconds at{};
    std::uint32_t connection = 0;
    std::uint32_t sequence = 0;
  };
  struct Later {
    bool operator()(const Request& a, const Request& b) const { return a.due > b.due; }
  };

  void place_connections();
  Result<> open(std::uint32_t index);
  bool issue_due(Nanoseconds begin);  // false: the profile is over
  void start(Request request);
  void send_waiting();
  void send_on(std::uint32_t index, Request request);
  void flush(Connection& connection, std::uint32_t index);
  void receive(std::uint32_t index);
  void expire();
  void end_attempt(std::uint32_t index, Outcome outcome, bool close);
  void finish(const Request& request, Outcome outcome, int retry_after_s, const Connection* connection);
  bool try_again(Request request, Outcome outcome, int retry_after_s);
  Nanoseconds pause_before_retry(std::uint32_t attempts, int retry_after_s);
  void note_problem(const Ask& ask, std::string_view what);
  void wait_and_handle(Nanoseconds next_due);
  bool counts(const Request& request) const { return request.first_due - begin_ >= warm_up_; }

  const LoadSpec spec_;
  const Clock& clock_;
  RequestMaker maker_;
  Arrivals arrivals_;
  std::mt19937_64 random_;
  const Nanoseconds warm_up_;
  const Nanoseconds rest_;
  TlsClient tls_;
  int epoll_ = -1;
  std::vector<Connection> connections_;
  std::deque<std::uint32_t> free_;
  std::deque<Request> waiting_;
  std::deque<Deadline> deadlines_;
  std::priority_queue<Request, std::vector<Request>, Later> retries_;
  std::uint64_t retried_ = 0;
  std::uint64_t in_flight_ = 0;
  Nanoseconds begin_{};
  Nanoseconds next_arrival_{};
  std::string buffer_;
  std::string request_text_;
  LoadResult result_;
};

}  // namespace mydr24::surge
