#include "api/terminology_api/input.h"

#include <fmt/format.h>

#include <charconv>

namespace mydr24::terminology_api {
namespace {

using terminology::Coding;

std::string owned(json::Value value) { return std::string(value.text()); }

// The value[x] of a parameter when it is a primitive.
json::Value primitive_of(json::Value parameter) {
  for (const auto member : parameter) {
    if (member.key().starts_with("value") && !member.is_object()) return member;
  }
  return {};
}

}  // namespace

Coding coding_of(json::Value value) {
  return {owned(value["system"]), owned(value["code"]), owned(value["display"]), owned(value["version"])};
}

std::string canonical(std::string_view url, std::string_view version) {
  if (version.empty() || url.contains('|')) return std::string(url);
  return fmt::format("{}|{}", url, version);
}

json::Value Input::parameter(std::string_view name) const {
  for (const auto parameter : request_.parameters["parameter"]) {
    if (parameter["name"].text() == name) return parameter;
  }
  return {};
}

std::vector<std::string> Input::texts(std::string_view name) const {
  std::vector<std::string> all;
  for (const auto& [key, value] : request_.query) {
    if (key == name && !value.empty()) all.push_back(value);
  }
  for (const auto parameter : request_.parameters["parameter"]) {
    if (parameter["name"].text() != name) continue;
    if (const auto value = primitive_of(parameter); !value.text().empty()) all.push_back(owned(value));
  }
  return all;
}

std::optional<std::string> Input::text(std::string_view name) const {
  auto all = texts(name);
  if (all.empty()) return std::nullopt;
  return std::move(all.front());
}

Result<bool> Input::flag(std::string_view name, bool absent) const {
  const auto value = text(name);
  if (!value) return absent;
  if (*value == "true") return true;
  if (*value == "false") return false;
  return fail(Code::invalid, fmt::format("{} must be true or false, not '{}'", name, *value), std::string(name));
}

Result<std::optional<std::size_t>> Input::number(std::string_view name) const {
  const auto value = text(name);
  if (!value) return std::optional<std::size_t>();
  std::uint32_t number = 0;
  const auto [end, problem] = std::from_chars(value->data(), value->data() + value->size(), number);
  if (problem != std::errc() || end != value->data() + value->size()) {
    return fail(Code::invalid, fmt::format("{} must be a number from 0, not '{}'", name, *value), std::string(name));
  }
  return std::optional<std::size_t>(number);
}

json::Value Input::resource(std::string_view name) const { return parameter(name)["resource"]; }

std::optional<Coding> Input::coding(std::string_view name) const {
  const auto value = parameter(name)["valueCoding"];
  if (!value.is_object()) return std::nullopt;
  return coding_of(value);
}

Result<std::vector<Coding>> Input::codings(std::string_view version_name) const {
  const auto code = text("code");
  const auto one = coding("coding");
  const auto several = parameter("codeableConcept")["valueCodeableConcept"];
  const int given = int(code.has_value()) + int(one.has_value()) + int(several.exists());
  if (given != 1) {
    return fail(Code::invalid, given == 0 ? "One of code, coding and codeableConcept is needed"
                                          : "Only one of code, coding and codeableConcept may be given");
  }
  std::vector<Coding> all;
  if (code) {
    all.push_back({text("system").value_or(""), *code, text("display").value_or(""), text(version_name).value_or("")});
  } else if (one) {
    all.push_back(*one);
  }
  for (const auto item : several["coding"]) {
    if (all.size() == codings_max) {
      return fail(Code::too_large, fmt::format("codeableConcept has more than {} codings", codings_max));
    }
    all.push_back(coding_of(item));
  }
  if (all.empty()) return fail(Code::invalid, "codeableConcept has no coding");
  for (const auto& coding : all) {
    if (coding.code.empty()) return fail(Code::invalid, "A coding without a code says nothing to check");
  }
  return all;
}

Result<> Input::refuse(std::initializer_list<std::string_view> names) const {
  for (const auto name : names) {
    if (text(name) || parameter(name).exists()) {
      return fail(Code::unsupported, fmt::format("The parameter {} is not supported here", name), std::string(name));
    }
  }
  return {};
}

}  // namespace mydr24::terminology_api
