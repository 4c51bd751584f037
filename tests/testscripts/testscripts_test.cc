// FHIR TestScripts beside the repository, run as they are: their operations and the assertions they use, no more; what
// is not known here fails the script.
// Source: FHIR R4, testscript.html.

#include <fmt/format.h>

#include <regex>

#include "app/load/bodies.h"
#include "support/live.h"

namespace mydr24::live {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view root = "/fhir/R4";

const fs::path& source() {
  static const fs::path path = "../shared/data/fhir-testscripts-mockhealth";
  return path;
}

struct Answer {
  int status = 0;
  std::string body;
  std::string content_type;
  std::string location;
};

std::string encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c <= ' ' || std::string_view("\"<>\\^`{|}").find(c) != std::string_view::npos) {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    } else {
      out.push_back(c);
    }
  }
  return out;
}

// read, search, history: GET [base]/resource + params; capabilities: GET [base]/metadata.
Result<Answer> operate(load::HttpClient& http, json::Value operation) {
  const std::string_view code = operation["type"]["code"].text();
  std::string target(root);
  if (code == "capabilities") {
    target += "/metadata";
  } else if (code == "read" || code == "search" || code == "history") {
    if (operation["resource"].exists()) target += fmt::format("/{}", operation["resource"].text());
    if (code == "history") target += "/_history";
    target += encode(operation["params"].text());
  } else {
    return fail(Code::unsupported, fmt::format("operation {}", code));
  }
  std::string headers;
  for (const json::Value header : operation["requestHeader"])
    headers += fmt::format("{}: {}\r\n", header["field"].text(), header["value"].text());
  MYDR24_ASSIGN(const auto reply, http.send("GET", target, {}, headers));
  return Answer{reply.status, reply.body, reply.content_type, reply.location};
}

bool among(std::string_view value, std::string_view list) {
  while (true) {
    const std::size_t comma = list.find(',');
    if (list.substr(0, comma) == value) return true;
    if (comma == std::string_view::npos) return false;
    list.remove_prefix(comma + 1);
  }
}

// Empty when the assertion holds.
std::string judge(json::Value assertion, const Answer& answer) {
  std::string actual;
  std::string_view expected;
  if (assertion["responseCode"].exists()) {
    actual = std::to_string(answer.status);
    expected = assertion["responseCode"].text();
  } else if (assertion["contentType"].exists()) {
    actual = answer.content_type;
    expected = assertion["contentType"].text();
  } else if (assertion["responseBody"].exists()) {
    actual = answer.body;
    expected = assertion["responseBody"].text();
  } else {
    return "an assertion that is not known here";
  }
  const std::string_view how = assertion["operator"].text();
  bool holds = false;
  if (how == "equals") {
    holds = actual == expected;
  } else if (how == "notEquals") {
    holds = actual != expected;
  } else if (how == "in" || how == "notIn") {
    holds = among(actual, expected) == (how == "in");
  } else if (how == "contains") {
    holds = actual.find(expected) != std::string::npos;
  } else if (how == "matchesRegex") {
    holds = std::regex_search(actual, std::regex(std::string(expected)));
  } else {
    return fmt::format("the operator {} is not known here", how);
  }
  if (holds) return {};
  return fmt::format("{}: {} {}, but {}", assertion["label"].text(), how, expected, actual.substr(0, 300));
}

std::string run(load::HttpClient& http, json::Value script) {
  Answer answer;
  for (const json::Value test : script["test"]) {
    for (const json::Value action : test["action"]) {
      if (action["operation"].exists()) {
        auto done = operate(http, action["operation"]);
        if (!done) return done.error().text;
        answer = std::move(*done);
      } else if (auto wrong = judge(action["assert"], answer); !wrong.empty()) {
        return fmt::format("{}: {}", test["name"].text(), wrong);
      }
    }
  }
  return {};
}

// The server with a few patients and observations, for all scripts.
Live& server() {
  static Live live;
  static const bool filled = [] {
    const auto at = "2026-01-02T03:04:05Z";
    const auto reply =
        live.http().send("POST", fmt::format("{}/", root), load::linked_transaction(20, at).fill({{"n", "1"}}));
    return reply && reply->status == 200;
  }();
  if (!filled) throw std::runtime_error("the resources that scripts look for were not stored");
  return live;
}

TEST(TestScripts, OperatorsJudge) {
  const auto script = json::Document::parse(
      std::string(R"([{"operator":"equals","responseCode":"200"},{"operator":"notIn","responseCode":"500,501"},)"
                  R"({"operator":"contains","contentType":"json"},{"operator":"matchesRegex","responseBody":"a+b"},)"
                  R"({"operator":"almost","responseCode":"200"},{"operator":"equals","path":"x"}])"));
  ASSERT_TRUE(script);
  const auto judged = [&](std::size_t i, const Answer& answer) {
    std::size_t at = 0;
    for (const json::Value assertion : script->root())
      if (at++ == i) return judge(assertion, answer).empty();
    return false;
  };
  EXPECT_TRUE(judged(0, {200, "", "", ""}));
  EXPECT_FALSE(judged(0, {404, "", "", ""}));
  EXPECT_TRUE(judged(1, {200, "", "", ""}));
  EXPECT_FALSE(judged(1, {501, "", "", ""}));
  EXPECT_TRUE(judged(2, {200, "", "application/fhir+json", ""}));
  EXPECT_TRUE(judged(3, {200, "caab", "", ""}));
  EXPECT_FALSE(judged(3, {200, "b", "", ""}));
  EXPECT_FALSE(judged(4, {200, "", "", ""}));
  EXPECT_FALSE(judged(5, {200, "", "", ""}));
}

TEST(TestScripts, AreBesideTheRepository) {
  if (!fs::exists(source())) GTEST_SKIP() << "no " << source().string() << " beside the repository";
}

// What the scripts ask for that this version does not have: bulk export. They run when it is here.
bool is_bulk(const std::string& text) {
  return text.find("$export") != std::string::npos || text.find("-export") != std::string::npos;
}

std::vector<std::string> scripts(bool bulk) {
  std::vector<std::string> files;
  if (!fs::exists(source())) return files;
  for (const auto& entry : fs::recursive_directory_iterator(source()))
    if (entry.path().extension() == ".json" && is_bulk(load::read_text(entry.path())) == bulk)
      files.push_back(fs::relative(entry.path(), source()).string());
  std::ranges::sort(files);
  return files;
}

TEST(TestScripts, ThoseOfBulkDataAreLeftOut) {
  for (const std::string& file : scripts(true)) fmt::print("left out: {}\n", file);
}

class Script : public testing::TestWithParam<std::string> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Script);

TEST_P(Script, Holds) {
  const auto document = json::Document::parse(load::read_text(source() / GetParam()));
  ASSERT_TRUE(document);
  EXPECT_EQ(run(server().http(), document->root()), "");
}

INSTANTIATE_TEST_SUITE_P(MockHealth, Script, testing::ValuesIn(scripts(false)));

}  // namespace
}  // namespace mydr24::live
