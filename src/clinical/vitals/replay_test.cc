#include "clinical/vitals/replay.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "clinical/vitals/fhir_scores.h"
#include "clinical/vitals/ingest.h"
#include "clinical/vitals/watch_fixture.h"

namespace mydr24::vitals {
namespace {

class ReplayTest : public StoredWatchTest {
 protected:
  void sample(std::string_view text) {
    std::vector<Result<records::Prepared>> samples;
    samples.push_back(prepare_sample(records_, text, {.now = clock_.now()}));
    ASSERT_TRUE(samples[0]) << samples[0].error().text;
    put_samples(records_, RequestClass::urgent, std::move(samples), access::Access::server(),
                [](std::vector<Ingested> answers) { ASSERT_TRUE(answers[0].is_stored()) << answers[0].error->text; });
  }
  void spo2_of(std::string_view patient, double value) {
    sample(fmt::format(R"({{"patient":"{}","at":"{}","spo2":{}}})", patient, format_instant(clock_.now()), value));
  }
  DryRun run(const RuleSet& candidate, Instant since) {
    auto done = dry_run(store_, candidate, default_rules(), watch_.settings(), {.since = since, .until = clock_.now()});
    EXPECT_TRUE(done) << done.error().text;
    return done ? *done : DryRun();
  }
  PatientSigns past(Instant time, std::string_view patient = "1") {
    PatientSigns signs;
    const auto read = store_.read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(signs, signs_at(reader, patient, time, watch_.settings()));
      return {};
    });
    EXPECT_TRUE(read) << read.error().text;
    return signs;
  }
};

TEST_F(ReplayTest, ASampleWithoutATimeThatIsSentAgainIsOfTheTimeWhenItCameFirst) {
  sample(R"({"patient":"1","id":"a","spo2":97})");
  clock_.advance(10min);
  sample(R"({"patient":"1","id":"b","spo2":78})");
  ASSERT_EQ(store_.events_of("alert.raised").size(), 1U);
  clock_.advance(5min);
  sample(R"({"patient":"1","id":"a","spo2":97})");
  EXPECT_TRUE(store_.events_of("alert.resolved").empty()) << "an old value is no word of now";
  clock_.advance(1min);
  sample(R"({"patient":"1","id":"c","spo2":97})");
  EXPECT_EQ(store_.events_of("alert.resolved").size(), 1U);
}

TEST_F(ReplayTest, ADryRunSaysHowManyCallsForWhomAndWhatIsDifferent) {
  const Instant since = clock_.now() - 1h;
  spo2_of("well", 97);
  clock_.advance(1h);
  spo2_of("well", 96);
  clock_.advance(1min);
  spo2_of("low", 89);
  clock_.advance(1h);
  spo2_of("low", 97);
  clock_.advance(1h);
  spo2_of("low", 88);
  spo2_of("lowest", 78);
  const auto candidate = parse_rules(R"({"format":"mydr24.vitals-rules.v1","name":"strict","rules":[
    {"id":"e","signal":"spo2","at_most":79,"severity":"emergency","class":"life-threat"},
    {"id":"u","signal":"spo2","at_most":96,"severity":"urgent","class":"sustained","persist":{"seconds":15}}]})");
  ASSERT_TRUE(candidate) << candidate.error().text;
  const auto before = store_.events_of("alert.raised").size();
  const DryRun result = run(*candidate, since);
  EXPECT_EQ(store_.events_of("alert.raised").size(), before);
  EXPECT_TRUE(result.complete);
  EXPECT_EQ(result.observations, 6);
  EXPECT_EQ(result.patients, 3);
  EXPECT_EQ(result.in_force.calls, 3);  // low twice, lowest once
  EXPECT_EQ(result.in_force.emergencies, 1);
  EXPECT_EQ(result.in_force.patients, 2);
  EXPECT_EQ(result.candidate.calls, 4);
  EXPECT_EQ(result.candidate.patients, 3);
  EXPECT_EQ(result.only_candidate, std::vector<std::string>{"well"});
  EXPECT_TRUE(result.only_in_force.empty());
  ASSERT_EQ(result.calls.size(), 4U);
  EXPECT_EQ(result.calls[0].patient_id, "well");
  EXPECT_EQ(result.calls[0].rule, "u");
  EXPECT_EQ(result.calls[0].value, 96);
  EXPECT_TRUE(to_json(result).contains(R"("only_candidate":["well"])"));
}

TEST_F(ReplayTest, TheRulesInForceCallInADryRunAsTheyDidInLife) {
  const Instant since = clock_.now();
  int spo2 = 97;
  std::uint32_t chance = 12345;
  for (int i = 0; i < 400; ++i) {
    chance = chance * 1664525U + 1013904223U;
    spo2 = std::clamp(spo2 + static_cast<int>((chance >> 24U) % 7) - 3, 78, 100);
    spo2_of("p", spo2);
    clock_.advance(5s);
    store_.tick();
  }
  const DryRun result = run(default_rules(), since);
  const auto raised = static_cast<std::int64_t>(store_.events_of("alert.raised").size());
  const auto risen = static_cast<std::int64_t>(store_.events_of("alert.severity_raised").size());
  EXPECT_EQ(result.in_force.calls, raised + risen);
  EXPECT_EQ(result.candidate.calls, result.in_force.calls);
  EXPECT_GT(result.in_force.calls, 2);
}

TEST_F(ReplayTest, ALimitEndsADryRunEarlyAndItSaysSo) {
  const Instant since = clock_.now();
  for (int i = 0; i < 5; ++i) {
    spo2_of("p", 97 - i);
    clock_.advance(1min);
  }
  const auto done = dry_run(store_, default_rules(), default_rules(), watch_.settings(),
                            {.since = since, .until = clock_.now(), .observations_max = 3});
  ASSERT_TRUE(done);
  EXPECT_FALSE(done->complete);
  EXPECT_EQ(done->observations, 3);
  EXPECT_FALSE(
      dry_run(store_, default_rules(), default_rules(), watch_.settings(), {.since = clock_.now(), .until = since}));
}

TEST_F(ReplayTest, ScoresOfThePastComeFromWhatIsStoredNow) {
  const Instant morning = clock_.now();
  spo2_of("p", 97);
  clock_.advance(2h);
  const Instant noon = clock_.now();
  spo2_of("p", 90);
  clock_.advance(10h);
  const auto at = [&](Instant time) {
    std::optional<int> points;
    EXPECT_TRUE(store_.read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(const PatientSigns signs, signs_at(reader, "p", time, watch_.settings()));
      if (signs.score) points = signs.score->partial;
      return {};
    }));
    return points;
  };
  EXPECT_EQ(at(morning + 1h), 0);
  EXPECT_EQ(at(noon), 3);
  sample(fmt::format(R"({{"patient":"p","at":"{}","pulse":135}})", format_instant(morning)));  // late
  EXPECT_EQ(at(morning + 1h), 3);
  EXPECT_EQ(at(noon), 6);
  EXPECT_EQ(at(morning - 1h), std::nullopt);
}

// Everything a score comes from: what counts, the limits.
std::string told(const PatientSigns& signs, const WatchSettings& settings) {
  std::string text = scores_json(signs, settings);
  for (std::size_t i = 0; i < sign_count; ++i)
    for (const Held& held : signs.held[i])
      if (*signs.at - held.at <= settings.window[i])
        text += fmt::format(" {} {} {}", to_string(static_cast<Sign>(i)), held.value, format_instant(held.at));
  for (const Limit& limit : signs.limits) text += " " + to_json(limit);
  return text;
}

TEST_F(ReplayTest, TheScoreOfEveryPastMomentIsTheOneTheWatchHadThen) {
  std::vector<std::pair<Instant, std::string>> live;
  std::uint32_t chance = 20'231'114;
  const auto draw = [&](std::uint32_t below) {
    chance = chance * 1664525U + 1013904223U;
    return (chance >> 16U) % below;
  };
  const auto limit = [&](Limit limits) {
    ASSERT_TRUE(store_.write(RequestClass::urgent, [&](store::Transaction& transaction) {
      return watch_.set_limit(transaction, "1", limits);
    }));
  };
  spo2_scale("copd", 2);
  for (int i = 0; i < 150; ++i) {
    const auto name = std::to_string(i);
    clock_.advance(std::chrono::minutes(1 + draw(40)));
    switch (draw(8)) {
      case 0:
        respiration(name, 8 + draw(22));
        break;
      case 1:
        pulse(name, 40 + draw(100));
        break;
      case 2:
        post(name, "3151-8", draw(2), "L/min");
        break;
      case 3:
        post(name, "8310-5", 35 + draw(5), "Cel");
        break;
      case 4:
        post(name, "8889-8", 40 + draw(100), "/min");
        break;
      case 5:
        post(name, "9269-2", 9 + draw(7), "{score}");
        break;
      default:
        spo2(name, 82 + draw(18));
        break;
    }
    if (i == 40) pregnancy("pregnant", true);
    if (i == 60) pregnancy("not-pregnant", false);
    if (i == 70) spo2_scale("no-copd", 1);
    if (i == 80) limit({.low = 85, .spo2_scale = 2, .by = "dr", .until = clock_.now() + 3h});
    if (i == 100) clock_.advance(13h);
    if (i == 120) limit({.low = 90, .by = "dr"});
    const auto signs = current();
    ASSERT_TRUE(signs);
    live.emplace_back(clock_.now(), told(*signs, watch_.settings()));
    clock_.advance(1s);
  }
  clock_.advance(24h);
  EXPECT_GE(clock_.now() - live.front().first, 48h);
  for (const auto& [at, then] : live) EXPECT_EQ(told(past(at), watch_.settings()), then) << format_instant(at);
  // Long after the last sign the watch still says what it said.
  EXPECT_EQ(told(past(clock_.now()), watch_.settings()), live.back().second);
}

TEST_F(ReplayTest, ASignMeasuredEverySecondDoesNotHideOneOfThisMorning) {
  post("morning", "8310-5", 40, "Cel");
  clock_.advance(1h);
  for (int i = 0; i < 300; ++i) {
    spo2(fmt::format("s{}", i), 97);
    clock_.advance(1s);
  }
  const PatientSigns signs = past(clock_.now());
  ASSERT_EQ(signs.held[static_cast<std::size_t>(Sign::temperature)].size(), 1U);
  EXPECT_EQ(signs.score->partial, 2);
}

TEST_F(ReplayTest, ADryRunBeginsWithWhatTheWatchHeldAndDoesNotCountItAsACall) {
  spo2_scale("copd", 2);
  clock_.advance(std::chrono::days(30));
  spo2("before", 88);
  clock_.advance(1h);
  const Instant since = clock_.now();
  clock_.advance(1h);
  spo2("within", 88);
  DryRun result = run(default_rules(), since);
  EXPECT_EQ(result.in_force.calls, 0) << "88 % is what scale 2 aims at";
  clock_.advance(1h);
  spo2("low", 70);
  clock_.advance(1h);
  const Instant later = clock_.now();
  clock_.advance(1min);
  spo2("still-low", 71);
  result = run(default_rules(), later);
  EXPECT_EQ(result.observations, 1);
  EXPECT_EQ(result.in_force.calls, 0) << "people had been called before";
}

TEST_F(ReplayTest, ThePanelOfASampleIsScoredAndReadAsFhir) {
  sample(fmt::format(R"({{"patient":"p","at":"{}","respiration":25,"spo2":91,"oxygen_l_min":2,"systolic":95,)"
                     R"("diastolic":60,"pulse":120,"temperature":39.2,"acvpu":"C","gcs":14}})",
                     format_instant(clock_.now())));
  const auto signs = current("p");
  ASSERT_TRUE(signs && signs->score);
  EXPECT_EQ(signs->score->total, 17);
  EXPECT_EQ(alerts().size(), 1U);
  const std::string text = early_warning_bundle(*signs, "p", watch_.settings(), "http://x/fhir/R4", clock_.now());
  const auto bundle = json::Document::parse_view(text);
  ASSERT_TRUE(bundle);
  std::map<std::string, std::string> values;
  for (const json::Value entry : bundle->root()["entry"]) {
    const json::Value resource = entry["resource"];
    auto prepared = records_.prepare(std::string(resource.raw()), {});
    ASSERT_TRUE(prepared) << prepared.error().issues[0].diagnostics;
    values[std::string(resource["code"]["coding"].at(0)["code"].text())] = resource["valueQuantity"]["value"].text();
  }
  EXPECT_EQ(values["1104051000000101"], "17");
  EXPECT_EQ(values["qsofa"], "3");
  EXPECT_EQ(values["sirs"], "3");
  EXPECT_EQ(values["9269-2"], "14");
  EXPECT_TRUE(scores_json(*signs, watch_.settings()).contains(R"("monitoring":"continuous")"));
  const std::string none = early_warning_bundle({}, "p", watch_.settings(), "http://x/fhir/R4", clock_.now());
  EXPECT_FALSE(none.contains("entry"));
}

TEST(Samples, WhatIsWrongIsNamed) {
  struct Row {
    std::string_view text;
    std::string_view where;
  };
  const SampleContext twice{.now = from_us(0), .patient = "p", .needs_identity = true};
  for (const Row& row :
       {Row{R"({"spo2":"97"})", "spo2"}, Row{R"({"spo2":97,"weight":80})", "weight"}, Row{R"({"spo2":97})", "at"},
        Row{R"({"spo2":97,"at":"yesterday"})", "at"}, Row{R"({"spo2":97,"at":"2026-01-05T08:00:00"})", "at"},
        Row{R"({"patient":"a b","spo2":97,"id":"x"})", "patient"}, Row{R"({"acvpu":"X","id":"x"})", "acvpu"},
        Row{R"({"spo2":97,"spo2":98,"id":"x"})", "spo2"}, Row{R"({"id":""})", "id"},
        Row{R"({"resourceType":"Patient","id":"x"})", "resourceType"}, Row{R"({"resourceType":"Observation"})", "id"},
        Row{R"({"id":"x"})", ""}, Row{"[]", ""}}) {
    const auto sample = observation_of(row.text, twice);
    ASSERT_FALSE(sample) << row.text;
    EXPECT_EQ(sample.error().where, row.where) << row.text << ": " << sample.error().text;
  }
  EXPECT_EQ(observation_of(R"({"spo2":97,"id":"x"})", {.now = from_us(0)}).error().where, "patient");
  EXPECT_EQ(observation_of(std::string(100'000, ' '), twice).error().code, Code::too_large);
}

TEST(Samples, TheSameNameIsTheSameObservation) {
  const SampleContext context{.now = from_us(0), .patient = "p"};
  const auto id = [&](std::string_view text) { return observation_of(text, context)->id; };
  EXPECT_EQ(id(R"({"spo2":97,"id":"x"})"), id(R"({"spo2":96,"id":"x"})"));
  EXPECT_NE(id(R"({"spo2":97,"id":"x"})"), id(R"({"patient":"q","spo2":97,"id":"x"})"));
  EXPECT_EQ(id(R"({"spo2":97,"at":"2026-01-05T08:00:00Z"})"), id(R"({"spo2":97,"at":"2026-01-05T08:00:00Z"})"));
  EXPECT_NE(id(R"({"spo2":97})"), id(R"({"spo2":97})"));
  EXPECT_EQ(id(R"({"resourceType":"Observation","id":"mine"})"), "mine");
}

// ---- real vital signs of 100 emergency patients, with mislabelled units and absent values

struct Line {
  Instant at;
  std::string patient;
  std::string id;
  std::string text;
  std::size_t number = 0;  // in the file
};

// NEWS2 of the raw values, by an arithmetic of its own: nothing of the product is used but the parser of JSON.
class Independent {
 public:
  struct Value {
    Instant at;
    double value = 0;
  };
  void take(const Line& line) {
    const auto document = json::Document::parse_view(line.text);
    const json::Value root = document->root();
    take_value(line, root);
    for (const json::Value component : root["component"]) take_value(line, component);
  }
  // A lower bound, and whether a single sign is beyond the life-threat limits.
  std::pair<int, bool> emergency(const std::string& patient) {
    auto& values = patients_[patient];
    Instant now{};
    for (const auto& [code, value] : values) now = std::max(now, value.at);
    const auto get = [&](const char* code) -> std::optional<double> {
      const auto found = values.find(code);
      if (found == values.end() || now - found->second.at > 12h) return std::nullopt;
      return found->second.value;
    };
    int points = 0;
    bool threat = false;
    if (const auto rr = get("9279-1")) {
      const double r = std::round(*rr);
      points += r <= 8 ? 3 : r <= 11 ? 1 : r <= 20 ? 0 : r <= 24 ? 2 : 3;
      threat = threat || r < 5 || r >= 40;
    }
    if (const auto sat = get("2708-6")) {
      const double s = std::round(*sat);
      points += s <= 91 ? 3 : s <= 93 ? 2 : s <= 95 ? 1 : 0;
      threat = threat || s < 80;
    }
    if (const auto sbp = get("8480-6")) {
      const double s = std::round(*sbp);
      points += s <= 90 ? 3 : s <= 100 ? 2 : s <= 110 ? 1 : s <= 219 ? 0 : 3;
      threat = threat || s <= 70;
    }
    if (const auto hr = get("8867-4")) {
      const double h = std::round(*hr);
      points += h <= 40 ? 3 : h <= 50 ? 1 : h <= 90 ? 0 : h <= 110 ? 1 : h <= 130 ? 2 : 3;
      threat = threat || h <= 30 || h >= 160;
    }
    if (const auto t = get("8310-5")) {
      const double tenths = std::round(*t * 10);
      points += tenths <= 350 ? 3 : tenths <= 360 ? 1 : tenths <= 380 ? 0 : tenths <= 390 ? 1 : 2;
    }
    return {points, threat};
  }

 private:
  void take_value(const Line& line, json::Value holder) {
    const std::string code(holder["code"]["coding"].at(0)["code"].text());
    const json::Value quantity = holder["valueQuantity"];
    if (!quantity["value"].exists()) return;
    double value = std::stod(std::string(quantity["value"].text()));
    if (code == "8310-5") {
      ASSERT_EQ(quantity["code"].text(), "[degF]");
      if (value < 50) return;  // Celsius under a Fahrenheit code
      value = (value - 32) / 1.8;
      if (value < 20 || value > 45) return;
    }
    if (code == "2708-6" && (value < 30 || value > 100)) return;
    if (code == "8480-6" && (value < 30 || value > 300)) return;
    if (code == "9279-1" && (value < 0 || value > 80)) return;
    if (code == "8462-4") return;
    patients_[line.patient][code] = {line.at, value};
  }
  std::map<std::string, std::map<std::string, Value>> patients_;
};

std::vector<Line> mimic_lines(const std::string& path) {
  std::vector<Line> lines;
  const std::unique_ptr<FILE, int (*)(FILE*)> file(popen(("zcat " + path).c_str(), "r"), pclose);
  std::array<char, 65536> buffer{};
  while (file && std::fgets(buffer.data(), buffer.size(), file.get()) != nullptr) {
    const auto document = json::Document::parse_view(buffer.data());
    if (!document) continue;
    const json::Value root = document->root();
    const auto at = parse_date_time(root["effectiveDateTime"].text());
    lines.push_back({at ? at->low : Instant{}, std::string(patient_of(root)), std::string(root["id"].text()),
                     buffer.data(), lines.size()});
  }
  std::ranges::sort(lines, {}, [](const Line& line) { return std::pair(line.at, line.number); });
  return lines;
}

TEST_F(WatchTest, EveryEmergencyOfTheMimicDemoStandsUpToIndependentArithmeticAndNoneIsMissed) {
  const std::string path = "../shared/data/mimic-iv-demo-fhir/MimicObservationVitalSignsED.ndjson.gz";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not there";
  const std::vector<Line> lines = mimic_lines(path);
  ASSERT_EQ(lines.size(), 6300U);
  Independent independent;
  std::size_t emergencies = 0, seen = 0;
  for (const Line& line : lines) {
    clock_.set(line.at);  // and no timer: the decades between the patients would escalate every open alert
    ASSERT_TRUE(write("Observation", line.id, line.text));
    independent.take(line);
    const auto [points, threat] = independent.emergency(line.patient);
    std::vector<store::Event> raised = store_.events_of("alert.raised");
    for (auto& each : store_.events_of("alert.severity_raised")) raised.push_back(each);
    std::size_t now = 0;
    for (const store::Event& event : raised) now += event.payload.contains(R"("severity":"emergency")") ? 1U : 0U;
    if (now > seen) {
      ++emergencies;
      EXPECT_TRUE(points >= 7 || threat) << line.id << ": " << points;
    }
    seen = now;
    if (points >= 7 || threat) EXPECT_EQ(current(line.patient)->level, Level::emergency) << line.id << ": " << points;
  }
  EXPECT_GT(emergencies, 0U);
  EXPECT_EQ(watch_.counters().too_old, 0);
  RecordProperty("emergencies", static_cast<int>(emergencies));
}

}  // namespace
}  // namespace mydr24::vitals
