#pragma once

// A store, the records in it and the reactions that belong to every write of them: what a server has of each tenant, and what
// commands work with that need no listener.

#include <memory>

#include "alerting/alerts/book.h"
#include "app/server/settings.h"
#include "base/async/threads.h"
#include "base/telemetry/log.h"
#include "clinical/conformance/conformance.h"
#include "clinical/consents/consents.h"
#include "clinical/records/records.h"
#include "clinical/summary/summary.h"
#include "clinical/vitals/watch.h"
#include "storage/store/store.h"

namespace mydr24::server {

struct Core {
  std::unique_ptr<oncall::Directory> directory;
  std::unique_ptr<alerts::Book> book;
  std::unique_ptr<vitals::Watch> watch;
  std::unique_ptr<records::Records> records;  // before the store: until it is closed, its followers write
  std::unique_ptr<conformance::Conformance> conformance;
  std::unique_ptr<summary::Summaries> summaries;
  std::unique_ptr<consents::Consents> consents;
  std::unique_ptr<store::Store> store;

  Core() = default;
  ~Core();
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  // All must outlive it. `serves`: as a part of a server; else for a command that loads or looks.
  Result<> open(const Settings& settings, const telemetry::Log& log, ThreadWeights& weights, const Clock& clock,
                bool serves);
};

}  // namespace mydr24::server
