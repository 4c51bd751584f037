#pragma once

// Everything that a Reader can ask, on one connection, inside whatever transaction that connection is in. Private to
// storage/sqlite.

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/sqlite/connection.h"
#include "storage/sqlite/limits.h"
#include "storage/sqlite/names.h"
#include "storage/sqlite/totals.h"
#include "storage/store/body_codec.h"
#include "storage/store/search_run.h"
#include "storage/store/store.h"

namespace mydr24::sqlite {

// What all connections of a store share.
struct Shared {
  Shared(const Clock& clock_of_store, const store::SearchLimits& limits) : clock(clock_of_store), search(limits) {}

  const Clock& clock;
  const store::SearchLimits search;
  store::BodyCodec codec;
  Totals totals;

  // The newest of sets that are kept to the end: a deployment learns a handful in its life.
  const ParameterNumbers& parameters() const { return *numbers.load(std::memory_order_acquire); }
  void learn(std::unique_ptr<const ParameterNumbers> learnt) {
    const std::scoped_lock lock(learning);
    numbers.store(learnt.get(), std::memory_order_release);
    kept_numbers.push_back(std::move(learnt));
  }
  // How far the search index has been made anew: complete when both are the same.
  std::atomic<std::int64_t> indexed{0};
  std::atomic<std::int64_t> to_index{0};
  bool index_is_complete() const { return indexed.load() >= to_index.load(); }

 private:
  std::atomic<const ParameterNumbers*> numbers{nullptr};
  std::mutex learning;
  std::vector<std::unique_ptr<const ParameterNumbers>> kept_numbers;
};

inline constexpr std::int64_t action_event = 4;  // in journal.action; resources have store::Action + 1

class View {
 public:
  View(Connection& connection, Shared& shared) : connection_(connection), shared_(shared), names_(connection) {}

  Result<std::optional<store::Version>> current(std::string_view type, std::string_view id, bool with_body);
  Result<std::optional<store::Version>> version(std::string_view type, std::string_view id, std::int64_t version);
  Result<std::vector<store::Version>> history(const store::HistoryQuery& query);
  Result<store::SearchPage> search(const search::Query& query);
  Result<std::string> explain(const search::Query& query);
  Result<std::vector<store::ParameterValue>> values(const search::Parameter& parameter, std::uint32_t count);
  Result<std::int64_t> count_resources(std::string_view type);
  Result<std::optional<std::string>> state(std::string_view space, std::string_view key);
  Result<std::vector<store::StateRow>> states(std::string_view space, std::string_view prefix, std::string_view after,
                                              std::uint32_t count);
  Result<std::vector<store::Event>> events(store::Sequence after, std::uint32_t count);
  Result<std::vector<store::JournalLine>> journal(store::Sequence after, std::uint32_t count);
  Result<std::vector<store::SpaceRow>> all_states(std::string_view space, std::string_view key, std::uint32_t count);
  Result<std::vector<store::Timer>> all_timers(std::string_view after, std::uint32_t count);
  Result<std::vector<std::pair<std::string, store::Sequence>>> cursors();
  Result<store::Sequence> last_sequence();
  Result<store::Sequence> last_event();
  // The first line at or after that time; one past the last when there is none.
  Result<store::Sequence> sequence_at(Instant at);

  // The newest version, with its body.
  Result<std::optional<store::Version>> by_record(std::int64_t record);
  Result<std::int64_t> count_type(std::int64_t type);

  // By who lends the view out: the limits of the read that begins (null: none), and whether the search index was
  // complete before its snapshot was taken.
  void begin(const LimitGuard* limits, bool index_is_complete) {
    limits_ = limits;
    index_is_complete_ = index_is_complete;
  }
  const LimitGuard* limits() const { return limits_; }
  // Totals of a writer's own view would count what is not committed.
  bool may_keep_totals() const { return limits_ != nullptr; }

  Connection& connection() { return connection_; }
  Names& names() { return names_; }
  Shared& shared() { return shared_; }

 private:
  // The columns from `first` on: version, sequence, at, action, meta_at, body.
  Result<> read_version(Statement& row, int first, bool with_body, store::Version& version);
  Result<> index_must_be_complete(const search::Query& query) const;

  Connection& connection_;
  Shared& shared_;
  Names names_;
  const LimitGuard* limits_ = nullptr;
  bool index_is_complete_ = true;
};

// A Reader or a Transaction over a View.
template <class Interface>
class Viewing : public Interface {
 public:
  explicit Viewing(View& view) : view_(view) {}

  Result<std::optional<store::Version>> current(std::string_view type, std::string_view id) override {
    return view_.current(type, id, true);
  }
  Result<std::optional<store::Version>> current_head(std::string_view type, std::string_view id) override {
    return view_.current(type, id, false);
  }
  Result<std::optional<store::Version>> version(std::string_view type, std::string_view id,
                                                std::int64_t version) override {
    return view_.version(type, id, version);
  }
  Result<std::vector<store::Version>> history(const store::HistoryQuery& query) override {
    return view_.history(query);
  }
  Result<store::SearchPage> search(const search::Query& query) override { return view_.search(query); }
  Result<std::string> explain(const search::Query& query) override { return view_.explain(query); }
  Result<std::vector<store::ParameterValue>> values(const search::Parameter& parameter, std::uint32_t count) override {
    return view_.values(parameter, count);
  }
  Result<std::int64_t> count_resources(std::string_view type) override { return view_.count_resources(type); }
  Result<std::optional<std::string>> state(std::string_view space, std::string_view key) override {
    return view_.state(space, key);
  }
  Result<std::vector<store::StateRow>> states(std::string_view space, std::string_view prefix, std::string_view after,
                                              std::uint32_t count) override {
    return view_.states(space, prefix, after, count);
  }
  Result<std::vector<store::Event>> events(store::Sequence after, std::uint32_t count) override {
    return view_.events(after, count);
  }
  Result<store::Sequence> last_sequence() override { return view_.last_sequence(); }
  Result<std::vector<store::JournalLine>> journal(store::Sequence after, std::uint32_t count) override {
    return view_.journal(after, count);
  }
  Result<std::vector<store::SpaceRow>> all_states(std::string_view space, std::string_view key,
                                                  std::uint32_t count) override {
    return view_.all_states(space, key, count);
  }
  Result<std::vector<store::Timer>> all_timers(std::string_view after, std::uint32_t count) override {
    return view_.all_timers(after, count);
  }
  Result<std::vector<std::pair<std::string, store::Sequence>>> cursors() override { return view_.cursors(); }

 protected:
  View& view_;
};

}  // namespace mydr24::sqlite
