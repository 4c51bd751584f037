#pragma once

// The Exchange of net/http.h over one Connection, with every buffer that a request in flight needs. Pooled
// per thread and lent to a connection from its first byte until nothing of a request is left.
//
// Invariant: the bytes of the current head do not move while its handler runs, for the Request views them.

#include <array>
#include <memory>
#include <string>

#include "base/net/detail/gzip.h"
#include "base/net/detail/io_thread.h"
#include "base/net/detail/request_head.h"

namespace mydr24::net {

// What is read and dropped of a body that the handler did not want, before closing is the better way.
inline constexpr std::size_t drained_body_bytes_max = 64U << 10;

class HttpExchange final : public Exchange {
 public:
  explicit HttpExchange(IoThread& thread) : thread_(thread) {}

  void attach(std::shared_ptr<Connection> connection);
  // Drops what one connection left.
  void detach();

  enum class Next : std::uint8_t { request, idle, close };
  // Reads one head, lets the handler answer it, and leaves the connection ready for the one after. `idle`:
  // nothing more has come.
  Task<Next> serve_one();
  // Sends what answers to pipelined requests have gathered; false when the peer is gone.
  Task<bool> flush() { return send({}); }
  bool has_input() const { return in_.begin != in_.end; }
  // After many bytes without waiting, the thread's other connections have their turn.
  Task<> let_others_run(std::size_t bytes);
  void flush_without_waiting();
  // Lets the peer read the last answer before the connection closes.
  Task<> close_gracefully();

  const Request& request() const override { return head_.request; }
  Task<Result<std::string>> read_body(std::size_t bytes_max) override;
  Task<Result<std::string_view>> read_some() override;
  Task<> respond(Response response) override;
  Task<> respond_prepared(Prepared prepared) override;
  Task<Result<>> begin_stream(Response head) override;
  Task<Result<>> write(std::string_view piece) override;
  Task<Result<>> finish() override;
  bool draining() const override { return thread_.draining(); }
  std::chrono::nanoseconds loop_lag() const override { return thread_.lag(); }
  Task<> sleep(std::chrono::milliseconds time) override;
  void end_sleep() override;
  bool peer_gone() const override { return broken_; }

 private:
  struct Buffer {
    std::unique_ptr<char[]> data;
    std::size_t capacity = 0;
    std::size_t begin = 0;
    std::size_t end = 0;
    std::string_view view() const { return {data.get() + begin, end - begin}; }
    void reserve(std::size_t bytes);  // moves what is there to the front
  };
  struct Received {
    Wake wake = Wake::ready;
    std::size_t bytes = 0;  // 0 with Wake::ready: the peer has closed
  };
  enum class Phase : std::uint8_t { unanswered, streaming, answered };

  // http_exchange.cc: from the head to the handler's return
  Task<Next> read_head();
  Task<bool> run_handler();
  Task<bool> end_request();
  Task<Next> refuse(int status, std::string_view text);
  void skip_blank_lines();
  Task<Received> receive(char* data, std::size_t size, Nanoseconds deadline);
  void reset_request();

  // request_body.cc
  Task<Result<std::string_view>> next_raw();    // framing undone
  Task<Result<std::string_view>> next_piece();  // and gzip undone
  Task<Result<>> read_straight(std::string& body);
  Task<Result<std::size_t>> receive_body(char* data, std::size_t size);
  Result<> choose_decoding();
  std::string_view take_buffered(Buffer& buffer);
  Error body_fault(Code code, std::string text);

  // answer.cc
  Task<bool> send(std::string_view body);
  IoStep::State send_now(std::string_view& body);
  void defer_flush();
  struct Framing {
    bool gzip = false;
    bool vary = false;
    bool chunked = false;
    bool no_length = false;  // until the connection closes, or no body at all
    std::size_t content_length = 0;
  };
  // False when a header must not be sent: nothing is appended then.
  bool append_head(const Response& response, const Framing& framing);
  void decide_to_close();
  Task<> compress(Response& response, Framing& framing);

  IoThread& thread_;
  std::shared_ptr<Connection> connection_;
  Buffer in_;     // heads, and what came with them
  Buffer extra_;  // body bytes that came later
  std::string out_;
  RequestHead head_;

  std::size_t bytes_at_once_ = 0;
  Nanoseconds head_deadline_ = no_deadline;
  Phase phase_ = Phase::unanswered;
  bool close_ = false;    // after this answer
  bool broken_ = false;   // no more to be sent
  bool writing_ = false;  // a coroutine waits for the socket to take more
  bool flush_posted_ = false;
  bool swallow_ = false;  // a stream whose pieces are not sent: HEAD
  bool stream_chunked_ = false;

  bool body_done_ = true;
  bool body_used_ = false;  // the handler has begun to read
  bool continue_due_ = false;
  std::uint64_t body_left_ = 0;
  std::uint64_t body_received_ = 0;
  Nanoseconds body_waited_{};
  ChunkDecoder chunks_;
  std::unique_ptr<Inflater> inflater_;
  std::string_view inflate_input_;
};

}  // namespace mydr24::net
