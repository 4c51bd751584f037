#pragma once

// What a Work sees: the writer's View and the writes. Private to storage/sqlite.
//
// Invariant: a write that failed half-way makes its Work fail, even if the Work goes on as if nothing had happened.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "storage/sqlite/view.h"
#include "storage/store/erasure.h"

namespace mydr24::sqlite {

class WriteTransaction final : public Viewing<store::Transaction>, public store::Eraser {
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

  Result<> reindex(std::string_view type, std::string_view id, std::int64_t version,
                   std::span<const search::IndexEntry> before, std::span<const search::IndexEntry> after) override;
  Result<> replay(const store::JournalLine& line, const store::PackedBody* body,
                  std::span<const search::IndexEntry> before, std::span<const search::IndexEntry> after) override;

  Result<> begin_erasing() override;
  Result<std::int64_t> erase_bodies(std::string_view type, std::string_view id) override;

  // For the store itself.
  Result<std::unique_ptr<const ParameterNumbers>> number(const search::CataloguePtr& catalogue);
  // Makes index rows of up to `count` further records; see Shared::indexed.
  Result<> index_more(std::int64_t count);
  Result<> save_dictionary(std::uint32_t number, std::string_view bytes);
  Result<Instant> earliest_due();  // INT64_MAX microseconds when no timer is set

  // For the writer.
  Result<> load();                     // reads where the journal stands
  Result<> begin_work(Instant clock);  // opens a savepoint; the Work's time is no earlier than the one before
  // Closes the savepoint: keeps what the Work did when `outcome` is good, undoes it otherwise.
  Result<> end_work(Result<> outcome);
  // Before the commit, outside of savepoints: the text index takes what the Works of this group changed.
  Result<> flush_group();
  void publish_group();  // after the commit, before anybody is told of it
  void forget_group();   // when nothing of it is there
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
    std::int64_t indexed = 0;  // see Shared
    std::int64_t to_index = 0;
    std::size_t texts = 0;  // sizes of texts_ and changes_
    std::size_t changes = 0;
  };
  struct Record {
    std::int64_t number = 0;  // 0: not made yet
    std::int64_t type = 0;
    std::int64_t version = 0;
    bool deleted = false;
  };
  // Words of one record that the text index is to gain or lose.
  struct TextChange {
    std::int64_t record = 0;
    bool gain = false;
    std::string content;
    std::string narrative;
  };

  Counters mark() const;
  void set_back(const Counters& mark);
  Result<store::Written> put_checked(const store::Put& put);
  Result<> replay_checked(const store::JournalLine& line, const store::PackedBody* body,
                          std::span<const search::IndexEntry> before, std::span<const search::IndexEntry> after);
  Result<> find(Record& record, std::string_view id);
  Result<> write_record(Record& record, std::string_view id, std::int64_t version, store::Sequence sequence,
                        bool removed);
  Result<> write_line(const Record& record, const store::Version& version, const store::PackedBody* body);
  Result<> write_event(store::Sequence sequence, Instant at, std::string_view kind, std::string_view payload);
  Result<> write_entries(const Record& record, std::span<const search::IndexEntry> before,
                         std::span<const search::IndexEntry> after);
  Result<> add_entry(std::int64_t record, const search::IndexEntry& entry);
  Result<> remove_entry(std::int64_t record, const search::IndexEntry& entry);
  void change_texts(const Record& record, std::span<const search::IndexEntry> before,
                    std::span<const search::IndexEntry> after);
  Result<> add_words(std::string_view text);
  Result<> forget_words(std::string_view text);
  void change_totals(std::span<const search::IndexEntry> entries, int by);
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
  bool erasing_ = false;                   // something of this group is taken out for good
  std::unordered_set<std::string> words_;  // some of those that the table has
  std::vector<TextChange> texts_;          // of the Works of this group that succeeded, and the one that runs
  std::vector<Totals::Change> changes_;    // the same
};

}  // namespace mydr24::sqlite
