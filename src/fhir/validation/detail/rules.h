#pragma once

// Invariants, ready to be judged: each constraint of the tables and of profiles has one Rule for the life of the
// process or of its profile. The hot ones are judged in C++ (rules_test.cc holds them against their FHIRPath), the others
// by FHIRPath, compiled when first needed.

#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/json/document.h"
#include "fhir/model/definitions.h"
#include "fhir/path/path.h"

namespace mydr24::validation {

using ContainedResources = std::unordered_map<std::string_view, json::Value>;  // by id

// What a rule is judged on.
struct Focus {
  json::Value value;
  json::Value extended;  // the property with "_" before its name, of a primitive
  const model::Type* type = nullptr;
  json::Value root;                               // the resource that is not contained
  const ContainedResources* contained = nullptr;  // its contained resources, when somebody has them by id already
};

using NativeRule = bool (*)(const Focus& focus);

// nullptr when FHIRPath judges it. A key alone does not name a rule: the expression must be R4's.
NativeRule native_rule(std::string_view key, std::string_view expression);

class Rule {
 public:
  Rule(std::string_view key, std::string_view human, std::string_view expression, bool is_error)
      : key_(key), human_(human), expression_(expression), is_error_(is_error), native_(native_rule(key, expression)) {}

  std::string_view key() const { return key_; }
  std::string_view human() const { return human_; }
  std::string_view expression() const { return expression_; }
  bool is_error() const { return is_error_; }

  // An Error: it cannot be judged here. That is no fault of the resource.
  Result<bool> holds(const Focus& focus, const path::Environment& environment) const;
  // As FHIRPath judges it, native or not.
  Result<bool> holds_as_path(const Focus& focus, const path::Environment& environment) const;
  // Whether the expression compiles; compiles it.
  Result<> check() const;

 private:
  std::string_view key_, human_, expression_;
  bool is_error_;
  NativeRule native_;
  mutable std::once_flag once_;
  mutable std::optional<Result<path::Expression>> compiled_;
};

// Those of the tables. `constraint` is one of model::constraints().
const Rule& rule_of(const model::Constraint& constraint);

}  // namespace mydr24::validation
