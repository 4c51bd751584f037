#pragma once

// For tests: a peer that speaks raw bytes to a server on 127.0.0.1, and a handler with one path for each
// thing to try.

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/steady_timer.hpp>
#include <charconv>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "base/net/http.h"
#include "base/net/uri.h"

namespace mydr24::net {

struct RawAnswer {
  int status = 0;  // 0: the server closed before a whole head
  std::string head;
  std::string body;
  bool complete = false;

  std::string header(std::string_view name) const {
    const std::size_t at = head.find("\r\n" + std::string(name) + ": ");
    if (at == std::string::npos) return {};
    const std::size_t from = at + name.size() + 4;
    return head.substr(from, head.find("\r\n", from) - from);
  }
};

class RawPeer {
 public:
  explicit RawPeer(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{.tv_sec = 5, .tv_usec = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~RawPeer() { ::close(fd_); }
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;

  bool connected() const { return connected_; }
  int fd() const { return fd_; }

  bool send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  void end() { ::shutdown(fd_, SHUT_WR); }

  // False at the end, or after 5 s of silence.
  bool receive() {
    char buffer[65536];
    const ssize_t received = ::recv(fd_, buffer, sizeof buffer, 0);
    if (received <= 0) return false;
    held_.append(buffer, static_cast<std::size_t>(received));
    return true;
  }

  std::string read_to_end() {
    while (receive()) {
    }
    return std::exchange(held_, {});
  }

  bool closed() { return held_.empty() && !receive(); }

  RawAnswer answer(bool head_only = false) {
    RawAnswer result;
    std::size_t end = 0;
    while ((end = held_.find("\r\n\r\n")) == std::string::npos) {
      if (!receive()) return result;
    }
    result.head = held_.substr(0, end + 2);
    held_.erase(0, end + 4);
    result.status = std::stoi(result.head.substr(9, 3));
    result.complete = true;
    if (head_only || result.status == 204 || result.status == 304 || result.status < 200) return result;
    if (result.header("Transfer-Encoding") == "chunked") {
      result.complete = chunks(result.body);
    } else if (const std::string length = result.header("Content-Length"); !length.empty()) {
      const std::size_t size = std::stoul(length);
      while (held_.size() < size && receive()) {
      }
      result.complete = held_.size() >= size;
      result.body = held_.substr(0, size);
      held_.erase(0, size);
    } else {
      result.body = read_to_end();
    }
    return result;
  }

  RawAnswer ask(std::string_view request) {
    send(request);
    return answer(request.starts_with("HEAD"));
  }

 private:
  bool chunks(std::string& body) {
    while (true) {
      std::size_t line = 0;
      while ((line = held_.find("\r\n")) == std::string::npos) {
        if (!receive()) return false;
      }
      const std::size_t size = std::stoul(held_.substr(0, line), nullptr, 16);
      while (held_.size() < line + 2 + size + 2) {
        if (!receive()) return false;
      }
      body.append(held_, line + 2, size);
      held_.erase(0, line + 2 + size + 2);
      if (size == 0) return true;
    }
  }

  int fd_;
  bool connected_ = false;
  std::string held_;
};

inline std::string get(std::string_view target, std::string_view headers = {}) {
  return fmt::format("GET {} HTTP/1.1\r\nHost: test\r\n{}\r\n", target, headers);
}
inline std::string post(std::string_view target, std::string_view body, std::string_view headers = {}) {
  return fmt::format("POST {} HTTP/1.1\r\nHost: test\r\n{}Content-Length: {}\r\n\r\n{}", target, headers, body.size(),
                     body);
}

// A whole number from the query, as in "/big?1000".
inline std::size_t number_of(const Request& request) {
  std::size_t number = 0;
  std::from_chars(request.query.data(), request.query.data() + request.query.size(), number);
  return number;
}

inline int status_of(Code code) {
  switch (code) {
    case Code::too_large:
      return 413;
    case Code::unsupported:
      return 415;
    case Code::busy:
      return 408;
    case Code::invalid:
      return 400;
    default:
      return 500;
  }
}

inline Task<> stream_in(Exchange& exchange) {
  std::size_t bytes = 0;
  std::size_t largest = 0;
  while (true) {
    const auto piece = co_await exchange.read_some();
    if (!piece) {
      co_await exchange.respond({.status = status_of(piece.error().code), .body = piece.error().text});
      co_return;
    }
    if (piece->empty()) break;
    bytes += piece->size();
    largest = std::max(largest, piece->size());
  }
  co_await exchange.respond(
      {.body = fmt::format("{} {}", bytes, largest <= (256U << 10) ? "small pieces" : "a large piece")});
}

inline Task<> stream_out(Exchange& exchange) {
  const std::size_t bytes = number_of(exchange.request());
  if (!co_await exchange.begin_stream({.content_type = "application/fhir+ndjson"})) co_return;
  const std::string piece(50'000, 'x');
  for (std::size_t sent = 0; sent < bytes; sent += piece.size()) {
    if (!co_await exchange.write(std::string_view(piece).substr(0, std::min(piece.size(), bytes - sent)))) co_return;
  }
  if (!co_await exchange.finish()) co_return;
}

inline Task<> echo(Exchange& exchange) {
  auto body = co_await exchange.read_body(1U << 20);
  if (body) {
    co_await exchange.respond({.content_type = "text/plain", .body = std::move(*body)});
  } else {
    co_await exchange.respond({.status = status_of(body.error().code), .body = body.error().text});
  }
}

inline Task<> test_handler(Exchange& exchange) {
  const Request& request = exchange.request();
  const std::string_view path = request.path;
  if (path == "/echo") co_return co_await echo(exchange);
  if (path == "/in") co_return co_await stream_in(exchange);
  if (path == "/out") co_return co_await stream_out(exchange);
  if (path == "/throw") throw std::runtime_error("on purpose");
  if (path == "/silent") co_return;
  if (path == "/half") {
    if (co_await exchange.begin_stream({})) (void)co_await exchange.write("half");
    co_return;
  }
  Response response{.content_type = "text/plain", .body = "hello"};
  if (path == "/inject") response.headers.emplace_back("Location", "/x\r\nSet-Cookie: stolen=1");
  if (path == "/header") response.headers.emplace_back("ETag", "W/\"1\"");
  if (path == "/coded") response.headers.emplace_back("Content-Encoding", "br");
  if (path == "/none") response.status = 204;
  if (path == "/big" || path == "/coded") response.body = std::string(number_of(request), 'a');
  if (path == "/shared") response.shared_body = std::make_shared<const std::string>("shared text");
  if (path == "/sleep") co_await exchange.sleep(std::chrono::milliseconds(number_of(request)));
  if (path == "/slow") {  // unlike sleep(), does not end early
    asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::milliseconds(number_of(request)));
    co_await timer.async_wait(awaitable);
  }
  if (path == "/which") {
    response.body =
        fmt::format("{} {} path={} query={} remote={} secure={}", to_string(request.method), request.method_text,
                    request.path, request.query, request.remote.substr(0, 9), request.secure);
  }
  co_await exchange.respond(std::move(response));
}

inline std::unique_ptr<Server> start(const ServerSettings& settings = {}) {
  auto server = serve(settings, test_handler);
  if (!server) {
    ADD_FAILURE() << server.error().text;
    return nullptr;
  }
  return std::move(*server);
}

}  // namespace mydr24::net
