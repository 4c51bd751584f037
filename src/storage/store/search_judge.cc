#include "storage/store/search_judge.h"

#include <fmt/format.h>

namespace mydr24::store {
namespace {

// Works that one search keeps the answer of for the resources that references lead to.
constexpr std::size_t remembered_max = 10'000;

}  // namespace

using search::Condition;

Error too_many_checked(std::int64_t checked_max) {
  return fail(Code::too_costly, fmt::format("more than {} resources would have to be read to answer this search: "
                                            "narrow it, for example by a code, a subject or a date",
                                            checked_max));
}

Result<bool> Judge::matches(const Version& version) {
  const auto& conditions = query_.conditions;
  if (query_.contained == search::Contained::no) return all_hold(version, conditions);
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(version.body));
  if (query_.contained == search::Contained::both && version.type == query_.type) {
    MYDR24_ASSIGN(const bool found, all_hold(document.root(), version.at, conditions));
    if (found) return true;
  }
  for (const json::Value contained : document.root()["contained"]) {
    if (contained["resourceType"].text() != query_.type) continue;
    MYDR24_ASSIGN(const bool found, all_hold(contained, version.at, conditions));
    if (found) return true;
  }
  return false;
}

// One more resource is read that may be of no use.
Result<> Judge::count() {
  if (++checked_ > context_.limits.checked_max) return too_many_checked(context_.limits.checked_max);
  constexpr std::int64_t steps = 64;
  return checked_ % steps == 0 ? engine_.check_limits() : Result<>();
}

Result<bool> Judge::all_hold(const Version& version, std::span<const Condition> conditions) {
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(version.body));
  return all_hold(document.root(), version.at, conditions);
}

Result<bool> Judge::all_hold(json::Value resource, Instant at, std::span<const Condition> conditions) {
  const search::MatchContext context{
      .now = context_.now,
      .last_updated = at,
      .catalogue = query_.catalogue.get(),
      .chain = [this](const Condition& chain,
                      std::span<const std::string> targets) { return settle(leads_there(chain, targets)); },
      .has = [this](const Condition& has, std::string_view reference) { return settle(is_referred(has, reference)); },
  };
  for (const Condition& condition : conditions) {
    const bool holds = search::matches(condition, resource, context);
    if (failure_) return *failure_;
    if (!holds) return false;
  }
  return true;
}

// What went wrong inside a callback is told after it.
bool Judge::settle(Result<bool> answer) {
  if (answer) return *answer;
  failure_ = std::move(answer).error();
  return false;
}

Result<bool> Judge::record_holds(std::int64_t record, const Condition& condition) {
  const auto key = fmt::format("{}.{}", record, fmt::ptr(&condition));
  if (const auto found = remembered_.find(key); found != remembered_.end()) return found->second;
  MYDR24_TRY(count());
  MYDR24_ASSIGN(const auto version, engine_.by_record(record));
  if (!version || version->action == Action::remove) return false;
  MYDR24_ASSIGN(const bool holds, all_hold(*version, condition.parts));
  if (remembered_.size() < remembered_max) remembered_.emplace(key, holds);
  return holds;
}

Result<bool> Judge::leads_there(const Condition& chain, std::span<const std::string> targets) {
  MYDR24_ASSIGN(const auto type, context_.type(chain.target));
  for (const std::string& target : targets) {
    if (!target.starts_with(chain.target + "/")) continue;
    SqlStatement statement{
        .text =
            fmt::format("SELECT record, record AS place FROM record WHERE type = {0}1 AND id = {0}2 AND deleted = 0",
                        context_.dialect.placeholder),
        .values = {type, target.substr(chain.target.size() + 1)}};
    MYDR24_ASSIGN(const auto rows, engine_.rows(statement));
    if (rows.empty()) continue;
    MYDR24_ASSIGN(const bool holds, record_holds(rows.front().record, chain));
    if (holds) return true;
  }
  return false;
}

Result<bool> Judge::is_referred(const Condition& has, std::string_view reference) {
  const std::size_t number = has.parameter->number;
  const auto parameter = number < context_.parameters.size() ? context_.parameters[number] : -1;
  SqlStatement statement{
      .text = fmt::format(
          "SELECT record, record AS place FROM reference_index WHERE parameter = {0}1 AND target = {0}2 LIMIT {0}3",
          context_.dialect.placeholder),
      .values = {parameter, std::string(reference), context_.limits.checked_max}};
  MYDR24_ASSIGN(const auto rows, engine_.rows(statement));
  for (const SqlRow& row : rows) {
    MYDR24_ASSIGN(const bool holds, record_holds(row.record, has));
    if (holds) return true;
  }
  return false;
}

}  // namespace mydr24::store
