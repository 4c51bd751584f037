// Searches over a made-up population: thirty queries, drawn evenly, at 64 connections, on a prepared store that later
// runs use again (build/bench/search-N). Every answer must be 200; what the totals should be is known. The blend is
// that of mock.health's fhir-server-compare (30 load queries), so that the figures can be compared.

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <random>

#include "base/core/clock.h"
#include "base/core/date_time.h"
#include "base/json/document.h"
#include "base/json/writer.h"
#include "load/bench.h"
#include "load/flows.h"
#include "load/search_blend.h"

namespace mydr24::load {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t patients_default = 4'000;
constexpr std::size_t patients_max = 1'000'000;
constexpr int generation = 2;  // of the population and of what is kept beside the store: another number, another store

// A stored population: its folder, and what is in it.
struct Prepared {
  fs::path folder;
  Census census;
  bool reused = false;
  double import_s = 0;
};

std::string config_of(const Options& options) {
  const std::string url = options.value("--store");
  // Sixty-four searches at once keep a database server longer than a server that is asked to stay quick lets them wait.
  return url.empty() ? std::string() : fmt::format("[store]\nurl = \"{}\"\n[admission]\nmode = \"off\"\n", url);
}

// The schema that a store was made with: the migrations of the source tree this program was built from, by their text.
std::string schema() {
  std::uint64_t hash = 0xcbf29ce484222325U;  // FNV-1a
  for (const std::string_view file : {"src/storage/sqlite/migrations.cc", "src/fhir/search/search.h"})
    for (const char c : read_text(fs::path(MYDR24_SOURCE_DIR) / file))
      hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return fmt::format("{}-{:016x}", generation, hash);
}

std::array<std::pair<const char*, std::uint64_t Census::*>, 7> fields() {
  return {{{"resources", &Census::resources},
           {"male", &Census::male},
           {"observations", &Census::observations},
           {"blood_pressures", &Census::blood_pressures},
           {"heights", &Census::heights},
           {"weights", &Census::weights},
           {"pains", &Census::pains}}};
}

void write_stamp(const fs::path& file, const Options& options, const Census& census) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("schema", schema()).field("store", options.value("--store"));
  for (const auto& [name, member] : fields()) writer.field(name, static_cast<std::int64_t>(census.*member));
  writer.end_object();
  write_text(file, out);
}

// Nothing when the store there is of another schema, or was not finished.
std::optional<Census> read_stamp(const fs::path& file, const Options& options) {
  if (!fs::exists(file)) return std::nullopt;
  const auto document = json::Document::parse(read_text(file));
  if (!document || document->root()["schema"].text() != schema()) return std::nullopt;
  if (document->root()["store"].text() != options.value("--store")) return std::nullopt;
  Census census;
  for (const auto& [name, member] : fields()) {
    const std::string_view text = document->root()[name].text();
    std::from_chars(text.data(), text.data() + text.size(), census.*member);
  }
  return census;
}

Result<Census> generate(const Population& population, const fs::path& file) {
  std::FILE* out = std::fopen(file.c_str(), "wb");
  if (out == nullptr) return fail(Code::internal, fmt::format("{} cannot be written", file.string()));
  bool whole = true;
  const Census census = population.write([&](std::string_view piece) {
    whole = whole && std::fwrite(piece.data(), 1, piece.size(), out) == piece.size();
  });
  whole = std::fclose(out) == 0 && whole;
  if (!whole) return fail(Code::internal, fmt::format("{}: the disk is full", file.string()));
  return census;
}

Result<Prepared> prepare(const Options& options, const Population& population) {
  const bool elsewhere = !options.value("--store").empty();
  Prepared prepared;
  prepared.folder = fs::path(MYDR24_SOURCE_DIR) / "build/bench" /
                    fmt::format("search-{}{}", population.patients(), elsewhere ? "-url" : "");
  const fs::path stamp = prepared.folder / "stamp.json";
  if (!options.has("--fresh")) {
    if (auto census = read_stamp(stamp, options)) {
      prepared.census = *census;
      prepared.reused = true;
      return prepared;
    }
  }
  fs::remove_all(prepared.folder);
  fs::create_directories(prepared.folder);
  const fs::path lines = prepared.folder / "population.ndjson";
  const auto begin = system_clock().steady();
  MYDR24_ASSIGN(prepared.census, generate(population, lines));
  const double generated = std::chrono::duration<double>(system_clock().steady() - begin).count();
  fmt::print(stderr, "search: {} resources, {} MB of NDJSON in {:.1f} s\n", prepared.census.resources,
             fs::file_size(lines) >> 20, generated);
  std::vector<std::string> command{options.binary.string(), "import", "--data", (prepared.folder / "data").string(),
                                   lines.string(),          "--json"};
  if (elsewhere) {
    write_text(prepared.folder / "import.toml", config_of(options));
    command.insert(command.end(), {"--config", (prepared.folder / "import.toml").string()});
  }
  const Finished finished = run_command(command);
  fs::remove(lines);
  if (finished.exit_code != 0)
    return fail(Code::unprocessable,
                fmt::format("import ended with {}: {}{}", finished.exit_code, finished.out, finished.err));
  prepared.import_s = finished.seconds;
  fmt::print(stderr, "search: imported in {:.1f} s, {:.0f} resources/s, {:.0f} MB of memory, {} bytes a resource\n",
             finished.seconds, static_cast<double>(prepared.census.resources) / finished.seconds, finished.rss_max_mb,
             disk_bytes(prepared.folder / "data") / prepared.census.resources);
  write_stamp(stamp, options, prepared.census);
  return prepared;
}

// What access control costs a search, step by step: "on" is a token that sees everything; with "labels" a sensitive label would
// hide a resource from it; with "consents" a Consent does so to a patient as well, who has nothing here, so that totals stay. It ends
// by itself: while it counts nobody may write it, so the next run could not take it away.
constexpr std::array<std::string_view, 3> access_modes{"on", "labels", "consents"};

Result<std::string> start_with_access(const Options& options, Bed& bed, const Prepared& prepared,
                                      std::string_view mode) {
  const auto policy = prepared.folder / "policy.json";
  write_text(policy,
             fmt::format(R"({{"sensitive":["http://terminology.hl7.org/CodeSystem/v3-ActCode|HIV"],"roles":{{"bench":)"
                         R"({{"purpose":"TREAT","fhir":[{{"types":["*"],"permissions":"cruds"}}]{}}}}}}})",
                         mode == "on" ? R"(,"labels":["*"])" : ""));
  MYDR24_ASSIGN(
      auto authorization,
      start_server_with_access(
          options, bed,
          {.data = prepared.folder / "data", .config = config_of(options), .role = "bench", .policy_file = policy}));
  HttpClient http(bed.server->endpoint());
  const auto consent =
      fmt::format(R"({{"resourceType":"Consent","id":"bench","status":"{}","scope":{{"coding":[{{"code":)"
                  R"("patient-privacy"}}]}},"category":[{{"text":"x"}}],"patient":{{"reference":"Patient/nobody"}},)"
                  R"("policyRule":{{"coding":[{{"code":"OPTOUT"}}]}},"provision":{{"period":{{"end":"{}"}}}}}})",
                  mode == "consents" ? "active" : "inactive",
                  format_instant(system_clock().now() + std::chrono::seconds(static_cast<int>(options.seconds) + 30)));
  MYDR24_ASSIGN(const auto stored, http.send("PUT", "/fhir/R4/Consent/bench", consent,
                                             "Content-Type: application/fhir+json\r\n" + authorization));
  if (stored.status != 200 && stored.status != 201)
    return fail(Code::internal, fmt::format("the Consent was answered {}: {}", stored.status, stored.body));
  return authorization;
}

// One connection's part of the blend. Counts and latencies by query are shared by all.
class SearchFlow : public Flow {
 public:
  // `authorization`: a line of the head; may be empty. All must outlive it.
  SearchFlow(const Blend& blend, std::vector<QueryResult>& results, unsigned seed, const std::string& authorization)
      : blend_(blend), results_(results), random_(seed), authorization_(authorization) {}

  bool next(std::string& out) override {
    query_ = random_() % blend_.queries().size();
    target_.assign("/fhir/R4/");
    blend_.append_target(query_, random_, target_);
    append_request(out, "GET", target_, {}, authorization_);
    started_ = system_clock().steady();
    return true;
  }
  bool answered(const Answer& answer) override {
    QueryResult& result = results_[query_];
    if (answer.status != 200) {
      ++result.failed;
      return false;
    }
    result.latency.record(system_clock().steady() - started_);
    if (answer.body.find("\"resource\":{") != std::string_view::npos) ++result.found;
    return true;
  }

 private:
  const Blend& blend_;
  std::vector<QueryResult>& results_;
  std::minstd_rand random_;
  const std::string& authorization_;
  std::size_t query_ = 0;
  std::string target_;
  std::chrono::nanoseconds started_{};
};

// To standard error: standard output may be JSON.
void print_queries(const Blend& blend, const std::vector<QueryResult>& results) {
  fmt::print(stderr, "  {:<34} {:>8} {:>7} {:>9} {:>9}\n", "query", "answers", "found", "p50_ms", "p99_ms");
  for (std::size_t i = 0; i < results.size(); ++i) {
    const QueryResult& result = results[i];
    const std::uint64_t count = result.latency.count();
    fmt::print(stderr, "  {:<34} {:>8} {:>6.0f}% {:>9.2f} {:>9.2f}{}\n", blend.queries()[i].name, count,
               count == 0 ? 0.0 : 100.0 * static_cast<double>(result.found) / static_cast<double>(count),
               result.latency.quantile_ms(0.5), result.latency.quantile_ms(0.99),
               result.failed == 0 ? "" : fmt::format("  {} failed", result.failed));
  }
}

Result<Report> measure(const Options& options) {
  std::size_t patients = patients_default;
  if (const std::string text = options.value("--patients"); !text.empty()) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), patients);
    if (error != std::errc() || end != text.data() + text.size() || patients == 0 || patients > patients_max)
      return fail(Code::invalid, fmt::format("--patients wants a number from 1 to {}", patients_max));
  }
  const Population population(patients);
  MYDR24_ASSIGN(const Prepared prepared, prepare(options, population));
  const std::string access = options.value("--access");
  if (!access.empty() && std::ranges::find(access_modes, access) == access_modes.end())
    return fail(Code::invalid, fmt::format("--access wants one of {}", fmt::join(access_modes, ", ")));
  Bed bed;
  std::string authorization;
  if (access.empty()) {
    MYDR24_ASSIGN(bed.server, Server::start({.binary = options.binary,
                                             .data = prepared.folder / "data",
                                             .config = config_of(options) + "[access]\nmode = \"off\"\n",
                                             .ready_max = std::chrono::seconds(300)}));
  } else {
    MYDR24_ASSIGN(authorization, start_with_access(options, bed, prepared, access));
  }
  const Blend blend(population, prepared.census);
  Report report;
  report.store = options.value("--store").empty() ? "sqlite" : "postgres";
  // The check asks without a token.
  if (!options.has("--load-anyway") && access.empty()) {
    HttpClient client(bed.server->endpoint());
    MYDR24_TRY(blend.check(client));
  }
  std::vector<QueryResult> results(blend.queries().size());
  const auto make = [&](std::size_t i) {
    return std::make_unique<SearchFlow>(blend, results, static_cast<unsigned>(i + 1), authorization);
  };
  measure_flows(options, bed, make_flows(options.connections, make), report, "", "",
                [&] { std::ranges::fill(results, QueryResult()); });
  report.add("bytes_per_resource", static_cast<double>(disk_bytes(prepared.folder / "data")) /
                                       static_cast<double>(prepared.census.resources));
  report.add("startup_ms", bed.server->startup_ms());
  if (options.has("--verbose")) print_queries(blend, results);
  report.note = fmt::format("{} connections; {} patients; {} resources{}{}", options.connections, patients,
                            prepared.census.resources, access.empty() ? "" : "; access ", access);
  return report;
}

}  // namespace
}  // namespace mydr24::load

int main(int argc, char** argv) {
  return mydr24::load::run_bench(argc, argv,
                                 {.name = "search",
                                  .about = "thirty kinds of searches over a population",
                                  .seconds = 30,
                                  .switches = {"--verbose", "--fresh", "--load-anyway"},
                                  .values = {"--patients", "--store", "--access"}},
                                 mydr24::load::measure);
}
