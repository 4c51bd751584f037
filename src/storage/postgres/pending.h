#pragma once

// What a group of writes will do to the tables, kept in memory until it is sent: a few statements with many rows each,
// instead of many with one. Private to storage/postgres.
//
// Invariant: of one flush, no index row is both added and removed, and a record, a state row, a timer or a cursor
// appears once. So the order of statements does not matter.

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "storage/postgres/connection.h"
#include "storage/postgres/totals.h"
#include "storage/store/store.h"

namespace mydr24::postgres {

// The statements of a flush, in the order in which they are sent.
enum class Batch : std::uint8_t {
  types,
  systems,
  records,
  lines,
  string_remove,
  token_remove,
  reference_remove,
  date_remove,
  number_remove,
  quantity_remove,
  composite_remove,
  position_remove,
  text_remove,
  string_add,
  token_add,
  reference_add,
  date_add,
  number_add,
  quantity_add,
  composite_add,
  position_add,
  text_set,
};
inline constexpr std::size_t batch_count = static_cast<std::size_t>(Batch::text_set) + 1;

// The words of a text entry that text_index can hold, separated by one space.
std::string stored_words(std::string_view words);

class Pending {
 public:
  // A record as the group leaves it, or as it was found; record 0: it is not there.
  struct Record {
    std::int64_t record = 0;
    std::int64_t type = 0;
    std::int64_t version = 0;
    store::Sequence sequence = 0;
    bool deleted = false;
    bool is_sent = true;  // the table says the same
  };
  using RecordKey = std::pair<std::int64_t, std::string>;  // type, id
  using StateKey = std::pair<std::string, std::string>;    // space, key

  template <class... Values>
  void add(Batch batch, const Values&... values) {
    auto& columns = columns_of(batch);
    std::size_t at = 0;
    (add_value(columns[at++], values), ...);
    is_empty_ = false;
  }
  void touch() { is_empty_ = false; }  // after a change of the maps below

  // Nothing that a query would miss.
  bool is_empty() const { return is_empty_; }
  // Sends everything; afterwards it is empty, except for what is known of records and names.
  Result<> send(Connection& connection);
  // Takes over what the level above did.
  void merge(Pending&& above);

  std::map<RecordKey, Record> records;
  std::map<StateKey, std::optional<std::string>> states;  // no value: erased
  std::map<std::string, std::optional<store::Timer>, std::less<>> timers;
  std::map<std::string, store::Sequence, std::less<>> cursors;
  std::map<std::string, std::int64_t, std::less<>> types;    // added by this group
  std::map<std::string, std::int64_t, std::less<>> systems;  // the same
  std::map<TotalKey, std::int64_t> totals;                   // changes
  bool has_savepoint = false;

 private:
  using Columns = std::vector<Column>;

  Columns& columns_of(Batch batch);
  static void add_value(Column& column, std::integral auto value) { column.add(static_cast<std::int64_t>(value)); }
  static void add_value(Column& column, double value) { column.add(value); }
  static void add_value(Column& column, std::string_view value) { column.add(value); }
  template <class Value>
  static void add_value(Column& column, const std::optional<Value>& value) {
    if (value) {
      add_value(column, *value);
    } else {
      column.add_null();
    }
  }
  Result<> send_maps(Connection& connection);

  std::array<Columns, batch_count> batches_;
  bool is_empty_ = true;
};

}  // namespace mydr24::postgres
