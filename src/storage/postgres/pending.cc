#include "storage/postgres/pending.h"

namespace mydr24::postgres {
namespace {

struct Statement {
  const char* sql;
  std::initializer_list<Type> columns;
};

using enum Type;

// By Batch. A row that is there already is as good as a new one: a write must not fail for it (verify() finds what is
// wrong).
const std::array<Statement, batch_count> statements{{
    {"INSERT INTO resource_type (number, name) SELECT * FROM unnest($1::bigint[], $2::text[])",
     {int8_array, text_array}},
    {"INSERT INTO system (number, uri) SELECT * FROM unnest($1::bigint[], $2::text[])", {int8_array, text_array}},
    {"INSERT INTO record (record, type, id, version, sequence, deleted) "
     "SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[]) "
     "ON CONFLICT (record) DO UPDATE SET version = excluded.version, sequence = excluded.sequence, "
     "deleted = excluded.deleted",
     {int8_array, int8_array, text_array, int8_array, int8_array, int8_array}},
    {"INSERT INTO journal (sequence, at, action, type, record, version, meta_at, kind, body) "
     "SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], "
     "$7::bigint[], $8::text[], $9::bytea[])",
     {int8_array, int8_array, int8_array, int8_array, int8_array, int8_array, int8_array, text_array, bytes_array}},
    {"DELETE FROM string_index i USING unnest($1::bigint[], $2::text[], $3::bigint[]) AS d(parameter, value, record) "
     "WHERE i.parameter = d.parameter AND i.value = d.value AND i.record = d.record",
     {int8_array, text_array, int8_array}},
    {"DELETE FROM token_index i USING unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[]) "
     "AS d(parameter, code, record, system) WHERE i.parameter = d.parameter AND i.code = d.code AND "
     "i.record = d.record AND i.system = d.system",
     {int8_array, text_array, int8_array, int8_array}},
    {"DELETE FROM reference_index i USING unnest($1::bigint[], $2::text[], $3::bigint[]) "
     "AS d(parameter, target, record) WHERE i.parameter = d.parameter AND i.target = d.target AND i.record = d.record",
     {int8_array, text_array, int8_array}},
    {"DELETE FROM date_index i USING unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) "
     "AS d(parameter, low, high, record) WHERE i.parameter = d.parameter AND i.low = d.low AND i.high = d.high AND "
     "i.record = d.record",
     {int8_array, int8_array, int8_array, int8_array}},
    {"DELETE FROM number_index i USING unnest($1::bigint[], $2::float8[], $3::float8[], $4::bigint[]) "
     "AS d(parameter, low, high, record) WHERE i.parameter = d.parameter AND i.low = d.low AND i.high = d.high AND "
     "i.record = d.record",
     {int8_array, float8_array, float8_array, int8_array}},
    {"DELETE FROM quantity_index i USING unnest($1::bigint[], $2::bigint[], $3::float8[], $4::float8[], $5::bigint[]) "
     "AS d(parameter, unit, low, high, record) WHERE i.parameter = d.parameter AND i.unit = d.unit AND i.low = d.low "
     "AND i.high = d.high AND i.record = d.record",
     {int8_array, int8_array, float8_array, float8_array, int8_array}},
    {"DELETE FROM composite_index i USING unnest($1::bigint[], $2::text[], $3::float8[], $4::float8[], $5::bigint[], "
     "$6::bigint[], $7::bigint[]) AS d(parameter, key, low, high, record, system, unit) WHERE "
     "i.parameter = d.parameter AND i.key = d.key AND i.low = d.low AND i.high = d.high AND i.record = d.record AND "
     "i.system = d.system AND i.unit = d.unit",
     {int8_array, text_array, float8_array, float8_array, int8_array, int8_array, int8_array}},
    {"DELETE FROM position_index i USING unnest($1::bigint[], $2::float8[], $3::float8[], $4::bigint[]) "
     "AS d(parameter, latitude, longitude, record) WHERE i.parameter = d.parameter AND i.latitude = d.latitude AND "
     "i.longitude = d.longitude AND i.record = d.record",
     {int8_array, float8_array, float8_array, int8_array}},
    {"DELETE FROM text_index WHERE record = ANY ($1::bigint[])", {int8_array}},
    {"INSERT INTO string_index (parameter, value, record) SELECT * FROM unnest($1::bigint[], $2::text[], "
     "$3::bigint[]) ON CONFLICT DO NOTHING",
     {int8_array, text_array, int8_array}},
    {"INSERT INTO token_index (parameter, code, record, system) SELECT * FROM unnest($1::bigint[], $2::text[], "
     "$3::bigint[], $4::bigint[]) ON CONFLICT DO NOTHING",
     {int8_array, text_array, int8_array, int8_array}},
    {"INSERT INTO reference_index (parameter, target, record) SELECT * FROM unnest($1::bigint[], $2::text[], "
     "$3::bigint[]) ON CONFLICT DO NOTHING",
     {int8_array, text_array, int8_array}},
    {"INSERT INTO date_index (parameter, low, high, record) SELECT * FROM unnest($1::bigint[], $2::bigint[], "
     "$3::bigint[], $4::bigint[]) ON CONFLICT DO NOTHING",
     {int8_array, int8_array, int8_array, int8_array}},
    {"INSERT INTO number_index (parameter, low, high, record) SELECT * FROM unnest($1::bigint[], $2::float8[], "
     "$3::float8[], $4::bigint[]) ON CONFLICT DO NOTHING",
     {int8_array, float8_array, float8_array, int8_array}},
    {"INSERT INTO quantity_index (parameter, unit, low, high, record) SELECT * FROM unnest($1::bigint[], "
     "$2::bigint[], $3::float8[], $4::float8[], $5::bigint[]) ON CONFLICT DO NOTHING",
     {int8_array, int8_array, float8_array, float8_array, int8_array}},
    {"INSERT INTO composite_index (parameter, key, low, high, record, system, unit) SELECT * FROM "
     "unnest($1::bigint[], $2::text[], $3::float8[], $4::float8[], $5::bigint[], $6::bigint[], $7::bigint[]) "
     "ON CONFLICT DO NOTHING",
     {int8_array, text_array, float8_array, float8_array, int8_array, int8_array, int8_array}},
    {"INSERT INTO position_index (parameter, latitude, longitude, record) SELECT * FROM unnest($1::bigint[], "
     "$2::float8[], $3::float8[], $4::bigint[]) ON CONFLICT DO NOTHING",
     {int8_array, float8_array, float8_array, int8_array}},
    // 0 in $5 or $6: that column stays as it is.
    {"INSERT INTO text_index AS x (record, type, content, narrative) SELECT u.record, u.type, "
     "array_to_tsvector(string_to_array(u.content, ' ')), array_to_tsvector(string_to_array(u.narrative, ' ')) "
     "FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[]) AS u(record, type, content, narrative) "
     "WHERE $5::bigint[] IS NOT NULL AND $6::bigint[] IS NOT NULL "
     "ON CONFLICT (record) DO UPDATE SET "
     "content = CASE WHEN x.record = ANY ($5::bigint[]) THEN excluded.content ELSE x.content END, "
     "narrative = CASE WHEN x.record = ANY ($6::bigint[]) THEN excluded.narrative ELSE x.narrative END",
     {int8_array, int8_array, text_array, text_array, int8_array, int8_array}},
}};

constexpr const char* set_states =
    "INSERT INTO state (space, key, value) SELECT * FROM unnest($1::text[], $2::bytea[], $3::bytea[]) "
    "ON CONFLICT (space, key) DO UPDATE SET value = excluded.value";
constexpr const char* erase_states =
    "DELETE FROM state s USING unnest($1::text[], $2::bytea[]) AS d(space, key) "
    "WHERE s.space = d.space AND s.key = d.key";
constexpr const char* set_timers =
    "INSERT INTO timer (key, due, kind, payload) SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::text[], "
    "$4::bytea[]) ON CONFLICT (key) DO UPDATE SET due = excluded.due, kind = excluded.kind, payload = excluded.payload";
constexpr const char* cancel_timers = "DELETE FROM timer WHERE key = ANY ($1::bytea[])";
constexpr const char* set_cursors =
    "INSERT INTO follower (name, sequence) SELECT * FROM unnest($1::text[], $2::bigint[]) "
    "ON CONFLICT (name) DO UPDATE SET sequence = excluded.sequence";

}  // namespace

Pending::Columns& Pending::columns_of(Batch batch) {
  const auto at = static_cast<std::size_t>(batch);
  auto& columns = batches_[at];
  if (columns.empty()) {
    for (const Type type : statements[at].columns) columns.emplace_back(type);
  }
  return columns;
}

Result<> Pending::send(Connection& connection) {
  if (is_empty_) return {};
  for (auto& [key, record] : records) {
    if (std::exchange(record.is_sent, true)) continue;
    add(Batch::records, record.record, record.type, std::string_view(key.second), record.version, record.sequence,
        std::int64_t{record.deleted});
  }
  for (std::size_t at = 0; at < batch_count; ++at) {
    if (batches_[at].empty()) continue;
    Parameters parameters;
    for (const Column& column : batches_[at]) parameters.add(column);
    MYDR24_TRY(connection.send(statements[at].sql, parameters));
    batches_[at].clear();
  }
  MYDR24_TRY(send_maps(connection));
  is_empty_ = true;
  return {};
}

Result<> Pending::send_maps(Connection& connection) {
  Column spaces(text_array), keys(bytes_array), values(bytes_array), erased_spaces(text_array),
      erased_keys(bytes_array);
  for (const auto& [key, value] : states) {
    (value ? spaces : erased_spaces).add(key.first);
    (value ? keys : erased_keys).add(key.second);
    if (value) values.add(*value);
  }
  if (keys.count() > 0) MYDR24_TRY(connection.send(set_states, Parameters::of(spaces, keys, values)));
  if (erased_keys.count() > 0) MYDR24_TRY(connection.send(erase_states, Parameters::of(erased_spaces, erased_keys)));
  states.clear();

  Column timer_keys(bytes_array), dues(int8_array), kinds(text_array), payloads(bytes_array), cancelled(bytes_array);
  for (const auto& [key, timer] : timers) {
    (timer ? timer_keys : cancelled).add(key);
    if (!timer) continue;
    dues.add(to_us(timer->due));
    kinds.add(timer->kind);
    payloads.add(timer->payload);
  }
  if (timer_keys.count() > 0)
    MYDR24_TRY(connection.send(set_timers, Parameters::of(timer_keys, dues, kinds, payloads)));
  if (cancelled.count() > 0) MYDR24_TRY(connection.send(cancel_timers, Parameters::of(cancelled)));
  timers.clear();

  Column names(text_array), sequences(int8_array);
  for (const auto& [name, sequence] : cursors) {
    names.add(name);
    sequences.add(sequence);
  }
  if (names.count() > 0) MYDR24_TRY(connection.send(set_cursors, Parameters::of(names, sequences)));
  cursors.clear();

  MYDR24_TRY(change_totals(connection, totals));
  totals.clear();
  return {};
}

void Pending::merge(Pending&& above) {
  for (std::size_t at = 0; at < batch_count; ++at) {
    auto& columns = batches_[at];
    if (columns.empty()) {
      columns = std::move(above.batches_[at]);
      continue;
    }
    for (std::size_t i = 0; i < above.batches_[at].size(); ++i) columns[i].append(above.batches_[at][i]);
  }
  const auto take = [](auto& own, auto& others) {
    for (auto& [key, value] : others) own.insert_or_assign(key, std::move(value));
  };
  for (const auto& [key, change] : above.totals) totals[key] += change;
  take(records, above.records);
  take(states, above.states);
  take(timers, above.timers);
  take(cursors, above.cursors);
  take(types, above.types);
  take(systems, above.systems);
  is_empty_ = is_empty_ && above.is_empty_;
}

}  // namespace mydr24::postgres
