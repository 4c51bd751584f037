#pragma once

// Vital signs by MQTT (3.1.1 or 5): subscribes at a broker and writes every message as a sample
// (clinical/vitals/sample.h). The patient is the last level of the topic ("mydr24/vitals/p1") unless the payload names
// one. A message may come twice, so a payload needs `id` or `at`: then the second one stores nothing new.
//
// Invariants
// - A message of QoS 1 is acknowledged only after its sample is on disk, or was found to be wrong. When the store
//   cannot take it (busy, full) the connection is dropped unacknowledged; the broker keeps the session and sends it
//   again.
// - Memory is bounded: at most messages_at_once_max are held; until they are written nothing more is read from the
//   broker.
// - What is wrong with a message is counted; neither topic nor payload is ever logged.
//
// It reconnects by itself, first after retry_first, then twice as long each time up to retry_max. One thread of its
// own.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/core/result.h"
#include "base/telemetry/log.h"
#include "clinical/records/records.h"

namespace mydr24::mqtt {

inline constexpr std::size_t messages_at_once_max = 64;

enum class Protocol : std::uint8_t { v311, v5 };

struct Settings {
  std::string host;
  std::uint16_t port = 1883;
  Protocol protocol = Protocol::v5;
  std::string client_id = "mydr24";  // names the session at the broker: one for each server
  std::vector<std::string> topics{"mydr24/vitals/+"};
  std::string username;  // empty: anonymous
  std::string password;
  std::string ca_file;  // PEM; empty and tls: the system's certificates
  bool tls = false;
  std::chrono::seconds keep_alive{30};
  std::chrono::seconds session_expiry{24 * 3600};  // how long the broker keeps what came meanwhile (MQTT 5)
  std::chrono::milliseconds retry_first{1'000};
  std::chrono::milliseconds retry_max{30'000};
  // In whose name a batch is written. Empty: the server's own.
  std::function<Result<std::shared_ptr<access::Access>>()> access;
  // Told of a message about that patient that they may not write; it is acknowledged and counted as rejected. May be empty.
  std::function<void(std::string_view patient)> refused;
};

// Readable by any thread.
struct Counters {
  std::atomic<bool> connected = false;
  std::atomic<std::int64_t> connections = 0;
  std::atomic<std::int64_t> received = 0;
  std::atomic<std::int64_t> stored = 0;     // also what was there already
  std::atomic<std::int64_t> rejected = 0;   // wrong: acknowledged and not stored
  std::atomic<std::int64_t> postponed = 0;  // not taken by the store: the broker sends them again
};

class Subscriber {
 public:
  // All must outlive it.
  static Result<std::unique_ptr<Subscriber>> start(Settings settings, const records::Records& records,
                                                   const Clock& clock, const telemetry::Log& log);
  ~Subscriber();  // finishes what it holds, then disconnects; the session stays at the broker
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;

  const Counters& counters() const;

 private:
  class Loop;
  explicit Subscriber(std::unique_ptr<Loop> loop);
  std::unique_ptr<Loop> loop_;
};

}  // namespace mydr24::mqtt
