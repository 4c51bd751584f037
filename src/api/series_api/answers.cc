#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "api/pipeline/json_body.h"
#include "api/series_api/detail/answers.h"
#include "base/core/date_time.h"

namespace mydr24::series_api {
namespace {

constexpr std::size_t form_bytes_max = 256U << 10;
constexpr double seconds_max = 9e12;
constexpr double whole_max = 1e17;  // every greater number is whole

std::optional<double> plain_number(std::string_view text) {
  double value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

}  // namespace

std::optional<std::string> Parameters::first(std::string_view name) const {
  for (const auto& [key, value] : values_)
    if (key == name) return value;
  return std::nullopt;
}

std::vector<std::string> Parameters::all(std::string_view name) const {
  std::vector<std::string> found;
  for (const auto& [key, value] : values_)
    if (key == name) found.push_back(value);
  return found;
}

Result<series::Milliseconds> Parameters::time(std::string_view name, series::Milliseconds otherwise) const {
  const auto text = first(name);
  if (!text || text->empty()) return otherwise;
  if (const auto value = plain_number(*text)) {
    if (std::abs(*value) > seconds_max) return fail(Code::invalid, fmt::format("invalid parameter \"{}\"", name));
    return static_cast<series::Milliseconds>(std::llround(*value * 1000));
  }
  if (const auto at = parse_date_time(*text)) return to_us(at->low) / 1000;
  return fail(Code::invalid,
              fmt::format("invalid parameter \"{}\": cannot parse \"{}\" to a valid timestamp", name, *text));
}

Result<series::Milliseconds> Parameters::length(std::string_view name) const {
  const std::string text = first(name).value_or("");
  if (const auto value = plain_number(text); value && std::abs(*value) < seconds_max)
    return static_cast<series::Milliseconds>(std::llround(*value * 1000));
  if (const auto length = series::parse_duration(text)) return *length;
  return fail(Code::invalid,
              fmt::format("invalid parameter \"{}\": cannot parse \"{}\" to a valid duration", name, text));
}

Task<Result<Parameters>> take_parameters(pipeline::Call& call) {
  auto values = net::parse_query(call.request().query);
  if (!values) co_return fail(Code::invalid, "the query of the URL is malformed");
  if (call.request().method == net::Method::post && call.request().has_body) {
    if (!call.request().header("Content-Type").starts_with("application/x-www-form-urlencoded"))
      co_return fail(Code::unsupported, "parameters come as application/x-www-form-urlencoded");
    const auto body = co_await call.exchange().read_body(form_bytes_max);
    if (!body) co_return body.error();
    auto more = net::parse_query(*body);
    if (!more) co_return fail(Code::invalid, "the form is malformed");
    call.note_query(*body);
    for (auto& each : *more) values->push_back(std::move(each));
  }
  co_return Parameters(std::move(*values));
}

Task<> succeed(pipeline::Call& call, std::string data) {
  co_await pipeline::send_json(call, 200, fmt::format(R"({{"status":"success","data":{}}})", data));
}

Task<> refuse(pipeline::Call& call, const Error& error) {
  int status = 500;
  std::string_view type = "internal";
  if (error.code == Code::invalid) {
    status = 400;
    type = "bad_data";
  } else if (error.code == Code::unsupported) {
    status = 415;
    type = "bad_data";
  } else if (error.code == Code::too_large) {
    status = 413;
    type = "bad_data";
  } else if (error.code == Code::too_costly || error.code == Code::unprocessable) {
    status = 422;
    type = "execution";
  } else if (error.code == Code::busy) {
    status = 503;
    type = "unavailable";
  }
  std::string body;
  json::Writer(body)
      .begin_object()
      .field("status", "error")
      .field("errorType", type)
      .field("error", std::string_view(error.text))
      .end_object();
  co_await pipeline::send_json(call, status, std::move(body));
}

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 400> text{};
  if (std::abs(value) < whole_max) {
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed).ptr;
    return {text.data(), end};
  }
  // The fewest digits that read back the same, then zeros: 1.8446744073709552e+19.
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::scientific).ptr;
  std::string digits(text.data(), end);
  const auto mark = digits.find('e');
  const auto exponent = static_cast<std::size_t>(std::strtoul(digits.c_str() + mark + 1, nullptr, 10));
  digits.resize(mark);
  const std::size_t before = digits.starts_with('-') ? 2 : 1;  // the point
  if (digits.size() > before) digits.erase(before, 1);
  digits.resize(before + exponent, '0');
  return digits;
}

std::string seconds(series::Milliseconds time) {
  if (time % 1000 == 0) return fmt::format("{}", time / 1000);
  return fmt::format("{}{}.{:03}", time < 0 ? "-" : "", std::abs(time / 1000), std::abs(time % 1000));
}

void write_labels(json::Writer& writer, const series::Labels& labels) { routing::write(writer, labels); }

}  // namespace mydr24::series_api
