#pragma once

// One evaluation of one program. Functions return false when the evaluation has failed: error() then says why. A
// Sequence that a function fills is empty when it is called. Private to fhir/path.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "fhir/path/cell.h"
#include "fhir/path/decimal.h"
#include "fhir/path/moment.h"
#include "fhir/path/syntax.h"

namespace mydr24::path {

inline constexpr std::size_t made_text_bytes_max = 64U << 20;  // of all texts that one evaluation makes
inline constexpr std::size_t sort_values_max = 250'000;        // items times keys of one sort()
inline constexpr std::size_t bulk_min = 4096;                  // cells; from here on copying them costs
inline constexpr std::uint64_t bulk_steps = 4;                 // this for each, which bounds the memory in use
inline constexpr std::size_t descent_max = 256;                // of elements inside elements, when they are compared

enum class Truth : std::uint8_t { no, yes, unknown };

// What $this, $index and $total are.
struct Scope {
  std::span<const Cell> focus;
  std::int64_t index = -1;
  std::span<const Cell> total;
};

class Evaluator {
 public:
  Evaluator(const Syntax& syntax, const Environment& environment, const Cell& context)
      : syntax_(syntax), environment_(environment), context_(context), steps_(steps_max - budget()) {}
  ~Evaluator() {
    if (environment_.steps_left != nullptr) *environment_.steps_left = steps_max - std::min(steps_, steps_max);
  }
  Evaluator(const Evaluator&) = delete;
  Evaluator& operator=(const Evaluator&) = delete;

  [[nodiscard]] bool evaluate(const Node& node, const Scope& scope, Sequence& out);
  [[nodiscard]] bool truth(const Node& node, const Scope& scope, Truth& out);
  Error take_error() { return std::move(error_); }

 private:
  // The machinery: evaluator.cc
  bool evaluate_call(const Node& node, const Scope& scope, Sequence& out);
  bool input_of(const Node& node, const Scope& scope, Sequence& out);
  bool argument(const Node& node, std::size_t number, const Scope& scope, Sequence& out);
  // A single text or whole number; `none` when the argument is empty.
  bool text_argument(const Node& node, std::size_t number, const Scope& scope, std::string_view& out, bool& none);
  bool integer_argument(const Node& node, std::size_t number, const Scope& scope, std::int64_t& out, bool& none);
  bool external(const Node& node, Sequence& out);
  bool singleton_truth(std::span<const Cell> cells, const Node& node, Truth& out);
  bool chain_truth(const Node& node, const Scope& scope, Truth& out);
  bool call_truth(const Node& node, const Scope& scope, Truth& out);
  std::uint64_t budget() const {
    return environment_.steps_left == nullptr ? steps_max : std::min(*environment_.steps_left, steps_max);
  }
  bool step(const Node& node, std::uint64_t steps = 1);
  bool push(const Node& node, Sequence& out, const Cell& cell);
  bool append(const Node& node, Sequence& out, std::span<const Cell> cells);
  bool fail_at(const Node& node, std::string_view what, Code code = Code::invalid);
  bool fail_with(const Node& node, Error error);
  // A text that lives as long as the evaluation.
  bool keep(const Node& node, std::string text, std::string_view& out);
  bool push_text(const Node& node, ItemKind kind, std::string text, Sequence& out);

  // The way through the data: navigate.cc
  bool member(const Node& node, std::string_view name, const Cell& from, Sequence& out);
  bool add_property(const Node& node, json::Value value, json::Value extended, const model::Type* type, Sequence& out);
  bool children(const Node& node, const Cell& from, Sequence& out);
  bool descendants(const Node& node, std::span<const Cell> from, Sequence& out);
  bool extensions(const Node& node, const Cell& from, std::string_view url, Sequence& out);
  bool resolve(const Node& node, const Cell& reference, Sequence& out);
  json::Value resolve_inside(std::string_view reference) const;

  // Operators: operators.cc
  bool arithmetic(const Node& node, const Scope& scope, Sequence& out);
  bool number_arithmetic(const Node& node, const Cell& a, const Cell& b, Sequence& out);
  bool quantity_arithmetic(const Node& node, const Cell& a, const Cell& b, Sequence& out);
  bool moment_arithmetic(const Node& node, const Cell& moment, const Cell& quantity, Sequence& out);
  bool negate(const Node& node, const Scope& scope, Sequence& out);
  bool concatenate(const Node& node, const Scope& scope, Sequence& out);
  bool unite(const Node& node, const Scope& scope, Sequence& out);
  bool membership(const Node& node, const Scope& scope, Truth& out);
  bool comparison(const Node& node, const Scope& scope, Truth& out);
  bool type_test(const Node& node, std::span<const Cell> cells, Truth& out);

  // Equality and order: compare.cc
  Truth equal(std::span<const Cell> a, std::span<const Cell> b);
  Truth equal(const Cell& a, const Cell& b);
  bool equivalent(std::span<const Cell> a, std::span<const Cell> b);
  bool equivalent(const Cell& a, const Cell& b);
  bool equivalent_json(json::Value a, json::Value b, std::size_t depth);
  bool order(const Node& node, const Cell& a, const Cell& b, Order& out);
  bool has_equal(std::span<const Cell> cells, const Cell& cell);
  // The cells of a Sequence by their hashes, as far as it has been filled through add_distinct().
  struct Distinct {
    std::unordered_multimap<std::size_t, std::size_t> places;
    std::size_t indexed = 0;
  };
  // Appends those of `cells` that do not equal one before them, or one that is in `out` already. `index` goes with
  // `out`.
  bool add_distinct(const Node& node, std::span<const Cell> cells, Sequence& out, Distinct& index);
  bool add_distinct(const Node& node, std::span<const Cell> cells, Sequence& out);

  // Functions
  bool collection_function(const Node& node, const Scope& scope, Sequence& out);  // functions_collection.cc
  bool subset_function(const Node& node, const Scope& scope, Sequence& input, Sequence& out);
  bool plain_collection_function(const Node& node, Sequence& input, Sequence& out);
  bool all_of(const Node& node, std::span<const Cell> input, Sequence& out);
  bool criterion(const Node& node, std::span<const Cell> cells, std::size_t index, const Scope& scope, Truth& out);
  bool filter(const Node& node, const Scope& scope, Sequence& out);
  bool select(const Node& node, const Scope& scope, Sequence& out);
  bool repeat(const Node& node, const Scope& scope, Sequence& out);
  bool all(const Node& node, const Scope& scope, Truth& out);
  bool iif(const Node& node, const Scope& scope, Sequence& out);
  bool aggregate(const Node& node, const Scope& scope, Sequence& out);
  bool trace(const Node& node, const Scope& scope, Sequence& out);
  bool sort(const Node& node, const Scope& scope, Sequence& out);
  bool define_variable(const Node& node, const Scope& scope, Sequence& out);
  bool combine(const Node& node, const Scope& scope, Sequence& out);
  bool conversion_function(const Node& node, const Scope& scope, Sequence& out);  // functions_conversion.cc
  bool convert(const Node& node, const Cell& from, Function to, Sequence& out);
  bool string_function(const Node& node, const Scope& scope, Sequence& out);  // functions_string.cc
  bool search_text(const Node& node, const Scope& scope, std::string_view text, Sequence& out);
  bool substring(const Node& node, const Scope& scope, std::string_view text, Sequence& out);
  bool replace(const Node& node, const Scope& scope, std::string_view text, Sequence& out);
  bool match(const Node& node, const Scope& scope, std::string_view text, Sequence& out);
  bool split(const Node& node, const Scope& scope, std::string_view text, Sequence& out);
  bool join(const Node& node, const Scope& scope, Sequence& out);
  bool encoding(const Node& node, const Scope& scope, std::string_view text, Sequence& out);
  bool to_chars(const Node& node, std::string_view text, Sequence& out);
  bool math_function(const Node& node, const Scope& scope, Sequence& out);  // functions_math.cc
  bool rounding(const Node& node, const Scope& scope, const Cell& number, Sequence& out);
  bool power(const Node& node, const Scope& scope, const Cell& number, Sequence& out);
  bool boundary_function(const Node& node, const Scope& scope, Sequence& out);  // functions_boundary.cc
  bool decimal_boundary(const Node& node, const Cell& from, std::int64_t digits, Sequence& out);
  bool fhir_function(const Node& node, const Scope& scope, Sequence& out);  // functions_fhir.cc
  bool check_modifiers(const Node& node, const Scope& scope, Sequence& out);
  bool conforms_to(const Node& node, const Cell& cell, std::string_view profile, Sequence& out);

  struct Variable {
    std::string_view name;
    Sequence cells;
  };
  // Variables that are defined inside an argument or operand end with it.
  class Block {
   public:
    explicit Block(Evaluator& evaluator) : evaluator_(evaluator), size_(evaluator.variables_.size()) {}
    ~Block() {
      while (evaluator_.variables_.size() > size_) evaluator_.variables_.pop_back();
    }
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;

   private:
    Evaluator& evaluator_;
    std::size_t size_;
  };

  const Syntax& syntax_;
  const Environment& environment_;
  const Cell context_;
  std::uint64_t steps_;  // taken, of steps_max
  std::size_t text_bytes_ = 0;
  std::vector<std::unique_ptr<const std::string>> texts_;
  std::vector<Variable> variables_;
  Error error_;
};

// The System value of a primitive element, itself for a computed cell; false for what has no such value (an object, or
// a primitive with extensions only).
bool system_value(const Cell& cell, Cell& out);
// A quantity from a computed one, a number or a FHIR Quantity.
bool quantity_value(const Cell& cell, Cell& out);
bool is_number(const Cell& cell);  // of a System value
bool is_moment(const Cell& cell);
std::optional<Decimal> decimal_of(const Cell& cell);
std::optional<Moment> moment_of(const Cell& cell);
// toString() of a System value.
std::string text_of_system(const Cell& cell);
// An element's cell; an unknown resource gets its type from resourceType.
Cell element_cell(json::Value value, json::Value extended, const model::Type* type);
Cell cell_of(const Item& item);
Item item_from(const Cell& cell);

}  // namespace mydr24::path
