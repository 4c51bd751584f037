// Names are common ones; codes and displays are single facts of SNOMED CT, LOINC and RxNorm as public records show them.

#include <array>

#include "load/population.h"

namespace mydr24::load {
namespace {

constexpr std::array<std::string_view, 72> family{
    "Smith",    "Johnson",  "Brown",   "Garcia",  "Miller", "Davis",    "Martinez",  "Hernandez", "Lopez",
    "Wilson",   "Anderson", "Thomas",  "Taylor",  "Moore",  "Jackson",  "Martin",    "Lee",       "Perez",
    "Thompson", "White",    "Harris",  "Sanchez", "Clark",  "Ramirez",  "Lewis",     "Robinson",  "Walker",
    "Young",    "Allen",    "King",    "Wright",  "Scott",  "Torres",   "Nguyen",    "Hill",      "Flores",
    "Green",    "Adams",    "Nelson",  "Baker",   "Hall",   "Rivera",   "Campbell",  "Mitchell",  "Carter",
    "Roberts",  "Schmidt",  "Stewart", "Bauer",   "Becker", "Bianchi",  "Silva",     "Santos",    "Stein",
    "Okafor",   "Müller",   "Øster",   "Nowak",   "Novák",  "Kowalski", "Fernandes", "Dubois",    "Bernard",
    "Björk",    "Suzuki",   "Tanaka",  "Kim",     "Singh",  "Shah",     "Sørensen",  "Zhang",     "Ó Briain"};

constexpr std::array<std::string_view, 40> male_given{
    "James",  "John",  "Robert", "Michael", "William", "David",  "Richard", "Joseph",   "Thomas", "Charles",
    "Daniel", "Mark",  "Paul",   "Steven",  "Andrew",  "Joshua", "Kevin",   "Brian",    "George", "Edward",
    "Adam",   "Aaron", "Alan",   "Albert",  "Arthur",  "Peter",  "Henry",   "Jonathan", "Carl",   "Diego",
    "José",   "Luis",  "Ivan",   "Omar",    "Rafael",  "Simon",  "Tomas",   "Victor",   "Walter", "Yusuf"};

constexpr std::array<std::string_view, 40> female_given{
    "Mary",   "Patricia", "Jennifer", "Linda",  "Elizabeth", "Barbara", "Susan",    "Jessica", "Sarah",    "Karen",
    "Lisa",   "Nancy",    "Betty",    "Sandra", "Ashley",    "Emily",   "Kimberly", "Donna",   "Michelle", "Carol",
    "Amanda", "Anna",     "Alice",    "Amy",    "Andrea",    "Angela",  "Ana",      "Beatriz", "Clara",    "Dora",
    "Elena",  "Fatima",   "Grace",    "Helen",  "Ingrid",    "Julia",   "Laura",    "María",   "Olga",     "Zoë"};

constexpr std::array<std::string_view, 24> city{
    "Boston",   "Worcester",  "Springfield", "Cambridge",  "Lowell",    "Brockton", "Quincy",  "Lynn",
    "Newton",   "Somerville", "Lawrence",    "Framingham", "Haverhill", "Waltham",  "Malden",  "Brookline",
    "Plymouth", "Medford",    "Taunton",     "Chicopee",   "Weymouth",  "Revere",   "Peabody", "Barnstable"};

constexpr std::array<Coding, 36> condition{{
    {"59621000", "Essential hypertension"},
    {"162864005", "Body mass index 30+ - obesity"},
    {"15777000", "Prediabetes"},
    {"195662009", "Acute viral pharyngitis"},
    {"444814009", "Viral sinusitis"},
    {"10509002", "Acute bronchitis"},
    {"271737000", "Anemia"},
    {"55822004", "Hyperlipidemia"},
    {"44054006", "Diabetes mellitus type 2"},
    {"302870006", "Hypertriglyceridemia"},
    {"237602007", "Metabolic syndrome"},
    {"38341003", "Hypertensive disorder"},
    {"195967001", "Asthma"},
    {"53741008", "Coronary arteriosclerosis"},
    {"40055000", "Chronic sinusitis"},
    {"36971009", "Sinusitis"},
    {"64859006", "Osteoporosis"},
    {"239873007", "Osteoarthritis of knee"},
    {"201834006", "Localized, primary osteoarthritis of the hand"},
    {"87433001", "Pulmonary emphysema"},
    {"185086009", "Chronic obstructive bronchitis"},
    {"49436004", "Atrial fibrillation"},
    {"22298006", "Myocardial infarction"},
    {"88805009", "Chronic congestive heart failure"},
    {"230690007", "Cerebrovascular accident"},
    {"431855005", "Chronic kidney disease stage 1"},
    {"431856006", "Chronic kidney disease stage 2"},
    {"127013003", "Disorder of kidney due to diabetes mellitus"},
    {"368581000119106", "Neuropathy due to type 2 diabetes mellitus"},
    {"370143000", "Major depressive disorder"},
    {"24079001", "Atopic dermatitis"},
    {"65363002", "Otitis media"},
    {"43878008", "Streptococcal sore throat"},
    {"62106007", "Concussion with no loss of consciousness"},
    {"44465007", "Sprain of ankle"},
    {"233604007", "Pneumonia"},
}};

constexpr std::array<Coding, 24> procedure{{
    {"430193006", "Medication reconciliation"},
    {"710824005", "Assessment of health and social care needs"},
    {"171207006", "Depression screening"},
    {"76601001", "Intramuscular injection"},
    {"23426006", "Measurement of respiratory function"},
    {"399208008", "Plain chest X-ray"},
    {"117015009", "Throat culture"},
    {"268425006", "Pelvis X-ray"},
    {"274474001", "Bone immobilization"},
    {"29303009", "Electrocardiographic procedure"},
    {"40701008", "Echocardiography"},
    {"73761001", "Colonoscopy"},
    {"274031008", "Rectal polypectomy"},
    {"104326007", "Measurement of blood glucose"},
    {"127783003", "Spirometry"},
    {"265764009", "Renal dialysis"},
    {"24623002", "Screening mammography"},
    {"232717009", "Coronary artery bypass grafting"},
    {"415070008", "Percutaneous coronary intervention"},
    {"180325003", "Electrical cardioversion"},
    {"428191000124101", "Documentation of current medications"},
    {"225158009", "Auscultation of the fetal heart"},
    {"85548006", "Episiotomy"},
    {"88039007", "Transplant of lung"},
}};

constexpr std::array<Coding, 20> medication{{
    {"314076", "lisinopril 10 MG Oral Tablet"},
    {"310798", "Hydrochlorothiazide 25 MG Oral Tablet"},
    {"860975", "24 HR Metformin hydrochloride 500 MG Extended Release Oral Tablet"},
    {"314231", "Simvastatin 10 MG Oral Tablet"},
    {"308136", "amLODIPine 2.5 MG Oral Tablet"},
    {"313782", "Acetaminophen 325 MG Oral Tablet"},
    {"198405", "Ibuprofen 100 MG Oral Tablet"},
    {"849574", "Naproxen sodium 220 MG Oral Tablet"},
    {"308192", "Amoxicillin 500 MG Oral Tablet"},
    {"245314", "albuterol 5 MG/ML Inhalation Solution"},
    {"895994", "120 ACTUAT Fluticasone propionate 0.044 MG/ACTUAT Metered Dose Inhaler"},
    {"855332", "Warfarin Sodium 5 MG Oral Tablet"},
    {"197604", "Digoxin 0.125 MG Oral Tablet"},
    {"309362", "Clopidogrel 75 MG Oral Tablet"},
    {"312961", "Simvastatin 20 MG Oral Tablet"},
    {"866412", "24 HR metoprolol succinate 100 MG Extended Release Oral Tablet"},
    {"106892", "insulin isophane, human 70 UNT/ML / insulin, regular, human 30 UNT/ML Injectable Suspension"},
    {"197361", "Amlodipine 5 MG Oral Tablet"},
    {"311989", "Nitrofurantoin 5 MG/ML Oral Suspension"},
    {"243670", "aspirin 81 MG Oral Tablet"},
}};

constexpr std::array<Coding, 10> encounter_type{{
    {"162673000", "General examination of patient"},
    {"185345009", "Encounter for symptom"},
    {"185349003", "Encounter for check up"},
    {"410620009", "Well child visit"},
    {"390906007", "Follow-up encounter"},
    {"308335008", "Patient encounter procedure"},
    {"50849002", "Emergency room admission"},
    {"185347001", "Encounter for problem"},
    {"702927004", "Urgent care clinic"},
    {"183452005", "Emergency hospital admission"},
}};

constexpr std::array<Measure, 16> laboratory_measure{{
    {{"718-7", "Hemoglobin [Mass/volume] in Blood"}, "g/dL", 10, 18, 1},
    {{"6690-2", "Leukocytes [#/volume] in Blood by Automated count"}, "10*3/uL", 3, 12, 1},
    {{"789-8", "Erythrocytes [#/volume] in Blood by Automated count"}, "10*6/uL", 3, 6, 2},
    {{"777-3", "Platelets [#/volume] in Blood by Automated count"}, "10*3/uL", 120, 450, 0},
    {{"2339-0", "Glucose [Mass/volume] in Blood"}, "mg/dL", 60, 240, 1},
    {{"38483-4", "Creatinine [Mass/volume] in Blood"}, "mg/dL", 0.5, 4, 2},
    {{"2947-0", "Sodium [Moles/volume] in Blood"}, "mmol/L", 132, 148, 1},
    {{"6298-4", "Potassium [Moles/volume] in Blood"}, "mmol/L", 3, 6, 2},
    {{"2069-3", "Chloride [Moles/volume] in Blood"}, "mmol/L", 95, 112, 1},
    {{"20565-8", "Carbon dioxide, total [Moles/volume] in Blood"}, "mmol/L", 18, 32, 1},
    {{"6299-2", "Urea nitrogen [Mass/volume] in Blood"}, "mg/dL", 6, 30, 1},
    {{"4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood"}, "%", 4, 12, 1},
    {{"2093-3", "Cholesterol [Mass/volume] in Serum or Plasma"}, "mg/dL", 120, 320, 0},
    {{"2571-8", "Triglycerides [Mass/volume] in Serum or Plasma"}, "mg/dL", 50, 400, 0},
    {{"2085-9", "Cholesterol in HDL [Mass/volume] in Serum or Plasma"}, "mg/dL", 25, 90, 0},
    {{"33914-3", "Glomerular filtration rate/1.73 sq M.predicted"}, "mL/min/{1.73_m2}", 30, 120, 0},
}};

}  // namespace

std::span<const std::string_view> family_names() { return family; }
std::span<const std::string_view> given_names(bool male) {
  return male ? std::span<const std::string_view>(male_given) : std::span<const std::string_view>(female_given);
}
std::span<const std::string_view> cities() { return city; }
std::span<const Coding> conditions() { return condition; }
std::span<const Coding> procedures() { return procedure; }
std::span<const Coding> medications() { return medication; }
std::span<const Coding> encounter_types() { return encounter_type; }
std::span<const Measure> laboratory() { return laboratory_measure; }

}  // namespace mydr24::load
