#include "alerting/alerts/unwritten.h"

#include <utility>
#include <vector>

#include "storage/store/rehearsal.h"

namespace mydr24::alerts {
namespace {

bool calls_people(const store::Event& event) {
  return event.kind == "alert.raised" || event.kind == "alert.severity_raised" || event.kind == "alert.moved";
}

Raise raise_of(const Alert& alert) {
  return {.source = alert.source,
          .cause = alert.cause,
          .severity = alert.severity,
          .patient = alert.patient,
          .title = alert.title,
          .reason = alert.reason + " (what was sent could not be stored)",
          .values = alert.values,
          .policy = alert.policy_named ? alert.policy : std::string()};
}

}  // namespace

void Unwritten::rehearse(const Work& work) {
  std::vector<Alert> found;
  // Where nothing can be read either, nothing can be said of it: the answer tells the sender.
  (void)store_.read([&](store::Reader& reader) -> Result<> {
    store::Rehearsal rehearsal(reader, clock_.now());
    MYDR24_TRY(work(rehearsal));
    for (const store::Event& event : rehearsal.noted()) {
      if (!calls_people(event)) continue;
      MYDR24_ASSIGN(const AlertEvent told, event_from_json(event.payload));
      MYDR24_ASSIGN(std::optional<Alert> alert, Book::find(rehearsal, told.alert_id));
      if (alert && alert->severity == Severity::emergency && alert->state == State::open && !alert->held_until)
        found.push_back(std::move(*alert));
    }
    return {};
  });
  for (const Alert& alert : found)
    take(raise_of(alert), {.id = alert.id, .title = alert.title, .raised_at = clock_.now()});
}

void Unwritten::take(Raise raise, Unrecorded emergency) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.contains(raise.cause)) return;
    if (waiting_.size() < kept_max) {
      const std::string cause = raise.cause;
      waiting_.emplace(cause, Waiting{std::move(raise), emergency, clock_.steady() + call_again});
      count_ = static_cast<std::int64_t>(waiting_.size());
    }
  }
  call_(std::move(emergency));
}

void Unwritten::tick() {
  if (count_ == 0) return;
  std::vector<Unrecorded> due;
  std::vector<Raise> unwritten;
  {
    const std::lock_guard lock(mutex_);
    const auto now = clock_.steady();
    const bool writes = now >= next_write_;
    if (writes) next_write_ = now + write_again;
    for (auto& [cause, each] : waiting_) {
      if (now >= each.next_call) {
        each.next_call = now + call_again;
        ++each.emergency.round;
        due.push_back(each.emergency);
      }
      if (writes && !std::exchange(each.writing, true)) unwritten.push_back(each.raise);
    }
  }
  for (Unrecorded& emergency : due) call_(std::move(emergency));
  for (const Raise& raise : unwritten)
    store_.submit(
        RequestClass::emergency, [this, raise](store::Transaction& transaction) { return write(transaction, raise); },
        [this, cause = raise.cause](const Result<>& result) { written(cause, result); });
}

Result<> Unwritten::write(store::Transaction& transaction, const Raise& raise) const {
  // Its sender may have been quicker.
  MYDR24_ASSIGN(const auto there, Book::find_unresolved(transaction, raise.cause));
  if (there && there->severity == Severity::emergency) return {};
  MYDR24_TRY(book_.raise(transaction, raise));
  return {};
}

void Unwritten::written(const std::string& cause, const Result<>& result) {
  const std::lock_guard lock(mutex_);
  const auto each = waiting_.find(cause);
  if (each == waiting_.end()) return;
  if (result)
    waiting_.erase(each);
  else
    each->second.writing = false;
  count_ = static_cast<std::int64_t>(waiting_.size());
}

}  // namespace mydr24::alerts
