#include "fhir/xml/xml.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "fhir/model/validate.h"

namespace mydr24::xml {
namespace {

namespace fs = std::filesystem;
using testing::AnyOf;
using testing::HasSubstr;
using testing::StartsWith;

const fs::path shared = "../shared/data";

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<fs::path> files_of(const fs::path& folder, std::string_view extension) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == extension) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

// Children of a resource in the FHIR namespace.
std::string resource(std::string_view type, std::string_view content) {
  return fmt::format("<{0} xmlns=\"http://hl7.org/fhir\">{1}</{0}>", type, content);
}

std::string json_of(std::string_view xml) {
  const auto json = to_json(xml);
  return json ? *json : json.error().text + " at " + json.error().where;
}

std::string xml_of(std::string_view json) {
  const auto document = json::Document::parse(std::string(json));
  return document ? from_json(document->root()) : document.error().text;
}

constexpr std::string_view declaration = R"(<?xml version="1.0" encoding="UTF-8"?>)";

struct Pair {
  std::string_view name, type, xml, json;
};

constexpr Pair pairs[] = {
    {"AnEmptyResource", "Patient", "", ""},
    {"Literals", "Patient", R"(<active value="true"/><multipleBirthInteger value="2"/>)",
     R"(,"active":true,"multipleBirthInteger":2)"},
    {"DecimalsAsWritten", "Observation", R"(<valueQuantity><value value="1.50"/><unit value="mg"/></valueQuantity>)",
     R"(,"valueQuantity":{"value":1.50,"unit":"mg"})"},
    {"RepeatsAreArrays", "Patient",
     R"(<name><given value="A"/><given value="B"/></name><name><text value="C"/></name>)",
     R"(,"name":[{"given":["A","B"]},{"text":"C"}])"},
    {"IdAndExtensionOfAPrimitive", "Patient",
     R"(<birthDate id="b" value="1970"><extension url="u"><valueInteger value="1"/></extension></birthDate>)",
     R"(,"birthDate":"1970","_birthDate":{"id":"b","extension":[{"url":"u","valueInteger":1}]})"},
    {"AnExtensionInPlaceOfAValue", "Patient",
     R"(<birthDate><extension url="u"><valueCode value="unknown"/></extension></birthDate>)",
     R"(,"_birthDate":{"extension":[{"url":"u","valueCode":"unknown"}]})"},
    {"CompanionsOfAnArrayArePaddedWithNull", "Patient",
     R"(<name><given value="A"/><given id="x"><extension url="u"><valueCode value="v"/></extension></given>)"
     R"(<given value="B"/><given id="y" value="C"/><given value="D"/></name>)",
     R"(,"name":[{"given":["A",null,"B","C","D"],"_given":[null,{"id":"x","extension":[{"url":"u","valueCode":"v"}]},)"
     R"(null,{"id":"y"},null]}])"},
    {"AnArrayOfCompanionsOnly", "Patient", R"(<name><given id="x"/><given id="y"/></name>)",
     R"(,"name":[{"_given":[{"id":"x"},{"id":"y"}]}])"},
    {"ElementIdsAreAttributes", "Patient", R"(<name id="n"><text value="A"/></name>)",
     R"(,"name":[{"id":"n","text":"A"}])"},
    {"ResourceIdsAreElements", "Patient", R"(<id value="p"/>)", R"(,"id":"p")"},
    {"ContainedResources", "Patient",
     R"(<contained><Organization><id value="o"/></Organization></contained>)"
     R"(<contained><Organization><id value="q"/></Organization></contained>)",
     R"(,"contained":[{"resourceType":"Organization","id":"o"},{"resourceType":"Organization","id":"q"}])"},
    {"ResourcesOfABundle", "Bundle",
     R"(<entry><resource><Patient><active value="false"/></Patient></resource></entry>)",
     R"(,"entry":[{"resource":{"resourceType":"Patient","active":false}}])"},
    {"NarrativesAsWritten", "Patient",
     R"(<text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml">a <b class='x'>&lt;&#160;b</b><br /></div></text>)",
     R"(,"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">a <b class='x'>&lt;&#160;b</b><br /></div>"})"},
    {"NestedExtensions", "Patient",
     R"(<extension url="a"><extension url="b"><valueString value="c"/></extension></extension>)",
     R"(,"extension":[{"url":"a","extension":[{"url":"b","valueString":"c"}]}])"},
    {"SpecialCharacters", "Patient", R"(<name><text value="&lt;a&gt; &amp; &quot;b&quot;&#9;c&#10;d&#13;e é"/></name>)",
     R"(,"name":[{"text":"<a> & \"b\"\tc\nd\re é"}])"},
};

TEST(Xml, EveryKindOfElementGoesBothWays) {
  for (const Pair& pair : pairs) {
    SCOPED_TRACE(pair.name);
    const std::string json = fmt::format("{{\"resourceType\":\"{}\"{}}}", pair.type, pair.json);
    EXPECT_EQ(json_of(resource(pair.type, pair.xml)), json);
    const std::string body = pair.xml.empty() ? fmt::format("<{} xmlns=\"http://hl7.org/fhir\"/>", pair.type)
                                              : resource(pair.type, pair.xml);
    EXPECT_EQ(xml_of(json), std::string(declaration) + body);
  }
}

TEST(Xml, ElementsAreWrittenInTheOrderOfTheDefinition) {
  EXPECT_EQ(xml_of(R"({"birthDate":"1970","id":"p","name":[{"given":["G"],"family":"F"}],"resourceType":"Patient"})"),
            std::string(declaration) + resource("Patient",
                                                R"(<id value="p"/><name><family value="F"/><given value="G"/></name>)"
                                                R"(<birthDate value="1970"/>)"));
}

TEST(Xml, ElementsAreReadInAnyOrder) {
  EXPECT_EQ(json_of(resource("Patient", R"(<birthDate value="1970"/><id value="p"/>)")),
            R"({"resourceType":"Patient","birthDate":"1970","id":"p"})");
}

TEST(Xml, CommentsWhiteSpacePrefixesAndSchemaLocationsAreLeftOut) {
  EXPECT_EQ(
      json_of("\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- a --><?style x?>\n"
              "<f:Patient xmlns:f=\"http://hl7.org/fhir\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
              "xsi:schemaLocation=\"http://hl7.org/fhir x.xsd\">\n  <!-- b -->\n  <f:id value='p'/>\n</f:Patient>\n"),
      R"({"resourceType":"Patient","id":"p"})");
}

TEST(Xml, ANarrativeThatLeansOnOuterNamespacesIsWrittenAnew) {
  EXPECT_EQ(
      json_of(R"(<Patient xmlns="http://hl7.org/fhir" xmlns:h="http://www.w3.org/1999/xhtml"><text><h:div>a &lt; )"
              R"(<h:b title="&quot;" xml:lang="de"><![CDATA[<&]]></h:b><h:br/></h:div></text></Patient>)"),
      R"({"resourceType":"Patient","text":{"div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">a &lt; )"
      R"(<b title=\"&quot;\" xml:lang=\"de\">&lt;&amp;</b><br></br></div>"}})");
}

TEST(Xml, ValuesThatAreNoLiteralBecomeStringsForValidationToJudge) {
  for (const auto& [xml, json] : std::vector<std::pair<std::string, std::string>>{
           {R"(<active value="yes"/>)", R"("active":"yes")"},
           {R"(<active value="TRUE"/>)", R"("active":"TRUE")"},
           {R"(<multipleBirthInteger value="01"/>)", R"("multipleBirthInteger":"01")"},
           {R"(<multipleBirthInteger value="+1"/>)", R"("multipleBirthInteger":"+1")"},
           {R"(<multipleBirthInteger value="1."/>)", R"("multipleBirthInteger":"1.")"},
           {R"(<multipleBirthInteger value="-0.5e+3"/>)", R"("multipleBirthInteger":-0.5e+3)"},
           {R"(<multipleBirthInteger value=""/>)", R"("multipleBirthInteger":"")"},
           {R"(<multipleBirthInteger value="1,&quot;x&quot;:2"/>)", R"("multipleBirthInteger":"1,\"x\":2")"}}) {
    EXPECT_EQ(json_of(resource("Patient", xml)), R"({"resourceType":"Patient",)" + json + "}");
  }
}

constexpr std::string_view fhir = "<Patient xmlns=\"http://hl7.org/fhir\">";

TEST(Xml, WhatCannotBeReadIsRefusedWithItsPlace) {
  const auto inside = [](std::string_view content) { return resource("Patient", content); };
  const std::string bomb =
      "<!DOCTYPE p [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\">"
      "<!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\">]>" +
      inside("<id value=\"&c;\"/>");
  const std::vector<std::tuple<std::string, std::string_view, std::string_view>> refusals{
      {"", "line 1, column 1: no element found", ""},
      {"{\"resourceType\":\"Patient\"}", "line 1, column 1: not well-formed", ""},
      {std::string(fhir), "line 1, column 38: no element found", "Patient"},
      {inside("<id value=\"p\">"), "line 1, column 54: mismatched tag", "Patient.id"},
      {bomb, "line 1, column 13: a DOCTYPE is not accepted", ""},
      {"<!DOCTYPE p SYSTEM \"file:///etc/passwd\">" + inside(""), "line 1, column 40: a DOCTYPE is not accepted", ""},
      {inside("<id value=\"&nbsp;\"/>"), "line 1, column 38: undefined entity", "Patient"},
      {inside("<id value=\"\xC3\x28\"/>"), "line 1, column 49: not well-formed (invalid token)", "Patient"},
      {inside("<id value=\"\x01\"/>"), "line 1, column 49: not well-formed (invalid token)", "Patient"},
      {inside("<id value=\"&#0;\"/>"), "reference to invalid character number", "Patient"},
      {inside("<id value=\"a\" value=\"b\"/>"), "duplicate attribute", "Patient"},
      {inside("<?php x?>"), "line 1, column 38: a processing instruction is not accepted", "Patient"},
      {inside("\n  hello"), "line 2, column 1: text is not accepted here", "Patient"},
      {"<Patient/>", "line 1, column 1: the element 'Patient' must be in the namespace http://hl7.org/fhir", ""},
      {"<Patient xmlns=\"http://hl7.org/fhir/x\"/>", "must be in the namespace http://hl7.org/fhir", ""},
      {"<Patient xmlns=\"http://hl7.org/fhir|x\"/>", "syntax error", ""},
      {inside("<id xmlns=\"urn:x\" value=\"p\"/>"), "must be in the namespace http://hl7.org/fhir", "Patient"},
      {"<Nurse xmlns=\"http://hl7.org/fhir\"/>", "'Nurse' is no resource type of FHIR R4", ""},
      {"<HumanName xmlns=\"http://hl7.org/fhir\"/>", "'HumanName' is no resource type", ""},
      {inside("<name><given value=\"A\"/></name>\n<name><nick value=\"B\"/></name>"),
       "line 2, column 7: unknown element 'nick'", "Patient.name[1]"},
      {inside("<birthDate value=\"1970\" day=\"1\"/>"), "unknown attribute 'day'", "Patient"},
      {inside("<name value=\"A\"/>"), "unknown attribute 'value'", "Patient.name[0]"},
      {inside("<id value=\"a\"/><id value=\"b\"/>"), "'id' may be here only once", "Patient"},
      {inside("<deceasedBoolean value=\"true\"/><deceasedDateTime value=\"2020\"/>"),
       "'deceasedDateTime' may be here only once", "Patient"},
      {inside("<name><text value=\"a\"/></name><id value=\"b\"/><name/>"), "all 'name' must stand together", "Patient"},
      {inside("<extension><url value=\"u\"/></extension>"), "'url' is an attribute here", "Patient.extension[0]"},
      {inside("<name><id value=\"u\"/></name>"), "'id' is an attribute here", "Patient.name[0]"},
      {inside("<birthDate><period/></birthDate>"), "unknown element 'period'", "Patient.birthDate"},
      {inside("<birthDate/>"), "neither a value nor an extension", "Patient.birthDate"},
      {inside("<contained/>"), "a resource must stand inside", "Patient.contained[0]"},
      {inside("<contained><Patient/><Patient/></contained>"), "only one resource may stand here",
       "Patient.contained[0]"},
      {inside("<text><div>a</div></text>"), "'div' must be in the namespace http://www.w3.org/1999/xhtml",
       "Patient.text"},
      {inside("<text><div xmlns=\"http://www.w3.org/1999/xhtml\"><x xmlns=\"urn:x\"/></div></text>"),
       "'x' must be in the namespace http://www.w3.org/1999/xhtml", "Patient.text"},
  };
  for (const auto& [xml, text, where] : refusals) {
    const auto json = to_json(xml);
    ASSERT_FALSE(json) << xml << "\n" << *json;
    EXPECT_EQ(json.error().code, Code::invalid) << xml;
    EXPECT_THAT(json.error().text, HasSubstr(text)) << xml;
    EXPECT_THAT(json.error().text, StartsWith("line ")) << xml;
    EXPECT_EQ(json.error().where, where) << xml;
  }
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

TEST(Xml, DepthAndSizeAreBounded) {
  const auto nested = [](std::size_t depth) {
    return resource("Patient", repeated("<extension url=\"u\">", depth) + repeated("</extension>", depth));
  };
  const auto deepest = to_json(nested((depth_max - 1) / 2));
  ASSERT_TRUE(deepest);
  EXPECT_TRUE(json::Document::parse(*deepest)) << "what is let in is not deeper than JSON may be";
  const auto too_deep = to_json(nested(100'000));
  ASSERT_FALSE(too_deep);
  EXPECT_EQ(too_deep.error().code, Code::too_large);

  const auto narrative =
      to_json(resource("Patient", "<text><div xmlns=\"http://www.w3.org/1999/xhtml\">" + repeated("<p>", 1000)));
  ASSERT_FALSE(narrative);
  EXPECT_EQ(narrative.error().code, Code::too_large);

  const auto long_value = to_json(resource("Patient", "<id value=\"" + std::string(4U << 20, 'x') + "\"/>"));
  ASSERT_TRUE(long_value) << "validation bounds strings";
  const auto too_large = to_json(std::string(bytes_max + 1, ' '));
  ASSERT_FALSE(too_large);
  EXPECT_EQ(too_large.error().code, Code::too_large);
}

TEST(Xml, ANarrativeNeverBreaksOutOfItsElement) {
  const auto of = [](std::string_view div) {
    std::string json = R"({"resourceType":"Patient","text":{"div":)";
    json += fmt::format("\"{}\"", div);
    return xml_of(json + "}}");
  };
  const auto narrative = [](std::string_view markup) {
    return std::string(declaration) + resource("Patient", fmt::format("<text>{}</text>", markup));
  };
  const std::string open = "<div xmlns=\"http://www.w3.org/1999/xhtml\">";
  EXPECT_EQ(of("<div>a</div>"), narrative(open + "a</div>")) << "the namespace is added";
  EXPECT_EQ(of("</div></text><id/>"), narrative(open + "&lt;/div&gt;&lt;/text&gt;&lt;id/&gt;</div>"));
  EXPECT_EQ(of("<p>a</p>"), narrative(open + "&lt;p&gt;a&lt;/p&gt;</div>"));
  EXPECT_EQ(of("<div>a</div><div>b</div>"), narrative(open + "&lt;div&gt;a&lt;/div&gt;&lt;div&gt;b&lt;/div&gt;</div>"));
  EXPECT_EQ(of("<!DOCTYPE x><div>a</div>"), narrative(open + "&lt;!DOCTYPE x&gt;&lt;div&gt;a&lt;/div&gt;</div>"));
  EXPECT_EQ(of("<div>&nbsp;&amp;</div>"), narrative(open + "&amp;nbsp;&amp;</div>")) << "HTML's entities as written";
}

TEST(Xml, CharactersThatXmlLacksAreReplaced) {
  EXPECT_EQ(xml_of(R"({"resourceType":"Patient","id":"a\u0001b\uFFFEc\uFFFD"})"),
            std::string(declaration) + resource("Patient",
                                                "<id value=\"a\xEF\xBF\xBD"
                                                "b\xEF\xBF\xBD"
                                                "c\xEF\xBF\xBD\"/>"));
}

// JSON, made XML, made JSON again: the same, but for narratives that are no XML.
void expect_round_trip(const std::string& text, const fs::path& file) {
  const auto document = json::Document::parse(text);
  ASSERT_TRUE(document) << file;
  const auto again = to_json(from_json(document->root()));
  ASSERT_TRUE(again) << file << ": " << again.error().text << " " << again.error().where;
  const auto second = json::Document::parse(*again);
  ASSERT_TRUE(second) << file << ": " << second.error().text;
  EXPECT_TRUE(json::equal(document->root(), second->root())) << file << "\n" << *again;
}

TEST(Xml, PublishedJsonExamplesGoRound) {
  if (!fs::exists(shared)) GTEST_SKIP() << "no ../shared/data";
  std::size_t count = 0;
  for (const auto folder : {"fhir-r4-examples", "us-core/examples"}) {
    for (const auto& file : files_of(shared / folder, ".json")) {
      const std::string text = read(file);
      const auto document = json::Document::parse(text);
      if (!document || !model::validate(document->root()).empty()) continue;
      expect_round_trip(text, file);
      ++count;
    }
  }
  EXPECT_GT(count, 560U);
}

TEST(Xml, PublishedXmlExamplesGoRound) {
  if (!fs::exists(shared)) GTEST_SKIP() << "no ../shared/data";
  std::size_t count = 0;
  for (const auto folder : {"fhirpath/r4-inputs", "fhir-validator-r4/resources", "ihe-scheduling"}) {
    for (const auto& file : files_of(shared / folder, ".xml")) {
      const auto json = to_json(read(file));
      if (!json) {
        // Text between the elements; an element that R4 has not.
        EXPECT_THAT(file.filename().string(), AnyOf("xml-fail.xml", "capabilitystatement-measure-processor.xml"))
            << json.error().text << " at " << json.error().where;
        continue;
      }
      expect_round_trip(*json, file);
      ++count;
    }
  }
  EXPECT_EQ(count, 27U);
}

}  // namespace
}  // namespace mydr24::xml
