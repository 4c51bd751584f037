#include "base/json/document.h"

#include <algorithm>
#include <cstring>
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

// A number as sign, digits and a power of ten, so that equal values have equal parts: no zeros at either end
// of the digits, which are empty for zero.
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

// Compares two values without recursion: containers wait in a list until their children are compared.
class Comparison {
 public:
  using Numbers = bool (*)(std::string_view, std::string_view);
  explicit Comparison(Numbers numbers) : numbers_(numbers) {}

  bool run(Value a, Value b) {
    if (!a || !b) return !a && !b;
    if (!pair(a, b)) return false;
    while (!containers_.empty()) {
      const auto [left, right] = containers_.back();
      containers_.pop_back();
      if (!(left.is_object() ? pair_members(left, right) : pair_items(left, right))) return false;
    }
    return true;
  }

 private:
  // Whether two values may be the same: the final word on scalars, a place in the list for containers.
  bool pair(Value a, Value b) {
    if (a.kind() != b.kind() || a.size() != b.size()) return false;
    if (a.is_number()) return numbers_(a.text(), b.text());
    if (!is_container(a.kind())) return a.text() == b.text();
    containers_.emplace_back(a, b);
    return true;
  }

  bool pair_items(Value a, Value b) {
    return std::equal(a.begin(), a.end(), b.begin(), [this](Value left, Value right) { return pair(left, right); });
  }

  // Members of the same name (valid JSON, though no FHIR) pair up in their order.
  bool pair_members(Value a, Value b) {
    const auto by_key = [](Value left, Value right) { return left.key() == right.key(); };
    if (std::equal(a.begin(), a.end(), b.begin(), by_key)) return pair_items(a, b);
    const std::vector<Value> left = sorted_members(a);
    const std::vector<Value> right = sorted_members(b);
    if (!std::ranges::equal(left, right, by_key)) return false;
    return std::ranges::equal(left, right, [this](Value l, Value r) { return pair(l, r); });
  }

  static std::vector<Value> sorted_members(Value object) {
    std::vector<Value> members;
    members.reserve(object.size());
    for (const Value member : object) members.push_back(member);
    std::ranges::sort(members, {}, [](Value member) { return std::pair(member.key(), member.offset()); });
    return members;
  }

  Numbers numbers_;
  std::vector<std::pair<Value, Value>> containers_;
};

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
  std::uint32_t node = node_ + 1;
  for (; index > 0; --index) node = document_->nodes_[node].next;
  return {document_, node};
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
  return Comparison([](std::string_view left, std::string_view right) { return left == right; }).run(a, b);
}

bool equal(Value a, Value b) { return Comparison(equal_numbers).run(a, b); }

}  // namespace mydr24::json
