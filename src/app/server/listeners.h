#pragma once

// The ways in: the general listener, the emergency listener and the one for operators. Each has its own accept queue,
// io_contexts and threads; the emergency listener's threads outweigh the others, so that what comes in there is read
// and answered while the general one is flooded.
//
// Of several tenants, a request is for the one whose host it names; where it names none, as with an IP address, for the one
// whose name its bearer token begins with; else it is answered 421 (RFC 9110, 15.5.20).

#include <memory>
#include <string>
#include <string_view>
#include <vector>

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

// The way to one tenant. All that it refers to outlives the listeners.
struct Door {
  std::string tenant;              // empty: the only one, which answers for every host
  std::vector<std::string> hosts;  // lower case, without port
  const pipeline::Router& router;
  const pipeline::Router& admin_router;
  telemetry::Metrics& metrics;
  const telemetry::Log& log;
  const Clock& clock;
  pipeline::PipelineSettings settings;  // what is the tenant's of them
};

// What the listeners use; all outlives them.
struct ListenerParts {
  const Settings& settings;
  std::vector<Door> doors;
  const pipeline::Router& admin_router;  // of the server: where the admin listener is asked for no tenant
  telemetry::Metrics& metrics;
  const telemetry::Log& log;
  const Clock& clock;
  ThreadWeights& weights;
  AdmissionDesk* admission;  // null: everybody is let in
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
