#pragma once

// A FHIR server as the command line talks to it: blocking calls over kept connections, patient with a server
// that is busy.

#include <chrono>
#include <string>
#include <string_view>

#include "base/core/result.h"
#include "base/net/client.h"

namespace mydr24::cli {

// What an HTTP status of 400 or more means to the command line.
Code code_of_status(int status);

class FhirClient {
 public:
  // `server`: "http://127.0.0.1:8024", with or without /fhir/R4.
  static Result<std::unique_ptr<FhirClient>> open(std::string_view server);

  // Posts a Bundle to the base. An answer of 429 or 503 is tried again up to `attempts_max` times, after
  // Retry-After (at most 10 s each). Code::busy when the server cannot be reached or stays busy; other
  // answers of 400 and more are the Error that the OperationOutcome tells.
  Result<std::string> post_bundle(std::string bundle);

  const std::string& base() const { return base_; }
  static constexpr int attempts_max = 8;

 private:
  FhirClient(net::Url url, std::string base);
  Result<net::ClientResponse> send(net::ClientRequest request);

  net::Url url_;
  std::string base_;
  asio::io_context context_;
  std::unique_ptr<net::Client> client_;
};

}  // namespace mydr24::cli
