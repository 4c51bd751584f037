#pragma once

// One client of the crash test: writes without pause on its own connection until the server is gone, and remembers
// exactly what was acknowledged - and what was under way when the connection broke, which may or may not have taken
// effect.

#include <atomic>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "app/load/http.h"

namespace mydr24::live {

// What is known of one resource, "Type/id".
struct Known {
  std::int64_t version = 0;  // acknowledged last
  std::string mark;          // a text of that version
  bool maybe_next = false;   // one more write was sent and never answered
  std::string next_mark;
};

struct Ledger {
  std::map<std::string, Known> resources;
  std::vector<std::string> alarms;  // patients ("Patient/x") with an acknowledged emergency
  std::uint64_t acknowledged = 0;   // requests
  std::string problem;              // an answer that was not expected
};

class Writer {
 public:
  // `number` makes its ids its own.
  Writer(std::size_t number, std::uint64_t seed) : number_(number), random_(seed) {}

  // Until the connection breaks or `stop`.
  void write(const load::Endpoint& endpoint, const std::atomic<bool>& stop);

  Ledger& ledger() { return ledger_; }
  const Ledger& ledger() const { return ledger_; }

 private:
  bool create(load::HttpClient& http);
  bool update(load::HttpClient& http);
  bool transact(load::HttpClient& http);
  bool alarm(load::HttpClient& http);
  bool put(load::HttpClient& http, const std::string& reference, const std::string& body, const std::string& mark);
  bool expect(const Result<load::Reply>& reply, int status);
  bool remember(const load::Reply& reply, const std::string& mark);

  std::size_t number_;
  std::mt19937_64 random_;
  std::uint64_t serial_ = 0;
  std::vector<std::string> updatable_;  // references of resources made by put()
  Ledger ledger_;
};

}  // namespace mydr24::live
