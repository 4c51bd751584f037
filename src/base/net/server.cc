#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>

#include "base/net/detail/http_exchange.h"
#include "base/net/detail/io_thread.h"

namespace mydr24::net {
namespace {

// A socket on its way to an acceptor.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

Error listen_error(const ServerSettings& settings, int error) {
  return fail(Code::invalid,
              fmt::format("cannot listen on {} port {}: {}", settings.address, settings.port, std::strerror(error)),
              "address");
}

Result<Descriptor> bind_socket(const ServerSettings& settings, const Tcp::endpoint& endpoint, bool shared) {
  Descriptor fd(::socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP));
  const int on = 1;
  if (fd.get() < 0) return listen_error(settings, errno);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (shared) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (::bind(fd.get(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) != 0)
    return listen_error(settings, errno);
  return fd;
}

// One listening socket per thread, all on one port: the kernel spreads the connections.
Result<std::vector<Descriptor>> open_listeners(const ServerSettings& settings, Tcp::endpoint& endpoint) {
  if (endpoint.port() != 0) {
    // SO_REUSEPORT would share the port with another server of the same user without a word: so it is tried
    // alone first.
    if (auto probe = bind_socket(settings, endpoint, false); !probe) return probe.error();
  }
  std::vector<Descriptor> listeners;
  for (std::size_t i = 0; i < std::max<std::size_t>(settings.threads, 1); ++i) {
    MYDR24_ASSIGN(Descriptor fd, bind_socket(settings, endpoint, true));
    if (::listen(fd.get(), SOMAXCONN) != 0) return listen_error(settings, errno);
    if (endpoint.port() == 0) {
      auto size = static_cast<socklen_t>(endpoint.capacity());
      if (::getsockname(fd.get(), endpoint.data(), &size) != 0) return listen_error(settings, errno);
    }
    listeners.push_back(std::move(fd));
  }
  return listeners;
}

class SocketServer final : public Server {
 public:
  SocketServer(const ServerSettings& settings, Handler handler, TlsContext tls) {
    state_.settings = settings;
    state_.handler = std::move(handler);
    state_.tls = std::move(tls);
  }

  ~SocketServer() override {
    for (auto& io : io_threads_) io->stop();
    for (auto& thread : threads_) thread.join();
  }
  SocketServer(const SocketServer&) = delete;
  SocketServer& operator=(const SocketServer&) = delete;

  void start(std::vector<Descriptor> listeners, const Tcp::endpoint& endpoint) {
    port_ = endpoint.port();
    for (Descriptor& fd : listeners) {
      io_threads_.push_back(std::make_unique<IoThread>(state_, io_threads_.size()));
      io_threads_.back()->listen(fd.release(), endpoint.protocol());
    }
    for (std::size_t i = 0; i < io_threads_.size(); ++i) {
      threads_.emplace_back([this, i] {
        if (state_.settings.thread_begun) state_.settings.thread_begun(i);
        io_threads_[i]->run();
      });
    }
  }

  std::uint16_t port() const override { return port_; }

  void drain() override {
    state_.draining = true;
    for (auto& io : io_threads_) io->drain();
    std::unique_lock lock(state_.mutex);
    const auto closed = [this] { return state_.connections.load() == 0; };
    if (state_.all_closed.wait_for(lock, state_.settings.drain_time_max, closed)) return;
    lock.unlock();
    for (auto& io : io_threads_) io->abort_connections();
  }

 private:
  ServerState state_;
  std::uint16_t port_ = 0;
  std::vector<std::unique_ptr<IoThread>> io_threads_;
  std::vector<std::thread> threads_;
};

}  // namespace

Result<std::unique_ptr<Server>> serve(const ServerSettings& settings, Handler handler) {
  boost::system::error_code error;
  const auto address = asio::ip::make_address(settings.address, error);
  if (error)
    return fail(Code::invalid, fmt::format("'{}' is not an IP address to listen on", settings.address), "address");
  TlsContext tls;
  if (!settings.tls.certificate_file.empty() || !settings.tls.key_file.empty()) {
    MYDR24_ASSIGN(tls, server_tls(settings.tls));
  }
  Tcp::endpoint endpoint(address, settings.port);
  MYDR24_ASSIGN(std::vector<Descriptor> listeners, open_listeners(settings, endpoint));
  try {
    auto server = std::make_unique<SocketServer>(settings, std::move(handler), std::move(tls));
    server->start(std::move(listeners), endpoint);
    return std::unique_ptr<Server>(std::move(server));
  } catch (const std::exception& failure) {
    return fail(Code::internal, fmt::format("cannot start the server's threads: {}", failure.what()));
  }
}

}  // namespace mydr24::net
