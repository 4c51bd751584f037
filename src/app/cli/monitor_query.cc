// mydr24 monitor query: PromQL asked of a running server.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ostream>

#include "app/cli/commands.h"
#include "app/cli/desk_client.h"
#include "base/net/uri.h"
#include "operations/series/syntax.h"

namespace mydr24::cli {
namespace {

constexpr std::size_t curve_width = 60;

Result<std::string> target_of(const MonitorQueryOptions& options, const Clock& clock) {
  const std::string query = net::percent_encode(options.expression);
  if (options.range.empty()) return "/api/v1/query?query=" + query;
  const auto range = series::parse_duration(options.range);
  if (!range || *range == 0) return fail(Code::invalid, "is no duration: 1h, 7d", "--range");
  auto step = series::parse_duration(options.step);
  if (!options.step.empty() && (!step || *step == 0)) return fail(Code::invalid, "is no duration: 15s, 1m", "--step");
  if (!step) step = std::max<series::Milliseconds>(1'000, *range / 100);
  const auto now = to_us(clock.now()) / 1'000;
  return fmt::format("/api/v1/query_range?query={}&start={:.3f}&end={:.3f}&step={:.3f}", query,
                     static_cast<double>(now - *range) / 1'000, static_cast<double>(now) / 1'000,
                     static_cast<double>(*step) / 1'000);
}

std::string name_of(json::Value metric) {
  std::string name;
  std::vector<routing::Label> labels;
  for (const auto label : metric) {
    if (label.key() == series::name_label)
      name = label.text();
    else
      labels.emplace_back(label.key(), label.text());
  }
  return labels.empty() && !name.empty() ? name : name + routing::to_text(routing::Labels(std::move(labels)));
}

double number_of(json::Value sample) { return std::strtod(std::string(sample.at(1).text()).c_str(), nullptr); }

// A line of blocks from the least to the greatest.
std::string curve(const std::vector<double>& values, double least, double greatest) {
  constexpr std::array<std::string_view, 8> blocks{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  std::string out;
  const std::size_t width = std::min(curve_width, values.size());
  for (std::size_t i = 0; i < width; ++i) {
    const double value = values[i * values.size() / width];
    const double part = greatest > least ? (value - least) / (greatest - least) : 0;
    out += std::isfinite(part) ? blocks[static_cast<std::size_t>(std::clamp(part, 0.0, 1.0) * 7)] : " ";
  }
  return out;
}

void print_range(std::ostream& out, json::Value each) {
  std::vector<double> values;
  for (const auto sample : each["values"]) values.push_back(number_of(sample));
  if (values.empty()) return;
  const auto [least, greatest] = std::ranges::minmax(values);
  out << fmt::format("{}  {}  least {:.6g}  greatest {:.6g}  last {:.6g}\n", curve(values, least, greatest),
                     name_of(each["metric"]), least, greatest, values.back());
}

}  // namespace

int run_monitor_query(const MonitorQueryOptions& options, const Terminal& terminal) {
  const auto target = target_of(options, terminal.clock);
  if (!target) return terminal.fail(target.error());
  const auto answer = call_desk(options.server, net::Method::get, *target);
  if (!answer) {
    const bool unreachable = answer.error().code == Code::busy;
    return unreachable ? terminal.fail(Exit::unreachable, answer.error()) : terminal.fail(answer.error());
  }
  const json::Value data = answer->root()["data"];
  if (terminal.json) {
    terminal.out << data.raw() << '\n';
    return static_cast<int>(Exit::ok);
  }
  const auto result = data["result"];
  if (data["resultType"].text() == "scalar" || data["resultType"].text() == "string") {
    terminal.out << result.at(1).text() << '\n';
    return static_cast<int>(Exit::ok);
  }
  for (const auto each : result) {
    if (each["values"].exists())
      print_range(terminal.out, each);
    else
      terminal.out << fmt::format("{}  {}\n", each["value"].at(1).text(), name_of(each["metric"]));
  }
  return static_cast<int>(Exit::ok);
}

}  // namespace mydr24::cli
