#pragma once

// A small HTTP/1.1 client for webhooks and the command line: keep-alive, TLS with certificate checks, limits
// on time and size. One client belongs to one io_context and is used only on its thread.

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/net/http.h"
#include "base/net/reach.h"

namespace mydr24::net {

struct Url {
  std::string scheme;  // http or https
  std::string host;    // without brackets for IPv6
  std::uint16_t port = 0;
  std::string target;  // path and query, at least "/"
};
// Code::invalid names what is wrong with it.
Result<Url> parse_url(std::string_view text);

struct ClientRequest {
  Method method = Method::get;
  Url url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::chrono::milliseconds time_max{10'000};  // the whole call: look-up, connection, sending and receiving
  std::size_t answer_bytes_max = 16U << 20;
};

struct ClientResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::string_view header(std::string_view name) const;  // case-insensitive, empty when absent
};

class Client {
 public:
  virtual ~Client() = default;
  // Redirects are not followed. A connection kept from an earlier call is used when one is free; if the peer
  // had closed it before any byte of the answer, the call is repeated once on a new one only when the method
  // is GET or HEAD or the request carries an Idempotency-Key. Code::busy: not reachable or too slow (the text
  // says which). Code::refused: the host has no address that settings.reach covers.
  virtual Task<Result<ClientResponse>> send(ClientRequest request) = 0;
};

struct ClientSettings {
  std::size_t connections_max_per_host = 8;
  std::string ca_file;  // in place of the system's certificates, for tests and private authorities
  TlsSettings own;      // what we show to a server that asks for a certificate; empty: nothing
  // Asked of every address that a host's name leads to, when it is connected to: a name may change where it leads.
  Reach reach;
};
std::unique_ptr<Client> make_client(asio::io_context& context, ClientSettings settings = {});

// The same for a caller without an io_context (command line, tests): blocks.
Result<ClientResponse> send_blocking(ClientRequest request, ClientSettings settings = {});

}  // namespace mydr24::net
