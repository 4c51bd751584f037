#include "fhir/validation/detail/references.h"

#include <fmt/format.h>

namespace mydr24::validation {
namespace {

// "http://host/fhir/Patient/1" -> "http://host/fhir/"; empty for a urn.
std::string_view base_of(std::string_view full_url) {
  if (!full_url.starts_with("http://") && !full_url.starts_with("https://")) return {};
  auto slash = full_url.rfind('/');
  if (slash == std::string_view::npos || slash == 0) return {};
  slash = full_url.rfind('/', slash - 1);
  return slash == std::string_view::npos ? std::string_view() : full_url.substr(0, slash + 1);
}

constexpr std::string_view history = "/_history/";

}  // namespace

References::References(json::Value bundle) : bundle_(bundle), is_document_(bundle["type"].text() == "document") {
  for (const auto entry : bundle["entry"]) {
    const auto resource = entry["resource"];
    if (!resource.is_object()) continue;
    if (const auto url = entry["fullUrl"].text(); !url.empty()) by_url_.emplace(url, resource);
    if (const auto id = resource["id"].text(); !id.empty()) {
      by_name_.emplace(fmt::format("{}/{}", resource["resourceType"].text(), id), resource);
    }
  }
}

References::Found References::find(std::string_view reference, std::string_view full_url) const {
  reference = reference.substr(0, reference.find('#'));
  const auto at = reference.find(history);
  const auto version = at == std::string_view::npos ? std::string_view() : reference.substr(at + history.size());
  std::string url(reference.substr(0, at));
  if (url.find(':') == std::string::npos) {
    const auto base = base_of(full_url);
    if (base.empty()) return {};
    url.insert(0, base);
  }
  Found found;
  const auto [first, last] = by_url_.equal_range(url);
  for (auto one = first; one != last && found.count < 2; ++one) {
    if (!version.empty() && one->second["meta"]["versionId"].text() != version) continue;
    if (found.count++ == 0) found.resource = one->second;
  }
  return found;
}

bool References::has_type_and_id(std::string_view reference) const {
  return by_name_.contains(reference.substr(0, reference.find(history)));
}

}  // namespace mydr24::validation
