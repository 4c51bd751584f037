#include "clinical/vitals/watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/core/date_time.h"
#include "base/json/document.h"
#include "base/json/writer.h"
#include "clinical/vitals/watch_row.h"

namespace mydr24::vitals {
namespace {

constexpr std::size_t held_max = 2;
constexpr std::uint32_t board_count_max = 500;
constexpr int age_min_years = 16;

std::string cause_of(std::string_view patient_id) { return fmt::format("vitals/Patient/{}", patient_id); }

Level level_of(const std::optional<Score>& score) {
  if (!score || score->band == Band::low) return Level::none;
  return score->band == Band::high ? Level::emergency : Level::urgent;
}

std::uint32_t scored_parts(const Score& score) {
  std::uint32_t parts = 0;
  for (std::size_t i = 0; i < parameter_count; ++i)
    if (score.parts[i].state == PartState::scored) parts |= 1U << i;
  return parts;
}

// Only what is certain counts: of a birth year alone its first day.
bool is_under_age(std::string_view born, Instant at) {
  const auto range = parse_date_time(born);
  if (!range) return false;
  const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(range->low));
  return at < std::chrono::sys_days(day + std::chrono::years(age_min_years));
}

std::string reason_of(const Score& score, const PatientSigns& signs) {
  std::string text = fmt::format("NEWS2 {}{}", score.total ? "" : "at least ", score.partial);
  std::string_view separator = ": ";
  for (std::size_t i = 0; i < parameter_count; ++i) {
    if (score.parts[i].points == 0 || signs.held[i].empty()) continue;
    const auto parameter = static_cast<Parameter>(i);
    text += fmt::format("{}{}", std::exchange(separator, ", "), to_string(parameter));
    if (parameter == Parameter::consciousness)
      text += fmt::format(" {}", "ACVPU"[static_cast<std::size_t>(signs.held[i].front().value)]);
    else if (parameter != Parameter::oxygen)
      text += fmt::format(" {:.4g}", signs.held[i].front().value);
    text += fmt::format(" ({})", score.parts[i].points);
  }
  return text;
}

std::string title_of(const Score& score) {
  if (score.band == Band::high) return "Early warning score: high, emergency assessment";
  if (score.band == Band::medium) return "Early warning score: medium, urgent assessment";
  return "Early warning score: one vital sign in the red";
}

std::string values_of(const Score& score, Instant at) {
  std::string out = fmt::format(R"({{"at":"{}","score":)", format_instant(at));
  append_json(out, score);
  return out + "}";
}

std::string timer_key(std::string_view patient_id) { return fmt::format("vitals/{}", patient_id); }

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

}  // namespace

std::array<std::chrono::seconds, sign_count> WatchSettings::default_windows() {
  std::array<std::chrono::seconds, sign_count> windows{};
  windows.fill(std::chrono::hours(12));
  windows[static_cast<std::size_t>(Sign::spo2_scale)] = std::chrono::days(280);
  windows[static_cast<std::size_t>(Sign::pregnancy)] = std::chrono::days(280);
  return windows;
}

void Watch::attach(store::Store& store) {
  store.on_timer(std::string(board_timer_kind), [this](store::Transaction& transaction, const store::Timer& timer) {
    return leave_board(transaction, timer.payload);
  });
}

Result<> Watch::react(store::Transaction& transaction, const records::Change& change) {
  if (change.type == "Patient") return react_to_patient(transaction, change);
  const bool now_vital = change.action != store::Action::remove && is_vital(change.resource);
  const bool was_vital = change.before.exists() && is_vital(change.before);
  if (!now_vital && !was_vital) return {};

  ++counters_.observations;
  const std::string_view patient = now_vital ? patient_of(change.resource) : std::string_view();
  const std::string_view patient_before = was_vital ? patient_of(change.before) : std::string_view();
  if (!patient_before.empty() && patient_before != patient)
    MYDR24_TRY(update(transaction, patient_before, change.id, nullptr));
  if (patient.empty()) return {};

  const Signs signs = read_signs(change.resource, transaction.now());
  counters_.findings += static_cast<std::int64_t>(signs.findings.size());
  if (signs.readings.empty() && signs.findings.empty() && !was_vital) return {};
  return update(transaction, patient, change.id, &signs);
}

Result<> Watch::react_to_patient(store::Transaction& transaction, const records::Change& change) {
  const std::string_view born = change.resource["birthDate"].text();
  if (change.before.exists() && change.resource.exists() && change.before["birthDate"].text() == born) return {};
  MYDR24_ASSIGN(Row row, load(transaction, change.id));
  if (row.is_new()) return {};
  const Row before = row;
  row.born = born;
  score(row);
  MYDR24_TRY(judge(transaction, change.id, before, row, false));
  return save(transaction, change.id, before, row);
}

Result<Watch::Row> Watch::load(store::Reader& reader, std::string_view patient_id) const {
  MYDR24_ASSIGN(std::optional<std::string> text, reader.state(vitals_space, patient_id));
  if (!text) return Row();
  MYDR24_ASSIGN(Row row, Row::from_text(std::move(*text)));
  score(row);
  return row;
}

void Watch::score(Row& row) const {
  PatientSigns& signs = row.signs;
  signs.at.reset();
  signs.score.reset();
  signs.not_scored.clear();
  for (std::size_t i = 0; i < parameter_count; ++i)
    if (!signs.held[i].empty() && (!signs.at || signs.held[i].front().at > *signs.at))
      signs.at = signs.held[i].front().at;
  if (!signs.at) return;

  const auto value = [&](Sign sign) -> std::optional<double> {
    const auto index = static_cast<std::size_t>(sign);
    if (signs.held[index].empty() || *signs.at - signs.held[index].front().at > settings_.window[index])
      return std::nullopt;
    return signs.held[index].front().value;
  };
  if (row.born && is_under_age(*row.born, *signs.at)) signs.not_scored = "under 16";
  if (value(Sign::pregnancy) == 1.0) signs.not_scored = "pregnant";
  if (!signs.not_scored.empty()) return;

  Inputs inputs{.respiration = value(Sign::respiration),
                .spo2 = value(Sign::spo2),
                .spo2_scale = value(Sign::spo2_scale) == 2.0 ? 2 : 1,
                .systolic = value(Sign::systolic),
                .pulse = value(Sign::pulse),
                .temperature = value(Sign::temperature)};
  if (const auto oxygen = value(Sign::oxygen)) inputs.oxygen = *oxygen > 0;
  if (const auto level = value(Sign::consciousness)) inputs.consciousness = static_cast<Consciousness>(*level);
  signs.score = news2(inputs);
}

Result<> Watch::update(store::Transaction& transaction, std::string_view patient_id, std::string_view observation,
                       const Signs* signs) {
  MYDR24_ASSIGN(Row row, load(transaction, patient_id));
  const Row before = row;
  const Instant now = transaction.now();
  const Instant future = now + settings_.future_max;
  bool fresh = false;
  const auto count_fresh = [&](Instant at) { fresh = fresh || (at <= future && now - at <= settings_.alert_age_max); };

  bool any_present = false;
  for (std::size_t i = 0; i < sign_count; ++i)
    std::erase_if(row.signs.held[i], [&](const Held& held) {
      if (held.observation != observation) {
        any_present = any_present || held.at <= future;
        return false;
      }
      count_fresh(held.at);
      if (i < parameter_count) row.known &= ~(1U << i);
      return true;
    });

  if (signs != nullptr) {
    if (!signs->findings.empty()) row.signs.finding = signs->findings.back().text;
    const bool from_future = signs->at > future;
    if (from_future && any_present && !signs->readings.empty()) {
      row.signs.finding = "measured in the future: not used";
      ++counters_.findings;
    } else {
      for (const Reading& reading : signs->readings) {
        auto& held = row.signs.held[static_cast<std::size_t>(reading.sign)];
        const auto place = std::ranges::find_if(held, [&](const Held& other) { return other.at <= signs->at; });
        held.insert(place, {signs->at, reading.value, std::string(observation)});
        if (held.size() > held_max) held.pop_back();
        count_fresh(signs->at);
      }
      if (!from_future && !signs->readings.empty())
        for (auto& held : row.signs.held) std::erase_if(held, [&](const Held& other) { return other.at > future; });
    }
  }

  if (!row.born) {
    MYDR24_ASSIGN(const std::optional<store::Version> patient, transaction.current("Patient", patient_id));
    row.born.emplace();
    if (patient && !patient->body.empty())
      if (const auto document = json::Document::parse_view(patient->body))
        row.born = document->root()["birthDate"].text();
  }
  score(row);
  ++counters_.scored;
  MYDR24_TRY(judge(transaction, patient_id, before, row, fresh));
  return save(transaction, patient_id, before, row);
}

Result<> Watch::judge(store::Transaction& transaction, std::string_view patient_id, const Row& before, Row& row,
                      bool fresh) {
  PatientSigns& signs = row.signs;
  const auto end_call = [&](std::string_view why) -> Result<> {
    const Result<alerts::Alert> resolved = book_.resolve(transaction, signs.alert_id, why);
    if (!resolved && resolved.error().code != Code::not_found) return resolved.error();
    signs.level = Level::none;
    signs.alert_id.clear();
    row.known = 0;
    return {};
  };
  const auto gap_max = *std::max_element(settings_.window.begin(), settings_.window.begin() + parameter_count);
  if (signs.level != Level::none && fresh && signs.at && before.signs.at && *signs.at - *before.signs.at > gap_max)
    MYDR24_TRY(end_call("no vital signs for longer than they count: a new episode"));

  if (!signs.score) {
    if (signs.level == Level::none) return {};
    return end_call(signs.not_scored.empty() ? "the vital signs were taken back" : "not scored: " + signs.not_scored);
  }
  const Score& score = *signs.score;
  const Level level = level_of(signs.score);
  if (level > signs.level && !fresh) {
    ++counters_.too_old;
    return {};
  }
  const bool rises = level > signs.level;
  if (!rises) {
    if (signs.level == Level::none) return {};
    const bool fell = level == Level::none && (row.known & ~scored_parts(score)) == 0;
    if (fell) return end_call(reason_of(score, signs));
    if (!before.signs.score || before.signs.score->partial == score.partial) return {};
    MYDR24_ASSIGN(const auto open, alerts::Book::find(transaction, signs.alert_id));
    if (!open || open->is_resolved()) return {};
  }
  const bool emergency = std::max(level, signs.level) == Level::emergency;
  MYDR24_ASSIGN(
      const alerts::Raised raised,
      book_.raise(transaction, {.source = "vitals",
                                .cause = cause_of(patient_id),
                                .severity = emergency ? alerts::Severity::emergency : alerts::Severity::urgent,
                                .patient = fmt::format("Patient/{}", patient_id),
                                .title = title_of(score),
                                .reason = reason_of(score, signs),
                                .values = values_of(score, *signs.at)}));
  signs.alert_id = raised.id;
  if (rises) {
    signs.level = level;
    row.known = scored_parts(score);
  }
  return {};
}

Result<> Watch::save(store::Transaction& transaction, std::string_view patient_id, const Row& before, Row& row) const {
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
  if (on_board && to_us(row.board_due) == 0) {
    row.board_due = *row.signs.at + settings_.board_age_max;
    MYDR24_TRY(transaction.set_timer(
        {timer_key(patient_id), row.board_due, std::string(board_timer_kind), std::string(patient_id)}));
  }
  const std::string text = row.to_text();
  if (text == before.text) return {};
  return transaction.set_state(vitals_space, patient_id, text);
}

// The board's timer: the patient leaves it, or has newer signs and is looked at again later.
Result<> Watch::leave_board(store::Transaction& transaction, std::string_view patient_id) const {
  MYDR24_ASSIGN(Row row, load(transaction, patient_id));
  if (row.is_new()) return {};
  const Row before = row;
  row.board_due = Instant{};
  return save(transaction, patient_id, before, row);
}

Result<std::optional<PatientSigns>> Watch::current(store::Reader& reader, std::string_view patient_id) const {
  MYDR24_ASSIGN(Row row, load(reader, patient_id));
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
      MYDR24_ASSIGN(const Row held, Row::from_text(*signs));
      row.at = held.signs.at.value_or(Instant{});
    }
    page.rows.push_back(std::move(row));
  }
  if (places.size() <= count) page.next.clear();
  return page;
}

}  // namespace mydr24::vitals
