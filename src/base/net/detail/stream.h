#pragma once

// Bytes over a non-blocking socket, plain or TLS. Calls never wait: they say what to wait for. TLS works on
// the socket itself, so an idle TLS connection costs about 15 KB and not the 77 KB of asio::ssl::stream.

#include <openssl/ssl.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/core/result.h"
#include "base/net/http.h"

namespace mydr24::net {

struct TlsContextFree {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using TlsContext = std::unique_ptr<SSL_CTX, TlsContextFree>;

// TLS 1.2 and 1.3, AEAD ciphers with forward secrecy, ALPN http/1.1. Errors name the file.
Result<TlsContext> server_tls(const TlsSettings& settings);
// Peers are verified against `ca_file`, or the system's certificates when it is empty. `own`: shown when a server asks
// for it.
Result<TlsContext> client_tls(const std::string& ca_file, const TlsSettings& own = {});

struct IoStep {
  // closed: the peer has ended its side. failed: the connection is of no more use.
  enum class State : std::uint8_t { done, want_read, want_write, closed, failed };
  State state = State::failed;
  std::size_t bytes = 0;
};

class Stream {
 public:
  Stream() = default;
  explicit Stream(int fd) : fd_(fd) {}

  // Turns a connected socket to TLS; handshake() must follow until done.
  bool start_tls_server(SSL_CTX* context);
  bool start_tls_client(SSL_CTX* context, const std::string& host);
  IoStep handshake();
  std::string handshake_error() const;

  IoStep read(char* data, std::size_t size);
  // `first`, then `second`, in one system call when plain; may take a part.
  IoStep write(std::string_view first, std::string_view second = {});
  // Bytes are here already for which the socket will not become readable: one more read() is due before waiting.
  bool has_input() const { return ssl_ && SSL_has_pending(ssl_.get()) == 1; }
  // Whether the peer has closed; bytes that wait are left where they are.
  bool peer_closed();
  // Tells the peer that no more follows.
  void shutdown_write();
  bool secure() const { return ssl_ != nullptr; }

 private:
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  bool start_tls(SSL_CTX* context);
  IoStep tls_step(int returned, std::size_t bytes) const;

  int fd_ = -1;  // owned by the socket
  std::unique_ptr<SSL, Free> ssl_;
};

}  // namespace mydr24::net
