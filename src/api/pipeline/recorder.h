#pragma once

// The audit entry of a request: made before its answer is sent, or, of a write, in the write's own transaction.
// Source: IHE BALP (what is recorded of a RESTful request).

#include <string>
#include <string_view>

#include "api/pipeline/router.h"
#include "base/net/http.h"
#include "guard/access/access.h"
#include "guard/audit/log.h"

namespace mydr24::pipeline {

// What is recorded of one request besides what is known when it is answered. Both must outlive it.
class Recorder {
 public:
  Recorder(audit::Log& log, const Clock& clock, const net::Request& request, const Match& match, access::Access& access,
           std::string rule);

  // Whose writes are told of in their transactions from now on.
  void record_writes();
  // Parameters that came in the body of a search.
  void note_query(std::string_view query) { query_ = query; }
  // What the entry calls the request; empty when its client named it: that may say anything.
  std::string_view own_request_id() const { return names_itself_ ? std::string_view() : request_id_; }
  // Before the answer goes out. An error: it could not be recorded, and must not be answered.
  Result<> record(int status);

 private:
  audit::Entry entry() const;

  audit::Log& log_;
  const Clock& clock_;
  const net::Request& request_;
  const Match& match_;
  access::Access& access_;
  std::string rule_;
  std::string request_id_;
  bool names_itself_ = false;  // the client named the request; else the entry of its answer has the same id
  std::string query_;
};

// The resource type that a FHIR path names; empty for the whole system, and for what is not FHIR.
std::string_view type_of(const Match& match);

}  // namespace mydr24::pipeline
