#include "clinical/vitals/replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/core/date_time.h"
#include "base/json/document.h"
#include "base/json/writer.h"
#include "fhir/search/search.h"

namespace mydr24::vitals {
namespace {

constexpr std::uint32_t page_count = 500;
constexpr std::size_t history_max = 5'000;  // Observations of one patient in the time that counts

using Parameters = std::vector<std::pair<std::string, std::string>>;

Result<search::Query> query_of(const Parameters& more, Instant since, Instant until) {
  Parameters parameters{{"combo-code", vital_codes()},
                        {"date", "ge" + format_instant(since)},
                        {"date", "le" + format_instant(until)},
                        {"_sort", "date"},
                        {"_count", std::to_string(page_count)}};
  parameters.insert(parameters.end(), more.begin(), more.end());
  auto query = search::parse_query("Observation", parameters, false);
  if (!query) return fail(Code::internal, "the search for vital signs is not understood");
  return std::move(*query);
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

// One rule set at work.
class Side {
 public:
  Side(const RuleSet& set, const WatchSettings& watch) : set_(set), watch_(watch) {
    run_.version = set.version;
    run_.name = set.name;
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
    if (judgement.level == Level::none) {
      row.signs.level = Level::none;
      row.known = 0;
    }
    if (judgement.level <= row.signs.level) return;
    row.signs.level = judgement.level;
    row.known = 0;
    for (std::size_t i = 0; i < parameter_count; ++i)
      if (row.signs.score && row.signs.score->parts[i].state == PartState::scored) row.known |= 1U << i;
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
      : candidate_(candidate, watch), in_force_(in_force, watch), settings_(settings) {}

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
    run_.complete = complete;
    run_.patients = static_cast<std::int64_t>(courses_.size());
    difference(candidate_.patients(), in_force_.patients(), run_.only_candidate);
    difference(in_force_.patients(), candidate_.patients(), run_.only_in_force);
    run_.candidate = candidate_.finish();
    run_.in_force = in_force_.finish();
    return std::move(run_);
  }

 private:
  static Result<Course> begin(store::Reader& reader, const std::string& patient_id, Instant at) {
    Course course{.candidate = {}, .in_force = {}, .first = at, .last = at};
    MYDR24_ASSIGN(course.candidate.born, birth_date_of(reader, patient_id));
    MYDR24_ASSIGN(course.candidate.signs.limits, limits_of(reader, patient_id));
    course.in_force = course.candidate;
    return course;
  }

  void difference(const std::set<std::string>& a, const std::set<std::string>& b, std::vector<std::string>& out) const {
    for (const std::string& each : a)
      if (!b.contains(each) && out.size() < settings_.examples_max) out.push_back(each);
  }

  Side candidate_;
  Side in_force_;
  const DryRunSettings& settings_;
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
  MYDR24_ASSIGN(search::Query query, query_of({}, settings.since, settings.until));
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

Result<PatientSigns> signs_at(store::Reader& reader, std::string_view patient_id, Instant at,
                              const WatchSettings& settings) {
  const auto window = *std::max_element(settings.window.begin(), settings.window.begin() + parameter_count);
  MYDR24_ASSIGN(search::Query query, query_of({{"patient", fmt::format("Patient/{}", patient_id)}}, at - window, at));
  Patient row;
  MYDR24_ASSIGN(row.born, birth_date_of(reader, patient_id));
  MYDR24_ASSIGN(row.signs.limits, limits_of(reader, patient_id));
  std::erase_if(row.signs.limits, [at](const Limit& limit) { return !limit.in_force(at); });
  std::size_t seen = 0;
  do {
    MYDR24_ASSIGN(const store::SearchPage page, reader.search(query));
    query.cursor = page.next_cursor;
    for (const store::Version& version : page.matches) {
      if (++seen > history_max)
        return fail(Code::too_costly, fmt::format("more than {} vital signs count at that time", history_max), "at");
      MYDR24_ASSIGN(const json::Document document, json::Document::parse_view(version.body));
      const Signs signs = read_signs(document.root(), version.at);
      if (signs.at <= at) take_in(row, version.id, &signs, at, settings);
    }
  } while (!query.cursor.empty());
  score(row, settings);
  return std::move(row.signs);
}

}  // namespace mydr24::vitals
