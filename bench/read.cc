// Reads by id, at random, of 20,000 resources of 0.7 to 2 kB (Patient, Encounter, Condition, Observation).
// Bar: 30,000 reads/s, p99 5 ms.

#include <fmt/format.h>

#include <random>

#include "app/load/bodies.h"
#include "load/bench.h"
#include "load/flows.h"

namespace mydr24::load {
namespace {

constexpr std::size_t resources = 20'000;

Result<Report> measure(const Options& options) {
  Bed bed;
  std::vector<std::string> ids;
  MYDR24_TRY(import_text(options, bed, ndjson(resources, "2023-04-11T09:12:44.000-04:00", &ids)));
  std::string authorization;
  if (options.has("--access")) {
    MYDR24_ASSIGN(authorization, start_server_with_access(options, bed));
  } else {
    MYDR24_TRY(start_server(options, bed));
  }
  Report report;
  if (!options.value("--store").empty()) report.store = "postgres";
  const auto make = [&](std::size_t i) {
    return std::make_unique<RepeatFlow>(
        200, [&ids, &authorization, random = std::minstd_rand(static_cast<unsigned>(i + 1))](std::string& out) mutable {
          out.append("GET /fhir/R4/").append(ids[random() % ids.size()]);
          out.append(" HTTP/1.1\r\nHost: localhost\r\nAccept: application/fhir+json\r\n").append(authorization);
          out.append("\r\n");
        });
  };
  measure_flows(options, bed, make_flows(options.connections, make), report, ">= 30000", "<= 5");
  report.note = fmt::format("{} connections; {} resources{}", options.connections, resources,
                            authorization.empty() ? "" : "; access control and audit on");
  return report;
}

}  // namespace
}  // namespace mydr24::load

int main(int argc, char** argv) {
  return mydr24::load::run_bench(
      argc, argv, {.name = "read", .about = "random reads by id", .switches = {"--access"}, .values = {"--store"}},
      mydr24::load::measure);
}
