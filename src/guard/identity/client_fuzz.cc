// Client metadata (RFC 7591) and origins from anybody: what is taken keeps the rules, and its redirect URIs can stand
// in a header, a page and a policy.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "guard/identity/client.h"
#include "guard/identity/origins.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mydr24;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (identity::check_origin(text))
    require(text.find_first_of("*,; \"'<>\r\n") == text.npos && text.starts_with("http") && !text.ends_with('/'));
  const auto client = identity::parse_client(text);
  if (!client) return 0;
  require(identity::check_client(*client).has_value());
  std::string written;
  json::Writer out(written);
  out.begin_object();
  identity::write_client(out, *client);
  out.end_object();
  const auto again = identity::parse_client(written);
  require(again && again->redirect_uris == client->redirect_uris && again->scopes == client->scopes);
  for (const auto& uri : client->redirect_uris) {
    require(uri.find_first_of(" \"'<>\\\r\n") == uri.npos);
    require(identity::redirect_source(uri).find_first_of(";, *") == std::string::npos);
  }
  return 0;
}
