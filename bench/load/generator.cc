#include "load/generator.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "base/core/clock.h"

namespace mydr24::load {
namespace {

constexpr std::chrono::seconds tail_max{60};
constexpr std::size_t problem_bytes_max = 2000;

double thread_cpu_s() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

}  // namespace

struct Generator::Connection {
  std::unique_ptr<Flow> flow;
  int socket = -1;
  bool in_flight = false;
  bool ended = false;
  std::string request;
  std::size_t sent = 0;
  std::chrono::nanoseconds started{};
  AnswerReader reader;
};

Generator::Generator(Endpoint endpoint, std::vector<std::unique_ptr<Flow>> flows)
    : endpoint_(std::move(endpoint)), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  for (auto& flow : flows) {
    connections_.push_back(std::make_unique<Connection>());
    connections_.back()->flow = std::move(flow);
  }
}

Generator::~Generator() {
  for (auto& connection : connections_)
    if (connection->socket >= 0) ::close(connection->socket);
  ::close(epoll_);
}

Totals Generator::run(std::chrono::nanoseconds time, const std::atomic<bool>* stop) {
  totals_ = {};
  const Clock& clock = system_clock();
  const double cpu = thread_cpu_s();
  const auto begin = clock.steady();
  asking_ = true;
  for (auto& connection : connections_) start(*connection);
  std::array<epoll_event, 256> events;
  while (in_flight_ > 0) {
    const auto now = clock.steady();
    if (now - begin >= time || (stop != nullptr && stop->load(std::memory_order_relaxed))) asking_ = false;
    if (now - begin >= time + tail_max) {
      for (auto& connection : connections_)
        if (connection->in_flight) lose(*connection, "no answer within 60 s of the end");
      break;
    }
    const int ready = ::epoll_wait(epoll_, events.data(), events.size(), 10);
    for (int i = 0; i < ready; ++i) {
      auto& connection = *static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr);
      const auto what = events[static_cast<std::size_t>(i)].events;
      if ((what & EPOLLOUT) != 0 && connection.in_flight) flush(connection);
      if ((what & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP)) != 0 && connection.socket >= 0) receive(connection);
    }
  }
  totals_.seconds = std::chrono::duration<double>(clock.steady() - begin).count();
  totals_.own_cpu_s = thread_cpu_s() - cpu;
  return std::move(totals_);
}

bool Generator::open(Connection& connection) {
  auto socket = connect_to(endpoint_);
  if (!socket) {
    ++totals_.connection_errors;
    connection.ended = true;
    note_problem(connection, socket.error().text);
    return false;
  }
  connection.socket = *socket;
  connection.reader.clear();
  ::fcntl(connection.socket, F_SETFL, O_NONBLOCK);
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = &connection;
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.socket, &event);
  return true;
}

void Generator::start(Connection& connection) {
  if (connection.ended || connection.in_flight || !asking_) return;
  if (connection.socket < 0 && !open(connection)) return;
  connection.request.clear();
  connection.sent = 0;
  if (!connection.flow->next(connection.request)) {
    connection.ended = true;
    return;
  }
  connection.in_flight = true;
  ++in_flight_;
  connection.started = system_clock().steady();
  flush(connection);
}

void Generator::flush(Connection& connection) {
  while (connection.sent < connection.request.size()) {
    const ssize_t sent = ::send(connection.socket, connection.request.data() + connection.sent,
                                connection.request.size() - connection.sent, MSG_NOSIGNAL);
    // An error shows again when receiving, where an early answer may still wait.
    if (sent < 0) return;
    connection.sent += static_cast<std::size_t>(sent);
    totals_.bytes_sent += static_cast<std::uint64_t>(sent);
  }
}

void Generator::receive(Connection& connection) {
  while (true) {
    const auto [space, size] = connection.reader.space();
    const ssize_t got = ::recv(connection.socket, space, size, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
      lose(connection, got == 0 ? "the server closed the connection" : std::strerror(errno));
      return;
    }
    totals_.bytes_received += static_cast<std::uint64_t>(got);
    connection.reader.received(static_cast<std::size_t>(got));
    const auto state = connection.reader.poll();
    if (state == AnswerReader::State::broken || (state == AnswerReader::State::complete && !connection.in_flight)) {
      lose(connection, "what came is not the answer to a request");
      return;
    }
    if (state == AnswerReader::State::complete) {
      complete(connection);
      return;
    }
    // A short read has emptied the socket: the next bytes make a new event.
    if (static_cast<std::size_t>(got) < size) return;
  }
}

void Generator::complete(Connection& connection) {
  const Answer& answer = connection.reader.answer();
  connection.in_flight = false;
  --in_flight_;
  if (connection.flow->answered(answer)) {
    ++totals_.answers;
    totals_.latency.record(system_clock().steady() - connection.started);
  } else {
    ++totals_.failed;
    note_problem(connection, fmt::format("{}{}", answer.head, answer.body));
  }
  const bool close = answer.close;
  connection.reader.next();
  if (close) {
    ::close(connection.socket);
    connection.socket = -1;
  }
  start(connection);
}

void Generator::lose(Connection& connection, const char* why) {
  ::close(connection.socket);
  connection.socket = -1;
  if (!connection.in_flight) return;  // an idle connection may be closed at any time; the next request opens another
  connection.in_flight = false;
  --in_flight_;
  ++totals_.connection_errors;
  note_problem(connection, why);
  connection.flow->lost();
  start(connection);
}

void Generator::note_problem(const Connection& connection, std::string_view answer) {
  if (!totals_.first_problem.empty()) return;
  totals_.first_problem = fmt::format("{}\n-> {}", std::string_view(connection.request).substr(0, problem_bytes_max),
                                      answer.substr(0, problem_bytes_max));
}

}  // namespace mydr24::load
