#include <fmt/format.h>

#include <fstream>
#include <iostream>
#include <iterator>

#include "app/cli/commands.h"
#include "clinical/vitals/csv.h"

namespace mydr24::cli {

namespace {

constexpr std::size_t file_bytes_max = 256U << 20;

Result<std::string> read_all(const std::string& file) {
  std::string text;
  std::ifstream opened;
  if (file != "-") {
    opened.open(file, std::ios::binary);
    if (!opened) return fail(Code::not_found, "cannot be opened", file);
  }
  std::istream& in = file == "-" ? std::cin : opened;
  std::array<char, 65536> piece;
  while (in.read(piece.data(), piece.size()) || in.gcount() > 0) {
    text.append(piece.data(), static_cast<std::size_t>(in.gcount()));
    if (text.size() > file_bytes_max) return fail(Code::too_large, "is larger than 256 MiB", file);
  }
  return text;
}

std::string_view colour_of(vitals::Band band) {
  return band == vitals::Band::high ? "red" : band == vitals::Band::low ? "green" : "yellow";
}

}  // namespace

int run_vitals_score(const std::string& file, const Terminal& terminal) {
  const auto text = read_all(file);
  if (!text) return terminal.fail(text.error());
  const auto rows = vitals::score_csv(*text);
  if (!rows) {
    Error error = rows.error();
    error.where = error.where.empty() ? file : fmt::format("{}: {}", file, error.where);
    return terminal.fail(error);
  }
  if (!terminal.json) terminal.out << fmt::format("{:>8}  {:>5}  {}\n", "line", "NEWS2", "band");
  std::string line;
  for (const vitals::ScoredRow& row : *rows) {
    line.clear();
    const vitals::Score& score = row.score;
    if (terminal.json) {
      // One flat object a row: the score's own members after the line they were read from.
      line = fmt::format("{{\"line\":{},{}", row.line, std::string_view(vitals::to_json(score)).substr(1));
    } else {
      const std::string total = score.total ? std::to_string(*score.total) : fmt::format(">={}", score.partial);
      const std::string band = terminal.paint(colour_of(score.band), vitals::to_string(score.band), true);
      line =
          fmt::format("{:>8}  {:>5}  {}{}", row.line, total, band, score.total ? "" : " at least (signs are missing)");
    }
    terminal.out << line << '\n';
  }
  return static_cast<int>(Exit::ok);
}

}  // namespace mydr24::cli
