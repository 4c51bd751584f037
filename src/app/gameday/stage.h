#pragma once

// The server that is broken: a throw-away `mydr24 serve` with its own folder, ports, pagers, people and board.

#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "app/gameday/database_server.h"
#include "app/gameday/report.h"
#include "app/load/process.h"
#include "app/load/webhook.h"
#include "base/core/clock.h"
#include "base/json/document.h"

namespace mydr24::gameday {

// Whom the plan of the game calls: by severity of what is wrong.
inline constexpr std::string_view emergency_people[] = {"ella", "emil"};
inline constexpr std::string_view critical_people[] = {"cora", "carl"};
inline constexpr std::string_view high_people[] = {"hugo", "hana"};

inline constexpr double audit_limit_s = 2;  // of the rule ComplianceRisk in the game, in place of 30

struct Answer {
  int status = 0;  // 0: there was none
  json::Document body;
};

class Stage {
 public:
  // `binary` serves, on a small disk of its own. One thread must be running: namespaces are changed. With `database` its store
  // is there, and nobody is asked who they are: where the database is gone nobody could say it.
  static Result<std::unique_ptr<Stage>> set_up(const std::filesystem::path& binary, const Clock& clock,
                                               DatabaseServer* database = nullptr);
  ~Stage();
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  // A request of somebody who is known to the server: "engineer", "petra" ...
  Answer ask(std::string_view who, std::string_view method, const std::string& path, const std::string& body = {});
  // Waits until `holds`; false after `time_max`.
  bool wait(std::chrono::milliseconds time_max, const std::function<bool()>& holds);

  // The longest by which this process got the processor too late, since it was last asked: how loaded the machine was.
  double take_late_s() { return std::exchange(late_s_, 0); }

  // First calls of people of the desk since then (steady), in their order.
  std::vector<Call> calls_since(std::chrono::nanoseconds begin) const;
  // Whether people were called about what the store did not take, since the log was that long.
  bool called_from_memory(std::size_t log_size) const;
  std::size_t log_size() const { return server_->log().size(); }
  std::string log() const { return server_->log(); }

  std::filesystem::path database() const { return data() / "mydr24.db"; }
  std::filesystem::path ballast() const { return data() / "ballast"; }
  pid_t pid() const { return server_->pid(); }
  load::WebhookReceiver& pager() { return *pager_; }
  // Why there is no small disk; empty: there is one.
  const std::string& no_disk() const { return no_disk_; }
  // Of the load: writes that were taken, that were not.
  std::int64_t taken() const { return taken_; }
  std::int64_t refused() const { return refused_; }

 private:
  explicit Stage(const Clock& clock) : clock_(clock) {}
  std::filesystem::path data() const { return folder_.path() / "data"; }
  std::filesystem::path audit() const { return folder_.path() / "audit"; }
  Result<> register_clients(const std::filesystem::path& binary);
  Result<> start_server(const std::filesystem::path& binary, const DatabaseServer* database);
  Result<> log_in();
  Result<> make_plan();
  Result<> lower_audit_limit();
  Result<> wait_well();
  void run_load();

  const Clock& clock_;
  load::TempFolder folder_;
  std::string no_disk_ = "the game has no disk of its own";
  double late_s_ = 0;
  std::unique_ptr<load::WebhookReceiver> pager_, sms_;
  std::map<std::string, std::string, std::less<>> secrets_, tokens_;
  std::optional<load::Server> server_;
  std::unique_ptr<load::HttpClient> http_;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::int64_t> taken_ = 0, refused_ = 0;
  std::thread load_;
};

}  // namespace mydr24::gameday
