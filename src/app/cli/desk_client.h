#pragma once

// The desk's interfaces (/api/v1) as the command line talks to them: one JSON call at a time.

#include <ostream>
#include <string>
#include <string_view>

#include "app/cli/terminal.h"
#include "base/core/result.h"
#include "base/json/document.h"
#include "base/net/http.h"

namespace mydr24::cli {

// `server`: "http://127.0.0.1:8024"; `target`: path and query; `body`: JSON or empty. An answer of 400 and more is the
// Error that the problem details tell; Code::busy when the server cannot be reached.
Result<json::Document> call_desk(std::string_view server, net::Method method, std::string_view target,
                                 std::string body = {});

inline int done() { return static_cast<int>(Exit::ok); }

// The answer as it came with --json, else by `print`, a function of its root. The exit code.
template <class Print>
int show(const Result<json::Document>& answer, const Terminal& terminal, Print print) {
  if (!answer) return terminal.fail(answer.error());
  if (terminal.json)
    terminal.out << answer->source() << '\n';
  else
    print(answer->root());
  return done();
}

// A file, or ("-") standard input. Code::not_found names it.
Result<std::string> read_input(const std::string& path);

}  // namespace mydr24::cli
