#include "api/fhir_api/presentation.h"

#include <gtest/gtest.h>

#include "base/json/document.h"

namespace mydr24::fhir_api {
namespace {

constexpr std::string_view patient =
    R"({"resourceType":"Patient","id":"1","meta":{"versionId":"2","tag":[{"code":"kept"}]},)"
    R"("text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>"},)"
    R"("active":true,"name":[{"family":"Meyer","extension":[{"url":"u","valueCode":"c"}]}],"birthDate":"1980-01-01",)"
    R"("_birthDate":{"extension":[{"url":"u","valueCode":"c"}]},"maritalStatus":{"text":"m"},)"
    R"("contact":[{"gender":"male"}],"communication":[{"language":{"text":"de"}}]})";

struct Row {
  const char* what;
  search::Summary summary;
  std::vector<std::string> elements;
  std::vector<std::string> kept;
  std::vector<std::string> left_out;
};

TEST(PartOfAResource, HoldsWhatWasAskedForAndSaysThatItIsAPart) {
  using enum search::Summary;
  const Row rows[] = {
      {"_summary=true", yes, {}, {"active", "name", "birthDate"}, {"text", "maritalStatus", "contact"}},
      {"_summary=text", text, {}, {"text"}, {"active", "name", "birthDate", "contact"}},
      {"_summary=data", data, {}, {"active", "name", "birthDate", "_birthDate", "maritalStatus", "contact"}, {"text"}},
      {"_elements=name,birthDate", no, {"name", "birthDate"}, {"name", "birthDate", "_birthDate"}, {"text", "active"}},
      {"_elements=Patient.active", no, {"Patient.active"}, {"active"}, {"text", "name"}},
  };
  for (const auto& row : rows) {
    search::Query query;
    query.summary = row.summary;
    query.elements = row.elements;
    ASSERT_TRUE(is_part(query)) << row.what;
    const auto document = json::Document::parse(part_of(patient, query));
    ASSERT_TRUE(document) << row.what;
    const auto root = document->root();
    EXPECT_EQ(root["resourceType"].text(), "Patient") << row.what;
    EXPECT_EQ(root["id"].text(), "1") << row.what;
    EXPECT_EQ(root["meta"]["versionId"].text(), "2") << row.what;
    EXPECT_EQ(root["meta"]["tag"].at(0)["code"].text(), "kept") << row.what;
    EXPECT_EQ(root["meta"]["tag"].at(1)["code"].text(), "SUBSETTED") << row.what;
    for (const auto& name : row.kept) EXPECT_TRUE(root[name].exists()) << row.what << ": " << name;
    for (const auto& name : row.left_out) EXPECT_FALSE(root[name].exists()) << row.what << ": " << name;
  }
}

TEST(PartOfAResource, KeepsMandatoryElements) {
  search::Query query;
  query.summary = search::Summary::text;
  const auto part = part_of(R"({"resourceType":"Observation","id":"1","status":"final","code":{"text":"c"},)"
                            R"("valueString":"v"})",
                            query);
  const auto document = json::Document::parse(part);
  ASSERT_TRUE(document);
  EXPECT_TRUE(document->root()["status"].exists());
  EXPECT_TRUE(document->root()["code"].exists());
  EXPECT_FALSE(document->root()["valueString"].exists());
}

TEST(PartOfAResource, IsNotMadeWhenNoneWasAskedFor) {
  search::Query query;
  EXPECT_FALSE(is_part(query));
  query.summary = search::Summary::count;
  EXPECT_FALSE(is_part(query)) << "a count has no resources at all";
}

}  // namespace
}  // namespace mydr24::fhir_api
