#include "storage/postgres/totals.h"

namespace mydr24::postgres {
namespace {

constexpr std::int64_t kept_max = 1'024;  // of a database; the oldest go first

std::int64_t kind_of(const TotalKey& key) { return static_cast<std::int64_t>(key.of); }

Result<std::int64_t> count(Connection& connection, const TotalKey& key) {
  switch (key.of) {
    case TotalKey::Of::type:
      return connection.number("SELECT count(*) FROM record WHERE type = $1 AND deleted = 0", 0,
                               Parameters::of(key.number));
    case TotalKey::Of::code:
      return connection.number(
          "SELECT count(*) FROM (SELECT DISTINCT record FROM token_index WHERE parameter = $1 AND code = $2) t", 0,
          Parameters::of(key.number, key.code));
    case TotalKey::Of::token:
      break;
  }
  return connection.number("SELECT count(*) FROM token_index WHERE parameter = $1 AND code = $2 AND system = $3", 0,
                           Parameters::of(key.number, key.code, key.system));
}

}  // namespace

void TotalWishes::wish(const TotalKey& key, std::int64_t total) {
  {
    const std::scoped_lock lock(mutex_);
    if (!submit_ || total < total_min_) return;
    if (asked_.size() >= asked_max) asked_.clear();
    if (!asked_.insert(key).second) return;
  }
  wish({.key = key, .added = 0, .missing = std::nullopt});
}

void TotalWishes::wish(TotalWish wish) {
  Submit submit;
  {
    const std::scoped_lock lock(mutex_);
    if (!submit_ || !pending_.insert(wish.key).second) return;
    submit = submit_;
  }
  submit(wish);
}

Result<> KeptTotals::load(Connection& connection, std::int64_t newest) {
  if (newest == newest_) return {};
  MYDR24_ASSIGN(const auto rows, connection.query("SELECT kind, number, code, system FROM kept_total"));
  types_.clear();
  tokens_.clear();
  for (int row = 0; row < rows.count(); ++row) {
    const auto of = static_cast<TotalKey::Of>(rows.integer(row, 0));
    if (of == TotalKey::Of::type) {
      types_.insert(rows.integer(row, 1));
    } else {
      tokens_[rows.integer(row, 1)][std::string(rows.text(row, 2))].insert(
          of == TotalKey::Of::code ? -1 : rows.integer(row, 3));
    }
  }
  newest_ = newest;
  return {};
}

const std::set<std::int64_t>* KeptTotals::systems(std::int64_t parameter, std::string_view code) const {
  const auto codes = tokens_.find(parameter);
  if (codes == tokens_.end()) return nullptr;
  const auto found = codes->second.find(code);
  return found == codes->second.end() ? nullptr : &found->second;
}

Result<std::int64_t> total_of(Connection& connection, const TotalKey& key, TotalWishes& wishes) {
  MYDR24_ASSIGN(const auto kept, connection.query("SELECT total, added, counted FROM kept_total WHERE kind = $1 AND "
                                                  "number = $2 AND code = $3 AND system = $4",
                                                  Parameters::of(kind_of(key), key.number, key.code, key.system)));
  if (!kept.empty() && kept.integer(0, 2) != 0) return kept.integer(0, 0);
  MYDR24_ASSIGN(const auto total, count(connection, key));
  if (!kept.empty()) {
    wishes.wish({.key = key, .added = kept.integer(0, 1), .missing = total - kept.integer(0, 0)});
  } else {
    wishes.wish(key, total);
  }
  return total;
}

Result<> grant(Connection& connection, const TotalWish& wish) {
  const TotalKey& key = wish.key;
  if (wish.missing) {
    return connection.send("UPDATE kept_total SET total = total + $2, counted = true WHERE added = $1 AND NOT counted",
                           Parameters::of(wish.added, *wish.missing));
  }
  MYDR24_TRY(
      connection.send("INSERT INTO kept_total (kind, number, code, system) VALUES ($1, $2, $3, $4) "
                      "ON CONFLICT DO NOTHING",
                      Parameters::of(kind_of(key), key.number, key.code, key.system)));
  return connection.send(
      "DELETE FROM kept_total WHERE added <= (SELECT added FROM kept_total ORDER BY added DESC "
      "OFFSET $1 LIMIT 1)",
      Parameters::of(kept_max));
}

Result<> change_totals(Connection& connection, const std::map<TotalKey, std::int64_t>& changes) {
  Column kinds(Type::int8_array), numbers(Type::int8_array), codes(Type::text_array), systems(Type::int8_array),
      by(Type::int8_array);
  for (const auto& [key, change] : changes) {
    if (change == 0) continue;
    kinds.add(kind_of(key));
    numbers.add(key.number);
    codes.add(key.code);
    systems.add(key.system);
    by.add(change);
  }
  if (by.count() == 0) return {};
  return connection.send(
      "UPDATE kept_total k SET total = k.total + d.by FROM unnest($1::bigint[], $2::bigint[], $3::text[], "
      "$4::bigint[], $5::bigint[]) AS d(kind, number, code, system, by) WHERE k.kind = d.kind AND k.number = d.number "
      "AND k.code = d.code AND k.system = d.system",
      Parameters::of(kinds, numbers, codes, systems, by));
}

}  // namespace mydr24::postgres
