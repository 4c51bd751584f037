#pragma once

// A client that sends exactly the bytes it is given: what a well-behaved one never would.

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/load/http.h"

namespace mydr24::attacks {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method = "GET";
  std::string target = "/";
  Headers headers;
  std::string body;
};

struct Answer {
  int status = 0;  // 0: none came
  std::string head;
  std::string body;     // chunks put together
  int answers = 0;      // how many stood in what came
  bool closed = false;  // the server ended the connection

  // The first of that name, without regard to case; empty when there is none.
  std::string header(std::string_view name) const;
  std::vector<std::string> headers(std::string_view name) const;
};

// HTTP/1.1 with Host, Content-Length when there is a body, and Connection: close, unless the headers say otherwise.
std::string text_of(const Request& request);

// Sends on a connection of its own and reads until the server closes it, or nothing came for so long. `from`: the
// address it comes from, another one of the loopback; empty: the usual one.
Answer ask(const load::Endpoint& to, std::string_view bytes,
           std::chrono::milliseconds wait = std::chrono::milliseconds(10'000), const std::string& from = {});

std::string percent_encoded(std::string_view text);
// name=value&... percent-encoded.
std::string form(const Headers& fields);
// What stands between two texts; empty when the first is not there.
std::string between(std::string_view text, std::string_view before, std::string_view after);

// A connection for what is sent piece by piece.
class Wire {
 public:
  explicit Wire(const load::Endpoint& to, const std::string& from = {});
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;
  bool open() const { return socket_ >= 0; }
  // False when the server has closed it.
  bool send(std::string_view bytes);
  // What comes until `wait` passes without anything, or the end.
  Answer read(std::chrono::milliseconds wait);

 private:
  int socket_ = -1;
};

}  // namespace mydr24::attacks
