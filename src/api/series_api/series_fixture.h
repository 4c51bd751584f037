#pragma once

// The routes behind a real socket, with a store in memory; and a real Prometheus beside them. For tests.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "api/series_api/series_api.h"
#include "base/json/document.h"
#include "base/net/client.h"
#include "storage/store/fake_store.h"

extern char** environ;

namespace mydr24::series_api {

struct Reply {
  int status = 0;
  std::string body;
  json::Document json;
};

inline Reply ask(const std::string& url, net::Method method = net::Method::get, std::string body = {},
                 std::vector<std::pair<std::string, std::string>> headers = {}) {
  net::ClientRequest request;
  request.method = method;
  request.url = *net::parse_url(url);
  request.headers = std::move(headers);
  request.body = std::move(body);
  request.answer_bytes_max = 64U << 20;
  auto response = net::send_blocking(std::move(request));
  Reply reply;
  if (!response) return reply;
  reply.status = response->status;
  reply.body = std::move(response->body);
  if (auto parsed = json::Document::parse(reply.body)) reply.json = std::move(*parsed);
  return reply;
}

// Text for the query of a URL.
inline std::string encoded(std::string_view text) {
  std::string out;
  for (const char c : text)
    if (std::isalnum(static_cast<unsigned char>(c)) != 0)
      out.push_back(c);
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  return out;
}

class SeriesServer {
 public:
  explicit SeriesServer(Instant now) : clock_(now) {
    add_routes(router_, service_);
    auto server = net::serve({}, [this](net::Exchange& exchange) { return serve(exchange); });
    EXPECT_TRUE(server);
    server_ = std::move(*server);
  }

  std::string url() const { return fmt::format("http://127.0.0.1:{}", server_->port()); }
  ManualClock& clock() { return clock_; }
  series::Database& database() { return database_; }
  series::Keeper& keeper() { return keeper_; }
  store::FakeStore& store() { return store_; }
  Service& service() { return service_; }
  const pipeline::Router& router() const { return router_; }
  bool ready = true;

 private:
  Task<> serve(net::Exchange& exchange) {
    const auto match = router_.match(exchange.request().method, exchange.request().path);
    if (match.route == nullptr) {
      co_await exchange.respond({.status = 404});
      co_return;
    }
    pipeline::Call call(exchange, match, match.route->request_class, "http://h", access::Access::server());
    co_await match.route->handler(call);
  }

  ManualClock clock_;
  store::FakeStore store_{clock_};
  series::Database database_{clock_, {}};
  series::Keeper keeper_{database_, store_, "test"};
  WorkerPool workers_{1};
  Service service_{database_, keeper_, workers_, system_clock(), [this] { return ready; }, "test", {}};
  pipeline::Router router_;
  std::unique_ptr<net::Server> server_;
};

inline bool is_installed(const char* program) {
  return std::system(fmt::format("command -v {} >/dev/null 2>&1", program).c_str()) == 0;
}

inline int free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  (void)::bind(socket, reinterpret_cast<sockaddr*>(&address), size);
  (void)::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(socket);
  return ntohs(address.sin_port);
}

// A running Prometheus in a folder of its own; killed at the end. In its configuration SELF is its own address.
class Prometheus {
 public:
  Prometheus(const std::filesystem::path& folder, std::string config) : port_(free_port()) {
    for (auto at = config.find("SELF"); at != std::string::npos; at = config.find("SELF"))
      config.replace(at, 4, fmt::format("127.0.0.1:{}", port_));
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "prometheus.yml") << config;
    std::vector<std::string> words{"prometheus",
                                   "--config.file=" + (folder / "prometheus.yml").string(),
                                   "--storage.tsdb.path=" + (folder / "data").string(),
                                   fmt::format("--web.listen-address=127.0.0.1:{}", port_),
                                   "--log.level=error",
                                   "--storage.tsdb.retention.time=10y"};
    std::vector<char*> arguments;
    for (std::string& each : words) arguments.push_back(each.data());
    arguments.push_back(nullptr);
    EXPECT_EQ(posix_spawnp(&process_, "prometheus", nullptr, nullptr, arguments.data(), environ), 0);
  }
  ~Prometheus() {
    if (process_ <= 0) return;
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }
  Prometheus(const Prometheus&) = delete;
  Prometheus& operator=(const Prometheus&) = delete;

  std::string url() const { return fmt::format("http://127.0.0.1:{}", port_); }
  bool wait() const {
    for (int i = 0; i < 300; ++i) {
      if (ask(url() + "/-/ready").status == 200) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return false;
  }

 private:
  int port_;
  pid_t process_ = 0;
};

}  // namespace mydr24::series_api
