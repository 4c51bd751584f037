#pragma once

// JSON Pointer (RFC 6901): the path to one value of a document.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/document.h"

namespace mydr24::json {

class Pointer {
 public:
  // No document that Limits lets in is deeper.
  static constexpr std::size_t tokens_max = 128;

  // "" is the whole document; everything else begins with '/'. Code::invalid when it does not, when a '~' is
  // followed by neither 0 nor 1, or when there are more than tokens_max parts.
  static Result<Pointer> parse(std::string_view text);

  // The parts between the slashes, unescaped.
  const std::vector<std::string>& tokens() const { return tokens_; }
  bool is_root() const { return tokens_.empty(); }

  // True when this leads to a place that `other` passes on its way, and not to the same place.
  bool is_proper_prefix_of(const Pointer& other) const;

  // The value it leads to from `root`; missing when there is none.
  Value resolve(Value root) const;

 private:
  std::vector<std::string> tokens_;
};

// The child of that name or number; missing when there is none.
Value child(Value parent, std::string_view token);

// An array index: decimal digits without a leading zero. Nothing for any other token, "-" included.
std::optional<std::size_t> array_index(std::string_view token);

}  // namespace mydr24::json
