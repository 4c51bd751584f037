#pragma once

// Parameters of a query string, for the interfaces beside FHIR.

#include <initializer_list>
#include <map>
#include <string>
#include <string_view>

#include "base/core/clock.h"
#include "base/core/result.h"

namespace mydr24::pipeline {

// Those that are not among `known` are refused by name: Code::invalid. Of two with one name the last counts.
class Query {
 public:
  static Result<Query> parse(std::string_view text, std::initializer_list<std::string_view> known);
  bool has(std::string_view name) const { return values_.contains(name); }
  const std::string& text(std::string_view name) const;  // empty when it is not there
  // Code::invalid names the parameter. `otherwise`: when it is not there, or empty.
  Result<Instant> instant(std::string_view name, Instant otherwise) const;
  Result<std::int64_t> number(std::string_view name, std::int64_t otherwise, std::int64_t least,
                              std::int64_t most) const;

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

}  // namespace mydr24::pipeline
