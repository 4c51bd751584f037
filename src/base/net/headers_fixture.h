#pragma once

// The headers of a request without a socket, for tests.

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/net/http.h"

namespace mydr24::net {

class SentHeaders : public Headers {
 public:
  using Values = std::map<std::string, std::string, std::less<>>;  // by name, as asked for

  SentHeaders() = default;
  explicit SentHeaders(Values values) : sent(std::move(values)) {}
  std::string_view operator[](std::string_view name) const override {
    const auto found = sent.find(name);
    return found == sent.end() ? std::string_view() : std::string_view(found->second);
  }

  Values sent;
};

}  // namespace mydr24::net
