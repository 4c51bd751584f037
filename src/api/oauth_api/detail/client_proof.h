#pragma once

// Clients at the endpoints that are theirs. Private to api/oauth_api.

#include "api/oauth_api/detail/exchange.h"
#include "base/json/writer.h"

namespace mydr24::oauth_api {

// The client that a form or its Authorization header proves. An assertion is yet to be used (Identity::use_assertion).
Task<Result<identity::ProvenClient>> prove_client(Service& service, pipeline::Call& call, const Form& form);

// patient, need_patient_banner, encounter: launch context as the token response has it.
void write_context(json::Writer& out, const identity::Session& session);

}  // namespace mydr24::oauth_api
