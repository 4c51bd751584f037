// `mydr24 import` into an empty folder: resources per second, bytes per resource on the disk, then the start
// of a server on what was imported. Data: MIMIC-IV demo on FHIR beside the repository, else 100,000 resources
// of our own. Bars: 15,000 resources/s, 1.2 kB a resource, 200 MB of memory while it imports, 1 s to start.

#include <fmt/format.h>

#include "app/load/bodies.h"
#include "base/json/document.h"
#include "load/bench.h"

namespace mydr24::load {
namespace {

constexpr std::size_t generated = 100'000;

// The last line of the output that is a JSON object.
Result<json::Document> last_object(const std::string& out) {
  const std::size_t at = out.rfind("\n{");
  return json::Document::parse(out.substr(at == std::string::npos ? 0 : at + 1));
}

Result<Report> measure(const Options& options) {
  Bed bed;
  std::filesystem::path source = MYDR24_SOURCE_DIR "/../shared/data/mimic-iv-demo-fhir";
  std::string what = "MIMIC-IV demo";
  if (!std::filesystem::exists(source) || options.has("--generated")) {
    source = bed.folder.path() / "generated.ndjson";
    what = "generated";
    write_text(source, ndjson(generated, "2023-04-11T09:12:44.000-04:00"));
  }
  const Finished finished =
      run_command({options.binary.string(), "import", "--data", bed.data().string(), source.string(), "--json"});
  if (finished.exit_code != 0)
    return fail(Code::unprocessable,
                fmt::format("import ended with {}: {}{}", finished.exit_code, finished.out, finished.err));
  MYDR24_ASSIGN(const auto summary, last_object(finished.out));
  double imported = 0;
  const std::string_view text = summary.root()["stored"].text();
  std::from_chars(text.data(), text.data() + text.size(), imported);
  if (imported <= 0) return fail(Code::unprocessable, "nothing was imported: " + finished.out);

  Report report;
  report.add("throughput_per_s", imported / finished.seconds, ">= 15000");
  report.add("cpu_ms_per_request", finished.cpu_s * 1000 / imported);
  report.add("import_rss_mb", finished.rss_max_mb, "<= 200");
  report.add("bytes_per_resource", static_cast<double>(disk_bytes(bed.data())) / imported, "<= 1200");
  MYDR24_TRY(start_server(options, bed));
  report.add("startup_ms", bed.server->startup_ms(), "<= 1000");
  report.add("rss_mb", bed.server->rss_mb());
  report.note = fmt::format("{}; {:.0f} resources in {:.2f} s; {} rejected", what, imported, finished.seconds,
                            summary.root()["rejected"].text());
  return report;
}

}  // namespace
}  // namespace mydr24::load

int main(int argc, char** argv) {
  return mydr24::load::run_bench(
      argc, argv, {.name = "import", .about = "bulk import, disk use, start on it", .switches = {"--generated"}},
      mydr24::load::measure);
}
