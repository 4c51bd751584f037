#pragma once

// Whether a request may be served at all, before anything is read: by its route and who asks. What is read or written by it
// is decided on each resource (access.h).

#include <string>
#include <string_view>

#include "guard/access/access.h"
#include "guard/access/policy.h"

namespace mydr24::access {

struct Decision {
  bool allowed = false;
  bool unknown = false;  // nobody said who they are: 401 instead of 403
  // What decided, for the audit and for people: "role nurse may read Patient". Of an operation that is refused also which
  // roles may.
  std::string rule;
};

// `interaction` as in the router ("read", "search-type", "$everything"), `type` as in the path; empty: the whole system.
Decision decide_fhir(const Caller& caller, std::string_view interaction, std::string_view type);
// Of what is not FHIR: `operation` is the interaction of its route. What begins with "session-" is about the person's own
// sessions, and open to every person who came in by our page.
Decision decide_operation(const Policy& policy, const Caller& caller, std::string_view operation);

}  // namespace mydr24::access
