#pragma once

// The parameters of a terminology operation, wherever they stand: in the query or in a Parameters resource.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/terminology_api/operations.h"

namespace mydr24::terminology_api {

inline constexpr std::size_t codings_max = 100;  // of one codeableConcept

class Input {
 public:
  explicit Input(const Request& request) : request_(request) {}

  const Request& request() const { return request_; }

  // The first value of a primitive; nothing when it is absent or empty.
  std::optional<std::string> text(std::string_view name) const;
  std::vector<std::string> texts(std::string_view name) const;
  // Code::invalid for anything but true and false.
  Result<bool> flag(std::string_view name, bool absent) const;
  Result<std::optional<std::size_t>> number(std::string_view name) const;
  // A resource given by value, of that type; missing when there is none.
  json::Value resource(std::string_view name) const;

  // One Coding: the parameter of type Coding of that name.
  std::optional<terminology::Coding> coding(std::string_view name) const;
  // What is asked about: `code` with `system`, `version` and `display`, or `coding`, or `codeableConcept`. Code::invalid
  // unless exactly one of the three is there. `version_name` is what the operation calls the version of the system.
  Result<std::vector<terminology::Coding>> codings(std::string_view version_name) const;

  // Code::unsupported when one of these is given.
  Result<> refuse(std::initializer_list<std::string_view> names) const;

 private:
  json::Value parameter(std::string_view name) const;
  const Request& request_;
};

terminology::Coding coding_of(json::Value value);

// "url" and "version" as one canonical.
std::string canonical(std::string_view url, std::string_view version);

}  // namespace mydr24::terminology_api
