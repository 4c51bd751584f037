#include "app/server/incidents.h"

#include <fmt/format.h>

#include <algorithm>

#include "clinical/records/rewrite.h"

namespace mydr24::server {

IncidentDesk::IncidentDesk(const alerts::Book& alerts, records::Records& records, notify::ConsoleHub& hub,
                           WorkerPool& workers, const Clock& clock)
    : records_(records),
      hub_(hub),
      book_(alerts, setups_),
      watcher_(book_),
      safety_(records),
      api_{records.store(),
           book_,
           alerts,
           workers,
           clock,
           [&records](const Error& error, const records::Records::Work& work) { records.not_stored(error, work); }} {
  book_.count_patients_with(
      [this](store::Reader& reader, std::string_view location) { return count_patients(reader, location); });
}

Result<> IncidentDesk::start() {
  store::Store& store = records_.store();
  MYDR24_TRY(setups_.load(store));
  book_.attach(store);
  watcher_.start(store);
  store.add_follower(safety_);
  store.add_follower(*this);
  return {};
}

void IncidentDesk::add_routes(pipeline::Router& router) { incident_api::add_routes(router, api_); }

void IncidentDesk::add_metrics(telemetry::Metrics& metrics) {
  const auto emergencies = metrics.gauge("incidents_open_emergencies", "Emergencies among incidents that are not over");
  const auto rejected = metrics.gauge("incident_safety_events_rejected", "AdverseEvents that validation did not pass");
  metrics.before_expose([=, this] {
    std::size_t count = 0;
    const auto read = records_.store().read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(const auto ids, incidents::Book::open_emergencies(reader, 1'000));
      count = ids.size();
      return {};
    });
    if (read) emergencies.set(static_cast<double>(count));
    rejected.set(static_cast<double>(safety_.rejected()));
  });
}

Result<> IncidentDesk::follow(std::span<const store::Event> events) {
  for (const store::Event& event : events) {
    if (!event.kind.starts_with("incident.") || event.kind == incidents::request_event) continue;
    if (event.kind == "incident.setup_activated")
      MYDR24_TRY(setups_.load(records_.store()));
    else
      hub_.publish(event.kind, event.payload);
  }
  return {};
}

Result<std::int64_t> IncidentDesk::count_patients(store::Reader& reader, std::string_view location) const {
  const auto definitions = records_.definitions();
  MYDR24_ASSIGN(auto query,
                records::parse_criteria(fmt::format("Encounter?status=in-progress&location=Location/{}", location),
                                        definitions->catalogue));
  query.count = 0;  // only how many there are
  query.total = search::Total::accurate;
  MYDR24_ASSIGN(const auto page, reader.search(query));
  return page.total.value_or(0);
}

}  // namespace mydr24::server
