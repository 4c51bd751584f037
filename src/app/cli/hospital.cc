#include "app/cli/hospital.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/core/date_time.h"
#include "base/json/writer.h"

namespace mydr24::cli {

namespace {

struct Culture {
  std::array<std::string_view, 6> female;
  std::array<std::string_view, 6> male;
  std::array<std::string_view, 8> family;
};

constexpr std::array<Culture, 10> cultures{{
    {{"Amelia", "Grace", "Nora", "Ruth", "Isla", "Maeve"},
     {"Owen", "Callum", "Henry", "Miles", "Ewan", "Declan"},
     {"Ashdown", "Calder", "Fenwick", "Harlow", "Merrick", "Pryce", "Thorne", "Wexley"}},
    {{"Adaeze", "Folake", "Ngozi", "Wanjiru", "Amina", "Thandiwe"},
     {"Chidi", "Kwame", "Babajide", "Kamau", "Sipho", "Tendai"},
     {"Abiola", "Okonjo", "Mwangi", "Danjuma", "Nkosi", "Asante", "Eze", "Moyo"}},
    {{"Lucía", "Inés", "Marisol", "Ximena", "Beatriz", "Noelia"},
     {"Mateo", "Andrés", "Joaquín", "Rafael", "Íñigo", "Tomás"},
     {"Núñez", "Ibáñez", "Castaño", "Villar", "Quintana", "Solórzano", "Peña", "Arroyo"}},
    {{"Yuki", "Haruka", "Sakura", "Aiko", "Emi", "Naoko"},
     {"Haruto", "Kenji", "Ren", "Takumi", "Daichi", "Shinji"},
     {"Tanabe", "Kurosawa", "Hoshino", "Mizuno", "Arakawa", "Fujita", "Ogawa", "Sakamoto"}},
    {{"Layla", "Noor", "Salma", "Huda", "Rania", "Zaynab"},
     {"Yusuf", "Karim", "Tariq", "Samir", "Idris", "Bilal"},
     {"al-Masri", "Haddad", "Benali", "Khoury", "Mansour", "Saidi", "Nasser", "Rahimi"}},
    {{"Ananya", "Priya", "Kavya", "Meera", "Lakshmi", "Divya"},
     {"Arjun", "Rohan", "Vikram", "Sanjay", "Kiran", "Dev"},
     {"Iyer", "Deshmukh", "Banerjee", "Chauhan", "Pillai", "Rao", "Kulkarni", "Sethi"}},
    {{"Elif", "Zeynep", "Defne", "Ayşe", "Selin", "Leyla"},
     {"Emre", "Kerem", "Ozan", "Çağlar", "Barış", "Tolga"},
     {"Yıldız", "Demirci", "Aksoy", "Şahin", "Korkmaz", "Öztürk", "Güneş", "Erdem"}},
    {{"Mei", "Xiu", "Lan", "Hui", "Qing", "Yan"},
     {"Wei", "Jun", "Hao", "Ming", "Tao", "Bo"},
     {"Zhao", "Lin", "Xu", "Gao", "Deng", "Shen", "Luo", "Fang"}},
    {{"Zofia", "Agnieszka", "Halina", "Milena", "Oksana", "Jadwiga"},
     {"Paweł", "Łukasz", "Andrzej", "Marek", "Bohdan", "Jarosław"},
     {"Kowalczyk", "Wiśniewski", "Zając", "Sokół", "Błaszczyk", "Shevchuk", "Mazur", "Górski"}},
    {{"Freya", "Ingrid", "Élodie", "Margaux", "Anneliese", "Greta"},
     {"Sören", "Björn", "Étienne", "Lukas", "Anselm", "Jürgen"},
     {"Lindqvist", "Møller", "Lefèvre", "Brandt", "Weiß", "Dubois", "Hågen", "Kästner"}},
}};

constexpr std::array<std::string_view, 6> ward_names{"Acute Medicine",   "Emergency Department", "Surgical Ward",
                                                     "Respiratory Ward", "Cardiology",           "Geriatrics"};

// Why somebody lies there, what they are given for it, and what a report says. Words only: no code that would have to be right.
struct Stay {
  std::string_view condition, medicine, dose, report, conclusion;
};
constexpr std::array<Stay, 8> stays{{
    {"Community-acquired pneumonia", "Amoxicillin", "1 g, three times a day", "Chest X-ray",
     "Infiltrate, right lower lobe"},
    {"Heart failure", "Furosemide", "40 mg in the morning", "Echocardiogram", "Left ventricular function reduced"},
    {"Exacerbation of COPD", "Prednisolone", "30 mg in the morning", "Chest X-ray", "Hyperinflated, no infiltrate"},
    {"Hip fracture", "Paracetamol", "1 g, four times a day", "X-ray of the hip", "Fracture of the femoral neck"},
    {"Urinary tract infection", "Nitrofurantoin", "100 mg, twice a day", "Urine culture",
     "Escherichia coli, sensitive"},
    {"Atrial fibrillation", "Bisoprolol", "2.5 mg in the morning", "ECG", "Atrial fibrillation, 110 a minute"},
    {"Cholecystitis", "Cefuroxime", "1.5 g, three times a day", "Ultrasound of the abdomen", "Thickened wall, stones"},
    {"Diabetes, foot ulcer", "Metformin", "500 mg, twice a day", "X-ray of the foot", "No sign of osteomyelitis"},
}};
constexpr std::array<std::string_view, 3> allergens{"Penicillin", "Latex", "Iodinated contrast"};

constexpr std::string_view loinc = "http://loinc.org";
constexpr std::string_view snomed = "http://snomed.info/sct";
constexpr std::string_view ucum = "http://unitsofmeasure.org";

// Every draw uses this, and not the distributions of the library: their results differ between implementations.
double uniform(std::mt19937_64& random) { return static_cast<double>(random() >> 11U) * 0x1.0p-53; }

double normal(std::mt19937_64& random) {
  // Sum of twelve uniform draws: mean 6, variance 1.
  double sum = 0;
  for (int i = 0; i < 12; ++i) sum += uniform(random);
  return sum - 6;
}

std::mt19937_64 stream_of(std::uint64_t seed, std::uint64_t number) {
  return std::mt19937_64(seed * 0x9e3779b97f4a7c15ULL + number * 0xd1342543de82ef95ULL + 1);
}

void write_coding(json::Writer& writer, std::string_view system, std::string_view code, std::string_view display) {
  writer.begin_object().field("system", system).field("code", code).field("display", display).end_object();
}

void write_concept(json::Writer& writer, std::string_view name, std::string_view system, std::string_view code,
                   std::string_view display) {
  writer.key(name).begin_object().key("coding").begin_array();
  write_coding(writer, system, code, display);
  writer.end_array().end_object();
}

void write_quantity(json::Writer& writer, std::string_view name, std::string_view value, std::string_view unit,
                    std::string_view code) {
  writer.key(name).begin_object().key("value").raw(value);
  writer.field("unit", unit).field("system", ucum).field("code", code).end_object();
}

void write_reference(json::Writer& writer, std::string_view name, std::string_view type, std::string_view id) {
  writer.key(name).begin_object().field("reference", fmt::format("{}/{}", type, id)).end_object();
}

void write_text(json::Writer& writer, std::string_view name, std::string_view text) {
  writer.key(name).begin_object().field("text", text).end_object();
}

// Source of the code: HL7 ActReason, HTEST "test health data".
void begin_resource(json::Writer& writer, std::string_view type, std::string_view id, std::string_view profile = {}) {
  writer.begin_object().field("resourceType", type);
  if (!id.empty()) writer.field("id", id);
  writer.key("meta").begin_object();
  if (!profile.empty()) writer.key("profile").begin_array().string(profile).end_array();
  writer.key("security").begin_array();
  write_coding(writer, "http://terminology.hl7.org/CodeSystem/v3-ActReason", "HTEST", "test health data");
  writer.end_array().end_object();
}

}  // namespace

Hospital::Hospital(const HospitalSettings& settings, Instant start) : settings_(settings), start_(start) {
  settings_.patients = std::clamp(settings.patients, 0, hospital_patients_max);
  settings_.beds_per_ward = std::max(settings.beds_per_ward, 1);
  const auto count = static_cast<std::size_t>(settings_.patients);
  beds_.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    Bed& bed = beds_.emplace_back();
    bed.random = stream_of(settings_.seed, 2 * i + 1);
    auto& random = bed.random;
    bed.respiration = 14 + 3 * uniform(random);
    bed.spo2 = 97 + 1.6 * uniform(random);
    bed.systolic = 118 + 24 * uniform(random);
    bed.diastolic = bed.systolic * (0.58 + 0.07 * uniform(random));
    bed.pulse = 62 + 18 * uniform(random);
    bed.temperature = 36.5 + 0.5 * uniform(random);
    bed.usual_severity = 0.06 * uniform(random);
    bed.severity = bed.usual_severity;
  }
  // The ill are spread over the wards.
  const auto ill = static_cast<std::size_t>(std::clamp(settings_.deteriorating, 0, settings_.patients));
  for (std::size_t k = 0; k < ill; ++k) {
    beds_[(k * count) / ill].onset_s =
        static_cast<double>(settings_.first_onset.count() + settings_.onset_interval.count() * static_cast<long>(k));
  }
}

std::string Hospital::patient_id(std::size_t number) const {
  return fmt::format("sim{}-p{:05}", settings_.seed, number + 1);
}
std::string Hospital::bed_id(std::size_t number) const {
  return fmt::format("sim{}-bed{:05}", settings_.seed, number + 1);
}

std::string Hospital::bed_name(std::size_t number) const {
  const auto per_ward = static_cast<std::size_t>(settings_.beds_per_ward);
  return fmt::format("Ward {} bed {}", number / per_ward + 1, number % per_ward + 1);
}

std::vector<SimulatedResource> Hospital::buildings() const {
  std::vector<SimulatedResource> all;
  const std::string organization = fmt::format("sim{}-hospital", settings_.seed);
  {
    SimulatedResource& hospital = all.emplace_back("Organization", organization);
    json::Writer writer(hospital.text);
    begin_resource(writer, "Organization", organization);
    writer.field("active", true).field("name", "Demo General Hospital (simulated)").end_object();
  }
  const auto write_location = [&](std::string id, std::string_view name, std::string_view kind, std::string_view shown,
                                  std::string_view part_of) {
    SimulatedResource& location = all.emplace_back("Location", id);
    json::Writer writer(location.text);
    begin_resource(writer, "Location", id);
    writer.field("status", "active").field("name", name).field("mode", "instance");
    write_concept(writer, "physicalType", "http://terminology.hl7.org/CodeSystem/location-physical-type", kind, shown);
    write_reference(writer, "managingOrganization", "Organization", organization);
    if (!part_of.empty()) write_reference(writer, "partOf", "Location", part_of);
    writer.end_object();
  };
  const auto per_ward = static_cast<std::size_t>(settings_.beds_per_ward);
  for (std::size_t i = 0; i < beds_.size(); ++i) {
    const std::size_t ward = i / per_ward;
    const std::string ward_id = fmt::format("sim{}-ward{:03}", settings_.seed, ward + 1);
    if (i % per_ward == 0) {
      const std::string_view base = ward_names[ward % ward_names.size()];
      write_location(ward_id, fmt::format("{} {}", base, ward / ward_names.size() + 1), "wa", "Ward", "");
    }
    write_location(bed_id(i), bed_name(i), "bd", "Bed", ward_id);
  }
  return all;
}

namespace {

constexpr std::string_view clinical = "http://terminology.hl7.org/CodeSystem/";

// What is known of the patient beside the signs. No allergen: nobody asked.
void add_stay(std::vector<SimulatedResource>& all, const Stay& stay, std::string_view allergen,
              const std::string& patient, std::string_view admitted) {
  const auto begin = [&](std::string_view type, char letter) -> SimulatedResource& {
    SimulatedResource& made = all.emplace_back(std::string(type), fmt::format("{}-{}", patient, letter));
    return made;
  };
  {
    SimulatedResource& condition = begin("Condition", 'c');
    json::Writer writer(condition.text);
    begin_resource(writer, condition.type, condition.id);
    write_concept(writer, "clinicalStatus", fmt::format("{}condition-clinical", clinical), "active", "Active");
    write_text(writer, "code", stay.condition);
    write_reference(writer, "subject", "Patient", patient);
    writer.field("onsetDateTime", admitted).end_object();
  }
  {
    SimulatedResource& request = begin("MedicationRequest", 'm');
    json::Writer writer(request.text);
    begin_resource(writer, request.type, request.id);
    writer.field("status", "active").field("intent", "order");
    write_text(writer, "medicationCodeableConcept", stay.medicine);
    write_reference(writer, "subject", "Patient", patient);
    writer.field("authoredOn", admitted).key("dosageInstruction").begin_array().begin_object();
    writer.field("text", stay.dose).end_object().end_array().end_object();
  }
  {
    SimulatedResource& report = begin("DiagnosticReport", 'r');
    json::Writer writer(report.text);
    begin_resource(writer, report.type, report.id);
    writer.field("status", "final");
    write_text(writer, "code", stay.report);
    write_reference(writer, "subject", "Patient", patient);
    writer.field("effectiveDateTime", admitted).field("conclusion", stay.conclusion).end_object();
  }
  if (allergen.empty()) return;
  SimulatedResource& allergy = begin("AllergyIntolerance", 'a');
  json::Writer writer(allergy.text);
  begin_resource(writer, allergy.type, allergy.id);
  write_concept(writer, "clinicalStatus", fmt::format("{}allergyintolerance-clinical", clinical), "active", "Active");
  write_text(writer, "code", allergen);
  write_reference(writer, "patient", "Patient", patient);
  writer.end_object();
}

}  // namespace

std::vector<SimulatedResource> Hospital::admission(std::size_t number) const {
  auto random = stream_of(settings_.seed, 2 * number);
  const auto pick = [&random](const auto& list) { return list[random() % list.size()]; };
  const Culture& culture = cultures[random() % cultures.size()];
  const bool female = random() % 2 == 0;
  const std::string_view given = female ? pick(culture.female) : pick(culture.male);
  const std::string_view family = pick(culture.family);
  const int age_days = 18 * 365 + static_cast<int>(random() % (75 * 365));
  const std::string born = format_instant(start_ - std::chrono::hours(24) * age_days).substr(0, 10);
  const std::string admitted = format_instant(start_ - std::chrono::minutes(30 + random() % (6 * 24 * 60)));
  const std::string id = patient_id(number);

  std::vector<SimulatedResource> all;
  {
    SimulatedResource& patient = all.emplace_back("Patient", id);
    json::Writer writer(patient.text);
    begin_resource(writer, "Patient", id);
    writer.key("identifier").begin_array().begin_object();
    write_concept(writer, "type", "http://terminology.hl7.org/CodeSystem/v2-0203", "MR", "Medical record number");
    writer.field("system", "https://mydr24.org/demo/mrn")
        .field("value", fmt::format("D{}-{:06}", settings_.seed, number + 1));
    writer.end_object().end_array().field("active", true);
    writer.key("name").begin_array().begin_object().field("use", "official").field("family", family);
    writer.key("given").begin_array().string(given).end_array().end_object().end_array();
    writer.field("gender", female ? "female" : "male").field("birthDate", born).end_object();
  }
  {
    SimulatedResource& encounter =
        all.emplace_back("Encounter", fmt::format("sim{}-e{:05}", settings_.seed, number + 1));
    json::Writer writer(encounter.text);
    begin_resource(writer, "Encounter", encounter.id);
    writer.field("status", "in-progress").key("class");
    write_coding(writer, "http://terminology.hl7.org/CodeSystem/v3-ActCode", "IMP", "inpatient encounter");
    write_reference(writer, "subject", "Patient", id);
    writer.key("period").begin_object().field("start", admitted).end_object();
    writer.key("location").begin_array().begin_object().key("location").begin_object();
    writer.field("reference", "Location/" + bed_id(number)).field("display", bed_name(number)).end_object();
    writer.field("status", "active").end_object().end_array();
    write_reference(writer, "serviceProvider", "Organization", fmt::format("sim{}-hospital", settings_.seed));
    writer.end_object();
  }
  const Stay& stay = stays[random() % stays.size()];
  const bool has_allergy = random() % 3 == 0;
  add_stay(all, stay, has_allergy ? pick(allergens) : std::string_view(), id, admitted);
  return all;
}

double Hospital::severity_at(const Bed& bed, double seconds) const {
  if (bed.onset_s < 0 || seconds < bed.onset_s) return bed.usual_severity;
  const auto decline = std::max<double>(static_cast<double>(settings_.decline.count()), 1);
  const auto plateau = static_cast<double>(settings_.plateau.count());
  const auto recovery = std::max<double>(static_cast<double>(settings_.recovery.count()), 1);
  double since = seconds - bed.onset_s;
  if (since < decline) return bed.usual_severity + (1 - bed.usual_severity) * since / decline;
  since -= decline;
  if (since < plateau) return 1;
  since -= plateau;
  return std::max(bed.usual_severity, 1 - since / recovery);
}

void Hospital::worsen(std::size_t number) { beds_[number].onset_s = beds_[number].at_s; }

// The course goes on where the recovery has this severity.
void Hospital::treat(std::size_t number) {
  Bed& bed = beds_[number];
  if (bed.onset_s < 0) return;
  const auto recovery = std::max<double>(static_cast<double>(settings_.recovery.count()), 1);
  const auto before = static_cast<double>(settings_.decline.count() + settings_.plateau.count());
  bed.onset_s = bed.at_s - before - (1 - bed.severity) * recovery;
}

SimulatedSigns Hospital::observe(std::size_t number, Instant at) {
  Bed& bed = beds_[number];
  const double seconds = std::max(std::chrono::duration<double>(at - start_).count(), bed.at_s);
  const double step = std::min(seconds - bed.at_s, 3600.0);
  bed.at_s = seconds;
  bed.severity = severity_at(bed, seconds);
  ++bed.round;

  // Each deviation returns to 0 within about a minute and has a standard deviation of 1 in the long run.
  const double keep = std::exp(-step / 60.0);
  const double stir = std::sqrt(1 - keep * keep);
  for (double& deviation : bed.wander) deviation = std::clamp(keep * deviation + stir * normal(bed.random), -2.0, 2.0);

  const double s = bed.severity;
  const auto whole = [](double value, double low, double high) {
    return static_cast<int>(std::lround(std::clamp(value, low, high)));
  };
  SimulatedSigns signs;
  signs.respiration = whole(bed.respiration + 15 * s + 0.8 * bed.wander[0], 6, 45);
  signs.spo2 = whole(bed.spo2 - 11 * s + 0.4 * bed.wander[1], 60, 100);
  signs.oxygen_flow = s > 0.7 ? 6 : s > 0.45 ? 2 : 0;
  signs.pulse = whole(bed.pulse + 52 * s + 2.5 * bed.wander[2], 35, 190);
  signs.systolic = whole(bed.systolic - 42 * s * s + 2.5 * bed.wander[3], 60, 230);
  signs.diastolic = std::min(whole(bed.diastolic - 20 * s * s + 2 * bed.wander[3], 35, 130), signs.systolic - 15);
  signs.temperature = std::round((bed.temperature + 2.1 * s + 0.1 * bed.wander[4]) * 10) / 10;
  signs.acvpu = s > 0.92 ? 'V' : s > 0.75 ? 'C' : 'A';
  return signs;
}

namespace {

struct Level {
  char letter;
  std::string_view code;
  std::string_view display;
};
// SNOMED CT findings behind the letters of ACVPU.
constexpr std::array<Level, 5> levels{{{'A', "248234008", "Mentally alert"},
                                       {'C', "130987000", "Acute confusion"},
                                       {'V', "300202002", "Responds to voice"},
                                       {'P', "450847001", "Responds to pain"},
                                       {'U', "422768004", "Unresponsive"}}};

// The members that every vital sign begins with, up to its time.
class ObservationText {
 public:
  ObservationText(SimulatedResource& resource, std::string_view profile) : writer(resource.text) {
    begin_resource(writer, "Observation", resource.id, profile);
    writer.field("status", "final").key("category").begin_array().begin_object().key("coding").begin_array();
    write_coding(writer, "http://terminology.hl7.org/CodeSystem/observation-category", "vital-signs", "Vital Signs");
    writer.end_array().end_object().end_array();
    writer.key("code").begin_object().key("coding").begin_array();
  }
  ObservationText& coding(std::string_view system, std::string_view code, std::string_view display) {
    write_coding(writer, system, code, display);
    return *this;
  }
  ObservationText& of(std::string_view patient, std::string_view encounter, std::string_view at) {
    writer.end_array().end_object();
    write_reference(writer, "subject", "Patient", patient);
    write_reference(writer, "encounter", "Encounter", encounter);
    writer.field("effectiveDateTime", at);
    return *this;
  }
  ObservationText& component(std::string_view code, std::string_view display, int value, std::string_view unit,
                             std::string_view unit_code) {
    writer.begin_object();
    write_concept(writer, "code", loinc, code, display);
    write_quantity(writer, "valueQuantity", std::to_string(value), unit, unit_code);
    writer.end_object();
    return *this;
  }

  json::Writer writer;
};

}  // namespace

std::vector<SimulatedResource> Hospital::observations(std::size_t number, const SimulatedSigns& signs, Instant at,
                                                      bool ids) const {
  const std::string patient = patient_id(number);
  const std::string encounter = fmt::format("sim{}-e{:05}", settings_.seed, number + 1);
  const std::string when = format_instant(at);
  std::vector<SimulatedResource> all;
  all.reserve(observations_per_round);
  const auto add = [&](std::string_view name) -> SimulatedResource& {
    SimulatedResource& resource = all.emplace_back("Observation");
    if (ids) resource.id = fmt::format("{}-{:06}-{}", patient, beds_[number].round, name);
    resource.text.reserve(900);
    return resource;
  };
  const auto simple = [&](std::string_view name, std::string_view profile, std::string_view code,
                          std::string_view display, std::string_view value, std::string_view unit,
                          std::string_view unit_code) {
    ObservationText text(add(name), profile);
    text.coding(loinc, code, display).of(patient, encounter, when);
    write_quantity(text.writer, "valueQuantity", value, unit, unit_code);
    text.writer.end_object();
  };
  simple("rr", "http://hl7.org/fhir/StructureDefinition/resprate", "9279-1", "Respiratory rate",
         std::to_string(signs.respiration), "breaths/minute", "/min");
  simple("hr", "http://hl7.org/fhir/StructureDefinition/heartrate", "8867-4", "Heart rate", std::to_string(signs.pulse),
         "beats/minute", "/min");
  simple("temp", "http://hl7.org/fhir/StructureDefinition/bodytemp", "8310-5", "Body temperature",
         fmt::format("{:.1f}", signs.temperature), "C", "Cel");
  {
    // No oxygensat: R4's vital signs allow no L/min, which the flow of oxygen is measured in.
    ObservationText text(add("spo2"), "");
    text.coding(loinc, "2708-6", "Oxygen saturation in Arterial blood")
        .coding(loinc, "59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry")
        .of(patient, encounter, when);
    write_quantity(text.writer, "valueQuantity", std::to_string(signs.spo2), "%", "%");
    text.writer.key("component").begin_array();
    text.component("3151-8", "Inhaled oxygen flow rate", signs.oxygen_flow, "L/min", "L/min");
    text.writer.end_array().end_object();
  }
  {
    ObservationText text(add("bp"), "http://hl7.org/fhir/StructureDefinition/bp");
    text.coding(loinc, "85354-9", "Blood pressure panel with all children optional").of(patient, encounter, when);
    text.writer.key("component").begin_array();
    text.component("8480-6", "Systolic blood pressure", signs.systolic, "mmHg", "mm[Hg]");
    text.component("8462-4", "Diastolic blood pressure", signs.diastolic, "mmHg", "mm[Hg]");
    text.writer.end_array().end_object();
  }
  {
    ObservationText text(add("acvpu"), "");
    text.coding(snomed, "1104441000000107", "ACVPU (Alert Confusion Voice Pain Unresponsive) scale score")
        .of(patient, encounter, when);
    const auto level = std::ranges::find(levels, signs.acvpu, &Level::letter);
    write_concept(text.writer, "valueCodeableConcept", snomed, level->code, level->display);
    text.writer.end_object();
  }
  return all;
}

}  // namespace mydr24::cli
