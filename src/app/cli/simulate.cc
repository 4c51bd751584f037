#include <fmt/format.h>

#include <ostream>

#include "app/cli/commands.h"
#include "app/cli/course.h"
#include "app/cli/interrupts.h"
#include "base/json/writer.h"

namespace mydr24::cli {

namespace {

constexpr std::chrono::minutes file_time_default{10};

struct Plan {
  HospitalSettings hospital;
  CourseSettings course;
};

Result<Plan> plan_of(const SimulateOptions& options) {
  if (options.server.empty() == options.out.empty()) {
    return fail(Code::invalid, "say where to: --server URL or --out FOLDER");
  }
  Plan plan;
  plan.hospital.seed = options.seed;
  plan.hospital.patients = options.patients;
  plan.hospital.beds_per_ward = options.beds_per_ward;
  plan.hospital.deteriorating = options.deteriorating;
  MYDR24_ASSIGN(plan.course.interval, parse_duration(options.interval));
  if (!options.time.empty()) {
    MYDR24_ASSIGN(plan.course.time, parse_duration(options.time));
  }
  plan.course.speed = options.speed;
  plan.course.paced = options.out.empty();
  if (!plan.course.paced && plan.course.time.count() == 0) plan.course.time = file_time_default;
  return plan;
}

void say_summary(const CourseCounts& counts, std::chrono::duration<double> time, const Terminal& terminal) {
  const double rate = time.count() > 0 ? static_cast<double>(counts.resources) / time.count() : 0;
  if (terminal.json) {
    std::string text;
    json::Writer writer(text);
    writer.begin_object().field("schema", "mydr24.simulate.v1").field("resources", counts.resources);
    writer.field("observations", counts.observations).field("rounds", counts.rounds);
    writer.field("late_rounds", counts.late_rounds);
    writer.field("time_ms", static_cast<std::int64_t>(time.count() * 1000));
    writer.end_object();
    terminal.out << text << '\n';
  } else {
    terminal.err << fmt::format("{} resources written ({} observations in {} rounds) in {:.1f} s, {}/s\n",
                                grouped(counts.resources), grouped(counts.observations), grouped(counts.rounds),
                                time.count(), grouped(static_cast<std::int64_t>(rate)));
    if (counts.late_rounds > 0) {
      terminal.err << fmt::format("{} rounds began late: the other side takes less than was asked for\n",
                                  counts.late_rounds);
    }
  }
}

}  // namespace

int run_simulate(const SimulateOptions& options, const Terminal& terminal) {
  const auto plan = plan_of(options);
  if (!plan) return terminal.fail(Exit::usage, plan.error());
  Interrupts interrupts;
  auto sink = options.server.empty() ? sink_to_files(options.out) : sink_to_server(options.server);
  if (!sink) return terminal.fail(sink.error());

  // Files tell of the time that has passed, a server of the time that comes.
  const Instant now = terminal.clock.now();
  const Instant start = plan->course.paced ? now : now - plan->course.time;
  Hospital hospital(plan->hospital, start);
  CourseCounts counts;
  const auto began = terminal.clock.steady();
  auto result = admit_all(hospital, **sink, counts);
  if (result) {
    terminal.err << fmt::format("{} simulated patients admitted; no real patients\n", grouped(options.patients));
    result = run_course(
        hospital, **sink, plan->course, terminal.clock, start,
        [&](std::chrono::milliseconds time) { return interrupts.wait_for(time); }, counts);
  }
  say_summary(counts, terminal.clock.steady() - began, terminal);
  if (!result) {
    const bool unreachable = !options.server.empty() && result.error().code == Code::busy;
    return terminal.fail(unreachable ? Exit::unreachable : exit_of(result.error().code), result.error());
  }
  return static_cast<int>(interrupts.asked() ? Exit::interrupted : Exit::ok);
}

}  // namespace mydr24::cli
