#pragma once

// Search without a database: which parameters exist, what a resource is found by (index entries), what a client asked
// for (a Query), and what a Query means (matches). Pure functions; how a Query becomes SQL is the store's business.
// Source: FHIR R4, search.html.

#include <compare>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/core/clock.h"
#include "base/core/result.h"
#include "base/json/document.h"
#include "fhir/model/outcome.h"

namespace mydr24::search {

enum class Kind : std::uint8_t {
  string,
  token,
  reference,
  date,
  id,            // _id: the record itself
  last_updated,  // _lastUpdated: the record itself
  number,
  quantity,
  uri,
  composite,
  position,  // near
  text,      // _content and _text
};

// A parameter of one resource type.
struct Parameter {
  std::uint16_t number = 0;  // position in its Catalogue's parameters(); stable within a process, not between versions
  std::string_view type;     // resource type
  std::string_view code;
  Kind kind = Kind::token;
  std::span<const std::string_view> targets;  // of a reference: resource types; empty: any
  std::span<const std::uint16_t> components;  // of a composite: kinds of its parts are those of pseudo-parameters with
                                              // these numbers (they have no entries of their own)
  std::string_view expression;                // FHIRPath, as published for `type`
  std::string_view url;                       // canonical of the SearchParameter
  // Of a custom parameter: a new number whenever its definition changes, so that a database does not mix up the index
  // rows of two definitions. 0 for the published ones.
  std::uint32_t generation = 0;
};

// All parameters of all resource types: those R4 publishes, and those a deployment adds. Immutable; a catalogue with
// more parameters is a new one in which the old keep their numbers.
class Catalogue;
using CataloguePtr = std::shared_ptr<const Catalogue>;

// A SearchParameter resource that a deployment adds. Code::invalid names the element at fault (an expression that does
// not compile, a base that is no type, a code that is taken, a type this server cannot index).
struct CustomParameter {
  std::string url, code, kind, expression;
  std::vector<std::string> bases, targets;
  std::vector<std::pair<std::string, std::string>> components;  // canonical of the part, its expression
  std::uint32_t generation = 1;                                 // becomes Parameter::generation
};
Result<CustomParameter> custom_parameter(json::Value search_parameter);

CataloguePtr published_catalogue();
Result<CataloguePtr> with_parameters(const CataloguePtr& catalogue, std::span<const CustomParameter> added);

// The same catalogue of a server that is reached under these absolute URLs of the FHIR API (no slash at the end): an
// absolute reference below one of them is indexed and asked for as the local one, "Patient/1".
CataloguePtr with_own_bases(const CataloguePtr& catalogue, std::vector<std::string> bases);
std::span<const std::string> own_bases(const Catalogue* catalogue);
// What such a reference is locally; any other as it is.
std::string_view local_reference(std::string_view reference, const Catalogue* catalogue);

// Of the catalogue, or of the published one when it is null. _id and _lastUpdated are there for each type though they
// have no entries. Parameters that are only components of a composite are not found here.
std::span<const Parameter> parameters(const Catalogue* catalogue = nullptr);
std::span<const Parameter> parameters_of(std::string_view type, const Catalogue* catalogue = nullptr);
// nullptr when there is none of that code for that type.
const Parameter* find_parameter(std::string_view type, std::string_view code, const Catalogue* catalogue = nullptr);

// The parameters of `type` that put a resource into a compartment; empty when it is in none of that kind.
// `compartment`: Patient, Encounter, RelatedPerson, Practitioner, Device. The code "{def}" stands for the resource
// itself. Source: FHIR R4, compartmentdefinition.html.
std::span<const std::string_view> compartment_parameters(std::string_view compartment, std::string_view type);

// True when a resource has at most one entry of this parameter (a date), by the definitions of its elements.
bool is_single(const Parameter& parameter, const Catalogue* catalogue = nullptr);

// One row of an index: the record is found under this value of this parameter.
//   string     value: folded
//   token      value: the code; system: its system, may be empty. Of an Identifier with a type, one more for :of-type:
//              system "type-system|type-code", value "\x1f" + the identifier's value
//   reference  value: "Patient/123" (also of an absolute URL of this server), or the absolute URL or canonical as written; with "/_history/2" or "|version" one
//              more without it. Of a Reference with an identifier two more for :identifier: value "\x1f" + system +
//              "|" + value, and for any system "\x1f\x1f" + value. Fragments ("#x") have none.
//   uri        value: as written; of a canonical with "|version" one more without it
//   date       low, high: microseconds since 1970, half-open [low, high)
//   number     from, to: half-open; of a number exactly it: [v, the next double). Precision is a matter of the question
//              ("=100" asks for [99.5, 100.5)), not of the resource. Of a Range: its ends, infinite where it is open
//   quantity   the same, twice: with an empty system the value as written, whatever its unit; with system
//              "ucum|" + canonical unit the value in canonical units (rounded to 14 digits, so that 5 mg is 0.005 g),
//              or, where the unit is not UCUM, system "SYSTEM|CODE" (of a Quantity with comparator "<" or the like the
//              range is infinite on that side). Of Money: system "urn:iso:std:iso:4217|CURRENCY"
//   composite  value: the parts that are equalities, joined by "$" (token: its code; string: folded; reference, uri: as
//              above); system: that of the first token; from, to: the first part that is a range (number, quantity,
//              date in microseconds), 0 when there is none; unit: of a quantity, as `system` of quantity
//   position   from: latitude, to: longitude, degrees
//   text       value: the distinct folded words, each followed by one space
struct IndexEntry {
  std::uint16_t parameter = 0;
  Kind kind = Kind::token;
  bool contained = false;  // found in a contained resource: for _contained only; `parameter` is of the contained type
  std::string value;
  std::string system;
  std::string unit;
  std::int64_t low = 0;
  std::int64_t high = 0;
  double from = 0;
  double to = 0;
  auto operator<=>(const IndexEntry&) const = default;
};

inline constexpr std::int64_t open_start = INT64_MIN;  // low of a Period without start
inline constexpr std::int64_t open_end = INT64_MAX;    // high of a Period without end

// Strings for comparison: case and accents folded (ICU NFKD, case fold), white space runs as one space, at most 200
// bytes.
std::string fold(std::string_view text);
// The words of a text, folded: runs of letters and digits (ICU word rules), for _content, _text and :text.
std::vector<std::string> words(std::string_view text);

// The entries one resource has at most; what comes after them in the resource is not found.
inline constexpr std::size_t index_entries_max = 65'536;

// The entries of a resource, sorted and without repeats. Values that cannot be indexed (a malformed date) have none.
// `resource` has been validated.
std::vector<IndexEntry> extract(json::Value resource, const Catalogue* catalogue = nullptr);
// Only those of one parameter: for a reindex, for includes, for sorting.
std::vector<IndexEntry> extract(json::Value resource, const Parameter& parameter, const Catalogue* catalogue = nullptr);

enum class Prefix : std::uint8_t { eq, ne, gt, lt, ge, le, sa, eb, ap };
enum class Modifier : std::uint8_t {
  none,
  exact,
  contains,
  missing,
  is_not,  // token; of a string (in a _filter): no value is equal, folded
  text,    // token: a text or display begins so; string: each word asked for begins a word of the value
  in,      // token: the codes of a value set, resolved: terms are its codes
  not_in,
  above,  // token: resolved as `in`; uri and reference: by path
  below,
  of_type,
  identifier,
};

// One of the comma-separated alternatives.
struct Term {
  Prefix prefix = Prefix::eq;  // date, last_updated, number, quantity; of a composite: of its range part
  std::string value;           // string: folded; token: code; reference, uri: target; id: the id; :of-type and
                               // :identifier: as IndexEntry; composite: as IndexEntry; text: its words as IndexEntry,
                               // each of which must be there
  std::string exact;           // string, :text, text: as written
  std::string system;          // token; quantity: as IndexEntry, empty when no unit was asked for
  enum class System : std::uint8_t { any, none, named } system_is = System::any;  // "c", "|c", "s|c"
  bool any_code = false;                                                          // "s|"
  std::int64_t low = 0, high = 0;                                                 // date
  // number, quantity: half-open. What the written precision implies for eq and ne, with a tenth of the value on each
  // side for ap, exactly the number ([v, the next double)) for the others: comparisons are then those of dates.
  // position: latitude, longitude
  double from = 0, to = 0;
  std::string unit_text;    // quantity "5||mg": a code or unit as written, compared on the resource itself
  std::string unit;         // composite: as IndexEntry, empty when no unit was asked for
  double distance_km = 0;   // position
  bool missing = false;     // :missing=true
  bool at_end = false;      // string :contains, in a _filter: the value ends so
  std::vector<Term> parts;  // composite: one for each component, as it would be alone
};

// What must hold. A tree: chains and _has lead to other resources, _filter and compartments combine.
struct Condition {
  enum class Form : std::uint8_t {
    match,  // parameter, modifier, any_of
    chain,  // parameter (a reference) leads to a `target` resource for which all `parts` hold
    has,    // a resource of type parameter->type for which all `parts` hold refers here by parameter (a reference)
    all,    // every part
    any,    // one of the parts
    none,   // none of the parts
  };
  const Parameter* parameter = nullptr;
  Modifier modifier = Modifier::none;
  std::vector<Term> any_of;  // match: at least one; `in` of an empty value set has none and matches nothing
  Form form = Form::match;
  std::string target;  // chain: the resource type
  std::vector<Condition> parts;
};

enum class Order : std::uint8_t {
  newest_first,
  oldest_first
};  // by creation; `_sort=-_lastUpdated` / `_lastUpdated`: by change
enum class Total : std::uint8_t { none, estimate, accurate };
enum class Summary : std::uint8_t { no, yes, text, data, count };
enum class Contained : std::uint8_t { no, yes, both };

// One key of _sort. Resources without a value come last, whatever the direction; of several values the smallest counts
// ascending and the largest descending.
struct Sort {
  const Parameter* parameter = nullptr;
  bool descending = false;
};

// _include and _revinclude.
struct Include {
  bool reverse = false;
  bool iterate = false;
  std::string source;                    // the type that holds the reference; empty with "*"
  const Parameter* parameter = nullptr;  // nullptr: every reference of `source` ("Observation:*"), or of all ("*")
  std::string target;                    // only resources of this type; empty: any
};

inline constexpr std::uint32_t count_default = 20;
inline constexpr std::uint32_t count_max = 1000;
inline constexpr std::size_t conditions_max = 32;  // of the whole tree 128
inline constexpr std::size_t tree_max = 128;
inline constexpr std::size_t chain_depth_max = 6;
inline constexpr std::size_t terms_max = 256;        // values a client writes
inline constexpr std::size_t expanded_max = 10'000;  // of a resolved value set or List
inline constexpr std::size_t sorts_max = 8;
inline constexpr std::size_t includes_max = 32;
inline constexpr std::size_t filter_bytes_max = 8U << 10;

struct Query {
  std::string type;
  std::vector<Condition> conditions;    // all must hold
  std::uint32_t count = count_default;  // 0: only the total
  Total total = Total::none;
  bool by_last_updated = false;  // order by last change instead of creation
  Order order = Order::newest_first;
  std::vector<Sort> sort;  // any other order; `by_last_updated` and `order` then break ties by creation
  std::string cursor;      // where the page before ended: made by the store, opaque to others; empty for the first page
  std::vector<Include> includes;
  Summary summary = Summary::no;
  std::vector<std::string> elements;  // _elements; empty: all
  Contained contained = Contained::no;
  bool contained_alone = false;  // _containedType=contained: answer the contained resource, not its container
  // What was understood, in order, decoded: for the self link. Without the cursor.
  std::vector<std::pair<std::string, std::string>> processed;
  CataloguePtr catalogue;  // keeps the parameters alive; null: the published one
};

// What a search needs to know from elsewhere while it is parsed. A null function: that feature is refused.
struct Resolver {
  // The codes of a value set (canonical, or "ValueSet/id"), at most expanded_max: for :in and :not-in.
  std::function<Result<std::vector<std::pair<std::string, std::string>>>(std::string_view value_set)> value_set;
  // The codes at and below (above) a code: for :below and :above of tokens.
  std::function<Result<std::vector<std::string>>(std::string_view system, std::string_view code, bool below)> hierarchy;
  // The references of a List: for _list.
  std::function<Result<std::vector<std::string>>(std::string_view id)> list;
};

struct ParseOptions {
  bool lenient = false;                          // unknown parameters are left out instead of refused
  std::vector<model::Issue>* ignored = nullptr;  // ... and told here
  CataloguePtr catalogue;                        // null: the published one
  const Resolver* resolver = nullptr;
  std::string base_url;  // of this server: an absolute reference below it means the local resource
};

// `parameters`: decoded names and values in the order sent. The parameter "_cursor" carries Query::cursor in paging
// links. The Issues of a refusal name the parameter in `expression` and what may be used instead.
struct Refusal {
  std::vector<model::Issue> issues;
};
std::expected<Query, Refusal> parse_query(std::string_view type,
                                          std::span<const std::pair<std::string, std::string>> parameters,
                                          const ParseOptions& options);
std::expected<Query, Refusal> parse_query(std::string_view type,
                                          std::span<const std::pair<std::string, std::string>> parameters, bool lenient,
                                          std::vector<model::Issue>* ignored = nullptr);

// What a Condition means, without an index: the oracle of the stores' tests, the judge of conditions that index rows
// only narrow down (:exact, :text, units as written), and the way a criteria is tried on one resource.
struct MatchContext {
  Instant now;           // for the prefix ap
  Instant last_updated;  // of the resource
  const Catalogue* catalogue = nullptr;
  // Of Form::chain and Form::has: whether one of these resources ("Patient/1") or of the referrers matches. Null: such
  // a condition is false.
  std::function<bool(const Condition& chain, std::span<const std::string> targets)> chain;
  std::function<bool(const Condition& has, std::string_view reference)> has;
};
bool matches(const Condition& condition, json::Value resource, const MatchContext& context);

// Whether index rows decide the condition. Where they do not, they give candidates, and matches() judges: :exact and
// :text; :above and :below by path; near; a unit as written; `ew` of a _filter; a composite with two ranges, with a
// string, or with a system in any but the first part.
bool index_decides(const Condition& condition);

// How two resources compare under one sort key: the smallest (descending: the largest) value of that parameter as a
// text that compares by bytes; nothing when there is none. Quantities compare as they are written, whatever their unit.
std::optional<std::string> sort_key(json::Value resource, const Sort& sort, const Catalogue* catalogue = nullptr);

}  // namespace mydr24::search
