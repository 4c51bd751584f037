#pragma once

// For the tests of channels: a message, a client that answers as told, and a channel sent through to its end.

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "alerting/notify/channel.h"
#include "base/net/client.h"
#include "base/net/uri.h"

namespace mydr24::notify {

inline const Instant eight_o_clock = from_us(1'700'000'000'000'000);

inline Message message() {
  return {.alert_id = "a1",
          .delivery_id = "a1-r00000-c00",
          .attempt = 1,
          .severity = "emergency",
          .title = "Early warning score: high",
          .contact = "nurse",
          .raised_at = eight_o_clock,
          .patient = "Patient/123",
          .reason = "NEWS2 9: SpO2 82 %"};
}

inline SendOutcome send(Channel& channel, Message what) {
  asio::io_context context;
  SendOutcome outcome;
  asio::co_spawn(context, [&]() -> Task<> { outcome = co_await channel.send(std::move(what)); }, asio::detached);
  context.run();
  return outcome;
}

// Answers every call with the same; keeps the requests.
class FakeClient : public net::Client {
 public:
  FakeClient(Result<net::ClientResponse> answer, std::vector<net::ClientRequest>& seen)
      : answer_(std::move(answer)), seen_(seen) {}
  Task<Result<net::ClientResponse>> send(net::ClientRequest request) override {
    seen_.push_back(std::move(request));
    co_return answer_;
  }

 private:
  Result<net::ClientResponse> answer_;
  std::vector<net::ClientRequest>& seen_;
};

inline std::map<std::string, std::string> headers_of(const net::ClientRequest& request) {
  return {request.headers.begin(), request.headers.end()};
}

// The fields of a form, decoded.
inline std::map<std::string, std::string> form_of(const net::ClientRequest& request) {
  const auto fields = net::parse_query(request.body);
  if (!fields) {
    ADD_FAILURE() << "no form: " << request.body;
    return {};
  }
  return {fields->begin(), fields->end()};
}

}  // namespace mydr24::notify
