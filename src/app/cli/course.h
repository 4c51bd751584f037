#pragma once

// The life of a simulated hospital, written somewhere: a server's records, a server over HTTP, or files.

#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "app/cli/hospital.h"
#include "base/core/result.h"
#include "clinical/records/records.h"

namespace mydr24::cli {

class HospitalSink {
 public:
  virtual ~HospitalSink() = default;
  // Resources with ids are created or replaced, those without get an id. At most `batch_max` at a time.
  virtual Result<> write(std::span<const SimulatedResource> resources) = 0;
  virtual bool wants_ids() const { return false; }  // of Observations

  static constexpr std::size_t batch_max = 120;
};

// Straight into the records of this process.
std::unique_ptr<HospitalSink> sink_to_records(records::Records& records);
// As transaction Bundles to a running server.
Result<std::unique_ptr<HospitalSink>> sink_to_server(const std::string& server);
// As Type.ndjson files in a folder that is made when it is not there; existing files of these names are an error.
Result<std::unique_ptr<HospitalSink>> sink_to_files(const std::string& folder);

struct CourseSettings {
  std::chrono::milliseconds interval{5000};  // between two rounds, on the clock of the simulation
  double speed = 1;                          // of illness against the clock
  std::chrono::milliseconds time{0};         // 0: until `pause` says stop
  bool paced = true;                         // wait for the machine's clock; else as fast as it goes (files)
};

struct CourseCounts {
  std::int64_t resources = 0;     // written
  std::int64_t observations = 0;  // of these
  std::int64_t rounds = 0;
  std::int64_t late_rounds = 0;  // that began later than planned, by more than an interval
};

// Waits; true: stop now.
using Pause = std::function<bool(std::chrono::milliseconds)>;

// Buildings, patients and encounters.
Result<> admit_all(const Hospital& hospital, HospitalSink& sink, CourseCounts& counts);
// Rounds of vital signs until the time is over, `pause` says stop, or a write fails.
Result<> run_course(Hospital& hospital, HospitalSink& sink, const CourseSettings& settings, const Clock& clock,
                    Instant start, const Pause& pause, CourseCounts& counts);

}  // namespace mydr24::cli
