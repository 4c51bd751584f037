#pragma once

// The desk's interfaces (/api/v1) as the command line talks to them: one JSON call at a time.

#include <string>
#include <string_view>

#include "base/core/result.h"
#include "base/json/document.h"
#include "base/net/http.h"

namespace mydr24::cli {

// `server`: "http://127.0.0.1:8024"; `target`: path and query; `body`: JSON or empty. An answer of 400 and more is the
// Error that the problem details tell; Code::busy when the server cannot be reached.
Result<json::Document> call_desk(std::string_view server, net::Method method, std::string_view target,
                                 std::string body = {});

}  // namespace mydr24::cli
