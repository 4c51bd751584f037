// Arbitrary bytes as heads, chunked bodies, gzip bodies, header values, URLs and queries. What is taken must keep the
// rules of one framing, and a scan or a decoder must not depend on how the bytes were cut.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/net/client.h"
#include "base/net/detail/gzip.h"
#include "base/net/detail/request_head.h"
#include "base/net/uri.h"

namespace {

using namespace mydr24::net;

constexpr std::size_t decompressed_bytes_max = 1U << 20;

void require(bool holds) {
  if (!holds) std::abort();
}

struct Decoded {
  std::string body;
  bool done = false;
  std::size_t used = 0;
};

Decoded decode_chunks(std::string_view input, std::size_t cut) {
  ChunkDecoder decoder;
  Decoded decoded;
  for (std::size_t at = 0; at < input.size() && !decoder.done() && !decoder.bad();) {
    std::string_view piece = input.substr(at, cut);
    const std::size_t size = piece.size();
    while (!piece.empty() && !decoder.done() && !decoder.bad()) decoded.body += decoder.next(piece);
    at += size - piece.size();
    decoded.used = at;
  }
  decoded.done = decoder.done();
  require(!(decoder.done() && decoder.bad()));
  return decoded;
}

void try_head(std::string_view input) {
  const HeadScan whole = scan_head(input);
  HeadScan stepped;
  for (std::size_t size = 0; size <= input.size() && stepped.state == HeadScan::State::incomplete; ++size) {
    stepped = scan_head(input.substr(0, size), stepped.bytes);
  }
  require(whole.state == stepped.state);
  if (whole.state != HeadScan::State::complete) return;
  require(whole.bytes == stepped.bytes && whole.bytes <= input.size());

  RequestHead head;
  if (head.parse(input.substr(0, whole.bytes)).status != 0) return;
  const bool has_length = !head["Content-Length"].empty();
  require(!(has_length && head.chunked));
  require(head.chunked == !head["Transfer-Encoding"].empty());
  require(head.request.has_body == (head.chunked || head.request.content_length > 0));
  require(!head.request.path.empty() && head.request.path.find('?') == std::string_view::npos);
  require(head.request.target.find_first_of("\r\n ") == std::string_view::npos);
  (void)accepts_gzip(head["Accept-Encoding"]);
  (void)parse_query(head.request.query);
  (void)percent_decode(head.request.path);
  if (!head.chunked) return;
  const std::string_view body = input.substr(whole.bytes);
  require(decode_chunks(body, body.size() + 1).body == decode_chunks(body, 3).body);
}

void try_gzip(std::string_view input) {
  Inflater inflater;
  std::size_t bytes = 0;
  while (bytes < decompressed_bytes_max) {
    const bool ended = input.empty();
    const auto piece = inflater.next(input);
    if (!piece || (ended && piece->empty())) return;
    require(piece->size() <= Inflater::piece_bytes_max);
    bytes += piece->size();
  }
}

void try_uri(std::string_view input) {
  if (const auto query = parse_query(input, 16)) require(query->size() <= 16);
  if (const auto decoded = percent_decode(input)) require(percent_decode(percent_encode(*decoded)) == decoded);
  if (const auto url = parse_url(input)) {
    require(!url->host.empty() && url->port != 0 && url->target.starts_with('/'));
    require(url->target.find_first_of("\r\n ") == std::string::npos);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  try_head(input);
  const Decoded whole = decode_chunks(input, input.size() + 1);
  const Decoded cut = decode_chunks(input, 1);
  require(whole.body == cut.body && whole.done == cut.done && whole.used == cut.used);
  try_gzip(input);
  (void)accepts_gzip(input);
  try_uri(input);
  return 0;
}
