#include "app/surge/cell.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "base/core/request_class.h"

namespace mydr24::surge {
namespace {

constexpr std::chrono::milliseconds emergency_timeout{2000};
constexpr std::chrono::milliseconds timeout{1000};
constexpr double foreign_max = 0.15;
constexpr double steal_max = 0.01;
constexpr double stopped_max = 0.004;  // a stop longer than that is the p99, however fast the server is
constexpr double lateness_max_ms = 1;
constexpr double flush_max_ms = 10;  // p99; a quiet disk of this kind: 1 to 3
constexpr int emergency_fifo = 40;
constexpr double calibration_refused = 0.01;
constexpr double calibration_first_per_s = 100;  // of pieces of 1 ms
constexpr double calibration_rate_max = 200'000;
constexpr double calibration_coarse = 1.6;
constexpr double calibration_fine = 1.1;

// Emergencies are written, and looked up by those who answer them.
const std::vector<Share> emergency_mix{{Kind::alarm, 0.8}, {Kind::summary, 0.1}, {Kind::board, 0.1}};
const std::vector<Share> urgent_mix{{Kind::vital, 1}};
// Mostly the piece of work of a known size, so that the capacity is about the same on every day of the project.
const std::vector<Share> routine_mix{
    {Kind::work, 0.9}, {Kind::read, 0.02}, {Kind::search, 0.04}, {Kind::encounter, 0.04}};
const std::vector<Share> background_mix{{Kind::bundle, 0.5}, {Kind::history, 0.5}};

struct ClassShare {
  RequestClass request_class;
  double share;
  const std::vector<Share>& mix;
  std::size_t sources;
};
const std::array<ClassShare, 3> rest_classes{{{RequestClass::urgent, 0.05, urgent_mix, 100},
                                              {RequestClass::routine, 0.90, routine_mix, 1000},
                                              {RequestClass::background, 0.05, background_mix, 50}}};

void sleep_until(std::chrono::nanoseconds at, const Clock& clock) {
  const auto left = at - clock.steady();
  if (left.count() > 0) std::this_thread::sleep_for(left);
}

std::chrono::nanoseconds of_seconds(double seconds) {
  return std::chrono::nanoseconds(static_cast<std::int64_t>(seconds * 1e9));
}

}  // namespace

std::string why_void(const CellResult& cell) {
  if (const LoadResult* emergency = cell.find(to_string(RequestClass::emergency)); emergency != nullptr) {
    const double late = emergency->lateness.quantile_ms(0.999);
    if (late > lateness_max_ms)
      return fmt::format("the emergency generator itself was late: p99.9 {:.2f} ms, at most {} ms", late,
                         lateness_max_ms);
  }
  if (cell.use.foreign > foreign_max)
    return fmt::format("others took {:.0f} % of the server's processor, at most {:.0f} %", cell.use.foreign * 100,
                       foreign_max * 100);
  if (cell.use.steal > steal_max)
    return fmt::format("other machines took {:.1f} % of the server's processor", cell.use.steal * 100);
  if (cell.use.stopped > stopped_max)
    return fmt::format("the server's processor did not run for {:.0f} ms, at most {:.1f} % of the time",
                       cell.use.stopped * cell.use.seconds * 1e3, stopped_max * 100);
  if (const double flush = cell.use.flushes.quantile_ms(0.99); flush > flush_max_ms)
    return fmt::format("the disk itself was late: p99 {:.0f} ms for one page, at most {} ms", flush, flush_max_ms);
  return {};
}

const LoadResult* CellResult::find(std::string_view name) const {
  const auto found = std::ranges::find(classes, name, &LoadResult::name);
  return found == classes.end() ? nullptr : &*found;
}

double CellResult::rest_good_per_s() const {
  double sum = 0;
  for (const LoadResult& result : classes)
    if (result.name != to_string(RequestClass::emergency)) sum += result.good_per_s();
  return sum;
}

double CellResult::good_per_s() const {
  const LoadResult* emergency = find(to_string(RequestClass::emergency));
  return rest_good_per_s() + (emergency == nullptr ? 0 : emergency->good_per_s());
}

double CellResult::counted_per_s() const {
  double sum = good_per_s();
  for (const LoadResult& result : classes)
    if (result.seconds > 0) sum -= static_cast<double>(result.served_of(Kind::read)) / result.seconds;
  return sum;
}

std::uint64_t CellResult::refused() const {
  std::uint64_t sum = 0;
  for (const LoadResult& result : classes)
    if (result.name != to_string(RequestClass::emergency)) sum += result.answers_429 + result.answers_503;
  return sum;
}

std::uint64_t CellResult::unanswered() const {
  std::uint64_t sum = 0;
  for (const LoadResult& result : classes)
    if (result.name != to_string(RequestClass::emergency))
      sum += result.count(Outcome::timeout) + result.count(Outcome::broken);
  return sum;
}

std::uint64_t CellResult::emergency_failed() const {
  const LoadResult* emergency = find(to_string(RequestClass::emergency));
  return emergency == nullptr ? 0 : emergency->offered - emergency->count(Outcome::served);
}

double CellResult::emergency_p99_ms() const {
  const LoadResult* emergency = find(to_string(RequestClass::emergency));
  return emergency == nullptr ? 0 : emergency->all_quantile_ms(0.99);
}

std::vector<LoadSpec> plan_loads(TestBed& bed, const BenchSettings& settings, const Surge& surge) {
  const double seconds = surge.warm_up_s + surge.seconds;
  LoadSpec common{.tls = surge.tls,
                  .connection_per_request = surge.connection_per_request,
                  .retry = surge.retry,
                  .warm_up_s = surge.warm_up_s,
                  .seed = surge.seed,
                  .timeout = timeout,
                  .work_ms = settings.work_ms,
                  .patients = patients,
                  .patient_prefix = std::string(patient_prefix),
                  .headers = bed.authorization(),
                  .keep_times = surge.keep_times};
  std::vector<LoadSpec> specs;
  if (surge.emergency_per_s > 0) {
    LoadSpec& spec = specs.emplace_back(common);
    spec.name = to_string(RequestClass::emergency);
    spec.endpoint = bed.emergency();
    spec.mix = emergency_mix;
    spec.phases = {{seconds, surge.emergency_per_s}};
    spec.timeout = emergency_timeout;
    spec.connection_per_request = false;
    spec.connections = surge.emergency_connections;
    spec.alarm_prefix = std::string(alarm_prefix);
    spec.patients = std::min(patients, alarm_patients);
    spec.fifo = emergency_fifo;
    spec.retry = Retry::none;
  }
  const bool has_rest = std::ranges::any_of(surge.rest, [](const Phase& phase) { return phase.per_second > 0; });
  if (!has_rest) return specs;
  for (const ClassShare& part : rest_classes) {
    LoadSpec& spec = specs.emplace_back(common);
    spec.name = to_string(part.request_class);
    spec.endpoint = bed.general();
    spec.mix = part.mix;
    for (const Phase& phase : surge.rest) spec.phases.push_back({phase.seconds, phase.per_second * part.share});
    spec.connections =
        std::max<std::size_t>(8, static_cast<std::size_t>(static_cast<double>(surge.connections) * part.share + 0.5));
    spec.sources = part.sources;
    spec.seed = surge.seed * 8 + static_cast<std::uint64_t>(part.request_class);
  }
  return specs;
}

Result<CellResult> run_specs(TestBed& bed, const BenchSettings& settings, const std::vector<LoadSpec>& specs,
                             double warm_up_s, double seconds, const Clock& clock,
                             const std::function<void()>& during) {
  MYDR24_ASSIGN(Crew crew, Crew::gather(settings.binary, settings.generator_cpu, specs, clock));
  const auto begin = crew.begin();
  CellResult cell;
  sleep_until(begin + of_seconds(warm_up_s), clock);
  const MachineSample before = sample_machine(bed.server().pid(), settings.server_cpu, clock);
  DiskWitness disk(bed.folder());
  ProcessorWitness processor(settings.server_cpu);
  if (during) during();
  sleep_until(begin + of_seconds(warm_up_s + seconds), clock);
  cell.use = between(before, sample_machine(bed.server().pid(), settings.server_cpu, clock));
  cell.use.flushes = disk.stop();
  cell.use.stopped = std::chrono::duration<double>(processor.stop()).count() / cell.use.seconds;
  MYDR24_ASSIGN(cell.classes, crew.collect());
  cell.seconds = seconds;
  cell.rss_mb = bed.server().rss_max_mb();
  if (!bed.server().running()) return fail(Code::internal, "the server ended: " + bed.server().log());
  cell.void_because = why_void(cell);
  return cell;
}

Result<CellResult> run_load(TestBed& bed, const BenchSettings& settings, const Surge& surge, const Clock& clock,
                            const std::function<void()>& during) {
  return run_specs(bed, settings, plan_loads(bed, settings, surge), surge.warm_up_s, surge.seconds, clock, during);
}

void add_repetition(CellResult& to, const CellResult& from) {
  for (LoadResult& result : to.classes)
    if (const LoadResult* other = from.find(result.name); other != nullptr) result.add(*other);
  const double both = to.use.seconds + from.use.seconds;
  to.use.foreign = (to.use.foreign * to.use.seconds + from.use.foreign * from.use.seconds) / both;
  to.use.steal = (to.use.steal * to.use.seconds + from.use.steal * from.use.seconds) / both;
  to.use.stopped = (to.use.stopped * to.use.seconds + from.use.stopped * from.use.seconds) / both;
  to.use.seconds = both;
  to.use.server_s += from.use.server_s;
  for (const auto& [name, seconds] : from.use.threads_s) to.use.threads_s[name] += seconds;
  to.use.flushes.add(from.use.flushes);
  to.seconds += from.seconds;
  to.rss_mb = std::max(to.rss_mb, from.rss_mb);
  if (to.void_because.empty()) to.void_because = from.void_because;
}

Result<Capacity> calibrate(const Stage& stage, const BenchSettings& settings, Mode mode, const Clock& clock) {
  const BedOptions options{.mode = mode, .cpu = settings.server_cpu};
  MYDR24_ASSIGN(auto bed, TestBed::start(stage, options));
  const double seconds = std::clamp(settings.seconds / 3, 1.0, 3.0);
  Surge surge{.emergency_per_s = settings.emergency_per_s, .warm_up_s = 0.5, .seconds = seconds};
  surge.connections = 500;
  Capacity found;
  const double first = calibration_first_per_s / settings.work_ms;
  double rate = first;
  bool coarse = true;
  while (rate < calibration_rate_max) {
    surge.rest = {{surge.warm_up_s + seconds, rate}};
    MYDR24_ASSIGN(const CellResult cell, run_load(*bed, settings, surge, clock));
    const LoadResult* routine = cell.find(to_string(RequestClass::routine));
    const double p99 = routine->all_quantile_ms(0.99);
    const double refused = static_cast<double>(cell.refused()) / std::max(1.0, rate * seconds);
    settings.say(fmt::format("calibrating: {:.0f}/s offered, {:.0f}/s served, p99 {:.1f} ms, {:.1f} % refused", rate,
                             cell.rest_good_per_s(), p99, refused * 100));
    if (cell.rest_good_per_s() < 1)
      return fail(Code::unprocessable, "the server serves nothing: " + routine->first_problem);
    const bool fine = p99 >= 0 && p99 <= settings.capacity_p99_ms && refused <= calibration_refused;
    if (fine) found = {cell.rest_good_per_s(), cell.counted_per_s()};
    if (!fine && !coarse) break;
    if (!fine) {
      coarse = false;
      // One that was overloaded goes on leaving things out for a while.
      bed.reset();
      MYDR24_ASSIGN(bed, TestBed::start(stage, options));
      rate /= calibration_coarse;
    }
    rate *= coarse ? calibration_coarse : calibration_fine;
  }
  if (found.rest_per_s == 0)
    return fail(Code::busy, fmt::format("the server does not carry {:.0f} requests a second", first));
  return found;
}

}  // namespace mydr24::surge
