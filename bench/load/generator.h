#pragma once

// A closed-loop load generator: N keep-alive connections on one thread, each with at most one request in
// flight, each driven by a Flow that says the next request and judges the answer - so that dependent requests
// are possible.
//
// Invariant: every request ends as an answer, a failed answer or a connection error; none is skipped or
// repeated silently.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "app/load/histogram.h"
#include "app/load/http.h"

namespace mydr24::load {

class Flow {
 public:
  virtual ~Flow() = default;
  // Appends one HTTP request; false: this connection has nothing more to ask.
  virtual bool next(std::string& out) = 0;
  // Judges the answer to the last request; false when it is not what was expected.
  virtual bool answered(const Answer& answer) = 0;
  // The connection broke with the last request in flight: it may or may not have taken effect.
  virtual void lost() {}
};

struct Totals {
  std::uint64_t answers = 0;            // expected ones
  std::uint64_t failed = 0;             // unexpected ones
  std::uint64_t connection_errors = 0;  // requests that got no whole answer
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
  double seconds = 0;         // from the first request to the last answer
  double own_cpu_s = 0;       // of the generator's thread
  std::string first_problem;  // the first request that failed, with its answer
  Histogram latency;          // of expected answers, from the send to the last byte

  bool clean() const { return failed == 0 && connection_errors == 0; }
  double per_second() const { return seconds > 0 ? static_cast<double>(answers) / seconds : 0; }
};

class Generator {
 public:
  // One connection for each flow; opened by run().
  Generator(Endpoint endpoint, std::vector<std::unique_ptr<Flow>> flows);
  ~Generator();
  Generator(const Generator&) = delete;
  Generator& operator=(const Generator&) = delete;

  // Asks for `time`, then waits (at most 60 s) for the answers in flight; ends before when every flow has
  // ended or `stop` becomes true. Connections stay open: a second run goes on where the first ended.
  Totals run(std::chrono::nanoseconds time, const std::atomic<bool>* stop = nullptr);

 private:
  struct Connection;
  bool open(Connection& connection);
  void start(Connection& connection);
  void flush(Connection& connection);
  void receive(Connection& connection);
  void complete(Connection& connection);
  void lose(Connection& connection, const char* why);
  void note_problem(const Connection& connection, std::string_view answer);

  Endpoint endpoint_;
  std::vector<std::unique_ptr<Connection>> connections_;
  int epoll_ = -1;
  std::size_t in_flight_ = 0;
  bool asking_ = false;
  Totals totals_;
};

}  // namespace mydr24::load
