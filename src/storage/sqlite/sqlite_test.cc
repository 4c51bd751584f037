#include "storage/sqlite/sqlite.h"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/sqlite/connection.h"
#include "storage/store/contract_search_test.h"
#include "storage/store/contract_test.h"

namespace mydr24::sqlite {
namespace {

class Folder {
 public:
  Folder() {
    auto pattern = (std::filesystem::temp_directory_path() / "mydr24-store-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~Folder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class SqlitePlace final : public store::Place {
 public:
  Result<std::unique_ptr<store::Store>> open(const Clock& clock) override {
    return sqlite::open({.folder = folder_.path() / "data"}, clock);
  }
  std::filesystem::path backup_path() override { return folder_.path() / "backup.db"; }
  Result<std::unique_ptr<store::Store>> open_backup(const std::filesystem::path& backup, const Clock& clock) override {
    const auto restored = folder_.path() / "restored";
    std::filesystem::create_directory(restored);
    std::filesystem::copy_file(backup, restored / database_file);
    return sqlite::open({.folder = restored}, clock);
  }

 private:
  Folder folder_;
};

std::unique_ptr<store::Place> make_place() { return std::make_unique<SqlitePlace>(); }

}  // namespace
}  // namespace mydr24::sqlite

namespace mydr24::store {

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreContract, testing::Values(sqlite::make_place));
INSTANTIATE_TEST_SUITE_P(Sqlite, StoreSearchContract, testing::Values(sqlite::make_place));

}  // namespace mydr24::store
