#pragma once

// The authorization server: OAuth 2.0 (RFC 6749, RFC 9700), OpenID Connect Core 1.0 and SMART App Launch 2.2.0, and the
// pages on which people log in and agree.
//
// Invariants
// - A page that asks for anything has no script, and is answered only with the token of a form that this browser was
//   given.
// - A request is sent back to a redirect URI only after that was found, byte by byte, among those of its client.
// - What is issued or refused here is never cached (Cache-Control: no-store).

#include <functional>
#include <string>
#include <vector>

#include "api/pipeline/pipeline.h"
#include "base/async/worker_pool.h"
#include "guard/identity/identity.h"

namespace mydr24::oauth_api {

struct PatientChoice {
  std::string id;
  std::string text;  // name, date of birth
};

struct Service {
  identity::Identity& identity;
  WorkerPool& workers;
  const Clock& clock;  // the machine's: codes and tokens of others are compared with it
  // https://ehr.example, without a slash at the end: the issuer. Never what a Host header says: an assertion that was
  // made for another server must not count here.
  std::function<std::string()> base_url;
  // Patients that the person may open whose id or name is `text`, a few of them. Blocks: called on a worker. Null:
  // there is no patient to choose.
  std::function<Result<std::vector<PatientChoice>>(const access::Principal& person, const std::string& text)>
      find_patients;
};

// `service` must outlive the router.
//   GET  /.well-known/smart-configuration, /fhir/R4/.well-known/smart-configuration
//   GET  /.well-known/openid-configuration, /.well-known/jwks.json
//   GET, POST /oauth/authorize                      login, patient, agreement
//   POST /oauth/token                               authorization_code, refresh_token, client_credentials
//   POST /oauth/introspect, /oauth/revoke, /oauth/register; GET, POST /oauth/userinfo
//   GET, POST /setup/{token}, /login, /logout
//   GET  /api/v1/sessions; DELETE /api/v1/sessions/{id}; POST /api/v1/launch
void add_routes(pipeline::Router& router, Service& service);

// One file each.
void add_metadata_routes(pipeline::Router& router, Service& service);
void add_authorize_routes(pipeline::Router& router, Service& service);
void add_token_routes(pipeline::Router& router, Service& service);
void add_inspection_routes(pipeline::Router& router, Service& service);
void add_login_routes(pipeline::Router& router, Service& service);
void add_session_routes(pipeline::Router& router, Service& service);

}  // namespace mydr24::oauth_api
