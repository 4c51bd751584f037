// A change runs through the real program, which is killed (SIGKILL) in each of its steps, one after the other, and
// once before it has begun. After each restart: the change is over, and each setting, and what was scaled, is as it was before; only
// one that was not killed is successful. usage: change_crash; exit 0 when all of that holds.

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "app/load/http.h"
#include "app/load/process.h"
#include "base/json/document.h"
#include "support/live.h"

namespace mydr24::live {
namespace {

constexpr std::chrono::seconds over_max{60};
constexpr std::chrono::milliseconds look_every{10};

// Each step lasts long enough to be killed in it; a setting is set in the transaction that ends its step.
constexpr std::string_view plan = R"({
  "title": "Killed", "description": "in each of its steps", "service": "alerting",
  "test": {"passed": true, "evidence": "this one"}, "settle_s": 30,
  "checks": [{"kind": "http", "url": "/api/v1/status"}],
  "implementation": [
    {"kind": "wait", "seconds": 0.4},
    {"kind": "set", "setting": "alerting.clear_days", "value": 11},
    {"kind": "command", "command": "slow"},
    {"kind": "watch", "every_s": 0.2, "count": 3, "checks": [{"kind": "http", "url": "/api/v1/status"}]},
    {"kind": "set", "setting": "alerting.close_idle_days", "value": 12},
    {"kind": "wait", "seconds": 0.4},
    {"kind": "set", "setting": "alerting.clear_days", "value": 13},
    {"kind": "command", "command": "slow"},
    {"kind": "verify", "checks": [{"kind": "setting", "setting": "alerting.clear_days", "is": "13"}]},
    {"kind": "wait", "seconds": 0.4},
    {"kind": "scale", "scale": "workers", "to": 4}],
  "rollback": [{"kind": "command", "command": "slow"}]})";

class ChangeCrash {
 public:
  std::string run() {
    load::write_text(number_, "3");
    load::write_text(folder_.path() / "policy.json", fmt::format(R"({{"commands":[
      {{"name":"slow","path":"/bin/sleep","arguments":["0.4"]}},{{"name":"count","path":"/bin/cat","arguments":["{0}"]}},
      {{"name":"scale","path":"/bin/sh","arguments":["-c","sleep 0.3; echo $1 > {0}","sh"]}}],
      "scales":[{{"name":"workers","low":1,"high":5,"read":{{"command":"count"}},"set":{{"command":"scale"}}}}]}})",
                                                                 number_.string()));
    if (auto wrong = start(); !wrong.empty()) return wrong;
    // Killed as soon as it stands at that step; -1: before its first; beyond the last: not at all.
    // "before" lasts for milliseconds and may be missed.
    const std::vector<std::string> places{"0", "1", "2", "3",  "4",        "5",      "6",
                                          "7", "8", "9", "10", "way_back", "before", "never"};
    for (const auto& place : places) {
      const auto wrong = one(place);
      if (!wrong.empty()) return fmt::format("killed at {}: {}\n{}", place, wrong, server_->log());
    }
    if (server_->stop() != 0) return "the server did not end as it should";
    const auto verified = verifies(folder_.path() / "data");
    return verified ? "" : verified.message();
  }
  std::string summary() const { return fmt::format("{} kills, each rolled back", kills_); }

 private:
  std::string start() {
    auto server = load::Server::start(
        {.binary = binary(),
         .data = folder_.path() / "data",
         .config = fmt::format("[changes]\npolicy_file = \"{}\"\n", (folder_.path() / "policy.json").string())});
    if (!server) return server.error().text;
    server_ = std::move(*server);
    return {};
  }
  json::Document send(std::string_view method, const std::string& path, const std::string& body = {}) {
    load::HttpClient http(server_->endpoint());
    const auto reply = http.send(method, path, body, "Content-Type: application/json\r\n");
    status_ = reply ? reply->status : 0;
    auto document = json::Document::parse(reply ? reply->body : reply.error().text);
    return document ? std::move(*document) : json::Document();
  }

  std::string propose(std::string& id) {
    const auto proposed =
        send("POST", "/api/v1/changes", fmt::format(R"({{"by":"ann","plan":{}}})", std::string(plan)));
    if (status_ != 201) return std::string(proposed.source());
    id = proposed.root()["change"]["id"].text();
    const std::string digest(proposed.root()["change"]["digest"].text());
    // What failed before makes it riskier.
    for (const auto* member : {"senior-dba", "cmo", "ciso", "cco"}) {
      const auto approved = send("POST", fmt::format("/api/v1/changes/{}/approve", id),
                                 fmt::format(R"({{"by":"{}","digest":"{}"}})", member, digest));
      if (status_ != 200) return std::string(approved.source());
    }
    const auto started = send("POST", fmt::format("/api/v1/changes/{}/start", id), R"({"by":"ann"})");
    return status_ == 200 ? "" : std::string(started.source());
  }

  // Where it stands: its state when it is over, else its phase, with the step among the steps.
  std::string place_of(const std::string& id) {
    const auto shown = send("GET", "/api/v1/changes/" + id);
    const auto change = shown.root()["change"];
    const auto state = change["state"].text();
    if (state != "running" && state != "rolling_back") return std::string(state);
    const auto phase = change["run"]["phase"].text();
    return phase == "steps" ? std::string(change["run"]["step"].text()) : std::string(phase);
  }
  bool is_over(const std::string& place) const {
    return place == "successful" || place == "failed" || place == "validation_failed" || place == "aborted" ||
           place == "rollback_failed";
  }

  std::string one(const std::string& where) {
    std::string id;
    if (auto wrong = propose(id); !wrong.empty()) return wrong;
    if (where == "way_back") {
      while (place_of(id) != "2") std::this_thread::sleep_for(look_every);
      (void)send("POST", fmt::format("/api/v1/changes/{}/abort", id), R"({"by":"ann","reason":"to be killed"})");
    }
    bool killed = false;
    const auto until = std::chrono::steady_clock::now() + over_max;
    std::string place;
    while (!is_over(place = place_of(id))) {
      if (std::chrono::steady_clock::now() > until) return fmt::format("it is not over: {}", place);
      // A setting's step is over as it begins: killed just behind it.
      const bool here = place == where || (where == "1" && place == "2") || (where == "4" && place == "5") ||
                        (where == "6" && place == "7") || (where == "8" && (place == "9" || place == "8"));
      if (here && !killed) {
        server_->kill();
        killed = true;
        ++kills_;
        if (auto wrong = start(); !wrong.empty()) return wrong;
      }
      std::this_thread::sleep_for(look_every);
    }
    return judge(where, place, killed);
  }

  std::string judge(const std::string& where, const std::string& place, bool killed) {
    const bool may_be_missed = where == "before";  // it lasts for milliseconds
    if (!killed && where != "never" && !may_be_missed) return fmt::format("it was not caught there: {}", place);
    const auto* wanted = !killed ? "successful" : where == "way_back" ? "aborted" : "failed";
    // Nobody had begun it: the next process begins it.
    const bool begun_anew = where == "before" && place == "successful";
    if (place != wanted && !begun_anew) return fmt::format("it is {}, not {}", place, wanted);
    if (place == "successful") scaled_ = "4";
    std::string number;
    std::ifstream(number_) >> number;
    if (number != scaled_) return fmt::format("it is scaled to {}, not {}", number, scaled_);
    if (place == "successful") in_force_ = {{"alerting.clear_days", "13"}, {"alerting.close_idle_days", "12"}};
    for (const auto& [setting, value] : in_force_) {
      const auto shown = send("GET", "/api/v1/settings/" + setting);
      const auto applied = shown.root()["setting"]["applied"].text();
      if (applied != value) return fmt::format("{} is {}, not {}", setting, applied, value);
    }
    return {};
  }

  load::TempFolder folder_;
  const std::filesystem::path number_ = folder_.path() / "number";
  std::optional<load::Server> server_;
  int status_ = 0;
  int kills_ = 0;
  // What the last change that was successful has set.
  std::string scaled_ = "3";
  std::map<std::string, std::string> in_force_{{"alerting.clear_days", "0"}, {"alerting.close_idle_days", "0"}};
};

}  // namespace
}  // namespace mydr24::live

int main() {
  mydr24::live::ChangeCrash test;
  const auto wrong = test.run();
  if (!wrong.empty()) {
    fmt::print("FAILED: {}\n", wrong);
    return 1;
  }
  fmt::print("{}\n", test.summary());
  return 0;
}
