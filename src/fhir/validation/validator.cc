#include <algorithm>
#include <utility>

#include "fhir/validation/detail/run.h"
#include "fhir/validation/validation.h"

namespace mydr24::validation {

struct Validator::Content {
  std::shared_ptr<const terminology::Terminology> terminology;
  std::shared_ptr<const Catalogue> catalogue;
};

Validator::Validator(std::shared_ptr<const Content> content) : content_(std::move(content)) {}
Validator::~Validator() = default;

namespace {

// The published profiles are made into trees when first asked for; the text is read once for the process.
std::shared_ptr<const Catalogue> published_catalogue() {
  static const std::shared_ptr<const Catalogue> published = [] {
    auto catalogue = std::make_shared<Catalogue>();
    if (auto document = json::Document::parse_view(model::published_profiles()); document) {
      const auto kept = std::make_shared<const json::Document>(std::move(*document));
      for (const auto one : kept->root()) catalogue->add(kept, one);
    }
    return catalogue;
  }();
  return published;
}

}  // namespace

std::shared_ptr<const Validator> Validator::base(std::shared_ptr<const terminology::Terminology> terminology) {
  const Content content{std::move(terminology), published_catalogue()};
  return std::shared_ptr<const Validator>(new Validator(std::make_shared<const Content>(content)));
}

std::shared_ptr<const Validator> Validator::with(std::span<const json::Value> resources,
                                                 std::shared_ptr<const terminology::Terminology> terminology,
                                                 std::vector<std::string>* problems) const {
  auto catalogue = std::make_shared<Catalogue>(content_->catalogue);
  for (const auto resource : resources) {
    if (resource["resourceType"].text() != "StructureDefinition" || resource["url"].text().empty()) continue;
    if (resource["derivation"].text() != "constraint" || resource["kind"].text() == "logical") continue;
    catalogue->add(resource);
  }
  catalogue->settle(problems);
  const Content content{std::move(terminology), std::move(catalogue)};
  return std::shared_ptr<const Validator>(new Validator(std::make_shared<const Content>(content)));
}

bool Validator::has_profile(std::string_view canonical) const {
  return content_->catalogue->find(canonical) != nullptr;
}

std::vector<std::string> Validator::profiles() const {
  std::vector<std::string> urls;
  content_->catalogue->list(urls);
  std::ranges::sort(urls);
  const auto repeated = std::ranges::unique(urls);
  urls.erase(repeated.begin(), repeated.end());
  return urls;
}

std::vector<model::Issue> Validator::validate(json::Value resource, const Request& request) const {
  return Run(*content_->terminology, *content_->catalogue, request).validate(resource);
}

}  // namespace mydr24::validation
