#include "operations/monitor/monitor.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <tuple>
#include <utility>

#include "base/core/date_time.h"
#include "base/json/document.h"

namespace mydr24::monitor {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr std::string_view hours_space = "monitor.hours";
constexpr std::string_view space = "monitor";
constexpr std::string_view alive_key = "evaluated_at";
constexpr std::string_view many_cause = "monitor/many";
constexpr seconds evaluate_every{1};
constexpr seconds keep_after{70};
constexpr seconds look_every{30};
constexpr seconds alive_for{5};
constexpr std::chrono::hours leader_for{1};
constexpr std::string_view database_down_cause = "monitor/DatabaseDown";
constexpr std::int64_t hours_kept = 33 * 24;
constexpr std::int64_t erased_at_once = 24;  // of an objective; what is older goes at the next start
constexpr std::uint32_t page = 1'000;

std::int64_t hour_number(Instant at) { return std::chrono::floor<std::chrono::hours>(at).time_since_epoch().count(); }

std::string hour_key(std::string_view name, std::size_t objective, std::int64_t hour) {
  return fmt::format("{}/{}/{:010}", name, objective, hour);
}

struct HourRow {
  std::string name;
  std::size_t objective = 0;
  std::int64_t hour = 0;
  slo::Count count;
  std::string counted;  // see Evaluator::HourCount; versions before did not write it
};

template <class Number>
bool read_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

std::optional<HourRow> hour_row(const store::StateRow& row) {
  const std::string_view key = row.key, value = row.value;
  const auto last = key.rfind('/');
  const auto first = last == key.npos || last == 0 ? key.npos : key.rfind('/', last - 1);
  const auto space_at = value.find(' ');
  const auto name_at = std::min(value.find(' ', space_at + 1), value.size());
  if (first == key.npos || space_at == value.npos) return std::nullopt;
  HourRow found{.name = std::string(key.substr(0, first))};
  const bool is_whole = read_number(key.substr(first + 1, last - first - 1), found.objective) &&
                        read_number(key.substr(last + 1), found.hour) &&
                        read_number(value.substr(0, space_at), found.count.good) &&
                        read_number(value.substr(space_at + 1, name_at - space_at - 1), found.count.total);
  if (name_at < value.size()) found.counted = value.substr(name_at + 1);
  return is_whole ? std::optional(found) : std::nullopt;
}

}  // namespace

Monitor::Monitor(store::Store& store, const alerts::Book& book, const Clock& clock, const telemetry::Log& log)
    : store_(store),
      book_(book),
      clock_(clock),
      log_(log),
      definitions_(std::make_shared<const Definitions>(default_definitions())) {}

void Monitor::add(Source source) {
  const std::lock_guard lock(mutex_);
  evaluator_.add(std::move(source));
}

void Monitor::record_to(Recorder recorder) {
  const std::lock_guard lock(mutex_);
  evaluator_.record_to(std::move(recorder));
}

Result<> Monitor::start() {
  Definitions found;
  MYDR24_TRY(store_.read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(found, load(reader));
    return {};
  }));
  use(std::move(found), false);
  return restore_hours();
}

void Monitor::use(Definitions definitions, bool only_later) {
  const Natives natives = natives_of(definitions);
  const auto next = std::make_shared<const Definitions>(std::move(definitions));
  {
    const std::lock_guard lock(mutex_);
    if (only_later && next->revision <= definitions_->revision) return;
    evaluator_.use(*next, natives, clock_.steady());
    definitions_ = next;
  }
  if (!next->fault.empty())
    log_.error("stored rules and objectives cannot be read: those compiled in are in force", {{"detail", next->fault}});
}

Result<> Monitor::restore_hours() {
  const Instant now = clock_.now();
  const std::int64_t oldest = hour_number(now) - hours_kept;
  std::vector<std::string> old;
  std::optional<Instant> alive;
  const std::lock_guard lock(mutex_);
  MYDR24_TRY(store_.read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(const auto at, reader.state(space, alive_key));
    if (at)
      if (const auto range = parse_date_time(*at)) alive = range->low;
    std::string after;
    while (true) {
      MYDR24_ASSIGN(const auto rows, reader.states(hours_space, "", after, page));
      for (const store::StateRow& each : rows) {
        const auto row = hour_row(each);
        if (!row || row->hour < oldest) {
          old.push_back(each.key);
          continue;
        }
        const Instant hour{std::chrono::hours(row->hour)};
        if (!evaluator_.restore(row->name, row->objective, row->counted, hour, row->count)) old.push_back(each.key);
      }
      if (rows.size() < page) return {};
      after = rows.back().key;
    }
  }));
  kept_until_ = now;
  erased_before_ = oldest;
  if (alive && *alive < now) {
    evaluator_.restore_gap(*alive, now);
    kept_until_ = std::max<Instant>(*alive, now - std::chrono::hours(hours_kept));
  }
  if (old.empty()) return {};
  return store_.write(RequestClass::background, [&](store::Transaction& transaction) -> Result<> {
    for (const std::string& key : old) MYDR24_TRY(transaction.erase_state(hours_space, key));
    return {};
  });
}

// What is open of ours, once this server leads.
Result<> Monitor::take_up(nanoseconds steady) {
  std::set<std::string, std::less<>> open;
  MYDR24_TRY(store_.read([&](store::Reader& reader) -> Result<> {
    return alerts::for_each_unresolved(reader, [&](const alerts::Alert& alert) -> Result<> {
      if (alert.cause.starts_with(cause_prefix)) open.insert(alert.cause);
      return {};
    });
  }));
  const std::lock_guard lock(mutex_);
  unsure_.clear();
  for (const std::string& cause : open)
    if (!evaluator_.restore(cause)) unsure_.emplace(cause, steady + unsure_for);
  open_ = std::move(open);
  leads_ = true;
  return {};
}

// An alert that somebody resolved by hand, while what it is about goes on, is raised again.
void Monitor::look_again() {
  std::set<std::string, std::less<>> open;
  {
    const std::lock_guard lock(mutex_);
    if (writing_) return;
    open = open_;
  }
  if (open.empty()) return;
  std::vector<std::string> gone;
  const auto read = store_.read([&](store::Reader& reader) -> Result<> {
    for (const std::string& cause : open) {
      MYDR24_ASSIGN(const auto alert, alerts::Book::find_unresolved(reader, cause));
      if (!alert) gone.push_back(cause);
    }
    return {};
  });
  if (!read) return;
  const std::lock_guard lock(mutex_);
  if (writing_) return;
  for (const std::string& cause : gone) open_.erase(cause);
}

// The most severe remain, of them those that people are told of already. The causes of the others. Under mutex_.
std::set<std::string> Monitor::bound(std::vector<Finding>& findings) const {
  std::set<std::string> hidden;
  if (findings.size() <= findings_max) return hidden;
  std::ranges::sort(findings, {}, [&](const Finding& each) {
    return std::tuple(each.severity, !open_.contains(each.cause), std::string_view(each.cause));
  });
  const std::size_t more = findings.size() - findings_max + 1;
  for (std::size_t i = findings_max - 1; i < findings.size(); ++i) hidden.insert(std::move(findings[i].cause));
  findings.resize(findings_max - 1);
  findings.push_back({.cause = std::string(many_cause),
                      .severity = Severity::critical,
                      .category = Category::system_performance,
                      .title = "The monitor found more than it tells of one by one",
                      .reason = fmt::format("{} more when it began", more),
                      .values = {}});
  return hidden;
}

void Monitor::tick() {
  const auto steady = clock_.steady();
  if (evaluated_at_.count() != 0 && steady - evaluated_at_ < evaluate_every) return;
  evaluated_at_ = steady;
  const Instant now = clock_.now();
  if (!store_.leads()) {
    const std::lock_guard lock(mutex_);
    leads_ = false;
    open_.clear();
    kept_until_ = now;  // whoever leads keeps what was until now
  } else if (!leads_) {
    if (const auto taken = take_up(steady); !taken) log_.error("monitor", {{"detail", taken.error().text}});
  } else if (steady - looked_at_ >= look_every) {
    looked_at_ = steady;
    look_again();
  }
  std::vector<Finding> findings;
  std::set<std::string> hidden;
  bool keeps = false;
  {
    const std::lock_guard lock(mutex_);
    findings = evaluator_.evaluate(now, steady);
    hidden = bound(findings);
    findings_ = findings;
    keeps = leads_ && (!kept_at_ || steady - *kept_at_ >= keep_after);
  }
  evaluation_us_ = std::chrono::duration_cast<std::chrono::microseconds>(clock_.steady() - steady).count();
  alive_at_ns_ = steady.count();
  tell(findings, hidden);
  call_unstored(findings, steady);
  if (keeps) keep();
}

void Monitor::tell(const std::vector<Finding>& findings, const std::set<std::string>& hidden) {
  Plan plan;
  {
    const std::lock_guard lock(mutex_);
    if (writing_ || !leads_) return;
    std::set<std::string_view> going_on(hidden.begin(), hidden.end());
    for (const Finding& finding : findings) {
      going_on.insert(finding.cause);
      if (!open_.contains(finding.cause)) plan.raise.push_back(finding);
    }
    const auto steady = clock_.steady();
    std::erase_if(unsure_, [&](const auto& each) { return going_on.contains(each.first) || steady >= each.second; });
    for (const std::string& cause : open_)
      if (!going_on.contains(cause) && !unsure_.contains(cause)) plan.resolve.push_back(cause);
    if (plan.raise.empty() && plan.resolve.empty()) {
      refusing_ = false;
      return;
    }
    writing_ = true;
  }
  const bool is_emergency =
      std::ranges::any_of(plan.raise, [](const Finding& finding) { return finding.severity == Severity::emergency; });
  const auto shared = std::make_shared<const Plan>(std::move(plan));
  store_.submit(
      is_emergency ? RequestClass::emergency : RequestClass::urgent,
      [this, shared](store::Transaction& transaction) { return write(transaction, *shared); },
      [this, shared](Result<> result) {
        const std::lock_guard lock(mutex_);
        writing_ = false;
        refusing_ = !result;
        if (!result) {
          if (refused_.admit(clock_))
            log_.error("what the monitor found was not stored", {{"detail", result.error().text}});
          return;
        }
        for (const Finding& finding : shared->raise) open_.insert(finding.cause);
        for (const std::string& cause : shared->resolve) open_.erase(cause);
      });
}

// On a store that several servers share nobody leads while it is gone: the one that led calls.
void Monitor::call_unstored(const std::vector<Finding>& findings, nanoseconds steady) {
  if (!call_from_memory_) return;
  const bool is_gone = std::ranges::find(findings, database_down_cause, &Finding::cause) != findings.end();
  std::vector<Unstored::Call> calls;
  {
    const std::lock_guard lock(mutex_);
    if (leads_) led_at_ = steady;
    const bool led = led_at_.count() != 0 && steady - led_at_ < leader_for;
    if (!leads_ && !(is_gone && led)) return;
    calls =
        unstored_.due(findings, [&](std::string_view cause) { return open_.contains(cause); }, clock_.now(), steady);
  }
  for (const Unstored::Call& call : calls) call_from_memory_(call);
}

Result<> Monitor::write(store::Transaction& transaction, const Plan& plan) const {
  const oncall::PlanPointer people = book_.directory().plan();
  for (const Finding& finding : plan.raise) {
    const std::string policy(policy_of(finding.severity));
    MYDR24_TRY(book_.raise(transaction, {.source = "monitor",
                                         .cause = finding.cause,
                                         .severity = book_severity(finding.severity),
                                         .patient = {},
                                         .title = finding.title,
                                         .reason = finding.reason,
                                         .values = finding.values,
                                         .policy = people->policies().contains(policy) ? policy : std::string()}));
  }
  for (const std::string& cause : plan.resolve) {
    MYDR24_ASSIGN(const auto alert, alerts::Book::find_unresolved(transaction, cause));
    if (!alert) continue;
    MYDR24_TRY(book_.resolve(transaction, alert->id, "it is over"));
  }
  return {};
}

void Monitor::keep() {
  std::vector<Evaluator::HourCount> hours;
  std::vector<ObjectiveTotals> objectives;
  const Instant now = clock_.now();
  const std::int64_t oldest = hour_number(now) - hours_kept;
  std::int64_t erase_from = oldest;
  {
    const std::lock_guard lock(mutex_);
    if (!leads_) return;
    kept_at_ = clock_.steady();
    // The second that ends with an hour belongs to it, and may be counted a little later.
    hours = evaluator_.hours(kept_until_ - 2 * evaluate_every, now);
    if (erased_before_ < oldest) {
      erase_from = std::max(std::exchange(erased_before_, oldest), oldest - erased_at_once);
      objectives = evaluator_.totals();
    }
  }
  store_.submit(
      RequestClass::background,
      [hours = std::move(hours), objectives = std::move(objectives), erase_from, oldest,
       now](store::Transaction& transaction) -> Result<> {
        for (const auto& each : hours)
          MYDR24_TRY(transaction.set_state(hours_space, hour_key(each.slo, each.objective, hour_number(each.hour)),
                                           fmt::format("{} {} {}", each.count.good, each.count.total, each.counted)));
        for (const auto& each : objectives)
          for (std::int64_t hour = erase_from; hour < oldest; ++hour)
            MYDR24_TRY(transaction.erase_state(hours_space, hour_key(each.slo, each.objective, hour)));
        return transaction.set_state(space, alive_key, format_instant(now));
      },
      [this, now](const Result<>& result) {
        if (!result) return;
        const std::lock_guard lock(mutex_);
        kept_until_ = std::max(kept_until_, now);
      });
}

Result<> Monitor::follow(std::span<const store::Event> events) {
  if (std::ranges::none_of(events, [](const store::Event& event) { return event.kind == changed_event; })) return {};
  Definitions found;
  MYDR24_TRY(store_.read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(found, load(reader));
    return {};
  }));
  use(std::move(found), true);
  return {};
}

DefinitionsPointer Monitor::definitions() const {
  const std::lock_guard lock(mutex_);
  return definitions_;
}

void Monitor::publish(Definitions definitions) { use(std::move(definitions), true); }

bool Monitor::is_working() const {
  if (clock_.steady() - nanoseconds(alive_at_ns_.load()) > alive_for) return false;
  const std::lock_guard lock(mutex_);
  return leads_ && !refusing_;
}

std::optional<double> Monitor::value(std::string_view metric) const {
  const std::lock_guard lock(mutex_);
  return evaluator_.value(metric);
}

std::optional<double> Monitor::budget_left(std::string_view service) const {
  const std::lock_guard lock(mutex_);
  return evaluator_.budget_left(service, clock_.now());
}

std::optional<double> Monitor::burn_rate(std::string_view slo) const {
  const std::lock_guard lock(mutex_);
  return evaluator_.burn_rate(slo);
}

std::string Monitor::status_json() const {
  std::string text;
  json::Writer out(text);
  const std::lock_guard lock(mutex_);
  const bool is_critical =
      std::ranges::any_of(findings_, [](const Finding& finding) { return finding.severity <= Severity::critical; });
  out.begin_object().field("schema", "mydr24.monitor.v1").field("at", format_instant(clock_.now()));
  out.field("verdict", is_critical ? "critical" : findings_.empty() ? "ok" : "degraded");
  out.field("revision", definitions_->revision).field("leads", leads_).field("stored", !refusing_);
  out.field("evaluation_us", evaluation_us_.load()).key("findings").begin_array();
  for (const Finding& finding : findings_) {
    out.begin_object().field("cause", finding.cause).field("severity", to_string(finding.severity));
    out.field("category", to_string(finding.category)).field("title", finding.title);
    out.field("reason", finding.reason).field("alerted", open_.contains(finding.cause)).end_object();
  }
  out.end_array().key("metrics");
  evaluator_.write_metrics(out, clock_.steady());
  out.end_object();
  return text;
}

std::string Monitor::rules_json() const {
  std::string text;
  json::Writer out(text);
  const std::lock_guard lock(mutex_);
  out.begin_object().field("schema", "mydr24.monitor-rules.v1").field("revision", definitions_->revision).key("rules");
  evaluator_.write_rules(out);
  out.end_object();
  return text;
}

std::string Monitor::slos_json() const {
  std::string text;
  json::Writer out(text);
  const std::lock_guard lock(mutex_);
  out.begin_object().field("schema", "mydr24.slos.v1").field("revision", definitions_->revision).key("slos");
  evaluator_.write_slos(out, clock_.now());
  out.end_object();
  return text;
}

Result<std::string> Monitor::slo_json(std::string_view name) const {
  std::string text;
  json::Writer out(text);
  const std::lock_guard lock(mutex_);
  if (!evaluator_.write_slo(out, name, clock_.now()))
    return fail(Code::not_found, fmt::format("there is no objective \"{}\"", name));
  return text;
}

std::string Monitor::preview_json(const std::vector<Rule>& rules) const {
  std::string text;
  json::Writer out(text);
  const std::lock_guard lock(mutex_);
  out.begin_object().field("schema", "mydr24.monitor-preview.v1").field("window_s", Samples::kept).key("rules");
  evaluator_.write_preview(out, rules);
  out.end_object();
  return text;
}

void Monitor::add_metrics(telemetry::Metrics& metrics) {
  const auto findings = metrics.gauge("monitor_findings", "What the monitor tells people of now");
  const auto time = metrics.gauge("monitor_evaluation_seconds", "Time of the last evaluation of rules and objectives");
  metrics.before_expose([=, this, &metrics] {
    {
      const std::lock_guard lock(mutex_);
      findings.set(static_cast<double>(findings_.size()));
    }
    time.set(static_cast<double>(evaluation_us_.load()) / 1e6);
    expose(metrics);
  });
}

void Monitor::expose(telemetry::Metrics& metrics) {
  const std::lock_guard lock(mutex_);
  for (const ObjectiveTotals& each : evaluator_.totals()) {
    const auto follow = [&](std::string_view name, std::string_view help, double now) {
      const std::string key = fmt::format("{}/{}/{}", name, each.slo, each.objective);
      auto found = counters_.find(key);
      if (found == counters_.end()) {
        const telemetry::Labels labels{{"slo", each.slo}, {"objective", fmt::format("{}", each.objective)}};
        found = counters_.emplace(key, Exposed{metrics.counter(name, help, labels)}).first;
      }
      Exposed& exposed = found->second;
      // An objective that was redefined counts from nothing.
      if (now < exposed.last) exposed.last = 0;
      exposed.counter.add(now - exposed.last);
      exposed.last = now;
    };
    follow("slo_events_total", "Events of an objective, as its budget counts them", each.all.total);
    follow("slo_good_total", "Good events of an objective, as its budget counts them", each.all.good);
  }
}

}  // namespace mydr24::monitor
