#pragma once

// What an import tells: a progress line on a terminal or NDJSON events, the file of what was refused, the
// summary at the end.

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "app/cli/terminal.h"

namespace mydr24::cli {

struct ImportCounts {
  std::int64_t created = 0;
  std::int64_t updated = 0;
  std::int64_t unchanged = 0;
  std::int64_t rejected = 0;

  std::int64_t stored() const { return created + updated + unchanged; }
  std::int64_t handled() const { return stored() + rejected; }
  void add(const ImportCounts& other);
};

struct ImportRejection {
  std::int64_t line = 0;
  std::string outcome;  // OperationOutcome as JSON
};

class ImportReport {
 public:
  static constexpr std::int64_t rejections_written_max = 10'000;
  static constexpr std::size_t rejections_shown_max = 5;

  // `rejected_file`: where refusals are written; begun anew unless `before` holds something; empty: nowhere.
  // `before`: what was imported before this run, when it goes on with an import.
  ImportReport(const Terminal& terminal, std::filesystem::path rejected_file, bool progress_json,
               const ImportCounts& before);

  void reject(const std::string& file, const ImportRejection& rejection);
  // Called often; says something as often as it should.
  void progress(const std::string& file, std::int64_t bytes_read, std::int64_t bytes_total, const ImportCounts& counts);
  // Takes the progress line away.
  void clear();
  // `resume`: the command that goes on; empty when the import came to its end.
  void summary(const ImportCounts& counts, const std::string& resume);

 private:
  std::chrono::duration<double> elapsed() const { return terminal_.clock.steady() - began_; }

  const Terminal& terminal_;
  std::filesystem::path rejected_path_;
  std::ofstream rejected_file_;
  std::int64_t rejections_ = 0;
  std::int64_t handled_before_ = 0;
  std::vector<std::string> shown_;
  bool progress_json_;
  bool line_is_open_ = false;
  std::chrono::nanoseconds began_;
  std::chrono::nanoseconds next_;
};

}  // namespace mydr24::cli
