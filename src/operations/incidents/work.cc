// What people write down while they work on it: notes, roles, tasks, links, words for the public.

#include <fmt/format.h>

#include <algorithm>

#include "operations/incidents/book.h"
#include "operations/incidents/detail/change.h"

namespace mydr24::incidents {
namespace {

constexpr std::size_t name_bytes_max = 200;

Result<> check_by(std::string_view by) { return check_text(by, "by", name_bytes_max); }

Result<> must_not_be_closed(const Incident& incident) {
  if (incident.state == State::closed) return fail(Code::conflict, "it is closed");
  return {};
}

}  // namespace

Result<Incident> Book::note(store::Transaction& transaction, std::string_view id, std::string_view by,
                            std::string_view text) const {
  MYDR24_TRY(check_by(by));
  MYDR24_TRY(check_text(text, "text"));
  return change(transaction, id, [&](Incident& incident) -> Result<> {
    MYDR24_TRY(must_not_be_closed(incident));
    return timeline::append(transaction, incident, {"note", std::string(by), std::string(text), {}});
  });
}

Result<Incident> Book::set_role(store::Transaction& transaction, std::string_view id, std::string_view role,
                                std::string_view person, std::string_view by) const {
  MYDR24_TRY(check_by(by));
  if (!contains(role_names, role))
    return fail(Code::invalid, fmt::format("it is one of {}", fmt::join(role_names, ", ")), "role");
  if (person.size() > name_bytes_max) return fail(Code::too_large, "the name is too long", "person");
  return change(transaction, id, [&](Incident& incident) -> Result<> {
    MYDR24_TRY(must_not_be_closed(incident));
    if (person.empty())
      incident.roles.erase(std::string(role));
    else
      incident.roles[std::string(role)] = person;
    return timeline::append(
        transaction, incident,
        {"role", std::string(by), fmt::format("{}: {}", role, person.empty() ? "nobody" : person), {}});
  });
}

Result<Incident> Book::add_task(store::Transaction& transaction, std::string_view id, std::string_view text,
                                std::string_view owner, std::string_view by) const {
  MYDR24_TRY(check_by(by));
  MYDR24_TRY(check_text(text, "text", 1'000));
  if (owner.size() > name_bytes_max) return fail(Code::too_large, "the name is too long", "owner");
  return change(transaction, id, [&](Incident& incident) -> Result<> {
    MYDR24_TRY(must_not_be_closed(incident));
    if (incident.tasks.size() >= tasks_max) return fail(Code::too_large, fmt::format("at most {} tasks", tasks_max));
    incident.tasks.push_back({std::string(text), {}, std::string(owner), {}, {}});
    return timeline::append(transaction, incident, {"task", std::string(by), std::string(text), {}});
  });
}

Result<Incident> Book::tick_task(store::Transaction& transaction, std::string_view id, std::size_t place,
                                 std::string_view by) const {
  MYDR24_TRY(check_by(by));
  return change(transaction, id, [&](Incident& incident) -> Result<> {
    MYDR24_TRY(must_not_be_closed(incident));
    if (place >= incident.tasks.size())
      return fail(Code::not_found, fmt::format("there are {} tasks, from 0", incident.tasks.size()));
    ToDo& task = incident.tasks[place];
    if (task.done_at) return fail(Code::conflict, fmt::format("{} has done it", task.done_by));
    task.done_by = by;
    task.done_at = transaction.now();
    return timeline::append(transaction, incident, {"task_done", std::string(by), task.text, {}});
  });
}

Result<Incident> Book::add_link(store::Transaction& transaction, std::string_view id, std::string_view link,
                                std::string_view by) const {
  MYDR24_TRY(check_by(by));
  MYDR24_TRY(check_text(link, "link", 2'000));
  return change(transaction, id, [&](Incident& incident) -> Result<> {
    MYDR24_TRY(must_not_be_closed(incident));
    if (incident.links.size() >= links_max) return fail(Code::too_large, fmt::format("at most {} links", links_max));
    if (contains(incident.links, link)) return {};
    incident.links.emplace_back(link);
    return timeline::append(transaction, incident, {"link", std::string(by), std::string(link), {}});
  });
}

Result<Incident> Book::publish(store::Transaction& transaction, std::string_view id, std::string_view text,
                               std::string_view by) const {
  MYDR24_TRY(check_by(by));
  MYDR24_TRY(check_text(text, "text", 2'000));
  return change(transaction, id, [&](Incident& incident) -> Result<> {
    MYDR24_TRY(must_not_be_closed(incident));
    if (incident.publications.size() >= publications_max)
      return fail(Code::too_large, fmt::format("at most {} publications", publications_max));
    incident.publications.push_back({transaction.now(), std::string(text)});
    return timeline::append(transaction, incident, {"published", std::string(by), std::string(text), {}});
  });
}

}  // namespace mydr24::incidents
