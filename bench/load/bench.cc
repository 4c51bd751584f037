#include "load/bench.h"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <fstream>
#include <thread>

#include "base/core/clock.h"
#include "base/core/date_time.h"
#include "base/core/id.h"
#include "base/json/document.h"
#include "base/json/writer.h"

namespace mydr24::load {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view history_columns =
    "date,commit,bench,throughput_per_s,p50_ms,p99_ms,p999_ms,cpu_ms_per_request,rss_mb,bytes_per_resource,"
    "cores,"
    "store,durability,note";

void print_usage(const Defaults& defaults) {
  fmt::print(stderr,
             "{}: {}\nusage: {} [--seconds S] [--connections N] [--binary PATH] [--json] [--no-history] "
             "[--note TEXT]",
             defaults.name, defaults.about, defaults.name);
  for (const auto& name : defaults.switches) fmt::print(stderr, " [{}]", name);
  for (const auto& name : defaults.values) fmt::print(stderr, " [{} VALUE]", name);
  fmt::print(stderr, "\n");
}

template <class T>
bool read_positive(std::string_view text, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() && out > 0;
}

// Nothing when a flag is wrong.
std::optional<Options> parse_options(std::span<char*> arguments, const Defaults& defaults) {
  Options options;
  options.seconds = defaults.seconds;
  options.connections = defaults.connections;
  options.binary = fs::read_symlink("/proc/self/exe").parent_path().parent_path() / "mydr24";
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const std::string_view flag = arguments[i];
    const std::string_view value = i + 1 < arguments.size() ? arguments[i + 1] : "";
    if (flag == "--json") {
      options.json = true;
    } else if (flag == "--no-history") {
      options.history = false;
    } else if (defaults.switches.contains(std::string(flag))) {
      options.switches.emplace(flag);
    } else if (defaults.values.contains(std::string(flag)) && !value.empty()) {
      options.values.emplace(flag, value);
      ++i;
    } else if (flag == "--seconds" && read_positive(value, options.seconds)) {
      ++i;
    } else if (flag == "--connections" && read_positive(value, options.connections)) {
      ++i;
    } else if (flag == "--binary" && !value.empty()) {
      options.binary = value;
      ++i;
    } else if (flag == "--note" && !value.empty()) {
      options.note = value;
      ++i;
    } else {
      fmt::print(stderr, "{}: wrong flag or value: {}\n", defaults.name, flag);
      return std::nullopt;
    }
  }
  return options;
}

std::string commit() {
  const Finished finished = run_command({"git", "-C", MYDR24_SOURCE_DIR, "rev-parse", "--short", "HEAD"});
  return finished.exit_code == 0 ? finished.out.substr(0, finished.out.find('\n')) : "unknown";
}

const Figure* find(const Report& report, std::string_view key) {
  for (const Figure& figure : report.figures)
    if (figure.key == key) return &figure;
  return nullptr;
}

std::string number(double value) {
  return value >= 100 ? fmt::format("{:.0f}", value)
         : value >= 1 ? fmt::format("{:.2f}", value)
                      : fmt::format("{:.4f}", value);
}

void print_json(const Defaults& defaults, const Report& report, const std::string& hash) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("bench", std::string_view(defaults.name));
  for (const Figure& figure : report.figures) writer.key(figure.key).raw(number(figure.value));
  writer.key("conditions").begin_object();
  writer.field("cores", static_cast<std::int64_t>(std::thread::hardware_concurrency()));
  writer.field("store", std::string_view(report.store)).field("durability", std::string_view(report.durability));
  writer.field("commit", std::string_view(hash)).field("note", std::string_view(report.note));
  writer.end_object().end_object();
  fmt::print("{}\n", out);
}

void print_table(const Defaults& defaults, const Report& report) {
  fmt::print("{}: {}\n", defaults.name, defaults.about);
  for (const Figure& figure : report.figures)
    fmt::print("  {:<28} {:>12}  {}\n", figure.key, number(figure.value),
               figure.bar.empty() ? "" : "bar " + figure.bar);
  fmt::print("  {} cores, {} store, durability {}{}{}\n", std::thread::hardware_concurrency(), report.store,
             report.durability, report.note.empty() ? "" : "; ", report.note);
}

void append_history(const Defaults& defaults, const Report& report, const std::string& hash) {
  const fs::path file = fs::path(MYDR24_SOURCE_DIR) / "bench/history.csv";
  const bool fresh = !fs::exists(file);
  std::ofstream out(file, std::ios::app);
  if (fresh) out << history_columns << '\n';
  out << format_instant(system_clock().now()) << ',' << hash << ',' << defaults.name;
  for (const std::string_view key :
       {"throughput_per_s", "p50_ms", "p99_ms", "p999_ms", "cpu_ms_per_request", "rss_mb", "bytes_per_resource"}) {
    const Figure* figure = find(report, key);
    out << ',' << (figure == nullptr ? "" : number(figure->value));
  }
  std::string note = report.note;
  std::replace_if(note.begin(), note.end(), [](char c) { return c == ',' || c == '"' || c == '\n'; }, ';');
  out << ',' << std::thread::hardware_concurrency() << ',' << report.store << ',' << report.durability << ',' << note
      << '\n';
}

}  // namespace

void Report::add_totals(const Totals& totals, std::string throughput_bar, std::string p99_bar) {
  add("throughput_per_s", totals.per_second(), std::move(throughput_bar));
  add("p50_ms", totals.latency.quantile_ms(0.50));
  add("p99_ms", totals.latency.quantile_ms(0.99), std::move(p99_bar));
  add("p999_ms", totals.latency.quantile_ms(0.999));
  if (!totals.clean())
    problem = fmt::format("{} answers were wrong, {} requests got none; the first:\n{}", totals.failed,
                          totals.connection_errors, totals.first_problem);
}

int run_bench(int argc, char** argv, const Defaults& defaults,
              const std::function<Result<Report>(const Options&)>& measure) {
  const std::span<char*> arguments(argv, static_cast<std::size_t>(argc));
  if (arguments.size() == 2 && std::string_view(arguments[1]) == "--help") {
    print_usage(defaults);
    return 0;
  }
  const auto options = parse_options(arguments, defaults);
  if (!options) {
    print_usage(defaults);
    return exit_wrong_flags;
  }
  auto report = measure(*options);
  if (!report) {
    fmt::print(stderr, "{}: {}\n", defaults.name, report.error().text);
    return report.error().code == Code::unprocessable ? exit_wrong_answer : exit_failed;
  }
  if (!options->note.empty()) report->note += (report->note.empty() ? "" : "; ") + options->note;
  const std::string hash = commit();
  if (options->json) {
    print_json(defaults, *report, hash);
  } else {
    print_table(defaults, *report);
  }
  if (!report->problem.empty()) {
    fmt::print(stderr, "{}: {}\n", defaults.name, report->problem);
    return exit_wrong_answer;
  }
  if (options->history) append_history(defaults, *report, hash);
  return 0;
}

Result<> import_text(const Options& options, Bed& bed, std::string_view ndjson) {
  const fs::path file = bed.folder.path() / "set-up.ndjson";
  write_text(file, ndjson);
  std::vector<std::string> command{options.binary.string(), "import",      "--data",
                                   bed.data().string(),     file.string(), "--json"};
  if (const auto url = options.value("--store"); !url.empty()) command.insert(command.end(), {"--store", url});
  const Finished finished = run_command(command);
  fs::remove(file);
  if (finished.exit_code == 0) return {};
  return fail(Code::unprocessable, fmt::format("the import of the set-up ended with {}: {}{}", finished.exit_code,
                                               finished.out, finished.err));
}

Result<> start_server(const Options& options, Bed& bed, const std::string& config) {
  const auto url = options.value("--store");
  const auto store = url.empty() ? std::string() : fmt::format("[store]\nurl = \"{}\"\n", url);
  MYDR24_ASSIGN(bed.server, Server::start({.binary = options.binary, .data = bed.data(), .config = store + config}));
  return {};
}

Result<std::string> start_server_with_access(const Options& options, Bed& bed) {
  const auto url = options.value("--store");
  return start_server_with_access(
      options, bed,
      {.data = bed.data(), .config = url.empty() ? std::string() : fmt::format("[store]\nurl = \"{}\"\n", url)});
}

Result<std::string> start_server_with_access(const Options& options, Bed& bed, const AccessBed& access) {
  const auto policy =
      access.policy_file.empty() ? std::string() : fmt::format("policy_file = \"{}\"\n", access.policy_file.string());
  const auto config = fmt::format("{}[access]\nmode = \"on\"\n{}", access.config, policy);
  const auto config_file = bed.folder.path() / "client.toml";
  write_text(config_file, config);
  // A folder that is used again has the client of the run before.
  const auto id = fmt::format("bench-{}", make_uuid7(system_clock().now()));
  const Finished added =
      run_command({options.binary.string(), "client", "add", id, "--proof", "client_secret_post", "--grant",
                   "client_credentials", "--scope", "system/*.cruds", "--role", access.role, "--data",
                   access.data.string(), "--config", config_file.string(), "--json"});
  MYDR24_ASSIGN(const auto client, json::Document::parse_view(added.out));
  const auto secret = client.root()["client_secret"].text();
  if (secret.empty()) return fail(Code::internal, fmt::format("client add: {}{}", added.out, added.err));
  MYDR24_ASSIGN(
      bed.server,
      Server::start(
          {.binary = options.binary, .data = access.data, .config = config, .ready_max = std::chrono::seconds(300)}));
  HttpClient http(bed.server->endpoint());
  const auto form =
      fmt::format("grant_type=client_credentials&client_id={}&client_secret={}&scope=system%2F%2A.cruds", id, secret);
  MYDR24_ASSIGN(const auto reply,
                http.send("POST", "/oauth/token", form, "Content-Type: application/x-www-form-urlencoded\r\n"));
  MYDR24_ASSIGN(const auto answer, json::Document::parse_view(reply.body));
  const auto token = answer.root()["access_token"].text();
  if (token.empty())
    return fail(Code::internal, fmt::format("the token request was answered {}: {}", reply.status, reply.body));
  return fmt::format("Authorization: Bearer {}\r\n", token);
}

Totals measure_flows(const Options& options, Bed& bed, std::vector<std::unique_ptr<Flow>> flows, Report& report,
                     std::string throughput_bar, std::string p99_bar, const std::function<void()>& warmed_up) {
  Generator generator(bed.server->endpoint(), std::move(flows));
  const auto time = [](double seconds) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds));
  };
  Totals warm_up = generator.run(time(std::min(1.0, options.seconds / 5)));
  if (!warm_up.clean()) {
    report.add_totals(warm_up);
    return warm_up;
  }
  if (warmed_up) warmed_up();
  const double cpu = bed.server->cpu_s();
  Totals totals = generator.run(time(options.seconds));
  const double requests = static_cast<double>(std::max<std::uint64_t>(1, totals.answers + totals.failed));
  report.add_totals(totals, std::move(throughput_bar), std::move(p99_bar));
  report.add("cpu_ms_per_request", (bed.server->cpu_s() - cpu) * 1000 / requests);
  report.add("rss_mb", bed.server->rss_max_mb());
  report.add("generator_us_per_request", totals.own_cpu_s * 1e6 / requests);
  return totals;
}

}  // namespace mydr24::load
