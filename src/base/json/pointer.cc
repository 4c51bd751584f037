#include "base/json/pointer.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

namespace mydr24::json {
namespace {

// Nothing when a '~' is followed by neither 0 nor 1.
std::optional<std::string> unescape(std::string_view escaped) {
  std::string token;
  token.reserve(escaped.size());
  for (std::size_t i = 0; i < escaped.size(); ++i) {
    if (escaped[i] != '~') {
      token += escaped[i];
      continue;
    }
    ++i;
    if (i == escaped.size() || (escaped[i] != '0' && escaped[i] != '1')) return std::nullopt;
    token += escaped[i] == '0' ? '~' : '/';
  }
  return token;
}

}  // namespace

Result<Pointer> Pointer::parse(std::string_view text) {
  Pointer pointer;
  if (text.empty()) return pointer;
  if (text.front() != '/') return fail(Code::invalid, "a JSON Pointer is empty or begins with '/'");
  while (!text.empty()) {
    if (pointer.tokens_.size() == tokens_max) {
      return fail(Code::invalid, fmt::format("a JSON Pointer of more than {} parts", tokens_max));
    }
    text.remove_prefix(1);
    const std::size_t size = std::min(text.find('/'), text.size());
    auto token = unescape(text.substr(0, size));
    if (!token) return fail(Code::invalid, "'~' in a JSON Pointer must be followed by 0 or 1");
    pointer.tokens_.push_back(std::move(*token));
    text.remove_prefix(size);
  }
  return pointer;
}

bool Pointer::is_proper_prefix_of(const Pointer& other) const {
  return tokens_.size() < other.tokens_.size() && std::equal(tokens_.begin(), tokens_.end(), other.tokens_.begin());
}

Value Pointer::resolve(Value root) const {
  for (const std::string& token : tokens_) root = child(root, token);
  return root;
}

Value child(Value parent, std::string_view token) {
  if (parent.is_object()) return parent[token];
  const auto index = array_index(token);
  return index ? parent.at(*index) : Value();
}

std::optional<std::size_t> array_index(std::string_view token) {
  if (token.empty() || (token.size() > 1 && token.front() == '0')) return std::nullopt;
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), index);
  if (error != std::errc() || end != token.data() + token.size()) return std::nullopt;
  return index;
}

}  // namespace mydr24::json
