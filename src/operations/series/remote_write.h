#pragma once

// Prometheus remote write 1.0, the receiving side: snappy's block format and the protobuf messages, read by hand and bounded.
// Sources: "Prometheus Remote-Write 1.0 specification" and prompb/types.proto; "Snappy compressed format description".

#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "operations/series/database.h"

namespace mydr24::series {

// Code::too_large when it says that it is larger than `bytes_max`; Code::invalid when it is not snappy's block format.
Result<std::string> unsnap(std::string_view packed, std::size_t bytes_max);

struct WrittenSeries {
  Labels labels;
  std::vector<Sample> samples;
};

struct WriteRequest {
  std::vector<WrittenSeries> series;
  std::vector<std::pair<std::string, Description>> metadata;
  std::size_t histograms = 0;  // native ones, which are not kept
};

inline constexpr std::size_t write_series_max = 50'000;
inline constexpr std::size_t write_samples_max = 500'000;

// The message, no longer packed. Code::invalid, Code::too_large.
Result<WriteRequest> parse_write_request(std::string_view bytes);

struct WriteOutcome {
  std::size_t kept = 0;
  std::size_t duplicates = 0;
  std::size_t refused = 0;
  std::string why;  // of the first one refused
};
// Whose series nobody may write from outside; without a job nobody.
struct Owner {
  std::string job;
  std::string instance;
};
// Appends what it can.
WriteOutcome append(Database& database, const WriteRequest& request, const Owner& owner);

}  // namespace mydr24::series
