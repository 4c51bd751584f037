// The server is killed (SIGKILL) at a random moment while eight clients write, again and again on the same data. After
// each restart, and for everything once more at the end:
//   every acknowledged write reads back with the version and content that was acknowledged (or the one write after it that
//   was never answered), every acknowledged emergency is an alert in the list and reaches the pager, a call that arrives
//   twice is marked as a retry, and the store verifies.
// usage: crash [--rounds N] [--seed S]; exit 0 when all of that holds.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <thread>

#include "app/load/webhook.h"
#include "base/core/clock.h"
#include "support/live.h"
#include "writer.h"

namespace mydr24::live {
namespace {

constexpr std::size_t writer_count = 8;
constexpr std::chrono::seconds delivery_max{20};

struct Flags {
  std::size_t rounds = 10;
  std::uint64_t seed = 0;
};

std::optional<Flags> parse_flags(std::span<char*> arguments) {
  Flags flags;
  flags.seed = static_cast<std::uint64_t>(system_clock().now().time_since_epoch().count());
  for (std::size_t i = 1; i < arguments.size(); i += 2) {
    const std::string_view flag = arguments[i];
    const std::string_view value = i + 1 < arguments.size() ? arguments[i + 1] : "";
    const auto read = [&](auto& out) {
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), out);
      return error == std::errc() && end == value.data() + value.size();
    };
    if (flag == "--rounds" ? !read(flags.rounds) : flag == "--seed" ? !read(flags.seed) : true) return std::nullopt;
  }
  return flags;
}

class CrashTest {
 public:
  explicit CrashTest(const Flags& flags) : flags_(flags), random_(flags.seed) {
    for (std::size_t i = 0; i < writer_count; ++i) writers_.push_back(std::make_unique<Writer>(i, flags.seed + i + 1));
  }

  // Empty when everything held.
  std::string run() {
    for (std::size_t round = 0; round <= flags_.rounds; ++round) {
      if (auto wrong = start(); !wrong.empty()) return wrong;
      slowest_start_ms_ = std::max(slowest_start_ms_, server_->startup_ms());
      const bool last = round == flags_.rounds;
      if (auto wrong = check_writes(last); !wrong.empty()) return fmt::format("round {}: {}", round, wrong);
      if (last) break;
      write_and_kill();
      for (const auto& writer : writers_)
        if (!writer->ledger().problem.empty()) return fmt::format("round {}: {}", round, writer->ledger().problem);
    }
    if (auto wrong = check_alerts(); !wrong.empty()) return wrong;
    if (const int code = server_->stop(); code != 0) return fmt::format("the server ended with {}", code);
    if (auto verified = verifies(data()); !verified) return verified.message();
    return {};
  }

  std::string summary() const {
    std::uint64_t acknowledged = 0;
    for (const auto& writer : writers_) acknowledged += writer->ledger().acknowledged;
    return fmt::format(
        "{} kills, {} acknowledged requests, {} resources, {} emergencies, {} calls ({} retries), slowest "
        "start {:.0f} ms",
        flags_.rounds, acknowledged, checked_, alarms_, calls_, retries_, slowest_start_ms_);
  }

 private:
  std::filesystem::path data() const { return folder_.path() / "data"; }

  std::string start() {
    auto server =
        load::Server::start({.binary = binary(),
                             .data = data(),
                             .config = fmt::format("[alerting]\nescalate_after_s = 3600\n\n"
                                                   "[[alerting.contacts]]\nname = \"nurse\"\nwebhook_url = \"{}\"\n",
                                                   pager_.url())});
    if (!server) return server.error().text;
    server_ = std::move(*server);
    return {};
  }

  void write_and_kill() {
    std::atomic<bool> stop = false;
    std::vector<std::thread> threads;
    for (auto& writer : writers_)
      threads.emplace_back([&writer, &stop, this] { writer->write(server_->endpoint(), stop); });
    std::this_thread::sleep_for(std::chrono::microseconds(20'000 + random_() % 380'000));
    server_->kill();
    stop = true;
    for (auto& thread : threads) thread.join();
  }

  // What was written since the last check; with `all`, everything.
  std::string check_writes(bool all) {
    load::HttpClient http(server_->endpoint());
    checked_ = 0;
    for (auto& writer : writers_) {
      for (auto& [reference, known] : writer->ledger().resources) {
        ++checked_;
        if (!all && verified_[reference] == known.version && !known.maybe_next) continue;
        const auto reply = http.get("/fhir/R4/" + reference);
        if (!reply) return reply.error().text;
        if (auto wrong = check_one(known, *reply); !wrong.empty()) return fmt::format("{}: {}", reference, wrong);
        verified_[reference] = known.version;
      }
    }
    return {};
  }

  // Settles what was unknown: the write that was never answered is there or it is not.
  static std::string check_one(Known& known, const load::Reply& reply) {
    if (known.version == 0 && reply.status == 404) {
      known.maybe_next = false;
      return {};
    }
    if (reply.status != 200) return fmt::format("lost: answered {}", reply.status);
    const auto is = [&](std::int64_t version, const std::string& mark) {
      return reply.etag == fmt::format("W/\"{}\"", version) && reply.body.find(mark) != std::string::npos;
    };
    if (known.version > 0 && is(known.version, known.mark)) {
      known.maybe_next = false;
      return {};
    }
    if (known.maybe_next && is(known.version + 1, known.next_mark)) {
      known = {.version = known.version + 1, .mark = known.next_mark};
      return {};
    }
    return fmt::format("acknowledged was version {} with '{}', there is {}: {}", known.version, known.mark, reply.etag,
                       reply.body);
  }

  std::string check_alerts() {
    std::map<std::string, std::string> alert_of;  // patient: alert id
    if (auto wrong = read_alerts(alert_of); !wrong.empty()) return wrong;
    std::set<std::string> wanted;
    for (const auto& writer : writers_) {
      for (const std::string& patient : writer->ledger().alarms) {
        ++alarms_;
        if (!alert_of.contains(patient)) return "no alert about " + patient;
        wanted.insert(alert_of[patient]);
      }
    }
    std::set<std::string> told;
    std::set<std::string> first_attempts;
    std::size_t read = 0;
    std::string wrong;
    pager_.wait(delivery_max, [&](const std::vector<load::Delivery>& all) {
      for (; read < all.size() && wrong.empty(); ++read) wrong = hear(all[read], told, first_attempts);
      return !wrong.empty() || std::ranges::includes(told, wanted);
    });
    if (!wrong.empty()) return wrong;
    for (const std::string& id : wanted)
      if (!told.contains(id)) return "the pager was never told of alert " + id;
    return {};
  }

  std::string hear(const load::Delivery& delivery, std::set<std::string>& told, std::set<std::string>& first_attempts) {
    const auto document = json::Document::parse_view(delivery.body);
    if (!document) return "a call is no JSON: " + delivery.body;
    const json::Value call = document->root();
    ++calls_;
    told.emplace(call["alert"]["id"].text());
    const bool retry = call["delivery"]["retry"].is_true();
    if (retry != (call["delivery"]["attempt"].text() != "1")) return "attempt and retry differ: " + delivery.body;
    if (retry) {
      ++retries_;
    } else if (!first_attempts.emplace(call["delivery"]["id"].text()).second) {
      return "the same call twice, not marked as a retry: " + delivery.body;
    }
    return {};
  }

  std::string read_alerts(std::map<std::string, std::string>& alert_of) {
    constexpr std::size_t pages_max = 1000;
    load::HttpClient http(server_->endpoint());
    std::string after;
    for (std::size_t page = 0; page < pages_max; ++page) {
      const auto reply = http.get("/api/v1/alerts?count=500" + (after.empty() ? "" : "&after=" + after));
      if (!reply || reply->status != 200) return "the alert list was not answered";
      const auto document = json::Document::parse_view(reply->body);
      if (!document) return "the alert list is no JSON";
      for (const json::Value alert : document->root()["alerts"])
        alert_of[std::string(alert["patient"].text())] = alert["id"].text();
      after = document->root()["next"].text();
      if (after.empty() || after == "null") return {};
    }
    return "the alert list does not end";
  }

  Flags flags_;
  std::mt19937_64 random_;
  load::TempFolder folder_;
  load::WebhookReceiver pager_;
  std::optional<load::Server> server_;
  std::vector<std::unique_ptr<Writer>> writers_;
  std::map<std::string, std::int64_t> verified_;  // version that was read back
  std::size_t checked_ = 0;
  std::size_t alarms_ = 0;
  std::size_t calls_ = 0;
  std::size_t retries_ = 0;
  double slowest_start_ms_ = 0;
};

}  // namespace
}  // namespace mydr24::live

int main(int argc, char** argv) {
  const auto flags = mydr24::live::parse_flags(std::span(argv, static_cast<std::size_t>(argc)));
  if (!flags) {
    fmt::print(stderr, "usage: crash [--rounds N] [--seed S]\n");
    return 2;
  }
  fmt::print("seed {}\n", flags->seed);
  mydr24::live::CrashTest test(*flags);
  const std::string wrong = test.run();
  fmt::print("{}\n", test.summary());
  if (!wrong.empty()) fmt::print("FAILED: {}\n", wrong);
  return wrong.empty() ? 0 : 1;
}
