#include "clinical/vitals/outcomes.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "alerting/alerts/alert.h"
#include "base/json/document.h"
#include "base/json/writer.h"
#include "clinical/vitals/rule_book.h"

namespace mydr24::vitals {
namespace {

constexpr std::string_view outcomes_space = "vitals_outcomes";
constexpr std::size_t note_bytes_max = 2000;

struct Outcome {
  std::vector<std::string> rules;
  bool acknowledged = false;
  bool resolved = false;
  std::optional<bool> acted;
  std::string by;
  std::string note;
};

std::string to_text(const Outcome& outcome, std::string_view alert_id) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("alert", alert_id).key("rules").begin_array();
  for (const std::string& rule : outcome.rules) writer.string(rule);
  writer.end_array().field("acknowledged", outcome.acknowledged).field("resolved", outcome.resolved);
  if (outcome.acted) writer.field("acted", *outcome.acted).field("by", outcome.by).field("note", outcome.note);
  writer.end_object();
  return out;
}

Result<std::optional<Outcome>> load(store::Reader& reader, std::string_view alert_id) {
  MYDR24_ASSIGN(const std::optional<std::string> text, reader.state(outcomes_space, alert_id));
  if (!text) return std::optional<Outcome>();
  MYDR24_ASSIGN(const json::Document document, json::Document::parse_view(*text));
  const json::Value root = document.root();
  Outcome outcome;
  for (const json::Value rule : root["rules"]) outcome.rules.emplace_back(rule.text());
  outcome.acknowledged = root["acknowledged"].is_true();
  outcome.resolved = root["resolved"].is_true();
  if (root["acted"].exists()) outcome.acted = root["acted"].is_true();
  outcome.by = root["by"].text();
  outcome.note = root["note"].text();
  return std::optional(std::move(outcome));
}

Result<> save(store::Transaction& transaction, std::string_view alert_id, const Outcome& outcome) {
  return transaction.set_state(outcomes_space, alert_id, to_text(outcome, alert_id));
}

Result<> count_all(store::Transaction& transaction, const Outcome& outcome, const RuleFigures& more) {
  for (const std::string& rule : outcome.rules) MYDR24_TRY(RuleBook::count(transaction, rule, more));
  return {};
}

// At least once: what the row says already is not counted again.
Result<> take(store::Transaction& transaction, const store::Event& event) {
  MYDR24_ASSIGN(const alerts::AlertEvent read, alerts::event_from_json(event.payload));
  MYDR24_ASSIGN(std::optional<Outcome> outcome, load(transaction, read.alert_id));
  if (!outcome) return {};
  if (event.kind == "alert.acknowledged") {
    if (outcome->acknowledged) return {};
    outcome->acknowledged = true;
    MYDR24_TRY(count_all(transaction, *outcome, {.rule = {}, .acknowledged = 1}));
  } else {
    if (outcome->resolved) return {};
    outcome->resolved = true;
    if (!outcome->acknowledged) MYDR24_TRY(count_all(transaction, *outcome, {.rule = {}, .auto_resolved = 1}));
  }
  return save(transaction, read.alert_id, *outcome);
}

}  // namespace

Result<> note_call(store::Transaction& transaction, std::string_view alert_id, std::span<const std::string> rules) {
  MYDR24_ASSIGN(std::optional<Outcome> held, load(transaction, alert_id));
  Outcome outcome = held ? std::move(*held) : Outcome();
  bool changed = false;
  for (const std::string& rule : rules) {
    if (std::ranges::find(outcome.rules, rule) != outcome.rules.end()) continue;
    outcome.rules.push_back(rule);
    changed = true;
    MYDR24_TRY(RuleBook::count(transaction, rule, {.rule = {}, .fired = 1}));
  }
  return changed ? save(transaction, alert_id, outcome) : Result<>();
}

Result<> say_outcome(store::Transaction& transaction, std::string_view alert_id, bool acted, std::string_view by,
                     std::string_view note) {
  if (by.empty()) return fail(Code::invalid, "who says so? by is missing", "by");
  if (note.size() > note_bytes_max)
    return fail(Code::too_large, fmt::format("note has at most {} bytes", note_bytes_max), "note");
  MYDR24_ASSIGN(std::optional<Outcome> outcome, load(transaction, alert_id));
  if (!outcome) return fail(Code::not_found, fmt::format("no rule for vital signs raised an alert {}", alert_id));
  if (outcome->acted != acted) {
    const auto figures = [](bool did, std::int64_t by_one) {
      return RuleFigures{.rule = {}, .acted_on = did ? by_one : 0, .not_acted_on = did ? 0 : by_one};
    };
    if (outcome->acted) MYDR24_TRY(count_all(transaction, *outcome, figures(*outcome->acted, -1)));
    MYDR24_TRY(count_all(transaction, *outcome, figures(acted, 1)));
  }
  outcome->acted = acted;
  outcome->by = by;
  outcome->note = note;
  return save(transaction, alert_id, *outcome);
}

Result<std::string> outcome_of(store::Reader& reader, std::string_view alert_id) {
  MYDR24_ASSIGN(const std::optional<Outcome> outcome, load(reader, alert_id));
  if (!outcome) return fail(Code::not_found, fmt::format("no rule for vital signs raised an alert {}", alert_id));
  return to_text(*outcome, alert_id);
}

Result<> Outcomes::follow(std::span<const store::Event> events) {
  std::vector<const store::Event*> wanted;
  for (const store::Event& event : events)
    if (event.kind == "alert.acknowledged" || event.kind == "alert.resolved") wanted.push_back(&event);
  if (wanted.empty()) return {};
  return store_.write(RequestClass::routine, [&](store::Transaction& transaction) -> Result<> {
    for (const store::Event* event : wanted) MYDR24_TRY(take(transaction, *event));
    return {};
  });
}

}  // namespace mydr24::vitals
