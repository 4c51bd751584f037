#include "app/server/emergency_patients.h"

#include "alerting/alerts/book.h"

namespace mydr24::server {
namespace {

constexpr std::size_t emergencies_max = admission::EmergencyPatients::patients_max;

std::string_view patient_id(std::string_view reference) {
  constexpr std::string_view prefix = "Patient/";
  return reference.starts_with(prefix) ? reference.substr(prefix.size()) : std::string_view();
}

}  // namespace

void EmergencyPatients::start(store::Store& store) {
  store_ = &store;
  store.add_follower(*this);
}

void EmergencyPatients::note_alert(const alerts::Alert& alert) {
  const bool is_open = alert.severity == alerts::Severity::emergency && !alert.is_resolved();
  const auto found = emergencies_.find(alert.id);
  const std::string patient(patient_id(alert.patient));
  if (is_open && found == emergencies_.end() && !patient.empty() && emergencies_.size() < emergencies_max) {
    emergencies_.emplace(alert.id, patient);
    if (++patients_[patient] == 1) known_.set(patient, true);
  } else if (!is_open && found != emergencies_.end()) {
    const auto held = patients_.find(found->second);
    if (held != patients_.end() && --held->second == 0) {
      known_.set(held->first, false);
      patients_.erase(held);
    }
    emergencies_.erase(found);
  }
}

Result<> EmergencyPatients::load(store::Reader& reader) {
  alerts::ListQuery query{.count = alerts::ListQuery::count_max};
  for (std::size_t seen = 0; seen < emergencies_max;) {
    MYDR24_ASSIGN(const auto page, alerts::Book::list(reader, query));
    for (const auto& alert : page.alerts) note_alert(alert);
    seen += page.alerts.size();
    // The most severe come first.
    if (page.next.empty() || page.alerts.back().severity != alerts::Severity::emergency) break;
    query.after = page.next;
  }
  return {};
}

Result<> EmergencyPatients::begin() {
  return store_->read([this](store::Reader& reader) { return load(reader); });
}

Result<> EmergencyPatients::follow(std::span<const store::Event> events) {
  return store_->read([&](store::Reader& reader) -> Result<> {
    for (const auto& event : events) {
      const bool changes =
          event.kind == "alert.raised" || event.kind == "alert.severity_raised" || event.kind == "alert.resolved";
      if (!changes) continue;
      const auto told = alerts::event_from_json(event.payload);
      if (!told) continue;
      MYDR24_ASSIGN(const auto alert, alerts::Book::find(reader, told->alert_id));
      if (alert) note_alert(*alert);
    }
    return {};
  });
}

}  // namespace mydr24::server
