#pragma once

// Sees the journal and makes incidents of it: alerts that open one or belong to one, what happens to them, requests of other
// modules, changes that begin or are rolled back.
//
// Which incident an alert belongs to: the one with its cause that is not over; else, where the rule says so (AlertRule::own),
// the one of its source that is of the same trouble; else the storm's of its service, where there is one; else a new one, and the storm's when storm_incidents were opened of the service within storm_window. So a storm of
// thousands is storm_incidents + 1 incidents of each service.
//
// A request: event "incident.request", payload {"cause", "title", "text"?, "severity"?, "service"?, "links"?: [texts]}.
// A change that failed and goes back by itself (change.rollback_begun, "ends_as" failed or validation_failed) opens one of
// severity high, cause "change/ID".
// A change that starts, goes back, ends or freezes its service (change.started, change.rollback_begun, change.finished,
// change.service_frozen), payload with "title" or "change", and "service" where it has one: told in the timelines of incidents
// that are not over, of that service or of one that depends on it.
//
// Exactly once: the last event that was seen to is written down with what came of it.

#include <map>
#include <string>
#include <vector>

#include "operations/incidents/book.h"
#include "storage/store/store.h"

namespace mydr24::incidents {

inline constexpr std::size_t storm_incidents = 5;
inline constexpr std::chrono::minutes storm_window{10};
inline constexpr std::string_view request_event = "incident.request";

class Watcher : public store::Follower {
 public:
  explicit Watcher(const Book& book) : book_(book) {}
  // Before the store's first submit; it must outlive the store.
  void start(store::Store& store);

  std::string_view name() const override { return "incidents"; }
  Result<> follow(std::span<const store::Event> events) override;

 private:
  struct Seen;   // an event that may matter, and its alert
  struct Batch;  // one transaction
  Result<std::vector<Seen>> look(std::span<const store::Event> events) const;
  Result<> take(store::Transaction& transaction, Batch& batch, const Seen& seen) const;
  Result<> take_alert(store::Transaction& transaction, Batch& batch, const Seen& seen) const;
  Result<> take_news(store::Transaction& transaction, Batch& batch, const Seen& seen) const;
  Result<bool> see_to_page(store::Transaction& transaction, Incident& incident, const store::Event& event,
                           std::string_view by) const;
  Result<> take_request(store::Transaction& transaction, Batch& batch, const Seen& seen) const;
  Result<> take_change(store::Transaction& transaction, Batch& batch, const Seen& seen) const;
  struct Said;  // of an alert, what its incident is to be
  Result<std::string> incident_for(store::Transaction& transaction, Batch& batch, const alerts::Alert& alert,
                                   const Said& said) const;
  Result<std::optional<std::string>> same_trouble(store::Transaction& transaction, Batch& batch,
                                                  const alerts::Alert& alert, const Said& said) const;
  Said said_of(const alerts::Alert& alert, const AlertRule& rule) const;
  Result<> open_for_rollback(store::Transaction& transaction, Batch& batch, json::Value change) const;

  const Book& book_;
  store::Store* store_ = nullptr;
};

}  // namespace mydr24::incidents
