// Any bytes as XML: what is taken becomes JSON that parses, and goes round: XML and JSON made of it are the same again.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "fhir/xml/xml.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mydr24;
  const auto json = xml::to_json({reinterpret_cast<const char*>(data), size});
  if (!json) {
    if (json.error().text.empty()) std::abort();
    return 0;
  }
  const auto document = json::Document::parse(*json);
  if (!document) std::abort();
  const std::string again = xml::from_json(document->root());
  const auto second = xml::to_json(again);
  if (!second) std::abort();
  const auto other = json::Document::parse(*second);
  if (!other || !json::same(document->root(), other->root())) std::abort();
  return 0;
}
