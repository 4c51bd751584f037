// What people write down while they work on an incident and in its review.

#include "api/incident_api/detail/exchange.h"
#include "base/core/date_time.h"

namespace mydr24::incident_api {
namespace {

using incidents::Incident;
using net::Method;
using store::Transaction;

Task<> note(Service& service, pipeline::Call& call) {
  co_await change(service, call,
                  [&](Transaction& transaction, std::string_view id, json::Value body, std::string_view by) {
                    return service.book.note(transaction, id, by, body["text"].text());
                  });
}

Task<> role(Service& service, pipeline::Call& call) {
  co_await change(service, call,
                  [&](Transaction& transaction, std::string_view id, json::Value body, std::string_view by) {
                    return service.book.set_role(transaction, id, body["role"].text(), body["person"].text(), by);
                  });
}

Task<> task(Service& service, pipeline::Call& call) {
  co_await change(service, call,
                  [&](Transaction& transaction, std::string_view id, json::Value body, std::string_view by) {
                    return service.book.add_task(transaction, id, body["text"].text(), body["owner"].text(), by);
                  });
}

Task<> task_done(Service& service, pipeline::Call& call) {
  co_await change(
      service, call,
      [&](Transaction& transaction, std::string_view id, json::Value, std::string_view by) -> Result<Incident> {
        MYDR24_ASSIGN(const auto place, number_of(call.capture(1), "task"));
        return service.book.tick_task(transaction, id, place, by);
      });
}

Task<> link(Service& service, pipeline::Call& call) {
  co_await change(service, call,
                  [&](Transaction& transaction, std::string_view id, json::Value body, std::string_view by) {
                    return service.book.add_link(transaction, id, body["link"].text(), by);
                  });
}

Task<> publish(Service& service, pipeline::Call& call) {
  co_await change(service, call,
                  [&](Transaction& transaction, std::string_view id, json::Value body, std::string_view by) {
                    return service.book.publish(transaction, id, body["text"].text(), by);
                  });
}

Task<> review(Service& service, pipeline::Call& call) {
  co_await change(service, call,
                  [&](Transaction& transaction, std::string_view id, json::Value body, std::string_view by) {
                    return service.book.edit_review(transaction, id,
                                                    {.owner = given_text(body, "owner"),
                                                     .summary = given_text(body, "summary"),
                                                     .impact = given_text(body, "impact"),
                                                     .root_cause = given_text(body, "root_cause")},
                                                    by);
                  });
}

Result<incidents::Book::ActionEdit> action_of(json::Value body) {
  incidents::Book::ActionEdit edit{
      .text = given_text(body, "text"), .owner = given_text(body, "owner"), .done = body["done"].is_true()};
  if (const auto due = given_text(body, "due")) {
    const auto range = parse_date_time(*due);
    if (!range) return fail(Code::invalid, "write a time as 2026-05-10T08:00:00Z", "due");
    edit.due = range->low;
  }
  return edit;
}

Task<> add_action(Service& service, pipeline::Call& call) {
  co_await change(
      service, call,
      [&](Transaction& transaction, std::string_view id, json::Value body, std::string_view by) -> Result<Incident> {
        MYDR24_ASSIGN(const auto edit, action_of(body));
        return service.book.edit_action(transaction, id, edit, by);
      });
}

Task<> edit_action(Service& service, pipeline::Call& call) {
  co_await change(
      service, call,
      [&](Transaction& transaction, std::string_view id, json::Value body, std::string_view by) -> Result<Incident> {
        MYDR24_ASSIGN(auto edit, action_of(body));
        MYDR24_ASSIGN(edit.place, number_of(call.capture(1), "action"));
        return service.book.edit_action(transaction, id, edit, by);
      });
}

Task<> close_review(Service& service, pipeline::Call& call) {
  co_await change(service, call, [&](Transaction& transaction, std::string_view id, json::Value, std::string_view by) {
    return service.book.close_review(transaction, id, by);
  });
}

}  // namespace

void add_work_routes(pipeline::Router& router, Service& service) {
  const auto route = [&](std::string pattern, std::string name, Handler handler, std::string summary) {
    add(router, service, Method::post, "/api/v1/incidents/{id}" + pattern, std::move(name), RequestClass::urgent,
        handler, std::move(summary));
  };
  route("/notes", "incident-work-note", note, "An entry of its timeline");
  route("/roles", "incident-work-role", role, "Who commands, speaks, writes, coordinates care, guards privacy");
  route("/tasks", "incident-work-task", task, "Something to be done");
  route("/tasks/{place}/done", "incident-work-task-done", task_done, "A task, or the step of a runbook, is done");
  route("/links", "incident-work-link", link, "A link that belongs to it");
  route("/publish", "incident-work-publish", publish, "Words for the public status page");
  route("/review", "incident-work-review", review, "What the review says");
  route("/review/actions", "incident-work-review-action", add_action,
        "What is changed so that it does not happen again");
  route("/review/actions/{place}", "incident-work-review-action-edit", edit_action,
        "Its owner, its date, that it is done");
  route("/review/close", "incident-work-review-close", close_review,
        "The review is closed; every action has owner and date");
}

}  // namespace mydr24::incident_api
