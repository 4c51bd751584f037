#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <set>

#include "base/core/date_time.h"
#include "fhir/model/narrative.h"
#include "fhir/validation/detail/rules.h"

namespace mydr24::validation {
namespace {

bool has(json::Value object, std::string_view name) {
  for (const json::Value member : object) {
    const std::string_view key = member.key();
    if (key == name || (key.size() == name.size() + 1 && key[0] == '_' && key.substr(1) == name)) return true;
  }
  return false;
}

// Any of the names of a choice element.
bool has_choice(json::Value object, std::string_view choice) {
  for (const json::Value member : object) {
    std::string_view key = member.key();
    if (key.starts_with('_')) key.remove_prefix(1);
    if (key.size() > choice.size() && key.starts_with(choice) && key[choice.size()] >= 'A' &&
        key[choice.size()] <= 'Z') {
      return true;
    }
  }
  return false;
}

// start <= end, unless the precisions leave it open.
bool per_1(const Focus& focus) {
  const auto start_text = focus.value["start"].text(), end_text = focus.value["end"].text();
  if (start_text.empty() || end_text.empty()) return true;
  const auto start = parse_date_time(start_text), end = parse_date_time(end_text);
  if (!start || !end) return true;  // the structure has been told
  if (start->precision >= Precision::second && end->precision >= Precision::second) return start->low <= end->low;
  return start->low < end->high;
}

bool qty_3(const Focus& focus) { return !has(focus.value, "code") || has(focus.value, "system"); }
bool sqty_1(const Focus& focus) { return !has(focus.value, "comparator"); }
bool att_1(const Focus& focus) { return !has(focus.value, "data") || has(focus.value, "contentType"); }
bool cpt_2(const Focus& focus) { return !has(focus.value, "value") || has(focus.value, "system"); }

bool ref_1(const Focus& focus) {
  const std::string_view reference = focus.value["reference"].text();
  if (!reference.starts_with('#') || reference.size() == 1) return true;
  if (focus.contained != nullptr) return focus.contained->contains(reference.substr(1));
  const auto contained = focus.root["contained"];
  return std::ranges::any_of(contained, [id = reference.substr(1)](json::Value one) { return one["id"].text() == id; });
}

bool obs_3(const Focus& focus) {
  return has(focus.value, "low") || has(focus.value, "high") || has(focus.value, "text");
}
bool obs_6(const Focus& focus) { return !has(focus.value, "dataAbsentReason") || !has_choice(focus.value, "value"); }

// Equal for equal Codings, in whatever order their members are.
std::string normal_form(json::Value coding) {
  std::map<std::string_view, std::string> members;
  for (const auto one : coding) members[one.key()] = one.is_string() ? std::string(one.text()) : json::compact(one);
  std::string out;
  for (const auto& [key, text] : members) out += fmt::format("{}={}\n", key, text);
  return out;
}

// No component has the code of the observation, when that has a value of its own.
bool obs_7(const Focus& focus) {
  const auto components = focus.value["component"];
  if (!components.exists() || !has_choice(focus.value, "value")) return true;
  std::set<std::string> own;
  for (const auto coding : focus.value["code"]["coding"]) own.insert(normal_form(coding));
  if (own.empty()) return true;
  for (const auto component : components) {
    for (const auto coding : component["code"]["coding"]) {
      if (own.contains(normal_form(coding))) return false;
    }
  }
  return true;
}

bool txt_1(const Focus& focus) { return !model::narrative_problem(focus.value.text()); }
bool txt_2(const Focus& focus) { return model::narrative_has_content(focus.value.text()); }

struct Native {
  std::string_view key, expression;
  NativeRule rule;
};
constexpr auto natives = std::to_array<Native>({
    {"per-1", "start.hasValue().not() or end.hasValue().not() or (start <= end)", per_1},
    {"qty-3", "code.empty() or system.exists()", qty_3},
    {"sqty-1", "comparator.empty()", sqty_1},
    {"att-1", "data.empty() or contentType.exists()", att_1},
    {"cpt-2", "value.empty() or system.exists()", cpt_2},
    {"ref-1",
     "reference.startsWith('#').not() or (reference.substring(1).trace('url') in "
     "%rootResource.contained.id.trace('ids'))",
     ref_1},
    {"obs-3", "low.exists() or high.exists() or text.exists()", obs_3},
    {"obs-6", "dataAbsentReason.empty() or value.empty()", obs_6},
    {"obs-7", "value.empty() or component.code.where(coding.intersect(%resource.code.coding).exists()).empty()", obs_7},
    {"txt-1", "htmlChecks()", txt_1},
    {"txt-2", "htmlChecks()", txt_2},
});

}  // namespace

NativeRule native_rule(std::string_view key, std::string_view expression) {
  for (const auto& one : natives) {
    if (one.key == key && one.expression == expression) return one.rule;
  }
  return nullptr;
}

Result<> Rule::check() const {
  std::call_once(once_, [this] { compiled_.emplace(path::Expression::compile(expression_)); });
  if (!*compiled_) return compiled_->error();
  return {};
}

Result<bool> Rule::holds(const Focus& focus, const path::Environment& environment) const {
  if (native_ != nullptr) return native_(focus);
  return holds_as_path(focus, environment);
}

Result<bool> Rule::holds_as_path(const Focus& focus, const path::Environment& environment) const {
  MYDR24_TRY(check());
  return (*compiled_)->holds(path::item_of(focus.value, focus.extended, focus.type), environment);
}

const Rule& rule_of(const model::Constraint& constraint) {
  static const std::deque<Rule> rules = [] {
    std::deque<Rule> all;
    for (const auto& one : model::constraints()) all.emplace_back(one.key, one.human, one.expression, one.is_error);
    return all;
  }();
  return rules[static_cast<std::size_t>(&constraint - model::constraints().data())];
}

}  // namespace mydr24::validation
