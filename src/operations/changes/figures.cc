#include "operations/changes/figures.h"

#include <vector>

#include "operations/changes/detail/members.h"
#include "operations/judge/statistics.h"

namespace mydr24::changes {
namespace {

constexpr std::uint32_t page = 1'000;

// What the journal says of one change so far.
struct Course {
  std::string service;
  bool unplanned = false;
  Instant proposed;
  std::optional<Instant> started, failed, success, back;
  bool way_back_failed = false;
};

struct Samples {
  Figures figures;
  std::vector<double> lead, recovery;
};

double seconds(Instant from, Instant to) { return std::chrono::duration<double>(to - from).count(); }

void see(std::map<std::string, Course>& courses, const store::Event& event) {
  const auto document = json::Document::parse_view(event.payload);
  if (!document) return;
  const auto root = document->root();
  const auto state = parse_state(root["state"].text());
  if (!state) return;
  auto& course = courses[std::string(root["id"].text())];
  course.service = root["service"].text();
  course.unplanned = root["type"].text() == "emergency" || root["kind"].text() == "hotfix";
  if (event.kind == "change.proposed") course.proposed = event.at;
  if (event.kind == "change.started") course.started = event.at;
  if (event.kind == "change.rollback_begun" && !course.failed) course.failed = event.at;
  if (event.kind != "change.finished") return;
  if (*state == State::successful) {
    course.success = event.at;
  } else {
    course.back = event.at;
    if (!course.failed) course.failed = event.at;
    course.way_back_failed = *state == State::rollback_failed;
  }
}

Spread spread_of(const std::vector<double>& values) {
  if (values.empty()) return {};
  return {.count = static_cast<std::int64_t>(values.size()),
          .median_s = judge::quantile(values, 0.5),
          .p90_s = judge::quantile(values, 0.9)};
}

void write(json::Writer& out, std::string_view name, const Spread& spread) {
  out.key(name).begin_object().field("count", spread.count);
  out.field("median_s", spread.median_s).field("p90_s", spread.p90_s).end_object();
}

}  // namespace

Result<std::map<std::string, Figures>> figures(store::Reader& reader, Instant since, Instant until) {
  std::map<std::string, Course> courses;
  store::Sequence after = 0;
  for (;;) {
    MYDR24_ASSIGN(const auto events, reader.events(after, page));
    for (const auto& event : events)
      if (event.at < until && event.kind.starts_with("change.")) see(courses, event);
    if (events.size() < page) break;
    after = events.back().sequence;
  }
  std::map<std::string, Samples> samples;
  for (const auto& [id, course] : courses) {
    const auto end = course.back ? course.back : course.success;
    if (!course.started || !end || *end < since) continue;
    for (const auto& name : {std::string(), course.service}) {
      auto& of = samples[name];
      ++of.figures.finished;
      if (course.failed) ++of.figures.failed;
      if (course.unplanned) ++of.figures.unplanned;
      if (course.success) of.lead.push_back(seconds(course.proposed, *course.success));
      if (course.failed && course.back && !course.way_back_failed)
        of.recovery.push_back(seconds(*course.failed, *course.back));
    }
  }
  std::map<std::string, Figures> found;
  const double days = seconds(since, until) / 86400;
  for (auto& [name, of] : samples) {
    of.figures.per_day = static_cast<double>(of.figures.finished) / days;
    of.figures.lead = spread_of(of.lead);
    of.figures.recovery = spread_of(of.recovery);
    found[name] = of.figures;
  }
  return found;
}

std::string to_json(const std::map<std::string, Figures>& all) {
  std::string text;
  json::Writer out(text);
  out.begin_array();
  for (const auto& [service, figures] : all) {
    out.begin_object().field("service", service).field("finished", figures.finished).field("per_day", figures.per_day);
    out.field("failed", figures.failed).field("unplanned", figures.unplanned);
    const auto share = [&](std::int64_t part) {
      return figures.finished == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(figures.finished);
    };
    out.field("failure_rate", share(figures.failed)).field("rework_rate", share(figures.unplanned));
    write(out, "lead", figures.lead);
    write(out, "recovery", figures.recovery);
    out.end_object();
  }
  out.end_array();
  return text;
}

}  // namespace mydr24::changes
