// CRUD over nine linked types, in the order of the HealthSamurai FHIR server benchmark (k6/crud.js), bodies our own.
// One round is 36 requests: create the nine in order, read each, update each with one changed field, delete in
// reverse. Bar: 6,000 requests/s, p99 50 ms.

#include <fmt/format.h>

#include <array>

#include "app/load/bodies.h"
#include "load/bench.h"
#include "load/flows.h"

namespace mydr24::load {
namespace {

enum Kind : std::size_t {
  a_patient,
  a_location,
  an_organization,
  a_practitioner,
  an_encounter,
  an_observation,
  a_medication_request,
  a_claim,
  an_explanation,
  kind_count
};

constexpr std::array<std::string_view, kind_count> types{"Patient",           "Location",  "Organization",
                                                         "Practitioner",      "Encounter", "Observation",
                                                         "MedicationRequest", "Claim",     "ExplanationOfBenefit"};

class CrudFlow : public Flow {
 public:
  explicit CrudFlow(std::size_t number) : number_(number) {}

  bool next(std::string& out) override {
    if (step_ == 0) ++round_;
    const std::size_t phase = step_ / kind_count;
    const std::size_t place = step_ % kind_count;
    const std::size_t kind = phase == 3 ? kind_count - 1 - place : place;
    target_ = "/fhir/R4/";
    target_.append(phase == 0 ? types[kind] : std::string_view(references_[kind]));
    body_.clear();
    if (phase == 0 || phase == 2) append_body(kind, phase == 2);
    constexpr std::array<std::string_view, 4> methods{"POST", "GET", "PUT", "DELETE"};
    append_request(out, methods[phase], target_, body_);
    return true;
  }

  bool answered(const Answer& answer) override {
    const std::size_t phase = step_ / kind_count;
    if (phase == 0) {
      if (answer.status != 201 || !take_reference(types[step_ % kind_count], answer.location)) return restart();
    } else if (answer.status != 200 && !(phase == 3 && answer.status == 204)) {
      return restart();
    }
    step_ = (step_ + 1) % (4 * kind_count);
    return true;
  }

  void lost() override { restart(); }

 private:
  bool restart() {
    step_ = 0;
    return false;
  }

  // http://host/fhir/R4/Patient/ID/_history/1
  bool take_reference(std::string_view type, std::string_view location) {
    const std::size_t at = location.find(fmt::format("/{}/", type));
    if (at == std::string_view::npos) return false;
    const std::string_view rest = location.substr(at + 1);
    const std::size_t end = rest.find('/', type.size() + 1);
    references_[step_ % kind_count] = rest.substr(0, end);
    return true;
  }

  void append_body(std::size_t kind, bool changed) {
    const std::string& reference = references_[kind];
    const std::string id = changed ? id_member(std::string_view(reference).substr(types[kind].size() + 1)) : "";
    const std::string n = fmt::format("{}", number_ * 1'000'000 + round_);
    const auto& to = references_;
    switch (kind) {
      case a_patient:
        return patient().append(body_, {{"id", id}, {"n", n}, {"gender", changed ? "male" : "female"}});
      case a_location:
        return location().append(body_, {{"id", id}, {"n", n}, {"name", changed ? "Ward 2 West" : "Ward 2 East"}});
      case an_organization:
        return organization().append(
            body_, {{"id", id}, {"n", n}, {"name", changed ? "Charles Bank Clinic" : "Charles Bank Hospital"}});
      case a_practitioner:
        return practitioner().append(body_, {{"id", id}, {"n", n}, {"gender", changed ? "unknown" : "male"}});
      case an_encounter:
        return encounter().append(body_, {{"id", id},
                                          {"status", changed ? "finished" : "in-progress"},
                                          {"patient", to[a_patient]},
                                          {"practitioner", to[a_practitioner]},
                                          {"organization", to[an_organization]},
                                          {"location", to[a_location]}});
      case an_observation:
        return pain_score().append(
            body_, {{"id", id},
                    {"issued", changed ? "2023-04-11T09:30:00.000-04:00" : "2023-04-11T09:12:44.000-04:00"},
                    {"patient", to[a_patient]},
                    {"encounter", to[an_encounter]}});
      case a_medication_request:
        return medication_request().append(body_, {{"id", id},
                                                   {"status", changed ? "stopped" : "active"},
                                                   {"patient", to[a_patient]},
                                                   {"encounter", to[an_encounter]},
                                                   {"practitioner", to[a_practitioner]}});
      case a_claim:
        return claim().append(body_, {{"id", id},
                                      {"created", changed ? "2023-04-12T08:00:00-04:00" : "2023-04-11T09:42:44-04:00"},
                                      {"patient", to[a_patient]},
                                      {"organization", to[an_organization]},
                                      {"medication_request", to[a_medication_request]},
                                      {"encounter", to[an_encounter]}});
      default:
        return explanation_of_benefit().append(
            body_, {{"id", id},
                    {"created", changed ? "2023-04-12T08:00:00-04:00" : "2023-04-11T09:42:44-04:00"},
                    {"patient", to[a_patient]},
                    {"practitioner", to[a_practitioner]},
                    {"organization", to[an_organization]},
                    {"location", to[a_location]},
                    {"claim", to[a_claim]},
                    {"encounter", to[an_encounter]}});
    }
  }

  std::size_t number_;
  std::size_t round_ = 0;
  std::size_t step_ = 0;
  std::array<std::string, kind_count> references_;
  std::string target_;
  std::string body_;
};

Result<Report> measure(const Options& options) {
  Bed bed;
  MYDR24_TRY(start_server(options, bed));
  Report report;
  if (!options.value("--store").empty()) report.store = "postgres";
  measure_flows(options, bed,
                make_flows(options.connections, [](std::size_t i) { return std::make_unique<CrudFlow>(i); }), report,
                ">= 6000", "<= 50");
  report.note = fmt::format("{} clients", options.connections);
  return report;
}

}  // namespace
}  // namespace mydr24::load

int main(int argc, char** argv) {
  return mydr24::load::run_bench(argc, argv,
                                 {.name = "crud",
                                  .about = "create, read, update, delete of nine linked types",
                                  .seconds = 15,
                                  .values = {"--store"}},
                                 mydr24::load::measure);
}
