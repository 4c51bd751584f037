#include "app/cli/store_copy.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <set>
#include <thread>

#include "base/json/document.h"
#include "fhir/search/search.h"

namespace mydr24::cli {

namespace {

using store::JournalLine;
using store::Reader;
using store::Sequence;
using store::Transaction;

constexpr std::uint32_t lines_per_batch = 1'000;
constexpr std::uint32_t rows_per_batch = 1'000;
constexpr std::uint32_t lines_compared = 100;  // at the beginning and at the end of what the target has
// Progress of indexing search parameters that clients added: the target's index begins without them.
constexpr std::string_view reindex_space = "reindex";

struct Prepared {
  JournalLine line;
  store::PackedBody body;
  std::vector<search::IndexEntry> entries;
};
using Batch = std::vector<Prepared>;

Sequence sequence_of(const JournalLine& line) {
  return line.version.type.empty() ? line.event.sequence : line.version.sequence;
}

bool is_same(const JournalLine& a, const JournalLine& b) {
  const auto& x = a.version;
  const auto& y = b.version;
  return x.type == y.type && x.id == y.id && x.version == y.version && x.sequence == y.sequence && x.at == y.at &&
         x.action == y.action && x.body == y.body && a.event.sequence == b.event.sequence && a.event.at == b.event.at &&
         a.event.kind == b.event.kind && a.event.payload == b.event.payload;
}

template <class T>
Result<T> ask(store::Store& store, const std::function<Result<T>(Reader&)>& question) {
  T answer{};
  MYDR24_TRY(store.read([&](Reader& reader) -> Result<> {
    MYDR24_ASSIGN(answer, question(reader));
    return {};
  }));
  return answer;
}

Result<std::vector<JournalLine>> lines_after(store::Store& store, Sequence after, std::uint32_t count) {
  return ask<std::vector<JournalLine>>(store, [&](Reader& reader) { return reader.journal(after, count); });
}
Result<Sequence> last_of(store::Store& store) {
  return ask<Sequence>(store, [](Reader& reader) { return reader.last_sequence(); });
}

Result<std::vector<search::IndexEntry>> entries_of(const store::Version& version) {
  if (version.body.empty()) return std::vector<search::IndexEntry>();
  const auto document = json::Document::parse_view(version.body);
  if (!document) {
    return fail(Code::internal, fmt::format("{}/{}: its body is no JSON", version.type, version.id));
  }
  return search::extract(document->root());
}

Result<> prepare(const store::Store& to, Prepared& item) {
  if (item.line.version.type.empty() || item.line.version.action == store::Action::remove) return {};
  item.body = to.pack(item.line.version.body, item.line.version.meta_at);
  MYDR24_ASSIGN(item.entries, entries_of(item.line.version));
  return {};
}

// Packs and indexes on all processors.
Result<Batch> next_batch(store::Store& from, const store::Store& to, Sequence after) {
  MYDR24_ASSIGN(auto lines, lines_after(from, after, lines_per_batch));
  Batch batch;
  for (JournalLine& line : lines) batch.push_back({.line = std::move(line), .body = {}, .entries = {}});
  const std::size_t threads = std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, 8);
  std::vector<std::future<Result<>>> running;
  for (std::size_t thread = 0; thread < threads; ++thread) {
    running.push_back(std::async(std::launch::async, [&batch, &to, thread, threads]() -> Result<> {
      for (std::size_t i = thread; i < batch.size(); i += threads) MYDR24_TRY(prepare(to, batch[i]));
      return {};
    }));
  }
  Result<> outcome;
  for (auto& part : running) {
    if (auto done = part.get(); !done) outcome = std::move(done);
  }
  if (!outcome) return std::move(outcome).error();
  return batch;
}

Result<> replay(Transaction& transaction, const Batch& batch) {
  for (const Prepared& item : batch) {
    const auto& version = item.line.version;
    std::vector<search::IndexEntry> before;
    if (!version.type.empty() && version.version > 1) {
      MYDR24_ASSIGN(const auto current, transaction.current(version.type, version.id));
      if (current) {
        MYDR24_ASSIGN(before, entries_of(*current));
      }
    }
    const bool has_body = !version.type.empty() && version.action != store::Action::remove;
    MYDR24_TRY(transaction.replay(item.line, has_body ? &item.body : nullptr, before, item.entries));
  }
  return {};
}

class Copy {
 public:
  Copy(store::Store& from, store::Store& to, const CopyProgress& progress)
      : from_(from), to_(to), progress_(progress) {}

  Result<CopyCounts> run() {
    MYDR24_ASSIGN(done_, last_of(to_));
    MYDR24_TRY(check_target());
    MYDR24_ASSIGN(const bool all, copy_journal());
    if (!all) return counts_;
    MYDR24_TRY(copy_states());
    MYDR24_TRY(copy_timers());
    MYDR24_TRY(copy_cursors());
    MYDR24_TRY(compare());
    counts_.complete = true;
    return counts_;
  }

 private:
  static Error another() {
    return fail(Code::conflict,
                "the target holds something else: only an empty store, or the beginning of this copy, is written to");
  }

  Result<> compare_lines(Sequence after) {
    MYDR24_ASSIGN(const auto theirs, lines_after(to_, after, lines_compared));
    MYDR24_ASSIGN(const auto ours, lines_after(from_, after, lines_compared));
    if (ours.size() < theirs.size()) return another();
    for (std::size_t i = 0; i < theirs.size(); ++i) {
      if (!is_same(ours[i], theirs[i])) return another();
    }
    return {};
  }

  Result<> check_target() {
    if (done_ == 0) return {};
    MYDR24_ASSIGN(const auto last, last_of(from_));
    if (done_ > last) return another();
    MYDR24_TRY(compare_lines(0));
    return compare_lines(std::max<Sequence>(0, done_ - lines_compared));
  }

  // While one batch is written the next is read and packed. False: stopped.
  Result<bool> copy_journal() {
    MYDR24_ASSIGN(auto last, last_of(from_));
    MYDR24_ASSIGN(auto batch, next_batch(from_, to_, done_));
    while (!batch.empty()) {
      const Sequence end = sequence_of(batch.back().line);
      std::promise<Result<>> written;
      to_.submit(
          RequestClass::routine, [&batch](Transaction& transaction) { return replay(transaction, batch); },
          [&written](Result<> outcome) { written.set_value(std::move(outcome)); });
      auto next = next_batch(from_, to_, end);
      MYDR24_TRY(written.get_future().get());
      counts_.lines += static_cast<std::int64_t>(batch.size());
      done_ = end;
      if (!next) return std::move(next).error();
      batch = std::move(*next);
      if (batch.empty()) {
        MYDR24_ASSIGN(last, last_of(from_));
        MYDR24_ASSIGN(batch, next_batch(from_, to_, done_));
      }
      if (!progress_(done_, std::max(last, done_))) return false;
    }
    return true;
  }

  // Rows that the target has and the source has not (any more) are erased.
  Result<> copy_states() {
    std::set<std::pair<std::string, std::string>> kept;
    store::SpaceRow at;
    for (;;) {
      MYDR24_ASSIGN(const auto rows, ask<std::vector<store::SpaceRow>>(from_, [&](Reader& reader) {
                      return reader.all_states(at.space, at.row.key, rows_per_batch);
                    }));
      if (rows.empty()) break;
      MYDR24_TRY(to_.write(RequestClass::routine, [&](Transaction& transaction) -> Result<> {
        for (const auto& [space, row] : rows) {
          if (space == reindex_space) continue;
          MYDR24_TRY(transaction.set_state(space, row.key, row.value));
          kept.emplace(space, row.key);
        }
        return {};
      }));
      at = rows.back();
    }
    counts_.states = static_cast<std::int64_t>(kept.size());
    at = {};
    for (;;) {
      MYDR24_ASSIGN(const auto rows, ask<std::vector<store::SpaceRow>>(to_, [&](Reader& reader) {
                      return reader.all_states(at.space, at.row.key, rows_per_batch);
                    }));
      if (rows.empty()) return {};
      MYDR24_TRY(to_.write(RequestClass::routine, [&](Transaction& transaction) -> Result<> {
        for (const auto& [space, row] : rows) {
          if (!kept.contains({space, row.key})) MYDR24_TRY(transaction.erase_state(space, row.key));
        }
        return {};
      }));
      at = rows.back();
    }
  }

  Result<> copy_timers() {
    std::set<std::string> kept;
    const auto each = [](store::Store& store,
                         const std::function<Result<>(std::span<const store::Timer>)>& take) -> Result<> {
      std::string after;
      for (;;) {
        MYDR24_ASSIGN(const auto timers, ask<std::vector<store::Timer>>(store, [&](Reader& reader) {
                        return reader.all_timers(after, rows_per_batch);
                      }));
        if (timers.empty()) return {};
        MYDR24_TRY(take(timers));
        after = timers.back().key;
      }
    };
    MYDR24_TRY(each(from_, [&](std::span<const store::Timer> timers) {
      return to_.write(RequestClass::routine, [&](Transaction& transaction) -> Result<> {
        for (const store::Timer& timer : timers) {
          MYDR24_TRY(transaction.set_timer(timer));
          kept.insert(timer.key);
        }
        return {};
      });
    }));
    counts_.timers = static_cast<std::int64_t>(kept.size());
    return each(to_, [&](std::span<const store::Timer> timers) {
      return to_.write(RequestClass::routine, [&](Transaction& transaction) -> Result<> {
        for (const store::Timer& timer : timers) {
          if (!kept.contains(timer.key)) MYDR24_TRY(transaction.cancel_timer(timer.key));
        }
        return {};
      });
    });
  }

  Result<> copy_cursors() {
    using Cursors = std::vector<std::pair<std::string, Sequence>>;
    MYDR24_ASSIGN(const auto cursors, ask<Cursors>(from_, [](Reader& reader) { return reader.cursors(); }));
    counts_.cursors = static_cast<std::int64_t>(cursors.size());
    return to_.write(RequestClass::routine, [&](Transaction& transaction) -> Result<> {
      for (const auto& [name, sequence] : cursors) MYDR24_TRY(transaction.set_cursor(name, sequence));
      return {};
    });
  }

  Result<> compare() {
    const auto count = [](store::Store& store) {
      return ask<std::int64_t>(store, [](Reader& reader) { return reader.count_resources(""); });
    };
    MYDR24_ASSIGN(const auto there, count(from_));
    MYDR24_ASSIGN(counts_.resources, count(to_));
    MYDR24_ASSIGN(const auto last, last_of(from_));
    if (last == done_ && there == counts_.resources) return {};
    return fail(Code::conflict,
                fmt::format("the source was written to meanwhile ({} lines and {} resources there, {} and {} in the "
                            "copy): copy again, it goes on from here",
                            last, there, done_, counts_.resources));
  }

  store::Store& from_;
  store::Store& to_;
  const CopyProgress& progress_;
  Sequence done_ = 0;
  CopyCounts counts_;
};

}  // namespace

Result<CopyCounts> copy_store(store::Store& from, store::Store& to, const CopyProgress& progress) {
  return Copy(from, to, progress).run();
}

}  // namespace mydr24::cli
