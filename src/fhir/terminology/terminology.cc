#include "fhir/terminology/terminology.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "fhir/terminology/detail/content.h"
#include "fhir/terminology/detail/expander.h"
#include "fhir/terminology/detail/fold.h"
#include "fhir/terminology/detail/judge.h"
#include "fhir/terminology/detail/library.h"

namespace mydr24::terminology {

using namespace detail;

namespace {

Error no_value_set(std::string_view canonical) {
  return fail(Code::not_found, fmt::format("The value set {} is not known here", canonical));
}

std::string name_of(const SetRef& set) {
  if (set.row == nullptr) return fmt::format("of all codes of {}", set.system);
  const auto url = set.tables->text(set.row->url);
  return std::string(url.empty() ? set.tables->text(set.row->name) : url);
}

template <class Ref>
std::vector<std::string> canonicals_of(const std::vector<Ref>& refs) {
  std::vector<std::string> all;
  for (const auto& ref : refs) {
    const auto version = ref.tables->text(ref.row->version);
    all.push_back(fmt::format("{}{}{}", ref.tables->text(ref.row->url), version.empty() ? "" : "|", version));
  }
  std::ranges::sort(all);
  all.erase(std::ranges::unique(all).begin(), all.end());
  return all;
}

// A value set that is no part of any library, for one question.
Result<std::unique_ptr<const Block>> in_hand(json::Value value_set) {
  if (value_set["resourceType"].text() != "ValueSet") return fail(Code::invalid, "A ValueSet resource is needed here");
  Builder builder;
  builder.add(value_set);
  return builder.finish();
}

SetRef only_set(const Block& block) { return {.tables = &block.tables, .row = block.tables.value_sets.data()}; }

bool all_words(const std::vector<std::string>& words, const Item& item) {
  if (words.empty()) return true;
  const auto display = fold(item.display), code = fold(item.code);
  return std::ranges::all_of(words,
                             [&](const std::string& word) { return display.contains(word) || code.contains(word); });
}

Result<Expansion> expand_set(const Library& library, const SetRef& set, const ExpandOptions& options) {
  const auto words = fold_words(options.filter);
  Expansion expansion;
  bool too_many = false;
  Expander expander(library);
  MYDR24_TRY(expander.each(set, [&](const Item& item) {
    const bool is_abstract = (item.flags & flag_abstract) != 0, is_inactive = (item.flags & flag_inactive) != 0;
    if ((options.active_only && is_inactive) || (options.selectable_only && is_abstract)) return true;
    if (!all_words(words, item)) return true;
    const auto position = expansion.total++;
    if (position < options.offset || position - options.offset >= options.count) return true;
    too_many = expansion.concepts.size() >= expansion_max;
    if (too_many) return false;
    expansion.concepts.push_back(
        {{std::string(item.system), std::string(item.code), std::string(item.display), std::string(item.version)},
         is_abstract,
         is_inactive});
    return true;
  }));
  if (too_many) {
    return fail(Code::too_large,
                fmt::format("The expansion has more than {} concepts: ask for a page of it, or filter", expansion_max));
  }
  expansion.is_complete = expander.is_complete();
  return expansion;
}

// ---- The reasons of validate_code

bool is_display(const InSystem& found, const Coding& coding, std::string_view right) {
  const auto same = [wanted = fold(coding.display)](std::string_view other) { return fold(other) == wanted; };
  if (same(right)) return true;
  if (found.row == nullptr) return false;
  const Tables& tables = *found.system.tables;
  const auto designations = rows_of(tables.designations, *found.row, &ConceptRow::first_designation);
  return same(tables.text(found.row->display)) ||
         std::ranges::any_of(designations, [&](const auto& row) { return same(tables.text(row.value)); });
}

void check_display(Validity& validity, const InSystem& found, const Coding& coding) {
  if (found.row != nullptr) validity.display = found.system.tables->text(found.row->display);
  if (found.grammar != nullptr) validity.display = found.grammar->display(coding.code);
  if (coding.display.empty() || validity.display.empty() || is_display(found, coding, validity.display)) return;
  // Units and languages have many names; the one that is known here is none to insist on.
  if (found.grammar != nullptr) return;
  validity.display_differs = true;
  validity.message = fmt::format("The display of {} in {} is '{}', not '{}'", coding.code, coding.system,
                                 validity.display, coding.display);
}

// The codes that would be right, where they are few.
std::string codes_of(const Library& library, const SetRef& set) {
  constexpr std::size_t shown_max = 12, looked_at_max = 500;
  std::string out;
  std::size_t shown = 0;
  const auto listed = Expander(library, looked_at_max).each(set, [&](const Item& item) {
    if ((item.flags & flag_abstract) != 0) return true;
    out += out.empty() ? ": use one of " : ", ";
    out += item.code;
    return ++shown <= shown_max;
  });
  return listed && shown <= shown_max ? out : std::string();
}

Validity in_system_only(const InSystem& found, const Coding& coding) {
  Validity validity{.result = found.result};
  if (found.result == Membership::member) {
    check_display(validity, found, coding);
  } else if (found.result == Membership::unknown) {
    validity.message =
        fmt::format("The content of the code system {} is not here: whether it has the code {} is not known",
                    coding.system, coding.code);
  } else if (found.row != nullptr) {
    validity.message =
        fmt::format("The code {} of {} only groups others and is none to use", coding.code, coding.system);
  } else {
    validity.message = fmt::format("The code system {} has no code {}", coding.system, coding.code);
  }
  return validity;
}

Validity in_value_set(const Library& library, const SetRef& set, const Coding& coding, bool abstract_too) {
  Judge judge(library, !abstract_too);
  Validity validity{.result = judge.in_set(set, coding.system, coding.code)};
  const std::string system(coding.system.empty() ? judge.system_found() : coding.system);
  const auto found = judge.in_system(system, coding.version, coding.code);
  if (validity.result == Membership::member) {
    check_display(validity, found, {system, coding.code, coding.display, coding.version});
    return validity;
  }
  const auto of_system = coding.system.empty() ? std::string() : " of " + coding.system;
  if (validity.result == Membership::unknown) {
    validity.message =
        fmt::format("Whether the value set {} has the code {}{} is not known: not all of its content is here",
                    name_of(set), coding.code, of_system);
    return validity;
  }
  validity.message = fmt::format("The code {}{} is not in the value set {}{}", coding.code, of_system, name_of(set),
                                 codes_of(library, set));
  return validity;
}

}  // namespace

// ---- Making

Terminology::Terminology(std::shared_ptr<const Content> content) : content_(std::move(content)) {}
Terminology::~Terminology() = default;

std::shared_ptr<const Terminology> Terminology::published() {
  static const std::shared_ptr<const Terminology> base(new Terminology(std::make_shared<const Content>()));
  return base;
}

std::shared_ptr<const Terminology> Terminology::with(std::span<const json::Value> resources) const {
  auto content = std::make_shared<Content>(*content_);
  for (const auto resource : resources) content->library.load(resource);
  content->library.settle();
  return std::shared_ptr<const Terminology>(new Terminology(std::move(content)));
}

std::shared_ptr<const Terminology> Terminology::without(std::string_view url) const {
  auto content = std::make_shared<Content>(*content_);
  content->library.unload(url);
  content->library.settle();
  return std::shared_ptr<const Terminology>(new Terminology(std::move(content)));
}

bool Terminology::has_code_system(std::string_view url) const {
  return content_->library.find_system(url) || find_grammar(url) != nullptr;
}

bool Terminology::has_value_set(std::string_view url) const { return bool(content_->library.find_set(url)); }

std::vector<std::string> Terminology::code_systems() const { return canonicals_of(content_->library.systems()); }
std::vector<std::string> Terminology::value_sets() const { return canonicals_of(content_->library.sets()); }

Result<ValueSetHead> Terminology::value_set_head(std::string_view value_set) const {
  const auto set = content_->library.find_set(value_set);
  if (!set) return no_value_set(value_set);
  if (set.row == nullptr) {
    return ValueSetHead{
        .url = std::string(value_set), .name = "All codes of " + std::string(set.system), .status = "active"};
  }
  const auto text = [&](Text what) { return std::string(set.tables->text(what)); };
  return ValueSetHead{text(set.row->url), text(set.row->version), text(set.row->name), text(set.row->title),
                      text(set.row->status)};
}

// ---- Value sets

Result<Expansion> Terminology::expand(std::string_view value_set, const ExpandOptions& options) const {
  const auto set = content_->library.find_set(value_set);
  if (!set) return no_value_set(value_set);
  return expand_set(content_->library, set, options);
}

Result<Expansion> Terminology::expand(json::Value value_set, const ExpandOptions& options) const {
  MYDR24_ASSIGN(const auto block, in_hand(value_set));
  return expand_set(content_->library, only_set(*block), options);
}

Result<Validity> Terminology::validate_code(std::string_view value_set, const Coding& coding, bool abstract_too) const {
  const auto set = content_->library.find_set(value_set);
  if (!set) return no_value_set(value_set);
  return in_value_set(content_->library, set, coding, abstract_too);
}

Result<Validity> Terminology::validate_code(json::Value value_set, const Coding& coding, bool abstract_too) const {
  MYDR24_ASSIGN(const auto block, in_hand(value_set));
  return in_value_set(content_->library, only_set(*block), coding, abstract_too);
}

Result<Validity> Terminology::validate_code_in_system(const Coding& coding, bool abstract_too) const {
  const auto found = Judge(content_->library, !abstract_too).in_system(coding.system, coding.version, coding.code);
  return in_system_only(found, coding);
}

Membership Terminology::member(std::string_view value_set, std::string_view system, std::string_view code) const {
  const auto set = content_->library.find_set(value_set);
  return set ? Judge(content_->library, true).in_set(set, system, code) : Membership::unknown;
}

}  // namespace mydr24::terminology
