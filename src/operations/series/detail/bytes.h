#pragma once

// Numbers and texts as protobuf writes them (varint, length and bytes, little-endian 64 bits), both ways. Reading is bounded by
// the text: what goes beyond it makes the reader broken. Source: protobuf.dev, "Encoding". Private to operations/series.

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace mydr24::series {

static_assert(std::endian::native == std::endian::little);

class BytesReader {
 public:
  explicit BytesReader(std::string_view bytes) : bytes_(bytes) {}
  bool done() const { return broken_ || bytes_.empty(); }
  bool broken() const { return broken_; }
  std::size_t left() const { return bytes_.size(); }

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (bytes_.empty()) break;
      const auto byte = static_cast<unsigned char>(bytes_.front());
      bytes_.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
      if (byte < 0x80) return value;
    }
    broken_ = true;
    return 0;
  }
  std::string_view text() { return take(varint()); }
  std::string_view take(std::uint64_t size) {
    if (broken_ || size > bytes_.size()) {
      broken_ = true;
      return {};
    }
    const auto taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }
  std::uint64_t fixed64() {
    std::uint64_t value = 0;
    const auto taken = take(8);
    if (!broken_) std::memcpy(&value, taken.data(), 8);
    return value;
  }

 private:
  std::string_view bytes_;
  bool broken_ = false;
};

inline void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}
inline void put_text(std::string& out, std::string_view text) {
  put_varint(out, text.size());
  out += text;
}
inline void put_fixed64(std::string& out, std::uint64_t value) {
  char bytes[8];
  std::memcpy(bytes, &value, 8);
  out.append(bytes, 8);
}

}  // namespace mydr24::series
