// Profiles written for one rule each: what they let through and what they do not.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "fhir/validation/validation.h"

namespace mydr24::validation {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view url = "http://example.org/profile";

std::string definition(std::string_view type, std::string_view elements, std::string_view name = url,
                       std::string_view base = {}) {
  return fmt::format(
      R"({{"resourceType":"StructureDefinition","url":"{}","name":"P","status":"active","kind":"resource",)"
      R"("abstract":false,"type":"{}","baseDefinition":"{}","derivation":"constraint",)"
      R"("differential":{{"element":[{}]}}}})",
      name, type, base.empty() ? fmt::format("http://hl7.org/fhir/StructureDefinition/{}", type) : base, elements);
}

class Profiles {
 public:
  explicit Profiles(const std::vector<std::string>& texts) {
    std::vector<json::Value> roots;
    for (const auto& text : texts) {
      auto document = json::Document::parse(text);
      EXPECT_TRUE(document) << document.error().text << text;
      documents_.push_back(std::make_unique<json::Document>(std::move(*document)));
      roots.push_back(documents_.back()->root());
    }
    const auto terminology = terminology::Terminology::published()->with(roots);
    validator_ = Validator::base(terminology)->with(roots, terminology, &problems);
  }

  // "path: diagnostics" of the errors.
  std::vector<std::string> errors(std::string_view text, Request request = {.profiles = {std::string(url)}}) const {
    const auto document = json::Document::parse(std::string(text));
    EXPECT_TRUE(document) << document.error().text << text;
    std::vector<std::string> found;
    for (const auto& issue : validator_->validate(document->root(), request)) {
      if (issue.severity == model::Severity::error) found.push_back(issue.expression + ": " + issue.diagnostics);
    }
    return found;
  }

  const Validator& validator() const { return *validator_; }
  std::vector<std::string> problems;

 private:
  std::vector<std::unique_ptr<json::Document>> documents_;
  std::shared_ptr<const Validator> validator_;
};

// An Observation with more members.
std::string observation(std::string_view more) {
  return fmt::format(R"({{"resourceType":"Observation","status":"final","code":{{"text":"x"}}{}{}}})",
                     more.empty() ? "" : ",", more);
}

TEST(Profile, CardinalityIsHeld) {
  const Profiles profiles(
      {definition("Patient", R"({"id":"Patient.name","path":"Patient.name","min":1,"max":"2"},)"
                             R"({"id":"Patient.photo","path":"Patient.photo","max":"0"},)"
                             R"({"id":"Patient.name.family","path":"Patient.name.family","min":1})")});
  EXPECT_THAT(profiles.problems, IsEmpty());
  EXPECT_THAT(profiles.errors(R"({"resourceType":"Patient","name":[{"family":"A"}]})"), IsEmpty());
  EXPECT_THAT(profiles.errors(R"({"resourceType":"Patient","active":true})"),
              ElementsAre("Patient.name: The profile needs 'name'."));
  EXPECT_THAT(profiles.errors(R"({"resourceType":"Patient","name":[{"family":"A"},{"text":"B"}]})"),
              ElementsAre("Patient.name[1].family: The profile needs 'family'."));
  EXPECT_THAT(profiles.errors(R"({"resourceType":"Patient","name":[{"family":"A"},{"family":"B"},{"family":"C"}]})"),
              ElementsAre("Patient.name: The profile allows 'name' 2 times, not 3."));
  EXPECT_THAT(profiles.errors(R"({"resourceType":"Patient","name":[{"family":"A"}],"photo":[{"title":"x"}]})"),
              ElementsAre("Patient.photo: The profile does not allow 'photo'."));
  // An extension in the place of a value is an element.
  EXPECT_THAT(profiles.errors(R"({"resourceType":"Patient","name":[{"_family":{"extension":[)"
                              R"({"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason",)"
                              R"("valueCode":"unknown"}]}}]})"),
              IsEmpty());
}

TEST(Profile, FixedValuesAndPatternsAreHeld) {
  const Profiles profiles({definition(
      "Observation",
      R"({"id":"Observation.status","path":"Observation.status","fixedCode":"final"},)"
      R"({"id":"Observation.code","path":"Observation.code","patternCodeableConcept":)"
      R"({"coding":[{"system":"http://loinc.org","code":"1"}]}},)"
      R"({"id":"Observation.valueQuantity","path":"Observation.valueQuantity","type":[{"code":"Quantity"}]},)"
      R"({"id":"Observation.valueQuantity.code","path":"Observation.valueQuantity.code","fixedCode":"mm"})")});
  EXPECT_THAT(profiles.problems, IsEmpty());
  const auto with = [](std::string_view status, std::string_view code, std::string_view unit) {
    return fmt::format(R"({{"resourceType":"Observation","status":"{}","code":{{"text":"t","coding":[)"
                       R"({{"system":"http://other.org","code":"9"}},)"
                       R"({{"system":"http://loinc.org","code":"{}","display":"d"}}]}},)"
                       R"("valueQuantity":{{"value":1,"system":"http://unitsofmeasure.org","code":"{}"}}}})",
                       status, code, unit);
  };
  EXPECT_THAT(profiles.errors(with("final", "1", "mm")), IsEmpty());
  EXPECT_THAT(profiles.errors(with("amended", "1", "mm")), ElementsAre(HasSubstr("fixes this to \"final\"")));
  EXPECT_THAT(profiles.errors(with("final", "2", "mm")),
              ElementsAre(HasSubstr("Observation.code: The profile demands")));
  EXPECT_THAT(profiles.errors(with("final", "1", "cm")),
              ElementsAre(HasSubstr("Observation.value.ofType(Quantity).code: The profile fixes")));
}

TEST(Profile, TypesAndTargetsAreHeld) {
  const Profiles profiles({definition(
      "Observation",
      R"({"id":"Observation.value[x]","path":"Observation.value[x]","type":[{"code":"Quantity"},{"code":"string"}]},)"
      R"({"id":"Observation.subject","path":"Observation.subject","type":[{"code":"Reference",)"
      R"("targetProfile":["http://hl7.org/fhir/StructureDefinition/Patient"]}]})")});
  EXPECT_THAT(profiles.problems, IsEmpty());
  EXPECT_THAT(profiles.errors(observation(R"("valueString":"x","subject":{"reference":"Patient/1"})")), IsEmpty());
  EXPECT_THAT(profiles.errors(observation(R"("valueBoolean":true)")),
              ElementsAre(HasSubstr("allows Quantity, string here")));
  EXPECT_THAT(profiles.errors(observation(R"("subject":{"reference":"Group/1"})")),
              ElementsAre(HasSubstr("not to Group")));
  EXPECT_THAT(profiles.errors(observation(R"("subject":{"reference":"http://h.org/fhir/Group/1"})")),
              ElementsAre(HasSubstr("not to Group")));
  EXPECT_THAT(profiles.errors(observation(R"("subject":{"display":"someone"})")), IsEmpty());
}

TEST(Profile, TheTargetOfAReferenceConformsWhereItCanBeSeen) {
  const std::string patient = "http://example.org/patient";
  const Profiles profiles(
      {definition("Patient", R"({"id":"Patient.birthDate","path":"Patient.birthDate","min":1})", patient),
       definition("Observation", fmt::format(R"({{"id":"Observation.subject","path":"Observation.subject","type":)"
                                             R"([{{"code":"Reference","targetProfile":["{}"]}}]}})",
                                             patient))});
  EXPECT_THAT(profiles.problems, IsEmpty());
  const auto with = [](std::string_view contained) {
    return observation(fmt::format(
        R"("contained":[{{"resourceType":"Patient","id":"p"{}}}],"subject":{{"reference":"#p"}})", contained));
  };
  EXPECT_THAT(profiles.errors(with(R"(,"birthDate":"2001")")), IsEmpty());
  EXPECT_THAT(profiles.errors(with(R"(,"active":true)")), ElementsAre(HasSubstr("conforms to none of the profiles")));
  EXPECT_THAT(profiles.errors(observation(R"("subject":{"reference":"Patient/unseen"})")), IsEmpty());
}

// Two slices of category by a coding, one needed; what else is there depends on the rules.
std::string sliced(std::string_view rules, bool ordered) {
  return definition(
      "Observation",
      fmt::format(
          R"({{"id":"Observation.category","path":"Observation.category","slicing":{{"discriminator":[)"
          R"({{"type":"value","path":"coding.code"}}],"ordered":{},"rules":"{}"}}}},)"
          R"({{"id":"Observation.category:a","path":"Observation.category","sliceName":"a","min":1,"max":"1"}},)"
          R"({{"id":"Observation.category:a.coding","path":"Observation.category.coding","min":1}},)"
          R"({{"id":"Observation.category:a.coding.code","path":"Observation.category.coding.code","min":1,"fixedCode":"a"}},)"
          R"({{"id":"Observation.category:b","path":"Observation.category","sliceName":"b"}},)"
          R"({{"id":"Observation.category:b.coding.code","path":"Observation.category.coding.code","fixedCode":"b"}})",
          ordered, rules));
}

std::string categories(std::string_view codes) {
  std::string items;
  for (const char code : codes) {
    items += fmt::format(R"({}{{"coding":[{{"system":"http://s.org","code":"{}"}}]}})", items.empty() ? "" : ",", code);
  }
  return observation(fmt::format(R"("category":[{}])", items));
}

TEST(Profile, SlicesAreCountedAndTheirRulesHeld) {
  struct Case {
    const char* rules;
    bool ordered;
    const char* codes;
    const char* error;  // nullptr: none
  };
  const Case cases[] = {
      {"open", false, "a", nullptr},
      {"open", false, "xaby", nullptr},
      {"open", false, "b", "as slice 'a' 1 times, not 0"},
      {"open", false, "aa", "allows 'category' as slice 'a' 1 times, not 2"},
      {"closed", false, "bab", nullptr},
      {"closed", false, "ax", "category[1]: This is none of the slices"},
      {"openAtEnd", false, "bax", nullptr},
      {"openAtEnd", false, "xa", "must stand before everything that is no slice"},
      {"open", true, "axb", nullptr},
      {"open", true, "ba", "The slice 'a' must stand before 'b'"},
  };
  for (const auto& one : cases) {
    const Profiles profiles({sliced(one.rules, one.ordered)});
    ASSERT_THAT(profiles.problems, IsEmpty());
    const auto errors = profiles.errors(categories(one.codes));
    if (one.error == nullptr) {
      EXPECT_THAT(errors, IsEmpty()) << one.rules << ' ' << one.codes;
    } else {
      EXPECT_THAT(errors, ElementsAre(HasSubstr(one.error))) << one.rules << ' ' << one.codes;
    }
  }
}

TEST(Profile, SlicesAreToldApartByTypeExistencePatternAndProfile) {
  const std::string by_type = definition(
      "Observation",
      R"({"id":"Observation.value[x]","path":"Observation.value[x]","slicing":{"discriminator":[{"type":"type","path":"$this"}],"rules":"closed"}},)"
      R"({"id":"Observation.value[x]:valueQuantity","path":"Observation.value[x]","sliceName":"valueQuantity","min":1,"type":[{"code":"Quantity"}]},)"
      R"({"id":"Observation.value[x]:valueQuantity.unit","path":"Observation.value[x].unit","min":1})");
  const Profiles type({by_type});
  EXPECT_THAT(type.problems, IsEmpty());
  EXPECT_THAT(type.errors(observation(R"("valueQuantity":{"value":1,"unit":"m"})")), IsEmpty());
  EXPECT_THAT(type.errors(observation(R"("valueQuantity":{"value":1})")), ElementsAre(HasSubstr("needs 'unit'")));
  EXPECT_THAT(type.errors(observation(R"("valueString":"1 m")")), testing::SizeIs(2));

  const Profiles exists({definition(
      "Patient",
      R"({"id":"Patient.telecom","path":"Patient.telecom","slicing":{"discriminator":[{"type":"exists","path":"period"}],"rules":"open"}},)"
      R"({"id":"Patient.telecom:now","path":"Patient.telecom","sliceName":"now","min":1},)"
      R"({"id":"Patient.telecom:now.period","path":"Patient.telecom.period","max":"0"},)"
      R"({"id":"Patient.telecom:old","path":"Patient.telecom","sliceName":"old","max":"1"},)"
      R"({"id":"Patient.telecom:old.period","path":"Patient.telecom.period","min":1})")});
  EXPECT_THAT(exists.problems, IsEmpty());
  EXPECT_THAT(exists.errors(R"({"resourceType":"Patient","telecom":[{"system":"phone","value":"1"}]})"), IsEmpty());
  EXPECT_THAT(exists.errors(
                  R"({"resourceType":"Patient","telecom":[{"system":"phone","value":"1","period":{"start":"2001"}}]})"),
              ElementsAre(HasSubstr("as slice 'now'")));

  const Profiles pattern({definition(
      "Patient",
      R"({"id":"Patient.identifier","path":"Patient.identifier","slicing":{"discriminator":[{"type":"pattern","path":"$this"}],"rules":"open"}},)"
      R"({"id":"Patient.identifier:mrn","path":"Patient.identifier","sliceName":"mrn","min":1,"patternIdentifier":{"system":"urn:mrn"}},)"
      R"({"id":"Patient.identifier:mrn.value","path":"Patient.identifier.value","min":1})")});
  EXPECT_THAT(pattern.errors(R"({"resourceType":"Patient","identifier":[{"system":"urn:mrn","value":"1"}]})"),
              IsEmpty());
  EXPECT_THAT(pattern.errors(R"({"resourceType":"Patient","identifier":[{"system":"urn:mrn"}]})"),
              ElementsAre(HasSubstr("needs 'value'")));
  EXPECT_THAT(pattern.errors(R"({"resourceType":"Patient","identifier":[{"system":"urn:ssn","value":"1"}]})"),
              ElementsAre(HasSubstr("as slice 'mrn'")));

  const std::string born = "http://example.org/born";
  const Profiles profile(
      {definition("Patient", R"({"id":"Patient.birthDate","path":"Patient.birthDate","min":1})", born),
       definition(
           "Bundle",
           fmt::format(
               R"({{"id":"Bundle.entry","path":"Bundle.entry","slicing":{{"discriminator":[{{"type":"profile","path":"resource"}}],"rules":"open"}}}},)"
               R"({{"id":"Bundle.entry:born","path":"Bundle.entry","sliceName":"born","min":1}},)"
               R"({{"id":"Bundle.entry:born.resource","path":"Bundle.entry.resource","type":[{{"code":"Patient","profile":["{}"]}}]}})",
               born))});
  EXPECT_THAT(profile.problems, IsEmpty());
  const auto bundle = [](std::string_view more) {
    return fmt::format(
        R"({{"resourceType":"Bundle","type":"collection","entry":[{{"resource":{{"resourceType":"Patient"{}}}}}]}})",
        more);
  };
  EXPECT_THAT(profile.errors(bundle(R"(,"birthDate":"2001")")), IsEmpty());
  EXPECT_THAT(profile.errors(bundle(R"(,"active":true)")), ElementsAre(HasSubstr("as slice 'born'")));
}

std::string extension(std::string_view name, std::string_view context, std::string_view elements) {
  return fmt::format(
      R"({{"resourceType":"StructureDefinition","url":"{0}","name":"E","status":"active","kind":"complex-type",)"
      R"("abstract":false,"context":[{{"type":"element","expression":"{1}"}}],"type":"Extension",)"
      R"("baseDefinition":"http://hl7.org/fhir/StructureDefinition/Extension","derivation":"constraint",)"
      R"("differential":{{"element":[{{"id":"Extension.url","path":"Extension.url","fixedUri":"{0}"}},{2}]}}}})",
      name, context, elements);
}

TEST(Profile, ExtensionsAreJudgedByTheirDefinitionAndPlace) {
  const std::string age = "http://clinic.net/age";
  const Profiles profiles(
      {extension(age, "Patient.contact",
                 R"({"id":"Extension.value[x]","path":"Extension.value[x]","min":1,"type":[{"code":"integer"}]})"),
       definition(
           "Patient",
           fmt::format(R"({{"id":"Patient.contact.extension:age","path":"Patient.contact.extension","sliceName":"age",)"
                       R"("min":1,"max":"1","type":[{{"code":"Extension","profile":["{}"]}}]}})",
                       age))});
  EXPECT_THAT(profiles.problems, IsEmpty());
  const auto contact = [&](std::string_view extensions) {
    return fmt::format(R"({{"resourceType":"Patient","contact":[{{"name":{{"text":"A"}}{}}}]}})", extensions);
  };
  const auto one = [&](std::string_view value) { return fmt::format(R"({{"url":"{}",{}}})", age, value); };
  EXPECT_THAT(profiles.errors(contact(fmt::format(R"(,"extension":[{}])", one(R"("valueInteger":3)")))), IsEmpty());
  EXPECT_THAT(profiles.errors(contact(fmt::format(R"(,"extension":[{}])", one(R"("valueString":"3")")))),
              ElementsAre(HasSubstr("allows integer here, not string")));
  EXPECT_THAT(profiles.errors(contact("")), ElementsAre(HasSubstr("as slice 'age' 1 times, not 0")));
  EXPECT_THAT(
      profiles.errors(fmt::format(R"({{"resourceType":"Patient","extension":[{}]}})", one(R"("valueInteger":3)")),
                      {.strict = true}),
      ElementsAre(HasSubstr("may stand on Patient.contact, not here")));
  EXPECT_THAT(
      profiles.errors(fmt::format(
          R"({{"resourceType":"Patient","contact":[{{"name":{{"text":"A"}},"extension":[{0}],"modifierExtension":[{0}]}}]}})",
          one(R"("valueInteger":3)"))),
      ElementsAre(HasSubstr("is no modifier: it belongs into extension")));
  const std::string unknown = R"({"resourceType":"Patient","extension":[{"url":"http://x.net/y","valueInteger":3}]})";
  EXPECT_THAT(profiles.errors(unknown), IsEmpty());
  EXPECT_THAT(profiles.errors(unknown, {.strict = true}), ElementsAre(HasSubstr("is not known here")));
}

TEST(Profile, AnExtensionMayStandWhereItsFhirPathContextSays) {
  const std::string mark = "http://clinic.net/mark";
  auto text = extension(mark, "Patient.contact.where(gender = 'female') | Patient.birthDate",
                        R"({"id":"Extension.value[x]","path":"Extension.value[x]","type":[{"code":"integer"}]})");
  text.replace(text.find(R"("type":"element")"), 16, R"("type":"fhirpath")");
  const Profiles profiles({text});
  EXPECT_THAT(profiles.problems, IsEmpty());
  const std::string marked = fmt::format(R"("extension":[{{"url":"{}","valueInteger":3}}])", mark);
  const auto contact = [&](std::string_view gender) {
    return fmt::format(R"({{"resourceType":"Patient","contact":[{{"name":{{"text":"A"}},"gender":"{}",{}}}]}})", gender,
                       marked);
  };
  EXPECT_THAT(profiles.errors(contact("female"), {.strict = true}), IsEmpty());
  EXPECT_THAT(profiles.errors(contact("male"), {.strict = true}), ElementsAre(HasSubstr("not here")));
  EXPECT_THAT(
      profiles.errors(fmt::format(R"({{"resourceType":"Patient","birthDate":"2001","_birthDate":{{{}}}}})", marked),
                      {.strict = true}),
      IsEmpty());
  EXPECT_THAT(profiles.errors(fmt::format(R"({{"resourceType":"Patient",{}}})", marked), {.strict = true}),
              ElementsAre(HasSubstr("not here")));
}

TEST(Profile, WhatItDemandsOfAnItemHoldsForTheItemsInIt) {
  const Profiles profiles(
      {definition("Questionnaire", R"({"id":"Questionnaire.item.text","path":"Questionnaire.item.text","min":1})")});
  EXPECT_THAT(profiles.problems, IsEmpty());
  const auto nested = [](std::string_view inner) {
    return fmt::format(R"({{"resourceType":"Questionnaire","status":"draft","item":[{{"linkId":"1","type":"group",)"
                       R"("text":"a","item":[{{"linkId":"2","type":"group","text":"b","item":[{}]}}]}}]}})",
                       inner);
  };
  EXPECT_THAT(profiles.errors(nested(R"({"linkId":"3","type":"string","text":"c"})")), IsEmpty());
  EXPECT_THAT(profiles.errors(nested(R"({"linkId":"3","type":"string"})")),
              ElementsAre(HasSubstr("Questionnaire.item[0].item[0].item[0].text: The profile needs 'text'")));
}

TEST(Profile, WithoutItsBaseItsOwnDemandsHold) {
  const Profiles profiles({definition("Patient", R"({"id":"Patient.active","path":"Patient.active","min":1})", url,
                                      "http://example.org/nowhere")});
  EXPECT_THAT(profiles.problems, ElementsAre(HasSubstr("only what it demands itself")));
  EXPECT_THAT(profiles.errors(R"({"resourceType":"Patient"})"), testing::SizeIs(1));
}

TEST(Profile, RulesAndBindingsOfProfilesAreHeld) {
  const Profiles profiles(
      {R"({"resourceType":"ValueSet","url":"http://example.org/vs","status":"active","compose":{"include":[)"
       R"({"system":"http://example.org/cs","concept":[{"code":"in"}]}]}})",
       definition("Observation",
                  R"x({"id":"Observation","path":"Observation","constraint":[{"key":"t-1","severity":"error",)x"
                  R"x("human":"needs a note","expression":"note.exists() or value.exists().not()"}]},)x"
                  R"x({"id":"Observation.method","path":"Observation.method","binding":)x"
                  R"x({"strength":"required","valueSet":"http://example.org/vs"}})x")});
  EXPECT_THAT(profiles.problems, IsEmpty());
  EXPECT_THAT(profiles.errors(observation("")), IsEmpty());
  EXPECT_THAT(profiles.errors(observation(R"("valueString":"x")")), ElementsAre("Observation: needs a note (t-1)"));
  const auto method = [](std::string_view code) {
    return observation(
        fmt::format(R"("method":{{"coding":[{{"system":"http://example.org/cs","code":"{}"}}]}})", code));
  };
  EXPECT_THAT(profiles.errors(method("in")), IsEmpty());
  EXPECT_THAT(profiles.errors(method("out")), ElementsAre(HasSubstr("is not in the value set http://example.org/vs")));
}

TEST(Profile, AProfileOfAProfileHasTheRulesOfBoth) {
  const std::string base = "http://example.org/base";
  const Profiles profiles(
      {definition("Patient", R"({"id":"Patient.active","path":"Patient.active","min":1})", url, base),
       definition("Patient", R"({"id":"Patient.gender","path":"Patient.gender","min":1})", base)});
  EXPECT_THAT(profiles.problems, IsEmpty());
  EXPECT_THAT(profiles.errors(R"({"resourceType":"Patient","birthDate":"2001"})"), testing::SizeIs(2));
  EXPECT_THAT(profiles.errors(R"({"resourceType":"Patient","active":true,"gender":"other"})"), IsEmpty());
}

TEST(Profile, WhatCannotBeUnderstoodIsToldAndLeftOut) {
  const Profiles profiles(
      {definition("Patient", R"({"id":"Patient.nme","path":"Patient.nme","min":1})"),
       definition("Patient", "", "http://example.org/a", "http://example.org/b"),
       definition("Patient", "", "http://example.org/b", "http://example.org/a"),
       definition(
           "Patient",
           R"({"id":"Patient","path":"Patient","constraint":[{"key":"k","severity":"error","human":"h","expression":"name.("}]})",
           "http://example.org/c")});
  EXPECT_EQ(profiles.problems.size(), 4U) << testing::PrintToString(profiles.problems);
  EXPECT_FALSE(profiles.validator().has_profile(url));
  EXPECT_FALSE(profiles.validator().has_profile("http://example.org/a"));
  EXPECT_TRUE(profiles.validator().has_profile("http://example.org/c"));
  EXPECT_THAT(profiles.errors(R"({"resourceType":"Patient","active":true})"),
              ElementsAre(HasSubstr("is not known here")));
}

TEST(Profile, ASnapshotAloneIsEnough) {
  const Profiles profiles({fmt::format(
      R"({{"resourceType":"StructureDefinition","url":"{}","name":"S","status":"active","kind":"resource",)"
      R"("abstract":false,"type":"Patient","baseDefinition":"http://unknown.org/base","derivation":"constraint",)"
      R"("snapshot":{{"element":[{{"id":"Patient","path":"Patient","min":0,"max":"*"}},)"
      R"({{"id":"Patient.name","path":"Patient.name","min":1,"max":"*","type":[{{"code":"HumanName"}}]}},)"
      R"({{"id":"Patient.deceased[x]","path":"Patient.deceased[x]","min":0,"max":"1",)"
      R"("type":[{{"code":"boolean"}},{{"code":"dateTime"}}]}}]}}}})",
      url)});
  EXPECT_THAT(profiles.problems, IsEmpty());
  EXPECT_THAT(profiles.errors(R"({"resourceType":"Patient","deceasedBoolean":true})"),
              ElementsAre("Patient.name: The profile needs 'name'."));
}

TEST(Profile, PublishedProfilesAreHeldWhenTheyAreNamed) {
  const Profiles profiles({});
  const auto weight = [](std::string_view unit) {
    return fmt::format(
        R"({{"resourceType":"Observation","meta":{{"profile":["http://hl7.org/fhir/StructureDefinition/bodyweight"]}},)"
        R"("status":"final","category":[{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/observation-category",)"
        R"("code":"vital-signs"}}]}}],"code":{{"coding":[{{"system":"http://loinc.org","code":"29463-7"}}]}},)"
        R"("subject":{{"reference":"Patient/1"}},"effectiveDateTime":"2024-01-01",)"
        R"("valueQuantity":{{"value":70,"unit":"kg","system":"http://unitsofmeasure.org","code":"{}"}}}})",
        unit);
  };
  EXPECT_THAT(profiles.errors(weight("kg"), {}), IsEmpty());
  EXPECT_THAT(profiles.errors(weight("m"), {}), ElementsAre(HasSubstr("is not in the value set")));
}

}  // namespace
}  // namespace mydr24::validation
