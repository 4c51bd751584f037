#pragma once

// Sets of vital signs as comma-separated values, for `mydr24 vitals score`. A header row names the columns,
// in any order: rr, spo2, scale (1 or 2), oxygen (true/false, yes/no, 1/0, oxygen/air), sbp, pulse, acvpu (A,
// C, V, P or U), temp (Cel). Columns may be left out, cells may be empty: the sign is missing (scale: 1).
// Fields may be quoted (RFC 4180).

#include <cstddef>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "clinical/vitals/news2.h"

namespace mydr24::vitals {

struct ScoredRow {
  std::size_t line = 0;  // in the file, from 1
  Inputs inputs;
  Score score;
};

inline constexpr std::size_t csv_rows_max = 1'000'000;

// Code::invalid names the column, or the line and the column of a cell that cannot be read; Code::too_large
// beyond csv_rows_max.
Result<std::vector<ScoredRow>> score_csv(std::string_view text);

}  // namespace mydr24::vitals
