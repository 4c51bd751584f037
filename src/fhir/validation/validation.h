#pragma once

// Everything that can be wrong with a resource beyond its structure (model::validate): the invariants of R4 and of
// profiles, bindings of every coded type, profiles with their slicing, fixed values and patterns, extensions and their
// contexts. One walk; every issue is collected with its element path.
// Source: FHIR R4, validation.html, profiling.html, elementdefinition.html.
//
// A Validator is immutable and shared by all threads; expressions are compiled once, when it is made.

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/clock.h"
#include "base/core/result.h"
#include "base/json/document.h"
#include "fhir/model/outcome.h"
#include "fhir/path/path.h"
#include "fhir/terminology/terminology.h"

namespace mydr24::validation {

// What is checked beyond the structure; all on by default.
struct Checks {
  bool structure = true;
  bool bindings = true;
  bool invariants = true;
  bool profiles = true;  // those named in meta.profile that are known, and those asked for
};

struct Request {
  std::vector<std::string> profiles;  // canonicals that must hold besides those in meta.profile
  Checks checks;
  path::Resolve resolve;  // for resolve() and for references' profiles; may be empty
  Instant now;
  std::size_t issues_max = 200;  // of errors, and as many of the others
  // Unknown extensions (but those of example.org and the like) and strings that look like HTML are errors, not warnings.
  bool strict = false;
  bool warnings = false;  // also issues of severity warning and information: $validate wants them, a write does not
};

class Validator {
 public:
  // R4 itself.
  static std::shared_ptr<const Validator> base(std::shared_ptr<const terminology::Terminology> terminology);
  // This and the StructureDefinitions among `resources` (profiles and extensions; differential-only ones get their
  // snapshot here). Profiles that cannot be understood are told in `problems` and left out.
  std::shared_ptr<const Validator> with(std::span<const json::Value> resources,
                                        std::shared_ptr<const terminology::Terminology> terminology,
                                        std::vector<std::string>* problems = nullptr) const;

  bool has_profile(std::string_view canonical) const;
  std::vector<std::string> profiles() const;

  // No issue of severity error or fatal: valid.
  std::vector<model::Issue> validate(json::Value resource, const Request& request) const;

  Validator(const Validator&) = delete;
  Validator& operator=(const Validator&) = delete;
  ~Validator();

 private:
  struct Content;
  explicit Validator(std::shared_ptr<const Content> content);
  std::shared_ptr<const Content> content_;
};

// An implementation guide as published: an npm package folder, a .tgz, or a folder of resources. Gives the resources a
// Terminology and a Validator are made with.
struct Package {
  std::string name, version;
  std::vector<std::unique_ptr<json::Document>> resources;
};
Result<Package> load_package(const std::string& path);

}  // namespace mydr24::validation
