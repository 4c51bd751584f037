#include "operations/changes/book.h"

#include <algorithm>

#include "base/core/id.h"
#include "base/crypto/digest.h"
#include "operations/changes/detail/members.h"
#include "operations/changes/detail/rows.h"

namespace mydr24::changes {
namespace {

constexpr std::size_t reason_bytes_max = 10'000;

Result<> check_by(std::string_view by) {
  if (by.empty() || by.size() > 200) return fail(Code::invalid, "say in 1 to 200 bytes who", "by");
  return {};
}

Result<> check_reason(std::string_view text, std::string_view where) {
  if (text.empty() || text.size() > reason_bytes_max)
    return fail(Code::invalid, fmt::format("say in 1 to {} bytes", reason_bytes_max), std::string(where));
  return {};
}

bool same_person(std::string_view a, std::string_view b) { return login_of(a) == login_of(b); }

// Nobody approves a standard change: its checks write nothing, and see what anybody sees.
Result<> check_reads_only(const std::vector<Check>& checks, const std::string& where) {
  for (std::size_t i = 0; i < checks.size(); ++i) {
    if (checks[i].kind == Check::Kind::http && checks[i].method != "GET" && checks[i].method != "HEAD")
      return fail(Code::invalid, "a standard change checks by GET or HEAD only",
                  fmt::format("{}[{}].method", where, i));
    if (!checks[i].credential.empty())
      return fail(Code::invalid, "a standard change checks without a login: propose a normal change",
                  fmt::format("{}[{}].credential", where, i));
  }
  return {};
}

// A value of one scope is in no metric that there is: such a check would always fail.
Result<> check_scopes(const std::vector<Check>& checks, const std::string& where) {
  for (std::size_t i = 0; i < checks.size(); ++i)
    if (!checks[i].scope.empty())
      return fail(Code::invalid, "no metric is known by scope here: leave it out, and the whole server is checked",
                  fmt::format("{}[{}].scope", where, i));
  return {};
}

Result<> check_credentials(const std::vector<Check>& checks, const Policy& policy, const std::string& where) {
  for (std::size_t i = 0; i < checks.size(); ++i) {
    if (checks[i].credential.empty()) continue;
    const auto found = policy.credentials.find(checks[i].credential);
    if (found == policy.credentials.end())
      return fail(Code::invalid, fmt::format("the policy has no credential {}", checks[i].credential),
                  fmt::format("{}[{}].credential", where, i));
    if (!is_for(found->second, checks[i].subject))
      return fail(Code::invalid,
                  fmt::format("the credential {} is for what lies below {}", found->first, found->second.url),
                  fmt::format("{}[{}].url", where, i));
  }
  return {};
}

Result<> check_scale(const Step& step, const Policy& policy, const std::string& where) {
  if (step.kind != Step::Kind::scale) return {};
  const auto found = policy.scales.find(step.scaled);
  if (found == policy.scales.end())
    return fail(Code::invalid, fmt::format("the policy has nothing to scale that is named {}", step.scaled),
                where + ".scale");
  const auto& scale = found->second;
  if (step.number < scale.low || step.number > scale.high)
    return fail(Code::invalid, fmt::format("{} is scaled from {} to {}", scale.name, scale.low, scale.high),
                where + ".to");
  return {};
}

// Of all checks, wherever they stand.
template <class Look>
Result<> for_each_checks(const Plan& plan, Look look) {
  MYDR24_TRY(look(plan.checks, "checks"));
  for (std::size_t i = 0; i < plan.steps.size(); ++i)
    MYDR24_TRY(look(plan.steps[i].checks, fmt::format("implementation[{}].checks", i)));
  for (std::size_t i = 0; i < plan.rollback.size(); ++i)
    MYDR24_TRY(look(plan.rollback[i].checks, fmt::format("rollback[{}].checks", i)));
  return {};
}

struct Outcome {
  std::int64_t finished = 0, failed = 0;
};
Result<Outcome> outcome_of(const std::optional<std::string>& row) {
  Outcome outcome;
  if (!row) return outcome;
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(*row));
  const Members members(document.root(), "");
  MYDR24_ASSIGN(outcome.finished, members.integer("finished", 0, 0, INT32_MAX));
  MYDR24_ASSIGN(outcome.failed, members.integer("failed", 0, 0, INT32_MAX));
  return outcome;
}

bool same_windows(const Plan& a, const Plan& b) {
  return !(a.end && b.begin && *a.end <= *b.begin) && !(b.end && a.begin && *b.end <= *a.begin);
}

}  // namespace

bool touches_the_same(const Plan& a, const Plan& b) {
  if (std::ranges::any_of(a.services,
                          [&](const auto& each) { return std::ranges::find(b.services, each) != b.services.end(); }))
    return true;
  return std::ranges::any_of(a.steps, [&](const Step& step) {
    if (step.kind != Step::Kind::set && step.kind != Step::Kind::scale) return false;
    return std::ranges::any_of(b.steps, [&](const Step& other) {
      return other.kind == step.kind && other.setting == step.setting && other.scaled == step.scaled;
    });
  });
}

Book::Book(store::Store& store, Policy policy, const live_settings::Registry& settings, Outlook outlook)
    : store_(store), policy_(std::move(policy)), settings_(settings), outlook_(std::move(outlook)) {}

Result<> Book::keep(store::Transaction& transaction, const Change& change) const {
  MYDR24_TRY(transaction.set_state(space, change_key(change.id), to_json(change)));
  const auto index = [&](std::string_view prefix, bool in) {
    const auto key = fmt::format("{}{}", prefix, change.id);
    return in ? transaction.set_state(space, key, "1") : transaction.erase_state(space, key);
  };
  MYDR24_TRY(index(open_prefix, !is_over(change.state)));
  return index(active_prefix, is_active(change.state));
}

Result<> Book::note(store::Transaction& transaction, std::string_view kind, const Change& change, std::string_view by,
                    std::string_view text) const {
  std::string payload;
  json::Writer out(payload);
  out.begin_object().field("id", change.id).field("title", change.plan.title).field("service", change.plan.service);
  out.field("type", to_string(change.plan.type)).field("kind", to_string(change.plan.kind));
  out.field("state", to_string(change.state)).field("by", by);
  if (change.run && change.state == State::rolling_back) out.field("ends_as", to_string(change.run->ends_as));
  if (!text.empty()) out.field("text", text);
  out.end_object();
  MYDR24_TRY(transaction.note(kind, payload));
  return {};
}

// ---- reading

Result<Change> Book::find(store::Reader& reader, std::string_view id) const {
  MYDR24_ASSIGN(const auto row, reader.state(space, change_key(id)));
  if (!row) return fail(Code::not_found, fmt::format("there is no change {}", id.substr(0, 64)));
  return parse_change(*row);
}

Result<Change> Book::find_in(store::Reader& reader, std::string_view id, std::initializer_list<State> states) const {
  MYDR24_ASSIGN(auto change, find(reader, id));
  if (std::ranges::find(states, change.state) == states.end())
    return fail(Code::conflict, fmt::format("it is {}", to_string(change.state)));
  return change;
}

// Ids sort by their time.
Result<std::vector<Change>> Book::list(store::Reader& reader, std::optional<State> state, std::uint32_t count) const {
  std::vector<Change> found;
  MYDR24_TRY(for_each_row(reader, change_prefix, [&](const store::StateRow& row) -> Result<> {
    MYDR24_ASSIGN(auto change, parse_change(row.value));
    if (!state || change.state == *state) found.push_back(std::move(change));
    return {};
  }));
  std::ranges::reverse(found);
  if (found.size() > count) found.resize(count);
  return found;
}

Result<std::vector<Change>> Book::indexed(store::Reader& reader, std::string_view prefix) const {
  std::vector<Change> found;
  MYDR24_TRY(for_each_row(reader, prefix, [&](const store::StateRow& row) -> Result<> {
    MYDR24_ASSIGN(auto change, find(reader, row.key.substr(prefix.size())));
    found.push_back(std::move(change));
    return {};
  }));
  return found;
}

Result<std::vector<Change>> Book::active(store::Reader& reader) const { return indexed(reader, active_prefix); }

Result<std::vector<Change>> Book::open(store::Reader& reader) const {
  MYDR24_ASSIGN(auto found, indexed(reader, open_prefix));
  std::ranges::reverse(found);
  return found;
}

// ---- risk

Result<> Book::count_outcome(store::Transaction& transaction, const Change& change, State state) const {
  const auto& plan = change.plan;
  const auto key = outcome_key(to_string(plan.kind), plan.service);
  MYDR24_ASSIGN(const auto row, transaction.state(space, key));
  MYDR24_ASSIGN(auto outcome, outcome_of(row));
  if (!change.finished) ++outcome.finished;
  if (state != State::successful) ++outcome.failed;
  std::string text;
  json::Writer(text).begin_object().field("finished", outcome.finished).field("failed", outcome.failed).end_object();
  MYDR24_TRY(transaction.set_state(space, key, text));
  if (state != State::successful) return {};
  return transaction.set_state(space, success_key(plan.service), format_instant(transaction.now()));
}

Result<Surroundings> Book::surroundings(store::Reader& reader, const Plan& plan, std::string_view id,
                                        Instant now) const {
  Surroundings around;
  const auto at = plan.begin.value_or(now);
  MYDR24_ASSIGN(const auto others, open(reader));
  for (const auto& other : others)
    if (other.id != id && touches_the_same(plan, other.plan) && same_windows(plan, other.plan)) ++around.overlapping;
  MYDR24_ASSIGN(const auto row, reader.state(space, outcome_key(to_string(plan.kind), plan.service)));
  MYDR24_ASSIGN(const auto outcome, outcome_of(row));
  around.finished = static_cast<int>(outcome.finished);
  around.failed = static_cast<int>(outcome.failed);
  MYDR24_ASSIGN(const auto last, reader.state(space, success_key(plan.service)));
  if (const auto success = last ? parse_date_time(*last) : std::nullopt)
    around.days_since_success = std::chrono::duration<double, std::ratio<86400>>(now - success->low).count();
  if (const auto* window = policy_.window_at(at)) around.load = window->load;
  if (outlook_.open_incidents) {
    MYDR24_ASSIGN(around.open_incidents, outlook_.open_incidents(reader));
  }
  if (outlook_.budget_left) around.budget_left = outlook_.budget_left(plan.service);
  for (const auto* list : {&plan.steps, &plan.rollback})
    for (const auto& step : *list) {
      const auto definition = settings_.definitions().find(step.setting);
      if (step.kind == Step::Kind::set && definition != settings_.definitions().end() && definition->second.emergency)
        around.emergency_path = step.setting;
    }
  return around;
}

Result<> Book::check_standard(const Plan& plan, const Risk& risk) const {
  MYDR24_TRY(check_reads_only(plan.checks, "checks"));
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const auto& step = plan.steps[i];
    const auto where = fmt::format("implementation[{}]", i);
    MYDR24_TRY(check_reads_only(step.checks, where + ".checks"));
    if (step.kind == Step::Kind::command || step.kind == Step::Kind::webhook || step.kind == Step::Kind::scale)
      return fail(Code::invalid, "a standard change sets settings, waits and verifies, and nothing else", where);
    if (step.kind != Step::Kind::set || policy_.routine.contains(step.setting)) continue;
    const auto definition = settings_.definitions().find(step.setting);
    if (definition == settings_.definitions().end() || !definition->second.routine)
      return fail(Code::invalid, fmt::format("{} is not approved in advance: propose a normal change", step.setting),
                  where);
  }
  if (!plan.rollback.empty()) return fail(Code::invalid, "a standard change has no way back of its own", "rollback");
  if (risk.level > Level::low)
    return fail(Code::invalid, fmt::format("its risk is {}: propose a normal change", to_string(risk.level)), "type");
  return {};
}

Result<> Book::check_authority(store::Reader& reader, const Change& change) const {
  if (change.plan.type != Type::emergency) return {};
  std::string unreviewed;
  const auto prefix = suspended_prefix(login_of(change.requested_by));
  MYDR24_TRY(for_each_row(reader, prefix, [&](const store::StateRow& row) -> Result<> {
    // "client/" is also how the keys of "client/ID" begin.
    const auto id = row.key.substr(prefix.size());
    if (!id.contains('/')) unreviewed = id;
    return {};
  }));
  if (unreviewed.empty()) return {};
  return fail(Code::refused,
              fmt::format("the emergency authority of {} is suspended: change {} was not reviewed in time",
                          change.requested_by, unreviewed));
}

// Risk, and whether anybody could approve it.
Result<> Book::judge(store::Reader& reader, Change& change, Instant now) const {
  MYDR24_TRY(check_authority(reader, change));
  MYDR24_TRY(check_exposure(change.plan, settings_));
  MYDR24_TRY(check_way_back(change.plan, settings_));
  for (std::size_t i = 0; i < change.plan.steps.size(); ++i) {
    const auto where = fmt::format("implementation[{}]", i);
    if (change.plan.steps[i].kind == Step::Kind::judge && !outlook_.scoped_metrics)
      return fail(Code::invalid, "no metric is known by scope here: watch or verify", where + ".kind");
    MYDR24_TRY(check_scale(change.plan.steps[i], policy_, where));
  }
  MYDR24_TRY(for_each_checks(change.plan, [&](const std::vector<Check>& checks, const std::string& where) -> Result<> {
    if (!outlook_.scoped_metrics) MYDR24_TRY(check_scopes(checks, where));
    return check_credentials(checks, policy_, where);
  }));
  for (const auto* list : {&change.plan.steps, &change.plan.rollback})
    for (const auto& step : *list)
      if (step.kind == Step::Kind::command && !policy_.commands.contains(step.command))
        return fail(Code::invalid, fmt::format("the policy allows no command {}", step.command), "command");
  const auto& plan = change.plan;
  if (plan.type == Type::emergency && plan.begin && plan.end && *plan.end - *plan.begin > policy_.window_max)
    return fail(Code::invalid, fmt::format("an emergency change has at most {} h", policy_.window_max.count()),
                "window.end");
  MYDR24_ASSIGN(const auto around, surroundings(reader, plan, change.id, now));
  change.risk = assess(plan, around);
  change.approvals.clear();
  change.approved.reset();
  change.starts.reset();
  change.not_started.clear();
  change.state = State::proposed;
  if (plan.type == Type::standard) {
    MYDR24_TRY(check_standard(plan, change.risk));
    change.state = State::approved;
    change.approved = now;
    return {};
  }
  return policy_.board.satisfiable_without(policy_.board.requirement(plan.type, change.risk.level),
                                           change.requested_by);
}

// ---- people

Result<Change> Book::preview(store::Reader& reader, std::string_view plan, std::string_view by, Instant now) const {
  MYDR24_TRY(check_by(by));
  Change change;
  MYDR24_ASSIGN(change.plan, parse_plan(plan));
  change.requested_by = by;
  change.proposed = change.edited = now;
  MYDR24_TRY(judge(reader, change, now));
  return change;
}

Result<Change> Book::propose(store::Transaction& transaction, std::string_view plan, std::string_view by) const {
  MYDR24_ASSIGN(auto change, preview(transaction, plan, by, transaction.now()));
  change.id = make_uuid7(transaction.now());
  MYDR24_TRY(keep(transaction, change));
  MYDR24_TRY(note(transaction, "change.proposed", change, by));
  return change;
}

Result<Change> Book::edit(store::Transaction& transaction, std::string_view id, std::string_view plan,
                          std::string_view by) const {
  MYDR24_TRY(check_by(by));
  MYDR24_ASSIGN(auto change, find_in(transaction, id, {State::proposed, State::approved}));
  // Else they could approve what they wrote themselves.
  if (!same_person(by, change.requested_by))
    return fail(Code::refused, fmt::format("only {} edits it", change.requested_by), "by");
  const auto void_approvals = change.approvals.size();
  MYDR24_ASSIGN(change.plan, parse_plan(plan));
  change.edited = transaction.now();
  MYDR24_TRY(judge(transaction, change, transaction.now()));
  MYDR24_TRY(transaction.cancel_timer(start_timer(change.id)));
  MYDR24_TRY(keep(transaction, change));
  MYDR24_TRY(note(transaction, "change.edited", change, by, fmt::format("{} approvals are void", void_approvals)));
  return change;
}

Result<std::string> Book::seal_key(store::Transaction& transaction) const {
  MYDR24_ASSIGN(const auto row, transaction.state(space, key_key));
  if (row) return *row;
  const auto key = make_secret() + make_secret();
  MYDR24_TRY(transaction.set_state(space, key_key, key));
  return key;
}

Result<std::string> Book::seal(store::Reader& reader, const Change& change, const Approval& approval) const {
  MYDR24_ASSIGN(const auto key, reader.state(space, key_key));
  if (!key) return std::string();
  return crypto::hmac_sha256_hex(
      *key, fmt::format("{}\n{}\n{}\n{}\n{}\n{}", change.id, change.requested_by, to_string(change.risk.level),
                        approval.member, approval.digest, format_instant(approval.at)));
}

Result<Change> Book::approve(store::Transaction& transaction, std::string_view id, std::string_view digest,
                             std::string_view by) const {
  MYDR24_ASSIGN(auto change, find_in(transaction, id, {State::proposed, State::approved}));
  const auto* member = policy_.board.find(by);
  if (member == nullptr) return fail(Code::refused, fmt::format("{} is no member of the board", by), "by");
  if (same_person(by, change.requested_by)) return fail(Code::refused, "nobody approves a change of their own", "by");
  if (digest != change.plan.digest)
    return fail(Code::stale, fmt::format("the plan is another one by now: its digest is {}", change.plan.digest),
                "digest");
  if (std::ranges::find(change.approvals, member->name, &Approval::member) != change.approvals.end()) return change;
  MYDR24_TRY(seal_key(transaction));
  Approval approval{.member = member->name, .digest = std::string(digest), .at = transaction.now()};
  MYDR24_ASSIGN(approval.seal, seal(transaction, change, approval));
  change.approvals.push_back(std::move(approval));
  if (change.state == State::proposed && approvals(change).open.empty()) {
    change.state = State::approved;
    change.approved = transaction.now();
  }
  MYDR24_TRY(keep(transaction, change));
  MYDR24_TRY(note(transaction, "change.approved", change, by));
  return change;
}

Matching Book::approvals(const Change& change) const {
  std::set<std::string> approvers;
  for (const auto& approval : change.approvals)
    if (approval.digest == change.plan.digest && !same_person(approval.member, change.requested_by))
      approvers.insert(approval.member);
  return policy_.board.approved(policy_.board.requirement(change.plan.type, change.risk.level), approvers);
}

Result<Change> Book::reject(store::Transaction& transaction, std::string_view id, std::string_view reason,
                            std::string_view by) const {
  MYDR24_TRY(check_reason(reason, "reason"));
  MYDR24_ASSIGN(auto change, find_in(transaction, id, {State::proposed, State::approved}));
  if (policy_.board.find(by) == nullptr)
    return fail(Code::refused, fmt::format("{} is no member of the board", by), "by");
  change.state = State::rejected;
  change.reason = reason;
  change.finished = transaction.now();
  MYDR24_TRY(transaction.cancel_timer(start_timer(change.id)));
  MYDR24_TRY(keep(transaction, change));
  MYDR24_TRY(note(transaction, "change.rejected", change, by, reason));
  return change;
}

Result<Change> Book::withdraw(store::Transaction& transaction, std::string_view id, std::string_view reason,
                              std::string_view by) const {
  MYDR24_TRY(check_reason(reason, "reason"));
  MYDR24_TRY(check_by(by));
  MYDR24_ASSIGN(auto change, find_in(transaction, id, {State::proposed, State::approved}));
  change.state = State::withdrawn;
  change.reason = reason;
  change.finished = transaction.now();
  MYDR24_TRY(transaction.cancel_timer(start_timer(change.id)));
  MYDR24_TRY(keep(transaction, change));
  MYDR24_TRY(note(transaction, "change.withdrawn", change, by, reason));
  return change;
}

Result<Change> Book::rehearsed(store::Transaction& transaction, std::string_view id, bool rolled_back,
                               std::string_view evidence, std::string_view by) const {
  MYDR24_TRY(check_reason(evidence, "evidence"));
  MYDR24_TRY(check_by(by));
  MYDR24_ASSIGN(auto change, find_in(transaction, id, {State::proposed, State::approved}));
  if (change.rehearsals.size() >= 100) change.rehearsals.erase(change.rehearsals.begin());
  change.rehearsals.push_back({.at = transaction.now(),
                               .by = std::string(by),
                               .evidence = std::string(evidence),
                               .digest = change.plan.digest,
                               .rolled_back = rolled_back});
  MYDR24_TRY(keep(transaction, change));
  MYDR24_TRY(note(transaction, "change.rehearsed", change, by, rolled_back ? "rolled back" : "not rolled back"));
  return change;
}

Result<Change> Book::review(store::Transaction& transaction, std::string_view id, std::string_view text,
                            std::string_view by) const {
  MYDR24_TRY(check_reason(text, "text"));
  MYDR24_TRY(check_by(by));
  MYDR24_ASSIGN(auto change, find(transaction, id));
  if (change.plan.type != Type::emergency || !change.started)
    return fail(Code::conflict, "only an emergency change that was started is reviewed");
  if (is_active(change.state)) return fail(Code::conflict, "it is not over");
  if (change.reviewed) return fail(Code::conflict, "it was reviewed already");
  if (same_person(by, change.requested_by)) return fail(Code::refused, "nobody reviews a change of their own", "by");
  change.review = text;
  change.reviewed = transaction.now();
  change.reviewed_by = by;
  change.review_overdue = false;
  MYDR24_TRY(transaction.cancel_timer(review_timer(change.id)));
  MYDR24_TRY(transaction.erase_state(space, suspended_key(login_of(change.requested_by), change.id)));
  MYDR24_TRY(keep(transaction, change));
  MYDR24_TRY(note(transaction, "change.reviewed", change, by));
  return change;
}

}  // namespace mydr24::changes
