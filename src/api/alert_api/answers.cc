#include <fmt/format.h>

#include <cctype>

#include "api/alert_api/detail/answers.h"
#include "base/json/writer.h"
#include "base/net/uri.h"

namespace mydr24::alert_api {

Answer said(int status, std::string_view text) {
  Answer answer{status, {}};
  json::append_quoted(answer.body, text);
  answer.body += '\n';
  return answer;
}

Answer coded(int status, int code, std::string_view text) {
  Answer answer{status, {}};
  json::Writer(answer.body).begin_object().field("code", code).field("message", text).end_object();
  return answer;
}

Answer failed(const Error& error) {
  switch (error.code) {
    case Code::invalid:
      return said(400, error.text);
    case Code::unprocessable:
      return coded(422, 602, error.text);
    case Code::not_found:
      return said(404, error.text);
    case Code::refused:
      return said(403, error.text);
    case Code::conflict:
      return said(409, error.text);
    case Code::too_large:
      return said(413, error.text);
    case Code::busy:
    case Code::full:
      return said(503, error.text);
    default:
      return said(500, error.text);
  }
}

Task<> send(pipeline::Call& call, Answer answer) {
  net::Response response{.status = answer.status};
  if (!answer.body.empty()) response.content_type = "application/json";
  response.headers.emplace_back("Cache-Control", "no-store");
  response.body = std::move(answer.body);
  co_await call.respond(std::move(response));
}

bool is_json(pipeline::Call& call) {
  const std::string_view type = call.request().header("Content-Type");
  return type == "application/json" || type.starts_with("application/json;");
}

Answer wrong_type(pipeline::Call& call) {
  return coded(415, 415,
               fmt::format("unsupported media type {}, only [application/json] are allowed",
                           routing::go_quoted(call.request().header("Content-Type"))));
}

std::vector<std::string> query_values(pipeline::Call& call, std::string_view name) {
  std::vector<std::string> values;
  for (auto& [key, value] : net::parse_query(call.request().query).value_or(net::QueryParameters()))
    if (key == name) values.push_back(std::move(value));
  return values;
}

bool query_flag(pipeline::Call& call, std::string_view name, bool otherwise) {
  const auto values = query_values(call, name);
  if (values.empty()) return otherwise;
  constexpr std::string_view yes[]{"1", "t", "true", "T", "TRUE", "True", "y", "yes", "on"};
  return std::ranges::find(yes, values.front()) != std::end(yes);
}

Result<routing::Matchers> filters(pipeline::Call& call, routing::Names names) {
  routing::Matchers all;
  for (const std::string& text : query_values(call, "filter")) {
    MYDR24_ASSIGN(routing::Matchers some, routing::parse_matchers(text, names));
    if (all.size() + some.size() > routing::matchers_max) return fail(Code::invalid, "too many filters");
    for (routing::Matcher& matcher : some) all.push_back(std::move(matcher));
  }
  return all;
}

Result<std::optional<routing::Matcher>> receiver_filter(pipeline::Call& call) {
  const auto values = query_values(call, "receiver");
  if (values.empty()) return std::optional<routing::Matcher>();
  auto made = routing::Matcher::make("receiver", routing::Matcher::Op::matches, values.front());
  if (!made) return fail(Code::invalid, "failed to parse receiver param: " + made.error().text);
  return std::optional(std::move(*made));
}

std::optional<std::vector<std::string_view>> split_array(std::string_view text) {
  constexpr std::size_t items_max = 200'000;  // as many alerts as may be known
  const auto space = [](char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; };
  while (!text.empty() && space(text.front())) text.remove_prefix(1);
  while (!text.empty() && space(text.back())) text.remove_suffix(1);
  if (text.size() < 2 || text.front() != '[' || text.back() != ']') return std::nullopt;
  text = text.substr(1, text.size() - 2);
  std::vector<std::string_view> items;
  std::size_t begin = 0;
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\')
        ++i;
      else
        in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (--depth < 0) return std::nullopt;
    } else if (c == ',' && depth == 0) {
      if (items.size() == items_max) return std::nullopt;
      items.push_back(text.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  if (in_string || depth != 0) return std::nullopt;
  const std::string_view last = text.substr(begin);
  if (!items.empty() || !std::ranges::all_of(last, space)) items.push_back(last);
  return items;
}

}  // namespace mydr24::alert_api
