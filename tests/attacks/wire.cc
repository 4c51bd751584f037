#include "wire.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "base/net/uri.h"

namespace mydr24::attacks {
namespace {

bool same(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) {
    const auto low = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return low(x) == low(y);
  });
}

bool has(const Headers& headers, std::string_view name) {
  return std::ranges::any_of(headers, [&](const auto& header) { return same(header.first, name); });
}

std::size_t number(std::string_view text, int base) {
  std::size_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, base);
  return value;
}

// The bytes after the body of the first answer; fills `answer`.
std::string_view first_of(std::string_view all, Answer& answer) {
  const auto end = all.find("\r\n\r\n");
  if (!all.starts_with("HTTP/1.1 ") || end == all.npos) return {};
  answer.status = static_cast<int>(number(all.substr(9, 3), 10));
  answer.head = all.substr(0, end + 2);
  auto rest = all.substr(end + 4);
  if (same(answer.header("Transfer-Encoding"), "chunked")) {
    while (true) {
      const auto line = rest.find("\r\n");
      if (line == rest.npos) return {};
      const auto size = number(rest.substr(0, line), 16);
      rest.remove_prefix(std::min(line + 2, rest.size()));
      answer.body.append(rest.substr(0, size));
      rest.remove_prefix(std::min(size + 2, rest.size()));
      if (size == 0) return rest;
    }
  }
  const auto size = std::min(number(answer.header("Content-Length"), 10), rest.size());
  answer.body = rest.substr(0, size);
  return rest.substr(size);
}

Answer parse(std::string_view all, bool closed) {
  Answer answer;
  answer.closed = closed;
  auto rest = first_of(all, answer);
  answer.answers = answer.status == 0 ? 0 : 1;
  while (!rest.empty()) {
    Answer next;
    rest = first_of(rest, next);
    if (next.status == 0) break;
    ++answer.answers;
  }
  return answer;
}

}  // namespace

std::vector<std::string> Answer::headers(std::string_view name) const {
  std::vector<std::string> found;
  for (std::size_t at = 0; at < head.size();) {
    const auto end = std::min(head.find("\r\n", at), head.size());
    const auto line = std::string_view(head).substr(at, end - at);
    at = end + 2;
    const auto colon = line.find(':');
    if (colon == line.npos || !same(line.substr(0, colon), name)) continue;
    auto value = line.substr(colon + 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    found.emplace_back(value);
  }
  return found;
}

std::string Answer::header(std::string_view name) const {
  const auto all = headers(name);
  return all.empty() ? std::string() : all.front();
}

std::string text_of(const Request& request) {
  std::string text = fmt::format("{} {} HTTP/1.1\r\n", request.method, request.target);
  if (!has(request.headers, "Host")) text += "Host: localhost\r\n";
  for (const auto& [name, value] : request.headers) text += fmt::format("{}: {}\r\n", name, value);
  const bool framed = has(request.headers, "Content-Length") || has(request.headers, "Transfer-Encoding");
  if (!framed && (!request.body.empty() || request.method.starts_with('P')))
    text += fmt::format("Content-Length: {}\r\n", request.body.size());
  if (!has(request.headers, "Connection")) text += "Connection: close\r\n";
  return text + "\r\n" + request.body;
}

Wire::Wire(const load::Endpoint& to, const std::string& from) {
  if (from.empty()) {
    if (const auto socket = load::connect_to(to)) socket_ = *socket;
    return;
  }
  const auto address_of = [](const std::string& host, std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    ::inet_pton(AF_INET, host.c_str(), &address.sin_addr);
    return address;
  };
  const auto ours = address_of(from, 0), theirs = address_of(to.host, to.port);
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::bind(socket_, reinterpret_cast<const sockaddr*>(&ours), sizeof ours) == 0 &&
      ::connect(socket_, reinterpret_cast<const sockaddr*>(&theirs), sizeof theirs) == 0)
    return;
  ::close(socket_);
  socket_ = -1;
}

Wire::~Wire() {
  if (socket_ >= 0) ::close(socket_);
}

bool Wire::send(std::string_view bytes) {
  while (!bytes.empty()) {
    pollfd ready{.fd = socket_, .events = POLLOUT, .revents = 0};
    if (::poll(&ready, 1, 5'000) <= 0 || (ready.revents & (POLLERR | POLLHUP)) != 0) return false;
    const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

Answer Wire::read(std::chrono::milliseconds wait) {
  std::string all, piece(64U << 10, '\0');
  while (true) {
    pollfd ready{.fd = socket_, .events = POLLIN, .revents = 0};
    if (::poll(&ready, 1, static_cast<int>(wait.count())) <= 0) return parse(all, false);
    const auto got = ::recv(socket_, piece.data(), piece.size(), 0);
    if (got <= 0) return parse(all, true);
    all.append(piece, 0, static_cast<std::size_t>(got));
  }
}

Answer ask(const load::Endpoint& to, std::string_view bytes, std::chrono::milliseconds wait, const std::string& from) {
  Wire wire(to, from);
  if (!wire.open()) return {};
  wire.send(bytes);  // a server may refuse before all of it came: its answer is read all the same
  return wire.read(wait);
}

std::string percent_encoded(std::string_view text) { return net::percent_encode(text); }

std::string form(const Headers& fields) {
  std::string text;
  for (const auto& [name, value] : fields)
    text += fmt::format("{}{}={}", text.empty() ? "" : "&", net::percent_encode(name), net::percent_encode(value));
  return text;
}

std::string between(std::string_view text, std::string_view before, std::string_view after) {
  const auto at = text.find(before);
  if (at == text.npos) return {};
  const auto begin = at + before.size();
  const auto end = text.find(after, begin);
  return std::string(text.substr(begin, end == text.npos ? text.npos : end - begin));
}

}  // namespace mydr24::attacks
