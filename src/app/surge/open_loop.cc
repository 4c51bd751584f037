#include "app/surge/open_loop.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <thread>

namespace mydr24::surge {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr std::size_t buffer_bytes = 256U << 10;
constexpr int arrivals_a_turn = 64;  // before answers are looked at again
constexpr std::size_t events_a_turn = 128;
constexpr std::chrono::seconds connect_max{60};  // and 10 ms for each connection
constexpr milliseconds turn_max{50};
// Above this rate a generator with nothing to do rests a little instead of setting a timer for every request: the processor
// is better spent on sending. It shows in its lateness.
constexpr double brisk_per_s = 20'000;
constexpr std::chrono::microseconds brisk_rest{100};
constexpr double budget_share = 0.1;
constexpr milliseconds backoff_first{500};
constexpr double zipf_exponent = 1.1;

// The CPU time of this thread.
double own_cpu_s() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

nanoseconds of_seconds(double seconds) { return nanoseconds(static_cast<std::int64_t>(seconds * 1e9)); }

void count_second(std::vector<std::uint64_t>& seconds, nanoseconds at) {
  const auto second = static_cast<std::size_t>(std::max<std::int64_t>(0, at.count()) / 1'000'000'000);
  if (seconds.size() <= second) seconds.resize(second + 1);
  ++seconds[second];
}

nanoseconds rest_of(const std::vector<Phase>& phases) {
  const bool brisk = std::ranges::any_of(phases, [](const Phase& phase) { return phase.per_second > brisk_per_s; });
  return brisk ? brisk_rest : nanoseconds(0);
}

Outcome outcome_of(int status) {
  if (status >= 200 && status < 300) return Outcome::served;
  return status == 429 || status == 503 ? Outcome::refused : Outcome::wrong;
}

}  // namespace

OpenLoop::OpenLoop(LoadSpec spec, const Clock& clock)
    : spec_(std::move(spec)),
      clock_(clock),
      maker_(spec_, clock),
      arrivals_(spec_.phases, spec_.pace, spec_.seed),
      random_(spec_.seed ^ 0x5deece66dU),
      warm_up_(of_seconds(spec_.warm_up_s)),
      rest_(rest_of(spec_.phases)),
      tls_(spec_.tls ? make_tls_client() : TlsClient()),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      buffer_(buffer_bytes, '\0') {
  connections_.resize(spec_.connections);
  place_connections();
}

OpenLoop::~OpenLoop() { ::close(epoll_); }

// Each source gets one connection and its share of the rest; neighbours in the order of use come from different ones.
void OpenLoop::place_connections() {
  const std::size_t sources = std::clamp<std::size_t>(spec_.sources, 1, connections_.size());
  std::vector<double> weight(sources);
  double total = 0;
  for (std::size_t i = 0; i < sources; ++i) total += weight[i] = std::pow(static_cast<double>(i + 1), -zipf_exponent);
  std::size_t placed = 0;
  const auto rest = static_cast<double>(connections_.size() - sources);
  double owed = 0;
  for (std::size_t i = 0; i < sources && placed < connections_.size(); ++i) {
    owed += 1 + rest * weight[i] / total;
    const std::size_t until = i + 1 == sources ? connections_.size() : static_cast<std::size_t>(owed + 0.5);
    for (; placed < std::min(until, connections_.size()); ++placed) {
      connections_[placed].source = sources == 1 ? 0 : static_cast<std::uint32_t>(i + 1);
      connections_[placed].heavy = i < (sources + 99) / 100;
    }
  }
  std::vector<std::uint32_t> order(connections_.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::shuffle(order, random_);
  free_.assign(order.begin(), order.end());
}

Result<> OpenLoop::open(std::uint32_t index) {
  Connection& connection = connections_[index];
  connection.scanner.clear();
  MYDR24_TRY(connection.wire.open(spec_.endpoint, connection.source, tls_.get()));
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.u32 = index;
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.wire.socket(), &event);
  return {};
}

// Each connection is used once, so that it is there, shaken hands included, before the clock runs.
Result<> OpenLoop::connect() {
  if (spec_.connection_per_request) return {};
  std::string request;
  load::append_request(request, "GET", "/surge");  // whatever the answer
  const auto end = clock_.steady() + connect_max + milliseconds(10) * connections_.size();
  constexpr std::uint32_t at_once = 64;
  for (std::uint32_t first = 0; first < connections_.size(); first += at_once) {
    const auto last = std::min<std::uint32_t>(first + at_once, static_cast<std::uint32_t>(connections_.size()));
    for (std::uint32_t i = first; i < last; ++i) MYDR24_TRY(open(i));
    for (std::uint32_t i = first; i < last; ++i) {
      Connection& connection = connections_[i];
      std::size_t sent = 0;
      auto state = AnswerScanner::State::more;
      while (state == AnswerScanner::State::more) {
        if (clock_.steady() > end) return fail(Code::busy, "the server did not take the connections in time");
        ssize_t moved = 0;
        if (sent < request.size()) {
          moved = connection.wire.send(request.data() + sent, request.size() - sent);
          if (moved > 0) sent += static_cast<std::size_t>(moved);
        } else {
          moved = connection.wire.receive(buffer_.data(), buffer_.size());
          std::string_view bytes(buffer_.data(), moved > 0 ? static_cast<std::size_t>(moved) : 0);
          if (moved > 0) state = connection.scanner.feed(bytes);
        }
        if (moved < 0) return fail(Code::busy, fmt::format("connection {} was closed by the server", i));
        if (moved == 0) std::this_thread::sleep_for(std::chrono::microseconds(200));
      }
      connection.scanner.clear();
    }
  }
  return {};
}

LoadResult OpenLoop::run(nanoseconds begin, const std::atomic<bool>* stop) {
  result_ = {};
  result_.name = spec_.name;
  begin_ = begin;
  next_arrival_ = arrivals_.next();
  const double cpu = own_cpu_s();
  while (true) {
    const bool stopping = stop != nullptr && stop->load(std::memory_order_relaxed);
    if (stopping) next_arrival_ = Arrivals::never;
    const bool more = issue_due(begin);
    expire();
    send_waiting();
    if (!more && in_flight_ == 0 && waiting_.empty() && (retries_.empty() || stopping)) break;
    wait_and_handle(next_arrival_ == Arrivals::never ? Arrivals::never : begin + next_arrival_);
  }
  result_.seconds = std::chrono::duration<double>(arrivals_.length() - warm_up_).count();
  result_.cpu_s = own_cpu_s() - cpu;
  return std::move(result_);
}

bool OpenLoop::issue_due(nanoseconds begin) {
  for (int i = 0; i < arrivals_a_turn; ++i) {
    const auto now = clock_.steady();
    const bool retry_due = !retries_.empty() && retries_.top().due <= now;
    const auto due = next_arrival_ == Arrivals::never ? Arrivals::never : begin + next_arrival_;
    if (retry_due && retries_.top().due <= due) {
      Request request = retries_.top();
      retries_.pop();
      start(request);
    } else if (due <= now) {
      Request request{.first_due = due, .due = due, .ask = maker_.next()};
      count_second(result_.due_s, next_arrival_);
      if (counts(request)) {
        ++result_.offered;
        result_.lateness.record(now - due);
      }
      if (spec_.keep_times && request.ask.kind == Kind::alarm)
        result_.times.emplace_back(maker_.alarm_patient(request.ask), due.count());
      next_arrival_ = arrivals_.next();
      start(request);
    } else {
      break;
    }
  }
  return next_arrival_ != Arrivals::never;
}

void OpenLoop::start(Request request) {
  ++request.attempts;
  if (counts(request)) ++result_.attempts;
  if (free_.empty() || !waiting_.empty()) {
    waiting_.push_back(request);
    return;
  }
  const std::uint32_t index = free_.front();
  free_.pop_front();
  send_on(index, request);
}

void OpenLoop::send_on(std::uint32_t index, Request request) {
  Connection& connection = connections_[index];
  connection.request = request;
  connection.busy = true;
  ++connection.sequence;
  ++in_flight_;
  deadlines_.push_back({request.due + spec_.timeout, index, connection.sequence});
  connection.unsent.clear();
  maker_.write(request.ask, connection.unsent);
  if (!connection.wire.is_open()) {
    if (const auto opened = open(index); !opened) {
      note_problem(request.ask, opened.error().text);
      return end_attempt(index, Outcome::broken, true);
    }
  }
  flush(connection, index);
}

void OpenLoop::flush(Connection& connection, std::uint32_t index) {
  while (!connection.unsent.empty()) {
    const ssize_t sent = connection.wire.send(connection.unsent.data(), connection.unsent.size());
    if (sent == 0) return;
    if (sent < 0) {
      // An answer that came early (a refusal of a long body) may still be there to be read.
      connection.unsent.clear();
      return receive(index);
    }
    connection.unsent.erase(0, static_cast<std::size_t>(sent));
  }
}

void OpenLoop::receive(std::uint32_t index) {
  Connection& connection = connections_[index];
  while (connection.wire.is_open()) {
    const ssize_t got = connection.wire.receive(buffer_.data(), buffer_.size());
    if (got == 0) return;
    if (got < 0) {
      if (!connection.busy) return connection.wire.close();  // the server may end an idle connection at any time
      note_problem(connection.request.ask, "the connection ended before the answer");
      return end_attempt(index, Outcome::broken, true);
    }
    std::string_view bytes(buffer_.data(), static_cast<std::size_t>(got));
    if (!connection.busy) return connection.wire.close();
    const auto state = connection.scanner.feed(bytes);
    if (state == AnswerScanner::State::broken) {
      note_problem(connection.request.ask, "the answer is not HTTP/1.1");
      return end_attempt(index, Outcome::broken, true);
    }
    if (state == AnswerScanner::State::complete) {
      const int status = connection.scanner.status();
      const Outcome outcome = outcome_of(status);
      if (outcome == Outcome::wrong) note_problem(connection.request.ask, fmt::format("status {}", status));
      end_attempt(index, outcome, connection.scanner.close() || spec_.connection_per_request || !bytes.empty());
      return;
    }
  }
}

void OpenLoop::end_attempt(std::uint32_t index, Outcome outcome, bool close) {
  Connection& connection = connections_[index];
  const Request request = connection.request;
  const int status = connection.scanner.status();
  const int retry_after_s = connection.scanner.retry_after_s();
  connection.busy = false;
  connection.scanner.clear();
  if (close) connection.wire.close();
  --in_flight_;
  if (outcome == Outcome::refused && counts(request)) {
    ++(status == 429 ? result_.answers_429 : result_.answers_503);
    result_.refused.record(clock_.steady() - request.due);
  }
  finish(request, outcome, retry_after_s, &connection);
  free_.push_back(index);
}

void OpenLoop::send_waiting() {
  while (!waiting_.empty() && !free_.empty()) {
    const Request request = waiting_.front();
    waiting_.pop_front();
    const std::uint32_t index = free_.front();
    free_.pop_front();
    send_on(index, request);
  }
}

void OpenLoop::finish(const Request& request, Outcome outcome, int retry_after_s, const Connection* connection) {
  if (outcome != Outcome::served && try_again(request, outcome, retry_after_s)) return;
  const auto now = clock_.steady();
  if (outcome == Outcome::served) count_second(result_.good_s, now - begin_);
  if (!counts(request)) return;
  ++result_.outcomes[static_cast<std::size_t>(outcome)];
  if (outcome == Outcome::served) {
    result_.served.record(now - request.first_due);
    ++result_.served_by_kind[static_cast<std::size_t>(request.ask.kind)];
  }
  if (connection == nullptr) return;
  ++(connection->heavy ? result_.heavy_offered : result_.light_offered);
  if (outcome == Outcome::served) ++(connection->heavy ? result_.heavy_served : result_.light_served);
}

bool OpenLoop::try_again(Request request, Outcome outcome, int retry_after_s) {
  if (spec_.retry == Retry::none || outcome == Outcome::wrong || request.attempts >= attempts_max) return false;
  if (next_arrival_ == Arrivals::never) return false;
  if (spec_.retry == Retry::budget) {
    const auto allowed = budget_share * static_cast<double>(result_.offered);
    if (static_cast<double>(retried_) >= allowed) return false;
  }
  ++retried_;
  request.due = clock_.steady() + pause_before_retry(request.attempts, retry_after_s);
  retries_.push(request);
  return true;
}

nanoseconds OpenLoop::pause_before_retry(std::uint32_t attempts, int retry_after_s) {
  if (spec_.retry == Retry::immediate) return {};
  const nanoseconds most = backoff_first * (1U << (attempts - 1));
  const nanoseconds jitter(std::uniform_int_distribution<std::int64_t>(0, most.count())(random_));
  if (spec_.retry == Retry::backoff) return jitter;
  return std::chrono::seconds(retry_after_s) + jitter;
}

void OpenLoop::expire() {
  const auto now = clock_.steady();
  while (!deadlines_.empty() && deadlines_.front().at <= now) {
    const Deadline deadline = deadlines_.front();
    deadlines_.pop_front();
    const Connection& connection = connections_[deadline.connection];
    if (!connection.busy || connection.sequence != deadline.sequence) continue;
    note_problem(connection.request.ask, fmt::format("no answer within {} ms", spec_.timeout.count()));
    end_attempt(deadline.connection, Outcome::timeout, true);
  }
  while (!waiting_.empty() && waiting_.front().due + spec_.timeout <= now) {
    const Request request = waiting_.front();
    waiting_.pop_front();
    note_problem(request.ask, fmt::format("no connection was free for {} ms", spec_.timeout.count()));
    finish(request, Outcome::timeout, 0, nullptr);
  }
}

void OpenLoop::wait_and_handle(nanoseconds next_due) {
  const auto now = clock_.steady();
  auto until = std::min(next_due, now + turn_max);
  if (!retries_.empty()) until = std::min(until, retries_.top().due);
  if (!deadlines_.empty()) until = std::min(until, deadlines_.front().at);
  if (until > now) until = std::max(until, now + rest_);
  const auto wait = std::max<std::int64_t>(0, (until - now).count());
  const timespec time{.tv_sec = wait / 1'000'000'000, .tv_nsec = wait % 1'000'000'000};
  std::array<epoll_event, events_a_turn> events;
  const int ready = ::epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &time, nullptr);
  for (int i = 0; i < ready; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    Connection& connection = connections_[event.data.u32];
    if (connection.busy && !connection.unsent.empty()) flush(connection, event.data.u32);
    if ((event.events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP)) != 0) receive(event.data.u32);
  }
}

void OpenLoop::note_problem(const Ask& ask, std::string_view what) {
  if (result_.first_problem.empty()) result_.first_problem = fmt::format("{}: {}", to_string(ask.kind), what);
}

}  // namespace mydr24::surge
