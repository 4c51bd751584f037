#pragma once

// The patients of one tenant with an open emergency, as its journal tells of them, for admission.

#include <map>
#include <string>

#include "alerting/alerts/alert.h"
#include "guard/admission/patients.h"
#include "storage/store/store.h"

namespace mydr24::server {

class EmergencyPatients final : public store::Follower {
 public:
  // Follows the emergencies, of whichever server of the store they are. The store outlives it, or is closed first.
  void start(store::Store& store);
  const admission::EmergencyPatients& known() const { return known_; }

  std::string_view name() const override { return "admission"; }
  bool in_every_process() const override { return true; }
  // Reads the emergencies that are open.
  Result<> begin() override;
  Result<> follow(std::span<const store::Event> events) override;

 private:
  Result<> load(store::Reader& reader);
  void note_alert(const alerts::Alert& alert);

  store::Store* store_ = nullptr;
  admission::EmergencyPatients known_;
  std::map<std::string, std::string> emergencies_;  // alert to patient; of the follower's thread
  std::map<std::string, std::size_t> patients_;     // how many of them a patient has
};

}  // namespace mydr24::server
