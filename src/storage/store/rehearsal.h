#pragma once

// A transaction that writes nothing: a Work is run once more against what a Reader sees, to learn what it would have done.
// For what must not be lost with the write itself when there is no room to write it down.
//
// What the Work sets and notes it sees again; of resources it sees those that are stored. Timers are taken and forgotten.

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "storage/store/store.h"

namespace mydr24::store {

class Rehearsal : public Transaction {
 public:
  // `reader` must outlive it.
  Rehearsal(Reader& reader, Instant now) : reader_(reader), now_(now) {}

  // What the Work noted, in order.
  const std::vector<Event>& noted() const { return noted_; }

  Result<std::optional<Version>> current(std::string_view type, std::string_view id) override;
  Result<std::optional<Version>> current_head(std::string_view type, std::string_view id) override;
  Result<std::optional<Version>> version(std::string_view type, std::string_view id, std::int64_t version) override;
  Result<std::vector<Version>> history(const HistoryQuery& query) override;
  Result<SearchPage> search(const search::Query& query) override;
  Result<std::int64_t> count_resources(std::string_view type) override;
  Result<std::optional<std::string>> state(std::string_view space, std::string_view key) override;
  Result<std::vector<StateRow>> states(std::string_view space, std::string_view prefix, std::string_view after,
                                       std::uint32_t count) override;
  Result<std::vector<Event>> events(Sequence after, std::uint32_t count) override;
  Result<Sequence> last_sequence() override;

  Instant now() const override { return now_; }
  Result<Written> put(const Put& put) override;
  Result<Sequence> note(std::string_view kind, std::string_view payload) override;
  Result<> set_state(std::string_view space, std::string_view key, std::string_view value) override;
  Result<> erase_state(std::string_view space, std::string_view key) override;
  Result<> set_timer(const Timer&) override { return {}; }
  Result<> cancel_timer(std::string_view) override { return {}; }
  Result<std::vector<Timer>> due_timers(std::uint32_t) override { return std::vector<Timer>(); }
  Result<> reindex(std::string_view, std::string_view, std::int64_t, std::span<const search::IndexEntry>,
                   std::span<const search::IndexEntry>) override {
    return {};
  }

 private:
  Result<Sequence> next_sequence();

  Reader& reader_;
  const Instant now_;
  std::optional<Sequence> sequence_;
  std::vector<Event> noted_;
  std::map<std::pair<std::string, std::string>, std::optional<std::string>> rows_;  // nothing: erased
};

}  // namespace mydr24::store
