#pragma once

// The client side of HTTP/1.1 for the load generator and the system tests: requests as text, answers read
// from a buffer without copying, and a blocking connection for callers that do one thing after the other.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/core/result.h"

namespace mydr24::load {

// Views into the reader's buffer: valid until its next().
struct Answer {
  int status = 0;
  std::string_view body;
  std::string_view location;
  std::string_view etag;
  std::string_view content_type;
  std::string_view head;  // status line and headers as received
  bool close = false;     // the server ends the connection after this answer
  bool chunked = false;
  std::size_t length = 0;  // of the body, when not chunked
  int retry_after_s = 0;   // 0: not said
};

// Status line and headers up to and with the empty line; all but the body. False: not HTTP/1.1, or no length is said.
bool read_answer_head(std::string_view head, Answer& answer);

// Answers to requests other than HEAD, out of the bytes of one connection. At most `answer_bytes_max` each.
class AnswerReader {
 public:
  static constexpr std::size_t answer_bytes_max = 512U << 20;
  enum class State { more, complete, broken };

  // Where to receive, and how much fits (at least 16 KiB); then received() says how much came.
  std::pair<char*, std::size_t> space();
  void received(std::size_t bytes) { size_ += bytes; }

  State poll();
  const Answer& answer() const { return answer_; }
  // Forgets the complete answer; bytes behind it stay.
  void next();
  // Forgets everything: a new connection.
  void clear();
  bool empty() const { return size_ == 0; }

 private:
  bool parse_head(std::size_t head_size);
  State poll_chunks();

  std::string buffer_;
  std::size_t size_ = 0;       // bytes of buffer_ that were received
  std::size_t head_size_ = 0;  // 0: not complete yet
  std::size_t end_ = 0;        // of the complete answer
  std::size_t chunk_at_ = 0;   // the next chunk's size line
  std::string chunks_;         // the body put together
  Answer answer_;
};

// Appends one request with keep-alive; `headers` are whole lines, each with its CRLF. `body` empty: no
// Content-Length but for POST, PUT and PATCH.
void append_request(std::string& out, std::string_view method, std::string_view target, std::string_view body = {},
                    std::string_view headers = {});

struct Endpoint {
  std::string host;
  std::uint16_t port = 0;
};
// "http://127.0.0.1:8024" or "127.0.0.1:8024/path"; IPv4 addresses only.
Result<Endpoint> parse_endpoint(std::string_view url);

// A connected TCP socket without delay; Code::busy when nobody listens. The caller closes it.
Result<int> connect_to(const Endpoint& endpoint);

// An answer that owns its text.
struct Reply {
  int status = 0;
  std::string body;
  std::string location;
  std::string etag;
  std::string content_type;
};

// One blocking connection, opened when first used and again after the server has closed it.
class HttpClient {
 public:
  explicit HttpClient(Endpoint endpoint, std::chrono::milliseconds time_max = std::chrono::seconds(60))
      : endpoint_(std::move(endpoint)), time_max_(time_max) {}
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  ~HttpClient() { disconnect(); }

  // Code::busy: the connection failed before the whole answer was there; whether the request took effect is unknown.
  Result<Reply> send(std::string_view method, std::string_view target, std::string_view body = {},
                     std::string_view headers = {});
  Result<Reply> get(std::string_view target) { return send("GET", target); }
  void disconnect();

 private:
  Result<Reply> exchange(std::string_view request);

  Endpoint endpoint_;
  std::chrono::milliseconds time_max_;
  int socket_ = -1;
  AnswerReader reader_;
};

}  // namespace mydr24::load
