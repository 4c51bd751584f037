// What the interactions share: answers, preconditions, negotiation of formats.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "api/fhir_api/fhir_api.h"
#include "base/async/when_all.h"
#include "base/core/date_time.h"
#include "base/core/id.h"
#include "base/json/document.h"
#include "fhir/model/definitions.h"
#include "fhir/xml/xml.h"

namespace mydr24::fhir_api {
namespace {

// Whether an item of Accept has the quality 0, in any of its forms: q=0, q=0.0, q=0.000 (RFC 9110, section 12.4.2).
bool is_excluded(std::string_view item) {
  const auto at = item.find("q=0");
  if (at == item.npos) return false;
  const auto digits = item.substr(at + 2);
  return digits.substr(0, digits.find_first_of(" \t;")).find_first_not_of("0.") == digits.npos;
}

// Whether `list` ("a;q=0.5, b") names `media_type` with a quality above 0; parameters are left aside.
bool accepts(std::string_view list, std::string_view media_type) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    auto item = list.substr(0, comma);
    list.remove_prefix(comma == list.npos ? list.size() : comma + 1);
    const auto name = item.substr(0, item.find(';'));
    const auto first = name.find_first_not_of(" \t");
    if (first == name.npos) continue;
    const auto trimmed = name.substr(first, name.find_last_not_of(" \t") - first + 1);
    if (trimmed == media_type && !is_excluded(item)) return true;
  }
  return false;
}

std::string_view media_type(std::string_view content_type) {
  const auto name = content_type.substr(0, content_type.find(';'));
  const auto last = name.find_last_not_of(" \t");
  return last == name.npos ? std::string_view() : name.substr(0, last + 1);
}

std::string nearest_type(std::string_view wrong) {
  const auto folded = [](std::string_view text) {
    std::string lower;
    for (const char c : text) {
      if (c != 's' && c != 'S') lower += static_cast<char>(c | 0x20);
    }
    return lower;
  };
  const auto types = model::resource_types();
  const auto found = std::ranges::find_if(types, [&](const auto* type) { return folded(type->name) == folded(wrong); });
  return found == types.end() ? std::string() : fmt::format("; did you mean {}?", (*found)->name);
}

bool not_modified(const net::Request& request, const Answer& answer) {
  if (request.method != net::Method::get && request.method != net::Method::head) return false;
  if (answer.status != 200 || !answer.version) return false;
  const auto none_match = request.header("If-None-Match");
  if (!none_match.empty()) return none_match == fmt::format("W/\"{}\"", *answer.version) || none_match == "*";
  const auto since = request.header("If-Modified-Since");
  if (since.empty() || !answer.last_modified) return false;
  const auto at = parse_http_date(since);
  return at && std::chrono::floor<std::chrono::seconds>(*answer.last_modified) <= *at;
}

std::string content_type_for(const net::Request& request, Format format) {
  const auto accept = request.header("Accept");
  if (format == Format::xml) {
    const bool plain = accepts(accept, "application/xml") && !accepts(accept, "application/fhir+xml");
    return plain ? "application/xml; charset=utf-8" : "application/fhir+xml; charset=utf-8";
  }
  const bool plain = accepts(accept, "application/json") && !accepts(accept, "application/fhir+json");
  return plain ? "application/json; charset=utf-8" : std::string(pipeline::fhir_json);
}

std::optional<Format> format_named(std::string_view name) {
  for (const auto* text : {"xml", "text/xml", "application/xml", "application/fhir+xml", "application/fhir xml"}) {
    if (name == text) return Format::xml;
  }
  for (const auto* text : {"json", "text/json", "application/json", "application/fhir+json", "application/fhir json"}) {
    if (name == text) return Format::json;
  }
  return std::nullopt;
}

bool is_xml(std::string_view content_type) {
  const auto type = media_type(content_type);
  return type.ends_with("/xml") || type.ends_with("+xml");
}

}  // namespace

Answer Answer::of(const Error& error) {
  Answer answer;
  answer.status = model::http_status(error.code);
  answer.body = model::operation_outcome(error);
  answer.is_outcome = true;
  return answer;
}

Answer Answer::of(const records::Rejection& rejection) {
  Answer answer;
  answer.status = model::http_status(rejection.code);
  answer.body = model::operation_outcome(rejection.issues);
  answer.is_outcome = true;
  return answer;
}

Return preferred_return(std::string_view prefer) {
  const auto at = prefer.find("return=");
  if (at == prefer.npos) return Return::unset;
  const auto value = prefer.substr(at + 7);
  if (value.starts_with("minimal")) return Return::minimal;
  if (value.starts_with("representation")) return Return::representation;
  if (value.starts_with("OperationOutcome")) return Return::outcome;
  return Return::unset;
}

bool prefers_lenient(std::string_view prefer) { return prefer.find("handling=lenient") != prefer.npos; }

Answer answer(const records::Effect& effect, Return preference) {
  using Kind = records::Effect::Kind;
  Answer result;
  const auto& version = effect.version;
  if (effect.kind == Kind::absent || effect.kind == Kind::removed) {
    result.status = 204;
    if (effect.kind == Kind::removed) {
      result.version = version.version;
      result.last_modified = version.at;
    }
    return result;
  }
  result.status = effect.kind == Kind::created ? 201 : 200;
  result.version = version.version;
  result.last_modified = version.at;
  result.location = fmt::format("{}/{}/_history/{}", version.type, version.id, version.version);
  if (preference == Return::outcome) {
    result.body = model::operation_outcome(std::span<const model::Issue>());
    result.is_outcome = true;
  } else if (preference == Return::representation) {
    records::append_rendered(result.body, version);
  }
  return result;
}

Task<> send(pipeline::Call& call, Answer answer) {
  const auto& request = call.request();
  net::Response response;
  response.status = answer.status;
  if (answer.version) response.headers.emplace_back("ETag", fmt::format("W/\"{}\"", *answer.version));
  if (answer.last_modified) response.headers.emplace_back("Last-Modified", format_http_date(*answer.last_modified));
  if (!answer.location.empty() && request.method != net::Method::get && request.method != net::Method::head) {
    response.headers.emplace_back(answer.status == 201 ? "Location" : "Content-Location",
                                  fmt::format("{}/{}", call.fhir_base(), answer.location));
  }
  if (not_modified(request, answer)) {
    response.status = 304;
  } else if (!answer.body.empty()) {
    const auto format = accepted_format(request).value_or(Format::json);
    response.content_type = content_type_for(request, format);
    response.body = std::move(answer.body);
    if (format == Format::xml) {
      if (const auto document = json::Document::parse_view(response.body)) {
        response.body = xml::from_json(document->root());
      }
    }
  }
  co_await call.respond(std::move(response));
}

Task<Answer> run_watched(Service& service, pipeline::Call& call,
                         std::function<Answer(const std::atomic<bool>& cancelled)> work) {
  std::atomic<bool> cancelled{false};
  bool done = false;
  Answer answer;
  const auto working = [&]() -> Task<bool> {
    answer = co_await service.workers.run(call.request_class(), [&] { return work(cancelled); });
    done = true;
    call.exchange().end_sleep();
    co_return true;
  };
  const auto watching = [&]() -> Task<bool> {
    if (!done) co_await call.exchange().sleep(service.settings.search_time_max);
    if (!done && call.exchange().peer_gone()) cancelled = true;
    co_return true;
  };
  std::vector<Task<bool>> both;
  both.push_back(working());
  both.push_back(watching());
  co_await when_all(std::move(both));
  co_return answer;
}

Task<> refuse(pipeline::Call& call, const Error& error, int status) {
  auto answer = Answer::of(error);
  answer.status = status;
  co_await send(call, std::move(answer));
}

Task<bool> acceptable(pipeline::Call& call) {
  const auto format = accepted_format(call.request());
  if (!format) co_await refuse(call, format.error(), 406);
  co_return format.has_value();
}

Task<std::optional<std::string>> take_body(pipeline::Call& call, std::initializer_list<std::string_view> types,
                                           std::size_t bytes_max) {
  if (const auto typed = check_content_type(call.request(), types); !typed) {
    co_await refuse(call, typed.error(), 415);
    co_return std::nullopt;
  }
  auto body = co_await call.exchange().read_body(bytes_max);
  if (body) co_return std::move(*body);
  // An unknown Content-Encoding is 415 (RFC 9110, section 8.4).
  const auto& error = body.error();
  co_await refuse(call, error, error.code == Code::unsupported ? 415 : model::http_status(error.code));
  co_return std::nullopt;
}

Task<std::optional<std::string>> take_resource(pipeline::Call& call, std::size_t bytes_max) {
  auto body = co_await take_body(call, resource_types, bytes_max);
  if (!body || !is_xml(call.request().header("Content-Type"))) co_return body;
  auto translated = xml::to_json(*body);
  if (translated) co_return std::move(*translated);
  co_await send(call, Answer::of(translated.error()));
  co_return std::nullopt;
}

Result<std::string> known_type(std::string_view type) {
  if (model::find_resource(type) != nullptr) return std::string(type);
  return fail(Code::not_found,
              fmt::format("\"{}\" is no FHIR R4 resource type{}", type.substr(0, 64), nearest_type(type)));
}

Result<std::string> known_id(std::string_view id) {
  if (is_fhir_id(id)) return std::string(id);
  return fail(Code::invalid,
              fmt::format("\"{}\" is no FHIR id: 1 to 64 letters, digits, '-' or '.'", id.substr(0, 80)));
}

Result<std::optional<std::int64_t>> parse_etag(std::string_view text) {
  if (text.empty()) return std::optional<std::int64_t>();
  auto digits = text;
  if (digits.starts_with("W/")) digits.remove_prefix(2);
  if (digits.size() >= 2 && digits.front() == '"' && digits.back() == '"') digits = digits.substr(1, digits.size() - 2);
  std::int64_t version = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), version);
  if (error != std::errc() || end != digits.data() + digits.size() || version < 1) {
    return fail(Code::invalid, fmt::format("If-Match is \"{}\"; a version is written W/\"3\"", text.substr(0, 80)));
  }
  return std::optional(version);
}

Result<Format> accepted_format(const net::Request& request) {
  if (request.query.find("_format") != request.query.npos) {
    const auto parameters = net::parse_query(request.query);
    if (!parameters) return fail(Code::invalid, "the query string is malformed: check its percent-encoding");
    for (const auto& [name, value] : *parameters) {
      if (name != "_format") continue;
      if (const auto format = format_named(std::string_view(value).substr(0, value.find(';')))) return *format;
      return fail(Code::unsupported, fmt::format("_format={} is not available; use json or xml", value.substr(0, 64)));
    }
  }
  const auto accept = request.header("Accept");
  if (accept.empty()) return Format::json;
  for (const auto* type : {"application/fhir+json", "application/json", "*/*", "application/*", "text/json"}) {
    if (accepts(accept, type)) return Format::json;
  }
  for (const auto* type : {"application/fhir+xml", "application/xml", "text/xml"}) {
    if (accepts(accept, type)) return Format::xml;
  }
  return fail(Code::unsupported,
              fmt::format("none of \"{}\" is available; use Accept: application/fhir+json or application/fhir+xml",
                          accept.substr(0, 120)));
}

Result<> check_content_type(const net::Request& request, std::initializer_list<std::string_view> allowed) {
  const auto sent = media_type(request.header("Content-Type"));
  if (std::ranges::find(allowed, sent) != allowed.end()) return {};
  return fail(Code::unsupported,
              fmt::format("Content-Type \"{}\" is not accepted here; use {}", sent.substr(0, 80), *allowed.begin()));
}

}  // namespace mydr24::fhir_api
