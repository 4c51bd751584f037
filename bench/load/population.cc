#include "load/population.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cmath>
#include <iterator>
#include <random>

#include "app/load/bodies.h"
#include "load/population_bodies.h"

namespace mydr24::load {
namespace {

constexpr std::size_t piece_bytes = 1U << 20;
constexpr std::size_t visits_max = 32;        // of a patient
constexpr std::size_t parts_max = 32;         // of a visit, of each type
constexpr std::size_t age_days_max = 34'675;  // 95 years
constexpr int days = 6'025;                   // 2010-01-01 to 2026-06-30

// Numbers of one patient: they do not depend on the patients before.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  std::size_t below(std::size_t limit) { return static_cast<std::size_t>(engine_() % limit); }
  double share() { return static_cast<double>(engine_() >> 11) * 0x1.0p-53; }
  bool chance(double share_of_all) { return share() < share_of_all; }
  // The first are drawn more often than the last.
  template <class T>
  const T& pick(std::span<const T> from) {
    const double at = share();
    return from[static_cast<std::size_t>(at * at * static_cast<double>(from.size()))];
  }
  double between(double low, double high) { return low + share() * (high - low); }

 private:
  std::mt19937_64 engine_;
};

std::uint64_t mix(std::uint64_t value) {  // splitmix64
  value += 0x9e3779b97f4a7c15U;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9U;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebU;
  return value ^ (value >> 31);
}

// What the numbers of an id count.
enum class Sort : std::uint8_t {
  patient,
  practitioner,
  location,
  organization,
  visit,
  observation,
  condition,
  procedure,
  order
};

std::string uuid(std::uint64_t seed, Sort sort, std::uint64_t n) {
  const std::uint64_t high = mix(seed ^ mix(n * 16 + static_cast<std::uint64_t>(sort)));
  const std::uint64_t low = mix(high);
  return fmt::format("{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}", high >> 32, (high >> 16) & 0xffff, high & 0xfff,
                     low >> 52, low & 0xffffffffffff);
}

std::string date_of(int day) {
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::year{2010} / 1 / 1} +
                                         std::chrono::days{day}};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

std::string_view ucum_display(std::string_view unit) { return unit == "{score}" ? "score" : unit; }

struct Person {
  std::string reference;
  std::string name;
};

struct Visit {
  std::uint64_t number = 0;  // of all visits, however many a patient has
  std::string reference;
  std::string date;
  std::string time;  // instant
  std::string practitioner;
  std::string practitioner_name;
};

class Writer {
 public:
  Writer(const Population& population, std::uint64_t seed, const std::function<void(std::string_view)>& sink)
      : population_(population), seed_(seed), sink_(sink) {}

  void places();
  void patient(std::size_t n);
  void flush() {
    if (!out_.empty()) sink_(out_);
    out_.clear();
  }
  const Census& census() const { return census_; }

 private:
  void end() {
    out_.push_back('\n');
    ++census_.resources;
    if (out_.size() >= piece_bytes) flush();
  }
  std::string practitioner_name(std::size_t n) const {
    return fmt::format("Dr. {} {}", given_names(n % 2 == 0)[n % given_names(true).size()],
                       family_names()[n * 7 % family_names().size()]);
  }
  std::string part(const Visit& visit, Sort sort, std::size_t i) const {
    return uuid(seed_, sort, visit.number * parts_max + i);
  }
  Person person(std::size_t n, Dice& dice);
  Visit visit(const Person& person, std::size_t number, int day, Dice& dice);
  void vital_signs(const Person& person, const Visit& visit, Dice& dice);
  void laboratory_panel(const Person& person, const Visit& visit, Dice& dice);
  void others(const Person& person, const Visit& visit, Dice& dice);
  void observation(const Person& person, const Visit& visit, std::string_view category, const Measure& measure,
                   double value);

  const Population& population_;
  std::uint64_t seed_;
  const std::function<void(std::string_view)>& sink_;
  std::string out_;
  Census census_;
  std::size_t observation_number_ = 0;  // within the visit
};

void Writer::places() {
  for (std::size_t n = 0; n < population_.places(); ++n) {
    const std::string number = fmt::format("{}", n);
    const std::string_view city = cities()[n % cities().size()];
    organization().append(out_, {{"id", id_member(population_.organization_id(n))},
                                 {"n", number},
                                 {"name", fmt::format("{} Hospital {}", city, n)}});
    end();
    location().append(
        out_,
        {{"id", id_member(population_.location_id(n))}, {"n", number}, {"name", fmt::format("{} Ward {}", city, n)}});
    end();
  }
  for (std::size_t n = 0; n < population_.practitioners(); ++n) {
    const std::string number = fmt::format("{}", n);
    population_practitioner().append(out_, {{"id", population_.practitioner_id(n)},
                                            {"n", number},
                                            {"family", family_names()[n * 7 % family_names().size()]},
                                            {"given", given_names(n % 2 == 0)[n % given_names(true).size()]},
                                            {"gender", n % 2 == 0 ? "male" : "female"}});
    end();
  }
}

Person Writer::person(std::size_t n, Dice& dice) {
  const bool male = dice.chance(0.49);
  census_.male += male ? 1 : 0;
  const std::string_view family = dice.pick(family_names());
  const std::string_view given = dice.pick(given_names(male));
  const std::string_view second = dice.pick(given_names(male));
  const std::string id = population_.patient_id(n);
  const std::string birth = date_of(-static_cast<int>(dice.below(age_days_max)) + days - 400);
  const std::string_view city = dice.pick(cities());
  population_patient().append(
      out_, {{"id", id},
             {"n", fmt::format("{:07}", n)},
             {"family", family},
             {"given", given},
             {"second", second},
             {"gender", male ? "male" : "female"},
             {"birth", birth},
             {"prefix", male ? "Mr." : "Ms."},
             {"house", fmt::format("{}", 1 + dice.below(990))},
             {"city", city},
             {"zip", fmt::format("0{}", 1001 + dice.below(1700))},
             {"married", dice.chance(0.6) ? "M" : "S"},
             {"practitioner", "Practitioner/" + population_.practitioner_id(n % population_.practitioners())},
             {"organization", "Organization/" + population_.organization_id(n % population_.places())}});
  end();
  return {"Patient/" + id, fmt::format("{} {} {}", male ? "Mr." : "Ms.", given, family)};
}

Visit Writer::visit(const Person& person, std::size_t number, int day, Dice& dice) {
  struct Kind {
    std::string_view code;
    std::string_view display;
  };
  static constexpr std::array<Kind, 3> kinds{
      {{"AMB", "ambulatory"}, {"EMER", "emergency"}, {"IMP", "inpatient encounter"}}};
  const std::size_t draw = dice.below(20);
  const Kind& kind = kinds[draw < 16 ? 0 : draw < 19 ? 1 : 2];
  const std::size_t doctor = dice.below(population_.practitioners());
  const std::size_t place = dice.below(population_.places());
  const auto hour = 7 + dice.below(12);
  const auto minute = dice.below(59);
  Visit visit;
  visit.number = number;
  const std::string id = uuid(seed_, Sort::visit, number);
  visit.reference = "Encounter/" + id;
  visit.date = date_of(day);
  visit.time = fmt::format("{}T{:02}:{:02}:00-04:00", visit.date, hour, minute);
  visit.practitioner = "Practitioner/" + population_.practitioner_id(doctor);
  visit.practitioner_name = practitioner_name(doctor);
  const Coding& type = dice.pick(encounter_types());
  population_encounter().append(out_, {{"id", id},
                                       {"class", kind.code},
                                       {"class_display", kind.display},
                                       {"type", type.code},
                                       {"type_display", type.display},
                                       {"patient", person.reference},
                                       {"patient_name", person.name},
                                       {"practitioner", visit.practitioner},
                                       {"practitioner_name", visit.practitioner_name},
                                       {"start", visit.time},
                                       {"end", fmt::format("{}T{:02}:{:02}:00-04:00", visit.date, hour + 1, minute)},
                                       {"location", "Location/" + population_.location_id(place)},
                                       {"organization", "Organization/" + population_.organization_id(place)},
                                       {"city", cities()[place % cities().size()]}});
  end();
  observation_number_ = 0;
  return visit;
}

void Writer::observation(const Person& person, const Visit& visit, std::string_view category, const Measure& measure,
                         double value) {
  population_observation().append(out_, {{"id", part(visit, Sort::observation, observation_number_++)},
                                         {"category", category},
                                         {"code", measure.code.code},
                                         {"display", measure.code.display},
                                         {"patient", person.reference},
                                         {"patient_name", person.name},
                                         {"encounter", visit.reference},
                                         {"time", visit.time},
                                         {"practitioner", visit.practitioner},
                                         {"value", fmt::format("{:.{}f}", value, measure.decimals)},
                                         {"unit", ucum_display(measure.unit)},
                                         {"ucum", measure.unit}});
  ++census_.observations;
  end();
}

void Writer::vital_signs(const Person& person, const Visit& visit, Dice& dice) {
  static constexpr Measure height{{"8302-2", "Body Height"}, "cm", 148, 196, 1};
  static constexpr Measure weight{{"29463-7", "Body Weight"}, "kg", 45, 125, 1};
  static constexpr Measure pain{
      {"72514-3", "Pain severity - 0-10 verbal numeric rating [Score] - Reported"}, "{score}", 0, 9, 0};
  static constexpr Measure heart{{"8867-4", "Heart rate"}, "/min", 55, 105, 0};
  static constexpr Measure breath{{"9279-1", "Respiratory rate"}, "/min", 11, 21, 0};
  const auto draw = [&](const Measure& measure, double chance, std::uint64_t& count) {
    if (!dice.chance(chance)) return;
    ++count;
    observation(person, visit, "vital-signs", measure, dice.between(measure.low, measure.high));
  };
  std::uint64_t ignored = 0;
  draw(height, 0.6, census_.heights);
  draw(weight, 0.8, census_.weights);
  draw(pain, 0.8, census_.pains);
  draw(heart, 0.8, ignored);
  draw(breath, 0.6, ignored);
  if (!dice.chance(0.8)) return;
  const auto systolic = 95 + dice.below(80);
  population_blood_pressure().append(out_, {{"id", part(visit, Sort::observation, observation_number_++)},
                                            {"patient", person.reference},
                                            {"patient_name", person.name},
                                            {"encounter", visit.reference},
                                            {"time", visit.time},
                                            {"systolic", fmt::format("{}", systolic)},
                                            {"diastolic", fmt::format("{}", systolic - 35 - dice.below(15))}});
  ++census_.observations;
  ++census_.blood_pressures;
  end();
}

void Writer::laboratory_panel(const Person& person, const Visit& visit, Dice& dice) {
  const std::size_t first = dice.below(2) * 8;
  for (const Measure& measure : laboratory().subspan(first, 8))
    observation(person, visit, "laboratory", measure, dice.between(measure.low, measure.high));
}

void Writer::others(const Person& person, const Visit& visit, Dice& dice) {
  if (dice.chance(0.6)) {
    const Coding& code = dice.pick(conditions());
    const bool active = dice.chance(0.55);
    population_condition().append(
        out_, {{"id", part(visit, Sort::condition, 0)},
               {"code", code.code},
               {"display", code.display},
               {"status", active ? "active" : "resolved"},
               {"patient", person.reference},
               {"patient_name", person.name},
               {"encounter", visit.reference},
               {"time", visit.time},
               {"abatement", active ? std::string() : fmt::format(R"("abatementDateTime":"{}",)", visit.time)}});
    end();
  }
  const std::size_t done = dice.below(3);
  for (std::size_t i = 0; i < done; ++i) {
    const Coding& code = dice.pick(procedures());
    population_procedure().append(out_, {{"id", part(visit, Sort::procedure, i)},
                                         {"code", code.code},
                                         {"display", code.display},
                                         {"patient", person.reference},
                                         {"patient_name", person.name},
                                         {"encounter", visit.reference},
                                         {"time", visit.time},
                                         {"practitioner", visit.practitioner}});
    end();
  }
  const std::size_t ordered = dice.below(3);
  for (std::size_t i = 0; i < ordered; ++i) {
    const Coding& code = dice.pick(medications());
    population_medication_request().append(out_, {{"id", part(visit, Sort::order, i)},
                                                  {"status", dice.chance(0.3) ? "active" : "completed"},
                                                  {"code", code.code},
                                                  {"display", code.display},
                                                  {"patient", person.reference},
                                                  {"patient_name", person.name},
                                                  {"encounter", visit.reference},
                                                  {"time", visit.time},
                                                  {"practitioner", visit.practitioner},
                                                  {"practitioner_name", visit.practitioner_name}});
    end();
  }
}

void Writer::patient(std::size_t n) {
  Dice dice(seed_ * 0x9e3779b97f4a7c15U + n);
  const Person who = person(n, dice);
  const std::size_t visits = 7 + dice.below(17);
  double day = 0;
  for (std::size_t i = 0; i < visits; ++i) {
    // The later the denser: records grow with the years.
    day = days * std::sqrt((static_cast<double>(i) + dice.share()) / static_cast<double>(visits));
    const Visit when = visit(who, n * visits_max + i, static_cast<int>(day), dice);
    vital_signs(who, when, dice);
    if (dice.chance(0.35)) laboratory_panel(who, when, dice);
    others(who, when, dice);
  }
}

}  // namespace

std::string Population::patient_id(std::size_t n) const { return uuid(seed_, Sort::patient, n); }
std::string Population::practitioner_id(std::size_t n) const { return uuid(seed_, Sort::practitioner, n); }
std::string Population::location_id(std::size_t n) const { return uuid(seed_, Sort::location, n); }
std::string Population::organization_id(std::size_t n) const { return uuid(seed_, Sort::organization, n); }

Census Population::write(const std::function<void(std::string_view)>& sink) const {
  Writer writer(*this, seed_, sink);
  writer.places();
  for (std::size_t n = 0; n < patients_; ++n) writer.patient(n);
  writer.flush();
  return writer.census();
}

}  // namespace mydr24::load
