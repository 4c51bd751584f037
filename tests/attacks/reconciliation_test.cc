// The audit against what was answered, one for one: far more load than the server carries, of reads, searches, writes
// and refusals, ended again and again by SIGKILL.
//   - every answer has its entry, with what was answered and to whom, and no second one; what admission refused at the
//     door has none, and is counted
//   - no entry tells of a request that nobody sent
//   - every write that was acknowledged is there, in the version that was acknowledged, and its entry names it; one that
//     was never answered is either there with its entry or not there at all
//   - the trail verifies

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <optional>
#include <random>
#include <thread>
#include <unordered_map>

#include "app/load/process.h"
#include "base/core/clock.h"
#include "hospital.h"

namespace mydr24::attacks {
namespace {

constexpr int rounds = 3;  // the last one ends without a kill
constexpr std::size_t threads = 4;
constexpr std::size_t connections_of_thread = 160;
constexpr std::size_t pipelined = 4;
constexpr std::chrono::milliseconds round_time{1'500};
constexpr int observations = 300;

enum class Kind : std::uint8_t { read, missing, search, write, transaction, unknown, forbidden };

struct Sent {
  Kind kind = Kind::read;
  int status = 0;        // 0: never answered
  bool at_door = false;  // refused by admission
  std::string location;  // of a write
};

using Book = std::unordered_map<std::string, Sent>;

// One thread's connections: all are sent to, then all are read from, again and again.
class Generator {
 public:
  Generator(load::Endpoint server, std::string token, std::string name, std::uint64_t seed)
      : server_(std::move(server)), token_(std::move(token)), name_(std::move(name)), random_(seed) {}

  void run(const std::atomic<bool>& stop) {
    std::vector<Connection> all(connections_of_thread);
    for (auto& each : all)
      if (const auto socket = load::connect_to(server_)) each.socket = *socket;
    while (!stop) {
      bool any = false;
      for (auto& each : all) any = write(each) || any;
      for (auto& each : all) read(each);
      if (!any) break;
    }
    for (auto& each : all)
      if (each.socket >= 0) ::close(each.socket);
  }
  Book& book() { return book_; }

 private:
  struct Connection {
    int socket = -1;
    load::AnswerReader reader;
    std::vector<std::string> asked;
  };

  std::string next(std::string& out) {
    const auto dice = random_() % 100;
    const Kind kind = dice < 3    ? Kind::read
                      : dice < 6  ? Kind::missing
                      : dice < 72 ? Kind::search
                      : dice < 90 ? Kind::write
                      : dice < 94 ? Kind::transaction
                      : dice < 97 ? Kind::unknown
                                  : Kind::forbidden;
    const auto id = fmt::format("{}-{}", name_, ++number_);
    auto headers = fmt::format("X-Request-Id: {}\r\n", id);
    if (kind != Kind::unknown) headers += fmt::format("Authorization: Bearer {}\r\n", token_);
    const auto basic = fmt::format(R"({{"resourceType":"Basic","id":"{0}","code":{{"text":"{0}"}}}})", id);
    switch (kind) {
      case Kind::read:
      case Kind::unknown:
        load::append_request(out, "GET", "/fhir/R4/Patient/p", {}, headers);
        break;
      case Kind::missing:
        load::append_request(out, "GET", "/fhir/R4/Patient/none-" + id, {}, headers);
        break;
      case Kind::search:
        load::append_request(out, "GET", "/fhir/R4/Observation?_include=Observation:subject&_sort=-date&_count=200", {},
                             headers);
        break;
      case Kind::write:
        load::append_request(out, "PUT", "/fhir/R4/Basic/" + id, basic, headers);
        break;
      case Kind::transaction:
        load::append_request(
            out, "POST", "/fhir/R4",
            fmt::format(
                R"({{"resourceType":"Bundle","type":"transaction","entry":[{{"resource":{},"request":{{"method":"PUT","url":"Basic/{}"}}}}]}})",
                basic, id),
            headers);
        break;
      case Kind::forbidden:
        load::append_request(out, "GET", "/fhir/R4/AuditEvent/1", {}, headers);
        break;
    }
    book_[id] = {.kind = kind};
    return id;
  }

  bool write(Connection& to) {
    if (to.socket < 0) return false;
    std::string bytes;
    for (std::size_t i = 0; i < pipelined; ++i) to.asked.push_back(next(bytes));
    std::string_view rest = bytes;
    while (!rest.empty()) {
      const auto sent = ::send(to.socket, rest.data(), rest.size(), MSG_NOSIGNAL);
      if (sent <= 0) {
        end(to);
        return false;
      }
      rest.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  void read(Connection& from) {
    std::size_t answered = 0;
    while (from.socket >= 0 && answered < from.asked.size()) {
      const auto state = from.reader.poll();
      if (state == load::AnswerReader::State::complete) {
        const auto& answer = from.reader.answer();
        auto& sent = book_[from.asked[answered++]];
        sent.status = answer.status;
        sent.at_door = answer.head.find("X-MyDR24-Level") != answer.head.npos && answer.body.empty();
        sent.location = answer.location;
        const bool close = answer.close;
        from.reader.next();
        if (close) end(from);
        continue;
      }
      const auto [space, size] = from.reader.space();
      const auto got = state == load::AnswerReader::State::broken ? 0 : ::recv(from.socket, space, size, 0);
      if (got <= 0)
        end(from);
      else
        from.reader.received(static_cast<std::size_t>(got));
    }
    from.asked.clear();
  }

  void end(Connection& connection) {
    if (connection.socket >= 0) ::close(connection.socket);
    connection.socket = -1;
  }

  const load::Endpoint server_;
  const std::string token_, name_;
  std::mt19937_64 random_;
  std::uint64_t number_ = 0;
  Book book_;
};

class Reconciliation : public testing::Test {
 protected:
  std::filesystem::path data() const { return folder_.path() / "data"; }

  void start() {
    auto server = load::Server::start({.binary = live::binary(),
                                       .data = data(),
                                       .config = "[access]\nmode = \"on\"\n\n[search]\ntime_max_ms = 5000\n"});
    ASSERT_TRUE(server) << server.error().text;
    server_ = std::move(*server);
  }
  Answer ask(Request request) {
    request.headers.emplace_back("Authorization", "Bearer " + token_);
    if (!request.body.empty()) request.headers.emplace_back("Content-Type", "application/fhir+json");
    return attacks::ask(server_->endpoint(), text_of(request));
  }
  void seed() {
    const auto who = add_machine(server_->endpoint(), server_->admin(), data(), "archive", "service", "system/*.cruds");
    token_ = who.shows.front().second.substr(std::string_view("Bearer ").size());
    principal_ = who.id;
    ASSERT_EQ(
        ask({.method = "PUT", .target = "/fhir/R4/Patient/p", .body = R"({"resourceType":"Patient","id":"p"})"}).status,
        201);
    std::string bundle = R"({"resourceType":"Bundle","type":"batch","entry":[)";
    for (int i = 0; i < observations; ++i) {
      bundle += fmt::format(
          R"({}{{"request":{{"method":"POST","url":"Observation"}},"resource":{{"resourceType":"Observation","status":"final",)"
          R"("code":{{"text":"x"}},"subject":{{"reference":"Patient/p"}},"effectiveDateTime":"2024-01-{:02}"}}}})",
          i == 0 ? "" : ",", i % 28 + 1);
    }
    ASSERT_EQ(ask({.method = "POST", .target = "/fhir/R4", .body = bundle + "]}"}).status, 200);
  }

  // Everybody sends for that long; then, maybe, the server is killed under them.
  void load(int round, bool kill) {
    std::vector<std::unique_ptr<Generator>> generators;
    std::vector<std::thread> running;
    std::atomic<bool> stop = false;
    const auto door_before = metric(server_->admin(), "mydr24_admission_refused_total");
    for (std::size_t i = 0; i < threads; ++i) {
      generators.push_back(std::make_unique<Generator>(server_->endpoint(), token_, fmt::format("r{}t{}", round, i),
                                                       std::random_device{}()));
      running.emplace_back([&, i] { generators[i]->run(stop); });
    }
    std::this_thread::sleep_for(round_time);
    if (kill) server_->kill();
    stop = true;
    for (auto& each : running) each.join();
    double at_door = 0, answered = 0;
    for (auto& each : generators) {
      for (auto& [id, sent] : each->book()) {
        at_door += sent.at_door ? 1 : 0;
        answered += sent.status != 0 ? 1 : 0;
        const bool refused = sent.status == 429 || sent.status == 503;
        if (!sent.at_door && refused) ++refused_inside_;
        // What admission lets in by number: the rest costs next to nothing.
        if (sent.status == 0 || sent.kind == Kind::read || sent.kind == Kind::missing || sent.kind == Kind::unknown ||
            sent.kind == Kind::forbidden)
          continue;
        ++work_;
        if (!refused) ++carried_;
      }
      book_.merge(each->book());
    }
    at_door_ += at_door;
    answered_ += answered;
    if (!kill)
      EXPECT_EQ(metric(server_->admin(), "mydr24_admission_refused_total") - door_before, at_door)
          << "what was refused at the door is counted, one for one";
  }

  void reconcile() {
    const auto entries = read_trail(data());
    std::size_t wrong = 0, unanswered = 0, told_all = 0;
    const auto complain = [&](const std::string& id, const Sent& sent, const std::string& text) {
      if (++wrong <= 10)
        ADD_FAILURE() << id << " (kind " << static_cast<int>(sent.kind) << ", answered " << sent.status
                      << "): " << text;
    };
    for (const auto& [id, sent] : book_) {
      const auto [begin, end] = entries.equal_range(id);
      const auto count = std::distance(begin, end);
      told_all += static_cast<std::size_t>(count);
      if (sent.status == 0) {
        ++unanswered;
        continue;
      }
      if (sent.at_door) {
        if (count != 0) complain(id, sent, "has an entry");
        continue;
      }
      // A transaction has one for itself and one for its write.
      const std::ptrdiff_t expected = sent.kind == Kind::transaction && sent.status < 400 ? 2 : 1;
      if (count != expected) {
        complain(id, sent, fmt::format("has {} entries", count));
        continue;
      }
      for (auto at = begin; at != end; ++at) {
        const auto& entry = at->second;
        if (entry.principal != (sent.kind == Kind::unknown ? std::string() : principal_))
          complain(id, sent, "is told of " + entry.principal);
        const bool same = sent.status < 400 ? entry.status < 400 : entry.status == sent.status;
        if (!same) complain(id, sent, fmt::format("is told of as {}", entry.status));
      }
    }
    EXPECT_EQ(wrong, 0U);
    std::size_t invented = 0;
    for (const auto& [id, entry] : entries)
      if (id.starts_with("r") && id.contains("t") && id.contains("-") && id.size() < 24 && !book_.contains(id) &&
          entry.interaction != "audit.repair")
        ++invented;
    EXPECT_EQ(invented, 0U) << "entries of requests that nobody sent";
    check_writes(entries);
    fmt::print(
        "{} requests answered; of searches and writes {:.1f} times what was carried; {} refused at the door, {} "
        "inside; {} never answered; "
        "{} entries\n",
        answered_, work_ / carried_, at_door_, refused_inside_, unanswered, told_all);
    EXPECT_GT(at_door_, 0) << "it was not too much";
    EXPECT_GT(answered_ - at_door_, 1'000);
  }

  void check_writes(const std::multimap<std::string, Entry>& entries) {
    load::HttpClient http(server_->endpoint());
    const auto headers = fmt::format("Authorization: Bearer {}\r\n", token_);
    std::size_t kept = 0, lost = 0, untold = 0, unanswered = 0;
    for (const auto& [id, sent] : book_) {
      const bool is_write = sent.kind == Kind::write || sent.kind == Kind::transaction;
      const bool acknowledged = is_write && sent.status >= 200 && sent.status < 300;
      if (!is_write || (!acknowledged && sent.status != 0)) continue;
      const auto reply = http.send("GET", "/fhir/R4/Basic/" + id, {}, headers);
      ASSERT_TRUE(reply) << reply.error().text;
      const bool is_there = reply->status == 200 && reply->etag == "W/\"1\"" && reply->body.contains(id);
      const auto [begin, end] = entries.equal_range(id);
      const bool is_told = std::any_of(begin, end, [&](const auto& each) {
        return each.second.resource == "Basic/" + id && each.second.version == "1";
      });
      if (acknowledged && is_there) ++kept;
      if (acknowledged && !is_there) ++lost;
      if (is_there && !is_told) ++untold;
      if (!acknowledged && is_there) ++unanswered;
    }
    EXPECT_EQ(lost, 0U) << "acknowledged writes that are not there";
    EXPECT_EQ(untold, 0U) << "writes that are there without an entry";
    EXPECT_GT(kept, 100U);
    fmt::print("{} acknowledged writes are there, and {} that were never answered\n", kept, unanswered);
  }

  load::TempFolder folder_;
  std::optional<load::Server> server_;
  std::string token_, principal_;
  Book book_;
  double answered_ = 0, at_door_ = 0, refused_inside_ = 0, work_ = 0, carried_ = 0;
};

TEST_F(Reconciliation, EveryAnswerHasItsEntryUnderTooMuchLoadAndKills) {
  start();
  seed();
  for (int round = 0; round < rounds; ++round) {
    const bool last = round + 1 == rounds;
    load(round, !last);
    if (!last) start();
  }
  reconcile();
  EXPECT_EQ(server_->stop(), 0);
  const auto verified = load::run_command({live::binary().string(), "audit", "verify", "--data", data().string()});
  EXPECT_EQ(verified.exit_code, 0) << verified.out << verified.err;
  EXPECT_TRUE(live::verifies(data()));
}

}  // namespace
}  // namespace mydr24::attacks
