#pragma once

// One validation: the walk over a resource and everything that is asked of each element on the way. Private to
// fhir/validation.

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "fhir/model/element_path.h"
#include "fhir/validation/detail/profile.h"
#include "fhir/validation/detail/references.h"
#include "fhir/validation/validation.h"

namespace mydr24::validation {

inline constexpr std::size_t reference_depth_max = 4;  // references followed from one resource to the next
inline constexpr std::size_t profile_depth_max = 64;   // profiles on types within profiles

// An element as the walk sees it.
struct Item {
  json::Value value;
  json::Value extended;
  const model::Type* type = nullptr;
  const model::Step* step = nullptr;
};

class Run {
 public:
  Run(const terminology::Terminology& terminology, const Catalogue& catalogue, const Request& request);

  std::vector<model::Issue> validate(json::Value resource);

 private:
  // The resource that the walk is in.
  struct Frame {
    json::Value resource;
    const model::Type* type = nullptr;
    const Frame* outer = nullptr;
    bool contained = false;
    const References* bundle = nullptr;  // of the nearest Bundle around
    std::string_view full_url;           // of its entry
    // Of a resource that has contained ones: those by id, and the ids that were referred to.
    const ContainedResources* inner = nullptr;
    std::unordered_set<std::string_view>* met = nullptr;
  };
  // While one lives, issues are not kept: only whether there was an error.
  class Quiet {
   public:
    explicit Quiet(Run& run) : run_(run), failed_before_(run.failed_) {
      ++run.quiet_;
      run.failed_ = false;
    }
    ~Quiet() {
      --run_.quiet_;
      run_.failed_ = failed_before_;
    }
    Quiet(const Quiet&) = delete;
    Quiet& operator=(const Quiet&) = delete;
    bool failed() const { return run_.failed_; }

   private:
    Run& run_;
    bool failed_before_;
  };

  // Issues.
  bool full() const { return (quiet_ > 0 && failed_) || errors_ >= request_.issues_max; }
  void add(model::Severity severity, std::string_view code, const model::Step& step, std::string diagnostics);
  void error(std::string_view code, const model::Step& step, std::string diagnostics);
  void warn(std::string_view code, const model::Step& step, std::string diagnostics);

  // The walk over R4 (walk.cc).
  void resource(json::Value value, const model::Step& step, Frame& frame);
  void nested(json::Value value, const model::Element& element, const model::Step& step, json::Value holder);
  void object(json::Value value, const model::Type& type, const model::Step& step);
  void member(json::Value holder, json::Value value, const model::Type& owner, const model::Element& element,
              const model::Step& step, bool companions);
  void element(const Item& item, const model::Type& owner, const model::Element& element, json::Value holder);
  void primitive(const Item& item, const model::Type& owner, const model::Element& element);
  void rules(std::span<const model::Constraint> constraints, const Item& item);
  void judge(const Rule& rule, const Item& item);
  void bindings(const Item& item, const model::Element& element);
  void special(const Item& item, json::Value holder, const model::Element& part);
  void extension(const Item& item, json::Value holder);
  bool is_among(const path::Expression& places, json::Value holder);
  bool in_context(const Profile& definition, const Item& item, json::Value holder);
  void attachment(const Item& item);
  void contained_rules(const model::Step& step);
  void meta_profiles(const Item& item);

  // Rules of single resource types that R4 states in words (resource_rules.cc, bundle_rules.cc).
  void resource_rules(const Item& item);
  void canonical_resource(const Item& item);
  void search_parameter(const Item& item);
  void capability_statement(const Item& item);
  void value_set(const Item& item);
  void code_system(const Item& item);
  void structure_definition(const Item& item);
  void bundle(const Item& item);
  void bundle_links(const Item& item);
  void bundle_entry(json::Value entry, std::string_view type, const model::Step& step);
  void bundle_reference(std::string_view reference, const model::Element& part, const model::Step& step);

  // Bindings (binding.cc).
  terminology::Membership membership(const Item& item, std::string_view value_set) const;
  void bound(const Item& item, std::string_view value_set, Strength strength);

  // Profiles (profile_check.cc, slicing.cc).
  void profile(const Profile& profile, const Item& item);
  bool conforms(const Profile& profile, const Item& item);
  void check(const Node& node, const Item& item);
  void check_types(const Node& node, const Item& item);
  void check_targets(const TypeRule& rule, const Item& item);
  void check_constant(const Node& node, const Item& item);
  void check_children(const Node& node, const Item& item);
  void check_nested(const Node& node, const Item& item);
  void check_items(const Node& node, const std::vector<Item>& items, const Item& parent);
  void check_slices(const Node& node, const std::vector<Item>& items, const model::Step& step);
  bool in_slice(const Node& node, const Node& slice, const Item& item);
  bool discriminates(const Discriminator& discriminator, const Node& slice, const Item& item);

  json::Value resolve(std::string_view reference) const;

  const terminology::Terminology& terminology_;
  const Catalogue& catalogue_;
  const Request& request_;
  path::Environment environment_;
  Frame* frame_ = nullptr;
  std::vector<model::Issue> issues_;
  std::vector<std::unique_ptr<References>> bundles_;
  // Whether a reference's target conforms, by where its text begins: true while it is being looked at.
  std::map<std::pair<const char*, const Profile*>, bool> judged_;
  std::size_t errors_ = 0, others_ = 0;  // each below issues_max: warnings never hide an error
  std::size_t quiet_ = 0;
  std::size_t profile_depth_ = 0, reference_depth_ = 0;
  bool failed_ = false;
};

// The children of that name ("value[x]" for a choice), each with its step: `steps` holds what the items point to.
std::vector<Item> children_of(const Item& item, std::string_view name,
                              std::vector<std::unique_ptr<model::Step>>& steps);

bool is_absolute_uri(std::string_view text);

}  // namespace mydr24::validation
