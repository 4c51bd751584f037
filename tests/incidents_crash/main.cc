// The server is killed (SIGKILL) at a random moment while emergencies are written, again and again on the same data. After each
// restart: every emergency belongs to exactly one incident (each is counted once, none is missing), no two incidents that are not
// over have the same cause or patient, every timeline is whole, and every incident that nobody has answered has an open alert.
// usage: incidents_crash [--rounds N] [--seed S]; exit 0 when all of that holds.

#include <fmt/format.h>

#include <charconv>
#include <random>
#include <set>
#include <span>
#include <thread>

#include "app/load/bodies.h"
#include "base/core/clock.h"
#include "base/core/date_time.h"
#include "base/json/document.h"
#include "support/live.h"

namespace mydr24::live {
namespace {

constexpr std::chrono::seconds wait_max{20};

class IncidentsCrash {
 public:
  IncidentsCrash(std::size_t rounds, std::uint64_t seed) : rounds_(rounds), random_(seed) {}

  std::string run() {
    for (std::size_t round = 0; round < rounds_; ++round) {
      if (auto wrong = start(); !wrong.empty()) return wrong;
      if (auto wrong = check(); !wrong.empty()) return fmt::format("round {}: {}", round, wrong);
      work_and_kill(round);
      if (!problem_.empty()) return fmt::format("round {}: {}", round, problem_);
    }
    if (auto wrong = start(); !wrong.empty()) return wrong;
    if (auto wrong = check(); !wrong.empty()) return wrong;
    return server_->stop() == 0 ? "" : "the server did not end as it should";
  }
  std::string summary() const {
    return fmt::format("{} kills, {} emergencies, {} incidents, {} timelines verified", rounds_, emergencies_,
                       incidents_, verified_);
  }

 private:
  std::string start() {
    auto server = load::Server::start({.binary = binary(), .data = folder_.path() / "data", .config = {}});
    if (!server) return server.error().text;
    server_ = std::move(*server);
    return {};
  }

  void work_and_kill(std::size_t round) {
    std::thread worker([&] { work(round); });
    std::this_thread::sleep_for(std::chrono::milliseconds(30 + random_() % 400));
    server_->kill();
    worker.join();
  }

  // Until the connection breaks.
  void work(std::size_t round) {
    load::HttpClient http(server_->endpoint());
    for (std::size_t n = 0; n < 1000; ++n) {
      const std::string name = fmt::format("r{}n{}", round, n);
      const std::string body = load::oxygen_saturation().fill(
          {{"patient", "Patient/" + name}, {"value", "60"}, {"at", format_instant(system_clock().now())}});
      for (const auto& [method, path, text] :
           {std::tuple("PUT", "/fhir/R4/Patient/" + name,
                       fmt::format(R"({{"resourceType":"Patient","id":"{}"}})", name)),
            std::tuple("POST", std::string("/fhir/R4/Observation"), body)}) {
        auto reply = http.send(method, path, text);
        // A machine that is too busy refuses what can wait.
        while (reply && reply->status == 503) {
          std::this_thread::sleep_for(std::chrono::milliseconds(20));
          reply = http.send(method, path, text);
        }
        if (!reply) return;
        if (reply->status == 201) continue;
        problem_ = fmt::format("answered {}: {}", reply->status, reply->body);
        return;
      }
    }
  }

  json::Document get(load::HttpClient& http, const std::string& path) {
    const auto reply = http.get(path);
    if (reply && reply->status == 200) {
      if (auto document = json::Document::parse(reply->body)) return std::move(*document);
    }
    problem_ = path + " was not answered";
    return {};
  }

  // Everything below `path` that comes in pages.
  template <class Visit>
  void for_each(load::HttpClient& http, const std::string& path, std::string_view list, Visit visit) {
    std::string after;
    do {
      const auto page = get(http, path + (after.empty() ? "" : "&after=" + after));
      for (const json::Value each : page.root()[list]) visit(each);
      after = page.root()["next"].text();
    } while (!after.empty() && problem_.empty());
  }

  // The watcher takes up what it had not seen: wait for it.
  std::string check() {
    const auto until = system_clock().steady() + wait_max;
    std::string wrong;
    do {
      wrong = look();
      if (wrong.empty() || !problem_.empty()) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    } while (system_clock().steady() < until);
    return problem_.empty() ? wrong : problem_;
  }

  std::string look() {
    load::HttpClient http(server_->endpoint());
    std::int64_t emergencies = 0, counted = 0;
    std::set<std::string> called, causes, patients;
    std::vector<std::string> ids;
    for_each(http, "/api/v1/alerts?count=500", "alerts", [&](json::Value alert) {
      if (alert["source"].text() == "vitals" && alert["severity"].text() == "emergency") ++emergencies;
      if (alert["source"].text() == "incidents" && alert["state"].text() == "open") called.emplace(alert["id"].text());
    });
    for_each(http, "/api/v1/incidents?count=500", "incidents",
             [&](json::Value incident) { ids.emplace_back(incident["id"].text()); });
    for (const std::string& id : ids) {
      const auto incident = get(http, "/api/v1/incidents/" + id);
      const json::Value root = incident.root();
      const auto digits = root["alert_count"].text();
      std::int64_t count = 0;
      std::from_chars(digits.data(), digits.data() + digits.size(), count);
      // What the monitor finds on a loaded machine is no emergency of a patient.
      if (root["opened_by"].text() != "monitor") counted += count;
      // The cause of a patient's alert names the patient: it is not shown, whom it touches tells the same.
      if (const std::string_view cause = root["cause"].text(); !cause.empty() && !causes.emplace(cause).second)
        return "two incidents have one cause";
      const auto touched = get(http, fmt::format("/api/v1/incidents/{}/patients", id));
      for (const json::Value patient : touched.root()["patients"])
        if (!patients.emplace(patient.text()).second) return "two incidents are of one patient's alert";
      if (!called.contains(std::string(root["page"].text()))) return "nobody is called about an incident";
      const auto verified = get(http, fmt::format("/api/v1/incidents/{}/verify", id));
      if (!verified.root()["whole"].is_true()) return "a timeline is not whole: " + std::string(verified.source());
      ++verified_;
    }
    emergencies_ = emergencies;
    incidents_ = ids.size();
    if (counted != emergencies) return fmt::format("{} emergencies, {} counted by incidents", emergencies, counted);
    return {};
  }

  const std::size_t rounds_;
  std::mt19937_64 random_;
  load::TempFolder folder_;
  std::optional<load::Server> server_;
  std::string problem_;
  std::int64_t emergencies_ = 0;
  std::size_t incidents_ = 0, verified_ = 0;
};

}  // namespace
}  // namespace mydr24::live

int main(int argc, char** argv) {
  std::size_t rounds = 10;
  std::uint64_t seed = static_cast<std::uint64_t>(mydr24::system_clock().now().time_since_epoch().count());
  const std::span<char*> arguments(argv, static_cast<std::size_t>(argc));
  for (std::size_t i = 1; i + 1 < arguments.size(); i += 2) {
    const std::string_view flag = arguments[i], value = arguments[i + 1];
    if (flag == "--rounds") std::from_chars(value.data(), value.data() + value.size(), rounds);
    if (flag == "--seed") std::from_chars(value.data(), value.data() + value.size(), seed);
  }
  fmt::print("seed {}\n", seed);
  mydr24::live::IncidentsCrash test(rounds, seed);
  const std::string wrong = test.run();
  fmt::print("{}\n", test.summary());
  if (!wrong.empty()) fmt::print("FAILED: {}\n", wrong);
  return wrong.empty() ? 0 : 1;
}
