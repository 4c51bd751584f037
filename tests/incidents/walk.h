#pragma once

// Reads a walk (README.md) and walks it on a clock of its own.

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "operations/incidents/watcher.h"
#include "storage/store/fake_store.h"

namespace mydr24::incident_walks {

class Walk {
 public:
  explicit Walk(const std::filesystem::path& file);
  ~Walk();
  Walk(const Walk&) = delete;
  Walk& operator=(const Walk&) = delete;
  // Says what went otherwise than told, with its line; empty when nothing did.
  std::string run();

 private:
  using Words = std::vector<std::string>;
  using Options = std::map<std::string, std::string, std::less<>>;
  struct Process;

  std::string line(const std::string& text);
  std::string step(const Words& words);
  std::string world_step(const Words& words);
  std::string open(const Words& words);
  std::string alert(const Words& words);
  std::string request(const Words& words);
  std::string change(const Words& words);
  std::string storm(const Words& words);
  std::string incident_step(const Words& words);
  std::string is(const incidents::Incident& incident, const Words& words);
  std::string has(const incidents::Incident& incident, const Words& words);
  std::string tamper(const incidents::Incident& incident, const Words& words);
  Result<incidents::Incident> act(store::Transaction& transaction, const std::string& id, const Words& words);
  Result<incidents::Incident> review(store::Transaction& transaction, const std::string& id, const Words& words);
  std::string pass(const std::string& duration);
  std::string count_open(const Words& words);

  void start_process();
  Result<> write(const std::function<Result<>(store::Transaction&)>& work);
  Result<incidents::Incident> find(const std::string& name);

  std::vector<std::string> lines_;
  ManualClock clock_{from_us(0)};
  store::FakeStore store_{clock_};
  std::unique_ptr<Process> process_;
  std::map<std::string, std::string, std::less<>> ids_;  // by name
  std::map<std::string, std::string, std::less<>> alert_ids_;
};

}  // namespace mydr24::incident_walks
