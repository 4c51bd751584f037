#pragma once

// Pages as they stood before they were sealed anew where they stand, in a file beside the database: when the machine stops
// in between, a page that is neither the old nor the new one is put back. Private to storage/sqlite.

#include <filesystem>
#include <span>
#include <vector>

#include "base/core/result.h"
#include "storage/sqlite/sealed_page.h"

namespace mydr24::sqlite {

struct KeptPage {
  PageNumber number = 0;
  Page bytes{};
};

std::filesystem::path kept_pages_file(const std::filesystem::path& database);

// On disk when it returns.
Result<> keep_pages(const std::filesystem::path& database, std::span<const KeptPage> pages);
// None when there are none, or when they were not kept as a whole: then nothing was written over them.
Result<std::vector<KeptPage>> read_kept_pages(const std::filesystem::path& database);
Result<> forget_pages(const std::filesystem::path& database);

}  // namespace mydr24::sqlite
