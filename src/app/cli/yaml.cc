#include "app/cli/yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>

#include "base/json/writer.h"

namespace mydr24::cli {
namespace {

constexpr std::size_t values_max = 200'000;
constexpr int depth_max = 32;

bool is_whole_number(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && text.size() < 18 && (text.size() == 1 || text[0] != '0') &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

struct Converter {
  std::string out;
  json::Writer writer{out};
  std::size_t values = 0;

  bool convert(const YAML::Node& node, int depth) {
    if (++values > values_max || depth > depth_max) return false;
    switch (node.Type()) {
      case YAML::NodeType::Sequence:
        writer.begin_array();
        for (const auto& item : node)
          if (!convert(item, depth + 1)) return false;
        writer.end_array();
        return true;
      case YAML::NodeType::Map:
        writer.begin_object();
        for (const auto& member : node) {
          writer.key(member.first.Scalar());
          if (!convert(member.second, depth + 1)) return false;
        }
        writer.end_object();
        return true;
      case YAML::NodeType::Scalar:
        scalar(node);
        return true;
      default:
        writer.null();
        return true;
    }
  }

  void scalar(const YAML::Node& node) {
    const std::string& text = node.Scalar();
    const bool plain = node.Tag() == "?";  // "!" when it was quoted
    if (plain && (text == "true" || text == "false"))
      writer.boolean(text == "true");
    else if (plain && (text == "null" || text == "~"))
      writer.null();
    else if (plain && is_whole_number(text))
      writer.raw(text);
    else
      writer.string(text);
  }
};

}  // namespace

Result<std::string> yaml_to_json(const std::string& text) {
  try {
    Converter converter;
    if (converter.convert(YAML::Load(text), 0)) return std::move(converter.out);
    return fail(Code::too_large, fmt::format("more than {} values, or more than {} levels", values_max, depth_max));
  } catch (const YAML::Exception& error) {
    return fail(Code::invalid,
                fmt::format("line {}, column {}: {}", error.mark.line + 1, error.mark.column + 1, error.msg));
  }
}

}  // namespace mydr24::cli
