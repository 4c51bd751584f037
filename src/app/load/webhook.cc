#include "app/load/webhook.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <stdexcept>

#include "base/core/clock.h"

namespace mydr24::load {
namespace {

constexpr std::size_t peers_max = 256;
constexpr std::size_t request_bytes_max = 1U << 20;

std::size_t content_length(std::string_view head) {
  constexpr std::string_view name = "\r\ncontent-length:";
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at + 2)) {
    if (head.size() - at <= name.size() || ::strncasecmp(head.data() + at, name.data(), name.size()) != 0) continue;
    std::string_view value = head.substr(at + name.size());
    while (value.starts_with(' ')) value.remove_prefix(1);
    std::size_t length = 0;
    std::from_chars(value.data(), value.data() + value.size(), length);
    return length;
  }
  return 0;
}

}  // namespace

struct WebhookReceiver::Peer {
  int socket = -1;
  std::string buffer;
  bool waits = false;  // for an answer that it does not get
};

WebhookReceiver::WebhookReceiver(std::uint16_t port, std::size_t kept_max)
    : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), kept_max_(kept_max) {
  const int again = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &again, sizeof again);
  sockaddr_in address{};
  address.sin_port = htons(port);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 128) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error(fmt::format("cannot listen on 127.0.0.1:{}", port));
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

WebhookReceiver::~WebhookReceiver() {
  stopping_ = true;
  thread_.join();
  ::close(listener_);
}

std::string WebhookReceiver::url(std::string_view path) const {
  return fmt::format("http://127.0.0.1:{}{}", port_, path);
}

std::vector<Delivery> WebhookReceiver::deliveries() const {
  const std::lock_guard lock(mutex_);
  return {deliveries_.begin(), deliveries_.end()};
}

bool WebhookReceiver::wait(std::chrono::milliseconds time_max,
                           const std::function<bool(const std::vector<Delivery>&)>& enough) const {
  std::unique_lock lock(mutex_);
  return arrived_.wait_for(lock, time_max, [&] { return enough({deliveries_.begin(), deliveries_.end()}); });
}

void WebhookReceiver::serve() {
  std::vector<Peer> peers;
  std::vector<pollfd> polled;
  while (!stopping_) {
    polled.assign(1,
                  {.fd = listener_, .events = static_cast<short>(peers.size() < peers_max ? POLLIN : 0), .revents = 0});
    for (const Peer& peer : peers) polled.push_back({.fd = peer.socket, .events = POLLIN, .revents = 0});
    if (::poll(polled.data(), polled.size(), 20) < 0) continue;
    for (std::size_t i = peers.size(); i-- > 0;) {
      const bool is_let_go = peers[i].waits && !hangs_;
      if (!is_let_go && (polled[i + 1].revents == 0 || read_requests(peers[i]))) continue;
      ::close(peers[i].socket);
      peers.erase(peers.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if ((polled[0].revents & POLLIN) == 0) continue;
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (socket >= 0) peers.push_back({.socket = socket, .buffer = {}});
  }
  for (const Peer& peer : peers) ::close(peer.socket);
}

bool WebhookReceiver::read_requests(Peer& peer) {
  std::array<char, 16U << 10> space;
  const ssize_t got = ::recv(peer.socket, space.data(), space.size(), 0);
  if (got <= 0) return false;
  peer.buffer.append(space.data(), static_cast<std::size_t>(got));
  if (peer.buffer.size() > request_bytes_max) return false;
  while (true) {
    const std::size_t end = peer.buffer.find("\r\n\r\n");
    if (end == std::string::npos) return true;
    const std::size_t length = content_length(std::string_view(peer.buffer).substr(0, end));
    if (peer.buffer.size() < end + 4 + length) return true;
    Delivery delivery;
    delivery.at = system_clock().steady();
    delivery.head = peer.buffer.substr(0, end);
    delivery.body = peer.buffer.substr(end + 4, length);
    const std::size_t space_at = delivery.head.find(' ');
    delivery.path = delivery.head.substr(space_at + 1, delivery.head.find(' ', space_at + 1) - space_at - 1);
    const bool hangs = hangs_;
    delivery.answered = hangs ? 0 : status_.load();
    peer.buffer.erase(0, end + 4 + length);
    const std::string answer = fmt::format("HTTP/1.1 {} Answer\r\nContent-Length: 0\r\n\r\n", delivery.answered);
    {
      // Kept before it is answered: what the sender counts as delivered can be seen here.
      const std::lock_guard lock(mutex_);
      deliveries_.push_back(std::move(delivery));
      if (deliveries_.size() > kept_max_) deliveries_.pop_front();
    }
    arrived_.notify_all();
    if (hangs) {
      peer.waits = true;
      continue;
    }
    if (::send(peer.socket, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) return false;
  }
}

}  // namespace mydr24::load
