#include "operations/incidents/book.h"

#include <fmt/format.h>

#include <algorithm>

#include "alerting/alerts/messages.h"
#include "alerting/alerts/subscribers.h"
#include "base/core/date_time.h"
#include "base/core/id.h"
#include "base/json/writer.h"
#include "operations/incidents/detail/change.h"

namespace mydr24::incidents {
namespace {

constexpr std::size_t word_bytes_max = 200;

std::string capital(std::string_view word) {
  std::string text(word);
  if (!text.empty()) text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

Result<> check(const Opening& opening) {
  MYDR24_TRY(check_text(opening.title, "title", title_bytes_max));
  if (!opening.text.empty()) MYDR24_TRY(check_text(opening.text, "text"));
  for (const auto& [text, where] : {std::pair(&opening.status, "status"), std::pair(&opening.service, "service"),
                                    std::pair(&opening.source, "source"), std::pair(&opening.cause, "cause")})
    if (text->size() > word_bytes_max)
      return fail(Code::too_large, fmt::format("at most {} bytes", word_bytes_max), where);
  if (opening.links.size() > links_max) return fail(Code::too_large, fmt::format("at most {}", links_max), "links");
  for (const std::string& link : opening.links) MYDR24_TRY(check_text(link, "links", 2'000));
  return {};
}

std::string classified_data(const Incident& incident) {
  std::string text;
  json::Writer out(text);
  out.begin_object().field("rule", incident.classified.rule).key("terms").begin_array();
  for (const std::string& term : incident.classified.terms) out.string(term);
  out.end_array().key("alternatives").begin_array();
  for (const auto& each : incident.classified.alternatives) out.string(each.rule);
  out.end_array().end_object();
  return text;
}

void add_runbooks(const Setup& setup, Incident& incident) {
  for (const Runbook& each : setup.runbooks()) {
    if (!each.service.empty() && each.service != incident.service) continue;
    if (each.severity && *each.severity != incident.severity) continue;
    if (contains(incident.runbooks, each.name)) continue;
    incident.runbooks.push_back(each.name);
    if (!each.link.empty() && incident.links.size() < links_max) incident.links.push_back(each.link);
    for (const std::string& step : each.steps)
      if (incident.tasks.size() < tasks_max) incident.tasks.push_back({step, each.name, {}, {}, {}});
  }
}

}  // namespace

Result<> check_text(std::string_view text, std::string_view where, std::size_t bytes_max) {
  if (text.empty()) return fail(Code::invalid, "a text is needed", std::string(where));
  if (text.size() > bytes_max)
    return fail(Code::too_large, fmt::format("at most {} bytes", bytes_max), std::string(where));
  return {};
}

Result<Opened> Book::open(store::Transaction& transaction, const Opening& opening) const {
  MYDR24_TRY(check(opening));
  if (!opening.cause.empty()) {
    MYDR24_ASSIGN(const auto found, find_unresolved(transaction, opening.cause));
    if (found) return join(transaction, opening, *found);
  }
  const Facts facts{opening.title, opening.text, opening.status, opening.service, opening.source};
  Classification classified = setups_.active()->classify(facts);
  MYDR24_ASSIGN(Incident incident, make(transaction, opening, std::move(classified)));
  MYDR24_TRY(timeline::append(transaction, incident,
                              {"opened", incident.opened_by, incident.title, classified_data(incident)}));
  MYDR24_TRY(call_people(transaction, incident));
  MYDR24_TRY(start_clocks(transaction, incident));
  MYDR24_TRY(tell_outside(transaction, incident));
  if (incident.breach) MYDR24_TRY(add_privacy_officer(transaction, incident));
  MYDR24_TRY(transaction.set_state(rows::incidents, rows::cause_key(incident.cause), incident.id));
  MYDR24_TRY(rows::save(transaction, {}, incident));
  MYDR24_TRY(tell(transaction, incident, "opened"));
  return Opened{incident.id, false};
}

Result<Incident> Book::make(store::Transaction& transaction, const Opening& opening, Classification classified) const {
  const SetupPointer setup = setups_.active();
  const Instant now = transaction.now();
  Incident incident{.id = make_uuid7(now),
                    .cause = opening.cause,
                    .title = opening.title,
                    .text = opening.text,
                    .status = opening.status,
                    .service = opening.service,
                    .source = opening.source,
                    .opened_at = now,
                    .opened_by = opening.by.empty() ? opening.source : opening.by,
                    .breach = opening.breach || classified.breach,
                    .links = opening.links};
  if (incident.cause.empty()) incident.cause = fmt::format("incident/{}", incident.id);
  // What nobody classified is what whoever opens it says; else the higher one.
  incident.severity = classified.severity;
  if (opening.severity)
    incident.severity = classified.rule.empty() ? *opening.severity : std::min(*opening.severity, classified.severity);
  incident.classified = std::move(classified);
  incident.team = setup->team_of(incident.severity, incident.service);
  incident.policy = setup->policy_of(incident.severity, incident.service);
  const Criteria& criteria = setup->criteria(incident.severity);
  incident.clock(ClockKind::response) = {.start = now, .time = criteria.response};
  incident.clock(ClockKind::resolution) = {.start = now, .time = criteria.resolution};
  add_runbooks(*setup, incident);
  return incident;
}

Result<Opened> Book::join(store::Transaction& transaction, const Opening& opening, std::string_view id) const {
  const Classification classified =
      setups_.active()->classify({opening.title, opening.text, opening.status, opening.service, opening.source});
  MYDR24_ASSIGN(const Incident incident, change(transaction, id, [&](Incident& found) -> Result<> {
                  MYDR24_TRY(tell_of(transaction, found, {"joined", opening.by, opening.title, {}}));
                  for (const std::string& link : opening.links)
                    if (found.links.size() < links_max && !contains(found.links, link)) found.links.push_back(link);
                  if ((opening.breach || classified.breach) && !found.breach) {
                    found.breach = true;
                    MYDR24_TRY(add_privacy_officer(transaction, found));
                  }
                  Severity severity = opening.severity.value_or(found.severity);
                  if (!classified.rule.empty()) severity = std::min(severity, classified.severity);
                  if (severity < found.severity) {
                    found.severity_by.clear();
                    MYDR24_TRY(raise_severity(transaction, found, severity));
                  }
                  return {};
                }));
  return Opened{incident.id, true};
}

// People are called by an alert of its own, which knows nothing of patients.
Result<> Book::call_people(store::Transaction& transaction, Incident& incident) const {
  MYDR24_ASSIGN(const alerts::Raised raised,
                alerts_.raise(transaction, {.source = std::string(rows::own_source),
                                            .cause = fmt::format("incident/{}", incident.id),
                                            .severity = page_severity(incident.severity),
                                            .patient = {},
                                            .title = fmt::format("{} incident: {}",
                                                                 capital(to_string(incident.severity)), incident.title),
                                            .reason = incident.text,
                                            .values = {},
                                            .policy = incident.policy}));
  incident.page = raised.id;
  MYDR24_TRY(transaction.set_state(rows::alerts, raised.id, incident.id));
  // One that was louder before, and answered, does not call again by itself.
  MYDR24_ASSIGN(const auto page, alerts::Book::find(transaction, raised.id));
  if (!page || page->state == alerts::State::open) return {};
  const oncall::PlanPointer plan = alerts_.directory().plan();
  const auto severity = static_cast<std::size_t>(page_severity(incident.severity));
  MYDR24_TRY(alerts_.move(transaction, raised.id, plan->policy(incident.policy, severity).name, "its severity"));
  return {};
}

Result<> Book::take_over_calls(store::Transaction& transaction, const Incident& incident,
                               std::string_view alert) const {
  MYDR24_ASSIGN(const auto found, alerts::Book::find(transaction, alert));
  if (!found || found->state != alerts::State::open) return {};
  MYDR24_TRY(alerts_.acknowledge(transaction, alert, fmt::format("incident {}", incident.id), "the incident calls"));
  return {};
}

Result<> Book::tell_outside(store::Transaction& transaction, Incident& incident) const {
  const SetupPointer setup = setups_.active();
  if (incident.told_outside || !setup->criteria(incident.severity).external_notification) return {};
  incident.told_outside = true;
  for (const notify::Address& address : setup->external())
    MYDR24_TRY(alerts::queue_message(transaction,
                                     {.address = address,
                                      .text = fmt::format("Emergency incident {}: {}", incident.id, incident.title),
                                      .document = summary_json(incident)}));
  return tell_of(
      transaction, incident,
      {"told_outside", {}, fmt::format("{} addresses outside are being told", setup->external().size()), {}});
}

// Chats, mailboxes and systems that want to know of every step.
Result<> Book::tell(store::Transaction& transaction, const Incident& incident, std::string_view what) const {
  const SetupPointer setup = setups_.active();
  const std::string text =
      fmt::format("Incident {} ({}): {}: {}", what, to_string(incident.severity), incident.title, incident.id);
  for (const notify::Address& address : setup->updates())
    MYDR24_TRY(alerts::queue_message(transaction, {.address = address, .text = text, .document = {}}));
  for (const notify::Address& address : setup->webhooks())
    MYDR24_TRY(
        alerts::queue_message(transaction, {.address = address, .text = text, .document = summary_json(incident)}));
  return {};
}

Result<> Book::add_privacy_officer(store::Transaction& transaction, Incident& incident) const {
  const std::string& name = setups_.active()->privacy_officer();
  incident.roles.try_emplace("privacy-officer", name);
  MYDR24_TRY(tell_of(transaction, incident, {"role", {}, "privacy-officer: " + name, {}}));
  const oncall::PlanPointer plan = alerts_.directory().plan();
  const oncall::Contact* contact = plan->contact(name);
  const oncall::Method* method = contact == nullptr ? nullptr : alerts::text_method(*contact);
  if (method == nullptr) return {};
  return alerts::queue_message(transaction, {.address = method->address,
                                             .text = fmt::format("Incident {} may be a breach of personal data: {}",
                                                                 incident.id, incident.title),
                                             .document = {}});
}

Result<> Book::raise_severity(store::Transaction& transaction, Incident& incident, Severity severity) const {
  const SetupPointer setup = setups_.active();
  const Criteria& criteria = setup->criteria(severity);
  const Severity before = incident.severity;
  const bool calls_louder = page_severity(severity) < page_severity(before);
  incident.severity = severity;
  incident.team = setup->team_of(severity, incident.service);
  incident.policy = setup->policy_of(severity, incident.service);
  add_runbooks(*setup, incident);
  if (severity == Severity::emergency && incident.paused_at) {
    incident.paused += transaction.now() - *incident.paused_at;
    incident.paused_at.reset();
    MYDR24_TRY(tell_of(transaction, incident, {"resumed", {}, "the clock of an emergency is never paused", {}}));
  }
  for (const ClockKind kind : clock_kinds) MYDR24_TRY(disarm(transaction, incident, kind));
  incident.clock(ClockKind::resolution).time = criteria.resolution;
  incident.clock(ClockKind::resolution).told = 0;
  if (calls_louder && incident.state != State::mitigated) {
    // Others are called: their time begins now.
    incident.state = State::open;
    incident.acknowledged_at.reset();
    incident.acknowledged_by.clear();
    incident.escalated = false;
    incident.clock(ClockKind::response) = {.start = transaction.now(), .time = criteria.response};
  } else if (!incident.acknowledged_at) {
    incident.clock(ClockKind::response).time = criteria.response;
  }
  MYDR24_TRY(tell_of(
      transaction, incident,
      {"severity", incident.severity_by, fmt::format("{} became {}", to_string(before), to_string(severity)), {}}));
  if (calls_louder) MYDR24_TRY(call_people(transaction, incident));
  MYDR24_TRY(start_clocks(transaction, incident));
  MYDR24_TRY(tell_outside(transaction, incident));
  return tell(transaction, incident, fmt::format("is now {}", to_string(severity)));
}

Result<> Book::tell_of(store::Transaction& transaction, Incident& incident, const timeline::Line& line) const {
  // Room is kept for what people do.
  constexpr std::int64_t reserve = 500;
  if (incident.entries >= timeline::entries_max - reserve) return {};
  return timeline::append(transaction, incident, line);
}

Result<> Book::link_alerts(store::Transaction& transaction, Incident& incident,
                           const std::vector<const alerts::Alert*>& found) const {
  for (const alerts::Alert* alert : found) {
    ++incident.alert_count;
    if (!alert->patient.empty() && incident.patients.size() < alerts_linked_max &&
        !contains(incident.patients, alert->patient))
      incident.patients.push_back(alert->patient);
    const bool is_linked = incident.alerts.size() < alerts_linked_max;
    if (is_linked) {
      incident.alerts.push_back(alert->id);
      MYDR24_TRY(transaction.set_state(rows::alerts, alert->id, incident.id));
    }
    // A storm is told of at 256, 512, 1024 ... alerts.
    const bool is_round = incident.alert_count >= 256 && (incident.alert_count & (incident.alert_count - 1)) == 0;
    if (!is_linked && !is_round) continue;
    std::string data;
    json::Writer(data)
        .begin_object()
        .field("alert", alert->id)
        .field("severity", alerts::to_string(alert->severity))
        .field("count", incident.alert_count)
        .end_object();
    MYDR24_TRY(tell_of(transaction, incident, {"alert", {}, alert->title, data}));
  }
  return {};
}

}  // namespace mydr24::incidents
