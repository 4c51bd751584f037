#pragma once

// Writes a Database to a store and reads it back: what was kept survives a restart. Samples go there each minute, minutes and
// hours more rarely (they follow from what is finer); what came from outside is on disk before it is answered, see log().
//
// Rows of the space "series", below the name of the server (several may share a store):
//   s/ID        labels of a series
//   r/TIME/PART samples   m/TIME/PART minutes   h/TIME/PART hours, of many series, packed as in memory
//   w/NUMBER    what came from outside since the samples were written last
//
// Invariant: a row that log() reported as written is read back until its samples are in rows of their own.

#include <atomic>
#include <deque>
#include <functional>
#include <mutex>
#include <string>

#include "operations/series/database.h"
#include "storage/store/store.h"

namespace mydr24::series {

class Keeper {
 public:
  // All must outlive it. `server`: without "/".
  Keeper(Database& database, store::Store& store, std::string server)
      : database_(database), store_(store), prefix_(std::move(server) + "/") {
    database_.is_written_down_ = true;
  }

  // Before anything is appended. `replay` is given what log() was given, in its order.
  Result<> load(const std::function<void(std::string_view)>& replay);
  // Writes what is new and erases what is old. Blocks; one thread. What could not be written is with the next.
  Result<> keep();
  // Text whose samples are appended already: it is replayed by load() until keep() has written them. Thread-safe; `done`
  // after the commit. Code::busy when more than log_bytes_max waits for the next keep().
  void log(std::string text, store::Done done);

  // keep() is due before its time: much was logged.
  bool is_due() const { return log_bytes_.load() > log_bytes_max / 2; }

  static constexpr std::size_t log_bytes_max = 64U << 20;
  static constexpr std::string_view space = "series";

 private:
  struct Written {
    SeriesPtr series;
    Milliseconds until;
  };
  struct Batch {
    std::vector<store::StateRow> rows;
    std::vector<Written> written;
    std::size_t bytes = 0;
  };

  Result<> each_row(std::string_view kind, const std::function<Result<>(const store::StateRow&)>& take);
  Result<> load_series();
  Result<> load_rows(Resolution resolution);
  Result<> load_log(const std::function<void(std::string_view)>& replay);
  Result<> keep_series();
  Result<> keep_rows(Resolution resolution);
  Result<> write(Batch& batch, Resolution resolution);
  Result<> erase(std::vector<std::string> keys);
  Result<> erase_old();
  Result<> erase_gone();
  Milliseconds kept_from(Resolution resolution) const;
  Milliseconds every(Resolution resolution) const;
  std::string key(std::string_view kind, std::string_view rest) const;

  Database& database_;
  store::Store& store_;
  const std::string prefix_;
  std::unordered_map<std::uint64_t, SeriesPtr> known_;  // by id
  std::uint64_t last_id_ = 0;
  std::array<Milliseconds, 3> kept_at_{};

  std::mutex mutex_;  // guards what follows; submitting under it keeps rows in the order of their numbers
  std::uint64_t logged_ = 0;
  std::deque<std::pair<std::uint64_t, std::size_t>> log_rows_;  // number, bytes
  std::atomic<std::size_t> log_bytes_ = 0;
};

}  // namespace mydr24::series
