#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "alerting/routing/detail/yaml.h"
#include "base/json/writer.h"

namespace mydr24::routing::detail {
namespace {

bool is_plain(std::string_view text) {
  constexpr std::string_view words[]{"true", "false", "yes", "no", "on", "off", "null", "y", "n"};
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (text.empty() || !letter(text[0]) || std::ranges::find(words, lower) != std::end(words)) return false;
  return std::ranges::all_of(text, [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || std::string_view("_-./").find(c) != std::string_view::npos;
  });
}

void write_scalar(std::string& out, const YAML::Node& node) {
  const bool was_quoted = node.Tag() == "!";
  if (node.IsNull())
    out += "null";
  else if (!was_quoted && (is_plain(node.Scalar()) || node.Scalar() == "true" || node.Scalar() == "false" ||
                           std::ranges::all_of(node.Scalar(), [](char c) { return c >= '0' && c <= '9'; })))
    out += node.Scalar();
  else
    json::append_quoted(out, node.Scalar());
}

void write_block(std::string& out, const YAML::Node& node, std::size_t indent);

void write_value(std::string& out, const YAML::Node& node, std::size_t indent) {
  const bool has_lines = (node.IsMap() || node.IsSequence()) && node.size() > 0;
  if (has_lines) {
    out += '\n';
    write_block(out, node, indent);
    return;
  }
  out += ' ';
  if (node.IsMap())
    out += "{}";
  else if (node.IsSequence())
    out += "[]";
  else
    write_scalar(out, node);
  out += '\n';
}

void write_block(std::string& out, const YAML::Node& node, std::size_t indent) {
  if (node.IsMap()) {
    for (const auto& member : node) {
      out.append(indent, ' ');
      write_scalar(out, member.first);
      out += ':';
      write_value(out, member.second, indent + 2);
    }
    return;
  }
  for (const auto& item : node) {
    (out.append(indent, ' ')) += '-';
    write_value(out, item, indent + 2);
  }
}

}  // namespace

std::string Element::where() const {
  const int line = node_.IsDefined() && node_.Mark().line >= 0 ? node_.Mark().line + 1 : line_;
  return fmt::format("line {}: {}", line, path_.empty() ? "the configuration" : path_);
}

Result<> Element::only(std::initializer_list<std::string_view> names) const {
  if (!exists() || !node_.IsMap()) return bad("a mapping is expected here");
  for (const auto& member : node_) {
    const std::string& name = member.first.Scalar();
    const Element element(member.second, path_.empty() ? name : path_ + "." + name, member.first.Mark().line + 1);
    if (std::ranges::find(names, name) == names.end()) return element.bad("there is no such setting here");
    if (node_[name].Mark().line != member.second.Mark().line) return element.bad("the setting is given twice");
  }
  return {};
}

Element Element::operator[](std::string_view name) const {
  const int line = node_.IsDefined() && node_.Mark().line >= 0 ? node_.Mark().line + 1 : line_;
  std::string path = path_.empty() ? std::string(name) : fmt::format("{}.{}", path_, name);
  const YAML::Node& node = node_;  // the const operator does not make a member
  return {exists() && node.IsMap() ? node[std::string(name)] : YAML::Node(YAML::NodeType::Undefined), std::move(path),
          line};
}

Result<std::vector<Element>> Element::items() const {
  std::vector<Element> all;
  if (!exists()) return all;
  if (!node_.IsSequence()) return bad("a list is expected here");
  for (std::size_t i = 0; i < node_.size(); ++i)
    all.emplace_back(node_[i], fmt::format("{}[{}]", path_, i), node_.Mark().line + 1);
  return all;
}

Result<std::vector<std::pair<std::string, Element>>> Element::members() const {
  std::vector<std::pair<std::string, Element>> all;
  if (!exists()) return all;
  if (!node_.IsMap()) return bad("a mapping is expected here");
  for (const auto& member : node_) {
    const std::string& name = member.first.Scalar();
    all.emplace_back(name, Element(member.second, path_.empty() ? name : fmt::format("{}.{}", path_, name),
                                   member.first.Mark().line + 1));
  }
  return all;
}

Result<std::string> Element::text() const {
  if (!exists() || !node_.IsScalar()) return bad("a text is expected here");
  return node_.Scalar();
}

Result<> Element::read(std::string& value) const {
  if (!exists()) return {};
  MYDR24_ASSIGN(value, text());
  return {};
}

Result<> Element::read(bool& value) const {
  if (!exists()) return {};
  MYDR24_ASSIGN(const std::string word, text());
  if (word != "true" && word != "false") return bad(fmt::format("\"{}\" is neither true nor false", word));
  value = word == "true";
  return {};
}

Result<> Element::read(std::size_t& value) const {
  if (!exists()) return {};
  MYDR24_ASSIGN(const std::string word, text());
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size())
    return bad(fmt::format("\"{}\" is no number of 0 or more", word));
  return {};
}

Result<> Element::read(std::chrono::milliseconds& value) const {
  if (!exists()) return {};
  MYDR24_ASSIGN(const std::string word, text());
  const auto duration = parse_duration(word);
  if (!duration) return bad(duration.error().text);
  value = *duration;
  return {};
}

Result<> Element::read(std::vector<std::string>& value) const {
  if (!exists()) return {};
  value.clear();
  MYDR24_ASSIGN(const auto all, items());
  for (const Element& item : all) {
    MYDR24_ASSIGN(value.emplace_back(), item.text());
  }
  return {};
}

std::string to_text(const YAML::Node& node) {
  std::string out;
  write_block(out, node, 0);
  return out;
}

}  // namespace mydr24::routing::detail
