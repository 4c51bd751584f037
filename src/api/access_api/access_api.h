#pragma once

// Emergency overrides over HTTP, and what access control makes of people and requests, for people: all below /api/v1. Errors
// are problem details (RFC 9457).
//
//   GET  /api/v1/access/me                    who the server takes the caller for, and what that allows
//   GET  /api/v1/access/users?after=&count=   who has an account: roles, second factor, last login; never a secret
//   POST /api/v1/access/users                 {"name", "display", "roles": [], "fhirUser"}: an account, and an invitation
//   PUT  /api/v1/access/users/{id}            {"display", "roles": [], "fhirUser"}
//   POST /api/v1/access/users/{id}/disable, /enable
//   POST /api/v1/access/users/{id}/invitation          the password is void, and another is chosen
//   DELETE /api/v1/access/users/{id}/second-factor
//     {id}: the name of the account. What changes one names in If-Match the "version" that was seen. Rules, and what is void
//     after each: guard/identity/account.h. An invitation's address is in the answer and nowhere else.
//   GET  /api/v1/access/policy                the roles in force, and which operations each of them may
//   GET  /api/v1/access/explain?as=&method=&path=   what would be decided, by which rule, and which roles may
//   GET  /api/v1/access/tenant                the caller's tenant: tier, quotas and their use
//   POST /api/v1/break-glass                  {"patient": id, "reason": text}: an override of 15 minutes
//   GET  /api/v1/break-glass?waiting=true     overrides, newest first; those that wait for a review
//   POST /api/v1/break-glass/{id}/end         before its time, by its owner
//   POST /api/v1/break-glass/{id}/review      {"verdict": "justified"|"not-justified", "review": text}, by somebody else

#include <functional>
#include <memory>
#include <string>

#include "api/pipeline/pipeline.h"
#include "guard/access/break_glass.h"
#include "guard/identity/identity.h"

namespace mydr24::access_api {

// A request of somebody else that is not made.
struct Question {
  std::string as;      // name of a user, as they log in
  std::string method;  // "GET"
  std::string path;    // "/fhir/R4/Patient/1"; what follows a '?' does not count
};

struct Service {
  store::Store& store;
  access::BreakGlass& glass;
  identity::Identity& identity;
  const Clock& clock;              // the machine's: what attempts to log in are counted by
  const pipeline::Router& router;  // complete when the first request comes
  std::function<std::shared_ptr<const access::Policy>()> policy;  // in force
  // The answer as JSON, as far as `asker` may know it. Reads the store.
  std::function<Result<std::string>(const Question& question, access::Access& asker)> explain;
  std::function<std::string()> tenant;    // as JSON
  std::function<std::string()> base_url;  // of our pages, without a slash at the end
};

// `service` must outlive the router.
void add_routes(pipeline::Router& router, Service& service);

// Files of their own: users; policy, explain, tenant.
void add_account_routes(pipeline::Router& router, Service& service);
void add_policy_routes(pipeline::Router& router, Service& service);

}  // namespace mydr24::access_api
