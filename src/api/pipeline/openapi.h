#pragma once

// The router's table as an OpenAPI 3.1 document: what is served, and only that. The class and the cost of each route, by
// which admission decides, stand in it as x-mydr24-class and x-mydr24-cost.

#include <string>
#include <string_view>

#include "api/pipeline/router.h"

namespace mydr24::pipeline {

std::string openapi(const Router& router, std::string_view version);

// GET /api/v1/openapi.json, made when it is first asked for: of all routes there are by then. `router` must outlive it.
void add_openapi_route(Router& router, std::string version);

}  // namespace mydr24::pipeline
