#pragma once

// Everything that a Reader can ask, on one connection, inside whatever transaction that connection is in. Private to
// storage/sqlite.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/sqlite/connection.h"
#include "storage/sqlite/names.h"
#include "storage/store/body_codec.h"
#include "storage/store/search_sql.h"
#include "storage/store/store.h"

namespace mydr24::sqlite {

// What all connections of a store share.
struct Shared {
  const Clock& clock;
  store::BodyCodec codec;
  std::vector<std::int64_t> parameters;  // search::Parameter::number to parameter.number
};

inline constexpr std::int64_t action_event = 4;  // in journal.action; resources have store::Action + 1

class View {
 public:
  View(Connection& connection, const Shared& shared) : connection_(connection), shared_(shared), names_(connection) {}

  Result<std::optional<store::Version>> current(std::string_view type, std::string_view id, bool with_body);
  Result<std::optional<store::Version>> version(std::string_view type, std::string_view id, std::int64_t version);
  Result<std::vector<store::Version>> history(const store::HistoryQuery& query);
  Result<store::SearchPage> search(const search::Query& query);
  Result<std::int64_t> count_resources(std::string_view type);
  Result<std::optional<std::string>> state(std::string_view space, std::string_view key);
  Result<std::vector<store::StateRow>> states(std::string_view space, std::string_view prefix, std::string_view after,
                                              std::uint32_t count);
  Result<std::vector<store::Event>> events(store::Sequence after, std::uint32_t count);
  Result<store::Sequence> last_sequence();
  Result<store::Sequence> last_event();
  Result<std::vector<std::pair<std::string, store::Sequence>>> cursors();
  // The first line at or after that time; one past the last when there is none.
  Result<store::Sequence> sequence_at(Instant at);

  Connection& connection() { return connection_; }
  Names& names() { return names_; }
  const Shared& shared() const { return shared_; }

 private:
  // The columns from `first` on: version, sequence, at, action, meta_at, body.
  Result<> read_version(Statement& row, int first, bool with_body, store::Version& version);
  Result<std::optional<store::Version>> by_record(std::int64_t record, std::string_view type);
  Result<const store::SearchSql::Lead*> choose_lead(const store::SearchSql& sql);
  Result<std::int64_t> count(const store::SqlStatement& sql);
  Result<std::int64_t> exact_total(const search::Query& query, const store::SearchSql& sql,
                                   const store::SearchSql::Lead* lead, std::int64_t limit);
  Result<bool> is_exact(const search::Query& query, const store::Version& version);

  Connection& connection_;
  const Shared& shared_;
  Names names_;
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
  Result<std::vector<std::pair<std::string, store::Sequence>>> cursors() override { return view_.cursors(); }

 protected:
  View& view_;
};

}  // namespace mydr24::sqlite
