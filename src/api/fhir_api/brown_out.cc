#include "api/fhir_api/brown_out.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace mydr24::fhir_api {
namespace {

constexpr int short_pages_from = 1;
constexpr int single_steps_from = 2;
constexpr std::chrono::milliseconds rest_time{200};

bool multiplies_work(std::string_view name) {
  return name.starts_with("_include") || name.starts_with("_revinclude") || name.starts_with("_has") ||
         name.starts_with("_text") || name.starts_with("_content") || name.contains('.');
}

}  // namespace

Result<> brown_out(net::QueryParameters& parameters, const pipeline::Call& call) {
  const int level = call.brown_out_level();
  if (level < short_pages_from || call.request_class() <= RequestClass::urgent) return {};
  if (level >= single_steps_from) {
    for (const auto& [name, value] : parameters) {
      if (!multiplies_work(name)) continue;
      return fail(Code::busy, fmt::format("there is too much to do for {} just now: ask without it, or later", name),
                  name);
    }
  }
  bool has_count = false;
  for (auto& [name, value] : parameters) {
    if (name != "_count") continue;
    has_count = true;
    int count = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), count);
    const bool too_many = error == std::errc::result_out_of_range || (error == std::errc() && count > short_page);
    if (too_many && end == value.data() + value.size()) value = std::to_string(short_page);
  }
  if (!has_count) parameters.emplace_back("_count", std::to_string(short_page));
  std::erase_if(parameters, [](const auto& parameter) { return parameter.first == "_total"; });
  parameters.emplace_back("_total", "none");
  return {};
}

Task<> rest_while_browned_out(pipeline::Call& call) {
  while (call.brown_out_level() >= short_pages_from && call.request_class() == RequestClass::background &&
         !call.exchange().draining() && !call.exchange().peer_gone()) {
    co_await call.exchange().sleep(rest_time);
  }
}

}  // namespace mydr24::fhir_api
