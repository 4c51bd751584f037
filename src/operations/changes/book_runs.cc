// When a change may start, and how its run begins and is ended by people and timers.

#include <algorithm>

#include "base/core/id.h"
#include "base/crypto/digest.h"
#include "operations/changes/book.h"
#include "operations/changes/detail/members.h"
#include "operations/changes/detail/rows.h"

namespace mydr24::changes {
namespace {

constexpr std::chrono::minutes start_again_after{1};
constexpr std::chrono::minutes watch_grace{1};
constexpr std::size_t freezes_max = 1'000;

Result<Freeze> freeze_of(std::string_view text) {
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(text));
  const Members members(document.root(), "");
  Freeze freeze;
  MYDR24_ASSIGN(freeze.id, members.text("id"));
  MYDR24_ASSIGN(freeze.why, members.text("why"));
  MYDR24_ASSIGN(freeze.by, members.text("by"));
  MYDR24_ASSIGN(const auto begin, members.instant("begin"));
  MYDR24_ASSIGN(const auto end, members.instant("end"));
  freeze.begin = begin.value_or(Instant());
  freeze.end = end.value_or(Instant());
  MYDR24_ASSIGN(const auto services, members.texts("services"));
  freeze.services.insert(services.begin(), services.end());
  return freeze;
}

}  // namespace

std::string to_json(const Freeze& freeze) {
  std::string text;
  json::Writer out(text);
  out.begin_object().field("id", freeze.id).field("why", freeze.why).field("by", freeze.by);
  out.field("begin", format_instant(freeze.begin))
      .field("end", format_instant(freeze.end))
      .key("services")
      .begin_array();
  for (const auto& service : freeze.services) out.string(service);
  out.end_array().end_object();
  return text;
}

void Book::attach() {
  const auto on = [this](std::string_view kind,
                         Result<> (Book::*handler)(store::Transaction&, std::string_view) const) {
    store_.on_timer(std::string(kind), [this, handler](store::Transaction& transaction, const store::Timer& timer) {
      return (this->*handler)(transaction, timer.payload);
    });
  };
  on(start_kind, &Book::start_due);
  on(review_kind, &Book::review_due);
  on(watch_kind, &Book::lasts_too_long);
}

// ---- the calendar

Result<Freeze> Book::add_freeze(store::Transaction& transaction, Freeze freeze) const {
  if (freeze.why.empty() || freeze.why.size() > 500) return fail(Code::invalid, "say in 1 to 500 bytes why", "why");
  if (freeze.by.empty()) return fail(Code::invalid, "say who", "by");
  if (freeze.end <= freeze.begin) return fail(Code::invalid, "is not after its begin", "end");
  std::size_t there = 0;
  MYDR24_TRY(for_each_row(transaction, freeze_prefix, [&](const store::StateRow&) -> Result<> {
    ++there;
    return {};
  }));
  if (there >= freezes_max) return fail(Code::too_large, fmt::format("there are at most {} freezes", freezes_max));
  freeze.id = make_uuid7(transaction.now());
  MYDR24_TRY(transaction.set_state(space, freeze_key(freeze.id), to_json(freeze)));
  MYDR24_TRY(transaction.note("change.freeze_added", to_json(freeze)));
  return freeze;
}

Result<> Book::end_freeze(store::Transaction& transaction, std::string_view id) const {
  MYDR24_ASSIGN(const auto row, transaction.state(space, freeze_key(id)));
  if (!row) return fail(Code::not_found, "there is no such freeze, or it is one of the policy");
  MYDR24_TRY(transaction.erase_state(space, freeze_key(id)));
  MYDR24_TRY(transaction.note("change.freeze_ended", *row));
  return {};
}

Result<std::vector<Freeze>> Book::freezes(store::Reader& reader, Instant now) const {
  auto found = policy_.freezes;
  MYDR24_TRY(for_each_row(reader, freeze_prefix, [&](const store::StateRow& row) -> Result<> {
    MYDR24_ASSIGN(auto freeze, freeze_of(row.value));
    found.push_back(std::move(freeze));
    return {};
  }));
  std::erase_if(found, [&](const Freeze& freeze) { return freeze.end <= now; });
  std::ranges::sort(found, {}, &Freeze::begin);
  return found;
}

Result<std::vector<FrozenService>> Book::frozen(store::Reader& reader) const {
  std::vector<FrozenService> found;
  MYDR24_TRY(for_each_row(reader, frozen_prefix, [&](const store::StateRow& row) -> Result<> {
    MYDR24_ASSIGN(const auto document, json::Document::parse_view(row.value));
    const auto root = document.root();
    const auto at = parse_date_time(root["at"].text());
    found.push_back({.service = row.key.substr(frozen_prefix.size()),
                     .why = std::string(root["why"].text()),
                     .by = std::string(root["by"].text()),
                     .at = at ? at->low : Instant()});
    return {};
  }));
  return found;
}

Result<> Book::freeze_service(store::Transaction& transaction, const Change& change, std::string_view why) const {
  std::string text;
  json::Writer(text)
      .begin_object()
      .field("why", why)
      .field("by", fmt::format("change/{}", change.id))
      .field("at", format_instant(transaction.now()))
      .end_object();
  for (const auto& service : change.plan.services) MYDR24_TRY(transaction.set_state(space, frozen_key(service), text));
  return note(transaction, "change.service_frozen", change, "", why);
}

Result<> Book::unfreeze(store::Transaction& transaction, std::string_view service, std::string_view why,
                        std::string_view by) const {
  if (why.empty() || by.empty()) return fail(Code::invalid, "say who and why", why.empty() ? "why" : "by");
  MYDR24_ASSIGN(const auto row, transaction.state(space, frozen_key(service)));
  if (!row) return fail(Code::not_found, "it is not frozen");
  MYDR24_TRY(transaction.erase_state(space, frozen_key(service)));
  std::string text;
  json::Writer(text).begin_object().field("service", service).field("why", why).field("by", by).end_object();
  MYDR24_TRY(transaction.note("change.service_unfrozen", text));
  return {};
}

// ---- starting

Result<std::string> Book::held(store::Reader& reader, const Change& change) const {
  if (change.plan.type == Type::emergency || !outlook_.open_emergency) return std::string();
  MYDR24_ASSIGN(const bool open, outlook_.open_emergency(reader));
  return std::string(open ? "an emergency is open" : "");
}

Result<std::vector<std::string>> Book::obstacles(store::Reader& reader, const Change& change, Instant now) const {
  std::vector<std::string> found;
  const auto& plan = change.plan;
  if (change.state != State::approved) found.push_back(fmt::format("it is {}", to_string(change.state)));
  if (plan.type == Type::standard) {
    if (const auto checked = check_standard(plan, change.risk); !checked)
      found.push_back(fmt::format("it is no standard change: {}", checked.error().text));
  } else {
    for (const auto& slot : approvals(change).open)
      found.push_back(fmt::format("an approval by {} is missing", describe(slot)));
    for (const auto& approval : change.approvals) {
      MYDR24_ASSIGN(const auto expected, seal(reader, change, approval));
      if (expected.empty() || !crypto::same_secret(expected, approval.seal))
        found.push_back(fmt::format("the approval by {} is not genuine", approval.member));
    }
  }
  const auto last = std::find_if(change.rehearsals.rbegin(), change.rehearsals.rend(),
                                 [&](const Rehearsal& each) { return each.digest == plan.digest; });
  const bool rehearsed =
      last != change.rehearsals.rend() && last->rolled_back && last->at + policy_.rehearsed_within > now;
  if (plan.impact.data_migration && !rehearsed)
    found.push_back(
        fmt::format("its way back was not rehearsed in the last {} days", policy_.rehearsed_within.count() / 24));
  if (plan.begin && now < *plan.begin)
    found.push_back(fmt::format("its window begins at {}", format_instant(*plan.begin)));
  if (plan.end && now >= *plan.end) found.push_back(fmt::format("its window ended at {}", format_instant(*plan.end)));
  // An approval is no stock for emergencies to come.
  if (plan.type == Type::emergency && !(plan.begin && plan.end) && change.approved &&
      *change.approved + policy_.window_max <= now)
    found.push_back(
        fmt::format("it was approved more than {} h ago: edit it and ask again", policy_.window_max.count()));
  MYDR24_ASSIGN(const auto running, active(reader));
  for (const auto& other : running)
    if (other.id != change.id && touches_the_same(plan, other.plan))
      found.push_back(fmt::format("change {} is {} and touches the same", other.id, to_string(other.state)));
  if (plan.type == Type::emergency) return found;

  MYDR24_ASSIGN(const auto calendar, freezes(reader, now));
  for (const auto& freeze : calendar)
    if (freeze.covers(now, plan.services))
      found.push_back(fmt::format("nothing is changed until {}: {}", format_instant(freeze.end), freeze.why));
  if (const auto* window = policy_.window_at(now); window != nullptr && change.risk.level >= window->from_level)
    found.push_back(
        fmt::format("at this time ({}) no change of {} risk is started", window->name, to_string(change.risk.level)));
  if (outlook_.open_emergency) {
    MYDR24_ASSIGN(const bool open, outlook_.open_emergency(reader));
    if (open) found.push_back("an emergency is open: only emergency changes start");
  }
  for (const auto& service : plan.services) {
    MYDR24_ASSIGN(const auto row, reader.state(space, frozen_key(service)));
    if (row) found.push_back(fmt::format("{} is frozen since a way back failed", service));
  }
  const auto budget = outlook_.budget_left ? outlook_.budget_left(plan.service) : std::nullopt;
  if (budget && *budget < 0 && plan.kind == Kind::feature)
    found.push_back(fmt::format("the error budget of {} is spent: no new features", plan.service));
  return found;
}

Result<> Book::begin(store::Transaction& transaction, Change& change, Run run, std::string_view by) const {
  change.run = std::move(run);
  change.starts.reset();
  change.not_started.clear();
  MYDR24_TRY(transaction.cancel_timer(start_timer(change.id)));
  MYDR24_TRY(transaction.set_timer({.key = watch_timer(change.id),
                                    .due = transaction.now() + change.plan.lasts_max() + watch_grace,
                                    .kind = std::string(watch_kind),
                                    .payload = change.id}));
  MYDR24_TRY(keep(transaction, change));
  return note(transaction, change.state == State::running ? "change.started" : "change.rollback_begun", change, by,
              change.run->because);
}

Result<Change> Book::start(store::Transaction& transaction, std::string_view id, std::string_view by) const {
  if (by.empty()) return fail(Code::invalid, "say who", "by");
  MYDR24_ASSIGN(auto change, find(transaction, id));
  MYDR24_ASSIGN(const auto found, obstacles(transaction, change, transaction.now()));
  if (!found.empty()) return fail(Code::conflict, fmt::format("it may not start: {}", fmt::join(found, "; ")));
  change.state = State::running;
  change.started = transaction.now();
  change.started_by = by;
  if (change.plan.type == Type::emergency) {
    MYDR24_TRY(transaction.set_timer({.key = review_timer(change.id),
                                      .due = transaction.now() + policy_.review_within,
                                      .kind = std::string(review_kind),
                                      .payload = change.id}));
  }
  MYDR24_TRY(begin(transaction, change, {}, by));
  return change;
}

Result<Change> Book::schedule(store::Transaction& transaction, std::string_view id, Instant at,
                              std::string_view by) const {
  if (by.empty()) return fail(Code::invalid, "say who", "by");
  MYDR24_ASSIGN(auto change, find_in(transaction, id, {State::approved}));
  if (at < transaction.now()) return fail(Code::invalid, "is over", "at");
  if ((change.plan.begin && at < *change.plan.begin) || (change.plan.end && at >= *change.plan.end))
    return fail(Code::invalid, "is outside its window", "at");
  change.starts = at;
  change.not_started.clear();
  change.started_by = by;
  MYDR24_TRY(transaction.set_timer(
      {.key = start_timer(change.id), .due = at, .kind = std::string(start_kind), .payload = change.id}));
  MYDR24_TRY(keep(transaction, change));
  MYDR24_TRY(note(transaction, "change.scheduled", change, by, format_instant(at)));
  return change;
}

// What stands in its way now may be gone in a minute, as long as its window is open.
Result<> Book::start_due(store::Transaction& transaction, std::string_view id) const {
  auto change = find(transaction, id);
  if (!change || change->state != State::approved || !change->starts) return {};
  MYDR24_ASSIGN(const auto found, obstacles(transaction, *change, transaction.now()));
  if (found.empty()) {
    MYDR24_TRY(start(transaction, id, change->started_by));
    return {};
  }
  const auto next = transaction.now() + start_again_after;
  if (change->plan.end && next < *change->plan.end) {
    MYDR24_TRY(transaction.set_timer(
        {.key = start_timer(id), .due = next, .kind = std::string(start_kind), .payload = std::string(id)}));
  } else {
    change->starts.reset();
  }
  // Each minute the same is told once.
  const auto text = fmt::format("{}", fmt::join(found, "; "));
  const bool told = change->starts && change->not_started == text;
  if (told) return {};
  change->not_started = text;
  MYDR24_TRY(keep(transaction, *change));
  return note(transaction, "change.not_started", *change, change->started_by, text);
}

// ---- ending

Result<Change> Book::abort(store::Transaction& transaction, std::string_view id, std::string_view reason,
                           std::string_view by) const {
  if (reason.empty() || by.empty()) return fail(Code::invalid, "say who and why", reason.empty() ? "reason" : "by");
  MYDR24_ASSIGN(auto change, find_in(transaction, id, {State::running, State::paused}));
  if (!change.run) return fail(Code::internal, "it has no run");
  change.run->abort = fmt::format("{}: {}", by, reason);
  MYDR24_TRY(keep(transaction, change));
  MYDR24_TRY(note(transaction, "change.abort_asked", change, by, reason));
  return change;
}

Result<Change> Book::resume(store::Transaction& transaction, std::string_view id, std::string_view by) const {
  if (by.empty()) return fail(Code::invalid, "say who", "by");
  MYDR24_ASSIGN(auto change, find_in(transaction, id, {State::paused}));
  if (!change.run) return fail(Code::internal, "it has no run");
  change.state = State::running;
  change.run->begun = false;
  change.run->until.reset();
  MYDR24_TRY(keep(transaction, change));
  MYDR24_TRY(note(transaction, "change.resumed", change, by));
  return change;
}

Result<> Book::check_not_scaled_since(store::Reader& reader, const Change& change) const {
  const auto scales = [](const Change& one, const std::string& what) {
    return one.run && std::ranges::find(one.run->undo, what, &Undo::scaled) != one.run->undo.end();
  };
  if (std::ranges::all_of(change.run->undo, [](const Undo& undo) { return undo.scaled.empty(); })) return {};
  MYDR24_ASSIGN(const auto all, list(reader, std::nullopt, UINT32_MAX));
  for (const auto& undo : change.run->undo)
    for (const auto& other : all)
      if (!undo.scaled.empty() && other.id != change.id && other.started && *other.started >= *change.finished &&
          scales(other, undo.scaled))
        return fail(Code::conflict, fmt::format("{} was scaled again since, by change {}", undo.scaled, other.id));
  return {};
}

Result<Change> Book::roll_back(store::Transaction& transaction, std::string_view id, std::string_view reason,
                               std::string_view by) const {
  if (reason.empty() || by.empty()) return fail(Code::invalid, "say who and why", reason.empty() ? "reason" : "by");
  MYDR24_ASSIGN(auto change, find_in(transaction, id, {State::successful}));
  if (change.plan.irreversible) return fail(Code::conflict, "it cannot be rolled back: propose another change");
  if (!change.finished || *change.finished + policy_.rollback_window <= transaction.now() || !change.run)
    return fail(Code::conflict, "it was too long ago: propose another change");
  std::set<std::string, std::less<>> seen;
  for (auto undo = change.run->undo.rbegin(); undo != change.run->undo.rend(); ++undo) {
    if (!undo->scaled.empty() || !seen.insert(undo->setting).second) continue;
    MYDR24_ASSIGN(const auto now, settings_.settled(transaction, undo->setting));
    if (now.version != undo->made)
      return fail(Code::conflict, fmt::format("{} was changed again since, by {}", undo->setting, now.by));
  }
  MYDR24_TRY(check_not_scaled_since(transaction, change));
  MYDR24_ASSIGN(const auto running, active(transaction));
  for (const auto& other : running)
    if (touches_the_same(change.plan, other.plan))
      return fail(Code::conflict, fmt::format("change {} runs and touches the same", other.id));
  auto run = std::move(*change.run);
  run.phase = Phase::way_back;
  run.step = 0;
  run.begun = false;
  run.owner.clear();
  run.until.reset();
  run.deadline.reset();
  run.because = fmt::format("{}: {}", by, reason);
  run.ends_as = State::rolled_back;
  change.state = State::rolling_back;
  change.failed_at = transaction.now();
  MYDR24_TRY(begin(transaction, change, std::move(run), by));
  return change;
}

Result<> Book::lasts_too_long(store::Transaction& transaction, std::string_view id) const {
  auto change = find(transaction, id);
  if (!change || !change->run || (change->state != State::running && change->state != State::paused)) return {};
  change->run->abort = "it lasts longer than its steps may";
  MYDR24_TRY(keep(transaction, *change));
  return note(transaction, "change.abort_asked", *change, "", change->run->abort);
}

Result<> Book::review_due(store::Transaction& transaction, std::string_view id) const {
  auto change = find(transaction, id);
  if (!change || change->reviewed) return {};
  change->review_overdue = true;
  const std::string_view by = change->requested_by;
  MYDR24_TRY(transaction.set_state(space, suspended_key(login_of(by), id), "1"));
  MYDR24_TRY(keep(transaction, *change));
  MYDR24_TRY(note(transaction, "change.review_overdue", *change, "", "its requester may propose no emergency change"));
  if (!outlook_.escalate) return {};
  return outlook_.escalate(transaction, fmt::format("change/{}/review", id), "An emergency change was not reviewed",
                           fmt::format("{} by {}: review it at /changes/{}", change->plan.title, by, id));
}

}  // namespace mydr24::changes
