// What R4 demands of Bundles in words. Source: FHIR R4, bundle.html, documents.html and http.html.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "fhir/validation/detail/run.h"

namespace mydr24::validation {
namespace {

using model::Step;

// "http://host/fhir/Patient/1": the last two parts are a type and an id.
bool is_restful(std::string_view url, std::string_view& type, std::string_view& id) {
  if (!url.starts_with("http://") && !url.starts_with("https://")) return false;
  const auto slash = url.rfind('/');
  id = url.substr(slash + 1);
  const auto rest = url.substr(0, slash);
  type = rest.substr(rest.rfind('/') + 1);
  return model::find_resource(type) != nullptr;
}

}  // namespace

void Run::bundle(const Item& item) {
  bundle_links(item);
  const auto type = item.value["type"].text();
  Step below{item.step, "entry", item.type->find("entry")};
  for (const auto entry : item.value["entry"]) {
    ++below.index;
    if (entry.is_object()) bundle_entry(entry, type, below);
  }
}

void Run::bundle_links(const Item& item) {
  constexpr auto once = std::to_array<std::string_view>({"self", "first", "previous", "prev", "next", "last"});
  std::vector<std::string_view> seen;
  Step below{item.step, "link", item.type->find("link")};
  for (const auto link : item.value["link"]) {
    ++below.index;
    const auto relation = link["relation"].text();
    if (std::ranges::find(once, relation) == once.end()) continue;
    if (std::ranges::find(seen, relation) != seen.end()) {
      error("invalid", below, fmt::format("The link relation '{}' may be there only once.", relation));
    }
    seen.push_back(relation);
  }
}

void Run::bundle_entry(json::Value entry, std::string_view type, const Step& step) {
  const auto url = entry["fullUrl"], resource = entry["resource"];
  const auto name = resource["resourceType"].text(), id = resource["id"].text();
  if (url.is_string()) {
    std::string_view url_type, url_id;
    if (!is_absolute_uri(url.text())) {
      error("invalid", step, fmt::format("The fullUrl must be an absolute URL, not '{}'.", url.text()));
    } else if (is_restful(url.text(), url_type, url_id) && resource.is_object() && type != "transaction" &&
               type != "batch" && (url_type != name || url_id != id)) {
      // A document is found by its ids; in other Bundles HL7's own examples do not keep this.
      const std::string text = fmt::format("The fullUrl {} does not agree with the resource, which is {}/{}.",
                                           url.text(), name, id.empty() ? "(no id)" : id);
      type == "document" ? error("invalid", step, text) : warn("invalid", step, text);
    }
  }
  if (type != "searchset" || !resource.is_object()) return;
  const auto mode = entry["search"]["mode"].text();
  const bool outcome = name == "OperationOutcome";
  const Step below{&step, "resource"};
  if (mode == "outcome" && !outcome) {
    error("invalid", below, fmt::format("The search mode outcome is for an OperationOutcome, not for {}.", name));
  } else if (mode == "match" && outcome) {
    error("invalid", below, "An OperationOutcome is no match of a search: its mode is outcome.");
  } else if (!outcome && id.empty()) {
    error("invalid", below, "The result of a search must have an id.");
  }
}

// A reference inside of a Bundle. In a document what the Composition names must be in the Bundle.
void Run::bundle_reference(std::string_view reference, const model::Element& part, const Step& step) {
  if (reference.empty() || reference.starts_with('#')) return;
  const References& bundle = *frame_->bundle;
  const bool relative = reference.find(':') == std::string_view::npos;
  const auto type = relative ? reference.substr(0, reference.find('/')) : std::string_view();
  const auto found = bundle.find(reference, frame_->full_url);
  const auto other_type = [&](json::Value target) {
    const auto name = target["resourceType"].text();
    if (!relative || !target.exists() || name == type) return;
    error("invalid", step, fmt::format("{} leads to a resource of type {}.", reference, name));
  };
  if (found.count == 1) return other_type(found.resource);
  const bool of_composition = bundle.is_document() && frame_->type->name == "Composition" && part.name != "relatesTo";
  if (found.count > 1) {
    if (of_composition) error("invalid", step, fmt::format("Several entries of the Bundle are {}.", reference));
    return;
  }
  if (relative) {
    const auto id = reference.substr(std::min(reference.size(), type.size() + 1));
    other_type(bundle.find(fmt::format("urn:uuid:{}", id), {}).resource);
  }
  if (!of_composition || !(relative || reference.starts_with("urn:"))) return;
  error(
      "not-found", step,
      bundle.has_type_and_id(reference)
          ? fmt::format("{} is not found by the fullUrls of the Bundle, though it has a resource of that type and id.",
                        reference)
          : fmt::format("{} is not in the Bundle: a document holds all that its Composition names.", reference));
}

}  // namespace mydr24::validation
