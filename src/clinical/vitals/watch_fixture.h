#pragma once

// A watch over a store in memory, and the words to write vital signs with.

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <map>
#include <string>
#include <vector>

#include "base/core/date_time.h"
#include "clinical/vitals/watch.h"
#include "storage/store/fake_store.h"

namespace mydr24::vitals {

using namespace std::chrono_literals;

class WatchTest : public testing::Test {
 protected:
  WatchTest() {
    book_.attach(store_);
    watch_.attach(store_);
  }

  virtual Result<> write(const std::string& type, const std::string& id, const std::string& text) {
    std::string& current = resources_[type + "/" + id];
    const std::string old = current;
    const auto before = old.empty() ? json::Document() : *json::Document::parse_view(old);
    const auto now = text.empty() ? json::Document() : *json::Document::parse_view(text);
    if (type == "Patient") store_.put_resource(type, id, text);
    current = text;
    return store_.write(RequestClass::urgent, [&](store::Transaction& transaction) {
      records::Change change{.type = type, .id = id, .resource = now.root(), .before = before.root()};
      change.action = text.empty()  ? store::Action::remove
                      : old.empty() ? store::Action::create
                                    : store::Action::update;
      return watch_.react(transaction, change);
    });
  }

  // `measured`: before now.
  void post(const std::string& id, std::string_view code, double value, std::string_view unit,
            Microseconds measured = 0s, std::string_view status = "final", std::string_view patient = "1") {
    ASSERT_TRUE(
        write("Observation", id,
              fmt::format(R"({{"resourceType":"Observation","id":"{}","status":"{}",)"
                          R"("code":{{"coding":[{{"system":"http://loinc.org","code":"{}"}}]}},)"
                          R"("subject":{{"reference":"Patient/{}"}},"effectiveDateTime":"{}",)"
                          R"("valueQuantity":{{"value":{},"system":"http://unitsofmeasure.org","code":"{}"}}}})",
                          id, status, code, patient, format_instant(clock_.now() - measured), value, unit)));
  }
  void spo2(const std::string& id, double value, Microseconds measured = 0s) {
    post(id, "2708-6", value, "%", measured);
  }
  void pulse(const std::string& id, double value, Microseconds measured = 0s) {
    post(id, "8867-4", value, "/min", measured);
  }
  void respiration(const std::string& id, double value, Microseconds measured = 0s) {
    post(id, "9279-1", value, "/min", measured);
  }
  void full_set(const std::string& prefix, double respiration_rate, double saturation, double pulse_rate) {
    respiration(prefix + "-rr", respiration_rate);
    spo2(prefix + "-spo2", saturation);
    pulse(prefix + "-hr", pulse_rate);
    post(prefix + "-o2", "3151-8", 0, "L/min");
    post(prefix + "-bp", "8480-6", 120, "mm[Hg]");
    post(prefix + "-gcs", "9269-2", 15, "{score}");
    post(prefix + "-t", "8310-5", 37, "Cel");
  }

  std::optional<PatientSigns> current(std::string_view patient = "1") {
    std::optional<PatientSigns> signs;
    EXPECT_TRUE(store_.read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(signs, watch_.current(reader, patient));
      return {};
    }));
    return signs;
  }
  std::vector<alerts::Alert> alerts(bool resolved = false) {
    alerts::AlertPage page;
    EXPECT_TRUE(store_.read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(page, alerts::Book::list(reader, {.resolved = resolved}));
      return {};
    }));
    return page.alerts;
  }
  std::vector<std::string> board() {
    std::vector<std::string> rows;
    EXPECT_TRUE(store_.read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(const BoardPage page, Watch::board(reader));
      for (const BoardRow& row : page.rows) rows.push_back(fmt::format("{} {}", row.patient_id, row.points));
      return {};
    }));
    return rows;
  }
  std::size_t events(std::string_view kind) { return store_.events_of(kind).size(); }

  ManualClock clock_{from_us(1'700'000'000'000'000)};
  store::FakeStore store_{clock_};
  const oncall::Directory directory_ = *oncall::Directory::make({});
  alerts::Book book_{directory_};
  Watch watch_{book_};
  std::map<std::string, std::string> resources_;
};

// Writes through the records, so that what is written is stored and can be searched.
class StoredWatchTest : public WatchTest {
 protected:
  StoredWatchTest() { records_.add_reaction(watch_); }

  Result<> write(const std::string& type, const std::string& id, const std::string& text) override {
    records::Prepared prepared;
    if (!text.empty()) {
      auto accepted = records_.prepare(text, {.type = type, .id = id});
      if (!accepted) return fail(Code::invalid, accepted.error().issues.front().diagnostics);
      prepared = std::move(*accepted);
    }
    return store_.write(RequestClass::urgent, [&](store::Transaction& transaction) -> Result<> {
      if (text.empty()) return discard(records_.remove(transaction, type, id));
      return discard(records_.put(transaction, prepared));
    });
  }
  void remove(const std::string& id) { ASSERT_TRUE(write("Observation", id, "")); }
  // An Observation of `patient` that says `value`, the rest of its JSON.
  void say(const std::string& id, std::string_view system, std::string_view code, std::string_view value,
           std::string_view status = "final", std::string_view patient = "1") {
    const auto written =
        write("Observation", id,
              fmt::format(R"({{"resourceType":"Observation","id":"{}","status":"{}","code":{{"coding":[{{)"
                          R"("system":"{}","code":"{}"}}]}},"subject":{{"reference":"Patient/{}"}},)"
                          R"("effectiveDateTime":"{}",{}}})",
                          id, status, system, code, patient, format_instant(clock_.now()), value));
    ASSERT_TRUE(written) << written.error().text;
  }
  void spo2_scale(const std::string& id, int scale, std::string_view status = "final") {
    say(id, "https://mydr24.org/fhir/CodeSystem/vitals", "spo2-scale", fmt::format("\"valueInteger\":{}", scale),
        status);
  }
  void pregnancy(const std::string& id, bool pregnant) {
    say(id, "http://loinc.org", "82810-3",
        fmt::format(R"("valueCodeableConcept":{{"coding":[{{"system":"http://snomed.info/sct","code":"{}"}}]}})",
                    pregnant ? "77386006" : "60001007"));
  }

  records::Records records_{store_, clock_};

 private:
  template <class T>
  static Result<> discard(const Result<T>& result) {
    return result ? Result<>() : Result<>(result.error());
  }
};

}  // namespace mydr24::vitals
