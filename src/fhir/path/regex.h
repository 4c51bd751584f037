#pragma once

// Regular expressions from outside, bounded in time and memory. Private to fhir/path. ICU's dialect; '.' matches line
// ends.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/core/result.h"

namespace mydr24::path {

inline constexpr std::size_t pattern_bytes_max = 4096;
inline constexpr int regex_time_max = 200;                      // ICU's time units: about a millisecond each
inline constexpr int regex_stack_max = 1 << 20;                 // bytes
inline constexpr std::size_t regex_result_bytes_max = 1 << 24;  // of replace()

class Regex {
 public:
  // Code::invalid for a bad pattern, Code::too_large for a long one.
  static Result<std::unique_ptr<const Regex>> compile(std::string_view pattern);
  ~Regex();

  // Code::too_costly when a limit ends the search. `steps` grows by the work that was done, in steps of the matcher.
  Result<bool> find(std::string_view text, std::uint64_t& steps) const;
  Result<bool> matches_all(std::string_view text, std::uint64_t& steps) const;
  Result<std::string> replace(std::string_view text, std::string_view substitution, std::uint64_t& steps) const;

 private:
  struct Content;
  explicit Regex(std::unique_ptr<Content> content);
  std::unique_ptr<Content> content_;
};

}  // namespace mydr24::path
