#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <ostream>

#include "app/cli/commands.h"
#include "app/surge/scenario.h"
#include "base/json/writer.h"

namespace mydr24::cli {

namespace {

constexpr std::string_view game_day = "game-day";
constexpr std::chrono::minutes time_default{1};
constexpr std::chrono::hours time_max{1};

Result<load::Endpoint> endpoint_of(const std::string& server, bool remote, const std::string& where) {
  auto endpoint = load::parse_endpoint(server);
  if (!endpoint) return fail(Code::invalid, endpoint.error().text, where);
  if (!remote && !endpoint->host.starts_with("127."))
    return fail(Code::invalid,
                fmt::format("{} is another machine: this is a flood of requests; add --remote if it is meant", server),
                where);
  return endpoint;
}

Result<surge::ScenarioSettings> settings_of(const SimulateOptions& options, const surge::Scenario& scenario) {
  surge::ScenarioSettings settings;
  if (options.server.empty()) return fail(Code::invalid, "say which server: --server URL", "--server");
  MYDR24_ASSIGN(settings.server, endpoint_of(options.server, options.remote, "--server"));
  settings.emergency = settings.server;
  if (!options.emergency_server.empty()) {
    MYDR24_ASSIGN(settings.emergency, endpoint_of(options.emergency_server, options.remote, "--emergency-server"));
  }
  std::chrono::milliseconds time = time_default;
  if (!options.time.empty()) {
    MYDR24_ASSIGN(time, parse_duration(options.time));
  }
  if (time.count() <= 0 || time > time_max) return fail(Code::invalid, "lasts at most an hour", "--for");
  settings.binary = std::filesystem::read_symlink("/proc/self/exe");
  settings.seconds = std::chrono::duration<double>(time).count();
  settings.multiplier = options.multiplier > 0 ? options.multiplier : scenario.multiplier;
  settings.normal_per_s = options.rate;
  settings.patients = static_cast<std::size_t>(options.patients);
  settings.seed = options.seed;
  return settings;
}

void say_results(const surge::Scenario& scenario, const surge::ScenarioSettings& settings,
                 const std::vector<surge::LoadResult>& results, const Terminal& terminal) {
  if (terminal.json) {
    std::string text;
    json::Writer writer(text);
    writer.begin_object().field("schema", "mydr24.simulate.scenario.v1").field("scenario", scenario.name);
    writer.field("multiplier", settings.multiplier).field("seconds", settings.seconds).key("classes").begin_array();
    for (const surge::LoadResult& result : results) {
      writer.begin_object().field("class", result.name).field("offered", result.offered);
      for (std::size_t i = 0; i < surge::outcome_count; ++i)
        writer.field(surge::to_string(static_cast<surge::Outcome>(i)), result.outcomes[i]);
      writer.field("p50_ms", result.served.quantile_ms(0.5)).field("p99_ms", result.served.quantile_ms(0.99));
      writer.end_object();
    }
    writer.end_array().end_object();
    terminal.out << text << '\n';
    return;
  }
  terminal.out << fmt::format("{} at {:g}x for {:g} s: {}\n{:<12} {:>9} {:>9} {:>9} {:>7} {:>9} {:>8} {:>8}\n",
                              scenario.name, settings.multiplier, settings.seconds, scenario.about, "class", "offered",
                              "served", "refused", "wrong", "no answer", "p50 ms", "p99 ms");
  for (const surge::LoadResult& result : results) {
    using surge::Outcome;
    terminal.out << fmt::format("{:<12} {:>9} {:>9} {:>9} {:>7} {:>9} {:>8.1f} {:>8.1f}\n", result.name, result.offered,
                                result.count(Outcome::served), result.count(Outcome::refused),
                                result.count(Outcome::wrong),
                                result.count(Outcome::timeout) + result.count(Outcome::broken),
                                result.served.quantile_ms(0.5), result.served.quantile_ms(0.99));
  }
}

}  // namespace

int run_simulate_scenario(const SimulateOptions& options, const Terminal& terminal) {
  if (options.scenario == game_day) return run_game_day(options, terminal);
  const surge::Scenario* scenario = surge::find_scenario(options.scenario);
  if (scenario == nullptr) {
    std::vector<std::string_view> names;
    for (const surge::Scenario& known : surge::scenarios()) names.push_back(known.name);
    names.push_back(game_day);
    return terminal.fail(Exit::usage, fail(Code::invalid,
                                           fmt::format("there is no scenario \"{}\"; there are {}", options.scenario,
                                                       fmt::join(names, ", ")),
                                           "--scenario"));
  }
  const auto settings = settings_of(options, *scenario);
  if (!settings) return terminal.fail(Exit::usage, settings.error());
  const auto results = surge::run_scenario(*scenario, *settings, terminal.clock);
  if (!results)
    return terminal.fail(results.error().code == Code::busy ? Exit::unreachable : exit_of(results.error().code),
                         results.error());
  say_results(*scenario, *settings, *results, terminal);
  return static_cast<int>(Exit::ok);
}

}  // namespace mydr24::cli
