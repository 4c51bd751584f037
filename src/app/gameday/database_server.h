#pragma once

// A PostgreSQL of its own that is stopped and started again: in a temporary folder, on a Unix socket.

#include <sys/types.h>

#include <memory>
#include <string>

#include "app/load/process.h"
#include "base/core/clock.h"

namespace mydr24::gameday {

class DatabaseServer {
 public:
  // Where PostgreSQL's programs are; empty: not on this machine.
  static std::string programs();
  // Code::unsupported: its programs are not here, or it does not start.
  static Result<std::unique_ptr<DatabaseServer>> start(const Clock& clock);
  ~DatabaseServer() { stop(); }
  DatabaseServer(const DatabaseServer&) = delete;
  DatabaseServer& operator=(const DatabaseServer&) = delete;

  std::string url() const;
  // At once, as in a crash.
  void stop();
  // Waits until it takes connections.
  Result<> go_on();

 private:
  explicit DatabaseServer(const Clock& clock) : clock_(clock) {}
  pid_t spawn(std::vector<std::string> arguments) const;

  const Clock& clock_;
  load::TempFolder folder_;
  pid_t process_ = -1;
};

}  // namespace mydr24::gameday
