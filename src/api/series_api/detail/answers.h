#pragma once

// Answers and parameters in the form of Prometheus. Private to api/series_api.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/series_api/series_api.h"
#include "base/json/writer.h"
#include "base/net/uri.h"

namespace mydr24::series_api {

// Of the query and, in a POST, of the form in the body.
class Parameters {
 public:
  explicit Parameters(net::QueryParameters values) : values_(std::move(values)) {}
  std::optional<std::string> first(std::string_view name) const;
  std::vector<std::string> all(std::string_view name) const;
  // Seconds since 1970 or RFC 3339; `otherwise` when it is not there.
  Result<series::Milliseconds> time(std::string_view name, series::Milliseconds otherwise) const;
  // Seconds or 1m30s.
  Result<series::Milliseconds> length(std::string_view name) const;

 private:
  net::QueryParameters values_;
};
Task<Result<Parameters>> take_parameters(pipeline::Call& call);

// {"status":"success","data":DATA}
Task<> succeed(pipeline::Call& call, std::string data);
Task<> refuse(pipeline::Call& call, const Error& error);

// Numbers as Prometheus writes them: without exponent; NaN, +Inf, -Inf.
std::string number(double value);
std::string seconds(series::Milliseconds time);
// {"__name__":"up",...}
void write_labels(json::Writer& writer, const series::Labels& labels);

}  // namespace mydr24::series_api
