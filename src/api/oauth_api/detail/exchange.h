#pragma once

// What every endpoint here needs: forms, answers, errors, transactions. Private to api/oauth_api.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/oauth_api/oauth_api.h"

namespace mydr24::oauth_api {

inline constexpr std::size_t form_bytes_max = 64U << 10;

// application/x-www-form-urlencoded; each name once (RFC 6749, section 3.1).
class Form {
 public:
  // Code::invalid: malformed, or a name twice.
  static Result<Form> parse(std::string_view text);
  // Empty when it is not there.
  std::string_view operator[](std::string_view name) const;
  bool has(std::string_view name) const;
  // The same again, without the names in `left_out`.
  std::string print(std::initializer_list<std::string_view> left_out = {}) const;

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

// The body of a POST. Code::invalid also when it is no form.
Task<Result<Form>> read_form(pipeline::Call& call);

// The error of a token endpoint (RFC 6749, 5.2). `where` of an Error is its code.
inline Error oauth_error(std::string_view code, std::string text) {
  return fail(Code::refused, std::move(text), std::string(code));
}
Task<> send_oauth_error(pipeline::Call& call, const Error& error);
// 200 with JSON that is never cached.
Task<> send_json(pipeline::Call& call, std::string body, int status = 200);
// 303 to another page.
Task<> send_to(pipeline::Call& call, std::string location, std::vector<std::string> cookies = {});

// OPTIONS for pages of any origin, without cookies: whoever has a code, a token or a key may ask (Fetch, CORS
// protocol).
void add_preflight_route(pipeline::Router& router, const char* path, const char* name);

// The address a request comes from, without port.
std::string address_of(const net::Request& request);
// The first cookie of that name; empty when there is none.
std::string_view cookie_value(const net::Request& request, std::string_view name);

// Runs `work` in a transaction; what it refuses is committed too (identity::committing).
template <class T>
Task<Result<T>> commit(Service& service, std::function<Result<T>(store::Transaction&)> work) {
  Result<T> result = fail(Code::internal, "the transaction was not run");
  const auto done = co_await async_call<Result<>>([&](auto finish) {
    service.identity.store().submit(RequestClass::urgent, identity::committing<T>(std::move(work), result),
                                    std::move(finish));
  });
  if (!done) co_return done.error();
  co_return std::move(result);
}

// Who a request of a person or a machine comes from; answers 401 itself (then: nothing).
Task<std::optional<access::Principal>> require_known(Service& service, pipeline::Call& call);

}  // namespace mydr24::oauth_api
