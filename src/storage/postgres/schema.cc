#include "storage/postgres/schema.h"

#include <fmt/format.h>

#include <array>

namespace mydr24::postgres {
namespace {

constexpr std::string_view first = R"sql(
CREATE TABLE resource_type (
  number INTEGER PRIMARY KEY,
  name TEXT COLLATE "C" NOT NULL UNIQUE
);
COMMENT ON TABLE resource_type IS 'Names of resource types by the number that stands for them in other tables';

CREATE TABLE parameter (
  number INTEGER PRIMARY KEY,
  type INTEGER NOT NULL,
  code TEXT COLLATE "C" NOT NULL,
  UNIQUE (type, code)
);
COMMENT ON TABLE parameter IS 'Search parameters by their number';
COMMENT ON COLUMN parameter.type IS 'resource_type.number';
COMMENT ON COLUMN parameter.code IS 'birthdate; of contained resources #birthdate';

CREATE TABLE system (
  number INTEGER PRIMARY KEY,
  uri TEXT COLLATE "C" NOT NULL UNIQUE
);
COMMENT ON TABLE system IS
  'Code systems and identifier systems of tokens, and units of quantities; 0 in an index: none';

CREATE TABLE journal (
  sequence BIGINT PRIMARY KEY,
  at BIGINT NOT NULL,
  record BIGINT,
  version INTEGER,
  type INTEGER,
  meta_at INTEGER,
  action SMALLINT NOT NULL,
  kind TEXT COLLATE "C",
  body BYTEA
);
ALTER TABLE journal ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE UNIQUE INDEX journal_record ON journal (record, version) WHERE record IS NOT NULL;
CREATE INDEX journal_type ON journal (type, sequence) WHERE type IS NOT NULL;
CREATE INDEX journal_event ON journal (sequence) WHERE kind IS NOT NULL;
COMMENT ON TABLE journal IS
  'Everything that ever happened, one line each, never changed. Look at the view resource first';
COMMENT ON COLUMN journal.sequence IS '1, 2, 3 ... in commit order';
COMMENT ON COLUMN journal.at IS
  'lastUpdated: microseconds since 1970 UTC, to_timestamp(at / 1e6); never falls along sequence';
COMMENT ON COLUMN journal.action IS '1 create, 2 update, 3 remove; 4: an event of a module';
COMMENT ON COLUMN journal.type IS 'of a resource: resource_type.number';
COMMENT ON COLUMN journal.record IS 'of a resource: record.record';
COMMENT ON COLUMN journal.meta_at IS 'of a resource: where in the text versionId and lastUpdated belong';
COMMENT ON COLUMN journal.kind IS 'of an event: alert.raised';
COMMENT ON COLUMN journal.body IS 'of a resource: a zstd frame that names its dictionary; of an event: JSON text';

CREATE TABLE record (
  record BIGINT PRIMARY KEY,
  sequence BIGINT NOT NULL,
  type INTEGER NOT NULL,
  version INTEGER NOT NULL,
  deleted SMALLINT NOT NULL,
  id TEXT COLLATE "C" NOT NULL
) WITH (fillfactor = 85);
CREATE UNIQUE INDEX record_id ON record (type, id);
CREATE INDEX record_type ON record (type, record) WHERE deleted = 0;
COMMENT ON TABLE record IS 'The newest version of every resource there ever was; record grows with creation';
COMMENT ON COLUMN record.sequence IS 'the newest line in journal';

CREATE TABLE string_index (
  record BIGINT NOT NULL,
  parameter INTEGER NOT NULL,
  value TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (parameter, value, record)
);
CREATE INDEX string_record ON string_index (record, parameter);
COMMENT ON TABLE string_index IS
  'What resources are found by, as all tables named ..._index. A deleted resource has no rows';
COMMENT ON COLUMN string_index.value IS 'case and accents folded';

CREATE TABLE token_index (
  record BIGINT NOT NULL,
  parameter INTEGER NOT NULL,
  system INTEGER NOT NULL,
  code TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (parameter, code, record, system)
);
COMMENT ON TABLE token_index IS 'The record stands before the system in the key: one code is then in order of recency';

CREATE TABLE reference_index (
  record BIGINT NOT NULL,
  parameter INTEGER NOT NULL,
  target TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (parameter, target, record)
);
CREATE INDEX reference_record ON reference_index (record, parameter);
COMMENT ON TABLE reference_index IS 'References and URIs';
COMMENT ON COLUMN reference_index.target IS 'Patient/123, or an absolute URL';

CREATE TABLE date_index (
  low BIGINT NOT NULL,
  high BIGINT NOT NULL,
  record BIGINT NOT NULL,
  parameter INTEGER NOT NULL,
  PRIMARY KEY (parameter, low, high, record)
);
CREATE INDEX date_record ON date_index (record, parameter);
CREATE INDEX date_long ON date_index (parameter, high) WHERE high > low + 86400000000;
COMMENT ON TABLE date_index IS
  '[low, high) in microseconds since 1970; an open end is the smallest or largest 64-bit number';

CREATE TABLE number_index (
  low DOUBLE PRECISION NOT NULL,
  high DOUBLE PRECISION NOT NULL,
  record BIGINT NOT NULL,
  parameter INTEGER NOT NULL,
  PRIMARY KEY (parameter, low, high, record)
);
CREATE INDEX number_record ON number_index (record, parameter);
CREATE INDEX number_wide ON number_index (parameter, high)
  WHERE high > low + 1 AND NOT (low > 0 AND high <= low * 1.001);

CREATE TABLE quantity_index (
  low DOUBLE PRECISION NOT NULL,
  high DOUBLE PRECISION NOT NULL,
  record BIGINT NOT NULL,
  parameter INTEGER NOT NULL,
  unit INTEGER NOT NULL,
  PRIMARY KEY (parameter, unit, low, high, record)
);
CREATE INDEX quantity_record ON quantity_index (record, parameter);
CREATE INDEX quantity_wide ON quantity_index (parameter, unit, high)
  WHERE high > low + 1 AND NOT (low > 0 AND high <= low * 1.001);
COMMENT ON COLUMN quantity_index.unit IS 'system.number of the unit; 0: the value as written, whatever its unit';

CREATE TABLE composite_index (
  low DOUBLE PRECISION NOT NULL,
  high DOUBLE PRECISION NOT NULL,
  record BIGINT NOT NULL,
  parameter INTEGER NOT NULL,
  system INTEGER NOT NULL,
  unit INTEGER NOT NULL,
  key TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (parameter, key, low, high, record, system, unit)
);
CREATE INDEX composite_record ON composite_index (record, parameter);
CREATE INDEX composite_wide ON composite_index (parameter, key, high)
  WHERE high > low + 1 AND NOT (low > 0 AND high <= low * 1.001);
COMMENT ON COLUMN composite_index.key IS 'the parts that are equalities, joined by $';

CREATE TABLE position_index (
  latitude DOUBLE PRECISION NOT NULL,
  longitude DOUBLE PRECISION NOT NULL,
  record BIGINT NOT NULL,
  parameter INTEGER NOT NULL,
  PRIMARY KEY (parameter, latitude, longitude, record)
);
CREATE INDEX position_record ON position_index (record, parameter);

CREATE TABLE text_index (
  record BIGINT PRIMARY KEY,
  type INTEGER NOT NULL,
  content TSVECTOR,
  narrative TSVECTOR
);
CREATE INDEX text_content ON text_index USING gin (content);
CREATE INDEX text_narrative ON text_index USING gin (narrative);
COMMENT ON TABLE text_index IS 'Folded words of whole resources (_content) and of their narratives (_text)';

CREATE TABLE state (
  space TEXT COLLATE "C" NOT NULL,
  key BYTEA NOT NULL,
  value BYTEA NOT NULL,
  PRIMARY KEY (space, key)
) WITH (fillfactor = 80);
COMMENT ON TABLE state IS 'What modules keep for themselves: convert_from(key, ''UTF8'')';

CREATE TABLE timer (
  key BYTEA PRIMARY KEY,
  due BIGINT NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  payload BYTEA NOT NULL
);
CREATE INDEX timer_due ON timer (due);
COMMENT ON TABLE timer IS 'What is due when, in microseconds since 1970';

CREATE TABLE follower (
  name TEXT COLLATE "C" PRIMARY KEY,
  sequence BIGINT NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE follower IS 'How far each follower of the journal has come';

CREATE TABLE dictionary (
  number INTEGER PRIMARY KEY,
  bytes BYTEA NOT NULL
);
COMMENT ON TABLE dictionary IS 'zstd dictionaries by the number that the frames in journal.body name';

CREATE VIEW resource AS
  SELECT t.name AS type, r.id, r.version, r.deleted, to_timestamp(j.at / 1e6) AS last_updated,
         r.record, r.sequence, octet_length(j.body) AS packed_bytes
  FROM record r JOIN resource_type t ON t.number = r.type JOIN journal j ON j.sequence = r.sequence;
COMMENT ON VIEW resource IS 'The newest version of every resource';
)sql";

constexpr std::string_view second = R"sql(
CREATE TABLE kept_total (
  kind SMALLINT NOT NULL,
  number INTEGER NOT NULL,
  code TEXT COLLATE "C" NOT NULL,
  system INTEGER NOT NULL,
  added BIGINT GENERATED ALWAYS AS IDENTITY UNIQUE,
  counted BOOLEAN NOT NULL DEFAULT false,
  total BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (kind, number, code, system)
) WITH (fillfactor = 20);
COMMENT ON TABLE kept_total IS 'Totals of searches, kept up to date by every write; it may be emptied at any time';
COMMENT ON COLUMN kept_total.kind IS
  '1: of the type number; 2: of resources with the code in the parameter number; 3: of those, of the system';
COMMENT ON COLUMN kept_total.counted IS 'false: total is of the changes since the row was added only';
CREATE INDEX text_type ON text_index (type, record);
)sql";

constexpr std::array all_steps{Step{1, "the journal, what is found, what modules keep", first},
                               Step{2, "totals that are kept, words by recency", second}};

}  // namespace

std::span<const Step> steps() { return all_steps; }

Result<int> schema_version(Connection& connection) {
  MYDR24_ASSIGN(const auto marked,
                connection.number("SELECT count(*) FROM pg_class c WHERE c.relname = 'migration' AND c.relkind = 'r' "
                                  "AND c.relnamespace = current_schema()::regnamespace",
                                  0));
  if (marked == 0) {
    MYDR24_ASSIGN(const auto others,
                  connection.number("SELECT count(*) FROM pg_class c WHERE c.relkind IN ('r', 'p', 'v') AND "
                                    "c.relnamespace = current_schema()::regnamespace AND c.relname IN "
                                    "('journal', 'record', 'state', 'timer', 'parameter', 'system', 'resource')",
                                    0));
    MYDR24_TRY(connection.finish());
    if (others > 0)
      return fail(Code::unsupported, "the database has tables of another program: give us one of our own");
    return 0;
  }
  MYDR24_ASSIGN(const auto version, connection.number("SELECT max(number) FROM migration", 0));
  MYDR24_TRY(connection.finish());
  const int newest = all_steps.back().number;
  if (version > newest) {
    return fail(Code::unsupported,
                fmt::format("the database was written by a newer version of this program (schema {}; this one knows "
                            "{}): use that version",
                            version, newest));
  }
  return static_cast<int>(version);
}

Result<int> migrate(Connection& connection) {
  MYDR24_TRY(connection.finish());
  MYDR24_TRY(connection.send("BEGIN"));
  const auto apply = [&]() -> Result<int> {
    MYDR24_TRY(connection.query("SELECT pg_advisory_xact_lock($1::int, hashtext(current_schema()))",
                                Parameters::of(migration_lock)));
    MYDR24_ASSIGN(const int version, schema_version(connection));
    std::string script;
    if (version == 0) {
      script +=
          "CREATE TABLE migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TIMESTAMPTZ NOT NULL "
          "DEFAULT now());"
          "COMMENT ON TABLE migration IS 'Steps of the schema that this database has been brought through';";
    }
    int applied = 0;
    for (const Step& step : all_steps) {
      if (step.number <= version) continue;
      script += step.sql;
      script += fmt::format("INSERT INTO migration (number, name) VALUES ({}, '{}');", step.number, step.name);
      ++applied;
    }
    if (applied > 0) MYDR24_TRY(connection.execute(script));
    return applied;
  };
  auto applied = apply();
  auto ended = connection.execute(applied ? "COMMIT" : "ROLLBACK");
  if (applied && !ended) return std::move(ended).error();
  return applied;
}

}  // namespace mydr24::postgres
