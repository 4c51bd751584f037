// Functions of strings. Source: FHIRPath 2.0.0, section 5.6, and its later drafts (encode, escape, trim, split, join).

#include <fmt/format.h>

#include <algorithm>

#include "fhir/path/encoding.h"
#include "fhir/path/evaluator.h"
#include "fhir/path/unicode.h"

namespace mydr24::path {
namespace {

// What looking for `part` may cost at worst.
std::uint64_t search_steps(std::string_view text, std::string_view part) {
  constexpr std::uint64_t bytes_of_step = 64;
  return text.size() * (part.size() + 1) / bytes_of_step;
}

}  // namespace

bool Evaluator::string_function(const Node& node, const Scope& scope, Sequence& out) {
  if (node.function == Function::join) return join(node, scope, out);
  Sequence input;
  if (!input_of(node, scope, input)) return false;
  if (input.empty()) return true;
  Cell value;
  if (input.size() > 1) return fail_at(node, fmt::format("{}() takes a single string", node.name));
  if (!system_value(input[0], value)) {
    // A primitive that has only extensions is as good as nothing.
    if (input[0].is_element() && !input[0].value) return true;
    return fail_at(node, fmt::format("{}() takes a string", node.name));
  }
  if (value.kind != ItemKind::string && !is_moment(value)) {
    return fail_at(node, fmt::format("{}() takes a string", node.name));
  }
  const std::string_view text = value.text;
  if (!step(node, 1 + text.size() / 16)) return false;
  switch (node.function) {
    case Function::upper:
      return push_text(node, ItemKind::string, upper(text), out);
    case Function::lower:
      return push_text(node, ItemKind::string, lower(text), out);
    case Function::length:
      return push(node, out, integer_cell(static_cast<std::int64_t>(length_of(text))));
    case Function::trim: {
      constexpr std::string_view gaps = " \t\r\n\f\v";
      const auto begin = std::min(text.find_first_not_of(gaps), text.size());
      const auto end = text.find_last_not_of(gaps) + 1;
      return push(node, out, string_cell(begin < end ? text.substr(begin, end - begin) : std::string_view()));
    }
    case Function::to_chars:
      return to_chars(node, text, out);
    case Function::substring:
      return substring(node, scope, text, out);
    case Function::replace:
      return replace(node, scope, text, out);
    case Function::matches:
    case Function::matches_full:
    case Function::replace_matches:
      return match(node, scope, text, out);
    case Function::split:
      return split(node, scope, text, out);
    case Function::encode:
    case Function::decode:
    case Function::escape:
    case Function::unescape:
      return encoding(node, scope, text, out);
    default:
      return search_text(node, scope, text, out);
  }
}

bool Evaluator::to_chars(const Node& node, std::string_view text, Sequence& out) {
  while (!text.empty()) {
    const std::size_t size = byte_of(text, 1);
    if (!push(node, out, string_cell(text.substr(0, size)))) return false;
    text.remove_prefix(size);
  }
  return true;
}

bool Evaluator::search_text(const Node& node, const Scope& scope, std::string_view text, Sequence& out) {
  std::string_view part;
  bool none = false;
  if (!text_argument(node, 0, scope, part, none) || !step(node, search_steps(text, part))) return false;
  if (none) return true;
  const auto place = [&](std::size_t found) {
    const auto index =
        found == std::string_view::npos ? -1 : static_cast<std::int64_t>(length_of(text.substr(0, found)));
    return push(node, out, integer_cell(index));
  };
  switch (node.function) {
    case Function::index_of:
      return place(text.find(part));
    case Function::last_index_of:
      return place(text.rfind(part));
    case Function::starts_with:
      return push(node, out, boolean_cell(text.starts_with(part)));
    case Function::ends_with:
      return push(node, out, boolean_cell(text.ends_with(part)));
    default:
      return push(node, out, boolean_cell(text.find(part) != std::string_view::npos));
  }
}

bool Evaluator::substring(const Node& node, const Scope& scope, std::string_view text, Sequence& out) {
  std::int64_t start = 0;
  std::int64_t length = 0;
  bool no_start = false;
  bool no_length = true;
  if (!integer_argument(node, 0, scope, start, no_start)) return false;
  if (node.operands.size() > 1 && !integer_argument(node, 1, scope, length, no_length)) return false;
  if (no_start || start < 0) return true;
  const std::size_t begin = byte_of(text, static_cast<std::size_t>(start));
  if (begin == text.size()) return true;
  std::string_view result = text.substr(begin);
  if (!no_length)
    result = result.substr(0, byte_of(result, static_cast<std::size_t>(std::max<std::int64_t>(length, 0))));
  return push(node, out, string_cell(result));
}

bool Evaluator::replace(const Node& node, const Scope& scope, std::string_view text, Sequence& out) {
  std::string_view pattern;
  std::string_view substitution;
  bool none = false;
  bool no_substitution = false;
  if (!text_argument(node, 0, scope, pattern, none) || !text_argument(node, 1, scope, substitution, no_substitution)) {
    return false;
  }
  if (none || no_substitution) return true;
  if (!step(node, search_steps(text, pattern))) return false;
  if ((text.size() + 1) * (substitution.size() + 1) > made_text_bytes_max) {
    return fail_at(node, "the replaced text may become too long", Code::too_large);
  }
  std::string result;
  std::size_t at = 0;
  if (pattern.empty()) {
    // Around every character.
    while (at < text.size()) {
      const std::size_t size = byte_of(text.substr(at), 1);
      result += substitution;
      result += text.substr(at, size);
      at += size;
    }
    result += substitution;
    return push_text(node, ItemKind::string, std::move(result), out);
  }
  for (auto found = text.find(pattern); found != std::string_view::npos; found = text.find(pattern, at)) {
    result += text.substr(at, found - at);
    result += substitution;
    at = found + pattern.size();
  }
  result += text.substr(at);
  return push_text(node, ItemKind::string, std::move(result), out);
}

bool Evaluator::match(const Node& node, const Scope& scope, std::string_view text, Sequence& out) {
  std::string_view pattern;
  bool none = false;
  if (!text_argument(node, 0, scope, pattern, none)) return false;
  if (none) return true;
  constexpr std::uint64_t compile_steps = 1000;
  std::unique_ptr<const Regex> made;
  if (node.regex == nullptr) {
    if (!step(node, compile_steps + pattern.size() * 8)) return false;
    auto compiled = Regex::compile(pattern);
    if (!compiled) return fail_with(node, std::move(compiled).error());
    made = std::move(*compiled);
  }
  // A search costs more than a step.
  if (!step(node, 16 + text.size() / 4)) return false;
  const Regex& regex = node.regex != nullptr ? *node.regex : *made;
  if (node.function == Function::replace_matches) {
    std::string_view substitution;
    if (!text_argument(node, 1, scope, substitution, none)) return false;
    if (none) return true;
    if (pattern.empty()) return push(node, out, string_cell(text));
    auto result = regex.replace(text, substitution, steps_);
    if (!result) return fail_with(node, std::move(result).error());
    return push_text(node, ItemKind::string, std::move(*result), out);
  }
  auto found = node.function == Function::matches ? regex.find(text, steps_) : regex.matches_all(text, steps_);
  if (!found) return fail_with(node, std::move(found).error());
  return push(node, out, boolean_cell(*found));
}

bool Evaluator::split(const Node& node, const Scope& scope, std::string_view text, Sequence& out) {
  std::string_view separator;
  bool none = false;
  if (!text_argument(node, 0, scope, separator, none) || !step(node, search_steps(text, separator))) return false;
  if (none) return true;
  if (separator.empty()) return to_chars(node, text, out);
  for (;;) {
    const auto found = text.find(separator);
    if (!push(node, out, string_cell(text.substr(0, found)))) return false;
    if (found == std::string_view::npos) return true;
    text.remove_prefix(found + separator.size());
  }
}

bool Evaluator::join(const Node& node, const Scope& scope, Sequence& out) {
  Sequence input;
  std::string_view separator;
  bool none = false;
  if (!input_of(node, scope, input)) return false;
  if (!node.operands.empty() && !text_argument(node, 0, scope, separator, none)) return false;
  if (input.empty()) return true;
  std::string result;
  bool is_first = true;
  for (const Cell& cell : input) {
    Cell value;
    if (!system_value(cell, value)) continue;
    if (value.kind != ItemKind::string) return fail_at(node, "join() takes strings");
    if (!is_first) result += separator;
    is_first = false;
    result += value.text;
    if (result.size() > made_text_bytes_max) return fail_at(node, "the joined text is too long", Code::too_large);
  }
  return push_text(node, ItemKind::string, std::move(result), out);
}

bool Evaluator::encoding(const Node& node, const Scope& scope, std::string_view text, Sequence& out) {
  std::string_view format;
  bool none = false;
  if (!text_argument(node, 0, scope, format, none)) return false;
  if (none) return true;
  auto result = node.function == Function::encode   ? encode(format, text)
                : node.function == Function::decode ? decode(format, text)
                : node.function == Function::escape ? path::escape(format, text)
                                                    : path::unescape(format, text);
  return !result || push_text(node, ItemKind::string, std::move(*result), out);
}

}  // namespace mydr24::path
