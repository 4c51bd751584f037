#pragma once

// Alerts in the patient's chart, as FHIR: what other systems read. Follows the journal and writes through
// Records.
//   Flag           one per alert (id: the alert's): active until resolved, category safety, subject the
//   patient Communication  one per delivery that has an outcome (id: the delivery's): completed when
//   delivered, stopped when given up Task           one per call (id: alert id, "-t", round): requested,
//   completed by the acknowledgement, cancelled when it went
//                  unanswered (the next call is based on it) or the alert was resolved; restriction.period
//                  ends when the next step is called
// Alerts about no patient are not in a chart.
//
// Invariant: each resource is made from the alert's present state under a fixed id. Seeing an event twice
// writes nothing new.

#include <span>
#include <string>
#include <string_view>

#include "alerting/alerts/alert.h"
#include "clinical/records/records.h"
#include "storage/store/store.h"

namespace mydr24::vitals {

class Chart : public store::Follower {
 public:
  // `records` must outlive it.
  explicit Chart(const records::Records& records) : records_(records) {}

  std::string_view name() const override { return "vitals.chart"; }
  Result<> follow(std::span<const store::Event> events) override;

 private:
  const records::Records& records_;
};

// The resources as JSON text.
std::string flag_of(const alerts::Alert& alert);
std::string communication_of(const alerts::Alert& alert, const alerts::Delivery& delivery);
// `round` at most the alert's. What is not known of an earlier round (its due time) is left out.
std::string task_of(const alerts::Alert& alert, int round, Instant called_at);
std::string task_id(std::string_view alert_id, int round);

}  // namespace mydr24::vitals
