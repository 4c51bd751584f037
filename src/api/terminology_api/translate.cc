#include <fmt/format.h>

#include "api/terminology_api/input.h"
#include "api/terminology_api/interactions.h"
#include "api/terminology_api/output.h"

namespace mydr24::terminology_api {
namespace {

using terminology::Terminology;
using terminology::Translation;

// Says that there is nothing to go to.
bool is_negative(std::string_view equivalence) { return equivalence == "unmatched" || equivalence == "disjoint"; }

std::string write(const std::vector<Translation>& translations) {
  bool any = false;
  for (const auto& one : translations) any = any || !is_negative(one.equivalence);
  Output out;
  out.add("result", any);
  if (!any) out.add("message", "String", "No map here says what to translate the code to");
  for (const auto& one : translations) {
    out.begin("match");
    if (!one.equivalence.empty()) out.add("equivalence", "Code", one.equivalence);
    if (!one.target.code.empty()) out.add("concept", one.target);
    if (!one.map.empty()) out.add("source", "Uri", one.map);
    out.end();
  }
  return out.finish();
}

}  // namespace

Result<std::string> translate(const Terminology& terminology, const Input& input) {
  MYDR24_TRY(input.refuse({"dependency"}));
  MYDR24_ASSIGN(const auto reverse, input.flag("reverse", false));
  MYDR24_ASSIGN(const auto codings, input.codings("version"));

  auto resource = input.request().instance;
  if (!resource) resource = input.resource("conceptMap");
  if (resource && resource["url"].text().empty())
    return fail(Code::invalid, "A ConceptMap without a url cannot be used");
  const auto own = resource ? terminology.with({&resource, 1}) : nullptr;
  const auto url = resource ? canonical(resource["url"].text(), resource["version"].text())
                            : canonical(input.text("url").value_or(""), input.text("conceptMapVersion").value_or(""));
  const auto source = input.text("source").value_or(""), target = input.text("target").value_or("");
  const auto target_system = input.text("targetsystem").value_or("");

  std::vector<Translation> all;
  for (const auto& coding : codings) {
    if (coding.system.empty() && url.empty()) {
      return fail(Code::invalid, "Which code system is the code of? Give its url as system", "system");
    }
    const auto& known = own ? *own : terminology;
    MYDR24_ASSIGN(auto some, reverse ? known.translate_back(url, coding, source, target)
                                     : known.translate(url, coding, source, target));
    for (auto& one : some) {
      if (target_system.empty() || one.target.system == target_system) all.push_back(std::move(one));
    }
  }
  return write(all);
}

}  // namespace mydr24::terminology_api
