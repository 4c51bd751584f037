#pragma once

// Writes a searchset or history Bundle, entry by entry, into one string.

#include <string>
#include <string_view>

#include "base/json/writer.h"
#include "clinical/records/records.h"
#include "storage/store/store.h"

namespace mydr24::fhir_api {

class BundleWriter {
 public:
  // `type` is searchset or history. Links must be given before the first entry.
  BundleWriter(std::string_view type, Instant now, const std::string& fhir_base);
  void total(std::int64_t total);
  void link(std::string_view relation, std::string_view url);
  void match(const store::Version& version);  // searchset: with search.mode match
  // The same, with only the part of it that the query asks for.
  void match(const store::Version& version, const search::Query& query);
  void included(const store::Version& version, const search::Query& query);  // with search.mode include
  // A contained resource as a match of its own; its id is "container#id".
  void contained(const store::Version& version);
  void issues(std::string_view outcome);        // searchset: an OperationOutcome with search.mode outcome
  void version(const store::Version& version);  // history: with request and response
  std::string finish();

 private:
  void begin_entry(const store::Version& version, const search::Query* query = nullptr);
  void end_entry(std::string_view mode);
  void close_links();
  std::string out_;
  json::Writer writer_;
  std::string fhir_base_;
  bool links_open_ = false;
  bool entries_open_ = false;
};

}  // namespace mydr24::fhir_api
