// Any text as a query over a patient: it is refused with words, or answered with JSON.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "api/graphql/graphql.h"

namespace {

using namespace mydr24;

class Nothing : public graphql::Data {
 public:
  Result<std::optional<std::string>> read(std::string_view, std::string_view) override {
    return std::optional<std::string>();
  }
  Result<graphql::Page> search(std::string_view, std::span<const graphql::SearchParameter>) override {
    return graphql::Page{};
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::string_view patient =
      R"({"resourceType":"Patient","id":"p","birthDate":"1970","_birthDate":{"id":"b"},"name":[{"use":"old","given":["A","B"]},)"
      R"({"use":"usual"}],"contained":[{"resourceType":"Organization","id":"c"}],"managingOrganization":{"reference":"#c"}})";
  static const auto resource = json::Document::parse_view(patient);
  Nothing nothing;
  const auto answer =
      graphql::execute({.document = {reinterpret_cast<const char*>(data), size}, .resource = resource->root()}, nothing,
                       {.fields_max = 200, .selections_max = 2'000});
  if (!answer) {
    if (answer.error().text.empty()) std::abort();
  } else if (!json::Document::parse(*answer)) {
    std::abort();
  }
  return 0;
}
