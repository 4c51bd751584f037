#include "app/gameday/game.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>

#include "app/gameday/means.h"
#include "app/gameday/stage.h"

namespace mydr24::gameday {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

constexpr std::string_view postgres = "postgres";
constexpr std::array<std::string_view, 6> names{"database", "disk", "audit", "change", "channel", postgres};

constexpr std::chrono::seconds look_max{10};    // until it is found and people are called
constexpr std::chrono::seconds lasts{6};        // so long at least, so that what follows from it is found too
constexpr std::chrono::seconds opened_max{20};  // after the repair: what was found in vain before is written then
constexpr std::chrono::seconds over_max{40};    // after the repair, until it is seen to be over
constexpr std::chrono::seconds afterwards{3};   // nothing more may be opened of it
constexpr std::chrono::seconds rolled_back_wait{70};

struct Break {
  std::string name;
  std::string means;
  std::vector<std::string> findings;  // causes, any of them
  std::string severity;
  std::span<const std::string_view> people;
  std::function<Result<>()> begin;
  std::function<void()> repair;
  std::function<bool()> is_over;  // after the repair; none: its findings are gone
};

class Game {
 public:
  Game(Stage& stage, const Clock& clock, const std::function<void(std::string)>& said,
       DatabaseServer* database = nullptr)
      : stage_(stage), clock_(clock), said_(said), database_(database) {}

  Outcome play(std::string_view name);

 private:
  double since(nanoseconds begin) const { return std::chrono::duration<double>(clock_.steady() - begin).count(); }
  Break break_of(std::string_view name);
  Outcome run(const Break& what);
  void watch(const Break& what, Outcome& outcome, nanoseconds begin);
  void resolve(const Break& what, Outcome& outcome, nanoseconds begin);
  void note_incidents(Outcome& outcome, nanoseconds begin);
  std::string finding(const std::vector<std::string>& causes);
  bool channel_works();
  std::set<std::string> incident_ids();
  Outcome run_change();
  std::string propose(Outcome& outcome);
  void follow_change(const std::string& id, Outcome& outcome, nanoseconds begin);

  Stage& stage_;
  const Clock& clock_;
  const std::function<void(std::string)>& said_;
  DatabaseServer* const database_;
  std::set<std::string> known_;  // incidents from before
  std::optional<StoreLock> lock_;
  std::optional<Ballast> ballast_;
  std::optional<StoppedThread> stopped_;
};

Break Game::break_of(std::string_view name) {
  if (name == "database")
    return {.name = "database stopped",
            .means = "another process holds the write lock of the embedded store",
            .findings = {"monitor/DatabaseDown"},
            .severity = "critical",
            .people = critical_people,
            .begin = [this]() -> Result<> {
              MYDR24_ASSIGN(auto lock, StoreLock::take(stage_.database()));
              lock_.emplace(std::move(lock));
              return {};
            },
            .repair = [this] { lock_.reset(); },
            .is_over = {}};
  if (name == postgres)
    return {.name = "database server stopped",
            .means = "the PostgreSQL of a second server is stopped at once (SIGQUIT) and started again",
            .findings = {"monitor/DatabaseDown"},
            .severity = "critical",
            .people = critical_people,
            .begin = [this]() -> Result<> {
              database_->stop();
              return {};
            },
            .repair = [this] { (void)database_->go_on(); },
            .is_over = {}};
  if (name == "disk")
    return {.name = "disk full",
            .means = "a file takes all the room of the disk (tmpfs) that holds the data folder",
            .findings = {"monitor/DiskFull"},
            .severity = "critical",
            .people = critical_people,
            .begin = [this]() -> Result<> {
              if (!stage_.no_disk().empty()) return fail(Code::refused, stage_.no_disk());
              MYDR24_ASSIGN(auto ballast, Ballast::fill(stage_.ballast()));
              ballast_.emplace(std::move(ballast));
              return {};
            },
            .repair = [this] { ballast_.reset(); },
            .is_over = {}};
  if (name == "audit")
    return {.name = "audit lag",
            .means = fmt::format(
                "the thread that syncs the audit trail is stopped (ptrace); the limit is {:g} s in the game",
                audit_limit_s),
            .findings = {"monitor/ComplianceRisk"},
            .severity = "high",
            .people = high_people,
            .begin = [this]() -> Result<> {
              MYDR24_ASSIGN(auto stopped, StoppedThread::stop(stage_.pid(), "audit-sync"));
              stopped_.emplace(std::move(stopped));
              return {};
            },
            .repair = [this] { stopped_.reset(); },
            .is_over = {}};
  return {.name = "channel hanging",
          .means = "the receiver of pages takes connections and answers nothing; SMS goes on",
          .findings = {"monitor/EmergencyResponseSlow"},
          .severity = "critical",
          .people = critical_people,
          .begin = [this]() -> Result<> {
            stage_.pager().hang(true);
            return {};
          },
          .repair = [this] { stage_.pager().hang(false); },
          .is_over = [this] { return channel_works(); }};
}

std::set<std::string> Game::incident_ids() {
  std::set<std::string> ids;
  for (const char* state : {"open", "over"}) {
    const Answer list = stage_.ask("engineer", "GET", fmt::format("/api/v1/incidents?count=500&state={}", state));
    for (const json::Value each : list.body.root()["incidents"]) ids.emplace(each["id"].text());
  }
  return ids;
}

void Game::note_incidents(Outcome& outcome, nanoseconds begin) {
  for (const char* state : {"open", "over"}) {
    const Answer list = stage_.ask("engineer", "GET", fmt::format("/api/v1/incidents?count=500&state={}", state));
    for (const json::Value each : list.body.root()["incidents"]) {
      const std::string id(each["id"].text());
      if (known_.contains(id)) continue;
      const auto seen = std::ranges::find(outcome.incidents, id, &OpenedIncident::id);
      if (seen != outcome.incidents.end()) {
        seen->severity = each["severity"].text();
        continue;
      }
      outcome.incidents.push_back(
          {id, std::string(each["severity"].text()), std::string(each["title"].text()), since(begin)});
    }
  }
}

// The first of these that the monitor tells of now; empty: none.
std::string Game::finding(const std::vector<std::string>& causes) {
  const Answer status = stage_.ask("engineer", "GET", "/api/v1/monitor");
  for (const json::Value each : status.body.root()["findings"])
    if (std::ranges::find(causes, each["cause"].text()) != causes.end())
      return fmt::format("{} ({}): {}", each["cause"].text(), each["severity"].text(), each["title"].text());
  return status.status == 200 ? std::string() : std::string("?");
}

bool Game::channel_works() {
  const Answer channels = stage_.ask("engineer", "GET", "/api/v1/monitor/channels");
  bool all = channels.status == 200;
  for (const json::Value each : channels.body.root()["channels"]) all = all && each["delivered"].is_true();
  return all;
}

void Game::watch(const Break& what, Outcome& outcome, nanoseconds begin) {
  const auto look = [&] {
    if (!outcome.detected_s) {
      const std::string found = finding(what.findings);
      if (!found.empty() && found != "?") {
        outcome.detected_s = since(begin);
        outcome.finding = found;
      }
    }
    // What the store is asked for may take long while it is away: not before it was found.
    if (outcome.detected_s && outcome.incidents.empty()) note_incidents(outcome, begin);
    outcome.calls = stage_.calls_since(begin);
  };
  stage_.wait(look_max, [&] {
    look();
    return outcome.detected_s && outcome.all_called_s();
  });
  const auto lasted = std::chrono::duration<double>(lasts).count();
  stage_.wait(lasts, [&] {
    if (outcome.incidents.empty()) note_incidents(outcome, begin);
    return since(begin) >= lasted;
  });
}

// Who was called says that they have it, sees that it is over, and says so.
void Game::resolve(const Break& what, Outcome& outcome, nanoseconds begin) {
  stage_.wait(opened_max, [&] {
    note_incidents(outcome, begin);
    return !outcome.incidents.empty();
  });
  outcome.calls = stage_.calls_since(begin);
  if (outcome.incidents.empty()) return;
  const std::string path = "/api/v1/incidents/" + outcome.incidents.front().id;
  (void)stage_.ask("engineer", "POST", path + "/ack", R"({"by":"engineer","note":"we are on it"})");
  if (!stage_.wait(over_max, [&] { return what.is_over ? what.is_over() : finding(what.findings).empty(); })) {
    outcome.other.emplace_back("the monitor does not see that it is over");
    return;
  }
  const Answer done = stage_.ask("engineer", "POST", path + "/resolve", R"({"by":"engineer","how":"repaired"})");
  if (done.status == 200) outcome.resolved_s = since(begin);
  std::this_thread::sleep_for(afterwards);
  note_incidents(outcome, begin);
  outcome.calls = stage_.calls_since(begin);
  // What should not have been opened must not take in what the next break is about.
  for (const OpenedIncident& each : outcome.incidents)
    (void)stage_.ask("engineer", "POST", fmt::format("/api/v1/incidents/{}/resolve", each.id),
                     R"({"by":"engineer","how":"it was one too many"})");
  const Answer whole = stage_.ask("engineer", "GET", path + "/verify");
  if (!whole.body.root()["whole"].is_true()) outcome.other.emplace_back("the timeline of its incident is not whole");
}

Outcome Game::run(const Break& what) {
  Outcome outcome{.name = what.name, .means = what.means, .severity = what.severity};
  outcome.people.assign(what.people.begin(), what.people.end());
  known_ = incident_ids();
  const std::size_t log_size = stage_.log_size();
  const auto taken = stage_.taken(), refused = stage_.refused();
  const nanoseconds begin = clock_.steady();
  if (const auto begun = what.begin(); !begun) {
    outcome.impossible = begun.error().text;
    return outcome;
  }
  watch(what, outcome, begin);
  what.repair();
  outcome.repaired_s = since(begin);
  outcome.writes_taken = stage_.taken() - taken;
  outcome.writes_refused = stage_.refused() - refused;
  outcome.from_memory = stage_.called_from_memory(log_size);
  resolve(what, outcome, begin);
  return outcome;
}

// ---- the bad change

constexpr std::string_view bad_plan = R"({"plan": {
  "title": "A smaller limit of the store", "description": "The game day's bad change: routine writes are refused by it",
  "type": "normal", "kind": "configuration", "service": "records", "settle_s": 30,
  "test": {"passed": true, "evidence": "the game day"},
  "checks": [{"kind": "metric", "metric": "store_limit_reached", "at_most": 0}],
  "implementation": [
    {"kind": "set", "setting": "store.limit_mib", "value": 1},
    {"kind": "watch", "every_s": 0.5, "count": 60, "failure_limit": 0,
     "checks": [{"kind": "metric", "metric": "store_limit_reached", "at_most": 0}]}]}})";

// Its id, approved; empty: `outcome` says why not.
std::string Game::propose(Outcome& outcome) {
  Answer change = stage_.ask("petra", "POST", "/api/v1/changes", std::string(bad_plan));
  const std::string id(change.body.root()["change"]["id"].text());
  const std::string digest(change.body.root()["change"]["digest"].text());
  for (const std::string_view member : {"tess", "clio", "sena", "cody"}) {
    if (change.body.root()["change"]["state"].text() == "approved") break;
    change = stage_.ask(member, "POST", fmt::format("/api/v1/changes/{}/approve", id),
                        fmt::format(R"({{"digest":"{}"}})", digest));
  }
  if (change.body.root()["change"]["state"].text() == "approved") return id;
  outcome.other.push_back(fmt::format("the change was not approved: {} {}", change.status,
                                      std::string(change.body.source().substr(0, 500))));
  return {};
}

void Game::follow_change(const std::string& id, Outcome& outcome, nanoseconds begin) {
  std::string state;
  stage_.wait(rolled_back_wait, [&] {
    const Answer shown = stage_.ask("petra", "GET", "/api/v1/changes/" + id);
    const json::Value change = shown.body.root()["change"];
    state = change["state"].text();
    const bool is_back = state == "failed" || state == "validation_failed" || state == "rollback_failed";
    if (!outcome.detected_s && (state == "rolling_back" || is_back)) {
      outcome.detected_s = since(begin);
      outcome.finding = fmt::format("change {}: {}", id, change["run"]["because"].text());
    }
    if (outcome.incidents.empty()) note_incidents(outcome, begin);
    return is_back || state == "successful";
  });
  const Answer setting = stage_.ask("petra", "GET", "/api/v1/settings/store.limit_mib");
  const auto value = setting.body.root()["setting"]["applied"].text();
  if ((state == "failed" || state == "validation_failed") && value == "0")
    outcome.rolled_back_s = since(begin);
  else
    outcome.other.push_back(fmt::format("the change is {}, its setting {}", state, value));
  stage_.wait(look_max, [&] {
    outcome.calls = stage_.calls_since(begin);
    return outcome.all_called_s().has_value();
  });
}

Outcome Game::run_change() {
  Outcome outcome{
      .name = "bad change",
      .means = "store.limit_mib = 1 by an approved change: routine writes are refused; its watch step fails",
      .severity = "high",
      .has_rollback = true};
  outcome.people.assign(std::begin(high_people), std::end(high_people));
  known_ = incident_ids();
  const std::string id = propose(outcome);
  if (id.empty()) return outcome;
  const auto taken = stage_.taken(), refused = stage_.refused();
  const nanoseconds begin = clock_.steady();
  const Answer started = stage_.ask("petra", "POST", fmt::format("/api/v1/changes/{}/start", id), "{}");
  if (started.status != 200) {
    outcome.other.push_back(fmt::format("the change did not start: {} {}", started.status,
                                        std::string(started.body.source().substr(0, 500))));
    return outcome;
  }
  follow_change(id, outcome, begin);
  outcome.writes_taken = stage_.taken() - taken;
  outcome.writes_refused = stage_.refused() - refused;
  Break over;
  over.is_over = [this] {
    const std::int64_t before = stage_.taken();
    return stage_.wait(2s, [&] { return stage_.taken() > before; });
  };
  resolve(over, outcome, begin);
  return outcome;
}

Outcome Game::play(std::string_view name) {
  said_(fmt::format("{} ...", name));
  (void)stage_.take_late_s();
  Outcome outcome = name == "change" ? run_change() : run(break_of(name));
  outcome.late_s = stage_.take_late_s();
  said_(fmt::format("{}: {}", name, verdict(outcome)));
  return outcome;
}

Result<> play_embedded(const Settings& settings, const Clock& clock,
                       const std::function<bool(std::string_view)>& is_wanted, Report& report) {
  const auto embedded = std::span(names).first(names.size() - 1);
  if (std::ranges::none_of(embedded, is_wanted)) return {};
  MYDR24_ASSIGN(const auto stage, Stage::set_up(settings.binary, clock));
  Game game(*stage, clock, settings.said);
  for (const std::string_view name : embedded)
    if (is_wanted(name)) report.outcomes.push_back(game.play(name));
  return {};
}

Result<> play_postgres(const Settings& settings, const Clock& clock, Report& report) {
  const auto database = DatabaseServer::start(clock);
  if (!database) {
    report.outcomes.push_back({.name = "database server stopped", .impossible = database.error().text});
    return {};
  }
  MYDR24_ASSIGN(const auto stage, Stage::set_up(settings.binary, clock, database->get()));
  report.outcomes.push_back(Game(*stage, clock, settings.said, database->get()).play(postgres));
  return {};
}

}  // namespace

std::span<const std::string_view> break_names() { return names; }

Result<Report> play(const Settings& settings, const Clock& clock) {
  for (const std::string& name : settings.only)
    if (std::ranges::find(names, name) == names.end())
      return fail(Code::invalid, fmt::format("there is no break \"{}\"; there are {}", name, fmt::join(names, ", ")));
  const auto is_wanted = [&](std::string_view name) {
    if (settings.only.empty()) return name != postgres || !DatabaseServer::programs().empty();
    return std::ranges::find(settings.only, name) != settings.only.end();
  };
  const nanoseconds begin = clock.steady();
  Report report;
  MYDR24_TRY(play_embedded(settings, clock, is_wanted, report));
  if (is_wanted(postgres)) MYDR24_TRY(play_postgres(settings, clock, report));
  report.seconds = std::chrono::duration<double>(clock.steady() - begin).count();
  return report;
}

}  // namespace mydr24::gameday
