// What clinicians decide about one patient: limits and monitoring; and the technical alarm when monitored signs fall
// silent.

#include <fmt/format.h>

#include <algorithm>

#include "base/core/date_time.h"
#include "base/json/writer.h"
#include "clinical/vitals/watch.h"

namespace mydr24::vitals {
namespace {

constexpr std::chrono::seconds stale_min{10};
constexpr std::chrono::seconds stale_max = std::chrono::hours(24);
constexpr std::size_t text_bytes_max = 500;

Error nobody() { return fail(Code::invalid, "who decides this? by is missing", "by"); }

Result<> check_bound(const std::optional<double>& bound, Signal signal, std::string_view name) {
  const SignalRange range = range_of(signal);
  if (!bound || (*bound >= range.low && *bound <= range.high)) return {};
  return fail(Code::invalid, fmt::format("{} is from {} to {}", to_string(signal), range.low, range.high),
              std::string(name));
}

Result<> check_until(const std::optional<Instant>& until, Instant now) {
  if (!until || *until > now) return {};
  return fail(Code::invalid,
              fmt::format("until is {}, but it is {} already: name a time to come, or leave until out for no end",
                          format_instant(*until), format_instant(now)),
              "until");
}

Result<> check(const Limit& limit) {
  if (limit.by.empty()) return nobody();
  if (!limit.low && !limit.high) return fail(Code::invalid, "a limit has low, high or both", "low");
  if (limit.low && limit.high && *limit.low >= *limit.high) return fail(Code::invalid, "low is below high", "low");
  MYDR24_TRY(check_bound(limit.low, limit.signal, "low"));
  MYDR24_TRY(check_bound(limit.high, limit.signal, "high"));
  if (limit.spo2_scale != 0 && (limit.spo2_scale != 2 || limit.signal != Signal::spo2))
    return fail(Code::invalid, "spo2_scale is 2 and goes with a limit on spo2", "spo2_scale");
  MYDR24_TRY(check_until(limit.until, limit.from));
  if (limit.by.size() > text_bytes_max || limit.reason.size() > text_bytes_max)
    return fail(Code::too_large, fmt::format("by and reason have at most {} bytes", text_bytes_max));
  return {};
}

std::string note_of(std::string_view patient_id, std::string_view what, std::string_view json, std::string_view by) {
  std::string payload;
  json::Writer writer(payload);
  writer.begin_object().field("patient", fmt::format("Patient/{}", patient_id)).field("by", by);
  if (json.empty())
    writer.field(what, "removed");
  else
    writer.key(what).raw(json);
  writer.end_object();
  return payload;
}

// As if every sign had been written again: what a clinician decides holds at once.
const Taken as_if_new{.changed = all_signs};

}  // namespace

Result<> Watch::keep_past(store::Transaction& transaction, std::string_view patient_id, const Limit& limit) {
  Patient row;
  row.signs.limits.push_back(limit);
  MYDR24_TRY(transaction.set_state(
      past_limits_space, past_limit_key(patient_id, transaction.now(), static_cast<std::size_t>(limit.signal)),
      row.to_text()));
  MYDR24_ASSIGN(const auto kept,
                transaction.states(past_limits_space, past_limits_prefix(patient_id), "", past_limits_max + 1));
  return kept.size() <= past_limits_max ? Result<>() : transaction.erase_state(past_limits_space, kept.front().key);
}

Result<> Watch::drop_limits(store::Transaction& transaction, std::string_view patient_id, Patient& row,
                            const std::function<bool(const Limit&)>& goes) {
  for (const Limit& limit : row.signs.limits)
    if (goes(limit)) MYDR24_TRY(keep_past(transaction, patient_id, limit));
  std::erase_if(row.signs.limits, goes);
  return {};
}

Result<> Watch::set_limit(store::Transaction& transaction, std::string_view patient_id, Limit limit) {
  limit.from = transaction.now();
  MYDR24_TRY(check(limit));
  MYDR24_ASSIGN(Patient row, load(transaction, patient_id));
  const Patient before = row;
  MYDR24_TRY(learn_birth_date(transaction, patient_id, row));
  MYDR24_TRY(drop_limits(transaction, patient_id, row, [&](const Limit& other) {
    return other.signal == limit.signal || !other.in_force(transaction.now());
  }));
  row.signs.limits.push_back(limit);
  MYDR24_TRY(transaction.note("vitals.limit", note_of(patient_id, "limit", to_json(limit), limit.by)));
  score(row, settings_);
  MYDR24_TRY(assess(transaction, patient_id, before, row, &as_if_new));
  return save(transaction, patient_id, before, row);
}

Result<> Watch::remove_limit(store::Transaction& transaction, std::string_view patient_id, Signal signal,
                             std::string_view by) {
  if (by.empty()) return nobody();
  MYDR24_ASSIGN(Patient row, load(transaction, patient_id));
  const Patient before = row;
  if (std::ranges::find(row.signs.limits, signal, &Limit::signal) == row.signs.limits.end())
    return fail(Code::not_found, fmt::format("Patient/{} has no limit on {}", patient_id, to_string(signal)));
  MYDR24_TRY(drop_limits(transaction, patient_id, row, [&](const Limit& limit) { return limit.signal == signal; }));
  MYDR24_TRY(transaction.note("vitals.limit", note_of(patient_id, to_string(signal), "", by)));
  score(row, settings_);
  MYDR24_TRY(assess(transaction, patient_id, before, row, &as_if_new));
  return save(transaction, patient_id, before, row);
}

Result<> Watch::monitor(store::Transaction& transaction, std::string_view patient_id, Monitoring monitoring) {
  if (monitoring.by.empty()) return nobody();
  if (monitoring.signs == 0) return fail(Code::invalid, "which signs? name at least one", "signs");
  if (monitoring.stale_after < stale_min || monitoring.stale_after > stale_max)
    return fail(Code::invalid, "stale_after_s is from 10 to 86400", "stale_after_s");
  MYDR24_TRY(check_until(monitoring.until, transaction.now()));
  MYDR24_ASSIGN(Patient row, load(transaction, patient_id));
  const Patient before = row;
  monitoring.from = transaction.now();
  if (row.signs.monitoring) monitoring.alert_id = row.signs.monitoring->alert_id;
  row.signs.monitoring = monitoring;
  MYDR24_TRY(learn_birth_date(transaction, patient_id, row));
  MYDR24_TRY(
      transaction.note("vitals.monitoring", note_of(patient_id, "monitoring", to_json(monitoring), monitoring.by)));
  MYDR24_TRY(assess(transaction, patient_id, before, row, nullptr));
  return save(transaction, patient_id, before, row);
}

Result<> Watch::stop_monitoring(store::Transaction& transaction, std::string_view patient_id, std::string_view by) {
  if (by.empty()) return nobody();
  MYDR24_ASSIGN(Patient row, load(transaction, patient_id));
  const Patient before = row;
  if (!row.signs.monitoring) return fail(Code::not_found, fmt::format("Patient/{} is not monitored", patient_id));
  if (!row.signs.monitoring->alert_id.empty())
    MYDR24_TRY(book_.resolve(transaction, row.signs.monitoring->alert_id, fmt::format("no longer monitored: {}", by)));
  row.signs.monitoring.reset();
  MYDR24_TRY(transaction.note("vitals.monitoring", note_of(patient_id, "monitoring", "", by)));
  return save(transaction, patient_id, before, row);
}

Result<> Watch::listen(store::Transaction& transaction, std::string_view patient_id, Patient& row) {
  auto& monitoring = row.signs.monitoring;
  if (!monitoring) return {};
  const Instant now = transaction.now();
  const bool over = monitoring->until && now >= *monitoring->until;
  const std::uint32_t silent = silence_of(row.signs, now, settings_).signs;
  if (silent == 0 || over) {
    if (!monitoring->alert_id.empty()) {
      const auto resolved =
          book_.resolve(transaction, monitoring->alert_id, over ? "monitoring is over" : "the signs are heard again");
      if (!resolved && resolved.error().code != Code::not_found) return resolved.error();
      monitoring->alert_id.clear();
    }
    if (over) monitoring.reset();
    return {};
  }
  if (!monitoring->alert_id.empty()) return {};
  std::string names;
  for (std::size_t i = 0; i < sign_count; ++i) {
    if ((silent >> i & 1U) == 0) continue;
    names += fmt::format("{}{} ({})", names.empty() ? "" : ", ", to_string(static_cast<Sign>(i)),
                         row.signs.held[i].empty() ? "never heard" : "silent");
  }
  ++counters_.silences;
  MYDR24_ASSIGN(
      const alerts::Raised raised,
      book_.raise(transaction, {.source = "vitals",
                                .cause = fmt::format("vitals/Patient/{}/silence", patient_id),
                                .severity = alerts::Severity::urgent,
                                .patient = fmt::format("Patient/{}", patient_id),
                                .title = "Technical: no vital signs from a monitored patient",
                                .reason = fmt::format("no signal for {} s: {}", monitoring->stale_after.count(), names),
                                .values = {}}));
  monitoring->alert_id = raised.id;
  return {};
}

}  // namespace mydr24::vitals
