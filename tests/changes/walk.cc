#include "changes/walk.h"

#include <fmt/format.h>

#include <fstream>
#include <map>
#include <memory>
#include <regex>
#include <stdexcept>
#include <vector>

#include "base/core/date_time.h"
#include "base/json/document.h"
#include "base/json/writer.h"
#include "operations/changes/engine.h"
#include "storage/store/fake_store.h"

namespace mydr24::change_walks {
namespace {

using changes::Change;
using Words = std::smatch;

// Effects as the walk says.
class Effects : public changes::Effects {
 public:
  Result<Answer> http(const changes::Check&) override { return Answer{.status = http_status}; }
  Result<> webhook(const changes::Step&, std::string_view) override { return outcome("webhook"); }
  Result<std::string> command(const changes::Command& command, std::chrono::milliseconds) override {
    MYDR24_TRY(outcome(command.name));
    return std::string("done");
  }
  Result<std::int64_t> read_scale(const changes::Scale& scale, std::chrono::milliseconds) override {
    return numbers[scale.name];
  }
  Result<> set_scale(const changes::Scale& scale, std::int64_t number, std::string_view,
                     std::chrono::milliseconds) override {
    MYDR24_TRY(outcome(scale.name));
    numbers[scale.name] = number;
    return {};
  }
  Result<std::int64_t> fhir(const std::string&) override { return 1; }
  std::optional<double> metric(const std::string& name, const std::string& scope) override {
    const auto found = metrics.find(scope.empty() ? name : name + " of " + scope);
    if (found == metrics.end() || found->second == "missing") return std::nullopt;
    if (found->second == "throws") throw std::runtime_error("the source is broken");
    return std::stod(found->second);
  }
  std::optional<double> burn(const std::string& slo) override { return metric(slo, ""); }

  int http_status = 200;
  std::map<std::string, std::string> metrics;
  std::map<std::string, bool> fails;
  std::map<std::string, std::int64_t> numbers;  // of what is scaled

 private:
  Result<> outcome(const std::string& name) {
    return fails[name] ? Result<>(fail(Code::conflict, name + " failed")) : Result<>();
  }
};

class Walk {
 public:
  explicit Walk(const std::filesystem::path& file) : in_(file) {
    store_.follow_at_once = true;
    const auto nothing = [](const std::string&) -> Result<> { return {}; };
    (void)settings_.add(
        {.name = "days", .unit = "days", .high = 90, .standard = "30", .routine = true, .apply = nothing});
    (void)settings_.add({.name = "limit", .high = 1000, .standard = "100", .apply = nothing});
    (void)settings_.add(
        {.name = "escalate", .unit = "s", .high = 900, .standard = "30", .emergency = true, .apply = nothing});
    settings_.attach();
    (void)settings_.load();
    effects_.metrics["m"] = "0";
  }

  std::string run() {
    std::string line;
    for (int number = 1; std::getline(in_, line); ++number) {
      if (line.empty() || line.starts_with('#')) continue;
      const auto wrong = step(line);
      if (!wrong.empty()) return fmt::format("line {} \"{}\": {}", number, line, wrong);
    }
    return book_ ? "" : "nothing happens";
  }

 private:
  // "" when it went as the line says.
  std::string step(const std::string& line);
  std::string act(const Words& words);
  std::string expect(const Words& words);

  void begin() {
    if (book_) return;
    auto policy = policy_text_.empty() ? changes::standard_policy() : changes::parse_policy(policy_text_).value();
    book_ = std::make_unique<changes::Book>(
        store_, std::move(policy), settings_,
        changes::Outlook{.open_emergency = [this](store::Reader&) -> Result<bool> { return emergency_; },
                         .open_incidents = {},
                         .budget_left = [this](std::string_view) { return budget_; },
                         .scoped_metrics = true,
                         .escalate = [this](store::Transaction&, std::string_view, std::string_view title,
                                            std::string_view) -> Result<> {
                           escalated_.emplace_back(title);
                           return {};
                         }});
    book_->attach();
    start_process();
  }
  void start_process() {
    engine_ =
        std::make_unique<changes::Engine>(store_, *book_, effects_, clock_, fmt::format("process {}", ++process_));
    (void)engine_->take_over();
  }
  // What can be done at this time.
  void run_now() {
    store_.tick();
    for (const auto& change : active()) {
      for (int i = 0; i < 1000; ++i) {
        const auto next = engine_->advance(change.id);
        if (!next || next->over || (next->not_before && *next->not_before > clock_.now())) break;
      }
    }
  }
  void pass(std::chrono::seconds time) {
    // A long time goes by in larger steps once nothing runs.
    while (time.count() > 0) {
      const auto piece = active().empty() ? std::min(time, std::chrono::seconds(600)) : std::chrono::seconds(1);
      clock_.advance(piece);
      time -= piece;
      run_now();
    }
  }
  std::vector<Change> active() {
    std::vector<Change> found;
    (void)store_.read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(found, book_->active(reader));
      return {};
    });
    return found;
  }
  Change of(const std::string& name) {
    Change change;
    const auto read = store_.read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(change, book_->find(reader, ids_[name]));
      return {};
    });
    if (!read) throw std::runtime_error(read.error().text);
    return change;
  }
  template <class Step>
  std::string write(Step step) {
    const auto done = store_.write(RequestClass::routine, [&](store::Transaction& transaction) -> Result<> {
      MYDR24_TRY(step(transaction));
      return {};
    });
    return done ? "" : fmt::format("{} {}", done.error().where, done.error().text);
  }
  std::string plan_of(const std::string& name) {
    const auto document = json::Document::parse(plans_.at(name));
    std::string text;
    json::Writer out(text);
    out.begin_object();
    const auto root = document.value().root();
    if (!root["title"]) out.field("title", name);
    if (!root["description"]) out.field("description", "as the walk says");
    if (!root["service"]) out.field("service", "alerting");
    if (!root["checks"]) out.key("checks").raw(R"([{"kind":"metric","metric":"m","at_most":1}])");
    for (const auto member : root) out.key(member.key()).raw(member.raw());
    out.end_object();
    return text;
  }

  std::ifstream in_;
  ManualClock clock_{parse_date_time("2026-05-12T02:00:00Z")->low};
  store::FakeStore store_{clock_};
  Effects effects_;
  live_settings::Registry settings_{store_};
  std::string policy_text_;
  std::unique_ptr<changes::Book> book_;
  std::unique_ptr<changes::Engine> engine_;
  int process_ = 0;
  bool emergency_ = false;
  std::optional<double> budget_;
  std::map<std::string, std::string> plans_, ids_;
  std::vector<std::string> escalated_;
};

std::string Walk::step(const std::string& line) {
  Words words;
  const auto is = [&](const char* pattern) { return std::regex_match(line, words, std::regex(pattern)); };
  if (is(R"(at (\S+))")) {
    clock_.set(parse_date_time(words[1].str())->low);
    return "";
  }
  if (is(R"(policy (\{.*\}))")) {
    policy_text_ = words[1];
    const auto policy = changes::parse_policy(policy_text_);
    return policy ? "" : policy.error().text;
  }
  if (is(R"(policy is refused (\{.*\}): (.*))")) {
    const auto policy = changes::parse_policy(words[1].str());
    if (policy) return "it is not";
    return policy.error().text.contains(words[2].str()) ? "" : policy.error().text;
  }
  if (is(R"(plan (\w+) (\{.*\}))")) {
    plans_[words[1]] = words[2];
    return "";
  }
  begin();
  if (is(R"(after (\d+)(s|min|h|d))")) {
    const std::map<std::string, int> units{{"s", 1}, {"min", 60}, {"h", 3600}, {"d", 86400}};
    pass(std::chrono::seconds(std::stoll(words[1]) * units.at(words[2])));
    return "";
  }
  if (is("the process is killed")) {
    start_process();
    run_now();
    return "";
  }
  if (is(R"(metric (.+) (?:is|becomes) (\S+))") || is(R"(metric (.+) (throws))")) {
    effects_.metrics[words[1]] = words[2];
    return "";
  }
  if (is(R"((\w+) (fails|works))")) {
    effects_.fails[words[1]] = words[2] == "fails";
    return "";
  }
  if (is(R"(an emergency is (open|over))")) {
    emergency_ = words[1] == "open";
    return "";
  }
  if (is(R"((\S+) % of the error budget is left)")) {
    budget_ = std::stod(words[1]) / 100;
    return "";
  }
  if (is(R"((\w+|the \w+) (is|has|incidents?|alerts?)\b ?(.*))") && words[2] != "") {
    const auto found = expect(words);
    if (found != "?") return found;
  }
  if (is(R"((\S+) (cannot )?(proposes?|approves?|rejects?|starts?|aborts?|resumes?|reviews?|rehearses?|withdraws?|edits?|)"
         R"(rolls? back|freezes?|unfreezes?|schedules?) (\w+)(?: (?:as|until|at) (\S+?))?(?:: (.*))?)"))
    return act(words);
  return "this is not understood";
}

std::string Walk::expect(const Words& words) {
  const std::string who = words[1], what = words[2], rest = words[3];
  const auto same = [](std::string_view found, std::string_view wanted) {
    return found == wanted ? std::string() : fmt::format("it is {}", found);
  };
  if (who == "days" || who == "limit" || who == "escalate") return same(settings_.value(who), rest);
  if (who == "the service" || who == "service") return "?";
  if (what.starts_with("incident")) return same(fmt::format("{}", store_.events_of("incident.request").size()), who);
  if (what.starts_with("alert")) return same(fmt::format("{}", escalated_.size()), who);
  if (who == "alerting" && rest == "frozen") {
    std::size_t frozen = 0;
    (void)store_.read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(const auto all, book_->frozen(reader));
      frozen = all.size();
      return {};
    });
    return frozen > 0 ? "" : "it is not";
  }
  if (!ids_.contains(who)) return "?";
  if (what == "is") return same(to_string(of(who).state), rest);
  if (rest.starts_with("risk ")) return same(to_string(of(who).risk.level), rest.substr(5));
  if (rest.ends_with(" approvals")) return same(fmt::format("{} approvals", of(who).approvals.size()), rest);
  return "?";
}

std::string Walk::act(const Words& words) {
  const std::string by = words[1], name = words[4], more = words[5], text = words[6];
  const bool refused = words[2].matched;
  std::string verb = words[3];
  if (verb != "roll back" && verb.ends_with('s')) verb.pop_back();
  if (verb == "rolls back") verb = "roll back";
  if (verb == "propose") plans_.at(name);
  const auto id = ids_[name];
  const auto digest = verb == "approve" ? of(name).plan.digest : std::string();
  const auto wrong = write([&](store::Transaction& transaction) -> Result<Change> {
    if (verb == "propose") {
      auto made = book_->propose(transaction, plan_of(name), by);
      if (made) ids_[name] = made->id;
      return made;
    }
    if (verb == "edit") return book_->edit(transaction, id, plan_of(more), by);
    if (verb == "approve") return book_->approve(transaction, id, digest, by);
    if (verb == "reject") return book_->reject(transaction, id, "no", by);
    if (verb == "withdraw") return book_->withdraw(transaction, id, "no", by);
    if (verb == "start") return book_->start(transaction, id, by);
    if (verb == "schedule") return book_->schedule(transaction, id, parse_date_time(more)->low, by);
    if (verb == "abort") return book_->abort(transaction, id, "enough", by);
    if (verb == "resume") return book_->resume(transaction, id, by);
    if (verb == "review") return book_->review(transaction, id, "all was well", by);
    if (verb == "rehearse") return book_->rehearsed(transaction, id, text != "in vain", "run 1", by);
    if (verb == "roll back") return book_->roll_back(transaction, id, "enough", by);
    if (verb == "freeze") {
      MYDR24_TRY(book_->add_freeze(transaction, {.why = "a freeze",
                                                 .by = by,
                                                 .begin = transaction.now(),
                                                 .end = parse_date_time(more)->low,
                                                 .services = {name}}));
      return Change();
    }
    MYDR24_TRY(book_->unfreeze(transaction, name, "mended", by));
    return Change();
  });
  if (refused) {
    if (wrong.empty()) return "it was done";
    return wrong.contains(text) ? "" : wrong;
  }
  if (wrong.empty()) run_now();
  return wrong;
}

}  // namespace

std::string run(const std::filesystem::path& file) {
  try {
    return Walk(file).run();
  } catch (const std::exception& problem) {
    return problem.what();
  }
}

}  // namespace mydr24::change_walks
