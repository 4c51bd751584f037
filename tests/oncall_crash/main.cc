// The server is killed (SIGKILL) at a random moment while alerts are raised and answered and the on-call plan is changed,
// again and again on the same data. After each restart:
//   every acknowledged alert is in the list, every acknowledged answer is there, every acknowledged part of the plan is
//   there; every alert that nobody answered is called about again (its timer is alive); and no call comes twice without
//   saying that it is a retry.
// usage: oncall_crash [--rounds N] [--seed S]; exit 0 when all of that holds.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <random>
#include <set>
#include <span>
#include <thread>

#include "app/load/bodies.h"
#include "app/load/webhook.h"
#include "base/core/clock.h"
#include "base/core/date_time.h"
#include "base/json/document.h"
#include "support/live.h"

namespace mydr24::live {
namespace {

constexpr std::chrono::seconds call_max{20};

class OnCallCrash {
 public:
  OnCallCrash(std::size_t rounds, std::uint64_t seed) : rounds_(rounds), random_(seed) {}

  std::string run() {
    for (std::size_t round = 0; round < rounds_; ++round) {
      if (auto wrong = start(); !wrong.empty()) return wrong;
      if (auto wrong = check(); !wrong.empty()) return fmt::format("round {}: {}", round, wrong);
      work_and_kill(round);
      if (!problem_.empty()) return fmt::format("round {}: {}", round, problem_);
    }
    if (auto wrong = start(); !wrong.empty()) return wrong;
    if (auto wrong = check(); !wrong.empty()) return wrong;
    if (auto wrong = check_timers(); !wrong.empty()) return wrong;
    if (auto wrong = check_calls(); !wrong.empty()) return wrong;
    if (server_->stop() != 0) return "the server did not end as it should";
    return {};
  }
  std::string summary() const {
    return fmt::format("{} kills, {} alerts, {} answers, {} overrides of the plan, {} calls ({} retries)", rounds_,
                       raised_.size(), answered_.size(), parts_.size(), calls_, retries_);
  }

 private:
  std::string start() {
    std::string config = "[alerting]\nescalate_after_s = 2\nsteps = [[\"nurse\"], [\"doctor\"]]\n";
    for (const std::string_view name : {"nurse", "doctor"})
      config += fmt::format("\n[[alerting.contacts]]\nname = \"{}\"\nwebhook_url = \"{}\"\n", name,
                            pager_.url(fmt::format("/{}", name)));
    auto server = load::Server::start({.binary = binary(), .data = folder_.path() / "data", .config = config});
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
    const std::string json = "Content-Type: application/json\r\n";
    for (std::size_t n = 0; n < 1000; ++n) {
      const std::string name = fmt::format("r{}n{}", round, n);
      const std::string patient = fmt::format(R"({{"resourceType":"Patient","id":"{}"}})", name);
      if (!expect(http.send("PUT", "/fhir/R4/Patient/" + name, patient), 201)) return;
      const std::string body = load::oxygen_saturation().fill(
          {{"patient", "Patient/" + name}, {"value", "82"}, {"at", format_instant(system_clock().now())}});
      if (!expect(http.send("POST", "/fhir/R4/Observation", body), 201)) return;
      raised_.insert("Patient/" + name);
      const Instant begin = from_us(1'900'000'000'000'000) + std::chrono::minutes(round * 1000 + n);
      const std::string entry = fmt::format(R"({{"schedule":"ward","begin":"{}","end":"{}","add":"doctor"}})",
                                            format_instant(begin), format_instant(begin + std::chrono::seconds(30)));
      const auto changed = http.send("PUT", "/api/v1/oncall/parts/override/" + name, entry, json);
      if (!changed) return;
      // A schedule is needed first.
      if (changed->status == 400) {
        const std::string ward = R"({"layers":[{"members":["nurse"],"start":"2026-01-01T00:00"}]})";
        if (!expect(http.send("PUT", "/api/v1/oncall/parts/schedule/ward", ward, json), 200)) return;
      } else if (changed->status == 200) {
        parts_.insert("override/" + name);
      } else {
        problem_ = changed->body;
        return;
      }
      if (n % 2 == 0) continue;
      const auto list = http.get("/api/v1/alerts?count=1");
      if (!list || list->status != 200) return;
      const auto document = json::Document::parse_view(list->body);
      const json::Value newest = document->root()["alerts"].at(0);
      const std::string id(newest["id"].text());
      const auto answer = http.send("POST", fmt::format("/api/v1/alerts/{}/ack", id), R"({"by":"nurse"})", json);
      if (!answer) return;
      if (answer->status == 200) answered_.insert(id);
    }
  }

  bool expect(const Result<load::Reply>& reply, int status) {
    if (!reply) return false;
    if (reply->status != status) problem_ = fmt::format("answered {}: {}", reply->status, reply->body);
    return reply->status == status;
  }

  std::string check() {
    load::HttpClient http(server_->endpoint());
    std::set<std::string> patients, answered;
    open_.clear();
    std::string after;
    do {
      const auto reply = http.get("/api/v1/alerts?count=500" + (after.empty() ? "" : "&after=" + after));
      if (!reply || reply->status != 200) return "the alert list was not answered";
      const auto document = json::Document::parse_view(reply->body);
      for (const json::Value alert : document->root()["alerts"]) {
        patients.emplace(alert["patient"].text());
        if (alert["acknowledged_by"].text() == "nurse") answered.emplace(alert["id"].text());
        if (alert["state"].text() == "open") open_.emplace(alert["id"].text());
      }
      after = document->root()["next"].text();
    } while (!after.empty());
    if (!std::ranges::includes(patients, raised_)) return "an acknowledged alert is gone";
    if (!std::ranges::includes(answered, answered_)) return "an acknowledged answer is gone";
    const auto plan = http.get("/api/v1/oncall/plan");
    if (!plan || plan->status != 200) return "the plan was not answered";
    const auto document = json::Document::parse_view(plan->body);
    std::set<std::string> parts;
    for (const json::Value part : document->root()["parts"]) parts.emplace(part.key());
    return std::ranges::includes(parts, parts_) ? "" : "an acknowledged part of the plan is gone";
  }

  // Every open alert is called about once more.
  std::string check_timers() {
    const std::size_t before = pager_.deliveries().size();
    std::set<std::string> told;
    std::size_t read = before;
    const bool all_told = pager_.wait(call_max, [&](const std::vector<load::Delivery>& all) {
      for (; read < all.size(); ++read)
        if (const auto call = json::Document::parse_view(all[read].body))
          told.emplace(call->root()["alert"]["id"].text());
      return std::ranges::includes(told, open_);
    });
    return all_told ? "" : "an open alert is not called about any more";
  }

  std::string check_calls() {
    std::set<std::string> first_attempts;
    for (const load::Delivery& delivery : pager_.deliveries()) {
      const auto document = json::Document::parse_view(delivery.body);
      if (!document) return "a call is no JSON";
      const json::Value call = document->root()["delivery"];
      ++calls_;
      if (call["retry"].is_true())
        ++retries_;
      else if (!first_attempts.emplace(call["id"].text()).second)
        return "the same call twice, not marked as a retry: " + delivery.body;
    }
    return {};
  }

  const std::size_t rounds_;
  std::mt19937_64 random_;
  load::TempFolder folder_;
  load::WebhookReceiver pager_;
  std::optional<load::Server> server_;
  std::set<std::string> raised_, answered_, parts_, open_;
  std::string problem_;
  std::size_t calls_ = 0, retries_ = 0;
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
  mydr24::live::OnCallCrash test(rounds, seed);
  const std::string wrong = test.run();
  fmt::print("{}\n", test.summary());
  if (!wrong.empty()) fmt::print("FAILED: {}\n", wrong);
  return wrong.empty() ? 0 : 1;
}
