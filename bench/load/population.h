#pragma once

// A made-up population for the search bench: patients with about 150 linked resources each, as NDJSON, in the sizes and
// with the spread of values that Synthea has. Invariant: the same seed and number of patients give the same bytes.
//
// Ids are UUIDs, as most servers give them.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mydr24::load {

struct Coding {
  std::string_view code;
  std::string_view display;
};

// How many there are, for checking what searches answer.
struct Census {
  std::uint64_t resources = 0;
  std::uint64_t male = 0;
  std::uint64_t observations = 0;
  std::uint64_t blood_pressures = 0;
  std::uint64_t heights = 0;
  std::uint64_t weights = 0;
  std::uint64_t pains = 0;
};

class Population {
 public:
  explicit Population(std::size_t patients, std::uint64_t seed = 24) : patients_(patients), seed_(seed) {}

  std::size_t patients() const { return patients_; }
  std::size_t practitioners() const { return std::max<std::size_t>(20, patients_ / 50); }
  std::size_t places() const {
    return std::max<std::size_t>(10, patients_ / 100);
  }  // Locations and Organizations, each

  std::string patient_id(std::size_t n) const;
  std::string practitioner_id(std::size_t n) const;
  std::string location_id(std::size_t n) const;
  std::string organization_id(std::size_t n) const;

  // All lines, in pieces of about a megabyte that end with a line.
  Census write(const std::function<void(std::string_view)>& sink) const;

 private:
  std::size_t patients_;
  std::uint64_t seed_;
};

// What the population draws from, the frequent first.
std::span<const std::string_view> family_names();
std::span<const std::string_view> given_names(bool male);
std::span<const std::string_view> cities();
std::span<const Coding> conditions();       // SNOMED CT
std::span<const Coding> procedures();       // SNOMED CT
std::span<const Coding> medications();      // RxNorm
std::span<const Coding> encounter_types();  // SNOMED CT

// A laboratory test or vital sign with the range of its values.
struct Measure {
  Coding code;  // LOINC
  std::string_view unit;
  double low = 0;
  double high = 0;
  int decimals = 0;
};
std::span<const Measure> laboratory();

}  // namespace mydr24::load
