#include "operations/changes/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>

#include "base/json/writer.h"
#include "operations/changes/detail/rows.h"

namespace mydr24::changes {
namespace {

using judge::Measurement;

constexpr std::size_t text_bytes_max = 1'000;
constexpr std::chrono::seconds applied_within{5};
constexpr std::chrono::seconds settle_every{1};
constexpr std::chrono::seconds held_for{1};  // while an emergency is open, or this process ends

Error lost() { return fail(Code::conflict, "another process has taken the run over"); }

// Of the store, which decides nothing about a change.
bool may_be_tried_again(const Error& error) { return error.code == Code::busy || error.code == Code::full; }

Checked in_range(const Check& check, std::optional<double> value) {
  if (!value) return {Measurement::error, "there is no value"};
  const bool ok = (!check.at_least || *value >= *check.at_least) && (!check.at_most || *value <= *check.at_most);
  return {ok ? Measurement::success : Measurement::failure, fmt::format("{}", *value)};
}

Checked check_http(const Check& check, Effects& effects) {
  const auto answer = effects.http(check);
  if (!answer) return {Measurement::error, answer.error().text};
  if (std::ranges::find(check.status, answer->status) == check.status.end())
    return {Measurement::failure, fmt::format("answered {}", answer->status)};
  if (!check.contains.empty() && !answer->body.contains(check.contains))
    return {Measurement::failure, "its answer does not contain what it should"};
  return {Measurement::success, fmt::format("answered {}", answer->status)};
}

Checked check_fhir(const Check& check, Effects& effects) {
  const auto count = effects.fhir(check.subject);
  if (!count) return {Measurement::error, count.error().text};
  return in_range(check, static_cast<double>(*count));
}

Checked unguarded(const Check& check, Effects& effects, const live_settings::Registry& settings) {
  switch (check.kind) {
    case Check::Kind::http:
      return check_http(check, effects);
    case Check::Kind::fhir:
      return check_fhir(check, effects);
    case Check::Kind::metric:
      return in_range(check, effects.metric(check.subject, check.scope));
    case Check::Kind::burn:
      return in_range(check, effects.burn(check.subject));
    case Check::Kind::setting: {
      const auto value = settings.value(check.subject);
      return {value == check.is ? Measurement::success : Measurement::failure, value};
    }
  }
  return {Measurement::error, "is of no kind"};
}

}  // namespace

Checked run_check(const Check& check, Effects& effects, const live_settings::Registry& settings) {
  try {
    return unguarded(check, effects, settings);
  } catch (const std::exception& problem) {
    return {Measurement::error, problem.what()};
  }
}

Engine::Engine(store::Store& store, const Book& book, Effects& effects, const Clock& clock, std::string process)
    : store_(store), book_(book), effects_(effects), clock_(clock), process_(std::move(process)) {}

// ---- the place of a run

Result<Change> Engine::step_on(std::string_view id, const Work& work) {
  Change changed;
  MYDR24_TRY(store_.write(RequestClass::urgent, [&](store::Transaction& transaction) -> Result<> {
    MYDR24_ASSIGN(auto change, book_.find(transaction, id));
    if (effects_.stopping()) return fail(Code::busy, "this process ends");
    if (!is_active(change.state) || !change.run || change.run->owner != process_) return lost();
    MYDR24_TRY(work(transaction, change));
    MYDR24_TRY(book_.keep(transaction, change));
    changed = std::move(change);
    return {};
  }));
  return changed;
}

void Engine::log(Change& change, std::string_view name, bool ok, std::string_view text) const {
  auto& run = *change.run;
  if (run.log.size() >= log_max) run.log.erase(run.log.begin());
  run.log.push_back({.at = clock_.now(),
                     .phase = run.phase,
                     .step = run.step,
                     .name = std::string(name),
                     .ok = ok,
                     .text = std::string(text.substr(0, text_bytes_max))});
}

Result<> Engine::take_over() {
  return store_.write(RequestClass::urgent, [&](store::Transaction& transaction) -> Result<> {
    MYDR24_ASSIGN(auto all, book_.active(transaction));
    for (auto& change : all) {
      if (!change.run || change.run->owner == process_) continue;
      // Nobody had begun it: it begins here.
      const bool untouched = change.run->owner.empty();
      change.run->owner = process_;
      if (!untouched && change.state != State::rolling_back) {
        change.state = State::rolling_back;
        change.failed_at = transaction.now();
        change.run->because = "the process that ran it ended";
        change.run->ends_as = State::failed;
        change.run->phase = Phase::way_back;
        change.run->step = 0;
        change.run->begun = false;
        change.run->until.reset();
        change.run->deadline.reset();
        MYDR24_TRY(book_.note(transaction, "change.rollback_begun", change, "", change.run->because));
      }
      MYDR24_TRY(book_.keep(transaction, change));
    }
    return {};
  });
}

Result<Engine::Next> Engine::advance(std::string_view id) {
  if (effects_.stopping()) return Next{.not_before = clock_.now() + held_for};
  Change change;
  MYDR24_TRY(store_.read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(change, book_.find(reader, id));
    return {};
  }));
  if (!is_active(change.state) || !change.run) return Next{.over = true};
  if (change.run->owner.empty()) {
    MYDR24_TRY(take_over());
    return Next{};
  }
  if (change.run->owner != process_) return lost();
  const auto& run = *change.run;
  if (!run.abort.empty() && change.state != State::rolling_back) return go_back(id, State::aborted, run.abort);
  if (change.state == State::paused) return Next{.over = true};
  if (run.until && clock_.now() < *run.until) return Next{.not_before = run.until};
  switch (run.phase) {
    case Phase::before:
      return check_all(change, false);
    case Phase::steps: {
      const auto& steps = change.plan.steps;
      if (static_cast<std::size_t>(run.step) < steps.size())
        return do_step(change, steps[static_cast<std::size_t>(run.step)]);
      MYDR24_TRY(step_on(id, [](store::Transaction&, Change& next) -> Result<> {
        next.run->phase = Phase::after;
        next.run->step = 0;
        return {};
      }));
      return Next{};
    }
    case Phase::after:
      return check_all(change, true);
    case Phase::way_back:
      return undo(change);
    case Phase::verify_way_back:
      return verify_way_back(change);
  }
  return Next{.over = true};
}

// ---- checks before and after

Result<Engine::Next> Engine::check_all(const Change& change, bool after) {
  std::vector<std::pair<const Check*, Checked>> found;
  bool all = true;
  for (const auto& check : change.plan.checks) {
    if (after ? !check.after : !check.before) continue;
    found.emplace_back(&check, run_check(check, effects_, book_.settings()));
    all = all && found.back().second.ok();
  }
  MYDR24_TRY(step_on(change.id, [&](store::Transaction& transaction, Change& next) -> Result<> {
    for (const auto& [check, checked] : found) log(next, check->name, checked.ok(), checked.text);
    if (!all) return {};
    if (after) return finished(transaction, next, State::successful);
    next.run->phase = Phase::steps;
    next.run->step = 0;
    return {};
  }));
  if (all) return Next{.over = after};
  // Before its first step there is nothing to take back.
  if (!after) return finish(change.id, State::validation_failed);
  return go_back(change.id, State::validation_failed, "a check after it failed");
}

// ---- steps

Result<Engine::Next> Engine::do_step(const Change& change, const Step& step) {
  if (!change.run->begun) {
    std::string held;
    MYDR24_TRY(store_.read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(held, book_.held(reader, change));
      return {};
    }));
    if (!held.empty()) return Next{.not_before = clock_.now() + held_for};
  }
  if (step.kind == Step::Kind::set) return set(change, step);
  if (step.kind == Step::Kind::scale) return scale(change, step);
  const bool once = step.kind == Step::Kind::command || step.kind == Step::Kind::webhook;
  if (once && change.run->begun)
    return go_back(change.id, State::failed, fmt::format("{}: what came of it was not written down", step.name));
  if (!change.run->begun) {
    MYDR24_ASSIGN(const auto next, begin_step(change, step));
    if (!once) return next;
  }
  if (step.kind == Step::Kind::wait) return next_step(change, fmt::format("{} ms", step.wait.count()));
  if (step.kind == Step::Kind::watch) return watch(change, step);
  if (step.kind == Step::Kind::judge) return compare(change, step);
  return act_once(change, step);
}

// Written down before it is done: whoever finds this does not know whether it was.
Result<Engine::Next> Engine::begin_step(const Change& change, const Step& step) {
  MYDR24_TRY(step_on(change.id, [&](store::Transaction& transaction, Change& next) -> Result<> {
    next.run->begun = true;
    next.run->until.reset();
    next.run->measurements.clear();
    next.run->canary.clear();
    next.run->control.clear();
    if (step.kind == Step::Kind::wait) next.run->until = transaction.now() + step.wait;
    return book_.note(transaction, "change.step", next, "", fmt::format("{}: {}", next.run->step, step.name));
  }));
  return Next{};
}

Result<Engine::Next> Engine::act_once(const Change& change, const Step& step) {
  std::string text;
  if (const auto done = act(change, step, text); !done) {
    MYDR24_TRY(step_on(change.id, [&](store::Transaction&, Change& next) -> Result<> {
      log(next, step.name, false, done.error().text);
      return {};
    }));
    return go_back(change.id, State::failed, fmt::format("{}: {}", step.name, done.error().text));
  }
  return next_step(change, text);
}

Result<> Engine::act(const Change& change, const Step& step, std::string& text) {
  try {
    if (step.kind == Step::Kind::verify) {
      for (const auto& check : step.checks) {
        const auto checked = run_check(check, effects_, book_.settings());
        if (!checked.ok()) return fail(Code::conflict, fmt::format("{}: {}", check.name, checked.text));
      }
      return {};
    }
    if (step.kind == Step::Kind::webhook)
      return effects_.webhook(step, fmt::format("{}-{}-{}", change.id, to_string(change.run->phase), change.run->step));
    const auto allowed = book_.policy().commands.find(step.command);
    if (allowed == book_.policy().commands.end())
      return fail(Code::refused, fmt::format("the policy allows no command {}", step.command));
    MYDR24_ASSIGN(text, effects_.command(allowed->second, step.time_max));
    return {};
  } catch (const std::exception& problem) {
    return fail(Code::internal, problem.what());
  }
}

Result<Engine::Next> Engine::next_step(const Change& change, std::string_view text) {
  MYDR24_TRY(step_on(change.id, [&](store::Transaction&, Change& next) -> Result<> {
    const auto at = static_cast<std::size_t>(next.run->step);
    log(next, change.plan.steps[at].name, true, text);
    ++next.run->step;
    next.run->begun = false;
    next.run->until.reset();
    next.run->deadline.reset();
    return {};
  }));
  return Next{};
}

void Engine::wait_applied(std::string_view setting, int version) const {
  // The store's follower applies it. On a clock that stands still there is nothing to wait for.
  for (int i = 0; i < 500 && book_.settings().applied_version(setting) < version; ++i)
    std::this_thread::sleep_for(std::chrono::duration_cast<std::chrono::milliseconds>(applied_within) / 500);
}

// The setting and the run's place are one transaction.
Result<Engine::Next> Engine::set(const Change& change, const Step& step) {
  int made = 0;
  const auto done = step_on(change.id, [&](store::Transaction& transaction, Change& next) -> Result<> {
    MYDR24_ASSIGN(const auto before, book_.settings().settled(transaction, step.setting));
    MYDR24_ASSIGN(const auto after, book_.settings().set(transaction, {.setting = step.setting,
                                                                       .scope = step.scope,
                                                                       .value = step.value,
                                                                       .by = next.started_by,
                                                                       .why = next.plan.title,
                                                                       .change = next.id}));
    made = after.version;
    next.run->undo.push_back({.setting = step.setting, .version = before.version, .made = made});
    log(next, step.name, true, fmt::format("{} for {}", step.value.value_or("the default"), step.scope));
    ++next.run->step;
    next.run->begun = false;
    return book_.note(transaction, "change.step", next, "", fmt::format("{}: {}", next.run->step - 1, step.name));
  });
  if (!done) {
    if (may_be_tried_again(done.error())) return done.error();
    return go_back(change.id, State::failed, fmt::format("{}: {}", step.name, done.error().text));
  }
  wait_applied(step.setting, made);
  return Next{};
}

Result<Engine::Next> Engine::watch(const Change& change, const Step& step) {
  auto measured = Measurement::success;
  std::string text;
  for (const auto& check : step.checks) {
    const auto checked = run_check(check, effects_, book_.settings());
    if (checked.ok()) continue;
    measured = checked.measurement;
    text = fmt::format("{}: {}", check.name, checked.text);
    break;
  }
  auto measurements = change.run->measurements;
  measurements.push_back(measured);
  const auto phase = judge::assess(measurements, step.limits);
  MYDR24_TRY(step_on(change.id, [&](store::Transaction& transaction, Change& next) -> Result<> {
    next.run->measurements = measurements;
    next.run->until = transaction.now() + step.every;
    if (measured != Measurement::success || phase != judge::Phase::running)
      log(next, step.name, measured == Measurement::success, fmt::format("{} {}", to_string(phase), text));
    if (phase != judge::Phase::inconclusive) return {};
    next.state = State::paused;
    return book_.note(transaction, "change.paused", next, "", step.name);
  }));
  if (phase == judge::Phase::failed) return go_back(change.id, State::failed, fmt::format("{}: {}", step.name, text));
  if (phase == judge::Phase::successful) return next_step(change, fmt::format("{} times", measurements.size()));
  return Next{.over = phase == judge::Phase::inconclusive, .not_before = clock_.now() + step.every};
}

Result<Engine::Next> Engine::compare(const Change& change, const Step& step) {
  auto canary = change.run->canary, control = change.run->control;
  try {
    if (const auto value = effects_.metric(step.metric, step.canary)) canary.push_back(*value);
    if (const auto value = effects_.metric(step.metric, step.control)) control.push_back(*value);
  } catch (const std::exception& problem) {
    return go_back(change.id, State::failed, fmt::format("{}: {}", step.name, problem.what()));
  }
  auto measurements = change.run->measurements;
  measurements.push_back(Measurement::success);  // one for each time that both were asked
  MYDR24_TRY(step_on(change.id, [&](store::Transaction& transaction, Change& next) -> Result<> {
    next.run->canary = canary;
    next.run->control = control;
    next.run->measurements = measurements;
    next.run->until = transaction.now() + step.every;
    return {};
  }));
  if (static_cast<int>(measurements.size()) < step.samples) return Next{.not_before = clock_.now() + step.every};
  const auto verdict = judge::classify(canary, control, step.classifier);
  const auto text = fmt::format("{}: {} of {} against {} {}", to_string(verdict.verdict), step.metric, step.canary,
                                step.control, verdict.reason);
  if (verdict.verdict != judge::Class::pass) {
    MYDR24_TRY(step_on(change.id, [&](store::Transaction&, Change& next) -> Result<> {
      log(next, step.name, false, text);
      return {};
    }));
    return go_back(change.id, State::failed, text);
  }
  return next_step(change, text);
}

// ---- the way back

Result<Engine::Next> Engine::go_back(std::string_view id, State ends_as, std::string_view because) {
  MYDR24_TRY(step_on(id, [&](store::Transaction& transaction, Change& next) -> Result<> {
    next.state = State::rolling_back;
    next.failed_at = transaction.now();
    next.run->phase = Phase::way_back;
    next.run->step = 0;
    next.run->begun = false;
    next.run->until.reset();
    next.run->deadline.reset();
    next.run->ends_as = ends_as;
    next.run->because = because.substr(0, text_bytes_max);
    return book_.note(transaction, "change.rollback_begun", next, "", next.run->because);
  }));
  return Next{};
}

// Settings first, the last one first: what people are exposed to ends at once. Then the steps of the way back; one
// that had begun when a process ended is done again.
Result<Engine::Next> Engine::undo(const Change& change) {
  if (!change.run->undo.empty()) return put_back_last(change);
  const auto& steps = change.plan.rollback;
  const auto at = static_cast<std::size_t>(change.run->step);
  if (at >= steps.size()) {
    MYDR24_TRY(step_on(change.id, [&](store::Transaction& transaction, Change& next) -> Result<> {
      next.run->phase = Phase::verify_way_back;
      next.run->step = 0;
      next.run->until.reset();
      next.run->measurements.clear();
      // Until then a check may still fail.
      next.failed_at = next.failed_at.value_or(transaction.now());
      return {};
    }));
    return Next{};
  }
  const auto& step = steps[at];
  if (step.kind == Step::Kind::set) return set_on_way_back(change, step);
  if (!change.run->begun) {
    MYDR24_TRY(step_on(change.id, [&](store::Transaction& transaction, Change& next) -> Result<> {
      next.run->begun = true;
      if (step.kind == Step::Kind::wait) next.run->until = transaction.now() + step.wait;
      return {};
    }));
    return Next{};
  }
  std::string text;
  if (step.kind != Step::Kind::wait) {
    if (const auto done = act(change, step, text); !done)
      return fail_way_back(change.id, fmt::format("{}: {}", step.name, done.error().text));
  }
  MYDR24_TRY(step_on(change.id, [&](store::Transaction&, Change& next) -> Result<> {
    log(next, step.name, true, text);
    ++next.run->step;
    next.run->begun = false;
    next.run->until.reset();
    return {};
  }));
  return Next{};
}

Result<Engine::Next> Engine::put_back_last(const Change& change) {
  const auto last = change.run->undo.back();
  if (!last.scaled.empty()) return scale_back(change);
  int made = 0;
  const auto done = step_on(change.id, [&](store::Transaction& transaction, Change& next) -> Result<> {
    MYDR24_ASSIGN(const auto version,
                  book_.settings().put_back(transaction, last.setting, last.version, next.started_by,
                                            fmt::format("rollback of {}", next.plan.title), next.id));
    made = version.version;
    next.run->undo.pop_back();
    log(next, last.setting, true, fmt::format("as in version {}", last.version));
    return {};
  });
  if (!done) {
    if (may_be_tried_again(done.error())) return done.error();
    return fail_way_back(change.id, fmt::format("{}: {}", last.setting, done.error().text));
  }
  wait_applied(last.setting, made);
  return Next{};
}

Result<Engine::Next> Engine::set_on_way_back(const Change& change, const Step& step) {
  int made = 0;
  const auto done = step_on(change.id, [&](store::Transaction& transaction, Change& next) -> Result<> {
    MYDR24_ASSIGN(const auto version,
                  book_.settings().set(transaction, {.setting = step.setting,
                                                     .scope = step.scope,
                                                     .value = step.value,
                                                     .by = next.started_by,
                                                     .why = fmt::format("rollback of {}", next.plan.title),
                                                     .change = next.id}));
    made = version.version;
    log(next, step.name, true, fmt::format("{} for {}", step.value.value_or("the default"), step.scope));
    ++next.run->step;
    next.run->begun = false;
    return {};
  });
  if (!done) {
    if (may_be_tried_again(done.error())) return done.error();
    return fail_way_back(change.id, fmt::format("{}: {}", step.name, done.error().text));
  }
  wait_applied(step.setting, made);
  return Next{};
}

Result<Engine::Next> Engine::verify_way_back(const Change& change) {
  std::string wrong;
  for (const auto& check : change.plan.checks) {
    if (!check.before) continue;
    const auto checked = run_check(check, effects_, book_.settings());
    if (checked.ok()) continue;
    wrong = fmt::format("{}: {}", check.name, checked.text);
    break;
  }
  if (wrong.empty()) {
    MYDR24_TRY(step_on(change.id, [&](store::Transaction&, Change& next) -> Result<> {
      log(next, "checks", true, "as before the change");
      return {};
    }));
    return finish(change.id, change.run->ends_as);
  }
  const int tries = static_cast<int>(change.run->measurements.size()) + 1;
  if (tries * settle_every > change.plan.settle) return fail_way_back(change.id, fmt::format("after it, {}", wrong));
  MYDR24_TRY(step_on(change.id, [&](store::Transaction& transaction, Change& next) -> Result<> {
    next.run->measurements.push_back(Measurement::failure);
    next.run->until = transaction.now() + settle_every;
    return {};
  }));
  return Next{.not_before = clock_.now() + settle_every};
}

Result<Engine::Next> Engine::fail_way_back(std::string_view id, std::string_view why) {
  MYDR24_TRY(step_on(id, [&](store::Transaction& transaction, Change& next) -> Result<> {
    log(next, "way back", false, why);
    std::string text;
    json::Writer out(text);
    out.begin_object().field("cause", fmt::format("change/{}", id));
    out.field("title", fmt::format("The way back of a change failed: {}", next.plan.title)).field("text", why);
    out.field("severity", "emergency").field("service", next.plan.service).key("links").begin_array();
    out.string(fmt::format("/changes/{}", id)).end_array().end_object();
    MYDR24_TRY(transaction.note("incident.request", text));
    MYDR24_TRY(book_.freeze_service(transaction, next, why));
    if (book_.outlook_.escalate) {
      MYDR24_TRY(book_.outlook_.escalate(transaction, fmt::format("change/{}", id), "The way back of a change failed",
                                         fmt::format("{}: {}", next.plan.title, why)));
    }
    return finished(transaction, next, State::rollback_failed);
  }));
  return Next{.over = true};
}

// ---- the end

Result<> Engine::finished(store::Transaction& transaction, Change& change, State state) const {
  MYDR24_TRY(book_.count_outcome(transaction, change, state));
  change.state = state;
  change.finished = transaction.now();
  if (state == State::successful) change.succeeded = change.finished;
  change.run->begun = false;
  change.run->until.reset();
  MYDR24_TRY(transaction.cancel_timer(watch_timer(change.id)));
  return book_.note(transaction, "change.finished", change, change.started_by, change.run->because);
}

Result<Engine::Next> Engine::finish(std::string_view id, State state) {
  MYDR24_TRY(step_on(id, [&](store::Transaction& transaction, Change& next) -> Result<> {
    if (state != State::rolled_back && !next.failed_at) next.failed_at = transaction.now();
    return finished(transaction, next, state);
  }));
  return Next{.over = true};
}

// ---- threads

Runner::Runner(Engine& engine, store::Store& store, const Book& book, const Clock& clock,
               std::function<void(std::string_view)> failed)
    : engine_(engine), store_(store), book_(book), clock_(clock), failed_(std::move(failed)) {}

void Runner::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Runner::stop() {
  thread_ = {};
  workers_.clear();
}

namespace {
constexpr std::chrono::milliseconds look_every{100};
constexpr std::chrono::seconds try_again_after{1};
}  // namespace

void Runner::run(const std::stop_token& stop) {
  for (; !stop.stop_requested(); std::this_thread::sleep_for(look_every)) {
    if (!store_.leads()) {
      if (std::exchange(leads_, false)) workers_.clear();
      continue;
    }
    if (!leads_) {
      if (const auto taken = engine_.take_over(); !taken) {
        failed_(taken.error().text);
        continue;
      }
      leads_ = true;
    }
    look();
  }
}

void Runner::look() {
  std::vector<Change> active;
  const auto read = store_.read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(active, book_.active(reader));
    return {};
  });
  if (!read) {
    failed_(read.error().text);
    return;
  }
  std::erase_if(workers_, [&](const auto& each) {
    return each.second->over && std::ranges::find(active, each.first, &Change::id) == active.end();
  });
  auto busy =
      static_cast<std::size_t>(std::ranges::count_if(workers_, [](const auto& each) { return !each.second->over; }));
  for (const auto& change : active) {
    const bool aborted = change.run && !change.run->abort.empty() && change.state != State::rolling_back;
    if (change.state == State::paused && !aborted) continue;
    const auto found = workers_.find(change.id);
    if (found != workers_.end()) {
      const auto& one = *found->second;
      if (!one.over) continue;
      if (one.not_before && clock_.now() < *one.not_before && (one.failed || !aborted)) continue;
    }
    if (busy >= threads_max && change.plan.type != Type::emergency) continue;
    ++busy;
    auto& worker = workers_[change.id];
    worker = std::make_unique<Worker>();
    worker->thread = std::jthread([this, id = change.id, one = worker.get()](const std::stop_token& ends) {
      run_one(ends, id, *one);
      one->over = true;
    });
  }
}

void Runner::run_one(const std::stop_token& stop, const std::string& id, Worker& worker) {
  while (!stop.stop_requested()) {
    const auto next = engine_.advance(id);
    if (!next) {
      failed_(fmt::format("change {}: {}", id, next.error().text));
      worker.failed = true;
      worker.not_before = clock_.now() + try_again_after;
      return;
    }
    if (next->over) return;
    if (!next->not_before) continue;
    const auto left = *next->not_before - clock_.now();
    if (left > look_every) {
      worker.not_before = next->not_before;
      return;
    }
    if (left.count() > 0) std::this_thread::sleep_for(left);
  }
}

}  // namespace mydr24::changes
