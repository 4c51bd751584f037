#pragma once

// What a Work sees: the writer's View and the writes, which wait in memory until the group is committed or a question
// needs them in the tables. Private to storage/postgres.
//
// Invariants
// - A write that failed half-way makes its Work fail, even if the Work goes on as if nothing had happened.
// - What a Work did is undone by forgetting it; by a savepoint only when some of it had to be sent before its end.

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "storage/postgres/pending.h"
#include "storage/postgres/view.h"
#include "storage/store/erasure.h"

namespace mydr24::postgres {

class WriteTransaction final : public Viewing<store::Transaction>, public store::Eraser {
 public:
  explicit WriteTransaction(View& view) : Viewing(view), connection_(view.connection()) {}

  Result<std::optional<store::Version>> current(std::string_view type, std::string_view id) override;
  Result<std::optional<store::Version>> current_head(std::string_view type, std::string_view id) override;
  Result<std::optional<store::Version>> version(std::string_view type, std::string_view id,
                                                std::int64_t version) override;
  Result<std::vector<store::Version>> history(const store::HistoryQuery& query) override;
  Result<store::SearchPage> search(const search::Query& query) override;
  Result<std::string> explain(const search::Query& query) override;
  Result<std::int64_t> count_resources(std::string_view type) override;
  Result<std::optional<std::string>> state(std::string_view space, std::string_view key) override;
  Result<std::vector<store::StateRow>> states(std::string_view space, std::string_view prefix, std::string_view after,
                                              std::uint32_t count) override;
  Result<std::vector<store::Event>> events(store::Sequence after, std::uint32_t count) override;
  Result<store::Sequence> last_sequence() override { return counters_.sequence; }
  Result<std::vector<store::JournalLine>> journal(store::Sequence after, std::uint32_t count) override;
  Result<std::vector<store::SpaceRow>> all_states(std::string_view space, std::string_view key,
                                                  std::uint32_t count) override;
  Result<std::vector<store::Timer>> all_timers(std::string_view after, std::uint32_t count) override;
  Result<std::vector<std::pair<std::string, store::Sequence>>> cursors() override;

  Instant now() const override { return now_; }
  Result<store::Written> put(const store::Put& put) override;
  Result<store::Sequence> note(std::string_view kind, std::string_view payload) override;
  Result<> set_state(std::string_view space, std::string_view key, std::string_view value) override;
  Result<> erase_state(std::string_view space, std::string_view key) override;
  Result<> set_timer(const store::Timer& timer) override;
  Result<> cancel_timer(std::string_view key) override;
  Result<std::vector<store::Timer>> due_timers(std::uint32_t count) override;
  Result<> reindex(std::string_view type, std::string_view id, std::int64_t version,
                   std::span<const search::IndexEntry> before, std::span<const search::IndexEntry> after) override;
  Result<> replay(const store::JournalLine& line, const store::PackedBody* body,
                  std::span<const search::IndexEntry> before, std::span<const search::IndexEntry> after) override;
  Result<> set_cursor(std::string_view follower, store::Sequence sequence) override;

  Result<> begin_erasing() override;
  Result<std::int64_t> erase_bodies(std::string_view type, std::string_view id) override;

  // For the store itself. Nothing was added when another process did it first: Code::conflict.
  Result<> save_dictionary(std::uint32_t number, std::string_view bytes);
  Result<> grant(const TotalWish& wish) { return postgres::grant(connection_, wish); }
  // Runs `step`; what it did is undone when it fails.
  Result<> attempt(const std::function<Result<>()>& step);

  // For the writer, in this order.
  Result<> begin();                    // opens the transaction, waits for the lock, reads where the journal stands
  Result<> begin_work(Instant clock);  // the Work's time is no earlier than the one before
  // Keeps what the Work did when `outcome` is good, undoes it otherwise.
  Result<> end_work(Result<> outcome);
  // Sends what is left and the COMMIT, and waits. The transaction is over, whatever the outcome.
  Result<> commit();
  void roll_back();

  std::string_view transaction_id() const { return transaction_id_; }  // for pg_xact_status()
  store::Sequence last_event() const { return counters_.last_event; }
  // Of all timers, when this transaction touched one.
  std::optional<Instant> take_earliest_due() { return std::exchange(earliest_due_, std::nullopt); }
  void touch_timers() { timers_touched_ = true; }
  // More parameters are given numbers in the tables: what they will be when the Work is kept.
  Result<std::shared_ptr<const ParameterNumbers>> learn(const search::CataloguePtr& catalogue);

 private:
  // Where the journal stands: read once a group, and set back when a Work is undone.
  struct Counters {
    store::Sequence sequence = 0;
    std::int64_t record = 0;
    store::Sequence last_event = 0;
    std::int64_t at = 0;
    std::int64_t type = 0;
    std::int64_t system = 0;
  };
  struct Level {
    Pending pending;
    Counters before;
  };
  struct NewLine {
    std::int64_t version = 0;
    store::Sequence sequence = 0;
    std::int64_t at = 0;
    store::Action action = store::Action::create;
    const store::PackedBody* body = nullptr;
  };

  Pending& top() { return levels_.back().pending; }
  void push();
  Result<> pop(Result<> outcome);
  // Sends what the levels up to `level` did, so that questions see it.
  Result<> flush(std::size_t level);
  Result<> flush() { return flush(levels_.size() - 1); }
  Result<> flush_before_reading(std::int64_t type, std::string_view id);

  // The record as this transaction sees it; record 0 when there is none.
  Result<Pending::Record> find_record(std::int64_t type, std::string_view id);
  const Pending::Record* known_record(std::int64_t type, std::string_view id) const;
  Result<> append(Pending::Record& record, std::string_view id, const NewLine& line,
                  std::span<const search::IndexEntry> before, std::span<const search::IndexEntry> after);
  Result<store::Written> put_checked(const store::Put& put);
  Result<> append_event(store::Sequence sequence, std::int64_t at, std::string_view kind, std::string_view payload);

  Result<std::optional<std::int64_t>> type_number(std::string_view name);
  Result<std::int64_t> add_type(std::string_view name);
  Result<std::int64_t> add_system(std::string_view uri);

  Result<> write_entries(const Pending::Record& record, std::span<const search::IndexEntry> before,
                         std::span<const search::IndexEntry> after);
  Result<> change_entry(std::int64_t record, const search::IndexEntry& entry, bool add);
  void count_type(std::int64_t type, std::int64_t change);
  Result<> count_tokens(std::span<const search::IndexEntry> entries, std::int64_t change);
  Result<> set_text(const Pending::Record& record, std::span<const search::IndexEntry> after, bool content,
                    bool narrative);
  Result<std::int64_t> parameter(const search::IndexEntry& entry) const;

  template <class T>
  Result<T> kept(Result<T> result) {
    if (!result) broken_ = result.error();
    return result;
  }

  Connection& connection_;
  std::shared_ptr<const ParameterNumbers> parameters_;  // of this group
  KeptTotals kept_totals_;                              // the same
  Counters counters_;
  std::vector<Level> levels_;  // the group, the Work, an attempt inside it
  Instant now_;
  std::optional<Error> broken_;
  std::string transaction_id_;
  bool timers_touched_ = false;
  std::optional<Instant> earliest_due_;
};

}  // namespace mydr24::postgres
