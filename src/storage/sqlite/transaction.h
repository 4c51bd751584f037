#pragma once

// What a Work sees: the writer's View and the writes. Private to storage/sqlite.
//
// Invariant: a write that failed half-way makes its Work fail, even if the Work goes on as if nothing had happened.

#include <cstdint>
#include <optional>
#include <string_view>

#include "storage/sqlite/view.h"

namespace mydr24::sqlite {

class WriteTransaction final : public Viewing<store::Transaction> {
 public:
  explicit WriteTransaction(View& view) : Viewing(view), connection_(view.connection()) {}

  Instant now() const override { return now_; }
  Result<store::Written> put(const store::Put& put) override;
  Result<store::Sequence> note(std::string_view kind, std::string_view payload) override;
  Result<> set_state(std::string_view space, std::string_view key, std::string_view value) override;
  Result<> erase_state(std::string_view space, std::string_view key) override;
  Result<> set_timer(const store::Timer& timer) override;
  Result<> cancel_timer(std::string_view key) override;
  Result<std::vector<store::Timer>> due_timers(std::uint32_t count) override;
  Result<> set_cursor(std::string_view follower, store::Sequence sequence) override;

  // For the store itself.
  Result<> save_dictionary(std::uint32_t number, std::string_view bytes);
  Result<Instant> earliest_due();  // INT64_MAX microseconds when no timer is set

  // For the writer.
  Result<> load();                     // reads where the journal stands
  Result<> begin_work(Instant clock);  // opens a savepoint; the Work's time is no earlier than the one before
  // Closes the savepoint: keeps what the Work did when `outcome` is good, undoes it otherwise.
  Result<> end_work(Result<> outcome);
  // Runs `step` in a savepoint inside the Work.
  Result<> attempt(const std::function<Result<>()>& step);

  store::Sequence last_event() const { return counters_.last_event; }
  bool timers_touched() const { return timers_touched_; }
  void clear_timers_touched() { timers_touched_ = false; }

 private:
  // Where the journal stands: kept here to save a query per write, and set back when a Work is undone.
  struct Counters {
    store::Sequence sequence = 0;
    std::int64_t record = 0;
    store::Sequence last_event = 0;
    std::int64_t at = 0;
  };

  Result<store::Written> put_checked(const store::Put& put);
  Result<> write_entries(std::int64_t record, std::span<const search::IndexEntry> before,
                         std::span<const search::IndexEntry> after);
  Result<> add_entry(std::int64_t record, const search::IndexEntry& entry);
  Result<> remove_entry(std::int64_t record, const search::IndexEntry& entry);
  Result<std::int64_t> parameter(const search::IndexEntry& entry) const;
  template <class T>
  Result<T> kept(Result<T> result) {
    if (!result) broken_ = result.error();
    return result;
  }

  Connection& connection_;
  Counters counters_;
  Counters before_work_;
  std::size_t names_before_work_ = 0;
  Instant now_;
  std::optional<Error> broken_;
  bool timers_touched_ = false;
};

}  // namespace mydr24::sqlite
