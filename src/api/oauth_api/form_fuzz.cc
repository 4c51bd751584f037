// Forms and cookies from anybody: each name once, what is carried along is the same when it is read again, and a
// cookie's value is what stands between its name and the next semicolon.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "api/oauth_api/detail/exchange.h"

namespace {

using namespace mydr24;

void require(bool holds) {
  if (!holds) std::abort();
}

class OneHeader final : public net::Headers {
 public:
  explicit OneHeader(std::string_view cookie) : cookie_(cookie) {}
  std::string_view operator[](std::string_view name) const override {
    return name == "Cookie" ? cookie_ : std::string_view();
  }

 private:
  std::string_view cookie_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto form = oauth_api::Form::parse(text)) {
    const auto printed = form->print();
    require(printed.find_first_of("\r\n\"<> ") == printed.npos);
    const auto again = oauth_api::Form::parse(printed);
    require(again && again->print() == printed);
    for (const char* name : {"client_id", "redirect_uri", "csrf", "request"}) require((*form)[name] == (*again)[name]);
  }
  const OneHeader headers(text);
  const net::Request request{.headers = &headers};
  const auto value = oauth_api::cookie_value(request, "mydr24");
  require(value.find(';') == value.npos);
  if (!value.empty()) require(text.contains("mydr24=" + std::string(value)));
  return 0;
}
