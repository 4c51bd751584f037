#pragma once

// How far an import has come: a row in the store, written in the same transaction as the slice it speaks of.
// So after any end of the process, an import goes on without loss and without repeats.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/cli/import_report.h"
#include "app/cli/import_source.h"
#include "storage/store/store.h"

namespace mydr24::cli {

inline constexpr std::string_view import_space = "import";

struct ImportState {
  std::vector<std::string> paths;  // as asked for, absolute
  std::string file;                // the name of the file at `position`; empty after the last one
  ImportPosition position;
  std::int64_t next_slice = 0;
  ImportCounts counts;
  bool done = false;

  std::string encode() const;
  static Result<ImportState> decode(std::string_view text);
};

// The key of an import: the same paths give the same.
std::string import_key(const std::vector<std::string>& absolute_paths);

Result<std::optional<ImportState>> load_import(store::Reader& reader, std::string_view key);

// The one import that is not done; Code::not_found when there is none, Code::conflict when there are several.
Result<ImportState> find_unfinished_import(store::Reader& reader);

}  // namespace mydr24::cli
