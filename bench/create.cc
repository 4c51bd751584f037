// Creates of vital-sign Observations that raise nothing, for 1,000 patients; with --mix also Patients,
// Encounters and Conditions. Every answer is 201 after the commit. Bar: 5,000 creates/s.

#include <fmt/format.h>

#include <random>

#include "app/load/bodies.h"
#include "base/core/clock.h"
#include "base/core/date_time.h"
#include "load/bench.h"
#include "load/flows.h"

namespace mydr24::load {
namespace {

constexpr std::size_t patients = 1'000;

class CreateFlow : public Flow {
 public:
  CreateFlow(std::size_t number, bool mix) : random_(static_cast<unsigned>(number + 1)), mix_(mix) {}

  bool next(std::string& out) override {
    const std::string subject = fmt::format("Patient/p-{}", random_() % patients);
    const std::string now = format_instant(system_clock().now());
    body_.clear();
    std::string_view target = "/fhir/R4/Observation";
    switch (mix_ ? random_() % 10 : 9) {
      case 0:
        target = "/fhir/R4/Patient";
        patient().append(body_, {{"n", fmt::format("{}", random_())}, {"gender", "female"}});
        break;
      case 1:
        target = "/fhir/R4/Encounter";
        small_encounter().append(body_, {{"patient", subject}, {"at", now}});
        break;
      case 2:
        target = "/fhir/R4/Condition";
        condition().append(body_, {{"patient", subject}, {"encounter", "Encounter/none"}});
        break;
      default:
        heart_rate().append(body_,
                            {{"patient", subject}, {"value", fmt::format("{}", 55 + random_() % 35)}, {"at", now}});
    }
    append_request(out, "POST", target, body_);
    return true;
  }
  bool answered(const Answer& answer) override { return answer.status == 201; }

 private:
  std::minstd_rand random_;
  bool mix_;
  std::string body_;
};

Result<Report> measure(const Options& options) {
  Bed bed;
  std::string set_up;
  for (std::size_t n = 0; n < patients; ++n) {
    patient().append(set_up,
                     {{"id", id_member(fmt::format("p-{}", n))}, {"n", fmt::format("{}", n)}, {"gender", "male"}});
    set_up.push_back('\n');
  }
  MYDR24_TRY(import_text(options, bed, set_up));
  MYDR24_TRY(start_server(options, bed));
  const bool mix = options.has("--mix");
  Report report;
  if (!options.value("--store").empty()) report.store = "postgres";
  const auto make = [&](std::size_t i) { return std::make_unique<CreateFlow>(i, mix); };
  measure_flows(options, bed, make_flows(options.connections, make), report, ">= 5000");
  report.note = fmt::format("{} connections; {}", options.connections, mix ? "four types" : "Observations");
  return report;
}

}  // namespace
}  // namespace mydr24::load

int main(int argc, char** argv) {
  return mydr24::load::run_bench(
      argc, argv,
      {.name = "create", .about = "creates of vital-sign Observations", .switches = {"--mix"}, .values = {"--store"}},
      mydr24::load::measure);
}
