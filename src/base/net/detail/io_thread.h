#pragma once

// One I/O thread of the server: its io_context, its listener, its connections and their deadlines, and the
// exchanges that idle connections do without.
//
// Invariant: everything here is touched by its own thread only; other threads post. A connection's deadline
// is set only while its coroutine waits for the socket.

#include <array>
#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>
#include <condition_variable>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/async/task.h"
#include "base/net/detail/stream.h"
#include "base/net/http.h"

namespace mydr24::net {

using Tcp = asio::ip::tcp;
using Socket = asio::basic_stream_socket<Tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<Tcp, Executor>;
using Timer =
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;
using Nanoseconds = std::chrono::nanoseconds;

inline constexpr Nanoseconds no_deadline = Nanoseconds::max();

class HttpExchange;
class IoThread;

// What all threads of a server share.
struct ServerState {
  ServerSettings settings;
  Handler handler;
  TlsContext tls;  // null: plain
  std::atomic<std::size_t> connections{0};
  std::atomic<bool> draining{false};
  std::mutex mutex;
  std::condition_variable all_closed;
};

enum class Wake : std::uint8_t { ready, timed_out, stopped };

// One accepted socket. While idle this, its coroutine and the kernel's socket are all there is.
class Connection : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  Connection(IoThread& thread, Socket socket);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Until the socket is ready, `deadline` (steady time) has passed, or wake() or abort() was called.
  Task<Wake> wait(asio::socket_base::wait_type type, Nanoseconds deadline);
  void wake();
  // Ends all waiting, now and later, and the connection.
  void abort();
  void expire_if_due(Nanoseconds now);

  IoThread& thread;
  Stream stream;
  std::string remote;
  bool idle = false;      // between two requests: to be closed when the server drains
  bool sleeping = false;  // in Exchange::sleep: to be woken when the server drains
  std::uint32_t sleep_number = 0;
  HttpExchange* exchange = nullptr;  // lent to it

 private:
  Socket socket_;
  Nanoseconds deadline_ = no_deadline;
  bool waiting_ = false;
  bool timed_out_ = false;
  bool aborted_ = false;
};

class IoThread {
 public:
  IoThread(ServerState& state, std::size_t number);
  ~IoThread();
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  // Before run(). `fd` is a listening socket, taken over.
  void listen(int fd, const Tcp& protocol);
  // Serves until stop(), and then until the last handler has returned.
  void run();

  // Thread-safe.
  void drain();  // closes the listener and idle connections
  void abort_connections();
  void stop();

  ServerState& state() { return state_; }
  asio::io_context& context() { return context_; }
  bool draining() const { return state_.draining.load(std::memory_order_relaxed); }
  // Steady time as of the last sweep: late by up to one interval.
  Nanoseconds coarse_now() const { return now_; }
  // A deadline not before `limit` from now.
  Nanoseconds deadline_after(Nanoseconds limit) const { return now_ + limit + sweep_interval_; }
  std::string_view date() const { return date_; }
  // How late the last look came.
  Nanoseconds lag() const { return lag_; }
  // What a handshake has cost: new connections wait until the share of the processor that handshakes have allows more.
  void charge_handshake(Nanoseconds time);

  std::unique_ptr<HttpExchange> take_exchange();
  void give_back(std::unique_ptr<HttpExchange> exchange);

 private:
  friend class Connection;
  Task<> accept();
  Task<> pause(std::chrono::milliseconds time);
  void start(Socket socket);
  void sweep();
  void schedule_sweep();
  void watch_lag();
  void connection_closed();

  ServerState& state_;
  const std::size_t number_;
  asio::io_context context_{1};
  asio::executor_work_guard<Executor> work_;
  Acceptor acceptor_;
  Timer accept_pause_;
  Timer sweep_timer_;
  Timer lag_timer_;
  Nanoseconds sweep_interval_;
  Nanoseconds now_{};
  std::string date_;
  Nanoseconds lag_{0};
  Nanoseconds handshakes_paid_until_{0};  // steady: before it no new connection is taken
  bool stopping_ = false;
  boost::intrusive::list<Connection, boost::intrusive::constant_time_size<false>> connections_;
  std::vector<std::unique_ptr<HttpExchange>> exchanges_;
};

// Answers the connection's requests until it ends.
Task<> serve_connection(std::shared_ptr<Connection> connection);

}  // namespace mydr24::net
