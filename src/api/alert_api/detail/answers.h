#pragma once

// Answers in the form of Alertmanager. Private to api/alert_api.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/routing/matcher.h"
#include "api/pipeline/pipeline.h"
#include "base/core/result.h"

namespace mydr24::alert_api {

struct Answer {
  int status = 200;
  std::string body;  // JSON; empty: none
};

// "text" as a JSON string, as Alertmanager writes what is wrong with the content.
Answer said(int status, std::string_view text);
// {"code":602,"message":"..."}, as it writes what is wrong with the shape.
Answer coded(int status, int code, std::string_view text);
// Of a store or a module: 400 said, 404, 403, 503, 500.
Answer failed(const Error& error);

Task<> send(pipeline::Call& call, Answer answer);
bool is_json(pipeline::Call& call);
Answer wrong_type(pipeline::Call& call);

// The values of every `name` of the query, decoded.
std::vector<std::string> query_values(pipeline::Call& call, std::string_view name);
// A boolean parameter; `otherwise` when it is not there.
bool query_flag(pipeline::Call& call, std::string_view name, bool otherwise);
// All of `filter`.
Result<routing::Matchers> filters(pipeline::Call& call, routing::Names names);
// `receiver`, a regular expression; nothing when it is not there.
Result<std::optional<routing::Matcher>> receiver_filter(pipeline::Call& call);

// The items of a JSON array without reading what is in them; nothing when the text is no array.
std::optional<std::vector<std::string_view>> split_array(std::string_view text);

}  // namespace mydr24::alert_api
