#pragma once

// Everything that a Reader can ask, on one connection, inside whatever transaction that connection is in. Private to
// storage/postgres.

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/postgres/connection.h"
#include "storage/postgres/names.h"
#include "storage/postgres/totals.h"
#include "storage/store/body_codec.h"
#include "storage/store/search_run.h"
#include "storage/store/store.h"

namespace mydr24::postgres {

// What all connections of a store share.
struct Shared {
  explicit Shared(const Clock& of) : clock(of) {}
  // Dictionaries that another process may have added since.
  Result<> load_dictionaries(Connection& connection);

  const Clock& clock;
  store::BodyCodec codec;
  Names names;
  std::atomic<std::shared_ptr<const ParameterNumbers>> parameters;
  TotalWishes wishes;
  std::mutex dictionaries;  // held while some are loaded or added
};

inline constexpr std::int64_t action_event = 4;  // in journal.action; resources have store::Action + 1

class View {
 public:
  View(Connection& connection, Shared& shared) : connection_(connection), shared_(shared) {}

  Result<std::optional<store::Version>> current(std::string_view type, std::string_view id, bool with_body);
  Result<std::optional<store::Version>> version(std::string_view type, std::string_view id, std::int64_t version);
  Result<std::optional<store::Version>> by_record(std::int64_t record, std::string_view type);
  // In their order; nothing for what is not there.
  Result<std::vector<std::optional<store::Version>>> by_records(std::span<const std::int64_t> records);
  Result<std::vector<store::Version>> history(const store::HistoryQuery& query);
  Result<store::SearchPage> search(const search::Query& query);
  Result<std::string> explain(const search::Query& query);
  Result<std::vector<store::ParameterValue>> values(const search::Parameter& parameter, std::uint32_t count);
  Result<std::int64_t> count_resources(std::string_view type);
  Result<std::optional<std::string>> state(std::string_view space, std::string_view key);
  Result<std::vector<store::StateRow>> states(std::string_view space, std::string_view prefix, std::string_view after,
                                              std::uint32_t count);
  Result<std::vector<store::Event>> events(store::Sequence after, std::uint32_t count);
  Result<store::Sequence> last_sequence();
  Result<std::vector<store::JournalLine>> journal(store::Sequence after, std::uint32_t count);
  Result<std::vector<store::SpaceRow>> all_states(std::string_view space, std::string_view key, std::uint32_t count);
  Result<std::vector<store::Timer>> all_timers(std::string_view after, std::uint32_t count);
  Result<std::vector<std::pair<std::string, store::Sequence>>> cursors();
  // The first line at or after that time; one past the last when there is none.
  Result<store::Sequence> sequence_at(Instant at);

  // Rows (key, due, kind, payload).
  static std::vector<store::Timer> timers_of(const Rows& rows);
  // The columns from `first` on: version, sequence, at, action, meta_at, and body unless that is not wanted.
  Result<> read_version(const Rows& rows, int row, int first, bool with_body, store::Version& version);
  Result<> unpack(std::string_view frame, std::string& text);

  Connection& connection() { return connection_; }
  Shared& shared() { return shared_; }

 private:
  Connection& connection_;
  Shared& shared_;
};

// Reader and Transaction answer questions alike.
template <class Base>
class Viewing : public Base {
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

}  // namespace mydr24::postgres
