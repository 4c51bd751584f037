#include "storage/store/store.h"

#include <condition_variable>
#include <mutex>

namespace mydr24::store {

Result<> Store::write(RequestClass request_class, Work work) {
  std::mutex mutex;
  std::condition_variable finished;
  std::optional<Result<>> outcome;
  submit(request_class, std::move(work), [&](Result<> result) {
    const std::scoped_lock lock(mutex);
    outcome = std::move(result);
    finished.notify_one();  // under the lock: the waiter must not leave, and destroy all this, before it
  });
  std::unique_lock lock(mutex);
  finished.wait(lock, [&] { return outcome.has_value(); });
  return std::move(*outcome);
}

}  // namespace mydr24::store
