#include "load/search_blend.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/json/document.h"

namespace mydr24::load {
namespace {

constexpr std::array<Query, 30> all{{
    {"capability_statement", "metadata"},
    {"observation_search_default", "Observation?_count=10"},
    {"observation_search_total_accurate", "Observation?_count=1&_total=accurate"},
    {"observation_by_code", "Observation?code=http://loinc.org%7C8480-6&_count=1&_total=accurate"},
    {"q1_uscore_observation_combo", "Observation?combo-code=http://loinc.org%7C8480-6&_count=1&_total=accurate"},
    {"patient_by_gender", "Patient?gender=male&_count=5&_total=accurate"},
    {"patient_by_family_prefix", "Patient?family=S&_count=5"},
    {"patient_by_given_prefix", "Patient?given=A&_count=5"},
    {"patient_by_gender_family", "Patient?gender=female&family=B&_count=5"},
    {"observation_by_height", "Observation?code=http://loinc.org%7C8302-2&_count=5&_total=accurate"},
    {"observation_by_weight", "Observation?code=http://loinc.org%7C29463-7&_count=5&_total=accurate"},
    {"observation_by_pain", "Observation?code=http://loinc.org%7C72514-3&_count=5&_total=accurate"},
    {"observation_recent", "Observation?date=ge2020-01-01&_count=5"},
    {"patient_read_by_id", "Patient/{patient}"},
    {"patient_by_family_exact", "Patient?family={family}&_count=5"},
    {"observations_for_patient", "Observation?patient=Patient/{patient}&_count=20"},
    {"conditions_for_patient", "Condition?patient=Patient/{patient}"},
    {"condition_by_code", "Condition?code={condition}&_count=5"},
    {"procedure_by_code", "Procedure?code={procedure}&_count=5"},
    {"encounter_by_patient", "Encounter?patient=Patient/{patient}&_count=10"},
    {"medication_request_by_patient", "MedicationRequest?patient=Patient/{patient}&_count=10"},
    {"encounter_by_practitioner", "Encounter?participant=Practitioner/{practitioner}&_count=10"},
    {"encounter_by_location", "Encounter?location=Location/{location}&_count=10"},
    {"patient_content", "Patient?_content=Smith&_count=5"},
    {"observation_content", "Observation?_content=blood&_count=5"},
    {"condition_content", "Condition?_content=hypertension&_count=5"},
    {"patient_name_text", "Patient?name:text=ohn&_count=5"},
    {"patient_address_text", "Patient?address:text=Boston&_count=5"},
    {"patient_text", "Patient?_text=Smith&_count=5"},
    {"condition_code_text", "Condition?code:text=hypertensive&_count=5"},
}};

// What Bundle.total must be; nothing where it is not known or not asked for.
std::optional<std::uint64_t> expected_total(std::string_view name, const Census& census) {
  if (name == "observation_search_total_accurate") return census.observations;
  if (name == "observation_by_code") return 0;  // 8480-6 is a component's code only
  if (name == "q1_uscore_observation_combo") return census.blood_pressures;
  if (name == "patient_by_gender") return census.male;
  if (name == "observation_by_height") return census.heights;
  if (name == "observation_by_weight") return census.weights;
  if (name == "observation_by_pain") return census.pains;
  return std::nullopt;
}

void append_encoded(std::string_view text, std::string& out) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7f && c != '&' && c != '#' && c != '+' && c != '%') {
      out.push_back(c);
    } else {
      fmt::format_to(std::back_inserter(out), "%{:02X}", byte);
    }
  }
}

}  // namespace

Blend::Blend(const Population& population, const Census& census) : population_(population), census_(census) {}

std::span<const Query> Blend::queries() const { return all; }

void Blend::append_value(std::string_view place, std::minstd_rand& random, std::string& out) const {
  const auto below = [&](std::size_t limit) { return random() % limit; };
  if (place == "patient") {
    out.append(population_.patient_id(below(population_.patients())));
  } else if (place == "practitioner") {
    out.append(population_.practitioner_id(below(population_.practitioners())));
  } else if (place == "location") {
    out.append(population_.location_id(below(population_.places())));
  } else if (place == "family") {
    append_encoded(family_names()[below(family_names().size())], out);
  } else if (place == "condition") {
    out.append(conditions()[below(conditions().size())].code);
  } else {
    out.append(procedures()[below(procedures().size())].code);
  }
}

void Blend::append_target(std::size_t query, std::minstd_rand& random, std::string& out) const {
  std::string_view target = all[query].target;
  const std::size_t open = target.find('{');
  if (open == std::string_view::npos) {
    out.append(target);
    return;
  }
  const std::size_t close = target.find('}');
  out.append(target.substr(0, open));
  append_value(target.substr(open + 1, close - open - 1), random, out);
  out.append(target.substr(close + 1));
}

Result<> Blend::check(HttpClient& client) const {
  std::minstd_rand random(7);
  std::string wrong;
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::string target = "/fhir/R4/";
    append_target(i, random, target);
    MYDR24_ASSIGN(const Reply reply, client.get(target));
    if (reply.status != 200) {
      wrong += fmt::format("\n{}: {} {}", target, reply.status, reply.body.substr(0, 300));
      continue;
    }
    const auto expected = expected_total(all[i].name, census_);
    if (!expected) continue;
    const auto bundle = json::Document::parse_view(reply.body);
    const std::string total = bundle ? std::string(bundle->root()["total"].text()) : std::string();
    if (total != std::to_string(*expected))
      wrong += fmt::format("\n{}: total {}, there are {}", target, total, *expected);
  }
  if (wrong.empty()) return {};
  return fail(Code::unprocessable, "some searches are not answered as they should be:" + wrong);
}

}  // namespace mydr24::load
