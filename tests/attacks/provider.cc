#include "provider.h"

#include <fmt/format.h>

#include <map>
#include <stdexcept>

#include "base/core/clock.h"
#include "base/crypto/base64.h"
#include "base/crypto/digest.h"
#include "base/json/document.h"

namespace mydr24::attacks {

Provider::Provider() {
  auto server = net::serve({}, [this](net::Exchange& exchange) -> Task<> {
    net::Response response{.content_type = "application/json"};
    response.body = exchange.request().path == "/keys"
                        ? published()
                        : fmt::format(R"({{"issuer":"{0}","jwks_uri":"{0}/keys"}})", issuer_);
    co_await exchange.respond(std::move(response));
  });
  if (!server) throw std::runtime_error(server.error().text);
  server_ = std::move(*server);
  issuer_ = fmt::format("http://127.0.0.1:{}", server_->port());
}

std::string Provider::published() const { return crypto::print_key_set({key_}); }

std::string Provider::claims(std::initializer_list<std::string> change) const {
  const auto now = std::chrono::floor<std::chrono::seconds>(system_clock().now().time_since_epoch()).count();
  std::map<std::string, std::string> members{{"iss", fmt::format("\"{}\"", issuer_)},
                                             {"sub", R"("otto")"},
                                             {"aud", R"("mydr24")"},
                                             {"iat", std::to_string(now)},
                                             {"exp", std::to_string(now + 300)},
                                             {"roles", R"(["ward"])"},
                                             {"scope", R"("user/*.rs")"}};
  for (const auto& text : change) {
    const auto document = json::Document::parse(fmt::format("{{{}}}", text));
    for (const auto member : document->root()) {
      if (member.is_null())
        members.erase(std::string(member.key()));
      else
        members[std::string(member.key())] = member.raw();
    }
  }
  std::string out;
  for (const auto& [name, value] : members) out += fmt::format(R"({}"{}":{})", out.empty() ? "{" : ",", name, value);
  return out + "}";
}

std::string Provider::token(const std::string& claims) const {
  return signed_by(key_, crypto::Algorithm::rs256, fmt::format(R"({{"alg":"RS256","kid":"{}"}})", key_.id()), claims);
}

std::string signed_by(const crypto::Key& key, crypto::Algorithm algorithm, std::string_view header,
                      std::string_view payload) {
  const auto text = crypto::base64_url(header) + "." + crypto::base64_url(payload);
  return text + "." + crypto::base64_url(key.sign(algorithm, text));
}

std::string signed_by_secret(std::string_view secret, std::string_view header, std::string_view payload) {
  const auto text = crypto::base64_url(header) + "." + crypto::base64_url(payload);
  return text + "." + crypto::base64_url(crypto::hmac_sha256(secret, text));
}

}  // namespace mydr24::attacks
