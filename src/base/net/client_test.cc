#include "base/net/client.h"

#include <fmt/format.h>
#include <openssl/ssl.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "base/net/detail/test_certificate.h"
#include "base/net/detail/test_peer.h"

namespace mydr24::net {
namespace {

using std::chrono::milliseconds;

ClientRequest call(std::string_view url) {
  ClientRequest request;
  request.url = parse_url(url).value();
  return request;
}

std::string local(std::uint16_t port, std::string_view target = "/", std::string_view scheme = "http",
                  std::string_view host = "127.0.0.1") {
  return fmt::format("{}://{}:{}{}", scheme, host, port, target);
}

// Accepts connections one after the other and plays one script on each: for every entry, reads a request's head and
// then sends the text; at the end it closes.
class ScriptedServer {
 public:
  explicit ScriptedServer(std::vector<std::vector<std::string>> scripts) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(fd_, reinterpret_cast<const sockaddr*>(&address), size);
    ::listen(fd_, 16);
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, scripts = std::move(scripts)] {
      for (const auto& script : scripts) play(script);
    });
  }
  ~ScriptedServer() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }
  std::uint16_t port() const { return port_; }
  int connections() const { return connections_; }

 private:
  void play(const std::vector<std::string>& script) {
    const int peer = ::accept(fd_, nullptr, nullptr);
    if (peer < 0) return;
    ++connections_;
    for (const std::string& text : script) {
      std::string held;
      char byte = 0;
      while (!held.ends_with("\r\n\r\n") && ::recv(peer, &byte, 1, 0) == 1) held += byte;
      ::send(peer, text.data(), text.size(), MSG_NOSIGNAL);
    }
    ::close(peer);
  }

  int fd_;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_ = 0;
  std::thread thread_;
};

// Runs calls one after the other on one client.
std::vector<Result<ClientResponse>> send_all(std::vector<ClientRequest> requests,
                                             milliseconds between = milliseconds(0)) {
  asio::io_context context(1);
  const auto client = make_client(context);
  std::vector<Result<ClientResponse>> answers;
  asio::co_spawn(
      context.get_executor(),
      [&]() -> Task<> {
        for (ClientRequest& request : requests) {
          answers.push_back(co_await client->send(std::move(request)));
          std::this_thread::sleep_for(between);
        }
      },
      asio::detached);
  context.run();
  return answers;
}

TEST(Client, SendsAndReceives) {
  const auto server = start();
  ClientRequest request = call(local(server->port(), "/echo"));
  request.method = Method::post;
  request.body = std::string(300'000, 'b');
  request.headers = {{"Content-Type", "text/plain"}};
  const auto answer = send_blocking(request);
  ASSERT_TRUE(answer) << answer.error().text;
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->header("CONTENT-type"), "text/plain");
  EXPECT_EQ(answer->body, request.body);

  EXPECT_EQ(send_blocking(call(local(server->port(), "/out?200000")))->body.size(), 200'000U);
  ClientRequest head = call(local(server->port()));
  head.method = Method::head;
  EXPECT_EQ(send_blocking(head)->header("Content-Length"), "5");
  EXPECT_EQ(send_blocking(call(local(server->port(), "/", "http", "localhost")))->body, "hello");
}

TEST(Client, KeepsItsConnection) {
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  ScriptedServer server({{answer, "HTTP/1.1 100 Continue\r\n\r\n" + answer, answer}});
  const ClientRequest request = call(local(server.port()));
  for (const auto& got : send_all({request, request, request})) {
    ASSERT_TRUE(got) << got.error().text;
    EXPECT_EQ(got->body, "ok");
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST(Client, RepeatsACallOnAStaleConnectionOnlyWhenThatIsHarmless) {
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  // The second request is read and the connection closed without an answer.
  const std::vector<std::string> stale = {answer, ""};
  const auto second = [&](Method method, bool key) {
    ScriptedServer server({stale, {answer}});
    ClientRequest request = call(local(server.port()));
    ClientRequest again = request;
    again.method = method;
    if (key) again.headers.emplace_back("Idempotency-Key", "1");
    return std::move(send_all({request, again})[1]);
  };
  EXPECT_TRUE(second(Method::get, false));
  EXPECT_TRUE(second(Method::post, true));
  const auto refused = second(Method::post, false);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::busy);
}

// By its address and by a name that leads to it: what counts is where the connection would go.
TEST(Client, ANetworkBeyondTheReachIsNotCalled) {
  ScriptedServer server({{"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}});
  for (const std::string host : {"127.0.0.1", "localhost"}) {
    ClientRequest request;
    request.url = *parse_url(fmt::format("http://{}:{}/", host, server.port()));
    const auto refused = send_blocking(request, {.reach = *Reach::parse("public")});
    ASSERT_FALSE(refused) << host;
    EXPECT_EQ(refused.error().code, Code::refused) << refused.error().text;
  }
  ClientRequest request;
  request.url = *parse_url(fmt::format("http://127.0.0.1:{}/", server.port()));
  EXPECT_TRUE(send_blocking(request, {.reach = *Reach::parse("127.0.0.0/8")}));
}

TEST(Client, AConnectionThatWasClosedMeanwhileIsNotUsed) {
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  ScriptedServer server({{answer}, {answer}});
  ClientRequest request = call(local(server.port()));
  request.method = Method::post;
  for (const auto& got : send_all({request, request}, milliseconds(50))) EXPECT_TRUE(got);
  EXPECT_EQ(server.connections(), 2);
}

TEST(Client, CallsOverTheConnectionLimitWaitForAPlace) {
  const auto server = start();
  asio::io_context context(1);
  const auto client = make_client(context, {.connections_max_per_host = 2});
  int answered = 0;
  for (int i = 0; i < 6; ++i) {
    asio::co_spawn(
        context.get_executor(),
        [&]() -> Task<> {
          const auto answer = co_await client->send(call(local(server->port(), "/slow?50")));
          if (answer && answer->status == 200) ++answered;
        },
        asio::detached);
  }
  const auto begun = std::chrono::steady_clock::now();
  context.run();
  EXPECT_EQ(answered, 6);
  EXPECT_GE(std::chrono::steady_clock::now() - begun, milliseconds(150));
}

TEST(Client, FailuresSayWhatFailed) {
  struct Row {
    const char* what;
    std::string answer;
    Code code;
    const char* text;
  };
  const Row answers[] = {
      {"no answer", "", Code::busy, "closed before the answer"},
      {"not HTTP", "SSH-2.0-OpenSSH\r\n\r\n", Code::busy, "not valid HTTP"},
      {"cut off", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", Code::busy, "not valid HTTP"},
      {"large", "HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\nabc", Code::too_large, "larger than 1000 bytes"},
      {"large chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\nabc", Code::too_large,
       "larger than 1000"},
  };
  for (const Row& row : answers) {
    ScriptedServer server({{row.answer}});
    ClientRequest request = call(local(server.port()));
    request.answer_bytes_max = 1000;
    const auto answer = send_blocking(request);
    ASSERT_FALSE(answer) << row.what;
    EXPECT_EQ(answer.error().code, row.code) << row.what;
    EXPECT_NE(answer.error().text.find(row.text), std::string::npos) << row.what << ": " << answer.error().text;
  }
  std::uint16_t nobody = 0;
  {
    nobody = start()->port();
  }
  const auto unreachable = send_blocking(call(local(nobody)));
  ASSERT_FALSE(unreachable);
  EXPECT_NE(unreachable.error().text.find("cannot connect"), std::string::npos) << unreachable.error().text;
}

TEST(Client, ASlowAnswerEndsWithTheTimeLimit) {
  const auto server = start();
  ClientRequest request = call(local(server->port(), "/slow?400"));
  request.time_max = milliseconds(50);
  const auto begun = std::chrono::steady_clock::now();
  const auto answer = send_blocking(request);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, milliseconds(200));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::busy);
  EXPECT_NE(answer.error().text.find("50 ms"), std::string::npos) << answer.error().text;
}

TEST(Client, WhatWouldBreakTheRequestIsNotSent) {
  ClientRequest request = call("http://127.0.0.1:9/");
  request.headers = {{"X", "a\r\nY: b"}};
  EXPECT_EQ(send_blocking(request).error().code, Code::invalid);
  request.headers = {{"Content-Length", "3"}};
  EXPECT_EQ(send_blocking(request).error().code, Code::invalid);
  request.headers.clear();
  request.url.target = "/ HTTP/1.1\r\nX: y";
  EXPECT_EQ(send_blocking(request).error().code, Code::invalid);
}

TEST(Tls, RequestsGoThroughAndTheHandlerKnows) {
  const TestCertificate certificate;
  const auto server = start({.tls = certificate.settings()});
  const ClientSettings settings{.ca_file = certificate.settings().certificate_file};
  for (const std::string_view host : {"localhost", "127.0.0.1"}) {
    const auto answer = send_blocking(call(local(server->port(), "/which", "https", host)), settings);
    ASSERT_TRUE(answer) << answer.error().text;
    EXPECT_NE(answer->body.find("secure=true"), std::string::npos);
  }
  ClientRequest large = call(local(server->port(), "/echo", "https"));
  large.method = Method::post;
  large.body = std::string(1'000'000, 'x');
  const auto echoed = send_blocking(large, settings);
  ASSERT_TRUE(echoed) << echoed.error().text;
  EXPECT_EQ(echoed->body, large.body);
  EXPECT_EQ(send_blocking(call(local(server->port(), "/out?5000000", "https")), settings)->body.size(), 5'000'000U);
}

TEST(Tls, WithClientCertificatesWhoShowsNoneOfTheAuthorityIsNotServed) {
  const auto elsewhere = std::filesystem::temp_directory_path() / fmt::format("mydr24-net-stranger-{}", ::getpid());
  std::filesystem::create_directories(elsewhere);
  const TlsSettings stranger{(elsewhere / "certificate.pem").string(), (elsewhere / "key.pem").string(), {}};
  {
    const TestCertificate other;
    std::filesystem::copy_file(other.settings().certificate_file, stranger.certificate_file);
    std::filesystem::copy_file(other.settings().key_file, stranger.key_file);
  }
  const TestCertificate certificate;
  auto tls = certificate.settings();
  tls.client_ca_file = tls.certificate_file;
  const auto server = start({.tls = tls});
  const auto ask = [&](const TlsSettings& own) {
    return send_blocking(call(local(server->port(), "/which", "https")), {.ca_file = tls.certificate_file, .own = own});
  };
  for (int i = 0; i < 2; ++i) {
    const auto answer = ask(certificate.settings());
    ASSERT_TRUE(answer) << answer.error().text;
    EXPECT_EQ(answer->status, 200);
  }
  EXPECT_FALSE(ask({}));
  EXPECT_FALSE(ask(stranger));
  tls.client_ca_file = stranger.key_file;  // holds no certificate
  const auto refused = serve({.tls = tls}, test_handler);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().where, "tls.client_ca_file");
  std::filesystem::remove_all(elsewhere);
}

// Whether a handshake with what the client offers succeeds, and its version.
std::string handshake(std::uint16_t port, int version, const char* ciphers) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_min_proto_version(context, version);
  SSL_CTX_set_max_proto_version(context, version);
  SSL_CTX_set_cipher_list(context, ciphers);
  BIO* connection = BIO_new_ssl_connect(context);
  BIO_set_conn_hostname(connection, fmt::format("127.0.0.1:{}", port).c_str());
  SSL* ssl = nullptr;
  BIO_get_ssl(connection, &ssl);
  const std::string found = BIO_do_handshake(connection) == 1 ? SSL_get_version(ssl) : "none";
  BIO_free_all(connection);
  SSL_CTX_free(context);
  return found;
}

TEST(Tls, OnlyVersionsAndCiphersThatAreSoundAreSpoken) {
  const TestCertificate certificate;
  const auto server = start({.tls = certificate.settings()});
  const auto port = server->port();
  constexpr const char* all = "ALL:@SECLEVEL=0";
  EXPECT_EQ(handshake(port, TLS1_3_VERSION, all), "TLSv1.3");
  EXPECT_EQ(handshake(port, TLS1_2_VERSION, all), "TLSv1.2");
  EXPECT_EQ(handshake(port, TLS1_1_VERSION, all), "none");
  EXPECT_EQ(handshake(port, TLS1_VERSION, all), "none");
  // Without forward secrecy, or without authenticated encryption.
  for (const char* weak : {"AES128-GCM-SHA256:@SECLEVEL=0", "ECDHE-ECDSA-AES128-SHA256:@SECLEVEL=0",
                           "ECDHE-ECDSA-AES256-SHA:@SECLEVEL=0", "NULL:@SECLEVEL=0"})
    EXPECT_EQ(handshake(port, TLS1_2_VERSION, weak), "none") << weak;
}

// The client sends its request right behind its last handshake message: one read of the server may take both.
TEST(Tls, ARequestThatComesWithTheHandshakeIsAnswered) {
  const TestCertificate certificate;
  // Busy with another connection's answer, the thread finds both in the socket.
  const auto server = start({.gzip_bytes_min = 1, .tls = certificate.settings()});
  const ClientSettings settings{.ca_file = certificate.settings().certificate_file};
  asio::io_context context(1);
  std::vector<std::unique_ptr<Client>> clients;
  int answered = 0;
  for (int i = 0; i < 24; ++i) {
    clients.push_back(make_client(context, settings));
    asio::co_spawn(
        context.get_executor(),
        [&, i]() -> Task<> {
          ClientRequest request = call(local(server->port(), "/big?60000", "https"));
          request.headers = {{"Accept-Encoding", "gzip"}};
          const auto answer = co_await clients[static_cast<std::size_t>(i)]->send(std::move(request));
          if (answer && answer->status == 200) ++answered;
        },
        asio::detached);
  }
  context.run();
  EXPECT_EQ(answered, 24);
}

// Clients that all come back at once: those who wait are served in the end, and who is connected notices nothing.
TEST(Tls, HandshakesTakeNoMoreThanTheirShareAndEverybodyIsServed) {
  const TestCertificate certificate;
  const ClientSettings settings{.ca_file = certificate.settings().certificate_file};
  const auto seconds_of_a_rush = [&](double share, std::chrono::nanoseconds& slowest_beside) {
    const auto server = start({.threads = 1, .tls = certificate.settings(), .handshake_share = share});
    asio::io_context context(1);
    const auto connected = make_client(context, settings);
    std::vector<std::unique_ptr<Client>> clients;
    int answered = 0;
    int ended = 0;
    std::chrono::nanoseconds taken{0};
    // On a slow machine who comes last waits for long.
    const auto request = [&] {
      auto made = call(local(server->port(), "/", "https"));
      made.time_max = std::chrono::minutes(2);
      return made;
    };
    const auto ask = [&](Client& client) -> Task<> {
      const auto answer = co_await client.send(request());
      EXPECT_TRUE(answer) << answer.error().text;
      ++ended;
      if (answer && answer->body == "hello") ++answered;
    };
    asio::co_spawn(
        context.get_executor(),
        [&]() -> Task<> {
          co_await ask(*connected);
          const auto begun = std::chrono::steady_clock::now();
          for (int i = 0; i < 12; ++i) {
            clients.push_back(make_client(context, settings));
            asio::co_spawn(
                context.get_executor(),
                [&, i]() -> Task<> {
                  co_await ask(*clients[static_cast<std::size_t>(i)]);
                  taken = std::chrono::steady_clock::now() - begun;
                },
                asio::detached);
          }
          while (ended < 13) {
            const auto asked = std::chrono::steady_clock::now();
            const auto answer = co_await connected->send(request());
            EXPECT_TRUE(answer);
            slowest_beside =
                std::max<std::chrono::nanoseconds>(slowest_beside, std::chrono::steady_clock::now() - asked);
            if (!answer) co_return;
          }
        },
        asio::detached);
    context.run();
    EXPECT_EQ(answered, 13);
    return std::chrono::duration<double>(taken).count();
  };
  std::chrono::nanoseconds beside_all{0};
  std::chrono::nanoseconds beside_some{0};
  const double with_all = seconds_of_a_rush(0, beside_all);
  const double with_a_hundredth = seconds_of_a_rush(0.01, beside_some);
  EXPECT_GT(with_a_hundredth, 3 * with_all);
  EXPECT_LT(beside_some, std::chrono::milliseconds(250));
}

TEST(Tls, OneConnectionServesManyCalls) {
  const TestCertificate certificate;
  const auto server = start({.connections_max = 1, .tls = certificate.settings()});
  asio::io_context context(1);
  const auto client = make_client(context, {.ca_file = certificate.settings().certificate_file});
  int answered = 0;
  asio::co_spawn(
      context.get_executor(),
      [&]() -> Task<> {
        for (int i = 0; i < 20; ++i) {
          const auto answer = co_await client->send(call(local(server->port(), "/", "https")));
          if (answer && answer->body == "hello") ++answered;
        }
      },
      asio::detached);
  context.run();
  EXPECT_EQ(answered, 20);
}

TEST(Tls, AnUnknownAuthorityOrAnotherNameIsRefused) {
  const TestCertificate certificate;
  const auto server = start({.address = "0.0.0.0", .tls = certificate.settings()});
  const auto unknown = send_blocking(call(local(server->port(), "/", "https")));
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().text.find("self"), std::string::npos) << unknown.error().text;
  const auto other = send_blocking(call(local(server->port(), "/", "https", "127.0.0.2")),
                                   {.ca_file = certificate.settings().certificate_file});
  ASSERT_FALSE(other);
  EXPECT_NE(other.error().text.find("mismatch"), std::string::npos) << other.error().text;
}

TEST(Tls, APlainOrSilentPeerDoesNoHarm) {
  const TestCertificate certificate;
  const auto server = start({.header_time_max = milliseconds(100), .tls = certificate.settings()});
  RawPeer plain(server->port());
  plain.send(get("/"));
  plain.read_to_end();
  RawPeer silent(server->port());
  silent.send("\x16");
  EXPECT_TRUE(silent.closed());
  EXPECT_EQ(
      send_blocking(call(local(server->port(), "/", "https")), {.ca_file = certificate.settings().certificate_file})
          ->status,
      200);
}

TEST(Tls, FaultyFilesAreNamed) {
  const TestCertificate certificate;
  const TlsSettings good = certificate.settings();
  const auto missing = serve({.tls = {"/nowhere/certificate.pem", good.key_file}}, test_handler);
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().text.find("/nowhere/certificate.pem"), std::string::npos) << missing.error().text;
  const auto mistaken = serve({.tls = {good.certificate_file, good.certificate_file}}, test_handler);
  ASSERT_FALSE(mistaken);
  EXPECT_NE(mistaken.error().text.find(good.certificate_file), std::string::npos) << mistaken.error().text;
}

}  // namespace
}  // namespace mydr24::net
