#pragma once

// A mail server for tests, on threads of its own: speaks as much SMTP (RFC 5321), STARTTLS and AUTH PLAIN as a client
// needs, and fails as told.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace mydr24::notify {

struct SmtpBehaviour {
  bool hangs = false;       // takes connections and never says a word
  std::string certificate;  // with key: offers STARTTLS
  std::string key;
  std::string login;  // what AUTH PLAIN must bring, as base64; empty: no AUTH offered
  std::string recipient_says = "250 ok";
  std::map<std::string, std::string> says_to;  // "<a@b.org>", and what is said to this recipient instead
  std::string data_says = "250 queued";
};

struct SmtpMail {
  std::string from;
  std::vector<std::string> to;
  std::string text;
  bool secure = false;
  bool logged_in = false;
};

class SmtpPeer {
 public:
  explicit SmtpPeer(SmtpBehaviour behaviour = {}) : behaviour_(std::move(behaviour)) {
    fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(fd_, reinterpret_cast<const sockaddr*>(&address), size);
    ::listen(fd_, 64);
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    if (!behaviour_.certificate.empty()) {
      context_ = SSL_CTX_new(TLS_server_method());
      SSL_CTX_use_certificate_chain_file(context_, behaviour_.certificate.c_str());
      SSL_CTX_use_PrivateKey_file(context_, behaviour_.key.c_str(), SSL_FILETYPE_PEM);
    }
    thread_ = std::thread([this] { accept(); });
  }
  ~SmtpPeer() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    {
      const std::lock_guard lock(mutex_);
      for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
    }
    for (std::thread& thread : sessions_) thread.join();
    for (const int fd : open_) ::close(fd);
    ::close(fd_);
    SSL_CTX_free(context_);
  }
  SmtpPeer(const SmtpPeer&) = delete;
  SmtpPeer& operator=(const SmtpPeer&) = delete;

  std::uint16_t port() const { return port_; }
  std::vector<SmtpMail> mails() const {
    const std::lock_guard lock(mutex_);
    return mails_;
  }
  std::size_t connections() const {
    const std::lock_guard lock(mutex_);
    return open_.size();
  }

 private:
  struct Session {
    int fd = -1;
    SSL* ssl = nullptr;
    std::string held;
    bool logged_in = false;

    void say(std::string_view line) {
      const std::string text = std::string(line) + "\r\n";
      if (ssl != nullptr)
        SSL_write(ssl, text.data(), static_cast<int>(text.size()));
      else
        (void)::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    }
    bool read_line(std::string& line) {
      std::size_t end = 0;
      while ((end = held.find("\r\n")) == std::string::npos) {
        std::array<char, 4096> some;
        const auto got = ssl != nullptr ? SSL_read(ssl, some.data(), some.size())
                                        : static_cast<int>(::recv(fd, some.data(), some.size(), 0));
        if (got <= 0) return false;
        held.append(some.data(), static_cast<std::size_t>(got));
      }
      line = held.substr(0, end);
      held.erase(0, end + 2);
      return true;
    }
  };

  void accept() {
    while (true) {
      const int fd = ::accept(fd_, nullptr, nullptr);
      if (fd < 0) return;
      const std::lock_guard lock(mutex_);
      open_.push_back(fd);
      sessions_.emplace_back([this, fd] {
        Session session{.fd = fd};
        if (behaviour_.hangs)
          wait_for_end(session);
        else
          serve(session);
        SSL_free(session.ssl);
        ::shutdown(fd, SHUT_RDWR);  // closed with the peer: the number must stay taken until then
      });
    }
  }

  static void wait_for_end(Session& session) {
    std::string line;
    while (session.read_line(line)) {
    }
  }

  void greet(Session& session) const {
    session.say("250-test");
    if (context_ != nullptr && session.ssl == nullptr) session.say("250-STARTTLS");
    if (!behaviour_.login.empty()) session.say("250-AUTH PLAIN");
    session.say("250 8BITMIME");
  }

  bool start_tls(Session& session) const {
    session.say("220 go ahead");
    session.ssl = SSL_new(context_);
    SSL_set_fd(session.ssl, session.fd);
    session.held.clear();
    return SSL_accept(session.ssl) == 1;
  }

  static bool read_data(Session& session, std::string& text) {
    std::string line;
    while (session.read_line(line)) {
      if (line == ".") return true;
      text += (line.starts_with('.') ? line.substr(1) : line) + "\r\n";
    }
    return false;
  }

  void serve(Session& session) {
    session.say("220 test ESMTP");
    SmtpMail mail;
    std::string line;
    while (session.read_line(line)) {
      if (line.starts_with("EHLO")) {
        greet(session);
      } else if (line == "STARTTLS" && context_ != nullptr) {
        if (!start_tls(session)) return;
      } else if (line == "AUTH PLAIN") {
        session.say("334 ");
        if (!session.read_line(line)) return;
        session.logged_in = line == behaviour_.login;
        session.say(session.logged_in ? "235 welcome" : "535 wrong");
      } else if (line.starts_with("MAIL FROM:")) {
        mail = {.from = line.substr(10), .secure = session.ssl != nullptr, .logged_in = session.logged_in};
        session.say("250 ok");
      } else if (line.starts_with("RCPT TO:")) {
        mail.to.push_back(line.substr(8));
        const auto own = behaviour_.says_to.find(mail.to.back());
        session.say(own == behaviour_.says_to.end() ? behaviour_.recipient_says : own->second);
      } else if (line == "DATA") {
        session.say("354 go");
        if (!read_data(session, mail.text)) return;
        {
          const std::lock_guard lock(mutex_);
          mails_.push_back(mail);
        }
        session.say(behaviour_.data_says);
      } else if (line == "QUIT") {
        return session.say("221 bye");
      } else {
        session.say("250 ok");
      }
    }
  }

  const SmtpBehaviour behaviour_;
  int fd_ = -1;
  std::uint16_t port_ = 0;
  SSL_CTX* context_ = nullptr;
  std::thread thread_;
  mutable std::mutex mutex_;
  std::vector<SmtpMail> mails_;
  std::vector<int> open_;
  std::vector<std::thread> sessions_;
};

}  // namespace mydr24::notify
