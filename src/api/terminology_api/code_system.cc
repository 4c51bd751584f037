#include <fmt/format.h>

#include <algorithm>

#include "api/terminology_api/input.h"
#include "api/terminology_api/interactions.h"
#include "api/terminology_api/output.h"

namespace mydr24::terminology_api {
namespace {

using terminology::Coding;
using terminology::Description;
using terminology::Terminology;

std::string capitalized(std::string_view type) {
  std::string out(type);
  if (!out.empty() && out[0] >= 'a' && out[0] <= 'z') out[0] = static_cast<char>(out[0] - 'a' + 'A');
  return out;
}

// Which properties are asked for; all when none is named.
class Selection {
 public:
  explicit Selection(std::vector<std::string> names) : names_(std::move(names)) {}
  bool has(std::string_view name) const {
    return names_.empty() || std::ranges::find(names_, name) != names_.end() ||
           std::ranges::find(names_, "*") != names_.end();
  }
  bool has_language(std::string_view language) const {
    return has("designation") || std::ranges::find(names_, fmt::format("lang.{}", language)) != names_.end();
  }

 private:
  std::vector<std::string> names_;
};

void add_properties(Output& out, const Description& told, const Selection& selection) {
  const auto add = [&](std::string_view code, std::string_view type, std::string_view value) {
    if (!selection.has(code)) return;
    out.begin("property").add("code", "Code", code).add("value", type, value).end();
  };
  for (const auto& parent : told.parents) add("parent", "Code", parent);
  for (const auto& child : told.children) add("child", "Code", child);
  bool says_inactive = false;
  for (const auto& property : told.properties) {
    says_inactive = says_inactive || property.code == "inactive";
    add(property.code, property.type == "Coding" ? "Code" : capitalized(property.type), property.value);
  }
  if (!says_inactive) add("inactive", "Boolean", told.is_inactive ? "true" : "false");
}

void add_designations(Output& out, const Description& told, const Selection& selection) {
  for (const auto& designation : told.designations) {
    if (!selection.has_language(designation.language)) continue;
    out.begin("designation");
    if (!designation.language.empty()) out.add("language", "Code", designation.language);
    if (!designation.use_code.empty()) out.add("use", Coding{designation.use_system, designation.use_code, "", ""});
    out.add("value", "String", designation.value).end();
  }
}

// The two codes of $subsumes, and the one system that both are of.
struct Pair {
  std::string system, a, b;
};

Result<Pair> pair_of(const Input& input) {
  const auto a = input.coding("codingA"), b = input.coding("codingB");
  if (a.has_value() != b.has_value()) return fail(Code::invalid, "codingA and codingB go together");
  auto system = input.request().instance ? std::string(input.request().instance["url"].text())
                                         : input.text("system").value_or("");
  if (a && b) {
    if (a->system != b->system || (!system.empty() && a->system != system)) {
      return fail(Code::invalid, "Only codes of one code system can be compared");
    }
    return Pair{canonical(a->system, a->version), a->code, b->code};
  }
  const auto code_a = input.text("codeA"), code_b = input.text("codeB");
  if (!code_a || !code_b) return fail(Code::invalid, "codeA and codeB are needed, or codingA and codingB");
  if (system.empty()) return fail(Code::invalid, "Which code system? Give its url as system");
  return Pair{canonical(system, input.text("version").value_or("")), *code_a, *code_b};
}

}  // namespace

Result<std::string> lookup(const Terminology& terminology, const Input& input) {
  const auto code = input.text("code");
  const auto coding = input.coding("coding");
  if (code.has_value() == coding.has_value()) {
    return fail(Code::invalid, "Either code with system or coding is needed");
  }
  const Coding asked =
      coding ? *coding : Coding{input.text("system").value_or(""), *code, "", input.text("version").value_or("")};
  if (asked.system.empty()) return fail(Code::invalid, "Which code system? Give its url as system", "system");
  if (asked.code.empty()) return fail(Code::invalid, "A coding without a code cannot be looked up", "coding");
  MYDR24_ASSIGN(const auto told, terminology.describe(asked));
  const Selection selection(input.texts("property"));
  const auto language = input.text("displayLanguage").value_or("");

  Output out;
  out.add("name", "String", told.system_name.empty() ? asked.system : told.system_name);
  if (!told.system_version.empty()) out.add("version", "String", told.system_version);
  // R4 demands a display; a code that has none stands for itself.
  const auto display = told.display.empty() ? told.code : told.display;
  out.add("display", "String", language.empty() ? display : display_in(told, language, display));
  if (!told.definition.empty() && selection.has("definition")) out.add("definition", "String", told.definition);
  out.add("abstract", told.is_abstract);
  add_designations(out, told, selection);
  add_properties(out, told, selection);
  return out.finish();
}

Result<std::string> subsumes(const Terminology& terminology, const Input& input) {
  MYDR24_ASSIGN(const auto pair, pair_of(input));
  MYDR24_ASSIGN(const auto outcome, terminology.subsumes(pair.system, pair.a, pair.b));
  constexpr std::string_view names[] = {"equivalent", "subsumes", "subsumed-by", "not-subsumed"};
  return Output().add("outcome", "Code", names[static_cast<std::size_t>(outcome)]).finish();
}

}  // namespace mydr24::terminology_api
