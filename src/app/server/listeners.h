#pragma once

// The ways in: the general listener, the emergency listener and the one for operators. Each has its own accept queue,
// io_contexts and threads; the emergency listener's threads outweigh the others, so that what comes in there is read
// and answered while the general one is flooded.

#include <memory>
#include <string>

#include "api/pipeline/pipeline.h"
#include "app/server/admission_desk.h"
#include "app/server/settings.h"
#include "base/async/threads.h"
#include "base/core/clock.h"
#include "base/core/result.h"
#include "base/net/http.h"
#include "base/telemetry/log.h"
#include "base/telemetry/metrics.h"

namespace mydr24::server {

// What the listeners use; all outlives them.
struct ListenerParts {
  const Settings& settings;
  const pipeline::Router& router;
  const pipeline::Router& admin_router;
  telemetry::Metrics& metrics;
  const telemetry::Log& log;
  const Clock& clock;
  ThreadWeights& weights;
  AdmissionDesk* admission;                                                      // null: everybody is let in
  std::function<void(const pipeline::Route&, std::chrono::nanoseconds)> served;  // see PipelineSettings
  access::Gatekeeper* gatekeeper;                                                // null: everybody may everything
  audit::Log* audit;                                                             // null: nothing is recorded
  std::function<bool(std::string_view)> may_read;                                // see PipelineSettings
};

class Listeners {
 public:
  virtual ~Listeners() = default;  // closes every connection
  virtual std::string base_url() const = 0;
  virtual std::string admin_url() const = 0;
  virtual std::string emergency_url() const = 0;  // empty: there is none
  // Lets requests in flight finish, emergencies last.
  virtual void drain() = 0;
};

// The error names the setting that is wrong.
Result<std::unique_ptr<Listeners>> listen(const ListenerParts& parts);

// Whether the settings ask for an emergency listener: it then has worker threads of its own.
bool has_emergency_listener(const Settings& settings);

}  // namespace mydr24::server
