// The verdicts of HL7's own validator (FHIR/fhir-test-cases, validator/, the cases for R4 itself).

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "fhir/validation/validation.h"
#include "fhir/xml/xml.h"

namespace mydr24::validation {
namespace {

namespace fs = std::filesystem;

constexpr const char* suite = "../shared/data/fhir-validator-r4";

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Deviation {
  std::string_view name, reason;
};
// Cases about something that this validation does not do.
constexpr auto not_ours = std::to_array<Deviation>({
    {"json-comments-2-yes", "asks for JSON with comments, which RFC 8259 does not know"},
    {"cvx", "a display of CVX, whose content is not here"},
    {"ips-nz-pj", "displays of LOINC, whose content is not here"},
    {"obs-mz", "names a profile that is not among the files of the suite"},
    {"extension-version-restriction-range-r4", "names an extension that is not among the files of the suite"},
    {"vs-params-1", "names an extension of HL7's tools, which is not part of R4"},
    {"vs-bad-ecl", "the expression language of SNOMED CT is not read here"},
});
// Cases about the same, where something else decides: they agree, but not for the reason they are there for.
constexpr auto no_evidence = std::to_array<Deviation>({
    {"signatures-example-2", "signatures are not verified here"},
    {"uk-msg", "displays and codes of SNOMED CT, whose content is not here"},
    {"vs-params-2", "parameters of ValueSets, an extension of HL7's tools"},
    {"vs-params-4", "parameters of ValueSets, an extension of HL7's tools"},
});
// Cases that are ours and end otherwise.
constexpr auto deviations = std::to_array<Deviation>({
    {"allergy", "a code that must be given is absent with a data-absent-reason: R4 allows an extension in its place"},
    {"test-ndjson", "a Period starts on the day and ends in a minute of the same day: which is earlier is left open"},
});
// Cases that the suite runs without its security checks.
constexpr auto without_strict = std::to_array<std::string_view>({"pat-security-good2"});

template <class Table>
bool has(const Table& table, std::string_view name) {
  return std::ranges::any_of(table, [&](const auto& one) {
    if constexpr (requires { one.name; }) {
      return one.name == name;
    } else {
      return one == name;
    }
  });
}

std::string verdict_of(const Validator& validator, std::string text, bool is_xml, bool strict) {
  if (is_xml) {
    auto json = xml::to_json(text);
    if (!json) return json.error().text;
    text = std::move(*json);
  }
  auto document = json::Document::parse(std::move(text));
  if (!document) return document.error().text;
  Request request;
  request.strict = strict;
  for (const auto& issue : validator.validate(document->root(), request)) {
    if (issue.severity == model::Severity::error) return issue.expression + ": " + issue.diagnostics;
  }
  return "valid";
}

TEST(Hl7Suite, VerdictsAreThoseOfHl7) {
  const fs::path folder = suite;
  if (!fs::exists(folder)) GTEST_SKIP() << folder << " is not here";
  const auto cases = json::Document::parse(read(folder / "cases.json"));
  ASSERT_TRUE(cases);
  const auto validator = Validator::base(terminology::Terminology::published());
  int agreed = 0, total = 0;
  for (const auto one : cases->root()) {
    const std::string name(one["name"].text()), file(one["resource"].text());
    const bool strict = !has(without_strict, name), is_xml = file.ends_with(".xml");
    std::string text = read(folder / file), verdict = "valid";
    if (file.ends_with(".ndjson")) {
      for (std::size_t begin = 0; begin < text.size() && verdict == "valid";) {
        const auto end = std::min(text.find('\n', begin), text.size());
        if (end > begin) verdict = verdict_of(*validator, text.substr(begin, end - begin), false, strict);
        begin = end + 1;
      }
    } else {
      verdict = verdict_of(*validator, std::move(text), is_xml, strict);
    }
    const bool agrees = (verdict == "valid") == (one["expect"].text() == "valid");
    if (has(no_evidence, name)) continue;
    if (has(not_ours, name)) {
      EXPECT_FALSE(agrees) << name << " agrees now: take it out of the table";
      continue;
    }
    ++total;
    agreed += agrees ? 1 : 0;
    if (has(deviations, name)) {
      EXPECT_FALSE(agrees) << name << " agrees now: take it out of the table";
    } else {
      EXPECT_TRUE(agrees) << name << " (" << file << ") is " << verdict << ", not " << one["expect"].text();
    }
  }
  EXPECT_GE(agreed * 100, total * 95) << agreed << " of " << total;
  RecordProperty("agreed", agreed);
  RecordProperty("total", total);
}

}  // namespace
}  // namespace mydr24::validation
