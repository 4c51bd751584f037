#pragma once

// Emergency overrides over HTTP, and what access control makes of a request, for people: all below /api/v1. Errors are
// problem details (RFC 9457).
//
//   GET  /api/v1/access/me                    who the server takes the caller for, and what that allows
//   POST /api/v1/break-glass                  {"patient": id, "reason": text}: an override of 15 minutes
//   GET  /api/v1/break-glass?waiting=true     overrides, newest first; those that wait for a review
//   POST /api/v1/break-glass/{id}/end         before its time, by its owner
//   POST /api/v1/break-glass/{id}/review      {"verdict": "justified"|"not-justified", "review": text}, by somebody else

#include "api/pipeline/pipeline.h"
#include "guard/access/break_glass.h"

namespace mydr24::access_api {

struct Service {
  store::Store& store;
  access::BreakGlass& glass;
};

// `service` must outlive the router.
void add_routes(pipeline::Router& router, Service& service);

}  // namespace mydr24::access_api
