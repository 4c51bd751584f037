#pragma once

// Code systems that a rule or a short list defines rather than a table of concepts: UCUM, languages (BCP 47), media types
// (BCP 13), countries (ISO 3166-1) and currencies (ISO 4217).

#include <functional>
#include <string>
#include <string_view>

namespace mydr24::terminology::detail {

struct Grammar {
  std::string_view url;
  std::string_view name;
  bool (*is_valid)(std::string_view code);
  std::string (*display)(std::string_view code);  // of a valid code; may be empty
  // Calls for every code; nullptr when there is no end of them.
  void (*each)(const std::function<void(std::string_view)>& visit);
};

// nullptr when the system is none of these.
const Grammar* find_grammar(std::string_view url);

// The property `canonical` of a UCUM code: its base units. Empty when the code is none.
std::string ucum_canonical(std::string_view code);

}  // namespace mydr24::terminology::detail
