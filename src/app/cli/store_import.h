#pragma once

// Slices written into a store in order, a few at a time, each with the position that follows it in one transaction.
//
// Invariant: a slice is written only when the one before it was: the row of the import tells whose turn it
// is. A resource that the store refuses does not take its slice along: the slice is then written one by one.

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "app/cli/import_pipeline.h"
#include "app/cli/import_state.h"

namespace mydr24::cli {

class StoreImport {
 public:
  static constexpr std::size_t slices_in_flight_max = 32;
  static constexpr int attempts_max = 200;

  StoreImport(records::Records& records, const std::vector<std::filesystem::path>& files, ImportState state,
              ImportReport& report);
  ~StoreImport();  // waits for what is in flight
  StoreImport(const StoreImport&) = delete;
  StoreImport& operator=(const StoreImport&) = delete;

  // Notes the beginning. Before the first write.
  Result<> begin();
  // Takes the next slice in order; blocks while too many are in flight. An error ends the import: the store
  // is at fault.
  Result<> write(ReadySlice slice);
  // Waits for all of them; `complete`: the import has come to its end.
  Result<> finish(bool complete);

  const ImportCounts& counts() const { return counts_; }  // of what is certainly written
  const std::string& current_file() const { return current_file_; }

 private:
  struct Flight {
    ReadySlice slice;
    ImportCounts counts;
    Result<> result;
    bool done = false;
    bool out_of_turn = false;
  };

  Result<> write_slice(store::Transaction& transaction, Flight& flight);
  Result<> write_position(store::Transaction& transaction, Flight& flight, const ImportCounts& counts);
  void submit(Flight& flight);
  Result<> retire_one();
  Result<> retry(Flight& flight);
  Result<> write_one_by_one(Flight& flight);
  Result<> write_transaction(ReadySlice slice);
  void retired(Flight& flight);

  records::Records& records_;
  const std::vector<std::filesystem::path>& files_;
  ImportState state_;
  std::string key_;
  ImportReport& report_;
  ImportCounts counts_;
  std::string current_file_;
  std::mutex mutex_;  // guards done and result of every Flight
  std::condition_variable landed_;
  std::deque<std::unique_ptr<Flight>> flights_;
};

}  // namespace mydr24::cli
