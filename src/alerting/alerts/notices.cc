#include "alerting/alerts/notices.h"

#include <fmt/format.h>

#include <algorithm>

#include "alerting/alerts/detail/calls.h"
#include "alerting/alerts/rows.h"
#include "base/core/date_time.h"
#include "base/core/id.h"
#include "base/json/document.h"
#include "base/json/writer.h"

namespace mydr24::alerts {
namespace {

using std::chrono::days;
using People = std::vector<std::string>;

constexpr std::string_view timer_kind = "oncall.notice";
constexpr std::uint32_t notices_max = oncall::parts_max;

std::string timer_key(std::string_view name) { return fmt::format("oncall-notice/{}", name); }

// What was seen last.
struct Seen {
  People people;
  Instant at;
};

std::string to_text(const Seen& seen) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("at", format_instant(seen.at)).key("people").begin_array();
  for (const std::string& who : seen.people) writer.string(who);
  writer.end_array().end_object();
  return out;
}

Result<Seen> seen_of(std::string_view text) {
  MYDR24_ASSIGN(const json::Document document, json::Document::parse_view(text));
  Seen seen;
  if (const auto at = parse_date_time(document.root()["at"].text())) seen.at = at->low;
  for (const json::Value who : document.root()["people"]) seen.people.emplace_back(who.text());
  return seen;
}

std::chrono::local_days day_of(const oncall::Schedule& schedule, Instant at) {
  return std::chrono::floor<days>(schedule.zone.local(at));
}

// When there may be something to tell: a change of who is on call, or the next day.
Instant next_look(const oncall::Plan& plan, const oncall::Schedule& schedule, Instant now) {
  Instant next = schedule.zone.instant(zone::LocalTime(day_of(schedule, now) + days(1)));
  std::vector<Instant> points;
  oncall::change_points(schedule, plan.leaves(), {now, next}, points);
  for (const Instant at : points)
    if (at > now) next = std::min(next, at);
  return next;
}

std::string listed(const People& people) {
  return people.empty() ? std::string("nobody") : fmt::format("{}", fmt::join(people, ", "));
}

std::string text_of(const oncall::Schedule& schedule, const Seen& before, const Seen& now, bool daily) {
  const std::string local = format_instant(Instant(schedule.zone.local(now.at).time_since_epoch()));
  constexpr std::size_t day_size = 10, minute_size = 16;
  std::string text =
      daily ? fmt::format("On call for {} on {}: {}", schedule.name, local.substr(0, day_size), listed(now.people))
            : fmt::format("On call for {} since {} ({}): {}", schedule.name, local.substr(0, minute_size),
                          schedule.zone.name(), listed(now.people));
  if (before.people != now.people) text += fmt::format("; before: {}", listed(before.people));
  return text;
}

Result<> tell(store::Transaction& transaction, std::string_view name, const std::string& text) {
  const std::string id = make_uuid7(transaction.now());
  const std::string key = fmt::format("{}{}/{}", rows::notice_prefix, name, id);
  std::string row, payload;
  json::Writer(row).begin_object().field("id", id).field("text", text).end_object();
  json::Writer(payload).begin_object().field("notice", name).field("key", key).end_object();
  MYDR24_TRY(transaction.set_state(rows::updates, key, row));
  MYDR24_TRY(transaction.note("oncall.notice", payload));
  return {};
}

Result<> look(store::Transaction& transaction, const oncall::Plan& plan, std::string_view name) {
  const auto found = plan.notices().find(name);
  if (found == plan.notices().end()) {
    MYDR24_TRY(transaction.cancel_timer(timer_key(name)));
    return transaction.erase_state(rows::notices, name);
  }
  const oncall::Notice& notice = found->second;
  const oncall::Schedule& schedule = plan.schedules().find(notice.schedule)->second;
  Seen now{.people = {}, .at = calls::stamp(transaction)};
  for (const std::string_view who : oncall::on_duty(schedule, plan.leaves(), now.at)) now.people.emplace_back(who);
  std::ranges::sort(now.people);
  MYDR24_ASSIGN(const auto row, transaction.state(rows::notices, name));
  if (row) {
    MYDR24_ASSIGN(const Seen before, seen_of(*row));
    const bool daily = notice.daily && day_of(schedule, before.at) < day_of(schedule, now.at);
    if (daily || (notice.changes && before.people != now.people))
      MYDR24_TRY(tell(transaction, name, text_of(schedule, before, now, daily)));
  }
  MYDR24_TRY(transaction.set_state(rows::notices, name, to_text(now)));
  return transaction.set_timer(
      {timer_key(name), next_look(plan, schedule, now.at), std::string(timer_kind), std::string(name)});
}

}  // namespace

void Notices::attach(store::Store& store) {
  store.on_timer(std::string(timer_kind), [this](store::Transaction& transaction, const store::Timer& timer) {
    return look(transaction, *book_.directory().plan(), timer.payload);
  });
}

Result<> Notices::plan_changed(store::Transaction& transaction, const oncall::Plan& plan) const {
  MYDR24_ASSIGN(const auto known, transaction.states(rows::notices, "", "", notices_max));
  for (const store::StateRow& row : known)
    if (!plan.notices().contains(row.key)) MYDR24_TRY(look(transaction, plan, row.key));
  for (const auto& [name, notice] : plan.notices()) MYDR24_TRY(look(transaction, plan, name));
  return {};
}

}  // namespace mydr24::alerts
