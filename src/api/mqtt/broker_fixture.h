#pragma once

// A real broker: mosquitto, started on a free port and ended with it; and a device that publishes. For tests.

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <mosquitto.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <string>
#include <thread>

namespace mydr24::mqtt {

using namespace std::chrono_literals;

inline constexpr const char* broker_program = "/usr/sbin/mosquitto";

inline int open_socket(std::uint16_t port, bool listening) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const int done = listening ? bind(fd, generic, sizeof address) : connect(fd, generic, sizeof address);
  if (done == 0) return fd;
  close(fd);
  return -1;
}

inline std::uint16_t free_port() {
  const int fd = open_socket(0, true);
  sockaddr_in address{};
  socklen_t size = sizeof address;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  close(fd);
  return ntohs(address.sin_port);
}

inline bool wait_for(const std::function<bool()>& holds, std::chrono::milliseconds time = 10s) {
  for (auto passed = 0ms; passed < time; passed += 10ms) {
    if (holds()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return holds();
}

class Broker {
 public:
  explicit Broker(std::string more = "allow_anonymous true\n") : port_(free_port()), more_(std::move(more)) {
    folder_ = std::filesystem::temp_directory_path() / fmt::format("mydr24-mqtt-{}-{}", getpid(), port_);
    std::filesystem::create_directories(folder_);
  }
  ~Broker() {
    stop();
    std::filesystem::remove_all(folder_);
  }
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  void start() {
    std::ofstream(folder_ / "conf") << fmt::format(
        "user root\npersistence true\npersistence_location {}/\nlistener {} 127.0.0.1\n{}", folder_.string(), port_,
        more_);
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (freopen((folder_ / "log").c_str(), "a", stderr) == nullptr) _exit(126);
      execl(broker_program, broker_program, "-c", (folder_ / "conf").c_str(), nullptr);
      _exit(127);
    }
    ASSERT_TRUE(wait_for([this] {
      const int fd = open_socket(port_, false);
      if (fd >= 0) close(fd);
      return fd >= 0;
    })) << "mosquitto did not start";
  }
  void stop() {
    if (pid_ <= 0) return;
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

  std::uint16_t port() const { return port_; }
  const std::filesystem::path& folder() const { return folder_; }
  void configure(std::string more) { more_ = std::move(more); }

 private:
  std::uint16_t port_;
  std::string more_;
  std::filesystem::path folder_;
  pid_t pid_ = 0;
};

// A device: publishes with QoS 1 and returns when the broker has it.
inline void publish(const Broker& broker, const std::string& topic, const std::string& payload,
                    const std::string& user = {}, const std::string& password = {}, const std::string& ca_file = {}) {
  mosquitto_lib_init();
  std::promise<void> published;
  auto done = published.get_future();
  mosquitto* client = mosquitto_new(nullptr, true, &published);
  if (!user.empty()) mosquitto_username_pw_set(client, user.c_str(), password.c_str());
  if (!ca_file.empty()) mosquitto_tls_set(client, ca_file.c_str(), nullptr, nullptr, nullptr, nullptr);
  mosquitto_publish_callback_set(
      client, [](mosquitto*, void* promise, int) { static_cast<std::promise<void>*>(promise)->set_value(); });
  ASSERT_EQ(mosquitto_connect(client, "127.0.0.1", broker.port(), 10), MOSQ_ERR_SUCCESS);
  mosquitto_loop_start(client);
  mosquitto_publish(client, nullptr, topic.c_str(), static_cast<int>(payload.size()), payload.data(), 1, false);
  EXPECT_EQ(done.wait_for(10s), std::future_status::ready);
  mosquitto_disconnect(client);
  mosquitto_loop_stop(client, false);
  mosquitto_destroy(client);
}

}  // namespace mydr24::mqtt
