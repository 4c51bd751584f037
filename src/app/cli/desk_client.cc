#include "app/cli/desk_client.h"

#include <fmt/format.h>

#include <fstream>
#include <iostream>
#include <iterator>

#include "app/cli/fhir_client.h"
#include "app/cli/login.h"
#include "base/net/client.h"

namespace mydr24::cli {
Result<json::Document> call_desk(std::string_view server, net::Method method, std::string_view target,
                                 std::string body) {
  while (server.ends_with('/')) server.remove_suffix(1);
  net::ClientRequest request;
  request.method = method;
  MYDR24_ASSIGN(request.url, net::parse_url(fmt::format("{}{}", server, target)));
  request.time_max = std::chrono::seconds(60);
  request.answer_bytes_max = 64U << 20;
  if (!body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  request.body = std::move(body);
  MYDR24_TRY(authorize(request));
  MYDR24_ASSIGN(const auto response, net::send_blocking(std::move(request)));
  auto document = json::Document::parse(response.body);
  if (response.status < 300) return document;
  std::string text = fmt::format("the server answered {}", response.status);
  std::string where;
  if (document) {
    if (const auto detail = document->root()["detail"].text(); !detail.empty()) text = detail;
    if (const auto error = document->root()["error"].text(); !error.empty()) text = error;  // as Prometheus writes it
    where = document->root()["instance"].text();
  }
  return fail(code_of_status(response.status), std::move(text), std::move(where));
}

Result<std::string> read_input(const std::string& path) {
  if (path == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(Code::not_found, "cannot be read", path);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

}  // namespace mydr24::cli
