#pragma once

// The running system: every module built, bound to the others and started. Wiring, nothing else.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "api/pipeline/router.h"
#include "app/server/settings.h"
#include "base/core/clock.h"
#include "base/core/result.h"
#include "clinical/records/records.h"
#include "storage/store/store.h"

namespace mydr24::server {

inline constexpr std::string_view version = "0.1.0";

class System {
 public:
  virtual ~System() = default;  // drains, then closes the store

  virtual std::string base_url() const = 0;  // http://127.0.0.1:8024
  virtual std::string admin_url() const = 0;
  virtual std::string emergency_url() const = 0;  // empty: there is none
  virtual std::string openapi() const = 0;        // of every route of the general listener
  virtual records::Records& records() = 0;
  virtual store::Store& store() = 0;
  // Lets requests in flight finish; returns when no connection is open or the drain time is over. Idempotent.
  virtual void drain() = 0;
};

// Puts routes of its own into the general listener's table; what stands behind them outlives the System.
using AddRoutes = std::function<void(pipeline::Router&)>;

// Opens the store, starts timers, followers, listeners. The error names the setting or file that is wrong.
Result<std::unique_ptr<System>> start(const Settings& settings, const Clock& clock, const AddRoutes& more = {});

// Store, records and reactions without any listener, for the command line: import into a folder that no server uses.
class Workbench {
 public:
  virtual ~Workbench() = default;
  virtual records::Records& records() = 0;
  virtual store::Store& store() = 0;
};
// The plan of a search ("Patient?name=x"), as text for people.
Result<std::string> explain(records::Records& records, const std::string& search);

Result<std::unique_ptr<Workbench>> open_workbench(const Settings& settings, const Clock& clock);

}  // namespace mydr24::server
