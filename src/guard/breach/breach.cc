#include "guard/breach/breach.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "base/core/date_time.h"
#include "base/core/id.h"
#include "base/json/document.h"
#include "base/json/writer.h"
#include "guard/audit/log.h"
#include "guard/audit/search.h"

namespace mydr24::breach {
namespace {

constexpr std::string_view space = "breach";
constexpr std::string_view people_space = "breach.people";
constexpr std::string_view timer_kind = "breach.clock";

std::optional<Instant> time_in(json::Value text) {
  const auto range = text ? parse_date_time(text.text()) : std::nullopt;
  return range ? std::optional(range->low) : std::nullopt;
}

Result<Breach> parse(std::string_view text) {
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(text));
  const auto root = document.root();
  Breach breach;
  breach.id = root["id"].text();
  breach.nature = root["nature"].text();
  breach.consequences = root["consequences"].text();
  breach.measures = root["measures"].text();
  breach.contact = root["contact"].text();
  breach.accesses.client = root["client"].text();
  breach.accesses.principal = root["principal"].text();
  breach.accesses.since = time_in(root["since"]);
  breach.accesses.until = time_in(root["until"]);
  const auto number = [&](std::string_view name) {
    const auto digits = root[name].raw();
    std::int64_t value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
  };
  breach.people = number("people");
  breach.people_complete = root["people_complete"].is_true();
  breach.records = number("records");
  for (const auto kind : root["kinds"]) breach.kinds.emplace_back(kind.text());
  breach.aware = time_in(root["aware"]).value_or(Instant());
  breach.opened = time_in(root["opened"]).value_or(Instant());
  breach.opened_by = root["opened_by"].text();
  for (const auto clock : notices) breach.told_to(clock) = time_in(root[fmt::format("told_{}", to_string(clock))]);
  breach.late_reason = root["late_reason"].text();
  breach.closed = time_in(root["closed"]);
  breach.closed_by = root["closed_by"].text();
  breach.outcome = root["outcome"].text();
  return breach;
}

Result<> keep(store::Transaction& transaction, const Breach& breach) {
  return transaction.set_state(space, breach.id, to_json(breach));
}

std::string timer_key(std::string_view id, Notice clock, int percent) {
  return fmt::format("{}/{}/{}/{}", timer_kind, id, to_string(clock), percent);
}

Instant due_of(const Breach& breach, Notice clock, int percent) {
  return breach.aware + std::chrono::duration_cast<Microseconds>(time_of(clock)) * percent / 100;
}

Result<> stop(store::Transaction& transaction, const Breach& breach, Notice clock) {
  for (const int percent : alarm_percents) MYDR24_TRY(transaction.cancel_timer(timer_key(breach.id, clock, percent)));
  return {};
}

Result<std::string> text_in(json::Value request, std::string_view name, bool needed) {
  std::string text(request[name].text());
  if (needed && text.empty()) return fail(Code::invalid, "is missing", std::string(name));
  if (text.size() > text_bytes_max)
    return fail(Code::too_large, fmt::format("has at most {} bytes", text_bytes_max), std::string(name));
  return text;
}

}  // namespace

std::string_view to_string(Notice clock) { return clock == Notice::authority ? "authority" : "people"; }

std::optional<Notice> parse_notice(std::string_view text) {
  for (const auto clock : notices)
    if (text == to_string(clock)) return clock;
  return std::nullopt;
}

Result<Affected> find_affected(const audit::Trail& trail, const Accesses& accesses) {
  const audit::Query query{.principal = accesses.principal,
                           .outcome = audit::Outcome::success,
                           .since = accesses.since,
                           .until = accesses.until};
  Affected affected;
  std::set<std::string, std::less<>> patients, kinds;
  MYDR24_TRY(audit::for_each(trail, query, [&](const audit::Found& found) {
    const auto& entry = found.entry;
    if (!accesses.client.empty() && entry.client != accesses.client &&
        !(entry.principal_kind == access::PrincipalKind::machine && entry.principal == accesses.client))
      return true;
    ++affected.entries;
    if (entry.patients_cut) affected.complete = false;
    if (!entry.resource_type.empty()) kinds.insert(entry.resource_type);
    for (const auto& patient : entry.patients) {
      if (patients.size() < subjects_max) {
        patients.insert(patient);
      } else if (!patients.contains(patient)) {
        affected.complete = false;
      }
    }
    return true;
  }));
  affected.patients.assign(patients.begin(), patients.end());
  affected.kinds.assign(kinds.begin(), kinds.end());
  return affected;
}

std::string to_json(const Breach& breach) {
  std::string text;
  json::Writer out(text);
  const auto time = [&](std::string_view name, const std::optional<Instant>& at) {
    if (at) out.field(name, format_instant(*at));
  };
  out.begin_object().field("id", breach.id).field("nature", breach.nature);
  out.field("consequences", breach.consequences).field("measures", breach.measures).field("contact", breach.contact);
  out.field("client", breach.accesses.client).field("principal", breach.accesses.principal);
  time("since", breach.accesses.since);
  time("until", breach.accesses.until);
  out.field("people", breach.people).field("people_complete", breach.people_complete);
  out.field("records", breach.records).key("kinds").begin_array();
  for (const auto& kind : breach.kinds) out.string(kind);
  out.end_array();
  time("aware", breach.aware);
  time("opened", breach.opened);
  out.field("opened_by", breach.opened_by);
  for (const auto clock : notices) {
    time(fmt::format("{}_due", to_string(clock)), breach.aware + time_of(clock));
    time(fmt::format("told_{}", to_string(clock)), breach.told_to(clock));
  }
  if (!breach.late_reason.empty()) out.field("late_reason", breach.late_reason);
  if (breach.closed) {
    time("closed", breach.closed);
    out.field("closed_by", breach.closed_by).field("outcome", breach.outcome);
  }
  out.end_object();
  return text;
}

Result<Breach> breach_of(json::Value request, Instant now) {
  if (!request.is_object()) return fail(Code::invalid, "send a JSON object");
  Breach breach;
  MYDR24_ASSIGN(breach.nature, text_in(request, "nature", true));
  MYDR24_ASSIGN(breach.consequences, text_in(request, "consequences", false));
  MYDR24_ASSIGN(breach.measures, text_in(request, "measures", false));
  MYDR24_ASSIGN(breach.contact, text_in(request, "contact", false));
  MYDR24_ASSIGN(breach.accesses.client, text_in(request, "client", false));
  MYDR24_ASSIGN(breach.accesses.principal, text_in(request, "principal", false));
  MYDR24_ASSIGN(breach.accesses.since, audit::time_of(request["since"].text(), "since"));
  MYDR24_ASSIGN(breach.accesses.until, audit::time_of(request["until"].text(), "until"));
  MYDR24_ASSIGN(const auto aware, audit::time_of(request["aware"].text(), "aware"));
  if (breach.accesses.client.empty() && breach.accesses.principal.empty())
    return fail(Code::invalid, "say whose accesses it was: a client or a principal", "client");
  if (!breach.accesses.since) return fail(Code::invalid, "say from when on", "since");
  breach.aware = aware.value_or(now);
  if (breach.aware > now) return fail(Code::invalid, "is not yet", "aware");
  return breach;
}

Result<> Book::note(store::Transaction& transaction, std::string_view step, std::string_view by,
                    const Breach& breach) const {
  return note_ ? note_(transaction, step, by, breach) : Result<>();
}

void Book::attach() {
  store_.on_timer(std::string(timer_kind), [this](store::Transaction& transaction, const store::Timer& timer) {
    return alarm(transaction, timer.payload);
  });
}

// The payload is "ID clock percent".
Result<> Book::alarm(store::Transaction& transaction, std::string_view payload) const {
  const auto first = payload.find(' '), second = payload.rfind(' ');
  const auto breach = find(transaction, payload.substr(0, first));
  const auto clock = parse_notice(payload.substr(first + 1, second - first - 1));
  if (!breach || !clock || breach->closed || breach->told_to(*clock)) return {};
  std::string text;
  json::Writer(text)
      .begin_object()
      .field("id", breach->id)
      .field("clock", to_string(*clock))
      .field("percent", payload.substr(second + 1))
      .field("due", format_instant(breach->aware + time_of(*clock)))
      .end_object();
  MYDR24_TRY(transaction.note("breach.clock", text));
  return {};
}

Result<Breach> Book::open(store::Transaction& transaction, Breach breach, const Affected& affected,
                          std::string_view by) {
  breach.id = make_uuid7(transaction.now());
  breach.opened = transaction.now();
  breach.opened_by = by;
  breach.people = static_cast<std::int64_t>(affected.patients.size());
  breach.people_complete = affected.complete;
  breach.records = affected.entries;
  breach.kinds = affected.kinds;
  std::string list;
  json::Writer out(list);
  out.begin_array();
  for (const auto& patient : affected.patients) out.string(patient);
  out.end_array();
  MYDR24_TRY(transaction.set_state(people_space, breach.id, list));
  MYDR24_TRY(keep(transaction, breach));
  for (const auto clock : notices) {
    for (const int percent : alarm_percents) {
      MYDR24_TRY(transaction.set_timer({.key = timer_key(breach.id, clock, percent),
                                        .due = due_of(breach, clock, percent),
                                        .kind = std::string(timer_kind),
                                        .payload = fmt::format("{} {} {}", breach.id, to_string(clock), percent)}));
    }
  }
  MYDR24_TRY(transaction.note("breach.opened", to_json(breach)));
  MYDR24_TRY(note(transaction, "breach.open", by, breach));
  return breach;
}

Result<Breach> Book::tell(store::Transaction& transaction, std::string_view id, Notice clock, std::string_view reason,
                          std::string_view by) {
  MYDR24_ASSIGN(auto breach, find(transaction, id));
  if (breach.told_to(clock))
    return fail(Code::conflict, fmt::format("it was told to the {} already", to_string(clock)));
  if (breach.closed) return fail(Code::conflict, "it is closed");
  if (transaction.now() > breach.aware + time_of(clock) && reason.empty())
    return fail(Code::invalid, "it is late: say why", "reason");
  breach.told_to(clock) = transaction.now();
  if (!reason.empty()) breach.late_reason = reason.substr(0, text_bytes_max);
  MYDR24_TRY(keep(transaction, breach));
  MYDR24_TRY(stop(transaction, breach, clock));
  MYDR24_TRY(note(transaction, "breach.told", by, breach));
  return breach;
}

Result<Breach> Book::close(store::Transaction& transaction, std::string_view id, std::string_view outcome,
                           std::string_view by) {
  if (outcome.empty() || outcome.size() > text_bytes_max)
    return fail(Code::invalid, fmt::format("say in 1 to {} bytes what came of it", text_bytes_max), "outcome");
  MYDR24_ASSIGN(auto breach, find(transaction, id));
  if (breach.closed) return fail(Code::conflict, "it is closed already");
  breach.closed = transaction.now();
  breach.closed_by = by;
  breach.outcome = outcome;
  MYDR24_TRY(keep(transaction, breach));
  for (const auto clock : notices) MYDR24_TRY(stop(transaction, breach, clock));
  MYDR24_TRY(transaction.note("breach.closed", to_json(breach)));
  MYDR24_TRY(note(transaction, "breach.close", by, breach));
  return breach;
}

Result<Breach> Book::find(store::Reader& reader, std::string_view id) const {
  MYDR24_ASSIGN(const auto row, reader.state(space, id));
  if (!row) return fail(Code::not_found, fmt::format("there is no breach {}", id.substr(0, 64)));
  return parse(*row);
}

// Ids sort by their time.
Result<std::vector<Breach>> Book::list(store::Reader& reader, std::uint32_t count) const {
  constexpr std::uint32_t page = 500;
  std::vector<Breach> found;
  std::string after;
  for (;;) {
    MYDR24_ASSIGN(const auto rows, reader.states(space, "", after, page));
    for (const auto& row : rows) {
      MYDR24_ASSIGN(auto breach, parse(row.value));
      found.push_back(std::move(breach));
      after = row.key;
    }
    if (rows.size() < page) break;
  }
  std::ranges::reverse(found);
  if (found.size() > count) found.resize(count);
  return found;
}

Result<std::vector<std::string>> Book::people(store::Reader& reader, std::string_view id) const {
  MYDR24_ASSIGN(const auto row, reader.state(people_space, id));
  if (!row) return fail(Code::not_found, fmt::format("there is no breach {}", id.substr(0, 64)));
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(*row));
  std::vector<std::string> found;
  for (const auto patient : document.root()) found.emplace_back(patient.text());
  return found;
}

}  // namespace mydr24::breach
