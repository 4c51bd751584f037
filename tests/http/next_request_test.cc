// What a client was told is stored counts for its very next request.

#include <fmt/format.h>

#include "support/live.h"

namespace mydr24::live {
namespace {

TEST(NextRequest, AValueSetThatWasJustStoredCanBeSearchedWith) {
  Live live;
  const auto observation = live.http().send(
      "POST", "/fhir/R4/Observation",
      R"({"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://codes.example","code":"c-7"}]}})");
  ASSERT_TRUE(observation);
  ASSERT_EQ(observation->status, 201) << observation->body;
  for (int i = 0; i < 20; ++i) {
    const std::string url = fmt::format("http://sets.example/{}", i);
    const std::string concepts = i % 2 == 0 ? R"({"code":"c-7"})" : R"({"code":"c-8"})";
    const std::string set = fmt::format(
        R"({{"resourceType":"ValueSet","url":"{}","status":"active","compose":{{"include":[{{"system":"http://codes.example","concept":[{}]}}]}}}})",
        url, concepts);
    const std::string body =
        i % 3 != 0
            ? set
            : fmt::format(
                  R"({{"resourceType":"Bundle","type":"transaction","entry":[{{"resource":{},"request":{{"method":"POST","url":"ValueSet"}}}}]}})",
                  set);
    const auto stored = live.http().send("POST", i % 3 != 0 ? "/fhir/R4/ValueSet" : "/fhir/R4/", body);
    ASSERT_TRUE(stored);
    ASSERT_LT(stored->status, 300) << stored->body;
    const auto found = live.http().get("/fhir/R4/Observation?_total=accurate&code:in=" + url);
    ASSERT_TRUE(found);
    ASSERT_EQ(found->status, 200) << found->body;
    const auto document = json::Document::parse_view(found->body);
    ASSERT_TRUE(document);
    EXPECT_EQ(document->root()["total"].text(), i % 2 == 0 ? "1" : "0") << found->body;
  }
  EXPECT_EQ(live.stop(), 0);
}

}  // namespace
}  // namespace mydr24::live
