#include "base/net/detail/http_exchange.h"

#include <algorithm>
#include <cstring>

namespace mydr24::net {
namespace {

constexpr std::size_t first_buffer_bytes = 16U << 10;
constexpr std::size_t kept_buffer_bytes_max = 64U << 10;
constexpr std::size_t blank_lines_max = 4;
// A peer as fast as we are would keep the thread to itself: after so many bytes the other connections have their turn.
constexpr std::size_t bytes_at_once_max = 256U << 10;
constexpr std::size_t request_turn_bytes = 4U << 10;  // what a request counts for in that
constexpr std::size_t lingering_bytes_max = 256U << 10;
constexpr std::chrono::milliseconds lingering_time_max{1'000};

}  // namespace

void HttpExchange::Buffer::reserve(std::size_t bytes) {
  if (capacity >= bytes && begin == 0) return;
  const std::size_t held = end - begin;
  if (capacity < bytes) {
    auto larger = std::make_unique_for_overwrite<char[]>(bytes);
    if (held > 0) std::memcpy(larger.get(), data.get() + begin, held);
    data = std::move(larger);
    capacity = bytes;
  } else if (held > 0) {
    std::memmove(data.get(), data.get() + begin, held);
  }
  begin = 0;
  end = held;
}

void HttpExchange::attach(std::shared_ptr<Connection> connection) {
  connection_ = std::move(connection);
  connection_->exchange = this;
  flush_posted_ = false;
  bytes_at_once_ = 0;
  close_ = broken_ = writing_ = false;
  head_deadline_ = no_deadline;
  reset_request();
}

void HttpExchange::detach() {
  connection_->exchange = nullptr;
  connection_.reset();
  in_.begin = in_.end = 0;
  if (in_.capacity > kept_buffer_bytes_max) in_ = Buffer{};
  extra_ = Buffer{};
  inflater_.reset();
  out_.clear();
  if (out_.capacity() > kept_buffer_bytes_max) out_ = std::string();
}

void HttpExchange::reset_request() {
  phase_ = Phase::unanswered;
  swallow_ = stream_chunked_ = false;
  body_done_ = true;
  body_used_ = continue_due_ = false;
  body_left_ = body_received_ = 0;
  body_waited_ = {};
  chunks_ = {};
  inflater_.reset();
  inflate_input_ = {};
}

Task<HttpExchange::Next> HttpExchange::serve_one() {
  const Next head = co_await read_head();
  if (head != Next::request) co_return head;
  if (!co_await run_handler()) co_return Next::close;
  co_return co_await end_request() ? Next::request : Next::close;
}

void HttpExchange::skip_blank_lines() {
  // Some clients send an extra line end after a body (RFC 9112, section 2.2).
  for (std::size_t i = 0; i < blank_lines_max && in_.view().starts_with("\r\n"); ++i) in_.begin += 2;
}

Task<HttpExchange::Next> HttpExchange::read_head() {
  const std::size_t bytes_max = thread_.state().settings.header_bytes_max;
  std::size_t scanned = 0;
  while (true) {
    if (scanned == 0) skip_blank_lines();
    const HeadScan scan = scan_head(in_.view(), scanned);
    scanned = scan.bytes;
    if (scan.state == HeadScan::State::malformed) co_return co_await refuse(400, "malformed request head");
    if (scan.bytes > bytes_max) co_return co_await refuse(431, "the request head is too large");
    if (scan.state == HeadScan::State::complete) break;
    if (in_.view().size() >= bytes_max) co_return co_await refuse(431, "the request head is too large");

    if (in_.end == in_.capacity) in_.reserve(std::max(first_buffer_bytes, 2 * in_.view().size()));
    char* const room = in_.data.get() + in_.end;
    const std::size_t size = in_.capacity - in_.end;
    IoStep step = connection_->stream.read(room, size);
    if (step.state == IoStep::State::want_read || step.state == IoStep::State::want_write) {
      if (!has_input()) co_return Next::idle;
      if (head_deadline_ == no_deadline)
        head_deadline_ = thread_.deadline_after(thread_.state().settings.header_time_max);
      const Received received = co_await receive(room, size, head_deadline_);
      if (received.wake == Wake::timed_out) co_return co_await refuse(408, "the request head took too long");
      if (received.wake != Wake::ready) co_return Next::close;
      step = {received.bytes > 0 ? IoStep::State::done : IoStep::State::closed, received.bytes};
    }
    if (step.state != IoStep::State::done) co_return Next::close;
    in_.end += step.bytes;
  }

  head_deadline_ = no_deadline;
  reset_request();
  const HeadFault fault = head_.parse(in_.view().substr(0, scanned));
  in_.begin += scanned;
  if (fault.status != 0) co_return co_await refuse(fault.status, fault.text);
  head_.request.remote = connection_->remote;
  head_.request.secure = connection_->stream.secure();
  body_done_ = !head_.request.has_body;
  body_left_ = head_.request.content_length;
  continue_due_ = head_.expects_continue && head_.request.has_body;
  close_ = !head_.keep_alive;
  co_return Next::request;
}

Task<bool> HttpExchange::run_handler() {
  bool thrown = false;
  try {
    co_await thread_.state().handler(*this);
  } catch (...) {
    thrown = true;  // the handler's own fault; whoever made it logs it
  }
  if (phase_ == Phase::unanswered) {
    close_ = close_ || thrown;
    co_await respond({.status = 500, .content_type = "text/plain", .body = "the request could not be answered\n"});
  }
  // A stream that was not finished must not look finished.
  if (phase_ == Phase::streaming) co_return false;
  co_return !broken_;
}

Task<bool> HttpExchange::end_request() {
  std::size_t drained = 0;
  while (!body_done_ && !close_) {
    inflater_.reset();
    if (!co_await send({})) co_return false;
    const auto piece = co_await next_raw();
    if (piece) drained += piece->size();
    if (!piece || drained > drained_body_bytes_max) close_ = true;
  }
  if (close_) {
    if (co_await send({}) && (!body_done_ || has_input())) co_await close_gracefully();
    co_return false;
  }
  if (extra_.begin != extra_.end) {  // the requests that came with the end of a chunked body
    const std::string_view rest = extra_.view();
    in_.begin = in_.end = 0;
    in_.reserve(std::max(first_buffer_bytes, rest.size()));
    std::memcpy(in_.data.get(), rest.data(), rest.size());
    in_.end = rest.size();
  }
  extra_ = Buffer{};
  if (!has_input()) in_.begin = in_.end = 0;
  co_return true;
}

Task<HttpExchange::Next> HttpExchange::refuse(int status, std::string_view text) {
  if (const auto& tell = thread_.state().settings.refused) tell(status);
  reset_request();
  head_.request = Request{};
  head_.http_1_1 = true;
  close_ = true;
  Response response{.status = status, .content_type = "text/plain"};
  response.body.append(text).append("\n");
  co_await respond(std::move(response));
  if (co_await send({})) co_await close_gracefully();
  co_return Next::close;
}

// Closing a socket that has unread input resets it, and the peer may lose the answer: so the rest is read for a while.
Task<> HttpExchange::close_gracefully() {
  connection_->stream.shutdown_write();
  in_.begin = in_.end = 0;
  in_.reserve(first_buffer_bytes);
  const Nanoseconds deadline = thread_.deadline_after(lingering_time_max);
  for (std::size_t dropped = 0; dropped < lingering_bytes_max;) {
    const Received received = co_await receive(in_.data.get(), in_.capacity, deadline);
    if (received.wake != Wake::ready || received.bytes == 0) co_return;
    dropped += received.bytes;
  }
}

Task<HttpExchange::Received> HttpExchange::receive(char* data, std::size_t size, Nanoseconds deadline) {
  while (true) {
    const IoStep step = connection_->stream.read(data, size);
    switch (step.state) {
      case IoStep::State::done:
        co_return Received{Wake::ready, step.bytes};
      case IoStep::State::closed:
      case IoStep::State::failed:
        co_return Received{Wake::ready, 0};
      default:
        break;
    }
    if (!out_.empty() && !co_await send({})) co_return Received{Wake::stopped, 0};
    const auto type =
        step.state == IoStep::State::want_read ? asio::socket_base::wait_read : asio::socket_base::wait_write;
    bytes_at_once_ = 0;
    const Wake wake = co_await connection_->wait(type, deadline);
    if (wake != Wake::ready) co_return Received{wake, 0};
  }
}

Task<> HttpExchange::let_others_run(std::size_t bytes) {
  bytes_at_once_ += bytes;
  if (bytes_at_once_ < bytes_at_once_max) co_return;
  bytes_at_once_ = 0;
  co_await asio::post(thread_.context(), awaitable);
}

Task<> HttpExchange::sleep(std::chrono::milliseconds time) {
  if (broken_ || thread_.draining() || !co_await send({})) co_return;
  Timer timer(thread_.context().get_executor());
  timer.expires_after(time);
  const std::uint32_t number = ++connection_->sleep_number;
  timer.async_wait([connection = connection_, number](const boost::system::error_code& error) {
    if (error || connection->sleep_number != number) return;
    connection->sleeping = false;
    connection->wake();
  });
  connection_->sleeping = true;
  auto type = asio::socket_base::wait_read;
  while (connection_->sleeping && !thread_.draining()) {
    if (connection_->stream.peer_closed()) {
      broken_ = true;
      break;
    }
    // Bytes that wait to be read later would wake it at once: then the end shows as an error only.
    if (connection_->stream.has_input()) type = asio::socket_base::wait_error;
    if (co_await connection_->wait(type, no_deadline) != Wake::ready) break;
    type = asio::socket_base::wait_error;
  }
  connection_->sleeping = false;
  ++connection_->sleep_number;
}

void HttpExchange::end_sleep() {
  if (!connection_ || !connection_->sleeping) return;
  connection_->sleeping = false;
  connection_->wake();
}

namespace {

Task<bool> finish_handshake(Connection& connection) {
  const Nanoseconds deadline = connection.thread.deadline_after(connection.thread.state().settings.header_time_max);
  while (true) {
    const Nanoseconds begun = system_clock().steady();
    const IoStep step = connection.stream.handshake();
    connection.thread.charge_handshake(system_clock().steady() - begun);
    if (step.state == IoStep::State::done) co_return true;
    if (step.state != IoStep::State::want_read && step.state != IoStep::State::want_write) co_return false;
    const auto type =
        step.state == IoStep::State::want_read ? asio::socket_base::wait_read : asio::socket_base::wait_write;
    if (co_await connection.wait(type, deadline) != Wake::ready) co_return false;
  }
}

// Gives the exchange back however the requests end.
class Lent {
 public:
  explicit Lent(const std::shared_ptr<Connection>& connection)
      : thread_(connection->thread), exchange_(thread_.take_exchange()) {
    exchange_->attach(connection);
  }
  ~Lent() {
    exchange_->detach();
    thread_.give_back(std::move(exchange_));
  }
  Lent(const Lent&) = delete;
  Lent& operator=(const Lent&) = delete;
  HttpExchange* operator->() const { return exchange_.get(); }

 private:
  IoThread& thread_;
  std::unique_ptr<HttpExchange> exchange_;
};

// Everything that has come; false when the connection is over.
Task<bool> serve_requests(std::shared_ptr<Connection> connection) {
  const Lent exchange(connection);
  while (true) {
    const HttpExchange::Next next = co_await exchange->serve_one();
    if (next == HttpExchange::Next::close) {
      co_await exchange->flush();
      co_return false;
    }
    co_await exchange->let_others_run(request_turn_bytes);
    if (exchange->has_input()) continue;
    if (!co_await exchange->flush()) co_return false;
    if (next == HttpExchange::Next::idle || !connection->stream.has_input()) co_return true;
  }
}

}  // namespace

Task<> serve_connection(std::shared_ptr<Connection> connection) {
  IoThread& thread = connection->thread;
  try {
    if (SSL_CTX* tls = thread.state().tls.get(); tls != nullptr) {
      if (!connection->stream.start_tls_server(tls) || !co_await finish_handshake(*connection)) co_return;
    }
    // The first request may have come with the end of the handshake.
    bool go_on = !connection->stream.has_input() || co_await serve_requests(connection);
    while (go_on && !thread.draining()) {
      connection->idle = true;
      const Wake wake = co_await connection->wait(asio::socket_base::wait_read,
                                                  thread.deadline_after(thread.state().settings.idle_time_max));
      connection->idle = false;
      go_on = wake == Wake::ready && co_await serve_requests(connection);
    }
  } catch (const std::exception&) {
    // Out of memory: this connection closes, the server goes on.
  }
}

}  // namespace mydr24::net
