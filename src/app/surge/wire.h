#pragma once

// One non-blocking connection of a generator, plain or TLS.

#include <openssl/types.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "app/load/http.h"
#include "base/core/result.h"

namespace mydr24::surge {

// A client's TLS that takes any certificate: the server under test has one of its own making.
struct TlsClientDeleter {
  void operator()(SSL_CTX* context) const;
};
using TlsClient = std::unique_ptr<SSL_CTX, TlsClientDeleter>;
TlsClient make_tls_client();

// A certificate for 127.0.0.1 and its key as PEM, for the server of a bench.
struct Certificate {
  std::string certificate;
  std::string key;
};
Result<Certificate> make_certificate();

// 127.1.x.y, for source addresses; `source` below 60,000. Empty for 0: the machine's choice.
std::string source_address(std::size_t source);

class Wire {
 public:
  Wire() = default;
  Wire(Wire&& other) noexcept;
  Wire& operator=(Wire&&) = delete;
  ~Wire() { close(); }

  // Begins to connect; sending waits until it is done. `tls` null: plain. The error says which call failed.
  Result<> open(const load::Endpoint& endpoint, std::size_t source, SSL_CTX* tls);
  // At once, without a state that waits in the kernel: a generator would run out of ports.
  void close();
  bool is_open() const { return socket_ >= 0; }
  int socket() const { return socket_; }

  // Bytes; 0: nothing now; -1: the connection is over.
  ssize_t send(const char* data, std::size_t size);
  ssize_t receive(char* data, std::size_t size);

 private:
  int socket_ = -1;
  SSL* ssl_ = nullptr;
};

}  // namespace mydr24::surge
