#pragma once

// Alerts in the patient's chart, as FHIR: what other systems read. Follows the journal and writes through Records.
//   Flag           one per alert (id: the alert's): active until resolved, category safety, subject the patient
//   Communication  one per delivery that has an outcome (id: the delivery's): completed when delivered, stopped when
//                  given up
//   Task           one per call (id: the alert's, "-t", the round): requested; completed by the acknowledgement, failed
//                  when it went unanswered (the next is based on it), cancelled when the alert was resolved before
//                  anyone answered; restriction.period ends when the next step is called
// Alerts about no patient are not in a chart.
//
// Invariant: each resource is made from the alert's present state under a fixed id. Seeing an event twice writes
// nothing new.

#include <atomic>
#include <cstdint>
#include <set>
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
  // Blocks for one write. What Records does not accept is counted and left out: it would not be accepted later either.
  Result<> follow(std::span<const store::Event> events) override;

  std::int64_t rejected() const { return rejected_; }

 private:
  // What a batch of events asks to be written.
  struct Wanted {
    std::set<std::string> flags;                  // alert ids
    std::set<std::string> communications;         // delivery ids
    std::set<std::pair<std::string, int>> tasks;  // alert id, round
  };
  struct Text {
    std::string type;
    std::string id;
    std::string json;
  };
  static Wanted read_events(std::span<const store::Event> events);
  static Result<std::vector<Text>> make_texts(store::Reader& reader, const Wanted& wanted);

  const records::Records& records_;
  std::atomic<std::int64_t> rejected_ = 0;
};

// The resources as JSON text.
std::string flag_of(const alerts::Alert& alert);
// `delivery` is delivered or failed.
std::string communication_of(const alerts::Alert& alert, const alerts::Delivery& delivery);
// `delivery`: one of the round's, for its times.
std::string task_of(const alerts::Alert& alert, const alerts::Delivery& delivery);
std::string task_id(std::string_view alert_id, int round);

}  // namespace mydr24::vitals
