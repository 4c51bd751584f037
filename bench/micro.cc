// What the parts of a write cost by themselves, in processor time: `./dev bench micro`, or with a filter
// `./dev bench micro -- --benchmark_filter=news2`. The end-to-end figures are those of the other benches.

#include <benchmark/benchmark.h>

#include <stdexcept>
#include <string>

#include "base/json/document.h"
#include "base/json/writer.h"
#include "clinical/vitals/news2.h"
#include "fhir/path/path.h"
#include "fhir/search/search.h"
#include "fhir/terminology/terminology.h"
#include "fhir/validation/validation.h"
#include "guard/admission/admission.h"

namespace mydr24 {
namespace {

// A vital sign as a monitor sends it.
constexpr std::string_view vital_sign =
    R"({"resourceType":"Observation","id":"v","meta":{"tag":[{"system":"http://t.example","code":"a"}]},"status":"final",)"
    R"("category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category",)"
    R"("code":"vital-signs","display":"Vital Signs"}]}],"code":{"coding":[{"system":"http://loinc.org",)"
    R"("code":"8867-4","display":"Heart rate"}]},"subject":{"reference":"Patient/anna"},)"
    R"("effectiveDateTime":"2026-03-01T08:00:00Z","performer":[{"reference":"Practitioner/nurse"}],)"
    R"("valueQuantity":{"value":135,"unit":"beats/minute","system":"http://unitsofmeasure.org","code":"/min"}})";

const json::Document& document() {
  static const json::Document parsed = [] {
    auto made = json::Document::parse(std::string(vital_sign));
    if (!made) throw std::runtime_error(made.error().text);
    return std::move(*made);
  }();
  return parsed;
}

void parse(benchmark::State& state) {
  for (auto _ : state) {
    auto parsed = json::Document::parse_view(vital_sign);
    benchmark::DoNotOptimize(parsed);
  }
}
BENCHMARK(parse);

void print(benchmark::State& state) {
  const auto root = document().root();
  for (auto _ : state) {
    auto text = json::compact(root);
    benchmark::DoNotOptimize(text);
  }
}
BENCHMARK(print);

void extract_index_entries(benchmark::State& state) {
  const auto root = document().root();
  for (auto _ : state) {
    auto entries = search::extract(root);
    benchmark::DoNotOptimize(entries);
  }
}
BENCHMARK(extract_index_entries);

// Structure, required bindings, invariants and the profiles it claims: as on every write.
void validate_vital_sign(benchmark::State& state) {
  const auto validator = validation::Validator::base(terminology::Terminology::published());
  const validation::Request request;
  const auto root = document().root();
  if (!validator->validate(root, request).empty()) state.SkipWithError("the vital sign is not valid");
  for (auto _ : state) {
    auto issues = validator->validate(root, request);
    benchmark::DoNotOptimize(issues);
  }
}
BENCHMARK(validate_vital_sign);

void fhirpath(benchmark::State& state, const char* text) {
  const auto expression = path::Expression::compile(text, model::find_resource("Observation"));
  if (!expression) return state.SkipWithError(expression.error().text.c_str());
  const auto root = document().root();
  const path::Environment environment{.resource = root, .root_resource = root};
  for (auto _ : state) {
    auto found = expression->evaluate(root, environment);
    benchmark::DoNotOptimize(found);
  }
}
BENCHMARK_CAPTURE(fhirpath, member, "Observation.code.coding.code");
BENCHMARK_CAPTURE(fhirpath, where, "category.coding.where(system.exists() and code = 'vital-signs').exists()");
BENCHMARK_CAPTURE(fhirpath, arithmetic, "value.ofType(Quantity).value > 100 and value.ofType(Quantity).unit.exists()");

void news2(benchmark::State& state) {
  const vitals::Inputs inputs{.respiration = 24,
                              .spo2 = 91,
                              .oxygen = true,
                              .systolic = 105,
                              .pulse = 115,
                              .consciousness = vitals::Consciousness::alert,
                              .temperature = 38.4};
  for (auto _ : state) {
    auto score = vitals::news2(inputs);
    benchmark::DoNotOptimize(score);
  }
}
BENCHMARK(news2);

void classify(benchmark::State& state) {
  admission::Facts facts;
  facts.path = "/fhir/R4/Observation";
  facts.writes = true;
  facts.content_length = vital_sign.size();
  for (auto _ : state) {
    benchmark::DoNotOptimize(facts);
    auto request_class = admission::classify(facts);
    benchmark::DoNotOptimize(request_class);
  }
}
BENCHMARK(classify);

}  // namespace
}  // namespace mydr24

BENCHMARK_MAIN();
