#pragma once

// HTTP/1.1 as handlers see it: a Request head, an Exchange to read its body and to answer once, and a Server
// that owns listeners and threads. Boost.Beast and OpenSSL stay behind the .cc files: no other module sees them.
//
// Invariant: every Exchange is answered exactly once; a handler that returns without answering, or throws, is
// answered 500.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/async/task.h"
#include "base/core/clock.h"
#include "base/core/result.h"

namespace mydr24::net {

enum class Method : std::uint8_t { get, head, post, put, patch, del, options, other };
std::string_view to_string(Method method);

// Header names compare without regard to case.
class Headers {
 public:
  virtual ~Headers() = default;
  // The first header of that name, empty when there is none. A view into the request.
  virtual std::string_view operator[](std::string_view name) const = 0;
};

struct Request {
  Method method = Method::get;
  std::string_view method_text;  // as sent
  std::string_view target;       // as sent: path and query
  std::string_view path;         // the part before '?', still percent-encoded
  std::string_view query;        // the part after '?', still percent-encoded
  const Headers* headers = nullptr;
  std::uint64_t content_length = 0;  // 0 when absent or chunked
  bool has_body = false;             // a Content-Length above 0, or chunked
  std::string_view remote;           // "127.0.0.1:43210"
  bool secure = false;               // came over TLS

  std::string_view header(std::string_view name) const { return (*headers)[name]; }
};

struct Response {
  int status = 200;
  std::string content_type;                                  // no header when empty
  std::vector<std::pair<std::string, std::string>> headers;  // beyond Content-Type, Content-Length, Connection, Date
  // Further headers that many answers share: "\r\n" after each. Never of anything that came from outside, and it
  // outlives the answer.
  std::string_view fixed_headers;
  std::string body;
  // Sent instead of `body` when set: a text shared by many answers.
  std::shared_ptr<const std::string> shared_body;

  std::string_view content() const { return shared_body ? std::string_view(*shared_body) : std::string_view(body); }
};

// An answer made ready beforehand: status line and headers without Date and Connection, "\r\n" after each, no body.
struct Prepared {
  int status = 503;
  std::string_view head;  // "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\n"
};

// One request and its one answer. Used only by the coroutine that was given it.
class Exchange {
 public:
  virtual ~Exchange() = default;

  virtual const Request& request() const = 0;

  // The whole body, gzip undone when Content-Encoding says so. Code::too_large beyond `bytes_max` (counted
  // after decompression), Code::unsupported for another encoding, Code::invalid when the peer breaks the
  // framing, Code::busy when it is too slow or gone. Call once.
  virtual Task<Result<std::string>> read_body(std::size_t bytes_max) = 0;

  // The body piece by piece (gzip undone), at most a few 64 KiB each; empty at the end. The view holds until
  // the next call. Each piece has the idle time limit, the whole has none. Not together with read_body.
  virtual Task<Result<std::string_view>> read_some() = 0;

  // Answers. HEAD gets the headers only. The body is sent gzip-encoded when the client accepts it and it is worth it
  // (ServerSettings::gzip_bytes_min). Unread request body is drained up to a limit, or the connection closed.
  virtual Task<> respond(Response response) = 0;

  // The same for an answer that must cost next to nothing: a refusal. It is sent before the body is read.
  virtual Task<> respond_prepared(Prepared prepared) {
    co_await respond(
        Response{.status = prepared.status, .content_type = {}, .headers = {}, .body = {}, .shared_body = {}});
  }

  // Starts an answer of unknown length (chunked; not compressed): then write() pieces, then finish(). A write
  // waits until the peer takes it; an error means the peer is gone or slower than the write limit: stop then.
  virtual Task<Result<>> begin_stream(Response head) = 0;
  virtual Task<Result<>> write(std::string_view piece) = 0;
  virtual Task<Result<>> finish() = 0;

  // True when the server is draining: long streams (server-sent events) end soon.
  virtual bool draining() const = 0;

  // How late the thread that serves this was with what was due, when it last looked; 0 when it does not measure that.
  virtual std::chrono::nanoseconds loop_lag() const { return std::chrono::nanoseconds(0); }

  // Waits; used by streams that have nothing to say. Returns early when the server drains or the peer closes.
  virtual Task<> sleep(std::chrono::milliseconds time) = 0;
  // Ends a sleep() of the same exchange early. On the exchange's own thread.
  virtual void end_sleep() {}
  // Whether the peer was found to have closed, by a sleep or a write.
  virtual bool peer_gone() const { return false; }
};

// Runs on the connection's own I/O thread: must not block for more than about a millisecond.
using Handler = std::function<Task<>(Exchange&)>;

struct TlsSettings {
  std::string certificate_file;  // PEM chain
  std::string key_file;          // PEM
  // PEM: authorities of which every client must show a certificate, else there is no connection. Empty: none is asked
  // for.
  std::string client_ca_file;
};

struct ServerSettings {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;   // 0: any free one, see Server::port()
  std::size_t threads = 1;  // each with its own io_context and SO_REUSEPORT socket
  std::size_t header_bytes_max = 32U << 10;
  // Over all threads, give or take one a thread; above it new ones wait in the kernel's queue.
  std::size_t connections_max = 18'000;
  std::chrono::milliseconds header_time_max{10'000};     // from the first byte of a request to the end of its headers
  std::chrono::milliseconds idle_time_max{120'000};      // keep-alive between requests
  std::chrono::milliseconds body_idle_time_max{20'000};  // between two pieces of a body, or two writes of an answer
  std::chrono::milliseconds drain_time_max{10'000};
  // Bytes per second of a body over the time spent waiting for it, after a first body_idle_time_max; slower is cut off.
  // 0: no such limit.
  std::size_t body_rate_min = 256;
  std::size_t gzip_bytes_min = 16U << 10;  // 0: never
  TlsSettings tls;                         // plain when empty
  // Runs first on every I/O thread, given its number from 0: a name, a priority. Must not throw.
  std::function<void(std::size_t)> thread_begun;
  // Each I/O thread measures how late it is, this often, and tells. 0: never. Must not throw or wait.
  std::chrono::milliseconds lag_interval{0};
  std::function<void(std::size_t thread, std::chrono::nanoseconds lag)> loop_lag;
  // Told of what came and was no request (malformed, too large, too slow), with the status that it was refused with: 400,
  // 408, 417, 431 or 505. On I/O threads; must not throw or wait.
  std::function<void(int status)> refused;
  // The share of one processor that handshakes may take; above it new connections wait in the kernel's queue. 0: all.
  double handshake_share = 0;
};

class Server {
 public:
  // Closes every connection at once, then waits for the handlers that are in the middle of something else: none
  // outlives the Server.
  virtual ~Server() = default;
  virtual std::uint16_t port() const = 0;
  // Stops accepting, closes idle connections, lets requests in flight finish (answers carry Connection:
  // close), at most drain_time_max; then returns. Blocks the caller; thread-safe.
  virtual void drain() = 0;
};

// Starts listening and serving on threads of its own. What `handler` refers to must outlive the Server. Errors
// name address and port, or the faulty TLS file.
Result<std::unique_ptr<Server>> serve(const ServerSettings& settings, Handler handler);

}  // namespace mydr24::net
