#pragma once

// JSON as it was written: a parsed Document keeps its source text, and every Value is a view into it. Numbers
// keep their digits, objects keep their key order, nothing is copied but strings that hold escapes. Source of
// the grammar: RFC 8259; text that is not valid UTF-8 is refused.

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"

namespace mydr24::json {

enum class Kind : std::uint8_t { null, boolean, number, string, array, object };

// What a parser accepts from outside. Exceeding one is Code::too_large (bytes) or Code::invalid (the others). Whatever
// is asked for, a text is less than 4 GiB. Depth counts open brackets; values include arrays and objects.
struct Limits {
  std::size_t bytes_max = 64U << 20;
  std::uint32_t depth_max = 128;
  std::uint32_t values_max = 8'000'000;
};

class Document;

// A value of a Document, or "missing" (a default-constructed Value, or a member that is not there). Cheap to
// copy; valid as long as its Document lives and is not moved.
class Value {
 public:
  class Iterator;

  Value() = default;

  bool exists() const { return document_ != nullptr; }
  explicit operator bool() const { return exists(); }
  Kind kind() const;
  bool is(Kind kind) const { return exists() && this->kind() == kind; }
  bool is_object() const { return is(Kind::object); }
  bool is_array() const { return is(Kind::array); }
  bool is_string() const { return is(Kind::string); }
  bool is_number() const { return is(Kind::number); }
  bool is_boolean() const { return is(Kind::boolean); }
  bool is_null() const { return is(Kind::null); }

  // The decoded content of a string; the literal as written of a number, boolean or null; empty for an array,
  // an object and a missing value.
  std::string_view text() const;
  // true only for the literal `true`.
  bool is_true() const { return is_boolean() && text() == "true"; }

  // The source exactly as written, quotes, brackets and inner white space included; and where it begins in the source.
  std::string_view raw() const;
  std::size_t offset() const;

  // The number of items of an array or members of an object; 0 for others.
  std::size_t size() const;
  // The first member of that name; missing when there is none or this is no object. Linear in the number of members.
  Value operator[](std::string_view key) const;
  // The item at that position; missing when there is none. Linear: iterate instead of counting up.
  Value at(std::size_t index) const;

  // The member's decoded name when this Value was reached as a member of an object, else empty.
  std::string_view key() const;
  // Where the member's name begins in the source (its opening quote). Only for members.
  std::size_t key_offset() const;

  // Items of an array or members (each with its key()) of an object, in order; nothing for others.
  Iterator begin() const;
  Iterator end() const;

 private:
  friend class Document;
  Value(const Document* document, std::uint32_t node) : document_(document), node_(node) {}
  const Document* document_ = nullptr;
  std::uint32_t node_ = 0;
};

class Document {
 public:
  Document() = default;
  Document(Document&&) noexcept = default;
  Document& operator=(Document&&) noexcept = default;
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;

  // Parses one JSON text and owns it. The error names line and column ("line 3, column 14: ...").
  static Result<Document> parse(std::string text, const Limits& limits = {});
  // The same without owning: `text` must outlive the Document.
  static Result<Document> parse_view(std::string_view text, const Limits& limits = {});

  Value root() const { return nodes_.empty() ? Value() : Value(this, 0); }
  std::string_view source() const { return view_; }

 private:
  friend class Value;
  friend class Value::Iterator;
  friend class Parser;

  // One value. Children follow their parent; `next` is the node after this one's whole subtree.
  struct Node {
    std::uint32_t begin = 0;      // in the source: first character of the raw text
    std::uint32_t end = 0;        // one past its last
    std::uint32_t key_begin = 0;  // in the source: the opening quote of the member's name
    std::uint32_t next = 0;
    std::uint32_t size = 0;      // items or members; of a string the bytes of its text
    std::uint32_t key_size = 0;  // bytes of the decoded name
    Kind kind = Kind::null;
    bool escaped = false;      // the string's text is decoded(size)
    bool key_escaped = false;  // the name is decoded(key_size)
    bool is_member = false;
  };

  // A text of `decoded_`.
  struct Slice {
    std::uint32_t begin = 0;
    std::uint32_t size = 0;
  };
  std::string_view decoded(std::uint32_t index) const {
    const Slice& slice = slices_[index];
    return std::string_view(decoded_).substr(slice.begin, slice.size);
  }

  std::unique_ptr<const std::string> owned_;  // behind a pointer: its bytes stay when the Document moves
  std::string_view view_;
  std::vector<Node> nodes_;
  std::string decoded_;  // the texts that hold escapes, decoded, one after the other
  std::vector<Slice> slices_;
};

class Value::Iterator {
 public:
  using value_type = Value;
  using difference_type = std::ptrdiff_t;
  Iterator() = default;
  Value operator*() const { return Value(document_, node_); }
  Iterator& operator++() {
    assert(document_ != nullptr);
    node_ = document_->nodes_[node_].next;
    return *this;
  }
  Iterator operator++(int) {
    const Iterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const Iterator& other) const { return node_ == other.node_; }

 private:
  friend class Value;
  Iterator(const Document* document, std::uint32_t node) : document_(document), node_(node) {}
  const Document* document_ = nullptr;
  std::uint32_t node_ = 0;
};

// The value without white space between tokens; strings and numbers exactly as written, members in order.
void append_compact(std::string& out, Value value);
std::string compact(Value value);

// Same keys, same order of items, same text of numbers and decoded strings; the order of members does not
// matter. Two missing values are the same.
bool same(Value a, Value b);

// As same(), but numbers are compared by value, however they are written and however large: 1, 1.0 and 10e-1
// are equal. Source: RFC 6902, section 4.6.
bool equal(Value a, Value b);

}  // namespace mydr24::json
