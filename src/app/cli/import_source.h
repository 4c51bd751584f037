#pragma once

// What an import reads: the files behind the paths, in a fixed order, cut into slices of whole resources.
// Plain and gzip files are streamed; a slice is a few hundred lines, so that memory does not depend on the
// size of a file.

#include <zlib.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"

namespace mydr24::cli {

inline constexpr std::size_t slice_items_max = 200;
inline constexpr std::size_t slice_bytes_max = 4U << 20;
inline constexpr std::size_t line_bytes_max = 16U << 20;       // longer lines are refused
inline constexpr std::size_t document_bytes_max = 256U << 20;  // of a .json file
inline constexpr std::size_t import_files_max = 1'000'000;

// Files as named, folders recursively: *.ndjson, *.ndjson.gz, *.json, *.json.gz. Sorted by path, but for two
// conventions of Synthea: hospitalInformation* and practitionerInformation* first, because the others refer
// to them. Code::not_found for a path that is not there, Code::invalid for a named file of another kind.
Result<std::vector<std::filesystem::path>> import_files(const std::vector<std::string>& paths);

bool is_document_file(const std::filesystem::path& file);  // .json: one resource or Bundle in the whole file

// Where reading goes on: before that line of that file.
struct ImportPosition {
  std::size_t file = 0;     // index into the files
  std::int64_t offset = 0;  // uncompressed bytes
  std::int64_t line = 0;    // lines read so far
};

struct ImportItem {
  std::int64_t line = 0;  // from 1
  std::string text;       // empty: longer than line_bytes_max
};

struct ImportSlice {
  std::int64_t number = 0;  // 0, 1, 2 ... in reading order
  std::size_t file = 0;
  bool document = false;  // the one item is a whole .json file
  std::vector<ImportItem> items;
  std::optional<Error> error;  // the file cannot be read on: the rest of it is left out
  ImportPosition after;
};

class ImportReader {
 public:
  ImportReader(std::vector<std::filesystem::path> files, ImportPosition from, std::int64_t first_number);

  // Nothing at the end. After a slice with an error reading goes on with the next file.
  std::optional<ImportSlice> next();

  // From any thread: compressed bytes read and to read, of all files.
  std::int64_t bytes_read() const { return bytes_read_.load(std::memory_order_relaxed); }
  std::int64_t bytes_total() const { return bytes_total_; }

 private:
  struct CloseGz {
    void operator()(gzFile_s* file) const { gzclose(file); }
  };

  struct Line {
    std::string_view text;
    bool too_long = false;
  };

  Result<> open_current();
  void close_current();
  Result<bool> read_more();  // false: the end of the file
  Result<std::optional<Line>> read_line();
  Result<bool> fill(ImportSlice& slice);  // false: the end of the file
  Result<bool> read_lines(ImportSlice& slice);
  Result<> read_document(ImportSlice& slice);

  std::vector<std::filesystem::path> files_;
  std::vector<std::int64_t> sizes_;
  ImportPosition position_;
  std::int64_t next_number_;
  std::unique_ptr<gzFile_s, CloseGz> file_;
  std::string buffer_;  // bytes read and not yet given away begin at buffer_at_
  std::size_t buffer_at_ = 0;
  bool at_end_ = false;
  std::int64_t bytes_before_ = 0;  // of the files before this one
  std::int64_t bytes_total_ = 0;
  std::atomic<std::int64_t> bytes_read_{0};
};

}  // namespace mydr24::cli
