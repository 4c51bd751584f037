#include "base/json/document.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "base/json/scan.h"

namespace mydr24::json {
namespace {

constexpr bool is_container(Kind kind) { return kind == Kind::array || kind == Kind::object; }

// From the opening quote at `at` to after the closing one. The text is known to be valid.
const char* after_string(const char* at, const char* end) {
  for (++at;; ++at) {
    at = static_cast<const char*>(std::memchr(at, '"', static_cast<std::size_t>(end - at)));
    const char* before = at;
    while (before[-1] == '\\') --before;
    const bool is_escaped = (at - before) % 2 != 0;
    if (!is_escaped) return at + 1;
  }
}

// A number as sign, digits and a power of ten, so that equal values have equal parts: no zeros at either end of the
// digits, which are empty for zero.
struct Decimal {
  bool negative = false;
  std::string digits;
  std::int64_t exponent = 0;
  bool operator==(const Decimal&) const = default;
};

// Nothing when the exponent has more digits than can be reckoned with.
std::optional<Decimal> decimal(std::string_view text) {
  Decimal result;
  result.negative = text.starts_with('-');
  if (result.negative) text.remove_prefix(1);
  const std::size_t e = std::min(text.find_first_of("eE"), text.size());
  bool in_fraction = false;
  for (const char c : text.substr(0, e)) {
    if (c == '.') {
      in_fraction = true;
      continue;
    }
    if (in_fraction) --result.exponent;
    if (c != '0' || !result.digits.empty()) result.digits += c;
  }
  while (result.digits.ends_with('0')) {
    result.digits.pop_back();
    ++result.exponent;
  }
  if (result.digits.empty()) return Decimal();

  std::string_view power = text.substr(std::min(e + 1, text.size()));
  const bool is_small = power.starts_with('-');
  if (is_small || power.starts_with('+')) power.remove_prefix(1);
  power.remove_prefix(std::min(power.find_first_not_of('0'), power.size()));
  constexpr std::size_t power_digits_max = 15;
  if (power.size() > power_digits_max) return std::nullopt;
  std::int64_t written = 0;
  for (const char c : power) written = written * 10 + (c - '0');
  result.exponent += is_small ? -written : written;
  return result;
}

bool equal_numbers(std::string_view a, std::string_view b) {
  if (a == b) return true;
  const auto left = decimal(a);
  const auto right = decimal(b);
  return left && right && *left == *right;
}

using Pair = std::pair<Value, Value>;

// Pairs the members of two objects by name; false when the names differ. Members of the same name (valid JSON, though
// no FHIR) pair up in their order.
bool pair_members(Value a, Value b, std::vector<Pair>& pairs) {
  const auto by_key = [](Value left, Value right) { return left.key() == right.key(); };
  if (std::equal(a.begin(), a.end(), b.begin(), by_key)) {
    for (auto left = a.begin(), right = b.begin(); left != a.end(); ++left, ++right) pairs.emplace_back(*left, *right);
    return true;
  }
  const auto sorted = [](Value object) {
    std::vector<Value> members;
    members.reserve(object.size());
    for (const Value member : object) members.push_back(member);
    std::ranges::stable_sort(members, {}, &Value::key);
    return members;
  };
  const std::vector<Value> left = sorted(a);
  const std::vector<Value> right = sorted(b);
  if (!std::ranges::equal(left, right, by_key)) return false;
  for (std::size_t i = 0; i < left.size(); ++i) pairs.emplace_back(left[i], right[i]);
  return true;
}

using CompareNumbers = bool (*)(std::string_view, std::string_view);

// Compares two values but not their children, which are added to `pairs`.
bool alike(Value a, Value b, CompareNumbers numbers, std::vector<Pair>& pairs) {
  if (!a || !b) return !a && !b;
  if (a.kind() != b.kind() || a.size() != b.size()) return false;
  switch (a.kind()) {
    case Kind::object: return pair_members(a, b, pairs);
    case Kind::array:
      for (auto left = a.begin(), right = b.begin(); left != a.end(); ++left, ++right) {
        pairs.emplace_back(*left, *right);
      }
      return true;
    case Kind::number: return numbers(a.text(), b.text());
    default: return a.text() == b.text();
  }
}

bool compare(Value a, Value b, CompareNumbers numbers) {
  std::vector<Pair> pairs{{a, b}};
  while (!pairs.empty()) {
    const auto [left, right] = pairs.back();
    pairs.pop_back();
    if (!alike(left, right, numbers, pairs)) return false;
  }
  return true;
}

}  // namespace

Kind Value::kind() const { return exists() ? document_->nodes_[node_].kind : Kind::null; }

std::string_view Value::text() const {
  if (!exists()) return {};
  const Document::Node& node = document_->nodes_[node_];
  if (is_container(node.kind)) return {};
  if (node.kind != Kind::string) return raw();
  return node.escaped ? document_->decoded(node.size) : document_->view_.substr(node.begin + 1, node.size);
}

std::string_view Value::raw() const {
  if (!exists()) return {};
  const Document::Node& node = document_->nodes_[node_];
  return document_->view_.substr(node.begin, node.end - node.begin);
}

std::size_t Value::offset() const { return exists() ? document_->nodes_[node_].begin : 0; }

std::size_t Value::size() const {
  if (!exists()) return 0;
  const Document::Node& node = document_->nodes_[node_];
  return is_container(node.kind) ? node.size : 0;
}

Value Value::operator[](std::string_view key) const {
  if (!is_object()) return {};
  const Document::Node* const nodes = document_->nodes_.data();
  const char* const source = document_->view_.data();
  const std::uint32_t end = nodes[node_].next;
  for (std::uint32_t i = node_ + 1; i < end; i = nodes[i].next) {
    const Document::Node& node = nodes[i];
    const bool is_it = node.key_escaped ? document_->decoded(node.key_size) == key
                                        : node.key_size == key.size() &&
                                              std::string_view(source + node.key_begin + 1, node.key_size) == key;
    if (is_it) return {document_, i};
  }
  return {};
}

Value Value::at(std::size_t index) const {
  if (!is_array() || index >= size()) return {};
  auto it = begin();
  for (; index > 0; --index) ++it;
  return *it;
}

std::string_view Value::key() const {
  if (!exists()) return {};
  const Document::Node& node = document_->nodes_[node_];
  if (!node.is_member) return {};
  return node.key_escaped ? document_->decoded(node.key_size)
                          : document_->view_.substr(node.key_begin + 1, node.key_size);
}

std::size_t Value::key_offset() const { return exists() ? document_->nodes_[node_].key_begin : 0; }

// A scalar's subtree is itself, so that its begin is its end.
Value::Iterator Value::begin() const { return exists() ? Iterator(document_, node_ + 1) : Iterator(); }

Value::Iterator Value::end() const {
  return exists() ? Iterator(document_, document_->nodes_[node_].next) : Iterator();
}

// Walks the text, not the values: white space outside strings is all that changes.
void append_compact(std::string& out, Value value) {
  const std::string_view text = value.raw();
  const char* at = text.data();
  const char* const end = at + text.size();
  const char* run = at;
  while (at != end) {
    if (*at == '"') {
      at = after_string(at, end);
    } else if (is_space(*at)) {
      out.append(run, at);
      at = skip_space(at, end);
      run = at;
    } else {
      ++at;
    }
  }
  out.append(run, at);
}

std::string compact(Value value) {
  std::string out;
  append_compact(out, value);
  return out;
}

bool same(Value a, Value b) {
  return compare(a, b, [](std::string_view left, std::string_view right) { return left == right; });
}

bool equal(Value a, Value b) { return compare(a, b, equal_numbers); }

}  // namespace mydr24::json
