#include "clinical/vitals/watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/core/date_time.h"
#include "base/json/document.h"
#include "base/json/writer.h"
#include "clinical/vitals/outcomes.h"
#include "clinical/vitals/replay.h"

namespace mydr24::vitals {
namespace {

constexpr std::uint32_t board_count_max = 500;

std::string cause_of(std::string_view patient_id) { return fmt::format("vitals/Patient/{}", patient_id); }

alerts::Severity severity_of(Level level) {
  return static_cast<alerts::Severity>(static_cast<int>(Level::emergency) - static_cast<int>(level));
}

std::vector<std::string> active_rules(const PatientSigns& signs) {
  std::vector<std::string> ids;
  for (const RuleState& state : signs.rules)
    if (state.phase == RuleState::Phase::active) ids.push_back(state.rule);
  return ids;
}

std::string values_of(const PatientSigns& signs, Instant now, const std::vector<std::string>& rules) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("at", format_instant(signs.at.value_or(now)));
  if (signs.score) writer.key("score").raw(to_json(*signs.score));
  writer.key("rules").begin_array();
  for (const std::string& rule : rules) writer.string(rule);
  writer.end_array().end_object();
  return out;
}

std::string board_timer_key(std::string_view patient_id) { return fmt::format("vitals/{}", patient_id); }
std::string watch_timer_key(std::string_view patient_id) { return fmt::format("vitals-watch/{}", patient_id); }

// Sorts the highest band first, then the most points.
std::string board_key(const Score& score, std::string_view patient_id) {
  return fmt::format("{}/{:02}/{}", 3 - static_cast<int>(score.band), 20 - score.partial, patient_id);
}

std::string board_value(const Score& score, const std::string& alert_id) {
  std::string out;
  json::Writer(out)
      .begin_object()
      .field("points", score.partial)
      .field("complete", score.total.has_value())
      .field("band", static_cast<int>(score.band))
      .field("alert", alert_id)
      .end_object();
  return out;
}

bool is_forgettable(const PatientSigns& signs, Instant now, const WatchSettings& settings) {
  if (signs.level != Level::none || !signs.rules.empty() || signs.monitoring) return false;
  if (std::ranges::any_of(signs.limits, [&](const Limit& limit) { return !limit.until || *limit.until > now; }))
    return false;
  for (std::size_t i = 0; i < sign_count; ++i)
    for (const Held& held : signs.held[i])
      if (now - held.at <
          std::max(settings.forget_after, i < parameter_count ? settings.forget_after : settings.window[i]))
        return false;
  return true;
}

}  // namespace

void Watch::attach(store::Store& store) {
  store.on_timer(std::string(board_timer_kind), [this](store::Transaction& transaction, const store::Timer& timer) {
    return leave_board(transaction, timer.payload);
  });
  store.on_timer(std::string(watch_timer_kind), [this](store::Transaction& transaction, const store::Timer& timer) {
    return look_again(transaction, timer.payload);
  });
}

Result<> Watch::react(store::Transaction& transaction, const records::Change& change) {
  if (change.type == "Patient") return react_to_patient(transaction, change);
  const bool now_vital = change.action != store::Action::remove && is_vital(change.resource);
  const bool was_vital = change.before.exists() && is_vital(change.before);
  if (!now_vital && !was_vital) return {};

  ++counters_.observations;
  const std::string_view patient = now_vital ? patient_of(change.resource, change.catalogue) : std::string_view();
  const std::string_view patient_before = was_vital ? patient_of(change.before, change.catalogue) : std::string_view();
  if (!patient_before.empty() && patient_before != patient)
    MYDR24_TRY(update(transaction, patient_before, change.id, nullptr));
  if (patient.empty()) return {};

  const Signs signs = read_signs(change.resource, transaction.now());
  if (signs.readings.empty() && signs.findings.empty() && !was_vital) return {};
  return update(transaction, patient, change.id, &signs);
}

Result<> Watch::react_to_patient(store::Transaction& transaction, const records::Change& change) {
  const std::string_view born = change.resource["birthDate"].text();
  if (change.before.exists() && change.resource.exists() && change.before["birthDate"].text() == born) return {};
  MYDR24_ASSIGN(Patient row, load(transaction, change.id));
  if (row.is_new()) return {};
  const Patient before = row;
  row.born = born;
  score(row, settings_);
  const Taken taken{.changed = all_signs};
  MYDR24_TRY(assess(transaction, change.id, before, row, &taken));
  return save(transaction, change.id, before, row);
}

Result<Patient> Watch::load(store::Reader& reader, std::string_view patient_id) const {
  MYDR24_ASSIGN(std::optional<std::string> text, reader.state(vitals_space, patient_id));
  if (!text) return Patient();
  MYDR24_ASSIGN(Patient row, Patient::from_text(std::move(*text)));
  score(row, settings_);
  return row;
}

Result<> Watch::learn_birth_date(store::Transaction& transaction, std::string_view patient_id, Patient& row) const {
  if (row.born) return {};
  MYDR24_ASSIGN(const std::optional<store::Version> patient, transaction.current("Patient", patient_id));
  row.born.emplace();
  if (patient && !patient->body.empty())
    if (const auto document = json::Document::parse_view(patient->body))
      row.born = document->root()["birthDate"].text();
  return {};
}

Result<> Watch::update(store::Transaction& transaction, std::string_view patient_id, std::string_view observation,
                       const Signs* signs) {
  MYDR24_ASSIGN(Patient row, load(transaction, patient_id));
  const Patient before = row;
  const Taken taken = take_in(row, observation, signs, transaction.now(), settings_);
  MYDR24_TRY(recall(transaction, patient_id, before, taken, row));
  MYDR24_TRY(learn_birth_date(transaction, patient_id, row));
  score(row, settings_);
  forget_retracted(row, taken);
  ++counters_.scored;
  MYDR24_TRY(note_findings(transaction, patient_id, row, taken.findings));
  if (taken.late && taken.fresh) MYDR24_TRY(note_late(transaction, patient_id, row, *signs, observation));
  MYDR24_TRY(assess(transaction, patient_id, before, row, &taken));
  return save(transaction, patient_id, before, row);
}

// Of the retracted signs, as if what was retracted had never come: an older reading that stands may be an emergency.
Result<> Watch::recall(store::Transaction& transaction, std::string_view patient_id, const Patient& before,
                       const Taken& taken, Patient& row) const {
  if (taken.retracted == 0) return {};
  const Instant now = transaction.now();
  MYDR24_TRY(take_newest(transaction, patient_id, taken.retracted, std::min(before.signs.at.value_or(now), now),
                         now + settings_.future_max, settings_, row.signs));
  return {};
}

Result<> Watch::assess(store::Transaction& transaction, std::string_view patient_id, const Patient& before,
                       Patient& row, const Taken* taken) {
  PatientSigns& signs = row.signs;
  if (taken != nullptr && begins_new_episode(before.signs.at, row, *taken, settings_)) {
    if (signs.level != Level::none)
      MYDR24_TRY(end_call(transaction, row, "no vital signs for longer than they count: a new episode"));
    signs.rules.clear();
    row.had_emergency = false;
  }
  const Instant now = transaction.now();
  MYDR24_ASSIGN(const auto set, rules_.in_force(transaction));
  const EffectiveRules rules = effective_rules(*set, signs, now);
  const Judgement judgement = judge(row, rules, taken, now, settings_);
  if (judgement.too_old) ++counters_.too_old;
  for (const RuleEvent& event : judgement.events) {
    if (event.kind == RuleEvent::Kind::suppressed) MYDR24_TRY(note_suppressed(transaction, patient_id, event));
    if (event.kind != RuleEvent::Kind::cleared || event.alert_id.empty()) continue;
    const auto resolved = book_.resolve(transaction, event.alert_id, event.why.empty() ? "it is over" : event.why);
    if (!resolved && resolved.error().code != Code::not_found) return resolved.error();
  }
  const bool score_changed = signs.score && before.signs.score && before.signs.score->partial != signs.score->partial;
  MYDR24_TRY(call(transaction, patient_id, row, judgement, rules, score_changed));
  MYDR24_TRY(listen(transaction, patient_id, row));
  const Instant lasted = persistence_due(signs, rules.rules);
  const Instant silent = silence_of(signs, now, settings_).next;
  const bool lasts_first = to_us(lasted) != 0 && (to_us(silent) == 0 || lasted < silent);
  return set_watch_timer(transaction, patient_id, row, lasts_first ? lasted : silent);
}

Result<> Watch::end_call(store::Transaction& transaction, Patient& row, std::string_view why) const {
  for (const RuleState& state : row.signs.rules) {
    if (state.alert_id.empty()) continue;
    const auto own = book_.resolve(transaction, state.alert_id, why);
    if (!own && own.error().code != Code::not_found) return own.error();
  }
  const auto resolved = book_.resolve(transaction, row.signs.alert_id, why);
  if (!resolved && resolved.error().code != Code::not_found) return resolved.error();
  row.signs.level = Level::none;
  row.signs.alert_id.clear();
  row.known = 0;
  return {};
}

Result<> Watch::call(store::Transaction& transaction, std::string_view patient_id, Patient& row,
                     const Judgement& judgement, const EffectiveRules& rules, bool score_changed) {
  PatientSigns& signs = row.signs;
  if (judgement.level == Level::none) {
    if (signs.level == Level::none) return {};
    const auto ended = std::ranges::find_if(judgement.events, [](const RuleEvent& event) {
      return event.kind == RuleEvent::Kind::cleared && !event.why.empty();
    });
    return end_call(transaction, row,
                    ended != judgement.events.end() ? ended->why : reason_of(signs, rules.rules, settings_));
  }
  const Rule* fired = nullptr;
  for (const RuleEvent& event : judgement.events)
    if (event.kind == RuleEvent::Kind::fired && (fired == nullptr || event.rule->severity < fired->severity))
      fired = event.rule;
  const bool rises = judgement.level > signs.level;
  if (fired == nullptr && !rises && !score_changed) return {};

  MYDR24_ASSIGN(const auto open, alerts::Book::find(transaction, signs.alert_id));
  const bool closed = !open || open->is_resolved();
  if (fired == nullptr && !rises && closed) return {};
  const bool answered = !closed && open->state == alerts::State::acknowledged;
  if (fired != nullptr && !rises && answered && fired->severity == alerts::Severity::emergency) {
    const auto state = std::ranges::find(signs.rules, fired->id, &RuleState::rule);
    return raise(transaction, patient_id, row, *fired, rules, fmt::format("{}/{}", cause_of(patient_id), fired->id),
                 {fired->id}, state->alert_id);
  }
  signs.level = std::max(signs.level, judgement.level);
  if (rises || closed) row.known = signs.score ? scored_parts(*signs.score) : 0;
  return raise(transaction, patient_id, row, *judgement.gravest, rules, cause_of(patient_id), active_rules(signs),
               signs.alert_id);
}

Result<> Watch::raise(store::Transaction& transaction, std::string_view patient_id, Patient& row, const Rule& gravest,
                      const EffectiveRules& rules, std::string cause, const std::vector<std::string>& active,
                      std::string& alert_id) {
  MYDR24_ASSIGN(
      const alerts::Raised raised,
      book_.raise(transaction, {.source = "vitals",
                                .cause = std::move(cause),
                                .severity = severity_of(std::max(row.signs.level, level_of(gravest.severity))),
                                .patient = fmt::format("Patient/{}", patient_id),
                                .title = gravest.title,
                                .reason = reason_of(row.signs, rules.rules, settings_),
                                .values = values_of(row.signs, transaction.now(), active),
                                .policy = gravest.policy}));
  alert_id = raised.id;
  return note_call(transaction, raised.id, active);
}

Result<> Watch::note_suppressed(store::Transaction& transaction, std::string_view patient_id, const RuleEvent& event) {
  ++counters_.suppressed;
  std::string payload;
  json::Writer writer(payload);
  writer.begin_object()
      .field("patient", fmt::format("Patient/{}", patient_id))
      .field("rule", event.rule->id)
      .field("severity", alerts::to_string(event.rule->severity))
      .field("why", event.why);
  if (event.value) writer.field("value", *event.value);
  writer.end_object();
  MYDR24_TRY(transaction.note("vitals.suppressed", payload));
  return RuleBook::count(transaction, event.rule->id, {.rule = {}, .suppressed = 1});
}

Result<> Watch::note_findings(store::Transaction& transaction, std::string_view patient_id, Patient& row,
                              const std::vector<std::string>& findings) {
  counters_.findings += static_cast<std::int64_t>(findings.size());
  for (const std::string& finding : findings) {
    if (finding == row.signs.finding) continue;
    row.signs.finding = finding;
    std::string payload;
    json::Writer(payload)
        .begin_object()
        .field("patient", fmt::format("Patient/{}", patient_id))
        .field("finding", finding)
        .end_object();
    MYDR24_TRY(transaction.note("vitals.finding", payload));
  }
  return {};
}

Result<> Watch::note_late(store::Transaction& transaction, std::string_view patient_id, const Patient& row,
                          const Signs& signs, std::string_view observation) {
  const std::optional<Score> then = score_at(row, signs.at, settings_);
  if (!then || then->band == Band::low) return {};
  ++counters_.rescored;
  std::string payload;
  json::Writer(payload)
      .begin_object()
      .field("patient", fmt::format("Patient/{}", patient_id))
      .field("observation", observation)
      .field("at", format_instant(signs.at))
      .key("score")
      .raw(to_json(*then))
      .end_object();
  MYDR24_TRY(transaction.note("vitals.rescored", payload));
  return {};
}

Result<> Watch::set_watch_timer(store::Transaction& transaction, std::string_view patient_id, Patient& row,
                                Instant due) const {
  if (to_us(due) == 0 || (to_us(row.watch_due) != 0 && row.watch_due <= due)) return {};
  row.watch_due = due;
  return transaction.set_timer(
      {watch_timer_key(patient_id), due, std::string(watch_timer_kind), std::string(patient_id)});
}

Result<> Watch::look_again(store::Transaction& transaction, std::string_view patient_id) {
  MYDR24_ASSIGN(Patient row, load(transaction, patient_id));
  if (row.is_new()) return {};
  const Patient before = row;
  row.watch_due = Instant{};
  MYDR24_TRY(assess(transaction, patient_id, before, row, nullptr));
  return save(transaction, patient_id, before, row);
}

Result<> Watch::save(store::Transaction& transaction, std::string_view patient_id, const Patient& before,
                     Patient& row) const {
  const Instant now = transaction.now();
  const bool on_board =
      row.signs.score && *row.signs.at <= now + settings_.future_max && now - *row.signs.at < settings_.board_age_max;
  row.board_key = on_board ? board_key(*row.signs.score, patient_id) : std::string();
  const std::string value = on_board ? board_value(*row.signs.score, row.signs.alert_id) : std::string();
  const std::string value_before = before.board_key.empty() || !before.signs.score
                                       ? std::string()
                                       : board_value(*before.signs.score, before.signs.alert_id);
  if (!before.board_key.empty() && row.board_key != before.board_key)
    MYDR24_TRY(transaction.erase_state(board_space, before.board_key));
  if (on_board && (row.board_key != before.board_key || value != value_before))
    MYDR24_TRY(transaction.set_state(board_space, row.board_key, value));
  const Instant due = on_board ? *row.signs.at + settings_.board_age_max : now + settings_.forget_after;
  if (to_us(row.board_due) == 0 || due < row.board_due) {
    row.board_due = due;
    MYDR24_TRY(transaction.set_timer(
        {board_timer_key(patient_id), due, std::string(board_timer_kind), std::string(patient_id)}));
  }
  const std::string text = row.to_text();
  if (text == before.text) return {};
  return transaction.set_state(vitals_space, patient_id, text);
}

// The board's timer: the patient leaves it, or has newer signs and is looked at again later; and is forgotten when
// there was nothing new for long.
Result<> Watch::leave_board(store::Transaction& transaction, std::string_view patient_id) const {
  MYDR24_ASSIGN(Patient row, load(transaction, patient_id));
  if (row.is_new()) return {};
  const Patient before = row;
  if (is_forgettable(row.signs, transaction.now(), settings_)) {
    if (!row.board_key.empty()) MYDR24_TRY(transaction.erase_state(board_space, row.board_key));
    MYDR24_TRY(transaction.cancel_timer(watch_timer_key(patient_id)));
    MYDR24_TRY(drop_limits(transaction, patient_id, row, [](const Limit&) { return true; }));
    return transaction.erase_state(vitals_space, patient_id);
  }
  row.board_due = Instant{};
  return save(transaction, patient_id, before, row);
}

Result<std::optional<PatientSigns>> Watch::current(store::Reader& reader, std::string_view patient_id) const {
  MYDR24_ASSIGN(Patient row, load(reader, patient_id));
  if (row.is_new()) return std::optional<PatientSigns>();
  return std::optional(std::move(row.signs));
}

Result<BoardPage> Watch::board(store::Reader& reader, std::uint32_t count, std::string_view after) {
  count = std::clamp(count, 1U, board_count_max);
  MYDR24_ASSIGN(const std::vector<store::StateRow> places, reader.states(board_space, "", after, count + 1));
  BoardPage page;
  for (const store::StateRow& place : places) {
    if (page.rows.size() == count) break;
    page.next = place.key;
    MYDR24_ASSIGN(const json::Document document, json::Document::parse_view(place.value));
    const json::Value value = document.root();
    const auto integer = [&value](std::string_view key) {
      int number = 0;
      const std::string_view text = value[key].text();
      std::from_chars(text.data(), text.data() + text.size(), number);
      return number;
    };
    BoardRow row;
    row.patient_id = place.key.substr(place.key.rfind('/') + 1);
    row.points = integer("points");
    row.complete = value["complete"].is_true();
    row.band = static_cast<Band>(std::clamp(integer("band"), 0, 3));
    row.alert_id = value["alert"].text();
    MYDR24_ASSIGN(const std::optional<std::string> signs, reader.state(vitals_space, row.patient_id));
    if (signs) {
      MYDR24_ASSIGN(const Patient held, Patient::from_text(*signs));
      row.at = held.signs.at.value_or(Instant{});
    }
    page.rows.push_back(std::move(row));
  }
  if (places.size() <= count) page.next.clear();
  return page;
}

}  // namespace mydr24::vitals
