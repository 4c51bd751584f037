#include "app/surge/load_result.h"

#include <charconv>
#include <cmath>

#include "base/json/document.h"
#include "base/json/writer.h"

namespace mydr24::surge {
namespace {

constexpr std::array<std::string_view, outcome_count> outcome_names{"served", "refused", "wrong", "timeout", "broken"};

void write_histogram(json::Writer& writer, std::string_view name, const load::Histogram& histogram) {
  writer.key(name).begin_array();
  histogram.each_cell([&](std::size_t cell, std::uint64_t count) {
    writer.number(static_cast<std::int64_t>(cell)).number(static_cast<std::int64_t>(count));
  });
  writer.end_array();
}

void write_numbers(json::Writer& writer, std::string_view name, const std::vector<std::uint64_t>& numbers) {
  writer.key(name).begin_array();
  for (const std::uint64_t number : numbers) writer.number(static_cast<std::int64_t>(number));
  writer.end_array();
}

// 0 for what is no number: the text comes from our own process.
template <class T>
T number(json::Value value) {
  T out{};
  const std::string_view text = value.text();
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

void read_histogram(json::Value value, load::Histogram& histogram) {
  std::size_t cell = 0;
  bool is_count = false;
  for (const json::Value entry : value) {
    if (is_count) {
      histogram.put(cell, number<std::uint64_t>(entry));
    } else {
      cell = number<std::size_t>(entry);
    }
    is_count = !is_count;
  }
}

void add_by_second(std::vector<std::uint64_t>& to, const std::vector<std::uint64_t>& from) {
  if (to.size() < from.size()) to.resize(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) to[i] += from[i];
}

}  // namespace

std::string_view to_string(Outcome outcome) { return outcome_names[static_cast<std::size_t>(outcome)]; }

double LoadResult::all_quantile_ms(double share) const {
  if (offered == 0) return 0;
  const double rank = std::ceil(share * static_cast<double>(offered));
  if (rank > static_cast<double>(served.count())) return -1;
  return served.quantile_ms(rank / static_cast<double>(served.count()));
}

void LoadResult::add(const LoadResult& other) {
  offered += other.offered;
  for (std::size_t i = 0; i < outcomes.size(); ++i) outcomes[i] += other.outcomes[i];
  for (std::size_t i = 0; i < served_by_kind.size(); ++i) served_by_kind[i] += other.served_by_kind[i];
  attempts += other.attempts;
  answers_429 += other.answers_429;
  answers_503 += other.answers_503;
  served.add(other.served);
  refused.add(other.refused);
  lateness.add(other.lateness);
  add_by_second(due_s, other.due_s);
  add_by_second(good_s, other.good_s);
  heavy_offered += other.heavy_offered;
  heavy_served += other.heavy_served;
  light_offered += other.light_offered;
  light_served += other.light_served;
  seconds += other.seconds;
  cpu_s += other.cpu_s;
  if (first_problem.empty()) first_problem = other.first_problem;
  times.insert(times.end(), other.times.begin(), other.times.end());
}

std::string to_json(const LoadResult& result) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("name", result.name).field("offered", result.offered);
  for (std::size_t i = 0; i < outcome_count; ++i) writer.field(outcome_names[i], result.outcomes[i]);
  writer.field("attempts", result.attempts).field("answers_429", result.answers_429);
  writer.field("answers_503", result.answers_503);
  write_histogram(writer, "served_cells", result.served);
  write_histogram(writer, "refused_cells", result.refused);
  write_histogram(writer, "lateness_cells", result.lateness);
  writer.key("served_by_kind").begin_array();
  for (const std::uint64_t count : result.served_by_kind) writer.number(static_cast<std::int64_t>(count));
  writer.end_array();
  write_numbers(writer, "due_s", result.due_s);
  write_numbers(writer, "good_s", result.good_s);
  writer.field("heavy_offered", result.heavy_offered).field("heavy_served", result.heavy_served);
  writer.field("light_offered", result.light_offered).field("light_served", result.light_served);
  writer.field("seconds", result.seconds).field("cpu_s", result.cpu_s);
  writer.field("first_problem", result.first_problem).key("times").begin_array();
  for (const auto& [patient, due] : result.times) writer.string(patient).number(due);
  writer.end_array().end_object();
  return out;
}

Result<LoadResult> parse_load_result(std::string_view json) {
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(json));
  const json::Value root = document.root();
  if (!root["offered"].is_number()) return fail(Code::invalid, "the generator's result is none: " + std::string(json));
  LoadResult result;
  result.name = root["name"].text();
  result.offered = number<std::uint64_t>(root["offered"]);
  for (std::size_t i = 0; i < outcome_count; ++i) result.outcomes[i] = number<std::uint64_t>(root[outcome_names[i]]);
  result.attempts = number<std::uint64_t>(root["attempts"]);
  result.answers_429 = number<std::uint64_t>(root["answers_429"]);
  result.answers_503 = number<std::uint64_t>(root["answers_503"]);
  read_histogram(root["served_cells"], result.served);
  read_histogram(root["refused_cells"], result.refused);
  read_histogram(root["lateness_cells"], result.lateness);
  std::size_t kind = 0;
  for (const json::Value entry : root["served_by_kind"])
    if (kind < kind_count) result.served_by_kind[kind++] = number<std::uint64_t>(entry);
  for (const json::Value entry : root["due_s"]) result.due_s.push_back(number<std::uint64_t>(entry));
  for (const json::Value entry : root["good_s"]) result.good_s.push_back(number<std::uint64_t>(entry));
  result.heavy_offered = number<std::uint64_t>(root["heavy_offered"]);
  result.heavy_served = number<std::uint64_t>(root["heavy_served"]);
  result.light_offered = number<std::uint64_t>(root["light_offered"]);
  result.light_served = number<std::uint64_t>(root["light_served"]);
  result.seconds = number<double>(root["seconds"]);
  result.cpu_s = number<double>(root["cpu_s"]);
  result.first_problem = root["first_problem"].text();
  std::string patient;
  for (const json::Value entry : root["times"]) {
    if (entry.is_string()) {
      patient = entry.text();
    } else {
      result.times.emplace_back(patient, number<std::int64_t>(entry));
    }
  }
  return result;
}

}  // namespace mydr24::surge
