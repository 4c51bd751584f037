// The answering half of HttpExchange: head, framing, compression and sending.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "base/net/detail/http_exchange.h"

namespace mydr24::net {
namespace {

// A body up to this size is copied behind its head and sent from one buffer.
constexpr std::size_t copied_body_bytes_max = 16U << 10;
constexpr std::size_t gathered_bytes_max = 64U << 10;
constexpr std::size_t gzip_slice_bytes = 64U << 10;

std::string_view reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 423:
      return "Locked";
    case 425:
      return "Too Early";
    case 428:
      return "Precondition Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Status";
  }
}

// RFC 9110, section 5.6.2.
bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

// No line can be ended, and so no header or answer be added, by what a value holds.
bool is_field_value(std::string_view text) {
  return std::ranges::none_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7f;
  });
}

bool is_framing(std::string_view name) {
  return std::ranges::any_of(std::array<std::string_view, 3>{"Content-Length", "Transfer-Encoding", "Date"},
                             [name](std::string_view ours) { return equal_ignoring_case(name, ours); });
}

bool may_be_sent(const Response& response) {
  return response.status >= 200 && response.status <= 599 && is_field_value(response.content_type) &&
         std::ranges::all_of(response.headers, [](const auto& header) {
           return is_token(header.first) && is_field_value(header.second) && !is_framing(header.first);
         });
}

bool has_no_body(int status) { return status == 204 || status == 304; }

const std::string* find_header(const Response& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (equal_ignoring_case(key, name)) return &value;
  }
  return nullptr;
}

void append(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

void HttpExchange::decide_to_close() {
  if (thread_.draining()) close_ = true;
  if (body_done_) return;
  // A client that waits for "100 Continue" may or may not send the body now: nobody could tell it from a request.
  if (continue_due_ || body_left_ > drained_body_bytes_max) close_ = true;
}

bool HttpExchange::append_head(const Response& response, const Framing& framing) {
  if (!may_be_sent(response)) return false;
  if (const std::string* connection = find_header(response, "Connection"); connection != nullptr) {
    if (!equal_ignoring_case(*connection, "close")) return false;
    close_ = true;
  }
  std::array<char, 20> number{};
  const auto digits = [&number](std::uint64_t value) {
    return std::string_view(number.data(), fmt::format_to(number.data(), "{}", value));
  };
  out_.append("HTTP/1.1 ").append(digits(static_cast<std::uint64_t>(response.status)));
  out_.append(" ").append(reason(response.status)).append("\r\n");
  append(out_, "Date", thread_.date());
  if (!response.content_type.empty()) append(out_, "Content-Type", response.content_type);
  if (framing.chunked)
    append(out_, "Transfer-Encoding", "chunked");
  else if (!framing.no_length)
    append(out_, "Content-Length", digits(framing.content_length));
  if (framing.gzip) append(out_, "Content-Encoding", "gzip");
  if (framing.vary) append(out_, "Vary", "Accept-Encoding");
  for (const auto& [name, value] : response.headers) {
    if (!equal_ignoring_case(name, "Connection")) append(out_, name, value);
  }
  out_.append(response.fixed_headers);
  if (close_)
    append(out_, "Connection", "close");
  else if (!head_.http_1_1)
    append(out_, "Connection", "keep-alive");
  out_ += "\r\n";
  return true;
}

Task<> HttpExchange::respond(Response response) {
  if (phase_ != Phase::unanswered) co_return;
  phase_ = Phase::answered;
  decide_to_close();
  Framing framing;
  framing.no_length = has_no_body(response.status);
  const std::size_t gzip_bytes_min = thread_.state().settings.gzip_bytes_min;
  if (gzip_bytes_min > 0 && response.content().size() >= gzip_bytes_min && !framing.no_length &&
      find_header(response, "Content-Encoding") == nullptr) {
    framing.vary = true;
    if (head_.request.method != Method::head && accepts_gzip(head_["Accept-Encoding"])) {
      co_await compress(response, framing);
    }
  }
  framing.content_length = response.content().size();
  if (!append_head(response, framing)) {
    response = {.status = 500, .content_type = "text/plain", .body = "the answer has a header that must not be sent\n"};
    framing = {.content_length = response.body.size()};
    append_head(response, framing);
  }
  std::string_view body = response.content();
  if (framing.no_length || head_.request.method == Method::head) body = {};
  if (body.size() <= copied_body_bytes_max) {
    out_.append(body);
    body = {};
    // More requests are here already: their answers go together with this one.
    if (has_input() && body_done_ && !close_ && out_.size() < gathered_bytes_max) {
      defer_flush();
      co_return;
    }
  }
  co_await send(body);
}

Task<> HttpExchange::respond_prepared(Prepared prepared) {
  if (phase_ != Phase::unanswered) co_return;
  phase_ = Phase::answered;
  decide_to_close();
  out_.append(prepared.head);
  append(out_, "Date", thread_.date());
  if (close_)
    append(out_, "Connection", "close");
  else if (!head_.http_1_1)
    append(out_, "Connection", "keep-alive");
  out_ += "\r\n";
  if (has_input() && body_done_ && !close_ && out_.size() < gathered_bytes_max) {
    defer_flush();
    co_return;
  }
  co_await send({});
}

// In slices, so that a large answer does not hold up the thread's other connections.
Task<> HttpExchange::compress(Response& response, Framing& framing) {
  Deflater deflater;
  std::string compressed;
  std::string_view rest = response.content();
  while (!rest.empty()) {
    const std::string_view slice = rest.substr(0, gzip_slice_bytes);
    rest.remove_prefix(slice.size());
    if (!deflater.put(slice, rest.empty(), compressed)) co_return;
    if (!rest.empty()) co_await asio::post(thread_.context(), awaitable);
  }
  response.shared_body.reset();
  response.body = std::move(compressed);
  framing.gzip = true;
}

Task<Result<>> HttpExchange::begin_stream(Response head) {
  if (phase_ != Phase::unanswered) co_return fail(Code::internal, "the request was answered already");
  decide_to_close();
  stream_chunked_ = head_.http_1_1;
  swallow_ = head_.request.method == Method::head || has_no_body(head.status);
  if (!stream_chunked_) close_ = true;
  const Framing framing{.chunked = stream_chunked_ && !has_no_body(head.status), .no_length = true};
  if (!append_head(head, framing)) co_return fail(Code::internal, "the answer has a header that must not be sent");
  phase_ = Phase::streaming;
  if (!co_await send({})) co_return fail(Code::busy, "the client is gone or too slow");
  co_return Result<>();
}

Task<Result<>> HttpExchange::write(std::string_view piece) {
  if (phase_ != Phase::streaming) co_return fail(Code::internal, "no stream was begun");
  if (piece.empty() || swallow_) co_return Result<>();
  if (stream_chunked_) fmt::format_to(std::back_inserter(out_), "{:x}\r\n", piece.size());
  if (piece.size() <= copied_body_bytes_max) {
    out_.append(piece);
    piece = {};
  } else if (!co_await send(piece)) {
    co_return fail(Code::busy, "the client is gone or too slow");
  }
  if (stream_chunked_) out_ += "\r\n";
  if (!co_await send({})) co_return fail(Code::busy, "the client is gone or too slow");
  co_return Result<>();
}

Task<Result<>> HttpExchange::finish() {
  if (phase_ != Phase::streaming) co_return fail(Code::internal, "no stream was begun");
  if (stream_chunked_ && !swallow_) out_ += "0\r\n\r\n";
  if (!co_await send({})) co_return fail(Code::busy, "the client is gone or too slow");
  phase_ = Phase::answered;
  co_return Result<>();
}

// What goes without waiting. `done`: all of out_ and `body`.
IoStep::State HttpExchange::send_now(std::string_view& body) {
  std::size_t sent = 0;
  IoStep step{IoStep::State::done, 0};
  while (sent < out_.size() || !body.empty()) {
    step = connection_->stream.write(std::string_view(out_).substr(sent), body);
    if (step.state != IoStep::State::done) break;
    const std::size_t from_out = std::min(step.bytes, out_.size() - sent);
    sent += from_out;
    body.remove_prefix(step.bytes - from_out);
  }
  if (sent == out_.size())
    out_.clear();
  else
    out_.erase(0, sent);
  return step.state;
}

Task<bool> HttpExchange::send(std::string_view body) {
  if (broken_) co_return false;
  const std::size_t bytes = out_.size() + body.size();
  if (bytes == 0) co_return true;
  while (true) {
    const IoStep::State state = send_now(body);
    if (state == IoStep::State::done) break;
    if (state != IoStep::State::want_read && state != IoStep::State::want_write) broken_ = true;
    if (broken_) co_return false;
    bytes_at_once_ = 0;
    writing_ = true;
    const auto type = state == IoStep::State::want_read ? asio::socket_base::wait_read : asio::socket_base::wait_write;
    const Wake wake =
        co_await connection_->wait(type, thread_.deadline_after(thread_.state().settings.body_idle_time_max));
    writing_ = false;
    if (wake != Wake::ready) {
      broken_ = true;
      co_return false;
    }
  }
  co_await let_others_run(bytes);
  co_return true;
}

// When the next handler waits for something, what is gathered must not wait with it.
void HttpExchange::defer_flush() {
  if (flush_posted_) return;
  flush_posted_ = true;
  asio::post(thread_.context(), [connection = connection_] {
    if (connection->exchange != nullptr) connection->exchange->flush_without_waiting();
  });
}

void HttpExchange::flush_without_waiting() {
  flush_posted_ = false;
  if (writing_ || broken_ || out_.empty()) return;
  std::string_view nothing;
  const IoStep::State state = send_now(nothing);
  if (state == IoStep::State::closed || state == IoStep::State::failed) broken_ = true;
}

}  // namespace mydr24::net
