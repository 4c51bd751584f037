#include "base/net/detail/io_thread.h"

#include <fmt/format.h>

#include <sys/socket.h>
#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <tuple>

#include "base/core/clock.h"
#include "base/core/date_time.h"
#include "base/net/detail/http_exchange.h"

namespace mydr24::net {
namespace {

constexpr std::size_t pooled_exchanges_max = 64;
constexpr std::chrono::milliseconds accept_back_off{50};
constexpr std::chrono::milliseconds sweep_interval_max{250};
constexpr std::chrono::milliseconds sweep_interval_min{10};

// A quarter of the shortest limit, so that small limits are kept as well as large ones.
Nanoseconds sweep_interval(const ServerSettings& settings) {
  const auto shortest = std::min({settings.header_time_max, settings.idle_time_max, settings.body_idle_time_max});
  return std::clamp(shortest / 4, sweep_interval_min, sweep_interval_max);
}

std::string text_of(const Tcp::endpoint& endpoint) {
  const auto address = endpoint.address();
  return fmt::format(fmt::runtime(address.is_v6() ? "[{}]:{}" : "{}:{}"), address.to_string(), endpoint.port());
}

}  // namespace

Connection::Connection(IoThread& io_thread, Socket socket) : thread(io_thread), socket_(std::move(socket)) {
  boost::system::error_code ignored;
  std::ignore = socket_.non_blocking(true, ignored);
  std::ignore = socket_.set_option(Tcp::no_delay(true), ignored);
  remote = text_of(socket_.remote_endpoint(ignored));
  stream = Stream(socket_.native_handle());
  ++thread.state().connections;
}

Connection::~Connection() {
  unlink();
  thread.connection_closed();
}

Task<Wake> Connection::wait(asio::socket_base::wait_type type, Nanoseconds deadline) {
  if (aborted_) co_return Wake::stopped;
  deadline_ = deadline;
  timed_out_ = false;
  waiting_ = true;
  const auto [error] = co_await socket_.async_wait(type, asio::as_tuple(awaitable));
  waiting_ = false;
  deadline_ = no_deadline;
  if (aborted_) co_return Wake::stopped;
  if (!error) co_return Wake::ready;
  co_return timed_out_ ? Wake::timed_out : Wake::stopped;
}

void Connection::wake() {
  boost::system::error_code ignored;
  if (waiting_) std::ignore = socket_.cancel(ignored);
}

void Connection::abort() {
  aborted_ = true;
  boost::system::error_code ignored;
  std::ignore = socket_.shutdown(Socket::shutdown_both, ignored);
  wake();
}

void Connection::expire_if_due(Nanoseconds now) {
  if (deadline_ > now) return;
  deadline_ = no_deadline;
  timed_out_ = true;
  wake();
}

IoThread::IoThread(ServerState& state, std::size_t number)
    : state_(state),
      number_(number),
      work_(context_.get_executor()),
      acceptor_(context_.get_executor()),
      accept_pause_(context_.get_executor()),
      sweep_timer_(context_.get_executor()),
      lag_timer_(context_.get_executor()),
      sweep_interval_(sweep_interval(state.settings)) {}

IoThread::~IoThread() = default;

void IoThread::listen(int fd, const Tcp& protocol) { acceptor_.assign(protocol, fd); }

void IoThread::run() {
  sweep();
  if (state_.settings.lag_interval.count() > 0) watch_lag();
  asio::co_spawn(context_.get_executor(), accept(), asio::detached);
  context_.run();
}

Task<> IoThread::accept() {
  while (acceptor_.is_open()) {
    if (state_.connections.load() >= state_.settings.connections_max) {
      co_await pause(accept_back_off);
      continue;
    }
    if (const auto wait = handshakes_paid_until_ - system_clock().steady();
        handshakes_paid_until_ > Nanoseconds(0) && wait > Nanoseconds(0)) {
      co_await pause(std::clamp(std::chrono::ceil<std::chrono::milliseconds>(wait), std::chrono::milliseconds(1),
                                accept_back_off));
      continue;
    }
    auto [error, socket] = co_await acceptor_.async_accept(asio::as_tuple(awaitable));
    if (!acceptor_.is_open()) co_return;
    if (error) {
      // Out of descriptors or memory: the peers wait in the kernel's queue meanwhile.
      co_await pause(accept_back_off);
      continue;
    }
    start(std::move(socket));
  }
}

void IoThread::start(Socket socket) {
  try {
    auto connection = std::make_shared<Connection>(*this, std::move(socket));
    connections_.push_back(*connection);
    asio::co_spawn(context_.get_executor(), serve_connection(std::move(connection)), asio::detached);
  } catch (const std::exception&) {
    // No memory for one more: the socket closes, the others go on.
  }
}

Task<> IoThread::pause(std::chrono::milliseconds time) {
  accept_pause_.expires_after(time);
  co_await accept_pause_.async_wait(asio::as_tuple(awaitable));
}

void IoThread::sweep() {
  now_ = system_clock().steady();
  date_ = format_http_date(system_clock().now());
  for (Connection& connection : connections_) connection.expire_if_due(now_);
  schedule_sweep();
}

void IoThread::schedule_sweep() {
  sweep_timer_.expires_after(sweep_interval_);
  sweep_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error && !stopping_) sweep();
  });
}

void IoThread::watch_lag() {
  lag_timer_.expires_after(state_.settings.lag_interval);
  lag_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error || stopping_) return;
    lag_ = std::max(Nanoseconds(0), std::chrono::steady_clock::now() - lag_timer_.expiry());
    if (state_.settings.loop_lag) state_.settings.loop_lag(number_, lag_);
    watch_lag();
  });
}

// Each thread has its part of the share. Unused time is not saved up beyond a moment: a burst of reconnecting clients
// must not take the processor for seconds.
void IoThread::charge_handshake(Nanoseconds time) {
  const double share =
      state_.settings.handshake_share / static_cast<double>(std::max<std::size_t>(1, state_.settings.threads));
  if (share <= 0) return;
  const auto now = system_clock().steady();
  const auto saved = std::chrono::milliseconds(20);
  handshakes_paid_until_ = std::max(handshakes_paid_until_, now - saved) +
                           std::chrono::duration_cast<Nanoseconds>(
                               std::chrono::duration<double, std::nano>(static_cast<double>(time.count()) / share));
}

void IoThread::drain() {
  asio::post(context_, [this] {
    boost::system::error_code ignored;
    std::ignore = acceptor_.close(ignored);
    accept_pause_.cancel();
    for (Connection& connection : connections_) {
      if (connection.idle || connection.sleeping) connection.wake();
    }
  });
}

void IoThread::abort_connections() {
  asio::post(context_, [this] {
    for (Connection& connection : connections_) connection.abort();
  });
}

void IoThread::stop() {
  asio::post(context_, [this] {
    stopping_ = true;
    boost::system::error_code ignored;
    std::ignore = acceptor_.close(ignored);
    accept_pause_.cancel();
    sweep_timer_.cancel();
    lag_timer_.cancel();
    for (Connection& connection : connections_) connection.abort();
    work_.reset();
  });
}

void IoThread::connection_closed() {
  if (--state_.connections == 0 && draining()) {
    const std::lock_guard lock(state_.mutex);
    state_.all_closed.notify_all();
  }
}

std::unique_ptr<HttpExchange> IoThread::take_exchange() {
  if (exchanges_.empty()) return std::make_unique<HttpExchange>(*this);
  auto exchange = std::move(exchanges_.back());
  exchanges_.pop_back();
  return exchange;
}

void IoThread::give_back(std::unique_ptr<HttpExchange> exchange) {
  if (exchanges_.size() < pooled_exchanges_max) exchanges_.push_back(std::move(exchange));
}

}  // namespace mydr24::net
