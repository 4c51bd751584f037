// What is asked of each cell: the bars of the project, in one place.

#include <fmt/format.h>

#include "app/surge/bench.h"
#include "base/core/request_class.h"

namespace mydr24::surge {
namespace {

constexpr double ratio_max_privileged = 1.5;
constexpr double ratio_max = 2.5;
constexpr double refusal_us_max = 12;
constexpr double refusals_per_s_judged = 20'000;  // below that a refusal's cost is not what it costs under pressure
constexpr double recovery_s_max = 5;
constexpr double flood_served_min = 0.8;
constexpr double flood_refused_ms_max = 10;
constexpr double import_p99_ms_max = 60;
constexpr double idle_bytes_max = 1536;
constexpr double idle_tls_bytes_max = 16'384;
constexpr double storm_p99_ms_max = 250;
constexpr double storm_rss_mb_max = 300;

constexpr std::string_view general_io_threads = "io";  // threads of the general listener, without their numbers

struct GoodputBar {
  std::string_view cell;
  double share;
};
constexpr std::array<GoodputBar, 2> goodput_bars{{{"10x", 0.75}, {"100x", 0.20}}};

class Judge {
 public:
  explicit Judge(const CellResult& cell) : cell_(cell) {}

  void at_most(std::string_view figure, double value, double bar) {
    // -1 stands for infinity: more than that share was never served.
    if (value < 0 || value > bar) miss(fmt::format("{} {:.2f}, at most {}", figure, value, bar));
  }
  void at_least(std::string_view figure, double value, double bar) {
    if (value < bar) miss(fmt::format("{} {:.2f}, at least {}", figure, value, bar));
  }
  void figure_at_most(const std::string& name, double bar) {
    if (const auto found = cell_.figures.find(name); found != cell_.figures.end()) at_most(name, found->second, bar);
  }
  void figure_at_least(const std::string& name, double bar) {
    if (const auto found = cell_.figures.find(name); found != cell_.figures.end()) at_least(name, found->second, bar);
  }
  void miss(std::string what) { missed_.push_back(std::move(what)); }
  std::vector<std::string> missed() { return std::move(missed_); }

 private:
  const CellResult& cell_;
  std::vector<std::string> missed_;
};

}  // namespace

double refusal_cpu_us(const CellResult& cell) {
  const auto io = cell.use.threads_s.find(std::string(general_io_threads));
  if (cell.refused() == 0 || io == cell.use.threads_s.end()) return 0;
  // Measuring takes as long as the profile after its warm-up, and refusals are counted over the same time.
  return io->second * 1e6 / static_cast<double>(cell.refused());
}

std::vector<std::string> missed_bars(const CellResult& cell, const CellResult* unloaded, const Capacity& capacity) {
  Judge judge(cell);
  const bool floods = cell.figures.contains("flood_served");
  if (!floods && cell.emergency_failed() > 0)
    judge.miss(fmt::format("{} emergencies were not served: {}", cell.emergency_failed(),
                           cell.find(to_string(RequestClass::emergency))->first_problem));
  if (unloaded != nullptr && unloaded != &cell && !floods) {
    const double base = unloaded->emergency_p99_ms();
    const bool privileged = cell.mode == Mode::full && may_raise_priority();
    const double ratio = cell.emergency_p99_ms() < 0 ? -1 : cell.emergency_p99_ms() / std::max(0.001, base);
    if (cell.multiple > 0)
      judge.at_most("emergency p99 over unloaded", ratio, privileged ? ratio_max_privileged : ratio_max);
  }
  for (const GoodputBar& bar : goodput_bars)
    if (cell.cell == bar.cell && capacity.counted_per_s > 0)
      judge.at_least("goodput of peak", cell.counted_per_s() / capacity.counted_per_s, bar.share);
  if (cell.multiple > 0 && cell.unanswered() > 0)
    judge.miss(fmt::format("{} requests got no answer", cell.unanswered()));
  if (cell.multiple > 0 && static_cast<double>(cell.refused()) / cell.seconds > refusals_per_s_judged)
    judge.at_most("CPU of a refusal (us)", refusal_cpu_us(cell), refusal_us_max);
  judge.figure_at_most("recovery_s", recovery_s_max);
  judge.figure_at_least("flood_served", flood_served_min);
  judge.figure_at_most("flood_refused_p99_ms", flood_refused_ms_max);
  judge.figure_at_most("import_emergency_p99_ms", import_p99_ms_max);
  judge.figure_at_most("idle_bytes", idle_bytes_max);
  judge.figure_at_most("idle_tls_bytes", idle_tls_bytes_max);
  judge.figure_at_most("storm_webhook_p99_ms", storm_p99_ms_max);
  judge.figure_at_most("storm_undelivered", 0);
  judge.figure_at_most("storm_alerts_missing", 0);
  judge.figure_at_most("storm_rss_mb", storm_rss_mb_max);
  return judge.missed();
}

}  // namespace mydr24::surge
