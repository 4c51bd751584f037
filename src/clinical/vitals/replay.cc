#include "clinical/vitals/replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <map>
#include <set>

#include "base/core/date_time.h"
#include "base/json/document.h"
#include "base/json/writer.h"
#include "fhir/search/search.h"

namespace mydr24::vitals {
namespace {

constexpr std::uint32_t page_count = 500;
constexpr std::uint32_t newest_count = 32;      // a page, where two readings a sign are wanted
constexpr std::size_t newest_read_max = 2'000;  // Observations read for them

constexpr std::uint32_t bit(Sign sign) { return 1U << static_cast<std::uint32_t>(sign); }
// Their newest is the time of the scores.
constexpr std::uint32_t scored_signs = (1U << parameter_count) - 1 | bit(Sign::pulse_oximetry);

using Parameters = std::vector<std::pair<std::string, std::string>>;

Result<search::Query> query_of(const Parameters& more, std::uint32_t signs, Instant since, Instant until) {
  Parameters parameters{{"combo-code", vital_codes(signs)},
                        {"date", "ge" + format_instant(since)},
                        {"date", "le" + format_instant(until)}};
  parameters.insert(parameters.end(), more.begin(), more.end());
  auto query = search::parse_query("Observation", parameters, false);
  if (!query) return fail(Code::internal, "the search for vital signs is not understood");
  return std::move(*query);
}

struct Stretch {
  Instant since;
  Instant until;
};

Result<search::Query> newest_query(std::string_view patient_id, std::uint32_t signs, const Stretch& stretch) {
  // What was taken back would be read in vain, again and again when much of it is.
  return query_of({{"patient", fmt::format("Patient/{}", patient_id)},
                   {"status:not", "entered-in-error,cancelled"},
                   {"_sort", "-date"},
                   {"_count", std::to_string(newest_count)}},
                  signs, stretch.since, stretch.until);
}

// Comes newest first, also among readings of one time.
void hold(std::vector<Held>& held, Held reading) {
  if (std::ranges::find(held, reading.observation, &Held::observation) != held.end()) return;
  const auto place = std::ranges::find_if(held, [&](const Held& other) { return other.at < reading.at; });
  held.insert(place, std::move(reading));
  if (held.size() > held_max) held.pop_back();
}

Result<> hold(const store::Version& version, std::uint32_t wanted, const Stretch& stretch, PatientSigns& signs) {
  MYDR24_ASSIGN(const json::Document document, json::Document::parse_view(version.body));
  const Signs read = read_signs(document.root(), version.at);
  if (read.at < stretch.since || read.at > stretch.until) return {};
  for (const Reading& reading : read.readings)
    if ((wanted & bit(reading.sign)) != 0)
      hold(signs.held[static_cast<std::size_t>(reading.sign)], {read.at, reading.value, version.id});
  return {};
}

// Asks again without the signs that are full: one that is measured every second must not hide one of yesterday.
Result<bool> take_newest_of(store::Reader& reader, std::string_view patient_id, std::uint32_t wanted,
                            const Stretch& stretch, std::size_t& read, PatientSigns& signs) {
  std::uint32_t asked = 0;
  search::Query query;
  for (std::uint32_t missing = wanted;;) {
    for (std::size_t i = 0; i < sign_count; ++i)
      if (signs.held[i].size() >= held_max) missing &= ~(1U << i);
    if (missing == 0) return true;
    if (missing != asked) {
      MYDR24_ASSIGN(query, newest_query(patient_id, missing, stretch));
      asked = missing;
    }
    MYDR24_ASSIGN(const store::SearchPage page, reader.search(query));
    for (const store::Version& version : page.matches) {
      if (++read > newest_read_max) return false;
      MYDR24_TRY(hold(version, wanted, stretch, signs));
    }
    if (page.next_cursor.empty()) return true;
    query.cursor = page.next_cursor;
  }
}

Result<std::string> birth_date_of(store::Reader& reader, std::string_view patient_id) {
  MYDR24_ASSIGN(const auto version, reader.current("Patient", patient_id));
  if (!version || version->body.empty()) return std::string();
  MYDR24_ASSIGN(const json::Document document, json::Document::parse_view(version->body));
  return std::string(document.root()["birthDate"].text());
}

Result<std::vector<Limit>> limits_of(store::Reader& reader, std::string_view patient_id) {
  MYDR24_ASSIGN(std::optional<std::string> text, reader.state(vitals_space, patient_id));
  if (!text) return std::vector<Limit>();
  MYDR24_ASSIGN(Patient row, Patient::from_text(std::move(*text)));
  return std::move(row.signs.limits);
}

// Those of that time: that are there still, and those that were replaced or taken away since.
Result<std::vector<Limit>> limits_at(store::Reader& reader, std::string_view patient_id, Instant at) {
  MYDR24_ASSIGN(std::vector<Limit> limits, limits_of(reader, patient_id));
  MYDR24_ASSIGN(const auto ended, reader.states(past_limits_space, past_limits_prefix(patient_id),
                                                past_limit_key(patient_id, at, signal_count), past_limits_max));
  for (const store::StateRow& each : ended) {
    MYDR24_ASSIGN(Patient row, Patient::from_text(each.value));
    std::ranges::move(row.signs.limits, std::back_inserter(limits));
  }
  std::erase_if(limits, [at](const Limit& limit) { return limit.from > at; });
  return limits;
}

// The time of the scores at `at`: of the newest sign of the score, as long as the watch holds it; `at` when there is none.
Result<Instant> newest_sign(store::Reader& reader, std::string_view patient_id, Instant at,
                            const WatchSettings& settings) {
  PatientSigns signs;
  const Stretch stretch{at - settings.forget_after, at};
  MYDR24_ASSIGN(search::Query query, newest_query(patient_id, scored_signs, stretch));
  for (std::size_t read = 0; read < newest_read_max;) {
    MYDR24_ASSIGN(const store::SearchPage page, reader.search(query));
    for (const store::Version& version : page.matches) MYDR24_TRY(hold(version, scored_signs, stretch, signs));
    std::optional<Instant> newest;
    for (const auto& held : signs.held)
      if (!held.empty() && (!newest || held.front().at > *newest)) newest = held.front().at;
    if (newest || page.next_cursor.empty()) return newest.value_or(at);
    read += page.matches.size();
    query.cursor = page.next_cursor;
  }
  return at;
}

// One rule set at work.
class Side {
 public:
  Side(const RuleSet& set, const WatchSettings& watch) : set_(set), watch_(watch) {
    run_.version = set.version;
    run_.name = set.name;
  }

  // What held already when the time began is no call of that time.
  void begin(Patient& row, Instant since) const {
    score(row, watch_);
    const Taken taken{.fresh = true, .changed = all_signs};
    settle(row, judge(row, effective_rules(set_, row.signs, since), &taken, since, watch_).level);
  }

  void see(Patient& row, const std::string& patient_id, std::string_view observation, const Signs& signs,
           std::vector<CallExample>* examples, std::size_t examples_max) {
    const EffectiveRules rules = effective_rules(set_, row.signs, signs.at);
    // First what would have lasted long enough before this reading.
    const Instant due = persistence_due(row.signs, rules.rules);
    if (to_us(due) != 0 && due <= signs.at)
      take(row, patient_id, due, judge(row, rules, nullptr, due, watch_), examples, examples_max);
    const auto before = row.signs.at;
    const Taken taken = take_in(row, observation, &signs, signs.at, watch_);
    score(row, watch_);
    if (begins_new_episode(before, row, taken, watch_)) {
      row.signs.rules.clear();
      row.signs.level = Level::none;
      row.had_emergency = false;
    }
    take(row, patient_id, signs.at, judge(row, rules, &taken, signs.at, watch_), examples, examples_max);
  }

  // What still waits when the time is over.
  void end(Patient& row, const std::string& patient_id, Instant until, std::vector<CallExample>* examples,
           std::size_t examples_max) {
    const EffectiveRules rules = effective_rules(set_, row.signs, until);
    const Instant due = persistence_due(row.signs, rules.rules);
    if (to_us(due) != 0 && due <= until)
      take(row, patient_id, due, judge(row, rules, nullptr, due, watch_), examples, examples_max);
  }

  const std::set<std::string>& patients() const { return patients_; }

  SetRun finish() {
    run_.patients = static_cast<std::int64_t>(patients_.size());
    for (auto& [rule, run] : rules_) {
      run.first.patients = static_cast<std::int64_t>(run.second.size());
      run_.rules.push_back(run.first);
    }
    return std::move(run_);
  }

 private:
  // True: people are called.
  static bool settle(Patient& row, Level level) {
    if (level == Level::none) {
      row.signs.level = Level::none;
      row.known = 0;
    }
    if (level <= row.signs.level) return false;
    row.signs.level = level;
    row.known = row.signs.score ? scored_parts(*row.signs.score) : 0;
    return true;
  }

  void take(Patient& row, const std::string& patient_id, Instant at, const Judgement& judgement,
            std::vector<CallExample>* examples, std::size_t examples_max) {
    const Rule* fired = nullptr;
    double value = 0;
    for (const RuleEvent& event : judgement.events) {
      if (event.kind == RuleEvent::Kind::cleared) continue;
      auto& [run, patients] = rules_[event.rule->id];
      run.rule = event.rule->id;
      run.severity = event.rule->severity;
      if (event.kind == RuleEvent::Kind::suppressed) {
        ++run.suppressed;
        continue;
      }
      ++run.fired;
      patients.insert(patient_id);
      if (fired != nullptr && fired->severity <= event.rule->severity) continue;
      fired = event.rule;
      value = event.value.value_or(0);
    }
    if (!settle(row, judgement.level)) return;
    ++run_.calls;
    if (judgement.level == Level::emergency) ++run_.emergencies;
    patients_.insert(patient_id);
    if (examples != nullptr && examples->size() < examples_max && fired != nullptr)
      examples->push_back({patient_id, at, fired->id, fired->severity, value});
  }

  const RuleSet& set_;
  const WatchSettings& watch_;
  SetRun run_;
  std::map<std::string, std::pair<RuleRun, std::set<std::string>>> rules_;
  std::set<std::string> patients_;
};

struct Course {
  Patient candidate;
  Patient in_force;
  Instant first;
  Instant last;
};

class Replay {
 public:
  Replay(const RuleSet& candidate, const RuleSet& in_force, const WatchSettings& watch, const DryRunSettings& settings)
      : candidate_(candidate, watch), in_force_(in_force, watch), watch_(watch), settings_(settings) {}

  // False: a limit is reached.
  Result<bool> see(store::Reader& reader, const store::Version& version) {
    MYDR24_ASSIGN(const json::Document document, json::Document::parse_view(version.body));
    const json::Value observation = document.root();
    const std::string patient_id(patient_of(observation));
    const Signs signs = read_signs(observation, version.at);
    if (patient_id.empty() || signs.readings.empty()) return true;
    if (run_.observations == settings_.observations_max) return false;
    auto found = courses_.find(patient_id);
    if (found == courses_.end()) {
      if (courses_.size() == settings_.patients_max) return false;
      MYDR24_ASSIGN(Course course, begin(reader, patient_id, signs.at));
      found = courses_.emplace(patient_id, std::move(course)).first;
    }
    Course& course = found->second;
    course.last = std::max(course.last, signs.at);
    ++run_.observations;
    candidate_.see(course.candidate, patient_id, version.id, signs, &run_.calls, settings_.examples_max);
    in_force_.see(course.in_force, patient_id, version.id, signs, nullptr, 0);
    return true;
  }

  DryRun finish(bool complete) {
    for (auto& [patient_id, course] : courses_) {
      candidate_.end(course.candidate, patient_id, settings_.until, &run_.calls, settings_.examples_max);
      in_force_.end(course.in_force, patient_id, settings_.until, nullptr, 0);
      run_.patient_days += std::chrono::duration<double>(course.last - course.first).count() / 86'400.0;
    }
    run_.complete = complete && all_begun_;
    run_.patients = static_cast<std::int64_t>(courses_.size());
    difference(candidate_.patients(), in_force_.patients(), run_.only_candidate);
    difference(in_force_.patients(), candidate_.patients(), run_.only_in_force);
    run_.candidate = candidate_.finish();
    run_.in_force = in_force_.finish();
    return std::move(run_);
  }

 private:
  // With what the watch held when the time began.
  Result<Course> begin(store::Reader& reader, const std::string& patient_id, Instant at) {
    Course course{.candidate = {}, .in_force = {}, .first = at, .last = at};
    MYDR24_ASSIGN(course.candidate.born, birth_date_of(reader, patient_id));
    MYDR24_ASSIGN(course.candidate.signs.limits, limits_of(reader, patient_id));
    MYDR24_ASSIGN(const bool all, take_newest(reader, patient_id, all_signs, settings_.since,
                                              settings_.since - Microseconds(1), watch_, course.candidate.signs));
    all_begun_ = all_begun_ && all;
    course.in_force = course.candidate;
    candidate_.begin(course.candidate, settings_.since);
    in_force_.begin(course.in_force, settings_.since);
    return course;
  }

  void difference(const std::set<std::string>& a, const std::set<std::string>& b, std::vector<std::string>& out) const {
    for (const std::string& each : a)
      if (!b.contains(each) && out.size() < settings_.examples_max) out.push_back(each);
  }

  Side candidate_;
  Side in_force_;
  const WatchSettings& watch_;
  const DryRunSettings& settings_;
  bool all_begun_ = true;  // each course, with all that was known before
  std::map<std::string, Course> courses_;
  DryRun run_;
};

void write_side(json::Writer& writer, const SetRun& run, double patient_days) {
  writer.begin_object().field("version", run.version).field("name", run.name);
  writer.field("calls", run.calls).field("emergencies", run.emergencies).field("patients", run.patients);
  if (patient_days > 0) writer.field("calls_per_patient_day", static_cast<double>(run.calls) / patient_days);
  writer.key("rules").begin_array();
  for (const RuleRun& rule : run.rules)
    writer.begin_object()
        .field("rule", rule.rule)
        .field("severity", alerts::to_string(rule.severity))
        .field("fired", rule.fired)
        .field("suppressed", rule.suppressed)
        .field("patients", rule.patients)
        .end_object();
  writer.end_array().end_object();
}

void write_names(json::Writer& writer, std::string_view key, const std::vector<std::string>& names) {
  writer.key(key).begin_array();
  for (const std::string& name : names) writer.string(name);
  writer.end_array();
}

}  // namespace

Result<DryRun> dry_run(store::Store& store, const RuleSet& candidate, const RuleSet& in_force,
                       const WatchSettings& watch, const DryRunSettings& settings) {
  if (settings.until <= settings.since) return fail(Code::invalid, "since is before until", "since");
  MYDR24_ASSIGN(search::Query query, query_of({{"_sort", "date"}, {"_count", std::to_string(page_count)}}, all_signs,
                                              settings.since, settings.until));
  Replay replay(candidate, in_force, watch, settings);
  bool complete = true;
  do {
    MYDR24_TRY(store.read(
        [&](store::Reader& reader) -> Result<> {
          MYDR24_ASSIGN(const store::SearchPage page, reader.search(query));
          query.cursor = page.next_cursor;
          for (const store::Version& version : page.matches) {
            MYDR24_ASSIGN(complete, replay.see(reader, version));
            if (!complete) return {};
          }
          return {};
        },
        {.cancelled = settings.cancelled, .request_class = RequestClass::background}, 0));
  } while (complete && !query.cursor.empty());
  return replay.finish(complete);
}

std::string to_json(const DryRun& run) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("schema", "mydr24.vitals-dry-run.v1").field("observations", run.observations);
  writer.field("patients", run.patients).field("patient_days", run.patient_days).field("complete", run.complete);
  writer.key("candidate");
  write_side(writer, run.candidate, run.patient_days);
  writer.key("in_force");
  write_side(writer, run.in_force, run.patient_days);
  writer.key("calls").begin_array();
  for (const CallExample& call : run.calls)
    writer.begin_object()
        .field("patient", call.patient_id)
        .field("at", format_instant(call.at))
        .field("rule", call.rule)
        .field("severity", alerts::to_string(call.severity))
        .field("value", call.value)
        .end_object();
  writer.end_array();
  write_names(writer, "only_candidate", run.only_candidate);
  write_names(writer, "only_in_force", run.only_in_force);
  writer.end_object();
  return out;
}

Result<bool> take_newest(store::Reader& reader, std::string_view patient_id, std::uint32_t wanted, Instant at,
                         Instant until, const WatchSettings& settings, PatientSigns& signs) {
  std::size_t read = 0;
  while (wanted != 0) {
    const std::chrono::seconds window = settings.window[static_cast<std::size_t>(std::countr_zero(wanted))];
    std::uint32_t same = 0;
    for (std::size_t i = 0; i < sign_count; ++i)
      if (settings.window[i] == window) same |= wanted & 1U << i;
    MYDR24_ASSIGN(const bool all, take_newest_of(reader, patient_id, same, {at - window, until}, read, signs));
    if (!all) return false;
    wanted &= ~same;
  }
  return true;
}

Result<PatientSigns> signs_at(store::Reader& reader, std::string_view patient_id, Instant at,
                              const WatchSettings& settings) {
  Patient row;
  MYDR24_ASSIGN(row.born, birth_date_of(reader, patient_id));
  MYDR24_ASSIGN(row.signs.limits, limits_at(reader, patient_id, at));
  MYDR24_ASSIGN(const Instant scored_at, newest_sign(reader, patient_id, at, settings));
  MYDR24_ASSIGN(const bool all, take_newest(reader, patient_id, all_signs, scored_at, at, settings, row.signs));
  if (!all)
    return fail(Code::too_costly, fmt::format("more than {} Observations would have to be read", newest_read_max),
                "at");
  score(row, settings);
  return std::move(row.signs);
}

}  // namespace mydr24::vitals
