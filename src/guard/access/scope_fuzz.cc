// Scopes as applications ask for them, and Consents as anybody may store them: no crash; a scope reads back as itself,
// and nobody is granted more than is asked or allowed.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/json/document.h"
#include "guard/access/consent.h"
#include "guard/access/scope.h"

namespace {

using namespace mydr24;
using namespace mydr24::access;

void require(bool holds) {
  if (!holds) std::abort();
}

void try_scopes(std::string_view text) {
  const auto lenient = parse_scopes_leniently(text);
  require(lenient.resources.size() + lenient.others.size() <= scopes_max);
  const auto again = parse_scopes(to_string(lenient));
  require(again && *again == lenient);
  static const auto allowed = parse_scopes("patient/Observation.rs user/*.r openid").value();
  const auto given = granted(lenient, allowed);
  for (const auto& scope : given.resources) {
    require(scope.context != Scope::Context::system);
    require(!scope.allows(Permission::create) && !scope.allows(Permission::update) &&
            !scope.allows(Permission::remove));
  }
  for (const auto& other : given.others) require(other == "openid");
  if (const auto strict = parse_scopes(text)) require(*strict == lenient);
}

void try_consent(std::string_view text) {
  const auto document = json::Document::parse_view(text, {.bytes_max = 1U << 16, .depth_max = 64});
  if (!document) return;
  auto consent = parse_consent(document->root());
  if (!consent) return;
  require(!consent->patient.empty());
  ConsentBook book;
  const auto patient = consent->patient;
  book.put(std::move(*consent));
  require(book.has(patient));
  Principal somebody;
  somebody.kind = PrincipalKind::person;
  somebody.id = "user/x";
  (void)book.hidden({.principal = &somebody, .purpose = "TREAT", .organization = {}, .now = from_us(0)},
                    Permission::read, "Observation");
  (void)book.changes_after(from_us(0));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try_scopes(text);
  try_consent(text);
  return 0;
}
