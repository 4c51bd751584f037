#pragma once

// Finds what a reference inside a Bundle leads to. Source: FHIR R4, bundle.html, "Resolving references in Bundles".

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/document.h"

namespace mydr24::validation {

class References {
 public:
  explicit References(json::Value bundle);

  struct Found {
    std::size_t count = 0;  // entries that match, counted up to two: more than one is ambiguous
    json::Value resource;   // the first
  };
  // `full_url` is that of the entry that holds the reference: a relative one is relative to its base.
  Found find(std::string_view reference, std::string_view full_url) const;
  // Whether an entry has a resource of that type and id, whatever its fullUrl is.
  bool has_type_and_id(std::string_view reference) const;
  bool is_document() const { return is_document_; }
  json::Value bundle() const { return bundle_; }

 private:
  json::Value bundle_;
  std::multimap<std::string, json::Value, std::less<>> by_url_;   // resources, by fullUrl
  std::multimap<std::string, json::Value, std::less<>> by_name_;  // by "Type/id"
  bool is_document_ = false;
};

}  // namespace mydr24::validation
