#pragma once

// gzip (RFC 1952) piece by piece, over zlib.

#include <zlib.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/core/result.h"

namespace mydr24::net {

// Memory: zlib's window and one piece, whatever the size of the stream.
class Inflater {
 public:
  static constexpr std::size_t piece_bytes_max = 64U << 10;

  Inflater();
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // Takes from the front of `input`; the piece holds until the next call. Empty: give more input.
  // Code::invalid when it is no gzip.
  Result<std::string_view> next(std::string_view& input);
  // Whether the input may end here: after a whole member.
  bool complete() const { return complete_; }

 private:
  z_stream stream_{};
  std::unique_ptr<char[]> piece_;
  bool ready_ = false;
  bool complete_ = false;
};

// At level 1: about 100 MB/s of JSON, a fifth of the size.
class Deflater {
 public:
  Deflater();
  ~Deflater();
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;

  // Appends to `out`; false when memory is short.
  bool put(std::string_view input, bool last, std::string& out);

 private:
  z_stream stream_{};
  bool ready_ = false;
};

}  // namespace mydr24::net
