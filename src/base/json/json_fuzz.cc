// Any bytes: up to the first NUL a document, after it a patch for it (none: the parser alone).

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/json/document.h"
#include "base/json/patch.h"
#include "base/json/writer.h"

namespace {

using namespace mydr24::json;

void must(bool holds) {
  if (!holds) std::abort();
}

// Every text read from `value` can be written and read again.
void check_texts(Value value) {
  std::string quoted;
  append_quoted(quoted, value.text());
  const auto again = Document::parse_view(quoted);
  must(again && again->root().text() == value.text());
  for (const Value inner : value) {
    must(value.is_array() || value[inner.key()].exists());
    check_texts(inner);
  }
}

void check_round_trip(const Document& document) {
  const auto again = Document::parse(compact(document.root()));
  must(again && same(document.root(), again->root()) && equal(again->root(), document.root()));
  must(compact(again->root()) == again->source());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t split = input.find('\0');
  const auto document = Document::parse_view(input.substr(0, split));
  if (!document) return 0;
  check_texts(document->root());
  check_round_trip(*document);
  if (split == std::string_view::npos) return 0;

  const auto patch = Document::parse_view(input.substr(split + 1));
  if (!patch) return 0;
  const auto patched = apply_patch(*document, *patch);
  if (!patched) return 0;
  const auto result = Document::parse_view(*patched);
  must(result.has_value());
  check_round_trip(*result);
  return 0;
}
