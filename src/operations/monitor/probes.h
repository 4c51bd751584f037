#pragma once

// What the monitor does by itself so that there is something to measure when nothing happens: synthetic emergencies
// over each channel, up to the provider's boundary; reading a record as for an emergency; a write; a request to
// itself; and a heartbeat to the
// outside, which is sent only while the monitor works, so that its absence tells of what cannot tell of itself.
//
// Nobody is paged: what is sent goes to probe addresses, and says that it is a test.
// Life: construct, start(), stop() before what its parts refer to goes.

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "alerting/notify/address.h"
#include "alerting/notify/channel.h"
#include "base/net/client.h"
#include "base/telemetry/log.h"
#include "operations/monitor/calls.h"

namespace mydr24::monitor {

struct Probe {
  std::string name;  // "console", "webhook loopback"
  std::unique_ptr<notify::Channel> channel;
  // It cannot fail in a way that keeps people from being reached: whether one channel works is asked of the others,
  // where there are any.
  bool always_delivers = false;
};

struct ProbeParts {
  Calls& calls;
  store::Store& store;
  const Clock& clock;
  const telemetry::Log& log;
  // The channels, made for this io_context.
  std::function<std::vector<Probe>(asio::io_context&)> make_probes;
  // Reads what an emergency needs of a record, on the calling thread.
  std::function<Result<>()> read_record;
  std::function<bool()> is_working;  // see Monitor::is_working()
  std::function<bool()> is_ending;   // the server takes no requests any more: nothing is tried
  std::function<void()> keep;        // what else is written once a minute, and so shares a commit with the probe's row
  // Where this server takes what it signed itself, over its general listener; empty: it cannot reach itself.
  std::string portal_url;
  std::string portal_secret;
  std::string heartbeat_url;  // empty: none
  std::chrono::seconds probe_every{60};
  std::chrono::seconds look_every{10};  // records, the writer, itself
  std::chrono::seconds write_every{60};
};

class Probes {
 public:
  explicit Probes(ProbeParts parts);
  ~Probes();
  Probes(const Probes&) = delete;
  Probes& operator=(const Probes&) = delete;

  void start();
  // One that is still on its way counts by its age. Once a second; thread-safe.
  void tick();
  // Waits for what is being sent (seconds at most).
  void stop();

  // What is measured here, as metrics. It must outlive whoever reads them.
  std::vector<Source> sources();
  // Nothing is known to fail that an emergency needs: it can be read, written, and sent over one channel at least.
  bool is_available() const;
  // [{"name", "medium", "delivered", "took_s", "age_s", "text"}]
  std::string channels_json() const;

 private:
  struct State {
    std::string medium;
    bool delivered = false;
    std::string text;
    Microseconds took{0};
    std::chrono::nanoseconds at{0};  // steady
  };
  void run();
  void look();
  void write();
  void probe();
  void beat();
  std::optional<double> database_s() const;
  static Task<> send(Probes& probes, Probe& probe, std::string id);
  void ask_itself();

  const ProbeParts parts_;
  asio::io_context context_{1};
  std::vector<Probe> probes_;
  Worst retrieval_{std::chrono::seconds(60)};
  Worst database_{std::chrono::seconds(60)};
  std::atomic<bool> can_read_ = true;
  std::atomic<bool> can_send_ = true;
  std::atomic<bool> can_write_ = true;
  std::atomic<std::int64_t> writing_since_ns_ = 0;  // steady; 0: no write is under way
  std::atomic<int> portal_ = -1;                    // -1: not asked yet
  std::atomic<std::int64_t> portal_at_ns_ = 0;
  std::atomic<std::int64_t> beaten_ = 0;
  std::chrono::nanoseconds looked_at_{0}, wrote_at_{0}, probed_at_{0}, beat_at_{0};  // the thread's

  mutable std::mutex mutex_;
  std::map<std::string, State> states_;                      // by name
  std::map<std::string, std::chrono::nanoseconds> sending_;  // by name: steady, since when
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace mydr24::monitor
