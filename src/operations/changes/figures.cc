#include "operations/changes/figures.h"

#include <vector>

#include "base/json/writer.h"
#include "operations/changes/detail/rows.h"
#include "operations/judge/statistics.h"

namespace mydr24::changes {
namespace {

struct Samples {
  Figures figures;
  std::vector<double> lead, recovery;
};

double seconds(Instant from, Instant to) { return std::chrono::duration<double>(to - from).count(); }

// How a change stood at `until`.
struct Course {
  Instant end;
  bool success = false;  // as what it was made; it may have been taken back since
  bool back = false;
};

std::optional<Course> course_of(const Change& change, Instant until) {
  if (!change.started) return std::nullopt;
  if (is_over(change.state) && change.finished && *change.finished < until)
    return Course{*change.finished, change.succeeded.has_value(), change.state != State::successful};
  if (change.succeeded && *change.succeeded < until) return Course{*change.succeeded, true, false};
  return std::nullopt;
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
  std::map<std::string, Samples> samples;
  MYDR24_TRY(for_each_row(reader, change_prefix, [&](const store::StateRow& row) -> Result<> {
    MYDR24_ASSIGN(const auto change, parse_change(row.value));
    const auto course = course_of(change, until);
    if (!course || course->end < since) return {};
    const bool unplanned = change.plan.type == Type::emergency || change.plan.kind == Kind::hotfix;
    for (const auto& name : {std::string(), change.plan.service}) {
      auto& of = samples[name];
      ++of.figures.finished;
      if (course->back) ++of.figures.failed;
      if (unplanned) ++of.figures.unplanned;
      if (course->success) of.lead.push_back(seconds(change.proposed, *change.succeeded));
      if (course->back && change.failed_at && change.state != State::rollback_failed)
        of.recovery.push_back(seconds(*change.failed_at, course->end));
    }
    return {};
  }));
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
