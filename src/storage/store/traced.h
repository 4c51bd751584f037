#pragma once

// A write whose way through the store a trace tells: how long it waited for the writer, worked in its transaction, and was
// brought to the disk with the others of its commit.

#include "base/telemetry/traces.h"
#include "storage/store/store.h"

namespace mydr24::store {

// As Store::submit. `trace` null: nothing is told; else it must live until `done` was called.
inline void submit(Store& store, telemetry::Trace* trace, RequestClass request_class, Work work, Done done) {
  if (trace == nullptr) return store.submit(request_class, std::move(work), std::move(done));
  struct Times {
    std::chrono::nanoseconds submitted{0};
    std::chrono::nanoseconds begun{0};
    std::chrono::nanoseconds worked{0};
  };
  const auto times = std::make_shared<Times>(Times{.submitted = trace->steady()});
  store.submit(
      request_class,
      [trace, times, work = std::move(work)](Transaction& transaction) mutable -> Result<> {
        times->begun = trace->steady();
        auto worked = work(transaction);
        times->worked = trace->steady();
        return worked;
      },
      [trace, times, done = std::move(done)](Result<> result) mutable {
        const auto now = trace->steady();
        const bool has_begun = times->begun.count() != 0;
        trace->add("store queue", times->submitted, has_begun ? times->begun : now);
        if (has_begun) {
          trace->add("store transaction", times->begun, times->worked);
          if (result) trace->add("store commit", times->worked, now);
        }
        done(std::move(result));
      });
}

}  // namespace mydr24::store
