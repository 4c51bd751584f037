#pragma once

// The resources that benches and tests send: valid R4 of our own writing, in the size and shape that Synthea
// makes (0.7 to 2.5 kB), with places for what differs from one to the next.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mydr24::load {

// JSON text with places written ${name}; kept as compact text cut at the places, so that filling is copying.
class Body {
 public:
  explicit Body(std::string_view json);

  using Values = std::initializer_list<std::pair<std::string_view, std::string_view>>;
  // Every place of a name gets its value, as written: quotes are part of the template. A place without a
  // value is empty.
  void append(std::string& out, Values values) const;
  std::string fill(Values values) const;

 private:
  struct Piece {
    std::string text;
    std::string place;  // after the text; empty at the end
  };
  std::vector<Piece> pieces_;
};

// Places: ${id} in all (empty, or a member `"id":"x",` made by id_member); what else is said at each.
const Body& patient();                 // n (a number that makes names and identifiers differ), gender
const Body& location();                // n, name
const Body& organization();            // n, name
const Body& practitioner();            // n, gender
const Body& encounter();               // status, patient, practitioner, organization, location (references)
const Body& pain_score();              // issued, patient, encounter: vital-signs, LOINC 72514-3
const Body& medication_request();      // status, patient, encounter, practitioner
const Body& claim();                   // created, patient, organization, medication_request, encounter
const Body& explanation_of_benefit();  // created, patient, practitioner, organization, location, claim, encounter
const Body& condition();               // patient, encounter
const Body& heart_rate();              // patient, value, at: a normal pulse raises nothing
const Body& oxygen_saturation();       // patient, value, at: 91 and below is three points of NEWS2
const Body& small_encounter();         // patient, at

// `"id":"x",`
std::string id_member(std::string_view id);

// A transaction of one Patient and `linked` Observations, Encounters and Conditions that refer to it and to
// one another by urn:uuid. One place: n. `at` is the time of the observations.
Body linked_transaction(std::size_t linked, std::string_view at);

// A transaction of Patients with the ids prefix-0 ... prefix-(count-1), by PUT.
std::string patients_transaction(std::string_view prefix, std::size_t first, std::size_t count);

// `count` lines of NDJSON with ids of their own: for every 20 resources one Patient, the others its
// Observations, Encounters and Conditions. `ids` gets "Type/id" of each when not null.
std::string ndjson(std::size_t count, std::string_view at, std::vector<std::string>* ids = nullptr);

}  // namespace mydr24::load
