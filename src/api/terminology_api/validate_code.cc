#include <fmt/format.h>

#include <vector>

#include "api/terminology_api/input.h"
#include "api/terminology_api/interactions.h"
#include "api/terminology_api/output.h"

namespace mydr24::terminology_api {
namespace {

using terminology::Coding;
using terminology::Membership;
using terminology::Terminology;
using terminology::Validity;

bool is_valid(const Validity& validity) { return validity.result == Membership::member && !validity.display_differs; }

// The answer about several codings of one concept: one that is valid is enough.
template <class Ask>
Result<std::string> answer(const std::vector<Coding>& codings, Ask ask) {
  std::string display, message;
  bool valid = false;
  for (const auto& coding : codings) {
    MYDR24_ASSIGN(const Validity validity, ask(coding));
    if (is_valid(validity) && !valid) {
      valid = true;
      display = validity.display;
    }
    if (display.empty()) display = validity.display;
    if (validity.message.empty()) continue;
    if (!message.empty()) message += "; ";
    message += validity.message;
  }
  Output out;
  out.add("result", valid);
  if (!message.empty()) out.add("message", "String", message);
  if (!display.empty()) out.add("display", "String", display);
  return out.finish();
}

}  // namespace

Result<ValueSetInput> value_set_of(const Input& input) {
  if (const auto instance = input.request().instance) return ValueSetInput{instance, {}};
  if (const auto resource = input.resource("valueSet")) return ValueSetInput{resource, {}};
  if (const auto url = input.text("url")) {
    return ValueSetInput{{}, canonical(*url, input.text("valueSetVersion").value_or(""))};
  }
  return fail(Code::invalid,
              "Which value set? Give its url, the resource as valueSet, or call the operation on a ValueSet");
}

Result<std::string> validate_in_value_set(const Terminology& terminology, const Input& input) {
  if (!input.text("url") && !input.request().instance) MYDR24_TRY(input.refuse({"context"}));
  MYDR24_ASSIGN(const auto abstract_too, input.flag("abstract", false));
  MYDR24_ASSIGN(const auto codings, input.codings("systemVersion"));
  MYDR24_ASSIGN(const auto set, value_set_of(input));
  return answer(codings, [&](const Coding& coding) {
    return set.resource ? terminology.validate_code(set.resource, coding, abstract_too)
                        : terminology.validate_code(set.canonical, coding, abstract_too);
  });
}

Result<std::string> validate_in_code_system(const Terminology& terminology, const Input& input) {
  MYDR24_ASSIGN(const auto abstract_too, input.flag("abstract", false));
  MYDR24_ASSIGN(auto codings, input.codings("version"));
  auto resource = input.request().instance;
  if (!resource) resource = input.resource("codeSystem");
  auto url = resource ? std::string(resource["url"].text()) : input.text("url").value_or("");
  if (resource && url.empty()) return fail(Code::invalid, "A CodeSystem without a url cannot be asked about codes");
  if (url.empty()) url = input.text("system").value_or(codings[0].system);
  if (url.empty()) {
    return fail(Code::invalid,
                "Which code system? Give its url, the resource as codeSystem, or call the operation on one");
  }
  const auto own = resource ? terminology.with({&resource, 1}) : nullptr;
  const Terminology& asked = own ? *own : terminology;
  if (!asked.has_code_system(url))
    return fail(Code::not_found, fmt::format("The code system {} is not known here", url));
  return answer(codings, [&](Coding coding) -> Result<Validity> {
    if (!coding.system.empty() && coding.system != url) {
      return Validity{.result = Membership::not_member,
                      .message = fmt::format("The coding is of {}, not of {}", coding.system, url)};
    }
    coding.system = url;
    if (resource) coding.version = resource["version"].text();
    return asked.validate_code_in_system(coding, abstract_too);
  });
}

}  // namespace mydr24::terminology_api
