#include "clinical/vitals/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>
#include <string>

namespace mydr24::vitals {
namespace {

constexpr std::array<std::string_view, 8> column_names{"rr",  "spo2",  "scale", "oxygen",
                                                       "sbp", "pulse", "acvpu", "temp"};
enum Column : std::size_t { rr, spo2, scale, oxygen, sbp, pulse, acvpu, temp };
constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

std::string trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  const auto end = text.find_last_not_of(" \t\r");
  return std::string(text.substr(begin, end - begin + 1));
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

// Takes one record (a quoted field may hold line ends) off the front of `rest`; `lines` counts the line ends taken.
std::vector<std::string> take_record(std::string_view& rest, std::size_t& lines) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  std::size_t at = 0;
  for (; at < rest.size(); ++at) {
    const char c = rest[at];
    if (c == '\n') ++lines;
    if (quoted) {
      if (c != '"')
        fields.back() += c;
      else if (at + 1 < rest.size() && rest[at + 1] == '"')
        fields.back() += rest[++at];
      else
        quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == ',') {
      fields.emplace_back();
    } else if (c == '\n') {
      ++at;
      break;
    } else {
      fields.back() += c;
    }
  }
  rest.remove_prefix(at);
  for (std::string& field : fields) field = trimmed(field);
  return fields;
}

std::optional<double> number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool set_oxygen(Inputs& inputs, const std::string& word) {
  for (const std::string_view yes : {"true", "yes", "1", "oxygen", "o2"})
    if (word == yes) inputs.oxygen = true;
  for (const std::string_view no : {"false", "no", "0", "air"})
    if (word == no) inputs.oxygen = false;
  return inputs.oxygen.has_value();
}

bool set_consciousness(Inputs& inputs, const std::string& word) {
  constexpr std::string_view letters = "acvpu";
  if (word.size() != 1 || !letters.contains(word[0])) return false;
  inputs.consciousness = static_cast<Consciousness>(letters.find(word[0]));
  return true;
}

bool set_number(std::optional<double>& field, std::string_view text) {
  field = number(text);
  return field.has_value();
}

bool set_cell(Inputs& inputs, std::size_t column, const std::string& text) {
  switch (column) {
    case rr:
      return set_number(inputs.respiration, text);
    case spo2:
      return set_number(inputs.spo2, text);
    case sbp:
      return set_number(inputs.systolic, text);
    case pulse:
      return set_number(inputs.pulse, text);
    case temp:
      return set_number(inputs.temperature, text);
    case oxygen:
      return set_oxygen(inputs, lower(text));
    case acvpu:
      return set_consciousness(inputs, lower(text));
    case scale:
      inputs.spo2_scale = text == "2" ? 2 : 1;
      return text == "1" || text == "2";
    default:
      return false;
  }
}

Result<std::vector<std::size_t>> read_header(const std::vector<std::string>& fields) {
  std::vector<std::size_t> columns;
  for (const std::string& field : fields) {
    const auto name = std::ranges::find(column_names, lower(field));
    if (name == column_names.end())
      return fail(Code::invalid,
                  fmt::format("unknown column \"{}\"; known are {}", field, fmt::join(column_names, ", ")), "header");
    const auto column = static_cast<std::size_t>(name - column_names.begin());
    if (std::ranges::find(columns, column) != columns.end())
      return fail(Code::invalid, fmt::format("column \"{}\" is there twice", field), "header");
    columns.push_back(column);
  }
  return columns;
}

bool is_blank(const std::vector<std::string>& fields) { return fields.size() == 1 && fields[0].empty(); }

}  // namespace

Result<std::vector<ScoredRow>> score_csv(std::string_view text) {
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  std::size_t lines = 0;
  const std::vector<std::string> header = take_record(text, lines);
  if (is_blank(header)) return fail(Code::invalid, "no header row: the first line must name the columns", "header");
  MYDR24_ASSIGN(const std::vector<std::size_t> columns, read_header(header));

  std::vector<ScoredRow> rows;
  while (!text.empty()) {
    ScoredRow row;
    row.line = lines + 1;
    const std::vector<std::string> fields = take_record(text, lines);
    if (is_blank(fields)) continue;
    if (fields.size() != columns.size())
      return fail(Code::invalid,
                  fmt::format("line {} has {} cells, the header has {}", row.line, fields.size(), columns.size()),
                  fmt::format("line {}", row.line));
    for (std::size_t i = 0; i < fields.size(); ++i)
      if (!fields[i].empty() && !set_cell(row.inputs, columns[i], fields[i]))
        return fail(
            Code::invalid,
            fmt::format("line {}, column {}: cannot read \"{}\"", row.line, column_names[columns[i]], fields[i]),
            fmt::format("line {}, column {}", row.line, column_names[columns[i]]));
    if (rows.size() == csv_rows_max)
      return fail(Code::too_large, fmt::format("more than {} rows", csv_rows_max), fmt::format("line {}", row.line));
    row.score = news2(row.inputs);
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace mydr24::vitals
