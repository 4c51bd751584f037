#include "clinical/vitals/signs.h"

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <expected>

#include "base/core/date_time.h"

namespace mydr24::vitals {
namespace {

constexpr std::string_view loinc = "http://loinc.org";
constexpr std::string_view snomed = "http://snomed.info/sct";
constexpr std::string_view own = "https://mydr24.org/fhir/CodeSystem/vitals";
constexpr std::string_view ucum = "http://unitsofmeasure.org";

// How the value of a coded thing is read.
enum class Form : std::uint8_t {
  rate,
  percent,
  pressure,
  temperature,
  oxygen_flow,
  oxygen_concentration,
  letter,
  coma_score,
  coma_part,
  cells,
  scale,
  scale_1,
  scale_2,
  pregnancy,
  panel,
};

struct Known {
  std::string_view system;
  std::string_view code;
  Form form;
  Sign sign;
};

constexpr std::array known_codes{
    Known{loinc, "8867-4", Form::rate, Sign::pulse},
    Known{loinc, "9279-1", Form::rate, Sign::respiration},
    Known{loinc, "2708-6", Form::percent, Sign::spo2},
    Known{loinc, "59408-5", Form::percent, Sign::spo2},
    Known{loinc, "8310-5", Form::temperature, Sign::temperature},
    Known{loinc, "8480-6", Form::pressure, Sign::systolic},
    Known{loinc, "85354-9", Form::panel, Sign::systolic},
    Known{loinc, "85353-1", Form::panel, Sign::systolic},
    Known{loinc, "3151-8", Form::oxygen_flow, Sign::oxygen},
    Known{loinc, "3150-0", Form::oxygen_concentration, Sign::oxygen},
    Known{loinc, "3150-6", Form::oxygen_concentration, Sign::oxygen},
    Known{loinc, "67775-7", Form::letter, Sign::consciousness},
    Known{loinc, "9269-2", Form::coma_score, Sign::coma_score},
    Known{loinc, "9267-6", Form::coma_part, Sign::coma_eyes},
    Known{loinc, "9270-0", Form::coma_part, Sign::coma_verbal},
    Known{loinc, "9268-4", Form::coma_part, Sign::coma_motor},
    Known{loinc, "8889-8", Form::rate, Sign::pulse_oximetry},
    Known{loinc, "6690-2", Form::cells, Sign::leukocytes},
    Known{loinc, "26464-8", Form::cells, Sign::leukocytes},
    Known{loinc, "804-5", Form::cells, Sign::leukocytes},
    Known{loinc, "764-1", Form::percent, Sign::bands},
    Known{loinc, "26508-2", Form::percent, Sign::bands},
    Known{loinc, "2019-8", Form::pressure, Sign::paco2},
    Known{loinc, "82810-3", Form::pregnancy, Sign::pregnancy},
    Known{snomed, "1104441000000107", Form::letter, Sign::consciousness},
    Known{snomed, "1104311000000102", Form::scale_1, Sign::spo2_scale},
    Known{snomed, "1104321000000108", Form::scale_2, Sign::spo2_scale},
    Known{own, "spo2-scale", Form::scale, Sign::spo2_scale},
};

const Known* find_known(json::Value concept_value) {
  for (const json::Value coding : concept_value["coding"]) {
    const std::string_view system = coding["system"].text();
    if (system != loinc && system != snomed && system != own) continue;
    const std::string_view code = coding["code"].text();
    for (const Known& known : known_codes)
      if (known.code == code && known.system == system) return &known;
  }
  return nullptr;
}

std::optional<double> number(json::Value value) {
  if (!value.is_number()) return std::nullopt;
  const std::string_view text = value.text();
  double parsed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), parsed);
  if (error != std::errc{} || !std::isfinite(parsed)) return std::nullopt;
  return parsed;
}

// Without UCUM annotations and blanks: "{beats}/min" is "/min".
std::string bare_unit(std::string_view text) {
  std::string unit;
  bool annotation = false;
  for (const char c : text) {
    if (c == '{') annotation = true;
    if (!annotation && c != ' ') unit += c;
    if (c == '}') annotation = false;
  }
  return unit;
}

struct Quantity {
  double value = 0;
  std::string unit;  // bare; empty: none given
};

// The code counts when it is UCUM (or claims to be, without a system), else the text for people.
Quantity read_quantity(json::Value quantity, double value) {
  const std::string_view system = quantity["system"].text();
  std::string_view unit = system.empty() || system == ucum ? quantity["code"].text() : std::string_view();
  if (unit.empty()) unit = quantity["unit"].text();
  return {value, bare_unit(unit)};
}

template <std::size_t n>
bool is_one_of(std::string_view text, const std::array<std::string_view, n>& words) {
  for (const std::string_view word : words)
    if (text == word) return true;
  return false;
}

// A value in the canonical unit, or why there is none.
using Canonical = std::expected<double, std::string>;

Canonical unknown_unit(const Quantity& quantity) {
  if (quantity.unit.empty()) return std::unexpected("no unit");
  return std::unexpected(fmt::format("unit \"{}\" is not known for it", quantity.unit));
}

Canonical as_rate(const Quantity& quantity) {
  constexpr std::array<std::string_view, 13> names{
      "/min",         "1/min",       "min-1",     "min^-1", "bpm",     "BPM", "breaths/minute",
      "beats/minute", "breaths/min", "beats/min", "br/min", "/minute", ""};
  if (is_one_of(quantity.unit, names)) return quantity.value;
  return unknown_unit(quantity);
}

Canonical as_percent(const Quantity& quantity) {
  if (quantity.unit == "%" || quantity.unit == "percent") return quantity.value;
  if (quantity.unit == "1" && quantity.value <= 1) return quantity.value * 100;
  if (quantity.unit.empty() && quantity.value > 1) return quantity.value;
  return unknown_unit(quantity);
}

Canonical as_pressure(const Quantity& quantity) {
  constexpr double mmhg_in_kpa = 7.500616827;
  if (quantity.unit == "mm[Hg]" || quantity.unit == "mmHg" || quantity.unit == "mmhg") return quantity.value;
  if (quantity.unit == "kPa") return quantity.value * mmhg_in_kpa;
  return unknown_unit(quantity);
}

Canonical as_celsius(const Quantity& quantity) {
  constexpr std::array<std::string_view, 5> celsius{"Cel", "°C", "C", "degC", "DegC"};
  constexpr std::array<std::string_view, 5> fahrenheit{"[degF]", "°F", "F", "degF", "DegF"};
  constexpr double fahrenheit_min = 50;
  if (is_one_of(quantity.unit, celsius)) return quantity.value;
  if (quantity.unit == "K") return quantity.value - 273.15;
  if (!is_one_of(quantity.unit, fahrenheit)) return unknown_unit(quantity);
  if (quantity.value < fahrenheit_min)
    return std::unexpected(fmt::format("{} is implausible as Fahrenheit: not converted", quantity.value));
  return (quantity.value - 32) * 5 / 9;
}

Canonical as_oxygen_flow(const Quantity& quantity) {
  if (quantity.value < 0 || quantity.value > 100) return std::unexpected(fmt::format("a flow of {}", quantity.value));
  return quantity.value > 0 ? 1 : 0;
}

Canonical as_oxygen_concentration(const Quantity& quantity) {
  constexpr double air_percent_max = 21;
  const Canonical percent = as_percent(quantity);
  if (!percent) return percent;
  if (*percent < 15 || *percent > 100) return std::unexpected(fmt::format("a concentration of {} %", *percent));
  return *percent > air_percent_max ? 1 : 0;
}

Canonical as_coma_score(const Quantity& quantity) {
  if (quantity.value < 3 || quantity.value > 15)
    return std::unexpected(fmt::format("a Glasgow coma score of {}", quantity.value));
  return quantity.value;
}

double consciousness_of(double coma_score) {
  return static_cast<double>(coma_score >= 15 ? Consciousness::alert : Consciousness::confusion);
}

Canonical as_coma_part(const Quantity& quantity, Sign sign) {
  const double highest = sign == Sign::coma_eyes ? 4 : sign == Sign::coma_verbal ? 5 : 6;
  if (quantity.value < 1 || quantity.value > highest || quantity.value != std::floor(quantity.value))
    return std::unexpected(fmt::format("a part of the coma score of {}", quantity.value));
  return quantity.value;
}

Canonical as_cells(const Quantity& quantity) {
  constexpr std::array<std::string_view, 9> per_nanolitre{"10*9/L",   "10*3/uL", "10^9/L", "10^3/uL", "K/uL",
                                                          "10*3/mm3", "x10^9/L", "10e9/L", "10*3/mcL"};
  if (is_one_of(quantity.unit, per_nanolitre)) return quantity.value;
  if (quantity.unit == "/uL" || quantity.unit == "/mm3") return quantity.value / 1000;
  return unknown_unit(quantity);
}

// Outside: what no body has and a broken device gives. Of the signs of the score plausible() says it.
bool possible(Sign sign, double value) {
  switch (sign) {
    case Sign::pulse_oximetry:
      return plausible(Parameter::pulse, value);
    case Sign::leukocytes:
      return value >= 0 && value <= 1000;
    case Sign::bands:
      return value >= 0 && value <= 100;
    case Sign::paco2:
      return value >= 5 && value <= 200;
    default:
      return static_cast<std::size_t>(sign) >= parameter_count || plausible(static_cast<Parameter>(sign), value);
  }
}

Canonical as_scale(const Quantity& quantity) {
  if (quantity.value != 1 && quantity.value != 2) return std::unexpected(fmt::format("SpO2 scale {}", quantity.value));
  return quantity.value;
}

struct Letter {
  std::string_view code;
  Consciousness level;
};

// SNOMED CT findings as used with ACVPU in UK profiles; LOINC answers as public profiles use them with 67775-7.
constexpr std::array letters{
    Letter{"248234008", Consciousness::alert},        Letter{"130987000", Consciousness::confusion},
    Letter{"300202002", Consciousness::voice},        Letter{"450847001", Consciousness::pain},
    Letter{"422768004", Consciousness::unresponsive}, Letter{"LA9340-6", Consciousness::alert},
    Letter{"LA6560-2", Consciousness::confusion},     Letter{"LA17108-4", Consciousness::voice},
    Letter{"LA17107-6", Consciousness::pain},         Letter{"LA9343-0", Consciousness::unresponsive},
};
constexpr std::array words{
    Letter{"a", Consciousness::alert},
    Letter{"alert", Consciousness::alert},
    Letter{"mentally alert", Consciousness::alert},
    Letter{"c", Consciousness::confusion},
    Letter{"confusion", Consciousness::confusion},
    Letter{"new confusion", Consciousness::confusion},
    Letter{"v", Consciousness::voice},
    Letter{"voice", Consciousness::voice},
    Letter{"responds to voice", Consciousness::voice},
    Letter{"p", Consciousness::pain},
    Letter{"pain", Consciousness::pain},
    Letter{"responds to pain", Consciousness::pain},
    Letter{"u", Consciousness::unresponsive},
    Letter{"unresponsive", Consciousness::unresponsive},
};

std::optional<Consciousness> letter_of_word(std::string_view text) {
  std::string word;
  for (const char c : text) word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const Letter& known : words)
    if (known.code == word) return known.level;
  return std::nullopt;
}

std::optional<Consciousness> letter_of(json::Value holder) {
  const json::Value concept_value = holder["valueCodeableConcept"];
  for (const json::Value coding : concept_value["coding"]) {
    const std::string_view code = coding["code"].text();
    for (const Letter& known : letters)
      if (known.code == code) return known.level;
    if (const auto level = letter_of_word(code)) return level;
  }
  if (const auto level = letter_of_word(concept_value["text"].text())) return level;
  return letter_of_word(holder["valueString"].text());
}

std::optional<bool> pregnancy_of(json::Value holder) {
  for (const json::Value coding : holder["valueCodeableConcept"]["coding"]) {
    const std::string_view code = coding["code"].text();
    if (code == "77386006" || code == "LA15173-0") return true;
    if (code == "60001007" || code == "LA26683-5") return false;
  }
  return std::nullopt;
}

bool has_value(json::Value holder) {
  for (const json::Value member : holder)
    if (member.key().starts_with("value")) return true;
  return false;
}

Canonical read_number(json::Value holder, Form form, Sign sign) {
  json::Value quantity = holder["valueQuantity"];
  std::optional<double> value = number(quantity["value"]);
  if (!value) value = number(holder["valueInteger"]);
  if (!value) return std::unexpected("its value is no number");
  const Quantity read = read_quantity(quantity, *value);
  switch (form) {
    case Form::rate:
      return as_rate(read);
    case Form::percent:
      return as_percent(read);
    case Form::pressure:
      return as_pressure(read);
    case Form::temperature:
      return as_celsius(read);
    case Form::oxygen_flow:
      return as_oxygen_flow(read);
    case Form::oxygen_concentration:
      return as_oxygen_concentration(read);
    case Form::coma_score:
      return as_coma_score(read);
    case Form::coma_part:
      return as_coma_part(read, sign);
    case Form::cells:
      return as_cells(read);
    default:
      return as_scale(read);
  }
}

Canonical read_value(json::Value holder, Form form, Sign sign) {
  switch (form) {
    case Form::scale_1:
      return 1;
    case Form::scale_2:
      return 2;
    case Form::letter:
      if (const auto level = letter_of(holder)) return static_cast<double>(*level);
      return std::unexpected("its value is no letter of ACVPU");
    case Form::pregnancy:
      if (const auto pregnant = pregnancy_of(holder)) return *pregnant ? 1 : 0;
      return std::unexpected("its value is neither pregnant nor not pregnant");
    default:
      return read_number(holder, form, sign);
  }
}

void add_reading(Signs& signs, Reading reading) {
  for (const Reading& held : signs.readings) {
    if (held.sign != reading.sign) continue;
    if (held.value != reading.value)
      signs.findings.push_back(
          {reading.sign, fmt::format("{}: two different values in one Observation", to_string(reading.sign))});
    return;
  }
  signs.readings.push_back(reading);
}

// `holder`: the Observation or a component; both have code, value[x] and dataAbsentReason.
void read_holder(json::Value holder, Signs& signs) {
  const Known* known = find_known(holder["code"]);
  if (known == nullptr || known->form == Form::panel || !has_value(holder)) return;
  const Canonical value = read_value(holder, known->form, known->sign);
  if (!value) {
    signs.findings.push_back({known->sign, fmt::format("{}: {}", to_string(known->sign), value.error())});
    return;
  }
  if (!possible(known->sign, *value)) {
    signs.findings.push_back({known->sign, fmt::format("{}: {:.4g} is implausible", to_string(known->sign), *value)});
    return;
  }
  add_reading(signs, {known->sign, *value});
}

const Reading* find_reading(const Signs& signs, Sign sign) {
  for (const Reading& reading : signs.readings)
    if (reading.sign == sign) return &reading;
  return nullptr;
}

// The parts of the coma score in one Observation are one measurement. It tells the consciousness too, where no letter
// does.
void derive_from_coma_score(Signs& signs) {
  const Reading* eyes = find_reading(signs, Sign::coma_eyes);
  const Reading* verbal = find_reading(signs, Sign::coma_verbal);
  const Reading* motor = find_reading(signs, Sign::coma_motor);
  if (find_reading(signs, Sign::coma_score) == nullptr && eyes != nullptr && verbal != nullptr && motor != nullptr)
    signs.readings.push_back({Sign::coma_score, eyes->value + verbal->value + motor->value});
  const Reading* total = find_reading(signs, Sign::coma_score);
  if (total != nullptr && find_reading(signs, Sign::consciousness) == nullptr)
    signs.readings.push_back({Sign::consciousness, consciousness_of(total->value)});
}

std::optional<Instant> instant_of(json::Value value) {
  if (!value.is_string()) return std::nullopt;
  const auto range = parse_date_time(value.text());
  return range ? std::optional(range->low) : std::nullopt;
}

Instant time_of(json::Value observation, Instant otherwise) {
  const json::Value period = observation["effectivePeriod"];
  for (const json::Value value : {observation["effectiveDateTime"], observation["effectiveInstant"], period["end"],
                                  period["start"], observation["issued"]})
    if (const auto at = instant_of(value)) return *at;
  return otherwise;
}

}  // namespace

std::string_view to_string(Sign sign) {
  constexpr std::array<std::string_view, sign_count - parameter_count> others{
      "spo2_scale",  "pregnancy",  "pulse_oximetry", "coma_score", "coma_eyes",
      "coma_verbal", "coma_motor", "leukocytes",     "bands",      "paco2"};
  const auto index = static_cast<std::size_t>(sign);
  return index < parameter_count ? to_string(static_cast<Parameter>(sign)) : others[index - parameter_count];
}

std::optional<Sign> sign_of(std::string_view name) {
  for (std::size_t i = 0; i < sign_count; ++i)
    if (to_string(static_cast<Sign>(i)) == name) return static_cast<Sign>(i);
  return std::nullopt;
}

bool is_vital(json::Value observation) {
  if (find_known(observation["code"]) != nullptr) return true;
  std::size_t read = 0;
  for (const json::Value component : observation["component"]) {
    if (++read > components_max) break;
    if (find_known(component["code"]) != nullptr) return true;
  }
  return false;
}

Signs read_signs(json::Value observation, Instant otherwise) {
  Signs signs;
  signs.at = time_of(observation, otherwise);
  const std::string_view status = observation["status"].text();
  if (status == "entered-in-error" || status == "cancelled") return signs;
  read_holder(observation, signs);
  std::size_t read = 0;
  for (const json::Value component : observation["component"]) {
    if (++read > components_max) break;
    read_holder(component, signs);
  }
  derive_from_coma_score(signs);
  return signs;
}

std::string vital_codes(std::uint32_t signs) {
  const auto bit = [](Sign sign) { return 1U << static_cast<std::uint32_t>(sign); };
  // As derive_from_coma_score() makes one of the other.
  if ((signs & bit(Sign::consciousness)) != 0) signs |= bit(Sign::coma_score);
  if ((signs & bit(Sign::coma_score)) != 0)
    signs |= bit(Sign::coma_eyes) | bit(Sign::coma_verbal) | bit(Sign::coma_motor);
  std::string codes;
  for (const Known& known : known_codes)
    if (known.form != Form::panel && (signs & bit(known.sign)) != 0)
      codes += fmt::format("{}{}|{}", codes.empty() ? "" : ",", known.system, known.code);
  return codes;
}

std::string_view patient_of(json::Value observation, const search::Catalogue* catalogue) {
  constexpr std::string_view prefix = "Patient/";
  // Below one of this server's own URLs it is a patient of this server (ADR 15): nobody else would score it.
  std::string_view reference = search::local_reference(observation["subject"]["reference"].text(), catalogue);
  if (!reference.starts_with(prefix)) return {};
  reference.remove_prefix(prefix.size());
  return reference.substr(0, reference.find('/'));
}

}  // namespace mydr24::vitals
