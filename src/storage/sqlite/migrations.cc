#include "storage/sqlite/migrations.h"

#include <array>

namespace mydr24::sqlite {
namespace {

// For people who want to query: times are microseconds since 1970 UTC (datetime(at / 1000000, 'unixepoch') reads them),
// a body is a zstd frame that names its dictionary. Look at the view `resource` first. Open the file read-only while
// the server runs.
constexpr std::string_view first = R"sql(
-- Names that appear in every row are numbers; these two tables say which.
CREATE TABLE resource_type (
  number INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE                -- 'Patient'
) STRICT;

CREATE TABLE parameter (                   -- search parameters
  number INTEGER PRIMARY KEY,
  type INTEGER NOT NULL,                   -- resource_type.number
  code TEXT NOT NULL,                      -- 'birthdate'
  UNIQUE (type, code)
) STRICT;

CREATE TABLE system (                      -- code systems and identifier systems of tokens; 0 in token_index: none
  number INTEGER PRIMARY KEY,
  uri TEXT NOT NULL UNIQUE
) STRICT;

-- Everything that ever happened, one line each, never changed. Every version's body is here and nowhere else.
CREATE TABLE journal (
  sequence INTEGER PRIMARY KEY,            -- 1, 2, 3 ... in commit order
  at INTEGER NOT NULL,                     -- lastUpdated; never falls along sequence
  action INTEGER NOT NULL,                 -- 1 create, 2 update, 3 remove; 4: an event of a module
  type INTEGER,                            -- of a resource: resource_type.number
  record INTEGER,                          -- of a resource: record.record
  version INTEGER,                         -- of a resource: 1, 2, 3 ...
  meta_at INTEGER,                         -- of a resource: where in the text versionId and lastUpdated belong
  kind TEXT,                               -- of an event: 'alert.raised'
  body BLOB                                -- of a resource: zstd; of an event: JSON text
) STRICT;
CREATE UNIQUE INDEX journal_record ON journal (record, version) WHERE record IS NOT NULL;  -- history of one
CREATE INDEX journal_type ON journal (type) WHERE type IS NOT NULL;  -- history of a type (sequence is its second column)
CREATE INDEX journal_event ON journal (sequence) WHERE kind IS NOT NULL;

-- The newest version of every resource there ever was. Numbers grow with creation: descending is newest first.
CREATE TABLE record (
  record INTEGER PRIMARY KEY,
  type INTEGER NOT NULL,
  id TEXT NOT NULL,
  version INTEGER NOT NULL,
  sequence INTEGER NOT NULL,               -- the newest line in journal
  deleted INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX record_id ON record (type, id);
CREATE INDEX record_type ON record (type) WHERE deleted = 0;

-- What resources are found by. A deleted resource has no rows here.
CREATE TABLE string_index (
  parameter INTEGER NOT NULL,
  value TEXT NOT NULL,                     -- case and accents folded
  record INTEGER NOT NULL,
  PRIMARY KEY (parameter, value, record)
) STRICT, WITHOUT ROWID;
CREATE INDEX string_record ON string_index (record, parameter);

-- The record stands before the system: one code is then in order of recency, and a record can be probed, whatever the system.
CREATE TABLE token_index (
  parameter INTEGER NOT NULL,
  code TEXT NOT NULL,
  record INTEGER NOT NULL,
  system INTEGER NOT NULL,
  PRIMARY KEY (parameter, code, record, system)
) STRICT, WITHOUT ROWID;

CREATE TABLE reference_index (
  parameter INTEGER NOT NULL,
  target TEXT NOT NULL,                    -- 'Patient/123', or an absolute URL
  record INTEGER NOT NULL,
  PRIMARY KEY (parameter, target, record)
) STRICT, WITHOUT ROWID;

CREATE TABLE date_index (
  parameter INTEGER NOT NULL,
  low INTEGER NOT NULL,                    -- [low, high); an open end is the smallest or largest 64-bit number
  high INTEGER NOT NULL,
  record INTEGER NOT NULL,
  PRIMARY KEY (parameter, low, high, record)
) STRICT, WITHOUT ROWID;
CREATE INDEX date_record ON date_index (record, parameter);
-- Ranges of more than a day: what begins before a date and ends after it is either here or begins within the day before.
CREATE INDEX date_long ON date_index (parameter, high) WHERE high > low + 86400000000;

-- What modules keep for themselves.
CREATE TABLE state (
  space TEXT NOT NULL,
  key TEXT NOT NULL,
  value BLOB NOT NULL,
  PRIMARY KEY (space, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE timer (
  key TEXT PRIMARY KEY,
  due INTEGER NOT NULL,
  kind TEXT NOT NULL,
  payload BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX timer_due ON timer (due);

CREATE TABLE follower (                    -- how far each follower of the journal has come
  name TEXT PRIMARY KEY,
  sequence INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE dictionary (                  -- zstd dictionaries by the number that the frames name
  number INTEGER PRIMARY KEY,
  bytes BLOB NOT NULL
) STRICT;

CREATE VIEW resource AS
  SELECT t.name AS type, r.id, r.version, r.deleted, datetime(j.at / 1000000, 'unixepoch') AS last_updated,
         r.record, r.sequence, length(j.body) AS packed_bytes
  FROM record r JOIN resource_type t ON t.number = r.type JOIN journal j ON j.sequence = r.sequence;
)sql";

// All kinds of search parameters.
constexpr std::string_view second = R"sql(
DROP TABLE string_index;
DROP TABLE token_index;
DROP TABLE reference_index;
DROP TABLE date_index;

-- The search index is being made anew, in the order of records: at most one row.
CREATE TABLE reindex (
  done INTEGER NOT NULL,                   -- records up to this one have their rows
  last INTEGER NOT NULL                    -- records after this one were written with theirs
) STRICT;
)sql";

// The index tables as they are now; those of an older program are thrown away.
constexpr std::string_view tables = R"sql(
DROP TABLE IF EXISTS string_index;
DROP TABLE IF EXISTS token_index;
DROP TABLE IF EXISTS reference_index;
DROP TABLE IF EXISTS date_index;
DROP TABLE IF EXISTS number_index;
DROP TABLE IF EXISTS quantity_index;
DROP TABLE IF EXISTS composite_index;
DROP TABLE IF EXISTS position_index;
DROP TABLE IF EXISTS text_index;
DROP TABLE IF EXISTS word;
DROP TABLE IF EXISTS target;
DELETE FROM state WHERE space = 'reindex' AND key = 'own bases';  -- no row is by the server's URLs now

-- What resources are found by. A deleted resource has no rows here. The parameters of contained resources have a code
-- that begins with '#'; the record is that of the container.
CREATE TABLE string_index (
  parameter INTEGER NOT NULL,
  value TEXT NOT NULL,                     -- case and accents folded
  record INTEGER NOT NULL,
  PRIMARY KEY (parameter, value, record)
) STRICT, WITHOUT ROWID;
CREATE INDEX string_record ON string_index (record, parameter);

-- The record stands before the system: one code is then in order of recency, and a record can be probed, whatever the system.
CREATE TABLE token_index (
  parameter INTEGER NOT NULL,
  code TEXT NOT NULL,
  record INTEGER NOT NULL,
  system INTEGER NOT NULL,
  PRIMARY KEY (parameter, code, record, system)
) STRICT, WITHOUT ROWID;

-- Many resources refer to few: a target is written once, and rows of one time stand together.
CREATE TABLE target (                      -- of references, and URIs
  number INTEGER PRIMARY KEY,
  uri TEXT NOT NULL UNIQUE                 -- 'Patient/123', or an absolute URL
) STRICT;

CREATE TABLE reference_index (             -- of references and URIs
  parameter INTEGER NOT NULL,
  target INTEGER NOT NULL,                 -- target.number
  record INTEGER NOT NULL,
  PRIMARY KEY (parameter, target, record)
) STRICT, WITHOUT ROWID;
CREATE INDEX reference_record ON reference_index (record, parameter);

CREATE TABLE date_index (
  parameter INTEGER NOT NULL,
  low INTEGER NOT NULL,                    -- [low, high); an open end is the smallest or largest 64-bit number
  high INTEGER NOT NULL,
  record INTEGER NOT NULL,
  PRIMARY KEY (parameter, low, high, record)
) STRICT, WITHOUT ROWID;
CREATE INDEX date_record ON date_index (record, parameter);
-- Ranges of more than a day: what begins before a date and ends after it is either here or begins within the day before.
CREATE INDEX date_long ON date_index (parameter, high) WHERE high > low + 86400000000;

-- Ranges of numbers: most are one number wide, so what ends after a number begins near it or is in the index *_wide.
CREATE TABLE number_index (
  parameter INTEGER NOT NULL,
  low REAL NOT NULL,                       -- [low, high)
  high REAL NOT NULL,
  record INTEGER NOT NULL,
  PRIMARY KEY (parameter, low, high, record)
) STRICT, WITHOUT ROWID;
CREATE INDEX number_wide ON number_index (parameter, high)
  WHERE high > low + 1 AND NOT (low > 0 AND high <= low * 1.001);

-- In order of recency, not of value: rows in order of value are written all over the file, which makes a write of a
-- measurement several times as dear; common values are found soon, rare ones by reading the rows of the parameter.
CREATE TABLE quantity_index (              -- each quantity as written (unit 0) and in its canonical unit
  parameter INTEGER NOT NULL,
  unit INTEGER NOT NULL,                   -- system.number of 'ucum|UNIT' or 'SYSTEM|CODE'
  low REAL NOT NULL,
  high REAL NOT NULL,
  record INTEGER NOT NULL,
  PRIMARY KEY (parameter, unit, record, low, high)
) STRICT, WITHOUT ROWID;

CREATE TABLE composite_index (
  parameter INTEGER NOT NULL,
  key TEXT NOT NULL,                       -- the parts that are compared for equality, joined by '$'
  low REAL NOT NULL,                       -- the part that is a range; 0 and 0 when there is none
  high REAL NOT NULL,
  record INTEGER NOT NULL,
  system INTEGER NOT NULL,                 -- of the first token
  unit INTEGER NOT NULL,                   -- of a quantity, as in quantity_index
  PRIMARY KEY (parameter, key, record, low, high, system, unit)
) STRICT, WITHOUT ROWID;

CREATE TABLE position_index (
  parameter INTEGER NOT NULL,
  latitude REAL NOT NULL,
  longitude REAL NOT NULL,
  record INTEGER NOT NULL,
  PRIMARY KEY (parameter, latitude, longitude, record)
) STRICT, WITHOUT ROWID;

-- The words of whole resources: rowid is the record, each word begins with two letters for the type, so that the list of
-- a word holds one type in order of recency. Nothing but the lists is kept.
CREATE VIRTUAL TABLE text_index USING fts5(content, narrative, content='', detail=column, columnsize=0, tokenize='ascii');

CREATE TABLE word (                        -- every word of the text index there ever was, to find those that begin so
  word TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
)sql";

constexpr std::array steps{first, second};

}  // namespace

std::span<const std::string_view> migrations() { return steps; }
std::string_view index_tables() { return tables; }

}  // namespace mydr24::sqlite
