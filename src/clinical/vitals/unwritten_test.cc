// Vital signs that the store has no room for: the answer says so, and an emergency among them is called about.

#include "alerting/alerts/unwritten.h"

#include "clinical/records/interaction.h"
#include "clinical/vitals/ingest.h"
#include "clinical/vitals/watch_fixture.h"

namespace mydr24::vitals {
namespace {

class UnwrittenVitalsTest : public StoredWatchTest {
 protected:
  UnwrittenVitalsTest() {
    records_.on_not_stored([this](const records::Records::Work& work) { unwritten_.rehearse(work); });
  }
  std::string saturation(int value, std::string_view patient) const {
    return fmt::format(R"({{"resourceType":"Observation","status":"final",)"
                       R"("code":{{"coding":[{{"system":"http://loinc.org","code":"2708-6"}}]}},)"
                       R"("subject":{{"reference":"Patient/{}"}},"effectiveDateTime":"{}",)"
                       R"("valueQuantity":{{"value":{},"system":"http://unitsofmeasure.org","code":"%"}}}})",
                       patient, format_instant(clock_.now()), value);
  }
  std::optional<Code> create(int value, std::string_view patient) {
    records::Interaction interaction;
    interaction.verb = records::Verb::create;
    interaction.type = "Observation";
    interaction.text = saturation(value, patient);
    const auto done =
        records::execute_blocking(records_, access::Access::server(), RequestClass::urgent, {interaction});
    return done ? std::nullopt : std::optional(done.error().code);
  }
  std::vector<std::string> called_;
  alerts::Unwritten unwritten_{book_, store_, clock_,
                               [this](const alerts::Unrecorded& each) { called_.push_back(each.id); }};
};

TEST_F(UnwrittenVitalsTest, AnObservationThatIsAnEmergencyIsCalledAboutOnAFullDisk) {
  store_.full = true;
  EXPECT_EQ(create(97, "1"), Code::full);
  EXPECT_TRUE(called_.empty());
  EXPECT_EQ(create(78, "1"), Code::full) << "the answer does not hide it";
  EXPECT_EQ(called_.size(), 1U);
  EXPECT_TRUE(alerts().empty());
  EXPECT_TRUE(store_.resources().empty());
  store_.full = false;
  clock_.advance(2s);
  unwritten_.tick();
  ASSERT_EQ(alerts().size(), 1U);
  EXPECT_EQ(alerts()[0].patient, "Patient/1");
  EXPECT_EQ(alerts()[0].severity, alerts::Severity::emergency);
  // Sent again, it is what this alert is about.
  spo2("again", 78);
  EXPECT_EQ(alerts().size(), 1U);
}

TEST_F(UnwrittenVitalsTest, ALineOfAStreamTooAndOfTwoPatientsEach) {
  store_.full = true;
  std::vector<Result<records::Prepared>> samples;
  for (const std::string_view patient : {"1", "2", "1"}) {
    auto prepared = records_.prepare(saturation(78, patient), {.type = "Observation"});
    ASSERT_TRUE(prepared);
    samples.emplace_back(std::move(*prepared));
  }
  std::vector<Ingested> answers;
  put_samples(records_, RequestClass::urgent, std::move(samples), access::Access::server(),
              [&](std::vector<Ingested> all) { answers = std::move(all); });
  ASSERT_EQ(answers.size(), 3U);
  for (const Ingested& answer : answers) EXPECT_TRUE(answer.is_worth_repeating());
  EXPECT_EQ(called_.size(), 2U);
  EXPECT_EQ(unwritten_.count(), 2);
}

}  // namespace
}  // namespace mydr24::vitals
