#pragma once

// Patient safety events in the record: an AdverseEvent (R4) for each patient whom an incident touched by an alert, as far as
// the incident names them. Its id is made from the incident's, so that it is written once.

#include <atomic>
#include <string>
#include <string_view>

#include "clinical/records/records.h"
#include "operations/incidents/incident.h"
#include "storage/store/store.h"

namespace mydr24::incidents {

std::string adverse_event_id(std::string_view incident, std::size_t patient);
std::string adverse_event_of(const Incident& incident, std::size_t patient);

class SafetyEvents : public store::Follower {
 public:
  // `records` must outlive it.
  explicit SafetyEvents(records::Records& records) : records_(records) {}
  std::string_view name() const override { return "incidents.safety"; }
  Result<> follow(std::span<const store::Event> events) override;
  std::int64_t rejected() const { return rejected_; }  // that validation did not let pass

 private:
  records::Records& records_;
  std::atomic<std::int64_t> rejected_ = 0;
};

}  // namespace mydr24::incidents
