#include "base/net/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <map>
#include <memory>
#include <system_error>
#include <thread>
#include <tuple>

#include "base/net/detail/request_head.h"
#include "base/net/detail/stream.h"

namespace mydr24::net {
namespace {

namespace http = boost::beast::http;
using Tcp = asio::ip::tcp;
using Socket = asio::basic_stream_socket<Tcp, Executor>;
using Timer =
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;
using Parser = http::response_parser<http::string_body>;

constexpr std::uint32_t answer_header_bytes_max = 64U << 10;
constexpr std::size_t read_bytes = 16U << 10;
constexpr int interim_answers_max = 8;

// One connection to one host.
struct Peer {
  explicit Peer(Socket connected) : socket(std::move(connected)) {
    boost::system::error_code ignored;
    std::ignore = socket.non_blocking(true, ignored);
    std::ignore = socket.set_option(Tcp::no_delay(true), ignored);
    stream = Stream(socket.native_handle());
  }
  Socket socket;
  Stream stream;
};

struct Host {
  explicit Host(const Executor& executor) : freed(executor) { freed.expires_at(Timer::time_point::max()); }
  std::vector<std::unique_ptr<Peer>> free;
  std::size_t in_use = 0;
  Timer freed;  // never expires: cancelled, one waiter at a time, when a connection becomes free
};

// Lives as long as the client and its calls.
struct Shared {
  Shared(asio::io_context& io, ClientSettings given) : context(io), settings(std::move(given)) {}
  asio::io_context& context;
  ClientSettings settings;
  TlsContext tls;  // made by the first call that needs it
  std::map<std::string, Host, std::less<>> hosts;
};

// One lookup on a thread of its own: asio has a single one for a whole context, where a host whose name servers are
// silent would hold up every other channel, and nothing can cut it short.
struct Lookup {
  boost::system::error_code failure;
  std::vector<Tcp::endpoint> endpoints;
  std::atomic<bool> ended = false;  // until then the rest belongs to the lookup's thread
};
constexpr std::chrono::milliseconds lookup_pause{2};

void look_up(Lookup& lookup, const std::string& host, const std::string& port) {
  asio::io_context context;
  asio::ip::tcp::resolver resolver(context);
  const auto found = resolver.resolve(host, port, lookup.failure);
  if (!lookup.failure)
    for (const auto& entry : found) lookup.endpoints.push_back(entry.endpoint());
  lookup.ended = true;
}

// A call's time limit: cancels whatever the call waits for.
struct Limit {
  explicit Limit(const Executor& executor) : timer(executor) {}
  Timer timer;
  Socket* socket = nullptr;  // the one in use
  Timer* freed = nullptr;
  bool over = false;

  void expire() {
    over = true;
    boost::system::error_code ignored;
    if (socket != nullptr) std::ignore = socket->cancel(ignored);
    if (freed != nullptr) freed->cancel();
  }
};

Error busy(const Url& url, std::string_view what) {
  return fail(Code::busy, fmt::format("{}://{}:{}: {}", url.scheme, url.host, url.port, what), "url");
}

bool is_line_safe(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

bool has_header(const ClientRequest& request, std::string_view name) {
  return std::ranges::any_of(request.headers, [name](const auto& h) { return equal_ignoring_case(h.first, name); });
}

Result<std::string> head_of(const ClientRequest& request) {
  const Url& url = request.url;
  if (request.method == Method::other) return fail(Code::invalid, "a call needs a method", "method");
  if (!is_line_safe(url.target) || url.target.find(' ') != std::string::npos || !is_line_safe(url.host)) {
    return fail(Code::invalid, "the URL would break the request's line", "url");
  }
  std::string head = fmt::format("{} {} HTTP/1.1\r\n", to_string(request.method), url.target);
  if (!has_header(request, "Host")) {
    const bool bracketed = url.host.find(':') != std::string::npos;
    head += bracketed ? fmt::format("Host: [{}]", url.host) : fmt::format("Host: {}", url.host);
    if (url.port != (url.scheme == "https" ? 443 : 80)) head += fmt::format(":{}", url.port);
    head += "\r\n";
  }
  for (const auto& [name, value] : request.headers) {
    if (name.empty() || !is_line_safe(name) || !is_line_safe(value) || name.find_first_of(": ") != std::string::npos ||
        equal_ignoring_case(name, "Content-Length") || equal_ignoring_case(name, "Transfer-Encoding")) {
      return fail(Code::invalid, fmt::format("the header '{}' must not be sent", name), "headers");
    }
    head += fmt::format("{}: {}\r\n", name, value);
  }
  const bool wants_length = request.method != Method::get && request.method != Method::head;
  if (wants_length || !request.body.empty()) head += fmt::format("Content-Length: {}\r\n", request.body.size());
  head += "\r\n";
  return head;
}

// A call in progress: owns the connection it uses until it is given back.
class Call {
 public:
  Call(std::shared_ptr<Shared> shared, ClientRequest request)
      : shared_(std::move(shared)),
        request_(std::move(request)),
        limit_(std::make_shared<Limit>(shared_->context.get_executor())) {}

  ~Call() {
    limit_->socket = nullptr;
    limit_->freed = nullptr;
    limit_->timer.cancel();
    if (host_ == nullptr) return;
    --host_->in_use;
    host_->freed.cancel_one();
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  Task<Result<ClientResponse>> run() {
    auto head = head_of(request_);
    if (!head) co_return head.error();
    head_ = std::move(*head);
    limit_->timer.expires_after(request_.time_max);
    limit_->timer.async_wait([limit = limit_](const boost::system::error_code& error) {
      if (!error) limit->expire();
    });
    const std::string key = fmt::format("{}://{}:{}", request_.url.scheme, request_.url.host, request_.url.port);
    Host& host = shared_->hosts.try_emplace(key, shared_->context.get_executor()).first->second;
    while (host.in_use >= std::max<std::size_t>(shared_->settings.connections_max_per_host, 1)) {
      limit_->freed = &host.freed;
      co_await host.freed.async_wait(asio::as_tuple(awaitable));
      limit_->freed = nullptr;
      if (limit_->over) co_return too_slow("waiting for a free connection");
    }
    host_ = &host;
    ++host.in_use;
    co_return co_await attempt(host);
  }

 private:
  // A kept connection may turn out to be closed: then once more on a new one, if doing it twice does no harm.
  Task<Result<ClientResponse>> attempt(Host& host) {
    while (!host.free.empty()) {
      peer_ = std::move(host.free.back());
      host.free.pop_back();
      if (peer_->stream.has_input() || peer_->stream.peer_closed()) continue;
      auto response = co_await exchange(host);
      if (response || !nothing_received_ || limit_->over || !may_repeat()) co_return response;
      host.free.clear();  // as old as the one that was closed
      break;
    }
    if (auto connected = co_await connect(); !connected) co_return connected.error();
    co_return co_await exchange(host);
  }

  bool may_repeat() const {
    return request_.method == Method::get || request_.method == Method::head || has_header(request_, "Idempotency-Key");
  }

  Error too_slow(std::string_view doing) const {
    return busy(request_.url, fmt::format("no answer within {} ms, while {}", request_.time_max.count(), doing));
  }

  Task<Result<>> connect() {
    boost::system::error_code error;
    std::vector<Tcp::endpoint> endpoints;
    if (const auto address = asio::ip::make_address(request_.url.host, error); !error) {
      endpoints.emplace_back(address, request_.url.port);
    } else {
      const auto lookup = std::make_shared<Lookup>();
      try {
        std::thread([lookup, host = request_.url.host, port = std::to_string(request_.url.port)] {
          look_up(*lookup, host, port);
        }).detach();  // it may outlast the call: it touches nothing but the Lookup
      } catch (const std::system_error& failed) {
        co_return busy(request_.url, std::string("cannot look up the host: ") + failed.what());
      }
      Timer pause(shared_->context.get_executor());
      while (!lookup->ended && !limit_->over) {
        pause.expires_after(lookup_pause);
        co_await pause.async_wait(asio::as_tuple(awaitable));
      }
      if (limit_->over) co_return too_slow("looking up the host");
      if (lookup->failure) co_return busy(request_.url, "cannot look up the host: " + lookup->failure.message());
      endpoints = std::move(lookup->endpoints);
    }
    const auto beyond = std::erase_if(endpoints, [&](const Tcp::endpoint& endpoint) {
      return !shared_->settings.reach.covers(endpoint.address().to_string());
    });
    if (beyond > 0 && endpoints.empty())
      co_return fail(
          Code::refused,
          fmt::format("{} is in a network that must not be called (server.call_networks)", request_.url.host), "url");
    std::string reason = "no address";
    for (const Tcp::endpoint& endpoint : endpoints) {
      Socket socket(shared_->context.get_executor());
      limit_->socket = &socket;
      auto [failure] = co_await socket.async_connect(endpoint, asio::as_tuple(awaitable));
      limit_->socket = nullptr;
      if (limit_->over) co_return too_slow("connecting");
      if (!failure) {
        peer_ = std::make_unique<Peer>(std::move(socket));
        co_return co_await start_tls();
      }
      reason = failure.message();
    }
    co_return busy(request_.url, "cannot connect: " + reason);
  }

  Task<Result<>> start_tls() {
    if (request_.url.scheme != "https") co_return Result<>();
    if (!shared_->tls) {
      auto context = client_tls(shared_->settings.ca_file, shared_->settings.own);
      if (!context) co_return context.error();
      shared_->tls = std::move(*context);
    }
    if (!peer_->stream.start_tls_client(shared_->tls.get(), request_.url.host)) {
      co_return fail(Code::internal, "cannot start TLS");
    }
    limit_->socket = &peer_->socket;
    while (true) {
      const IoStep step = peer_->stream.handshake();
      if (step.state == IoStep::State::done) co_return Result<>();
      if (step.state == IoStep::State::closed || step.state == IoStep::State::failed) {
        co_return busy(request_.url, "no secure connection: " + peer_->stream.handshake_error());
      }
      if (!co_await ready(step.state)) co_return too_slow("securing the connection");
    }
  }

  // False when the time is over.
  Task<bool> ready(IoStep::State state) {
    if (limit_->over) co_return false;
    const auto type = state == IoStep::State::want_read ? asio::socket_base::wait_read : asio::socket_base::wait_write;
    co_await peer_->socket.async_wait(type, asio::as_tuple(awaitable));
    co_return !limit_->over;
  }

  Task<Result<ClientResponse>> exchange(Host& host) {
    limit_->socket = &peer_->socket;
    nothing_received_ = true;
    Result<ClientResponse> response = co_await send_and_receive();
    limit_->socket = nullptr;
    if (response && reusable_) host.free.push_back(std::move(peer_));
    peer_.reset();
    co_return response;
  }

  Task<Result<ClientResponse>> send_and_receive() {
    std::string_view head = head_;
    std::string_view body = request_.body;
    while (!head.empty() || !body.empty()) {
      const IoStep step = peer_->stream.write(head, body);
      if (step.state == IoStep::State::done) {
        const std::size_t from_head = std::min(step.bytes, head.size());
        head.remove_prefix(from_head);
        body.remove_prefix(step.bytes - from_head);
      } else if (step.state == IoStep::State::want_read || step.state == IoStep::State::want_write) {
        if (!co_await ready(step.state)) co_return too_slow("sending");
      } else {
        break;  // it may have refused the rest, with an answer to be read
      }
    }
    co_return co_await receive();
  }

  Task<Result<ClientResponse>> receive() {
    std::string held;
    std::unique_ptr<Parser> parser = new_parser();
    int interim = 0;
    bool ended = false;
    while (true) {
      boost::beast::error_code error;
      if (!held.empty()) held.erase(0, parser->put(asio::const_buffer(held.data(), held.size()), error));
      if (ended && !parser->is_done() && !error) parser->put_eof(error);
      if (error == http::error::need_more) error = {};
      if (error == http::error::body_limit) {
        co_return fail(Code::too_large, fmt::format("the answer of {} is larger than {} bytes", request_.url.host,
                                                    request_.answer_bytes_max));
      }
      if (error) co_return busy(request_.url, "the answer is not valid HTTP: " + error.message());
      if (parser->is_done()) {
        const int status = parser->get().result_int();
        if (status >= 200) break;
        if (++interim > interim_answers_max) co_return busy(request_.url, "too many interim answers");
        parser = new_parser();
        if (!held.empty()) continue;
      }
      const std::size_t before = held.size();
      const IoStep step = co_await read(held);
      if (limit_->over) co_return too_slow("waiting for the answer");
      if (step.state == IoStep::State::failed || (step.state == IoStep::State::closed && !parser->got_some())) {
        co_return busy(request_.url, "the connection was closed before the answer");
      }
      ended = step.state == IoStep::State::closed;
      if (held.size() > before) nothing_received_ = false;
    }
    reusable_ = parser->keep_alive() && held.empty() && !ended;
    co_return response_of(parser->get());
  }

  std::unique_ptr<Parser> new_parser() const {
    auto parser = std::make_unique<Parser>();
    parser->header_limit(answer_header_bytes_max);
    parser->body_limit(request_.answer_bytes_max);
    parser->eager(true);
    if (request_.method == Method::head) parser->skip(true);
    return parser;
  }

  Task<IoStep> read(std::string& held) {
    const std::size_t before = held.size();
    held.resize(before + read_bytes);
    IoStep step;
    while (true) {
      step = peer_->stream.read(held.data() + before, read_bytes);
      if (step.state != IoStep::State::want_read && step.state != IoStep::State::want_write) break;
      if (!co_await ready(step.state)) break;
    }
    held.resize(before + (step.state == IoStep::State::done ? step.bytes : 0));
    co_return step;
  }

  static ClientResponse response_of(http::response<http::string_body>& message) {
    ClientResponse response;
    response.status = static_cast<int>(message.result_int());
    for (const auto& field : message) response.headers.emplace_back(field.name_string(), field.value());
    response.body = std::move(message.body());
    return response;
  }

  std::shared_ptr<Shared> shared_;
  ClientRequest request_;
  std::shared_ptr<Limit> limit_;
  Host* host_ = nullptr;  // where a place is taken
  std::string head_;
  std::unique_ptr<Peer> peer_;
  bool nothing_received_ = true;
  bool reusable_ = false;
};

class PooledClient final : public Client {
 public:
  PooledClient(asio::io_context& context, ClientSettings settings)
      : shared_(std::make_shared<Shared>(context, std::move(settings))) {}

  Task<Result<ClientResponse>> send(ClientRequest request) override { return perform(shared_, std::move(request)); }

 private:
  static Task<Result<ClientResponse>> perform(std::shared_ptr<Shared> shared, ClientRequest request) {
    try {
      Call call(std::move(shared), std::move(request));
      co_return co_await call.run();
    } catch (const std::exception& failure) {
      co_return fail(Code::internal, fmt::format("the call failed: {}", failure.what()));
    }
  }

  std::shared_ptr<Shared> shared_;
};

}  // namespace

std::string_view ClientResponse::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (equal_ignoring_case(key, name)) return value;
  }
  return {};
}

std::unique_ptr<Client> make_client(asio::io_context& context, ClientSettings settings) {
  return std::make_unique<PooledClient>(context, std::move(settings));
}

Result<ClientResponse> send_blocking(ClientRequest request, ClientSettings settings) {
  Result<ClientResponse> response = fail(Code::internal, "the call did not end");
  asio::io_context context(1);
  const auto client = make_client(context, std::move(settings));
  asio::co_spawn(context.get_executor(), client->send(std::move(request)),
                 [&response](const std::exception_ptr& thrown, Result<ClientResponse> given) {
                   if (!thrown) response = std::move(given);
                 });
  context.run();
  return response;
}

}  // namespace mydr24::net
