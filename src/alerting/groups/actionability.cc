#include "alerting/groups/actionability.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "alerting/alerts/book.h"
#include "base/json/document.h"

namespace mydr24::groups {
namespace {

std::string rule_of(const alerts::Alert& alert) {
  if (!alert.values.empty())
    if (const auto values = json::Document::parse_view(alert.values))
      if (const auto rule = values->root()["rule"]; rule.is_string() && !rule.text().empty())
        return std::string(rule.text());
  return fmt::format("{}/{}", alert.source, alert.title);
}

}  // namespace

Result<std::vector<RuleRecord>> actionability(store::Reader& reader, Instant since) {
  std::map<std::string, RuleRecord> by_rule;
  std::size_t seen = 0;
  for (const bool resolved : {false, true}) {
    alerts::ListQuery query{.resolved = resolved, .count = alerts::ListQuery::count_max};
    do {
      MYDR24_ASSIGN(const alerts::AlertPage page, alerts::Book::list(reader, query));
      for (const alerts::Alert& alert : page.alerts) {
        ++seen;
        if (alert.raised_at < since) continue;
        RuleRecord& record = by_rule[rule_of(alert)];
        ++record.fired;
        if (alert.acknowledged_at) ++record.acknowledged;
        if (alert.acknowledged_at && !alert.acknowledged_note.empty()) ++record.acted;
        if (alert.is_resolved() && !alert.acknowledged_at) ++record.auto_resolved;
      }
      query.after = page.next;
    } while (!query.after.empty() && seen < actionability_alerts_max);
  }
  std::vector<RuleRecord> all;
  for (auto& [rule, record] : by_rule) {
    record.rule = rule;
    all.push_back(std::move(record));
  }
  std::ranges::sort(all, std::ranges::greater(), &RuleRecord::fired);
  return all;
}

}  // namespace mydr24::groups
