// Scaling: the number is read and written down, set, and read again until it is what was asked for. On the way back the number
// that was written down is set in the same way.

#include <fmt/format.h>

#include <algorithm>
#include <exception>

#include "operations/changes/engine.h"

namespace mydr24::changes {
namespace {

constexpr std::chrono::seconds look_every{1};

}  // namespace

Result<const Scale*> Engine::scale_of(std::string_view name) const {
  const auto& scales = book_.policy().scales;
  const auto found = scales.find(name);
  if (found == scales.end())
    return fail(Code::refused, fmt::format("the policy has nothing to scale that is named {}", name));
  return &found->second;
}

Result<std::int64_t> Engine::read_number(const Scale& scale, const Step& step) {
  try {
    return effects_.read_scale(scale, step.time_max);
  } catch (const std::exception& problem) {
    return fail(Code::internal, problem.what());
  }
}

Result<> Engine::set_number(const Change& change, const Scale& scale, const Step& step, std::int64_t number) {
  try {
    const auto delivery =
        fmt::format("{}-{}-{}-{}", change.id, to_string(change.run->phase), change.run->step, change.run->undo.size());
    return effects_.set_scale(scale, number, delivery, step.time_max);
  } catch (const std::exception& problem) {
    return fail(Code::internal, problem.what());
  }
}

// What cannot be read is not there yet.
Engine::Reached Engine::look(const Change& change, const Scale& scale, const Step& step, std::int64_t number,
                             std::string& text) {
  const auto found = read_number(scale, step);
  if (found && *found == number) return Reached::yes;
  text = found ? fmt::format("{} is {} after {} s, not {}", scale.name, *found,
                             std::chrono::duration<double>(step.within).count(), number)
               : found.error().text;
  return change.run->deadline && clock_.now() >= *change.run->deadline ? Reached::never : Reached::not_yet;
}

Result<Engine::Next> Engine::look_again(const Change& change, const Step& step) {
  MYDR24_TRY(step_on(change.id, [&](store::Transaction& transaction, Change& next) -> Result<> {
    if (!next.run->deadline) next.run->deadline = transaction.now() + step.within;
    next.run->until = transaction.now() + look_every;
    return {};
  }));
  return Next{.not_before = clock_.now() + look_every};
}

Result<Engine::Next> Engine::scale(const Change& change, const Step& step) {
  const auto back = [&](std::string_view why) {
    return go_back(change.id, State::failed, fmt::format("{}: {}", step.name, why));
  };
  const auto found = scale_of(step.scaled);
  if (!found) return back(found.error().text);
  const Scale& scale = **found;
  if (change.run->begun) {
    if (!change.run->deadline) return back("what came of it was not written down");
    std::string text;
    switch (look(change, scale, step, step.number, text)) {
      case Reached::yes:
        return next_step(change, fmt::format("{} is {}", scale.name, step.number));
      case Reached::not_yet:
        return look_again(change, step);
      case Reached::never:
        return back(text);
    }
  }
  if (step.number < scale.low || step.number > scale.high)
    return back(fmt::format("{} is scaled from {} to {}", scale.name, scale.low, scale.high));
  const auto before = read_number(scale, step);
  if (!before) return back(fmt::format("its number cannot be read: {}", before.error().text));
  MYDR24_ASSIGN(
      const auto begun, step_on(change.id, [&](store::Transaction& transaction, Change& next) -> Result<> {
        next.run->begun = true;
        next.run->until.reset();
        next.run->deadline.reset();
        next.run->undo.push_back({.scaled = scale.name, .number = *before});
        log(next, step.name, true, fmt::format("from {} to {}", *before, step.number));
        MYDR24_TRY(book_.note(transaction, "change.step", next, "", fmt::format("{}: {}", next.run->step, step.name)));
        return {};
      }));
  if (const auto done = set_number(begun, scale, step, step.number); !done) return back(done.error().text);
  return look_again(begun, step);
}

// It is set also where it is there: what was asked for before may still be on its way.
Result<Engine::Next> Engine::scale_back(const Change& change) {
  const auto last = change.run->undo.back();
  const auto failed = [&](std::string_view why) {
    return fail_way_back(change.id, fmt::format("{} back to {}: {}", last.scaled, last.number, why));
  };
  const auto done = [&](std::string_view told) -> Result<Next> {
    MYDR24_TRY(step_on(change.id, [&](store::Transaction&, Change& next) -> Result<> {
      next.run->undo.pop_back();
      next.run->begun = false;
      next.run->until.reset();
      next.run->deadline.reset();
      log(next, last.scaled, true, told);
      return {};
    }));
    return Next{};
  };
  const auto found = scale_of(last.scaled);
  if (!found) return failed(found.error().text);
  const auto& steps = change.plan.steps;
  const auto step = std::ranges::find(steps, last.scaled, &Step::scaled);
  if (step == steps.end()) return failed("the plan does not scale it");
  std::string text;
  if (!change.run->deadline) {
    MYDR24_ASSIGN(const auto begun, step_on(change.id, [](store::Transaction&, Change& next) -> Result<> {
                    next.run->begun = true;
                    return {};
                  }));
    const auto asked = set_number(begun, **found, *step, last.number);
    if (asked) return look_again(begun, *step);
    if (effects_.stopping()) return fail(Code::busy, "this process ends");
    if (look(change, **found, *step, last.number, text) != Reached::yes) return failed(asked.error().text);
    return done(fmt::format("{} as before, though it could not be set: {}", last.number, asked.error().text));
  }
  switch (look(change, **found, *step, last.number, text)) {
    case Reached::yes:
      return done(fmt::format("{} as before", last.number));
    case Reached::not_yet:
      return look_again(change, *step);
    case Reached::never:
      break;
  }
  return failed(text);
}

}  // namespace mydr24::changes
