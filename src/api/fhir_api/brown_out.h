#pragma once

// What searches leave out while there is too much to do (admission::Ladder): from level 1 on pages are short and nothing is
// counted, from level 2 on what multiplies the work of one request is refused. Emergencies and what is urgent are
// searched as ever.

#include "api/pipeline/pipeline.h"
#include "base/net/uri.h"

namespace mydr24::fhir_api {

inline constexpr int short_page = 20;

// Changes the parameters. Code::busy names the parameter that is refused for now.
Result<> brown_out(net::QueryParameters& parameters, const pipeline::Call& call);

// Waits while background work is to rest, at a boundary where it may.
Task<> rest_while_browned_out(pipeline::Call& call);

}  // namespace mydr24::fhir_api
