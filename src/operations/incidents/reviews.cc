// Reviews after emergencies and critical incidents: what happened, why, and what is changed so that it does not happen again.

#include <fmt/format.h>

#include <algorithm>

#include "base/core/date_time.h"
#include "operations/incidents/book.h"
#include "operations/incidents/detail/change.h"

namespace mydr24::incidents {
namespace {

Result<Review*> open_review_of(Incident& incident) {
  if (!incident.review) return fail(Code::conflict, "it has no review");
  if (incident.review->closed) return fail(Code::conflict, "its review is closed");
  return &*incident.review;
}

std::string review_timer(std::string_view id) { return fmt::format("incident.review/{}", id); }
std::string action_timer(std::string_view id, std::size_t place) {
  return fmt::format("incident.action/{}/{}", id, place);
}

Result<> set_text(const std::optional<std::string>& from, std::string& to, std::string_view where) {
  if (!from) return {};
  if (from->size() > text_bytes_max)
    return fail(Code::too_large, fmt::format("at most {} bytes", text_bytes_max), std::string(where));
  to = *from;
  return {};
}

}  // namespace

Result<> Book::open_review(store::Transaction& transaction, Incident& incident) const {
  const SetupPointer setup = setups_.active();
  if (!setup->criteria(incident.severity).needs_review()) return {};
  const Instant now = transaction.now();
  Review review{.opened = now, .due = setup->review_due(incident.severity, now)};
  if (const auto commander = incident.roles.find("commander"); commander != incident.roles.end())
    review.owner = commander->second;
  MYDR24_TRY(
      tell_of(transaction, incident, {"review_opened", {}, fmt::format("due {}", format_instant(review.due)), {}}));
  MYDR24_TRY(transaction.set_timer({review_timer(incident.id), review.due, "incident.review", incident.id}));
  incident.review = std::move(review);
  return {};
}

Result<Incident> Book::edit_review(store::Transaction& transaction, std::string_view id, const ReviewEdit& edit,
                                   std::string_view by) const {
  MYDR24_TRY(check_text(by, "by", 200));
  return change(transaction, id, [&](Incident& incident) -> Result<> {
    MYDR24_ASSIGN(Review* const review, open_review_of(incident));
    MYDR24_TRY(set_text(edit.owner, review->owner, "owner"));
    MYDR24_TRY(set_text(edit.summary, review->summary, "summary"));
    MYDR24_TRY(set_text(edit.impact, review->impact, "impact"));
    MYDR24_TRY(set_text(edit.root_cause, review->root_cause, "root_cause"));
    return timeline::append(transaction, incident, {"review", std::string(by), {}, {}});
  });
}

Result<Incident> Book::edit_action(store::Transaction& transaction, std::string_view id, const ActionEdit& edit,
                                   std::string_view by) const {
  MYDR24_TRY(check_text(by, "by", 200));
  return change(transaction, id, [&](Incident& incident) -> Result<> {
    if (!incident.review) return fail(Code::conflict, "it has no review");
    Review& review = *incident.review;
    const std::size_t place = edit.place.value_or(review.actions.size());
    if (edit.place && place >= review.actions.size())
      return fail(Code::not_found, fmt::format("there are {} actions, from 0", review.actions.size()));
    if (!edit.place) {
      MYDR24_TRY(open_review_of(incident));
      if (review.actions.size() >= actions_max)
        return fail(Code::too_large, fmt::format("at most {} actions", actions_max));
      MYDR24_TRY(check_text(edit.text.value_or(""), "text", 1'000));
      review.actions.emplace_back();
    }
    Action& action = review.actions[place];
    MYDR24_TRY(set_text(edit.text, action.text, "text"));
    MYDR24_TRY(set_text(edit.owner, action.owner, "owner"));
    // A closed review's actions keep an owner and a date.
    if (review.closed && action.owner.empty()) return fail(Code::conflict, "an action needs an owner", "owner");
    if (edit.due) {
      action.due = edit.due;
      action.overdue = false;
    }
    const std::string cause = action_timer(incident.id, place);
    if (edit.done && !action.done_at) {
      action.done_by = by;
      action.done_at = transaction.now();
    }
    if (action.done_at || edit.due) MYDR24_TRY(end_call(transaction, cause));
    MYDR24_TRY(transaction.cancel_timer(cause));
    if (!action.done_at && action.due && !action.overdue)
      MYDR24_TRY(
          transaction.set_timer({cause, *action.due, "incident.action", fmt::format("{} {}", incident.id, place)}));
    return timeline::append(transaction, incident,
                            {edit.done ? "action_done" : "action", std::string(by), action.text, {}});
  });
}

Result<Incident> Book::close_review(store::Transaction& transaction, std::string_view id, std::string_view by) const {
  MYDR24_TRY(check_text(by, "by", 200));
  return change(transaction, id, [&](Incident& incident) -> Result<> {
    MYDR24_ASSIGN(Review* const review, open_review_of(incident));
    for (const auto& [text, name] :
         {std::pair(&review->summary, "summary"), std::pair(&review->root_cause, "root_cause")})
      if (text->empty()) return fail(Code::conflict, fmt::format("the review says nothing of its {}", name), name);
    for (std::size_t i = 0; i < review->actions.size(); ++i) {
      const Action& action = review->actions[i];
      if (action.owner.empty() || !action.due)
        return fail(
            Code::conflict,
            fmt::format("action {} (\"{}\") has no {}", i, action.text, action.owner.empty() ? "owner" : "date"),
            fmt::format("actions[{}]", i));
    }
    review->closed = transaction.now();
    review->closed_by = by;
    MYDR24_TRY(transaction.cancel_timer(review_timer(incident.id)));
    MYDR24_TRY(end_call(transaction, review_timer(incident.id)));
    return timeline::append(transaction, incident, {"review_closed", std::string(by), {}, {}});
  });
}

// People are called about what is overdue, as about an incident of severity critical.
Result<> Book::call_about(store::Transaction& transaction, const Incident& incident, std::string cause,
                          std::string title) const {
  MYDR24_TRY(alerts_.raise(transaction, {.source = std::string(rows::own_source),
                                         .cause = std::move(cause),
                                         .severity = alerts::Severity::urgent,
                                         .patient = {},
                                         .title = std::move(title),
                                         .reason = fmt::format("GET /api/v1/incidents/{}", incident.id),
                                         .values = {},
                                         .policy = setups_.active()->policy_of(Severity::critical, incident.service)}));
  return {};
}

Result<> Book::end_call(store::Transaction& transaction, std::string_view cause) const {
  MYDR24_ASSIGN(const auto alert, alerts::Book::find_unresolved(transaction, cause));
  if (alert) MYDR24_TRY(alerts_.resolve(transaction, alert->id, "done"));
  return {};
}

Result<> Book::review_due(store::Transaction& transaction, std::string_view id) const {
  if (const auto found = find(transaction, id); !found)
    return found.error().code == Code::not_found ? Result<>() : Result<>(found.error());
  MYDR24_TRY(change(transaction, id, [&](Incident& incident) -> Result<> {
    if (!incident.review || incident.review->closed || incident.review->overdue) return {};
    incident.review->overdue = true;
    MYDR24_TRY(tell_of(transaction, incident, {"review_overdue", {}, {}, {}}));
    return call_about(transaction, incident, review_timer(incident.id),
                      fmt::format("The review of an incident is overdue: {}", incident.title));
  }));
  return {};
}

// The payload is "ID PLACE".
Result<> Book::action_due(store::Transaction& transaction, std::string_view payload) const {
  const auto space = payload.find(' ');
  const std::string_view id = payload.substr(0, space);
  std::size_t place = 0;
  for (const char digit : payload.substr(space + 1)) place = place * 10 + static_cast<std::size_t>(digit - '0');
  if (const auto found = find(transaction, id); !found)
    return found.error().code == Code::not_found ? Result<>() : Result<>(found.error());
  MYDR24_TRY(change(transaction, id, [&](Incident& incident) -> Result<> {
    if (!incident.review || place >= incident.review->actions.size()) return {};
    Action& action = incident.review->actions[place];
    if (action.done_at || action.overdue) return {};
    action.overdue = true;
    MYDR24_TRY(tell_of(transaction, incident, {"action_overdue", action.owner, action.text, {}}));
    return call_about(transaction, incident, action_timer(incident.id, place),
                      fmt::format("An action after an incident is overdue, of {}: {}",
                                  action.owner.empty() ? "nobody" : action.owner, action.text));
  }));
  return {};
}

}  // namespace mydr24::incidents
