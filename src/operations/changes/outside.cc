#include "operations/changes/outside.h"

#include <fmt/format.h>

#include <algorithm>

namespace mydr24::changes {
namespace {

constexpr std::size_t answer_bytes_max = 4U << 20;

net::Method method_of(std::string_view text) {
  for (const auto method : {net::Method::head, net::Method::post, net::Method::put})
    if (text == net::to_string(method)) return method;
  return net::Method::get;
}

}  // namespace

Result<net::ClientResponse> Outside::send(net::ClientRequest request, const std::string& url) const {
  net::ClientSettings client;
  client.ca_file = settings_.ca_file;
  std::string whole = url;
  if (url.starts_with('/')) {
    whole = settings_.base_url ? settings_.base_url() : std::string();
    if (whole.empty()) return fail(Code::busy, "this server does not answer yet");
    whole += url;
  } else {
    client.reach = settings_.reach;
  }
  MYDR24_ASSIGN(request.url, net::parse_url(whole));
  request.answer_bytes_max = answer_bytes_max;
  request.time_max = std::min<decltype(request.time_max)>(request.time_max, request_time_max);
  request.headers.emplace_back("User-Agent", fmt::format("MyDR24/{}", settings_.version));
  return net::send_blocking(std::move(request), std::move(client));
}

Result<Effects::Answer> Outside::http(const Check& check) {
  net::ClientRequest request;
  request.method = method_of(check.method);
  request.body = check.body;
  request.time_max = check.time_max;
  if (!check.body.empty())
    request.headers.emplace_back("Content-Type", check.content_type.empty() ? "application/json" : check.content_type);
  MYDR24_ASSIGN(auto answer, send(std::move(request), check.subject));
  return Answer{.status = answer.status, .body = std::move(answer.body)};
}

Result<> Outside::webhook(const Step& step, std::string_view delivery) {
  net::ClientRequest request;
  request.method = net::Method::post;
  request.body = step.body.empty() ? "{}" : step.body;
  request.time_max = step.time_max;
  request.headers = {{"Content-Type", "application/json"}, {"Idempotency-Key", std::string(delivery)}};
  MYDR24_ASSIGN(const auto answer, send(std::move(request), step.url));
  if (answer.status >= 200 && answer.status < 300) return {};
  return fail(Code::conflict, fmt::format("the receiver answered {}", answer.status));
}

Result<std::string> Outside::command(const Command& command, std::chrono::milliseconds time_max) {
  return run_program(command, time_max, stopping_);
}

Result<std::int64_t> Outside::fhir(const std::string& search) {
  if (!settings_.fhir) return fail(Code::unsupported, "no searches are made here");
  return settings_.fhir(search);
}

std::optional<double> Outside::metric(const std::string& name, const std::string& scope) {
  return settings_.metric ? settings_.metric(name, scope) : std::nullopt;
}

std::optional<double> Outside::burn(const std::string& slo) {
  return settings_.burn ? settings_.burn(slo) : std::nullopt;
}

}  // namespace mydr24::changes
