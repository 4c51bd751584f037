#include "operations/changes/outside.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/json/document.h"

namespace mydr24::changes {
namespace {

constexpr std::size_t answer_bytes_max = 4U << 20;

net::Method method_of(std::string_view text) {
  for (const auto method : {net::Method::head, net::Method::post, net::Method::put})
    if (text == net::to_string(method)) return method;
  return net::Method::get;
}

constexpr std::int64_t number_max = 1'000'000'000;

// A whole number that something can have, and nothing else but space around it.
Result<std::int64_t> number_in(std::string_view text) {
  constexpr std::string_view space = " \t\r\n";
  const auto first = std::min(text.find_first_not_of(space), text.size());
  text.remove_prefix(first);
  text = text.substr(0, text.find_last_not_of(space) + 1);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0 || number > number_max)
    return fail(Code::conflict, fmt::format("what was read is no whole number from 0 to {}", number_max));
  return number;
}

}  // namespace

Result<net::ClientResponse> Outside::send(net::ClientRequest request, const std::string& url,
                                          const std::string& credential, By by) const {
  Shown shown;
  if (!credential.empty()) {
    if (!settings_.credential) return fail(Code::unsupported, "nobody logs in here");
    MYDR24_ASSIGN(shown, settings_.credential(credential, url));
    if (!shown.header.empty()) request.headers.emplace_back(shown.header, shown.value);
  }
  net::ClientSettings client;
  client.ca_file = settings_.ca_file;
  std::string whole = url;
  if (url.starts_with('/')) {
    whole = settings_.base_url ? settings_.base_url() : std::string();
    if (whole.empty()) return fail(Code::busy, "this server does not answer yet");
    whole += url;
  } else if (by == By::plan) {
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
  MYDR24_ASSIGN(auto answer, send(std::move(request), check.subject, check.credential));
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

Result<std::int64_t> Outside::read_scale(const Scale& scale, std::chrono::milliseconds time_max) {
  const auto& read = scale.read;
  if (!read.metric.empty()) {
    const auto value = metric(read.metric, {});
    if (!value) return fail(Code::conflict, fmt::format("the metric {} has no value", read.metric));
    if (!(*value >= 0 && *value <= static_cast<double>(number_max)))
      return fail(Code::conflict, fmt::format("the metric {} is no number from 0 to {}", read.metric, number_max));
    return std::llround(*value);
  }
  if (!read.command.empty()) {
    if (!settings_.command) return fail(Code::unsupported, "no programs are run here");
    MYDR24_ASSIGN(const auto allowed, settings_.command(read.command));
    MYDR24_ASSIGN(const auto output, command(allowed, time_max));
    return number_in(output);
  }
  net::ClientRequest request;
  request.time_max = time_max;
  MYDR24_ASSIGN(const auto answer, send(std::move(request), read.url, read.credential, By::policy));
  if (answer.status != 200) return fail(Code::conflict, fmt::format("{} answered {}", scale.name, answer.status));
  if (read.member.empty()) return number_in(answer.body);
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(answer.body));
  auto value = document.root();
  for (std::string_view rest = read.member; !rest.empty();) {
    const auto dot = rest.find('.');
    value = value[rest.substr(0, dot)];
    rest.remove_prefix(dot == rest.npos ? rest.size() : dot + 1);
  }
  if (!value.is_number()) return fail(Code::conflict, fmt::format("its answer has no number {}", read.member));
  return number_in(value.text());
}

Result<> Outside::set_scale(const Scale& scale, std::int64_t number, std::string_view delivery,
                            std::chrono::milliseconds time_max) {
  const auto& set = scale.set;
  if (!set.command.empty()) {
    if (!settings_.command) return fail(Code::unsupported, "no programs are run here");
    MYDR24_ASSIGN(auto allowed, settings_.command(set.command));
    allowed.arguments.push_back(std::to_string(number));
    MYDR24_TRY(command(allowed, time_max));
    return {};
  }
  net::ClientRequest request;
  request.method = set.method == "PATCH" ? net::Method::patch : method_of(set.method);
  request.body = set.body;
  for (auto at = request.body.find(number_place); at != std::string::npos; at = request.body.find(number_place))
    request.body.replace(at, number_place.size(), std::to_string(number));
  request.time_max = time_max;
  request.headers = {{"Content-Type", set.content_type}, {"Idempotency-Key", std::string(delivery)}};
  MYDR24_ASSIGN(const auto answer, send(std::move(request), set.url, set.credential, By::policy));
  if (answer.status >= 200 && answer.status < 300) return {};
  return fail(Code::conflict, fmt::format("{} answered {}", scale.name, answer.status));
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
