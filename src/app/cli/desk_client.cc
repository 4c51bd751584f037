#include "app/cli/desk_client.h"

#include <fmt/format.h>

#include "base/net/client.h"

namespace mydr24::cli {
namespace {

Code code_of(int status) {
  switch (status) {
    case 401:
    case 403:
      return Code::refused;
    case 404:
      return Code::not_found;
    case 409:
      return Code::conflict;
    case 410:
      return Code::gone;
    case 412:
      return Code::stale;
    case 413:
      return Code::too_large;
    case 429:
    case 503:
      return Code::busy;
    default:
      return status >= 500 ? Code::internal : Code::invalid;
  }
}

}  // namespace

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
  MYDR24_ASSIGN(const auto response, net::send_blocking(std::move(request)));
  auto document = json::Document::parse(response.body);
  if (response.status < 300) return document;
  std::string text = fmt::format("the server answered {}", response.status);
  std::string where;
  if (document) {
    if (const auto detail = document->root()["detail"].text(); !detail.empty()) text = detail;
    where = document->root()["instance"].text();
  }
  return fail(code_of(response.status), std::move(text), std::move(where));
}

}  // namespace mydr24::cli
