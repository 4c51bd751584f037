#include "storage/postgres/postgres.h"

#include <gtest/gtest.h>

#include "storage/postgres/throwaway.h"
#include "storage/store/contract_more_test.h"
#include "storage/store/contract_oracle_test.h"
#include "storage/store/contract_search_test.h"
#include "storage/store/contract_test.h"

namespace mydr24::postgres {
namespace {

class PostgresPlace final : public store::Place {
 public:
  PostgresPlace() : database_(shared_server()->lend_database()) {}
  ~PostgresPlace() override { shared_server()->give_back(database_); }
  PostgresPlace(const PostgresPlace&) = delete;
  PostgresPlace& operator=(const PostgresPlace&) = delete;
  Result<std::unique_ptr<store::Store>> open(const Clock& clock) override {
    return postgres::open({.url = shared_server()->url(database_), .kept_total_min = 0}, clock);
  }
  std::filesystem::path backup_path() override { return std::filesystem::temp_directory_path() / "never-made"; }
  Result<std::unique_ptr<store::Store>> open_backup(const std::filesystem::path&, const Clock&) override {
    return fail(Code::unsupported, "PostgreSQL makes its own backups");
  }
  bool is_server() const override { return true; }

 private:
  std::string database_;
};

std::unique_ptr<store::Place> make_place() {
  return shared_server() == nullptr ? nullptr : std::make_unique<PostgresPlace>();
}

}  // namespace
}  // namespace mydr24::postgres

namespace mydr24::store {
INSTANTIATE_TEST_SUITE_P(Postgres, StoreContract, testing::Values(postgres::make_place));
INSTANTIATE_TEST_SUITE_P(Postgres, StoreSearchContract, testing::Values(postgres::make_place));
INSTANTIATE_TEST_SUITE_P(Postgres, StoreMoreContract, testing::Values(postgres::make_place));
INSTANTIATE_TEST_SUITE_P(Postgres, StoreOracleContract, testing::Values(postgres::make_place));
}  // namespace mydr24::store
