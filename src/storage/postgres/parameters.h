#pragma once

// Values bound to a statement, in PostgreSQL's binary formats, which are those of its wire protocol: integers and
// doubles big-endian, texts and bytes as they are, arrays as a header and elements with their lengths. Private to
// storage/postgres.

#include <bit>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mydr24::postgres {

// Object identifiers of the built-in types. Source: PostgreSQL 15, pg_type.dat.
enum class Type : unsigned {
  bytes = 17,
  int8 = 20,
  text = 25,
  float8 = 701,
  bytes_array = 1001,
  text_array = 1009,
  int8_array = 1016,
  float8_array = 1022
};

template <class Integer>
void append_big_endian(std::string& out, Integer value) {
  for (int shift = static_cast<int>(sizeof(Integer)) * 8 - 8; shift >= 0; shift -= 8) {
    out += static_cast<char>(static_cast<std::uint64_t>(value) >> shift);
  }
}

// A text column of our tables holds neither NUL nor anything that is no UTF-8, and a value that is longer than an index
// entry may be (a third of a page) is cut and ends in a hash of the whole: so it is still found by equality.
std::string stored_text(std::string_view text);
inline constexpr std::size_t stored_text_max = 1'024;
bool is_plain_text(std::string_view text);  // stored as it is, whatever its length

// One column of many rows, for unnest().
class Column {
 public:
  explicit Column(Type array) : type_(array) {}

  void add(std::integral auto value) {
    append_big_endian<std::int32_t>(items_, 8);
    append_big_endian(items_, static_cast<std::int64_t>(value));
    ++count_;
  }
  void add(double value) { add(std::bit_cast<std::int64_t>(value)); }
  void add(std::string_view bytes) {
    append_big_endian(items_, static_cast<std::int32_t>(bytes.size()));
    items_ += bytes;
    ++count_;
  }
  void add_null() {
    append_big_endian<std::int32_t>(items_, -1);
    has_null_ = true;
    ++count_;
  }

  void append(const Column& more) {
    items_ += more.items_;
    count_ += more.count_;
    has_null_ = has_null_ || more.has_null_;
  }

  Type type() const { return type_; }
  std::int32_t count() const { return count_; }
  // Appends the whole array.
  void write(std::string& out) const;

 private:
  Type type_;
  std::string items_;
  std::int32_t count_ = 0;
  bool has_null_ = false;
};

// Bytes rather than text.
struct Bytes {
  std::string_view bytes;
};

class Parameters {
 public:
  template <class... Values>
  static Parameters of(const Values&... values) {
    Parameters parameters;
    (parameters.add(values), ...);
    return parameters;
  }

  void add(std::integral auto value) {
    begin(Type::int8);
    append_big_endian(bytes_, static_cast<std::int64_t>(value));
  }
  void add(double value) {
    begin(Type::float8);
    append_big_endian(bytes_, std::bit_cast<std::int64_t>(value));
  }
  void add(std::string_view text) { add(Type::text, text); }
  void add(const char* text) { add(Type::text, text); }
  void add(const std::string& text) { add(Type::text, text); }
  void add(Bytes bytes) { add(Type::bytes, bytes.bytes); }
  void add(Type type, std::string_view bytes) {
    begin(type);
    bytes_ += bytes;
  }
  void add(const Column& column) {
    begin(column.type());
    column.write(bytes_);
  }

  std::size_t size() const { return types_.size(); }
  const unsigned* types() const { return types_.data(); }
  // For libpq; good until the next add().
  struct Arrays {
    std::vector<const char*> values;
    std::vector<int> lengths;
    std::vector<int> formats;
  };
  Arrays arrays() const;

 private:
  void begin(Type type) {
    types_.push_back(static_cast<unsigned>(type));
    starts_.push_back(bytes_.size());
  }
  std::vector<unsigned> types_;
  std::vector<std::size_t> starts_;
  std::string bytes_;
};

}  // namespace mydr24::postgres
