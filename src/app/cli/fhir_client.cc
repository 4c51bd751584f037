#include "app/cli/fhir_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <thread>

#include "app/cli/login.h"
#include "base/json/document.h"

namespace mydr24::cli {

namespace {

constexpr std::string_view fhir_path = "/fhir/R4";
constexpr std::size_t diagnostics_max = 500;

Error error_of(const net::ClientResponse& response, const std::string& base) {
  std::string text = fmt::format("the server answered {}", response.status);
  const auto outcome = json::Document::parse_view(response.body);
  if (outcome) {
    const std::string_view diagnostics = outcome->root()["issue"].at(0)["diagnostics"].text();
    if (!diagnostics.empty()) text += fmt::format(": {}", diagnostics.substr(0, diagnostics_max));
  }
  return fail(code_of_status(response.status), std::move(text), base);
}

std::chrono::milliseconds retry_after(const net::ClientResponse& response, int attempt) {
  const std::string_view text = response.header("Retry-After");
  int seconds = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (!text.empty() && parsed.ec == std::errc{}) return std::chrono::seconds(std::clamp(seconds, 0, 10));
  return std::chrono::milliseconds(std::min(200 << std::min(attempt, 6), 10'000));
}

}  // namespace

Code code_of_status(int status) {
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
    case 422:
      return Code::unprocessable;
    case 429:
    case 503:
      return Code::busy;
    case 405:
    case 415:
      return Code::unsupported;
    default:
      return status >= 500 ? Code::internal : Code::invalid;
  }
}

FhirClient::FhirClient(net::Url url, std::string base)
    : url_(std::move(url)), base_(std::move(base)), client_(net::make_client(context_)) {}

Result<std::unique_ptr<FhirClient>> FhirClient::open(std::string_view server) {
  auto url = net::parse_url(server);
  if (!url) return std::move(url).error();
  while (url->target.ends_with('/')) url->target.pop_back();
  std::string base(server);
  while (base.ends_with('/')) base.pop_back();
  if (!url->target.ends_with(fhir_path)) {
    url->target += fhir_path;
    base += fhir_path;
  }
  return std::unique_ptr<FhirClient>(new FhirClient(std::move(*url), std::move(base)));
}

Result<net::ClientResponse> FhirClient::send(net::ClientRequest request) {
  std::optional<Result<net::ClientResponse>> answer;
  asio::co_spawn(context_.get_executor(), client_->send(std::move(request)),
                 [&](const std::exception_ptr& fault, Result<net::ClientResponse> result) {
                   answer.emplace(fault ? Result<net::ClientResponse>(fail(Code::internal, "the call failed"))
                                        : std::move(result));
                 });
  // Idle connections may wait in the context for longer than the call: it is run only until the answer is there.
  context_.restart();
  while (!answer && context_.run_one() > 0) {
  }
  return answer ? std::move(*answer) : fail(Code::internal, "the call did not end");
}

Result<std::string> FhirClient::post_bundle(std::string bundle) {
  for (int attempt = 0;; ++attempt) {
    net::ClientRequest request;
    request.method = net::Method::post;
    request.url = url_;
    request.headers = {{"Content-Type", "application/fhir+json"}, {"Accept", "application/fhir+json"}};
    request.body = bundle;
    MYDR24_TRY(authorize(request));
    request.time_max = std::chrono::seconds(60);
    request.answer_bytes_max = 64U << 20;
    auto response = send(std::move(request));
    if (!response) return std::move(response).error();
    if (response->status < 300) return std::move(response->body);
    const bool busy = response->status == 429 || response->status == 503;
    if (!busy || attempt + 1 >= attempts_max) return error_of(*response, base_);
    std::this_thread::sleep_for(retry_after(*response, attempt));
  }
}

}  // namespace mydr24::cli
