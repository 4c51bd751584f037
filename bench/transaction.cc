// Transaction Bundles of one Patient and 100 linked Observations, Encounters and Conditions; throughput in
// resources. Bar: 8,000 resources/s.

#include <fmt/format.h>

#include "app/load/bodies.h"
#include "load/bench.h"
#include "load/flows.h"

namespace mydr24::load {
namespace {

constexpr std::size_t linked = 100;

Result<Report> measure(const Options& options) {
  Bed bed;
  MYDR24_TRY(start_server(options, bed));
  const Body bundle = linked_transaction(linked, "2023-04-11T09:12:44.000-04:00");
  const auto make = [&bundle](std::size_t i) {
    return std::make_unique<RepeatFlow>(200, [&bundle, n = i * 1'000'000](std::string& out) mutable {
      append_request(out, "POST", "/fhir/R4/", bundle.fill({{"n", fmt::format("{}", ++n)}}));
    });
  };
  Report report;
  if (!options.value("--store").empty()) report.store = "postgres";
  Report per_bundle;
  const Totals totals = measure_flows(options, bed, make_flows(options.connections, make), per_bundle);
  report.problem = per_bundle.problem;
  for (Figure& figure : per_bundle.figures) {
    if (figure.key == "throughput_per_s") {
      figure.value *= linked + 1;
      figure.bar = ">= 8000";
    } else if (figure.key == "cpu_ms_per_request") {
      report.add("cpu_ms_per_resource", figure.value / (linked + 1));
    }
    report.figures.push_back(std::move(figure));
  }
  report.add("bundles_per_s", totals.per_second());
  report.note =
      fmt::format("resources/s; latency and cpu of a Bundle of {}; {} clients", linked + 1, options.connections);
  return report;
}

}  // namespace
}  // namespace mydr24::load

int main(int argc, char** argv) {
  return mydr24::load::run_bench(argc, argv,
                                 {.name = "transaction",
                                  .about = "transaction Bundles of 101 linked resources",
                                  .connections = 8,
                                  .values = {"--store"}},
                                 mydr24::load::measure);
}
