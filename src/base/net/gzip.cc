#include "base/net/detail/gzip.h"

#include <algorithm>
#include <limits>

namespace mydr24::net {
namespace {

constexpr int window_bits = 15;
constexpr int gzip_wrapper = 16;  // added to the window bits: gzip and not zlib framing
constexpr int memory_level = 8;

Bytef* bytes_of(std::string_view text) { return reinterpret_cast<Bytef*>(const_cast<char*>(text.data())); }

uInt count_of(std::size_t bytes) {
  return static_cast<uInt>(std::min<std::size_t>(bytes, std::numeric_limits<uInt>::max()));
}

}  // namespace

Inflater::Inflater() : piece_(std::make_unique_for_overwrite<char[]>(piece_bytes_max)) {
  ready_ = inflateInit2(&stream_, window_bits + gzip_wrapper) == Z_OK;
}

Inflater::~Inflater() {
  if (ready_) inflateEnd(&stream_);
}

Result<std::string_view> Inflater::next(std::string_view& input) {
  if (!ready_) return fail(Code::internal, "no memory to decompress");
  // A full piece may have left output inside zlib, so it is asked even without input, unless a member has just ended.
  while (!input.empty() || !complete_) {
    if (complete_) {
      inflateReset(&stream_);  // the next member (RFC 1952, section 2.2)
      complete_ = false;
    }
    stream_.next_in = bytes_of(input);
    stream_.avail_in = count_of(input.size());
    stream_.next_out = reinterpret_cast<Bytef*>(piece_.get());
    stream_.avail_out = piece_bytes_max;
    const uInt given = stream_.avail_in;
    const int returned = inflate(&stream_, Z_NO_FLUSH);
    input.remove_prefix(given - stream_.avail_in);
    if (returned == Z_STREAM_END) complete_ = true;
    if (returned != Z_OK && returned != Z_STREAM_END && returned != Z_BUF_ERROR) {
      return fail(Code::invalid, "the body is not valid gzip");
    }
    const std::size_t produced = piece_bytes_max - stream_.avail_out;
    if (produced > 0) return std::string_view(piece_.get(), produced);
    if (returned == Z_BUF_ERROR || (input.empty() && !complete_)) break;
  }
  return std::string_view();
}

Deflater::Deflater() {
  ready_ = deflateInit2(&stream_, 1, Z_DEFLATED, window_bits + gzip_wrapper, memory_level, Z_DEFAULT_STRATEGY) == Z_OK;
}

Deflater::~Deflater() {
  if (ready_) deflateEnd(&stream_);
}

bool Deflater::put(std::string_view input, bool last, std::string& out) {
  if (!ready_) return false;
  stream_.next_in = bytes_of(input);
  stream_.avail_in = count_of(input.size());
  const std::size_t room = deflateBound(&stream_, stream_.avail_in) + 64;
  const std::size_t before = out.size();
  out.resize(before + room);
  stream_.next_out = reinterpret_cast<Bytef*>(out.data() + before);
  stream_.avail_out = count_of(room);
  const int returned = deflate(&stream_, last ? Z_FINISH : Z_NO_FLUSH);
  out.resize(out.size() - stream_.avail_out);
  return last ? returned == Z_STREAM_END : returned == Z_OK || returned == Z_BUF_ERROR;
}

}  // namespace mydr24::net
