#include "oncall/walk.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "alerting/alerts/book.h"
#include "alerting/alerts/upkeep.h"
#include "base/core/date_time.h"
#include "base/json/writer.h"

namespace mydr24::oncall_walks {
namespace {

using std::chrono::seconds;

constexpr std::chrono::hours upkeep_every{1};

std::vector<std::string> split(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

// 15s, 10min, 2h, 3d, with a sign
seconds duration(std::string_view text) {
  const std::int64_t number = std::stoll(std::string(text));
  if (text.ends_with("min")) return std::chrono::minutes(number);
  if (text.ends_with('h')) return std::chrono::hours(number);
  if (text.ends_with('d')) return std::chrono::days(number);
  return seconds(number);
}

Instant instant(const std::string& text) { return parse_date_time(text).value().low; }

class FakeChannel : public notify::Channel {
 public:
  FakeChannel(World& world, notify::Kind kind) : world_(world), kind_(kind) {}
  std::string_view medium() const override { return to_string(kind_); }
  Task<notify::SendOutcome> send(notify::Message message) override {
    const std::lock_guard lock(world_.mutex);
    const auto answer = world_.answers.find(medium());
    const auto status = answer == world_.answers.end() ? notify::SendStatus::delivered : answer->second;
    if (status == notify::SendStatus::delivered)
      world_.calls.push_back({message.contact, std::string(medium()), message.title, message.repeat, message.retry()});
    notify::SendOutcome outcome;
    outcome.status = status;
    outcome.text = status == notify::SendStatus::delivered ? "" : "the walk says so";
    co_return outcome;
  }

 private:
  World& world_;
  const notify::Kind kind_;
};

std::string target_of(std::string_view medium, std::size_t number) {
  if (medium == "sms" || medium == "voice") return fmt::format("+1555{:07}", number);
  if (medium == "email") return fmt::format("p{}@example.org", number);
  if (medium == "webhook" || medium == "chat") return fmt::format("http://127.0.0.1:9/{}", number);
  return medium == "console" ? "" : fmt::format("key{}", number);
}

}  // namespace

// One run of the server.
struct Walk::Process {
  Process(store::FakeStore& store, const Clock& clock, const oncall::Directory& directory, World& world)
      : hub(clock), book(directory), monitors(book), dispatcher(directory, clock, hub, {}, factory(world)) {
    book.attach(store);
    monitors.attach(store);
    started = dispatcher.start(store);
  }
  ~Process() { dispatcher.stop(); }
  static alerts::ChannelFactory factory(World& world) {
    return [&world](asio::io_context&, const notify::Address& address) -> Result<std::unique_ptr<notify::Channel>> {
      return std::make_unique<FakeChannel>(world, address.kind);
    };
  }
  notify::ConsoleHub hub;
  alerts::Book book;
  alerts::Monitors monitors;
  alerts::Dispatcher dispatcher;
  Result<> started;
};

Walk::Walk(const std::filesystem::path& file) {
  std::ifstream in(file);
  for (std::string text; std::getline(in, text);) lines_.push_back(text);
}

Walk::~Walk() = default;

std::string Walk::run() {
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    std::string wrong;
    try {
      wrong = line(lines_[i]);
    } catch (const std::exception& error) {
      wrong = fmt::format("cannot be read: {}", error.what());
    }
    if (!wrong.empty()) return fmt::format("line {}: {}\n  {}", i + 1, lines_[i], wrong);
  }
  if (!started_) return "the walk has no step";
  return leftover();
}

std::string Walk::line(const std::string& text) {
  const Words words = split(text);
  if (words.empty() || words[0].starts_with('#')) return {};
  if (part(text, words)) return started_ ? apply() : std::string();
  if (words[0] == "refused") {
    const auto before = parts_;
    part(text.substr(text.find(' ') + 1), Words(words.begin() + 1, words.end()));
    const auto plan = oncall::Plan::make(documents());
    parts_ = before;
    return plan ? "the plan takes it" : "";
  }
  if (words[0] == "at") {
    machine_.start(instant(words.at(1)));
    clock_ = std::make_unique<PacedClock>(machine_);
    store_ = std::make_unique<store::FakeStore>(*clock_);
    auto plan = oncall::Plan::make(documents());
    if (!plan) return fmt::format("the plan is refused: {}: {}", plan.error().where, plan.error().text);
    directory_ = std::make_unique<oncall::Directory>(std::move(*plan));
    started_ = true;
    start_process();
    return apply();
  }
  if (!started_) return "a walk begins with a time: at 2026-05-10T08:00:00Z";
  return step(words);
}

bool Walk::part(const std::string& text, const Words& words) {
  const std::string& kind = words[0];
  if (kind == "contact") {
    contact_part(words);
  } else if (kind == "rule") {
    people_.at(words.at(1)).rules.emplace_back(words.at(2), duration(words.at(4)).count());
  } else if (kind == "away") {
    people_.at(words.at(1)).away.emplace_back(words.at(2), words.at(3));
  } else if (kind == "schedule") {
    schedule_part(text, words);
  } else if (kind == "policy") {
    policy_part(text, words);
  } else if (kind == "default") {
    defaults_[words.at(1)] = words.at(2);
  } else if (kind == "maintenance") {
    parts_["maintenance/" + words.at(1)] =
        fmt::format(R"({{"policy":"{}","begin":"{}","end":"{}"}})", words.at(1), words.at(2), words.at(3));
  } else if (kind == "monitor") {
    std::string muted;
    if (words.size() > 4) muted = fmt::format(R"(,"muted_until":"{}")", words.at(5));
    parts_["monitor/" + words.at(1)] =
        fmt::format(R"({{"timeout_s":{},"severity":"{}"{}}})", duration(words.at(2)).count(), words.at(3), muted);
  } else if (kind == "upkeep") {
    upkeep_ = {std::chrono::duration_cast<std::chrono::days>(duration(words.at(3))),
               std::chrono::duration_cast<std::chrono::days>(duration(words.at(6)))};
  } else if (kind == "without") {
    if (words.at(1) == "contact")
      people_.erase(words.at(2));
    else
      parts_.erase(words.at(1) + "/" + words.at(2));
  } else {
    return false;
  }
  return true;
}

// contact bob sms email, backup ann
void Walk::contact_part(const Words& words) {
  Person& person = people_[words.at(1)];
  person = Person();
  for (std::size_t i = 2; i < words.size(); ++i) {
    if (words[i] == "backup") {
      person.backup = words.at(i + 1);
      break;
    }
    person.methods.push_back(words[i].ends_with(',') ? words[i].substr(0, words[i].size() - 1) : words[i]);
  }
}

// schedule ward America/Chicago every day from 2026-03-07T09:00: ann bob
void Walk::schedule_part(const std::string& text, const Words& words) {
  std::string members;
  for (const std::string& name : split(text.substr(text.find(": ") + 2)))
    members += fmt::format("{}\"{}\"", members.empty() ? "" : ",", name);
  parts_["schedule/" + words.at(1)] =
      fmt::format(R"({{"zone":"{}","layers":[{{"every":"{}","start":"{}","members":[{}]}}]}})", words.at(2),
                  words.at(4), words.at(6).substr(0, words.at(6).size() - 1), members);
}

// policy default repeats 2: ann bob for 30s needs 2, schedule:ward for 30s between 08:00 18:00 UTC, carl above 2 in 10min
void Walk::policy_part(const std::string& text, const Words& words) {
  std::string steps;
  std::istringstream in(text.substr(text.find(": ") + 2));
  for (std::string each; std::getline(in, each, ',');) {
    std::string targets;
    std::int64_t delay = 30;
    int acks = 1;
    std::string conditions;
    const Words parts = split(each);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (parts[i] == "for") {
        delay = duration(parts.at(++i)).count();
      } else if (parts[i] == "needs") {
        acks = std::stoi(parts.at(++i));
      } else if (parts[i] == "between") {
        conditions += fmt::format(R"(,"if_time":{{"from":"{}","to":"{}","zone":"{}"}})", parts.at(i + 1),
                                  parts.at(i + 2), parts.at(i + 3));
        i += 3;
      } else if (parts[i] == "above") {
        const bool has_kind = parts.size() > i + 4 && parts[i + 4] == "of";
        conditions +=
            fmt::format(R"(,"if_count":{{"more_than":{},"within_s":{},"of":"{}"}})", parts.at(i + 1),
                        duration(parts.at(i + 3)).count(), has_kind ? parts.at(i + 5) : std::string("source"));
        i += has_kind ? 5 : 3;
      } else {
        const bool typed = parts[i].find(':') != std::string::npos;
        targets += fmt::format("{}\"{}{}\"", targets.empty() ? "" : ",", typed ? "" : "contact:", parts[i]);
      }
    }
    steps += fmt::format(R"({}{{"targets":[{}],"delay_s":{},"acks":{}{}}})", steps.empty() ? "" : ",", targets, delay,
                         acks, conditions);
  }
  std::string name = words.at(1);
  if (name.ends_with(':')) name.pop_back();
  const int repeat = words.at(2) == "repeats" ? std::stoi(words.at(3)) : 0;
  parts_["policy/" + name] = fmt::format(R"({{"repeat":{},"steps":[{}]}})", repeat, steps);
}

oncall::Documents Walk::documents() const {
  oncall::Documents all = parts_;
  std::size_t number = 0;
  for (const auto& [name, person] : people_) {
    std::string text;
    json::Writer out(text);
    out.begin_object().key("methods").begin_array();
    for (const std::string& medium : person.methods) {
      out.begin_object().field("kind", medium).field("verified", true);
      if (const auto target = target_of(medium, ++number); !target.empty()) out.field("target", target);
      out.end_object();
    }
    out.end_array().key("rules").begin_array();
    for (const auto& [medium, after] : person.rules) {
      const auto place = std::ranges::find(person.methods, medium) - person.methods.begin();
      out.begin_object().field("method", place).field("after_s", after).end_object();
    }
    out.end_array().key("leave").begin_array();
    for (const auto& [begin, end] : person.away)
      out.begin_object().field("begin", begin).field("end", end).end_object();
    out.end_array();
    if (!person.backup.empty()) out.field("backup", person.backup);
    out.end_object();
    all["contact/" + name] = text;
  }
  std::string policies;
  for (const auto& [severity, policy] : defaults_)
    policies += fmt::format("{}\"{}\":\"{}\"", policies.empty() ? "" : ",", severity, policy);
  all["defaults/main"] = fmt::format(R"({{"policy":{{{}}}}})", policies);
  return all;
}

std::string Walk::apply() {
  oncall::Change change{.replace_all = true, .by = "walk"};
  for (auto& [key, document] : documents()) change.parts[key] = document;
  oncall::PlanPointer next;
  const auto written = write([&](store::Transaction& transaction) -> Result<> {
    MYDR24_ASSIGN(next, directory_->change(transaction, change));
    MYDR24_TRY(process_->book.plan_changed(transaction, *next));
    return process_->monitors.plan_changed(transaction, *next);
  });
  if (!written) return fmt::format("the plan is refused: {}: {}", written.error().where, written.error().text);
  directory_->publish(next);
  run_engine();
  return {};
}

void Walk::start_process() { process_ = std::make_unique<Process>(*store_, *clock_, *directory_, world_); }

void Walk::run_engine() {
  store_->tick();
  process_->dispatcher.tick();
  // An outcome may lead to a further call: until nothing is left to follow.
  for (int i = 0; i < 4; ++i) {
    store_->settle();
    process_->dispatcher.settle();
  }
}

Result<> Walk::write(const std::function<Result<>(store::Transaction&)>& work) {
  const Result<> written =
      store_->write(RequestClass::emergency, [&](store::Transaction& transaction) { return work(transaction); });
  run_engine();
  return written;
}

Result<alerts::Alert> Walk::alert(const std::string& cause) {
  std::optional<alerts::Alert> found;
  MYDR24_TRY(store_->read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(found, alerts::Book::find(reader, ids_[cause]));
    if (!found) {
      MYDR24_ASSIGN(found, alerts::Book::find_unresolved(reader, cause));
    }
    return {};
  }));
  if (!found) return fail(Code::not_found, "there is no such alert");
  return std::move(*found);
}

std::string Walk::leftover() {
  const std::lock_guard lock(world_.mutex);
  if (world_.calls.empty()) return {};
  const World::Call call = world_.calls.front();
  return fmt::format("{} was told by {} ({}), which no line says", call.contact, call.medium, call.title);
}

std::string Walk::pass(std::string_view text, bool to_the_end, bool engine) {
  if (std::string wrong = leftover(); !wrong.empty()) return wrong;
  const seconds all = duration(text);
  const seconds stride(all <= std::chrono::minutes(20) ? 1 : all <= std::chrono::hours(6) ? 10 : 60);
  for (seconds passed{0}; passed < all;) {
    const seconds next = std::min(stride, all - passed);
    machine_.pass(next);
    passed += next;
    if (engine) run_engine();
    if (engine && passed % upkeep_every < stride) {
      if (const auto kept = alerts::keep_up(*store_, process_->book, upkeep_, clock_->now()); !kept)
        return kept.error().text;
      run_engine();
    }
    if (passed == all && !to_the_end) break;
    if (std::string wrong = leftover(); !wrong.empty()) return fmt::format("after {} s {}", passed.count(), wrong);
  }
  if (!engine) run_engine();
  return {};
}

// ann is told by sms [again] [as a retry]
std::string Walk::told(const Words& words) {
  const bool again = words.back() == "again", retry = words.back() == "retry";
  const std::lock_guard lock(world_.mutex);
  const auto call = std::ranges::find_if(world_.calls, [&](const World::Call& each) {
    return each.contact == words[0] && each.medium == words.at(4) && each.repeat == again && each.retry == retry;
  });
  if (call != world_.calls.end()) {
    world_.calls.erase(call);
    return {};
  }
  std::string others;
  for (const World::Call& each : world_.calls)
    others += fmt::format(" {} by {}{}{}", each.contact, each.medium, each.repeat ? " again" : "",
                          each.retry ? " as a retry" : "");
  return others.empty() ? "nobody was told" : "told were:" + others;
}

std::string Walk::is(const Words& words) {
  const auto found = alert(words[0]);
  if (!found) return words.at(2) == "cleared" && found.error().code == Code::not_found ? "" : found.error().text;
  const std::string state = found->held_until    ? "held"
                            : found->rests_until ? "resting"
                                                 : std::string(to_string(found->state));
  return state == words.at(2) ? "" : "it is " + state;
}

std::string Walk::log_of(const Words& words) {
  std::vector<std::string> kinds;
  std::string cause = words.at(2);
  if (cause.ends_with(':')) cause.pop_back();
  (void)store_->read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(const auto history, alerts::Book::history(reader, ids_[cause]));
    for (const alerts::HistoryEntry& entry : history) kinds.push_back(entry.kind.substr(entry.kind.find('.') + 1));
    return {};
  });
  const Words expected(words.begin() + 3, words.end());
  return kinds == expected ? "" : fmt::format("it says: {}", fmt::join(kinds, " "));
}

std::string Walk::step(const Words& words) {
  const std::string& first = words[0];
  const auto has = [&](std::size_t at, std::string_view word) { return words.size() > at && words[at] == word; };
  if (has(1, "is") && has(2, "told")) return told(words);
  if (has(1, "is")) return is(words);
  if (first == "after") return pass(words.at(1), false, true);
  if (first == "for" && has(2, "nobody")) return pass(words.at(1), true, true);
  if (first == "for") return pass(words.at(1), false, false);
  if (first == "log") return log_of(words);
  if (first == "restart") {
    process_->dispatcher.stop();
    store_->forget_process();
    process_.reset();
    start_process();
    if (!process_->started) return process_->started.error().text;
    run_engine();
    return {};
  }
  if (first == "the") {
    machine_.set(duration(words.at(3)));
    run_engine();
    return {};
  }
  if (has(1, "refuses") || has(1, "fails") || has(1, "works")) {
    const std::lock_guard lock(world_.mutex);
    world_.answers[first] = has(1, "works")     ? notify::SendStatus::delivered
                            : has(1, "refuses") ? notify::SendStatus::refused
                                                : notify::SendStatus::failed;
    return {};
  }
  if (std::ranges::find(words, "hold") != words.end() || words.back() == "confirms" || words.back() == "confirm")
    return hold_step(words);
  return alert_step(words);
}

std::string Walk::hold_step(const Words& words) {
  const bool wanted = std::ranges::find(words, "cannot") == words.end();
  const std::string by = words[0] == "cannot" ? "somebody" : words[0];
  const auto done = write([&](store::Transaction& transaction) -> Result<> {
    if (words.back().starts_with("confirm")) {
      MYDR24_TRY(process_->book.confirm_override(transaction, override_, by));
      return {};
    }
    const auto length = std::chrono::duration_cast<std::chrono::minutes>(duration(words.back()));
    const auto hold = std::ranges::find(words, "hold");
    MYDR24_ASSIGN(const alerts::Override entry,
                  process_->book.request_override(transaction, *(hold + 1), "a drill", length, by));
    override_ = entry.id;
    return {};
  });
  if (done.has_value() == wanted) return {};
  return wanted ? done.error().text : "it was done";
}

std::string Walk::alert_step(const Words& words) {
  const bool wanted = std::ranges::find(words, "cannot") == words.end();
  const std::string last = words.back();
  const auto done = write([&](store::Transaction& transaction) -> Result<> {
    const alerts::Book& book = process_->book;
    if (words[0] == "beat") return process_->monitors.beat(transaction, last);
    if (words[0] == "raise") {
      const auto severity = std::ranges::find(oncall::severities, words.at(1)) - oncall::severities.begin();
      MYDR24_ASSIGN(const alerts::Raised raised,
                    book.raise(transaction, {.source = "walk",
                                             .cause = words.at(2),
                                             .severity = static_cast<alerts::Severity>(severity),
                                             .title = words.at(2),
                                             .policy = words.size() > 3 ? last : ""}));
      ids_[words.at(2)] = raised.id;
      return {};
    }
    if (words[0] == "resolve") {
      MYDR24_TRY(book.resolve(transaction, ids_[last], "the walk says so"));
      return {};
    }
    if (words[0] == "move") {
      MYDR24_TRY(book.move(transaction, ids_[words.at(1)], last, "walk"));
      return {};
    }
    if (words[words.size() - 2] == "escalate") {
      MYDR24_TRY(book.escalate_now(transaction, ids_[last], "walk"));
      return {};
    }
    if (words[words.size() - 2].starts_with("acknowledge")) {
      MYDR24_TRY(book.acknowledge(transaction, ids_[last], words[0]));
      return {};
    }
    return fail(Code::invalid, "this step is not known");
  });
  if (done.has_value() == wanted) return {};
  return wanted ? done.error().text : "it was done";
}

}  // namespace mydr24::oncall_walks
