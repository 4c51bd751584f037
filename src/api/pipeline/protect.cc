// What every answer carries for the browsers among the clients: no guessing of types, TLS from now on, nothing kept of
// what somebody had to log in for, and whether a page of another site may read it (WHATWG Fetch, CORS protocol).
//
// Access-Control-Allow-Credentials says that a page may ask as its library pleases. A cookie counts in no request of
// another origin (identity::Identity::authenticate): such a page gets what its token allows, and nothing else.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "api/pipeline/pipeline.h"

namespace mydr24::pipeline {
namespace {

// By whether the request came over TLS, and whether the answer must not be kept.
constexpr std::array<std::array<std::string_view, 2>, 2> fixed{
    {{"X-Content-Type-Options: nosniff\r\n", "X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n"},
     {"X-Content-Type-Options: nosniff\r\nStrict-Transport-Security: max-age=31536000\r\n",
      "X-Content-Type-Options: nosniff\r\nStrict-Transport-Security: max-age=31536000\r\nCache-Control: "
      "no-store\r\n"}}};

constexpr std::string_view readable =
    "Content-Location, ETag, Last-Modified, Location, Retry-After, WWW-Authenticate, X-MyDR24-Level";
constexpr std::string_view preflight_kept_s = "600";
constexpr std::size_t header_names_bytes_max = 1024;

std::string* find(net::Response& response, std::string_view name) {
  const auto found = std::ranges::find(response.headers, name, &std::pair<std::string, std::string>::first);
  return found == response.headers.end() ? nullptr : &found->second;
}

bool is_fhir(std::string_view path) { return path.starts_with("/fhir"); }

// Names of headers with commas between.
bool are_names(std::string_view text) {
  return text.size() <= header_names_bytes_max && std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
                  c == ',' || c == ' ';
         });
}

}  // namespace

void Call::protect(net::Response& response) const {
  const bool kept_nowhere = standing_.known && find(response, "Cache-Control") == nullptr;
  response.fixed_headers = fixed[request().secure ? 1 : 0][kept_nowhere ? 1 : 0];
  if (standing_.origin.empty()) return;
  if (auto* const allowed = find(response, "Access-Control-Allow-Origin"); allowed != nullptr) {
    *allowed = standing_.origin;  // the handler lets every page read it
  } else if (is_fhir(request().path)) {
    response.headers.emplace_back("Access-Control-Allow-Origin", standing_.origin);
  } else {
    return;
  }
  response.headers.emplace_back("Access-Control-Allow-Credentials", "true");
  response.headers.emplace_back("Access-Control-Expose-Headers", readable);
  response.headers.emplace_back("Vary", "Origin");
}

std::string_view Pipeline::origin_of(const net::Request& request) const {
  if (settings_.may_read == nullptr) return {};
  const auto origin = request.header("Origin");
  return !origin.empty() && settings_.may_read(origin) ? origin : std::string_view();
}

std::string Pipeline::readable_by(const net::Request& request, std::string_view head) const {
  const auto origin = is_fhir(request.path) ? origin_of(request) : std::string_view();
  if (origin.empty()) return {};
  return fmt::format(
      "{}Access-Control-Allow-Origin: {}\r\nAccess-Control-Allow-Credentials: true\r\n"
      "Access-Control-Expose-Headers: {}\r\nVary: Origin\r\n",
      head, origin, readable);
}

// Who may read may also ask with every header: what counts is the token.
Task<> Pipeline::answer_preflight(Call& call, const Match& match) const {
  net::Response response{.status = 204, .content_type = {}};
  response.headers = {{"Access-Control-Allow-Methods", match.allow},
                      {"Access-Control-Max-Age", std::string(preflight_kept_s)}};
  const auto asked = call.request().header("Access-Control-Request-Headers");
  if (!asked.empty() && are_names(asked)) response.headers.emplace_back("Access-Control-Allow-Headers", asked);
  co_await call.respond(std::move(response));
}

}  // namespace mydr24::pipeline
