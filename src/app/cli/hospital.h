#pragma once

// A hospital that does not exist: patients in beds, and vital signs that move like those of people. For the
// demo, for load and for tests. The same seed gives the same people and the same course.
//
// The physiology is our own and simple: each patient has a severity between 0 (well) and 1 (critical) that
// moves the signs together, around a base that differs from person to person, with noise of each sign's own.
// Patients of the deteriorating group fall ill one after the other, reach a NEWS2 of 7 or more within
// minutes, stay there, and recover. Codes and units: FHIR R4 vital signs, US Core (pulse oximetry has both
// LOINC codes), ACVPU by SNOMED CT.
//
// Invariant: no name or number here belongs to a person; every resource is marked as test data (meta.security HTEST).

#include <chrono>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/clock.h"

namespace mydr24::cli {

struct HospitalSettings {
  std::uint64_t seed = 24;
  int patients = 60;
  int beds_per_ward = 20;
  int deteriorating = 4;
  std::chrono::seconds first_onset{15};     // from the start
  std::chrono::seconds onset_interval{40};  // between two patients that fall ill
  std::chrono::seconds decline{150};        // from well to critical
  std::chrono::seconds plateau{600};
  std::chrono::seconds recovery{900};
};

inline constexpr int hospital_patients_max = 1'000'000;

struct SimulatedResource {
  std::string type;
  std::string id;    // of Observations only when asked for
  std::string text;  // FHIR JSON
};

// What a monitor and a nurse would see. Units as in the header of clinical/vitals.
struct SimulatedSigns {
  int respiration = 0;
  int spo2 = 0;
  int oxygen_flow = 0;  // L/min, 0: air
  int systolic = 0;
  int diastolic = 0;
  int pulse = 0;
  double temperature = 0;  // tenths
  char acvpu = 'A';
};

class Hospital {
 public:
  // `start`: the time of the admissions' end, from which the course runs.
  Hospital(const HospitalSettings& settings, Instant start);

  std::size_t patients() const { return beds_.size(); }

  // Organization and Locations (wards and beds), once, before everything else.
  std::vector<SimulatedResource> buildings() const;
  // The Patient with that number, the inpatient Encounter, and what is known beside the signs: a Condition, a medicine, a report,
  // of some an allergy.
  std::vector<SimulatedResource> admission(std::size_t number) const;

  // From now on that patient gets worse; recovers. As the settings say how fast.
  void worsen(std::size_t number);
  void treat(std::size_t number);

  std::string patient_id(std::size_t number) const;

  // Moves that patient's course on to `at` (never back).
  SimulatedSigns observe(std::size_t number, Instant at);
  // The six Observations of one round. With `ids`, they have ids of their own made of seed, patient and round.
  std::vector<SimulatedResource> observations(std::size_t number, const SimulatedSigns& signs, Instant at,
                                              bool ids) const;

  static constexpr std::size_t observations_per_round = 6;

 private:
  struct Bed {
    std::mt19937_64 random;
    // The base of the person.
    double respiration, spo2, systolic, diastolic, pulse, temperature;
    double usual_severity;
    double onset_s = -1;  // -1: never
    // The course: deviations of each sign that wander and return.
    double wander[5] = {};
    double severity = 0;
    double at_s = 0;
    std::uint64_t round = 0;
  };

  double severity_at(const Bed& bed, double seconds) const;
  std::string bed_id(std::size_t number) const;
  std::string bed_name(std::size_t number) const;

  HospitalSettings settings_;
  Instant start_;
  std::vector<Bed> beds_;
};

}  // namespace mydr24::cli
