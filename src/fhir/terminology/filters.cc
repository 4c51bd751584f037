#include "fhir/terminology/detail/filters.h"

#include <unicode/regex.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <ranges>
#include <string>

namespace mydr24::terminology::detail {
namespace {

Membership member_if(bool yes) { return yes ? Membership::member : Membership::not_member; }

bool is_about_code(std::string_view property) { return property == "code" || property == "concept"; }

icu::UnicodeString wide(std::string_view text) {
  return icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())));
}

bool contains(const std::vector<std::string_view>& values, std::string_view text) {
  return std::ranges::find(values, text) != values.end();
}

std::string_view trim(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

}  // namespace

// A regular expression that must match the whole of a text, and gives up rather than run on.
class Pattern {
 public:
  explicit Pattern(std::string_view text) {
    UErrorCode status = U_ZERO_ERROR;
    if (text.size() > pattern_bytes_max) return;
    pattern_.reset(icu::RegexPattern::compile(wide(text), 0, status));
    if (U_FAILURE(status)) pattern_.reset();
  }

  Membership matches(std::string_view text) const {
    constexpr std::int32_t time_max = 10;  // in ICU's unit: about a millisecond
    constexpr std::int32_t stack_bytes_max = 1 << 20;
    if (!pattern_ || text.size() > pattern_bytes_max) return Membership::unknown;
    UErrorCode status = U_ZERO_ERROR;
    const icu::UnicodeString input = wide(text);
    const std::unique_ptr<icu::RegexMatcher> matcher(pattern_->matcher(input, status));
    if (U_FAILURE(status)) return Membership::unknown;
    matcher->setTimeLimit(time_max, status);
    matcher->setStackLimit(stack_bytes_max, status);
    const bool found = matcher->matches(status) != 0;
    return U_FAILURE(status) ? Membership::unknown : member_if(found);
  }

 private:
  std::unique_ptr<icu::RegexPattern> pattern_;
};

Filters::Filters(const Tables& of_rule, std::span<const Filter> filters, const SystemRef& system,
                 const Grammar* grammar)
    : system_(system), grammar_(grammar) {
  for (const auto& filter : filters) {
    Ready ready{.property = of_rule.text(filter.property), .value = of_rule.text(filter.value), .op = filter.op};
    if (system) ready.concept_row = find_concept(system, ready.value);
    if (filter.op == FilterOp::regex) ready.pattern = std::make_unique<Pattern>(ready.value);
    for (const auto part : std::views::split(ready.value, ',')) {
      ready.values.push_back(trim(std::string_view(part.begin(), part.end())));
    }
    filters_.push_back(std::move(ready));
  }
}

Filters::~Filters() = default;

Membership Filters::pass(std::string_view code, const ConceptRow* row) const {
  Membership all = Membership::member;
  for (const auto& filter : filters_) {
    const auto one = pass_one(filter, code, row);
    if (one == Membership::not_member) return one;
    if (one == Membership::unknown) all = one;
  }
  return all;
}

Membership Filters::pass_one(const Ready& filter, std::string_view code, const ConceptRow* row) const {
  switch (filter.op) {
    case FilterOp::is_a:
    case FilterOp::descendent_of:
    case FilterOp::is_not_a:
    case FilterOp::generalizes:
      return pass_hierarchy(filter, row);
    case FilterOp::unknown:
      return Membership::unknown;
    default:
      break;
  }
  if (is_about_code(filter.property)) return pass_text(filter, code);
  if (row == nullptr) {
    const bool is_unit = grammar_ != nullptr && filter.property == "canonical" && filter.op == FilterOp::equal;
    return is_unit ? member_if(ucum_canonical(code) == ucum_canonical(filter.value)) : Membership::unknown;
  }
  if (filter.property == "display") return pass_text(filter, system_.tables->text(row->display));
  return pass_property(filter, *row);
}

Membership Filters::pass_hierarchy(const Ready& filter, const ConceptRow* row) const {
  if (row == nullptr) return Membership::unknown;
  const Tables& tables = *system_.tables;
  if (filter.concept_row == nullptr) {
    if (system_.row->content != Content::complete) return Membership::unknown;
    return member_if(filter.op == FilterOp::is_not_a);
  }
  switch (filter.op) {
    case FilterOp::is_a:
      return member_if(is_a(tables, *row, *filter.concept_row));
    case FilterOp::descendent_of:
      return member_if(row != filter.concept_row && is_a(tables, *row, *filter.concept_row));
    case FilterOp::is_not_a:
      return member_if(!is_a(tables, *row, *filter.concept_row));
    default:
      return member_if(is_a(tables, *filter.concept_row, *row));
  }
}

Membership Filters::pass_text(const Ready& filter, std::string_view text) const {
  switch (filter.op) {
    case FilterOp::equal:
      return member_if(text == filter.value);
    case FilterOp::regex:
      return filter.pattern->matches(text);
    case FilterOp::in:
      return member_if(contains(filter.values, text));
    case FilterOp::not_in:
      return member_if(!contains(filter.values, text));
    case FilterOp::exists:
      return member_if(text.empty() == (filter.value == "false"));
    default:
      return Membership::unknown;
  }
}

Membership Filters::pass_property(const Ready& filter, const ConceptRow& row) const {
  const Tables& tables = *system_.tables;
  const auto related = [&](std::span<const std::uint32_t> rows) {
    bool any = false;
    for (const auto other : rows) any = any || &tables.concepts[other] == filter.concept_row;
    return member_if(any);
  };
  if (filter.op == FilterOp::equal && filter.property == "parent") return related(parents_of(tables, row));
  if (filter.op == FilterOp::equal && filter.property == "child") return related(children_of(tables, row));

  bool any = false, unsure = false;
  const auto properties = rows_of(tables.properties, row, &ConceptRow::first_property);
  for (const auto& property : properties) {
    if (tables.text(property.code) != filter.property) continue;
    if (filter.op == FilterOp::exists) return member_if(filter.value != "false");
    const auto one = pass_text(filter, tables.text(property.value));
    unsure = unsure || one == Membership::unknown;
    if (filter.op == FilterOp::not_in && one == Membership::not_member) return one;
    any = any || one == Membership::member;
  }
  if (filter.op == FilterOp::exists) return member_if(filter.value == "false");
  if (filter.op == FilterOp::not_in) return Membership::member;
  return any ? Membership::member : unsure ? Membership::unknown : Membership::not_member;
}

}  // namespace mydr24::terminology::detail
