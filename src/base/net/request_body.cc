#include <fmt/format.h>

#include <algorithm>

#include "base/core/clock.h"
#include "base/net/detail/http_exchange.h"

namespace mydr24::net {
namespace {

constexpr std::size_t piece_bytes = 64U << 10;
// Memory is given to a body as it comes, not as it is announced.
constexpr std::size_t first_reserve_bytes = 256U << 10;

}  // namespace

Error HttpExchange::body_fault(Code code, std::string text) {
  close_ = true;
  return fail(code, std::move(text));
}

Result<> HttpExchange::choose_decoding() {
  body_used_ = true;
  const std::string_view encoding = head_["Content-Encoding"];
  if (encoding.empty() || equal_ignoring_case(encoding, "identity") || body_done_) return {};
  // Of Prometheus' remote write, whose format it is part of: given as it came.
  if (encoding == "snappy" && head_["Content-Type"].starts_with("application/x-protobuf")) return {};
  if (!equal_ignoring_case(encoding, "gzip") && !equal_ignoring_case(encoding, "x-gzip")) {
    return fail(Code::unsupported, "the only Content-Encoding taken is gzip", "Content-Encoding");
  }
  inflater_ = std::make_unique<Inflater>();
  return {};
}

Task<Result<std::string>> HttpExchange::read_body(std::size_t bytes_max) {
  if (body_used_) co_return fail(Code::internal, "the request body was read already");
  if (head_.request.content_length > bytes_max) {
    body_used_ = true;
    co_return fail(Code::too_large, fmt::format("the request body is larger than {} bytes", bytes_max));
  }
  if (auto chosen = choose_decoding(); !chosen) co_return chosen.error();
  std::string body;
  if (!head_.chunked && !inflater_) {
    if (auto whole = co_await read_straight(body); !whole) co_return whole.error();
    co_return body;
  }
  while (true) {
    const auto piece = co_await next_piece();
    if (!piece) co_return piece.error();
    if (piece->empty()) co_return body;
    if (piece->size() > bytes_max - body.size()) {
      co_return body_fault(Code::too_large, fmt::format("the request body is larger than {} bytes", bytes_max));
    }
    body.append(*piece);
  }
}

Task<Result<std::string_view>> HttpExchange::read_some() {
  if (!body_used_) {
    if (auto chosen = choose_decoding(); !chosen) co_return chosen.error();
  }
  co_return co_await next_piece();
}

Task<Result<>> HttpExchange::read_straight(std::string& body) {
  if (body_done_) co_return Result<>();
  const auto size = static_cast<std::size_t>(body_left_);
  body = take_buffered(in_);
  while (body.size() < size) {
    const std::size_t had = body.size();
    const std::size_t room = std::min(size, std::max(first_reserve_bytes, 2 * had)) - had;
    body.resize_and_overwrite(had + room, [](char*, std::size_t n) { return n; });
    const auto received = co_await receive_body(body.data() + had, room);
    if (!received) co_return received.error();
    body.resize(had + *received);
    body_left_ -= *received;
  }
  body_done_ = true;
  co_return Result<>();
}

// Takes body bytes that are there already, not the requests behind them.
std::string_view HttpExchange::take_buffered(Buffer& buffer) {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.end - buffer.begin, body_left_));
  const std::string_view taken = buffer.view().substr(0, size);
  buffer.begin += size;
  body_left_ -= size;
  body_received_ += size;
  return taken;
}

Task<Result<std::string_view>> HttpExchange::next_raw() {
  while (!body_done_) {
    Buffer& buffer = has_input() ? in_ : extra_;
    if (buffer.begin == buffer.end) {
      if (extra_.capacity == 0) extra_.reserve(piece_bytes);
      extra_.begin = extra_.end = 0;
      const std::size_t room =
          head_.chunked ? piece_bytes : static_cast<std::size_t>(std::min<std::uint64_t>(piece_bytes, body_left_));
      const auto received = co_await receive_body(extra_.data.get(), room);
      if (!received) co_return received.error();
      extra_.end = *received;
      continue;
    }
    if (!head_.chunked) {
      const std::string_view piece = take_buffered(buffer);
      body_done_ = body_left_ == 0;
      co_return piece;
    }
    std::string_view input = buffer.view();
    const std::string_view piece = chunks_.next(input);
    buffer.begin = buffer.end - input.size();
    if (chunks_.bad()) co_return body_fault(Code::invalid, "the chunked coding of the request body is broken");
    body_done_ = chunks_.done();
    if (!piece.empty()) co_return piece;
  }
  co_return std::string_view();
}

Task<Result<std::string_view>> HttpExchange::next_piece() {
  if (!inflater_) co_return co_await next_raw();
  while (true) {
    if (inflate_input_.empty()) {
      const auto raw = co_await next_raw();
      if (!raw) co_return raw.error();
      inflate_input_ = *raw;
    }
    const bool ended = inflate_input_.empty();
    const auto piece = inflater_->next(inflate_input_);
    if (!piece) co_return body_fault(piece.error().code, piece.error().text);
    if (!piece->empty()) co_return *piece;
    if (!ended) continue;
    if (!inflater_->complete()) co_return body_fault(Code::invalid, "the gzip body ends early");
    co_return std::string_view();
  }
}

// At least one byte. The limits count the time spent waiting for the peer only: a handler that is slow to
// take the pieces is not the peer's fault.
Task<Result<std::size_t>> HttpExchange::receive_body(char* data, std::size_t size) {
  const ServerSettings& settings = thread_.state().settings;
  if (continue_due_) {
    continue_due_ = false;
    out_ += "HTTP/1.1 100 Continue\r\n\r\n";
    if (!co_await send({})) co_return body_fault(Code::busy, "the client is gone");
  }
  IoStep step = connection_->stream.read(data, size);
  if (step.state == IoStep::State::want_read || step.state == IoStep::State::want_write) {
    Nanoseconds limit = settings.body_idle_time_max;
    if (settings.body_rate_min > 0) {
      const auto earned = std::chrono::milliseconds(body_received_ * 1000 / settings.body_rate_min);
      limit = std::min<Nanoseconds>(limit, settings.body_idle_time_max + earned - body_waited_);
    }
    const Nanoseconds begun = system_clock().steady();
    const Received received = co_await receive(data, size, begun + std::max(limit, Nanoseconds(0)));
    body_waited_ += system_clock().steady() - begun;
    if (received.wake == Wake::timed_out) co_return body_fault(Code::busy, "the request body came too slowly");
    if (received.wake != Wake::ready) co_return body_fault(Code::busy, "the server is closing the connection");
    step = {received.bytes > 0 ? IoStep::State::done : IoStep::State::closed, received.bytes};
  }
  if (step.state != IoStep::State::done)
    co_return body_fault(Code::busy, "the client closed before the end of the body");
  body_received_ += step.bytes;
  co_await let_others_run(step.bytes);
  co_return step.bytes;
}

}  // namespace mydr24::net
