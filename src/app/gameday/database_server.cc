#include "app/gameday/database_server.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <thread>

namespace mydr24::gameday {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds start_max{30};
constexpr const char* other_user = "nobody";  // PostgreSQL refuses to run as root

}  // namespace

std::string DatabaseServer::programs() {
  std::vector<std::string> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", error))
    if (fs::exists(entry.path() / "bin/initdb")) found.push_back((entry.path() / "bin").string());
  std::ranges::sort(found);
  return found.empty() ? std::string() : found.back();
}

Result<std::unique_ptr<DatabaseServer>> DatabaseServer::start(const Clock& clock) {
  const std::string bin = programs();
  if (bin.empty()) return fail(Code::unsupported, "PostgreSQL's programs are not on this machine");
  std::unique_ptr<DatabaseServer> server(new DatabaseServer(clock));
  const fs::path& folder = server->folder_.path();
  if (::geteuid() == 0) {
    const passwd* const user = ::getpwnam(other_user);
    if (user == nullptr || ::chown(folder.c_str(), user->pw_uid, user->pw_gid) != 0)
      return fail(Code::unsupported, fmt::format("PostgreSQL cannot be run as the user {}", other_user));
  }
  const pid_t made = server->spawn({bin + "/initdb", "-D", (folder / "data").string(), "-U", "postgres", "-A", "trust",
                                    "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"});
  int status = 1;
  if (made > 0) ::waitpid(made, &status, 0);
  if (status != 0) return fail(Code::unsupported, fmt::format("initdb failed: {}", load::read_text(folder / "log")));
  MYDR24_TRY(server->go_on());
  return server;
}

pid_t DatabaseServer::spawn(std::vector<std::string> arguments) const {
  if (::geteuid() == 0)
    arguments.insert(arguments.begin(), {"setpriv", fmt::format("--reuid={}", other_user), "--regid=nogroup",
                                         "--clear-groups", "--pdeathsig=KILL", "--"});
  const fs::path file = folder_.path() / "log";
  const int log = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  const pid_t pid = load::spawn(arguments, STDIN_FILENO, log, log);
  ::close(log);
  return pid;
}

std::string DatabaseServer::url() const {
  return fmt::format("host={} port=5432 user=postgres dbname=postgres", folder_.path().string());
}

Result<> DatabaseServer::go_on() {
  const fs::path& folder = folder_.path();
  const auto said = load::read_text(folder / "log").size();
  process_ = spawn({programs() + "/postgres", "-D", (folder / "data").string(), "-k", folder.string(), "-c",
                    "listen_addresses=", "-c", "fsync=off", "-c", "full_page_writes=off"});
  const auto end = clock_.steady() + start_max;
  while (process_ > 0 && clock_.steady() < end) {
    if (load::read_text(folder / "log").substr(said).contains("ready to accept connections")) return {};
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return fail(Code::unsupported, fmt::format("PostgreSQL does not start: {}", load::read_text(folder / "log")));
}

void DatabaseServer::stop() {
  if (process_ <= 0) return;
  ::kill(process_, SIGQUIT);
  ::waitpid(process_, nullptr, 0);
  process_ = -1;
}

}  // namespace mydr24::gameday
