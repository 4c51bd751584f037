#pragma once

// Totals that are asked for again and again, kept up to date in the table kept_total by whoever writes: of a type, of a
// code, of a code of one system. Private to storage/postgres.
//
// A total begins in two steps, so that no count holds up a writer. A row is added whose total counts the changes from
// then on; whoever finds it so counts in a view of the data that has both, and what is missing is added once.
//
// Invariant: in every view a total that is marked as counted is exact.

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "storage/postgres/connection.h"

namespace mydr24::postgres {

struct TotalKey {
  enum class Of : std::uint8_t { type = 1, code = 2, token = 3 };  // in kept_total.kind
  Of of = Of::type;
  std::int64_t number = 0;  // of the type or parameter
  std::string code;
  std::int64_t system = 0;  // of a token; 0: none
  auto operator<=>(const TotalKey&) const = default;
};

// Counted from now on; or, with `missing`, what the row `added` lacks.
struct TotalWish {
  TotalKey key;
  std::int64_t added = 0;
  std::optional<std::int64_t> missing;
};

// Hands wishes to a writer, each once at a time; that a total is kept, once in the life of the process, so that totals
// that push one another out do not write for ever. Thread-safe.
class TotalWishes {
 public:
  using Submit = std::function<void(const TotalWish&)>;

  // Null: nobody keeps totals. Those below `total_min` are counted each time.
  void serve(Submit submit, std::int64_t total_min) {
    const std::scoped_lock lock(mutex_);
    submit_ = std::move(submit);
    total_min_ = total_min;
  }
  // After a total was counted and not found.
  void wish(const TotalKey& key, std::int64_t total);
  void wish(TotalWish wish);
  void done(const TotalKey& key, bool granted) {
    const std::scoped_lock lock(mutex_);
    pending_.erase(key);
    if (!granted) asked_.erase(key);
  }

 private:
  static constexpr std::size_t asked_max = 4'096;  // then it is forgotten what was asked

  std::mutex mutex_;
  Submit submit_;
  std::int64_t total_min_ = 0;
  std::set<TotalKey> pending_;
  std::set<TotalKey> asked_;  // to be kept
};

// Which totals there are, as a writer knows them.
class KeptTotals {
 public:
  // `newest`: the largest kept_total.added there is. Rows that went since do no harm.
  Result<> load(Connection& connection, std::int64_t newest);

  bool has_type(std::int64_t type) const { return types_.contains(type); }
  // The systems of a code that are kept, -1 for whatever system; null: none.
  const std::set<std::int64_t>* systems(std::int64_t parameter, std::string_view code) const;
  bool has_tokens() const { return !tokens_.empty(); }

 private:
  std::int64_t newest_ = 0;
  std::set<std::int64_t> types_;
  std::map<std::int64_t, std::map<std::string, std::set<std::int64_t>, std::less<>>> tokens_;
};

// As it is kept, or counted; a total worth keeping is wished for.
Result<std::int64_t> total_of(Connection& connection, const TotalKey& key, TotalWishes& wishes);
// In a transaction that holds the writer's lock.
Result<> grant(Connection& connection, const TotalWish& wish);
Result<> change_totals(Connection& connection, const std::map<TotalKey, std::int64_t>& changes);

}  // namespace mydr24::postgres
