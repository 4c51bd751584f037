#include "app/server/tracing.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "app/server/server.h"
#include "operations/series/otlp_traces.h"

namespace mydr24::server {
namespace {

constexpr std::size_t traces_per_export_max = 512;

series::Exporter::Source source_of(telemetry::Traces& traces, const Settings& settings) {
  const auto make = settings.traces.otlp_encoding == "json" ? series::otlp_traces_json : series::otlp_traces_protobuf;
  return [&traces, make, resource = otlp_resource(settings)] {
    const auto taken = traces.take();
    std::vector<std::string> exports;
    for (series::TraceBatch rest = taken; !rest.empty();) {
      const auto count = std::min(rest.size(), traces_per_export_max);
      exports.push_back(make(rest.first(count), resource));
      rest = rest.subspan(count);
    }
    return exports;
  };
}

}  // namespace

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "localhost";
}

series::Resource otlp_resource(const Settings& settings) {
  return {.service = "mydr24",
          .version = std::string(version),
          .instance = fmt::format("{}:{}", host_name(), settings.server.listen)};
}

Result<std::unique_ptr<Tracing>> Tracing::make(const Settings& settings, telemetry::Metrics& metrics,
                                               const Clock& clock) {
  const auto& url = settings.traces.otlp_url;
  if (url.empty()) return nullptr;
  if (const auto parsed = net::parse_url(url); !parsed)
    return fail(Code::invalid, parsed.error().text, "traces.otlp_url");
  return std::unique_ptr<Tracing>(new Tracing(settings, metrics, clock));
}

Tracing::Tracing(const Settings& settings, telemetry::Metrics& metrics, const Clock& clock)
    : traces_({.sample_per_million = settings.traces.sample_per_million,
               .slow = std::chrono::milliseconds(settings.traces.slow_ms),
               .beyond_per_s_max = settings.traces.beyond_per_s_max},
              clock),
      exporter_({.url = settings.traces.otlp_url,
                 .every = std::chrono::milliseconds(settings.traces.otlp_every_ms),
                 .json = settings.traces.otlp_encoding == "json"},
                source_of(traces_, settings), clock) {
  const auto ended = metrics.gauge("traces", "Traces made, since the start");
  const auto dropped = [&](std::string_view why) {
    return metrics.gauge("traces_dropped", "Traces that were not kept, since the start, by why",
                         {{"reason", std::string(why)}});
  };
  const auto left_out = dropped("rate");
  const auto full = dropped("queue");
  const auto exports_failed =
      metrics.gauge("trace_exports_failed", "Exports of traces to a collector that failed, since the start");
  const auto exports_given_up =
      metrics.gauge("trace_exports_given_up", "Exports of traces that were given up, since the start");
  metrics.before_expose([=, this] {
    ended.set(static_cast<double>(traces_.ended()));
    left_out.set(static_cast<double>(traces_.left_out()));
    full.set(static_cast<double>(traces_.dropped()));
    exports_failed.set(static_cast<double>(exporter_.failed()));
    exports_given_up.set(static_cast<double>(exporter_.given_up()));
  });
  exporter_.start();
}

}  // namespace mydr24::server
