#include "guard/access/break_glass.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/core/date_time.h"
#include "base/core/id.h"
#include "base/json/document.h"
#include "base/json/writer.h"

namespace mydr24::access {
namespace {

// Rows by id (which grows with time), and those that may be in force once more for reading them quickly.
constexpr std::string_view space = "access.override";
constexpr std::string_view running_space = "access.override.running";
constexpr std::string_view timer_kind = "access.override-expire";
constexpr std::chrono::nanoseconds look_every = std::chrono::seconds(2);
constexpr std::uint32_t page = 500;

// The newest first when read in key order. In milliseconds, as the row says the time.
std::string key_of(const OverrideRecord& record) {
  return fmt::format("{:020}-{}", INT64_MAX - to_us(record.since) / 1000, record.id);
}

Result<OverrideRecord> parse(std::string_view text) {
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(text));
  const auto root = document.root();
  OverrideRecord record;
  record.id = root["id"].text();
  record.principal = root["principal"].text();
  record.name = root["name"].text();
  record.roles = root["roles"].text();
  record.patient = root["patient"].text();
  record.reason = root["reason"].text();
  if (const auto since = parse_date_time(root["since"].text())) record.since = since->low;
  if (const auto until = parse_date_time(root["until"].text())) record.until = until->low;
  record.ended = root["ended"].is_true();
  record.over_budget = root["over_budget"].is_true();
  record.reviewed_by = root["reviewed_by"].text();
  record.verdict = root["verdict"].text();
  record.review = root["review"].text();
  if (const auto at = parse_date_time(root["reviewed_at"].text())) record.reviewed_at = at->low;
  return record;
}

Result<> keep(store::Transaction& transaction, const OverrideRecord& record) {
  const auto key = key_of(record);
  MYDR24_TRY(transaction.set_state(space, key, to_json(record)));
  MYDR24_TRY(transaction.set_state(fmt::format("{}.id", space), record.id, key));
  if (record.until > transaction.now()) {
    MYDR24_TRY(transaction.set_timer({.key = fmt::format("{}/{}", timer_kind, record.id),
                                      .due = record.until,
                                      .kind = std::string(timer_kind),
                                      .payload = record.id}));
    return transaction.set_state(running_space, record.id, to_json(record));
  }
  MYDR24_TRY(transaction.cancel_timer(fmt::format("{}/{}", timer_kind, record.id)));
  return transaction.erase_state(running_space, record.id);
}

Result<int> taken_since(store::Reader& reader, std::string_view principal, Instant since) {
  int taken = 0;
  std::string after;
  for (;;) {
    MYDR24_ASSIGN(const auto rows, reader.states(space, "", after, page));
    for (const auto& row : rows) {
      MYDR24_ASSIGN(const auto record, parse(row.value));
      if (record.since <= since) return taken;
      if (record.principal == principal) ++taken;
      after = row.key;
    }
    if (rows.size() < page) return taken;
  }
}

Result<OverrideRecord> find(store::Reader& reader, std::string_view id) {
  MYDR24_ASSIGN(const auto key, reader.state(fmt::format("{}.id", space), id));
  if (!key) return fail(Code::not_found, fmt::format("there is no override {}", id.substr(0, 64)));
  MYDR24_ASSIGN(const auto row, reader.state(space, *key));
  if (!row) return fail(Code::not_found, fmt::format("there is no override {}", id.substr(0, 64)));
  return parse(*row);
}

}  // namespace

std::string to_json(const OverrideRecord& record) {
  std::string text;
  json::Writer out(text);
  out.begin_object().field("id", record.id).field("principal", record.principal).field("name", record.name);
  out.field("roles", record.roles);
  if (!record.patient.empty()) out.field("patient", record.patient);
  out.field("reason", record.reason).field("since", format_instant(record.since));
  out.field("until", format_instant(record.until)).field("ended", record.ended);
  out.field("over_budget", record.over_budget);
  if (!record.reviewed_by.empty()) {
    out.field("reviewed_by", record.reviewed_by).field("reviewed_at", format_instant(record.reviewed_at));
    out.field("verdict", record.verdict).field("review", record.review);
  }
  out.end_object();
  return text;
}

Result<> BreakGlass::tell(store::Transaction& transaction, OverrideStep step, const OverrideRecord& record) const {
  const auto kind = step == OverrideStep::started ? "access.override"
                    : step == OverrideStep::ended ? "access.override-ended"
                                                  : "access.override-reviewed";
  MYDR24_TRY(transaction.note(kind, to_json(record)));
  return note_ ? note_(transaction, step, record) : Result<>();
}

void BreakGlass::attach() {
  store_.on_timer(std::string(timer_kind),
                  [this](store::Transaction& transaction, const store::Timer& timer) -> Result<> {
                    MYDR24_ASSIGN(auto record, find(transaction, timer.payload));
                    if (record.ended) return {};
                    record.ended = true;
                    MYDR24_TRY(keep(transaction, record));
                    return tell(transaction, OverrideStep::ended, record);
                  });
}

Result<OverrideRecord> BreakGlass::start(store::Transaction& transaction, const Principal& principal,
                                         std::string_view patient, std::string_view reason) {
  if (reason.size() < reason_bytes_min || reason.size() > reason_bytes_max) {
    return fail(Code::invalid,
                fmt::format("say in {} to {} bytes why the record is needed now", reason_bytes_min, reason_bytes_max),
                "reason");
  }
  if (!patient.empty() && !is_fhir_id(patient))
    return fail(Code::invalid, fmt::format("\"{}\" is no id of a patient", patient.substr(0, 64)), "patient");
  const auto now = transaction.now();
  OverrideRecord record;
  record.id = make_uuid7(now);
  record.principal = principal.id;
  record.name = principal.name;
  record.roles = fmt::format("{}", fmt::join(principal.roles, " "));
  record.patient = patient;
  record.reason = reason;
  record.since = now;
  record.until = now + settings_.valid;
  MYDR24_ASSIGN(const int taken, taken_since(transaction, principal.id, now - settings_.budget_period));
  record.over_budget = taken >= settings_.budget;
  MYDR24_TRY(keep(transaction, record));
  MYDR24_TRY(tell(transaction, OverrideStep::started, record));
  return record;
}

Result<OverrideRecord> BreakGlass::end(store::Transaction& transaction, const Principal& principal,
                                       std::string_view id) {
  MYDR24_ASSIGN(auto record, find(transaction, id));
  if (record.principal != principal.id) return fail(Code::refused, "this override is somebody else's");
  if (record.ended || record.until <= transaction.now()) return record;
  record.ended = true;
  record.until = transaction.now();
  MYDR24_TRY(keep(transaction, record));
  MYDR24_TRY(tell(transaction, OverrideStep::ended, record));
  return record;
}

Result<OverrideRecord> BreakGlass::review(store::Transaction& transaction, const Principal& reviewer,
                                          std::string_view id, std::string_view verdict, std::string_view words) {
  if (verdict != "justified" && verdict != "not-justified")
    return fail(Code::invalid, "verdict is \"justified\" or \"not-justified\"", "verdict");
  if (words.size() > reason_bytes_max)
    return fail(Code::too_large, fmt::format("at most {} bytes", reason_bytes_max), "review");
  MYDR24_ASSIGN(auto record, find(transaction, id));
  if (record.principal == reviewer.id) return fail(Code::refused, "nobody reviews an override of their own");
  if (!record.reviewed_by.empty())
    return fail(Code::conflict, fmt::format("{} has reviewed this override already", record.reviewed_by));
  record.reviewed_by = reviewer.id;
  record.reviewed_at = transaction.now();
  record.verdict = verdict;
  record.review = words;
  MYDR24_TRY(keep(transaction, record));
  MYDR24_TRY(tell(transaction, OverrideStep::reviewed, record));
  return record;
}

Result<std::vector<OverrideRecord>> BreakGlass::list(store::Reader& reader, bool waiting, std::uint32_t count) const {
  std::vector<OverrideRecord> found;
  std::string after;
  while (found.size() < count) {
    MYDR24_ASSIGN(const auto rows, reader.states(space, "", after, page));
    for (const auto& row : rows) {
      after = row.key;
      MYDR24_ASSIGN(auto record, parse(row.value));
      if (found.size() < count && (!waiting || record.reviewed_by.empty())) found.push_back(std::move(record));
    }
    if (rows.size() < page) break;
  }
  return found;
}

// ---- what is in force

void BreakGlass::refresh_if_due() {
  const auto steady = clock_.steady();
  if (looked_at_.count() >= 0 && steady - looked_at_ < look_every) return;
  std::multimap<std::string, Override, std::less<>> running;
  const auto done = store_.read([&](store::Reader& reader) -> Result<> {
    std::string after;
    for (;;) {
      MYDR24_ASSIGN(const auto rows, reader.states(running_space, "", after, page));
      for (const auto& row : rows) {
        after = row.key;
        MYDR24_ASSIGN(auto record, parse(row.value));
        running.emplace(record.principal, Override{record.id, record.reason, record.patient, record.until});
      }
      if (rows.size() < page) return {};
    }
  });
  // While the store cannot be read, what was in force ends by its own time.
  if (!done) return;
  looked_at_ = steady;
  const bool same = std::ranges::equal(running, in_force_, [](const auto& a, const auto& b) {
    return a.first == b.first && a.second.id == b.second.id && a.second.until == b.second.until;
  });
  if (same) return;
  ++version_;
  in_force_ = std::move(running);
}

std::vector<Override> BreakGlass::in_force(std::string_view principal) {
  const std::lock_guard lock(mutex_);
  refresh_if_due();
  std::vector<Override> overrides;
  const auto [begin, end] = in_force_.equal_range(principal);
  for (auto at = begin; at != end; ++at)
    if (at->second.until > clock_.now()) overrides.push_back(at->second);
  return overrides;
}

std::uint64_t BreakGlass::version() {
  const std::lock_guard lock(mutex_);
  refresh_if_due();
  return version_;
}

void BreakGlass::look_again() {
  const std::lock_guard lock(mutex_);
  looked_at_ = std::chrono::nanoseconds(-1);
}

}  // namespace mydr24::access
