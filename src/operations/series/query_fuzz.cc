// PromQL from outside: parsed and, where it is right, evaluated within small limits.

#include "operations/series/evaluate.h"

namespace {

using namespace mydr24;

constexpr series::Milliseconds start = 1'790'000'000'000;

struct Fixture {
  Fixture() {
    for (int i = 0; i < 20; ++i) {
      for (const char* name : {"up", "load"}) {
        const auto made = database.series(series::Labels({{"__name__", name}, {"job", i % 2 == 0 ? "a" : "b"}}));
        database.append(**made, start + i * 10'000, i);
      }
    }
  }
  ManualClock clock{from_us((start + 200'000) * 1000)};
  series::Database database{clock, {}};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  static const Fixture fixture;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)series::parse_selector(text);
  const series::EvaluationLimits limits{.series_max = 10, .samples_max = 1'000, .steps_max = 20, .points_max = 1'000};
  (void)series::evaluate(fixture.database, text, start + 100'000, limits, fixture.clock);
  (void)series::evaluate(fixture.database, text, {start, start + 200'000, 20'000}, limits, fixture.clock);
  return 0;
}
