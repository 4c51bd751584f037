#include "fhir/search/expression.h"

#include <algorithm>
#include <utility>

namespace mydr24::search {
namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// "DateTime" is written for dateTime in published expressions.
bool is_type_name(std::string_view written, std::string_view name) {
  return !written.empty() && written.size() == name.size() && lower(written[0]) == lower(name[0]) &&
         written.substr(1) == name.substr(1);
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// The elements below `path` that `name` means; a choice element has one for each of its types.
void descend(const Path& path, std::string_view name, std::vector<Path>& out) {
  if (path.type == nullptr) return;
  for (const model::Element& element : path.type->elements) {
    if (element.name != name && element.choice != name) continue;
    Path below = path;
    below.steps.push_back({.name = element.name});
    below.type = element.type;
    out.push_back(std::move(below));
  }
}

class Compiler {
 public:
  Compiler(std::string_view text, const model::Type& type) : text_(text), type_(type) {}

  std::optional<std::vector<Path>> run() {
    if (!expression() || !text_.empty() || paths_.empty()) return std::nullopt;
    return std::move(paths_);
  }

 private:
  bool expression() {
    if (!term()) return false;
    for (;;) {
      if (take("[0]")) {
        if (!first()) return false;
      } else if (!take(".")) {
        break;
      } else if (!step()) {
        return false;
      }
    }
    if (take(" as ")) {
      const auto type = name();
      return !type.empty() && keep_type(type);
    }
    return true;
  }

  bool term() {
    if (take("(")) return expression() && take(")");
    const auto first = name();
    if (first.empty()) return false;
    paths_ = {Path{{}, &type_, {}}};
    // "Patient.name", "Resource.id", or "name" alone.
    const bool itself = type_.kind == model::TypeKind::resource &&
                        (first == type_.name || first == "Resource" || first == "DomainResource");
    return itself || child(first);
  }

  bool first() {
    for (Path& path : paths_) {
      if (path.steps.empty() || !path.steps.back().where.empty()) return false;
      path.steps.back().first = true;
    }
    return true;
  }

  // After "where(" of a comparison with a text.
  bool where() {
    const auto property = name();
    skip_space();
    if (property.empty() || !take("=")) return false;
    skip_space();
    if (!take("'")) return false;
    const auto text = text_.substr(0, text_.find('\''));
    text_.remove_prefix(text.size());
    if (text.contains('\\') || !take("'") || !take(")")) return false;
    std::erase_if(paths_, [&](const Path& path) {
      return path.steps.empty() || path.type == nullptr || path.type->find(property) == nullptr;
    });
    for (Path& path : paths_) {
      Step& last = path.steps.back();
      if (!last.where.empty() || last.first) return false;
      last.where = property;
      last.equals = text;
    }
    return !paths_.empty();
  }

  bool step() {
    if (take("where(resolve() is ")) {
      const auto target = name();
      for (Path& path : paths_) path.target = target;
      return !target.empty() && take(")");
    }
    if (take("where(")) return where();
    const auto function_or_name = name();
    if (function_or_name.empty()) return false;
    if (!take("(")) return child(function_or_name);
    if (function_or_name != "ofType" && function_or_name != "as") return false;
    const auto type = name();
    return keep_type(type) && take(")");
  }

  bool child(std::string_view name) {
    std::vector<Path> below;
    for (const Path& path : paths_) descend(path, name, below);
    paths_ = std::move(below);
    return !paths_.empty();
  }

  bool keep_type(std::string_view name) {
    std::erase_if(paths_,
                  [&](const Path& path) { return path.type == nullptr || !is_type_name(name, path.type->name); });
    return !paths_.empty();
  }

  void skip_space() { text_ = trim(text_); }

  bool take(std::string_view token) {
    if (!text_.starts_with(token)) return false;
    text_.remove_prefix(token.size());
    return true;
  }

  std::string_view name() {
    std::size_t size = 0;
    while (size < text_.size() && is_name_character(text_[size])) ++size;
    const auto result = text_.substr(0, size);
    text_.remove_prefix(size);
    return result;
  }

  std::string_view text_;
  const model::Type& type_;
  std::vector<Path> paths_;
};

}  // namespace

std::vector<std::string_view> split_union(std::string_view expression) {
  std::vector<std::string_view> parts;
  int depth = 0;
  bool quoted = false;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= expression.size(); ++i) {
    const char c = i < expression.size() ? expression[i] : '|';
    if (c == '\'') quoted = !quoted;
    if (quoted && i < expression.size()) continue;
    if (c == '(') ++depth;
    if (c == ')') --depth;
    if (c != '|' || (depth != 0 && i < expression.size())) continue;
    if (const auto part = trim(expression.substr(begin, i - begin)); !part.empty()) parts.push_back(part);
    begin = i + 1;
  }
  return parts;
}

std::optional<std::vector<Path>> compile(std::string_view alternative, const model::Type& type) {
  return Compiler(alternative, type).run();
}

std::optional<std::string_view> tested_element(std::string_view alternative) {
  constexpr std::string_view exists = ".exists() and ";
  const auto at = alternative.find(exists);
  if (at == std::string_view::npos) return std::nullopt;
  const auto element = alternative.substr(0, at);
  auto rest = alternative.substr(at + exists.size());
  if (!rest.starts_with(element)) return std::nullopt;
  rest.remove_prefix(element.size());
  return trim(rest) == "!= false" ? std::optional(element) : std::nullopt;
}

}  // namespace mydr24::search
