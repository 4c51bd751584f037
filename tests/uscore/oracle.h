#pragma once

// What the searches of US Core mean, evaluated plainly on JSON: a parameter is a list of element paths, a value is
// compared by the kind of the parameter. Knows nothing of the server's search.
// Source: FHIR R4, search.html and the search parameters of each resource; US Core, search requirements.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/document.h"

namespace mydr24::live {

enum class Kind { token, reference, date, string, id, last_updated };

struct Element {
  std::string_view type;
  std::string_view parameter;
  Kind kind;
  std::string_view paths;  // "a.b c" : two paths, from the resource; arrays are walked through
  // Of a parameter that the guide defines itself: the file with its definition.
  std::string_view definition = {};
};

// nullptr: the parameter is not known here.
const Element* find_element(std::string_view type, std::string_view parameter);
// The guide's own parameters.
std::vector<std::string_view> own_definitions();

// The values that a client could ask for to find this resource, at most a few: "system|code", "Patient/1",
// "2020-01-02T10:00:00Z", a word. Empty when the resource has none.
std::vector<std::string> askable_values(json::Value resource, const Element& element);
// Is the resource found by this value? Alternatives are separated by commas.
bool satisfies(json::Value resource, const Element& element, std::string_view value);

// "system|code" without the system, "Patient/1" without the type: the other form that servers shall support.
std::string short_form(const Element& element, std::string_view value);

}  // namespace mydr24::live
