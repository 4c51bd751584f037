#include "app/load/http.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

namespace mydr24::load {
namespace {

constexpr std::size_t space_min = 16U << 10;

bool same_name(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] + 32) : text[i];
    if (c != lower[i]) return false;
  }
  return true;
}

template <class T>
bool read_number(std::string_view text, T& out, int base = 10) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  return error == std::errc() && end != text.data();
}

}  // namespace

std::pair<char*, std::size_t> AnswerReader::space() {
  if (buffer_.size() - size_ < space_min) buffer_.resize(std::max(buffer_.size() * 2, 4 * space_min));
  return {buffer_.data() + size_, buffer_.size() - size_};
}

void AnswerReader::clear() {
  size_ = 0;
  end_ = 0;
  next();
}

void AnswerReader::next() {
  if (size_ > end_) std::memmove(buffer_.data(), buffer_.data() + end_, size_ - end_);
  size_ -= end_;
  head_size_ = end_ = chunk_at_ = 0;
  chunks_.clear();
  answer_ = {};
}

AnswerReader::State AnswerReader::poll() {
  if (head_size_ == 0) {
    const auto end = std::string_view(buffer_.data(), size_).find("\r\n\r\n");
    if (end == std::string_view::npos) return size_ > (64U << 10) ? State::broken : State::more;
    if (!parse_head(end + 4)) return State::broken;
  }
  if (answer_.chunked) return poll_chunks();
  const std::size_t length = answer_.length;
  if (size_ < head_size_ + length) return State::more;
  // The buffer may have moved since the head was read.
  end_ = head_size_ + length;
  parse_head(head_size_);
  answer_.body = std::string_view(buffer_.data() + head_size_, length);
  return State::complete;
}

bool read_answer_head(std::string_view head, Answer& answer) {
  answer = {};
  answer.head = head;
  if (!head.starts_with("HTTP/1.1 ") || !read_number(head.substr(9, 3), answer.status)) return false;
  bool framed = answer.status == 204 || answer.status == 304;
  std::size_t at = head.find("\r\n") + 2;
  while (at + 2 < head.size()) {
    const std::size_t end = head.find("\r\n", at);
    const std::string_view line = head.substr(at, end - at);
    at = end + 2;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return false;
    const std::string_view name = line.substr(0, colon);
    std::string_view value = line.substr(colon + 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    if (same_name(name, "content-length")) {
      if (!read_number(value, answer.length) || answer.length > AnswerReader::answer_bytes_max) return false;
      framed = true;
    } else if (same_name(name, "location")) {
      answer.location = value;
    } else if (same_name(name, "etag")) {
      answer.etag = value;
    } else if (same_name(name, "content-type")) {
      answer.content_type = value;
    } else if (same_name(name, "retry-after")) {
      read_number(value, answer.retry_after_s);
    } else if (same_name(name, "connection")) {
      answer.close = same_name(value, "close");
    } else if (same_name(name, "transfer-encoding")) {
      answer.chunked = framed = same_name(value, "chunked");
    }
  }
  return framed;
}

bool AnswerReader::parse_head(std::size_t head_size) {
  if (!read_answer_head(std::string_view(buffer_.data(), head_size), answer_)) return false;
  if (head_size_ == 0) chunk_at_ = head_size;
  head_size_ = head_size;
  return true;
}

AnswerReader::State AnswerReader::poll_chunks() {
  const std::string_view all(buffer_.data(), size_);
  while (true) {
    const std::size_t line_end = all.find("\r\n", chunk_at_);
    if (line_end == std::string_view::npos) return State::more;
    std::size_t bytes = 0;
    if (!read_number(all.substr(chunk_at_, line_end - chunk_at_), bytes, 16)) return State::broken;
    if (bytes > answer_bytes_max || chunks_.size() + bytes > answer_bytes_max) return State::broken;
    const std::size_t after = line_end + 2 + bytes + 2;
    if (size_ < after) return State::more;
    chunk_at_ = after;
    if (bytes == 0) break;
    chunks_.append(all.substr(line_end + 2, bytes));
  }
  end_ = chunk_at_;
  parse_head(head_size_);
  answer_.body = chunks_;
  return State::complete;
}

void append_request(std::string& out, std::string_view method, std::string_view target, std::string_view body,
                    std::string_view headers) {
  out.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: localhost\r\n");
  if (headers.find("Accept:") == std::string_view::npos) out.append("Accept: application/fhir+json\r\n");
  if (!body.empty() || method.starts_with('P')) {
    if (headers.find("Content-Type:") == std::string_view::npos) out.append("Content-Type: application/fhir+json\r\n");
    fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n", body.size());
  }
  out.append(headers).append("\r\n").append(body);
}

Result<Endpoint> parse_endpoint(std::string_view url) {
  for (const std::string_view scheme : {"http://", "https://"})
    if (url.starts_with(scheme)) url.remove_prefix(scheme.size());
  url = url.substr(0, url.find('/'));
  const std::size_t colon = url.rfind(':');
  Endpoint endpoint;
  if (colon == std::string_view::npos || !read_number(url.substr(colon + 1), endpoint.port))
    return fail(Code::invalid, fmt::format("'{}' is not HOST:PORT", url));
  endpoint.host = url.substr(0, colon);
  if (endpoint.host == "localhost") endpoint.host = "127.0.0.1";
  return endpoint;
}

Result<int> connect_to(const Endpoint& endpoint) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(endpoint.port);
  if (::inet_pton(AF_INET, endpoint.host.c_str(), &address.sin_addr) != 1)
    return fail(Code::invalid, fmt::format("'{}' is not an IPv4 address", endpoint.host));
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return fail(Code::internal, fmt::format("socket: {}", std::strerror(errno)));
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    const int error = errno;
    ::close(socket);
    return fail(Code::busy, fmt::format("{}:{}: {}", endpoint.host, endpoint.port, std::strerror(error)));
  }
  return socket;
}

void HttpClient::disconnect() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
  reader_.clear();
}

Result<Reply> HttpClient::send(std::string_view method, std::string_view target, std::string_view body,
                               std::string_view headers) {
  if (socket_ >= 0) {
    // A connection that the server has closed in the meantime shows as readable before anything was asked.
    char byte = 0;
    if (::recv(socket_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0) disconnect();
  }
  if (socket_ < 0) {
    MYDR24_ASSIGN(socket_, connect_to(endpoint_));
    const timeval limit{.tv_sec = time_max_.count() / 1000, .tv_usec = time_max_.count() % 1000 * 1000};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  }
  std::string request;
  append_request(request, method, target, body, headers);
  auto reply = exchange(request);
  if (!reply) disconnect();
  return reply;
}

Result<Reply> HttpClient::exchange(std::string_view request) {
  bool sent_all = true;
  while (!request.empty()) {
    const ssize_t sent = ::send(socket_, request.data(), request.size(), MSG_NOSIGNAL);
    // A server may refuse a body before all of it came: its answer is still to be read.
    if (sent < 0) {
      sent_all = false;
      break;
    }
    request.remove_prefix(static_cast<std::size_t>(sent));
  }
  while (true) {
    const auto [space, size] = reader_.space();
    const ssize_t got = ::recv(socket_, space, size, 0);
    if (got <= 0) return fail(Code::busy, got == 0 ? "the server closed the connection" : std::strerror(errno));
    reader_.received(static_cast<std::size_t>(got));
    const auto state = reader_.poll();
    if (state == AnswerReader::State::broken) return fail(Code::invalid, "the answer is not HTTP/1.1");
    if (state == AnswerReader::State::complete) break;
  }
  const Answer& answer = reader_.answer();
  Reply reply{answer.status, std::string(answer.body), std::string(answer.location), std::string(answer.etag),
              std::string(answer.content_type)};
  const bool close = answer.close || !sent_all;
  reader_.next();
  if (close) disconnect();
  return reply;
}

}  // namespace mydr24::load
