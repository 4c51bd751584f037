// Any bytes as a line of a trail, as the body of each kind, as an entry and as an index.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "guard/audit/detail/record.h"
#include "guard/audit/detail/segment.h"

namespace {

using namespace mydr24::audit;
namespace json = mydr24::json;

void must(bool holds) {
  if (!holds) std::abort();
}

void check_body(std::string_view body) {
  if (const auto checkpoint = checkpoint_of(body)) must(checkpoint_of(to_json(*checkpoint)).has_value());
  if (const auto anchor = anchor_of(body)) must(anchor_of(to_json(*anchor)).has_value());
  const auto document = json::Document::parse_view(body);
  if (!document) return;
  const auto entry = entry_of(document->root());
  if (!entry) return;
  // What is written of it can be read, and is written the same again.
  const std::string text = to_json(*entry);
  const auto again = json::Document::parse_view(text);
  must(again.has_value());
  const auto same = entry_of(again->root());
  must(same.has_value() && to_json(*same) == text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (const auto index = decode_index(input)) must(encode(*index) == input);
  if (const auto line = parse_line(input)) check_body(line->body);
  check_body(input);
  // The same bytes behind a right checksum, as who forges a line would write them.
  std::string framed;
  Sha256 sha;
  append_line(framed, sha, 1, Digest{}, Kind::entry, input, nullptr);
  framed.pop_back();
  if (const auto line = parse_line(framed)) {
    must(line->number == 1 && line->kind == Kind::entry);
    must(line->body == input);
  } else {
    must(framed.size() > line_bytes_max);
  }
  return 0;
}
