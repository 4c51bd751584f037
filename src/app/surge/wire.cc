#include "app/surge/wire.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace mydr24::surge {
namespace {

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

template <class Write>
Result<std::string> to_pem(Write&& write) {
  const std::unique_ptr<BIO, Freed<BIO_free>> memory(BIO_new(BIO_s_mem()));
  if (!memory || write(memory.get()) != 1) return fail(Code::internal, "a certificate cannot be written as PEM");
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

bool again(SSL* ssl, int result) {
  const int error = SSL_get_error(ssl, result);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return true;
  ERR_clear_error();
  return false;
}

}  // namespace

void TlsClientDeleter::operator()(SSL_CTX* context) const { SSL_CTX_free(context); }

TlsClient make_tls_client() {
  TlsClient context(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  return context;
}

Result<Certificate> make_certificate() {
  const std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>> key(EVP_EC_gen("P-256"));
  const std::unique_ptr<X509, Freed<X509_free>> made(X509_new());
  if (!key || !made) return fail(Code::internal, "no key can be made");
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), 7L * 24 * 3600);
  X509_set_pubkey(made.get(), key.get());
  X509_NAME* name = X509_get_subject_name(made.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("127.0.0.1"), -1, -1, 0);
  X509_set_issuer_name(made.get(), name);
  if (X509_sign(made.get(), key.get(), EVP_sha256()) == 0) return fail(Code::internal, "no certificate can be signed");
  Certificate out;
  MYDR24_ASSIGN(out.certificate, to_pem([&](BIO* to) { return PEM_write_bio_X509(to, made.get()); }));
  MYDR24_ASSIGN(out.key, to_pem([&](BIO* to) {
                  return PEM_write_bio_PrivateKey(to, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
                }));
  return out;
}

std::string source_address(std::size_t source) {
  return source == 0 ? std::string() : fmt::format("127.1.{}.{}", source / 250, source % 250 + 1);
}

Wire::Wire(Wire&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), ssl_(std::exchange(other.ssl_, nullptr)) {}

Result<> Wire::open(const load::Endpoint& endpoint, std::size_t source, SSL_CTX* tls) {
  close();
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(endpoint.port);
  if (::inet_pton(AF_INET, endpoint.host.c_str(), &address.sin_addr) != 1)
    return fail(Code::invalid, fmt::format("'{}' is not an IPv4 address", endpoint.host));
  const auto failed = [this](std::string_view what) {
    const int error = errno;
    close();
    return fail(Code::busy, fmt::format("{}: {}", what, std::strerror(error)));
  };
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket_ < 0) return failed("socket");
  const int on = 1;
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  // Pacing (BBR) costs timers that no client far away would cost this machine.
  ::setsockopt(socket_, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  if (source != 0) {
    sockaddr_in from{};
    from.sin_family = AF_INET;
    ::inet_pton(AF_INET, source_address(source).c_str(), &from.sin_addr);
    // The port is chosen when connecting, so that it may be in use towards another server.
    ::setsockopt(socket_, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (::bind(socket_, reinterpret_cast<sockaddr*>(&from), sizeof from) != 0) return failed("bind");
  }
  if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 && errno != EINPROGRESS)
    return failed("connect");
  if (tls != nullptr) {
    ssl_ = SSL_new(tls);
    SSL_set_fd(ssl_, socket_);
    SSL_set_connect_state(ssl_);  // the first send shakes hands
  }
  return {};
}

void Wire::close() {
  if (ssl_ != nullptr) SSL_free(ssl_);
  if (socket_ >= 0) ::close(socket_);
  ssl_ = nullptr;
  socket_ = -1;
}

ssize_t Wire::send(const char* data, std::size_t size) {
  if (ssl_ != nullptr) {
    const int sent = SSL_write(ssl_, data, static_cast<int>(size));
    return sent > 0 ? sent : again(ssl_, sent) ? 0 : -1;
  }
  const ssize_t sent = ::send(socket_, data, size, MSG_NOSIGNAL);
  return sent >= 0 ? sent : errno == EAGAIN || errno == EINTR || errno == ENOTCONN ? 0 : -1;
}

ssize_t Wire::receive(char* data, std::size_t size) {
  if (ssl_ != nullptr) {
    const int got = SSL_read(ssl_, data, static_cast<int>(size));
    return got > 0 ? got : again(ssl_, got) ? 0 : -1;
  }
  const ssize_t got = ::recv(socket_, data, size, 0);
  return got > 0 ? got : got < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOTCONN) ? 0 : -1;
}

}  // namespace mydr24::surge
