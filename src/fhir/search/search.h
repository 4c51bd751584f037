#pragma once

// Search without a database: which parameters exist, what a resource is found by (index entries), and what a client
// asked for (a Query). Pure functions; how a Query becomes SQL is the store's business.
// Source: FHIR R4, search.html.

#include <compare>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/core/clock.h"
#include "base/json/document.h"
#include "fhir/model/outcome.h"

namespace mydr24::search {

enum class Kind : std::uint8_t { string, token, reference, date, id, last_updated };

// A parameter of one resource type that this server indexes.
struct Parameter {
  std::uint16_t number = 0;  // position in parameters(); stable within a process, not between versions
  std::string_view type;     // resource type
  std::string_view code;
  Kind kind = Kind::token;
  std::span<const std::string_view> targets;  // of a reference: resource types; empty: any
};

// Every indexed parameter of every resource type. _id and _lastUpdated are in it for each type (kind id, last_updated)
// though they have no entries: the record itself holds them.
std::span<const Parameter> parameters();
// nullptr when this server does not index it for that type.
const Parameter* find_parameter(std::string_view type, std::string_view code);
std::span<const Parameter> parameters_of(std::string_view type);

// One row of an index: the record is found under this value of this parameter.
struct IndexEntry {
  std::uint16_t parameter = 0;
  Kind kind = Kind::token;
  std::string value;     // string: folded; token: the code; reference: "Patient/123", or the absolute URL as written
  std::string system;    // token: the code's system, may be empty
  std::int64_t low = 0;  // date: microseconds since 1970, half-open [low, high)
  std::int64_t high = 0;
  auto operator<=>(const IndexEntry&) const = default;
};

inline constexpr std::int64_t open_start = INT64_MIN;  // low of a Period without start
inline constexpr std::int64_t open_end = INT64_MAX;    // high of a Period without end

// Strings for comparison: case and accents folded (ICU NFKD, case fold), white space runs as one space, at most 200
// bytes.
std::string fold(std::string_view text);

// The entries one resource has at most; what comes after them in the resource is not found.
inline constexpr std::size_t index_entries_max = 65'536;

// The entries of a resource, sorted and without repeats. Values that cannot be indexed (a malformed date) have none.
// `resource` has been validated.
std::vector<IndexEntry> extract(json::Value resource);

enum class Prefix : std::uint8_t { eq, ne, gt, lt, ge, le, sa, eb, ap };
enum class Modifier : std::uint8_t { none, exact, contains, missing, is_not };

// One of the comma-separated alternatives.
struct Term {
  Prefix prefix = Prefix::eq;  // date and last_updated
  std::string value;           // string: folded; token: code; reference: target; id: the id
  std::string exact;           // string :exact: as written
  std::string system;          // token
  enum class System : std::uint8_t { any, none, named } system_is = System::any;  // "c", "|c", "s|c"
  bool any_code = false;                                                          // "s|"
  std::int64_t low = 0, high = 0;                                                 // date
  bool missing = false;                                                           // :missing=true
};

struct Condition {
  const Parameter* parameter = nullptr;
  Modifier modifier = Modifier::none;
  std::vector<Term> any_of;  // at least one
};

enum class Order : std::uint8_t {
  newest_first,
  oldest_first
};  // by creation; `_sort=-_lastUpdated` / `_lastUpdated`: by change
enum class Total : std::uint8_t { none, estimate, accurate };

inline constexpr std::uint32_t count_default = 20;
inline constexpr std::uint32_t count_max = 1000;
inline constexpr std::size_t conditions_max = 32;
inline constexpr std::size_t terms_max = 256;

struct Query {
  std::string type;
  std::vector<Condition> conditions;    // all must hold
  std::uint32_t count = count_default;  // 0: only the total
  Total total = Total::none;
  bool by_last_updated = false;  // order by last change instead of creation
  Order order = Order::newest_first;
  std::string cursor;  // where the page before ended: made by the store, opaque to others; empty for the first page
  // What was understood, in order, decoded: for the self link. Without the cursor.
  std::vector<std::pair<std::string, std::string>> processed;
};

// `parameters`: decoded names and values in the order sent. The parameter "_cursor" carries Query::cursor in paging
// links.
// `lenient`: unknown parameters are left out (and reported in `ignored` when given) instead of refused.
// The Issues of a refusal name the parameter in `expression` and what may be used instead.
struct Refusal {
  std::vector<model::Issue> issues;
};
std::expected<Query, Refusal> parse_query(std::string_view type,
                                          std::span<const std::pair<std::string, std::string>> parameters, bool lenient,
                                          std::vector<model::Issue>* ignored = nullptr);

}  // namespace mydr24::search
