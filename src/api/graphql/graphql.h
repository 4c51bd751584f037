#pragma once

// GraphQL for reading FHIR resources: a query document is parsed, and its one operation executed over the resources that
// `Data` hands out. Read only: a mutation or subscription is Code::unsupported, and so is introspection.
// Source: FHIR R4, graphql.html; the GraphQL specification of October 2021, sections 2 and 6.
//
// What a query may ask for:
//   instance level   the fields of one resource, named as in its JSON (valueQuantity, _birthDate), and resourceType
//   lists            arguments: the text of a primitive property, fhirpath, then _offset and _count
//   Reference        resource(optional: Boolean = false, type: ResourceType): what it leads to
//   system level     Patient(id: ...), PatientList(search parameters), PatientConnection(search parameters)
//   on a resource    ObservationList(_reference: patient, ...): those that refer to it by that search parameter
//   directives       @include @skip; @first @flatten @singleton @slice(fhirpath: ...)
// A search parameter is written with '_' for '-'; a list of values means any of them. A Connection has count, offset,
// pagesize, first, previous, next, last and edges { mode score resource }; a page is asked for with `cursor`, its size
// with `first` or `_count`.
// A field without a value is null; flattened and sliced fields are left out instead.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/clock.h"
#include "base/core/result.h"
#include "base/json/document.h"

namespace mydr24::graphql {

struct Limits {
  std::size_t document_bytes_max = 64U << 10;
  std::size_t depth_max = 24;                  // selection sets inside each other; values inside each other
  std::size_t fields_max = 5'000;              // values in the answer
  std::size_t selections_max = 200'000;        // fields and fragments looked at while executing
  std::uint64_t path_steps_max = 5'000'000;    // of all FHIRPath together
  std::size_t resources_max = 2'000;           // read and found
  std::size_t resource_bytes_max = 64U << 20;  // of all those
  std::size_t answer_bytes_max = 64U << 20;
};

struct SearchParameter {
  std::string name;   // as in a URL: "general-practitioner", "_count", "_cursor"
  std::string value;  // as in a URL, decoded: alternatives have commas between them
};

struct Match {
  std::string resource;  // JSON
  std::string mode = "match";
  std::optional<double> score;
};

// One page of a search; an empty cursor leads nowhere.
struct Page {
  std::vector<Match> matches;
  std::optional<std::size_t> total;
  std::size_t offset = 0;
  std::string first, previous, next, last;
};

// Where resources come from: the one who implements it sees to access, consent and audit.
class Data {
 public:
  virtual ~Data() = default;
  // The current version as JSON; nothing when there is none, or none that may be seen.
  virtual Result<std::optional<std::string>> read(std::string_view type, std::string_view id) = 0;
  virtual Result<Page> search(std::string_view type, std::span<const SearchParameter> parameters) = 0;
};

struct Request {
  std::string_view document;
  json::Value variables;       // an object, or missing
  std::string_view operation;  // its name; may be empty when the document has only one
  json::Value resource;        // of the instance level; missing on system level
  Instant now;                 // what FHIRPath's now() answers
};

// {"data": ...}. Code::invalid: the document is wrong (`where` is "line 3, column 14"); Code::unprocessable: a reference
// leads nowhere, or @singleton has two values; Code::too_large: a limit is exceeded; and what Data answers.
Result<std::string> execute(const Request& request, Data& data, const Limits& limits = {});

}  // namespace mydr24::graphql
