#pragma once

// FHIRPath for R4: an expression is compiled once and evaluated many times, by many threads, on documents as they were
// parsed: an Item that stands for an element is a view into its Document, nothing is copied.
// Source: FHIRPath 2.0.0 (N1) with the functions of FHIR R4, fhirpath.html, and those of FHIRPath 3 that the published
// R4 test suite uses. Not there: elementDefinition(), slice(), subsumes() and subsumedBy() (Code::unsupported), long
// integers (L), %terminologies and %factory.
//
// Decimals are exact to 38 digits, quotients to 20 decimals; roots, logarithms, powers with a fraction and conversions
// of units are reckoned with doubles. An overflow gives nothing. `as` and as() keep those of several items that have
// the type, as R4's own expressions need it.
//
// Every evaluation is bounded: by steps, by items of a collection and by depth. Exceeding one is Code::too_large.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/clock.h"
#include "base/core/result.h"
#include "base/json/document.h"
#include "fhir/model/definitions.h"

namespace mydr24::path {

inline constexpr std::size_t expression_bytes_max = 64U << 10;
inline constexpr std::size_t expression_depth_max = 200;
inline constexpr std::size_t collection_max = 1'000'000;
inline constexpr std::uint64_t steps_max = 20'000'000;

enum class ItemKind : std::uint8_t { element, boolean, integer, decimal, string, date, date_time, time, quantity };

// One member of a collection. An element knows its FHIR type and where it stands; the others are computed.
struct Item {
  ItemKind kind = ItemKind::element;
  // Of an element: its JSON value (missing for a primitive that has only extensions), the object with its id and
  // extensions (the property with "_" before its name), and its type. `type` is nullptr only where the definitions do
  // not know it.
  json::Value value;
  json::Value extended;
  const model::Type* type = nullptr;
  // Of a computed value: its text as FHIRPath's toString() gives it (dates without '@'). Of a quantity: the number.
  std::string text;
  std::string unit;  // of a quantity: a UCUM code, or a calendar word ("year")
};
using Collection = std::vector<Item>;

// Finds what a Reference or canonical leads to outside the resource (contained resources and Bundle entries are found
// without it). The documents must outlive the evaluation.
using Resolve = std::function<json::Value(std::string_view reference)>;
// memberOf(): nothing when the value set is not known.
using MemberOf = std::function<std::optional<bool>(const Item& coded, std::string_view value_set)>;
// conformsTo(): nothing when the profile is not known.
using ConformsTo = std::function<std::optional<bool>(json::Value value, std::string_view profile)>;

struct Environment {
  json::Value resource;       // %resource: the resource that holds the focus
  json::Value root_resource;  // %rootResource: its container; the same when it is not contained
  Instant now;                // now(), today()
  Resolve resolve;
  MemberOf member_of;
  ConformsTo conforms_to;
  std::function<void(std::string_view name, const Collection&)> trace;
  std::map<std::string, Collection, std::less<>> variables;  // %name
  // A budget of steps that several evaluations share: each takes away what it used. nullptr: steps_max for each alone.
  std::uint64_t* steps_left = nullptr;
};

class Expression {
 public:
  Expression();
  ~Expression();
  Expression(Expression&&) noexcept;
  Expression& operator=(Expression&&) noexcept;

  // Code::invalid with line and column when it does not parse, and, when `context` is given, when it names an element
  // that no type there can have.
  static Result<Expression> compile(std::string_view text, const model::Type* context = nullptr);

  // The focus is a resource, or an element inside one.
  Result<Collection> evaluate(json::Value resource, const Environment& environment) const;
  Result<Collection> evaluate(const Item& focus, const Environment& environment) const;
  // As an invariant is judged: false only for a single false. Nothing counts as true, and so does a single item that is
  // no boolean; Code::invalid for several items.
  Result<bool> holds(const Item& focus, const Environment& environment) const;

  std::string_view text() const;

 private:
  struct Program;
  std::shared_ptr<const Program> program_;
};

// An Item for a whole resource, and for an element that was reached in another way (validation walks the tree itself).
Item item_of(json::Value resource);
Item item_of(json::Value value, json::Value extended, const model::Type* type);

// The name of the item's type as FHIRPath's type() gives it: "FHIR.Patient", "System.String".
std::string type_name(const Item& item);
// The text of a primitive element or computed value; empty for anything else.
std::string_view text_of(const Item& item);

}  // namespace mydr24::path
