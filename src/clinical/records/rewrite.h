#pragma once

// References inside a transaction Bundle: what an entry calls another by its fullUrl becomes the Type/id it is stored
// under.
// Source: FHIR R4, http.html#trules ("references to the resource ... are rewritten") and "conditional references".

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/core/result.h"
#include "base/json/document.h"
#include "fhir/search/search.h"

namespace mydr24::records {

// fullUrl to "Type/id".
using ReferenceTargets = std::map<std::string, std::string, std::less<>>;

// Answers a conditional reference ("Patient?identifier=s|v") with "Type/id".
using FindReference = std::function<Result<std::string>(std::string_view reference)>;

// The resource as compact text with every string that is exactly a fullUrl (with or without a #fragment) replaced,
// links in the narrative included, and every conditional Reference.reference resolved.
Result<std::string> rewrite_references(json::Value resource, const ReferenceTargets& targets,
                                       const FindReference& find);

// "Type?criteria" as a Query; Code::invalid names what is wrong.
Result<search::Query> parse_criteria(std::string_view criteria, const search::CataloguePtr& catalogue = nullptr);

}  // namespace mydr24::records
