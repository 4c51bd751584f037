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

namespace {
Error not_here() { return fail(Code::unsupported, "this store cannot do that"); }
}  // namespace

Result<std::string> Reader::explain(const search::Query&) { return not_here(); }
Result<std::vector<ParameterValue>> Reader::values(const search::Parameter&, std::uint32_t) { return not_here(); }
Result<std::vector<JournalLine>> Reader::journal(Sequence, std::uint32_t) { return not_here(); }
Result<std::vector<SpaceRow>> Reader::all_states(std::string_view, std::string_view, std::uint32_t) {
  return not_here();
}
Result<std::vector<Timer>> Reader::all_timers(std::string_view, std::uint32_t) { return not_here(); }
Result<std::vector<std::pair<std::string, Sequence>>> Reader::cursors() { return not_here(); }

Result<> Transaction::reindex(std::string_view, std::string_view, std::int64_t, std::span<const search::IndexEntry>,
                              std::span<const search::IndexEntry>) {
  return not_here();
}
Result<> Transaction::replay(const JournalLine&, const PackedBody*, std::span<const search::IndexEntry>,
                             std::span<const search::IndexEntry>) {
  return not_here();
}
Result<> Transaction::set_cursor(std::string_view, Sequence) { return not_here(); }

Result<> Store::learn(const search::CataloguePtr&) { return not_here(); }

}  // namespace mydr24::store
