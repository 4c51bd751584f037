#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "fhir/model/definitions.h"
#include "fhir/search/search.h"

namespace mydr24::search {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Compartments, ATypeIsInACompartmentByItsParameters) {
  EXPECT_THAT(compartment_parameters("Patient", "Observation"), ElementsAre("subject", "performer"));
  EXPECT_THAT(compartment_parameters("Patient", "Patient"), ElementsAre("{def}", "link"));
  EXPECT_THAT(compartment_parameters("Encounter", "Condition"), ElementsAre("encounter"));
  EXPECT_THAT(compartment_parameters("RelatedPerson", "RelatedPerson"), ElementsAre("{def}"));
  EXPECT_THAT(compartment_parameters("Practitioner", "Claim"),
              ElementsAre("enterer", "provider", "payee", "care-team"));
  EXPECT_THAT(compartment_parameters("Device", "Observation"), ElementsAre("subject", "device"));
  EXPECT_THAT(compartment_parameters("Device", "Goal"), IsEmpty());
  EXPECT_THAT(compartment_parameters("Patient", "Medication"), IsEmpty());
  EXPECT_THAT(compartment_parameters("Organization", "Patient"), IsEmpty());
}

TEST(Compartments, EveryParameterIsAReferenceThatMayLeadThere) {
  for (const auto* compartment : {"Patient", "Encounter", "RelatedPerson", "Practitioner", "Device"}) {
    for (const model::Type* type : model::resource_types()) {
      for (const auto code : compartment_parameters(compartment, type->name)) {
        if (code == "{def}") continue;
        const Parameter* parameter = find_parameter(type->name, code);
        ASSERT_NE(parameter, nullptr) << compartment << ' ' << type->name << ' ' << code;
        EXPECT_EQ(parameter->kind, Kind::reference);
      }
    }
  }
}

TEST(Compartments, ThePatientsAreThoseOfTheDefinitionsPackage) {
  const std::filesystem::path file = "/tmp/defs/package/dist/fhir/r4/compartmentdefinition-patient.json";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << file << " is not here";
  std::ifstream stream(file, std::ios::binary);
  const auto document = json::Document::parse(std::string(std::istreambuf_iterator<char>(stream), {}));
  ASSERT_TRUE(document);
  std::map<std::string, std::vector<std::string>> differing;
  for (const auto resource : document->root()["resource"]) {
    const auto type = resource["code"].text();
    std::vector<std::string> published;
    for (const auto code : resource["param"]) published.emplace_back(code.text());
    const auto ours = compartment_parameters("Patient", type);
    if (!std::ranges::equal(ours, published)) differing.emplace(type, published);
  }
  // The package asks for subject where R4 asks for patient of an Encounter, adds Task, and leaves "{def}" out.
  EXPECT_THAT(differing, ElementsAre(testing::Pair("Encounter", ElementsAre("subject")),
                                     testing::Pair("Patient", ElementsAre("link")),
                                     testing::Pair("Task", ElementsAre("patient", "focus"))));
}

}  // namespace
}  // namespace mydr24::search
