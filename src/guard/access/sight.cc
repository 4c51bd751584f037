#include "guard/access/sight.h"

#include <fmt/format.h>

#include <algorithm>

#include "fhir/model/definitions.h"
#include "guard/access/in_patient.h"
#include "guard/access/purpose.h"

namespace mydr24::access {
namespace {

using search::Condition;

constexpr std::array permissions{Permission::create, Permission::read, Permission::update, Permission::remove,
                                 Permission::search};

std::size_t index_of(Permission permission) {
  return static_cast<std::size_t>(std::ranges::find(permissions, permission) - permissions.begin());
}

// One way by which a permission is held: all of the conditions.
struct Way {
  std::vector<Condition> conditions;
  bool regards_labels = true;
  std::vector<std::string> labels;  // sensitive ones that may be seen this way
};

Condition combined(Condition::Form form, std::vector<Condition> parts) {
  if (parts.size() == 1 && form != Condition::Form::none) return std::move(parts.front());
  Condition condition;
  condition.form = form;
  condition.parts = std::move(parts);
  return condition;
}

std::optional<Condition> in_patient(std::string_view patient, std::string_view type) {
  return in_patients(std::span(&patient, 1), type);
}

Condition without_labels(std::string_view type, const std::vector<std::string>& labels) {
  Condition condition;
  condition.parameter = search::find_parameter(type, "_security");
  for (const auto& label : labels) {
    const auto bar = label.find('|');
    condition.any_of.push_back(
        {.value = label.substr(bar + 1), .system = label.substr(0, bar), .system_is = search::Term::System::named});
  }
  return combined(Condition::Form::none, {std::move(condition)});
}

// The first type of which nothing is visible; empty: there is none.
std::string_view hidden_type(const Condition& condition, const Sight& sight) {
  for (const auto& part : condition.parts)
    if (const auto type = hidden_type(part, sight); !type.empty()) return type;
  if (condition.form != Condition::Form::chain && condition.form != Condition::Form::has) return {};
  const auto type = touched_type(condition);
  return sight.may(Permission::search, type) ? std::string_view() : type;
}

}  // namespace

class Sight::Builder {
 public:
  Builder(std::shared_ptr<const Policy> policy, Principal principal)
      : policy_(std::move(policy)), principal_(std::move(principal)), own_patient_(principal_.patient) {
    for (const auto& name : principal_.roles)
      if (const auto* role = policy_->find(name); role != nullptr && role->serves(principal_.purpose))
        roles_.push_back(role);
    constexpr std::string_view prefix = "Patient/";
    if (own_patient_.empty() && principal_.fhir_user.starts_with(prefix))
      own_patient_ = principal_.fhir_user.substr(prefix.size());
  }

  Result<Reach> reach(Permission permission, std::string_view type) const {
    std::vector<Way> ways;
    for (const auto* role : roles_) {
      const std::string_view purpose = principal_.purpose.empty() ? role->purpose : principal_.purpose;
      for (const auto& grant : role->fhir) {
        if (!grants(grant, permission, type, purpose)) continue;
        Way way;
        MYDR24_ASSIGN(const bool possible, satisfy(grant, type, way));
        way.labels = role->labels;
        if (possible) MYDR24_TRY(add_by_scope(ways, way, permission, type));
      }
      for (const auto& override : principal_.overrides) {
        for (const auto& grant : role->break_glass) {
          if (!grants(grant, permission, type, purpose)) continue;
          Way way;
          MYDR24_ASSIGN(bool possible, satisfy(grant, type, way));
          way.regards_labels = false;
          if (possible && !override.patient.empty()) {
            auto inside = in_patient(override.patient, type);
            possible = inside.has_value();
            if (inside) way.conditions.push_back(std::move(*inside));
          }
          if (possible) MYDR24_TRY(add_by_scope(ways, way, permission, type));
        }
      }
    }
    return united(std::move(ways), type);
  }

 private:
  static bool grants(const Grant& grant, Permission permission, std::string_view type, std::string_view purpose) {
    if (!grant.purposes.empty() && std::ranges::none_of(grant.purposes, [&](std::string_view other) {
          return is_kind_of_purpose(purpose, other);
        }))
      return false;
    return (grant.permissions & static_cast<std::uint8_t>(permission)) != 0 && grant.covers(type);
  }

  // False when the grant cannot be held by this principal.
  Result<bool> satisfy(const Grant& grant, std::string_view type, Way& way) const {
    if (grant.own_compartment) {
      if (own_patient_.empty()) return false;
      auto inside = in_patient(own_patient_, type);
      if (!inside) return false;
      way.conditions.push_back(std::move(*inside));
    }
    auto criteria = grant.criteria;
    for (auto& [name, value] : criteria) {
      if (!put_in(value, "{fhirUser}", principal_.fhir_user) || !put_in(value, "{patient}", own_patient_)) return false;
    }
    MYDR24_TRY(add_criteria(criteria, type, way));
    return true;
  }

  static bool put_in(std::string& text, std::string_view name, const std::string& value) {
    const auto at = text.find(name);
    if (at == text.npos) return true;
    if (value.empty()) return false;
    text.replace(at, name.size(), value);
    return true;
  }

  static Result<> add_criteria(const std::vector<std::pair<std::string, std::string>>& criteria, std::string_view type,
                               Way& way) {
    if (criteria.empty()) return {};
    auto query = search::parse_query(type, criteria, false);
    if (!query) {
      return fail(Code::invalid, fmt::format("the criteria of a scope or grant for {} cannot be used: {}", type,
                                             query.error().issues.front().diagnostics));
    }
    std::ranges::move(query->conditions, std::back_inserter(way.conditions));
    return {};
  }

  // What the token's scopes leave of a way.
  Result<> add_by_scope(std::vector<Way>& ways, const Way& way, Permission permission, std::string_view type) const {
    if (!principal_.scopes) {
      ways.push_back(way);
      return {};
    }
    for (const auto& scope : principal_.scopes->resources) {
      if (!scope.allows(permission) || (scope.type != "*" && scope.type != type)) continue;
      if ((scope.context == Scope::Context::system) != (principal_.kind == PrincipalKind::machine)) continue;
      Way narrowed = way;
      if (scope.context == Scope::Context::patient) {
        if (own_patient_.empty()) continue;
        // What belongs to no patient at all (practitioners, places, codes) is part of what an app shows of one.
        auto inside = in_patient(own_patient_, type);
        if (inside) {
          narrowed.conditions.push_back(std::move(*inside));
        } else if (permission != Permission::read && permission != Permission::search) {
          continue;
        } else if (!is_directory(type)) {
          continue;
        }
      }
      MYDR24_TRY(add_criteria(scope.criteria, type, narrowed));
      ways.push_back(std::move(narrowed));
    }
    return {};
  }

  static bool is_directory(std::string_view type) {
    constexpr std::array<std::string_view, 16> directory{
        "CodeSystem",   "ConceptMap",          "Device",       "HealthcareService", "Location",      "Medication",
        "NamingSystem", "Organization",        "Practitioner", "PractitionerRole",  "Questionnaire", "Schedule",
        "Slot",         "StructureDefinition", "Substance",    "ValueSet"};
    return std::ranges::find(directory, type) != directory.end();
  }

  std::vector<std::string> hidden_labels(const Way& way) const {
    std::vector<std::string> hidden;
    if (!way.regards_labels || std::ranges::find(way.labels, "*") != way.labels.end()) return hidden;
    for (const auto& label : policy_->sensitive)
      if (std::ranges::find(way.labels, label) == way.labels.end()) hidden.push_back(label);
    return hidden;
  }

  Reach united(std::vector<Way> ways, std::string_view type) const {
    Reach reach;
    if (ways.empty()) return reach;
    reach.extent = Reach::Extent::some;
    // What the wider of two ways allows, the narrower need not say again.
    struct Joined {
      std::vector<Condition> conditions;
      std::vector<std::string> hidden;
    };
    std::vector<Joined> joined;
    bool anything_new = false;
    std::vector<Condition> of_new;
    for (auto& way : ways) {
      Joined one{std::move(way.conditions), hidden_labels(way)};
      if (one.conditions.empty() && one.hidden.empty()) {
        reach.extent = Reach::Extent::all;
        return reach;
      }
      if (one.conditions.empty()) {
        anything_new = true;
      } else {
        of_new.push_back(combined(Condition::Form::all, one.conditions));
      }
      joined.push_back(std::move(one));
    }
    // Ways without conditions but labels: the one that hides least covers the others of its kind.
    std::vector<Condition> alternatives;
    const Joined* widest = nullptr;
    for (const auto& one : joined) {
      if (!one.conditions.empty()) continue;
      if (widest == nullptr || one.hidden.size() < widest->hidden.size()) widest = &one;
    }
    for (const auto& one : joined) {
      const bool covered =
          widest != nullptr && &one != widest && std::ranges::all_of(widest->hidden, [&](const std::string& label) {
            return std::ranges::find(one.hidden, label) != one.hidden.end();
          });
      if (covered) continue;
      auto conditions = one.conditions;
      if (!one.hidden.empty()) conditions.push_back(without_labels(type, one.hidden));
      alternatives.push_back(combined(Condition::Form::all, std::move(conditions)));
    }
    reach.labels_only = widest != nullptr;
    reach.conditions.push_back(combined(Condition::Form::any, std::move(alternatives)));
    if (!anything_new) reach.conditions_of_new.push_back(combined(Condition::Form::any, std::move(of_new)));
    return reach;
  }

  const std::shared_ptr<const Policy> policy_;
  const Principal principal_;
  std::vector<const Role*> roles_;
  std::string own_patient_;
};

Sight::Sight() = default;
Sight::~Sight() = default;

const std::shared_ptr<const Sight>& Sight::unlimited() {
  static const std::shared_ptr<const Sight> sight(new Sight());
  return sight;
}

Result<std::shared_ptr<const Sight>> Sight::of(std::shared_ptr<const Policy> policy, Principal principal) {
  if (principal.kind == PrincipalKind::system) return unlimited();
  if (principal.scopes) {
    for (const auto& scope : principal.scopes->resources) {
      if (scope.type == "*" || scope.criteria.empty()) continue;
      if (const auto query = search::parse_query(scope.type, scope.criteria, false); !query) {
        return fail(Code::invalid, fmt::format("the criteria of the scope {} cannot be used: {}", to_string(scope),
                                               query.error().issues.front().diagnostics));
      }
    }
  }
  std::shared_ptr<Sight> sight(new Sight());
  sight->builder_ = std::make_unique<const Builder>(std::move(policy), std::move(principal));
  return std::shared_ptr<const Sight>(std::move(sight));
}

const Reach& Sight::reach(Permission permission, std::string_view type) const {
  static const Reach all{.extent = Reach::Extent::all};
  static const Reach none;
  if (is_unlimited()) return all;
  if (model::find_resource(type) == nullptr) return none;
  {
    const std::shared_lock lock(mutex_);
    const auto found = by_type_.find(type);
    if (found != by_type_.end()) return found->second[index_of(permission)];
  }
  Reaches reaches;
  for (const auto each : permissions) {
    // Criteria that are no search of this type give nothing.
    if (auto reach = builder_->reach(each, type)) reaches[index_of(each)] = std::move(*reach);
  }
  const std::unique_lock lock(mutex_);
  return by_type_.try_emplace(std::string(type), std::move(reaches)).first->second[index_of(permission)];
}

Result<> Sight::check(const search::Query& query) const {
  if (!may(Permission::search, query.type))
    return fail(Code::refused, fmt::format("you may not search {} resources", query.type));
  for (const auto& condition : query.conditions) {
    if (const auto type = hidden_type(condition, *this); !type.empty())
      return fail(Code::refused, fmt::format("you may not search by {} resources", type));
  }
  return {};
}

std::string_view touched_type(const search::Condition& condition) {
  return condition.form == Condition::Form::chain ? std::string_view(condition.target) : condition.parameter->type;
}

bool has_no_label(std::string_view body) {
  // A member's name may be written with escapes.
  return body.find("\"security\"") == body.npos && body.find("\\u") == body.npos;
}

}  // namespace mydr24::access
