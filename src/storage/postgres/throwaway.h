#pragma once

// A PostgreSQL server of its own for tests: in a temporary folder, on a Unix socket, gone when the program ends.
//
// fsync is off unless it is asked for: these tests are about what the store does, not about the disk.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "storage/postgres/connection.h"
#include "storage/postgres/parameters.h"
#include "storage/postgres/schema.h"

namespace mydr24::postgres {

class ThrowawayServer {
 public:
  // Nothing where PostgreSQL's programs are not installed, or the server does not start.
  static std::unique_ptr<ThrowawayServer> start(bool durable = false) {
    if (!std::filesystem::exists(std::string(programs) + "/initdb")) return nullptr;
    std::unique_ptr<ThrowawayServer> server(new ThrowawayServer(durable));
    return server->init() && server->run() ? std::move(server) : nullptr;
  }
  // A streaming replica of this server.
  std::unique_ptr<ThrowawayServer> replica() const {
    std::unique_ptr<ThrowawayServer> copy(new ThrowawayServer(false));
    const std::vector<std::string> options{
        "-h", folder_.string(), "-U", "postgres", "-D",        copy->data().string(),
        "-c", "fast",           "-X", "stream",   "--no-sync", "--write-recovery-conf"};
    return copy->wait_for("pg_basebackup", options) && copy->run() ? std::move(copy) : nullptr;
  }
  ~ThrowawayServer() {
    stop(SIGINT);
    std::error_code error;
    std::filesystem::remove_all(folder_, error);
  }
  ThrowawayServer(const ThrowawayServer&) = delete;
  ThrowawayServer& operator=(const ThrowawayServer&) = delete;

  std::string url(std::string_view database) const {
    return fmt::format("host={} port=5432 user=postgres dbname={}", folder_.string(), database);
  }
  // Ends the connection that holds the lead; the process that had it lives on.
  bool cut_the_lead(std::string_view database) const {
    auto connection = Connection::open(url(database), Connection::Role::reader);
    if (!connection) return false;
    const auto cut = (*connection)
                         ->query(
                             "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND "
                             "classid = $1::int::oid AND database = (SELECT oid FROM pg_database WHERE datname = "
                             "current_database())",
                             Parameters::of(leader_lock));
    return cut && (*connection)->finish();
  }
  // An empty database; one that was given back is emptied and used again, which is quicker than a new one.
  std::string lend_database() {
    if (!free_.empty()) {
      auto name = std::move(free_.back());
      free_.pop_back();
      return name;
    }
    auto name = fmt::format("test{}", ++databases_);
    execute("template1", fmt::format("CREATE DATABASE {}", name));
    return name;
  }
  void give_back(const std::string& database) {
    execute(database, R"(DO $$ DECLARE name text; BEGIN
        FOR name IN SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'
          AND tablename NOT IN ('migration', 'parameter', 'resource_type') LOOP
          EXECUTE 'DELETE FROM ' || name;
        END LOOP; END $$)");
    free_.push_back(database);
  }
  void execute(std::string_view database, const std::string& script) const {
    const auto connection = Connection::open(url(database), Connection::Role::writer);
    ASSERT_TRUE(connection) << connection.error().text;
    const auto done = (*connection)->execute(script);
    ASSERT_TRUE(done) << done.error().text;
  }

  bool run() {
    std::vector<std::string> options{"-D", data().string(),        "-k", folder_.string(),
                                     "-c", "listen_addresses=",    "-c", "max_connections=60",
                                     "-c", "shared_buffers=256MB", "-c", "log_min_messages=fatal",
                                     "-c", "max_wal_size=4GB",     "-c", "wal_level=replica"};
    if (!durable_) options.insert(options.end(), {"-c", "fsync=off", "-c", "full_page_writes=off"});
    process_ = spawn("postgres", options);
    for (int tried = 0; tried < 300; ++tried) {
      if (Connection::open(url("template1"), Connection::Role::reader)) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return false;
  }
  // SIGINT: quickly and well. SIGQUIT: at once, as in a crash.
  void stop(int signal) {
    if (process_ <= 0) return;
    ::kill(process_, signal);
    ::waitpid(process_, nullptr, 0);
    process_ = 0;
  }

 private:
  static constexpr std::string_view programs = "/usr/lib/postgresql/15/bin";

  explicit ThrowawayServer(bool durable) : durable_(durable) {
    auto pattern = (std::filesystem::temp_directory_path() / "mydr24-pg-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    if (geteuid() == 0) {  // the server refuses to run as root
      (void)std::system(fmt::format("chown postgres {}", folder_.string()).c_str());
    }
  }
  std::filesystem::path data() const { return folder_ / "data"; }

  bool init() {
    return wait_for("initdb", {"-D", data().string(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C",
                               "--no-sync", "--no-instructions"});
  }
  // Runs a program to its end.
  bool wait_for(std::string_view program, const std::vector<std::string>& options) const {
    const auto process = spawn(program, options);
    int status = 1;
    ::waitpid(process, &status, 0);
    return status == 0;
  }

  pid_t spawn(std::string_view program, const std::vector<std::string>& options) const {
    std::vector<std::string> words;
    // It ends with the test program, however that ends.
    if (geteuid() == 0)
      words = {"setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--pdeathsig=INT", "--"};
    words.push_back(fmt::format("{}/{}", programs, program));
    words.insert(words.end(), options.begin(), options.end());
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    const auto log = (folder_ / "log").string();
    std::fflush(nullptr);  // or the child would print it again
    const pid_t process = ::fork();
    if (process == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGINT);
      if (::chdir("/") != 0 || std::freopen(log.c_str(), "a", stdout) == nullptr ||
          std::freopen(log.c_str(), "a", stderr) == nullptr) {
        ::_exit(1);
      }
      ::execvp(pointers[0], pointers.data());
      ::_exit(127);
    }
    return process;
  }

  std::filesystem::path folder_;
  bool durable_;
  pid_t process_ = 0;
  int databases_ = 0;
  std::vector<std::string> free_;
};

// One server for the test program; nothing when PostgreSQL is not installed.
inline ThrowawayServer* shared_server() {
  static const auto started = ThrowawayServer::start();
  return started.get();
}

}  // namespace mydr24::postgres
