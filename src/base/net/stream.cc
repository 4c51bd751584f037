#include "base/net/detail/stream.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <span>

#include <fmt/format.h>

namespace mydr24::net {
namespace {

constexpr std::array<unsigned char, 9> alpn_http_1_1 = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

IoStep failed_or(int error, IoStep::State when_blocked) {
  if (error == EAGAIN || error == EWOULDBLOCK || error == EINTR) return {when_blocked, 0};
  return {IoStep::State::failed, 0};
}

// OpenSSL's own socket BIO uses write(), which raises SIGPIPE when the peer is gone.
int bio_fd(BIO* bio) { return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio))); }

int bio_write(BIO* bio, const char* data, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t sent = ::send(bio_fd(bio), data, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  if (sent < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
  return static_cast<int>(sent);
}

int bio_read(BIO* bio, char* data, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t received = ::recv(bio_fd(bio), data, static_cast<std::size_t>(size), 0);
  if (received < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
  if (received == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return static_cast<int>(received);
}

long bio_control(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

int bio_create(BIO* bio) {
  BIO_set_init(bio, 1);
  return 1;
}

const BIO_METHOD* socket_bio() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* created = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket without signals");
    BIO_meth_set_write(created, bio_write);
    BIO_meth_set_read(created, bio_read);
    BIO_meth_set_ctrl(created, bio_control);
    BIO_meth_set_create(created, bio_create);
    return created;
  }();
  return method;
}

std::string openssl_error() {
  std::array<char, 256> text{};
  const unsigned long code = ERR_peek_last_error();
  if (code == 0) return "unknown TLS error";
  ERR_error_string_n(code, text.data(), text.size());
  return text.data();
}

int select_alpn(SSL*, const unsigned char** out, unsigned char* out_length, const unsigned char* in, unsigned in_length,
                void*) {
  unsigned char* chosen = nullptr;
  const int found =
      SSL_select_next_proto(&chosen, out_length, alpn_http_1_1.data(), alpn_http_1_1.size(), in, in_length);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

Result<TlsContext> common_tls(const SSL_METHOD* method) {
  ERR_clear_error();
  TlsContext context(SSL_CTX_new(method));
  if (!context) return fail(Code::internal, openssl_error());
  SSL_CTX* raw = context.get();
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                               SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (SSL_CTX_set_cipher_list(raw, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1) return fail(Code::internal, openssl_error());
  return context;
}

Result<> use_certificate(SSL_CTX* context, const TlsSettings& settings) {
  if (SSL_CTX_use_certificate_chain_file(context, settings.certificate_file.c_str()) != 1) {
    return fail(
        Code::invalid,
        fmt::format("cannot read a PEM certificate chain from '{}': {}", settings.certificate_file, openssl_error()),
        "tls.certificate_file");
  }
  if (SSL_CTX_use_PrivateKey_file(context, settings.key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context) != 1) {
    return fail(Code::invalid,
                fmt::format("'{}' is not the PEM private key of the certificate in '{}': {}", settings.key_file,
                            settings.certificate_file, openssl_error()),
                "tls.key_file");
  }
  return {};
}

Result<> require_client_certificates(SSL_CTX* context, const std::string& ca_file) {
  STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(ca_file.c_str());
  if (names == nullptr || SSL_CTX_load_verify_locations(context, ca_file.c_str(), nullptr) != 1) {
    sk_X509_NAME_pop_free(names, X509_NAME_free);
    return fail(Code::invalid, fmt::format("cannot read PEM certificates from '{}': {}", ca_file, openssl_error()),
                "tls.client_ca_file");
  }
  SSL_CTX_set_client_CA_list(context, names);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  // A ticket of ours stands for a certificate that was checked: only within this context.
  constexpr std::string_view session_context = "mydr24";
  if (SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>(session_context.data()),
                                     session_context.size()) != 1)
    return fail(Code::internal, openssl_error());
  return {};
}

}  // namespace

Result<TlsContext> server_tls(const TlsSettings& settings) {
  MYDR24_ASSIGN(TlsContext context, common_tls(TLS_server_method()));
  SSL_CTX* raw = context.get();
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);  // tickets resume without memory here
  SSL_CTX_set_options(raw, SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_read_ahead(raw, 1);  // one system call a record in place of two
  SSL_CTX_set_alpn_select_cb(raw, select_alpn, nullptr);
  MYDR24_TRY(use_certificate(raw, settings));
  if (!settings.client_ca_file.empty()) MYDR24_TRY(require_client_certificates(raw, settings.client_ca_file));
  return context;
}

Result<TlsContext> client_tls(const std::string& ca_file, const TlsSettings& own) {
  MYDR24_ASSIGN(TlsContext context, common_tls(TLS_client_method()));
  SSL_CTX* raw = context.get();
  SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_alpn_protos(raw, alpn_http_1_1.data(), alpn_http_1_1.size());
  if (ca_file.empty()) {
    SSL_CTX_set_default_verify_paths(raw);
  } else if (SSL_CTX_load_verify_locations(raw, ca_file.c_str(), nullptr) != 1) {
    return fail(Code::invalid, fmt::format("cannot read PEM certificates from '{}': {}", ca_file, openssl_error()),
                "ca_file");
  }
  if (!own.certificate_file.empty()) MYDR24_TRY(use_certificate(raw, own));
  return context;
}

bool Stream::start_tls(SSL_CTX* context) {
  ssl_.reset(SSL_new(context));
  if (!ssl_) return false;
  BIO* bio = BIO_new(socket_bio());
  if (bio == nullptr) return false;
  // A number kept where OpenSSL offers a pointer: it is never followed.
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(fd_)));  // NOLINT(performance-no-int-to-ptr)
  SSL_set_bio(ssl_.get(), bio, bio);
  return true;
}

bool Stream::start_tls_server(SSL_CTX* context) {
  if (!start_tls(context)) return false;
  SSL_set_accept_state(ssl_.get());
  return true;
}

bool Stream::start_tls_client(SSL_CTX* context, const std::string& host) {
  if (!start_tls(context)) return false;
  SSL_set_connect_state(ssl_.get());
  std::array<unsigned char, sizeof(in6_addr)> address{};
  const bool is_address = ::inet_pton(AF_INET, host.c_str(), address.data()) == 1 ||
                          ::inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
  if (is_address) return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), host.c_str()) == 1;
  SSL_set_hostflags(ssl_.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return SSL_set_tlsext_host_name(ssl_.get(), host.c_str()) == 1 && SSL_set1_host(ssl_.get(), host.c_str()) == 1;
}

IoStep Stream::tls_step(int returned, std::size_t bytes) const {
  if (returned > 0) return {IoStep::State::done, bytes};
  switch (SSL_get_error(ssl_.get(), returned)) {
    case SSL_ERROR_WANT_READ:
      return {IoStep::State::want_read, 0};
    case SSL_ERROR_WANT_WRITE:
      return {IoStep::State::want_write, 0};
    case SSL_ERROR_ZERO_RETURN:
      return {IoStep::State::closed, 0};
    default:
      return {IoStep::State::failed, 0};
  }
}

IoStep Stream::handshake() {
  ERR_clear_error();
  return tls_step(SSL_do_handshake(ssl_.get()), 0);
}

std::string Stream::handshake_error() const {
  const long verified = SSL_get_verify_result(ssl_.get());
  if (verified != X509_V_OK) return X509_verify_cert_error_string(verified);
  return openssl_error();
}

IoStep Stream::read(char* data, std::size_t size) {
  if (ssl_) {
    ERR_clear_error();
    std::size_t bytes = 0;
    const int returned = SSL_read_ex(ssl_.get(), data, size, &bytes);
    return tls_step(returned, bytes);
  }
  const ssize_t received = ::recv(fd_, data, size, 0);
  if (received > 0) return {IoStep::State::done, static_cast<std::size_t>(received)};
  if (received == 0) return {IoStep::State::closed, 0};
  return failed_or(errno, IoStep::State::want_read);
}

IoStep Stream::write(std::string_view first, std::string_view second) {
  if (ssl_) {
    const std::string_view piece = first.empty() ? second : first;
    ERR_clear_error();
    std::size_t bytes = 0;
    const int returned = SSL_write_ex(ssl_.get(), piece.data(), piece.size(), &bytes);
    return tls_step(returned, bytes);
  }
  ssize_t sent = 0;
  if (second.empty() || first.empty()) {
    const std::string_view piece = first.empty() ? second : first;
    sent = ::send(fd_, piece.data(), piece.size(), MSG_NOSIGNAL);
  } else {
    std::array<iovec, 2> pieces{
        {{const_cast<char*>(first.data()), first.size()}, {const_cast<char*>(second.data()), second.size()}}};
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = pieces.size();
    sent = ::sendmsg(fd_, &message, MSG_NOSIGNAL);
  }
  if (sent >= 0) return {IoStep::State::done, static_cast<std::size_t>(sent)};
  return failed_or(errno, IoStep::State::want_write);
}

bool Stream::peer_closed() {
  char byte = 0;
  if (ssl_) {
    ERR_clear_error();
    const int returned = SSL_peek(ssl_.get(), &byte, 1);
    const IoStep::State state = tls_step(returned, 0).state;
    return state == IoStep::State::closed || state == IoStep::State::failed;
  }
  const ssize_t waiting = ::recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return waiting == 0 || (waiting < 0 && errno != EAGAIN && errno != EINTR);
}

void Stream::shutdown_write() {
  if (ssl_) {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
  }
  ::shutdown(fd_, SHUT_WR);
}

}  // namespace mydr24::net
