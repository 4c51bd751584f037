#include <gtest/gtest.h>

#include "api/fhir_api/bundle_writer.h"
#include "api/fhir_api/fhir_api.h"
#include "base/json/document.h"
#include "base/net/headers_fixture.h"
#include "fhir/model/validate.h"

namespace mydr24::fhir_api {
namespace {

const Instant start = from_us(1'700'000'000'000'000);

TEST(Etag, IsTakenInEveryFormThatClientsSend) {
  const std::pair<const char*, std::int64_t> rows[] = {{"W/\"3\"", 3}, {"\"3\"", 3}, {"3", 3}, {"W/\"120\"", 120}};
  for (const auto& [text, version] : rows) {
    const auto parsed = parse_etag(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(*parsed, version) << text;
  }
  EXPECT_FALSE(parse_etag("")->has_value()) << "no header: no demand";
}

TEST(Etag, ThatIsMalformedIsRefused) {
  for (const char* text :
       {"*", "W/\"\"", "W/\"3", "\"", "W/", "abc", "0", "-1", "3x", "W/\"1\", W/\"2\"", "99999999999999999999"}) {
    const auto parsed = parse_etag(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, Code::invalid) << text;
  }
}

TEST(Prefer, ChoosesWhatIsReturned) {
  const std::pair<const char*, Return> rows[] = {
      {"", Return::unset},
      {"return=minimal", Return::minimal},
      {"return=representation", Return::representation},
      {"return=OperationOutcome", Return::outcome},
      {"handling=strict; return=minimal", Return::minimal},
      {"return=everything", Return::unset},
      {"respond-async", Return::unset},
  };
  for (const auto& [prefer, expected] : rows) EXPECT_EQ(preferred_return(prefer), expected) << prefer;
  EXPECT_TRUE(prefers_lenient("return=minimal, handling=lenient"));
  EXPECT_FALSE(prefers_lenient("handling=strict"));
}

struct Negotiation {
  const char* accept;
  const char* query;
  bool acceptable;
};

TEST(Accept, TakesWhateverIncludesJsonOrXml) {
  const Negotiation rows[] = {
      {"", "", true},
      {"application/fhir+json", "", true},
      {"application/fhir+json; fhirVersion=4.0", "", true},
      {"text/html, application/xml;q=0.9, */*;q=0.8", "", true},
      {"application/xml, application/json;q=0.1", "", true},
      {"text/html", "", false},
      {"application/fhir+xml", "", true},
      {"text/turtle", "", false},
      {"application/fhir+json;q=0", "", false},
      {"application/fhir+json; q=0.0", "", false},
      {"application/fhir+json;q=0.000, text/html", "", false},
      {"application/fhir+json;q=0.001", "", true},
      {"application/fhir+json;q=0, application/json", "", true},
      {",,", "", false},
      {"text/html", "_format=json", true},
      {"text/html", "_format=application%2Ffhir%2Bjson", true},
      {"application/fhir+json", "_format=xml", true},
      {"application/fhir+json", "name=a&_format=ttl", false},
  };
  for (const auto& row : rows) {
    const net::SentHeaders headers({{"Accept", row.accept}});
    const auto checked = accepted_format({.query = row.query, .headers = &headers});
    EXPECT_EQ(checked.has_value(), row.acceptable) << row.accept << " ? " << row.query;
    if (!checked) EXPECT_EQ(checked.error().code, Code::unsupported);
  }
  const net::SentHeaders none;
  const auto malformed = accepted_format({.query = "_format=%zz", .headers = &none});
  ASSERT_FALSE(malformed);
  EXPECT_EQ(malformed.error().code, Code::invalid);
}

TEST(ContentType, IsComparedWithoutItsParameters) {
  const std::pair<const char*, bool> rows[] = {
      {"application/fhir+json", true}, {"application/json; charset=utf-8", true},
      {"application/json ;x=y", true}, {"application/xml", true},
      {"text/plain", false},           {"", false},
  };
  for (const auto& [type, allowed] : rows) {
    const net::SentHeaders headers({{"Content-Type", type}});
    const auto checked = check_content_type({.headers = &headers}, resource_types);
    EXPECT_EQ(checked.has_value(), allowed) << type;
    if (!checked) EXPECT_EQ(checked.error().code, Code::unsupported);
  }
}

TEST(KnownType, NamesTheNearestOne) {
  EXPECT_EQ(known_type("Patient").value(), "Patient");
  for (const char* wrong : {"patient", "Patients", "PATIENT"}) {
    const auto type = known_type(wrong);
    ASSERT_FALSE(type) << wrong;
    EXPECT_EQ(type.error().code, Code::not_found);
    EXPECT_NE(type.error().text.find("did you mean Patient?"), std::string::npos) << type.error().text;
  }
  EXPECT_EQ(known_type("Spaceship").error().text.find("did you mean"), std::string::npos);
  EXPECT_LT(known_type(std::string(100'000, 'x')).error().text.size(), 200U) << "what a client sent is cut short";
}

TEST(KnownId, IsWhatFhirAllows) {
  EXPECT_TRUE(known_id("a-1.B"));
  for (const auto& wrong : {std::string(), std::string("a_b"), std::string("a/b"), std::string(65, 'a')}) {
    EXPECT_FALSE(known_id(wrong)) << wrong;
  }
}

store::Version patient(std::int64_t version, store::Action action) {
  store::Version made{.type = "Patient", .id = "1", .version = version, .at = start, .action = action};
  if (action != store::Action::remove) {
    made.body = R"({"resourceType":"Patient","meta":{},"id":"1"})";
    made.meta_at = static_cast<std::uint32_t>(made.body.find("{}") + 1);
  }
  return made;
}

TEST(AnswerToAWrite, TellsWhatBecameOfIt) {
  using Kind = records::Effect::Kind;
  const auto created = answer({Kind::created, patient(1, store::Action::create)}, Return::minimal);
  EXPECT_EQ(created.status, 201);
  EXPECT_EQ(created.location, "Patient/1/_history/1");
  EXPECT_EQ(created.version, 1);
  EXPECT_TRUE(created.body.empty());

  const auto updated = answer({Kind::updated, patient(2, store::Action::update)}, Return::representation);
  EXPECT_EQ(updated.status, 200);
  EXPECT_NE(updated.body.find("\"versionId\":\"2\""), std::string::npos) << updated.body;

  const auto existed = answer({Kind::existed, patient(2, store::Action::update)}, Return::outcome);
  EXPECT_EQ(existed.status, 200);
  EXPECT_TRUE(existed.is_outcome);

  EXPECT_EQ(answer({Kind::removed, patient(3, store::Action::remove)}, Return::unset).version, 3);
  const auto absent = answer({Kind::absent, {}}, Return::representation);
  EXPECT_EQ(absent.status, 204);
  EXPECT_FALSE(absent.version);
}

TEST(AnswerToAnError, IsAnOutcomeWithItsStatus) {
  const auto stale = Answer::of(fail(Code::stale, "too late"));
  EXPECT_EQ(stale.status, 412);
  EXPECT_TRUE(stale.is_outcome);
  EXPECT_NE(stale.body.find("too late"), std::string::npos);
  const auto rejected = Answer::of(records::reject(fail(Code::invalid, "wrong", "Patient.name")));
  EXPECT_EQ(rejected.status, 400);
  EXPECT_NE(rejected.body.find("Patient.name"), std::string::npos);
}

json::Document valid_bundle(std::string text) {
  auto document = json::Document::parse(std::move(text));
  EXPECT_TRUE(document);
  for (const auto& issue : model::validate(document->root())) {
    ADD_FAILURE() << issue.expression << ": " << issue.diagnostics << '\n' << document->source();
  }
  return std::move(*document);
}

TEST(Bundle, OfASearchHasLinksTotalMatchesAndIssues) {
  BundleWriter writer("searchset", start, "http://h/fhir/R4");
  writer.total(1);
  writer.link("self", "http://h/fhir/R4/Patient?name=a%26b");
  writer.link("next", "http://h/fhir/R4/Patient?_cursor=x");
  writer.match(patient(2, store::Action::update));
  writer.issues(model::operation_outcome(fail(Code::invalid, "ignored")));
  const auto bundle = valid_bundle(writer.finish());
  const auto root = bundle.root();
  EXPECT_EQ(root["type"].text(), "searchset");
  EXPECT_EQ(root["total"].raw(), "1");
  EXPECT_EQ(root["link"].at(1)["relation"].text(), "next");
  const auto match = root["entry"].at(0);
  EXPECT_EQ(match["fullUrl"].text(), "http://h/fhir/R4/Patient/1");
  EXPECT_EQ(match["resource"]["meta"]["versionId"].text(), "2");
  EXPECT_EQ(match["search"]["mode"].text(), "match");
  EXPECT_EQ(root["entry"].at(1)["search"]["mode"].text(), "outcome");
}

TEST(Bundle, WithoutEntriesHasNoEmptyArray) {
  BundleWriter writer("searchset", start, "http://h/fhir/R4");
  writer.total(0);
  writer.link("self", "http://h/fhir/R4/Patient");
  const auto bundle = valid_bundle(writer.finish());
  EXPECT_FALSE(bundle.root()["entry"].exists());
  EXPECT_TRUE(bundle.root()["link"].exists());
}

TEST(Bundle, OfAHistoryTellsHowEachVersionCameToBe) {
  BundleWriter writer("history", start, "http://h/fhir/R4");
  writer.version(patient(3, store::Action::remove));
  writer.version(patient(2, store::Action::update));
  writer.version(patient(1, store::Action::create));
  const auto bundle = valid_bundle(writer.finish());
  const char* const expected[][4] = {{"DELETE", "Patient/1", "204", "W/\"3\""},
                                     {"PUT", "Patient/1", "200", "W/\"2\""},
                                     {"POST", "Patient", "201", "W/\"1\""}};
  for (std::size_t i = 0; i < 3; ++i) {
    const auto entry = bundle.root()["entry"].at(i);
    EXPECT_EQ(entry["request"]["method"].text(), expected[i][0]);
    EXPECT_EQ(entry["request"]["url"].text(), expected[i][1]);
    EXPECT_EQ(entry["response"]["status"].text(), expected[i][2]);
    EXPECT_EQ(entry["response"]["etag"].text(), expected[i][3]);
    EXPECT_EQ(entry["resource"].exists(), i != 0) << "a deletion has no resource";
  }
}

}  // namespace
}  // namespace mydr24::fhir_api
